//! `POST /{kind}s/{id}/runs/{run_id}/continue`: a run goes on after a human's word, or from a copy of itself.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};

use super::perform::{alone, history, keep, state_of, visible};
use super::{Answer, attend, component, new_id, stream};
use crate::emulator::call::Call;
use crate::emulator::cast::Component;
use crate::emulator::execution::{Requirement, ToolExecution};
use crate::emulator::form::Form;
use crate::emulator::kind::Kind;
use crate::emulator::live::frame;
use crate::emulator::media::Media;
use crate::emulator::message::{Message, Usage};
use crate::emulator::os::Os;
use crate::emulator::python;
use crate::emulator::refusal::Refusal;
use crate::emulator::reply;
use crate::emulator::run::Status;
use crate::emulator::run::agent::resume::Stored;
use crate::emulator::run::event::Sink;
use crate::emulator::run::{Ask, Finished, Object, agent, merge, put, restore, team, workflow};
use crate::emulator::{clock, traces};

mod point;
mod sent;

use self::point::Point;
use self::sent::Sent;

/// What a request to go on says.
#[derive(Debug)]
struct Wish {
    run_id: String,
    session_id: String,
    user_id: Option<String>,
    sent: Sent,
    from: Point,
}

/// Why a run does not go on.
#[derive(Debug)]
struct Stop(Refusal, String);

impl Stop {
    fn missing(run_id: &str) -> Self {
        let text = format!("No runs found for run ID {run_id}");
        Self(Refusal::not_found(text.clone()), text)
    }

    fn conflict(text: String) -> Self {
        Self(Refusal::conflict(text.clone()), text)
    }

    fn invalid(text: impl Into<String>) -> Self {
        let text = text.into();
        Self(Refusal::bad_request(text.clone()), text)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self(refusal, String::new())
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(Refusal::from(error))
    }
}

