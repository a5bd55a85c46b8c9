//! What a snapshot is of: a part of an answer, as text or as JSON, and how it is written out.

use serde_json::Value;

use super::file::tidy;
use super::spec::Of;
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
