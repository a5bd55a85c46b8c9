//! The predicates: what they are and how they are read from YAML.

use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use super::argument::{self, Arg};
use super::like::Like;
use super::names;
use super::schema::{Schema, SchemaArg};
use super::sequence::Sequence;
use super::tools::{self, Call, Count};
use crate::diagnostic::{Problem, Problems};
use crate::expr::Expression;
use crate::source::Span;
use crate::yaml::{Entry, Kind, Node};

/// What must hold of a value: all of the predicates.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    /// The predicates, as they are written.
    pub(super) predicates: Vec<Predicate>,
}

/// One predicate.
#[derive(Debug, Clone)]
pub(super) struct Predicate {
    /// Its name; `eq` for a literal.
    pub(super) name: &'static str,
    /// `name: argument`, or the literal.
    pub(super) span: Span,
    /// What it checks.
    pub(super) op: Op,
}

/// What a predicate checks.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Equal(Arg<Value>),
    Unequal(Arg<Value>),
    Order(Order, Arg<Value>),
    Between(Arg<(Value, Value)>),
    CloseTo {
        value: Arg<Value>,
        within: Arg<Value>,
    },
    Contains(Containment, Arg<Value>),
    StartsWith(Arg<String>),
    EndsWith(Arg<String>),
    Matches(Arg<Regex>),
    OneOf(Arg<Vec<Value>>),
    NotOneOf(Arg<Vec<Value>>),
    Type(Vec<&'static str>),
    Format(&'static str, Option<Arc<Schema>>),
    Length(Matcher),
    Empty(Arg<bool>),
    Exists(Arg<bool>),
    Unique(Option<String>),
    Sorted {
        by: Option<String>,
        descending: bool,
    },
    Each(Matcher),
    Any(Matcher),
    None(Matcher),
    Like(Like),
    Schema(SchemaArg),
    Similar {
        to: Arg<String>,
        at_least: Arg<f64>,
    },
    Called(Vec<Call>),
    NotCalled(Vec<Call>),
    Count(Count),
    /// The order of events or calls.
    Sequence(Sequence),
    Not(Matcher),
    AllOf(Vec<Matcher>),
    AnyOf(Vec<Matcher>),
    /// A bare expression: it must be true.
    True(Expression),
}

/// The comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Greater,
    AtLeast,
    Less,
    AtMost,
}

/// The ways to look into a text, a list or an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Containment {
    All,
    None,
    AllIgnoringCase,
    Any,
}

/// What is known of a target before it is there: decides which arguments make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Any JSON value.
    Plain,
    /// `duration` and `ttft`.
    Clock,
    /// `status`.
    Status,
    /// `tokens.*`, lengths and counts.
    Number,
    /// `content`, `error`, `text`, headers.
    Text,
    /// `tools`, `events`.
    Calls,
}

impl Matcher {
    /// Reads what must hold: a mapping of predicates, or a literal.
    pub(super) fn parse(node: &Node, sort: Sort, problems: &mut Problems) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else {
            return Self::parse_literal(node, sort, problems);
        };
        if entries.is_empty() {
            problems.push(
                Problem::error("expect::empty", "an empty mapping expects nothing")
                    .label(&node.span, "no predicate in it")
                    .help(
                        "an empty object is expected by `{ eq: {} }`, any empty value by `{ empty: true }`",
                    ),
            );
            return None;
        }
        let before = problems.len();
        let predicates: Vec<Predicate> =
            entries.iter().filter_map(|entry| Predicate::parse(entry, sort, problems)).collect();
        (problems.len() == before || predicates.len() == entries.len()).then_some(Self { predicates })
    }

    fn parse_literal(node: &Node, sort: Sort, problems: &mut Problems) -> Option<Self> {
        if let Kind::Sequence(items) = &node.kind {
            for item in items {
                warn_of_predicates_in_data(item, problems);
            }
        }
        if sort == Sort::Clock && !matches!(&node.kind, Kind::String(text) if text.contains("${{")) {
            let shown = node.span.text().trim();
            problems.push(
                Problem::error("expect::duration", "no answer takes exactly a given time")
                    .label(&node.span, "a duration is compared")
                    .help(format!("write `{{ lt: {} }}`", if shown.is_empty() { "5s" } else { shown })),
            );
            return None;
        }
        if sort == Sort::Calls
            && let Some(names) = list_of_names(node)
        {
            problems.push(
                Problem::error("expect::names", "events and tool calls are mappings: no list of names is equal to them")
                    .label(&node.span, "names alone")
                    .help(format!(
                        "all of them, in this order: `{{ sequence: {names} }}`, where `\"...\"` stands for whatever comes; of tools also `{{ called: {names} }}`"
                    )),
            );
            return None;
        }
        let expected = Arg::parse(node, sort.equal(), problems)?;
        Some(Self {
            predicates: vec![Predicate { name: "eq", span: node.span.clone(), op: Op::Equal(expected) }],
        })
    }

    /// All expressions in it.
    pub(super) fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        self.predicates.iter().for_each(|predicate| predicate.for_each_expression(visit));
    }
}

