//! The report on standard output: a line per scenario, at the end every failure whole, then the counts.

mod failures;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use owo_colors::{OwoColorize as _, Style as Paint};

use failures::push;

use super::looping::{self, Lines};
use super::text;
use super::trace::Traces;
use crate::diagnostic::Style;
use crate::engine::{
    BulkReport, Event, LoopProgress, Observer, ScenarioReport, SlowStep, Stage, Status, StepReport,
    StepStatus, Summary,
};
use crate::scenario::Instance;
use crate::secret::Masker;

/// Where a report goes.
pub trait Sink: Send + Sync {
    /// Takes a piece of it, line ends included.
    fn write(&self, text: &str);
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Failures and counts.
    Quiet,
    /// A line for each scenario too.
    Normal,
    /// A line for each step too.
    Steps,
    /// The request and the answer of each step too.
    Requests,
}

/// So much of a line of a plan is shown: a request for a hundred items at a time has thousands of characters.
const PLANNED: usize = 400;

/// What is told at the end: the worst last, next to the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Flaky,
    Quarantined,
    Failed,
}

/// What is told of a scenario at the end.
struct Told {
    order: Order,
    place: usize,
    text: String,
}

/// The report for people.
pub struct Terminal<'a> {
    sink: &'a dyn Sink,
    masker: &'a Masker,
    style: Style,
    verbosity: Verbosity,
    target: String,
    failures: Mutex<Vec<Told>>,
    /// Whether scenarios run at the same time: what they say is then kept until they are over, each by its place.
    several: bool,
    blocks: Mutex<HashMap<usize, String>>,
    /// Whether streamed answers are shown as they come: only to somebody who watches.
    live: bool,
    answering: AtomicBool,
    /// The end of what came of an answer: it may be the beginning of a secret, and waits for what follows.
    unsaid: Mutex<String>,
    traces: Option<Arc<Traces>>,
    /// How often a loop may say how far it is, where nothing else shows it.
    loops_every: Option<Duration>,
    /// The loops that go on, by the places of their scenarios and their own.
    loops: Mutex<HashMap<(usize, usize), Lines>>,
}

impl<'a> Terminal<'a> {
    /// A report that goes to `sink`; `target` is its first line.
    pub fn new(
        sink: &'a dyn Sink,
        masker: &'a Masker,
        style: Style,
        verbosity: Verbosity,
        target: String,
        live: bool,
    ) -> Self {
        Self {
            sink,
            masker,
            style,
            verbosity,
            target,
            failures: Mutex::new(Vec::new()),
            several: false,
            blocks: Mutex::default(),
            live,
            answering: AtomicBool::new(false),
            unsaid: Mutex::default(),
            traces: None,
            loops_every: None,
            loops: Mutex::default(),
        }
    }

    /// Loops that take long say now and then how far they are: not more often than this.
    #[must_use]
    pub fn telling_of_loops(self, every: Option<Duration>) -> Self {
        Self { loops_every: every, ..self }
    }

    /// Scenarios run at the same time, or they do not.
    #[must_use]
    pub fn side_by_side(self, several: bool) -> Self {
        Self { several, ..self }
    }

    /// The same, naming the traces of scenarios that failed.
    #[must_use]
    pub fn traced(self, traces: Option<Arc<Traces>>) -> Self {
        Self { traces, ..self }
    }

    /// Says what belongs to a scenario that goes on.
    fn say_of(&self, instance: &Instance, text: &str) {
        if self.several {
            let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
            blocks.entry(instance.place()).or_default().push_str(text);
        } else {
            self.say(text);
        }
    }

    /// Says what a scenario ends with, after all that was kept of it.
    fn say_last(&self, instance: &Instance, line: &str) {
        let block = self.blocks.lock().unwrap_or_else(PoisonError::into_inner).remove(&instance.place());
        self.say(&(block.unwrap_or_default() + line));
    }

    fn say(&self, text: &str) {
        self.sink.write(&self.masker.mask(text));
    }

    /// A line of bounded length, in which a secret is masked before it is cut in two.
    fn cut(&self, line: &str) -> String {
        text::cut(&self.masker.mask(line))
    }

    fn paint(&self, text: &str, paint: Paint) -> String {
        if self.style.color { text.style(paint).to_string() } else { text.to_owned() }
    }

