//! Writing lines into files: inside of the working folder, never silently over what is there.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::answer::Done;
use super::bulk::journal::{Journal, Round};
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
        let job = self
            .settings
            .bulk
            .journal
            .as_deref()
            .map(|journal| Job { journal, round: self.round.as_deref() });
        if job.as_ref().is_some_and(|job| job.journal.has_line(&path, &line)) {
            let note = format!("the line stands in {path} already: an earlier run of this job wrote it");
            return Done { notes: vec![note], ..Done::default() };
        }
        match self.settings.bulk.files.write(&path, &line, action.existing, job.as_ref()) {
            Ok(()) => Done::default(),
            Err(Unwritten::Journal(problem)) => Done::failed(problem),
            Err(Unwritten::File(error)) => {
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

/// A job with a journal, and the round that goes on.
struct Job<'a> {
    journal: &'a Journal,
    round: Option<&'a Round>,
}

/// Why a line was not written.
enum Unwritten {
    File(io::Error),
    Journal(Problem),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl Files {
    /// Writes a line, whole or not at all.
    fn write(
        &self,
        name: &str,
        line: &str,
        existing: Existing,
        job: Option<&Job<'_>>,
    ) -> Result<(), Unwritten> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let path = PathBuf::from(name);
        if !open.contains_key(&path) {
            let file = begin(name, existing, job)?;
            open.insert(path.clone(), file);
        }
        let Some(file) = open.get_mut(&path) else { return Ok(()) };
        let mut text = String::with_capacity(line.len() + 1);
        text.push_str(line);
        text.push('\n');
        let before = file.metadata()?.len();
        if let Some(Job { journal, round }) = job {
            let told = journal.line(name, before, line, *round);
            told.map_err(|error| Unwritten::Journal(journal.problem(&error)))?;
        }
        // With a journal it is on the disk before its round is done there.
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| if job.is_some() { file.sync_data() } else { Ok(()) });
        if let Err(error) = written {
            // A full disk leaves no half a line.
            let _as_it_was = file.set_len(before);
            return Err(error.into());
        }
        Ok(())
    }
}

fn begin(name: &str, existing: Existing, job: Option<&Job<'_>>) -> Result<File, Unwritten> {
    let path = Path::new(name);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
        // A link may lead elsewhere.
        if !folder.canonicalize()?.starts_with(Path::new(".").canonicalize()?) {
            return Err(Unwritten::File(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "its folder is a link out of the working folder",
            )));
        }
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    if let Some(Job { journal, .. }) = job.filter(|job| job.journal.has_file(name)) {
        let file = options.create(true).open(path)?;
        if let Some(at) = journal.torn_line(name) {
            file.set_len(at)?;
        }
        return Ok(file);
    }
    // Whoever goes on must know the file for the job's own as soon as it is: before it is made, after it is emptied.
    let own = || match job {
        Some(Job { journal, .. }) => {
            journal.file(name).map_err(|error| Unwritten::Journal(journal.problem(&error)))
        }
        None => Ok(()),
    };
    match existing {
        Existing::Fail if path.symlink_metadata().is_ok() => {
            Err(Unwritten::File(io::ErrorKind::AlreadyExists.into()))
        }
        Existing::Fail => {
            own()?;
            Ok(options.create_new(true).open(path)?)
        }
        Existing::Replace => {
            let file = options.create(true).open(path)?;
            file.set_len(0)?;
            own()?;
            Ok(file)
        }
        Existing::Append => {
            own()?;
            let mut file = options.create(true).open(path)?;
            if !ends_with_a_line(&mut file)? {
                file.write_all(b"\n")?;
            }
            Ok(file)
        }
    }
}

/// Whether what is added to a file begins a line of its own.
fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0_u8];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
