//! Arguments of predicates: checked and compiled once where they are written out, at run time where they are
//! expressions.

use std::borrow::Cow;

use regex::Regex;
use serde_json::Value;

use super::show;
use crate::diagnostic::{Problem, Problems};
use crate::duration;
use crate::expr::{Expression, Scope};
use crate::source::Span;
use crate::template::Template;
use crate::yaml::Node;

/// Makes of a value what a predicate works with.
pub(super) type Convert<T> = fn(&Value, &Span) -> Result<T, Problem>;

/// An argument.
#[derive(Debug, Clone)]
pub(super) enum Arg<T> {
    /// Written out: checked and compiled.
    Ready(T),
    /// Known when the step runs.
    Later(Template, Convert<T>),
}

impl<T: Clone> Arg<T> {
    /// Compiles an argument; none where it is wrong.
    pub(super) fn parse(node: &Node, convert: Convert<T>, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        let template = Template::parse(node, problems);
        if problems.len() > before {
            return None;
        }
        let Some(value) = template.as_literal() else {
            return Some(Self::Later(template, convert));
        };
        match convert(value, &node.span) {
            Ok(ready) => Some(Self::Ready(ready)),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }

    /// Its value.
    pub(super) fn get(&self, scope: &Scope) -> Result<Cow<'_, T>, Problem> {
        match self {
            Self::Ready(ready) => Ok(Cow::Borrowed(ready)),
            Self::Later(template, convert) => {
                convert(&template.resolve(scope)?, template.span()).map(Cow::Owned)
            }
        }
    }

    /// Its value for a message: what an expression is written as where it has none.
    pub(super) fn shown(&self, scope: &Scope, show: impl Fn(&T) -> String) -> String {
        match (self.get(scope), self) {
            (Ok(value), _) => show(&value),
            (Err(_), Self::Later(template, _)) => template.span().first_line().text().to_owned(),
            (Err(_), Self::Ready(_)) => String::new(),
        }
    }

    /// The expressions in it.
    pub(super) fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        if let Self::Later(template, _) = self {
            template.for_each_expression(visit);
        }
    }
}

/// A problem with an argument.
pub(super) fn wrong(span: &Span, message: impl Into<String>) -> Problem {
    Problem::error("expect::argument", message).label(span, "here")
}

fn expected(what: &str, value: &Value, span: &Span) -> Problem {
    Problem::error(
        "expect::argument",
        format!("expected {what}, found {} ({})", show::kind(value), show::value(value, show::SHORT)),
    )
    .label(span, format!("expected {what}"))
}

/// Anything.
#[expect(clippy::unnecessary_wraps, reason = "a `Convert`")]
pub(super) fn any(value: &Value, _: &Span) -> Result<Value, Problem> {
    Ok(value.clone())
}

/// What has an order.
pub(super) fn ordered(value: &Value, span: &Span) -> Result<Value, Problem> {
    match value {
        Value::Number(_) | Value::String(_) => Ok(value.clone()),
        _ => Err(expected("a number, a text or a date", value, span)),
    }
}

/// A number.
pub(super) fn number(value: &Value, span: &Span) -> Result<Value, Problem> {
    match value {
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) if text.trim().parse::<f64>().is_ok() => {
            Err(expected("a number", value, span).help(format!("without quotes it is one: {}", text.trim())))
        }
        _ => Err(expected("a number", value, span)),
    }
}

/// An HTTP status.
pub(super) fn status(value: &Value, span: &Span) -> Result<Value, Problem> {
    if let Value::String(text) = value {
        let class = text.to_lowercase();
        let class = class.strip_suffix("xx").filter(|digit| matches!(*digit, "1" | "2" | "3" | "4" | "5"));
        if let Some(digit) = class {
            return Err(expected("a number", value, span)
                .help(format!("write {{ between: [{digit}00, {digit}99] }}")));
        }
        if text.parse::<f64>().is_err() {
            return Err(expected("a number", value, span).help(format!(
                "`status` is that of HTTP: `status: 200`; a `status` in the answer, as a run has it: `$.status: {text}`"
            )));
        }
    }
    number(value, span)
}

/// A duration with its unit.
pub(super) fn duration(value: &Value, span: &Span) -> Result<Value, Problem> {
    let problem =
        |message: String| Problem::error("expect::duration", message).label(span, "expected a duration");
    match value {
        Value::String(text) => match duration::parse(text) {
            Ok(_) => Ok(value.clone()),
            Err(why) => Err(problem(why)),
        },
        Value::Number(number) => Err(problem(format!("a duration needs a unit, `{number}` has none"))
            .help(format!("write `{number}s` for seconds or `{number}ms` for milliseconds"))),
        _ => {
            Err(problem(format!("expected a duration (`500ms`, `5s`, `1m30s`), found {}", show::kind(value))))
        }
    }
}

