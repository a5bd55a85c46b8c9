//! Expectations: what must hold of the outcome of a step, compiled at check time, judged at run time.

pub mod diff;

mod argument;
mod compare;
mod judge;
mod like;
mod lists;
mod missing;
mod names;
mod phrase;
mod predicate;
mod schema;
mod sequence;
mod show;
mod target;
mod texts;
mod tools;
mod verdict;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub(crate) use names::TYPES;
pub(crate) use schema::FORMATS;
pub(crate) use texts::ratio as similarity;
pub use verdict::Verdict;

use judge::{Judgement, Subject};
use predicate::{Matcher, Op, Predicate};
use show::{Place, Step};
use target::{Found, Target, TargetKind};

use crate::diagnostic::{Problem, Problems};
use crate::expr::{Expression, Scope};
use crate::outcome::Outcome;
use crate::yaml::{Entry, Key, Kind, Node};

/// The statuses that a server may answer.
const STATUSES: std::ops::RangeInclusive<u16> = 100..=599;
/// The first status that is a refusal.
const REFUSAL: u16 = 400;

/// What `expect` of a step holds: a mapping from targets to what must hold, or a list of such mappings.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    checks: Vec<Check>,
}

/// A target and what must hold of it.
#[derive(Debug, Clone)]
struct Check {
    target: Target,
    matcher: Matcher,
}

impl Expectations {
    /// Compiles `node`; everything that is wrong with it becomes a problem.
    pub fn parse(node: &Node, problems: &mut Problems) -> Self {
        Self::compile(node, false, problems)
    }

    /// Compiles expectations that have no outcome: every target is an expression. A bare expression must be true.
    pub fn parse_assertions(node: &Node, problems: &mut Problems) -> Self {
        Self::compile(node, true, problems)
    }

    fn compile(node: &Node, assertions: bool, problems: &mut Problems) -> Self {
        let mut expectations = Self::default();
        let before = problems.len();
        match &node.kind {
            Kind::Sequence(items) => {
                for item in items {
                    expectations.add(item, assertions, problems);
                }
            }
            _ => expectations.add(node, assertions, problems),
        }
        if expectations.is_empty() && problems.len() == before {
            problems.push(nothing_expected(node, assertions));
        }
        expectations
    }

