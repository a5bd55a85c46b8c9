//! One request as a handler sees it, and the reading of its query the way FastAPI reads it.

use axum::http::HeaderMap;
use bytes::Bytes;
use percent_encoding::percent_decode;
use serde_json::{Value, json};

use super::auth::Caller;
use super::cast::Cast;
use super::kind::Kind;
use super::python;
use super::refusal::{Problem, Refusal};

/// A request that has found its route.
#[derive(Debug)]
pub(crate) struct Call {
    /// What stands in the place of each `{name}` of the route.
    pub(crate) path: Vec<(&'static str, String)>,
    /// The pairs of the query, in order.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) caller: Caller,
    pub(crate) cast: Cast,
    pub(crate) body: Bytes,
}

impl Call {
    /// The value of a path parameter; empty when the route has no such name.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// A query parameter. Of a repeated one FastAPI takes the last.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The user to filter by: where users are kept apart, the caller.
    pub(crate) fn user(&self) -> Result<Option<&str>, Refusal> {
        self.caller.or_asked(self.text("user_id"))
    }

    /// All values of a query parameter that may repeat.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The content type without parameters, in lower case.
    pub(crate) fn media_type(&self) -> String {
        let value = self.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
        value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
    }
}

/// Reads the query of a call and collects all its problems, because FastAPI names them all at once.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    call: &'a Call,
    problems: Vec<Problem>,
}

impl<'a> Query<'a> {
    pub(crate) fn new(call: &'a Call) -> Self {
        Self { call, problems: Vec::new() }
    }

    /// `type`: the kind of a session. An empty value is refused too.
    pub(crate) fn kind(&mut self) -> Option<Kind> {
        let text = self.call.text("type")?;
        let kind = Kind::parse(text);
        if kind.is_none() {
            self.problems.push(Problem::choice(&at("type"), &json!(text), Kind::EXPECTED));
        }
        kind
    }

    /// An integer of at least `least`.
    pub(crate) fn integer(&mut self, name: &str, least: Option<i64>) -> Option<i128> {
        let text = self.call.text(name)?;
        let Some(value) = python::integer(text) else {
            self.problems.push(Problem::integer(&at(name), &json!(text)));
            return None;
        };
        if let Some(least) = least.filter(|least| value < i128::from(*least)) {
            self.problems.push(Problem::at_least(&at(name), &json!(text), least));
        }
        Some(value)
    }

    /// `sort_order`: whether ascending. Only lower case is understood.
    pub(crate) fn ascending(&mut self) -> bool {
        match self.call.text("sort_order") {
            None | Some("desc") => false,
            Some("asc") => true,
            Some(other) => {
                self.problems.push(Problem::choice(&at("sort_order"), &json!(other), "'asc' or 'desc'"));
                false
            }
        }
    }

    /// A boolean that is false when left out.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let Some(text) = self.call.text(name) else { return false };
        boolean(text).unwrap_or_else(|| {
            self.problems.push(Problem::boolean(&at(name), &json!(text)));
            false
        })
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, name: &str) -> &'a str {
        self.call.text(name).unwrap_or_else(|| {
            self.problems.push(Problem::missing(&at(name), &Value::Null));
            ""
        })
    }

    /// Hands over what is wrong, for a route that goes on to check its body.
    pub(crate) fn problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Ends the reading: refuses when anything was wrong.
    pub(crate) fn done(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.problems)) }
    }
}

fn at(name: &str) -> [Value; 2] {
    [json!("query"), json!(name)]
}

/// A boolean as pydantic reads it from text.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// The pairs of a query or of an urlencoded form. Bytes that are no UTF-8 become U+FFFD, as in Python.
pub(crate) fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    encoded
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let split = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let value = pair.get(split + 1..).unwrap_or(&[]);
            (unquote(&pair[..split]), unquote(value))
        })
        .collect()
}

/// `urllib.parse.unquote_plus` of the text that the bytes are in Latin-1: escapes make UTF-8, bytes that
/// should have been escaped and were not stand for themselves.
fn unquote(encoded: &[u8]) -> String {
    let mut text = String::new();
    for run in encoded.chunk_by(|a, b| a.is_ascii() == b.is_ascii()) {
        if run.first().is_some_and(u8::is_ascii) {
            let spaced: Vec<u8> = run.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            text.push_str(&percent_decode(&spaced).decode_utf8_lossy());
        } else {
            text.extend(run.iter().map(|byte| char::from(*byte)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_order_and_blanks() {
        let pairs = pairs(b"a=1&b=&c&a=x+y%20z&%ff=%C3%A9&&=q");
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b", ""), ("c", ""), ("a", "x y z"), ("\u{fffd}", "é"), ("", "q")]);
    }
}
