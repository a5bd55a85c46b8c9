//! What a step brought: the answer of the server in the words of the language (`status`, `content`, `tools`, ...).

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::agentos::{self, RunEvent, Transcript};

/// The answer to a step, or why there is none.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The HTTP status; none where no answer came.
    pub status: Option<u16>,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came, bytes that are no UTF-8 replaced.
    pub text: String,
    /// The body as JSON; none where it is not.
    pub body: Option<Value>,
    /// From sending to the end of the answer.
    pub duration: Duration,
    /// The time to the first content of a stream.
    pub ttft: Option<Duration>,
    /// What a stream brought beside its answer.
    pub stream: Option<StreamOutcome>,
    /// The message of a refused request, of a failed run, or of a request that never got through.
    pub error: Option<String>,
}

/// What can be read of an answer: `steps.ID.NAME`.
pub const ANSWER_FIELDS: &[&str] = &[
    "body",
    "content",
    "duration_ms",
    "error",
    "events",
    "headers",
    "requirements",
    "status",
    "text",
    "tokens",
    "tools",
];

/// What a stream brought beside its answer.
#[derive(Debug, Clone)]
pub struct StreamOutcome {
    transcript: Arc<Transcript>,
    /// The events as JSON, made where they are asked for: most streams are asked for their answer only.
    events: OnceLock<Value>,
    /// The tool calls, those of members and steps among them, in the order in which they began; a list.
    pub tools: Value,
}

impl StreamOutcome {
    /// Of a stream that has ended.
    pub fn new(transcript: Arc<Transcript>) -> Self {
        let tools = transcript.tools().iter().map(|call| Value::Object(call.tool.clone())).collect();
        Self { transcript, events: OnceLock::new(), tools }
    }

    /// The events in order; a list.
    pub fn events(&self) -> &Value {
        self.events.get_or_init(|| self.transcript.events().iter().map(RunEvent::to_json).collect())
    }
}

impl Outcome {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether it is a stream that ended before its run.
    pub fn is_unfinished_stream(&self) -> bool {
        self.stream.is_some() && self.field("status").is_none_or(Value::is_null)
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.body.as_ref().and_then(|body| body.get(name))
    }

    /// The answer's text, or the structure that was asked for with an output schema.
    pub fn content(&self) -> Option<&Value> {
        self.field("content").filter(|content| !content.is_null())
    }

    /// The tool calls of a run: its own, then those of its members and steps at any depth.
    pub fn tools(&self) -> Option<Cow<'_, Value>> {
        if let Some(stream) = &self.stream {
            return Some(Cow::Borrowed(&stream.tools));
        }
        let body = self.body.as_ref()?;
        let mut tools = Vec::new();
        let found = collect_tools(body, &mut tools);
        found.then_some(Cow::Owned(Value::Array(tools)))
    }

    /// The events of a run: of its stream, or those that the answer holds.
    pub fn events(&self) -> Option<&Value> {
        match &self.stream {
            Some(stream) => Some(stream.events()),
            None => self.field("events").filter(|events| events.is_array()),
        }
    }

    /// What a paused run waits for. The server goes on listing what has been decided, also when the run has ended: that
    /// is in `$.requirements` of the body, and here no longer.
    pub fn requirements(&self) -> Option<Value> {
        let over = |status: &str| !status.eq_ignore_ascii_case("PAUSED");
        if self.field("status").and_then(Value::as_str).is_some_and(over) {
            return None;
        }
        let found = ["requirements", "step_requirements"]
            .into_iter()
            .find_map(|name| self.field(name))
            .filter(|found| !found.is_null())?;
        Some(match found {
            Value::Array(all) => {
                all.iter().filter(|one| !agentos::decision::is_decided(one)).cloned().collect()
            }
            other => other.clone(),
        })
    }

    /// The token counts, by the names of the language: `input`, `output`, `total`, `reasoning`, ...
    pub fn tokens(&self) -> Option<Map<String, Value>> {
        let metrics = self.field("metrics").and_then(Value::as_object)?;
        let counts: Map<String, Value> = metrics
            .iter()
            .filter_map(|(name, value)| Some((name.strip_suffix("_tokens")?.to_owned(), value.clone())))
            .collect();
        (!counts.is_empty()).then_some(counts)
    }
}

/// Collects the tool calls of a run and of the runs inside it; whether there was a place for them at all.
fn collect_tools(run: &Value, tools: &mut Vec<Value>) -> bool {
    let mut found = false;
    if let Some(own) = run.get("tools").and_then(Value::as_array) {
        tools.extend(own.iter().cloned());
        found = true;
    }
    for inner in ["member_responses", "step_executor_runs"] {
        for member in run.get(inner).and_then(Value::as_array).into_iter().flatten() {
            found |= collect_tools(member, tools);
        }
    }
    found
}
