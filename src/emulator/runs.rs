//! The run endpoints of agents, teams and workflows: one set of handlers for the three.

pub(crate) mod again;
pub(crate) mod attend;
mod extra;
mod perform;
mod stream;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use uuid::Uuid;

use self::extra::Extra;
pub(crate) use self::perform::perform;
use self::perform::placeholder;
use super::auth::Caller;
use super::call::{Call, Query};
use super::cast::Component;
use super::form::Form;
use super::kind::Kind;
use super::media::Media;
use super::os::Os;
use super::refusal::Refusal;
use super::reply;
use super::run::event::Sink;
use super::run::{Ask, Object, Status};
use super::shape;

type Answer = Result<Response, Refusal>;

fn component(os: &Os, kind: Kind, call: &Call) -> Result<Component, Refusal> {
    os.cast
        .find(kind, call.param(kind.id_field()))
        .ok_or_else(|| Refusal::not_found(format!("{} not found", kind.title())))
}

/// `POST /{kind}s/{id}/runs`.
pub(crate) async fn create(os: Arc<Os>, kind: Kind, call: Call) -> Answer {
    let form = Form::read(&call).await?;
    let mut problems = Vec::new();
    let message = form.required("message", &mut problems);
    let stream = form.flag("stream", true, &mut problems);
    if kind == Kind::Team {
        // Read and not heeded.
        form.flag("monitor", true, &mut problems);
    }
    // The signatures differ in their order, and so do the problems.
    let mut version = None;
    if kind != Kind::Workflow {
        form.check_files("files", &mut problems);
        version = form.integer("version", &mut problems);
    }
    let background = form.flag("background", false, &mut problems);
    if kind == Kind::Workflow {
        version = form.integer("version", &mut problems);
    }
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let extra = Extra::read(&form)?.with_version(version);
    let component = component(&os, kind, &call)?;
    let user_id = call.caller.user_of(form.filled("user_id"))?;
    let session_id = form.filled("session_id").map_or_else(new_id, str::to_owned);
    check_owner(&os, &call.caller, &session_id, user_id.as_deref())?;
    if kind == Kind::Workflow && (form.has_file("files") || form.filled("files").is_some()) {
        // Workflows of agno 3.1.10 do not know the field, and stumble over it.
        return Err(Refusal::Unhandled("AttributeError"));
    }
    // A workflow in the background takes no id from anybody, unless it is streamed.
    let given = form.filled("run_id").filter(|_| kind != Kind::Workflow || !background || stream);
    let ask = Ask {
        message,
        run_id: given.map_or_else(new_id, str::to_owned),
        session_id,
        user_id,
        state: extra.state,
        dependencies: extra.dependencies,
        metadata: extra.metadata,
        schema: extra.schema,
        media: Media::read(&form, true)?,
        knowledge_filters: extra.knowledge_filters,
    };
    let sink = Sink::silent(kind, &os.live, &ask.run_id);
    if background {
        placeholder(&os, component, &ask)?;
        if stream {
            let run_id = ask.run_id.clone();
            let sink = sink.taped(&run_id);
            let server = os.clone();
            tokio::spawn(async move { perform(&server, component, ask, &sink).await.ok() });
            return Ok(stream::follow(&os, &run_id));
        }
        let accepted = json!({
            "run_id": ask.run_id, "session_id": ask.session_id, "status": Status::Pending.word(),
        });
        tokio::spawn(async move { perform(&os, component, ask, &sink).await.ok() });
        return Ok(reply::json(StatusCode::ACCEPTED, &accepted));
    }
    if !stream {
        let finished = perform(&os, component, ask, &sink).await?;
        if extra.odd {
            // agno 3.1.10 runs, stores the run, and cannot write its answer.
            return Err(Refusal::Unhandled("ValueError"));
        }
        return Ok(reply::ok(&finished.document));
    }
    let all = form.text("stream_events").is_none_or(|text| !text.eq_ignore_ascii_case("false"));
    let (sender, response) = stream::open();
    let sink = sink.sending(sender, all);
    // The run goes on by itself; it ends early when nobody reads its events any more. What could not be
    // stored cannot be told either: the stream just ends.
    tokio::spawn(async move { perform(&os, component, ask, &sink).await.ok() });
    Ok(response)
}

/// The place of the rule by which a component will answer a request to run it, where one does.
pub(crate) fn foresee(os: &Os, component: Component, call: &Call, form: &Form) -> Option<usize> {
    let extra = Extra::read(form).ok()?;
    let session_id = form.filled("session_id").map_or_else(new_id, str::to_owned);
    let ask = Ask {
        message: form.filled("message")?.to_owned(),
        run_id: form.filled("run_id").map_or_else(new_id, str::to_owned),
        session_id,
        user_id: call.caller.user_of(form.filled("user_id")).ok()?,
        state: extra.state,
        dependencies: extra.dependencies,
        metadata: extra.metadata,
        schema: extra.schema,
        media: Media::read(form, true).ok()?,
        knowledge_filters: extra.knowledge_filters,
    };
    perform::foresee(os, component, ask).ok()?
}

/// `GET /{kind}s/{id}/runs/{run_id}`.
pub(crate) fn get(os: &Os, kind: Kind, call: &Call) -> Answer {
    let (component, session_id) = of_session(os, kind, call)?;
    let missing = || Refusal::not_found("Run not found");
    let session = os.store.session(session_id, call.caller.only()?)?.ok_or_else(missing)?;
    if session.component_id(kind) != Some(component.id()) {
        return Err(missing());
    }
    let run = os.store.run(session_id, call.param("run_id"))?.ok_or_else(missing)?;
    if run[kind.id_field()].as_str() != Some(component.id()) {
        return Err(missing());
    }
    Ok(reply::ok(&shape::run_again(&run)))
}

/// `GET /{kind}s/{id}/runs`.
pub(crate) fn list(os: &Os, kind: Kind, call: &Call) -> Answer {
    let (component, session_id) = of_session(os, kind, call)?;
    let session = os
        .store
        .session(session_id, call.caller.only()?)?
        .filter(|session| session.component_id(kind) == Some(component.id()))
        .ok_or_else(|| Refusal::not_found("Session not found"))?;
    // Here, other than in a session's own list, a status in lower case matches nothing.
    let status = call.text("status").filter(|status| !status.is_empty());
    let mut runs = os.store.runs(&session.id)?;
    runs.retain(|run| {
        run[kind.id_field()].as_str() == Some(component.id())
            && status.is_none_or(|status| run["status"].as_str() == Some(status))
    });
    let runs: Vec<Object> = runs.iter().map(|run| shape::session_run(&shape::run_again(run))).collect();
    Ok(reply::ok(&runs))
}

fn of_session<'a>(os: &Os, kind: Kind, call: &'a Call) -> Result<(Component, &'a str), Refusal> {
    let mut query = Query::new(call);
    let session_id = query.required("session_id");
    query.done()?;
    let component = component(os, kind, call)?;
    if session_id.is_empty() {
        return Err(Refusal::Unhandled("Exception"));
    }
    Ok((component, session_id))
}

/// A run must not enter a session of somebody else; nor one without a user any owned session.
fn check_owner(os: &Os, caller: &Caller, session_id: &str, user_id: Option<&str>) -> Result<(), Refusal> {
    let session = os.store.session(session_id, None)?;
    let missing = || Err(Refusal::not_found("Session not found"));
    match session.map(|session| session.user_id) {
        Some(Some(owner)) if Some(owner.as_str()) != user_id => missing(),
        Some(None) if caller.only()?.is_some() => missing(),
        _ => Ok(()),
    }
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}
