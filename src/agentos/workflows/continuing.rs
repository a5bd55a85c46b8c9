//! Workflows: continuing their runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::agentos::continuing::Continues;
use crate::agentos::decision::{Confirm, Decisions, Form, Reject};
use crate::agentos::error::Error;
use crate::agentos::operation::{Body, Call, Method, Operation, Resource, Spec};
use crate::agentos::run::RunOutput;
use crate::agentos::runs::{Beginning, Poll};

/// Continues a run of a workflow that waits for decisions: `confirm`, `reject`, `results` and `input` give them.
///
/// A paused run has steps that ask for a confirmation, for fields or for a route. Give its answer as `run`.
/// What is sent are the step requirements of `run`, edited. A run that has ended is answered 409.
/// What nobody decides is an error here; the server would take it for a rejection.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContinueWorkflowRun {
    /// The workflow.
    pub workflow_id: String,
    /// The answer of the paused run, out of which the ids and what waits are taken. Not sent to the server.
    #[serde(default, skip_serializing)]
    pub run: Option<Map<String, Value>>,
    /// The run; without it, that of `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Its session; without it, that of `run`. Without one, the server answers 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Whose session it is; without it, that of `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Whether what asks for a confirmation gets it: true or false for all, or the names of steps. Not sent as such.
    #[serde(default, skip_serializing)]
    pub confirm: Option<Confirm>,
    /// Refuses what asks for a confirmation: a reason for all, or a mapping from names of steps to reasons. The reason is told to
    /// the model. Not sent as such.
    #[serde(default, skip_serializing)]
    pub reject: Option<Reject>,
    /// The results of tools that the server does not execute, by their names. Not sent as such.
    #[serde(default, skip_serializing)]
    pub results: Option<Map<String, Value>>,
    /// The fields that a step asks for. Not sent as such.
    #[serde(default, skip_serializing)]
    pub input: Option<Map<String, Value>>,
    /// The routes that a router asks for. Not sent as such.
    #[serde(default, skip_serializing)]
    pub select: Option<Vec<String>>,
    /// The step requirements as they are sent, where those of `run` are not the right ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_requirements: Option<Vec<Value>>,
    /// What the factory is given, of a workflow that a factory makes for each request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factory_input: Option<Map<String, Value>>,
    /// Whether it goes on in the background; since agno 2.6. It is waited for, unless `wait` is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<bool>,
    /// Whether a run in the background is waited for; the default is true. Not sent to the server.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = true))]
    pub wait: Option<bool>,
    /// How it is waited for. Not sent to the server.
    #[serde(default, skip_serializing)]
    pub poll: Option<Poll>,
    /// Whether the answer comes as a stream of events, from which it is put together; the default is false, and always sent.
    #[serde(default)]
    pub stream: bool,
}

impl Operation for ContinueWorkflowRun {
    const SPEC: Spec = Spec {
        body: Body::Form,
        since: Some("2.6"),
        ..Spec::new(
            "continue_workflow_run",
            Resource::Workflows,
            Method::Post,
            "/workflows/{workflow_id}/runs/{run_id}/continue",
        )
    };
    type Answer = RunOutput;

    fn call(&self) -> Result<Call, Error> {
        self.continuation()
    }

    fn streams(&self) -> bool {
        self.stream
    }

    fn begins(&self) -> Option<Beginning<'_>> {
        let (run_id, session_id) = (self.run_id.as_ref(), self.session_id.as_ref());
        Some(Beginning::of(
            &self.workflow_id,
            run_id,
            session_id,
            self.background,
            self.wait,
            self.poll.as_ref(),
        ))
    }
}

impl Continues for ContinueWorkflowRun {
    const FORM: Form = Form::Steps;

    fn paused(&self) -> Option<&Map<String, Value>> {
        self.run.as_ref()
    }

    fn decisions(&self) -> Result<Decisions<'_>, Error> {
        Ok(Decisions {
            confirm: self.confirm.as_ref(),
            reject: self.reject.as_ref(),
            results: self.results.as_ref(),
            input: self.input.as_ref(),
            select: self.select.as_deref(),
        })
    }

    fn ids(&mut self) -> [&mut Option<String>; 3] {
        [&mut self.run_id, &mut self.session_id, &mut self.user_id]
    }

    fn waiting(&mut self) -> &mut Option<Vec<Value>> {
        &mut self.step_requirements
    }
}
