//! The JSON Schema of cast files, for editors.

use serde_json::json;

/// The schema as it is printed.
pub fn printed() -> String {
    format!("{:#}\n", json!({}))
}
