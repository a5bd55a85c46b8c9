//! Changing sessions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{SessionDetail, SessionType};
use crate::agentos::operation::{Body, Method, Operation, Resource, Spec};

/// Changes the name, the state, the metadata or the summary of a session.
///
/// What is given takes the whole place of what was there; what is left out stays. (A `session_state` sent with a run,
/// in contrast, is merged into the stored one.)
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSession {
    /// The session.
    pub session_id: String,
    /// The kind of session; before agno 2.6, leaving it out means `agent`.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only if it belongs to this user: another user's session is 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// The new state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_state: Option<Map<String, Value>>,
    /// The new metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// The new summary: `summary` (a text, required), `topics`, `updated_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Map<String, Value>>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for UpdateSession {
    const SPEC: Spec = Spec {
        query: &["type", "user_id", "db_id", "table"],
        body: Body::Json,
        ..Spec::new("update_session", Resource::Sessions, Method::Patch, "/sessions/{session_id}")
    };
    type Answer = SessionDetail;
}

/// Gives a session a name.
///
/// An empty name is allowed; the session shows its first message then.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameSession {
    /// The session.
    pub session_id: String,
    /// The new name.
    pub session_name: String,
    /// The kind of session; before agno 2.6, leaving it out means `agent`.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only if it belongs to this user: another user's session is 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for RenameSession {
    const SPEC: Spec = Spec {
        query: &["type", "user_id", "db_id", "table"],
        body: Body::Json,
        ..Spec::new("rename_session", Resource::Sessions, Method::Post, "/sessions/{session_id}/rename")
    };
    type Answer = SessionDetail;
}
