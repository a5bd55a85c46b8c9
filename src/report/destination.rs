//! Where a report file goes: found out before anything runs, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file that a report goes to.
#[derive(Debug)]
pub struct Destination {
    path: PathBuf,
    /// A device or a pipe: there is nothing to replace, so it is written as it is.
    special: Option<File>,
}

impl Destination {
    /// A file that can be written, as far as that can be told without writing it: what is there already stays until the
    /// report is whole. Folders on its way are made.
    pub fn new(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(io::Error::other("it is a folder")),
            Ok(found) if found.is_file() && found.permissions().readonly() => {
                return Err(io::Error::other("it is read-only"));
            }
            Ok(found) if !found.is_file() => {
                let special = Some(File::options().write(true).open(path)?);
                return Ok(Self { path: path.to_owned(), special });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if path.file_name().is_none() || path.as_os_str().to_string_lossy().ends_with(['/', '\\']) {
            return Err(io::Error::other("it is the name of a folder"));
        }
        // The file behind a link is replaced, not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let destination = Self { path, special: None };
        fs::create_dir_all(destination.folder())?;
        destination.temporary()?.close()?;
        Ok(destination)
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".agentos-run-").suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As any new file: reports are read by others.
            let found = fs::metadata(&self.path).map(|found| found.permissions().mode() & 0o777);
            builder.permissions(fs::Permissions::from_mode(found.unwrap_or(0o666)));
        }
        builder.tempfile_in(self.folder())
    }

    /// A file that is written piece by piece, in place of what was there.
    pub fn create(self) -> io::Result<File> {
        self.special.map_or_else(|| File::create(&self.path), Ok)
    }

    /// A file that takes the place of what was there when it is whole.
    pub fn replace(mut self) -> io::Result<Replacement> {
        let place = match self.special.take() {
            Some(file) => Place::Special(file),
            None => Place::Temporary(self.temporary()?),
        };
        Ok(Replacement { place, path: self.path })
    }
}

/// A report that is being written.
#[derive(Debug)]
pub struct Replacement {
    place: Place,
    path: PathBuf,
}

#[derive(Debug)]
enum Place {
    Special(File),
    Temporary(tempfile::NamedTempFile),
}

impl Replacement {
    /// The file to write to.
    pub fn file(&self) -> io::Result<File> {
        match &self.place {
            Place::Special(file) => file.try_clone(),
            Place::Temporary(file) => file.as_file().try_clone(),
        }
    }

    /// It is whole.
    pub fn keep(self) -> io::Result<()> {
        match self.place {
            Place::Special(mut file) => file.flush(),
            Place::Temporary(file) => {
                // Some file systems say only now that they are full.
                file.as_file().sync_data()?;
                file.persist(&self.path).map(|_file| ()).map_err(|error| error.error)
            }
        }
    }
}