    fn add(&mut self, node: &Node, assertions: bool, problems: &mut Problems) {
        match &node.kind {
            Kind::Mapping(entries) => {
                self.checks
                    .extend(entries.iter().filter_map(|entry| Check::parse(entry, assertions, problems)));
            }
            // `assert: ${{ a == b }}`
            Kind::String(text) if text.trim_start().starts_with("${{") => {
                let key = Key { span: node.span.clone(), name: text.clone() };
                let Some(target) = Target::parse(&key, problems) else { return };
                if let TargetKind::Expression(expression) = &target.kind {
                    let op = Op::True(expression.clone());
                    let predicates = vec![Predicate { name: "true", span: node.span.clone(), op }];
                    self.checks.push(Check { target, matcher: Matcher { predicates } });
                }
            }
            Kind::Null => problems.push(nothing_expected(node, assertions)),
            _ if assertions => problems.push(
                Problem::error(
                    "expect::form",
                    format!("an assertion is an expression or a mapping, not {}", node.describe()),
                )
                .label(&node.span, "not an assertion")
                .help("for example `${{ count > 0 }}`, or `\"${{ count }}\": { gt: 0 }`"),
            ),
            _ => problems.push(
                Problem::error(
                    "expect::form",
                    format!(
                        "expectations are a mapping from targets to what must hold, not {}",
                        node.describe()
                    ),
                )
                .label(&node.span, "expected a mapping")
                .help(example(assertions)),
            ),
        }
    }

    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// All expressions in it.
    pub fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        for check in &self.checks {
            check.target.for_each_expression(visit);
            // A bare expression is its own target.
            if !check.matcher.predicates.iter().any(|predicate| matches!(predicate.op, Op::True(_))) {
                check.matcher.for_each_expression(visit);
            }
        }
    }

    /// Whether a refusal or a failure is what the step expects: a `status` that can be 400 or more, an `error`, or a
    /// `$.status` that is ERROR or CANCELLED.
    pub fn expects_failure(&self) -> bool {
        let refused = (REFUSAL..=*STATUSES.end()).any(|status| self.may_accept_status(status));
        (self.restricts_status() && refused) || self.expects_failed_run()
    }

    /// Whether a run that failed is what the step expects, whatever its HTTP status: `error` is named, or `$.status`
    /// is expected to be ERROR or CANCELLED.
    pub fn expects_failed_run(&self) -> bool {
        self.checks.iter().any(|check| check.names_error() || check.expects_failed_status())
    }

    /// Whether it says anything about `status`.
    pub fn names_status(&self) -> bool {
        self.checks.iter().any(|check| matches!(check.target.kind, TargetKind::Status))
    }

    /// Whether all that is said about `status` allows this one. Where that depends on expressions, it may.
    pub fn may_accept_status(&self, status: u16) -> bool {
        self.checks.iter().filter(|check| matches!(check.target.kind, TargetKind::Status)).all(|check| {
            judge::accepts(&check.matcher, &Value::from(status), &Scope::default()).unwrap_or(true)
        })
    }

    /// Whether `status` is named, and not only to say that there is one.
    fn restricts_status(&self) -> bool {
        self.names_status() && {
            let literal =
                self.checks.iter().filter(|check| matches!(check.target.kind, TargetKind::Status)).all(
                    |check| judge::accepts(&check.matcher, &Value::from(200), &Scope::default()).is_some(),
                );
            !literal || STATUSES.into_iter().any(|status| !self.may_accept_status(status))
        }
    }

    /// Checks everything; each check gives one verdict, passed or not. `outcome` is what the step brought, none for
    /// assertions.
    pub fn evaluate(&self, outcome: Option<&Outcome>, scope: &Scope) -> Vec<Verdict> {
        self.checks.iter().flat_map(|check| check.evaluate(outcome, scope)).collect()
    }
}

fn example(assertions: bool) -> &'static str {
    if assertions {
        "write `assert: { \"${{ steps.ask.body.status }}\": COMPLETED }` or `assert: ${{ count > 0 }}`"
    } else {
        "write `expect: { status: 200, content: { contains: Alice } }`"
    }
}

fn nothing_expected(node: &Node, assertions: bool) -> Problem {
    Problem::error("expect::empty", "nothing is expected here")
        .label(&node.span, "no expectation")
        .help(example(assertions))
}

impl Check {
    fn parse(entry: &Entry, assertions: bool, problems: &mut Problems) -> Option<Self> {
        let name = entry.key.name.trim();
        if assertions && name.starts_with("steps.") {
            problems.push(
                Problem::error("expect::target", format!("`assert` knows no target `{name}`"))
                    .label(&entry.key.span, "expected an expression `${{ }}`")
                    .help(format!("write `\"${{{{ {name} }}}}\"`")),
            );
            return None;
        }
        let target = Target::parse(&entry.key, problems);
        if let Some(target) = &target
            && assertions
            && !matches!(target.kind, TargetKind::Expression(_))
        {
            problems.push(
                Problem::error(
                    "expect::target",
                    format!("`assert` gets no answer: `{}` is nothing here", target.text),
                )
                .label(&target.span, "expected an expression `${{ }}`")
                .help("an earlier step's answer is `${{ steps.ID.body }}`, `.status`, `.content`, ..."),
            );
            return None;
        }
        // A wrong target does not hide what is wrong with its predicates.
        let sort = target.as_ref().map_or(predicate::Sort::Plain, Target::sort);
        if matches!(entry.value.kind, Kind::Null) && entry.value.span.text().is_empty() {
            problems.push(
                Problem::error("expect::empty", format!("nothing is expected of `{}`", entry.key.name))
                    .label(&entry.key.span, "no value")
                    .help("write `null` to expect that; `{ exists: true }` expects that it is there"),
            );
            return None;
        }
        let matcher = Matcher::parse(&entry.value, sort, problems);
        Some(Self { target: target?, matcher: matcher? })
    }

