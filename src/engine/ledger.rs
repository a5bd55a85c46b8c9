//! The ledger: what scenarios with `cleanup: true` created and have not deleted yet, in a file for each run of the
//! program, so that what a killed one left behind can be swept.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What kind of thing was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A session with its runs.
    Session,
    /// A memory.
    Memory,
    /// All memories of a user who is of one run of a scenario alone: the id is the user's.
    Memories,
    /// A document of a knowledge base.
    Content,
    /// An evaluation.
    Eval,
}

/// Something that a scenario created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// The database it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The knowledge base it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
    /// The identity of the project file that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The AgentOS it is on.
    pub target: String,
    /// The scenario that created it.
    pub scenario: String,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Memories => "what agents remember of",
            Kind::Session => "session",
            Kind::Memory => "memory",
            Kind::Content => "document",
            Kind::Eval => "evaluation",
        };
        write!(f, "{kind} {}", self.id)
    }
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Made(Made),
    Gone(Made),
}

/// The ledger of this run of the program: a file that is made when something is created, and gone when nothing is left.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    /// What is there still.
    open: usize,
}

impl Ledger {
    /// A ledger in `folder` for the run `run_id`.
    pub fn new(folder: &Path, run_id: &str) -> Self {
        Self { path: folder.join(format!("{run_id}.jsonl")), state: Mutex::default() }
    }

    pub(super) fn made(&self, made: &Made) -> io::Result<()> {
        self.write(&Line::Made(made.clone()))
    }

    pub(super) fn gone(&self, made: &Made) -> io::Result<()> {
        self.write(&Line::Gone(made.clone()))
    }

    fn write(&self, line: &Line) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.file.is_none() {
            let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
            fs::create_dir_all(folder)?;
            let file = OpenOptions::new().append(true).create(true).open(&self.path)?;
            // Whoever sweeps sees by this that the run is not over.
            file.try_lock()?;
            state.file = Some(file);
        }
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        if let Some(file) = &mut state.file {
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
        }
        match line {
            Line::Made(_) => state.open += 1,
            Line::Gone(_) => state.open = state.open.saturating_sub(1),
        }
        if state.open == 0 {
            state.file = None;
            fs::remove_file(&self.path)?;
            // Where it was the last.
            let _others = self.path.parent().map(fs::remove_dir);
        }
        Ok(())
    }
}

/// What a run that is over left behind.
#[derive(Debug)]
pub struct Remains {
    path: PathBuf,
    file: File,
    /// In the order of its making.
    pub made: Vec<Made>,
}

impl Remains {
    /// The remains in `folder`, and how many runs are not over yet. A torn last line is passed over: what it says was
    /// never sent.
    pub fn all_in(folder: &Path) -> io::Result<(Vec<Self>, usize)> {
        let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        paths.retain(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
        paths.sort();
        let (mut all, mut running) = (Vec::new(), 0);
        for path in paths {
            let file = OpenOptions::new().read(true).append(true).open(&path)?;
            if file.try_lock().is_err() {
                running += 1;
                continue;
            }
            let text = fs::read_to_string(&path)?;
            let mut made: Vec<Made> = Vec::new();
            for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
                match line {
                    Line::Made(new) => made.push(new),
                    Line::Gone(gone) => made.retain(|made| *made != gone),
                }
            }
            all.push(Self { path, file, made });
        }
        Ok((all, running))
    }

    /// Writes down that something is gone.
    pub fn gone(&mut self, made: &Made) -> io::Result<()> {
        let mut text = String::from("\n");
        text.push_str(&serde_json::to_string(&Line::Gone(made.clone()))?);
        text.push('\n');
        self.file.write_all(text.as_bytes())?;
        self.made.retain(|other| other != made);
        Ok(())
    }

    /// Removes the file where nothing is left.
    pub fn close(self) -> io::Result<()> {
        if !self.made.is_empty() {
            return Ok(());
        }
        fs::remove_file(&self.path)?;
        let _others = self.path.parent().map(fs::remove_dir);
        Ok(())
    }
}
