//! Traces: what happened within runs, span by span.
//!
//! They are there on a server with tracing, as soon as their run has ended. [`GetTraces`] finds those of a run, a
//! session or a user; [`GetTrace`] reads one as a tree.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::traces::{GetTrace, GetTraces};
//! let failed = GetTraces { status: Some("ERROR".into()), limit: Some(10), ..GetTraces::default() };
//! for trace in client.send(&failed).await?.data {
//!     let whole = client.send(&GetTrace { trace_id: trace.trace_id, ..GetTrace::default() }).await?;
//!     println!("{}", whole["tree"]);
//! }
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Page;
use super::operation::{Body, Effect, Method, Operation, Resource, Spec};

/// Lists traces, latest first, page by page.
///
/// They are there when their run has ended, on a server with tracing. `duration` is a text such as `28ms`. On a
/// server whose FastAPI (since 0.142) traces by itself, each HTTP request is a trace, and those of runs are found
/// neither by run nor by session.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTraces {
    /// Only those of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Only those of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Only those of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only those of this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Only those of this team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Only those of this workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Only those with this status: `OK` or `ERROR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those that began then or later; ISO 8601. agno 3.1.10 answers 500 to what is no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Only those that ended then or earlier; ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// How many traces a page has at most, from 1; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
}

impl Operation for GetTraces {
    const SPEC: Spec = Spec {
        aliases: &["list_traces"],
        query: &[
            "run_id",
            "session_id",
            "user_id",
            "agent_id",
            "team_id",
            "workflow_id",
            "status",
            "start_time",
            "end_time",
            "limit",
            "page",
            "db_id",
        ],
        paged: true,
        since: Some("2.3"),
        ..Spec::new("get_traces", Resource::Traces, Method::Get, "/traces")
    };
    type Answer = Page<Trace>;
}

/// Reads a trace with its spans, or one of its spans.
///
/// The spans are in `tree`, each with those within it in `spans`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTrace {
    /// The trace.
    pub trace_id: String,
    /// A span: only it is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The run, of a trace with several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
}

impl Operation for GetTrace {
    const SPEC: Spec = Spec {
        query: &["span_id", "run_id", "db_id"],
        ..Spec::new("get_trace", Resource::Traces, Method::Get, "/traces/{trace_id}")
    };
    type Answer = Value;
}

/// Lists sessions with the number of their traces, page by page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTraceSessionStats {
    /// Only those of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only those of this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Only those of this team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Only those of this workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Only those that began then or later; ISO 8601. agno 3.1.10 answers 500 to what is no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Only those that ended then or earlier; ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
    /// How many sessions a page has at most, from 1; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
}

impl Operation for GetTraceSessionStats {
    const SPEC: Spec = Spec {
        query: &[
            "user_id",
            "agent_id",
            "team_id",
            "workflow_id",
            "start_time",
            "end_time",
            "limit",
            "page",
            "db_id",
        ],
        paged: true,
        ..Spec::new("get_trace_session_stats", Resource::Traces, Method::Get, "/trace_session_stats")
    };
    type Answer = Page<Value>;
}

/// Searches traces by an expression, page by page.
///
/// The expression is of `op`, `key` and `value`: `{op: EQ, key: status, value: OK}`; further `NEQ`, `GT`, `GTE`,
/// `LT`, `LTE`, `IN`, `CONTAINS`, `STARTSWITH`, and `AND`, `OR`, `NOT` of others. An unknown `op` is answered 400, an
/// unknown `key` finds nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchTraces {
    /// The expression; without it, all.
    #[serde(alias = "filter_expr", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["filter_expr"]))]
    pub filter: Option<Map<String, Value>>,
    /// What the entries are; the server's default is `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<GroupBy>,
    /// How many entries a page has at most, 1 to 100; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
}

impl Operation for SearchTraces {
    const SPEC: Spec = Spec {
        query: &["db_id"],
        body: Body::Json,
        effect: Effect::Read,
        paged: true,
        since: Some("2.6"),
        ..Spec::new("search_traces", Resource::Traces, Method::Post, "/traces/search")
    };
    type Answer = Page<Value>;
}

/// What the entries of a search are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// Traces.
    Run,
    /// Sessions with the number of their traces.
    Session,
}

/// An entry of the list of traces.
#[derive(Debug, Clone, Deserialize)]
pub struct Trace {
    /// Its id.
    pub trace_id: String,
    /// What was done: `Assistant.arun`, ...
    pub name: Option<String>,
    /// `OK` or `ERROR`.
    pub status: Option<String>,
    /// How long it took, as a text.
    pub duration: Option<String>,
    /// How many spans it has.
    pub total_spans: Option<u64>,
    /// The run.
    pub run_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
