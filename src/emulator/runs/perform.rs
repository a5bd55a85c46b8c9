//! A run in its session: what the session brings into it, and what it leaves there.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::emulator::cast::{Agent, Component, History};
use crate::emulator::clock;
use crate::emulator::kind::Kind;
use crate::emulator::message::{Message, Usage};
use crate::emulator::os::Os;
use crate::emulator::refusal::Refusal;
use crate::emulator::run::agent::{self, Part};
use crate::emulator::run::event::Sink;
use crate::emulator::run::{Ask, Finished, Object, Status, merge, put, put_model, put_some, team, workflow};
use crate::emulator::store::sessions::Session;
use crate::emulator::store::traces::Trace;
use crate::emulator::{shape, traces};

/// Runs a component in its session, stores both, and says to whoever listens that it is over.
pub(crate) async fn perform(
    os: &Os,
    component: Component,
    ask: Ask,
    sink: &Sink,
) -> Result<Finished, Refusal> {
    let finished = run(os, component, ask, sink).await;
    sink.close(finished.as_ref().map_or(Status::Error.word(), |finished| finished.status.word()));
    finished
}

/// The session state that a run begins with. One that is no object is reported as it came.
struct Beginning {
    state: Object,
    odd: Option<Value>,
}

/// What the session brings into a run.
fn begin(os: &Os, component: Component, ask: &mut Ask) -> Result<Beginning, Refusal> {
    let stored = visible(os, ask)?;
    let mut state = state_of(component, stored.as_ref());
    // It breaks the run of an agent.
    let odd = ask.state.take_if(|state| !state.is_object());
    match component.kind() {
        Kind::Team if odd.is_some() => return Err(Refusal::Unhandled("TypeError")),
        Kind::Workflow if odd.is_some() => return Err(Refusal::Unhandled("AttributeError")),
        _ => {}
    }
    if let Some(Value::Object(sent)) = &ask.state {
        merge(&mut state, sent);
    }
    if let Some(session_metadata) = stored.as_ref().and_then(|session| session.metadata.as_ref()) {
        join_metadata(ask, session_metadata);
    }
    Ok(Beginning { state, odd })
}

/// The part of an agent that is asked itself.
pub(super) fn alone<'a>(
    os: &'a Os,
    agent: &'static Agent,
    ask: &'a Ask,
    state: Value,
) -> Result<Part<'a>, Refusal> {
    Ok(Part {
        os,
        agent,
        run_id: ask.run_id.clone(),
        session_id: &ask.session_id,
        user_id: ask.user_id.as_deref(),
        message: &ask.message,
        media: &ask.media,
        knowledge_filters: ask.knowledge_filters.as_ref(),
        parent_run_id: None,
        step: None,
        history: history(os, ask, agent.history)?,
        state,
        dependencies: ask.dependencies.as_ref(),
        metadata: ask.metadata.as_ref(),
        schema: ask.schema.as_ref(),
    })
}

/// The place of the rule by which a component will answer, where one does.
pub(super) fn foresee(os: &Os, component: Component, mut ask: Ask) -> Result<Option<usize>, Refusal> {
    let Beginning { state, odd } = begin(os, component, &mut ask)?;
    let sink = Sink::silent(component.kind(), &os.live, &ask.run_id);
    Ok(match component {
        Component::Agent(agent) => {
            let state = odd.unwrap_or_else(|| Value::Object(state.clone()));
            agent::foresee(alone(os, agent, &ask, state)?, &sink)
        }
        Component::Team(members) => {
            let history = history(os, &ask, members.history)?;
            team::foresee(os, members, &ask, &state, history, &sink)
        }
        Component::Workflow(_) => None,
    })
}

async fn run(os: &Os, component: Component, mut ask: Ask, sink: &Sink) -> Result<Finished, Refusal> {
    let since = Timestamp::now();
    let now = clock::epoch();
    let Beginning { mut state, odd } = begin(os, component, &mut ask)?;
    let finished = match component {
        Component::Agent(agent) => {
            let state = odd.unwrap_or_else(|| Value::Object(state.clone()));
            agent::run(alone(os, agent, &ask, state)?, sink).await
        }
        Component::Team(members) => {
            let history = history(os, &ask, members.history)?;
            team::run(os, members, &ask, &state, history, sink).await
        }
        Component::Workflow(flow) => workflow::run(os, flow, &ask, &state, sink).await,
    };
    merge(&mut state, &finished.changes);
    let trace = traces::of(component, &ask, &finished, since, false, sink.streams());
    keep(os, component, &ask, state, &finished, trace, now)?;
    Ok(finished)
}

