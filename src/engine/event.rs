//! What a run tells while it goes on: reporters turn it into what people and machines read.

use std::sync::Arc;
use std::time::Duration;

use super::BulkReport;
use crate::agentos::{Exchange, SentRequest, Transcript};
use crate::diagnostic::Problem;
use crate::scenario::Instance;
use crate::source::Span;

/// Whoever wants to know.
pub trait Observer: Send + Sync {
    /// Something happened. Events of one scenario come in the order of its steps.
    fn on(&self, event: &Event);
}

/// Several at once.
pub struct Observers<'a>(pub Vec<&'a dyn Observer>);

impl Observer for Observers<'_> {
    fn on(&self, event: &Event) {
        self.0.iter().for_each(|observer| observer.on(event));
    }
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// The run begins.
    RunStarted {
        /// How many scenarios it has.
        scenarios: usize,
    },
    /// A scenario begins.
    ScenarioStarted {
        /// Which.
        instance: Instance,
    },
    /// A step begins.
    StepStarted {
        /// The run of a scenario that it belongs to.
        instance: Instance,
        /// What it is called.
        title: String,
        /// Where it stands.
        span: Span,
    },
    /// A step is over.
    StepFinished {
        /// The run of a scenario that it belongs to.
        instance: Instance,
        /// What became of it.
        step: Arc<StepReport>,
    },
    /// A `log` step says something.
    Log {
        /// The scenario that says it.
        instance: Instance,
        /// What it says.
        text: String,
    },
    /// A piece of a streamed answer came.
    Answer {
        /// The scenario that asked.
        instance: Instance,
        /// The text.
        piece: String,
    },
    /// What a dry run would do.
    Plan {
        /// The scenario that it belongs to.
        instance: Instance,
        /// A line.
        text: String,
    },
    /// A loop over what an operation lists is over.
    Bulk {
        /// The scenario that it belongs to.
        instance: Instance,
        /// What became of the items.
        report: BulkReport,
    },
    /// A loop goes on, or is over: told now and then, of the outermost loops that take a moment.
    Loop {
        /// The scenario that it belongs to.
        instance: Instance,
        /// How far it is.
        progress: LoopProgress,
    },
    /// A scenario takes long.
    Slow {
        /// Which.
        instance: Instance,
        /// How long it has been running.
        time: Duration,
        /// The step that it is in.
        step: Option<SlowStep>,
    },
    /// A scenario failed and will be run again when all others are done.
    AttemptFailed {
        /// What became of this attempt.
        report: Arc<ScenarioReport>,
        /// How many attempts it may have in all.
        of: u32,
    },
    /// A scenario is over: told once for each of the plan, also for those that were not begun.
    ScenarioFinished(ScenarioReport),
    /// The run is over.
    RunFinished(Summary),
}

/// How far a loop is.
#[derive(Debug, Clone)]
pub struct LoopProgress {
    /// What its step is called.
    pub title: String,
    /// Where it stands.
    pub span: Span,
    /// What it does now.
    pub stage: Stage,
    /// So many items are over in this stage, failed ones among them.
    pub over: u64,
    /// So many failed.
    pub failed: u64,
    /// Of so many, where that is known.
    pub of: Option<u64>,
    /// How long this stage has been going on.
    pub elapsed: Duration,
}

/// What a loop does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It reads the list of its items.
    Listing,
    /// It runs its step for them.
    Working,
    /// It looks whether what it deleted is gone.
    Verifying,
    /// Nothing more.
    Over,
}

/// A step that has not ended.
#[derive(Debug, Clone)]
pub struct SlowStep {
    /// What it is called.
    pub title: String,
    /// Where it stands.
    pub span: Span,
    /// How long it has been running.
    pub time: Duration,
}

/// The list that a step stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `setup`
    Setup,
    /// `steps`
    Steps,
    /// `finally`
    Finally,
}

impl Phase {
    /// The key of the list.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Steps => "steps",
            Self::Finally => "finally",
        }
    }
}

/// A step that uses the fragment in which another step stands.
#[derive(Debug, Clone)]
pub struct Caller {
    /// What it is called.
    pub title: String,
    /// Where it stands.
    pub span: Span,
}