    /// Whether it expects an error: it would not be content with none.
    fn names_error(&self) -> bool {
        if !matches!(self.target.kind, TargetKind::Error) {
            return false;
        }
        let place = Place::root(Step::Root("error"));
        let absent = judge::Absent { message: String::new(), help: None, null_like: true };
        let judged = judge::matcher(&self.matcher, &Subject::missing(&place, &absent), &Scope::default());
        !matches!(judged, Ok(Judgement::Holds))
    }

    /// Whether the run's status is expected to be that of a failed one.
    fn expects_failed_status(&self) -> bool {
        let accepts = |status: &str| {
            let (value, scope) = (Value::from(status), Scope::default());
            match &self.target.kind {
                TargetKind::Path(path)
                    if matches!(path.as_str(), "$.status" | "$['status']" | "$[\"status\"]") =>
                {
                    Some(judge::accepts(&self.matcher, &value, &scope).unwrap_or(true))
                }
                TargetKind::Body => self.status_of_body(&value, &scope),
                TargetKind::Path(path) if path.as_str() == "$" => self.status_of_body(&value, &scope),
                _ => None,
            }
        };
        // What takes any text, `{ type: string }` or `{ ne: RUNNING }`, expects no failure by that.
        let expected = |status: &str| accepts(status) == Some(true);
        let unknown = judge::accepts(&self.matcher, &Value::Null, &Scope::default()).is_none();
        (expected("ERROR") || expected("CANCELLED")) && (unknown || !expected("\u{1}"))
    }

    /// `$: { like: { status: ERROR } }`
    fn status_of_body(&self, value: &Value, scope: &Scope) -> Option<bool> {
        self.matcher.predicates.iter().find_map(|predicate| match &predicate.op {
            Op::Like(like) => like.field("status").and_then(|status| like::accepts(status, value, scope)),
            _ => None,
        })
    }

    fn evaluate(&self, outcome: Option<&Outcome>, scope: &Scope) -> Vec<Verdict> {
        let found = match self.target.find(outcome, scope) {
            Ok(found) => found,
            Err(problem) => return vec![Verdict::unknown(&self.target, None, problem)],
        };
        let root = Place::root(match &found.matches {
            Some((path, body)) => Step::Matches(path, body),
            None => Step::Root(&self.target.text),
        });
        let subject = Subject {
            place: &root,
            value: found.value.as_deref(),
            exists: found.exists,
            clock: found.clock,
            textual: self.target.is_header(),
            absent: found.absent.as_ref(),
        };
        let mut verdicts = Vec::with_capacity(self.matcher.predicates.len());
        let mut told_missing = false;
        for predicate in &self.matcher.predicates {
            let judged = judge::predicate(predicate, &subject, scope);
            // That it is missing is said once, not once for each predicate.
            let missing = found.value.is_none() && matches!(judged, Ok(Judgement::Cannot(_)));
            if missing && std::mem::replace(&mut told_missing, true) {
                continue;
            }
            verdicts.push(match judged {
                Ok(Judgement::Holds) => self.passed(predicate, &found, &subject, scope),
                Ok(Judgement::Fails(failure) | Judgement::Cannot(failure)) => {
                    Verdict::failed(predicate, *failure)
                }
                Err(problem) => Verdict::unknown(&self.target, Some(predicate), problem),
            });
        }
        verdicts
    }

    fn passed(&self, predicate: &Predicate, found: &Found, subject: &Subject, scope: &Scope) -> Verdict {
        let actual = match (&found.value, found.exists) {
            (None, _) | (_, false) => "nothing".to_owned(),
            _ => subject.shown(show::LONG),
        };
        Verdict::passed(predicate, &self.target.text, phrase::expected(predicate, scope), actual)
    }
}
