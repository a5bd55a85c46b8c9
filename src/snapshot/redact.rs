//! Placeholders for what AgentOS leaves to chance: ids, times, durations, token counts, and what the snapshot's own rules
//! name.
//!
//! An id is replaced by the same placeholder wherever it stands, and ids are numbered in the order in which they come
//! up: that two places hold the same id is compared, which id it is, is not.

mod ids;
mod keys;
mod text;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::spec::{Keep, Kinds, Pattern, Snapshot};
use ids::Ids;
use text::Found;

/// What is known of the run that an answer comes from.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The id of the run of this program: names are made of it.
    pub run_id: String,
    /// Where the AgentOS is.
    pub base_url: String,
    /// The ids that were sent, by the name of their field: an answer about another one than was asked for shows.
    pub sent: Vec<(String, String)>,
}

/// Replaces what is volatile in `value`, whose objects are sorted by key.
pub(super) fn redact(value: &mut Value, snapshot: &Snapshot, known: &Known) {
    let mut redactor = Redactor::new(value, snapshot, known);
    if redactor.defaults(Kinds::Ids) {
        for (key, id) in &known.sent {
            redactor.ids.send(key, id);
        }
        redactor.ids.collect("", value);
    }
    redactor.visit("", value, false);
}

/// The numbers of placeholders taken away: for an order that does not depend on them.
pub(super) fn unnumbered(value: &Value, snapshot: &Snapshot, known: &Known) -> Value {
    let mut value = value.clone();
    let mut redactor = Redactor::new(&value, snapshot, known);
    redactor.ids = Ids::new(&known.run_id, false);
    if redactor.defaults(Kinds::Ids) {
        redactor.ids.collect("", &value);
    }
    redactor.visit("", &mut value, false);
    value
}

/// Whether a text holds what is another in each run.
pub fn is_volatile(text: &str) -> bool {
    text::replace(text, &mut |found, _| (found != Found::Word).then(String::new)).is_some()
}

struct Redactor<'a> {
    snapshot: &'a Snapshot,
    known: &'a Known,
    ids: Ids,
    /// The values that a path found, by address: they stay where they are while they are visited.
    replaced: HashMap<usize, &'a str>,
    kept: HashSet<usize>,
    nothing: bool,
}

fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

impl<'a> Redactor<'a> {
    fn new(value: &Value, snapshot: &'a Snapshot, known: &'a Known) -> Self {
        let mut replaced = HashMap::new();
        for rule in &snapshot.redact {
            if let Pattern::Path(path) = &rule.pattern {
                let found = path.find(value).into_iter();
                replaced.extend(found.map(|found| (address(found), rule.placeholder.as_str())));
            }
        }
        let mut kept = HashSet::new();
        for keep in &snapshot.keep {
            if let Keep::Values(Pattern::Path(path)) = keep {
                kept.extend(path.find(value).into_iter().map(address));
            }
        }
        let nothing = snapshot.keep.iter().any(|keep| matches!(keep, Keep::All));
        Self { snapshot, known, ids: Ids::new(&known.run_id, true), replaced, kept, nothing }
    }

    /// Whether the default rules of a kind apply.
    fn defaults(&self, kind: Kinds) -> bool {
        !self.nothing
            && !self.snapshot.keep.iter().any(|keep| matches!(keep, Keep::Kind(kept) if *kept == kind))
    }

    fn keeps_key(&self, key: &str) -> bool {
        self.snapshot.keep.iter().any(|keep| matches!(keep, Keep::Values(Pattern::Key(kept)) if kept == key))
    }

    fn keeps_text(&self, text: &str) -> bool {
        self.snapshot
            .keep
            .iter()
            .any(|keep| matches!(keep, Keep::Values(Pattern::Regex(regex)) if regex.is_match(text)))
    }

    fn rule_of_key(&self, key: &str) -> Option<&'a str> {
        self.snapshot.redact.iter().find_map(|rule| match &rule.pattern {
            Pattern::Key(name) if name == key => Some(rule.placeholder.as_str()),
            _ => None,
        })
    }

    fn visit(&mut self, key: &str, value: &mut Value, kept: bool) {
        let at = address(value);
        if let Some(placeholder) = self.replaced.get(&at) {
            *value = Value::from(*placeholder);
            return;
        }
        let kept = kept || self.kept.contains(&at);
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter_mut() {
                    if let Some(placeholder) = self.rule_of_key(key) {
                        *value = Value::from(placeholder);
                    } else {
                        self.visit(key, value, kept || self.keeps_key(key));
                    }
                }
                // Some objects have ids for keys.
                if !kept && fields.keys().any(|key| text::holds_uuid(key)) {
                    *fields = std::mem::take(fields)
                        .into_iter()
                        .map(|(key, value)| (self.text(&key).unwrap_or(key), value))
                        .collect();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.visit(key, item, kept)),
            Value::Number(number) if !kept => {
                if let Some((kind, placeholder)) = keys::number(key, number)
                    && self.defaults(kind)
                    && !self.keeps_text(&number.to_string())
                {
                    *value = Value::from(placeholder);
                }
            }
            Value::String(found) => {
                let mut changed = self.own_patterns(found);
                let text = changed.as_deref().unwrap_or(found);
                if !kept && let Some(redacted) = self.string(key, text) {
                    changed = Some(redacted);
                }
                if let Some(changed) = changed {
                    *value = Value::String(changed);
                }
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => {}
        }
    }

    /// The regular expressions of the snapshot.
    fn own_patterns(&self, found: &str) -> Option<String> {
        let mut changed: Option<String> = None;
        for rule in &self.snapshot.redact {
            if let Pattern::Regex(regex) = &rule.pattern {
                let text = changed.as_deref().unwrap_or(found);
                if let std::borrow::Cow::Owned(replaced) = regex.replace_all(text, &*rule.placeholder) {
                    changed = Some(replaced);
                }
            }
        }
        changed
    }

    fn string(&mut self, key: &str, found: &str) -> Option<String> {
        if self.defaults(Kinds::Ids)
            && let Some(placeholder) = self.ids.of_field(key, found)
            && !self.keeps_text(found)
        {
            return Some(placeholder);
        }
        if self.defaults(Kinds::Durations) && keys::is_duration(key, found) && !self.keeps_text(found) {
            return Some(keys::DURATION.to_owned());
        }
        self.text(found)
    }

    /// What is volatile inside of a text.
    fn text(&mut self, found: &str) -> Option<String> {
        let mut changed: Option<String> = None;
        if self.defaults(Kinds::Run) {
            for (what, placeholder) in
                [(&self.known.run_id, "[run.id]"), (&self.known.base_url, "[base_url]")]
            {
                let text = changed.as_deref().unwrap_or(found);
                if !what.is_empty() && text.contains(what.as_str()) && !self.keeps_text(what) {
                    changed = Some(text.replace(what.as_str(), placeholder));
                }
            }
        }
        let replaced = {
            let text = changed.as_deref().unwrap_or(found);
            text::replace(text, &mut |found, part| {
                let kind = match found {
                    Found::Word | Found::Uuid => Kinds::Ids,
                    Found::Time => Kinds::Times,
                    Found::Duration => Kinds::Durations,
                };
                if !self.defaults(kind) || self.keeps_text(part) {
                    return None;
                }
                match found {
                    Found::Word => self.ids.of_word(part),
                    Found::Uuid => Some(self.ids.of_uuid(part)),
                    Found::Time => Some(keys::TIME.to_owned()),
                    Found::Duration => Some(keys::DURATION.to_owned()),
                }
            })
        };
        replaced.or(changed)
    }
}
