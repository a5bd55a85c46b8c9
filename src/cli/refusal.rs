//! Why a command ends before its work: what is shown, and how the program ends then.

use super::exit::Exit;
use super::output::Output;
use crate::diagnostic::{Problem, Problems};
use crate::report::text;

/// Why a command ends before its work.
#[derive(Debug)]
pub(super) enum Refusal {
    /// What was asked for makes no sense.
    Invalid(Problem),
    /// A cast file makes no sense.
    #[cfg_attr(not(feature = "emulator"), expect(dead_code, reason = "only an emulator has a cast"))]
    Cast(Problems),
    /// It makes sense, and nobody answers or lets us in.
    Unreachable(Problem),
    /// Everything was said already.
    Told(Exit),
}

impl Refusal {
    /// Shows it, and says how the command ends.
    pub(super) fn show(self, output: &Output) -> Exit {
        match self {
            Self::Invalid(problem) => {
                output.problem(&problem);
                Exit::Invalid
            }
            Self::Cast(problems) => {
                output.problems(&problems);
                let count = text::count(problems.len(), "problem");
                output.warn(&format!("\n{count} in the cast; nothing was sent"));
                Exit::Invalid
            }
            Self::Unreachable(problem) => {
                output.problem(&problem);
                Exit::Unreachable
            }
            Self::Told(exit) => exit,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Invalid(problem)
    }
}
