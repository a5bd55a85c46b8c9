//! TAP 14: a test point per scenario, with what went wrong as YAML.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::plain;
use super::record::{AttemptRecord, RunRecord, ScenarioRecord, Status};
use super::write::Writer;

/// Writes the report.
pub(super) struct Tap<W> {
    out: W,
    number: usize,
    interrupted: bool,
}

impl<W: Write> Tap<W> {
    pub(super) fn new(mut out: W, run: &RunRecord) -> io::Result<Self> {
        writeln!(out, "TAP version 14\n1..{}", run.counts.scenarios)?;
        for target in &run.targets {
            writeln!(out, "# agentos-run {} against {}", run.version, plain::line(target))?;
        }
        Ok(Self { out, number: 0, interrupted: run.interrupted })
    }
}

impl<W: Write> Writer for Tap<W> {
    fn scenario(&mut self, scenario: &ScenarioRecord, _json: &[u8]) -> io::Result<()> {
        self.number += 1;
        let failed = scenario.status == Status::Failed || scenario.fails_run;
        let ok = if failed { "not ok" } else { "ok" };
        let reason = || description(scenario.reason.as_deref().unwrap_or_default());
        let directive = match scenario.status {
            Status::Skipped => format!(" # SKIP {}", reason()),
            Status::NotRun => format!(" # SKIP not run: {}", reason()),
            Status::Failed if scenario.failed_in_quarantine() => {
                let why = description(scenario.quarantine.as_deref().unwrap_or_default());
                format!(" # TODO in quarantine: {why}")
            }
            _ => String::new(),
        };
        writeln!(self.out, "{ok} {} - {}{directive}", self.number, description(&scenario.name))?;
        if scenario.status == Status::Failed || scenario.flaky {
            self.out.write_all(diagnostics(scenario).as_bytes())?;
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.interrupted {
            writeln!(self.out, "Bail out! the run was interrupted")?;
        }
        self.out.flush()
    }
}

fn diagnostics(scenario: &ScenarioRecord) -> String {
    let mut yaml = String::from("  ---\n");
    let mut fact = |margin: &str, name: &str, value: &str| {
        let _infallible = writeln!(yaml, "{margin}{name}: {value}");
    };
    fact("  ", "at", &quoted(&scenario.link()));
    fact("  ", "duration_ms", &scenario.duration_ms.to_string());
    if scenario.attempts.len() > 1 {
        fact("  ", "attempts", &scenario.attempts.len().to_string());
        fact("  ", "flaky", if scenario.flaky { "true" } else { "false" });
    }
    if let Some(trace) = &scenario.trace {
        fact("  ", "trace", &quoted(trace));
    }
    let failed = scenario.attempts.iter().rev().find(|attempt| attempt.status == Status::Failed);
    let failures: Vec<_> = failed.into_iter().flat_map(AttemptRecord::all_failures).collect();
    if !failures.is_empty() {
        fact("  ", "failures", "");
    }
    for (step, failure) in failures {
        fact("    ", "- message", &quoted(&failure.message));
        fact("      ", "code", &quoted(&failure.code));
        if let Some(place) = &failure.place {
            fact("      ", "at", &quoted(&place.to_string()));
        }
        if let Some(step) = step {
            fact("      ", "step", &quoted(&step.title));
        }
        if let Some(diff) = &failure.diff {
            fact("      ", "diff", &quoted(diff));
        }
        if let Some(help) = &failure.help {
            fact("      ", "help", &quoted(help));
        }
    }
    yaml.push_str("  ...\n");
    yaml
}

/// A description: `#` begins a directive, and a number at its beginning would be read as the test's own.
fn description(text: &str) -> String {
    plain::line(text).replace('\\', "\\\\").replace('#', "\\#")
}

/// A text of YAML. One of JSON is one, but for characters that YAML wants escaped.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut yaml = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _infallible = write!(yaml, "\\u{:04x}", u32::from(c));
            }
            c => yaml.push(c),
        }
    }
    yaml
}