/// What became of a step.
#[derive(Debug)]
pub struct StepReport {
    /// The steps that led to it through fragments, the scenario's own first; none for a step of the scenario.
    pub callers: Arc<[Caller]>,
    /// The list that it stands in.
    pub phase: Phase,
    /// What it is called.
    pub title: String,
    /// Its action.
    pub action: String,
    /// Where it stands.
    pub span: Span,
    /// Passed, failed or skipped.
    pub status: StepStatus,
    /// How long it took, all attempts together.
    pub duration: Duration,
    /// What went wrong.
    pub failures: Vec<Failure>,
    /// The last request, where one was sent or meant to be.
    pub request: Option<SentRequest>,
    /// Why there is no answer.
    pub unanswered: Option<Unanswered>,
    /// The last answer.
    pub exchange: Option<Arc<Exchange>>,
    /// The events of a streamed answer, as far as they came.
    pub transcript: Option<Arc<Transcript>>,
    /// What a reader should know: repeated requests, what a fallback could not keep.
    pub notes: Vec<String>,
    /// How many expectations were held against the answer.
    pub checks: usize,
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// It never reached the server.
    Unreached,
    /// It was sent, and what became of it nobody knows.
    Lost,
}

/// Whether a step passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepStatus {
    /// It did.
    Passed,
    /// It did not.
    Failed,
    /// It did not, and the scenario went on: `soft: true`.
    SoftFailed,
    /// It was not run, for this reason.
    Skipped(String),
}

/// One thing that went wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What, where, and what to do.
    pub problem: Problem,
    /// Expected against actual, in lines that begin with `-`, `+` or a blank.
    pub diff: Option<String>,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, diff: None }
    }
}

/// Whether a scenario passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It did.
    Passed,
    /// It did not.
    Failed,
    /// It was not run, for this reason.
    Skipped(String),
    /// It was not begun: the run was over before.
    NotRun,
}

/// What became of a scenario. Steps that passed are counted and not kept.
#[derive(Debug, Clone)]
pub struct ScenarioReport {
    /// Which.
    pub instance: Instance,
    /// Passed, failed or skipped.
    pub status: Status,
    /// From its first step to its last.
    pub duration: Duration,
    /// How many steps ran.
    pub steps: usize,
    /// How many expectations were checked.
    pub checks: usize,
    /// The steps that failed, softly or not, in order: the first is the cause.
    pub failed: Vec<Arc<StepReport>>,
    /// What went wrong outside of steps: a variable that has no value, the scenario's time.
    pub problems: Vec<Problem>,
    /// Its earlier attempts, all of which failed.
    pub earlier: Vec<Arc<ScenarioReport>>,
    /// Why it is in quarantine: its failure is told and does not fail the run.
    pub quarantine: Option<Arc<str>>,
    /// Whether the run fails because of it.
    pub fails_run: bool,
}

impl ScenarioReport {
    /// Whether it passed, but not in the first attempt.
    pub fn is_flaky(&self) -> bool {
        self.status == Status::Passed && !self.earlier.is_empty()
    }

    /// The report of a scenario that could not begin.
    pub fn broken(instance: &Instance, problem: Problem) -> Self {
        Self { status: Status::Failed, problems: vec![problem], ..Self::new(instance) }
    }

    /// The report of a scenario of which nothing is known yet.
    pub fn new(instance: &Instance) -> Self {
        Self {
            instance: instance.clone(),
            status: Status::Passed,
            duration: Duration::ZERO,
            steps: 0,
            checks: 0,
            failed: Vec::new(),
            problems: Vec::new(),
            earlier: Vec::new(),
            quarantine: None,
            fails_run: false,
        }
    }
}

/// The counts of a run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Scenarios that passed, those that needed several attempts among them.
    pub passed: usize,
    /// Scenarios that failed, but for those in quarantine.
    pub failed: usize,
    /// Scenarios that passed in a later attempt only.
    pub flaky: usize,
    /// Scenarios that failed and are in quarantine.
    pub quarantined: usize,
    /// Whether a scenario fails the run.
    pub is_failure: bool,
    /// Scenarios that were skipped.
    pub skipped: usize,
    /// Scenarios that were not begun: after `--fail-fast` or an interruption.
    pub not_run: usize,
    /// Steps that ran.
    pub steps: usize,
    /// Expectations that were checked.
    pub checks: usize,
    /// All of it.
    pub duration: Duration,
    /// Whether somebody stopped it.
    pub interrupted: bool,
}

impl Summary {
    /// Counts a scenario.
    pub fn add(&mut self, report: &ScenarioReport) {
        match report.status {
            Status::Passed => self.passed += 1,
            Status::Failed if report.quarantine.is_some() => self.quarantined += 1,
            Status::Failed => self.failed += 1,
            Status::Skipped(_) => self.skipped += 1,
            Status::NotRun => self.not_run += 1,
        }
        self.flaky += usize::from(report.is_flaky());
        self.is_failure |= report.fails_run;
        for attempt in report.earlier.iter().map(AsRef::as_ref).chain([report]) {
            self.steps += attempt.steps;
            self.checks += attempt.checks;
        }
    }
}
