//! All of a finished run, scenario by scenario in the order of the plan, without holding it in memory.

use std::io;

use super::record::{AttemptRecord, FORMAT, Report, RunRecord, ScenarioRecord};
use super::spool::{Piece, Spool};

/// A finished run.
#[derive(Debug)]
pub struct Records {
    /// The run as a whole.
    pub run: RunRecord,
    scenarios: Vec<(ScenarioRecord, Vec<Piece>)>,
    spool: Spool,
}

impl Records {
    /// A run whose attempts lie in `spool`.
    pub(super) fn new(run: RunRecord, scenarios: Vec<(ScenarioRecord, Vec<Piece>)>, spool: Spool) -> Self {
        Self { run, scenarios, spool }
    }

    /// A run whose scenarios are at hand.
    pub fn of(run: RunRecord, scenarios: impl IntoIterator<Item = ScenarioRecord>) -> io::Result<Self> {
        let mut spool = Spool::new();
        let mut kept = Vec::new();
        for mut scenario in scenarios {
            let attempts: Vec<AttemptRecord> = std::mem::take(&mut scenario.attempts);
            let pieces = attempts.iter().map(|attempt| spool.add(&serde_json::to_string(attempt)?));
            let pieces = pieces.collect::<io::Result<Vec<Piece>>>()?;
            kept.push((scenario, pieces));
        }
        Ok(Self::new(run, kept, spool))
    }

    /// How many scenarios there are.
    pub fn len(&self) -> usize {
        self.scenarios.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scenarios.is_empty()
    }

    /// Gives `take` each scenario, as a record and as the JSON of it.
    pub fn each(&mut self, mut take: impl FnMut(&ScenarioRecord, &str) -> io::Result<()>) -> io::Result<()> {
        for (head, pieces) in &self.scenarios {
            let mut json = serde_json::to_string(head)?;
            if !pieces.is_empty() {
                json.pop();
                json.push_str(",\"attempts\":[");
                for (index, piece) in pieces.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    json.push_str(&self.spool.read(*piece)?);
                }
                json.push_str("]}");
            }
            let record: ScenarioRecord = serde_json::from_str(&json)?;
            take(&record, &json)?;
        }
        Ok(())
    }

    /// All of it at once.
    pub fn whole(&mut self) -> io::Result<Report> {
        let mut scenarios = Vec::with_capacity(self.len());
        self.each(|scenario, _| {
            scenarios.push(scenario.clone());
            Ok(())
        })?;
        Ok(Report { format: FORMAT, run: self.run.clone(), scenarios })
    }
}
