//! A client of AgentOS, Agno's server of agents.
//!
//! It is usable without the rest of this crate and knows nothing of scenarios. One operation of the API is one type:
//!
//! ```no_run
//! use agentos_run::agentos::agents::RunAgent;
//! use agentos_run::agentos::sessions::GetSessions;
//! use agentos_run::agentos::{Client, Error};
//!
//! # async fn example() -> Result<(), Error> {
//! let client = Client::builder("http://localhost:7777").bearer("a key").build()?;
//!
//! let run = client
//!     .send(&RunAgent {
//!         agent_id: "assistant".to_owned(),
//!         message: "What is the capital of France?".to_owned(),
//!         session_id: Some("geography".to_owned()),
//!         ..RunAgent::default()
//!     })
//!     .await?;
//! println!("{:?}: {:?}", run.status, run.content);
//!
//! let sessions = client.send(&GetSessions { limit: Some(5), ..GetSessions::default() }).await?;
//! for session in sessions.data {
//!     println!("{}", session.session_id);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Sending
//!
//! [`Client::send`] gives the answer as its type and takes every refusal for an error. [`Operation::execute`] and
//! [`Client::exchange`] give the answer as it is, with status, headers and times. An answer of 200 does not say that a
//! run succeeded: [`run::failure_of`] does. An [`Error`] says what happened, and keeps the request, whose
//! [`SentRequest::curl`] repeats it in a shell.
//!
//! Clocks ([`Timeouts`]) and further headers ([`CallOptions`]) are set per client and per call; an [`Identity`] makes the
//! headers of a user, a JWT among them. Nothing is retried.
//!
//! # What there is
//!
//! | Module | For |
//! | --- | --- |
//! | [`discovery`] | what the AgentOS is and offers |
//! | [`agents`], [`teams`], [`workflows`] | running them, continuing, cancelling, resuming, their runs |
//! | [`stream`], [`event`], [`transcript`] | the answer of a run as it comes, as typed events, and put together |
//! | [`runs`], [`run`], [`decision`] | waiting for runs in the background, what their answers say, what people decide |
//! | [`sessions`] | conversations: finding, reading, naming, clearing, deleting |
//! | [`memories`], [`knowledge`] | what is remembered of users, what agents can look up |
//! | [`traces`], [`metrics`], [`evals`] | what happened within runs, how much, how well |
//! | [`databases`] | bringing tables up to date |
//! | [`auth`], [`transport`], [`error`] | who asks, how it is sent, what can go wrong |
//! | [`operation`], [`field`] | the catalogue: every operation with its fields and documentation, made from JSON |
//!
//! An example for each stands in `examples/`.
//!
//! # Versions
//!
//! The names of operations and fields are those of the API; [`catalogue`] lists all of them with their documentation.
//! It is written against agno 3.1.10, and tolerant down to 2.3: what a server leaves out is `None`, and what is unknown
//! is kept in `other`. [`Spec::since`](Spec) says which version has an operation.

pub mod agents;
pub mod answer;
pub mod auth;
mod continuing;
pub mod databases;
pub mod decision;
pub mod discovery;
pub mod error;
pub mod evals;
pub mod event;
pub mod field;
pub mod items;
pub mod knowledge;
mod media;
pub mod memories;
pub mod metrics;
pub mod operation;
pub mod pages;
pub mod refusal;
pub mod run;
mod run_operations;
pub mod runs;
pub mod sessions;
pub mod sse;
pub mod stream;
pub mod teams;
pub mod traces;
pub mod transcript;
pub mod transport;
pub mod upload;
pub mod workflows;

pub use auth::{Algorithm, Identity, Jwt};
pub use error::{Error, ErrorKind, Phase, Progress};
pub use event::{Component, Ending, RunEvent};
pub use operation::{AnyOperation, Call, Effect, Entry, Operation, Payload, Spec, catalogue, find};
pub use refusal::{refusal_message, retry_after};
pub use runs::{Beginning, Poll, RunRef};
pub use stream::{Opened, RunStream, Timings};
pub use transcript::{Transcript, Violation, ViolationKind};
pub(crate) use transport::quote;
pub use transport::{
    CallOptions, Client, ClientBuilder, Exchange, Head, Heard, Listener, SentRequest, Tap, Timeouts,
};

