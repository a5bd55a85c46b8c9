//! Teams: what they are, running them, their runs.
//!
//! A team is run like an agent. Its leader's answer is `content`; those of the members are in `member_responses`, which
//! is kept in `other`. A team that waits for a person lists what for in `requirements`, which [`ContinueTeamRun`] takes
//! from its answer.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::teams::RunTeam;
//! let ask = RunTeam { team_id: "duo".into(), message: "Who are you?".into(), ..RunTeam::default() };
//! let answer = client.send(&ask).await?;
//! for member in answer.other["member_responses"].as_array().into_iter().flatten() {
//!     println!("{}: {}", member["agent_id"], member["content"]);
//! }
//! # Ok(())
//! # }
//! ```

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

/// Lists the teams of the AgentOS, in the order of their registration.
///
/// A list, not a page. The entries are whole: mode, members, tools.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTeams {}

impl Operation for ListTeams {
    const SPEC: Spec =
        Spec { aliases: &["get_teams"], ..Spec::new("list_teams", Resource::Teams, Method::Get, "/teams") };
    type Answer = Vec<TeamDetail>;
}

/// Reads a team.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTeam {
    /// The team.
    pub team_id: String,
}

impl Operation for GetTeam {
    const SPEC: Spec = Spec::new("get_team", Resource::Teams, Method::Get, "/teams/{team_id}");
    type Answer = TeamDetail;
}

/// A team.
#[derive(Debug, Clone, Deserialize)]
pub struct TeamDetail {
    /// Its id, by which it is run.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// How the members work together: `coordinate`, ...
    pub mode: Option<String>,
    /// Its members.
    pub members: Option<Vec<Value>>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

run_operations! {
    resource: Teams,
    what: "a team" "team" at "/teams/{team_id}" by team_id,
    parts: true,
    /// Runs a team.
    ///
    /// A session that does not exist is created. The answers of the members are in `member_responses`.
    /// A run that failed is answered 200 with `status: ERROR` and the error in `content` (agno 2.3 and 2.4: `RUNNING`, with a
    /// `TeamRunError` in `events`).
    run: RunTeam {
        /// What is known of the files that are sent as such, a mapping or null for each in their order: images, audio and
        /// videos come first. Since agno 3.
        files_metadata: Option<Vec<Value>>,
    },
    list: ListTeamRuns {},
    get: GetTeamRun {},
    cancel: CancelTeamRun,
    resume: ResumeTeamRun,
}

continue_operation! {
    resource: Teams,
    what: "team" at "/teams/{team_id}" by team_id,
    since: Some("2.6"),
    form: Requirements,
    /// Continues a run of a team that waits for decisions: `confirm`, `reject`, `results` and `input` give them.
    ///
    /// A paused run has members that ask for a confirmation, for fields, or for the result of a tool. Give its answer as `run`.
    /// What is sent are the requirements of `run`, edited. A run that is not paused is forked: the answer is another run.
    /// What nobody decides is an error here; the server would take it for a rejection.
    continue: ContinueTeamRun,
    /// The requirements as they are sent, where those of `run` are not the right ones.
    waiting: requirements,
}
