//! `agentos-run show`: a trace as people read it in a terminal.

use std::fmt::Write as _;
use std::io::{self, BufRead};

use owo_colors::{OwoColorize as _, Style as Paint};

use super::line::{FORMAT, Line, Timed};
use crate::report::plain;
use crate::report::record::{BodyRecord, Status, StepStatus};
use crate::report::text;

/// How a trace is shown.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// With colours.
    pub color: bool,
    /// With headers, whole bodies and the data of events.
    pub all: bool,
}

/// Why a trace cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no trace, or one of another version.
    #[error("{0}")]
    Foreign(String),
    /// A line of it cannot be read.
    #[error("line {line} of the trace cannot be read: {cause}")]
    Broken {
        /// Which, from 1.
        line: usize,
        /// Why.
        cause: serde_json::Error,
    },
}

/// Gives `show` the text of a trace piece by piece.
pub fn show(trace: impl BufRead, options: Options, mut show: impl FnMut(&str)) -> Result<(), Error> {
    for (index, line) in trace.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let read: Result<Timed<Line>, _> = serde_json::from_str(&line);
        if index == 0 {
            foreign(&line, read.as_ref().ok())?;
        }
        let Timed { at_ms, line } = read.map_err(|cause| Error::Broken { line: index + 1, cause })?;
        show(&Shown { options }.line(at_ms, &line));
    }
    Ok(())
}

/// Whether the first line is that of a trace.
fn foreign(text: &str, read: Option<&Timed<Line>>) -> Result<(), Error> {
    let message = match read {
        Some(Timed { line: Line::Trace { format: FORMAT, .. }, .. }) => return Ok(()),
        Some(Timed { line: Line::Trace { format, .. }, .. }) => {
            format!("it is a trace of format {format}, and this version reads format {FORMAT}")
        }
        _ if text.contains("\"format\"") => {
            "it is a report and no trace: `agentos-run merge FILE` shows a report".to_owned()
        }
        _ => "it is no trace: --trace FOLDER of a run writes them".to_owned(),
    };
    Err(Error::Foreign(message))
}

struct Shown {
    options: Options,
}

/// What stands under a line begins in this column.
const MARGIN: &str = "              ";

impl Shown {
    fn paint(&self, text: &str, paint: Paint) -> String {
        let text = text::harmless_lines(text);
        if self.options.color { text.style(paint).to_string() } else { text }
    }

    /// A line with its time, `+12.3 ms`.
    fn at(&self, text: &mut String, at_ms: f64, what: &str) {
        let time = self.paint(&format!("{:>12}", format!("+{}", plain::time(at_ms))), Paint::new().dimmed());
        let _infallible = writeln!(text, "{time}  {what}");
    }