/// The catalogue, in the order of the documentation. To add an operation is to write its type and to name it here.
fn entries() -> Vec<Entry> {
    vec![
        Entry::of::<discovery::GetConfig>(),
        Entry::of::<discovery::GetInfo>(),
        Entry::of::<discovery::Health>(),
        Entry::of::<agents::ListAgents>(),
        Entry::of::<agents::GetAgent>(),
        Entry::of::<agents::RunAgent>(),
        Entry::of::<agents::ListAgentRuns>(),
        Entry::of::<agents::GetAgentRun>(),
        Entry::of::<agents::ContinueAgentRun>(),
        Entry::of::<agents::CancelAgentRun>(),
        Entry::of::<agents::ResumeAgentRun>(),
        Entry::of::<teams::ListTeams>(),
        Entry::of::<teams::GetTeam>(),
        Entry::of::<teams::RunTeam>(),
        Entry::of::<teams::ListTeamRuns>(),
        Entry::of::<teams::GetTeamRun>(),
        Entry::of::<teams::ContinueTeamRun>(),
        Entry::of::<teams::CancelTeamRun>(),
        Entry::of::<teams::ResumeTeamRun>(),
        Entry::of::<workflows::ListWorkflows>(),
        Entry::of::<workflows::GetWorkflow>(),
        Entry::of::<workflows::RunWorkflow>(),
        Entry::of::<workflows::ListWorkflowRuns>(),
        Entry::of::<workflows::GetWorkflowRun>(),
        Entry::of::<workflows::ContinueWorkflowRun>(),
        Entry::of::<workflows::CancelWorkflowRun>(),
        Entry::of::<workflows::ResumeWorkflowRun>(),
        Entry::of::<sessions::GetSessions>(),
        Entry::of::<sessions::CreateSession>(),
        Entry::of::<sessions::GetSession>(),
        Entry::of::<sessions::GetSessionRuns>(),
        Entry::of::<sessions::GetSessionRun>(),
        Entry::of::<sessions::GetSessionRunPreviews>(),
        Entry::of::<sessions::UpdateSession>(),
        Entry::of::<sessions::RenameSession>(),
        Entry::of::<sessions::ClearSession>(),
        Entry::of::<sessions::DeleteSession>(),
        Entry::of::<sessions::DeleteSessions>(),
        Entry::of::<memories::CreateMemory>(),
        Entry::of::<memories::ListMemories>(),
        Entry::of::<memories::GetMemory>(),
        Entry::of::<memories::UpdateMemory>(),
        Entry::of::<memories::DeleteMemory>(),
        Entry::of::<memories::DeleteMemories>(),
        Entry::of::<memories::GetMemoryTopics>(),
        Entry::of::<memories::GetUserMemoryStats>(),
        Entry::of::<memories::OptimizeMemories>(),
        Entry::of::<knowledge::UploadKnowledgeContent>(),
        Entry::of::<knowledge::ListKnowledgeContent>(),
        Entry::of::<knowledge::GetKnowledgeContent>(),
        Entry::of::<knowledge::GetKnowledgeContentStatus>(),
        Entry::of::<knowledge::UpdateKnowledgeContent>(),
        Entry::of::<knowledge::DeleteKnowledgeContent>(),
        Entry::of::<knowledge::DeleteAllKnowledgeContent>(),
        Entry::of::<knowledge::SearchKnowledge>(),
        Entry::of::<knowledge::GetKnowledgeConfig>(),
        Entry::of::<traces::GetTraces>(),
        Entry::of::<traces::GetTrace>(),
        Entry::of::<traces::GetTraceSessionStats>(),
        Entry::of::<traces::SearchTraces>(),
        Entry::of::<metrics::GetMetrics>(),
        Entry::of::<metrics::RefreshMetrics>(),
        Entry::of::<metrics::GetMetricsRefreshStatus>(),
        Entry::of::<evals::ListEvalRuns>(),
        Entry::of::<evals::GetEvalRun>(),
        Entry::of::<evals::RunEval>(),
        Entry::of::<evals::UpdateEvalRun>(),
        Entry::of::<evals::DeleteEvalRuns>(),
        Entry::of::<databases::MigrateDatabase>(),
    ]
}
