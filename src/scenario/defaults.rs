//! `defaults`: fields and modifiers that go into every step of a file that takes them.

use std::time::Duration;

use super::modifier::{self, Retry};
use super::{action, read, step};
use crate::agentos::{self, Timeouts, ViolationKind};
use crate::diagnostic::{self, Problem, Problems};
use crate::template::Template;
use crate::yaml::fields::Fields;
use crate::yaml::{Key, Node};

/// The modifiers that can be set for all steps at once.
pub(super) const MODIFIERS: &[&str] = &[
    "timeout",
    "retry",
    "resume",
    "headers",
    "soft",
    "allow_failed_steps",
    "invariants",
    "every",
    "within",
    "as_user",
];

/// What a file sets for all its steps.
#[derive(Debug, Default)]
pub(super) struct Defaults {
    pub(super) fields: Vec<(Key, Template)>,
    pub(super) timeout: Timeouts,
    pub(super) retry: Option<Retry>,
    pub(super) resume: Option<u32>,
    pub(super) headers: Vec<(Key, Template)>,
    pub(super) soft: Option<bool>,
    pub(super) allow_failed_steps: Option<bool>,
    pub(super) waived: Option<Vec<ViolationKind>>,
    pub(super) every: Option<Duration>,
    pub(super) within: Option<Duration>,
    pub(super) identity: Option<Key>,
}

impl Defaults {
    /// Reads `defaults:`.
    pub(super) fn parse(node: &Node, problems: &mut Problems) -> Self {
        let fields = Fields::new(node, "`defaults`", problems);
        let get = |name: &str| fields.get(name).map(|entry| &entry.value);
        let mut defaults = Self {
            fields: Vec::new(),
            timeout: get("timeout").map(|node| modifier::timeouts(node, problems)).unwrap_or_default(),
            retry: get("retry").and_then(|node| modifier::retry(node, problems)),
            resume: get("resume").and_then(|node| modifier::resume(node, problems)),
            headers: get("headers").map(|node| modifier::header_map(node, problems)).unwrap_or_default(),
            soft: fields.boolean("soft", problems),
            allow_failed_steps: fields.boolean("allow_failed_steps", problems),
            waived: step::waived(&fields, problems),
            every: fields.duration("every", problems),
            within: fields.duration("within", problems),
            identity: read::identity(&fields, "as_user", problems),
        };
        for entry in fields.entries() {
            let name = entry.key.name.as_str();
            if MODIFIERS.contains(&name) {
                continue;
            }
            let Some(field) = agentos::catalogue().iter().find_map(|operation| operation.field(name)) else {
                problems.push(unknown(&entry.key));
                continue;
            };
            let template = Template::parse(&entry.value, problems);
            action::check_literal(&field.name, &field.kind, &template, &entry.value, problems);
            defaults.fields.push((Key { span: entry.key.span.clone(), name: field.name.clone() }, template));
        }
        defaults
    }
}

/// What no operation has and no step takes from here.
fn unknown(key: &Key) -> Problem {
    let name = key.name.as_str();
    if step::MODIFIERS.contains(&name) {
        return Problem::error("scenario::defaults", format!("`{name}` is for one step, not for all"))
            .label(&key.span, "no default")
            .help(format!("defaults may be any field of an operation, and {}", MODIFIERS.join(", ")));
    }
    let fields = agentos::catalogue().iter().flat_map(|o| o.fields().iter().map(|field| field.name.as_str()));
    let known = fields.chain(MODIFIERS.iter().copied());
    Problem::error("scenario::unknown-key", format!("no operation has a field `{name}`"))
        .label(&key.span, "unknown field")
        .maybe_help(diagnostic::nearest(name, known).map(|found| format!("did you mean `{found}`?")))
}
