//! `like`: a partial structure, in which predicates may stand.
//!
//! A mapping inside of it is a mapping of predicates where each of its keys is a predicate's name, and data anywhere
//! else; the outermost is always data. `{ like: {...} }` and `{ eq: {...} }` make data of what would be predicates.

use serde_json::{Map, Value};

use super::argument::{self, Arg};
use super::compare::equal;
use super::judge::{self, Failure, Judgement, Subject};
use super::names;
use super::predicate::{Matcher, Op, Predicate, Sort};
use super::show::{self, Step};
use crate::diagnostic::{Problem, Problems, nearest};
use crate::expr::{Expression, Scope};
use crate::source::Span;
use crate::yaml::{Key, Kind, Node};

/// The differences that are told one by one.
const TOLD: usize = 5;

/// A partial structure.
#[derive(Debug, Clone)]
pub(super) enum Like {
    /// The keys that must be there; others may be.
    Map(Vec<(Key, Like)>, Span),
    /// As many members, each like its counterpart.
    List(Vec<Like>, Span),
    /// Predicates.
    Matcher(Matcher),
    /// A scalar, or an expression whose value is a structure like the others.
    Value(Arg<Value>, Span),
}

impl Like {
    /// Reads the argument of `like`: a mapping is data.
    pub(super) fn parse_top(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Mapping(entries) if entries.is_empty() => {
                problems.push(
                    Problem::error("expect::empty", "an empty structure is like every object")
                        .label(&node.span, "nothing is expected")
                        .help("`{ type: object }` expects an object, `{ eq: {} }` an empty one"),
                );
                None
            }
            Kind::Mapping(_) | Kind::Sequence(_) | Kind::String(_) => Self::parse(node, true, problems),
            _ => {
                problems.push(
                    Problem::error(
                        "expect::argument",
                        format!("`like` takes a mapping or a list, not {}", node.describe()),
                    )
                    .label(&node.span, "expected a mapping or a list")
                    .help("equality is `eq`"),
                );
                None
            }
        }
    }

    fn parse(node: &Node, top: bool, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Mapping(entries) => {
                let predicates = !top
                    && !entries.is_empty()
                    && entries.iter().all(|entry| names::in_data(&entry.key.name).is_some());
                if predicates {
                    return Matcher::parse(node, Sort::Plain, problems).map(Self::Matcher);
                }
                let fields: Vec<(Key, Self)> = entries
                    .iter()
                    .filter_map(|entry| {
                        Some((entry.key.clone(), Self::parse(&entry.value, false, problems)?))
                    })
                    .collect();
                (fields.len() == entries.len()).then(|| Self::Map(fields, node.span.clone()))
            }
            Kind::Sequence(items) => {
                let all: Vec<Self> =
                    items.iter().filter_map(|item| Self::parse(item, false, problems)).collect();
                (all.len() == items.len()).then(|| Self::List(all, node.span.clone()))
            }
            _ => Arg::parse(node, argument::any, problems).map(|arg| Self::Value(arg, node.span.clone())),
        }
    }

    /// All expressions in it.
    pub(super) fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        match self {
            Self::Map(fields, _) => fields.iter().for_each(|(_, like)| like.for_each_expression(visit)),
            Self::List(all, _) => all.iter().for_each(|like| like.for_each_expression(visit)),
            Self::Matcher(matcher) => matcher.for_each_expression(visit),
            Self::Value(arg, _) => arg.for_each_expression(visit),
        }
    }

    /// The part of it below a key, where the key is named.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(fields, _) => fields.iter().find(|(key, _)| key.name == name).map(|(_, like)| like),
            _ => None,
        }
    }

    /// It as a value for messages, predicates as they are described.
    pub(super) fn to_value(&self, scope: &Scope) -> Value {
        match self {
            Self::Map(fields, _) => Value::Object(
                fields.iter().map(|(key, like)| (key.name.clone(), like.to_value(scope))).collect(),
            ),
            Self::List(all, _) => Value::Array(all.iter().map(|like| like.to_value(scope)).collect()),
            Self::Matcher(matcher) => Value::String(format!("‹{}›", super::phrase::matcher(matcher, scope))),
            Self::Value(arg, span) => arg
                .get(scope)
                .map_or_else(|_| Value::String(span.text().to_owned()), std::borrow::Cow::into_owned),
        }
    }

    /// What `actual` would be if it were like this.
    fn overlay(&self, actual: &Value, scope: &Scope) -> Value {
        match (self, actual) {
            (Self::Map(fields, _), Value::Object(map)) => {
                let mut merged = map.clone();
                for (key, like) in fields {
                    let value = match map.get(&key.name) {
                        Some(actual) => like.overlay(actual, scope),
                        None => like.to_value(scope),
                    };
                    merged.insert(key.name.clone(), value);
                }
                Value::Object(merged)
            }
            (Self::List(all, _), Value::Array(items)) => Value::Array(
                all.iter()
                    .enumerate()
                    .map(|(index, like)| match items.get(index) {
                        Some(actual) => like.overlay(actual, scope),
                        None => like.to_value(scope),
                    })
                    .collect(),
            ),
            (Self::Matcher(matcher), actual) => {
                let place = show::Place::root(Step::Root(""));
                match judge::matcher(matcher, &Subject::of(&place, actual), scope) {
                    Ok(Judgement::Holds) => actual.clone(),
                    _ => self.to_value(scope),
                }
            }
            (Self::Value(arg, _), actual) => match arg.get(scope) {
                Ok(expected) => overlay_value(&expected, actual),
                Err(_) => self.to_value(scope),
            },
            _ => self.to_value(scope),
        }
    }

    /// Judges `subject`; the failure is the first, and says how many others there are.
    pub(super) fn judge(
        &self,
        predicate: &Predicate,
        subject: &Subject,
        scope: &Scope,
    ) -> Result<Judgement, Problem> {
        let mut failures = Vec::new();
        self.collect(predicate, subject, scope, &mut failures)?;
        if failures.is_empty() {
            return Ok(Judgement::Holds);
        }
        let others = failures.len() - 1;
        let mut names = failures
            .iter()
            .skip(1)
            .take(TOLD)
            .map(|failure| format!("`{}`", failure.target))
            .collect::<Vec<_>>();
        if others > TOLD {
            names.push(format!("and {} more", others - TOLD));
        }
        let mut first = failures.swap_remove(0);
        if others > 0 {
            first.message = format!("{}; also different: {}", first.message, names.join(", "));
        }
        if let Some(actual) = subject.value.filter(|actual| actual.is_object() || actual.is_array()) {
            first.diff = Some(super::diff::json_diff(&self.overlay(actual, scope), actual))
                .filter(|diff| !diff.is_empty());
        }
        Ok(Judgement::Fails(Box::new(first)))
    }

    fn collect(
        &self,
        predicate: &Predicate,
        subject: &Subject,
        scope: &Scope,
        failures: &mut Vec<Failure>,
    ) -> Result<(), Problem> {
        match self {
            Self::Map(fields, span) => {
                let Some(Value::Object(map)) = subject.value else {
                    failures.push(*self.unlike(predicate, subject, span, scope));
                    return Ok(());
                };
                for (key, like) in fields {
                    let place = subject.place.then(Step::Key(&key.name));
                    match map.get(&key.name) {
                        Some(value) => {
                            like.collect(predicate, &Subject::of(&place, value), scope, failures)?;
                        }
                        None => like.missing(predicate, &place, key, map, scope, failures)?,
                    }
                }
            }
            Self::List(all, span) => {
                let Some(Value::Array(items)) = subject.value else {
                    failures.push(*self.unlike(predicate, subject, span, scope));
                    return Ok(());
                };
                if items.len() != all.len() {
                    let sentence = format!("has {}, not {}", show::count(items.len(), "member"), all.len());
                    failures.push(*subject.failure(predicate, scope, &sentence).at(span));
                }
                for (index, (like, item)) in all.iter().zip(items).enumerate() {
                    let place = subject.place.then(Step::Index(index));
                    like.collect(predicate, &Subject::of(&place, item), scope, failures)?;
                }
            }
            Self::Matcher(matcher) => match judge::matcher(matcher, subject, scope)? {
                Judgement::Holds => {}
                Judgement::Fails(failure) | Judgement::Cannot(failure) => failures.push(*failure),
            },
            Self::Value(arg, span) => {
                let expected = arg.get(scope)?;
                collect_value(&expected, subject, &mut |subject, expected| {
                    failures.push(*unequal(predicate, subject, expected, span, scope));
                });
            }
        }
        Ok(())
    }

    /// A key that is not there, which predicates may want so.
    fn missing(
        &self,
        predicate: &Predicate,
        place: &show::Place,
        key: &Key,
        map: &Map<String, Value>,
        scope: &Scope,
        failures: &mut Vec<Failure>,
    ) -> Result<(), Problem> {
        let absent = judge::Absent {
            message: format!("is missing; there are: {}", show::names(map.keys().map(String::as_str))),
            help: nearest(&key.name, map.keys().map(String::as_str))
                .map(|found| format!("did you mean `{found}`?")),
            null_like: false,
        };
        let subject = Subject::missing(place, &absent);
        if let Self::Matcher(matcher) = self {
            match judge::matcher(matcher, &subject, scope)? {
                Judgement::Holds => {}
                Judgement::Fails(failure) | Judgement::Cannot(failure) => failures.push(*failure),
            }
            return Ok(());
        }
        let mut failure = subject.failure(predicate, scope, &absent.message).at(&key.span);
        failure.expected = show::value(&self.to_value(scope), show::LONG);
        failure.help = absent.help;
        failures.push(*failure);
        Ok(())
    }

    /// A value of another kind than the structure.
    fn unlike(&self, predicate: &Predicate, subject: &Subject, span: &Span, scope: &Scope) -> Box<Failure> {
        let (wanted, keys): (&str, &[(Key, Self)]) = match self {
            Self::Map(fields, _) => ("an object", fields),
            _ => ("a list", &[]),
        };
        let found = subject.value.map_or("missing", show::kind);
        let sentence = format!("is {found} ({}), not {wanted}", subject.shown(show::SHORT));
        let mut failure = subject.failure(predicate, scope, &sentence).at(span);
        failure.expected = show::value(&self.to_value(scope), show::LONG);
        // `{ contians: x }` inside of `like` is data, and fails here.
        failure.help = keys.iter().find_map(|(key, _)| names::meant(&key.name)).map(|meant| {
            format!("if predicates were meant: `{meant}` is one; a mapping in `like` is data unless all of its keys are predicates")
        });
        failure
    }
}

