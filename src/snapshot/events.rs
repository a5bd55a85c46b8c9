//! The pieces in which a streamed text came joined to one: where a model cuts its answer is chance.

use serde_json::{Map, Value};

/// What differs between two pieces of one text.
const OWN: &[&str] = &["content", "created_at", "event_index"];

/// Joins neighbours that are pieces of one text in a list of events.
pub(super) fn join_pieces(value: &mut Value) {
    let Value::Array(events) = value else { return };
    let mut joined: Vec<Value> = Vec::with_capacity(events.len());
    for event in events.drain(..) {
        if let (Some(Value::Object(last)), Value::Object(piece)) = (joined.last_mut(), &event)
            && let Some(text) = continues(last, piece)
            && let Some(Value::String(whole)) = last.get_mut("content")
        {
            whole.push_str(text);
            continue;
        }
        joined.push(event);
    }
    *events = joined;
}

/// The text of `piece`, where it goes on with that of `last`.
fn continues<'p>(last: &Map<String, Value>, piece: &'p Map<String, Value>) -> Option<&'p str> {
    let name = piece.get("event")?.as_str()?;
    if !name.ends_with("Content") && !name.ends_with("ContentDelta") {
        return None;
    }
    let text = piece.get("content")?.as_str()?;
    last.get("content")?.as_str()?;
    let shared =
        |fields: &Map<String, Value>| fields.keys().filter(|key| !OWN.contains(&key.as_str())).count();
    let same = shared(last) == shared(piece)
        && piece.iter().all(|(key, value)| OWN.contains(&key.as_str()) || last.get(key) == Some(value));
    same.then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_of_one_text_are_one() {
        let piece = |run: &str, text: &str, at: u64| json!({"event": "RunContent", "run_id": run, "content": text, "created_at": at});
        let mut events = json!([
            {"event": "RunStarted", "run_id": "a"},
            piece("a", "Nice ", 1),
            piece("a", "to meet you", 2),
            piece("b", "!", 2),
            {"event": "RunContent", "run_id": "b", "content": {"a": 1}},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
        ]);
        join_pieces(&mut events);
        let expected = json!([
            {"event": "RunStarted", "run_id": "a"},
            piece("a", "Nice to meet you", 1),
            piece("b", "!", 2),
            {"event": "RunContent", "run_id": "b", "content": {"a": 1}},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
        ]);
        assert_eq!(events, expected);
    }
}
