//! `--report FORMAT[=PATH]`: which reports there are, whether they can be written, and writing them.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use super::output::Output;
use crate::diagnostic::{self, Problem};
use crate::report::destination::{Destination, Replacement};
use crate::report::jsonl::JsonLines;
use crate::report::records::Records;
use crate::report::trace::Traces;
use crate::report::write::{self, Format};
use crate::scenario::load;
use crate::secret::Masker;

/// The names of the formats, as they are given.
const NAMES: [(&str, Kind); 8] = [
    ("terminal", Kind::Terminal),
    ("junit", Kind::File(Format::Junit)),
    ("json", Kind::File(Format::Json)),
    ("jsonl", Kind::Lines),
    ("tap", Kind::File(Format::Tap)),
    ("html", Kind::File(Format::Html)),
    ("github", Kind::File(Format::Github)),
    ("markdown", Kind::File(Format::Markdown)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Terminal,
    Lines,
    File(Format),
}

/// The reports of a run, all of which can be written as far as that is known.
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Those that are written at the end: the option, the format, the file or standard output.
    files: Vec<(String, Format, Option<Destination>)>,
    /// Those that are written as it happens.
    lines: Option<(String, Option<File>)>,
    /// Where GitHub shows the summary of a step.
    summary: Option<(String, File)>,
    /// Whether standard output belongs to a report for machines: the terminal's goes to standard error then.
    pub(super) stdout_is_taken: bool,
    /// The traces of scenarios that fail.
    pub(super) traces: Option<Arc<Traces>>,
}

impl Reports {
    /// Those that the command line asks for. Nothing that is there is touched yet, but for a file of JSON lines.
    pub(super) fn of(options: &[String], context: &Context) -> Result<Self, Problem> {
        let mut reports = Self::default();
        let mut paths: Vec<(PathBuf, &str)> = Vec::new();
        let mut on_stdout: Option<&str> = None;
        for option in options {
            let (name, path) = match option.split_once('=') {
                Some((name, "-")) => (name, None),
                Some((name, path)) => (name, Some(path)),
                None => (option.as_str(), None),
            };
            let kind = kind(name, option)?;
            if path == Some("") {
                return Err(Problem::error("cli::report", format!("--report {option} names no file"))
                    .help(format!("--report {name} alone writes to standard output")));
            }
            let Some(path) = path else {
                match kind {
                    Kind::Terminal => continue,
                    Kind::File(Format::Github) => {}
                    _ if on_stdout.is_some() => {
                        let other = on_stdout.unwrap_or_default();
                        let problem =
                            format!("--report {other} and --report {option} both go to standard output");
                        return Err(Problem::error("cli::report", problem)
                            .help(format!("give one of them a file: --report {name}=FILE")));
                    }
                    _ => on_stdout = Some(option),
                }
                reports.add(option, kind, None)?;
                continue;
            };
            let path = Path::new(path);
            let shared = |(known, _): &&(PathBuf, &str)| known == path && !path.starts_with("/dev");
            if let Some((_, other)) = paths.iter().find(shared) {
                let problem = format!("--report {other} and --report {option} are the same file");
                return Err(Problem::error("cli::report", problem));
            }
            paths.push((path.to_owned(), option));
            let destination = Destination::new(path).map_err(|error| unwritable(option, &error))?;
            reports.add(option, kind, Some(destination))?;
        }
        if reports.files.iter().any(|(_, format, _)| *format == Format::Github)
            && let Some(path) = context.variable("GITHUB_STEP_SUMMARY")
        {
            let file = File::options().create(true).append(true).open(path);
            let what = format!("GITHUB_STEP_SUMMARY={path}");
            reports.summary = Some((what.clone(), file.map_err(|error| unwritable(&what, &error))?));
        }
        reports.stdout_is_taken = on_stdout.is_some();
        Ok(reports)
    }

    fn add(&mut self, option: &str, kind: Kind, destination: Option<Destination>) -> Result<(), Problem> {
        let option = option.to_owned();
        match kind {
            Kind::Terminal => self.files.push((option, Format::Text, destination)),
            Kind::File(format) => self.files.push((option, format, destination)),
            Kind::Lines if self.lines.is_some() => {
                return Err(Problem::error("cli::report", "--report jsonl is given twice"));
            }
            Kind::Lines => {
                let file = destination.map(Destination::create).transpose();
                let file = file.map_err(|error| unwritable(&option, &error))?;
                self.lines = Some((option, file));
            }
        }
        Ok(())
    }

