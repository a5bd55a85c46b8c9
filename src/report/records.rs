//! All of a finished run, scenario by scenario in the order of the plan, without holding it in memory.

use std::io;

use super::record::{RunRecord, ScenarioRecord, StepRecord, StepStatus};
use super::spool::{Piece, Spool};

/// A finished run.
#[derive(Debug)]
pub struct Records {
    /// The run as a whole.
    pub run: RunRecord,
    scenarios: Vec<Kept>,
    spool: Spool,
}

/// A scenario in a spool.
#[derive(Debug)]
pub(super) struct Kept {
    /// All of it but its attempts.
    pub(super) head: Piece,
    pub(super) attempts: Box<[KeptAttempt]>,
}

/// An attempt in a spool, twice: all of it, for the reports that are JSON, which take it as it is; and in short, with those
/// steps only that the other reports tell of. Where no report has all steps, both are the short one.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptAttempt {
    pub(super) short: Piece,
    pub(super) whole: Piece,
}

/// Whether anything but the JSON reports tells of a step.
fn is_told(step: &StepRecord) -> bool {
    matches!(step.status, StepStatus::Failed | StepStatus::SoftFailed) || !step.notes.is_empty()
}

impl Records {
    /// A run whose scenarios lie in `spool`.
    pub(super) fn new(run: RunRecord, scenarios: Vec<Kept>, spool: Spool) -> Self {
        Self { run, scenarios, spool }
    }

    /// A run whose scenarios are at hand.
    pub fn of(run: RunRecord, scenarios: impl IntoIterator<Item = ScenarioRecord>) -> io::Result<Self> {
        let mut spool = Spool::new();
        let mut kept = Vec::new();
        for mut scenario in scenarios {
            let attempts = std::mem::take(&mut scenario.attempts).into_iter().map(|mut attempt| {
                let whole = spool.add(&serde_json::to_vec(&attempt)?)?;
                attempt.steps.retain(is_told);
                Ok(KeptAttempt { short: spool.add(&serde_json::to_vec(&attempt)?)?, whole })
            });
            let attempts = attempts.collect::<io::Result<_>>()?;
            kept.push(Kept { head: spool.add(&serde_json::to_vec(&scenario)?)?, attempts });
        }
        Ok(Self::new(run, kept, spool))
    }

    /// Gives `take` each scenario: a record of which the attempts have only the steps that something is to be told of, and
    /// all of it as JSON.
    pub(super) fn each(
        self,
        mut take: impl FnMut(&ScenarioRecord, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut spool = self.spool.read()?;
        let (mut short, mut whole) = (Vec::new(), Vec::new());
        for Kept { head, attempts } in &self.scenarios {
            for (json, piece) in [
                (&mut short, (|attempt| attempt.short) as fn(&KeptAttempt) -> Piece),
                (&mut whole, |attempt| attempt.whole),
            ] {
                json.clear();
                spool.get(*head, json)?;
                for (index, attempt) in attempts.iter().enumerate() {
                    if index == 0 {
                        json.pop();
                        json.extend_from_slice(b",\"attempts\":[");
                    } else {
                        json.push(b',');
                    }
                    spool.get(piece(attempt), json)?;
                }
                if !attempts.is_empty() {
                    json.extend_from_slice(b"]}");
                }
            }
            take(&serde_json::from_slice(&short)?, &whole)?;
        }
        Ok(())
    }
}
