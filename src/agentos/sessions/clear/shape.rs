//! A session as servers write it: what a field holds, and whether two of them hold the same.

use serde_json::{Map, Value};

/// The state of a session. Before agno 3 a workflow's session has it in its data only.
pub(super) fn state(session: &Value) -> Option<Value> {
    let own = session.get("session_state").filter(|state| !empty(state));
    own.or_else(|| session.pointer("/session_data/session_state")).cloned()
}

pub(super) fn into_map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) if !map.is_empty() => Some(map),
        _ => None,
    }
}

pub(super) fn text(session: &Value, field: &str) -> Option<String> {
    session.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Servers differ in whether they leave out what is not there, or write null or nothing for it.
pub(super) fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

pub(super) fn same(old: Option<&Value>, new: Option<&Value>) -> bool {
    old.filter(|value| !empty(value)) == new.filter(|value| !empty(value))
}
