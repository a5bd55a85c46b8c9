//! JSONPath (RFC 9535), compiled once and strict. The only place that names `jsonpath_rust`.

use std::fmt;

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, Test, TestFunction,
};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

/// A path that begins with `$`.
#[derive(Clone)]
pub struct Path {
    text: String,
    query: JpQuery,
    singular: bool,
}

/// Why a text is no JSONPath.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// The byte of the text at which it shows.
    pub offset: usize,
}

impl Path {
    /// Compiles `text`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if !text.starts_with('$') {
            return Err(PathError { message: "a JSONPath begins with `$`".to_owned(), offset: 0 });
        }
        let query = parse_json_path(text).map_err(|error| syntax_error(text, &error.to_string()))?;
        for segment in &query.segments {
            check_segment(text, segment)?;
        }
        let singular = query.segments.iter().all(is_singular);
        Ok(Self { text: text.to_owned(), query, singular })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name that comes first in it, where one does: `token` of `$.token.text`.
    pub fn first_name(&self) -> Option<&str> {
        match self.query.segments.first()? {
            // The parser keeps the quotes of `['name']`.
            Segment::Selector(Selector::Name(name)) => Some(name.trim_matches(['\'', '"'])),
            _ => None,
        }
    }

    /// Whether it can match one value only: no wildcard, slice, filter or `..`.
    pub fn is_singular(&self) -> bool {
        self.singular
    }

    /// What it matches in `value`, in document order.
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        if self.query.segments.is_empty() {
            return vec![value];
        }
        js_path_process(&self.query, value)
            .map(|found| found.into_iter().map(jsonpath_rust::query::QueryRef::val).collect())
            .unwrap_or_default()
    }

    /// What the path stands for in an expectation: the value of a singular path (none where it is missing), the list
    /// of the matches of any other.
    pub fn select(&self, value: &Value) -> Option<Value> {
        let found = self.find(value);
        if self.singular {
            found.first().map(|&value| value.clone())
        } else {
            Some(Value::Array(found.into_iter().cloned().collect()))
        }
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({})", self.text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_singular(segment: &Segment) -> bool {
    matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_)))
}

/// A message of our own: the parser's lists the names of its grammar's rules.
fn syntax_error(text: &str, error: &str) -> PathError {
    // The parser's report holds a line ` --> 1:7`.
    let column = error
        .split("--> ")
        .nth(1)
        .and_then(|rest| rest.split(|c: char| !(c.is_ascii_digit() || c == ':')).next())
        .and_then(|place| place.split(':').nth(1))
        .and_then(|column| column.parse::<usize>().ok());
    let Some(column) = column else {
        return PathError { message: "this is not a JSONPath (RFC 9535)".to_owned(), offset: 0 };
    };
    let offset = text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    let message = match text[offset..].chars().next() {
        Some(found) => format!("a JSONPath cannot go on with `{found}` here"),
        None => "the JSONPath ends too early".to_owned(),
    };
    PathError { message, offset }
}

/// What the parser lets pass and RFC 9535 does not.
fn check_segment(text: &str, segment: &Segment) -> Result<(), PathError> {
    match segment {
        Segment::Descendant(inner) => check_segment(text, inner),
        Segment::Selector(selector) => check_selector(text, selector),
        Segment::Selectors(selectors) => {
            selectors.iter().try_for_each(|selector| check_selector(text, selector))
        }
    }
}

fn check_selector(text: &str, selector: &Selector) -> Result<(), PathError> {
    match selector {
        // A bare name with a blank in it is two words run together; one in quotes is meant so, and one that does not
        // stand in the text as it is was in quotes with escapes.
        Selector::Name(name)
            if name.contains(char::is_whitespace)
                && text.match_indices(name.as_str()).any(|(at, _)| text[..at].ends_with('.')) =>
        {
            let offset = text.find(name.as_str()).unwrap_or(0);
            Err(PathError { message: format!("the name `{name}` holds a blank: write ['{name}']"), offset })
        }
        Selector::Filter(filter) => check_filter(text, filter),
        _ => Ok(()),
    }
}

fn check_filter(text: &str, filter: &Filter) -> Result<(), PathError> {
    match filter {
        Filter::Or(all) | Filter::And(all) => all.iter().try_for_each(|filter| check_filter(text, filter)),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => check_filter(text, expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => check_test(text, expr, true),
        Filter::Atom(FilterAtom::Comparison(comparison)) => check_comparison(text, comparison),
    }
}

fn check_comparison(text: &str, comparison: &Comparison) -> Result<(), PathError> {
    let (left, right) = comparison.vals();
    for side in [left, right] {
        if let Comparable::Function(function) = side {
            if !function.is_comparable() {
                return Err(ill_typed(text, function, "says yes or no and cannot be compared"));
            }
            check_function(text, function)?;
        }
    }
    Ok(())
}

fn check_test(text: &str, test: &Test, as_condition: bool) -> Result<(), PathError> {
    match test {
        Test::RelQuery(segments) => segments.iter().try_for_each(|segment| check_segment(text, segment)),
        Test::AbsQuery(query) => query.segments.iter().try_for_each(|segment| check_segment(text, segment)),
        Test::Function(function) => {
            if as_condition && !test.is_res_bool() {
                return Err(ill_typed(text, function, "gives a value: compare it"));
            }
            check_function(text, function)
        }
    }
}

fn check_function(text: &str, function: &TestFunction) -> Result<(), PathError> {
    let args: Vec<&FnArg> = match function {
        TestFunction::Custom(name, _) => {
            let offset = text.find(name.as_str()).unwrap_or(0);
            let message = format!(
                "RFC 9535 has no function `{name}`: length, count, value, match and search are there"
            );
            return Err(PathError { message, offset });
        }
        TestFunction::Length(arg) => vec![arg],
        TestFunction::Value(arg) | TestFunction::Count(arg) => vec![arg],
        TestFunction::Search(a, b) | TestFunction::Match(a, b) => vec![a, b],
    };
    args.into_iter().try_for_each(|arg| match arg {
        FnArg::Literal(_) => Ok(()),
        FnArg::Test(test) => check_test(text, test, false),
        FnArg::Filter(filter) => check_filter(text, filter),
    })
}

fn ill_typed(text: &str, function: &TestFunction, why: &str) -> PathError {
    let name = match function {
        TestFunction::Custom(name, _) => name.as_str(),
        TestFunction::Length(_) => "length",
        TestFunction::Value(_) => "value",
        TestFunction::Count(_) => "count",
        TestFunction::Search(..) => "search",
        TestFunction::Match(..) => "match",
    };
    PathError { message: format!("`{name}(...)` {why}"), offset: text.find(name).unwrap_or(0) }
}
