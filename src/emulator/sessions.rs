//! The session endpoints.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::{self, Fields};
use super::call::{Call, Query};
use super::database::Page;
use super::kind::Kind;
use super::os::Os;
use super::python;
use super::refusal::{Problem, Refusal};
use super::run::{Object, Status};
use super::shape;
use super::store::sessions::{Filter, Session};
use super::{clock, database, reply};

type Answer = Result<Response, Refusal>;

fn check_database(call: &Call) -> Result<(), Refusal> {
    database::check(call, "agno_sessions")
}

/// `GET /sessions`.
pub(crate) fn list(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let kind = query.kind();
    let page = Page::read(&mut query);
    let ascending = query.ascending();
    query.done()?;
    check_database(call)?;
    let (limit, offset) = page.window()?;
    let (sessions, total) = os.store.page(&Filter {
        kind,
        component_id: call.text("component_id"),
        user_id: call.user()?,
        name: call.text("session_name"),
        sort_by: call.text("sort_by").or(Some("created_at")),
        ascending,
        limit,
        offset,
    })?;
    let mut data = Vec::with_capacity(sessions.len());
    for session in &sessions {
        data.push(Value::Object(shape::session_item(session, os.store.session_name(session)?)));
    }
    Ok(page.answer(&data, total, 0.0))
}

/// `POST /sessions`.
pub(crate) fn create(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let kind = query.kind().unwrap_or(Kind::Agent);
    let mut fields = Fields::optional(body::read(call)?, query.problems());
    let id = fields.text("session_id");
    let name = fields.text("session_name");
    let state = fields.object("session_state");
    let metadata = fields.object("metadata");
    let user_id = fields.text("user_id");
    let ids = [fields.text("agent_id"), fields.text("team_id"), fields.text("workflow_id")];
    fields.done()?;
    check_database(call)?;
    // An empty id counts as none, after it was looked up.
    let id = id.filter(|id| !id.is_empty()).unwrap_or_else(|| Uuid::new_v4().to_string());
    let only = call.caller.only()?;
    if let Some(taken) = os.store.session(&id, None)? {
        // Whose it is, only those hear who may see it.
        if only.is_some() && taken.user_id.as_deref() != only {
            return Err(Refusal::conflict(
                "Could not create a session with the supplied session_id. Omit session_id to have one generated, or \
                 choose a different one.",
            ));
        }
        return Err(Refusal::Detail(
            StatusCode::CONFLICT,
            format!("Session with id '{id}' already exists. Use PATCH /sessions/{id} to update it."),
        ));
    }
    let mut session = Session::new(&id, kind, clock::epoch());
    let [agent_id, team_id, workflow_id] = ids;
    // Only the id that belongs to the kind is kept.
    match kind {
        Kind::Agent => session.agent_id = agent_id,
        Kind::Team => session.team_id = team_id,
        Kind::Workflow => session.workflow_id = workflow_id,
    }
    session.user_id = call.caller.user_of(user_id.as_deref())?;
    session.metadata = metadata.map(Value::Object);
    if let Some(state) = state {
        session.set_datum("session_state", Value::Object(state));
    }
    if let Some(name) = name {
        session.set_datum("session_name", json!(name));
    }
    if kind == Kind::Workflow {
        session.workflow_data = Some(json!({}));
        session.metadata.get_or_insert_with(|| json!({}));
        session.data.get_or_insert_default();
    }
    os.store.put_session(&session)?;
    detail(os, &session, kind, StatusCode::CREATED, false)
}

/// `GET /sessions/{session_id}`.
pub(crate) fn get(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let kind = query.kind();
    query.done()?;
    check_database(call)?;
    let id = call.param("session_id");
    let Some(session) = os.store.session(id, call.user()?)? else {
        let kind = kind.map_or_else(String::new, |kind| format!("{} ", kind.title()));
        return Err(Refusal::not_found(format!("{kind}Session with id '{id}' not found")));
    };
    detail(os, &session, kind.unwrap_or(session.kind), StatusCode::OK, false)
}

/// `PATCH /sessions/{session_id}`: what is sent replaces what was there.
pub(crate) fn update(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let _ = query.kind();
    let mut fields = Fields::required(body::read(call)?, query.problems());
    let name = fields.text("session_name");
    let state = fields.object("session_state");
    let metadata = fields.object("metadata");
    let summary = fields.object("summary");
    fields.done()?;
    let mut session = find(os, call)?;
    if let Some(name) = name {
        session.set_datum("session_name", json!(name));
    }
    if let Some(state) = state {
        session.set_datum("session_state", Value::Object(state));
    }
    if let Some(metadata) = metadata {
        session.metadata = Some(Value::Object(metadata));
    }
    if let Some(summary) = summary {
        // agno 3.1.10 builds an object of these very fields and fails on any other.
        let known = summary.keys().all(|key| matches!(key.as_str(), "summary" | "topics" | "updated_at"));
        if !known || !summary.contains_key("summary") {
            return Err(Refusal::Unhandled("TypeError"));
        }
        // Sessions of workflows have no summary: it is checked and forgotten.
        session.summary =
            (session.kind != Kind::Workflow).then_some(Value::Object(shape::without_nulls(summary)));
    }
    changed(os, session)
}

/// `POST /sessions/{session_id}/rename`.
pub(crate) fn rename(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let _ = query.kind();
    let mut fields = Fields::embedded(body::read(call)?, query.problems());
    let name = fields.required_text("session_name");
    fields.done()?;
    let mut session = find(os, call)?;
    session.set_datum("session_name", json!(name));
    changed(os, session)
}

