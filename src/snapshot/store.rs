//! Holding an answer against its snapshot: passes, differs, is new; and what is written then.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::compare;
use super::diff;
use super::events;
use super::file::{File, Metadata, Unusable};
use super::name::{Folders, Home};
use super::redact::{self, Known};
use super::select;
use super::sort;
use super::spec::{Keep, Kinds, Of, Snapshot};
use super::write::{self, WriteError};
use crate::diagnostic::Problem;
use crate::outcome::Outcome;
use crate::secret::Masker;
use crate::source::Span;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// What is new waits beside the snapshot until somebody has looked at it.
    #[default]
    Compare,
    /// What is new takes the place of the snapshot at once.
    Update,
    /// Nothing: in CI.
    Locked,
}

/// The snapshots of a run of the program.
#[derive(Debug, Default)]
pub struct Store {
    folders: Folders,
    mode: Mode,
    masker: Masker,
    tally: Mutex<Tally>,
    taken: Mutex<Taken>,
}

/// What this process did in the folders of snapshots.
#[derive(Debug, Default)]
struct Taken {
    /// Each file, and what it was taken of.
    files: HashMap<PathBuf, Vec<String>>,
    /// Folders in which nothing is left of processes that were killed.
    swept: HashSet<PathBuf>,
}

/// What became of the snapshots of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files that were written in the place of snapshots.
    pub written: Vec<String>,
    /// Files that wait for somebody to look at them.
    pub pending: Vec<String>,
}

/// An answer of which a snapshot is taken.
#[derive(Debug)]
pub struct Shot<'a> {
    /// What is wanted.
    pub snapshot: &'a Snapshot,
    /// The scenario file.
    pub source: &'a str,
    /// Which row, which use of a fragment, which turn of a loop; empty where there is one only.
    pub which: &'a [&'a str],
    /// The scenario's name.
    pub scenario: &'a str,
    /// The step's name.
    pub step: &'a str,
    /// The step's action.
    pub action: &'a str,
    /// What it is taken of.
    pub subject: Subject<'a>,
    /// What is known of the run.
    pub known: &'a Known,
    /// Whether everything else that was expected of the step holds: what is wrong is not recorded.
    pub sound: bool,
}

