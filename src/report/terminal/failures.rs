//! What a failed scenario looks like on standard output: the causes, where they are, the request and its answer.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use owo_colors::Style as Paint;

use super::{Terminal, Verbosity};
use crate::diagnostic::Problem;
use crate::engine::{ScenarioReport, Status, StepReport, StepStatus};
use crate::report::{difference, text};

/// So many failures of one step are shown whole: a loop may fail a thousand times.
const ALIKE: usize = 3;
/// So many of the others are told in a line each.
const LINES_ALIKE: usize = 20;

impl Terminal<'_> {
    /// All of a scenario that failed, in its last attempt or in an earlier one: what went wrong and where, the request, the
    /// answer.
    pub(super) fn failure(&self, report: &ScenarioReport, word: &str, paint: Paint) -> String {
        let mut text = String::new();
        let mut title = format!("{word} {}", self.cut(&report.instance.title().replace('\n', " ")));
        if let Some(reason) = report.quarantine.as_ref().filter(|_| report.status == Status::Failed) {
            title.push_str(&format!(" (in quarantine: {reason})"));
        }
        push(&mut text, &self.paint(&title, paint));
        if let Some(case) = report.instance.case() {
            push(&mut text, &format!("  the case at {}", case.span.link()));
        }
        if report.status != Status::Failed {
            for attempt in &report.earlier {
                push(&mut text, &format!("  attempt {} failed:", attempt.instance.attempt()));
                self.causes(&mut text, attempt);
            }
            self.trace(&mut text, report);
            return text;
        }
        for attempt in &report.earlier {
            let cause = self.cut(&cause(attempt));
            push(&mut text, &format!("  attempt {} failed: {cause}", attempt.instance.attempt()));
        }
        if !report.earlier.is_empty() {
            push(&mut text, &format!("  attempt {} failed:", report.instance.attempt()));
        }
        self.causes(&mut text, report);
        self.trace(&mut text, report);
        text
    }

    /// Where everything that the scenario sent and got is kept.
    fn trace(&self, text: &mut String, report: &ScenarioReport) {
        if let Some(file) = self.traces.as_ref().and_then(|traces| traces.of(&report.instance)) {
            let line = format!("  trace: agentos-run show {}", crate::agentos::quote(&file));
            push(text, &text::harmless_lines(&line));
        }
    }

    fn causes(&self, text: &mut String, report: &ScenarioReport) {
        for problem in &report.problems {
            text.push_str(&indent(&self.masked(problem).render(self.inner_style())));
        }
        let causes = report.failed.iter().filter(|step| step.status == StepStatus::Failed).count();
        // A loop whose items all fail for one reason says it a few times, not a thousand.
        let mut shown: HashMap<String, usize> = HashMap::new();
        let mut rest: Vec<(String, Vec<&StepReport>)> = Vec::new();
        for step in &report.failed {
            let place = place(step);
            let times = shown.entry(place.clone()).or_default();
            *times += 1;
            // What a loop as a whole came to has no round and no request: it is always told.
            if *times > ALIKE && (step.request.is_some() || round(step).is_some()) {
                match rest.iter_mut().find(|(known, _)| *known == place) {
                    Some((_, steps)) => steps.push(step),
                    None => rest.push((place, vec![step])),
                }
                continue;
            }
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
            let title = self.cut(&step.title);
            push(text, &format!("  step `{title}`{action}{phase} at {}{note}", step.span.link()));
            for caller in step.callers.iter().rev() {
                let line = format!("    in `{}` at {}", self.cut(&caller.title), caller.span.link());
                push(text, &line);
            }
            self.step_failures(text, step);
        }
        for (place, steps) in &rest {
            self.alike(text, place, steps);
        }
    }

    /// The further failures of a step that failed many times, a line each.
    fn alike(&self, text: &mut String, place: &str, steps: &[&StepReport]) {
        push(text, &format!("  {place} failed {} more times:", steps.len()));
        for step in steps.iter().take(LINES_ALIKE) {
            let round = round(step).map(|round| format!("{round}: ")).unwrap_or_default();
            let message =
                step.failures.first().map(|failure| failure.problem.message.as_str()).unwrap_or_default();
            let line = self.masker.mask(&format!("{round}{message}").replace('\n', " "));
            push(text, &format!("    {}", text::cut(&line)));
        }
        if let Some(more) = steps.len().checked_sub(LINES_ALIKE).filter(|more| *more > 0) {
            push(text, &format!("    … and {more} more"));
        }
        text.push('\n');
    }

    fn masked(&self, problem: &Problem) -> Problem {
        problem.masked(|text| self.masker.mask(text))
    }

    fn step_failures(&self, text: &mut String, step: &Arc<StepReport>) {
        for failure in &step.failures {
            text.push_str(&indent(&self.masked(&failure.problem).render(self.inner_style())));
            if let Some(diff) = &failure.diff {
                push(text, "    difference (- expected, + actual):");
                for line in text::harmless_lines(diff).lines() {
                    push(text, &format!("      {}", difference::painted(line, self.style.color)));
                }
            }
        }
        for note in &step.notes {
            push(text, &format!("    note: {note}"));
        }
        self.request_and_answer(text, step, "    ");
        text.push('\n');
    }

    pub(super) fn request_and_answer(&self, text: &mut String, step: &StepReport, margin: &str) {
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
            // What a snapshot differs in is shown above; the whole answer again would hide it.
            let shown = !step.failures.is_empty()
                && step
                    .failures
                    .iter()
                    .all(|failure| failure.diff.is_some() && failure.problem.code.starts_with("snapshot::"));
            if shown && self.verbosity < Verbosity::Requests {
                return;
            }
            // Before it is cut: half a secret would not be known as one afterwards.
            let body = self.masker.mask(&String::from_utf8_lossy(&exchange.body));
            for line in text::body_lines(body.as_bytes()) {
                push(text, &format!("{margin}  {line}"));
            }
        }
    }
}

/// The round of a loop that it ran in, as its notes tell.
fn round(step: &StepReport) -> Option<&String> {
    step.notes.iter().find(|note| note.starts_with("round "))
}

/// What a reader finds a step by.
fn place(step: &StepReport) -> String {
    let mut place = format!("step `{}` at {}", text::cut(&step.action), step.span.link());
    for caller in step.callers.iter().rev() {
        place.push_str(&format!(", used at {}", caller.span.link()));
    }
    place
}

/// The first cause of a failed attempt, in a line.
fn cause(report: &ScenarioReport) -> String {
    let step = report.failed.iter().find(|step| step.status == StepStatus::Failed);
    let message = match (step, report.problems.first()) {
        (Some(step), _) => {
            let problem =
                step.failures.first().map(|failure| failure.problem.message.as_str()).unwrap_or_default();
            format!("step `{}` at {}: {problem}", step.title, step.span.link())
        }
        (None, Some(problem)) => problem.message.clone(),
        (None, None) => String::new(),
    };
    message.replace('\n', " ")
}

pub(super) fn push(text: &mut String, line: &str) {
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