/// `DELETE /sessions/{session_id}`: says the same whether or not there was anything to delete.
pub(crate) fn delete(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let media = query.flag("delete_media");
    query.done()?;
    check_database(call)?;
    refuse_media(media)?;
    os.store.delete_sessions(&[call.param("session_id").to_owned()], call.user()?)?;
    Ok(reply::no_content())
}

/// `DELETE /sessions` with a JSON body. The types must be there and are not looked at.
pub(crate) fn delete_many(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let media = query.flag("delete_media");
    let mut fields = Fields::required(body::read(call)?, query.problems());
    let ids = fields.list("session_ids", |at, value| match value {
        Value::String(id) => Ok(id.clone()),
        other => Err(Problem::string(at, other)),
    });
    let kinds = fields.list("session_types", |at, value| {
        value.as_str().and_then(Kind::parse).ok_or_else(|| Problem::choice(at, value, Kind::EXPECTED))
    });
    fields.done()?;
    if ids.len() != kinds.len() {
        return Err(Refusal::bad_request("Session IDs and session types must have the same length"));
    }
    check_database(call)?;
    refuse_media(media)?;
    os.store.delete_sessions(&ids, call.user()?)?;
    Ok(reply::no_content())
}

/// `GET /sessions/{session_id}/runs`.
pub(crate) fn runs(os: &Os, call: &Call) -> Answer {
    let runs: Vec<Object> = listed_runs(os, call)?.into_iter().map(shape::without_nulls).collect();
    Ok(reply::ok(&runs))
}

/// `GET /sessions/{session_id}/run-previews`.
pub(crate) fn previews(os: &Os, call: &Call) -> Answer {
    let runs: Vec<Object> = listed_runs(os, call)?.iter().map(shape::preview).collect();
    Ok(reply::ok(&runs))
}

/// `GET /sessions/{session_id}/runs/{run_id}`: the one place where nulls are sent.
pub(crate) fn run(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let _ = query.kind();
    query.done()?;
    check_database(call)?;
    let (id, run_id) = (call.param("session_id"), call.param("run_id"));
    if os.store.session(id, call.user()?)?.is_none() {
        return Err(Refusal::not_found(format!("Session with ID {id} not found")));
    }
    if let Some(document) = os.store.run(id, run_id)? {
        return Ok(reply::ok(&shape::session_run(&document)));
    }
    Err(Refusal::not_found(if os.store.runs(id)?.is_empty() {
        format!("Session with ID {id} has no runs")
    } else {
        format!("Run with ID {run_id} not found in session {id}")
    }))
}

fn listed_runs(os: &Os, call: &Call) -> Result<Vec<Object>, Refusal> {
    let mut query = Query::new(call);
    let kind = query.kind();
    let after = query.integer("created_after", None);
    let before = query.integer("created_before", None);
    query.done()?;
    let statuses: Vec<String> = call.texts("status").iter().map(|status| status.to_uppercase()).collect();
    let mut unknown: Vec<_> =
        statuses.iter().filter(|status| !Status::WORDS.contains(&status.as_str())).collect();
    if !unknown.is_empty() {
        unknown.sort_unstable();
        unknown.dedup();
        return Err(Refusal::bad_request(format!(
            "Invalid status value(s) {}; expected one of {}",
            python::repr(&json!(unknown)),
            python::repr(&json!(Status::WORDS)),
        )));
    }
    check_database(call)?;
    let id = call.param("session_id");
    let Some(session) = os.store.session(id, call.user()?)? else {
        return Err(Refusal::not_found(format!("Session with ID {id} not found")));
    };
    let mut runs = os.store.runs(id)?;
    runs.retain(|run| {
        let created = i128::from(run["created_at"].as_i64().unwrap_or(0));
        let status = run["status"].as_str().unwrap_or_default();
        after.is_none_or(|after| created >= after)
            && before.is_none_or(|before| created <= before)
            && (statuses.is_empty() || statuses.iter().any(|wanted| wanted == status))
    });
    let kind = kind.unwrap_or(session.kind);
    Ok(runs.iter().filter_map(|run| shape::listed_run(run, kind)).collect())
}

/// `GET /sessions/{session_id}/media/{storage_key}`: nothing is stored outside of the database.
pub(crate) fn media(_: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    query.kind();
    query.flag("redirect");
    query.done()?;
    no_media()
}

fn no_media() -> Answer {
    let detail = "Media storage is not configured on AgentOS".to_owned();
    Err(Refusal::Detail(StatusCode::SERVICE_UNAVAILABLE, detail))
}

fn refuse_media(media_too: bool) -> Result<(), Refusal> {
    if media_too { no_media().map(|_| ()) } else { Ok(()) }
}

fn find(os: &Os, call: &Call) -> Result<Session, Refusal> {
    check_database(call)?;
    let id = call.param("session_id");
    os.store
        .session(id, call.user()?)?
        .ok_or_else(|| Refusal::not_found(format!("Session with id '{id}' not found")))
}

/// Stores a changed session and shows it, nulls and all.
fn changed(os: &Os, mut session: Session) -> Answer {
    session.updated_at = clock::epoch();
    os.store.put_session(&session)?;
    detail(os, &session, session.kind, StatusCode::OK, true)
}

/// A session in full, with nulls or without. What was said in it comes as text from the database.
fn detail(os: &Os, session: &Session, kind: Kind, status: StatusCode, nulls: bool) -> Answer {
    let mut fields = shape::session_detail(session, kind, &os.store.session_name(session)?);
    if !nulls {
        fields = shape::without_nulls(fields);
    }
    if kind == Kind::Workflow {
        return Ok(reply::json(status, &fields));
    }
    Ok(reply::spliced(status, &fields, "chat_history", &os.store.chat_history(&session.id)?))
}
