//! What is said in a run: messages, token counts and tool executions, in agno's shapes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{cast, clock};

/// One message of a conversation with the model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    pub(crate) from_history: bool,
    pub(crate) stop_after_tool_call: bool,
    pub(crate) role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tool_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tool_args: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tool_call_error: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tool_calls: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<Value>,
    pub(crate) created_at: i64,
}

impl Message {
    pub(crate) fn new(role: &str, content: Option<String>) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            content,
            from_history: false,
            stop_after_tool_call: false,
            role: role.to_owned(),
            tool_call_id: None,
            tool_name: None,
            tool_args: None,
            tool_call_error: None,
            tool_calls: Vec::new(),
            metrics: None,
            created_at: clock::epoch(),
        }
    }

    /// The text that the model sees; nothing for a message that only calls tools.
    pub(crate) fn text(&self) -> &str {
        self.content.as_deref().unwrap_or("")
    }

    /// The message that tells the model what a tool answered.
    pub(crate) fn tool(execution: &ToolExecution) -> Self {
        let mut message = Self::new("tool", execution.result.clone());
        message.tool_call_id = Some(execution.tool_call_id.clone());
        message.tool_name = Some(execution.tool_name.clone());
        message.tool_args = Some(execution.tool_args.clone());
        message.tool_call_error = execution.tool_call_error;
        message
    }
}

/// Tokens of one or more requests to the model: it counts words.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl Usage {
    pub(crate) fn add(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
    }

    /// `{input_tokens, output_tokens, total_tokens}`, the start of every metrics object.
    pub(crate) fn fields(self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("input_tokens".to_owned(), json!(self.input));
        fields.insert("output_tokens".to_owned(), json!(self.output));
        fields.insert("total_tokens".to_owned(), json!(self.input + self.output));
        fields
    }

    /// The `details` of a run's or session's metrics: the same numbers by model.
    pub(crate) fn details(self) -> Value {
        // A model that was called and counted nothing is still named.
        let mut model = if self.input + self.output > 0 { self.fields() } else { Map::new() };
        model.insert("id".to_owned(), json!(cast::MODEL_ID));
        model.insert("provider".to_owned(), json!(cast::MODEL_PROVIDER));
        json!({ "model": [model] })
    }
}

/// A tool call as a run reports it: agno 3.1.10 sends every field, null unless known.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ToolExecution {
    pub(crate) tool_call_id: String,
    pub(crate) tool_name: String,
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
    /// `add(a=2, b=3)`: how a finished call is announced.
    pub(crate) fn signature(&self) -> String {
        let arguments: Vec<String> = match &self.tool_args {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| match value {
                    Value::String(text) => format!("{name}={text}"),
                    other => format!("{name}={other}"),
                })
                .collect(),
            _ => Vec::new(),
        };
        format!("{}({})", self.tool_name, arguments.join(", "))
    }

    /// One entry of `requirements[]`: agno gives it a new id on every answer.
    pub(crate) fn requirement(&self) -> Value {
        let mut requirement = json!({
            "id": Uuid::new_v4().to_string(),
            "created_at": clock::iso_offset(),
            "tool_execution": self,
        });
        if let (Some(fields), Some(schema)) = (requirement.as_object_mut(), &self.user_input_schema) {
            fields.insert("user_input_schema".to_owned(), schema.clone());
        }
        requirement
    }
}
