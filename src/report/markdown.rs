//! Markdown for the comment of a pull request or the summary of a CI step: the counts, then each failure, folded.

use std::io::{self, Write};

use super::record::{RunRecord, ScenarioRecord, Status};
use super::text_report::{heading, summary};
use super::write::Writer;
use super::{plain, text};

/// A comment of GitHub holds 65,536 characters.
const LONGEST: usize = 60_000;
/// The characters of one failure.
const FAILURE: usize = 6_000;

/// Writes the report.
pub(super) struct Markdown<W> {
    out: W,
    run: RunRecord,
    failed: String,
    others: String,
    left_out: usize,
}

impl<W: Write> Markdown<W> {
    pub(super) fn new(out: W, run: &RunRecord) -> Self {
        Self { out, run: run.clone(), failed: String::new(), others: String::new(), left_out: 0 }
    }
}

impl<W: Write> Writer for Markdown<W> {
    fn scenario(&mut self, scenario: &ScenarioRecord, _json: &[u8]) -> io::Result<()> {
        let name = code(&text::cut(&plain::line(&scenario.name)));
        let place = code(&plain::line(&scenario.link()));
        let reason = || code(&text::cut(&plain::line(scenario.reason.as_deref().unwrap_or_default())));
        let (failed, piece) = match scenario.status {
            Status::Failed => {
                let word = if scenario.failed_in_quarantine() { "Failed in quarantine" } else { "Failed" };
                let time = plain::time(scenario.duration_ms);
                let mut piece = format!("- ❌ **{word}:** {name} at {place} ({time})\n");
                if let Some(last) = scenario.last() {
                    let mut shown = plain::attempt(last);
                    if let Some((end, _)) = shown.char_indices().nth(FAILURE) {
                        shown.truncate(end);
                        shown.push_str("…\n");
                    }
                    piece.push_str(&details(plain::first_message(last).unwrap_or("failed"), &shown));
                }
                (true, piece)
            }
            Status::Passed if scenario.flaky => {
                let count = scenario.attempts.len();
                let sign = if scenario.fails_run { "❌" } else { "⚠️" };
                (
                    scenario.fails_run,
                    format!("- {sign} **Flaky:** {name} at {place} passed in attempt {count}\n"),
                )
            }
            Status::Skipped => (false, format!("- ⏭️ Skipped: {name}: {}\n", reason())),
            Status::NotRun => (false, format!("- ⏭️ Not run: {name}: {}\n", reason())),
            Status::Passed => return Ok(()),
        };
        if self.failed.len() + self.others.len() + piece.len() > LONGEST {
            self.left_out += 1;
        } else if failed {
            self.failed.push_str(&piece);
        } else {
            self.others.push_str(&piece);
        }
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let counts = &self.run.counts;
        let sign = match () {
            () if self.run.failed => "❌",
            () if self.run.interrupted || counts.passed == 0 => "⚠️",
            () => "✅",
        };
        write!(self.out, "## {sign} {}\n\n", summary(&self.run))?;
        write!(self.out, "{}\n\n", code(&text::cut(&heading(&self.run))))?;
        if self.run.interrupted {
            write!(self.out, "**The run was interrupted.**\n\n")?;
        }
        write!(self.out, "{}{}", self.failed, self.others)?;
        if self.left_out > 0 {
            writeln!(self.out, "- … and {} more that are not listed here", self.left_out)?;
        }
        self.out.flush()
    }
}

/// A text in one line, as code: nothing in it is markup, mentions nobody and links nowhere.
fn code(text: &str) -> String {
    let text = if text.trim().is_empty() { "(empty)" } else { text };
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A folded block in a list.
fn details(summary: &str, text: &str) -> String {
    let short: String = plain::line(summary).chars().take(200).collect();
    let escaped = short.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // Within `<code>`, Markdown is still read: what it would take for markup is written as a reference.
    let escaped: String = escaped
        .chars()
        .map(|c| if "*_`~[]()\\|!#@:$".contains(c) { format!("&#{};", u32::from(c)) } else { c.to_string() })
        .collect();
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    let mut block = format!("  <details><summary><code>{escaped}</code></summary>\n\n  {fence}text\n");
    for line in text.lines() {
        let line: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        block.push_str(format!("  {line}").trim_end());
        block.push('\n');
    }
    block.push_str(&format!("  {fence}\n\n  </details>\n"));
    block
}

/// The longest row of backticks.
fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
