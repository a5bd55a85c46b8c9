//! The lines that the `write` steps of a job add to files, as its journal knows them.
//!
//! Each is told before it is written: in which file, from which offset, and its fingerprint. A job that goes on makes the
//! rounds again that did not end, and their lines are made again; one that stands in its file already is not written a
//! second time.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};

use super::print_of;
use crate::diagnostic::Problem;

/// A round of a loop in the journal.
#[derive(Debug)]
pub(in crate::engine) struct Round {
    /// The name of the loop.
    pub(in crate::engine) place: String,
    /// The first of its items.
    pub(in crate::engine) key: String,
}

impl Round {
    fn print(place: &str, key: &str) -> u128 {
        print_of(&format!("{place}\0{key}"))
    }
}

/// A line that was to be written.
#[derive(Debug)]
pub(super) struct Intent {
    path: String,
    from: u64,
    to: u64,
    print: u128,
    round: Option<(String, String)>,
}

impl Intent {
    pub(super) fn new(path: &str, from: u64, line: &str, round: Option<&Round>) -> Self {
        let round = round.map(|round| (round.place.clone(), round.key.clone()));
        Self {
            path: path.to_owned(),
            from,
            // With its line end.
            to: from + line.len() as u64 + 1,
            print: print_of(line),
            round,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let Self { path, from, to, print, round } = self;
        let mut value = json!({ "line": path, "from": from, "to": to, "print": format!("{print:032x}") });
        if let Some((place, key)) = round {
            value["loop"] = Value::from(place.as_str());
            value["of"] = Value::from(key.as_str());
        }
        value
    }

    pub(super) fn of_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self {
            path: text("line")?,
            from: value["from"].as_u64()?,
            to: value["to"].as_u64()?,
            print: u128::from_str_radix(value["print"].as_str()?, 16).ok()?,
            round: text("loop").zip(text("of")),
        })
    }
}

/// What was to be written by rounds that did not end, as a journal is read.
#[derive(Debug, Default)]
pub(super) struct Intents {
    files: BTreeMap<String, Lengths>,
    /// By the round; those of no round never end.
    open: HashMap<Option<u128>, Vec<Intent>>,
}

#[derive(Debug, Default)]
struct Lengths {
    /// The file was so long at least when a line was last added to it.
    least: u64,
    /// Where the last line would end.
    end: u64,
}

impl Intents {
    pub(super) fn add(&mut self, intent: Intent) {
        let lengths = self.files.entry(intent.path.clone()).or_default();
        if intent.from < lengths.end {
            // A line that was not written whole was taken away again.
            for open in self.open.values_mut() {
                open.retain(|other| other.path != intent.path || other.from < intent.from);
            }
        }
        (lengths.least, lengths.end) = (intent.from, intent.to);
        let round = intent.round.as_ref().map(|(place, key)| Round::print(place, key));
        self.open.entry(round).or_default().push(intent);
    }

    /// A round has ended, and is not made again.
    pub(super) fn done(&mut self, place: &str, key: &str) {
        self.open.remove(&Some(Round::print(place, key)));
    }

    /// Those that stand in their files. A file that lost some of what the job wrote is a problem.
    pub(super) fn standing(self, journal: &Path) -> Result<Lines, Problem> {
        let mut files: HashMap<&str, Option<File>> = HashMap::new();
        for (path, lengths) in &self.files {
            let file = File::open(path).ok();
            let length = file.as_ref().and_then(|file| Some(file.metadata().ok()?.len())).unwrap_or(0);
            if length < lengths.least {
                let what =
                    if file.is_some() { "is shorter than this job left it" } else { "is not there any more" };
                return Err(Problem::error(
                    "journal::file-changed",
                    format!("`{path}`, which this job writes, {what}: what is done is not written again"),
                )
                .help(format!(
                    "nothing was sent; put the file back, or begin anew without the journal {}",
                    journal.display()
                )));
            }
            files.insert(path, file);
        }
        let mut lines = Lines::default();
        for (path, lengths) in &self.files {
            let length = files
                .get(path.as_str())
                .and_then(Option::as_ref)
                .map_or(Ok(0), |file| file.metadata().map(|data| data.len()));
            if length.is_ok_and(|length| (lengths.least + 1..lengths.end).contains(&length)) {
                lines.torn.insert(path.clone(), lengths.least);
            }
        }
        for intent in self.open.into_values().flatten() {
            let file = files.get_mut(intent.path.as_str()).and_then(Option::as_mut);
            if file.is_some_and(|file| stands(file, &intent).unwrap_or(false)) {
                *lines.standing.entry((intent.path, intent.print)).or_default() += 1;
            }
        }
        Ok(lines)
    }
}

fn stands(file: &mut File, intent: &Intent) -> io::Result<bool> {
    file.seek(SeekFrom::Start(intent.from))?;
    let mut line = String::new();
    file.take(intent.to.saturating_sub(intent.from)).read_to_string(&mut line)?;
    Ok(line.strip_suffix('\n').is_some_and(|line| print_of(line) == intent.print))
}

/// The lines that stand in files from rounds that never ended.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// By their files and fingerprints: how often each stands there.
    standing: HashMap<(String, u128), u32>,
    /// The files whose last line was torn by a crash, and where it begins.
    torn: HashMap<String, u64>,
}

impl Lines {
    /// Whether there is such a line; then one less.
    pub(super) fn take(&mut self, path: &str, line: &str) -> bool {
        if self.standing.is_empty() {
            return false;
        }
        let key = (path.to_owned(), print_of(line));
        let Some(count) = self.standing.get_mut(&key) else { return false };
        *count -= 1;
        if *count == 0 {
            self.standing.remove(&key);
        }
        true
    }

    /// Where the last line of a file begins, if it was torn by a crash; said once.
    pub(super) fn torn(&mut self, path: &str) -> Option<u64> {
        self.torn.remove(path)
    }
}
