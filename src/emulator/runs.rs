//! The run endpoints of agents, teams and workflows: one set of handlers for the three.

mod extra;
mod perform;

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;

use self::extra::Extra;
use self::perform::perform;
use super::call::{Call, Query};
use super::cast::Component;
use super::form::Form;
use super::kind::Kind;
use super::os::Os;
use super::refusal::Refusal;
use super::reply;
use super::run::event::Sink;
use super::run::{Ask, Object};
use super::shape;

type Answer = Result<Response, Refusal>;

fn component(kind: Kind, call: &Call) -> Result<Component, Refusal> {
    Component::find(kind, call.param(kind.id_field()))
        .ok_or_else(|| Refusal::not_found(format!("{} not found", kind.title())))
}

/// `POST /{kind}s/{id}/runs`.
pub(crate) async fn create(os: Arc<Os>, kind: Kind, call: Call) -> Answer {
    let form = Form::read(&call).await?;
    let mut problems = Vec::new();
    let message = form.required("message", &mut problems);
    let stream = form.flag("stream", true, &mut problems);
    // The signatures differ in their order, and so do the problems.
    if kind != Kind::Workflow {
        form.check_files("files", &mut problems);
        form.check_integer("version", &mut problems);
    }
    let background = form.flag("background", false, &mut problems);
    if kind == Kind::Workflow {
        form.check_integer("version", &mut problems);
    }
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let extra = Extra::read(&form)?;
    let component = component(kind, &call)?;
    let user_id = form.filled("user_id").map(str::to_owned);
    let session_id = form.filled("session_id").map_or_else(new_id, str::to_owned);
    check_owner(&os, &session_id, user_id.as_deref())?;
    if kind == Kind::Workflow && (form.has_file("files") || form.filled("files").is_some()) {
        // Workflows of agno 3.1.10 do not know the field, and stumble over it.
        return Err(Refusal::Unhandled("AttributeError"));
    }
    if form.has_file("files") {
        return Err(Refusal::not_yet("files"));
    }
    if background {
        return Err(Refusal::not_yet("background runs"));
    }
    let ask = Ask {
        message,
        run_id: form.filled("run_id").map_or_else(new_id, str::to_owned),
        session_id,
        user_id,
        state: extra.state,
        dependencies: extra.dependencies,
        metadata: extra.metadata,
        schema: extra.schema,
    };
    if !stream {
        let finished = perform(&os, component, ask, &Sink::silent(kind)).await?;
        return Ok(reply::ok(&finished.document));
    }
    let events = form.text("stream_events").is_none_or(|text| !text.eq_ignore_ascii_case("false"));
    let (sender, receiver) = unbounded_channel::<Bytes>();
    // The run goes on by itself; it ends early when nobody reads its events any more.
    tokio::spawn(async move {
        let sink = Sink::stream(kind, sender, events);
        // What could not be stored cannot be told either: the stream just ends.
        let _ = perform(&os, component, ask, &sink).await;
    });
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let frame = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), receiver))
    });
    let mut response = Response::new(Body::from_stream(frames));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    Ok(response)
}

/// `GET /{kind}s/{id}/runs/{run_id}`.
pub(crate) fn get(os: &Os, kind: Kind, call: &Call) -> Answer {
    let (component, session_id) = of_session(kind, call)?;
    let missing = || Refusal::not_found("Run not found");
    let session = os.store.session(session_id, None)?.ok_or_else(missing)?;
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
    let (component, session_id) = of_session(kind, call)?;
    let session = os
        .store
        .session(session_id, None)?
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

fn of_session(kind: Kind, call: &Call) -> Result<(Component, &str), Refusal> {
    let mut query = Query::new(call);
    let session_id = query.required("session_id");
    query.done()?;
    Ok((component(kind, call)?, session_id))
}

/// A run must not enter a session of somebody else; nor one without a user any owned session.
fn check_owner(os: &Os, session_id: &str, user_id: Option<&str>) -> Result<(), Refusal> {
    let owner = os.store.session(session_id, None)?.and_then(|session| session.user_id);
    match owner {
        Some(owner) if Some(owner.as_str()) != user_id => Err(Refusal::not_found("Session not found")),
        _ => Ok(()),
    }
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}
