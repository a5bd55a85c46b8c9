//! What has been recorded and is not needed before the end: in a file that has no name, so that nothing of it is left behind
//! whatever becomes of the program.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

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

/// How much is written together.
const TOGETHER: usize = 256 << 10;
/// How much is read together, and how much of that lies before what was asked for: of scenarios that ran at the same time,
/// the first of the plan need not have been the first to end.
const WINDOW: u64 = 1 << 20;
const BEFORE: u64 = WINDOW / 2;

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
        // What was never much enough for a file is its own window.
        Ok(Reader { file: self.file, from: 0, window: self.waiting })
    }
}

/// Reads pieces. Those that lie near one another are read together.
#[derive(Debug)]
pub(super) struct Reader {
    file: Option<File>,
    /// Where the window begins.
    from: u64,
    window: Vec<u8>,
}

impl Reader {
    /// Puts a piece at the end of `bytes`.
    pub(super) fn get(&mut self, piece: Piece, bytes: &mut Vec<u8>) -> io::Result<()> {
        if self.find(piece).is_none()
            && let Some(file) = &mut self.file
        {
            self.from = piece.at.saturating_sub(BEFORE);
            self.window.clear();
            file.seek(SeekFrom::Start(self.from))?;
            let wanted = WINDOW.max(piece.at - self.from + piece.length as u64);
            file.take(wanted).read_to_end(&mut self.window)?;
        }
        bytes.extend_from_slice(self.find(piece).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn find(&self, piece: Piece) -> Option<&[u8]> {
        let at = usize::try_from(piece.at.checked_sub(self.from)?).ok()?;
        self.window.get(at..)?.get(..piece.length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_comes_back_in_any_order() {
        for (count, length) in [(3_usize, 10_usize), (4000, 1000), (3, 3 << 20)] {
            let text = |n: usize| vec![u8::try_from(n % 251).unwrap(); length + n % 7];
            let mut spool = Spool::new();
            let pieces: Vec<Piece> = (0..count).map(|n| spool.add(&text(n)).unwrap()).collect();
            let mut reader = spool.read().unwrap();
            for n in (0..count).rev().chain((0..count).map(|n| n * 7 % count)) {
                let mut bytes = b"before".to_vec();
                reader.get(pieces[n], &mut bytes).unwrap();
                assert!(bytes.strip_prefix(b"before") == Some(&text(n)), "{n} of {count}");
            }
        }
    }
}
