//! What a human decided, as it was sent.

use serde_json::Value;

use crate::emulator::execution::{Requirement, ToolExecution};
use crate::emulator::form::Form;
use crate::emulator::kind::Kind;
use crate::emulator::refusal::Refusal;
use crate::emulator::run::Object;

/// Decisions, by the kind of component: each has its field and its form.
#[derive(Debug)]
pub(super) enum Sent {
    Nothing,
    Tools(Vec<ToolExecution>),
    Requirements(Vec<Requirement>),
    Steps(Vec<Value>),
}

fn field(kind: Kind) -> &'static str {
    match kind {
        Kind::Agent => "tools",
        Kind::Team => "requirements",
        Kind::Workflow => "step_requirements",
    }
}

impl Sent {
    /// The JSON of the field; nothing when it says nothing.
    pub(super) fn parse(kind: Kind, form: &Form) -> Result<Option<Value>, Refusal> {
        let name = field(kind);
        let Some(text) = form.filled(name) else { return Ok(None) };
        let value: Value = serde_json::from_str(text)
            .map_err(|_| Refusal::bad_request(format!("Invalid JSON in {name} field")))?;
        let empty = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        Ok((!empty).then_some(value))
    }

    pub(super) fn read(kind: Kind, sent: Option<Value>) -> Result<Self, Refusal> {
        let Some(sent) = sent else { return Ok(Self::Nothing) };
        let name = field(kind);
        let wrong =
            |error: String| Refusal::bad_request(format!("Invalid structure or content for {name}: {error}"));
        let items = match &sent {
            Value::Array(items) => items.clone(),
            // To iterate over an object is to see its names.
            Value::Object(_) | Value::String(_) => vec![Value::String(String::new())],
            other => return Err(wrong(format!("'{}' object is not iterable", class(other)))),
        };
        let objects: Vec<&Object> = items
            .iter()
            .map(|item| {
                item.as_object()
                    .ok_or_else(|| wrong(format!("'{}' object has no attribute 'get'", class(item))))
            })
            .collect::<Result<_, _>>()?;
        Ok(match kind {
            Kind::Agent => Self::Tools(objects.into_iter().map(ToolExecution::sent).collect()),
            Kind::Team => Self::Requirements(objects.into_iter().map(Requirement::sent).collect()),
            Kind::Workflow => Self::Steps(items),
        })
    }

    pub(super) fn steps(&self) -> Option<&[Value]> {
        match self {
            Self::Steps(steps) => Some(steps),
            _ => None,
        }
    }
}

/// What Python calls the type of a value.
fn class(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