    fn scenario(&self, report: &ScenarioReport) {
        let (word, paint, order) = match report.status {
            Status::Passed if report.is_flaky() => ("FLAKY", Paint::new().yellow(), Order::Flaky),
            Status::Passed => ("PASS", Paint::new().green(), Order::Flaky),
            Status::Failed if !report.fails_run => ("FAIL", Paint::new().yellow(), Order::Quarantined),
            Status::Failed => ("FAIL", Paint::new().red().bold(), Order::Failed),
            Status::Skipped(_) => ("SKIP", Paint::new().yellow(), Order::Flaky),
            Status::NotRun => return,
        };
        let is_wrong = report.is_flaky() || report.status == Status::Failed;
        if is_wrong {
            let order = if report.fails_run { Order::Failed } else { order };
            let told =
                Told { order, place: report.instance.place(), text: self.failure(report, word, paint) };
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(told);
        }
        if self.verbosity == Verbosity::Quiet && !report.fails_run {
            return;
        }
        let mut detail = match &report.status {
            Status::Skipped(reason) => format!("skipped: {reason}"),
            _ => format!("{}, {}", text::count(report.steps, "step"), text::time(report.duration)),
        };
        if !report.earlier.is_empty() {
            detail = format!("attempt {}, {detail}", report.instance.attempt());
        }
        if let (Some(reason), Status::Failed) = (&report.quarantine, &report.status) {
            detail = format!("in quarantine: {reason}; {detail}");
        }
        self.say_last(&report.instance, &self.line(&report.instance, word, paint, &detail));
    }

    fn line(&self, instance: &Instance, word: &str, paint: Paint, detail: &str) -> String {
        let scenario = instance.scenario();
        let name = self.cut(&instance.title().replace('\n', " "));
        let place = format!("{}:{}", scenario.source.name(), scenario.span.position().line);
        let place = self.paint(&place, Paint::new().dimmed());
        format!("{} {name}  {place}  ({detail})\n", self.paint(word, paint))
    }

    /// A scenario that will be run again.
    fn again(&self, report: &ScenarioReport, of: u32) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let detail = format!(
            "attempt {} of {of} failed, {}, {}",
            report.instance.attempt(),
            text::count(report.steps, "step"),
            text::time(report.duration)
        );
        self.say_last(
            &report.instance,
            &self.line(&report.instance, "RETRY", Paint::new().yellow(), &detail),
        );
    }

    /// A scenario that hangs, or only takes long.
    fn slow(&self, instance: &Instance, time: Duration, step: Option<&SlowStep>) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let mut detail = format!("still running after {}", text::time(time));
        if let Some(step) = step {
            let (title, link) = (self.cut(&step.title), step.span.link());
            detail.push_str(&format!(", in step `{title}` at {link} for {}", text::time(step.time)));
        }
        self.say(&self.line(instance, "SLOW", Paint::new().yellow(), &detail));
    }

    /// A loop that takes long.
    fn looping(&self, instance: &Instance, progress: &LoopProgress) {
        let Some(every) = self.loops_every.filter(|_| self.verbosity > Verbosity::Quiet) else { return };
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (instance.place(), progress.span.range().start);
        if progress.stage == Stage::Over {
            loops.remove(&key);
            return;
        }
        let lines = loops.entry(key).or_insert_with(|| Lines::new(every, progress));
        if lines.is_due(progress, Instant::now()) {
            let title = self.cut(&progress.title.replace('\n', " "));
            let detail = format!("{title}: {}", looping::words(progress));
            self.say(&self.line(instance, "BUSY", Paint::new().cyan(), &detail));
        }
    }

    fn step(&self, instance: &Instance, step: &StepReport) {
        if self.verbosity < Verbosity::Steps {
            return;
        }
        let (word, paint) = match &step.status {
            StepStatus::Passed => ("ok", Paint::new().green()),
            StepStatus::Failed | StepStatus::SoftFailed => ("failed", Paint::new().red()),
            StepStatus::Skipped(_) => ("skipped", Paint::new().yellow()),
        };
        let action = if step.title == step.action { String::new() } else { format!(" ({})", step.action) };
        let detail = match &step.status {
            StepStatus::Skipped(reason) => format!(": {reason}"),
            _ => format!(" {}", text::time(step.duration)),
        };
        let within: String =
            step.callers.iter().map(|caller| format!("{} › ", self.cut(&caller.title))).collect();
        let mut line =
            format!("  {} {within}{}{action}{detail}\n", self.paint(word, paint), self.cut(&step.title));
        for note in &step.notes {
            push(&mut line, &format!("     note: {note}"));
        }
        if self.verbosity >= Verbosity::Requests {
            self.request_and_answer(&mut line, step, "     ");
        }
        self.say_of(instance, &line);
    }

    fn answer(&self, piece: &str) {
        if !self.live || self.several || self.verbosity < Verbosity::Steps {
            return;
        }
        let lead = if self.answering.swap(true, Ordering::Relaxed) { "" } else { "  " };
        let mut unsaid = self.unsaid.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.push_str(piece);
        let mut now = self.masker.mask(&unsaid);
        *unsaid = now.split_off(now.len() - self.masker.begun_at_end(&now));
        self.say(&format!("{lead}{}", self.paint(&text::harmless_lines(&now), Paint::new().dimmed())));
    }

    /// An answer that was shown as it came is over.
    fn answered(&self) {
        let rest = std::mem::take(&mut *self.unsaid.lock().unwrap_or_else(PoisonError::into_inner));
        self.say(&format!("{}\n", self.paint(&text::harmless_lines(&rest), Paint::new().dimmed())));
    }

    /// What became of the items of a loop over an operation.
    fn bulk(&self, instance: &Instance, report: &BulkReport) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        let title = self.cut(&report.title);
        self.say_of(
            instance,
            &format!("  {title}: {}  ({})\n", report.counts(), text::time(report.duration)),
        );
    }

    fn inner_style(&self) -> Style {
        Style { width: self.style.width.saturating_sub(2).max(40), ..self.style }
    }

    fn summary(&self, summary: &Summary) {
        let mut failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        failures.sort_by_key(|told| (told.order, told.place));
        if !failures.is_empty() {
            self.say("\n");
            for failure in failures {
                self.say(&failure.text);
            }
        }
        let total = summary.passed + summary.failed + summary.quarantined + summary.skipped + summary.not_run;
        let mut parts = Vec::new();
        let mut part = |number: usize, word: &str, paint: Paint| {
            if number > 0 {
                parts.push(self.paint(&format!("{number} {word}"), paint));
            }
        };
        let flaky = format!("passed ({} flaky)", summary.flaky);
        part(summary.passed, if summary.flaky > 0 { &flaky } else { "passed" }, Paint::new().green());
        part(summary.failed, "failed", Paint::new().red().bold());
        part(summary.quarantined, "failed in quarantine", Paint::new().yellow());
        part(summary.skipped, "skipped", Paint::new().yellow());
        part(summary.not_run, "not run", Paint::new().yellow());
        let mut line = format!(
            "{}: {}  ({}, {}, {})\n",
            text::count(total, "scenario"),
            parts.join(", "),
            text::count(summary.steps, "step"),
            text::count(summary.checks, "check"),
            text::time(summary.duration)
        );
        if summary.is_failure && summary.failed == 0 {
            line.push_str("failed: a scenario is flaky, and `--flaky fail` was given\n");
        }
        if summary.cut_short {
            line.push_str("stopped at once: `finally` steps may not have run\n");
        } else if summary.interrupted {
            line.push_str("interrupted: `finally` steps ran for what had begun\n");
        }
        self.say(&line);
    }
}

