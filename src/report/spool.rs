//! What has been recorded and is not needed before the end: in a file that has no name, so that nothing of it is left behind
//! whatever becomes of the program.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Write as _};

/// Pieces of text in a file.
#[derive(Debug)]
pub(super) struct Spool {
    /// Made when there is something to write.
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

/// How much is written, and read, together.
const TOGETHER: usize = 256 << 10;

impl Spool {
    pub(super) fn new() -> Self {
        Self { file: None, waiting: Vec::new(), written: 0 }
    }

    /// Adds a piece.
    pub(super) fn add(&mut self, text: &[u8]) -> io::Result<Piece> {
        let piece = Piece { at: self.written + self.waiting.len() as u64, length: text.len() };
        self.waiting.extend_from_slice(text);
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
        file.write_all(&self.waiting)?;
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// All that was added, to be read. Nothing more can be.
    pub(super) fn read(mut self) -> io::Result<Reader> {
        if self.file.is_some() && !self.waiting.is_empty() {
            self.write()?;
        }
        let file = self.file.map(|file| BufReader::with_capacity(TOGETHER, file));
        // The file was left where its end is.
        Ok(Reader { file, at: self.written, in_memory: self.waiting })
    }
}

/// Reads pieces. Those that lie side by side are read together.
#[derive(Debug)]
pub(super) struct Reader {
    file: Option<BufReader<File>>,
    at: u64,
    /// What was never much enough for a file.
    in_memory: Vec<u8>,
}

impl Reader {
    /// Puts a piece at the end of `bytes`.
    pub(super) fn get(&mut self, piece: Piece, bytes: &mut Vec<u8>) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            let from = usize::try_from(piece.at).unwrap_or(usize::MAX);
            let found = self.in_memory.get(from..).and_then(|rest| rest.get(..piece.length));
            bytes.extend_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            return Ok(());
        };
        let far = || io::Error::other("a spool that is too long");
        let (wanted, at) = (i64::try_from(piece.at), i64::try_from(self.at));
        file.seek_relative(wanted.map_err(|_| far())? - at.map_err(|_| far())?)?;
        let from = bytes.len();
        bytes.resize(from + piece.length, 0);
        // After an error nobody knows where it stands.
        self.at = u64::MAX;
        file.read_exact(&mut bytes[from..])?;
        self.at = piece.at + piece.length as u64;
        Ok(())
    }
}
