//! What is kept of a run: the one model behind every report. The JSON report is this model; the JSON Lines report is its
//! pieces as they come; all other formats are made from it.
//!
//! Times are milliseconds; texts hold no secrets. What is empty or false is left out of the JSON.

mod build;

pub use build::{Builder, Limits};
pub(super) use build::{milliseconds, says};

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the model: it changes when a reader of an older one would go wrong.
pub const FORMAT: u32 = 1;

/// A report: the run and its scenarios, in the order of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "A report of agentos-run")]
pub struct Report {
    /// The version of this format.
    pub format: u32,
    /// The run as a whole.
    pub run: RunRecord,
    /// The scenarios, in the order of the plan; those that were not begun too.
    pub scenarios: Vec<ScenarioRecord>,
}

/// A run as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// The version of agentos-run.
    pub version: String,
    /// What makes the names of this run unique: `run.id` in scenarios. Empty in a report that was merged.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// When it began: ISO 8601, UTC.
    pub started_at: String,
    /// From the beginning to the end.
    pub duration_ms: f64,
    /// The AgentOS that it ran against: each as the first line of the terminal report names it.
    pub targets: Vec<String>,
    /// How many of what.
    pub counts: Counts,
    /// Whether it failed: because a scenario did, or was flaky where that counts as a failure.
    #[serde(default, skip_serializing_if = "is_false")]
    pub failed: bool,
    /// Whether somebody stopped it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub interrupted: bool,
    /// The part of the plan that it ran; more than one after `merge`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<Shard>,
}

/// A part of a plan: `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub total: u32,
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Scenarios.
    pub scenarios: usize,
    /// Scenarios that passed, those that needed several attempts among them.
    pub passed: usize,
    /// Scenarios that failed, those in quarantine not among them.
    pub failed: usize,
    /// Scenarios that were skipped.
    pub skipped: usize,
    /// Scenarios that were not begun, or not brought to an end.
    pub not_run: usize,
    /// Scenarios that passed in a later attempt.
    pub flaky: usize,
    /// Scenarios that failed and are in quarantine.
    pub quarantined: usize,
    /// Scenarios because of which the run failed: those that failed, and flaky ones where they count as failures.
    pub failing: usize,
    /// Steps that ran.
    pub steps: usize,
    /// Expectations that were checked.
    pub checks: usize,
}

/// A scenario, or one of its cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioRecord {
    /// What it is called, with its case: `Weather [city=Paris]`.
    pub name: String,
    /// The file that it stands in, as it was named.
    pub file: String,
    /// The line at which it begins, from 1.
    pub line: usize,
    /// Its place in the whole plan, from 0, also where this machine ran only a part of it.
    pub index: usize,
    /// The case alone: `city=Paris`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What became of it: of its last attempt.
    pub status: Status,
    /// It passed, and not in the first attempt.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flaky: bool,
    /// Why it is in quarantine: a failure is told and does not fail the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// Whether the run fails because of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fails_run: bool,
    /// Why it was skipped or not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// All attempts together.
    pub duration_ms: f64,
    /// The file of `--trace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Each time that it ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptRecord>,
}

/// Whether it passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did.
    Passed,
    /// It did not.
    Failed,
    /// It was not run, for a reason of its own.
    Skipped,
    /// It was not begun, or not brought to an end: the run was over before.
    NotRun,
}

/// One time that a scenario ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRecord {
    /// What became of it. One that was stopped in the middle is `not_run`.
    pub status: Status,
    /// When it began, from the beginning of the run.
    pub start_ms: f64,
    /// How long it took.
    pub duration_ms: f64,
    /// How many steps ran.
    pub steps_run: usize,
    /// How many expectations were checked.
    pub checks: usize,
    /// Steps that passed and are not listed: a report holds so many of one attempt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps_left_out: usize,
    /// What went wrong outside of steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureRecord>,
    /// What `log` steps said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogRecord>,
    /// The steps, in the order in which they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
}

