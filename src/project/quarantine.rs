//! The quarantine: scenarios whose failures are told and do not fail the run, each with a reason.

use std::path::Path;
use std::sync::Arc;

use glob::{MatchOptions, Pattern};

use crate::diagnostic::{Problem, Problems};
use crate::scenario::Instance;
use crate::scenario::load::io_cause;
use crate::source::Source;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{self, Kind, Node};

/// The scenarios in quarantine.
#[derive(Debug, Default)]
pub struct Quarantine {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    pattern: Pattern,
    reason: Arc<str>,
}

/// `*` stands for anything, also for a slash: names are no paths.
const MATCH: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

impl Quarantine {
    /// Reads a list of entries, or the name of a file that holds one, relative to `folder`.
    pub(super) fn parse(node: &Node, folder: &Path, problems: &mut Problems) -> Self {
        match &node.kind {
            Kind::Sequence(_) | Kind::Null => Self::list(node, problems),
            Kind::String(name) => Self::file(name, node, folder, problems),
            _ => {
                let wanted = "a list of `{ scenario: NAME, reason: TEXT }`, or a file that holds one";
                problems.push(expected("project::quarantine", "`quarantine`", wanted, node));
                Self::default()
            }
        }
    }

    fn file(name: &str, node: &Node, folder: &Path, problems: &mut Problems) -> Self {
        let text = match std::fs::read_to_string(folder.join(name)) {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("cannot read {name}: {}", io_cause(&error));
                problems.push(Problem::error("file::unreadable", problem).label(&node.span, "this file"));
                return Self::default();
            }
        };
        let source = Source::new(name, text);
        match yaml::parse(&source, problems).first() {
            Some(list) if list.as_sequence().is_some() || matches!(list.kind, Kind::Null) => {
                Self::list(list, problems)
            }
            Some(other) => {
                let wanted = "a list of `{ scenario: NAME, reason: TEXT }`";
                problems.push(expected("project::quarantine", name, wanted, other));
                Self::default()
            }
            None => Self::default(),
        }
    }

    fn list(node: &Node, problems: &mut Problems) -> Self {
        let nodes = node.as_sequence().unwrap_or_default();
        Self { entries: nodes.iter().filter_map(|node| entry(node, problems)).collect() }
    }

    /// Why a scenario is in quarantine; none where it is not. An entry matches its name, with that of its case or
    /// without, or its file.
    pub fn reason(&self, instance: &Instance) -> Option<Arc<str>> {
        if self.entries.is_empty() {
            return None;
        }
        let scenario = instance.scenario();
        let (title, file) = (instance.title(), scenario.source.name());
        let entry = self.entries.iter().find(|Entry { pattern, .. }| {
            [&*title, &*scenario.name, file].iter().any(|name| pattern.matches_with(name, MATCH))
        })?;
        Some(Arc::clone(&entry.reason))
    }
}

fn entry(node: &Node, problems: &mut Problems) -> Option<Entry> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        let wanted = "`{ scenario: NAME, reason: TEXT }`";
        problems.push(expected("project::quarantine", "an entry of the quarantine", wanted, node));
        return None;
    }
    let fields = Fields::new(node, "an entry of the quarantine", problems);
    let pattern = fields.get("scenario").and_then(|entry| {
        let text = string(&entry.value, "`scenario`", problems)?;
        // A name with a case, `Weather [city=Paris]`, is meant as it stands; `*` and `?` are the only signs.
        match Pattern::new(&text.replace('[', "[[]")) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let problem = Problem::error("project::quarantine", format!("`{text}`: {}", error.msg));
                problems.push(problem.label(&entry.value.span, "this pattern"));
                None
            }
        }
    });
    let reason = fields.text("reason", problems).filter(|reason| !reason.trim().is_empty());
    for (key, is_there) in [("scenario", fields.get("scenario").is_some()), ("reason", reason.is_some())] {
        if !is_there {
            problems.push(
                Problem::error("project::quarantine", format!("an entry of the quarantine needs `{key}`"))
                    .label(&node.span, "this entry")
                    .help("- { scenario: \"Weather*\", reason: \"fails since 3.1, issue 123\" }"),
            );
        }
    }
    fields.finish(&["scenario", "reason"], &[], "an entry of the quarantine", problems);
    Some(Entry { pattern: pattern?, reason: reason?.trim().into() })
}
