//! The JSON report: the records as they are, a scenario per line.

use std::io::{self, Write};

use super::record::{FORMAT, RunRecord, ScenarioRecord};
use super::write::Writer;

/// Writes the report.
pub(super) struct Json<W> {
    out: W,
    begun: bool,
}

impl<W: Write> Json<W> {
    pub(super) fn new(mut out: W, run: &RunRecord) -> io::Result<Self> {
        write!(out, "{{\"format\":{FORMAT},\n\"run\":{},\n\"scenarios\":[", serde_json::to_string(run)?)?;
        Ok(Self { out, begun: false })
    }
}

impl<W: Write> Writer for Json<W> {
    fn scenario(&mut self, _scenario: &ScenarioRecord, json: &[u8]) -> io::Result<()> {
        let lead = if self.begun { ",\n" } else { "\n" };
        self.begun = true;
        self.out.write_all(lead.as_bytes())?;
        self.out.write_all(json)
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}
