//! `--trace FOLDER`: everything that a failed scenario sent and got, with times, in a file of its own.
//!
//! While a scenario runs, its trace is spooled; it becomes a file if the scenario fails and is forgotten if it passes.

pub mod line;
mod pieces;
pub mod show;

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use self::line::{Line, Timed};
use super::destination::Destination;
use super::record::{Builder, Limits, Status, milliseconds};
use super::recorder::About;
use crate::agentos::{Heard, Listener, Tap};
use crate::engine::{self, Event, Observer, ScenarioReport, Tracing};
use crate::scenario::Instance;
use crate::secret::Masker;

/// The bytes of one body.
const BODY: usize = 512 << 10;
/// The bytes of one trace; what comes then is counted.
const WHOLE: u64 = 16 << 20;
/// What is kept in memory of each scenario that runs.
const IN_MEMORY: usize = 64 << 10;

/// The traces of a run.
pub struct Traces {
    folder: PathBuf,
    masker: Masker,
    builder: Builder,
    about: Mutex<Option<About>>,
    running: Mutex<HashMap<usize, Running>>,
    written: Mutex<HashMap<usize, String>>,
    error: Mutex<Option<io::Error>>,
}

/// A scenario that is running, and who listens to its requests.
struct Running {
    sheet: Arc<Mutex<Sheet>>,
    tap: Tap,
}

/// The trace of a scenario that is running.
struct Sheet {
    began: Instant,
    file: tempfile::SpooledTempFile,
    bytes: u64,
    left_out: usize,
    name: String,
    /// An attempt has failed already.
    keep: bool,
    error: Option<io::Error>,
}

impl Sheet {
    /// Adds a line. What is not needed to understand the rest is left out where the trace is full.
    fn add(&mut self, line: &Line, needed: bool) {
        if self.bytes > WHOLE && !needed {
            self.left_out += 1;
            return;
        }
        let timed = Timed { at_ms: milliseconds(self.began.elapsed()), line };
        let added = serde_json::to_vec(&timed).map_err(io::Error::from).and_then(|mut json| {
            json.push(b'\n');
            self.bytes += json.len() as u64;
            self.file.write_all(&json)
        });
        if let Err(error) = added {
            self.error.get_or_insert(error);
        }
    }

    /// Makes a file of it.
    fn keep(mut self, path: &Path, masker: &Masker) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let file = Destination::new(path)?.replace()?;
        let mut out = io::BufWriter::new(file.file()?);
        pieces::copy(&mut self.file, &mut out, masker)?;
        out.flush()?;
        file.keep()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Traces {
    /// Traces in a folder, which is made. The error says why files cannot be written there.
    pub fn new(folder: &Path, masker: Masker) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        tempfile::Builder::new().prefix(".agentos-run-").tempfile_in(folder)?.close()?;
        let limits = Limits { body_of_failed: BODY, body_of_passed: BODY, events: 0 };
        Ok(Self {
            folder: folder.to_owned(),
            builder: Builder::new(masker.clone(), limits),
            masker,
            about: Mutex::default(),
            running: Mutex::default(),
            written: Mutex::default(),
            error: Mutex::default(),
        })
    }

    /// Says what every trace begins with.
    pub fn about(&self, about: About) {
        *locked(&self.about) = Some(about);
    }

    /// The file of a scenario that failed.
    pub fn of(&self, instance: &Instance) -> Option<String> {
        locked(&self.written).get(&instance.place()).cloned()
    }

    /// The end. What was still running when the run was stopped is written too. The error is the first that there was.
    pub fn finish(&self) -> io::Result<()> {
        let left: Vec<usize> = locked(&self.running).keys().copied().collect();
        for place in left {
            self.settle(place, true);
        }
        locked(&self.error).take().map_or(Ok(()), Err)
    }

    fn sheet(&self, instance: &Instance) -> Option<Arc<Mutex<Sheet>>> {
        locked(&self.running).get(&instance.place()).map(|running| Arc::clone(&running.sheet))
    }

    fn add(&self, instance: &Instance, line: &Line) {
        if let Some(sheet) = self.sheet(instance) {
            locked(&sheet).add(line, true);
        }
    }

    fn begin(&self, instance: &Instance) {
        if instance.attempt() > 1 && self.sheet(instance).is_some() {
            return self.add(instance, &Line::Attempt { number: instance.attempt() });
        }
        let scenario = instance.scenario();
        let title = self.builder.text(&instance.title());
        let about = locked(&self.about).clone();
        let about = about.as_ref();
        let head = Line::Trace {
            format: line::FORMAT,
            name: title.clone(),
            file: self.builder.text(scenario.source.name()),
            line: scenario.span.position().line,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            run: about.map(|about| about.id.clone()).unwrap_or_default(),
            started_at: about.map(|about| about.started_at.clone()).unwrap_or_default(),
            targets: about
                .map(|about| about.targets.iter().map(|target| self.builder.text(target)).collect())
                .unwrap_or_default(),
        };
        let mut sheet = Sheet {
            began: Instant::now(),
            file: tempfile::spooled_tempfile(IN_MEMORY),
            bytes: 0,
            left_out: 0,
            name: file_name(instance.place(), &title),
            keep: false,
            error: None,
        };
        sheet.add(&head, true);
        let sheet = Arc::new(Mutex::new(sheet));
        let tap = Tap::new(Arc::new(Ear { sheet: Arc::clone(&sheet), builder: self.builder.clone() }));
        locked(&self.running).insert(instance.place(), Running { sheet, tap });
    }

