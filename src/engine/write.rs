//! Writing lines into files: inside of the working folder, never silently over what is there.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::answer::Done;
use super::steps::Run;
use crate::diagnostic::Problem;
use crate::scenario::write::within_folder;
use crate::scenario::{Existing, Step, WriteAction};

/// The files that this run of the program writes.
#[derive(Default)]
pub struct Files {
    open: Mutex<HashMap<PathBuf, File>>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").finish_non_exhaustive()
    }
}

impl Run<'_> {
    /// Writes the line of a step.
    pub(super) fn write(&mut self, step: &Step, action: &WriteAction) -> Done {
        let (path, line) = match self.line_of(action) {
            Ok(line) => line,
            Err(problem) => return Done::failed(problem),
        };
        let journal = self.settings.bulk.journal.as_deref();
        let known = journal.is_some_and(|journal| journal.has_file(&path));
        match self.settings.bulk.files.write(&path, &line, action.existing, known) {
            Ok(true) => {
                let noted = journal.map_or(Ok(()), |journal| journal.file(&path));
                noted
                    .err()
                    .zip(journal)
                    .map_or_else(Done::default, |(error, journal)| Done::failed(journal.problem(&error)))
            }
            Ok(false) => Done::default(),
            Err(error) => {
                let problem = Problem::error(
                    "write::failed",
                    format!("`{path}` cannot be written: {}", in_words(&error)),
                )
                .label(action.file.span(), "this file")
                .label(&step.action_key.span, "in this step");
                Done::failed(if error.kind() == io::ErrorKind::AlreadyExists {
                    problem.help("give another name, or say `existing: append` or `existing: replace`")
                } else {
                    problem
                })
            }
        }
    }

    /// The file and the line that a step writes, without secrets.
    pub(super) fn line_of(&self, action: &WriteAction) -> Result<(String, String), Problem> {
        let path = action.file.resolve_text(&self.context.scope)?;
        within_folder(&path)
            .map_err(|cause| Problem::error("step::write", cause).label(action.file.span(), "this file"))?;
        let line = match action.line.resolve(&self.context.scope)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        if line.contains(['\n', '\r']) {
            return Err(Problem::error(
                "step::write",
                "what `write` writes is one line, and this has several",
            )
            .label(action.line.span(), "this line")
            .help("`| tojson` writes a text with line ends in one line"));
        }
        Ok((path, self.settings.masker.mask(&line)))
    }
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AlreadyExists => "it is there already".to_owned(),
        _ => error.to_string(),
    }
}

impl Files {
    /// Writes a line, whole or not at all; whether the file is new. `known` says that an earlier run of the same job made it.
    fn write(&self, path: &str, line: &str, existing: Existing, known: bool) -> io::Result<bool> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let path = PathBuf::from(path);
        let new = !open.contains_key(&path);
        if new {
            let file = begin(&path, existing, known)?;
            open.insert(path.clone(), file);
        }
        let Some(file) = open.get_mut(&path) else { return Ok(new) };
        let mut text = String::with_capacity(line.len() + 1);
        text.push_str(line);
        text.push('\n');
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(text.as_bytes()) {
            // A full disk leaves no half a line.
            let _as_it_was = file.set_len(before);
            return Err(error);
        }
        Ok(new)
    }
}

fn begin(path: &Path, existing: Existing, known: bool) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
        // A link may lead elsewhere.
        if !folder.canonicalize()?.starts_with(Path::new(".").canonicalize()?) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "its folder is a link out of the working folder",
            ));
        }
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    match (known, existing) {
        (false, Existing::Fail) => options.create_new(true).open(path),
        (false, Existing::Replace) => {
            let file = options.create(true).open(path)?;
            file.set_len(0)?;
            Ok(file)
        }
        _ => {
            let mut file = options.create(true).open(path)?;
            if known {
                mend(&mut file)?;
            }
            Ok(file)
        }
    }
}

/// Takes off a last line that was torn by a crash.
fn mend(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let mut end = length;
    let mut piece = [0_u8; 4096];
    while end > 0 {
        let from = end.saturating_sub(piece.len() as u64);
        let size = usize::try_from(end - from).unwrap_or(piece.len());
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut piece[..size])?;
        if let Some(at) = piece[..size].iter().rposition(|byte| *byte == b'\n') {
            end = from + at as u64 + 1;
            break;
        }
        end = from;
    }
    if end < length { file.set_len(end) } else { Ok(()) }
}
