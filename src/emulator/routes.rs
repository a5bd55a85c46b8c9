//! The table of all that is served. The router and `/openapi.json` both read it, so that neither can
//! promise what the other does not keep.

use std::sync::Arc;

use axum::response::Response;
use futures_util::future::BoxFuture;

use super::call::Call;
use super::kind::Kind;
use super::os::Os;
use super::refusal::Refusal;
use super::{database, discovery, evals, knowledge, memories, metrics, openapi, runs, sessions, traces};

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Its `operationId`; agno 3.1.10 does not document those without.
    pub(crate) operation: Option<&'static str>,
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) action: Action,
}

/// What answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    /// At once, and never with a refusal.
    Always(fn(&Os) -> Response),
    /// All components of a kind.
    List(Kind),
    /// One component of a kind.
    Describe(Kind),
    /// At once.
    Plain(fn(&Os, &Call) -> Result<Response, Refusal>),
    /// At once, for one of the three kinds of component.
    Of(Kind, fn(&Os, Kind, &Call) -> Result<Response, Refusal>),
    /// A run, which takes its time.
    Run(Kind),
    /// A run that goes on.
    Again(Kind),
    /// The events of a run.
    Resume(Kind),
    /// A run that is judged.
    Eval,
    /// Something to know.
    Upload,
    /// Other words about something known.
    Describing,
}

impl Action {
    pub(crate) fn answer(self, os: Arc<Os>, call: Call) -> BoxFuture<'static, Result<Response, Refusal>> {
        match self {
            Self::Always(action) => Box::pin(async move { Ok(action(&os)) }),
            Self::List(kind) => Box::pin(async move { discovery::list(&os, kind, &call) }),
            Self::Describe(kind) => Box::pin(async move { discovery::get(&os, kind, &call) }),
            Self::Plain(action) => Box::pin(async move { action(&os, &call) }),
            Self::Of(kind, action) => Box::pin(async move { action(&os, kind, &call) }),
            Self::Run(kind) => Box::pin(runs::create(os, kind, call)),
            Self::Again(kind) => Box::pin(runs::again::proceed(os, kind, call)),
            Self::Resume(kind) => Box::pin(runs::attend::resume(os, kind, call)),
            Self::Eval => Box::pin(evals::run(os, call)),
            Self::Upload => Box::pin(knowledge::upload(os, call)),
            Self::Describing => Box::pin(knowledge::update(os, call)),
        }
    }
}

const fn route(
    method: &'static str,
    path: &'static str,
    operation: &'static str,
    tag: &'static str,
    summary: &'static str,
    action: Action,
) -> Route {
    Route { method, path, operation: Some(operation), tag, summary, action }
}

const fn silent(path: &'static str, action: Action) -> Route {
    Route { method: "GET", path, operation: None, tag: "", summary: "", action }
}

use Action::{Again, Always, Describe, Describing, Eval, List, Of, Plain, Resume, Run, Upload};
use Kind::{Agent, Team, Workflow};

