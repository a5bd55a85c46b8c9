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

mod control;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::control::{CancelTeamRun, ContinueTeamRun, ResumeTeamRun};
use super::error::Error;
use super::media::Media;
use super::operation::{Body, Call, Method, Operation, Resource, Spec};
use super::run::RunOutput;
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

/// Runs a team.
///
/// A session that does not exist is created. The answers of the members are in `member_responses`.
/// A run that failed is answered 200 with `status: ERROR` and the error in `content` (agno 2.3 and 2.4: `RUNNING`, with a
/// `TeamRunError` in `events`).
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunTeam {
    /// The team.
    pub team_id: String,
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
    /// Values for the team's instructions and tools.
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
    /// The version of the team, of one that has versions; the server ignores it for those made by code.
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
    /// Whether it runs in the background, apart from this connection; since agno 2.5. The team needs a database. It is waited
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

impl Operation for RunTeam {
    const SPEC: Spec = Spec {
        body: Body::Form,
        ..Spec::new("run_team", Resource::Teams, Method::Post, "/teams/{team_id}/runs")
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
        Some(Beginning::of(&self.team_id, run_id, session_id, self.background, self.wait, self.poll.as_ref()))
    }
}

/// Lists the runs of a team in a session, oldest first.
///
/// A list, not a page; its entries are as in `get_session_runs`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTeamRuns {
    /// The team.
    pub team_id: String,
    /// The session. An unknown one is answered 404.
    pub session_id: String,
    /// Only runs with this status, in upper case: `COMPLETED`, `ERROR`, `PAUSED`, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl Operation for ListTeamRuns {
    const SPEC: Spec = Spec {
        aliases: &["get_team_runs"],
        query: &["session_id", "status"],
        since: Some("2.5"),
        ..Spec::new("list_team_runs", Resource::Teams, Method::Get, "/teams/{team_id}/runs")
    };
    type Answer = Vec<SessionRun>;
}

/// Reads a run of a team as it is stored.
///
/// It differs a little from what running answered: messages of earlier runs are left out, `events` is added. Of a run in
/// the background, `status` tells how far it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTeamRun {
    /// The team.
    pub team_id: String,
    /// The run.
    pub run_id: String,
    /// The session of the run.
    pub session_id: String,
}

impl Operation for GetTeamRun {
    const SPEC: Spec = Spec {
        query: &["session_id"],
        since: Some("2.5"),
        ..Spec::new("get_team_run", Resource::Teams, Method::Get, "/teams/{team_id}/runs/{run_id}")
    };
    type Answer = RunOutput;
}
