//! What a paused run waits with: calls of tools and steps, found in the objects of its answer and edited in them.

use std::fmt;

use serde_json::{Map, Value};

use super::Form;

/// Something that waits.
pub(super) struct Waiting<'a> {
    /// The tool, or the step.
    pub(super) name: String,
    id: Option<String>,
    pub(super) what: What,
    object: &'a mut Map<String, Value>,
    shape: Shape,
}

/// Which object it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The call of a tool.
    Tool,
    /// A requirement with the call of a tool in it. What is decided is written to both.
    Requirement,
    /// The requirement of a step.
    Step,
}

/// What it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Confirmation,
    Result,
    Input,
    Route,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmation => "confirmation",
            Self::Result => "result",
            Self::Input => "input",
            Self::Route => "selection",
        })
    }
}

impl<'a> Waiting<'a> {
    /// All that waits in these objects.
    pub(super) fn of(form: Form, objects: &'a mut [Value]) -> Vec<Self> {
        let maps = objects.iter_mut().filter_map(Value::as_object_mut);
        match form {
            Form::Tools => maps.filter_map(|tool| Self::call(tool, Shape::Tool)).collect(),
            Form::Requirements => maps.filter_map(|it| Self::call(it, Shape::Requirement)).collect(),
            Form::Steps => maps.flat_map(Self::step).collect(),
        }
    }

    /// The call of a tool, if it waits.
    fn call(object: &'a mut Map<String, Value>, shape: Shape) -> Option<Self> {
        let tool = match shape {
            Shape::Requirement => object.get("tool_execution")?.as_object()?,
            Shape::Tool | Shape::Step => &*object,
        };
        let unset = |field: &str| tool.get(field).is_none_or(Value::is_null);
        let asks = is(tool, "requires_user_input") || !unset("user_feedback_schema");
        // In agno's order: the most special first.
        let what = if is(tool, "external_execution_required") && unset("result") {
            What::Result
        } else if asks && !is(tool, "answered") {
            What::Input
        } else if is(tool, "requires_confirmation") && unset("confirmed") {
            What::Confirmation
        } else {
            return None;
        };
        let text = |field: &str| tool.get(field).and_then(Value::as_str).map(str::to_owned);
        let (name, id) = (text("tool_name"), text("tool_call_id"));
        let name = name.or_else(|| id.clone()).unwrap_or_default();
        Some(Self { name, id, what, object, shape })
    }

    fn step(step: &'a mut Map<String, Value>) -> Vec<Self> {
        if is(step, "requires_executor_input") {
            let inner = step.get_mut("executor_requirements").and_then(Value::as_array_mut);
            let inner = inner.into_iter().flatten().filter_map(Value::as_object_mut);
            return inner.filter_map(|it| Self::call(it, Shape::Requirement)).collect();
        }
        let unset = |field: &str| step.get(field).is_none_or(Value::is_null);
        let confirms = is(step, "requires_confirmation") || is(step, "requires_output_review");
        let what = if is(step, "requires_route_selection") && unset("selected_choices") {
            What::Route
        } else if is(step, "requires_user_input") && unset("user_input") {
            What::Input
        } else if confirms && unset("confirmed") {
            What::Confirmation
        } else {
            return Vec::new();
        };
        let text = |field: &str| step.get(field).and_then(Value::as_str).map(str::to_owned);
        let (name, id) = (text("step_name"), text("step_id"));
        let name = name.or_else(|| id.clone()).unwrap_or_default();
        vec![Self { name, id, what, object: step, shape: Shape::Step }]
    }

    /// Sets a field of the call or of the step.
    fn set(&mut self, field: &str, value: Value) {
        match self.shape {
            Shape::Tool | Shape::Step => {
                self.object.insert(field.to_owned(), value);
            }
            Shape::Requirement => {
                if let Some(tool) = self.object.get_mut("tool_execution").and_then(Value::as_object_mut) {
                    tool.insert(field.to_owned(), value);
                }
            }
        }
    }

