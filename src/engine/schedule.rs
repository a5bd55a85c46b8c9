//! The schedule of a run: several scenarios at the same time within their limits, failed ones again at the end.
//!
//! All of it happens on one thread: scenarios wait for servers, and what they compute between two answers is little.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use self::lanes::{Lane, Lanes};
use self::watch::Watch;
use super::event::{Event, Observer, ScenarioReport, Status, Summary};
use super::{Interrupt, Settings, Targets, interpreter};
use crate::diagnostic::Problem;
use crate::scenario::Instance;

mod lanes;
mod watch;

/// A scenario that waits for its turn.
struct Waiting {
    instance: Instance,
    /// What became of its earlier attempts.
    earlier: Vec<Arc<ScenarioReport>>,
}

/// A run under way.
struct Schedule<'a> {
    targets: &'a Targets,
    settings: &'a Settings,
    interrupt: &'a Interrupt,
    observer: &'a dyn Observer,
    lanes: Lanes<Waiting>,
    /// Those that run again when all others are done.
    again: Vec<Waiting>,
    summary: Summary,
    /// Nothing begins any more: `--fail-fast`.
    stop: bool,
}

/// Runs the instances of scenarios and tells `observer` of everything. Each of them ends in exactly one
/// [`Event::ScenarioFinished`], also where it was never begun.
pub async fn run(
    instances: Vec<Instance>,
    targets: &Targets,
    settings: &Settings,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> Summary {
    let began = Instant::now();
    observer.on(&Event::RunStarted { scenarios: instances.len() });
    let limits = targets.iter().map(|target| target.jobs).collect();
    let mut schedule = Schedule {
        targets,
        settings,
        interrupt,
        observer,
        lanes: Lanes::new(settings.jobs, limits),
        again: Vec::new(),
        summary: Summary::default(),
        stop: false,
    };
    for instance in instances {
        schedule.wait(Waiting { instance, earlier: Vec::new() });
    }
    schedule.run_all().await;
    schedule.leave_the_rest();
    let mut summary = schedule.summary;
    summary.duration = began.elapsed();
    summary.interrupted = interrupt.is_raised();
    summary.cut_short = interrupt.is_raised_twice();
    observer.on(&Event::RunFinished(summary.clone()));
    summary
}

impl Schedule<'_> {
    async fn run_all(&mut self) {
        let mut running = FuturesUnordered::new();
        loop {
            while !self.is_over() {
                let Some((lane, waiting)) = self.lanes.next() else { break };
                running.push(attempt(
                    lane,
                    waiting,
                    self.targets,
                    self.settings,
                    self.interrupt,
                    self.observer,
                ));
            }
            match running.next().await {
                Some((lane, waiting, report)) => {
                    self.lanes.finished(&lane);
                    self.ended(waiting, report);
                }
                None if self.is_over() || self.again.is_empty() => return,
                None => {
                    let mut again = std::mem::take(&mut self.again);
                    again.sort_by_key(|waiting| waiting.instance.place());
                    for waiting in again {
                        self.wait(waiting);
                    }
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.stop || self.interrupt.is_raised()
    }

    fn wait(&mut self, waiting: Waiting) {
        let scenario = waiting.instance.scenario();
        let lane =
            Lane { target: self.targets.place_of(scenario).unwrap_or(0), serial: scenario.serial.clone() };
        self.lanes.push(lane, waiting.instance.place(), waiting);
    }

    /// An attempt is over: the scenario with it, or it gets another.
    fn ended(&mut self, mut waiting: Waiting, report: ScenarioReport) {
        let retries = waiting.instance.scenario().retries.unwrap_or(self.settings.retries);
        let left = report.status == Status::Failed && waiting.instance.attempt() <= retries;
        if left && !self.interrupt.is_raised() {
            let report = Arc::new(report);
            self.observer.on(&Event::AttemptFailed { report: Arc::clone(&report), of: retries + 1 });
            waiting.instance = waiting.instance.again();
            waiting.earlier.push(report);
            self.again.push(waiting);
        } else {
            self.settle(report, waiting.earlier);
        }
    }

    /// A scenario is over.
    fn settle(&mut self, mut report: ScenarioReport, earlier: Vec<Arc<ScenarioReport>>) {
        report.earlier = earlier;
        report.quarantine = self.settings.quarantine.get(&report.instance.place()).map(Arc::clone);
        let wrong = report.status == Status::Failed || report.is_flaky() && self.settings.flaky_fails;
        report.fails_run = wrong && report.quarantine.is_none();
        self.summary.add(&report);
        self.stop |= self.settings.fail_fast && report.fails_run;
        self.observer.on(&Event::ScenarioFinished(report));
    }

    /// What the end of the run has overtaken: the failed attempt of a scenario that had another to come is its last.
    fn leave_the_rest(&mut self) {
        let mut again = std::mem::take(&mut self.again);
        let mut rest = self.lanes.drain();
        rest.append(&mut again);
        rest.sort_by_key(|waiting| waiting.instance.place());
        for Waiting { instance, mut earlier } in rest {
            let report = match earlier.pop() {
                Some(last) => ScenarioReport::clone(&last),
                None => ScenarioReport { status: Status::NotRun, ..ScenarioReport::new(&instance) },
            };
            self.settle(report, earlier);
        }
    }
}

/// Runs a scenario once, and says so when that takes long.
async fn attempt(
    lane: Lane,
    waiting: Waiting,
    targets: &Targets,
    settings: &Settings,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> (Lane, Waiting, ScenarioReport) {
    let instance = &waiting.instance;
    observer.on(&Event::ScenarioStarted { instance: instance.clone() });
    let Some(target) = targets.of(instance.scenario()) else {
        let problem = Problem::error("target::unknown", "the scenario's target was not prepared")
            .label(&instance.scenario().span, "here");
        let report = ScenarioReport::broken(instance, problem);
        return (lane, waiting, report);
    };
    let watch = Watch::new(observer);
    let report = {
        let mut running = std::pin::pin!(interpreter::run(instance, target, settings, interrupt, &watch));
        let mut after = settings.slow;
        let began = Instant::now();
        loop {
            let left = after.saturating_sub(began.elapsed());
            tokio::select! {
                biased;
                report = &mut running => break report,
                () = tokio::time::sleep(left) => {
                    observer.on(&watch.slow(instance, began.elapsed()));
                    // Rarer and rarer: what hangs for hours fills no log.
                    after = after.saturating_mul(2).max(SHORTEST);
                }
            }
        }
    };
    (lane, waiting, report)
}

/// No two notices of a scenario follow one another faster.
const SHORTEST: Duration = Duration::from_millis(100);
