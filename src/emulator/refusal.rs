//! What the server says when it does not do what was asked, in FastAPI's words.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::reply;

/// A request that is not answered with what it asked for.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// `{"detail": "text"}` with a status.
    Detail(StatusCode, String),
    /// 422: each problem of the request, in the order in which FastAPI finds them.
    Invalid(Vec<Problem>),
    /// 500: what agno 3.1.10 answers when a Python exception of this class is not handled.
    Unhandled(&'static str),
}

impl Refusal {
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::NOT_FOUND, detail.into())
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::BAD_REQUEST, detail.into())
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::CONFLICT, detail.into())
    }

    pub(crate) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::UNPROCESSABLE_ENTITY, detail.into())
    }

    pub(crate) fn into_response(self) -> Response {
        match self {
            Self::Detail(status, detail) => reply::json(status, &json!({ "detail": detail })),
            Self::Invalid(problems) => {
                let problems: Vec<Value> = problems.into_iter().map(|problem| problem.0).collect();
                reply::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "detail": problems }))
            }
            Self::Unhandled(class) => {
                let mut response = reply::json(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    &json!({ "detail": format!("Internal server error ({class})") }),
                );
                response.extensions_mut().insert(Unhandled);
                response
            }
        }
    }
}

/// Marks the answer to an error that nobody handled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unhandled;

impl From<rusqlite::Error> for Refusal {
    fn from(_: rusqlite::Error) -> Self {
        // The class in which SQLAlchemy wraps what SQLite refuses.
        Self::Unhandled("OperationalError")
    }
}

/// One entry of a 422's `detail`.
#[derive(Debug)]
pub(crate) struct Problem(Value);

impl Problem {
    fn new(kind: &str, loc: &[Value], msg: &str, input: &Value) -> Self {
        Self(json!({ "type": kind, "loc": loc, "msg": msg, "input": input }))
    }

    fn with(mut self, ctx: Value) -> Self {
        if let Value::Object(fields) = &mut self.0 {
            fields.insert("ctx".to_owned(), ctx);
        }
        self
    }

    pub(crate) fn missing(loc: &[Value], input: &Value) -> Self {
        Self::new("missing", loc, "Field required", input)
    }

    pub(crate) fn boolean(loc: &[Value], input: &Value) -> Self {
        Self::new("bool_parsing", loc, "Input should be a valid boolean, unable to interpret input", input)
    }

    /// Of a type that no boolean can be read from.
    pub(crate) fn no_boolean(loc: &[Value], input: &Value) -> Self {
        Self::new("bool_type", loc, "Input should be a valid boolean", input)
    }

    /// Of a type that no integer can be read from.
    pub(crate) fn no_integer(loc: &[Value], input: &Value) -> Self {
        Self::new("int_type", loc, "Input should be a valid integer", input)
    }

    pub(crate) fn fraction(loc: &[Value], input: &Value) -> Self {
        let msg = "Input should be a valid integer, got a number with a fractional part";
        Self::new("int_from_float", loc, msg, input)
    }

    pub(crate) fn integer(loc: &[Value], input: &Value) -> Self {
        Self::new(
            "int_parsing",
            loc,
            "Input should be a valid integer, unable to parse string as an integer",
            input,
        )
    }

    pub(crate) fn at_least(loc: &[Value], input: &Value, least: i64) -> Self {
        let msg = format!("Input should be greater than or equal to {least}");
        Self::new("greater_than_equal", loc, &msg, input).with(json!({ "ge": least }))
    }

    pub(crate) fn at_most(loc: &[Value], input: &Value, most: i64) -> Self {
        let msg = format!("Input should be less than or equal to {most}");
        Self::new("less_than_equal", loc, &msg, input).with(json!({ "le": most }))
    }

    pub(crate) fn short_text(loc: &[Value], input: &str, least: usize) -> Self {
        let plural = if least == 1 { "" } else { "s" };
        let msg = format!("String should have at least {least} character{plural}");
        Self::new("string_too_short", loc, &msg, &json!(input)).with(json!({ "min_length": least }))
    }

    pub(crate) fn long_text(loc: &[Value], input: &str, most: usize) -> Self {
        let msg = format!("String should have at most {most} characters");
        Self::new("string_too_long", loc, &msg, &json!(input)).with(json!({ "max_length": most }))
    }

    /// `expected` as pydantic spells it, of a type that is a list of texts.
    pub(crate) fn literal(loc: &[Value], input: &Value, expected: &str) -> Self {
        Self::new("literal_error", loc, &format!("Input should be {expected}"), input)
            .with(json!({ "expected": expected }))
    }

    pub(crate) fn date(loc: &[Value], input: &str) -> Self {
        if input.parse::<f64>().is_ok() {
            // A number is a time, and seldom that of a midnight.
            let msg = "Datetimes provided to dates should have zero time - e.g. be exact dates";
            return Self::new("date_from_datetime_inexact", loc, msg, &json!(input));
        }
        let error = if input.len() < 10 { "input is too short" } else { "invalid character in year" };
        let msg = format!("Input should be a valid date or datetime, {error}");
        Self::new("date_from_datetime_parsing", loc, &msg, &json!(input)).with(json!({ "error": error }))
    }

    /// `expected` as pydantic spells it: `'asc' or 'desc'`.
    pub(crate) fn choice(loc: &[Value], input: &Value, expected: &str) -> Self {
        Self::new("enum", loc, &format!("Input should be {expected}"), input)
            .with(json!({ "expected": expected }))
    }

    pub(crate) fn string(loc: &[Value], input: &Value) -> Self {
        Self::new("string_type", loc, "Input should be a valid string", input)
    }

    pub(crate) fn dictionary(loc: &[Value], input: &Value) -> Self {
        Self::new("dict_type", loc, "Input should be a valid dictionary", input)
    }

    pub(crate) fn list(loc: &[Value], input: &Value) -> Self {
        Self::new("list_type", loc, "Input should be a valid list", input)
    }

    pub(crate) fn empty_list(loc: &[Value], input: &Value) -> Self {
        Self::new("too_short", loc, "List should have at least 1 item after validation, not 0", input)
            .with(json!({ "field_type": "List", "min_length": 1, "actual_length": 0 }))
    }

    pub(crate) fn model(loc: &[Value], input: &Value) -> Self {
        Self::new(
            "model_attributes_type",
            loc,
            "Input should be a valid dictionary or object to extract fields from",
            input,
        )
    }

    /// The same about the whole field of an item in it.
    pub(crate) fn at_field(mut self) -> Self {
        if let Some(loc) = self.0["loc"].as_array_mut() {
            loc.truncate(2);
        }
        self
    }

    pub(crate) fn upload(loc: &[Value], input: &str) -> Self {
        let msg = "Value error, Expected UploadFile, received: <class 'str'>";
        Self::new("value_error", loc, msg, &json!(input)).with(json!({ "error": {} }))
    }

    pub(crate) fn json(at: usize, error: &str) -> Self {
        Self::new("json_invalid", &[json!("body"), json!(at)], "JSON decode error", &json!({}))
            .with(json!({ "error": error }))
    }
}
