//! What is said in a run: messages, token counts and tool executions, in agno's shapes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cast::Model;
use super::clock;
use super::execution::ToolExecution;
use super::media::Media;

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
    #[serde(flatten)]
    pub(crate) media: Media,
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
            media: Media::default(),
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
        message.tool_call_id.clone_from(&execution.tool_call_id);
        message.tool_name.clone_from(&execution.tool_name);
        message.tool_args = Some(execution.tool_args.clone()).filter(|arguments| !arguments.is_null());
        message.tool_call_error = execution.tool_call_error;
        message
    }
}

/// Tokens of one or more requests to the model: it counts words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl Usage {
    pub(crate) fn add(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_sub(other.input),
            output: self.output.saturating_sub(other.output),
        }
    }

    /// The tokens that a metrics object counts.
    pub(crate) fn counted(metrics: &Value) -> Self {
        let count = |name: &str| metrics[name].as_u64().unwrap_or_default();
        Self { input: count("input_tokens"), output: count("output_tokens") }
    }

    pub(crate) fn is_nothing(self) -> bool {
        self.input + self.output == 0
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
    pub(crate) fn details(self, by: &Model) -> Value {
        // A model that was called and counted nothing is still named.
        let mut model = if self.input + self.output > 0 { self.fields() } else { Map::new() };
        model.insert("id".to_owned(), json!(by.id));
        model.insert("provider".to_owned(), json!(by.provider));
        json!({ "model": [model] })
    }
}
