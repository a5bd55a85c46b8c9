//! Listens to a run and records it: each attempt as it ends, spooled until the reports are written.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::jsonl::JsonLines;
use super::record::{
    AttemptRecord, Builder, Counts, LogRecord, RunRecord, ScenarioRecord, Shard, Status, milliseconds,
};
use super::records::Records;
use super::spool::{Piece, Spool};
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
    plan: Vec<Instance>,
    slots: HashMap<usize, usize>,
    builder: Builder,
    lines: Option<&'a JsonLines>,
    traces: Option<Arc<Traces>>,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    spool: Spool,
    slots: Vec<Slot>,
    running: HashMap<usize, Attempt>,
    summary: Option<engine::Summary>,
    /// The first thing that went wrong with the spool.
    error: Option<io::Error>,
}

/// What is known of a scenario.
#[derive(Default)]
struct Slot {
    status: Option<(Status, Option<String>)>,
    duration: Duration,
    attempts: Vec<Piece>,
    quarantine: Option<Arc<str>>,
    fails_run: bool,
}

/// A scenario that is running.
struct Attempt {
    began: Instant,
    /// All of it but the steps.
    record: AttemptRecord,
    /// The steps as JSON, with commas between them.
    steps: String,
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
        Self { began: Instant::now(), record, steps: String::new(), passed: 0, failed: 0 }
    }

    fn json(&self) -> serde_json::Result<String> {
        let mut json = serde_json::to_string(&self.record)?;
        if !self.steps.is_empty() {
            json.pop();
            json.push_str(",\"steps\":[");
            json.push_str(&self.steps);
            json.push_str("]}");
        }
        Ok(json)
    }
}

