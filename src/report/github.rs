//! Annotations of GitHub Actions: commands on standard output that it shows beside the lines of the files.
//! The summary of a step is the Markdown report; see `markdown`.

use std::io::{self, Write};

use super::plain;
use super::record::{AttemptRecord, FailureRecord, ScenarioRecord, Status};
use super::write::Writer;

/// GitHub shows few annotations of a step; more only make the log longer.
const MOST: usize = 50;
/// The characters of one message.
const LONGEST: usize = 4_000;

/// Writes the annotations.
pub(super) struct Github<W> {
    out: W,
    written: usize,
}

impl<W: Write> Github<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, written: 0 }
    }

    fn annotate(
        &mut self,
        level: &str,
        title: &str,
        scenario: &ScenarioRecord,
        failure: Option<&FailureRecord>,
        more: usize,
    ) -> io::Result<()> {
        self.written += 1;
        if self.written > MOST {
            return Ok(());
        }
        let place = failure.and_then(|failure| failure.place.as_ref());
        let (file, line, column) = match place {
            Some(place) => (place.file.as_str(), place.line, format!(",col={}", place.column)),
            None => (scenario.file.as_str(), scenario.line, String::new()),
        };
        let mut message = failure.map_or_else(|| "failed".to_owned(), |failure| failure.message.clone());
        for (lead, more) in failure
            .into_iter()
            .flat_map(|failure| [("\n", failure.diff.as_deref()), ("\nhelp: ", failure.help.as_deref())])
        {
            if let Some(more) = more {
                message.push_str(lead);
                message.push_str(more);
            }
        }
        if more > 0 {
            message.push_str(&format!("\nand {more} more times here"));
        }
        if let Some((end, _)) = message.char_indices().nth(LONGEST) {
            message.truncate(end);
            message.push('…');
        }
        writeln!(
            self.out,
            "::{level} file={},line={line}{column},title={}::{}",
            property(file.trim_start_matches("./")),
            property(&plain::line(title).chars().take(200).collect::<String>()),
            data(&message)
        )
    }
}

impl<W: Write> Writer for Github<W> {
    fn scenario(&mut self, scenario: &ScenarioRecord, _json: &[u8]) -> io::Result<()> {
        let failed = scenario.attempts.iter().rev().find(|attempt| attempt.status == Status::Failed);
        let (level, title) = match scenario.status {
            Status::Failed if scenario.failed_in_quarantine() => {
                ("warning", format!("{} failed (in quarantine)", scenario.name))
            }
            Status::Failed => ("error", format!("{} failed", scenario.name)),
            Status::Passed if scenario.flaky => (
                if scenario.fails_run { "error" } else { "warning" },
                format!("{} is flaky: it passed in attempt {}", scenario.name, scenario.attempts.len()),
            ),
            _ => return Ok(()),
        };
        let failures: Vec<&FailureRecord> =
            failed.into_iter().flat_map(AttemptRecord::all_failures).map(|(_, failure)| failure).collect();
        if failures.is_empty() {
            return self.annotate(level, &title, scenario, None, 0);
        }
        // GitHub shows ten errors of a step: a loop that fails at one place must not hide all others.
        let mut places: Vec<(&FailureRecord, usize)> = Vec::new();
        for failure in failures {
            let known =
                places.iter_mut().find(|(known, _)| known.place.is_some() && known.place == failure.place);
            match known {
                Some((_, more)) => *more += 1,
                None => places.push((failure, 0)),
            }
        }
        let mut places = places.into_iter();
        places.try_for_each(|(failure, more)| self.annotate(level, &title, scenario, Some(failure), more))
    }

    fn end(&mut self) -> io::Result<()> {
        if self.written > MOST {
            writeln!(self.out, "::notice::{} more annotations are left out", self.written - MOST)?;
        }
        self.out.flush()
    }
}

/// A message: line ends are written as references.
fn data(text: &str) -> String {
    let text: String =
        text.chars().map(|c| if c.is_control() && c != '\n' && c != '\r' { ' ' } else { c }).collect();
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which colons and commas would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
