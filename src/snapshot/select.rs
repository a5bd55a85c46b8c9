//! What a snapshot is of: a part of an answer, as text or as JSON, and how it is written out.

use serde_json::{Map, Value};

use super::file::tidy;
use super::spec::{HEADER, Of};
use super::store::Turn;
use crate::outcome::Outcome;

/// The part of an answer that is asked for; none where there is no such part.
pub(super) fn select(of: &Of, outcome: &Outcome) -> Option<Value> {
    let text = || Value::String(outcome.text.clone());
    match of {
        Of::Path(path) => match &outcome.body {
            Some(body) => path.select(body),
            // What is no JSON has no parts.
            None => (path.as_str() == "$").then(text),
        },
        Of::Header(name) => {
            let name = name.strip_prefix(HEADER).unwrap_or(name);
            let named = outcome.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            let values: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
            (!values.is_empty()).then(|| Value::String(values.join(", ")))
        }
        Of::Word(word) => match *word {
            "body" => outcome.body.clone().or_else(|| Some(text())),
            "content" => outcome.content().cloned(),
            "error" => outcome.error.clone().map(Value::String),
            "events" => outcome.events().cloned(),
            "requirements" => outcome.requirements(),
            "status" => outcome.status.map(Value::from),
            "text" => Some(text()),
            "tokens" => outcome.tokens().map(Value::Object),
            // A run that called none has no list of them.
            "tools" => outcome
                .tools()
                .map(std::borrow::Cow::into_owned)
                .or_else(|| outcome.body.as_ref()?.get("run_id").map(|_| Value::Array(Vec::new()))),
            _ => None,
        },
    }
}

/// The contents of a snapshot: a text as it is, all else as JSON of several lines.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => tidy(text),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

/// A turn of a conversation: what was said, and which tools were called.
pub(super) fn transcript(turn: &Turn) -> Value {
    let outcome = &turn.outcome;
    let field =
        |name: &str| outcome.body.as_ref().and_then(|body| body.get(name)).filter(|value| !value.is_null());
    let mut said = Map::new();
    said.insert("user".to_owned(), Value::from(turn.user.as_str()));
    let answer = outcome.content().cloned().or_else(|| outcome.error.clone().map(Value::from));
    said.insert("answer".to_owned(), sorted(answer.unwrap_or_default()));
    let calls: Vec<Value> = outcome
        .tools()
        .iter()
        .flat_map(|tools| tools.as_array().into_iter().flatten())
        .map(|tool| {
            let kept = ["tool_name", "tool_args", "result", "tool_call_error"];
            let kept = kept.into_iter().filter_map(|key| {
                let value =
                    tool.get(key).filter(|value| !matches!(value, Value::Null | Value::Bool(false)))?;
                Some((key.to_owned(), sorted(value.clone())))
            });
            Value::Object(kept.collect())
        })
        .collect();
    if !calls.is_empty() {
        said.insert("tools".to_owned(), Value::Array(calls));
    }
    for key in ["status", "session_id", "run_id"] {
        said.extend(field(key).map(|value| (key.to_owned(), value.clone())));
    }
    Value::Object(said)
}

fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}
