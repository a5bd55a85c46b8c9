//! Clearing a session: its runs go, the session stays. No released AgentOS can do that, so it is done with what there
//! is, in a way that loses nothing if it fails halfway.

mod backup;
mod read;
mod recreate;
mod replace;
mod shape;

use std::sync::atomic::Ordering;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SessionDetail, SessionType};
use crate::agentos::error::Error;
use crate::agentos::operation::{BoxFuture, Effect, Method, Operation, Resource, Spec};
use crate::agentos::transport::{CallOptions, Client, Exchange};

/// Removes the runs of a session and keeps the session.
///
/// No released AgentOS has `POST /sessions/{id}/clear`, although it is documented. Where the server does not know the
/// route, the session is read, saved to a file, deleted, created anew with the same id, type, agent (team, workflow),
/// user, name, state and metadata, and compared; then the file is removed. If that fails halfway, the session is created
/// again if possible, and the error says where the file is and how to restore by hand.
///
/// What creating anew cannot keep: `created_at`, metrics, the summary of the conversation, and media. A title that is
/// only the first message is not kept as a name. Nothing else may use the session meanwhile. A session that does not
/// exist is answered 404.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearSession {
    /// The session.
    pub session_id: String,
    /// The kind of session; it is found out where it is not given.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Only if it belongs to this user: another user's session is 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// How; the default is `auto`. Not sent to the server.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = "auto"))]
    pub strategy: ClearStrategy,
}

/// How a session is cleared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClearStrategy {
    /// By the server's own route where it has one, by creating the session anew where it has not.
    #[default]
    Auto,
    /// Only by the server's own route, whatever it answers.
    Endpoint,
    /// Only by creating the session anew.
    Recreate,
}

impl Operation for ClearSession {
    const SPEC: Spec = Spec {
        query: &["type", "user_id", "db_id"],
        effect: Effect::Delete,
        ..Spec::new("clear_session", Resource::Sessions, Method::Post, "/sessions/{session_id}/clear")
    };
    type Answer = SessionDetail;

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let call = self.call()?;
            let known_missing = client.no_clear_route().load(Ordering::Relaxed);
            let ask = match self.strategy {
                ClearStrategy::Auto => !known_missing,
                ClearStrategy::Endpoint => true,
                ClearStrategy::Recreate => false,
            };
            if ask {
                let exchange = client.exchange(&call, options).await?;
                if self.strategy == ClearStrategy::Endpoint || !is_missing_route(&exchange) {
                    return Ok(exchange);
                }
                client.no_clear_route().store(true, Ordering::Relaxed);
            }
            recreate::run(self, client, options).await
        })
    }
}

/// Whether the server says that it has no such route, and not that it has no such session.
fn is_missing_route(exchange: &Exchange) -> bool {
    let detail = exchange.json().and_then(|body| Some(body.get("detail")?.as_str()?.to_owned()));
    match exchange.status {
        405 => true,
        404 => detail.is_none_or(|detail| detail == "Not Found"),
        _ => false,
    }
}
