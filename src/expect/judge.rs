//! Whether a value is what a predicate wants.
//!
//! A predicate holds, fails, or cannot be asked of such a value (a text is never greater than a number, what is
//! missing never contains anything). The last is a failure too, and stays one under `not`: `not: { gt: 5 }` is not
//! fulfilled by a text.

use std::time::Duration;

use serde_json::Value;

use super::compare::{self, equal};
use super::predicate::{Containment, Matcher, Op, Order, Predicate};
use super::show::{self, Place};
use super::{diff, lists, names, phrase, texts, tools};
use crate::diagnostic::Problem;
use crate::duration;
use crate::expr::{Expression, Scope, as_text};
use crate::source::Span;

/// What came of a predicate.
#[derive(Debug)]
pub(super) enum Judgement {
    Holds,
    Fails(Box<Failure>),
    /// It has no meaning for such a value.
    Cannot(Box<Failure>),
}

/// Why something does not hold.
#[derive(Debug)]
pub(super) struct Failure {
    /// The place inside of the target.
    pub(super) target: String,
    /// The predicate inside of the expectation.
    pub(super) span: Span,
    pub(super) expected: String,
    pub(super) actual: String,
    /// One sentence.
    pub(super) message: String,
    pub(super) diff: Option<String>,
    pub(super) help: Option<String>,
}

impl Failure {
    /// Points at a deeper place in the file.
    pub(super) fn at(mut self: Box<Self>, span: &Span) -> Box<Self> {
        self.span = span.clone();
        self
    }

    /// Says what to do, where something is known.
    pub(super) fn maybe_help(mut self: Box<Self>, help: Option<String>) -> Box<Self> {
        self.help = help.or(self.help);
        self
    }
}

/// Why there is no value.
#[derive(Debug)]
pub(super) struct Absent {
    /// Completes a sentence that begins with the target: `is missing; ...`.
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// Whether to expect `null` or an empty value is to expect that nothing is there.
    pub(super) null_like: bool,
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) place: &'a Place<'a>,
    pub(super) value: Option<&'a Value>,
    /// Whether the answer holds it: a run without `tools` has no tools, and so an empty list of them.
    pub(super) exists: bool,
    /// The exact value of `duration` and `ttft`.
    pub(super) clock: Option<Duration>,
    /// A header: always a text, which may hold a number.
    pub(super) textual: bool,
    pub(super) absent: Option<&'a Absent>,
}

impl<'a> Subject<'a> {
    /// A value.
    pub(super) fn of(place: &'a Place<'a>, value: &'a Value) -> Self {
        Self { place, value: Some(value), exists: true, clock: None, textual: false, absent: None }
    }

    /// No value.
    pub(super) fn missing(place: &'a Place<'a>, absent: &'a Absent) -> Self {
        Self { place, value: None, exists: false, clock: None, textual: false, absent: Some(absent) }
    }

    /// The value for a message.
    pub(super) fn shown(&self, limit: usize) -> String {
        match (self.clock, self.value) {
            (Some(clock), _) => duration::format(clock),
            (None, Some(value)) => show::value(value, limit),
            (None, None) => "nothing".to_owned(),
        }
    }

    /// A failure; `sentence` goes on after the name of the place.
    pub(super) fn failure(&self, predicate: &Predicate, scope: &Scope, sentence: &str) -> Box<Failure> {
        Box::new(Failure {
            target: self.place.path(),
            span: predicate.span.clone(),
            expected: phrase::expected(predicate, scope),
            actual: self.shown(show::LONG),
            message: format!("{} {sentence}", self.place.quoted()),
            diff: None,
            help: None,
        })
    }
}

/// The judge of one predicate: what it needs to say why.
pub(super) struct Case<'a> {
    pub(super) predicate: &'a Predicate,
    pub(super) subject: &'a Subject<'a>,
    pub(super) scope: &'a Scope,
}

