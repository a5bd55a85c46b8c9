//! The journal of a job: which items are done, so that a killed job goes on from there and does none of them twice.
//!
//! A file of JSON lines. The first says which job it belongs to; then, for each round of a loop, a line when it begins and
//! one when it ended. Every beginning is on the disk before its request is sent. What began and never ended is in doubt.
//! Lines that `write` steps add to files are told before they are written, so that none is written twice.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use sha2::Digest as _;

use super::print_of;
use crate::diagnostic::Problem;

mod lines;

pub(in crate::engine) use lines::Round;
use lines::{Intent, Lines};

/// What a journal belongs to: another job than this one must not go on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The addresses of the targets.
    pub targets: Vec<String>,
    /// The names of the scenarios with the fingerprints of their texts.
    pub scenarios: Vec<(String, String)>,
    /// The fingerprint of the variables of the command line.
    pub variables: String,
}

impl Job {
    fn to_json(&self) -> Value {
        json!({
            "agentos-run": "journal",
            "version": 1,
            "targets": self.targets,
            "scenarios": self.scenarios.iter().map(|(name, print)| json!({ "name": name, "sha256": print })).collect::<Vec<_>>(),
            "variables": self.variables,
        })
    }

    /// What of a journal's first line is of another job.
    fn difference(&self, head: &Value) -> Option<String> {
        let ours = self.to_json();
        if head["scenarios"] != ours["scenarios"] {
            let names = |value: &Value| -> Vec<String> {
                let names = value["scenarios"].as_array().into_iter().flatten();
                names.filter_map(|scenario| scenario["name"].as_str().map(str::to_owned)).collect()
            };
            let (theirs, mine) = (names(head), names(&ours));
            return Some(if theirs == mine {
                format!("the text of {} has changed since", mine.join(" or "))
            } else {
                format!("it belongs to {}, and this is {}", theirs.join(" and "), mine.join(" and "))
            });
        }
        if head["targets"] != ours["targets"] {
            let list = head["targets"].as_array().into_iter().flatten().filter_map(Value::as_str);
            return Some(format!("it belongs to a job on {}", list.collect::<Vec<_>>().join(" and ")));
        }
        (head["variables"] != ours["variables"])
            .then(|| "the variables of the command line are other ones".to_owned())
    }
}

/// The fingerprint of a text.
pub fn fingerprint(text: &str) -> String {
    sha2::Sha256::digest(text.as_bytes()).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// No line of a journal is longer.
const LONGEST: u64 = 64 << 20;

/// A journal that is open for this process alone.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    loops: HashMap<String, Known>,
    /// The files that the job's `write` steps have made.
    files: HashSet<String>,
    /// The lines that stand in files from rounds that never ended.
    lines: Lines,
    /// How often a loop has begun in this process.
    begun: HashMap<String, u64>,
}

/// What is known of a loop's items from before.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Known {
    pub(in crate::engine) done: HashSet<u128>,
    /// Begun and never ended.
    pub(in crate::engine) doubtful: HashSet<u128>,
}

