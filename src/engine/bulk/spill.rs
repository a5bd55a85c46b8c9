//! The items of a loop before their turn, as the server sent them: in memory while they are few, in a file of no name when
//! they are many.

use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write as _};

use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::SpooledTempFile;

use crate::agentos::items::Items;

/// So many bytes stay in memory.
const IN_MEMORY: usize = 1 << 20;

/// Takes items.
pub(super) struct Spill {
    file: BufWriter<SpooledTempFile>,
    count: u64,
}

/// Gives them back in the same order, read.
pub(in crate::engine) struct Reader {
    file: BufReader<SpooledTempFile>,
    items: Items,
    left: u64,
    text: Vec<u8>,
}

impl Spill {
    pub(super) fn new() -> Self {
        Self { file: BufWriter::new(SpooledTempFile::new(IN_MEMORY)), count: 0 }
    }

    pub(super) fn push(&mut self, item: &RawValue) -> io::Result<()> {
        let text = item.get();
        self.file.write_all(&(text.len() as u64).to_le_bytes())?;
        self.file.write_all(text.as_bytes())?;
        self.count += 1;
        Ok(())
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Begins to give them back: they are `items`.
    pub(super) fn read(self, items: Items) -> io::Result<Reader> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Reader { file: BufReader::new(file), items, left: self.count, text: Vec::new() })
    }
}

impl Reader {
    pub(super) fn next(&mut self) -> io::Result<Option<Value>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut length = [0; 8];
        self.file.read_exact(&mut length)?;
        self.text.resize(usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?, 0);
        self.file.read_exact(&mut self.text)?;
        let text = std::str::from_utf8(&self.text).map_err(io::Error::other)?;
        Ok(Some(self.items.read(text)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agentos::find;
    use serde_json::json;

    #[test]
    fn what_goes_in_comes_out() {
        let mut spill = Spill::new();
        let item = |number: u32| json!({ "id": number, "name": null, "text": format!("line\n{}", "x".repeat(2000)) });
        for number in 0..1000 {
            let text = serde_json::to_string_pretty(&item(number)).unwrap();
            spill.push(serde_json::from_str(&text).unwrap()).unwrap();
        }
        assert_eq!(spill.count(), 1000);
        let items = Items::of(find("list_agents").unwrap().spec).unwrap();
        let mut reader = spill.read(items).unwrap();
        for number in 0..1000 {
            let read = reader.next().unwrap().unwrap();
            assert_eq!(read["text"], item(number)["text"]);
            assert_eq!(read["id"], number);
            // What the server left out.
            assert_eq!(read.get("description"), Some(&Value::Null));
        }
        assert_eq!(reader.next().unwrap(), None);
    }
}
