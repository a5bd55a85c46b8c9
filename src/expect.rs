//! Expectations (stub until the room is built).

use crate::diagnostic::{Problem, Problems};
use crate::expr::{Expression, Scope};
use crate::outcome::Outcome;
use crate::source::Span;
use crate::yaml::Node;

/// What must hold.
#[derive(Debug, Clone, Default)]
pub struct Expectations {}

/// One checked expectation.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Where.
    pub span: Span,
    /// What.
    pub target: String,
    /// How.
    pub predicate: String,
    /// Whether.
    pub passed: bool,
    /// Expected.
    pub expected: String,
    /// Actual.
    pub actual: String,
    /// One sentence.
    pub message: String,
    /// Lines.
    pub diff: Option<String>,
    /// An expression error.
    pub problem: Option<Problem>,
}

impl Verdict {
    /// As a problem.
    pub fn to_problem(&self) -> Problem {
        Problem::error("expect::failed", self.message.clone()).label(&self.span, "")
    }
}

impl Expectations {
    /// Compiles.
    pub fn parse(_node: &Node, _problems: &mut Problems) -> Self {
        Self {}
    }
    /// Compiles.
    pub fn parse_assertions(_node: &Node, _problems: &mut Problems) -> Self {
        Self {}
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        true
    }
    /// All expressions.
    pub fn for_each_expression(&self, _visit: &mut dyn FnMut(&Expression)) {}
    /// Whether a failure is expected.
    pub fn expects_failure(&self) -> bool {
        false
    }
    /// Whether status is named.
    pub fn names_status(&self) -> bool {
        false
    }
    /// Evaluates.
    pub fn evaluate(&self, _outcome: Option<&Outcome>, _scope: &Scope) -> Vec<Verdict> {
        Vec::new()
    }
}
