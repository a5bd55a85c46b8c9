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

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::continuing::{Continues, continue_operation, fields_of, with_message};
use super::decision::{Confirm, Decisions, Form, Reject};
use super::error::Error;
use super::media::Media;
use super::operation::{Body, Call, Effect, Method, Operation, Resource, Spec};
use super::run::RunOutput;
use super::run_operations::run_operations;
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

run_operations! {
    resource: Agents,
    what: "an agent" "agent" at "/agents/{agent_id}" by agent_id,
    parts: true,
    /// Runs an agent.
    ///
    /// A session that does not exist is created. A run whose model or tools failed is answered
    /// 200 with `status: ERROR` and the error in `content`; one that waits for a decision has `status: PAUSED`.
    run: RunAgent {
        /// What is known of the files that are sent as such, a mapping or null for each in their order: images, audio and
        /// videos come first. Since agno 3.
        files_metadata: Option<Vec<Value>>,
    },
    list: ListAgentRuns {},
    get: GetAgentRun {},
    cancel: CancelAgentRun,
    resume: ResumeAgentRun,
}

continue_operation! {
    resource: Agents,
    what: "agent" at "/agents/{agent_id}" by agent_id,
    since: None,
    form: Tools,
    /// Continues a run of an agent that waits for decisions: `confirm`, `reject`, `results` and `input` give them.
    ///
    /// A paused run has tools that ask for a confirmation, for fields, or for a result. Give its answer as `run`.
    /// What is sent are the tools of `run`, edited. A run that is not paused is forked: the answer is another run.
    /// What nobody decides is an error here; the server would take it for a rejection.
    continue: ContinueAgentRun,
    /// The tools as they are sent, where those of `run` are not the right ones.
    waiting: tools,
}