    fn line(&self, at_ms: f64, line: &Line) -> String {
        let mut text = String::new();
        let bold = Paint::new().bold();
        match line {
            Line::Trace { name, file, line, version, started_at, targets, .. } => {
                let _infallible = writeln!(text, "{}", self.paint(&plain::line(name), bold));
                let head = format!(
                    "{file}:{line}, {started_at}, agentos-run {version} against {}",
                    targets.join(" and ")
                );
                let _infallible =
                    writeln!(text, "{}\n", self.paint(&plain::line(&head), Paint::new().dimmed()));
            }
            Line::Attempt { number } => {
                let _infallible = writeln!(text, "\n{}", self.paint(&format!("attempt {number}"), bold));
            }
            Line::Request { number, request } => {
                let what = format!("{} {}", request.method, plain::line(&request.url));
                self.at(&mut text, at_ms, &format!("→ {number} {}", self.paint(&what, bold)));
                if let Some(curl) = &request.curl {
                    Self::under(&mut text, curl.lines());
                }
                if self.options.all {
                    self.headers(&mut text, &request.headers);
                    self.body(&mut text, request.body.as_ref());
                }
            }
            Line::Response { number, response } => {
                let paint = if response.status < 300 { Paint::new().green() } else { Paint::new().red() };
                let what = self.paint(&plain::answer_line(response), paint);
                self.at(&mut text, at_ms, &format!("← {number} {what}"));
                if self.options.all {
                    self.headers(&mut text, &response.headers);
                }
                self.body(&mut text, response.body.as_ref());
            }
            Line::Opened { number, status, headers, first_byte_ms } => {
                let kind =
                    headers.iter().find(|(name, _)| name == "content-type").map(|(_, kind)| kind.as_str());
                let kind = kind.unwrap_or("a stream");
                let what = format!("{status}, {kind}, first byte after {}", plain::time(*first_byte_ms));
                self.at(&mut text, at_ms, &format!("← {number} {}", self.paint(&what, Paint::new().green())));
                if self.options.all {
                    self.headers(&mut text, headers);
                }
            }
            Line::Event { number, name, data, .. } => {
                let short = self.short(data);
                self.at(&mut text, at_ms, &format!("· {number} {}{short}", self.paint(name, bold)));
                if self.options.all {
                    Self::under(&mut text, [data.as_str()]);
                }
            }
            Line::Failed { number, error } => {
                self.at(&mut text, at_ms, &format!("✗ {number} {}", self.paint(error, Paint::new().red())));
            }
            Line::Step { step } => {
                let (word, paint) = match step.status {
                    StepStatus::Passed => ("ok", Paint::new().green()),
                    StepStatus::Failed | StepStatus::SoftFailed => ("failed", Paint::new().red().bold()),
                    StepStatus::Skipped => ("skipped", Paint::new().yellow()),
                };
                let place = &step.place;
                let title = text::cut(&plain::line(&step.title));
                let what = format!(
                    "{} step `{title}` at {}:{}:{} ({})",
                    self.paint(word, paint),
                    plain::line(&place.file),
                    place.line,
                    place.column,
                    plain::time(step.duration_ms)
                );
                self.at(&mut text, at_ms, &what);
                for failure in &step.failures {
                    Self::under(&mut text, failure.text.lines());
                }
                for note in &step.notes {
                    Self::under(&mut text, format!("note: {note}").lines());
                }
            }
            Line::Log { text: said } => self.at(&mut text, at_ms, &format!("log: {}", plain::line(said))),
            Line::End { status, duration_ms, failures, left_out } => {
                for failure in failures {
                    Self::under(&mut text, failure.text.lines());
                }
                let (word, paint) = match status {
                    Status::Passed => ("passed", Paint::new().green()),
                    Status::Failed => ("failed", Paint::new().red().bold()),
                    Status::Skipped | Status::NotRun => ("not run", Paint::new().yellow()),
                };
                self.at(
                    &mut text,
                    at_ms,
                    &format!("{} after {}", self.paint(word, paint), plain::time(*duration_ms)),
                );
                if *left_out > 0 {
                    let many = text::count(*left_out, "line");
                    Self::under(
                        &mut text,
                        [format!("{many} are not here: the trace became too long").as_str()],
                    );
                }
            }
        }
        text
    }

    fn under<'t>(text: &mut String, lines: impl IntoIterator<Item = &'t str>) {
        for line in lines {
            let line = text::harmless_lines(line);
            let _infallible = writeln!(text, "{}", format!("{MARGIN}{line}").trim_end());
        }
    }

    fn headers(&self, text: &mut String, headers: &[(String, String)]) {
        for (name, value) in headers {
            let line = self.paint(&format!("{name}: {value}"), Paint::new().dimmed());
            let _infallible = writeln!(text, "{MARGIN}{line}");
        }
    }

    fn body(&self, text: &mut String, body: Option<&BodyRecord>) {
        let Some(body) = body else { return };
        if self.options.all {
            Self::under(text, body.text.lines());
        } else {
            let lines = plain::body_lines(body);
            Self::under(text, lines.iter().map(String::as_str));
        }
    }

    /// What an event says, in one line.
    fn short(&self, data: &str) -> String {
        let Ok(event) = serde_json::from_str(data) else { return String::new() };
        crate::report::record::says(&event).map_or(String::new(), |said| {
            let said: String = plain::line(&said).chars().take(100).collect();
            format!("  {}", self.paint(&said, Paint::new().dimmed()))
        })
    }
}
