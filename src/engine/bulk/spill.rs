//! The items of a loop before their turn: in memory while they are few, in a file of no name when they are many.

use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};

use serde_json::Value;
use tempfile::SpooledTempFile;

/// So many bytes stay in memory.
const IN_MEMORY: usize = 1 << 20;

/// Takes items.
pub(super) struct Spill {
    file: BufWriter<SpooledTempFile>,
    count: u64,
}

/// Gives them back in the same order.
pub(in crate::engine) struct Reader {
    file: BufReader<SpooledTempFile>,
    line: Vec<u8>,
}

impl Spill {
    pub(super) fn new() -> Self {
        Self { file: BufWriter::new(SpooledTempFile::new(IN_MEMORY)), count: 0 }
    }

    pub(super) fn push(&mut self, item: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, item)?;
        self.file.write_all(b"\n")?;
        self.count += 1;
        Ok(())
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn read(self) -> io::Result<Reader> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Reader { file: BufReader::new(file), line: Vec::new() })
    }
}

impl Reader {
    pub(super) fn next(&mut self) -> io::Result<Option<Value>> {
        self.line.clear();
        if self.file.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(&self.line)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_goes_in_comes_out() {
        let mut spill = Spill::new();
        let item = |number: u32| json!({ "id": number, "text": format!("line\n{}", "x".repeat(2000)) });
        for number in 0..1000 {
            spill.push(&item(number)).unwrap();
        }
        assert_eq!(spill.count(), 1000);
        let mut reader = spill.read().unwrap();
        for number in 0..1000 {
            assert_eq!(reader.next().unwrap(), Some(item(number)));
        }
        assert_eq!(reader.next().unwrap(), None);
    }
}
