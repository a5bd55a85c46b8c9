//! Reading all of a session before it is deleted.

use serde_json::Value;

use super::ClearSession;
use super::shape::{empty, text};
use crate::agentos::error::{Error, ErrorKind};
use crate::agentos::operation::Operation;
use crate::agentos::sessions::{GetSession, GetSessionRuns, GetSessions, SessionType};
use crate::agentos::transport::{CallOptions, Client, Exchange};

/// How many pages of the list are read to find out whether a session has a name of its own.
const PAGES: u32 = 20;

/// What is read before anything is deleted. An answer that is a refusal ends the matter: nothing has happened yet.
pub(super) struct Reader<'a> {
    pub(super) clear: &'a ClearSession,
    pub(super) client: &'a Client,
    pub(super) options: &'a CallOptions,
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
    pub(super) async fn session(&self) -> Result<Result<(Value, SessionType), Exchange>, Error> {
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

    pub(super) async fn runs(&self, kind: SessionType) -> Result<Result<Value, Exchange>, Error> {
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
    pub(super) async fn has_own_name(
        &self,
        session: &Value,
        kind: SessionType,
        runs: &Value,
    ) -> Result<bool, Error> {
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

fn object(exchange: &Exchange) -> Result<Value, Error> {
    exchange.json().filter(Value::is_object).ok_or_else(|| Error {
        kind: ErrorKind::Unreadable("it is no session".to_owned()),
        request: Some(Box::new(exchange.request.clone())),
    })
}