/// `[RunStarted, RunCompleted]`, where it is names and nothing else.
fn list_of_names(node: &Node) -> Option<String> {
    let items = node.as_sequence().filter(|items| !items.is_empty())?;
    let names: Option<Vec<&str>> =
        items.iter().map(|item| item.as_str().filter(|name| !name.contains("${{"))).collect();
    Some(format!("[{}]", names?.join(", ")))
}

/// `[{ gt: 1 }]` is data, and never what was meant.
fn warn_of_predicates_in_data(item: &Node, problems: &mut Problems) {
    let looks_like_predicates = item.as_mapping().is_some_and(|entries| {
        !entries.is_empty() && entries.iter().all(|entry| names::in_data(&entry.key.name).is_some())
    });
    if looks_like_predicates {
        problems.push(
            Problem::warning(
                "expect::predicates-in-data",
                "this list is compared as it stands: the mapping in it is no mapping of predicates",
            )
            .label(&item.span, "taken for data")
            .help("predicates on the members: `{ like: [...] }` one by one, `{ each: {...} }` or `{ any: {...} }` on all"),
        );
    }
}

impl Sort {
    fn equal(self) -> argument::Convert<Value> {
        match self {
            Self::Status => argument::status,
            Self::Number => argument::number,
            Self::Clock => argument::duration,
            Self::Plain | Self::Text | Self::Calls => argument::any,
        }
    }

    fn ordered(self) -> argument::Convert<Value> {
        match self {
            Self::Plain | Self::Text | Self::Calls => argument::ordered,
            other => other.equal(),
        }
    }

    fn bounds(self) -> argument::Convert<(Value, Value)> {
        match self {
            Self::Status | Self::Number => argument::number_bounds,
            Self::Clock => argument::duration_bounds,
            Self::Plain | Self::Text | Self::Calls => argument::ordered_bounds,
        }
    }

    /// Why a predicate has no meaning for such a target.
    fn refuses(self, name: &str) -> Option<&'static str> {
        match name {
            "called" | "not_called" | "count" | "sequence" => {
                (!matches!(self, Self::Plain | Self::Calls)).then_some("it is for `tools` and `events`")
            }
            "gt" | "gte" | "lt" | "lte" | "between" | "close_to" | "exists" | "not" | "all_of" | "any_of" => {
                None
            }
            _ => (self == Self::Clock).then_some(
                "a duration is compared: gt, gte, lt, lte, between or close_to, e.g. `{ lt: 5s }`",
            ),
        }
    }
}

impl Predicate {
    fn parse(entry: &Entry, sort: Sort, problems: &mut Problems) -> Option<Self> {
        let (key, node) = (&entry.key, &entry.value);
        let Some(name) = names::known(&key.name) else {
            problems.push(names::unknown(key));
            return None;
        };
        if let Some(why) = sort.refuses(name) {
            problems.push(
                Problem::error("expect::predicate", format!("`{name}` cannot be asked of this target"))
                    .label(&key.span, "not here")
                    .help(why),
            );
            return None;
        }
        let op = Op::parse(name, entry, sort, problems)?;
        let span = if node.span.range().start >= key.span.range().end
            && node.span.source().name() == key.span.source().name()
        {
            key.span.to(&node.span)
        } else {
            // The argument is an alias of what stands elsewhere.
            key.span.clone()
        };
        Some(Self { name, span, op })
    }

    /// All expressions in it.
    fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        match &self.op {
            Op::Equal(arg) | Op::Unequal(arg) | Op::Order(_, arg) | Op::Contains(_, arg) => {
                arg.for_each_expression(visit);
            }
            Op::Between(arg) => arg.for_each_expression(visit),
            Op::CloseTo { value, within } => {
                value.for_each_expression(visit);
                within.for_each_expression(visit);
            }
            Op::StartsWith(arg) | Op::EndsWith(arg) => arg.for_each_expression(visit),
            Op::Matches(arg) => arg.for_each_expression(visit),
            Op::OneOf(arg) | Op::NotOneOf(arg) => arg.for_each_expression(visit),
            Op::Empty(arg) | Op::Exists(arg) => arg.for_each_expression(visit),
            Op::Type(_) | Op::Format(..) | Op::Unique(_) | Op::Sorted { .. } | Op::Sequence(_) => {}
            Op::Length(inner) | Op::Each(inner) | Op::Any(inner) | Op::None(inner) | Op::Not(inner) => {
                inner.for_each_expression(visit);
            }
            Op::Like(like) => like.for_each_expression(visit),
            Op::Schema(schema) => schema.for_each_expression(visit),
            Op::Similar { to, at_least } => {
                to.for_each_expression(visit);
                at_least.for_each_expression(visit);
            }
            Op::Called(calls) | Op::NotCalled(calls) => {
                for call in calls {
                    call.for_each_expression(visit);
                }
            }
            Op::Count(count) => count.for_each_expression(visit),
            Op::AllOf(all) | Op::AnyOf(all) => all.iter().for_each(|inner| inner.for_each_expression(visit)),
            Op::True(expression) => visit(expression),
        }
    }
}