pub(crate) async fn proceed(os: Arc<Os>, kind: Kind, call: Call) -> Answer {
    let form = Form::read(&call).await?;
    let mut problems = Vec::new();
    let mut from = Point::read(&form, &mut problems);
    let stream = form.flag("stream", true, &mut problems);
    let background = form.flag("background", false, &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let json = Sent::parse(kind, &form)?;
    let component = component(&os, kind, &call)?;
    let session_id = form.filled("session_id").map(str::to_owned);
    attend::check_run(&os, kind, &call, session_id.as_deref())?;
    let session_id = match session_id {
        Some(session_id) => session_id,
        // agno 3.1.10 looks for the run of a workflow before it has a session, and fails.
        None if kind == Kind::Workflow => return Err(Refusal::Unhandled("Exception")),
        None => return Err(Refusal::bad_request("session_id is required for this action")),
    };
    let run_id = call.param("run_id").to_owned();
    if kind == Kind::Workflow {
        let user_id = call.caller.user_of(form.filled("user_id"))?;
        check_paused(&os, component, &session_id, &run_id, user_id.as_deref())?;
    }
    let sent = Sent::read(kind, json)?;
    if kind == Kind::Workflow && background {
        return Err(Refusal::conflict(
            "background=true continuation is only available for durably-submitted workflow runs (a paused \
             queue ticket); this run has none. Retry without background, or submit the workflow with \
             background=true and a durable queue.",
        ));
    }
    from.resolve()?;
    let wish = Wish { run_id, session_id, user_id: call.caller.user_of(form.filled("user_id"))?, sent, from };
    if !stream {
        let sink = |run_id: &str| Sink::silent(kind, &os.live, run_id);
        let finished = go_on(&os, component, wish, sink).await.map_err(|Stop(refusal, _)| refusal)?;
        return Ok(reply::ok(&finished.document));
    }
    let all = form.text("stream_events").is_none_or(|text| !text.eq_ignore_ascii_case("false"));
    Ok(streamed(os, component, wish, background, all))
}

/// The run as a stream. What stops it is told in there.
fn streamed(os: Arc<Os>, component: Component, wish: Wish, background: bool, all: bool) -> Response {
    let (sender, response) = stream::open();
    tokio::spawn(async move {
        let kind = component.kind();
        let (copies, asked_of) = (wish.from.copies(), wish.run_id.clone());
        let sink = |run_id: &str| {
            let sink = Sink::silent(kind, &os.live, run_id).sending(sender.clone(), all);
            let sink = if background { sink.staying() } else { sink };
            // The copies of agents have tapes of their own; those of teams go on with the tape of the run
            // that they were made of, unless they were asked for: then they have none.
            match kind {
                Kind::Team if copies => sink,
                Kind::Team => sink.taped(&asked_of),
                _ => sink.taped(run_id),
            }
        };
        if let Err(Stop(_, text)) = go_on(&os, component, wish, sink).await {
            let mut event = Object::new();
            put(&mut event, "created_at", clock::epoch());
            let name = match kind {
                Kind::Agent => "RunError",
                Kind::Team => "TeamRunError",
                Kind::Workflow => "WorkflowError",
            };
            put(&mut event, "event", name);
            if kind == Kind::Workflow {
                put(&mut event, "nested_depth", 0);
                put(&mut event, "error", text);
            } else {
                put(&mut event, kind.id_field(), "");
                put(&mut event, &format!("{}_name", kind.name()), "");
                put(&mut event, "nested_depth", 0);
                put(&mut event, "content", text);
            }
            // A client that has gone away hears nothing.
            let _ = sender.send(frame(&event));
        }
    });
    response
}

/// A run in a session that the user sees.
fn run_of(os: &Os, session_id: &str, run_id: &str, user_id: Option<&str>) -> rusqlite::Result<Option<Value>> {
    if os.store.session(session_id, user_id)?.is_none() {
        return Ok(None);
    }
    os.store.run(session_id, run_id)
}

/// A workflow goes on only where it waits.
fn check_paused(
    os: &Os,
    component: Component,
    session_id: &str,
    run_id: &str,
    user_id: Option<&str>,
) -> Result<(), Refusal> {
    let run = run_of(os, session_id, run_id, user_id)?;
    let run = run.filter(|run| run["workflow_id"].as_str() == Some(component.id()));
    let run = run.ok_or_else(|| Refusal::not_found("Run not found"))?;
    let detail = match run["status"].as_str().unwrap_or_default() {
        "PAUSED" => return Ok(()),
        "ERROR" => "run has errored".to_owned(),
        other => format!("run is already {}", other.to_lowercase()),
    };
    Err(Refusal::conflict(detail))
}

/// Goes on with a run. What does not go on leaves a trace, too, unless it is a workflow.
async fn go_on(
    os: &Os,
    component: Component,
    wish: Wish,
    sink: impl FnOnce(&str) -> Sink,
) -> Result<Finished, Stop> {
    let since = jiff::Timestamp::now();
    let (session_id, user_id) = (wish.session_id.clone(), wish.user_id.clone());
    let result = attempt(os, component, wish, sink).await;
    if let Err(Stop(_, text)) = &result
        && component.kind() != Kind::Workflow
    {
        traces::refused(os, component, &session_id, user_id.as_deref(), text, since);
    }
    result
}

async fn attempt(
    os: &Os,
    component: Component,
    wish: Wish,
    sink: impl FnOnce(&str) -> Sink,
) -> Result<Finished, Stop> {
    let kind = component.kind();
    let document = run_of(os, &wish.session_id, &wish.run_id, wish.user_id.as_deref())?;
    let of_component = |run: &Value| run[kind.id_field()].as_str() == Some(component.id());
    let mut document = document.filter(of_component).ok_or_else(|| Stop::missing(&wish.run_id))?;
    if document["status"] == Status::Cancelled.word() {
        return Err(Stop::conflict(format!("Cannot continue run {}: run is cancelled", wish.run_id)));
    }
    let mut stored = restore(&document);
    let mut ask = Ask {
        message: match kind {
            Kind::Workflow => document["input"].as_str(),
            _ => document["input"]["input_content"].as_str(),
        }
        .unwrap_or_default()
        .to_owned(),
        run_id: wish.run_id.clone(),
        session_id: wish.session_id,
        user_id: wish.user_id.or_else(|| document["user_id"].as_str().map(str::to_owned)),
        state: None,
        dependencies: None,
        metadata: document.get("metadata").cloned(),
        schema: None,
        media: Media::default(),
        knowledge_filters: None,
    };
    if kind != Kind::Workflow {
        wish.from.apply(&document, &mut stored).map_err(Stop::invalid)?;
        if stored.lineage.get("forked_from_run_id").and_then(Value::as_str) == Some(&wish.run_id) {
            ask.run_id = new_id();
        }
        if wish.from.replaces() {
            document["status"] = json!("REGENERATED");
            os.store.set_run(&document)?;
        }
        if let Some(text) = wish.from.input() {
            stored.messages.push(Message::new("user", Some(text.to_owned())));
        }
    }
    match &wish.sent {
        Sent::Tools(tools) => apply_tools(&mut stored, tools),
        Sent::Requirements(sent) if stored.usage != Usage::default() || ask.run_id == wish.run_id => {
            bind(&mut stored, sent, &wish.run_id).map_err(Stop::conflict)?;
        }
        _ => {}
    }
    let sink = sink(&ask.run_id);
    let result = resume(os, component, &ask, &document, stored, &wish.sent, &sink).await;
    sink.close(result.as_ref().map_or(Status::Error.word(), |finished| finished.status.word()));
    result
}

async fn resume(
    os: &Os,
    component: Component,
    ask: &Ask,
    document: &Value,
    mut stored: Stored,
    sent: &Sent,
    sink: &Sink,
) -> Result<Finished, Stop> {
    let (now, since) = (clock::epoch(), jiff::Timestamp::now());
    let session = visible(os, ask)?;
    let mut state = state_of(component, session.as_ref());
    let finished = match component {
        Component::Agent(agent) => {
            let mut part = alone(os, agent, ask, Value::Object(state.clone()))?;
            stored.history = std::mem::take(&mut part.history);
            agent::resume::resume(part, stored, sink).await
        }
        Component::Team(members) => {
            stored.history = history(os, ask, members.history)?;
            team::resume::resume(os, members, ask, &state, document, stored, sink).await
        }
        Component::Workflow(flow) => {
            workflow::resume::resume(os, flow, ask, &state, document, sent.steps(), sink).await
        }
    };
    let finished = finished.map_err(Stop::invalid)?;
    merge(&mut state, &finished.changes);
    let trace = traces::of(component, ask, &finished, since, true, sink.streams());
    keep(os, component, ask, state, &finished, trace, now)?;
    Ok(finished)
}

/// Puts what was sent in the place of what was stored. A call that ran already keeps its own result.
fn apply_tools(stored: &mut Stored, sent: &[ToolExecution]) {
    let mut requirements: Vec<Requirement> = sent.iter().cloned().map(Requirement::new).collect();
    if stored.tools.is_empty() {
        stored.tools = sent.to_vec();
    }
    for (at, tool) in stored.tools.iter_mut().enumerate() {
        if tool.result.is_some() && !sent.iter().any(|sent| sent.result == tool.result) {
            continue;
        }
        for requirement in &mut requirements {
            if requirement.execution.tool_call_id == tool.tool_call_id {
                *tool = requirement.execution.clone();
                requirement.at = Some(at);
            }
        }
    }
    stored.requirements = requirements;
}

/// Takes over what was decided about the requirements of a team, each of which must be known.
fn bind(stored: &mut Stored, sent: &[Requirement], run_id: &str) -> Result<(), String> {
    let mut places = Vec::new();
    for sent in sent {
        let id = &sent.execution.tool_call_id;
        let found = stored.requirements.iter().position(|known| known.id == sent.id).or_else(|| {
            stored.requirements.iter().position(|known| id.is_some() && known.execution.tool_call_id == *id)
        });
        let Some(at) = found else {
            let call = python::or_none(id.as_deref());
            return Err(format!(
                "Cannot continue run {run_id}: the requirement with id '{}' and tool call '{call}' matches no \
                 stored requirement of this run. The run remains paused.",
                sent.id
            ));
        };
        places.push(at);
    }
    for (at, sent) in places.into_iter().zip(sent) {
        stored.requirements[at].confirmation = sent.confirmation;
        let known = &mut stored.requirements[at].execution;
        let sent = &sent.execution;
        known.confirmed = sent.confirmed;
        known.confirmation_note.clone_from(&sent.confirmation_note);
        known.result.clone_from(&sent.result);
        known.answered = sent.answered;
        if sent.user_input_schema.is_some() {
            known.user_input_schema.clone_from(&sent.user_input_schema);
        }
    }
    Ok(())
}
