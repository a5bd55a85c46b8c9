//! Predicates of tool calls: which tools were called, with what, how often.

use serde_json::Value;

use super::argument::{self, Arg};
use super::judge::{self, Case, Judgement, Subject};
use super::like::{self, Like};
use super::names;
use super::predicate::{Matcher, Sort};
use super::show::{self, Place, Step};
use crate::diagnostic::{Problem, Problems, nearest};
use crate::expr::{Expression, Scope};
use crate::yaml::{Kind, Node};

/// A tool, and perhaps what it is called with.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) name: Arg<String>,
    pub(super) arguments: Option<Like>,
}

impl Call {
    /// All expressions in it.
    pub(super) fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        self.name.for_each_expression(visit);
        if let Some(arguments) = &self.arguments {
            arguments.for_each_expression(visit);
        }
    }

    /// It for a message.
    pub(super) fn describe(&self, scope: &Scope) -> String {
        let name = self.name.shown(scope, Clone::clone);
        match &self.arguments {
            Some(arguments) => {
                format!("`{name}` with {}", show::value(&arguments.to_value(scope), show::SHORT))
            }
            None => format!("`{name}`"),
        }
    }
}

/// The argument of `called`: a name, a list of names or mappings, a mapping from names to arguments (or to a list of
/// them: one call each).
pub(super) fn parse_calls(node: &Node, problems: &mut Problems) -> Option<Vec<Call>> {
    let before = problems.len();
    let mut calls = Vec::new();
    parse_into(node, true, &mut calls, problems);
    if problems.len() == before && calls.is_empty() {
        problems.push(
            Problem::error("expect::empty", "no tool is named here")
                .label(&node.span, "expected a tool")
                .help("write `called: get_weather` or `called: { get_weather: { city: Paris } }`; no tool at all is `empty: true`"),
        );
    }
    (problems.len() == before).then_some(calls)
}

fn parse_into(node: &Node, list: bool, calls: &mut Vec<Call>, problems: &mut Problems) {
    match &node.kind {
        Kind::String(_) => {
            calls.extend(
                Arg::parse(node, argument::text, problems).map(|name| Call { name, arguments: None }),
            );
        }
        Kind::Sequence(items) if list => {
            for item in items {
                parse_into(item, false, calls, problems);
            }
        }
        Kind::Mapping(entries) => {
            for entry in entries {
                let name = Arg::Ready(entry.key.name.clone());
                match &entry.value.kind {
                    Kind::Null => calls.push(Call { name, arguments: None }),
                    Kind::Mapping(inner) if inner.is_empty() => calls.push(Call { name, arguments: None }),
                    Kind::Mapping(_) | Kind::String(_) => {
                        let arguments = like::parse_arguments(&entry.value, problems);
                        calls.push(Call { name, arguments });
                    }
                    Kind::Sequence(each) => {
                        for arguments in each {
                            let arguments = like::parse_arguments(arguments, problems);
                            calls.push(Call { name: name.clone(), arguments });
                        }
                    }
                    _ => problems.push(
                        argument::wrong(&entry.value.span, "the arguments of a call are a mapping").help(
                            format!(
                                "write `{{ {}: {{ city: Paris }} }}`; how often is `count`",
                                entry.key.name
                            ),
                        ),
                    ),
                }
            }
        }
        _ => problems.push(
            argument::wrong(&node.span, format!("expected the name of a tool, found {}", node.describe()))
                .help("write `called: get_weather`, or `called: { get_weather: { city: Paris } }`"),
        ),
    }
}

/// The name of a tool call, or of an event.
pub(super) fn name_of(call: &Value) -> Option<&str> {
    ["tool_name", "event", "name"].into_iter().find_map(|key| call.get(key)).and_then(Value::as_str)
}