/// Stores a run, its session and its trace.
pub(super) fn keep(
    os: &Os,
    component: Component,
    ask: &Ask,
    state: Object,
    finished: &Finished,
    trace: Option<Trace>,
    now: i64,
) -> Result<(), Refusal> {
    // Others may have run in the session meanwhile: their names and tokens stay.
    let stored = visible(os, ask)?;
    let anew = stored.is_none();
    let session = session_after(stored, component, ask, state, finished, now);
    let mut documents: Vec<Object> = finished.members.iter().map(shape::run_to_store).collect();
    documents.push(shape::run_to_store(&finished.document));
    // Traces of all databases go into the first.
    let (here, there) = if Arc::ptr_eq(&os.store, os.first()) { (trace, None) } else { (None, trace) };
    os.store.put_run(&session, &documents, anew, here.as_ref())?;
    // A trace that cannot be stored elsewhere takes nothing from its run.
    there.map(|trace| os.first().put_trace(&trace).ok());
    Ok(())
}

/// What is stored of a run that goes on in the background, until it has ended.
pub(crate) fn placeholder(os: &Os, component: Component, ask: &Ask) -> Result<(), Refusal> {
    let now = clock::epoch();
    let mut run = Object::new();
    let kind = component.kind();
    if kind == Kind::Workflow {
        put(&mut run, "input", ask.message.as_str());
        put(&mut run, "content_type", "str");
        put(&mut run, "workflow_id", component.id());
        put(&mut run, "workflow_name", component.name());
    }
    put(&mut run, "run_id", ask.run_id.as_str());
    if kind != Kind::Workflow {
        put(&mut run, kind.id_field(), component.id());
        put(&mut run, &format!("{}_name", kind.name()), component.name());
    }
    put(&mut run, "session_id", ask.session_id.as_str());
    put_some(&mut run, "user_id", ask.user_id.as_deref());
    if kind != Kind::Workflow {
        put(&mut run, "content_type", "str");
        put_model(&mut run, component.model());
    }
    put(&mut run, "created_at", now);
    let status = Status::Running.word();
    match kind {
        Kind::Agent => {
            put(&mut run, "status", status);
            put(&mut run, "metrics", json!({}));
            put(&mut run, "events", json!([]));
        }
        Kind::Team => {
            put(&mut run, "events", json!([]));
            put(&mut run, "metrics", json!({}));
            put(&mut run, "status", status);
            put(&mut run, "member_responses", json!([]));
        }
        Kind::Workflow => {
            put(&mut run, "status", status);
            put(&mut run, "metadata", ask.metadata.clone().unwrap_or_else(|| json!({})));
            put(&mut run, "metrics", json!({ "steps": {}, "duration": null }));
        }
    }
    if kind != Kind::Workflow {
        put(&mut run, "input", ask.media.input(&ask.message));
    }
    let stored = visible(os, ask)?;
    let anew = stored.is_none();
    let session = stored.unwrap_or_else(|| {
        let mut session = new_session(component, ask, now);
        // It is one that a run has begun: its tokens will be counted.
        session.data.get_or_insert_default();
        if kind == Kind::Workflow {
            session.set_datum("session_state", Value::Object(initial_state(component)));
        }
        session
    });
    os.store.put_run(&session, &[run], anew, None)?;
    Ok(())
}

/// The session as the run sees it. A run with a user does not see one without an owner: in agno 3.1.10
/// it begins the session anew and takes it over, and only the earlier runs stay.
pub(super) fn visible(os: &Os, ask: &Ask) -> Result<Option<Session>, Refusal> {
    Ok(os.store.session(&ask.session_id, ask.user_id.as_deref())?)
}

/// The state of a session, as the component begins it and runs have changed it.
pub(super) fn state_of(component: Component, session: Option<&Session>) -> Object {
    let mut state = initial_state(component);
    if let Some(Value::Object(stored)) = session.and_then(|session| session.datum("session_state")) {
        merge(&mut state, stored);
    }
    state
}

fn initial_state(component: Component) -> Object {
    match component {
        Component::Agent(agent) => agent.state.clone(),
        Component::Team(_) | Component::Workflow(_) => Object::new(),
    }
}

