//! Secrets that a model says in pieces: each line of a trace has a harmless part, and whoever joins them has the whole.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufReader, Read, Seek, Write};

use serde_json::Value;

use super::line::{Line, Timed};
use crate::secret::{MASK, Masker};

/// Copies a trace from its beginning. Where the texts of a stream hold a secret only together, none of them is told.
pub(super) fn copy(from: &mut (impl Read + Seek), to: &mut impl Write, masker: &Masker) -> io::Result<()> {
    from.rewind()?;
    let hidden = if masker.is_empty() { HashSet::new() } else { hiding(&mut *from, masker)? };
    from.rewind()?;
    if hidden.is_empty() {
        return io::copy(from, to).map(drop);
    }
    for line in BufReader::new(from).split(b'\n') {
        let mut line = line?;
        if let Some((at_ms, event)) = event_of(&line).filter(|(_, event)| hidden.contains(&event.number)) {
            line = serde_json::to_vec(&Timed { at_ms, line: event.without_text() })?;
        }
        line.push(b'\n');
        to.write_all(&line)?;
    }
    Ok(())
}

/// The streams whose texts hold a secret together.
fn hiding(from: impl Read, masker: &Masker) -> io::Result<HashSet<u64>> {
    let mut texts: HashMap<u64, String> = HashMap::new();
    for line in BufReader::new(from).split(b'\n') {
        let line = line?;
        if let Some((_, event)) = event_of(&line)
            && let Some(Value::String(text)) = event.data.get("content")
        {
            texts.entry(event.number).or_default().push_str(text);
        }
    }
    let hides = |text: &String| masker.mask(text) != *text;
    Ok(texts.into_iter().filter(|(_, text)| hides(text)).map(|(number, _)| number).collect())
}

/// An event of a stream.
struct Event {
    number: u64,
    name: String,
    after_ms: f64,
    data: Value,
}

fn event_of(line: &[u8]) -> Option<(f64, Event)> {
    let Timed { at_ms, line } = serde_json::from_slice(line).ok()?;
    let Line::Event { number, name, after_ms, data } = line else { return None };
    Some((at_ms, Event { number, name, after_ms, data: serde_json::from_str(&data).ok()? }))
}

impl Event {
    fn without_text(mut self) -> Line {
        if let Some(text @ Value::String(_)) = self.data.get_mut("content") {
            *text = MASK.into();
        }
        let Self { number, name, after_ms, data } = self;
        Line::Event { number, name, after_ms, data: data.to_string() }
    }
}
