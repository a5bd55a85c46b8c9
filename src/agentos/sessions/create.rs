//! Creating sessions, never over an existing one.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{GetSession, SessionDetail, SessionType};
use crate::agentos::error::Error;
use crate::agentos::operation::{Body, BoxFuture, Call, Method, Operation, Resource, Spec};
use crate::agentos::transport::{CallOptions, Client, Exchange};

/// Creates a session without runs.
///
/// Where `session_id` is given, the session is looked for first: agno before 2.7.4 answers 201 to an id that exists and
/// deletes the runs of the session that has it. Such an id is answered 409 on every version, as agno 3.1 does. The
/// server does not check whether the agent, team or workflow exists. Ids with a `/` can be created, but never be
/// addressed again.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// Its id; without it, the server makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What kind of session: without it, `team` where there is a `team_id`, `workflow` where there is a `workflow_id`,
    /// otherwise `agent`.
    #[serde(alias = "session_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["session_type"]))]
    pub r#type: Option<SessionType>,
    /// Its name; without it, it shows its first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_name: Option<String>,
    /// Whose it is. Since agno 3, only runs of the same user may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The agent that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The team that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// The workflow that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Its state to begin with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_state: Option<Map<String, Value>>,
    /// Its metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
}

impl CreateSession {
    /// The kind of session that it creates.
    pub fn session_type(&self) -> SessionType {
        match (&self.r#type, &self.team_id, &self.workflow_id) {
            (Some(given), _, _) => *given,
            (None, Some(_), _) => SessionType::Team,
            (None, None, Some(_)) => SessionType::Workflow,
            (None, None, None) => SessionType::Agent,
        }
    }
}

impl Operation for CreateSession {
    const SPEC: Spec = Spec {
        query: &["type", "db_id"],
        body: Body::Json,
        ..Spec::new("create_session", Resource::Sessions, Method::Post, "/sessions")
    };
    type Answer = SessionDetail;

    fn call(&self) -> Result<Call, Error> {
        let typed = Self { r#type: Some(self.session_type()), ..self.clone() };
        Call::of(&Self::SPEC, &typed)
    }

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let call = self.call()?;
            let Some(session_id) = self.session_id.as_deref().filter(|id| addressable(id)) else {
                return client.exchange(&call, options).await;
            };
            // Without the user: another user's session would be lost just the same.
            let look = GetSession {
                session_id: session_id.to_owned(),
                db_id: self.db_id.clone(),
                ..GetSession::default()
            };
            let mut found = client.exchange(&look.call()?, options).await?;
            match found.status {
                404 => client.exchange(&call, options).await,
                200 => Ok(conflict(client, &call, options, session_id, found.duration)?),
                _ => {
                    found.notes.push(format!(
                        "session `{session_id}` was not created: whether it exists could not be told"
                    ));
                    Ok(found)
                }
            }
        })
    }
}

/// Whether a session of this id can be asked for at all.
fn addressable(id: &str) -> bool {
    !id.is_empty() && !id.contains('/') && id != "." && id != ".."
}

/// What agno 3.1 answers to an id that exists.
fn conflict(
    client: &Client,
    call: &Call,
    options: &CallOptions,
    id: &str,
    duration: Duration,
) -> Result<Exchange, Error> {
    let detail = format!("Session with id '{id}' already exists. Use PATCH /sessions/{id} to update it.");
    Ok(Exchange {
        request: client.dry_run(call, options)?,
        status: 409,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: json!({ "detail": detail }).to_string().into(),
        first_byte: duration,
        duration,
        notes: vec![
            "the session was found, so nothing was sent: agno before 2.7.4 would have deleted its runs"
                .to_owned(),
        ],
    })
}
