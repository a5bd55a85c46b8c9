//! The functions and filters that the language adds to its expressions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use jiff::Timestamp;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use sha2::Digest as _;

use super::{BASE_DIR, order};

/// The functions that an expression can call.
pub(super) const GLOBALS: &[&str] =
    &["uuid", "now", "ago", "random_int", "file", "json_file", "range", "dict"];

/// The filters that an expression can use: the engine's own, then ours.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
    "age",
    "b64decode",
    "b64encode",
    "date",
    "fromjson",
    "jsonpath",
    "regex_replace",
    "sha256",
];

/// The tests that an expression can use after `is`.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "matches",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Adds them to the engine.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_function("uuid", || uuid::Uuid::new_v4().to_string());
    environment.add_function("now", || Timestamp::now().to_string());
    order::register(environment);
    environment.add_function("ago", order::ago);
    environment.add_function("random_int", random_int);
    environment.add_function("file", file);
    environment.add_function("json_file", json_file);
    environment.add_filter("age", order::age);
    environment.add_filter("regex_replace", regex_replace);
    environment.add_test("matches", matches);
    environment.add_filter("tojson", to_json);
    environment.add_filter("fromjson", from_json);
    environment
        .add_filter("b64encode", |text: String| base64::engine::general_purpose::STANDARD.encode(text));
    environment.add_filter("b64decode", b64decode);
    environment.add_filter("sha256", sha256);
    environment.add_filter("date", date);
    environment.add_filter("jsonpath", jsonpath);
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// A number from `low` to `high`, both included.
fn random_int(low: i64, high: i64) -> Result<i64, Error> {
    let width = high.checked_sub(low).and_then(|width| width.checked_add(1)).filter(|width| *width > 0);
    let Some(width) = width.and_then(|width| u128::try_from(width).ok()) else {
        return Err(failed(format!(
            "random_int({low}, {high}): the second must not be smaller than the first"
        )));
    };
    let drawn = uuid::Uuid::new_v4().as_u128() % width;
    Ok(low + i64::try_from(drawn).unwrap_or(0))
}

fn read(state: &State<'_, '_>, path: &str) -> Result<String, Error> {
    let base = state.lookup(BASE_DIR).and_then(|base| base.as_str().map(str::to_owned)).unwrap_or_default();
    let path = Path::new(&base).join(path);
    std::fs::read_to_string(&path).map_err(|error| failed(format!("cannot read {}: {error}", path.display())))
}

/// The text of a file beside the scenario.
fn file(state: &State<'_, '_>, path: String) -> Result<String, Error> {
    read(state, &path)
}

/// The JSON of a file beside the scenario.
fn json_file(state: &State<'_, '_>, path: String) -> Result<Value, Error> {
    from_json(read(state, &path)?)
        .map_err(|error| failed(format!("{path}: {}", error.detail().unwrap_or_default())))
}

/// JSON without the HTML escapes of the engine's own filter.
fn to_json(value: Serde<serde_json::Value>, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    let text = if indent.is_some() {
        serde_json::to_string_pretty(&value.0)
    } else {
        serde_json::to_string(&value.0)
    };
    text.map_err(|error| failed(error.to_string()))
}

fn from_json(text: String) -> Result<Value, Error> {
    serde_json::from_str::<serde_json::Value>(&text)
        .map(|value| Value::from(Serde(value)))
        .map_err(|error| failed(format!("this is not JSON: {error}")))
}

fn b64decode(text: String) -> Result<String, Error> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text.trim())
        .map_err(|error| failed(format!("this is not base64: {error}")))?;
    String::from_utf8(bytes).map_err(|_| failed("the decoded bytes are not a text"))
}

/// Regular expressions that were compiled: a filter of bulk work is asked for every item.
static PATTERNS: Mutex<BTreeMap<String, regex::Regex>> = Mutex::new(BTreeMap::new());

/// So many different ones are kept: those that are made of items do not fill the memory.
const MOST_PATTERNS: usize = 100;

fn pattern(text: &str) -> Result<regex::Regex, Error> {
    let mut known = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pattern) = known.get(text) {
        return Ok(pattern.clone());
    }
    let pattern = regex::Regex::new(text).map_err(|error| {
        failed(format!("`{text}` is not a regular expression: {}", pattern_cause(&error)))
    })?;
    if known.len() < MOST_PATTERNS {
        known.insert(text.to_owned(), pattern.clone());
    }
    Ok(pattern)
}

/// What is wrong with a regular expression, in one line.
pub(super) fn pattern_cause(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// Whether a regular expression is found in a text; never in null.
fn matches(value: Value, text: String) -> Result<bool, Error> {
    let pattern = pattern(&text)?;
    if value.is_none() {
        return Ok(false);
    }
    let text =
        value.as_str().ok_or_else(|| failed(format!("`matches` is asked of a text, not of {value}")))?;
    Ok(pattern.is_match(text))
}

/// A text with every match replaced; `$1` is what the first group found.
fn regex_replace(text: String, pattern_text: String, replacement: String) -> Result<String, Error> {
    Ok(pattern(&pattern_text)?.replace_all(&text, replacement.as_str()).into_owned())
}

fn sha256(text: String) -> String {
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time (ISO 8601 text, or seconds since 1970) written by a strftime format, in UTC.
fn date(value: Value, format: Option<String>) -> Result<String, Error> {
    let instant = order::moment(&value)?;
    let format = format.unwrap_or_else(|| "%Y-%m-%dT%H:%M:%SZ".to_owned());
    jiff::fmt::strtime::format(&format, instant)
        .map_err(|error| failed(format!("`{format}` is not a date format: {error}")))
}

/// The matches of a JSONPath as a list; the value itself where the path can match one only.
fn jsonpath(value: Serde<serde_json::Value>, path: String) -> Result<Value, Error> {
    let path = crate::jsonpath::Path::parse(&path).map_err(|error| failed(format!("{path}: {error}")))?;
    Ok(path.select(&value.0).map_or(Value::UNDEFINED, |found| Value::from(Serde(found))))
}
