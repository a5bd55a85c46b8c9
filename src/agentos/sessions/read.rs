//! Reading sessions and their runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SessionDetail, SessionRun, SessionSummary, SessionType};
use crate::agentos::answer::Page;
use crate::agentos::operation::{Method, Operation, Resource, Spec};

/// Lists sessions, newest first, page by page.
///
/// There are no filters by agent, team or workflow as such: `component_id` is all three. Times have a resolution of one
/// second, and sessions of the same second come in any order.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSessions {
    /// Only sessions of this kind. Without it all of them; before agno 2.6, those of agents.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only sessions of this agent, team or workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component_id: Option<String>,
    /// Only sessions of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only sessions whose own name contains this, in upper or lower case; `%` and `_` are wildcards. A title that the
    /// server took from the first message is not a name in this sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// How many sessions a page has at most, from 1; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1. agno 3.1 answers 500 to page 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The column to sort by: `created_at` (the server's default), `updated_at`, `session_id`, ... The server ignores
    /// what is none, `session_name` among it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// The direction; the server's default is `desc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<SortOrder>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

/// The direction of a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SortOrder {
    Asc,
    Desc,
}

impl Operation for GetSessions {
    const SPEC: Spec = Spec {
        aliases: &["list_sessions"],
        query: &[
            "type",
            "component_id",
            "user_id",
            "session_name",
            "limit",
            "page",
            "sort_by",
            "sort_order",
            "db_id",
            "table",
        ],
        paged: true,
        ..Spec::new("get_sessions", Resource::Sessions, Method::Get, "/sessions")
    };
    type Answer = Page<SessionSummary>;
}

/// Reads one session.
///
/// The answer has the shape of the session's kind, unless `type` asks for another. A session without a name shows its
/// first message as `session_name`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSession {
    /// The session.
    pub session_id: String,
    /// The kind of session. agno 3.1 answers 200 in the wrong shape where it does not fit; before 2.6, leaving it out
    /// means `agent`.
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

impl Operation for GetSession {
    const SPEC: Spec = Spec {
        aliases: &["get_session_by_id"],
        query: &["type", "user_id", "db_id", "table"],
        ..Spec::new("get_session", Resource::Sessions, Method::Get, "/sessions/{session_id}")
    };
    type Answer = SessionDetail;
}

/// Reads the runs of a session, oldest first.
///
/// A list, not a page. Its entries differ from what running answers: `run_input` is the message, times are ISO 8601.
/// A team's session has the runs of its members before that of its leader. A session without runs gives `[]`, an
/// unknown one 404.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSessionRuns {
    /// The session.
    pub session_id: String,
    /// The kind of session; before agno 2.6, leaving it out means `agent`.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only if the session belongs to this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only runs since then, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<i64>,
    /// Only runs until then, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<i64>,
    /// Only runs with one of these statuses, such as `COMPLETED` or `ERROR`; an unknown one is answered 400. Not before
    /// agno 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Vec<String>>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetSessionRuns {
    const SPEC: Spec = Spec {
        query: &["type", "user_id", "created_after", "created_before", "status", "db_id", "table"],
        ..Spec::new("get_session_runs", Resource::Sessions, Method::Get, "/sessions/{session_id}/runs")
    };
    type Answer = Vec<SessionRun>;
}

/// Reads one run of a session.
///
/// As in `get_session_runs`, but with nulls for what it does not have.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSessionRun {
    /// The session.
    pub session_id: String,
    /// The run.
    pub run_id: String,
    /// The kind of session; before agno 2.6, leaving it out means `agent`.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only if the session belongs to this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetSessionRun {
    const SPEC: Spec = Spec {
        query: &["type", "user_id", "db_id", "table"],
        ..Spec::new(
            "get_session_run",
            Resource::Sessions,
            Method::Get,
            "/sessions/{session_id}/runs/{run_id}",
        )
    };
    type Answer = SessionRun;
}

/// Reads the runs of a session in short: ids, status, input and the first 280 characters of the answer.
///
/// The lightest way to see what a session holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSessionRunPreviews {
    /// The session.
    pub session_id: String,
    /// The kind of session.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only if the session belongs to this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only runs since then, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_after: Option<i64>,
    /// Only runs until then, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<i64>,
    /// Only runs with one of these statuses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Vec<String>>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetSessionRunPreviews {
    const SPEC: Spec = Spec {
        query: &["type", "user_id", "created_after", "created_before", "status", "db_id", "table"],
        since: Some("3.1.4"),
        ..Spec::new(
            "get_session_run_previews",
            Resource::Sessions,
            Method::Get,
            "/sessions/{session_id}/run-previews",
        )
    };
    type Answer = Vec<SessionRun>;
}