impl Journal {
    /// Opens the journal of a job, or begins one.
    pub fn open(path: &Path, job: &Job) -> Result<Self, Problem> {
        let shown = path.display();
        let failed = |what: &str, error: &io::Error| {
            Problem::error("journal::file", format!("the journal {shown} cannot be {what}: {error}"))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(|error| failed("opened", &error))?;
        let is_file = file.metadata().map_err(|error| failed("opened", &error))?.is_file();
        if !is_file {
            return Err(Problem::error("journal::file", format!("the journal {shown} is no file")));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::error(
                    "journal::locked",
                    format!("another process is working with the journal {shown}"),
                )
                .help("wait for it, or give each job a journal of its own"));
            }
            Err(TryLockError::Error(error)) => return Err(failed("locked", &error)),
        }
        let Contents { loops, files, intents, whole } = read(&mut file, job, path)?;
        let lines = intents.standing(path)?;
        // A line that was torn off by a crash was never acted upon.
        let length = file.metadata().map_err(|error| failed("read", &error))?.len();
        if whole < length {
            file.set_len(whole).map_err(|error| failed("mended", &error))?;
        }
        let journal = Self {
            path: path.to_owned(),
            state: Mutex::new(State { file, loops, files, lines, begun: HashMap::new() }),
        };
        if whole == 0 {
            journal.write(&job.to_json(), true).map_err(|error| failed("written", &error))?;
        }
        Ok(journal)
    }

    /// The name under which the items of a loop are kept, and what is known of them from before.
    pub(in crate::engine) fn enter(&self, place: &str) -> (String, Known) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let times = state.begun.entry(place.to_owned()).or_default();
        *times += 1;
        let name = if *times == 1 { place.to_owned() } else { format!("{place}#{times}") };
        let known = state.loops.remove(&name).unwrap_or_default();
        (name, known)
    }

    /// Whether the job has made a file.
    pub(in crate::engine) fn has_file(&self, path: &str) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).files.contains(path)
    }

    /// The job makes a file.
    pub(in crate::engine) fn file(&self, path: &str) -> io::Result<()> {
        self.write(&json!({ "file": path }), false)
    }

    /// Whether this line stands in the file already, from a round that never ended and is made again now. Each counts
    /// once.
    pub(in crate::engine) fn has_line(&self, path: &str, line: &str) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).lines.take(path, line)
    }

    /// Where the last line of a file begins, if an earlier run of the job was killed while it wrote it.
    pub(in crate::engine) fn torn_line(&self, path: &str) -> Option<u64> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).lines.torn(path)
    }

    /// A line will stand in a file, from this offset on: on the disk when this returns.
    pub(in crate::engine) fn line(
        &self,
        path: &str,
        from: u64,
        line: &str,
        round: Option<&Round>,
    ) -> io::Result<()> {
        self.write(&Intent::new(path, from, line, round).to_json(), true)
    }

    /// These are begun: on the disk when this returns.
    pub(in crate::engine) fn begin(&self, place: &str, keys: &[String]) -> io::Result<()> {
        self.write(&json!({ "loop": place, "begun": keys }), true)
    }

    /// These are done.
    pub(in crate::engine) fn done(&self, place: &str, keys: &[String]) -> io::Result<()> {
        self.write(&json!({ "loop": place, "done": keys }), false)
    }

    /// These failed and are to be tried again.
    pub(in crate::engine) fn failed(&self, place: &str, keys: &[String], why: &str) -> io::Result<()> {
        self.write(&json!({ "loop": place, "failed": keys, "why": why }), false)
    }

    /// What it is called.
    pub(in crate::engine) fn name(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    /// The problem that it cannot be written any more.
    pub(in crate::engine) fn problem(&self, error: &io::Error) -> Problem {
        Problem::error(
            "journal::file",
            format!("the journal {} cannot be written: {error}; nothing more was begun", self.path.display()),
        )
        .help("make room; the same command goes on from there")
    }

    fn write(&self, line: &Value, sync: bool) -> io::Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.file.metadata()?.len();
        let written = state.file.write_all(text.as_bytes());
        if written.is_err() {
            // A full disk leaves no half a line, to which another one would be added.
            let _as_it_was = state.file.set_len(before);
        }
        written?;
        if sync { state.file.sync_data() } else { Ok(()) }
    }
}

/// What a journal says.
#[derive(Default)]
struct Contents {
    /// The items by loop.
    loops: HashMap<String, Known>,
    files: HashSet<String>,
    intents: lines::Intents,
    /// How much of it is whole lines.
    whole: u64,
}

/// What a journal says, and how much of it is whole lines.
fn read(file: &mut File, job: &Job, path: &Path) -> Result<Contents, Problem> {
    let shown = path.display();
    let other = |cause: &str| {
        Problem::error("journal::other", format!("the journal {shown} is not this job's: {cause}")).help(
            "nothing was sent; give this job another file, or remove this one where its job need not go on",
        )
    };
    let unreadable = |error: &io::Error| {
        Problem::error("journal::file", format!("the journal {shown} cannot be read: {error}"))
    };
    file.rewind().map_err(|error| unreadable(&error))?;
    let mut reader = BufReader::new(file.take(u64::MAX));
    let mut contents = Contents::default();
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let length =
            reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(|error| unreadable(&error))?;
        if length == 0 || !line.ends_with(b"\n") && (length as u64) < LONGEST {
            // The first line may be torn too; but a file of somebody else is not ours to empty.
            let is_ours = number > 0 || job.to_json().to_string().as_bytes().starts_with(&line);
            return if is_ours { Ok(contents) } else { Err(other("it is no journal at all")) };
        }
        number += 1;
        let value: Option<Value> = serde_json::from_slice(&line).ok();
        let Some(value) = value else {
            return Err(if number == 1 {
                other("it is no journal at all")
            } else {
                Problem::error("journal::broken", format!("line {number} of the journal {shown} is broken"))
                    .help("what follows it cannot be trusted; cut the file before that line, or begin a new one")
            });
        };
        if number == 1 {
            if value["agentos-run"] != "journal" {
                return Err(other("it is no journal at all"));
            }
            if let Some(difference) = job.difference(&value) {
                return Err(other(&difference));
            }
        } else if let Some(file) = value["file"].as_str() {
            contents.files.insert(file.to_owned());
        } else if let Some(intent) = Intent::of_json(&value) {
            contents.intents.add(intent);
        } else if let Some(place) = value["loop"].as_str() {
            let known = contents.loops.entry(place.to_owned()).or_default();
            let keys = |name: &str| -> Vec<u128> {
                let keys = value[name].as_array().into_iter().flatten();
                keys.filter_map(Value::as_str).map(print_of).collect()
            };
            known.doubtful.extend(keys("begun"));
            if let Some(key) = value["done"].get(0).and_then(Value::as_str) {
                contents.intents.done(place, key);
            }
            for key in keys("done") {
                known.doubtful.remove(&key);
                known.done.insert(key);
            }
            for key in keys("failed") {
                known.doubtful.remove(&key);
            }
        }
        contents.whole += length as u64;
    }
}
