//! The report for people, of a run that is over: what the terminal shows in the end, without colours.

use std::io::{self, Write};

use super::plain;
use super::record::{RunRecord, ScenarioRecord, Status};
use super::text;
use super::write::Writer;

/// Writes the report.
pub(super) struct Text<W> {
    out: W,
    run: RunRecord,
    failures: String,
}

impl<W: Write> Text<W> {
    pub(super) fn new(mut out: W, run: &RunRecord) -> io::Result<Self> {
        writeln!(out, "{}", heading(run))?;
        Ok(Self { out, run: run.clone(), failures: String::new() })
    }
}

impl<W: Write> Writer for Text<W> {
    fn scenario(&mut self, scenario: &ScenarioRecord, _json: &[u8]) -> io::Result<()> {
        let steps: usize = scenario.attempts.iter().map(|attempt| attempt.steps_run).sum();
        let ran = format!("{}, {}", text::count(steps, "step"), plain::time(scenario.duration_ms));
        let reason = scenario.reason.as_deref().unwrap_or_default();
        let (word, detail) = match scenario.status {
            Status::Passed if scenario.flaky => ("FLAKY", ran),
            Status::Passed => ("PASS", ran),
            Status::Failed => ("FAIL", ran),
            Status::Skipped => ("SKIP", format!("skipped: {reason}")),
            Status::NotRun => ("SKIP", format!("not run: {reason}")),
        };
        let quarantine = scenario.quarantine.as_deref().map(|why| format!(", in quarantine: {why}"));
        let quarantine = plain::line(&quarantine.unwrap_or_default());
        let name = text::cut(&plain::line(&scenario.name));
        let place = plain::line(&scenario.link());
        writeln!(self.out, "{word} {name}  {place}  ({}{quarantine})", plain::line(&detail))?;
        if (scenario.status == Status::Failed || scenario.flaky)
            && let Some(last) =
                scenario.attempts.iter().rev().find(|attempt| attempt.status == Status::Failed)
        {
            self.failures.push_str(&format!("{word} {name}\n"));
            for line in plain::attempt(last).lines() {
                self.failures.push_str(format!("  {line}").trim_end());
                self.failures.push('\n');
            }
            if let Some(trace) = &scenario.trace {
                self.failures.push_str(&format!("  trace: {trace}\n"));
            }
            self.failures.push('\n');
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if !self.failures.is_empty() {
            let failures: String = self
                .failures
                .chars()
                .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
                .collect();
            write!(self.out, "\n{failures}")?;
        }
        writeln!(self.out, "{}", summary(&self.run))?;
        self.out.flush()
    }
}

/// `agentos-run 0.1.0 against ...`
pub(super) fn heading(run: &RunRecord) -> String {
    plain::line(&format!("agentos-run {} against {}", run.version, run.targets.join(" and ")))
}

/// `3 scenarios: 2 passed, 1 failed  (7 steps, 3 checks, 1.2 s)`
pub(super) fn summary(run: &RunRecord) -> String {
    let counts = &run.counts;
    format!(
        "{}: {}  ({}, {}, {})",
        text::count(counts.scenarios, "scenario"),
        parts(run),
        text::count(counts.steps, "step"),
        text::count(counts.checks, "check"),
        plain::time(run.duration_ms)
    )
}

/// `2 passed (1 flaky), 1 failed`
pub(super) fn parts(run: &RunRecord) -> String {
    let counts = &run.counts;
    let mut parts = Vec::new();
    let mut part = |number: usize, word: &str| {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    };
    let passed =
        if counts.flaky > 0 { format!("passed ({} flaky)", counts.flaky) } else { "passed".to_owned() };
    part(counts.passed, &passed);
    part(counts.failed, "failed");
    part(counts.quarantined, "failed in quarantine");
    part(counts.skipped, "skipped");
    part(counts.not_run, "not run");
    if parts.is_empty() { "nothing ran".to_owned() } else { parts.join(", ") }
}
