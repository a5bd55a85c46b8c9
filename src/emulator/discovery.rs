//! The endpoints that tell what the server is and who plays in it.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::call::{Call, Query};
use super::cast::{AGNO_VERSION, Agent, Component, Executor, History, Model, Team, Workflow};
use super::kind::Kind;
use super::knowledge;
use super::os::Os;
use super::refusal::Refusal;
use super::reply;
use super::run::{Object, put, put_some};

/// `GET /`.
pub(crate) fn home(os: &Os) -> Response {
    // The links of agno 3.1.10; the page behind the last one is not served here.
    reply::ok(&json!({ "name": os.cast.os.name, "health": "/health", "info": "/info", "docs": "/docs" }))
}

/// `GET /health`.
pub(crate) fn health(os: &Os) -> Response {
    reply::ok(&json!({ "status": "ok", "instantiated_at": &*os.instantiated_at }))
}

/// `GET /info`.
pub(crate) fn info(os: &Os) -> Response {
    reply::ok(&json!({
        "os_id": os.cast.os.id,
        "name": os.cast.os.name,
        "os_version": os.cast.os.version,
        "agno_version": AGNO_VERSION,
        "agent_count": os.cast.agents.len(),
        "team_count": os.cast.teams.len(),
        "workflow_count": os.cast.workflows.len(),
        "mcp": { "enabled": false, "path": null, "oauth": null, "tool_run_endpoint": false },
        "auth_mode": os.guard.mode(),
        "user_isolation": os.guard.isolation,
    }))
}

/// `GET /config`.
pub(crate) fn config(os: &Os, call: &Call) -> Result<Response, Refusal> {
    call.caller.only()?;
    let model = |by: &Model| json!({ "id": by.id, "provider": by.provider });
    let dbs = |table: Option<&str>| {
        let entry = |db: &&str| {
            let mut entry = json!({ "db_id": db, "domain_config": { "display_name": db } });
            if let Some(table) = table {
                entry["tables"] = json!([table]);
            }
            entry
        };
        os.cast.databases.iter().map(entry).collect::<Vec<_>>()
    };
    let tables = |table: &str| json!({ "dbs": dbs(Some(table)) });
    let mut models: Vec<&Model> = Vec::new();
    let answering = os.cast.agents.iter().map(|agent| agent.model);
    for by in answering.chain(os.cast.teams.iter().map(|team| team.model)) {
        if !models.contains(&by) {
            models.push(by);
        }
    }
    let knowledge = os.cast.knowledge;
    let agents: Vec<Object> = os
        .cast
        .agents
        .iter()
        .filter(|agent| call.caller.sees("agents", agent.id))
        .map(|agent| {
            let mut entry = named(agent.id, agent.name, agent.description, agent.db);
            put(&mut entry, "model", model(agent.model));
            put(&mut entry, "sandboxed", false);
            entry
        })
        .collect();
    let teams: Vec<Object> = os
        .cast
        .teams
        .iter()
        .filter(|team| call.caller.sees("teams", team.id))
        .map(|team| {
            let mut entry = named(team.id, team.name, team.description, team.db);
            put(&mut entry, "mode", "coordinate");
            put(&mut entry, "model", model(team.model));
            put(&mut entry, "sandboxed", false);
            entry
        })
        .collect();
    let workflows = os.cast.workflows.iter().filter(|flow| call.caller.sees("workflows", flow.id));
    Ok(reply::ok(&json!({
        "os_id": os.cast.os.id,
        "description": os.cast.os.description,
        "available_models": models.into_iter().map(model).collect::<Vec<_>>(),
        "os_database": os.cast.databases[0],
        "databases": os.cast.databases,
        "session": tables("agno_sessions"),
        "metrics": tables("agno_metrics"),
        "memory": tables("agno_memories"),
        "learning": tables("agno_learnings"),
        "filesystem": { "namespaces": [] },
        "knowledge": {
            "dbs": [{ "db_id": knowledge.db, "domain_config": { "display_name": knowledge.db },
                      "tables": ["agno_knowledge"] }],
            "knowledge_instances": [{
                "id": knowledge::ID, "name": knowledge.name, "description": knowledge.description,
                "db_id": knowledge.db, "table": "agno_knowledge",
            }],
        },
        "evals": tables("agno_eval_runs"),
        // Traces of all go into the first.
        "traces": { "dbs": [dbs(None)[0]] },
        "queue": { "durable": false, "queue_per_session": false },
        "agents": agents,
        "teams": teams,
        "workflows": workflows.map(workflow_summary).collect::<Vec<_>>(),
        "interfaces": [],
        "company": null,
    })))
}

/// `GET /agents`, `/teams`, `/workflows`.
pub(crate) fn list(os: &Os, kind: Kind, call: &Call) -> Result<Response, Refusal> {
    call.caller.only()?;
    let mut all: Vec<Object> = match kind {
        Kind::Agent => os.cast.agents.iter().map(agent).collect(),
        Kind::Team => os.cast.teams.iter().map(team).collect(),
        Kind::Workflow => os.cast.workflows.iter().map(workflow_summary).collect(),
    };
    let resource = format!("{}s", kind.name());
    all.retain(|entry| entry["id"].as_str().is_some_and(|id| call.caller.sees(&resource, id)));
    Ok(reply::ok(&all))
}

