//! Teams: continuing, cancelling and resuming their runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::agentos::continuing::{Continues, fields_of, with_message};
use crate::agentos::decision::{Confirm, Decisions, Form, Reject};
use crate::agentos::error::Error;
use crate::agentos::operation::{Body, Call, Effect, Method, Operation, Resource, Spec};
use crate::agentos::run::RunOutput;
use crate::agentos::runs::{Beginning, Poll};

/// Continues a run of a team that waits for decisions: `confirm`, `reject`, `results` and `input` give them.
///
/// A paused run has members that ask for a confirmation, for fields, or for the result of a tool. Give its answer as `run`.
/// What is sent are the requirements of `run`, edited. A run that is not paused is forked: the answer is another run.
/// What nobody decides is an error here; the server would take it for a rejection.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContinueTeamRun {
    /// The team.
    pub team_id: String,
    /// The answer of the paused run, out of which the ids and what waits are taken. Not sent to the server.
    #[serde(default, skip_serializing)]
    pub run: Option<Map<String, Value>>,
    /// The run; without it, that of `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Its session; without it, that of `run`. Without one, the server answers 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Whose session it is; without it, that of `run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Whether what asks for a confirmation gets it: true or false for all, or the names of tools. Not sent as such.
    #[serde(default, skip_serializing)]
    pub confirm: Option<Confirm>,
    /// Refuses what asks for a confirmation: a reason for all, or a mapping from names of tools to reasons. The reason is told to
    /// the model. Not sent as such.
    #[serde(default, skip_serializing)]
    pub reject: Option<Reject>,
    /// The results of tools that the server does not execute, by their names. Not sent as such.
    #[serde(default, skip_serializing)]
    pub results: Option<Map<String, Value>>,
    /// A mapping: the fields that a tool asks for. A text: a further message, for a run that is not paused.
    #[serde(default, skip_serializing)]
    pub input: Option<Value>,
    /// The requirements as they are sent, where those of `run` are not the right ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirements: Option<Vec<Value>>,
    /// From which message on a run that is not paused is continued; the server's default is `end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continue_from: Option<String>,
    /// Whether a run that is not paused is copied; the server's default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fork: Option<bool>,
    /// Whether the last answer is made anew; the server's default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regenerate: Option<bool>,
    /// With `regenerate`: whether the new answer takes the place of the old one. Sent empty where it is not given: servers
    /// before agno 3.1.5 may take it for false otherwise, and answer 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_original: Option<bool>,
    /// Further instructions for this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_instructions: Option<String>,
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

impl Operation for ContinueTeamRun {
    const SPEC: Spec = Spec {
        body: Body::Form,
        since: Some("2.6"),
        ..Spec::new(
            "continue_team_run",
            Resource::Teams,
            Method::Post,
            "/teams/{team_id}/runs/{run_id}/continue",
        )
    };
    type Answer = RunOutput;

    fn call(&self) -> Result<Call, Error> {
        let call = self.continuation()?;
        Ok(with_message(call, self.input.as_ref(), self.replace_original))
    }

    fn streams(&self) -> bool {
        self.stream
    }

    fn begins(&self) -> Option<Beginning<'_>> {
        let (run_id, session_id) = (self.run_id.as_ref(), self.session_id.as_ref());
        Some(Beginning::of(&self.team_id, run_id, session_id, self.background, self.wait, self.poll.as_ref()))
    }
}

impl Continues for ContinueTeamRun {
    const FORM: Form = Form::Requirements;

    fn paused(&self) -> Option<&Map<String, Value>> {
        self.run.as_ref()
    }

    fn decisions(&self) -> Result<Decisions<'_>, Error> {
        Ok(Decisions {
            confirm: self.confirm.as_ref(),
            reject: self.reject.as_ref(),
            results: self.results.as_ref(),
            input: fields_of(self.input.as_ref())?,
            select: None,
        })
    }

    fn ids(&mut self) -> [&mut Option<String>; 3] {
        [&mut self.run_id, &mut self.session_id, &mut self.user_id]
    }

    fn waiting(&mut self) -> &mut Option<Vec<Value>> {
        &mut self.requirements
    }
}

/// Cancels a run of a team.
///
/// It is an intention: the server answers 200 in every case, also where there is no such run or it has ended. A run that
/// is no stream stops when its model has answered; one that has not begun is cancelled when it begins; one that is paused stays so until
/// it is continued. The status of the run tells.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTeamRun {
    /// The team. An unknown one is answered 404.
    pub team_id: String,
    /// The run.
    pub run_id: String,
    /// Its session; needed where users are kept apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

impl Operation for CancelTeamRun {
    const SPEC: Spec = Spec {
        query: &["session_id"],
        ..Spec::new("cancel_team_run", Resource::Teams, Method::Post, "/teams/{team_id}/runs/{run_id}/cancel")
    };
    type Answer = Value;
}

/// Reads the stream of a run in the background again, from an event on.
///
/// A run that has ended is replayed; one that goes on is followed to its end. One that is no stream has no events, and
/// only its status comes. An unknown run is an event `error` in an answer of 200.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeTeamRun {
    /// The team.
    pub team_id: String,
    /// The run.
    pub run_id: String,
    /// Its session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The `event_index` of the last event that is known; without it, all events come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_index: Option<i64>,
}

impl Operation for ResumeTeamRun {
    const SPEC: Spec = Spec {
        aliases: &["resume_team_run_stream"],
        body: Body::Form,
        effect: Effect::Read,
        since: Some("2.6"),
        ..Spec::new("resume_team_run", Resource::Teams, Method::Post, "/teams/{team_id}/runs/{run_id}/resume")
    };
    type Answer = RunOutput;

    fn streams(&self) -> bool {
        true
    }
}
