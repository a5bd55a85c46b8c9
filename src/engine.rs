//! The interpreter: runs scenarios against targets and says what happens in events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::diagnostic::Problem;
use crate::scenario::Instance;

mod answer;
mod context;
pub mod event;
pub mod identity;
mod interpreter;
pub mod interrupt;
mod loops;
mod request;
mod steps;
mod stop;
pub mod target;

pub use event::{
    Event, Failure, Observer, Observers, Phase, ScenarioReport, Status, StepReport, StepStatus, Summary,
};
pub use identity::Sender;
pub use interrupt::Interrupt;
pub use target::{Target, Targets};

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The clocks of every request, under those of scenarios and steps.
    pub timeouts: crate::agentos::Timeouts,
    /// The time of each scenario that sets none itself.
    pub scenario_timeout: Option<Duration>,
    /// Stop at the first failure.
    pub fail_fast: bool,
    /// A scenario whose requirements are not met fails instead of being skipped.
    pub strict: bool,
    /// Variables of the command line: they replace those of the scenarios.
    pub variables: Vec<(String, serde_json::Value)>,
    /// Those on whose behalf requests may be sent, by name.
    pub identities: Arc<std::collections::BTreeMap<String, Sender>>,
    /// Learns the secrets that requests carry.
    pub masker: crate::secret::Masker,
    /// What `env.NAME` reads.
    pub environment: Arc<std::collections::BTreeMap<String, String>>,
    /// Identifies this run: what makes names unique.
    pub run_id: String,
    /// When it began, ISO 8601 in UTC.
    pub started_at: String,
}

/// Runs the instances of scenarios one after another and tells `observer` of everything.
pub async fn run(
    instances: Vec<Instance>,
    targets: &Targets,
    settings: &Settings,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Summary {
    let began = Instant::now();
    let mut summary = Summary::default();
    observer.on(&Event::RunStarted { scenarios: instances.len() });
    let mut stop = false;
    for instance in instances {
        if stop || interrupt.is_raised() {
            summary.not_run += 1;
            continue;
        }
        observer.on(&Event::ScenarioStarted { instance: instance.clone() });
        let report = match targets.of(instance.scenario()) {
            Some(target) => interpreter::run(&instance, target, settings, interrupt, observer).await,
            None => ScenarioReport::broken(
                &instance,
                Problem::error("target::unknown", "the scenario's target was not prepared")
                    .label(&instance.scenario().span, "here"),
            ),
        };
        summary.add(&report);
        stop = settings.fail_fast && matches!(report.status, Status::Failed);
        observer.on(&Event::ScenarioFinished(report));
    }
    summary.duration = began.elapsed();
    summary.interrupted = interrupt.is_raised();
    observer.on(&Event::RunFinished(summary.clone()));
    summary
}
