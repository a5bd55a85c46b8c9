//! Clearing by deleting a session and creating it anew.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::ClearSession;
use super::backup::Backup;
use crate::agentos::error::{Error, ErrorKind};
use crate::agentos::operation::{Call, Operation, Payload};
use crate::agentos::sessions::{
    CreateSession, DeleteSession, GetSession, GetSessionRuns, GetSessions, SessionType,
};
use crate::agentos::transport::{CallOptions, Client, Exchange, SentRequest};

/// Before which attempts to create the session anew how long to wait: the server may just be starting again.
const ATTEMPTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1)];

/// How many pages of the list are read to find out whether a session has a name of its own.
const PAGES: u32 = 20;

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
        if !named && backup_title(&exchange).is_none() {
            exchange.notes.push("its title was that of its first message and is gone with it".to_owned());
        }
    }
    Ok(exchange)
}

fn backup_title(exchange: &Exchange) -> Option<String> {
    let body = exchange.json()?;
    body.get("session_name")?.as_str().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// What is read before anything is deleted. An answer that is a refusal ends the matter: nothing has happened yet.
struct Reader<'a> {
    clear: &'a ClearSession,
    client: &'a Client,
    options: &'a CallOptions,
}

impl Reader<'_> {
    async fn get(&self, kind: Option<SessionType>) -> Result<Exchange, Error> {
        let get = GetSession {
            session_id: self.clear.session_id.clone(),
            r#type: kind,
            user_id: self.clear.user_id.clone(),
            db_id: self.clear.db_id.clone(),
            table: None,
        };
        self.client.exchange(&get.call()?, self.options).await
    }

    /// The session and its true kind. agno answers 200 in the wrong shape to the wrong kind, and before 2.6 takes every
    /// session for an agent's that is asked for without one: only the field of the component tells.
    async fn session(&self) -> Result<Result<(Value, SessionType), Exchange>, Error> {
        let plain = self.get(None).await?;
        if plain.status != 200 {
            return Ok(Err(plain));
        }
        let of =
            |body: &Value, kind: SessionType| body.get(kind.component_field()).is_some_and(|id| !empty(id));
        let body = object(&plain)?;
        if let Some(kind) = SessionType::ALL.into_iter().find(|kind| of(&body, *kind)) {
            return Ok(Ok((body, kind)));
        }
        for kind in [SessionType::Team, SessionType::Workflow] {
            let typed = self.get(Some(kind)).await?;
            if typed.status == 200
                && let Ok(body) = object(&typed)
                && of(&body, kind)
            {
                return Ok(Ok((body, kind)));
            }
        }
        // A session may belong to no component at all.
        let shape = if body.get("workflow_data").is_some() {
            SessionType::Workflow
        } else if body.get("agent_session_id").is_some() {
            SessionType::Agent
        } else {
            SessionType::Team
        };
        Ok(Ok((body, self.clear.r#type.unwrap_or(shape))))
    }

    async fn runs(&self, kind: SessionType) -> Result<Result<Value, Exchange>, Error> {
        let get = GetSessionRuns {
            session_id: self.clear.session_id.clone(),
            r#type: Some(kind),
            user_id: self.clear.user_id.clone(),
            db_id: self.clear.db_id.clone(),
            ..GetSessionRuns::default()
        };
        let mut exchange = self.client.exchange(&get.call()?, self.options).await?;
        match exchange.json() {
            Some(runs @ Value::Array(_)) if exchange.status == 200 => Ok(Ok(runs)),
            _ => {
                exchange.notes.push("the session was not cleared: its runs could not be saved".to_owned());
                Ok(Err(exchange))
            }
        }
    }

    /// Whether the session has a name of its own. Without one, the server shows the first message in its place; only
    /// the filter of the list knows the difference.
    async fn has_own_name(&self, session: &Value, kind: SessionType, runs: &Value) -> Result<bool, Error> {
        let Some(name) = session.get("session_name").and_then(Value::as_str).filter(|name| !name.is_empty())
        else {
            return Ok(false);
        };
        if let Some(data) = session.get("session_data").and_then(Value::as_object) {
            return Ok(data.get("session_name").is_some_and(|name| !empty(name)));
        }
        let is_a_message = || {
            let mut inputs = runs.as_array().into_iter().flatten().filter_map(|run| run.get("run_input"));
            inputs.any(|input| input.as_str() == Some(name))
        };
        // Some databases take a backslash for an escape.
        if name.contains('\\') {
            return Ok(!is_a_message());
        }
        for page in 1..=PAGES {
            let list = GetSessions {
                r#type: Some(kind),
                component_id: text(session, kind.component_field()),
                user_id: text(session, "user_id"),
                session_name: Some(name.to_owned()),
                limit: Some(100),
                page: Some(page),
                db_id: self.clear.db_id.clone(),
                ..GetSessions::default()
            };
            let exchange = self.client.exchange(&list.call()?, self.options).await?;
            let body = exchange.json().unwrap_or_default();
            let Some(entries) = body.get("data").and_then(Value::as_array) else {
                return Ok(!is_a_message());
            };
            let id = Some(self.clear.session_id.as_str());
            if entries.iter().any(|entry| entry.get("session_id").and_then(Value::as_str) == id) {
                return Ok(true);
            }
            if entries.len() < 100 {
                return Ok(false);
            }
        }
        Ok(!is_a_message())
    }
}

/// What is done from the moment on where the session is saved.
struct Work {
    client: Client,
    options: CallOptions,
    delete: DeleteSession,
    create: CreateSession,
    call: Call,
    backup: Backup,
    kind: SessionType,
    request: SentRequest,
}

impl Work {
    async fn run(self) -> Result<Exchange, Error> {
        let folder = self.client.recovery_dir().to_owned();
        let (work, written) = tokio::task::spawn_blocking(move || {
            let written = self.backup.write(&folder).map_err(|error| (folder, error));
            (self, written)
        })
        .await
        .map_err(|error| Error { kind: ErrorKind::Recovery(error.to_string()), request: None })?;
        let file = written.map_err(|(folder, error)| {
            Error::invalid(format!(
                "session `{}` was not cleared: it cannot be saved to {} first: {error}",
                work.delete.session_id,
                folder.display()
            ))
        })?;
        work.replace(&file).await
    }

    async fn replace(&self, file: &Path) -> Result<Exchange, Error> {
        let id = &self.delete.session_id;
        let deleted = match self.client.exchange(&self.delete.call()?, &self.options).await {
            Ok(exchange) if exchange.is_success() => None,
            Ok(mut refusal) => {
                discard(file);
                refusal.notes.push("the session was not cleared: it could not be deleted".to_owned());
                return Ok(refusal);
            }
            // The server may have deleted it all the same: creating it will tell.
            Err(error) => Some(error),
        };
        let mut last = String::new();
        let mut created = None;
        for (attempt, wait) in ATTEMPTS.into_iter().enumerate() {
            tokio::time::sleep(wait).await;
            match self.client.exchange(&self.call, &self.options).await {
                Ok(exchange) if exchange.is_success() => {
                    created = Some(exchange);
                    break;
                }
                // 409: it is there. At the first attempt the old one, later perhaps ours.
                Ok(exchange) if exchange.status == 409 && attempt == 0 => {
                    discard(file);
                    let kind = deleted.map_or_else(
                        || {
                            ErrorKind::Unconfirmed(format!(
                                "the server said that it deleted session `{id}`, but it is still there: it was not \
                                 cleared"
                            ))
                        },
                        |error| error.kind,
                    );
                    return Err(Error { kind, request: Some(Box::new(self.request.clone())) });
                }
                Ok(exchange) if exchange.status == 409 => {
                    created = Some(exchange);
                    break;
                }
                Ok(exchange) => last = format!("{}: {}", exchange.status, exchange.refusal()),
                Err(error) => last = error.to_string(),
            }
        }
        let Some(mut created) = created else {
            return Err(self.lost(file, &format!("it was deleted, but cannot be created anew: {last}")));
        };
        let compared = self.compare().await.map_err(|why| {
            self.lost(file, &format!("it was deleted and created anew without its runs, but {why}"))
        })?;
        discard(file);
        created.status = 200;
        created.body = compared.body;
        created.headers = compared.headers;
        Ok(created)
    }

    /// Reads the new session and holds it against the old one.
    async fn compare(&self) -> Result<Exchange, String> {
        let get = GetSession {
            session_id: self.delete.session_id.clone(),
            r#type: Some(self.kind),
            user_id: self.delete.user_id.clone(),
            db_id: self.delete.db_id.clone(),
            table: None,
        };
        let runs = GetSessionRuns {
            session_id: get.session_id.clone(),
            r#type: get.r#type,
            user_id: get.user_id.clone(),
            db_id: get.db_id.clone(),
            ..GetSessionRuns::default()
        };
        let read = |call: Result<Call, Error>| async move {
            let exchange = self.client.exchange(&call?, &self.options).await?;
            Ok::<_, Error>((exchange.json().unwrap_or_default(), exchange))
        };
        let unread = |error: Error| format!("it cannot be read: {error}");
        let (new, exchange) = read(get.call()).await.map_err(unread)?;
        let (new_runs, _) = read(runs.call()).await.map_err(unread)?;
        if exchange.status != 200 {
            return Err(format!("it cannot be read: {}: {}", exchange.status, exchange.refusal()));
        }
        if !new_runs.as_array().is_some_and(Vec::is_empty) {
            return Err("it still has runs: something else uses it".to_owned());
        }
        let old = &self.backup.session;
        let mut fields = vec!["user_id", self.kind.component_field(), "metadata"];
        fields.extend(self.create.session_name.as_ref().map(|_| "session_name"));
        let differs = |field: &&str| !same(old.get(*field), new.get(*field));
        let mut different: Vec<&str> = fields.into_iter().filter(differs).collect();
        if !same(state(old).as_ref(), state(&new).as_ref()) {
            different.push("session_state");
        }
        if different.is_empty() {
            return Ok(exchange);
        }
        Err(format!("{} is not as it was", different.join(", ")))
    }

    fn lost(&self, file: &Path, what: &str) -> Error {
        const LONGEST: usize = 2000;
        let curl = self.backup.create.curl();
        let by_hand = match curl.len() {
            ..LONGEST => format!("run `{curl}`"),
            _ => "run what stands under `restore` in that file".to_owned(),
        };
        let message = format!(
            "clearing session `{}`: {what}. All of it, its runs too, is saved in {}. To create the session again, \
             without its runs, which no request can restore, {by_hand} (with the server's authorization, if it needs one)",
            self.delete.session_id,
            file.display()
        );
        Error { kind: ErrorKind::Recovery(message), request: Some(Box::new(self.request.clone())) }
    }
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

/// The state of a session. Before agno 3 a workflow's session has it in its data only.
fn state(session: &Value) -> Option<Value> {
    let own = session.get("session_state").filter(|state| !empty(state));
    own.or_else(|| session.pointer("/session_data/session_state")).cloned()
}

fn into_map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) if !map.is_empty() => Some(map),
        _ => None,
    }
}

fn text(session: &Value, field: &str) -> Option<String> {
    session.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Servers differ in whether they leave out what is not there, or write null or nothing for it.
fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn same(old: Option<&Value>, new: Option<&Value>) -> bool {
    old.filter(|value| !empty(value)) == new.filter(|value| !empty(value))
}

fn object(exchange: &Exchange) -> Result<Value, Error> {
    exchange.json().filter(Value::is_object).ok_or_else(|| Error {
        kind: ErrorKind::Unreadable("it is no session".to_owned()),
        request: Some(Box::new(exchange.request.clone())),
    })
}

/// The request as it may stand in a file.
fn without_secrets(mut request: SentRequest) -> SentRequest {
    request.headers.retain(|(name, _)| name == "content-type");
    debug_assert!(matches!(request.payload, Payload::Json(_)), "sessions are created with JSON");
    request
}

fn discard(file: &Path) {
    // It has served its purpose; if it cannot be removed, it does no harm.
    let _ = std::fs::remove_file(PathBuf::from(file));
}
