//! What the entries of lists are: how one is told from another, and what a server may leave out of them.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::operation::Spec;

/// The entries of a list that an operation answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Items {
    /// The field that no two entries share; an entry that is no object is told from others by its value.
    pub key: &'static str,
    /// The fields that servers leave out where they are null: in some versions, in some routes.
    pub optional: &'static [&'static str],
}

/// By the names of operations.
const LISTS: &[(&str, Items)] = &[
    ("get_sessions", SESSIONS),
    ("list_memories", MEMORIES),
    ("get_user_memory_stats", Items { key: "user_id", optional: &["last_memory_updated_at"] }),
    ("get_memory_topics", VALUES),
    ("list_knowledge_content", CONTENTS),
    ("search_knowledge", Items { key: "id", optional: &["name", "meta_data", "content_id"] }),
    ("get_traces", TRACES),
    ("search_traces", TRACES),
    ("get_trace_session_stats", Items { key: "session_id", optional: TRACES.optional }),
    ("list_eval_runs", EVALS),
    ("list_agents", COMPONENTS),
    ("list_teams", COMPONENTS),
    ("list_workflows", COMPONENTS),
    ("list_agent_runs", RUNS),
    ("list_team_runs", RUNS),
    ("list_workflow_runs", RUNS),
    ("get_session_runs", RUNS),
    ("get_session_run_previews", RUNS),
];

const SESSIONS: Items = Items {
    key: "session_id",
    optional: &[
        "session_name",
        "session_type",
        "session_state",
        "session_summary",
        "user_id",
        "agent_id",
        "team_id",
        "workflow_id",
        "metadata",
        "metrics",
        "total_tokens",
        "created_at",
        "updated_at",
    ],
};

const MEMORIES: Items =
    Items { key: "memory_id", optional: &["topics", "user_id", "agent_id", "team_id", "updated_at"] };

const CONTENTS: Items = Items {
    key: "id",
    optional: &[
        "name",
        "description",
        "type",
        "size",
        "linked_to",
        "metadata",
        "status",
        "status_message",
        "access_count",
        "created_at",
        "updated_at",
    ],
};

const TRACES: Items = Items {
    key: "trace_id",
    optional: &[
        "name",
        "status",
        "input",
        "run_id",
        "session_id",
        "user_id",
        "agent_id",
        "team_id",
        "workflow_id",
        "start_time",
        "end_time",
        "created_at",
    ],
};

const EVALS: Items = Items {
    key: "id",
    optional: &[
        "name",
        "agent_id",
        "team_id",
        "workflow_id",
        "model_id",
        "model_provider",
        "evaluated_component_name",
        "eval_data",
        "eval_input",
        "created_at",
        "updated_at",
    ],
};

const COMPONENTS: Items = Items { key: "id", optional: &["name", "db_id", "description"] };

const RUNS: Items =
    Items { key: "run_id", optional: &["parent_run_id", "status", "run_input", "content", "created_at"] };

const VALUES: Items = Items { key: "", optional: &[] };

impl Items {
    /// The entries of the list that an operation answers; none where it answers no list.
    pub fn of(spec: &Spec) -> Option<Self> {
        LISTS.iter().find(|(name, _)| *name == spec.name).map(|(_, items)| *items)
    }

    /// The names of the operations that answer lists.
    pub fn operations() -> impl Iterator<Item = &'static str> {
        LISTS.iter().map(|(name, _)| *name)
    }

    /// What tells an entry from others.
    pub fn key_of(&self, item: &Value) -> String {
        match item.get(self.key) {
            Some(Value::String(key)) => key.clone(),
            Some(other) if !other.is_null() => other.to_string(),
            _ => item.as_str().map_or_else(|| item.to_string(), str::to_owned),
        }
    }

    /// The same, of an entry as it was sent; an error where it cannot be read.
    pub fn key_of_sent(&self, item: &RawValue) -> serde_json::Result<String> {
        let mut reader = serde_json::Deserializer::from_str(item.get());
        match Member(self.key).deserialize(&mut reader) {
            Ok(Some(Value::String(key))) => Ok(key),
            // The entry itself is its key, or it is none of ours.
            _ => Ok(self.key_of(&serde_json::from_str(item.get())?)),
        }
    }

    /// Reads an entry. What servers leave out where it is null is null.
    pub fn read(&self, item: &str) -> serde_json::Result<Value> {
        let mut item = serde_json::from_str(item)?;
        if let Value::Object(fields) = &mut item {
            for name in self.optional {
                if !fields.contains_key(*name) {
                    fields.insert((*name).to_owned(), Value::Null);
                }
            }
        }
        Ok(item)
    }
}

/// Reads one member of an object, and goes past the others.
struct Member<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = members.next_key_seed(Is(self.0))? {
            if is_it {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<Readable>()?;
            }
        }
        Ok(found)
    }
}

/// A value of which nothing is kept. What `IgnoredAny` goes past is not always a value: half a surrogate, a number without
/// bounds, a thousand brackets.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

/// Whether the name of a member is this one.
struct Is<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agentos::operation::{Effect, catalogue};

    #[test]
    fn every_list_of_the_catalogue_is_in_the_table() {
        for name in Items::operations() {
            let entry = catalogue().iter().find(|entry| entry.spec.name == name);
            assert_eq!(entry.map(|entry| entry.spec.effect), Some(Effect::Read), "{name}");
        }
        for entry in catalogue().iter().filter(|entry| entry.spec.paged) {
            assert!(Items::of(entry.spec).is_some(), "{}", entry.spec.name);
        }
    }

    #[test]
    fn the_key_of_an_entry_is_the_same_before_it_is_read() {
        let items = [
            r#"{"session_id":"s-1","user_id":"u"}"#,
            r#"{ "user_id": {"session_id": "inner"}, "session\u005fid" : "s\n1" }"#,
            r#"{"session_id":"first","session_id":"last"}"#,
            r#"{"session_id":17}"#,
            r#"{"session_id":null,"a":1}"#,
            r#"{"a":[1,2]}"#,
            "{}",
            r#""topic""#,
            "17",
            "[1, 2]",
            "null",
        ];
        for item in items {
            let sent: &RawValue = serde_json::from_str(item).unwrap();
            let read: Value = serde_json::from_str(item).unwrap();
            assert_eq!(SESSIONS.key_of_sent(sent).unwrap(), SESSIONS.key_of(&read), "{item}");
        }
        let deep = format!(r#"{{"session_id":"s","a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let unreadable = [
            "\"\\ud800\"",
            r#"{"session_id":1e999}"#,
            r#"{"session_id":"s","a":[{"b":1e999}]}"#,
            r#"{"session_id":"s","a":"\ud800"}"#,
            r#"{"session_id":"s","\ud800":1}"#,
            &deep,
        ];
        for wrong in unreadable {
            let sent: &RawValue = serde_json::from_str(wrong).unwrap();
            assert!(SESSIONS.key_of_sent(sent).is_err(), "{wrong}");
            assert!(serde_json::from_str::<Value>(wrong).is_err(), "{wrong}");
        }
    }
}
