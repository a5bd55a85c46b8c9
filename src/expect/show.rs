//! Values in messages: as JSON, on one line, cut where they are long.

use serde_json::Value;

use crate::jsonpath::Path;

/// The characters of a value that a message shows.
pub(super) const LONG: usize = 300;
/// The characters of a value inside a sentence.
pub(super) const SHORT: usize = 100;

/// A value on one line, at most about `limit` characters of it.
pub(super) fn value(value: &Value, limit: usize) -> String {
    // What is large is cut before it is written out: an answer may hold megabytes.
    if let Value::String(text) = value
        && text.len() > 8 * limit
    {
        let shown = Value::String(cut(text, limit)).to_string();
        return format!("{shown} ({} characters)", text.chars().count());
    }
    cut(&value.to_string(), limit)
}

/// A text with its middle left out where it is longer than `limit` characters.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let count = text.chars().count();
    if count <= limit {
        return text.to_owned();
    }
    let head = limit * 2 / 3;
    let tail = limit - head;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{start} … {end}")
}

/// The neighbourhood of the bytes `at..at + length` of a text, as a JSON text.
pub(super) fn around(text: &str, at: usize, length: usize) -> String {
    const CONTEXT: usize = 40;
    let from = floor(text, at.saturating_sub(CONTEXT));
    let to = floor(text, (at + length.min(LONG) + CONTEXT).min(text.len()));
    let lead = if from > 0 { "…" } else { "" };
    let trail = if to < text.len() { "…" } else { "" };
    Value::String(format!("{lead}{}{trail}", &text[from..to])).to_string()
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Some names, the first of many.
pub(super) fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 12;
    let all: Vec<&str> = all.collect();
    if all.is_empty() {
        return "nothing".to_owned();
    }
    let more = all.len().saturating_sub(MOST);
    let shown = all.iter().take(MOST).map(|name| cut(name, 40)).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// `3 members`, `1 member`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A key as a JSONPath goes on with it.
pub(super) fn key(name: &str) -> String {
    let plain = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain {
        format!(".{name}")
    } else {
        format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

/// A place inside of what is looked at, as a path: built from references, written out only for a message.
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

/// One step of a [`Place`].
pub(super) enum Step<'a> {
    /// The target.
    Root(&'a str),
    /// The matches of a path that may have several, in the body that they were found in.
    Matches(&'a Path, &'a Value),
    /// A member of a list.
    Index(usize),
    /// A member of an object.
    Key(&'a str),
    /// A number that belongs to it, `the length of`.
    Measure(&'a str),
}

impl<'a> Place<'a> {
    /// Where a target begins.
    pub(super) fn root(step: Step<'a>) -> Self {
        Self { parent: None, step }
    }

    /// A place inside.
    pub(super) fn then(&'a self, step: Step<'a>) -> Self {
        Self { parent: Some(self), step }
    }

    /// The path, `$.data[3].name`.
    pub(super) fn path(&self) -> String {
        let Some(parent) = self.parent else {
            return match &self.step {
                Step::Root(name) => (*name).to_owned(),
                Step::Matches(path, _) => path.as_str().to_owned(),
                _ => String::new(),
            };
        };
        match &self.step {
            Step::Index(index) => match &parent.step {
                // The third match is named by where it stands, not by its number among the matches.
                Step::Matches(path, body) => path
                    .find(body)
                    .get(*index)
                    .and_then(|&found| locate(body, found))
                    .map_or_else(|| format!("{path} (match {index})"), |at| format!("${at}")),
                _ => format!("{}[{index}]", parent.path()),
            },
            Step::Key(name) => format!("{}{}", parent.path(), key(name)),
            Step::Root(_) | Step::Matches(..) | Step::Measure(_) => parent.path(),
        }
    }

    /// The place as a sentence begins with it.
    pub(super) fn quoted(&self) -> String {
        match &self.step {
            Step::Measure(what) => format!("{what} `{}`", self.path()),
            _ => format!("`{}`", self.path()),
        }
    }
}

/// The path below `root` of a value that is part of it.
fn locate(root: &Value, wanted: &Value) -> Option<String> {
    if std::ptr::eq(root, wanted) {
        return Some(String::new());
    }
    match root {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| locate(item, wanted).map(|rest| format!("[{index}]{rest}"))),
        Value::Object(map) => map
            .iter()
            .find_map(|(name, item)| locate(item, wanted).map(|rest| format!("{}{rest}", key(name)))),
        _ => None,
    }
}