impl Case<'_> {
    pub(super) fn failure(&self, sentence: &str) -> Box<Failure> {
        self.subject.failure(self.predicate, self.scope, sentence)
    }

    pub(super) fn when(&self, holds: bool, sentence: impl FnOnce() -> String) -> Judgement {
        if holds { Judgement::Holds } else { Judgement::Fails(self.failure(&sentence())) }
    }

    pub(super) fn cannot(&self, sentence: &str) -> Judgement {
        Judgement::Cannot(self.failure(sentence))
    }

    /// `is 3, expected less than 2`.
    pub(super) fn otherwise(&self) -> String {
        format!(
            "is {}, expected {}",
            self.subject.shown(show::SHORT),
            phrase::expected(self.predicate, self.scope)
        )
    }
}

/// Judges all predicates: a failure before what cannot be asked, so that `not` of the whole is right.
pub(super) fn matcher(matcher: &Matcher, subject: &Subject, scope: &Scope) -> Result<Judgement, Problem> {
    all(matcher.predicates.iter().map(|one| predicate(one, subject, scope)))
}

fn all(judgements: impl Iterator<Item = Result<Judgement, Problem>>) -> Result<Judgement, Problem> {
    let mut worst = Judgement::Holds;
    for judgement in judgements {
        match judgement? {
            Judgement::Holds => {}
            failed @ Judgement::Fails(_) => return Ok(failed),
            cannot @ Judgement::Cannot(_) => {
                if matches!(worst, Judgement::Holds) {
                    worst = cannot;
                }
            }
        }
    }
    Ok(worst)
}

/// Whether a value would do; none where that depends on what is not known yet.
pub(super) fn accepts(matcher: &Matcher, value: &Value, scope: &Scope) -> Option<bool> {
    let place = Place::root(show::Step::Root(""));
    let judged = self::matcher(matcher, &Subject::of(&place, value), scope).ok()?;
    Some(matches!(judged, Judgement::Holds))
}