impl Op {
    fn parse(name: &str, entry: &Entry, sort: Sort, problems: &mut Problems) -> Option<Self> {
        let node = &entry.value;
        let order = |order, problems: &mut Problems| {
            Arg::parse(node, sort.ordered(), problems).map(|bound| Self::Order(order, bound))
        };
        let containment = |how, problems: &mut Problems| {
            Arg::parse(node, argument::members, problems).map(|wanted| Self::Contains(how, wanted))
        };
        let members = |problems: &mut Problems| Matcher::parse(node, Sort::Plain, problems);
        Some(match name {
            "eq" => Self::Equal(Arg::parse(node, sort.equal(), problems)?),
            "ne" => Self::Unequal(Arg::parse(node, sort.equal(), problems)?),
            "gt" => order(Order::Greater, problems)?,
            "gte" => order(Order::AtLeast, problems)?,
            "lt" => order(Order::Less, problems)?,
            "lte" => order(Order::AtMost, problems)?,
            "between" => Self::Between(Arg::parse(node, sort.bounds(), problems)?),
            "close_to" => {
                let convert = if sort == Sort::Clock { argument::duration } else { argument::number };
                let tolerance: argument::Convert<Value> =
                    if sort == Sort::Clock { argument::duration } else { argument::tolerance };
                let [value, within] =
                    fields(entry, ["value", "within"], "close_to: { value: 3.14, within: 0.01 }", problems)?;
                let value = Arg::parse(value, convert, problems);
                let within = Arg::parse(within, tolerance, problems);
                Self::CloseTo { value: value?, within: within? }
            }
            "contains" => containment(Containment::All, problems)?,
            "not_contains" => containment(Containment::None, problems)?,
            "icontains" => containment(Containment::AllIgnoringCase, problems)?,
            "contains_any" => containment(Containment::Any, problems)?,
            "starts_with" => Self::StartsWith(Arg::parse(node, argument::part, problems)?),
            "ends_with" => Self::EndsWith(Arg::parse(node, argument::part, problems)?),
            "matches" => Self::Matches(Arg::parse(node, argument::pattern, problems)?),
            "one_of" => Self::OneOf(Arg::parse(node, argument::list, problems)?),
            "not_one_of" => Self::NotOneOf(Arg::parse(node, argument::list, problems)?),
            "type" => Self::Type(names::types(node, problems)?),
            "format" => {
                let format = names::format(node, problems)?;
                Self::Format(format, Schema::of_format(format))
            }
            "length" => Self::Length(Matcher::parse(node, Sort::Number, problems)?),
            "empty" => Self::Empty(Arg::parse(node, argument::flag, problems)?),
            "exists" => Self::Exists(Arg::parse(node, argument::flag, problems)?),
            "unique" => unique(entry, problems)?,
            "sorted" => sorted(entry, problems)?,
            "each" => Self::Each(members(problems)?),
            "any" => Self::Any(members(problems)?),
            "none" => Self::None(members(problems)?),
            "like" => Self::Like(Like::parse_top(node, problems)?),
            "schema" => Self::Schema(SchemaArg::parse(node, problems)?),
            "similar" => {
                let [to, at_least] =
                    fields(entry, ["to", "at_least"], "similar: { to: some text, at_least: 0.8 }", problems)?;
                let to = Arg::parse(to, argument::text, problems);
                let at_least = Arg::parse(at_least, argument::share, problems);
                Self::Similar { to: to?, at_least: at_least? }
            }
            "called" => Self::Called(tools::parse_calls(node, problems)?),
            "not_called" => Self::NotCalled(tools::parse_calls(node, problems)?),
            "count" => Self::Count(Count::parse(node, problems)?),
            "not" => Self::Not(Matcher::parse(node, sort, problems)?),
            "all_of" => Self::AllOf(alternatives(entry, sort, problems)?),
            "any_of" => Self::AnyOf(alternatives(entry, sort, problems)?),
            "sequence" => Self::Sequence(Sequence::parse(node, problems)?),
            other => {
                problems.push(
                    Problem::error(
                        "expect::unsupported",
                        format!("`{other}` is not supported yet by this version"),
                    )
                    .label(&entry.key.span, "not yet"),
                );
                return None;
            }
        })
    }
}

