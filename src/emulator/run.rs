//! Running a component: what is asked, what is told while it goes on, what it leaves behind.

pub(crate) mod agent;
pub(crate) mod event;
pub(crate) mod prompt;
pub(crate) mod team;
pub(crate) mod telling;
pub(crate) mod workflow;

use serde_json::{Map, Value, json};

use self::agent::resume::Stored;
use super::cast::Model;
use super::execution::{self, Requirement};
use super::media::Media;
use super::message::Usage;

/// A JSON object under construction.
pub(crate) type Object = Map<String, Value>;

/// What a request asks of a component, once its form is read.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) message: String,
    pub(crate) run_id: String,
    pub(crate) session_id: String,
    pub(crate) user_id: Option<String>,
    /// `session_state` of the request: merged into what is stored.
    pub(crate) state: Option<Value>,
    pub(crate) dependencies: Option<Value>,
    pub(crate) metadata: Option<Value>,
    pub(crate) schema: Option<Schema>,
    pub(crate) media: Media,
    pub(crate) knowledge_filters: Option<Value>,
}

impl Ask {
    /// A message and nothing else.
    pub(crate) fn new(message: &str, run_id: String, session_id: String) -> Self {
        Self {
            message: message.to_owned(),
            run_id,
            session_id,
            user_id: None,
            state: None,
            dependencies: None,
            metadata: None,
            schema: None,
            media: Media::default(),
            knowledge_filters: None,
        }
    }
}

/// The form that the answer must have.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) document: Value,
    /// `content_type` of the run: `dict`, or the title of the schema.
    pub(crate) content_type: String,
    /// Whether it became a pydantic model, as it does unless `use_json_schema` is set.
    pub(crate) model: bool,
}

/// How a run ended, or that it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Completed,
    Paused,
    Cancelled,
    Error,
    /// Accepted, and waiting for its turn.
    Pending,
    Running,
}

impl Status {
    /// All words that agno 3.1.10 knows, sorted.
    pub(crate) const WORDS: [&'static str; 7] =
        ["CANCELLED", "COMPLETED", "ERROR", "PAUSED", "PENDING", "REGENERATED", "RUNNING"];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Paused => "PAUSED",
            Self::Cancelled => "CANCELLED",
            Self::Error => "ERROR",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
        }
    }
}

/// A run that has come to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The run as it is answered.
    pub(crate) document: Object,
    /// The runs of members, stored before it.
    pub(crate) members: Vec<Object>,
    /// What the run waits for.
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) status: Status,
    /// The text for the user, or of the error.
    pub(crate) text: String,
    /// Whether the model was reached, even if it failed then.
    pub(crate) met_model: bool,
    /// All tokens that the session is charged with.
    pub(crate) usage: Usage,
    /// Those of them that the memory manager's model used.
    pub(crate) memory_usage: Usage,
    /// What the run changed in the session state.
    pub(crate) changes: Object,
}

/// Metrics of a run that reached the model.
pub(crate) fn metrics(usage: Usage, by: &Model, first_token: Option<f64>, duration: f64) -> Value {
    let mut fields = if usage.input + usage.output > 0 { usage.fields() } else { Object::new() };
    if let Some(first_token) = first_token {
        fields.insert("time_to_first_token".to_owned(), json!(first_token));
    }
    fields.insert("duration".to_owned(), json!(duration));
    fields.insert("details".to_owned(), usage.details(by));
    Value::Object(fields)
}

/// What a stored run brings into its continuation.
pub(crate) fn restore(document: &Value) -> Stored {
    let metrics = &document["metrics"];
    let tools = execution::stored(document, "tools");
    let tokens = |name: &str| metrics[name].as_u64().unwrap_or_default();
    let messages = document["messages"].as_array().into_iter().flatten();
    let lineage = [
        "last_checkpoint_at_message_index",
        "forked_from_run_id",
        "forked_from_message_index",
        "regenerated_from",
    ];
    Stored {
        created_at: document["created_at"].as_i64().unwrap_or_default(),
        messages: messages.filter_map(|message| serde_json::from_value(message.clone()).ok()).collect(),
        history: Vec::new(),
        requirements: execution::stored_requirements(document),
        tools,
        usage: Usage { input: tokens("input_tokens"), output: tokens("output_tokens") },
        first_token: metrics["time_to_first_token"].as_f64(),
        took: metrics["duration"].as_f64(),
        lineage: lineage
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), document.get(name)?.clone())))
            .collect(),
        // A run that was stored has events, if only none.
        events: Some(document["events"].as_array().cloned().unwrap_or_default()),
        content: document["content"].as_str().unwrap_or_default().to_owned(),
        references: document.get("references").cloned(),
    }
}

/// Adds the model's name as runs and their first events carry it.
pub(crate) fn put_model(fields: &mut Object, model: &Model) {
    put(fields, "model", model.id);
    put(fields, "model_provider", model.provider);
}

/// Adds a field.
pub(crate) fn put(fields: &mut Object, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

/// Adds a field unless there is nothing to say: agno 3.1.10 leaves such fields out.
pub(crate) fn put_some<T: Into<Value>>(fields: &mut Object, name: &str, value: Option<T>) {
    if let Some(value) = value {
        fields.insert(name.to_owned(), value.into());
    }
}

/// Merges `over` into `base`, objects into objects: `session_state` of a run meets the stored one so.
pub(crate) fn merge(base: &mut Object, over: &Object) {
    for (name, value) in over {
        match (base.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            _ => {
                base.insert(name.clone(), value.clone());
            }
        }
    }
}