    fn end(&self, report: &ScenarioReport, is_last: bool) {
        let status = match report.status {
            engine::Status::Passed => Status::Passed,
            engine::Status::Failed => Status::Failed,
            engine::Status::Skipped(_) => Status::Skipped,
            engine::Status::NotRun => Status::NotRun,
        };
        let Some(sheet) = self.sheet(&report.instance) else { return };
        {
            let mut sheet = locked(&sheet);
            sheet.keep |= status == Status::Failed;
            let left_out = sheet.left_out;
            let failures =
                report.problems.iter().map(|problem| self.builder.failure(problem, None)).collect();
            let duration_ms = milliseconds(report.duration);
            sheet.add(&Line::End { status, duration_ms, failures, left_out }, true);
        }
        drop(sheet);
        if is_last {
            self.settle(report.instance.place(), false);
        }
    }

    /// Makes a file of a trace, or forgets it.
    fn settle(&self, place: usize, in_any_case: bool) {
        let Some(Running { sheet, .. }) = locked(&self.running).remove(&place) else { return };
        // A request that nobody waits for any more may still be listened to: it keeps an empty sheet.
        let empty = Sheet {
            began: Instant::now(),
            file: tempfile::spooled_tempfile(0),
            bytes: WHOLE + 1,
            left_out: 0,
            name: String::new(),
            keep: false,
            error: None,
        };
        let sheet = std::mem::replace(&mut *locked(&sheet), empty);
        if !sheet.keep && !in_any_case {
            return;
        }
        let path = self.folder.join(&sheet.name);
        match sheet.keep(&path, &self.masker) {
            Ok(()) => {
                locked(&self.written).insert(place, path.display().to_string());
            }
            Err(error) => {
                locked(&self.error).get_or_insert(error);
            }
        }
    }
}

/// `0012-the-weather-agent-answers.jsonl`
fn file_name(place: usize, title: &str) -> String {
    const LONGEST: usize = 60;
    let mut slug = String::new();
    for c in title.chars() {
        if slug.len() >= LONGEST {
            break;
        }
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    format!("{:04}-{}.jsonl", place + 1, slug.trim_end_matches('-'))
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Observer for Traces {
    fn on(&self, event: &Event) {
        match event {
            Event::ScenarioStarted { instance } => self.begin(instance),
            Event::StepFinished { instance, step } => {
                // Its requests have been written as they were sent.
                let mut record = self.builder.step(step, step.duration);
                (record.request, record.response, record.stream) = (None, None, None);
                self.add(instance, &Line::Step { step: Box::new(record) });
            }
            Event::Log { instance, text } => {
                self.add(instance, &Line::Log { text: self.builder.text(text) });
            }
            Event::Bulk { instance, report } => {
                let text = self.builder.text(&format!("{}: {}", report.title, report.counts()));
                self.add(instance, &Line::Log { text });
            }
            Event::AttemptFailed { report, .. } => self.end(report, false),
            Event::ScenarioFinished(report) => self.end(report, true),
            _ => {}
        }
    }
}

impl Tracing for Traces {
    fn tap(&self, instance: &Instance) -> Option<Tap> {
        locked(&self.running).get(&instance.place()).map(|running| running.tap.clone())
    }
}

/// Writes down what it hears.
struct Ear {
    sheet: Arc<Mutex<Sheet>>,
    builder: Builder,
}

impl Listener for Ear {
    fn hear(&self, number: u64, heard: &Heard<'_>) {
        let line = match heard {
            Heard::Sent(request) => {
                Line::Request { number, request: Box::new(self.builder.request(request, BODY, true)) }
            }
            Heard::Answered(exchange) => {
                Line::Response { number, response: Box::new(self.builder.response(exchange, BODY)) }
            }
            Heard::Opened(head) => Line::Opened {
                number,
                status: head.status,
                headers: self.builder.pairs(&head.headers),
                first_byte_ms: milliseconds(head.first_byte),
            },
            Heard::Event(event) => Line::Event {
                number,
                name: self.builder.text(&event.name),
                after_ms: milliseconds(event.at),
                data: self.builder.text(&serde_json::to_string(event.data()).unwrap_or_default()),
            },
            Heard::Failed(error) => Line::Failed { number, error: self.builder.text(&error.to_string()) },
        };
        locked(&self.sheet).add(&line, false);
    }
}