/// In the order in which agno 3.1.10 has them: the first that fits a path names the method it allows.
#[rustfmt::skip]
pub(crate) static ROUTES: &[Route] = &[
    silent("/", Always(discovery::home)),
    silent("/openapi.json", Always(openapi::get)),
    route("GET", "/health", "health_check", "Health", "Health Check", Always(discovery::health)),
    route("GET", "/info", "get_info", "Core", "Get OS Info", Always(discovery::info)),
    route("GET", "/config", "get_config", "Core", "Get OS Configuration", Plain(discovery::config)),
    route("POST", "/agents/{agent_id}/runs", "create_agent_run", "Agents", "Create Agent Run", Run(Agent)),
    route("POST", "/agents/{agent_id}/runs/{run_id}/cancel", "cancel_agent_run", "Agents", "Cancel Agent Run", Of(Agent, runs::attend::cancel)),
    route("POST", "/agents/{agent_id}/runs/{run_id}/continue", "continue_agent_run", "Agents", "Continue Agent Run", Again(Agent)),
    route("POST", "/agents/{agent_id}/runs/{run_id}/resume", "resume_agent_run_stream", "Agents", "Resume Agent Run Stream", Resume(Agent)),
    route("GET", "/agents", "get_agents", "Agents", "List All Agents", List(Agent)),
    route("GET", "/agents/{agent_id}", "get_agent", "Agents", "Get Agent Details", Describe(Agent)),
    route("GET", "/agents/{agent_id}/runs/{run_id}", "get_agent_run", "Agents", "Get Agent Run", Of(Agent, runs::get)),
    route("GET", "/agents/{agent_id}/runs", "list_agent_runs", "Agents", "List Agent Runs", Of(Agent, runs::list)),
    route("POST", "/teams/{team_id}/runs", "create_team_run", "Teams", "Create Team Run", Run(Team)),
    route("POST", "/teams/{team_id}/runs/{run_id}/cancel", "cancel_team_run", "Teams", "Cancel Team Run", Of(Team, runs::attend::cancel)),
    route("POST", "/teams/{team_id}/runs/{run_id}/continue", "continue_team_run", "Teams", "Continue Team Run", Again(Team)),
    route("POST", "/teams/{team_id}/runs/{run_id}/resume", "resume_team_run_stream", "Teams", "Resume Team Run Stream", Resume(Team)),
    route("GET", "/teams", "get_teams", "Teams", "List All Teams", List(Team)),
    route("GET", "/teams/{team_id}", "get_team", "Teams", "Get Team Details", Describe(Team)),
    route("GET", "/teams/{team_id}/runs/{run_id}", "get_team_run", "Teams", "Get Team Run", Of(Team, runs::get)),
    route("GET", "/teams/{team_id}/runs", "list_team_runs", "Teams", "List Team Runs", Of(Team, runs::list)),
    route("GET", "/workflows", "get_workflows", "Workflows", "List All Workflows", List(Workflow)),
    route("GET", "/workflows/{workflow_id}", "get_workflow", "Workflows", "Get Workflow Details", Describe(Workflow)),
    route("POST", "/workflows/{workflow_id}/runs", "create_workflow_run", "Workflows", "Execute Workflow", Run(Workflow)),
    route("POST", "/workflows/{workflow_id}/runs/{run_id}/cancel", "cancel_workflow_run", "Workflows", "Cancel Workflow Run", Of(Workflow, runs::attend::cancel)),
    route("POST", "/workflows/{workflow_id}/runs/{run_id}/continue", "continue_workflow_run", "Workflows", "Continue Workflow Run", Again(Workflow)),
    route("POST", "/workflows/{workflow_id}/runs/{run_id}/resume", "resume_workflow_run_stream", "Workflows", "Resume Workflow Run Stream", Resume(Workflow)),
    route("GET", "/workflows/{workflow_id}/runs/{run_id}", "get_workflow_run", "Workflows", "Get Workflow Run", Of(Workflow, runs::get)),
    route("GET", "/workflows/{workflow_id}/runs", "list_workflow_runs", "Workflows", "List Workflow Runs", Of(Workflow, runs::list)),
    route("GET", "/queue", "disabled_queue_get", "Queue", "Queue Disabled", Plain(|_, _| discovery::no_queue())),
    route("PUT", "/queue", "disabled_queue_put", "Queue", "Queue Disabled", Plain(|_, _| discovery::no_queue())),
    route("POST", "/queue", "disabled_queue_post", "Queue", "Queue Disabled", Plain(|_, _| discovery::no_queue())),
    route("DELETE", "/queue", "disabled_queue_delete", "Queue", "Queue Disabled", Plain(|_, _| discovery::no_queue())),
    route("PATCH", "/queue", "disabled_queue_patch", "Queue", "Queue Disabled", Plain(|_, _| discovery::no_queue())),
    route("GET", "/sessions", "get_sessions", "Sessions", "List Sessions", Plain(sessions::list)),
    route("POST", "/sessions", "create_session", "Sessions", "Create New Session", Plain(sessions::create)),
    route("GET", "/sessions/{session_id}", "get_session_by_id", "Sessions", "Get Session by ID", Plain(sessions::get)),
    route("GET", "/sessions/{session_id}/runs", "get_session_runs", "Sessions", "Get Session Runs", Plain(sessions::runs)),
    route("GET", "/sessions/{session_id}/run-previews", "get_session_run_previews", "Sessions", "Get Session Run Previews", Plain(sessions::previews)),
    route("GET", "/sessions/{session_id}/runs/{run_id}", "get_session_run", "Sessions", "Get Run by ID", Plain(sessions::run)),
    route("DELETE", "/sessions/{session_id}", "delete_session", "Sessions", "Delete Session", Plain(sessions::delete)),
    route("DELETE", "/sessions", "delete_sessions", "Sessions", "Delete Multiple Sessions", Plain(sessions::delete_many)),
    route("POST", "/sessions/{session_id}/rename", "rename_session", "Sessions", "Rename Session", Plain(sessions::rename)),
    route("PATCH", "/sessions/{session_id}", "update_session", "Sessions", "Update Session", Plain(sessions::update)),
    route("GET", "/sessions/{session_id}/media/{storage_key}", "get_session_media", "Media", "Fetch stored media for a session", Plain(sessions::media)),
    route("POST", "/memories", "create_memory", "Memory", "Create Memory", Plain(memories::create)),
    route("DELETE", "/memories/{memory_id}", "delete_memory", "Memory", "Delete Memory", Plain(memories::delete)),
    route("DELETE", "/memories", "delete_memories", "Memory", "Delete Multiple Memories", Plain(memories::delete_many)),
    route("GET", "/memories", "get_memories", "Memory", "List Memories", Plain(memories::list)),
    route("GET", "/memories/{memory_id}", "get_memory", "Memory", "Get Memory by ID", Plain(memories::get)),
    route("GET", "/memory_topics", "get_memory_topics", "Memory", "Get Memory Topics", Plain(memories::topics)),
    route("PATCH", "/memories/{memory_id}", "update_memory", "Memory", "Update Memory", Plain(memories::update)),
    route("GET", "/user_memory_stats", "get_user_memory_stats", "Memory", "Get User Memory Statistics", Plain(memories::stats)),
    route("POST", "/optimize-memories", "optimize_memories", "Memory", "Optimize User Memories", Plain(memories::optimize)),
    route("POST", "/databases/all/migrate", "migrate_all_databases", "Database", "Migrate All Databases", Plain(|os, call| Ok(database::migrate_all(os, call)))),
    route("POST", "/databases/{db_id}/migrate", "migrate_database", "Database", "Migrate Database", Plain(database::migrate)),
    route("POST", "/eval-runs", "run_eval", "Evals", "Execute Evaluation", Eval),
    route("GET", "/eval-runs", "get_eval_runs", "Evals", "List Evaluation Runs", Plain(evals::list)),
    route("GET", "/eval-runs/{eval_run_id}", "get_eval_run", "Evals", "Get Evaluation Run", Plain(evals::get)),
    route("DELETE", "/eval-runs", "delete_eval_runs", "Evals", "Delete Evaluation Runs", Plain(evals::delete)),
    route("PATCH", "/eval-runs/{eval_run_id}", "update_eval_run", "Evals", "Update Evaluation Run", Plain(evals::update)),
    route("GET", "/metrics", "get_metrics", "Metrics", "Get AgentOS Metrics", Plain(metrics::get)),
    route("POST", "/metrics/refresh", "refresh_metrics", "Metrics", "Refresh Metrics", Plain(metrics::refresh)),
    route("GET", "/metrics/refresh/status", "get_metrics_refresh_status", "Metrics", "Get Metrics Refresh Status", Plain(metrics::status)),
    route("POST", "/knowledge/content", "upload_content", "Knowledge", "Upload Content", Upload),
    route("PATCH", "/knowledge/content/{content_id}", "update_content", "Knowledge", "Update Content", Describing),
    route("GET", "/knowledge/content", "get_content", "Knowledge", "List Content", Plain(knowledge::list)),
    route("GET", "/knowledge/content/{content_id}", "get_content_by_id", "Knowledge", "Get Content by ID", Plain(knowledge::get)),
    route("DELETE", "/knowledge/content/{content_id}", "delete_content_by_id", "Knowledge", "Delete Content by ID", Plain(knowledge::delete)),
    route("DELETE", "/knowledge/content", "delete_all_content", "Knowledge", "Delete All Content", Plain(knowledge::delete_all)),
    route("GET", "/knowledge/content/{content_id}/status", "get_content_status", "Knowledge", "Get Content Status", Plain(knowledge::status)),
    route("POST", "/knowledge/content/{content_id}/refresh", "refresh_content", "Knowledge", "Refresh Content", Plain(knowledge::refresh)),
    route("POST", "/knowledge/search", "search_knowledge", "Knowledge", "Search Knowledge", Plain(knowledge::search)),
    route("GET", "/knowledge/config", "get_knowledge_config", "Knowledge", "Get Config", Plain(knowledge::config)),
    route("GET", "/knowledge/{knowledge_id}/sources", "list_content_sources", "Knowledge", "List Content Sources", Plain(knowledge::sources)),
    route("GET", "/knowledge/{knowledge_id}/sources/{source_id}/files", "list_source_files", "Knowledge", "List Files in Source", Plain(knowledge::source_files)),
    route("GET", "/traces/filter-schema", "get_traces_filter_schema", "Traces", "Get Trace Filter Schema", Always(traces::filter_schema)),
    route("GET", "/traces", "get_traces", "Traces", "List Traces", Plain(traces::list)),
    route("GET", "/traces/{trace_id}", "get_trace", "Traces", "Get Trace or Span Detail", Plain(traces::get)),
    route("GET", "/trace_session_stats", "get_trace_stats", "Traces", "Get Trace Statistics by Session", Plain(traces::stats)),
    route("POST", "/traces/search", "search_traces", "Traces", "Search Traces with Advanced Filters", Plain(traces::search)),
];
