//! Writing a file whole or not at all: a crash leaves the old one, and two writers leave one of both.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody protected it; a rename over it would not ask.
    #[error("it is read-only")]
    ReadOnly,
    /// What the system says.
    #[error("{}", crate::diagnostic::io_cause(.0))]
    Io(#[from] io::Error),
}

/// How the names of files begin and end that are not whole yet.
pub(super) const PREFIX: &str = ".snapshot-";
pub(super) const SUFFIX: &str = ".tmp";
/// What is older than this belongs to a process that was killed.
const STALE: Duration = Duration::from_mins(10);

/// Deletes what processes left in a folder that were killed while they wrote.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let stale = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) && stale().is_some_and(|age| age > STALE) {
            _ = fs::remove_file(entry.path());
        }
    }
}

/// Writes `text` to `path`: to a file beside it first, which then takes its place.
pub(super) fn atomically(path: &Path, text: &str) -> Result<(), WriteError> {
    // A link stays a link; what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(&path).is_ok_and(|meta| meta.permissions().readonly()) {
        return Err(WriteError::ReadOnly);
    }
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    fs::create_dir_all(&folder)?;
    if fs::metadata(&folder)?.permissions().readonly() {
        return Err(WriteError::ReadOnly);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any program writes files: the umask takes away what it should.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(&folder)?;
    file.write_all(text.as_bytes())?;
    // On the disk before the old one goes.
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
