//! Sessions: the stored conversations of agents, teams and workflows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::{Body, Effect, Method, Operation, Resource, Spec};

/// What kind of component a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SessionType {
    Agent,
    Team,
    Workflow,
}

/// Reads one session.
///
/// The answer has the shape of the session's kind, unless `type` asks for another.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSession {
    /// The session.
    pub session_id: String,
    /// The kind of session. A server of 3.1 answers 200 in the wrong shape where it does not fit.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only if it belongs to this user: another user's session is 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

impl Operation for GetSession {
    const SPEC: Spec = Spec {
        name: "get_session",
        aliases: &["get_session_by_id"],
        resource: Resource::Sessions,
        method: Method::Get,
        path: "/sessions/{session_id}",
        query: &["type", "user_id"],
        body: Body::None,
        effect: Effect::Read,
        paged: false,
        since: None,
    };
    type Answer = serde_json::Value;
}
