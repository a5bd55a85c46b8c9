//! Deleting a saved session, creating it anew, and holding it against what was saved.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::backup::Backup;
use super::shape::{same, state};
use crate::agentos::error::{Error, ErrorKind};
use crate::agentos::operation::{Call, Operation};
use crate::agentos::sessions::{CreateSession, DeleteSession, GetSession, GetSessionRuns, SessionType};
use crate::agentos::transport::{CallOptions, Client, Exchange, SentRequest};

/// Before which attempts to create the session anew how long to wait: the server may just be starting again.
const ATTEMPTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(300), Duration::from_secs(1)];

/// What is done from the moment on where the session is saved.
pub(super) struct Work {
    pub(super) client: Client,
    pub(super) options: CallOptions,
    pub(super) delete: DeleteSession,
    pub(super) create: CreateSession,
    pub(super) call: Call,
    pub(super) backup: Backup,
    pub(super) kind: SessionType,
    pub(super) request: SentRequest,
}

impl Work {
    pub(super) async fn run(self) -> Result<Exchange, Error> {
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
        let unsure = match self.client.exchange(&self.delete.call()?, &self.options).await {
            Ok(exchange) if exchange.is_success() => None,
            Ok(mut refusal) => {
                discard(file);
                refusal.notes.push("the session was not cleared: it could not be deleted".to_owned());
                return Ok(refusal);
            }
            // The server may have deleted it all the same: creating it will tell.
            Err(error) => Some(error),
        };
        let mut created = match self.create().await {
            Ok(created) => created,
            Err(why) => {
                let deleted = match unsure {
                    None => "it was deleted".to_owned(),
                    Some(error) => format!("it may be deleted or not ({error})"),
                };
                return Err(self.lost(file, &format!("{deleted}, and cannot be created anew: {why}")));
            }
        };
        // The id exists: the old session is still there, or an earlier attempt made a new one after all.
        if created.status == 409 && self.has_old_runs().await {
            discard(file);
            let still_there = || {
                let id = &self.delete.session_id;
                ErrorKind::Unconfirmed(format!(
                    "the server said that it deleted session `{id}`, but it is still there: it was not cleared"
                ))
            };
            let kind = unsure.map_or_else(still_there, |error| error.kind);
            return Err(Error { kind, request: Some(Box::new(self.request.clone())) });
        }
        let compared = self.compare().await.map_err(|why| {
            self.lost(file, &format!("it was deleted and created anew without its runs, but {why}"))
        })?;
        discard(file);
        created.status = 200;
        created.body = compared.body;
        created.headers = compared.headers;
        Ok(created)
    }

    /// Creates the session, if need be in several attempts: the answer, 201 or 409.
    async fn create(&self) -> Result<Exchange, String> {
        let mut last = String::new();
        for wait in ATTEMPTS {
            tokio::time::sleep(wait).await;
            match self.client.exchange(&self.call, &self.options).await {
                Ok(exchange) if exchange.is_success() || exchange.status == 409 => return Ok(exchange),
                Ok(exchange) => last = format!("{}: {}", exchange.status, exchange.refusal()),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }

    /// Whether the session on the server has a run of the one that was to be deleted.
    async fn has_old_runs(&self) -> bool {
        let Ok(call) = self.get_runs().call() else { return false };
        let Ok(exchange) = self.client.exchange(&call, &self.options).await else { return false };
        let ids = |runs: &Value| -> Vec<Value> {
            runs.as_array().into_iter().flatten().filter_map(|run| run.get("run_id").cloned()).collect()
        };
        let old = ids(&self.backup.runs);
        ids(&exchange.json().unwrap_or_default()).iter().any(|id| old.contains(id))
    }

    fn get_runs(&self) -> GetSessionRuns {
        GetSessionRuns {
            session_id: self.delete.session_id.clone(),
            r#type: Some(self.kind),
            user_id: self.delete.user_id.clone(),
            db_id: self.delete.db_id.clone(),
            ..GetSessionRuns::default()
        }
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
        let read = |call: Result<Call, Error>| async move {
            let exchange = self.client.exchange(&call?, &self.options).await?;
            Ok::<_, Error>((exchange.json().unwrap_or_default(), exchange))
        };
        let unread = |error: Error| format!("it cannot be read: {error}");
        let (new, exchange) = read(get.call()).await.map_err(unread)?;
        let (new_runs, _) = read(self.get_runs().call()).await.map_err(unread)?;
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

fn discard(file: &Path) {
    // It has served its purpose; if it cannot be removed, it does no harm.
    let _ = std::fs::remove_file(file);
}
