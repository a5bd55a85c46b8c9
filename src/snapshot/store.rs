//! Holding an answer against its snapshot: passes, differs, is new; and what is written then.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::events;
use super::file::{File, Metadata, Unusable};
use super::name::{Folders, Home};
use super::redact::{self, Known};
use super::select;
use super::sort;
use super::spec::{Keep, Kinds, Of, Snapshot};
use super::write::{self, WriteError};
use crate::diagnostic::Problem;
use crate::expect::diff;
use crate::outcome::Outcome;
use crate::secret::Masker;
use crate::source::Span;

/// The lines of a new snapshot that a failure shows.
const FIRST: usize = 20;
/// The characters of such a line.
const WIDTH: usize = 200;

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
    /// Which row and which turn of a loop; empty where there is one only.
    pub which: &'a str,
    /// The scenario's name.
    pub scenario: &'a str,
    /// The step's name.
    pub step: &'a str,
    /// The step's action.
    pub action: &'a str,
    /// The answer.
    pub outcome: &'a Outcome,
    /// What is known of the run.
    pub known: &'a Known,
    /// Whether everything else that was expected of the step holds: what is wrong is not recorded.
    pub sound: bool,
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
        Self { folders, mode, masker, tally: Mutex::default() }
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
        let path = home.file(&snapshot.name.name, shot.which);
        let file =
            File { metadata: metadata(shot, &home), contents: self.masker.mask(&select::written(&value)) };
        let held = self.compare(shot, &path, &value, &file);
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

    fn compare(&self, shot: &Shot<'_>, path: &Path, value: &Value, file: &File) -> Held {
        let shown = self.folders.shown(path);
        let name = &shot.snapshot.name;
        match File::read(path) {
            Ok(Some(old)) if old.contents == file.contents => Held::default(),
            Ok(Some(old)) => {
                let problem = Problem::error("snapshot::differs", format!("the answer differs from {shown}"))
                    .label(&name.span, "this snapshot");
                let diff = difference(&old.contents, &file.contents, value);
                if diff.is_empty() {
                    // Written in another way: by hand, or by a formatter.
                    return Held::default();
                }
                self.record(shot, path, file, Held { diff: Some(diff), ..Held::failed(problem) })
            }
            Ok(None) => {
                let problem = Problem::error("snapshot::new", format!("there is no snapshot {shown} yet"))
                    .label(&name.span, "this snapshot is new");
                let diff = beginning(&file.contents);
                self.record(shot, path, file, Held { diff: Some(diff), ..Held::failed(problem) })
            }
            Err(unusable) => self.unusable(shot, path, file, &unusable),
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
                Err(error) => Held { problem: Some(problem.help(unwritten(&shown, &error))), ..held },
            },
            Mode::Update => {
                let text = File {
                    metadata: Metadata { line: None, ..file.metadata.clone() },
                    contents: file.contents.clone(),
                }
                .to_text();
                match write::atomically(path, &text) {
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
        write::atomically(&waiting, &file.to_text())?;
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

/// What is compared of an answer.
fn comparable(shot: &Shot<'_>) -> Option<Value> {
    let snapshot = shot.snapshot;
    let mut value = select::select(&snapshot.of, shot.outcome)?;
    let pieces = snapshot.keep.iter().any(|keep| matches!(keep, Keep::All | Keep::Kind(Kinds::Chunks)));
    if matches!(snapshot.of, Of::Word("events")) && !pieces {
        events::join_pieces(&mut value);
    }
    value.sort_all_objects();
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
        WriteError::Io(_) => format!("the new one could not be written beside {shown}: {error}"),
    }
}

/// The first lines of what is new; all of it waits in the file.
fn beginning(contents: &str) -> String {
    let total = contents.lines().count();
    let mut lines: Vec<String> = contents.lines().take(FIRST).map(|line| format!("+{}", cut(line))).collect();
    if total > FIRST {
        lines.push(format!(" … {} more lines", total - FIRST));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// How two contents differ, for somebody who decides.
pub fn shown_difference(old: &str, new: &str) -> String {
    let json =
        |text: &str| text.starts_with(['{', '[']).then(|| serde_json::from_str::<Value>(text).ok()).flatten();
    match (json(old), json(new)) {
        (Some(old_value), Some(new_value)) => {
            let difference = diff::json_diff(&old_value, &new_value);
            if difference.is_empty() { diff::text_diff(old, new) } else { difference }
        }
        _ => diff::text_diff(old, new),
    }
}

/// How two contents differ; empty where they are the same JSON.
fn difference(old: &str, new: &str, value: &Value) -> String {
    if !value.is_string()
        && let (Ok(old), Ok(new)) = (serde_json::from_str::<Value>(old), serde_json::from_str::<Value>(new))
    {
        return diff::json_diff(&old, &new);
    }
    diff::text_diff(old, new)
}

fn metadata(shot: &Shot<'_>, home: &Home) -> Metadata {
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let mut info = vec![("scenario".to_owned(), plain(shot.scenario))];
    if !shot.which.is_empty() {
        info.push(("which".to_owned(), plain(shot.which)));
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
