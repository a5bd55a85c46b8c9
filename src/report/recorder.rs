//! Listens to a run and records it: each attempt as it ends, spooled until the reports are written. In memory is what runs;
//! of what is over, where it lies, and of what waits, what it is.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::jsonl::JsonLines;
use super::record::{
    AttemptRecord, Builder, Counts, LogRecord, RunRecord, ScenarioRecord, Shard, Status, milliseconds,
};
use super::records::{Kept, KeptAttempt, Records};
use super::spool::Spool;
use super::trace::Traces;
use crate::engine::{self, Event, Observer, ScenarioReport, StepReport};
use crate::scenario::Instance;

/// Passed steps of one attempt that are recorded; a loop of many thousands would fill the memory.
const PASSED_STEPS: usize = 1_000;
/// The same for steps that failed.
const FAILED_STEPS: usize = 1_000;

/// What is known of a run before it begins.
#[derive(Debug, Clone)]
pub struct About {
    /// `run.id` of the scenarios.
    pub id: String,
    /// When it began: ISO 8601, UTC.
    pub started_at: String,
    /// What it runs against.
    pub targets: Vec<String>,
    /// The part of the plan that runs.
    pub shard: Option<Shard>,
}

/// Records a run.
pub struct Recorder<'a> {
    about: About,
    builder: Builder,
    lines: Option<&'a JsonLines>,
    traces: Option<Arc<Traces>>,
    /// Whether all steps are wanted in the end.
    keeps_all_steps: bool,
    began: Instant,
    /// The scenarios of the plan, by their places in the whole of it.
    places: Vec<usize>,
    state: Mutex<State>,
}

struct State {
    spool: Spool,
    /// In the order of the plan.
    scenarios: Vec<Slot>,
    /// Of those that are over.
    counts: Counts,
    summary: Option<engine::Summary>,
    /// The first thing that went wrong with the spool.
    error: Option<io::Error>,
}

/// What is known of a scenario.
enum Slot {
    Waiting(Instance),
    /// It was begun, and is not over.
    Begun(Box<Begun>),
    Over(Kept),
    /// It could not be kept.
    Lost,
}

/// A scenario that was begun.
struct Begun {
    /// All of it but the attempts.
    head: ScenarioRecord,
    duration: Duration,
    /// Those that are over.
    attempts: Vec<KeptAttempt>,
    running: Option<Attempt>,
}

/// An attempt that is running.
struct Attempt {
    began: Instant,
    /// All of it; of the steps those that something is to be told of.
    record: AttemptRecord,
    /// All steps as JSON, with commas between them.
    steps: Vec<u8>,
    passed: usize,
    failed: usize,
}

impl Attempt {
    fn new(start_ms: f64) -> Self {
        let record = AttemptRecord {
            status: Status::NotRun,
            start_ms,
            duration_ms: 0.0,
            steps_run: 0,
            checks: 0,
            steps_left_out: 0,
            failures: Vec::new(),
            log: Vec::new(),
            steps: Vec::new(),
        };
        Self { began: Instant::now(), record, steps: Vec::new(), passed: 0, failed: 0 }
    }

    /// Puts it into a spool; what is left of it has no steps.
    fn keep(self, spool: &mut Spool, with_all_steps: bool) -> io::Result<(AttemptRecord, KeptAttempt)> {
        let mut record = self.record;
        let short = spool.add(&serde_json::to_vec(&record)?)?;
        record.steps = Vec::new();
        if !with_all_steps {
            return Ok((record, KeptAttempt { short, whole: short }));
        }
        let mut whole = serde_json::to_vec(&record)?;
        if !self.steps.is_empty() {
            whole.pop();
            whole.extend_from_slice(b",\"steps\":[");
            whole.extend_from_slice(&self.steps);
            whole.extend_from_slice(b"]}");
        }
        Ok((record, KeptAttempt { short, whole: spool.add(&whole)? }))
    }
}

impl State {
    fn new(scenarios: Vec<Slot>) -> Self {
        Self { spool: Spool::new(), scenarios, counts: Counts::default(), summary: None, error: None }
    }

    /// What became of writing to the spool; the first error is kept.
    fn spooled<T>(&mut self, result: io::Result<T>) -> Option<T> {
        result.map_err(|error| self.error.get_or_insert(error)).ok()
    }

    fn running(&mut self, place: usize) -> Option<&mut Attempt> {
        match self.scenarios.get_mut(place)? {
            Slot::Begun(begun) => begun.running.as_mut(),
            _ => None,
        }
    }

    /// Ends the attempt that runs, of which all is known but its steps.
    fn end_attempt(&mut self, begun: &mut Begun, with_all_steps: bool) -> Option<AttemptRecord> {
        let attempt = begun.running.take()?;
        let kept = attempt.keep(&mut self.spool, with_all_steps);
        let (record, kept) = self.spooled(kept)?;
        begun.attempts.push(kept);
        Some(record)
    }

