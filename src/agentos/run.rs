//! What a run's answer says (stub).

use serde_json::Value;

/// Why a run failed although HTTP says 200.
pub fn failure_of(_body: &Value, _allow_failed_steps: bool) -> Option<String> {
    None
}
