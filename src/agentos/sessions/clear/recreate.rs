//! Clearing by deleting a session and creating it anew.

use std::time::Instant;

use serde_json::Value;

use super::ClearSession;
use super::backup::Backup;
use super::read::Reader;
use super::replace::Work;
use super::shape::{into_map, state, text};
use crate::agentos::error::{Error, ErrorKind};
use crate::agentos::operation::Operation;
use crate::agentos::sessions::{CreateSession, DeleteSession, SessionType};
use crate::agentos::transport::{CallOptions, Client, Exchange, SentRequest};

/// Reads, saves, deletes, creates, compares.
pub(super) async fn run(
    clear: &ClearSession,
    client: &Client,
    options: &CallOptions,
) -> Result<Exchange, Error> {
    let started = Instant::now();
    let reader = Reader { clear, client, options };
    let (session, kind) = match reader.session().await? {
        Ok(found) => found,
        Err(refusal) => return Ok(refusal),
    };
    let runs = match reader.runs(kind).await? {
        Ok(runs) => runs,
        Err(refusal) => return Ok(refusal),
    };
    let named = reader.has_own_name(&session, kind, &runs).await?;
    let titled = text(&session, "session_name").is_some();
    let create = creation(clear, kind, &session, named);
    let call = create.call()?;
    let request = client.dry_run(&call, options)?;
    let backup = Backup {
        session_id: clear.session_id.clone(),
        runs: runs.clone(),
        create: without_secrets(request.clone()),
        session,
    };
    let work = Work {
        client: client.clone(),
        options: options.clone(),
        delete: DeleteSession {
            session_id: clear.session_id.clone(),
            user_id: clear.user_id.clone(),
            db_id: clear.db_id.clone(),
            ..DeleteSession::default()
        },
        create,
        call,
        backup,
        kind,
        request,
    };
    // A task of its own: whoever gives up waiting must not stop it between deleting and creating.
    let done = tokio::spawn(work.run()).await;
    let mut exchange = done.map_err(|error| {
        let message = format!("clearing session `{}` was stopped: {error}", clear.session_id);
        Error { kind: ErrorKind::Recovery(message), request: None }
    })??;
    if exchange.status == 200 {
        let gone = runs.as_array().map_or(0, Vec::len);
        exchange.duration = started.elapsed();
        exchange.notes.insert(
            0,
            format!(
                "the server cannot clear sessions: this one was deleted with its runs ({gone}) and created anew; \
                 created_at, metrics, summary and media start over"
            ),
        );
        if titled && !named {
            exchange.notes.push("its title was that of its first message and is gone with it".to_owned());
        }
    }
    Ok(exchange)
}

/// How the session is created anew.
fn creation(clear: &ClearSession, kind: SessionType, session: &Value, named: bool) -> CreateSession {
    let component = text(session, kind.component_field());
    let (agent_id, team_id, workflow_id) = match kind {
        SessionType::Agent => (component, None, None),
        SessionType::Team => (None, component, None),
        SessionType::Workflow => (None, None, component),
    };
    CreateSession {
        session_id: Some(clear.session_id.clone()),
        r#type: Some(kind),
        session_name: text(session, "session_name").filter(|_| named),
        user_id: text(session, "user_id"),
        agent_id,
        team_id,
        workflow_id,
        session_state: state(session).and_then(into_map),
        metadata: session.get("metadata").cloned().and_then(into_map),
        db_id: clear.db_id.clone(),
    }
}

/// The request as it may stand in a file.
fn without_secrets(mut request: SentRequest) -> SentRequest {
    request.headers.retain(|(name, _)| name == "content-type");
    request
}