    /// A scenario is over.
    fn end(&mut self, place: usize, begun: Begun) {
        self.counts.add(&begun.head);
        let head = serde_json::to_vec(&begun.head).map_err(io::Error::from);
        let head = head.and_then(|head| self.spool.add(&head));
        let head = self.spooled(head);
        if let Some(slot) = self.scenarios.get_mut(place) {
            let attempts = begun.attempts.into_boxed_slice();
            *slot = head.map_or(Slot::Lost, |head| Slot::Over(Kept { head, attempts }));
        }
    }
}

impl<'a> Recorder<'a> {
    /// Records the scenarios of `plan`; `lines` get what happens as it happens.
    pub fn new(about: About, plan: Vec<Instance>, builder: Builder, lines: Option<&'a JsonLines>) -> Self {
        Self {
            about,
            builder,
            lines,
            traces: None,
            keeps_all_steps: true,
            began: Instant::now(),
            places: plan.iter().map(Instance::place).collect(),
            state: Mutex::new(State::new(plan.into_iter().map(Slot::Waiting).collect())),
        }
    }

    /// The same, with the traces that its scenarios have.
    #[must_use]
    pub fn traced(self, traces: Option<Arc<Traces>>) -> Self {
        Self { traces, ..self }
    }

    /// The same; where it does not keep all steps, it keeps those that something is to be told of.
    #[must_use]
    pub fn keeping_all_steps(self, keeps_all_steps: bool) -> Self {
        Self { keeps_all_steps, ..self }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a scenario is in the plan, which is a part of the whole.
    fn slot(&self, instance: &Instance) -> Option<usize> {
        self.places.binary_search(&instance.place()).ok()
    }

    /// A scenario of which nothing is known but what it is.
    fn begin(&self, instance: &Instance) -> Begun {
        let scenario = instance.scenario();
        let text = |text: &str| self.builder.text(text);
        let head = ScenarioRecord {
            name: text(&instance.title()),
            file: text(scenario.source.name()),
            line: scenario.span.position().line,
            index: instance.place(),
            case: instance.case().map(|case| text(case.name)),
            tags: scenario.tags.iter().map(|tag| text(tag)).collect(),
            description: scenario.description.as_deref().map(text),
            status: Status::NotRun,
            flaky: false,
            quarantine: None,
            fails_run: false,
            reason: None,
            duration_ms: 0.0,
            trace: None,
            attempts: Vec::new(),
        };
        Begun { head, duration: Duration::ZERO, attempts: Vec::new(), running: None }
    }

    fn run(&self, state: &State) -> RunRecord {
        let summary = state.summary.clone().unwrap_or_default();
        RunRecord {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            id: self.about.id.clone(),
            started_at: self.about.started_at.clone(),
            duration_ms: milliseconds(self.began.elapsed()),
            targets: self.about.targets.iter().map(|target| self.builder.text(target)).collect(),
            counts: Counts { steps: summary.steps, checks: summary.checks, ..state.counts },
            failed: summary.is_failure,
            interrupted: summary.interrupted || state.summary.is_none(),
            shards: self.about.shard.into_iter().collect(),
        }
    }

    /// The end: all that was recorded. What was still running when the run was stopped counts as not run.
    pub fn finish(self) -> io::Result<Records> {
        let mut state = std::mem::replace(&mut *self.state(), State::new(Vec::new()));
        for place in 0..state.scenarios.len() {
            let mut begun = match std::mem::replace(&mut state.scenarios[place], Slot::Lost) {
                Slot::Waiting(instance) => self.begin(&instance),
                Slot::Begun(begun) => *begun,
                over => {
                    state.scenarios[place] = over;
                    continue;
                }
            };
            if let Some(attempt) = &mut begun.running {
                let ran = attempt.began.elapsed();
                attempt.record.duration_ms = milliseconds(ran);
                attempt.record.steps_run = attempt.passed + attempt.failed;
                begun.duration += ran;
                begun.head.duration_ms = milliseconds(begun.duration);
                state.end_attempt(&mut begun, self.keeps_all_steps);
            }
            if begun.head.status == Status::NotRun {
                begun.head.reason = Some("the run was over before it could end".to_owned());
            }
            state.end(place, begun);
        }
        let run = self.run(&state);
        let State { spool, scenarios, error, .. } = state;
        if let Some(error) = error {
            return Err(error);
        }
        let kept = scenarios.into_iter().filter_map(|slot| match slot {
            Slot::Over(kept) => Some(kept),
            _ => None,
        });
        Ok(Records::new(run, kept.collect(), spool))
    }

    fn step(&self, instance: &Instance, step: &StepReport) {
        let Some(place) = self.slot(instance) else { return };
        let mut state = self.state();
        let Some(attempt) = state.running(place) else { return };
        let failed = matches!(step.status, engine::StepStatus::Failed | engine::StepStatus::SoftFailed);
        let (count, most) =
            if failed { (&mut attempt.failed, FAILED_STEPS) } else { (&mut attempt.passed, PASSED_STEPS) };
        *count += 1;
        if *count > most {
            attempt.record.steps_left_out += 1;
            return;
        }
        let is_told = failed || !step.notes.is_empty();
        let is_written = self.keeps_all_steps || self.lines.is_some();
        if !is_told && !is_written {
            return;
        }
        let record = self.builder.step(step, attempt.began.elapsed().saturating_sub(step.duration));
        if is_written {
            if !self.keeps_all_steps {
                attempt.steps.clear();
            } else if !attempt.steps.is_empty() {
                attempt.steps.push(b',');
            }
            let from = attempt.steps.len();
            // Writing to memory does not fail.
            let _infallible = serde_json::to_writer(&mut attempt.steps, &record);
            if let Some(lines) = self.lines {
                lines.step_finished(instance.place(), &attempt.steps[from..]);
            }
        }
        if is_told {
            attempt.record.steps.push(record);
        }
    }

    fn log(&self, instance: &Instance, text: &str) {
        let Some(place) = self.slot(instance) else { return };
        let text = self.builder.text(text);
        if let Some(attempt) = self.state().running(place) {
            let record = LogRecord { at_ms: milliseconds(attempt.began.elapsed()), text };
            if let Some(lines) = self.lines {
                lines.log(instance.place(), &record);
            }
            if attempt.record.log.len() < PASSED_STEPS {
                attempt.record.log.push(record);
            }
        }
    }

    fn started(&self, instance: &Instance) {
        let Some(place) = self.slot(instance) else { return };
        let mut state = self.state();
        let Some(slot) = state.scenarios.get_mut(place) else { return };
        if !matches!(slot, Slot::Begun(_)) {
            *slot = Slot::Begun(Box::new(self.begin(instance)));
        }
        let Slot::Begun(begun) = slot else { return };
        begun.running = Some(Attempt::new(milliseconds(self.began.elapsed())));
        if let Some(lines) = self.lines {
            lines.scenario_started(&begun.head);
        }
    }

    /// An attempt is over, and maybe the scenario with it.
    fn attempted(&self, report: &ScenarioReport, is_last: bool) {
        let Some(place) = self.slot(&report.instance) else { return };
        let mut state = self.state();
        let Some(slot) = state.scenarios.get_mut(place) else { return };
        let mut begun = match std::mem::replace(slot, Slot::Lost) {
            Slot::Begun(begun) => begun,
            // The run was over before it could begin.
            _ => Box::new(self.begin(&report.instance)),
        };
        let head = &mut begun.head;
        (head.status, head.reason) = match &report.status {
            engine::Status::Passed => (Status::Passed, None),
            engine::Status::Failed => (Status::Failed, None),
            engine::Status::Skipped(reason) => (Status::Skipped, Some(self.builder.text(reason))),
            engine::Status::NotRun => (Status::NotRun, Some("the run was over before".to_owned())),
        };
        head.quarantine = report.quarantine.as_deref().map(|why| self.builder.text(why));
        head.fails_run = report.fails_run;
        head.trace = self.traces.as_ref().and_then(|traces| traces.of(&report.instance));
        let status = head.status;
        if status == Status::Skipped {
            begun.running = None;
        }
        // None where the end of the run overtook the next attempt: the last one has been told already.
        let mut ended = None;
        if let Some(attempt) = &mut begun.running {
            let record = &mut attempt.record;
            record.status = status;
            record.duration_ms = milliseconds(report.duration);
            record.steps_run = report.steps;
            record.checks = report.checks;
            record.failures =
                report.problems.iter().map(|problem| self.builder.failure(problem, None)).collect();
            begun.duration += report.duration;
            ended = state.end_attempt(&mut begun, self.keeps_all_steps);
        }
        begun.head.duration_ms = milliseconds(begun.duration);
        begun.head.flaky = status == Status::Passed && begun.attempts.len() > 1;
        if let Some(lines) = self.lines {
            begun.head.attempts.extend(ended);
            if is_last {
                lines.scenario_finished(&begun.head);
            } else {
                lines.attempt_failed(&begun.head);
            }
            begun.head.attempts.clear();
        }
        if is_last {
            state.end(place, *begun);
        } else if let Some(slot) = state.scenarios.get_mut(place) {
            *slot = Slot::Begun(begun);
        }
    }
}

impl Observer for Recorder<'_> {
    fn on(&self, event: &Event) {
        match event {
            Event::RunStarted { .. } => {
                if let Some(lines) = self.lines {
                    let run = RunRecord { interrupted: false, ..self.run(&self.state()) };
                    lines.run_started(&run, self.places.len());
                }
            }
            Event::ScenarioStarted { instance } => self.started(instance),
            Event::StepFinished { instance, step } => self.step(instance, step),
            Event::Log { instance, text } | Event::Plan { instance, text } => self.log(instance, text),
            Event::Bulk { instance, report } => {
                self.log(instance, &format!("{}: {}", report.title, report.counts()));
            }
            Event::Answer { .. } => {}
            Event::StepStarted { .. } | Event::Slow { .. } | Event::Loop { .. } => {}
            Event::AttemptFailed { report, .. } => self.attempted(report, false),
            Event::ScenarioFinished(report) => self.attempted(report, true),
            Event::RunFinished(summary) => {
                let mut state = self.state();
                state.summary = Some(summary.clone());
                if let Some(lines) = self.lines {
                    lines.run_finished(&self.run(&state));
                }
            }
        }
    }
}
