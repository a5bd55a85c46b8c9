//! Records as plain text: what the formats for logs and machines say of a failure.

use std::fmt::Write as _;
use std::time::Duration;

use super::record::{AttemptRecord, BodyRecord, ResponseRecord, ScenarioRecord, StepRecord, StepStatus};
use super::text;

/// One line: without line ends and control characters.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A time as people read it.
pub(super) fn time(milliseconds: f64) -> String {
    text::time(Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default())
}

/// The first thing that went wrong.
pub(super) fn first_message(attempt: &AttemptRecord) -> Option<&str> {
    attempt.all_failures().next().map(|(_, failure)| failure.message.as_str())
}

/// All that went wrong, with the requests and answers of the steps in which it did.
pub(super) fn attempt(attempt: &AttemptRecord) -> String {
    let mut text = String::new();
    for failure in &attempt.failures {
        text.push_str(&failure.text);
        diff(&mut text, failure.diff.as_deref(), "");
    }
    let failed = |step: &&StepRecord| matches!(step.status, StepStatus::Failed | StepStatus::SoftFailed);
    for step in attempt.steps.iter().filter(failed) {
        let soft = if step.status == StepStatus::SoftFailed { " (soft)" } else { "" };
        let _infallible = writeln!(text, "step `{}` at {}{soft}", line(&step.title), step.place);
        for caller in step.callers.iter().rev() {
            let _infallible = writeln!(text, "  in `{}` at {}", line(&caller.title), caller.place);
        }
        for failure in &step.failures {
            for line in failure.text.lines() {
                let _infallible = writeln!(text, "{}", format!("  {line}").trim_end());
            }
            diff(&mut text, failure.diff.as_deref(), "  ");
        }
        for note in &step.notes {
            let _infallible = writeln!(text, "  note: {note}");
        }
        exchange(&mut text, step);
        text.push('\n');
    }
    text
}

fn diff(text: &mut String, diff: Option<&str>, margin: &str) {
    let Some(diff) = diff else { return };
    let _infallible = writeln!(text, "{margin}difference (- expected, + actual):");
    for line in diff.lines() {
        let _infallible = writeln!(text, "{margin}  {line}");
    }
}

fn exchange(text: &mut String, step: &StepRecord) {
    if let Some(curl) = step.request.as_ref().and_then(|request| request.curl.as_ref()) {
        let _infallible = writeln!(text, "  request: {curl}");
    }
    if let Some(response) = &step.response {
        let _infallible = writeln!(text, "  response: {}", answer_line(response));
        for line in response.body.iter().flat_map(body_lines) {
            let _infallible = writeln!(text, "    {line}");
        }
    }
}

/// `200 OK, application/json, 1.2 KiB, 12 ms`
pub(super) fn answer_line(response: &ResponseRecord) -> String {
    let kind =
        response.headers.iter().find(|(name, _)| name == "content-type").map(|(_, kind)| kind.as_str());
    let bytes = response.body.as_ref().map_or(0, |body| body.bytes);
    text::answer(response.status, kind, bytes, &time(response.duration_ms))
}

/// A body in lines that can be read, a word about what is missing at its end.
pub(super) fn body_lines(body: &BodyRecord) -> Vec<String> {
    let mut lines = text::body_lines(body.text.as_bytes());
    if body.cut {
        lines.push(format!("… of {}", text::bytes(body.bytes)));
    }
    lines
}

/// What a scenario has to say beside its verdict: where it stands, what it logged, notes of its steps.
pub(super) fn output(scenario: &ScenarioRecord) -> String {
    let mut text = format!("{}\n", scenario.link());
    if let Some(trace) = &scenario.trace {
        // Jenkins and GitLab show such a file with the test.
        let _infallible = writeln!(text, "[[ATTACHMENT|{trace}]]");
    }
    if !scenario.tags.is_empty() {
        let _infallible = writeln!(text, "tags: {}", scenario.tags.join(", "));
    }
    if scenario.attempts.len() > 1 {
        let _infallible = writeln!(text, "attempts: {}", scenario.attempts.len());
    }
    for attempt in &scenario.attempts {
        for log in &attempt.log {
            let _infallible = writeln!(text, "log: {}", log.text);
        }
        for step in &attempt.steps {
            for note in &step.notes {
                let _infallible = writeln!(text, "note of `{}`: {note}", line(&step.title));
            }
        }
    }
    text
}
