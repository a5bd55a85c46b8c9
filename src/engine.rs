//! The interpreter: runs scenarios against targets and says what happens in events.

use std::sync::Arc;
use std::time::Duration;

mod answer;
pub mod bulk;
pub mod cleanup;
mod context;
pub mod event;
mod fragments;
mod gate;
pub mod identity;
mod interpreter;
pub mod interrupt;
pub mod ledger;
pub mod live;
mod loops;
mod request;
mod schedule;
mod send;
mod snapshots;
mod steps;
mod stop;
pub mod target;
pub mod write;

pub use bulk::tally::{BulkReport, Reason};
pub use event::{
    Caller, Event, Failure, LoopProgress, Observer, Observers, Phase, ScenarioReport, SlowStep, Stage,
    Status, StepReport, StepStatus, Summary,
};
pub use identity::Sender;
pub use interrupt::Interrupt;
pub use schedule::run;
pub use target::{Target, Targets};

/// Hears of every request of a scenario.
pub trait Tracing: std::fmt::Debug + Send + Sync {
    /// What the requests of a scenario carry.
    fn tap(&self, instance: &crate::scenario::Instance) -> Option<crate::agentos::Tap>;
}

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The clocks of every request, under those of scenarios and steps.
    pub timeouts: crate::agentos::Timeouts,
    /// The time of each scenario that sets none itself.
    pub scenario_timeout: Option<Duration>,
    /// How many scenarios run at the same time.
    pub jobs: usize,
    /// How often a failed scenario that does not say so itself is run again.
    pub retries: u32,
    /// A scenario that passed in a later attempt only fails the run.
    pub flaky_fails: bool,
    /// The scenarios whose failures do not fail the run, by their place in the plan, with the reason.
    pub quarantine: Arc<std::collections::BTreeMap<usize, Arc<str>>>,
    /// After this time it is said that a scenario is still running.
    pub slow: Duration,
    /// Begin nothing more after the first failure.
    pub fail_fast: bool,
    /// A scenario whose requirements are not met fails instead of being skipped.
    pub strict: bool,
    /// Variables of the command line: they replace those of the scenarios.
    pub variables: Vec<(String, serde_json::Value)>,
    /// Whether scenarios that do not say so themselves delete what they created.
    pub cleanup: bool,
    /// What remembers what they created, beyond this process.
    pub ledger: Option<Arc<ledger::Ledger>>,
    /// How bulk work is done.
    pub bulk: bulk::consent::BulkSettings,
    /// Those on whose behalf requests may be sent, by name.
    pub identities: Arc<std::collections::BTreeMap<String, Sender>>,
    /// Learns the secrets that requests carry.
    pub masker: crate::secret::Masker,
    /// What `env.NAME` reads.
    pub environment: Arc<std::collections::BTreeMap<String, String>>,
    /// Identifies this run: what makes names unique.
    pub run_id: String,
    /// What answers are compared with.
    pub snapshots: Arc<crate::snapshot::Store>,
    /// When it began, ISO 8601 in UTC.
    pub started_at: String,
    /// Who hears of every request.
    pub tracing: Option<Arc<dyn Tracing>>,
}
