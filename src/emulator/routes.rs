//! The table of all that is served. The router and `/openapi.json` both read it, so that neither can
//! promise what the other does not keep.

use std::sync::Arc;

use axum::response::Response;
use futures_util::future::BoxFuture;

use super::call::Call;
use super::kind::Kind;
use super::os::Os;
use super::refusal::Refusal;
use super::{discovery, openapi, runs, sessions};

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
}

impl Action {
    pub(crate) fn answer(self, os: Arc<Os>, call: Call) -> BoxFuture<'static, Result<Response, Refusal>> {
        match self {
            Self::Always(action) => Box::pin(async move { Ok(action(&os)) }),
            Self::List(kind) => Box::pin(async move { Ok(discovery::list(&os, kind, &call)) }),
            Self::Describe(kind) => Box::pin(async move { discovery::get(&os, kind, &call) }),
            Self::Plain(action) => Box::pin(async move { action(&os, &call) }),
            Self::Of(kind, action) => Box::pin(async move { action(&os, kind, &call) }),
            Self::Run(kind) => Box::pin(runs::create(os, kind, call)),
            Self::Again(kind) => Box::pin(runs::again::proceed(os, kind, call)),
            Self::Resume(kind) => Box::pin(runs::attend::resume(os, kind, call)),
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

use Action::{Again, Always, Describe, List, Of, Plain, Resume, Run};
use Kind::{Agent, Team, Workflow};

/// In the order in which agno 3.1.10 has them: the first that fits a path names the method it allows.
#[rustfmt::skip]
pub(crate) static ROUTES: &[Route] = &[
    silent("/", Always(discovery::home)),
    silent("/openapi.json", Always(openapi::get)),
    route("GET", "/health", "health_check", "Health", "Health Check", Always(discovery::health)),
    route("GET", "/info", "get_info", "Core", "Get OS Info", Always(discovery::info)),
    route("GET", "/config", "get_config", "Core", "Get OS Configuration", Always(discovery::config)),
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
];
