//! The ids of an answer and their numbered placeholders.

use std::collections::HashMap;

use serde_json::Value;

use super::text;

/// A shorter id is a word like any other where it does not stand in a field of ids.
const WORD: usize = 8;
/// The rank of a field that holds ids and nothing else.
const SURE: u8 = 3;

/// Ids and what stands for them.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// What is made of it is told by it.
    run_id: String,
    known: HashMap<String, Id>,
    counts: HashMap<String, usize>,
    /// Whether there are ids that are no UUIDs: each word of a text is looked up then.
    words: bool,
    unnumbered: bool,
}

#[derive(Debug)]
struct Id {
    kind: String,
    /// How much the field that it was found in says of it.
    rank: u8,
    number: Option<usize>,
}

impl Ids {
    /// No ids yet. Without numbers, every id of a kind is the same.
    pub(super) fn new(run_id: &str, numbered: bool) -> Self {
        Self { run_id: run_id.to_owned(), unnumbered: !numbered, ..Self::default() }
    }

    /// An id that was sent: it has the first number.
    pub(super) fn send(&mut self, key: &str, value: &str) {
        if let Some((kind, rank)) = self.kind_of(key, value) {
            self.add(kind, rank, value);
            self.placeholder(value);
        }
    }

    /// Finds out what the ids of an answer are: the field that says most of an id names it.
    pub(super) fn collect(&mut self, key: &str, value: &Value) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| self.collect(key, value)),
            Value::Array(items) => items.iter().for_each(|item| self.collect(key, item)),
            Value::String(id) => {
                if let Some((kind, rank)) = self.kind_of(key, id) {
                    self.add(kind, rank, id);
                }
            }
            _ => {}
        }
    }

    /// As below, but that `alice-${{ run.id }}` says more than that it is an id.
    fn kind_of<'k>(&self, key: &'k str, value: &str) -> Option<(&'k str, u8)> {
        let (kind, rank) = kind_of(key, value)?;
        let made = !self.run_id.is_empty() && value.contains(&self.run_id);
        (rank == SURE || !made).then_some((kind, rank))
    }

    fn add(&mut self, kind: &str, rank: u8, value: &str) {
        match self.known.get_mut(value) {
            Some(id) if id.rank < rank && id.number.is_none() => {
                kind.clone_into(&mut id.kind);
                id.rank = rank;
            }
            Some(_) => {}
            None => {
                self.words |= value.len() >= WORD && !text::is_uuid(value.as_bytes());
                self.known.insert(value.to_owned(), Id { kind: kind.to_owned(), rank, number: None });
            }
        }
    }

    /// The placeholder of a field's value, where it is an id.
    pub(super) fn of_field(&mut self, key: &str, value: &str) -> Option<String> {
        let known = self.known.contains_key(value);
        let is_id = known && (value.len() >= WORD || self.kind_of(key, value).is_some());
        is_id.then(|| self.placeholder(value))
    }

    /// The placeholder of a word of a text, where it is an id.
    pub(super) fn of_word(&mut self, word: &str) -> Option<String> {
        (self.words && word.len() >= WORD && self.known.contains_key(word)).then(|| self.placeholder(word))
    }

    /// The placeholder of a UUID, whatever it is of.
    pub(super) fn of_uuid(&mut self, uuid: &str) -> String {
        if !self.known.contains_key(uuid) {
            self.add("uuid", 0, uuid);
        }
        self.placeholder(uuid)
    }

    fn placeholder(&mut self, value: &str) -> String {
        let Some(id) = self.known.get_mut(value) else { return value.to_owned() };
        if self.unnumbered {
            return format!("[{}]", id.kind);
        }
        let number = *id.number.get_or_insert_with(|| {
            let count = self.counts.entry(id.kind.clone()).or_default();
            *count += 1;
            *count
        });
        format!("[{}.{number}]", id.kind)
    }
}

/// What kind of id the field `key` holds, and how sure that is; none where `value` is a name that somebody gave.
fn kind_of<'k>(key: &'k str, value: &str) -> Option<(&'k str, u8)> {
    if value.is_empty() {
        return None;
    }
    let kind = match key {
        "id" | "ids" => return looks_random(value).then_some(("id", 1)),
        "run_id" | "session_id" | "step_id" | "tool_call_id" | "memory_id" | "trace_id" | "span_id"
        | "message_id" | "approval_id" | "requirement_id" => key,
        "parent_run_id"
        | "member_run_id"
        | "workflow_run_id"
        | "child_run_id"
        | "forked_from_run_id"
        | "step_run_id"
        | "executor_run_id"
        | "step_executor_run_id"
        | "current_run_id"
        | "parent_id"
        | "run_ids" => "run_id",
        "current_session_id" | "parent_session_id" | "forked_from_session_id" | "session_ids" => "session_id",
        "workflow_step_id" => "step_id",
        "parent_tool_call_id" => "tool_call_id",
        "parent_span_id" => "span_id",
        "memory_ids" => "memory_id",
        _ if (key.ends_with("_id") || key.ends_with("_ids")) && looks_random(value) => {
            return Some((key.strip_suffix('s').unwrap_or(key), 2));
        }
        _ => return None,
    };
    if key == "parent_id" && !looks_random(value) {
        return None;
    }
    Some((kind, SURE))
}

/// Whether nobody thought of it: a UUID, or letters and digits mixed at its end, as in `call_9f3kd02mXc7a`.
fn looks_random(value: &str) -> bool {
    if text::is_uuid(value.as_bytes()) {
        return true;
    }
    let tail = value.rsplit(['_', '-', ':']).next().unwrap_or(value);
    let digits = tail.bytes().filter(u8::is_ascii_digit).count();
    tail.len() >= 12
        && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && digits >= 2
        && (digits < tail.len() || tail.len() >= 16)
}
