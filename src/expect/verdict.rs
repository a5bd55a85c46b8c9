//! What came of an expectation.

use super::judge::Failure;
use super::predicate::Predicate;
use super::show;
use super::target::Target;
use crate::diagnostic::Problem;
use crate::source::Span;

/// The characters of a value that fit under a line of the file.
const LABEL: usize = 120;

/// One checked expectation: keeps what was expected and what was found even where it holds.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What is written in the file: of a failure, the very predicate that failed, which may be inside of another.
    pub span: Span,
    /// The predicate of the target that was checked: the same whether it holds or not, to compare runs by.
    pub check: Span,
    /// What was looked at: `content`, `$.status`; of a failure, the very place: `$.data[3].name`.
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
    /// How they differ: lines that begin with `-` (expected), `+` (found) or a blank.
    pub diff: Option<String>,
    /// What to do, where something is known.
    pub help: Option<String>,
    /// Why it could not be checked: an expression that failed.
    pub problem: Option<Problem>,
}

impl Verdict {
    pub(super) fn passed(predicate: &Predicate, target: &str, expected: String, actual: String) -> Self {
        Self {
            span: predicate.span.clone(),
            check: predicate.span.clone(),
            target: target.to_owned(),
            predicate: predicate.name.to_owned(),
            passed: true,
            message: format!("`{target}`: {}", show::cut(&expected, show::LONG)),
            expected,
            actual,
            diff: None,
            help: None,
            problem: None,
        }
    }

    pub(super) fn failed(predicate: &Predicate, failure: Failure) -> Self {
        Self {
            span: failure.span,
            check: predicate.span.clone(),
            target: failure.target,
            predicate: predicate.name.to_owned(),
            passed: false,
            expected: failure.expected,
            actual: failure.actual,
            message: failure.message,
            diff: failure.diff,
            help: failure.help,
            problem: None,
        }
    }

    /// It could not be checked: of a target as a whole, or of one predicate.
    pub(super) fn unknown(target: &Target, predicate: Option<&Predicate>, problem: Problem) -> Self {
        let check = predicate.map_or(&target.span, |predicate| &predicate.span);
        Self {
            span: problem.span().unwrap_or(check).clone(),
            check: check.clone(),
            target: target.text.clone(),
            predicate: predicate.map_or("", |predicate| predicate.name).to_owned(),
            passed: false,
            expected: String::new(),
            actual: String::new(),
            message: problem.message.clone(),
            diff: None,
            help: problem.help.clone(),
            problem: Some(problem),
        }
    }

    /// The failure as a problem that points at the predicate.
    pub fn to_problem(&self) -> Problem {
        if let Some(problem) = &self.problem {
            return problem.clone();
        }
        let label = format!(
            "expected: {}; found: {}",
            show::cut(&self.expected, LABEL),
            show::cut(&self.actual, LABEL)
        );
        Problem::error("expect::failed", self.message.clone())
            .label(&self.span, label)
            .maybe_help(self.help.clone())
    }
}
