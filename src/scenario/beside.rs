//! Files that a scenario names: rows, fragments. Found relative to the file that names them.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::load::io_cause;
use crate::diagnostic::{self, Problem, Problems};
use crate::source::{Source, Span};
use crate::yaml;

/// Where the file `name` is, which is named by a file in `folder`: without `.` and without `..` that lead back.
pub(super) fn path_of(name: &str, folder: &Path) -> PathBuf {
    let mut path = PathBuf::new();
    for part in folder.join(name).components() {
        let back = matches!(part, Component::ParentDir)
            && matches!(path.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            _ if back => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path
}

/// Reads the file at `path`, which is called `name` at `place`. What stands in the way becomes a problem there.
pub(super) fn read(path: &Path, name: &str, place: &Span, problems: &mut Problems) -> Option<Arc<Source>> {
    let shown = path.to_string_lossy().replace('\\', "/");
    let wrong = |problem: Problem| problem.label(place, "named here");
    let problem = match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            wrong(Problem::error("file::unreadable", format!("{shown} is a folder")))
        }
        Ok(meta) if meta.len() > yaml::MAX_BYTES as u64 => {
            wrong(Problem::error("file::too-large", format!("{shown} holds more than 16 MiB")))
                .help("split it over several scenarios")
        }
        Ok(_) => match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                return Some(Source::new(shown, text));
            }
            Ok(Err(error)) => {
                let bytes = error.as_bytes();
                let valid = String::from_utf8_lossy(&bytes[..error.utf8_error().valid_up_to()]);
                let line = valid.matches('\n').count() + 1;
                wrong(Problem::error("file::encoding", format!("{shown} is not UTF-8: see line {line}")))
                    .help("save the file as UTF-8")
            }
            Err(error) => unreadable(&shown, &error, place),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let help = nearest(path, name).map(|found| format!("did you mean `{found}`?"));
            Problem::error("file::unreadable", format!("there is no file {shown}"))
                .label(place, "not found")
                .help("files are looked for beside the file that names them")
                .maybe_help(help)
        }
        Err(error) => unreadable(&shown, &error, place),
    };
    problems.push(problem);
    None
}

fn unreadable(shown: &str, error: &std::io::Error, place: &Span) -> Problem {
    Problem::error("file::unreadable", format!("cannot read {shown}: {}", io_cause(error)))
        .label(place, "named here")
}

/// The file beside the one that is not there that was most likely meant.
fn nearest(path: &Path, name: &str) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let own = path.file_name()?.to_string_lossy();
    let found = diagnostic::nearest(&own, names.iter().map(String::as_str))?;
    Some(Path::new(name).with_file_name(found).to_string_lossy().replace('\\', "/"))
}
