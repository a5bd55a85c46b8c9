//! What the entries of lists are: how one is told from another, and what a server may leave out of them.

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
    pub fn key_of(&self, item: &serde_json::Value) -> String {
        match item.get(self.key) {
            Some(serde_json::Value::String(key)) => key.clone(),
            Some(other) if !other.is_null() => other.to_string(),
            _ => item.as_str().map_or_else(|| item.to_string(), str::to_owned),
        }
    }

    /// Writes null where a server left out what is null.
    pub fn complete(&self, item: &mut serde_json::Value) {
        let serde_json::Value::Object(fields) = item else { return };
        for name in self.optional {
            if !fields.contains_key(*name) {
                fields.insert((*name).to_owned(), serde_json::Value::Null);
            }
        }
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
}