/// The arguments of a tool call.
fn arguments_of(call: &Value) -> Value {
    match call.get("tool_args").or_else(|| call.get("arguments")) {
        // Some models hand them over as the text of an object.
        Some(Value::String(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        Some(Value::Null) | None => Value::Object(serde_json::Map::new()),
        Some(arguments) => arguments.clone(),
    }
}

/// What was called, for messages: `get_weather (2), search`.
fn summary(calls: &[Value]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in calls.iter().filter_map(name_of) {
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let texts: Vec<String> = counts
        .into_iter()
        .map(|(name, count)| if count > 1 { format!("{name} ({count} times)") } else { name.to_owned() })
        .collect();
    show::names(texts.iter().map(String::as_str))
}

fn calls_of<'a>(case: &Case, actual: &'a Value) -> Result<&'a [Value], Judgement> {
    match actual.as_array() {
        Some(calls) if calls.iter().all(|call| name_of(call).is_some()) => Ok(calls),
        Some(_) => Err(case.cannot("is no list of tool calls: a member has no `tool_name`")),
        None => Err(case.cannot(&format!("is {}, not a list of tool calls", show::kind(actual)))),
    }
}

/// The first failure of each call of the tool that has other arguments, or that one has the right ones.
fn search(
    case: &Case,
    calls: &[Value],
    call: &Call,
    name: &str,
) -> Result<Result<usize, Vec<String>>, Problem> {
    let mut reasons = Vec::new();
    for (index, made) in calls.iter().enumerate().filter(|(_, made)| name_of(made) == Some(name)) {
        let Some(wanted) = &call.arguments else {
            return Ok(Ok(index));
        };
        let arguments = arguments_of(made);
        let member = case.subject.place.then(Step::Index(index));
        let place = member.then(Step::Key("tool_args"));
        let failures = like::failures(wanted, case.predicate, &Subject::of(&place, &arguments), case.scope)?;
        match failures.into_iter().next() {
            None => return Ok(Ok(index)),
            Some(failure) => reasons.push(failure.message),
        }
    }
    Ok(Err(reasons))
}

/// `called`.
pub(super) fn called(case: &Case, actual: &Value, wanted: &[Call]) -> Result<Judgement, Problem> {
    let calls = match calls_of(case, actual) {
        Ok(calls) => calls,
        Err(judgement) => return Ok(judgement),
    };
    let mut sentences = Vec::new();
    let mut help = None;
    for call in wanted {
        let name = call.name.get(case.scope)?;
        let Err(reasons) = search(case, calls, call, &name)? else { continue };
        if reasons.is_empty() {
            help = help.or_else(|| {
                nearest(&name, calls.iter().filter_map(name_of))
                    .map(|found| format!("did you mean `{found}`?"))
            });
            sentences.push(format!("`{}` was not called", *name));
        } else {
            let count =
                if reasons.len() == 1 { "once".to_owned() } else { format!("{} times", reasons.len()) };
            let reasons = show::cut(&reasons.join("; "), 2 * show::LONG);
            sentences.push(format!("`{}` was called {count}, but not as expected: {reasons}", *name));
        }
    }
    if sentences.is_empty() {
        return Ok(Judgement::Holds);
    }
    let mut failure = case.failure("").maybe_help(help);
    failure.message = format!("{} (called: {})", sentences.join("; "), summary(calls));
    failure.actual = described(calls, wanted, case.scope);
    Ok(Judgement::Fails(failure))
}

/// `not_called`.
pub(super) fn not_called(case: &Case, actual: &Value, wanted: &[Call]) -> Result<Judgement, Problem> {
    let calls = match calls_of(case, actual) {
        Ok(calls) => calls,
        Err(judgement) => return Ok(judgement),
    };
    for call in wanted {
        let name = call.name.get(case.scope)?;
        if let Ok(index) = search(case, calls, call, &name)? {
            let place = case.subject.place.then(Step::Index(index));
            let subject = Subject::of(&place, &calls[index]);
            let mut failure = subject.failure(case.predicate, case.scope, "");
            let arguments = arguments_of(&calls[index]);
            failure.message = format!(
                "`{}` was called, and must not be ({} with {})",
                *name,
                place.path(),
                show::value(&arguments, show::SHORT)
            );
            failure.actual = described(calls, wanted, case.scope);
            return Ok(Judgement::Fails(failure));
        }
    }
    Ok(Judgement::Holds)
}

/// The calls that matter for a message: those of the tools named, or the names of all.
fn described(calls: &[Value], wanted: &[Call], scope: &Scope) -> String {
    let names: Vec<String> = wanted.iter().map(|call| call.name.shown(scope, Clone::clone)).collect();
    let made: Vec<String> = calls
        .iter()
        .filter_map(|call| {
            let name = name_of(call).filter(|name| names.iter().any(|wanted| wanted == name))?;
            Some(format!("{name}({})", show::value(&arguments_of(call), show::SHORT)))
        })
        .collect();
    if made.is_empty() {
        return if calls.is_empty() { "no call".to_owned() } else { format!("calls of {}", summary(calls)) };
    }
    show::cut(&made.join(", "), show::LONG)
}

/// The argument of `count`.
#[derive(Debug, Clone)]
pub(super) enum Count {
    /// Of all members.
    All(Matcher),
    /// Of the calls of each tool.
    Named(Vec<(String, Matcher)>),
}

impl Count {
    /// A number, predicates, or a mapping from names to one of these. It is predicates where all keys are.
    pub(super) fn parse(node: &Node, problems: &mut Problems) -> Option<Self> {
        let named = node
            .as_mapping()
            .filter(|entries| entries.iter().any(|entry| names::known(&entry.key.name).is_none()));
        let Some(entries) = named else {
            return Matcher::parse(node, Sort::Number, problems).map(Self::All);
        };
        let counts: Vec<(String, Matcher)> = entries
            .iter()
            .filter_map(|entry| {
                Some((entry.key.name.clone(), Matcher::parse(&entry.value, Sort::Number, problems)?))
            })
            .collect();
        (counts.len() == entries.len()).then_some(Self::Named(counts))
    }

    /// All expressions in it.
    pub(super) fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        match self {
            Self::All(matcher) => matcher.for_each_expression(visit),
            Self::Named(counts) => counts.iter().for_each(|(_, matcher)| matcher.for_each_expression(visit)),
        }
    }

    /// `count`.
    pub(super) fn judge(&self, case: &Case, actual: &Value) -> Result<Judgement, Problem> {
        let counts = match self {
            Self::All(matcher) => {
                let Some(items) = actual.as_array() else {
                    return Ok(
                        case.cannot(&format!("is {}, not a list that can be counted", show::kind(actual)))
                    );
                };
                let count = Value::from(items.len());
                let place = case.subject.place.then(Step::Measure("the number of"));
                return judge::matcher(matcher, &Subject::of(&place, &count), case.scope);
            }
            Self::Named(counts) => counts,
        };
        let calls = match calls_of(case, actual) {
            Ok(calls) => calls,
            Err(judgement) => return Ok(judgement),
        };
        for (name, matcher) in counts {
            let count = Value::from(calls.iter().filter(|call| name_of(call) == Some(name.as_str())).count());
            let what = format!("the number of `{name}` in");
            let place = Place::then(case.subject.place, Step::Measure(&what));
            match judge::matcher(matcher, &Subject::of(&place, &count), case.scope)? {
                Judgement::Holds => {}
                Judgement::Fails(failure) | Judgement::Cannot(failure) => {
                    let help = nearest(name, calls.iter().filter_map(name_of))
                        .filter(|found| *found != name)
                        .map(|found| format!("did you mean `{found}`?"))
                        .or_else(|| Some(format!("there are: {}", summary(calls))));
                    return Ok(Judgement::Fails(failure.maybe_help(help)));
                }
            }
        }
        Ok(Judgement::Holds)
    }
}