/// What a snapshot is taken of.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// An answer.
    Answer(&'a Outcome),
    /// A whole conversation.
    Conversation(&'a [Turn]),
}

/// A turn of a conversation.
#[derive(Debug, Clone)]
pub struct Turn {
    /// What the user said.
    pub user: String,
    /// What was answered.
    pub outcome: Arc<Outcome>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Held {
    /// What is wrong.
    pub problem: Option<Problem>,
    /// How the answer differs from the snapshot.
    pub diff: Option<String>,
    /// What a reader should know.
    pub note: Option<String>,
}

impl Held {
    fn failed(problem: Problem) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }
}

impl Store {
    /// The snapshots that lie in `folders`.
    pub fn new(folders: Folders, mode: Mode, masker: Masker) -> Self {
        Self { folders, mode, masker, ..Self::default() }
    }

    /// Where they lie.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// What was written so far.
    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Holds an answer against its snapshot.
    pub fn hold(&self, shot: &Shot<'_>) -> Held {
        let snapshot = shot.snapshot;
        let Some(value) = comparable(shot) else {
            let what = snapshot.of.as_str();
            return Held::failed(
                Problem::error(
                    "snapshot::nothing",
                    format!("the answer has no `{what}` to take a snapshot of"),
                )
                .label(&snapshot.span, "nothing there"),
            );
        };
        let home = self.folders.home(shot.source);
        let path = home.file(&snapshot.name.name, &shot.which.join("."));
        if let Some(problem) = self.taken(&path, shot) {
            return Held::failed(problem);
        }
        let file =
            File { metadata: metadata(shot, &home), contents: self.masker.mask(&select::written(&value)) };
        let held = self.compare(shot, &path, value, file);
        if held.problem.is_none() && self.mode != Mode::Locked {
            // Nobody need look at what passes.
            let pending = pending_of(&path);
            _ = std::fs::remove_file(&pending);
            let shown = self.folders.shown(&pending);
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.pending.retain(|file| *file != shown);
        }
        held
    }

    /// A problem where the file is that of another row or turn: `a.b` of `c`, and `a` of `b.c`.
    fn taken(&self, path: &Path, shot: &Shot<'_>) -> Option<Problem> {
        let parts: Vec<String> = shot.which.iter().map(|part| (*part).to_owned()).collect();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let first = taken.files.entry(path.to_owned()).or_insert_with(|| parts.clone());
        (*first != parts).then(|| {
            let name = |parts: &[String]| parts.join(" / ");
            Problem::error(
                "snapshot::duplicate",
                format!("the snapshots of {} and {} would be one file", name(first), name(&parts)),
            )
            .label(&shot.snapshot.name.span, "this snapshot")
            .help("give the rows a `name` of their own, or the loops items without a `.`")
        })
    }

    /// Writes a file whole or not at all.
    fn write(&self, path: &Path, text: &str) -> Result<(), WriteError> {
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        if self.taken.lock().unwrap_or_else(PoisonError::into_inner).swept.insert(folder.clone()) {
            write::sweep(&folder);
        }
        write::atomically(path, text)
    }

    fn compare(&self, shot: &Shot<'_>, path: &Path, mut value: Value, mut file: File) -> Held {
        let shown = self.folders.shown(path);
        let name = &shot.snapshot.name;
        match File::read_of(path, file.metadata.source.as_deref()) {
            Ok(Some(old)) if old.contents == file.contents => Held::default(),
            Ok(Some(old)) => {
                let is_json = !value.is_string();
                let before = if is_json {
                    serde_json::from_str(&old.contents).ok()
                } else {
                    Some(Value::from(old.contents.as_str()))
                };
                if let Some(before) = &before {
                    compare::settle(before, &mut value, shot.snapshot);
                    file.contents = self.masker.mask(&select::written(&value));
                }
                let diff = diff::between(&old.contents, &file.contents, is_json);
                if diff.is_empty() {
                    // Near enough, or written in another way: by hand, or by a formatter.
                    return Held::default();
                }
                let mut message = format!("the answer differs from {shown}");
                if let (Some(like), false) = (shot.snapshot.like, is_json) {
                    let similar = crate::expect::similarity(&old.contents, &file.contents);
                    message = format!(
                        "the answer is only {similar:.2} similar to {shown}, expected at least {like}"
                    );
                }
                let mut problem =
                    Problem::error("snapshot::differs", message).label(&name.span, "this snapshot");
                if is_json && before.is_none() {
                    problem = problem.label(&name.span, "its file holds no JSON any more");
                }
                self.record(shot, path, &file, Held { diff: Some(diff), ..Held::failed(problem) })
            }
            Ok(None) => {
                let problem = Problem::error("snapshot::new", format!("there is no snapshot {shown} yet"))
                    .label(&name.span, "this snapshot is new");
                let diff = diff::beginning(&file.contents);
                self.record(shot, path, &file, Held { diff: Some(diff), ..Held::failed(problem) })
            }
            Err(unusable) => self.unusable(shot, path, &file, &unusable),
        }
    }

    /// Something is there that is no snapshot. It is left alone, whatever the mode.
    fn unusable(&self, shot: &Shot<'_>, path: &Path, file: &File, unusable: &Unusable) -> Held {
        let shown = self.folders.shown(path);
        let problem =
            Problem::error("snapshot::unusable", format!("{shown} cannot be compared with: {unusable}"))
                .label(&shot.snapshot.name.span, "this snapshot")
                .help(unusable.remedy(&shown));
        if self.mode == Mode::Compare && shot.sound && matches!(unusable, Unusable::Conflict { .. }) {
            // To choose from: what the answer is now.
            _ = self.wait(path, file);
        }
        Held::failed(problem)
    }

    /// Writes what the mode says, and tells what to do.
    fn record(&self, shot: &Shot<'_>, path: &Path, file: &File, held: Held) -> Held {
        let shown = self.folders.shown(path);
        let Some(problem) = held.problem else { return held };
        if !shot.sound {
            let help = "nothing was recorded: the step failed for another reason".to_owned();
            return Held { problem: Some(problem.help(help)), ..held };
        }
        match self.mode {
            Mode::Locked => {
                let help = "in CI nothing is written: run it elsewhere, look at it with `agentos-run review`, and commit the snapshot";
                Held { problem: Some(problem.help(help)), ..held }
            }
            Mode::Compare => match self.wait(path, file) {
                Ok(()) => {
                    let help = "`agentos-run review` shows it and takes it; `agentos-run accept` takes all that wait; `--update` takes what comes";
                    Held { problem: Some(problem.help(help)), ..held }
                }
                Err(error) => {
                    let waiting = self.folders.shown(&pending_of(path));
                    Held { problem: Some(problem.help(unwritten(&waiting, &error))), ..held }
                }
            },
            Mode::Update => {
                let text = File {
                    metadata: Metadata { line: None, ..file.metadata.clone() },
                    contents: file.contents.clone(),
                }
                .to_text();
                match self.write(path, &text) {
                    Ok(()) => {
                        let new = problem.code == "snapshot::new";
                        self.count(|tally| &mut tally.written, shown.clone());
                        let note = format!(
                            "{} {shown}",
                            if new { "wrote the snapshot" } else { "updated the snapshot" }
                        );
                        Held { note: Some(note), ..Held::default() }
                    }
                    Err(error) => Held {
                        problem: Some(
                            Problem::error(
                                "snapshot::unwritten",
                                format!("the snapshot {shown} was not written: {error}"),
                            )
                            .label(&shot.snapshot.name.span, "this snapshot")
                            .help(unwritten(&shown, &error)),
                        ),
                        ..held
                    },
                }
            }
        }
    }

    /// Leaves what was answered beside the snapshot.
    fn wait(&self, path: &Path, file: &File) -> Result<(), WriteError> {
        let waiting = pending_of(path);
        self.write(&waiting, &file.to_text())?;
        self.count(|tally| &mut tally.pending, self.folders.shown(&waiting));
        Ok(())
    }

    fn count(&self, list: impl FnOnce(&mut Tally) -> &mut Vec<String>, file: String) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let list = list(&mut tally);
        if !list.contains(&file) {
            list.push(file);
        }
    }
}

