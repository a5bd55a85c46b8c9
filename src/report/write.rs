//! Writing a finished run in any number of formats, each scenario read once for all of them.

use std::io::{self, Write};

use super::github::Github;
use super::html::Html;
use super::json::Json;
use super::junit::Junit;
use super::markdown::Markdown;
use super::record::{RunRecord, ScenarioRecord};
use super::records::Records;
use super::tap::Tap;
use super::text_report::Text;

/// A format that is written when the run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Text,
    Junit,
    Json,
    Tap,
    Html,
    Github,
    Markdown,
}

impl Format {
    /// Whether it tells of every step: the others tell of those alone that failed or have notes.
    pub fn has_all_steps(self) -> bool {
        matches!(self, Self::Json | Self::Html)
    }
}

/// Takes scenario after scenario.
pub(super) trait Writer {
    /// The next scenario, and all of it as JSON, for formats that have all steps: of its attempts, the record has only the
    /// steps that something is to be told of.
    fn scenario(&mut self, scenario: &ScenarioRecord, json: &[u8]) -> io::Result<()>;
    /// There are no more.
    fn end(&mut self) -> io::Result<()>;
}

/// A format and where it goes.
pub struct Output<'a> {
    /// The format.
    pub format: Format,
    /// Where it goes.
    pub out: Box<dyn Write + 'a>,
}

/// Writes the run; the results of the outputs, in their order. One that fails does not keep the others from being written.
pub fn write(records: Records, outputs: Vec<Output<'_>>) -> Vec<io::Result<()>> {
    let run = records.run.clone();
    let mut writers: Vec<io::Result<Box<dyn Writer + '_>>> =
        outputs.into_iter().map(|output| writer(output, &run)).collect();
    let reading = records.each(|scenario, json| {
        for slot in &mut writers {
            if let Ok(writer) = slot
                && let Err(error) = writer.scenario(scenario, json)
            {
                *slot = Err(error);
            }
        }
        Ok(())
    });
    let failed = reading.err().map(|error| (error.kind(), error.to_string()));
    writers
        .into_iter()
        .map(|writer| match &failed {
            Some((kind, text)) => Err(io::Error::new(*kind, text.clone())),
            None => writer?.end(),
        })
        .collect()
}

fn writer<'a>(output: Output<'a>, run: &RunRecord) -> io::Result<Box<dyn Writer + 'a>> {
    let out = io::BufWriter::with_capacity(64 << 10, output.out);
    Ok(match output.format {
        Format::Text => Box::new(Text::new(out, run)?),
        Format::Junit => Box::new(Junit::new(out, run)?),
        Format::Json => Box::new(Json::new(out, run)?),
        Format::Tap => Box::new(Tap::new(out, run)?),
        Format::Html => Box::new(Html::new(out, run)?),
        Format::Github => Box::new(Github::new(out)),
        Format::Markdown => Box::new(Markdown::new(out, run)),
    })
}
