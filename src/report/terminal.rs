//! The report on standard output: a line per scenario, at the end every failure whole, then the counts.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use owo_colors::{OwoColorize as _, Style as Paint};

use super::text;
use crate::diagnostic::Style;
use crate::engine::{Event, Observer, ScenarioReport, Status, StepReport, StepStatus, Summary};
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

/// The report for people.
pub struct Terminal<'a> {
    sink: &'a dyn Sink,
    masker: &'a Masker,
    style: Style,
    verbosity: Verbosity,
    target: String,
    failures: Mutex<Vec<String>>,
    /// Whether streamed answers are shown as they come: only to somebody who watches.
    live: bool,
    answering: AtomicBool,
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
            live,
            answering: AtomicBool::new(false),
        }
    }

    fn say(&self, text: &str) {
        self.sink.write(&self.masker.mask(text));
    }

    fn paint(&self, text: &str, paint: Paint) -> String {
        if self.style.color { text.style(paint).to_string() } else { text.to_owned() }
    }

    fn scenario(&self, report: &ScenarioReport) {
        let (word, paint) = match report.status {
            Status::Passed => ("PASS", Paint::new().green()),
            Status::Failed => ("FAIL", Paint::new().red().bold()),
            Status::Skipped(_) => ("SKIP", Paint::new().yellow()),
        };
        if matches!(report.status, Status::Failed) {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(self.failure(report));
        } else if self.verbosity == Verbosity::Quiet {
            return;
        }
        let scenario = report.instance.scenario();
        let detail = match &report.status {
            Status::Skipped(reason) => format!("skipped: {reason}"),
            _ => format!("{}, {}", text::count(report.steps, "step"), text::time(report.duration)),
        };
        let name = text::cut(&report.instance.title().replace('\n', " "));
        let place = self.paint(
            &format!("{}:{}", scenario.source.name(), scenario.span.position().line),
            Paint::new().dimmed(),
        );
        self.say(&format!("{} {name}  {place}  ({detail})\n", self.paint(word, paint)));
    }

    /// All of a failed scenario: what went wrong and where, the request, the answer.
    fn failure(&self, report: &ScenarioReport) -> String {
        let mut text = String::new();
        let title = format!("FAIL {}", text::cut(&report.instance.title().replace('\n', " ")));
        push(&mut text, &self.paint(&title, Paint::new().red().bold()));
        if let Some(case) = report.instance.case() {
            push(&mut text, &format!("  the case at {}", case.span.link()));
        }
        for problem in &report.problems {
            text.push_str(&indent(&problem.render(self.inner_style())));
        }
        let causes = report.failed.iter().filter(|step| step.status == StepStatus::Failed).count();
        for step in &report.failed {
            let mut note = String::new();
            if step.status == StepStatus::SoftFailed {
                note.push_str(" (soft: the scenario went on)");
            }
            if step.phase == crate::engine::Phase::Finally && causes > 1 {
                note.push_str(", after the failure above");
            }
            let action =
                if step.title == step.action { String::new() } else { format!(" ({})", step.action) };
            let phase = match step.phase {
                crate::engine::Phase::Steps => String::new(),
                phase => format!(" of `{}`", phase.as_str()),
            };
            let title = text::cut(&step.title);
            push(&mut text, &format!("  step `{title}`{action}{phase} at {}{note}", step.span.link()));
            self.step_failures(&mut text, step);
        }
        text
    }

    fn step_failures(&self, text: &mut String, step: &Arc<StepReport>) {
        for failure in &step.failures {
            text.push_str(&indent(&failure.problem.render(self.inner_style())));
            if let Some(diff) = &failure.diff {
                push(text, "    difference (- expected, + actual):");
                for line in text::harmless_lines(diff).lines() {
                    let paint = match line.as_bytes().first() {
                        Some(b'-') => Paint::new().red(),
                        Some(b'+') => Paint::new().green(),
                        _ => Paint::new().dimmed(),
                    };
                    push(text, &format!("      {}", self.paint(line, paint)));
                }
            }
        }
        for note in &step.notes {
            push(text, &format!("    note: {note}"));
        }
        self.request_and_answer(text, step, "    ");
        text.push('\n');
    }

    fn request_and_answer(&self, text: &mut String, step: &StepReport, margin: &str) {
        if let Some(request) = &step.request {
            push(
                text,
                &format!(
                    "{margin}{} {}",
                    self.paint("request:", Paint::new().bold()),
                    text::harmless_lines(&request.curl())
                ),
            );
        }
        if let Some(exchange) = &step.exchange {
            push(
                text,
                &format!(
                    "{margin}{} {}",
                    self.paint("response:", Paint::new().bold()),
                    text::answer_line(exchange)
                ),
            );
            for line in text::body_lines(&exchange.body) {
                push(text, &format!("{margin}  {line}"));
            }
        }
    }

    fn step(&self, step: &StepReport) {
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
        let mut line = format!("  {} {}{action}{detail}\n", self.paint(word, paint), text::cut(&step.title));
        for note in &step.notes {
            push(&mut line, &format!("     note: {note}"));
        }
        if self.verbosity >= Verbosity::Requests {
            self.request_and_answer(&mut line, step, "     ");
        }
        self.say(&line);
    }

    fn answer(&self, piece: &str) {
        if !self.live || self.verbosity < Verbosity::Steps {
            return;
        }
        let lead = if self.answering.swap(true, Ordering::Relaxed) { "" } else { "  " };
        self.say(&format!("{lead}{}", self.paint(&text::harmless_lines(piece), Paint::new().dimmed())));
    }

    fn inner_style(&self) -> Style {
        Style { width: self.style.width.saturating_sub(2).max(40), ..self.style }
    }

    fn summary(&self, summary: &Summary) {
        let failures = std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner));
        if !failures.is_empty() {
            self.say("\n");
            for failure in failures {
                self.say(&failure);
            }
        }
        let total = summary.passed + summary.failed + summary.skipped + summary.not_run;
        let mut parts = Vec::new();
        let mut part = |number: usize, word: &str, paint: Paint| {
            if number > 0 {
                parts.push(self.paint(&format!("{number} {word}"), paint));
            }
        };
        part(summary.passed, "passed", Paint::new().green());
        part(summary.failed, "failed", Paint::new().red().bold());
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
        if summary.interrupted {
            line.push_str("interrupted: `finally` steps ran for what had begun\n");
        }
        self.say(&line);
    }
}

