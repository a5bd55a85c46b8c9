//! Deleting sessions, and seeing whether they are gone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GetSession, SessionType};
use crate::agentos::error::Error;
use crate::agentos::operation::{Body, BoxFuture, Call, Method, Operation, Resource, Spec, confirm_gone};
use crate::agentos::transport::{CallOptions, Client, Exchange};

/// Deletes a session with its runs.
///
/// The server answers 204 in every case: also for a session that does not exist, and for another user's, which it
/// leaves where it is. `verify` tells.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSession {
    /// The session.
    pub session_id: String,
    /// Only if it belongs to this user. Ignored before agno 2.5: it is deleted then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Whether its stored media are deleted too; the server's default is false, and without a storage of media it
    /// answers 503 to true. Not before agno 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_media: Option<bool>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Whether to look for the session afterwards: if it is still there, that is an error. Not sent to the server.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = false))]
    pub verify: bool,
}

impl Operation for DeleteSession {
    const SPEC: Spec = Spec {
        query: &["user_id", "delete_media", "db_id", "table"],
        ..Spec::new("delete_session", Resource::Sessions, Method::Delete, "/sessions/{session_id}")
    };
    type Answer = ();

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let exchange = client.exchange(&self.call()?, options).await?;
            if self.verify && exchange.is_success() {
                let gone = Gone { client, options, db_id: &self.db_id, table: &self.table };
                gone.check(&self.session_id).await?;
            }
            Ok(exchange)
        })
    }
}

/// Deletes several sessions with their runs.
///
/// The server answers 204 also where some do not exist, and does not look at the types. An empty list is answered 422.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSessions {
    /// The sessions.
    pub session_ids: Vec<String>,
    /// The kind of each, in the same order; one alone is for all of them. Without it, `agent` is sent for each. As many
    /// as sessions, otherwise the server answers 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_types: Option<Vec<SessionType>>,
    /// Only those of this user. Since agno 2.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Whether their stored media are deleted too; the server's default is false. Not before agno 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_media: Option<bool>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Whether to look for the sessions afterwards: if one is still there, that is an error. Not sent to the server.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = false))]
    pub verify: bool,
}

impl Operation for DeleteSessions {
    const SPEC: Spec = Spec {
        aliases: &["bulk_delete_sessions"],
        query: &["user_id", "delete_media", "db_id", "table"],
        body: Body::Json,
        ..Spec::new("delete_sessions", Resource::Sessions, Method::Delete, "/sessions")
    };
    type Answer = ();

    fn call(&self) -> Result<Call, Error> {
        let count = self.session_ids.len();
        let types = match self.session_types.as_deref() {
            None => vec![SessionType::Agent; count],
            Some([one]) => vec![*one; count],
            Some(several) => several.to_vec(),
        };
        Call::of(&Self::SPEC, &Self { session_types: Some(types), ..self.clone() })
    }

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let exchange = client.exchange(&self.call()?, options).await?;
            if self.verify && exchange.is_success() {
                let gone = Gone { client, options, db_id: &self.db_id, table: &self.table };
                for session_id in &self.session_ids {
                    gone.check(session_id).await?;
                }
            }
            Ok(exchange)
        })
    }
}

/// The question whether sessions are gone.
struct Gone<'a> {
    client: &'a Client,
    options: &'a CallOptions,
    db_id: &'a Option<String>,
    table: &'a Option<String>,
}

impl Gone<'_> {
    async fn check(&self, session_id: &str) -> Result<(), Error> {
        // Without the user: the session of another one is just what the server leaves.
        let look = GetSession {
            session_id: session_id.to_owned(),
            db_id: self.db_id.clone(),
            table: self.table.clone(),
            ..GetSession::default()
        };
        confirm_gone(self.client, self.options, &look.call()?, &format!("session `{session_id}`")).await
    }
}