/// The values of exactly these keys.
fn fields<'a, const N: usize>(
    entry: &'a Entry,
    names: [&str; N],
    example: &str,
    problems: &mut Problems,
) -> Option<[&'a Node; N]> {
    let wrong = |message: String, span: &Span| {
        Problem::error("expect::argument", message).label(span, "here").help(format!("write `{example}`"))
    };
    let Some(entries) = entry.value.as_mapping() else {
        let message = format!("`{}` takes a mapping with {}", entry.key.name, names.join(" and "));
        problems.push(wrong(message, &entry.value.span));
        return None;
    };
    let mut complete = true;
    for found in entries.iter().filter(|found| !names.contains(&found.key.name.as_str())) {
        problems.push(wrong(format!("`{}` has no `{}`", entry.key.name, found.key.name), &found.key.span));
        complete = false;
    }
    let mut found = Vec::with_capacity(N);
    for name in names {
        if let Some(entry) = entries.iter().find(|found| found.key.name == name) {
            found.push(&entry.value);
        } else {
            problems.push(wrong(format!("`{}` needs `{name}`", entry.key.name), &entry.key.span));
            complete = false;
        }
    }
    if complete { found.try_into().ok() } else { None }
}

/// A list of matchers that holds something.
fn alternatives(entry: &Entry, sort: Sort, problems: &mut Problems) -> Option<Vec<Matcher>> {
    match entry.value.as_sequence() {
        Some(items) if !items.is_empty() => {
            let all: Vec<Matcher> =
                items.iter().filter_map(|item| Matcher::parse(item, sort, problems)).collect();
            (all.len() == items.len()).then_some(all)
        }
        _ => {
            let name = &entry.key.name;
            problems.push(
                Problem::error("expect::argument", format!("`{name}` takes a list of expectations"))
                    .label(&entry.value.span, "expected a list that is not empty")
                    .help(format!("write `{name}: [{{ contains: a }}, {{ contains: b }}]`")),
            );
            None
        }
    }
}

fn unique(entry: &Entry, problems: &mut Problems) -> Option<Op> {
    match &entry.value.kind {
        Kind::Bool(true) => Some(Op::Unique(None)),
        Kind::Mapping(_) => {
            let [by] = fields(entry, ["by"], "unique: { by: id }", problems)?;
            Some(Op::Unique(Some(key_name(by, problems)?)))
        }
        _ => {
            problems.push(
                argument::wrong(
                    &entry.value.span,
                    "`unique` takes `true`, or the key by which members differ",
                )
                .help(
                    "write `unique: true` or `unique: { by: id }`; the opposite is `not: { unique: true }`",
                ),
            );
            None
        }
    }
}

fn sorted(entry: &Entry, problems: &mut Problems) -> Option<Op> {
    let direction = |node: &Node| match &node.kind {
        Kind::Bool(true) => Some(false),
        Kind::String(text) if text == "asc" => Some(false),
        Kind::String(text) if text == "desc" => Some(true),
        _ => None,
    };
    let wrong = |node: &Node| {
        argument::wrong(&node.span, "`sorted` takes `true`, `asc`, `desc`, or a key and an order")
            .help("write `sorted: desc` or `sorted: { by: created_at, order: desc }`")
    };
    let Some(entries) = entry.value.as_mapping() else {
        let Some(descending) = direction(&entry.value) else {
            problems.push(wrong(&entry.value));
            return None;
        };
        return Some(Op::Sorted { by: None, descending });
    };
    let (mut by, mut descending) = (None, false);
    for found in entries {
        match found.key.name.as_str() {
            "by" => by = Some(key_name(&found.value, problems)?),
            "order" if direction(&found.value).is_some() => {
                descending = direction(&found.value).unwrap_or_default();
            }
            _ => {
                problems.push(wrong(&found.value));
                return None;
            }
        }
    }
    if by.is_none() {
        problems.push(wrong(&entry.value));
        return None;
    }
    Some(Op::Sorted { by, descending })
}

/// The key of the members that `unique` and `sorted` look at.
fn key_name(node: &Node, problems: &mut Problems) -> Option<String> {
    match &node.kind {
        Kind::String(name) if !name.is_empty() && !name.starts_with('$') => Some(name.clone()),
        _ => {
            problems.push(
                argument::wrong(&node.span, "expected the name of a key of the members")
                    .help("what lies deeper is selected by the target: `$.data[*].a.b: { sorted: true }`"),
            );
            None
        }
    }
}
