//! JSON bodies, and pydantic's words for what is wrong in them.

use serde_json::{Map, Value, json};

use super::call::{Call, boolean};
use super::json_error;
use super::python;
use super::refusal::{Problem, Refusal};

/// The body of a call as FastAPI hands it on.
#[derive(Debug)]
pub(crate) enum Body {
    Absent,
    Json(Value),
    /// Not declared as JSON: FastAPI passes the text on, and it fits no model.
    Text(String),
}

/// Reads a body. Broken JSON is refused at once, before anything else is looked at.
pub(crate) fn read(call: &Call) -> Result<Body, Refusal> {
    if call.body.is_empty() {
        return Ok(Body::Absent);
    }
    let media = call.media_type();
    let json = media.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"));
    if !json {
        return Ok(Body::Text(String::from_utf8_lossy(&call.body).into_owned()));
    }
    if let Ok(value) = serde_json::from_slice(&call.body) {
        return Ok(Body::Json(value));
    }
    // What is no number, and Python takes for one, is shown as null later.
    if let Some((value, _)) = std::str::from_utf8(&call.body).ok().and_then(python::loads) {
        return Ok(Body::Json(value));
    }
    let (at, reason) = json_error::explain(&String::from_utf8_lossy(&call.body));
    Err(Refusal::Invalid(vec![Problem::json(at, reason)]))
}

/// The fields of a body that must be an object, with its problems.
#[derive(Debug)]
pub(crate) struct Fields {
    values: Map<String, Value>,
    /// Whether there is an object at all: without one its fields are not looked for.
    object: bool,
    pub(crate) problems: Vec<Problem>,
}

impl Fields {
    /// A body that may be left out.
    pub(crate) fn optional(body: Body, problems: Vec<Problem>) -> Self {
        match body {
            Body::Absent => Self { values: Map::new(), object: false, problems },
            body => Self::required(body, problems),
        }
    }

    /// A body that must be there.
    pub(crate) fn required(body: Body, mut problems: Vec<Problem>) -> Self {
        let at = [json!("body")];
        match body {
            Body::Json(Value::Object(fields)) => return Self { values: fields, object: true, problems },
            Body::Absent => problems.push(Problem::missing(&at, &Value::Null)),
            Body::Json(other) => problems.push(Problem::model(&at, &other)),
            Body::Text(text) => problems.push(Problem::model(&at, &json!(text))),
        }
        Self { values: Map::new(), object: false, problems }
    }

    /// One field sent as the whole body (`embed`): whatever is no object simply lacks it.
    pub(crate) fn embedded(body: Body, problems: Vec<Problem>) -> Self {
        match body {
            Body::Json(Value::Object(fields)) => Self { values: fields, object: true, problems },
            _ => Self { values: Map::new(), object: false, problems },
        }
    }