fn unequal(
    predicate: &Predicate,
    subject: &Subject,
    expected: &Value,
    span: &Span,
    scope: &Scope,
) -> Box<Failure> {
    let sentence = judge::unequal_sentence(subject, expected);
    let mut failure = subject.failure(predicate, scope, &sentence).at(span);
    failure.expected = show::value(expected, show::LONG);
    failure.help = judge::unequal_help(subject.value, expected);
    failure
}

/// Whether a value is like another that is known at run time only: maps partial, lists member by member.
fn collect_value(expected: &Value, subject: &Subject, fail: &mut dyn FnMut(&Subject, &Value)) {
    match (expected, subject.value) {
        (Value::Object(fields), Some(Value::Object(map))) => {
            for (key, expected) in fields {
                let place = subject.place.then(Step::Key(key));
                let missing = judge::Absent::new("is missing");
                let inner = match map.get(key) {
                    Some(value) => Subject::of(&place, value),
                    None => Subject::missing(&place, &missing),
                };
                collect_value(expected, &inner, fail);
            }
        }
        (Value::Array(all), Some(Value::Array(items))) if all.len() == items.len() => {
            for (index, (expected, item)) in all.iter().zip(items).enumerate() {
                let place = subject.place.then(Step::Index(index));
                collect_value(expected, &Subject::of(&place, item), fail);
            }
        }
        (expected, Some(actual)) if equal(expected, actual) => {}
        (expected, _) => fail(subject, expected),
    }
}