/// Judges one predicate. The error is an expression that failed, or that has no value that the predicate can use.
pub(super) fn predicate(
    predicate: &Predicate,
    subject: &Subject,
    scope: &Scope,
) -> Result<Judgement, Problem> {
    let case = Case { predicate, subject, scope };
    // What may be asked of nothing.
    match &predicate.op {
        Op::Exists(wanted) => {
            let wanted = *wanted.get(scope)?;
            return Ok(if wanted == subject.exists {
                Judgement::Holds
            } else if wanted {
                Judgement::Fails(missing(&case))
            } else {
                Judgement::Fails(
                    case.failure(&format!("is there, and must not be: {}", subject.shown(show::SHORT))),
                )
            });
        }
        Op::Not(inner) => {
            return Ok(match matcher(inner, subject, scope)? {
                Judgement::Holds => Judgement::Fails(case.failure(&format!(
                    "is {}, not expected: {}",
                    subject.shown(show::SHORT),
                    phrase::matcher(inner, scope)
                ))),
                Judgement::Fails(_) => Judgement::Holds,
                cannot @ Judgement::Cannot(_) => cannot,
            });
        }
        Op::AllOf(inner) => return all(inner.iter().map(|inner| matcher(inner, subject, scope))),
        Op::AnyOf(inner) => return any_of(&case, inner),
        Op::True(expression) => {
            let holds = expression.is_true(scope)?;
            let judgement = case.when(holds, || format!("is {}, expected true", subject.shown(show::SHORT)));
            return Ok(match judgement {
                Judgement::Fails(failure) => Judgement::Fails(failure.maybe_help(read_by(expression, scope))),
                other => other,
            });
        }
        _ => {}
    }
    let Some(value) = subject.value else {
        return without_value(&case);
    };
    Ok(match &predicate.op {
        Op::Equal(expected) => equality(&case, value, expected.get(scope)?.as_ref()),
        Op::Unequal(expected) => {
            let expected = expected.get(scope)?;
            let same = same(subject, value, &expected);
            case.when(!same, || format!("is {}, and must not be", subject.shown(show::SHORT)))
        }
        Op::Order(order, bound) => {
            let bound = bound.get(scope)?;
            match order_of(subject, value, &bound) {
                Ok(found) => case.when(order.holds(found), || case.otherwise()),
                Err(why) => Judgement::Cannot(case.failure(&why).maybe_help(duration_help(value, &bound))),
            }
        }
        Op::Between(bounds) => {
            let bounds = bounds.get(scope)?;
            match (order_of(subject, value, &bounds.0), order_of(subject, value, &bounds.1)) {
                (Ok(low), Ok(high)) => case.when(low.is_ge() && high.is_le(), || case.otherwise()),
                (Err(why), _) | (_, Err(why)) => {
                    Judgement::Cannot(case.failure(&why).maybe_help(duration_help(value, &bounds.0)))
                }
            }
        }
        Op::CloseTo { value: centre, within } => {
            let (centre, within) = (centre.get(scope)?, within.get(scope)?);
            return Ok(close_to(&case, value, &centre, &within));
        }
        Op::Contains(how, wanted) => texts::contains(&case, value, *how, wanted.get(scope)?.as_ref()),
        Op::StartsWith(wanted) => texts::affix(&case, value, wanted.get(scope)?.as_ref(), true),
        Op::EndsWith(wanted) => texts::affix(&case, value, wanted.get(scope)?.as_ref(), false),
        Op::Matches(pattern) => texts::matches(&case, value, pattern.get(scope)?.as_ref()),
        Op::OneOf(list) => {
            let list = list.get(scope)?;
            case.when(list.iter().any(|member| same(subject, value, member)), || case.otherwise())
        }
        Op::NotOneOf(list) => {
            let list = list.get(scope)?;
            case.when(!list.iter().any(|member| same(subject, value, member)), || case.otherwise())
        }
        Op::Type(types) => case.when(types.iter().any(|name| is_type(value, name)), || {
            format!(
                "is {} ({}), expected {}",
                show::kind(value),
                subject.shown(show::SHORT),
                phrase::expected(predicate, scope)
            )
        }),
        Op::Format(name, schema) => texts::format(&case, value, name, schema.as_deref()),
        Op::Length(inner) => return lists::length(&case, value, inner),
        Op::Empty(wanted) => lists::empty(&case, value, *wanted.get(scope)?),
        Op::Unique(by) => lists::unique(&case, value, by.as_deref()),
        Op::Sorted { by, descending } => lists::sorted(&case, value, by.as_deref(), *descending),
        Op::Each(inner) => return lists::each(&case, value, inner),
        Op::Any(inner) => return lists::any(&case, value, inner),
        Op::None(inner) => return lists::none(&case, value, inner),
        Op::Like(like) => return like.judge(predicate, subject, scope),
        Op::Schema(schema) => return schema.judge(&case, value),
        Op::Similar { to, at_least } => {
            texts::similar(&case, value, to.get(scope)?.as_ref(), *at_least.get(scope)?)
        }
        Op::Called(calls) => return tools::called(&case, value, calls),
        Op::NotCalled(calls) => return tools::not_called(&case, value, calls),
        Op::Count(count) => return count.judge(&case, value),
        Op::Sequence(sequence) => sequence.judge(&case, value),
        Op::Exists(_) | Op::Not(_) | Op::AllOf(_) | Op::AnyOf(_) | Op::True(_) => Judgement::Holds,
    })
}

/// The values that an expression read: why it does not hold.
fn read_by(expression: &Expression, scope: &Scope) -> Option<String> {
    const MOST: usize = 4;
    let read: Vec<String> = expression
        .reads(scope)
        .into_iter()
        .filter(|(name, _)| name != expression.text())
        .take(MOST)
        .map(|(name, value)| format!("`{name}` is {}", show::value(&value, show::SHORT)))
        .collect();
    (!read.is_empty()).then(|| read.join(", "))
}

