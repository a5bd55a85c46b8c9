//! What has been recorded and is not needed before the end: in a file that has no name, so that nothing of it is left behind
//! whatever becomes of the program.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

/// Pieces of text in a file.
#[derive(Debug)]
pub(super) struct Spool {
    /// Made when the first piece comes.
    file: Option<File>,
    /// What has not been written yet: pieces are small, and writing each costs more than making it.
    waiting: Vec<u8>,
    written: u64,
}

/// Where a piece is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    at: u64,
    length: usize,
}

/// How much waits to be written together.
const TOGETHER: usize = 256 << 10;

impl Spool {
    pub(super) fn new() -> Self {
        Self { file: None, waiting: Vec::new(), written: 0 }
    }

    /// Adds a piece.
    pub(super) fn add(&mut self, text: &str) -> io::Result<Piece> {
        let piece = Piece { at: self.written + self.waiting.len() as u64, length: text.len() };
        self.waiting.extend_from_slice(text.as_bytes());
        if self.waiting.len() >= TOGETHER {
            self.write()?;
        }
        Ok(piece)
    }

    fn write(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        // Whoever read was elsewhere in the file.
        file.seek(SeekFrom::Start(self.written))?;
        file.write_all(&self.waiting)?;
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// A piece again.
    pub(super) fn read(&mut self, piece: Piece) -> io::Result<String> {
        let mut bytes = vec![0; piece.length];
        if piece.at >= self.written {
            let at = usize::try_from(piece.at - self.written).unwrap_or(usize::MAX);
            let waiting = self.waiting.get(at..).and_then(|rest| rest.get(..piece.length));
            bytes.copy_from_slice(waiting.ok_or(io::ErrorKind::UnexpectedEof)?);
        } else if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(piece.at))?;
            file.read_exact(&mut bytes)?;
        }
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}