/// `GET /agents/{agent_id}` and its like.
pub(crate) fn get(os: &Os, kind: Kind, call: &Call) -> Result<Response, Refusal> {
    call.caller.only()?;
    if kind == Kind::Workflow {
        let mut query = Query::new(call);
        query.integer("version", None);
        query.done()?;
    }
    let found = match os.cast.find(kind, call.param(kind.id_field())) {
        Some(Component::Agent(found)) => agent(found),
        Some(Component::Team(found)) => team(found),
        Some(Component::Workflow(found)) => workflow(found),
        None => return Err(Refusal::not_found(format!("{} not found", kind.title()))),
    };
    Ok(reply::ok(&found))
}

/// `/queue`, by any method: there is none.
pub(crate) fn no_queue() -> Result<Response, Refusal> {
    let detail =
        "Queue not available: pass a `queue=QueueConfig(durable=True)` to AgentOS to enable this feature.";
    Err(Refusal::Detail(StatusCode::SERVICE_UNAVAILABLE, detail.to_owned()))
}

fn named(id: &str, name: &str, description: Option<&str>, db: &str) -> Object {
    let mut entry = Object::new();
    put(&mut entry, "id", id);
    put(&mut entry, "name", name);
    put_some(&mut entry, "description", description);
    put(&mut entry, "db_id", db);
    entry
}

fn model(by: &Model) -> Value {
    json!({ "name": by.name, "model": by.id, "provider": by.provider })
}

fn sessions(history: History) -> Value {
    match history {
        History::No => json!({ "session_table": "agno_sessions" }),
        History::Default => json!({ "session_table": "agno_sessions", "add_history_to_context": true }),
        History::Runs(runs) => json!({ "session_table": "agno_sessions", "add_history_to_context": true,
                                       "num_history_runs": runs }),
    }
}

fn agent(agent: &Agent) -> Object {
    let mut entry = named(agent.id, agent.name, None, agent.db);
    put(&mut entry, "filesystem", false);
    put_some(&mut entry, "description", agent.description);
    put_some(&mut entry, "role", agent.role);
    put(&mut entry, "is_factory", false);
    put(&mut entry, "model", model(agent.model));
    if !agent.tools.is_empty() {
        let tools: Vec<Value> = agent.tools.iter().map(|tool| tool.describe()).collect();
        put(&mut entry, "tools", json!({ "tools": tools }));
    }
    put(&mut entry, "sessions", sessions(agent.history));
    if agent.knows {
        put(&mut entry, "knowledge", json!({ "db_id": agent.db, "knowledge_table": "agno_knowledge" }));
    }
    if agent.memories.is_some() {
        put(
            &mut entry,
            "memory",
            json!({ "update_memory_on_run": true, "memory_table": "agno_memories", "model": model(agent.model) }),
        );
    }
    put(&mut entry, "reasoning", json!({ "reasoning": false }));
    let mut system = Object::new();
    put_some(&mut system, "description", agent.description);
    put_some(&mut system, "instructions", agent.instructions);
    if !system.is_empty() {
        put(&mut entry, "system_message", system);
    }
    put_flags(&mut entry);
    entry
}

fn team(team: &Team) -> Object {
    let mut entry = named(team.id, team.name, None, team.db);
    put_some(&mut entry, "description", team.description);
    put(&mut entry, "mode", "coordinate");
    put(&mut entry, "model", model(team.model));
    put(&mut entry, "tools", json!({ "tools": [delegate_tool()] }));
    put(&mut entry, "sessions", sessions(team.history));
    put(&mut entry, "reasoning", json!({ "reasoning": false }));
    put(&mut entry, "streaming", json!({ "stream_member_events": true }));
    let members: Vec<Object> = team.members.iter().map(|member| agent(member)).collect();
    put(&mut entry, "members", json!(members));
    put(&mut entry, "is_factory", false);
    put_flags(&mut entry);
    entry
}

fn delegate_tool() -> Value {
    json!({
        "name": "delegate_task_to_member",
        "description": "Use this function to delegate a task to the selected team member.",
        "parameters": {
            "type": "object",
            "properties": {
                "member_id": {
                    "type": "string",
                    "description": "(str) The ID of the member to delegate the task to, exactly as it \
                                    appears in <team_members>.",
                },
                "task": {
                    "type": "string",
                    "description": "(str) A clear and concise description of the task the member should \
                                    achieve, including what a good result looks like.",
                },
            },
            "required": ["member_id", "task"],
            "additionalProperties": false,
        },
    })
}

fn workflow_summary(flow: &Workflow) -> Object {
    let mut entry = named(flow.id, flow.name, flow.description, flow.db);
    put(&mut entry, "is_factory", false);
    put_flags(&mut entry);
    entry
}

fn workflow(flow: &Workflow) -> Object {
    let mut entry = named(flow.id, flow.name, None, flow.db);
    put_some(&mut entry, "description", flow.description);
    let steps: Vec<Object> = flow
        .steps
        .iter()
        .map(|step| {
            let mut entry = Object::new();
            put(&mut entry, "name", step.name);
            put(&mut entry, "type", "Step");
            if let Executor::Agent(executor) = &step.executor {
                put(&mut entry, "agent", agent(executor));
            }
            entry
        })
        .collect();
    put(&mut entry, "steps", json!(steps));
    put(&mut entry, "workflow_agent", false);
    put(&mut entry, "is_factory", false);
    put_flags(&mut entry);
    entry
}

fn put_flags(entry: &mut Object) {
    put(entry, "is_component", false);
    put(entry, "sandboxed", false);
}
