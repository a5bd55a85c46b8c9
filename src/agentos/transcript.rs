//! A streamed run, put together from its events: the answer in the shape of a plain one, and what is wrong with the
//! stream.

mod body;
mod violation;

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use self::body::Body;
use self::violation::Invariants;
pub use self::violation::{Violation, ViolationKind};
use super::error::Progress;
use super::event::{Component, Ending, RunEvent};
use super::operation::Payload;
use super::transport::{Exchange, Head, SentRequest};

/// What the events of a run amount to, taken one by one.
///
/// ```
/// # use std::time::Duration;
/// # use agentos_run::agentos::{Component, RunEvent, Transcript};
/// # use serde_json::{Map, Value, json};
/// # fn event(name: &str, fields: Value) -> RunEvent {
/// #     RunEvent::new(name, fields.as_object().unwrap_or(&Map::new()), Duration::ZERO)
/// # }
/// let mut transcript = Transcript::new(Component::Agent);
/// transcript.push(event("RunStarted", json!({"run_id": "r", "agent_id": "a"})));
/// transcript.push(event("RunContent", json!({"run_id": "r", "agent_id": "a", "content": "Hello"})));
/// assert_eq!(
///     transcript.incomplete().as_deref(),
///     Some("the stream ended before its run did, after 2 events, 5 characters of content, last event RunContent")
/// );
/// transcript.push(event("RunCompleted", json!({"run_id": "r", "agent_id": "a", "content": "Hello"})));
/// assert_eq!(transcript.body()["content"], "Hello");
/// assert_eq!(transcript.body()["status"], "COMPLETED");
/// assert!(transcript.violations().is_empty());
/// ```
#[derive(Debug, Clone)]
pub struct Transcript {
    component: Component,
    events: Option<Vec<RunEvent>>,
    count: usize,
    last: Option<Cow<'static, str>>,
    characters: usize,
    tools: Vec<ToolCall>,
    ending: Option<Ending>,
    error: Option<String>,
    body: Body,
    invariants: Invariants,
    last_index: Option<i64>,
    resumed: bool,
    times: Times,
}

/// A call of a tool in a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// The run that made it.
    pub run_id: Option<String>,
    /// Whether that run is a member's or a step's, not the one that was asked for.
    pub nested: bool,
    /// How far it came.
    pub state: ToolState,
    /// The latest that was said of it: `tool_call_id`, `tool_name`, `tool_args`, `result`, `tool_call_error`, ...
    pub tool: Map<String, Value>,
    /// The error, of one that failed.
    pub error: Option<String>,
}

/// How far the call of a tool came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ToolState {
    Started,
    Completed,
    Failed,
}

#[derive(Debug, Clone, Copy, Default)]
struct Times {
    ttft: Option<Duration>,
    last: Duration,
    longest_gap: Duration,
}

impl Transcript {
    /// Nothing yet, of a run of this kind of component. That of its members and steps is told apart from its own.
    pub fn new(component: Component) -> Self {
        Self {
            component,
            events: Some(Vec::new()),
            count: 0,
            last: None,
            characters: 0,
            tools: Vec::new(),
            ending: None,
            error: None,
            body: Body::default(),
            invariants: Invariants::default(),
            last_index: None,
            resumed: false,
            times: Times::default(),
        }
    }

    /// Does not keep the events: for long streams of which only the answer is wanted.
    #[must_use]
    pub fn without_events(mut self) -> Self {
        self.events = None;
        self
    }

    /// Takes over what only the request says: the input and the user.
    #[must_use]
    pub fn of_request(mut self, request: &SentRequest) -> Self {
        self.note_request(request);
        self
    }

    fn note_request(&mut self, request: &SentRequest) {
        let (Payload::Form(pairs) | Payload::Multipart(pairs) | Payload::Upload { fields: pairs, .. }) =
            &request.payload
        else {
            return;
        };
        let field =
            |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        self.body.message = field("message");
        // With a token, the server may take its subject for the user.
        let authorized = request.headers.iter().any(|(name, _)| name == "authorization");
        self.body.user_id = field("user_id").filter(|_| !authorized);
    }

    /// Says that the next events come from resuming the stream: those that have come before are passed over.
    pub fn resume(&mut self) {
        self.resumed = true;
    }

    /// The next event.
    pub fn push(&mut self, event: RunEvent) {
        let index = event.event_index();
        if self.resumed
            && let (Some(index), Some(last)) = (index, self.last_index)
            && !event.follows(index, last)
        {
            return;
        }
        self.count += 1;
        let gap = event.at.saturating_sub(self.times.last);
        self.times.longest_gap = self.times.longest_gap.max(gap);
        self.times.last = event.at;
        if let Some(index) = index {
            self.invariants.index(self.last_index, index, &event, self.count);
            self.last_index = self.last_index.max(Some(index));
        }
        if event.is_frame() {
            self.frame(&event);
        } else {
            let own = self.is_own(&event);
            self.content(&event, own);
            self.tool(&event, own);
            if own {
                self.own(&event);
            }
        }
        self.last = Some(event.name.clone());
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }

    /// Whether the event is of the run that was asked for.
    fn is_own(&self, event: &RunEvent) -> bool {
        event.component() == Some(self.component) && !event.is_nested()
    }

