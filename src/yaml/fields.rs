//! Reading mappings by name: typed getters that collect what is wrong, and a complaint about keys nobody asked for.

use std::time::Duration;

use super::{Entry, Key, Kind, Node};
use crate::diagnostic::{self, Problem, Problems};
use crate::duration;

/// `expected X, found Y`, at a node.
pub(crate) fn expected(code: &'static str, what: &str, wanted: &str, found: &Node) -> Problem {
    Problem::error(code, format!("{what} must be {wanted}"))
        .label(&found.span, format!("found {}", found.describe()))
}

/// A text; expressions are not looked for.
pub(crate) fn string(node: &Node, what: &str, problems: &mut Problems) -> Option<String> {
    match &node.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Number(number) => Some(number.to_string()),
        Kind::Bool(value) => Some(value.to_string()),
        _ => {
            problems.push(expected("scenario::type", what, "a text", node));
            None
        }
    }
}

/// A duration with a unit.
pub(crate) fn read_duration(node: &Node, what: &str, problems: &mut Problems) -> Option<Duration> {
    let text = match &node.kind {
        Kind::String(text) => text.clone(),
        Kind::Number(number) => number.to_string(),
        _ => {
            problems.push(expected(
                "scenario::duration",
                what,
                "a duration such as `500ms`, `30s` or `2m`",
                node,
            ));
            return None;
        }
    };
    match duration::parse(&text) {
        Ok(duration) => Some(duration),
        Err(message) => {
            problems.push(
                Problem::error("scenario::duration", format!("{what}: {message}"))
                    .label(&node.span, "not a duration")
                    .help("durations are written `500ms`, `30s`, `2m`, `1h` or `1m30s`"),
            );
            None
        }
    }
}

/// The entries of a mapping, read by name, with a complaint about those nobody asked for.
pub(crate) struct Fields<'a> {
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The fields of `node`; nothing is an empty mapping, anything else a problem.
    pub(crate) fn new(node: &'a Node, what: &str, problems: &mut Problems) -> Self {
        let entries = match &node.kind {
            Kind::Mapping(entries) => entries.as_slice(),
            Kind::Null => &[],
            _ => {
                problems.push(expected("scenario::type", what, "a mapping", node));
                &[]
            }
        };
        Self { entries }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key.name == name)
    }

    pub(crate) fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    pub(crate) fn text(&self, name: &str, problems: &mut Problems) -> Option<String> {
        self.get(name).and_then(|entry| string(&entry.value, &format!("`{name}`"), problems))
    }

    pub(crate) fn duration(&self, name: &str, problems: &mut Problems) -> Option<Duration> {
        self.get(name).and_then(|entry| read_duration(&entry.value, &format!("`{name}`"), problems))
    }

    pub(crate) fn boolean(&self, name: &str, problems: &mut Problems) -> Option<bool> {
        let entry = self.get(name)?;
        if let Kind::Bool(value) = entry.value.kind {
            Some(value)
        } else {
            problems.push(expected("scenario::type", &format!("`{name}`"), "true or false", &entry.value));
            None
        }
    }

    /// A list of texts; one text stands for a list of it.
    pub(crate) fn strings(&self, name: &str, problems: &mut Problems) -> Vec<String> {
        let Some(entry) = self.get(name) else { return Vec::new() };
        match &entry.value.kind {
            Kind::Sequence(items) => {
                items.iter().filter_map(|item| string(item, &format!("each of `{name}`"), problems)).collect()
            }
            Kind::String(text) => vec![text.clone()],
            _ => {
                problems.push(expected(
                    "scenario::type",
                    &format!("`{name}`"),
                    "a list of texts",
                    &entry.value,
                ));
                Vec::new()
            }
        }
    }

    /// Complains about keys that are not among `known`.
    pub(crate) fn finish(&self, known: &[&str], planned: &[&str], what: &str, problems: &mut Problems) {
        self.finish_with(known, planned, what, |_| None, problems);
    }

    /// The same; `habit` knows what people mean by words of other tools.
    pub(crate) fn finish_with(
        &self,
        known: &[&str],
        planned: &[&str],
        what: &str,
        habit: fn(&str) -> Option<&'static str>,
        problems: &mut Problems,
    ) {
        for entry in self.entries {
            let name = entry.key.name.as_str();
            if known.contains(&name) {
                continue;
            }
            problems.push(if planned.contains(&name) {
                planned_key(&entry.key)
            } else {
                let problem = unknown_key(&entry.key, what, known.iter().copied());
                match habit(name) {
                    Some(meant) => problem.help(meant),
                    None => problem,
                }
            });
        }
    }
}

/// The problem of a key that the language knows and this version does not run.
pub(crate) fn planned_key(key: &Key) -> Problem {
    Problem::error(
        "scenario::planned",
        format!("`{}` is not supported by this version of agentos-run", key.name),
    )
    .label(&key.span, "not yet")
}

/// The problem of a key that nobody knows.
pub(crate) fn unknown_key<'k>(key: &Key, what: &str, known: impl IntoIterator<Item = &'k str>) -> Problem {
    Problem::error("scenario::unknown-key", format!("{what} has no key `{}`", key.name))
        .label(&key.span, "unknown key")
        .maybe_help(diagnostic::suggest(&key.name, known))
}