/// The metadata of a session goes into each of its runs and wins over what the request says.
fn join_metadata(ask: &mut Ask, session: &Value) {
    if let Some(session) = session.as_object().filter(|session| !session.is_empty()) {
        let mut joined = session.clone();
        for (name, value) in ask.metadata.as_ref().and_then(Value::as_object).into_iter().flatten() {
            joined.entry(name).or_insert_with(|| value.clone());
        }
        ask.metadata = Some(Value::Object(joined));
    }
}

/// The session as the run leaves it.
fn session_after(
    stored: Option<Session>,
    component: Component,
    ask: &Ask,
    state: Object,
    finished: &Finished,
    now: i64,
) -> Session {
    let anew = stored.is_none();
    let mut session = stored.unwrap_or_else(|| new_session(component, ask, now));
    if component.kind() == Kind::Workflow {
        session.metadata.get_or_insert_with(|| json!({}));
    }
    session.updated_at = clock::epoch();
    if session.data.is_none() && !anew {
        // Of one that was made with nothing, agno 3.1.10 counts no tokens the first time, and a team none ever.
        if component.kind() == Kind::Agent {
            session.set_datum("session_state", Value::Object(state));
        }
        return session;
    }
    session.set_datum("session_state", Value::Object(state));
    let metrics = charged(component, session.datum("session_metrics"), finished);
    session.set_datum("session_metrics", Value::Object(metrics));
    session
}

/// The tokens of a session after a run.
fn charged(component: Component, known: Option<&Value>, finished: &Finished) -> Object {
    let known = known.unwrap_or(&Value::Null);
    let mut total = Usage::counted(known);
    total.add(finished.usage);
    let mut metrics = if total.is_nothing() { Object::new() } else { total.fields() };
    if !total.is_nothing() || known.get("details").is_some() || finished.met_model {
        let mut memory = Usage::counted(&known["details"]["memory_model"][0]);
        memory.add(finished.memory_usage);
        let mut details = total.less(memory).details(component.model());
        if !memory.is_nothing() {
            details["memory_model"] = memory.details(component.model())["model"].take();
        }
        put(&mut metrics, "details", details);
    }
    metrics
}

fn new_session(component: Component, ask: &Ask, now: i64) -> Session {
    let mut session = Session::new(&ask.session_id, component.kind(), now);
    session.user_id.clone_from(&ask.user_id);
    let id = Some(component.id().to_owned());
    let by = component.model();
    let model = json!({ "name": by.name, "provider": by.provider, "id": by.id });
    match component {
        Component::Agent(agent) => {
            session.agent_data = Some(json!({ "name": agent.name, "agent_id": agent.id, "model": model }));
            session.agent_id = id;
        }
        Component::Team(team) => {
            session.team_data = Some(json!({ "name": team.name, "team_id": team.id, "model": model }));
            session.team_id = id;
        }
        Component::Workflow(flow) => {
            let step = |name| json!({ "name": name, "description": null, "type": "Step" });
            let steps: Vec<Value> = flow.steps.iter().map(|s| step(s.name)).collect();
            session.workflow_data =
                Some(json!({ "workflow_id": flow.id, "name": flow.name, "steps": steps }));
            session.metadata = Some(json!({}));
            session.workflow_id = id;
        }
    }
    session
}

/// The messages of the last runs of a session that went well, whoever ran them.
pub(super) fn history(os: &Os, ask: &Ask, history: History) -> Result<Vec<Message>, Refusal> {
    let count = history.runs();
    if count == 0 || visible(os, ask)?.is_none() {
        return Ok(Vec::new());
    }
    let mut runs = os.store.runs(&ask.session_id)?;
    runs.retain(|run| {
        run.get("parent_run_id").is_none()
            && !matches!(
                run["status"].as_str(),
                Some("PAUSED" | "CANCELLED" | "ERROR" | "REGENERATED" | "PENDING" | "RUNNING")
            )
    });
    let skip = runs.len().saturating_sub(count);
    let messages = runs.into_iter().skip(skip).filter_map(|mut run| match run["messages"].take() {
        Value::Array(messages) => Some(messages),
        _ => None,
    });
    let mut history: Vec<Message> =
        messages.flatten().filter_map(|message| serde_json::from_value(message).ok()).collect();
    history.retain(|message| message.role != "system");
    for message in &mut history {
        message.from_history = true;
    }
    Ok(history)
}