    fn content(&mut self, event: &RunEvent, own: bool) {
        if !event.is_content() {
            return;
        }
        // A workflow has no text of its own: what it says is what its steps say.
        if own || self.component == Component::Workflow {
            self.times.ttft.get_or_insert(event.at);
            self.characters += event.delta().map_or(0, |text| text.chars().count());
        }
        if own {
            self.body.add_content(event);
        }
    }

    fn tool(&mut self, event: &RunEvent, own: bool) {
        let state = match event.stem() {
            "ToolCallStarted" => ToolState::Started,
            "ToolCallCompleted" => ToolState::Completed,
            "ToolCallError" => ToolState::Failed,
            _ => return,
        };
        let Some(tool) = event.tool() else { return };
        let id = tool.get("tool_call_id");
        let run_id = event.run_id().map(str::to_owned);
        let error = event.text("error").map(str::to_owned);
        let known = self
            .tools
            .iter_mut()
            .find(|call| id.is_some() && call.tool.get("tool_call_id") == id && call.run_id == run_id);
        match known {
            Some(call) => {
                call.tool.clone_from(tool);
                call.state = state;
                call.error = error.or(call.error.take());
            }
            None => self.tools.push(ToolCall { run_id, nested: !own, state, tool: tool.clone(), error }),
        }
    }

    fn own(&mut self, event: &RunEvent) {
        self.body.note(event, self.component);
        self.invariants.own(event);
        let Some(ending) = event.ending() else { return };
        match ending {
            Ending::Failed => self.error = event.text("error").or(event.text("content")).map(str::to_owned),
            Ending::Cancelled => self.error = event.text("reason").map(str::to_owned),
            Ending::Completed | Ending::Paused => {}
        }
        // A cancelled run goes on to `RunCompleted`, and has been cancelled nevertheless; likewise a failed one.
        if !matches!(self.ending, Some(Ending::Cancelled | Ending::Failed)) {
            self.ending = Some(ending);
        }
        self.body.end(event, ending);
    }

    /// What a resumed stream says before its events.
    fn frame(&mut self, event: &RunEvent) {
        if event.name == "error" {
            self.ending = Some(Ending::Failed);
            self.error = event.text("error").map(str::to_owned);
            self.body.fail(self.error.as_deref());
            return;
        }
        self.body.note_ids(event);
        // A run that was no stream has no events to repeat: its status is all that comes.
        let none = event.data().get("total_events").and_then(Value::as_u64) == Some(0);
        if event.name == "replay" && none && self.ending.is_none() {
            self.ending = event.text("status").and_then(Ending::of_status);
        }
    }

    /// The events in order; none where they were not to be kept.
    pub fn events(&self) -> &[RunEvent] {
        self.events.as_deref().unwrap_or_default()
    }

    /// How many events came.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of the latest event, from which the stream can be resumed.
    pub fn last_event_index(&self) -> Option<i64> {
        self.last_index
    }

    /// The run, as soon as an event has named it.
    pub fn run_id(&self) -> Option<&str> {
        self.body.text("run_id")
    }

    /// The session, as soon as an event has named it.
    pub fn session_id(&self) -> Option<&str> {
        self.body.text("session_id")
    }

    /// The text that the component asked has sent piece by piece, so far.
    pub fn joined(&self) -> &str {
        &self.body.joined
    }

    /// The calls of tools, in the order of their beginning, those of members and steps among them.
    pub fn tools(&self) -> &[ToolCall] {
        &self.tools
    }

    /// How the run ended, if it did. One that was cancelled or failed has not completed, whatever comes after.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Why the run failed or was cancelled, in the words of the server.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// From sending the request to the first content of the component asked; of a workflow, of any of its steps.
    pub fn ttft(&self) -> Option<Duration> {
        self.times.ttft
    }

    /// The longest time without an event, before the first one included.
    pub fn longest_gap(&self) -> Duration {
        self.times.longest_gap
    }

    /// How far the stream came, if it ended before its run.
    pub fn incomplete(&self) -> Option<String> {
        if self.ending.is_some() {
            return None;
        }
        if self.last.is_none() {
            return Some("the stream ended without an event".to_owned());
        }
        Some(format!("the stream ended before its run did, {}", self.progress().after()))
    }

    /// How far it came.
    pub fn progress(&self) -> Progress {
        Progress { events: self.count, characters: self.characters, last: self.last.clone() }
    }

    /// The answer in the shape of one that is no stream. `status` says how the run ended; it is missing where no event
    /// says so. What only plain answers have (`messages`) is missing too.
    pub fn body(&self) -> Value {
        self.body.value(self.component, self.ending, &self.tools)
    }

    /// What is wrong with the stream, judged as one that has ended.
    pub fn violations(&self) -> Vec<Violation> {
        self.invariants.violations(self)
    }

    /// An exchange with [`Transcript::body`] for its body.
    pub fn into_exchange(mut self, head: Head, duration: Duration) -> Exchange {
        self.note_request(&head.request);
        self.exchange(head, duration)
    }

    /// The same, for a transcript that is still wanted and was told of its request.
    pub fn exchange(&self, head: Head, duration: Duration) -> Exchange {
        head.into_exchange(self.body().to_string().into(), duration)
    }
}