    /// Sets a field of the requirement around a call.
    fn set_around(&mut self, field: &str, value: Value) {
        if self.shape == Shape::Requirement {
            self.object.insert(field.to_owned(), value);
        }
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.id.as_deref() == Some(name)
    }

    pub(super) fn undecided(&self, needed: &str) -> String {
        format!(
            "`{}` waits for its {}, and nothing is said about it: {needed} is missing",
            self.name, self.what
        )
    }

    /// Confirms it, or refuses it for a reason.
    pub(super) fn confirm(&mut self, refused: Option<&str>) {
        let confirmed = Value::Bool(refused.is_none());
        self.set("confirmed", confirmed.clone());
        self.set_around("confirmation", confirmed);
        if let Some(reason) = refused.filter(|reason| !reason.is_empty()) {
            let note = if self.shape == Shape::Step { "rejection_feedback" } else { "confirmation_note" };
            self.set(note, Value::from(reason));
            self.set_around(note, Value::from(reason));
        }
    }

    /// Gives the result of a tool that the server does not execute; what is no text is written as JSON.
    pub(super) fn set_result(&mut self, result: &Value) {
        let text = Value::from(result.as_str().map_or_else(|| result.to_string(), str::to_owned));
        self.set("result", text.clone());
        self.set_around("external_execution_result", text);
    }

    /// The object that says what is asked.
    fn asking(&self) -> &Map<String, Value> {
        let inner = (self.shape == Shape::Requirement).then(|| self.object.get("tool_execution"));
        inner.flatten().and_then(Value::as_object).unwrap_or(self.object)
    }

    /// The fields that are asked for; of questions, the questions.
    pub(super) fn fields(&self) -> Vec<String> {
        let of = |schema: &str, key: &str| -> Vec<String> {
            let fields = self.asking().get(schema).and_then(Value::as_array).into_iter().flatten();
            fields.filter_map(|field| field.get(key)?.as_str().map(str::to_owned)).collect()
        };
        [of("user_input_schema", "name"), of("user_feedback_schema", "question")].concat()
    }

    /// Fills in the fields; the first one that has no value in the end is returned.
    pub(super) fn set_input(&mut self, input: &Map<String, Value>) -> Option<String> {
        if self.shape == Shape::Step {
            self.object.insert("user_input".to_owned(), Value::Object(input.clone()));
            return None;
        }
        let mut missing = None;
        if let Some(tool) = self.object.get_mut("tool_execution").and_then(Value::as_object_mut) {
            missing = fill_all(tool, input);
        }
        missing = fill_all(self.object, input).or(missing);
        if missing.is_none() {
            self.set("answered", Value::Bool(true));
        }
        missing
    }

    /// Chooses routes.
    pub(super) fn select(&mut self, names: &[String]) {
        self.set("selected_choices", Value::from(names.to_vec()));
    }
}

fn is(object: &Map<String, Value>, field: &str) -> bool {
    object.get(field) == Some(&Value::Bool(true))
}

/// Fills in what a call or a requirement asks for.
fn fill_all(object: &mut Map<String, Value>, input: &Map<String, Value>) -> Option<String> {
    let fields = fill(object, "user_input_schema", "name", "value", input);
    fields.or(fill(object, "user_feedback_schema", "question", "selected_options", input))
}

fn fill(
    object: &mut Map<String, Value>,
    schema: &str,
    name: &str,
    value: &str,
    input: &Map<String, Value>,
) -> Option<String> {
    let mut missing = None;
    for field in object.get_mut(schema).and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(field) = field.as_object_mut() else { continue };
        let Some(called) = field.get(name).and_then(Value::as_str).map(str::to_owned) else { continue };
        match input.get(&called) {
            Some(given) => {
                field.insert(value.to_owned(), given.clone());
            }
            None if field.get(value).is_none_or(Value::is_null) => {
                missing.get_or_insert(called);
            }
            None => {}
        }
    }
    missing
}
