//! Snapshots that wait for somebody to look at them: finding, accepting and rejecting them.

use std::fs;
use std::path::{Path, PathBuf};

use super::file::{File, Metadata, Unusable};
use super::write::{self, WriteError};
use crate::diagnostic;

/// The ending of files that wait.
const ENDING: &str = ".snap.new";
/// The ending of snapshots.
const SNAPSHOT: &str = ".snap";
/// How deep folders are searched.
const DEEPEST: usize = 32;

/// A snapshot that waits.
#[derive(Debug, Clone)]
pub struct Pending {
    /// The file that waits.
    pub path: PathBuf,
    /// The snapshot that it would become.
    pub snapshot: PathBuf,
    /// What it holds.
    pub new: File,
    /// What the snapshot holds now, or why it holds none.
    pub old: Result<Option<File>, Unusable>,
    bytes: String,
}

/// What became of one that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is a snapshot now that was not there before.
    New,
    /// It took the place of one.
    Changed,
}

/// Why one stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PendingError {
    /// What it would replace is no snapshot.
    #[error("it would overwrite what is no snapshot: {0}")]
    Unusable(Unusable),
    /// It cannot be written.
    #[error("{0}")]
    Write(#[from] WriteError),
    /// Somebody wrote it anew in the meantime.
    #[error("it changed while it was looked at: look again")]
    Changed,
}

impl Pending {
    /// Reads a file that waits; an error where it is no such file, none where it is not ours.
    pub fn read(path: &Path) -> Result<Option<Self>, Unusable> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => return Err(Unusable::Unreadable(diagnostic::io_cause(&error))),
        };
        let new = File::parse(bytes.clone())?;
        if !new.metadata.is_ours() {
            return Ok(None);
        }
        let snapshot = path.with_extension("");
        let old = File::read_of(&snapshot, new.metadata.source.as_deref());
        let bytes = String::from_utf8(bytes).map_err(|_| Unusable::NotText)?;
        Ok(Some(Self { path: path.to_owned(), snapshot, new, old, bytes }))
    }

    /// Makes it the snapshot.
    pub fn accept(&self) -> Result<Accepted, PendingError> {
        let accepted = match File::read_of(&self.snapshot, self.new.metadata.source.as_deref()) {
            Err(unusable) => return Err(PendingError::Unusable(unusable)),
            Ok(None) => Accepted::New,
            // Another process was faster, with the same.
            Ok(Some(now)) if now.contents == self.new.contents && !self.path.exists() => {
                return Ok(Accepted::Changed);
            }
            Ok(Some(_)) => Accepted::Changed,
        };
        self.unchanged()?;
        let metadata = Metadata { line: None, ..self.new.metadata.clone() };
        let file = File { metadata, contents: self.new.contents.clone() };
        write::atomically(&self.snapshot, &file.to_text())?;
        self.remove()?;
        Ok(accepted)
    }

    /// Takes it away; the snapshot stays as it is.
    pub fn reject(&self) -> Result<(), PendingError> {
        self.unchanged()?;
        self.remove()
    }

    /// Another process may have written it anew, or have accepted it.
    fn unchanged(&self) -> Result<(), PendingError> {
        match fs::read_to_string(&self.path) {
            Ok(now) if now == self.bytes => Ok(()),
            _ => Err(PendingError::Changed),
        }
    }

    /// Takes it away, but not what somebody may have written in its place since it was looked at: it is moved aside first,
    /// so that what goes is what was seen.
    fn remove(&self) -> Result<(), PendingError> {
        let aside = tempfile::Builder::new()
            .prefix(write::PREFIX)
            .suffix(write::SUFFIX)
            .tempfile_in(self.path.parent().unwrap_or(Path::new(".")))
            .map_err(WriteError::from)?;
        match fs::rename(&self.path, aside.path()) {
            // Somebody else took it away.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            moved => moved.map_err(WriteError::from)?,
        }
        if fs::read(aside.path()).is_ok_and(|bytes| bytes == self.bytes.as_bytes()) {
            return Ok(());
        }
        // Where yet another one waits there by now, that is the one to look at.
        _ = aside.persist_noclobber(&self.path);
        Err(PendingError::Changed)
    }
}

/// The files that wait below `folder`, sorted. Hidden folders and what builds leave behind are not searched.
pub fn find_pending(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(folder, 0, &mut found, &|name| name.ends_with(ENDING));
    found.sort();
    found
}

/// The snapshots in `folder`, and in the folders in it where `deep`, with those that wait.
pub fn find(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let depth = if deep { 0 } else { DEEPEST };
    walk(folder, depth, &mut found, &|name| name.ends_with(SNAPSHOT) || name.ends_with(ENDING));
    found
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>, wanted: &dyn Fn(&str) -> bool) {
    if depth > DEEPEST {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // A link to a folder is not followed: it may lead back up.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                walk(&entry.path(), depth + 1, found, wanted);
            }
        } else if wanted(&name) {
            found.push(entry.path());
        }
    }
}
