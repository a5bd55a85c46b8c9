//! Expectations: what must hold of the outcome of a step, compiled at check time, judged at run time.

pub mod diff;

use crate::diagnostic::{Problem, Problems};
use crate::expr::{Expression, Scope};
use crate::outcome::Outcome;
use crate::source::Span;
use crate::yaml::{Kind, Node};

/// What `expect` of a step holds: a mapping from targets to what must hold, or a list of such mappings.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    checks: Vec<()>,
}

impl Expectations {
    /// Compiles `node`; everything that is wrong with it becomes a problem.
    pub fn parse(node: &Node, problems: &mut Problems) -> Self {
        if !matches!(node.kind, Kind::Mapping(_) | Kind::Sequence(_)) {
            problems.push(
                Problem::error(
                    "expect::not-a-mapping",
                    format!("expectations are a mapping, not {}", node.describe()),
                )
                .label(&node.span, "here"),
            );
        }
        Self::default()
    }

    /// Compiles expectations that have no outcome: every target is an expression.
    pub fn parse_assertions(node: &Node, problems: &mut Problems) -> Self {
        Self::parse(node, problems)
    }

    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// All expressions in it.
    pub fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        let _ = visit;
    }

    /// Whether a refusal or a failure is what the step expects: a `status` that can be 400 or more, an `error`, or a
    /// `$.status` that is ERROR or CANCELLED.
    pub fn expects_failure(&self) -> bool {
        false
    }

    /// Whether it says anything about `status`.
    pub fn names_status(&self) -> bool {
        false
    }

    /// Checks everything; each check gives one verdict, passed or not.
    pub fn evaluate(&self, outcome: Option<&Outcome>, scope: &Scope) -> Vec<Verdict> {
        let _ = (outcome, scope);
        Vec::new()
    }
}

/// One checked expectation: keeps what was expected and what was found even where it holds.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The YAML value that was checked: the very predicate.
    pub span: Span,
    /// What was looked at: `content`, `$.status`, `$.data[3].name`.
    pub target: String,
    /// The predicate: `eq`, `contains`, ...
    pub predicate: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was expected, in a few words.
    pub expected: String,
    /// What was found, cut where it is long.
    pub actual: String,
    /// What is wrong, in one sentence; where it holds, what holds.
    pub message: String,
    /// How they differ: lines that begin with `-`, `+` or a blank.
    pub diff: Option<String>,
    /// Why it could not be checked: an expression that failed.
    pub problem: Option<Problem>,
}

impl Verdict {
    /// The failure as a problem that points at the predicate.
    pub fn to_problem(&self) -> Problem {
        self.problem.clone().unwrap_or_else(|| {
            Problem::error("expect::failed", self.message.clone())
                .label(&self.span, format!("expected {}, found {}", self.expected, self.actual))
        })
    }
}
