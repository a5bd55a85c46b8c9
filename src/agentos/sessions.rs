//! Sessions: the stored conversations of agents, teams and workflows.
//!
//! [`GetSessions`] lists them page by page, with filters; [`GetSession`] and [`GetSessionRuns`] read one. They can be
//! made beforehand ([`CreateSession`], with a state), named, changed, cleared and deleted. To every deletion the server
//! says 204, whether anything was deleted or not: `verify` looks.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::sessions::{DeleteSession, GetSessions};
//! let mine = GetSessions { user_id: Some("ada".into()), limit: Some(50), ..GetSessions::default() };
//! let page = client.send(&mine).await?;
//! println!("{:?} in all", page.meta.total_count);
//! for session in page.data {
//!     let delete = DeleteSession { session_id: session.session_id, verify: true, ..DeleteSession::default() };
//!     client.send(&delete).await?;
//! }
//! # Ok(())
//! # }
//! ```

pub mod clear;
pub mod create;
pub mod delete;
pub mod read;
pub mod update;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::clear::{ClearSession, ClearStrategy};
pub use self::create::CreateSession;
pub use self::delete::{DeleteSession, DeleteSessions};
pub use self::read::{
    GetSession, GetSessionRun, GetSessionRunPreviews, GetSessionRuns, GetSessions, SortOrder,
};
pub use self::update::{RenameSession, UpdateSession};
use super::answer::Timestamp;

/// What kind of component a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SessionType {
    Agent,
    Team,
    Workflow,
}

impl SessionType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Team, Self::Workflow];

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Team => "team",
            Self::Workflow => "workflow",
        }
    }

    /// The field of a session that names its component.
    pub fn component_field(self) -> &'static str {
        match self {
            Self::Agent => "agent_id",
            Self::Team => "team_id",
            Self::Workflow => "workflow_id",
        }
    }
}

/// An entry of the list of sessions.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionSummary {
    /// Its id.
    pub session_id: String,
    /// Its name; without one of its own, the first message.
    pub session_name: Option<String>,
    /// What kind it is of.
    pub session_type: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// The agent, if it is an agent's.
    pub agent_id: Option<String>,
    /// The team, if it is a team's.
    pub team_id: Option<String>,
    /// The workflow, if it is a workflow's.
    pub workflow_id: Option<String>,
    /// Its state.
    pub session_state: Option<Map<String, Value>>,
    /// Its metadata.
    pub metadata: Option<Map<String, Value>>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A session. `chat_history` is of agents and teams only, `session_data` and `workflow_data` of workflows; all three
/// are in `other`.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionDetail {
    /// Its id.
    pub session_id: String,
    /// Its name; without one of its own, the first message.
    pub session_name: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// The agent, if it is an agent's.
    pub agent_id: Option<String>,
    /// The team, if it is a team's.
    pub team_id: Option<String>,
    /// The workflow, if it is a workflow's.
    pub workflow_id: Option<String>,
    /// Its state.
    pub session_state: Option<Map<String, Value>>,
    /// Its metadata.
    pub metadata: Option<Map<String, Value>>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A run as a session stores it. It differs from what running answers ([`crate::agentos::run::RunOutput`]): the input is
/// a text, there is no `session_id`, and times are ISO 8601.
#[derive(Debug, Clone, Deserialize)]
pub struct SessionRun {
    /// Its id.
    pub run_id: String,
    /// The run that this one is a part of; empty or left out for none.
    pub parent_run_id: Option<String>,
    /// `COMPLETED`, `ERROR`, `CANCELLED`, `PAUSED`, ...
    pub status: Option<String>,
    /// The message.
    pub run_input: Option<String>,
    /// What it answered: a text, or an object where there is a schema.
    pub content: Option<Value>,
    /// The first 280 characters of it, in previews.
    pub content_preview: Option<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