impl<'a> Recorder<'a> {
    /// Records the scenarios of `plan`; `lines` get what happens as it happens.
    pub fn new(about: About, plan: Vec<Instance>, builder: Builder, lines: Option<&'a JsonLines>) -> Self {
        let state = State {
            spool: Spool::new(),
            slots: plan.iter().map(|_| Slot::default()).collect(),
            running: HashMap::new(),
            summary: None,
            error: None,
        };
        Self {
            slots: plan.iter().enumerate().map(|(index, instance)| (instance.place(), index)).collect(),
            about,
            plan,
            builder,
            lines,
            traces: None,
            began: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// The same, with the traces that its scenarios have.
    #[must_use]
    pub fn traced(self, traces: Option<Arc<Traces>>) -> Self {
        Self { traces, ..self }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, instance: &Instance) -> Option<usize> {
        self.slots.get(&instance.place()).copied()
    }

    fn head(&self, index: usize, slot: &Slot) -> ScenarioRecord {
        let instance = &self.plan[index];
        let scenario = instance.scenario();
        let text = |text: &str| self.builder.text(text);
        let (status, reason) = slot
            .status
            .clone()
            .unwrap_or_else(|| (Status::NotRun, Some("the run was over before it could end".to_owned())));
        ScenarioRecord {
            name: text(&instance.title()),
            file: text(scenario.source.name()),
            line: scenario.span.position().line,
            index: instance.place(),
            case: instance.case().map(|case| text(case.name)),
            tags: scenario.tags.iter().map(|tag| text(tag)).collect(),
            description: scenario.description.as_deref().map(text),
            status,
            flaky: status == Status::Passed && slot.attempts.len() > 1,
            quarantine: slot.quarantine.as_deref().map(text),
            fails_run: slot.fails_run,
            reason,
            duration_ms: milliseconds(slot.duration),
            trace: self.traces.as_ref().and_then(|traces| traces.of(instance)),
            attempts: Vec::new(),
        }
    }

    fn run(&self, state: &State) -> RunRecord {
        let summary = state.summary.clone().unwrap_or_default();
        RunRecord {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            id: self.about.id.clone(),
            started_at: self.about.started_at.clone(),
            duration_ms: milliseconds(self.began.elapsed()),
            targets: self.about.targets.iter().map(|target| self.builder.text(target)).collect(),
            counts: Counts::default(),
            failed: summary.is_failure,
            interrupted: summary.interrupted || state.summary.is_none(),
            shards: self.about.shard.into_iter().collect(),
        }
    }

    /// The end: all that was recorded. What was still running when the run was stopped counts as not run.
    pub fn finish(self) -> io::Result<Records> {
        let mut state = std::mem::replace(
            &mut *self.state(),
            State {
                spool: Spool::new(),
                slots: Vec::new(),
                running: HashMap::new(),
                summary: None,
                error: None,
            },
        );
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let mut left: Vec<(usize, Attempt)> = state.running.drain().collect();
        left.sort_by_key(|(index, _)| *index);
        for (index, mut attempt) in left {
            attempt.record.duration_ms = milliseconds(attempt.began.elapsed());
            attempt.record.steps_run = attempt.passed + attempt.failed;
            let piece = state.spool.add(&attempt.json()?)?;
            state.slots[index].attempts.push(piece);
            state.slots[index].duration += attempt.began.elapsed();
        }
        let mut run = self.run(&state);
        let mut scenarios = Vec::with_capacity(state.slots.len());
        let summary = state.summary.clone().unwrap_or_default();
        for (index, slot) in state.slots.into_iter().enumerate() {
            let head = self.head(index, &slot);
            run.counts.add(&head);
            scenarios.push((head, slot.attempts));
        }
        run.counts.steps = summary.steps;
        run.counts.checks = summary.checks;
        Ok(Records::new(run, scenarios, state.spool))
    }

    fn step(&self, instance: &Instance, step: &StepReport) {
        let Some(place) = self.slot(instance) else { return };
        let failed = matches!(step.status, engine::StepStatus::Failed | engine::StepStatus::SoftFailed);
        let start = {
            let mut state = self.state();
            let Some(attempt) = state.running.get_mut(&place) else { return };
            let (count, most) = if failed {
                (&mut attempt.failed, FAILED_STEPS)
            } else {
                (&mut attempt.passed, PASSED_STEPS)
            };
            *count += 1;
            if *count > most {
                attempt.record.steps_left_out += 1;
                return;
            }
            attempt.began.elapsed().saturating_sub(step.duration)
        };
        // Beside the lock: others run meanwhile.
        let Ok(json) = serde_json::to_string(&self.builder.step(step, start)) else { return };
        if let Some(lines) = self.lines {
            lines.step_finished(place, &json);
        }
        if let Some(attempt) = self.state().running.get_mut(&place) {
            if !attempt.steps.is_empty() {
                attempt.steps.push(',');
            }
            attempt.steps.push_str(&json);
        }
    }

    fn log(&self, instance: &Instance, text: &str) {
        let Some(place) = self.slot(instance) else { return };
        let text = self.builder.text(text);
        if let Some(attempt) = self.state().running.get_mut(&place) {
            let record = LogRecord { at_ms: milliseconds(attempt.began.elapsed()), text };
            if let Some(lines) = self.lines {
                lines.log(place, &record);
            }
            if attempt.record.log.len() < PASSED_STEPS {
                attempt.record.log.push(record);
            }
        }
    }

    /// An attempt is over, and maybe the scenario with it.
    fn attempted(&self, report: &ScenarioReport, is_last: bool) {
        let Some(place) = self.slot(&report.instance) else { return };
        let attempt = self.state().running.remove(&place);
        let (status, reason) = match &report.status {
            engine::Status::Passed => (Status::Passed, None),
            engine::Status::Failed => (Status::Failed, None),
            engine::Status::Skipped(reason) => (Status::Skipped, Some(self.builder.text(reason))),
            engine::Status::NotRun => (Status::NotRun, Some("the run was over before".to_owned())),
        };
        // None where the end of the run overtook the next attempt: the last one has been told already.
        let attempt = attempt.map(|mut attempt| {
            let record = &mut attempt.record;
            record.status = status;
            record.duration_ms = milliseconds(report.duration);
            record.steps_run = report.steps;
            record.checks = report.checks;
            record.failures =
                report.problems.iter().map(|problem| self.builder.failure(problem, None)).collect();
            let json = attempt.json();
            (attempt.record, json)
        });
        let mut state = self.state();
        let State { spool, slots, error, .. } = &mut *state;
        let Some(slot) = slots.get_mut(place) else { return };
        slot.status = Some((status, reason));
        slot.quarantine.clone_from(&report.quarantine);
        slot.fails_run = report.fails_run;
        let mut records = Vec::new();
        if let Some((record, json)) = attempt.filter(|_| status != Status::Skipped) {
            slot.duration += report.duration;
            records.push(record);
            match json.map_err(io::Error::from).and_then(|json| spool.add(&json)) {
                Ok(piece) => slot.attempts.push(piece),
                Err(cause) => *error = error.take().or(Some(cause)),
            }
        }
        if let Some(lines) = self.lines {
            let head = ScenarioRecord { attempts: records, ..self.head(place, slot) };
            if is_last { lines.scenario_finished(&head) } else { lines.attempt_failed(&head) }
        }
    }
}

impl Observer for Recorder<'_> {
    fn on(&self, event: &Event) {
        match event {
            Event::RunStarted { .. } => {
                if let Some(lines) = self.lines {
                    let run = RunRecord { interrupted: false, ..self.run(&self.state()) };
                    lines.run_started(&run, self.plan.len());
                }
            }
            Event::ScenarioStarted { instance } => {
                let Some(place) = self.slot(instance) else { return };
                let mut state = self.state();
                state.running.insert(place, Attempt::new(milliseconds(self.began.elapsed())));
                if let Some(lines) = self.lines {
                    let head = self.head(place, &state.slots[place]);
                    lines.scenario_started(&ScenarioRecord { reason: None, ..head });
                }
            }
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
                    let mut run = self.run(&state);
                    for (index, slot) in state.slots.iter().enumerate() {
                        run.counts.add(&self.head(index, slot));
                    }
                    (run.counts.steps, run.counts.checks) = (summary.steps, summary.checks);
                    lines.run_finished(&run);
                }
            }
        }
    }
}
