//! The file that holds a session while it is deleted and created anew.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::agentos::transport::SentRequest;

/// What is saved of a session.
pub(super) struct Backup {
    pub(super) session_id: String,
    /// The answer of `GET /sessions/{id}`.
    pub(super) session: Value,
    /// The answer of `GET /sessions/{id}/runs`.
    pub(super) runs: Value,
    /// The request that creates it anew, without headers that may hold secrets.
    pub(super) create: SentRequest,
}

impl Backup {
    /// Writes the file: whole or not at all, on the disk and not only in its cache, readable by its owner only.
    pub(super) fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let content = json!({
            "what": "a session of AgentOS as it was before clear_session deleted it; its runs cannot be created anew",
            "session": self.session,
            "runs": self.runs,
            "restore": self.create.curl(),
        });
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".clear-").tempfile_in(folder)?;
        serde_json::to_writer_pretty(&mut file, &content)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        let name = format!("clear-{}-{}.json", tame(&self.session_id), uuid::Uuid::new_v4());
        let path = folder.join(name);
        file.persist_noclobber(&path).map_err(|error| error.error)?;
        // The name is on the disk only when its folder is. Not every system can do that, and then there is no more to do.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(path)
    }
}

/// An id as a part of a file's name.
fn tame(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    id.chars().take(60).map(plain).collect()
}