    /// An optional text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.values.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => {
                self.problems.push(Problem::string(&at(name), other));
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, name: &str) -> String {
        match self.values.get(name) {
            Some(Value::String(text)) => return text.clone(),
            Some(other) => self.problems.push(Problem::string(&at(name), other)),
            None => self.problems.push(Problem::missing(&at(name), &Value::Null)),
        }
        String::new()
    }

    /// A text that must be there, within these lengths.
    pub(crate) fn bounded_text(&mut self, name: &str, least: usize, most: usize) -> String {
        match self.values.get(name) {
            Some(Value::String(text)) => {
                let length = text.chars().count();
                if length < least {
                    self.problems.push(Problem::short_text(&at(name), text, least));
                } else if length > most {
                    self.problems.push(Problem::long_text(&at(name), text, most));
                }
                return text.clone();
            }
            Some(other) => self.problems.push(Problem::string(&at(name), other)),
            None if self.object => {
                let body = Value::Object(self.values.clone());
                self.problems.push(Problem::missing(&at(name), &body));
            }
            None => {}
        }
        String::new()
    }

    /// An optional list of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        match self.values.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) => {
                let mut texts = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    match item {
                        Value::String(text) => texts.push(text.clone()),
                        other => self
                            .problems
                            .push(Problem::string(&[json!("body"), json!(name), json!(index)], other)),
                    }
                }
                Some(texts)
            }
            Some(other) => {
                self.problems.push(Problem::list(&at(name), other));
                None
            }
        }
    }

    /// An optional boolean, which is not null.
    pub(crate) fn flag(&mut self, name: &str, default: bool) -> bool {
        let problem = match self.values.get(name) {
            None => return default,
            Some(Value::Bool(flag)) => return *flag,
            Some(value @ Value::String(text)) => match boolean(text) {
                Some(flag) => return flag,
                None => Problem::boolean(&at(name), value),
            },
            Some(value @ Value::Number(number)) => match number.as_f64() {
                Some(0.0) => return false,
                Some(1.0) => return true,
                _ => Problem::boolean(&at(name), value),
            },
            Some(other) => Problem::no_boolean(&at(name), other),
        };
        self.problems.push(problem);
        default
    }

    /// An optional integer within bounds, which is not null.
    pub(crate) fn integer(&mut self, name: &str, least: i64, most: i64) -> Option<i64> {
        if self.values.get(name).is_some_and(Value::is_null) {
            self.problems.push(Problem::no_integer(&at(name), &Value::Null));
            return None;
        }
        self.integer_or_null(name, least, most)
    }

    /// An optional integer within bounds, or null.
    pub(crate) fn integer_or_null(&mut self, name: &str, least: i64, most: i64) -> Option<i64> {
        let value = self.values.get(name).filter(|value| !value.is_null())?;
        let problem = match integer(&at(name), value) {
            Ok(value) if value < least => Problem::at_least(&at(name), &json!(value), least),
            Ok(value) if value > most => Problem::at_most(&at(name), &json!(value), most),
            Ok(value) => return Some(value),
            Err(problem) => problem,
        };
        self.problems.push(problem);
        None
    }

    /// An optional integer of at least one, in an optional object.
    pub(crate) fn positive_within(&mut self, object: &str, name: &str) -> Option<i64> {
        let at = [json!("body"), json!(object), json!(name)];
        let value = match self.values.get(object) {
            None | Some(Value::Null) => return None,
            Some(Value::Object(fields)) => fields.get(name)?,
            Some(other) => {
                let problem = Problem::model(&at[..2], other);
                // Once is enough, however many fields are looked for in it.
                self.values.shift_remove(object);
                self.problems.push(problem);
                return None;
            }
        };
        let problem = match integer(&at, value) {
            Ok(number) if number >= 1 => return Some(number),
            Ok(number) => Problem::at_least(&at, &json!(number), 1),
            Err(problem) => problem,
        };
        self.problems.push(problem);
        None
    }

    /// Notes what is wrong with a field.
    pub(crate) fn wrong(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A text that must be there, in the whole body's words when it is not.
    pub(crate) fn needed_text(&mut self, name: &str) -> String {
        self.bounded_text(name, 0, usize::MAX)
    }

    /// An optional choice of these; null is none of them unless it may be.
    pub(crate) fn choice(
        &mut self,
        name: &str,
        known: &[&str],
        null: bool,
        wrong: Choice<'_>,
    ) -> Option<String> {
        match self.values.get(name)? {
            Value::Null if null => None,
            Value::String(text) if known.contains(&text.as_str()) => Some(text.clone()),
            other => {
                self.problems.push(wrong(&at(name), other));
                None
            }
        }
    }

    /// Whether a field is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// An optional object.
    pub(crate) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.values.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(fields)) => Some(fields.clone()),
            Some(other) => {
                self.problems.push(Problem::dictionary(&at(name), other));
                None
            }
        }
    }

    /// A list with at least one item, each checked by `item`.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        item: impl Fn(&[Value], &Value) -> Result<T, Problem>,
    ) -> Vec<T> {
        let mut read = Vec::new();
        match self.values.get(name) {
            None if !self.object => {}
            None => {
                let body = Value::Object(self.values.clone());
                self.problems.push(Problem::missing(&at(name), &body));
            }
            Some(Value::Array(items)) => {
                if items.is_empty() {
                    self.problems.push(Problem::empty_list(&at(name), &json!([])));
                }
                for (index, value) in items.iter().enumerate() {
                    match item(&[json!("body"), json!(name), json!(index)], value) {
                        Ok(value) => read.push(value),
                        Err(problem) => self.problems.push(problem),
                    }
                }
            }
            Some(other) => self.problems.push(Problem::list(&at(name), other)),
        }
        read
    }

    /// Ends the reading: refuses when anything was wrong.
    pub(crate) fn done(self) -> Result<(), Refusal> {
        if self.problems.is_empty() { Ok(()) } else { Err(Refusal::Invalid(self.problems)) }
    }
}

/// What is wrong with something that is none of several.
type Choice<'a> = &'a dyn Fn(&[Value], &Value) -> Problem;

/// An integer as pydantic reads it: a text of digits is one, too.
fn integer(at: &[Value], value: &Value) -> Result<i64, Problem> {
    match value {
        Value::Bool(flag) => Ok(i64::from(*flag)),
        Value::String(text) => {
            let number = python::integer(text).and_then(|number| i64::try_from(number).ok());
            number.ok_or_else(|| Problem::integer(at, value))
        }
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(number),
            #[expect(clippy::cast_possible_truncation, reason = "a whole number of less than 53 bits")]
            (None, Some(whole)) if whole.fract() == 0.0 && whole.abs() < 9.0e15 => Ok(whole as i64),
            _ => Err(Problem::fraction(at, value)),
        },
        other => Err(Problem::no_integer(at, other)),
    }
}

fn at(name: &str) -> [Value; 2] {
    [json!("body"), json!(name)]
}