    /// Wants traces in a folder, which can be written to.
    pub(super) fn trace(&mut self, folder: &Path, masker: &Masker) -> Result<(), Problem> {
        let traces = Traces::new(folder, masker.clone()).map_err(|error| {
            let (folder, cause) = (folder.display(), load::io_cause(&error));
            let message = format!("the traces cannot be written to {folder}: {cause}; nothing was sent");
            Problem::error("cli::trace", message)
        })?;
        self.traces = Some(Arc::new(traces));
        Ok(())
    }

    /// Writes the traces that are left; whether all of them could be written.
    pub(super) fn finish_traces(&self, output: &Output) -> bool {
        let Some(Err(error)) = self.traces.as_deref().map(Traces::finish) else { return true };
        let message = format!("a trace was not written: {}", load::io_cause(&error));
        output.problem(&Problem::error("report::unwritten", message));
        false
    }

    /// Whether something is wanted as it happens.
    pub(super) fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// With the terminal's: that of a run that is over.
    pub(super) fn and_terminal(&mut self) {
        self.files.insert(0, ("terminal".to_owned(), Format::Text, None));
    }

    /// Whether there are none but the terminal's.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.lines.is_none()
    }

    /// Whether one that is written at the end has all steps.
    pub(super) fn have_all_steps(&self) -> bool {
        self.files.iter().any(|(_, format, _)| format.has_all_steps())
    }

    /// Where JSON lines go, if they are wanted.
    pub(super) fn lines(&mut self) -> Option<JsonLines> {
        let (_, file) = self.lines.as_mut()?;
        Some(JsonLines::new(match file.take() {
            Some(file) => Box::new(file),
            None => Box::new(Stdout),
        }))
    }

    /// Writes what is written at the end; whether all of it could be written. What could not is told.
    pub(super) fn write(
        self,
        records: io::Result<Records>,
        lines: Option<JsonLines>,
        output: &Output,
    ) -> bool {
        let mut whole = true;
        let mut told = |option: &str, error: &io::Error| {
            whole = false;
            output.problem(&unwritten(option, error));
        };
        if let (Some((option, _)), Some(lines)) = (&self.lines, lines)
            && let Err(error) = lines.finish()
        {
            told(option, &error);
        }
        let records = match records {
            Ok(records) => records,
            Err(error) => {
                // What was recorded could not be kept, so there is nothing to write.
                for (option, ..) in &self.files {
                    let help = "what a report is made of waits in the folder for temporary files: TMPDIR names another";
                    output.problem(&unwritten(option, &error).help(help));
                }
                return false;
            }
        };
        let mut outputs = Vec::new();
        let mut kept: Vec<(String, Option<Replacement>)> = Vec::new();
        for (option, format, destination) in self.files {
            let open = destination.map(|destination| {
                let replacement = destination.replace()?;
                Ok::<_, io::Error>((replacement.file()?, replacement))
            });
            let (out, replacement): (Box<dyn Write>, _) = match open.transpose() {
                Ok(Some((file, replacement))) => (Box::new(file), Some(replacement)),
                // GitHub reads both; the other report on standard output must stay what it is.
                Ok(None) if matches!(format, Format::Github | Format::Text) && self.stdout_is_taken => {
                    (Box::new(io::stderr()), None)
                }
                Ok(None) => (Box::new(Stdout), None),
                Err(error) => {
                    told(&option, &error);
                    continue;
                }
            };
            outputs.push(write::Output { format, out });
            kept.push((option, replacement));
        }
        if let Some((what, file)) = self.summary {
            outputs.push(write::Output { format: Format::Markdown, out: Box::new(file) });
            kept.push((what, None));
        }
        for (result, (option, replacement)) in write::write(records, outputs).into_iter().zip(kept) {
            if let Err(error) = result.and_then(|()| replacement.map_or(Ok(()), Replacement::keep)) {
                told(&option, &error);
            }
        }
        whole
    }
}

fn kind(name: &str, option: &str) -> Result<Kind, Problem> {
    if let Some((_, kind)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Ok(*kind);
    }
    let names = NAMES.iter().map(|(name, _)| *name);
    Err(Problem::error("cli::report", format!("--report {option}: there is no report `{name}`"))
        .maybe_help(diagnostic::suggest(name, names)))
}

fn unwritable(option: &str, error: &io::Error) -> Problem {
    Problem::error(
        "cli::report",
        format!("the report {option} cannot be written: {}; nothing was sent", load::io_cause(error)),
    )
}

fn unwritten(option: &str, error: &io::Error) -> Problem {
    Problem::error(
        "report::unwritten",
        format!("the report {option} was not written: {}", load::io_cause(error)),
    )
}

/// Standard output for a report. A reader that has seen enough closes it, which is no fault.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match io::stdout().write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match io::stdout().flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}
