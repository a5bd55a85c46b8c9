//! What a predicate expects, in a few words for messages.

use serde_json::Value;

use super::predicate::{Matcher, Op, Order, Predicate};
use super::show;
use crate::expr::Scope;

/// All predicates of a matcher.
pub(super) fn matcher(matcher: &Matcher, scope: &Scope) -> String {
    let all: Vec<String> = matcher.predicates.iter().map(|predicate| expected(predicate, scope)).collect();
    all.join(" and ")
}

/// One predicate; completes `expected: ...`.
pub(super) fn expected(predicate: &Predicate, scope: &Scope) -> String {
    let value = |value: &Value| show::value(value, show::LONG);
    let bare = |value: &Value| match value {
        // `less than 5s` reads better than `less than "5s"`.
        Value::String(text) => show::cut(text, show::SHORT),
        value => show::value(value, show::SHORT),
    };
    let text = |text: &String| show::value(&Value::String(text.clone()), show::LONG);
    let list = |all: &Vec<Value>| {
        show::cut(
            &all.iter().map(|one| show::value(one, show::SHORT)).collect::<Vec<_>>().join(", "),
            show::LONG,
        )
    };
    match &predicate.op {
        Op::Equal(arg) => arg.shown(scope, value),
        Op::Unequal(arg) => format!("anything but {}", arg.shown(scope, value)),
        Op::Order(order, bound) => {
            let words = match order {
                Order::Greater => "greater than",
                Order::AtLeast => "at least",
                Order::Less => "less than",
                Order::AtMost => "at most",
            };
            format!("{words} {}", bound.shown(scope, bare))
        }
        Op::Between(bounds) => {
            format!("from {}", bounds.shown(scope, |(low, high)| format!("{} to {}", bare(low), bare(high))))
        }
        Op::CloseTo { value: centre, within } => {
            format!("{} give or take {}", centre.shown(scope, bare), within.shown(scope, bare))
        }
        Op::Contains(how, wanted) => {
            format!("{} {}", how.name().replace('_', " "), wanted.shown(scope, value))
        }
        Op::StartsWith(wanted) => format!("starts with {}", wanted.shown(scope, text)),
        Op::EndsWith(wanted) => format!("ends with {}", wanted.shown(scope, text)),
        Op::Matches(pattern) => {
            format!("matches /{}/", pattern.shown(scope, |pattern| show::cut(pattern.as_str(), show::LONG)))
        }
        Op::OneOf(all) => format!("one of {}", all.shown(scope, list)),
        Op::NotOneOf(all) => format!("none of {}", all.shown(scope, list)),
        Op::Type(types) => types
            .iter()
            .map(|name| match *name {
                "null" => "null".to_owned(),
                "integer" | "array" | "object" => format!("an {name}"),
                name => format!("a {name}"),
            })
            .collect::<Vec<_>>()
            .join(" or "),
        Op::Format(name, _) => format!("the format {name}"),
        Op::Length(inner) => format!("a length that is {}", matcher(inner, scope)),
        Op::Empty(wanted) => {
            wanted.shown(scope, |wanted| if *wanted { "empty" } else { "not empty" }.to_owned())
        }
        Op::Exists(wanted) => {
            wanted.shown(scope, |wanted| if *wanted { "there" } else { "not there" }.to_owned())
        }
        Op::Unique(None) => "members that all differ".to_owned(),
        Op::Unique(Some(by)) => format!("members that differ in `{by}`"),
        Op::Sorted { by, descending } => {
            let by = by.as_ref().map_or_else(String::new, |by| format!(" by `{by}`"));
            format!("{} order{by}", if *descending { "descending" } else { "ascending" })
        }
        Op::Each(inner) => format!("each member: {}", matcher(inner, scope)),
        Op::Any(inner) => format!("at least one member: {}", matcher(inner, scope)),
        Op::None(inner) => format!("no member: {}", matcher(inner, scope)),
        Op::Like(like) => format!("like {}", show::value(&like.to_value(scope), show::LONG)),
        Op::Schema(schema) => format!("what fits {}", schema.describe(scope)),
        Op::Similar { to, at_least } => {
            format!("at least {} similar to {}", at_least.shown(scope, f64::to_string), to.shown(scope, text))
        }
        Op::Called(calls) => {
            let calls: Vec<String> = calls.iter().map(|call| call.describe(scope)).collect();
            format!("called {}", calls.join(" and "))
        }
        Op::NotCalled(calls) => {
            let calls: Vec<String> = calls.iter().map(|call| call.describe(scope)).collect();
            format!("not called {}", calls.join(" nor "))
        }
        Op::Sequence(sequence) => sequence.describe(),
        Op::Count(super::tools::Count::All(inner)) => format!("a number that is {}", matcher(inner, scope)),
        Op::Count(super::tools::Count::Named(counts)) => counts
            .iter()
            .map(|(name, inner)| format!("`{name}` {} times", matcher(inner, scope)))
            .collect::<Vec<_>>()
            .join(" and "),
        Op::Not(inner) => format!("not: {}", matcher(inner, scope)),
        Op::AllOf(all) => all.iter().map(|inner| matcher(inner, scope)).collect::<Vec<_>>().join(" and "),
        Op::AnyOf(all) => all.iter().map(|inner| matcher(inner, scope)).collect::<Vec<_>>().join(" or "),
        Op::True(_) => "true".to_owned(),
    }
}