/// A number that is not negative: a tolerance.
pub(super) fn tolerance(value: &Value, span: &Span) -> Result<Value, Problem> {
    match value.as_f64() {
        Some(number) if number >= 0.0 => Ok(value.clone()),
        _ => Err(expected("a number that is not negative", value, span)),
    }
}

/// A share between 0 and 1.
pub(super) fn share(value: &Value, span: &Span) -> Result<f64, Problem> {
    match value.as_f64() {
        Some(number) if (0.0..=1.0).contains(&number) => Ok(number),
        Some(number) if number > 1.0 && number <= 100.0 => Err(expected("a number from 0 to 1", value, span)
            .help(format!("{number} percent is written {}", number / 100.0))),
        _ => Err(expected("a number from 0 to 1", value, span)),
    }
}

/// `true` or `false`.
pub(super) fn flag(value: &Value, span: &Span) -> Result<bool, Problem> {
    value.as_bool().ok_or_else(|| expected("true or false", value, span))
}

/// A text.
pub(super) fn text(value: &Value, span: &Span) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text.clone()),
        _ => Err(expected("a text", value, span)),
    }
}

/// A text that a text may hold: numbers are taken as they are written.
pub(super) fn part(value: &Value, span: &Span) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(expected("a text", value, span)),
    }
}

/// A list that holds something.
pub(super) fn list(value: &Value, span: &Span) -> Result<Vec<Value>, Problem> {
    match value {
        Value::Array(items) if items.is_empty() => {
            Err(wrong(span, "the list is empty: nothing can be one of it"))
        }
        Value::Array(items) => Ok(items.clone()),
        _ => {
            Err(expected("a list", value, span).help(format!("write [{}]", show::value(value, show::SHORT))))
        }
    }
}

/// What a container may hold: one thing, or a list of all that it must.
pub(super) fn members(value: &Value, span: &Span) -> Result<Value, Problem> {
    match value {
        Value::Array(items) if items.is_empty() => {
            Err(wrong(span, "the list is empty: everything contains all of nothing"))
        }
        // Every text holds the empty text: nothing would be checked.
        Value::String(text) if text.is_empty() => {
            Err(wrong(span, "the text is empty: every text contains it"))
        }
        _ => Ok(value.clone()),
    }
}

/// A regular expression.
pub(super) fn pattern(value: &Value, span: &Span) -> Result<Regex, Problem> {
    let text = text(value, span)?;
    Regex::new(&text).map_err(|error| {
        // The message draws the pattern over several lines; the last says why.
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
        let help = why.contains("look-around").then(|| {
            "look-ahead and look-behind are not supported; combine predicates, e.g. `not_contains`".to_owned()
        });
        Problem::error(
            "expect::regex",
            format!("`{}` is no regular expression: {why}", show::cut(&text, show::SHORT)),
        )
        .label(span, "here")
        .maybe_help(help)
    })
}

/// Two bounds, the lower first.
fn bounds(value: &Value, span: &Span, each: Convert<Value>) -> Result<(Value, Value), Problem> {
    let Some([low, high]) = value.as_array().map(Vec::as_slice) else {
        return Err(
            expected("a list of two, the least and the most", value, span).help("write between: [1, 10]")
        );
    };
    Ok((each(low, span)?, each(high, span)?))
}

/// Two numbers, texts or dates.
pub(super) fn ordered_bounds(value: &Value, span: &Span) -> Result<(Value, Value), Problem> {
    let (low, high) = bounds(value, span, ordered)?;
    match super::compare::order(&low, &high) {
        Ok(std::cmp::Ordering::Greater) => Err(reversed(&low, &high, span)),
        Ok(_) => Ok((low, high)),
        Err(_) => {
            Err(wrong(span, format!("nothing is between {low} and {high}: one is a number, one a text")))
        }
    }
}

/// Two numbers.
pub(super) fn number_bounds(value: &Value, span: &Span) -> Result<(Value, Value), Problem> {
    let (low, high) = bounds(value, span, number)?;
    ordered_bounds(&Value::Array(vec![low, high]), span)
}

/// Two durations.
pub(super) fn duration_bounds(value: &Value, span: &Span) -> Result<(Value, Value), Problem> {
    let (low, high) = bounds(value, span, duration)?;
    let length = |value: &Value| value.as_str().and_then(|text| duration::parse(text).ok());
    if length(&low) > length(&high) { Err(reversed(&low, &high, span)) } else { Ok((low, high)) }
}

fn reversed(low: &Value, high: &Value, span: &Span) -> Problem {
    wrong(span, format!("nothing is between {low} and {high}: the first is the greater"))
        .help(format!("write [{high}, {low}]"))
}