/// What is compared.
fn comparable(shot: &Shot<'_>) -> Option<Value> {
    let snapshot = shot.snapshot;
    let pieces = snapshot.keep.iter().any(|keep| matches!(keep, Keep::All | Keep::Kind(Kinds::Chunks)));
    let part = |of: &Of, outcome: &Outcome| {
        let mut value = select::select(of, outcome)?;
        match of {
            Of::Word("events") if !pieces => {
                events::unmix(&mut value);
                events::join_pieces(&mut value);
            }
            Of::Word("tools") if !pieces => {
                if let Some(stream) = &outcome.stream {
                    events::unmix_calls(&mut value, stream.events());
                }
            }
            _ => {}
        }
        value.sort_all_objects();
        Some(value)
    };
    let mut value = match (shot.subject, &snapshot.of) {
        (Subject::Answer(outcome), of) => part(of, outcome)?,
        (Subject::Conversation(turns), Of::Path(path)) if path.as_str() == "$" => {
            turns.iter().map(select::transcript).collect()
        }
        (Subject::Conversation(turns), of) => {
            turns.iter().map(|turn| part(of, &turn.outcome).unwrap_or_default()).collect()
        }
    };
    if snapshot.shape {
        return Some(compare::shape(&value));
    }
    sort::sort(&mut value, snapshot, shot.known);
    redact::redact(&mut value, snapshot, shot.known);
    Some(value)
}

/// The file beside a snapshot in which a new one waits.
pub fn pending_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn unwritten(shown: &str, error: &WriteError) -> String {
    match error {
        WriteError::ReadOnly => format!(
            "the new one could not be written: {shown} or its folder is read-only; make it writable: chmod u+w"
        ),
        WriteError::Io(_) => format!("the new one could not be written to {shown}: {error}"),
    }
}

fn metadata(shot: &Shot<'_>, home: &Home) -> Metadata {
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let mut info = vec![("scenario".to_owned(), plain(shot.scenario))];
    if !shot.which.is_empty() {
        info.push(("which".to_owned(), plain(&shot.which.join("."))));
    }
    if shot.step != shot.action {
        info.push(("step".to_owned(), plain(shot.step)));
    }
    info.push(("operation".to_owned(), plain(shot.action)));
    Metadata {
        source: Some(home.source.clone()),
        line: Some(Span::position(&shot.snapshot.span).line),
        expression: Some(shot.snapshot.of.as_str().to_owned()),
        info,
    }
}