impl Observer for Terminal<'_> {
    fn on(&self, event: &Event) {
        if !matches!(event, Event::Answer { .. }) && self.answering.swap(false, Ordering::Relaxed) {
            self.say("\n");
        }
        match event {
            Event::RunStarted { .. } => self.say(&format!("{}\n", self.target)),
            Event::ScenarioStarted { instance } => {
                if self.verbosity >= Verbosity::Steps {
                    self.say(&format!(
                        "{}\n",
                        self.paint(&text::cut(&instance.title().replace('\n', " ")), Paint::new().bold())
                    ));
                }
            }
            Event::StepFinished { step, .. } => self.step(step),
            Event::Log { text, .. } => {
                if self.verbosity > Verbosity::Quiet {
                    self.say(&format!("  log: {}\n", text::harmless_lines(text).replace('\n', "\n       ")));
                }
            }
            Event::Answer { piece, .. } => self.answer(piece),
            Event::ScenarioFinished(report) => self.scenario(report),
            Event::RunFinished(summary) => self.summary(summary),
        }
    }
}

fn push(text: &mut String, line: &str) {
    let _infallible = writeln!(text, "{line}");
}

fn indent(text: &str) -> String {
    text.lines().fold(String::new(), |mut indented, line| {
        if !line.is_empty() {
            indented.push_str("  ");
            indented.push_str(line);
        }
        indented.push('\n');
        indented
    })
}
