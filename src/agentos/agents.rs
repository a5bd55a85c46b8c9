//! Agents: what they are, running them, their runs.
//!
//! [`RunAgent`] asks an agent something. A session that does not exist is created, and the answer names it; who gives
//! its id again goes on with the conversation. A run that waits for a person has the status `PAUSED` and is continued
//! with [`ContinueAgentRun`]; [`ListAgentRuns`] and [`GetAgentRun`] read what is stored.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::agents::RunAgent;
//! let ask = RunAgent {
//!     agent_id: "assistant".into(),
//!     message: "What is the capital of France?".into(),
//!     user_id: Some("ada".into()),
//!     ..RunAgent::default()
//! };
//! let answer = client.send(&ask).await?;
//! println!("{:?} {:?} in session {:?}", answer.status, answer.content, answer.session_id);
//! # Ok(())
//! # }
//! ```
//!
//! With `stream: true`, [`Operation::open`] gives the events as they come: see [`stream`](super::stream). With
//! `background: Some(true)` the run is apart from the connection, and waited for unless `wait` says otherwise.

mod control;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::control::{CancelAgentRun, ContinueAgentRun, ResumeAgentRun};
use super::error::Error;
use super::media::Media;
use super::operation::{Body, Call, Method, Operation, Resource, Spec};
use super::run::RunOutput;
use super::runs::{Beginning, Poll};
use super::sessions::SessionRun;
use super::upload::FileInput;

/// Lists the agents of the AgentOS, in the order of their registration.
///
/// A list, not a page. The entries are whole: model, tools, settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAgents {}

impl Operation for ListAgents {
    const SPEC: Spec = Spec {
        aliases: &["get_agents"],
        ..Spec::new("list_agents", Resource::Agents, Method::Get, "/agents")
    };
    type Answer = Vec<AgentDetail>;
}

/// Reads an agent.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAgent {
    /// The agent.
    pub agent_id: String,
}

impl Operation for GetAgent {
    const SPEC: Spec = Spec::new("get_agent", Resource::Agents, Method::Get, "/agents/{agent_id}");
    type Answer = AgentDetail;
}

/// An agent.
#[derive(Debug, Clone, Deserialize)]
pub struct AgentDetail {
    /// Its id, by which it is run.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The model; of another shape than in `get_config`.
    pub model: Option<Value>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Runs an agent.
///
/// A session that does not exist is created. A run whose model or tools failed is answered
/// 200 with `status: ERROR` and the error in `content`; one that waits for a decision has `status: PAUSED`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunAgent {
    /// The agent.
    pub agent_id: String,
    /// What to say to it. The server answers 422 to an empty message.
    pub message: String,
    /// The session to continue or to create; without it, the server creates one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Who says it. Since agno 3, a session can only be continued by the user who began it: to others it is 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The id of the run; without it, the server makes one. Ids are unique in the whole database: one that exists takes
    /// the place of the old run, even in another session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// State that is merged into that of the session, and kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_state: Option<Map<String, Value>>,
    /// Values for the agent's instructions and tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Map<String, Value>>,
    /// Metadata of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Which knowledge is searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_filters: Option<Map<String, Value>>,
    /// The JSON Schema of the answer, which is an object then and not a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Map<String, Value>>,
    /// Whether the schema is given to the model as it is; the server's default is false: it is made a class first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_json_schema: Option<bool>,
    /// The version of the agent, of one that has versions; the server ignores it for those made by code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Images: paths, URLs, or mappings with `path`, `url`, `base64` or `text`.
    #[serde(default, skip_serializing)]
    #[schemars(extend("x-files" = true))]
    pub images: Option<Vec<FileInput>>,
    /// Audio, given like `images`.
    #[serde(default, skip_serializing)]
    #[schemars(extend("x-files" = true))]
    pub audio: Option<Vec<FileInput>>,
    /// Videos, given like `images`.
    #[serde(default, skip_serializing)]
    #[schemars(extend("x-files" = true))]
    pub videos: Option<Vec<FileInput>>,
    /// Documents, given like `images`.
    #[serde(default, skip_serializing)]
    #[schemars(extend("x-files" = true))]
    pub files: Option<Vec<FileInput>>,
    /// Whether it runs in the background, apart from this connection; since agno 2.5. The agent needs a database. It is waited
    /// for, unless `wait` is false: the answer is 202 with the ids then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<bool>,
    /// Whether a run in the background is waited for; the default is true. Not sent to the server.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = true))]
    pub wait: Option<bool>,
    /// How it is waited for. Not sent to the server.
    #[serde(default, skip_serializing)]
    pub poll: Option<Poll>,
    /// Whether the answer comes as a stream of events, from which it is put together; the default is false, and always
    /// sent: the server's own differs between versions.
    #[serde(default)]
    pub stream: bool,
}

impl Operation for RunAgent {
    const SPEC: Spec = Spec {
        body: Body::Form,
        ..Spec::new("run_agent", Resource::Agents, Method::Post, "/agents/{agent_id}/runs")
    };
    type Answer = RunOutput;

    fn call(&self) -> Result<Call, Error> {
        let mut call = Call::of(&Self::SPEC, self)?;
        let media = Media {
            images: self.images.as_ref(),
            audio: self.audio.as_ref(),
            videos: self.videos.as_ref(),
            files: self.files.as_ref(),
        };
        media.put(&mut call, true)?;
        Ok(call)
    }

    fn streams(&self) -> bool {
        self.stream
    }

    fn begins(&self) -> Option<Beginning<'_>> {
        let (run_id, session_id) = (self.run_id.as_ref(), self.session_id.as_ref());
        Some(Beginning::of(
            &self.agent_id,
            run_id,
            session_id,
            self.background,
            self.wait,
            self.poll.as_ref(),
        ))
    }
}

/// Lists the runs of an agent in a session, oldest first.
///
/// A list, not a page; its entries are as in `get_session_runs`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAgentRuns {
    /// The agent.
    pub agent_id: String,
    /// The session. An unknown one is answered 404.
    pub session_id: String,
    /// Only runs with this status, in upper case: `COMPLETED`, `ERROR`, `PAUSED`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl Operation for ListAgentRuns {
    const SPEC: Spec = Spec {
        aliases: &["get_agent_runs"],
        query: &["session_id", "status"],
        since: Some("2.5"),
        ..Spec::new("list_agent_runs", Resource::Agents, Method::Get, "/agents/{agent_id}/runs")
    };
    type Answer = Vec<SessionRun>;
}

/// Reads a run of an agent as it is stored.
///
/// It differs a little from what running answered: messages of earlier runs are left out, `events` is added. Of a run in
/// the background, `status` tells how far it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAgentRun {
    /// The agent.
    pub agent_id: String,
    /// The run.
    pub run_id: String,
    /// The session of the run.
    pub session_id: String,
}

impl Operation for GetAgentRun {
    const SPEC: Spec = Spec {
        query: &["session_id"],
        since: Some("2.5"),
        ..Spec::new("get_agent_run", Resource::Agents, Method::Get, "/agents/{agent_id}/runs/{run_id}")
    };
    type Answer = RunOutput;
}
