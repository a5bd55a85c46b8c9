//! Workflows: what they are, running them, their runs.
//!
//! A workflow is run like an agent, and says what became of each of its steps in `step_results`. One whose step failed
//! is still `COMPLETED` to the server: [`failure_of`](super::run::failure_of) looks closer.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::workflows::RunWorkflow;
//! let run = RunWorkflow {
//!     workflow_id: "pipeline".into(),
//!     message: "a draft".into(),
//!     background: Some(true), // apart from this connection, and waited for
//!     ..RunWorkflow::default()
//! };
//! for step in client.send(&run).await?.other["step_results"].as_array().into_iter().flatten() {
//!     println!("{}: {}", step["step_name"], step["success"]);
//! }
//! # Ok(())
//! # }
//! ```

mod continuing;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::continuing::ContinueWorkflowRun;
use super::error::Error;
use super::media::Media;
use super::operation::{Body, Call, Effect, Method, Operation, Resource, Spec};
use super::run::RunOutput;
use super::run_operations::run_operations;
use super::runs::{Beginning, Poll};
use super::sessions::SessionRun;
use super::upload::FileInput;

/// Lists the workflows of the AgentOS, in the order of their registration.
///
/// A list, not a page. The entries are whole, with their steps.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWorkflows {}

impl Operation for ListWorkflows {
    const SPEC: Spec = Spec {
        aliases: &["get_workflows"],
        ..Spec::new("list_workflows", Resource::Workflows, Method::Get, "/workflows")
    };
    type Answer = Vec<WorkflowDetail>;
}

/// Reads a workflow.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetWorkflow {
    /// The workflow.
    pub workflow_id: String,
    /// Its version, of one that has versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
}

impl Operation for GetWorkflow {
    const SPEC: Spec = Spec {
        query: &["version"],
        ..Spec::new("get_workflow", Resource::Workflows, Method::Get, "/workflows/{workflow_id}")
    };
    type Answer = WorkflowDetail;
}

/// A workflow.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkflowDetail {
    /// Its id, by which it is run.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Its steps.
    pub steps: Option<Vec<Value>>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

run_operations! {
    resource: Workflows,
    what: "a workflow" "workflow" at "/workflows/{workflow_id}" by workflow_id,
    parts: false,
    /// Runs a workflow.
    ///
    /// A session that does not exist is created. A run with a step that failed is answered 200 with
    /// `status: COMPLETED`; `step_results` shows the failure. A
    /// workflow that stops at such a step is answered 500; as a stream, its last event is a `WorkflowError`.
    run: RunWorkflow {},
    list: ListWorkflowRuns {
        /// What the factory is given, of a workflow that a factory makes for each request; since agno 2.6.
        factory_input: Option<Map<String, Value>>,
    },
    get: GetWorkflowRun {
        /// What the factory is given, of a workflow that a factory makes for each request; since agno 2.6.
        factory_input: Option<Map<String, Value>>,
    },
    cancel: CancelWorkflowRun,
    resume: ResumeWorkflowRun,
}
