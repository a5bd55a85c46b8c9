//! Calls of tools, as runs report them and as those who continue a run send them back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clock;
use super::python;
use super::run::{Object, put, put_some};

/// A tool call as a run reports it: agno 3.1.10 sends every field, null unless known.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ToolExecution {
    pub(crate) tool_call_id: Option<String>,
    pub(crate) tool_name: Option<String>,
    pub(crate) tool_args: Value,
    pub(crate) tool_call_error: Option<bool>,
    pub(crate) result: Option<String>,
    pub(crate) metrics: Option<Value>,
    pub(crate) child_run_id: Option<String>,
    pub(crate) stop_after_tool_call: bool,
    pub(crate) created_at: i64,
    pub(crate) requires_confirmation: Option<bool>,
    pub(crate) confirmed: Option<bool>,
    pub(crate) confirmation_note: Option<String>,
    pub(crate) requires_user_input: Option<bool>,
    pub(crate) user_input_schema: Option<Value>,
    pub(crate) user_feedback_schema: Option<Value>,
    pub(crate) answered: Option<bool>,
    pub(crate) external_execution_required: Option<bool>,
    pub(crate) external_execution_silent: Option<bool>,
    pub(crate) approval_type: Option<String>,
    pub(crate) approval_id: Option<String>,
    pub(crate) parent_tool_call_id: Option<String>,
}

impl ToolExecution {
    /// A call as somebody sent it: what is missing counts as unknown, what is of another type, too.
    pub(crate) fn sent(fields: &Object) -> Self {
        let text = |name: &str| match fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(python::dumps(other)),
        };
        let flag = |name: &str| fields.get(name).and_then(Value::as_bool);
        let any = |name: &str| fields.get(name).filter(|value| !value.is_null()).cloned();
        Self {
            tool_call_id: text("tool_call_id"),
            tool_name: text("tool_name"),
            tool_args: any("tool_args").unwrap_or_default(),
            tool_call_error: flag("tool_call_error"),
            result: text("result"),
            metrics: any("metrics"),
            child_run_id: text("child_run_id"),
            stop_after_tool_call: flag("stop_after_tool_call").unwrap_or(false),
            created_at: fields.get("created_at").and_then(Value::as_i64).unwrap_or_else(clock::epoch),
            requires_confirmation: flag("requires_confirmation"),
            confirmed: flag("confirmed"),
            confirmation_note: text("confirmation_note"),
            requires_user_input: flag("requires_user_input"),
            user_input_schema: any("user_input_schema"),
            user_feedback_schema: any("user_feedback_schema"),
            answered: flag("answered"),
            external_execution_required: flag("external_execution_required"),
            external_execution_silent: flag("external_execution_silent"),
            approval_type: text("approval_type"),
            approval_id: text("approval_id"),
            parent_tool_call_id: text("parent_tool_call_id"),
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.tool_name.as_deref().unwrap_or_default()
    }

    /// `add(a=2, b=3)`: how a finished call is announced.
    pub(crate) fn signature(&self) -> String {
        let arguments: Vec<String> = match &self.tool_args {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match value {
                    Value::String(text) => format!("{name}={text}"),
                    other => format!("{name}={}", python::repr(other)),
                })
                .collect(),
            _ => Vec::new(),
        };
        format!("{}({})", self.name(), arguments.join(", "))
    }
}

/// An entry of `requirements[]`: what a paused run waits for.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub(crate) id: String,
    created_at: String,
    /// The member of a team that waits: its id, its name, its run.
    pub(crate) member: Option<[String; 3]>,
    pub(crate) execution: ToolExecution,
    /// A decision that was said beside the call.
    pub(crate) confirmation: Option<bool>,
    /// Where among the tools of the run the call stands, as long as they are the same.
    pub(crate) at: Option<usize>,
}

impl Requirement {
    pub(crate) fn new(execution: ToolExecution) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            created_at: clock::iso_offset(),
            member: None,
            execution,
            confirmation: None,
            at: None,
        }
    }

    /// One that was stored or sent back. Ids that are missing are new.
    pub(crate) fn sent(fields: &Object) -> Self {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let execution = match fields.get("tool_execution") {
            Some(Value::Object(execution)) => ToolExecution::sent(execution),
            _ => ToolExecution::default(),
        };
        let mut requirement = Self::new(execution);
        requirement.id = text("id").unwrap_or(requirement.id);
        requirement.created_at = text("created_at").unwrap_or(requirement.created_at);
        requirement.member = text("member_agent_id").map(|id| {
            [id, text("member_agent_name").unwrap_or_default(), text("member_run_id").unwrap_or_default()]
        });
        // Instead of the call, the decision may be said beside it.
        requirement.confirmation = fields.get("confirmation").and_then(Value::as_bool);
        if let Some(confirmed) = requirement.confirmation {
            requirement.execution.confirmed.get_or_insert(confirmed);
        }
        if requirement.execution.confirmation_note.is_none() {
            requirement.execution.confirmation_note = text("confirmation_note");
        }
        requirement
    }

    /// As a run shows it.
    pub(crate) fn document(&self) -> Value {
        let mut fields = Object::new();
        put(&mut fields, "id", self.id.as_str());
        put(&mut fields, "created_at", self.created_at.as_str());
        put_some(&mut fields, "confirmation", self.confirmation);
        if let Some([id, name, run_id]) = &self.member {
            put(&mut fields, "member_agent_id", id.as_str());
            put(&mut fields, "member_agent_name", name.as_str());
            put(&mut fields, "member_run_id", run_id.as_str());
        }
        put(&mut fields, "tool_execution", json!(self.execution));
        put_some(&mut fields, "user_input_schema", self.execution.user_input_schema.clone());
        Value::Object(fields)
    }
}

/// Reads the executions that a stored run holds.
pub(crate) fn stored(document: &Value, name: &str) -> Vec<ToolExecution> {
    let items = document[name].as_array().into_iter().flatten();
    items.filter_map(|item| item.as_object().map(ToolExecution::sent)).collect()
}

/// Reads the requirements that a stored run holds. What they say of a call is what it was then.
pub(crate) fn stored_requirements(document: &Value) -> Vec<Requirement> {
    let items = document["requirements"].as_array().into_iter().flatten();
    items.filter_map(Value::as_object).map(Requirement::sent).collect()
}