fn overlay_value(expected: &Value, actual: &Value) -> Value {
    match (expected, actual) {
        (Value::Object(fields), Value::Object(map)) => {
            let mut merged = map.clone();
            for (key, expected) in fields {
                let value =
                    map.get(key).map_or_else(|| expected.clone(), |actual| overlay_value(expected, actual));
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(all), Value::Array(items)) => Value::Array(
            all.iter()
                .enumerate()
                .map(|(index, expected)| {
                    items
                        .get(index)
                        .map_or_else(|| expected.clone(), |actual| overlay_value(expected, actual))
                })
                .collect(),
        ),
        _ => expected.clone(),
    }
}

/// The failures of a structure that stands for itself, outside of a predicate `like`: the arguments of a tool call.
pub(super) fn failures(
    like: &Like,
    predicate: &Predicate,
    subject: &Subject,
    scope: &Scope,
) -> Result<Vec<Failure>, Problem> {
    let mut found = Vec::new();
    like.collect(predicate, subject, scope, &mut found)?;
    Ok(found)
}

/// The arguments of a tool call: a mapping of data.
pub(super) fn parse_arguments(node: &Node, problems: &mut Problems) -> Option<Like> {
    Like::parse(node, true, problems)
}

/// What `$.status` would have to be for `matcher` below a key: used to tell whether a failure is expected.
pub(super) fn accepts(like: &Like, value: &Value, scope: &Scope) -> Option<bool> {
    let place = show::Place::root(Step::Root(""));
    let predicate = match like {
        Like::Matcher(matcher) => return judge::accepts(matcher, value, scope),
        Like::Map(_, span) | Like::List(_, span) | Like::Value(_, span) => {
            Predicate { name: "like", span: span.clone(), op: Op::Like(like.clone()) }
        }
    };
    judge::predicate(&predicate, &Subject::of(&place, value), scope)
        .ok()
        .map(|judgement| matches!(judgement, Judgement::Holds))
}
