//! How an answer differs from its snapshot: by events in a stream, by paths and lines in JSON, by words in prose.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use similar::DiffTag;

use crate::expect::diff;

/// The lines of a new snapshot that a failure shows.
const FIRST: usize = 20;
/// The characters of such a line, and of one that stands for an event.
const WIDTH: usize = 200;
/// The equal events that are named before and after a difference.
const CONTEXT: usize = 2;
/// The lines that a difference shows.
const MOST_LINES: usize = 200;
/// The time for finding out which events are the same; then it is told coarsely.
const WITHIN: Duration = Duration::from_millis(150);
/// The events among which the one is looked for that took another's place.
const NEAR: usize = 100;

/// How two contents differ; empty where they are the same, however they are written.
pub(super) fn between(old: &str, new: &str, is_json: bool) -> String {
    let json = |text: &str| is_json.then(|| serde_json::from_str::<Value>(text).ok()).flatten();
    match (json(old), json(new)) {
        (Some(old), Some(new)) => match (events(&old), events(&new)) {
            (Some(old_events), Some(new_events)) if old != new => between_events(old_events, new_events),
            _ => diff::json_diff(&old, &new),
        },
        _ => diff::text_diff(old, new),
    }
}

/// The same for somebody who decides: what is written in another way is shown too.
pub fn shown_difference(old: &str, new: &str) -> String {
    let is_json = old.starts_with(['{', '[']) && new.starts_with(['{', '[']);
    let difference = between(old, new, is_json);
    if difference.is_empty() { diff::text_diff(old, new) } else { difference }
}

/// The first lines of what is new; all of it waits in the file.
pub(super) fn beginning(contents: &str) -> String {
    let total = contents.lines().count();
    let mut text = String::new();
    for line in contents.lines().take(FIRST) {
        _ = writeln!(text, "+{}", cut(line));
    }
    if total > FIRST {
        _ = writeln!(text, " … {} more lines", total - FIRST);
    }
    text
}

/// The events of a stream, where it is one.
fn events(value: &Value) -> Option<&[Value]> {
    let events = value.as_array()?;
    let is_stream =
        !events.is_empty() && events.iter().all(|event| event.get("event").is_some_and(Value::is_string));
    is_stream.then_some(events)
}

/// An event that went has the number that it had, all others have those that they have now.
fn between_events(old: &[Value], new: &[Value]) -> String {
    let texts = |events: &[Value]| events.iter().map(Value::to_string).collect::<Vec<String>>();
    let ops = diff::align(&texts(old), &texts(new), WITHIN);
    let mut lines = Vec::new();
    let count = ops.len();
    for (number, op) in ops.iter().enumerate() {
        let (gone, come) = (&old[op.old_range()], &new[op.new_range()]);
        if op.tag() == DiffTag::Equal {
            equal(come, op.new_range().start, number > 0, number + 1 < count, &mut lines);
        } else {
            changed(gone, come, op.old_range().start, op.new_range().start, &mut lines);
        }
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.truncate(MOST_LINES);
        lines.push(format!(" … {more} more lines"));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Events that are the same: those beside a difference are named.
fn equal(all: &[Value], start: usize, before: bool, after: bool, lines: &mut Vec<String>) {
    let head = if before { CONTEXT } else { 0 };
    let tail = if after { CONTEXT } else { 0 };
    let name = |(index, event): (usize, &Value)| format!(" {}", line(start + index, event));
    let folded = all.len().saturating_sub(head + tail);
    if folded < 2 {
        lines.extend(all.iter().enumerate().map(name));
        return;
    }
    lines.extend(all.iter().enumerate().take(head).map(name));
    lines.push(format!(" … {folded} equal events"));
    lines.extend(all.iter().enumerate().skip(all.len() - tail).map(name));
}

/// Events that went and came. Of two with one name that took each other's place, it is told in what they differ.
fn changed(gone: &[Value], come: &[Value], old_at: usize, new_at: usize, lines: &mut Vec<String>) {
    let name = |event: &Value| event.get("event").and_then(Value::as_str).map(str::to_owned);
    let mut rest = come.iter().enumerate().peekable();
    for (index, event) in gone.iter().enumerate() {
        let partner = rest.clone().take(NEAR).position(|(_, other)| name(other) == name(event));
        let Some(partner) = partner else {
            lines.push(format!("-{}", line(old_at + index, event)));
            continue;
        };
        for (index, event) in rest.by_ref().take(partner) {
            lines.push(format!("+{}", line(new_at + index, event)));
        }
        if let Some((index, other)) = rest.next() {
            lines.push(format!(" [{}] {}:", new_at + index, name(event).unwrap_or_default()));
            // What is not shown is only counted, and coarsely.
            if lines.len() <= MOST_LINES {
                lines.extend(diff::json_changes(event, other).lines().map(indented));
            }
        }
    }
    lines.extend(rest.map(|(index, event)| format!("+{}", line(new_at + index, event))));
}

/// A line of a difference, moved to the right behind its sign.
fn indented(line: &str) -> String {
    let mut chars = line.chars();
    chars.next().map_or_else(String::new, |sign| format!("{sign}    {}", chars.as_str()))
}

/// An event in one line: its name and what it is about.
fn line(index: usize, event: &Value) -> String {
    let mut text = format!("[{index}] {}", event.get("event").and_then(Value::as_str).unwrap_or_default());
    if let Some(tool) = event.get("tool") {
        let name = tool.get("tool_name").and_then(Value::as_str).unwrap_or_default();
        let arguments = tool.get("tool_args").map(Value::to_string).unwrap_or_default();
        _ = write!(text, " {name}{arguments}");
    } else if let Some(content) = event.get("content").filter(|content| !content.is_null()) {
        _ = write!(text, " {content}");
    }
    cut(&text)
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stream() -> Vec<Value> {
        let mut events = vec![json!({"event": "RunStarted", "run_id": "[run_id.1]"})];
        for number in 0..6 {
            events.push(json!({"event": "ModelRequestStarted", "n": number}));
        }
        events.push(json!({"event": "ToolCallStarted", "tool": {"tool_name": "add", "tool_args": {"a": 2}}}));
        events.push(json!({"event": "ToolCallCompleted", "tool": {"tool_name": "add", "tool_args": {"a": 2}, "result": "5"}}));
        events.push(json!({"event": "RunContent", "content": "It is 5.", "run_id": "[run_id.1]"}));
        events.push(json!({"event": "RunCompleted", "content": "It is 5."}));
        events
    }

    fn shown(new: &[Value]) -> String {
        between(&json!(stream()).to_string(), &json!(new).to_string(), true)
    }

    #[test]
    fn streams_differ_by_events() {
        assert_eq!(shown(&stream()), "");
        let mut missing = stream();
        missing.drain(7..9);
        let text = shown(&missing);
        for line in
            [" … 5 equal events", "-[7] ToolCallStarted add{\"a\":2}", "-[8] ToolCallCompleted add{\"a\":2}"]
        {
            assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
        }
        assert!(!text.contains("\n+"), "{text}");
        let mut other = stream();
        other[9]["content"] = json!("It is 6.");
        other.insert(1, json!({"event": "RunPaused"}));
        let text = shown(&other);
        for line in ["+[1] RunPaused", " [10] RunContent:", "     changed: $.content"] {
            assert!(text.lines().any(|shown| shown == line), "{line}: {text}");
        }
        assert!(text.lines().any(|line| line.starts_with('+') && line.contains("It is 6.")), "{text}");
    }
}
