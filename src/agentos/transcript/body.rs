//! The answer of a run out of its events, in the shape of an answer that is no stream.

use serde_json::{Map, Value, json};

use super::{ToolCall, ToolState};
use crate::agentos::event::{Component, Ending, RunEvent};

/// What has been learned of the answer so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    /// The pieces of text of the component asked.
    pub(super) joined: String,
    /// The latest piece that is no text: with an `output_schema` there is one, the whole.
    pub(super) object: Option<Value>,
    /// Whether the stream shows the run from its beginning.
    pub(super) from_start: bool,
    pub(super) message: Option<String>,
    pub(super) user_id: Option<String>,
    fields: Map<String, Value>,
    /// What describes the run and has not been told yet; none before the first event.
    untold: Option<Vec<&'static str>>,
    /// What the last event said of the content.
    pub(super) content: Option<Value>,
}

/// What describes an event and not the run.
const OF_EVENTS: [&str; 5] = ["event", "event_index", "nested_depth", "created_at", "content"];

/// The fields that come first, in the order of plain answers.
const ORDER: [&str; 17] = [
    "run_id",
    "agent_id",
    "agent_name",
    "team_id",
    "team_name",
    "workflow_id",
    "workflow_name",
    "session_id",
    "user_id",
    "content",
    "content_type",
    "model",
    "model_provider",
    "session_state",
    "created_at",
    "status",
    "metrics",
];

impl Body {
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    pub(super) fn add_content(&mut self, event: &RunEvent) {
        match event.delta() {
            Some(text) => self.joined.push_str(text),
            None => self.object = event.value("content"),
        }
    }

    /// What any event says of its run.
    pub(super) fn note(&mut self, event: &RunEvent, component: Component) {
        let all = || vec!["run_id", "session_id", component.id_field(), component.name_field(), "created_at"];
        let mut untold = self.untold.take().unwrap_or_else(all);
        untold.retain(|field| !self.first(event, field));
        self.untold = Some(untold);
        match event.stem() {
            "RunStarted" | "WorkflowStarted" => {
                self.from_start = true;
                self.first(event, "model");
                self.first(event, "model_provider");
            }
            "ModelRequestStarted" => {
                self.first(event, "model");
                self.first(event, "model_provider");
            }
            // agno 3.1.10: what a workflow pauses with is repeated as a whole answer.
            "WorkflowRunOutput" => self.take_all(event),
            _ => {}
        }
    }

    /// The run and the session.
    pub(super) fn note_ids(&mut self, event: &RunEvent) {
        self.first(event, "run_id");
        self.first(event, "session_id");
    }

    /// Takes what is the first to be said of a field, and tells whether the field is known now.
    fn first(&mut self, event: &RunEvent, field: &str) -> bool {
        if self.fields.contains_key(field) {
            return true;
        }
        let value = event.value(field);
        let told = value.is_some();
        self.fields.extend(value.map(|value| (field.to_owned(), value)));
        told
    }

    /// What the event that ends the run says of all of it.
    pub(super) fn end(&mut self, event: &RunEvent, ending: Ending) {
        self.take_all(event);
        // agno 3.1.10 gives the error of a workflow in `error`, that of agents and teams in `content`.
        let data = event.data();
        let content = data.get("content").or_else(|| match ending {
            Ending::Failed => data.get("error"),
            _ => None,
        });
        if let Some(content) = content.filter(|content| !content.is_null()) {
            self.content = Some(content.clone());
        }
    }

    /// The stream itself was refused.
    pub(super) fn fail(&mut self, error: Option<&str>) {
        self.content = error.map(Value::from);
    }

    fn take_all(&mut self, event: &RunEvent) {
        for (field, value) in event.data() {
            let repeats_the_stream = field == "events" || OF_EVENTS.contains(&field.as_str());
            if !repeats_the_stream && !value.is_null() {
                self.fields.insert(field.clone(), value.clone());
            }
        }
    }

    pub(super) fn value(&self, component: Component, ending: Option<Ending>, tools: &[ToolCall]) -> Value {
        let mut fields = self.fields.clone();
        let content = match (&self.content, &self.object) {
            (Some(content), _) => Some(content.clone()),
            (None, Some(object)) => Some(object.clone()),
            (None, None) => (!self.joined.is_empty()).then(|| Value::from(self.joined.as_str())),
        };
        fields.extend(content.map(|content| ("content".to_owned(), content)));
        fields.extend(self.user_id.iter().map(|user| ("user_id".to_owned(), Value::from(user.as_str()))));
        fields.extend(ending.map(|ending| ("status".to_owned(), Value::from(ending.status()))));
        if component != Component::Workflow && !fields.contains_key("tools") {
            fields.insert("tools".to_owned(), own_tools(tools));
        }
        if let Some(message) = &self.message {
            let input = match component {
                Component::Workflow => Value::from(message.as_str()),
                Component::Agent | Component::Team => json!({"input_content": message}),
            };
            fields.insert("input".to_owned(), input);
        }
        let mut ordered = Map::new();
        for field in ORDER {
            ordered.extend(fields.remove_entry(field));
        }
        ordered.append(&mut fields);
        Value::Object(ordered)
    }
}

/// The calls of the component asked; a call that failed says so also where its last event came before the error.
fn own_tools(tools: &[ToolCall]) -> Value {
    let own = tools.iter().filter(|call| !call.nested).map(|call| {
        let mut tool = call.tool.clone();
        if call.state == ToolState::Failed {
            tool.insert("tool_call_error".to_owned(), Value::Bool(true));
        }
        Value::Object(tool)
    });
    Value::Array(own.collect())
}