fn missing(case: &Case) -> Box<Failure> {
    match case.subject.absent {
        Some(absent) => case.failure(&absent.message).maybe_help(absent.help.clone()),
        None => case.failure("is missing"),
    }
}

/// Where nothing is, `null` and an empty value may be just what is expected.
fn without_value(case: &Case) -> Result<Judgement, Problem> {
    let null_like = case.subject.absent.is_some_and(|absent| absent.null_like);
    let holds = null_like
        && match &case.predicate.op {
            Op::Equal(expected) => expected.get(case.scope)?.is_null(),
            Op::Empty(wanted) => *wanted.get(case.scope)?,
            Op::Type(types) => types.contains(&"null"),
            _ => false,
        };
    Ok(if holds { Judgement::Holds } else { Judgement::Cannot(missing(case)) })
}

fn any_of(case: &Case, alternatives: &[Matcher]) -> Result<Judgement, Problem> {
    let mut reasons = Vec::new();
    let mut cannot = None;
    for alternative in alternatives {
        match matcher(alternative, case.subject, case.scope)? {
            Judgement::Holds => return Ok(Judgement::Holds),
            Judgement::Fails(failure) => reasons.push(failure.message),
            Judgement::Cannot(failure) => {
                reasons.push(failure.message.clone());
                cannot = Some(failure);
            }
        }
    }
    // What is missing is missing for each of them.
    if case.subject.value.is_none()
        && let Some(failure) = cannot
    {
        return Ok(Judgement::Cannot(failure));
    }
    let sentence = format!("is none of these: {}", show::cut(&reasons.join("; "), 2 * show::LONG));
    let failure = case.failure(&sentence);
    Ok(if cannot.is_some() { Judgement::Cannot(failure) } else { Judgement::Fails(failure) })
}

/// Equality; a header is a text that may hold a number.
fn same(subject: &Subject, actual: &Value, expected: &Value) -> bool {
    equal(actual, expected)
        || (subject.textual && read_as(actual, expected).is_some_and(|actual| equal(&actual, expected)))
}

/// The number or boolean that a text holds, where one is expected.
fn read_as(actual: &Value, expected: &Value) -> Option<Value> {
    if !(expected.is_number() || expected.is_boolean()) {
        return None;
    }
    serde_json::from_str(actual.as_str()?.trim()).ok()
}

fn equality(case: &Case, actual: &Value, expected: &Value) -> Judgement {
    if same(case.subject, actual, expected) {
        return Judgement::Holds;
    }
    let mut failure = case.failure(&unequal_sentence(case.subject, expected));
    failure.help = unequal_help(Some(actual), expected);
    failure.diff = match (expected, actual) {
        (Value::String(expected), Value::String(actual)) => {
            let long =
                expected.len().min(actual.len()) > 60 || expected.contains('\n') || actual.contains('\n');
            long.then(|| diff::text_diff(expected, actual))
        }
        (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
            Some(diff::json_diff(expected, actual))
        }
        _ => None,
    };
    Judgement::Fails(failure)
}

/// `is 5, expected 6`.
pub(super) fn unequal_sentence(subject: &Subject, expected: &Value) -> String {
    let Some(actual) = subject.value else {
        return format!("is missing, expected {}", show::value(expected, show::SHORT));
    };
    let (found, wanted) = (subject.shown(show::SHORT), show::value(expected, show::SHORT));
    if std::mem::discriminant(actual) == std::mem::discriminant(expected)
        || actual.is_null()
        || expected.is_null()
    {
        format!("is {found}, expected {wanted}")
    } else {
        format!("is {} ({found}), expected {} ({wanted})", show::kind(actual), show::kind(expected))
    }
}