impl Observer for Terminal<'_> {
    fn on(&self, event: &Event) {
        if !matches!(event, Event::Answer { .. } | Event::StepStarted { .. } | Event::Loop { .. })
            && self.answering.swap(false, Ordering::Relaxed)
        {
            self.answered();
        }
        match event {
            Event::RunStarted { .. } => self.say(&format!("{}\n", self.target)),
            Event::ScenarioStarted { instance } => {
                if self.verbosity >= Verbosity::Steps {
                    let title = self.cut(&instance.title().replace('\n', " "));
                    self.say_of(instance, &format!("{}\n", self.paint(&title, Paint::new().bold())));
                }
            }
            Event::StepStarted { .. } => {}
            Event::StepFinished { instance, step } => self.step(instance, step),
            Event::Log { instance, text } => {
                if self.verbosity > Verbosity::Quiet {
                    let text = text::harmless_lines(text).replace('\n', "\n       ");
                    self.say_of(instance, &format!("  log: {text}\n"));
                }
            }
            Event::Slow { instance, time, step } => self.slow(instance, *time, step.as_ref()),
            Event::Loop { instance, progress } => self.looping(instance, progress),
            Event::AttemptFailed { report, of } => self.again(report, *of),
            Event::Answer { piece, .. } => self.answer(piece),
            Event::Plan { instance, text } => {
                if self.verbosity > Verbosity::Quiet {
                    let mut text = text::harmless_lines(text).replace('\n', "\n  ");
                    if self.verbosity < Verbosity::Steps
                        && let Some((at, _)) = text.char_indices().nth(PLANNED)
                    {
                        let rest = text[at..].chars().count();
                        text.truncate(at);
                        text.push_str(&format!("... and {rest} characters more; -v shows them"));
                    }
                    self.say_of(instance, &format!("  {text}\n"));
                }
            }
            Event::Bulk { instance, report } => self.bulk(instance, report),
            Event::ScenarioFinished(report) => self.scenario(report),
            Event::RunFinished(summary) => self.summary(summary),
        }
    }
}