/// What a `log` step said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogRecord {
    /// When, from the beginning of the attempt.
    pub at_ms: f64,
    /// What.
    pub text: String,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    /// What it is called.
    pub title: String,
    /// Its action: `run_agent`, `http`, `set`, ...
    pub action: String,
    /// The list that it stands in.
    pub phase: Phase,
    /// Where it stands.
    pub place: Place,
    /// The steps that led to it through fragments, the scenario's own first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<CallerRecord>,
    /// What became of it.
    pub status: StepStatus,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it began, from the beginning of the attempt.
    pub start_ms: f64,
    /// How long it took, with all its requests.
    pub duration_ms: f64,
    /// How many expectations were held against the answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub checks: usize,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureRecord>,
    /// What a reader should know: repeated requests, what a fallback could not keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestRecord>,
    /// The last answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseRecord>,
    /// The events of a streamed answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamRecord>,
}

/// A step that uses the fragment in which another step stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallerRecord {
    /// What it is called.
    pub title: String,
    /// Where it stands.
    pub place: Place,
}

/// The list that a step stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Phase {
    Setup,
    Steps,
    Finally,
}

/// Whether a step passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It did.
    Passed,
    /// It did not.
    Failed,
    /// It did not, and the scenario went on.
    SoftFailed,
    /// It was not run.
    Skipped,
}

/// A place in a file; line and column begin at 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Place {
    pub file: String,
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailureRecord {
    /// A stable name: `expect::value`, `request::refused`, ...
    pub code: String,
    /// What, in one sentence.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// Expected against actual, in lines that begin with `-`, `+` or a blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// All of it as the terminal shows it, with the lines of the file, without colours.
    pub text: String,
}

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers that the program set, names in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyRecord>,
    /// A command that sends it again; where the step failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curl: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResponseRecord {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// From sending the request to the head of the answer.
    pub first_byte_ms: f64,
    /// From sending the request to the end of the answer.
    pub duration_ms: f64,
    /// The body; that of a stream is put together from its events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyRecord>,
}

/// A body, or its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BodyRecord {
    /// The text; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// The length of the whole.
    pub bytes: usize,
    /// Whether `text` is only its beginning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
}

/// The events of a streamed answer. Times are from sending the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamRecord {
    /// When the first piece of the answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<f64>,
    /// How many events came.
    pub count: usize,
    /// The events; the first ones, where there are very many.
    pub events: Vec<StreamEvent>,
}

/// One event of a stream, or several of the same name in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamEvent {
    /// When it came; the first, where it is several.
    pub at_ms: f64,
    /// Its name.
    pub name: String,
    /// How many of this name came in a row.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: usize,
    /// When the last of them came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<f64>,
    /// What it says, in short: its text, the name of its tool, its error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl ScenarioRecord {
    /// The last attempt.
    pub fn last(&self) -> Option<&AttemptRecord> {
        self.attempts.last()
    }

    /// Whether it failed and is in quarantine.
    pub fn failed_in_quarantine(&self) -> bool {
        self.status == Status::Failed && self.quarantine.is_some()
    }

    /// `file:line`.
    pub fn link(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl AttemptRecord {
    /// Everything that went wrong, with the step in which it did.
    pub fn all_failures(&self) -> impl Iterator<Item = (Option<&StepRecord>, &FailureRecord)> {
        let outside = self.failures.iter().map(|failure| (None, failure));
        let inside =
            self.steps.iter().flat_map(|step| step.failures.iter().map(move |failure| (Some(step), failure)));
        outside.chain(inside)
    }
}

impl Counts {
    /// Counts a scenario.
    pub fn add(&mut self, scenario: &ScenarioRecord) {
        self.scenarios += 1;
        match scenario.status {
            Status::Passed => self.passed += 1,
            Status::Failed if scenario.quarantine.is_some() => self.quarantined += 1,
            Status::Failed => self.failed += 1,
            Status::Skipped => self.skipped += 1,
            Status::NotRun => self.not_run += 1,
        }
        self.flaky += usize::from(scenario.flaky);
        self.failing += usize::from(scenario.fails_run);
        for attempt in &scenario.attempts {
            self.steps += attempt.steps_run;
            self.checks += attempt.checks;
        }
    }
}

/// The JSON Schema of the JSON report.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_one(value: &usize) -> bool {
    *value == 1
}

fn one() -> usize {
    1
}