/// What to do about two values that look alike.
pub(super) fn unequal_help(actual: Option<&Value>, expected: &Value) -> Option<String> {
    match (actual?, expected) {
        (Value::String(actual), Value::Number(_) | Value::Bool(_))
            if actual.as_str() == as_text(expected) =>
        {
            Some(format!("the answer holds it as a text: write it in quotes, \"{actual}\""))
        }
        (actual @ (Value::Number(_) | Value::Bool(_)), Value::String(expected))
            if expected.as_str() == as_text(actual) =>
        {
            Some(format!("the answer holds {}: write it without quotes, {actual}", show::kind(actual)))
        }
        (Value::String(actual), Value::String(expected)) if actual.trim() == expected.trim() => {
            Some("they differ in blanks or line ends at the beginning or the end".to_owned())
        }
        (Value::String(actual), Value::String(expected))
            if actual.to_lowercase() == expected.to_lowercase() =>
        {
            Some("they differ in upper and lower case".to_owned())
        }
        (Value::String(actual), Value::String(expected))
            if !expected.is_empty() && actual.contains(expected.as_str()) =>
        {
            Some("the text is in it: `{ contains: ... }` expects a part".to_owned())
        }
        // `content: contains hello`
        (Value::String(_), Value::String(expected)) => {
            let (word, rest) = expected.split_once(' ')?;
            let predicate = names::meant_exactly(word)?;
            Some(format!("this is compared as a text; a predicate is a key: `{{ {predicate}: {rest} }}`"))
        }
        _ => None,
    }
}

/// The order of a value and a bound.
fn order_of(subject: &Subject, actual: &Value, bound: &Value) -> Result<std::cmp::Ordering, String> {
    if let Some(clock) = subject.clock {
        let bound =
            bound.as_str().ok_or_else(|| "is a duration and compares with durations, `5s`".to_owned())?;
        return Ok(clock.cmp(&duration::parse(bound)?));
    }
    if subject.textual
        && let Some(actual) = read_as(actual, bound)
    {
        return compare::order(&actual, bound);
    }
    compare::order(actual, bound)
}

/// `{ lt: 5s }` on a number of seconds.
fn duration_help(actual: &Value, bound: &Value) -> Option<String> {
    let text = bound.as_str()?;
    (actual.is_number() && duration::parse(text).is_ok()).then(|| {
        format!(
            "the answer holds a plain number: compare it with one; only `duration` and `ttft` take `{text}`"
        )
    })
}

fn close_to(case: &Case, actual: &Value, centre: &Value, within: &Value) -> Judgement {
    let seconds =
        |value: &Value| value.as_str().and_then(|text| duration::parse(text).ok()).map(|d| d.as_secs_f64());
    let numbers = match case.subject.clock {
        Some(clock) => (Some(clock.as_secs_f64()), seconds(centre), seconds(within)),
        None => (actual.as_f64(), centre.as_f64(), within.as_f64()),
    };
    let (Some(actual), Some(centre), Some(within)) = numbers else {
        return case.cannot(&format!(
            "is {}, not a number ({})",
            show::kind(actual),
            case.subject.shown(show::SHORT)
        ));
    };
    let distance = (actual - centre).abs();
    // 3.15 is within 0.01 of 3.14, although their difference as floats is 0.010000000000000231.
    let rounding = f64::EPSILON * actual.abs().max(centre.abs()) * 2.0;
    case.when(distance <= within + rounding, || case.otherwise())
}

impl Order {
    fn holds(self, found: std::cmp::Ordering) -> bool {
        match self {
            Self::Greater => found.is_gt(),
            Self::AtLeast => found.is_ge(),
            Self::Less => found.is_lt(),
            Self::AtMost => found.is_le(),
        }
    }
}

impl Containment {
    /// The name of the predicate.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "contains",
            Self::None => "not_contains",
            Self::AllIgnoringCase => "icontains",
            Self::Any => "contains_any",
        }
    }
}

/// Whether a value is of a type of JSON; 3.0 is an integer, as in JSON Schema.
fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
