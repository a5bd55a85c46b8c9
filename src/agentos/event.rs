//! The events of a streamed run, and what their names and fields mean.

use std::time::Duration;

use serde_json::{Map, Value};

use super::operation::Resource;
use super::sse;

/// What can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Component {
    Agent,
    Team,
    Workflow,
}

impl Component {
    /// What the operations of a resource run, if they run something.
    pub fn of(resource: Resource) -> Option<Self> {
        match resource {
            Resource::Agents => Some(Self::Agent),
            Resource::Teams => Some(Self::Team),
            Resource::Workflows => Some(Self::Workflow),
            _ => None,
        }
    }

    /// The field that holds its id.
    pub fn id_field(self) -> &'static str {
        match self {
            Self::Agent => "agent_id",
            Self::Team => "team_id",
            Self::Workflow => "workflow_id",
        }
    }
}

/// How a run ended, or stopped for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It ran to its end.
    Completed,
    /// It waits for a decision, and can be continued.
    Paused,
    /// It was cancelled.
    Cancelled,
    /// It failed.
    Failed,
}

impl Ending {
    /// The status of a run that ended so, as AgentOS writes it.
    pub fn status(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Paused => "PAUSED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "ERROR",
        }
    }

    /// The ending that a status means; none for those of runs that have not ended.
    pub fn of_status(status: &str) -> Option<Self> {
        [Self::Completed, Self::Paused, Self::Cancelled, Self::Failed]
            .into_iter()
            .find(|ending| status.eq_ignore_ascii_case(ending.status()))
    }
}

/// How the names of the events of workflows begin.
const OF_WORKFLOWS: [&str; 6] = ["Workflow", "Step", "Loop", "Parallel", "Condition", "Router"];

/// An event of a streamed run.
///
/// Names that this crate does not know are kept like all others: AgentOS adds some with every version.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEvent {
    /// What happened: `RunContent`, `TeamToolCallStarted`, `WorkflowCompleted`, ...
    pub name: String,
    /// The event as it was sent.
    pub data: Map<String, Value>,
    /// When it arrived, counted from sending the request.
    pub at: Duration,
}

impl RunEvent {
    /// An event out of its frame; none for a frame that ends a stream in other protocols (`[DONE]`). The error says why
    /// the data cannot be read.
    pub fn read(frame: &sse::Event<'_>, at: Duration) -> Result<Option<Self>, String> {
        if frame.data.trim() == "[DONE]" {
            return Ok(None);
        }
        let name = frame.name.as_deref();
        let data: Map<String, Value> = serde_json::from_str(&frame.data).map_err(|error| {
            let name = name.unwrap_or("without a name");
            let start: String = frame.data.chars().take(80).collect();
            format!("the event {name} is not a JSON object: {error}: `{start}`")
        })?;
        let name = name.or_else(|| text(&data, "event")).unwrap_or("message").to_owned();
        Ok(Some(Self { name, data, at }))
    }

    /// Which kind of component it is of; none for the frames of the stream itself: `replay`, `catch_up`, `subscribed`,
    /// `error`.
    pub fn component(&self) -> Option<Component> {
        if self.is_frame() {
            return None;
        }
        if self.name.starts_with("Team") {
            Some(Component::Team)
        } else if OF_WORKFLOWS.iter().any(|prefix| self.name.starts_with(prefix)) {
            Some(Component::Workflow)
        } else {
            // Those of agents have no prefix; `CustomEvent` may be of all three.
            [Component::Agent, Component::Team, Component::Workflow]
                .into_iter()
                .find(|component| self.text(component.id_field()).is_some())
                .or(Some(Component::Agent))
        }
    }

    /// Whether it is about the stream and not about the run: what a resumed stream says before the events that were
    /// missed, or `error`, which agno 3.1.10 answers with status 200 where there is no such run.
    pub fn is_frame(&self) -> bool {
        matches!(self.name.as_str(), "replay" | "catch_up" | "subscribed" | "error")
    }

    /// The name without the prefix of teams, whose events are otherwise named like those of agents.
    pub fn stem(&self) -> &str {
        match self.name.strip_prefix("Team") {
            Some(stem) if !stem.is_empty() => stem,
            _ => &self.name,
        }
    }

    /// How the run of this event ended with it, if it did. In a stream with members or steps, that is not the end of the
    /// run that was asked for: see [`RunEvent::is_nested`].
    pub fn ending(&self) -> Option<Ending> {
        match self.stem() {
            "RunCompleted" | "WorkflowCompleted" => Some(Ending::Completed),
            "RunPaused" | "WorkflowPaused" => Some(Ending::Paused),
            "RunCancelled" | "WorkflowCancelled" => Some(Ending::Cancelled),
            "RunError" | "WorkflowError" | "error" => Some(Ending::Failed),
            _ => None,
        }
    }

    /// Whether its run ended with it, or stopped for now.
    pub fn is_terminal(&self) -> bool {
        self.ending().is_some()
    }

    /// Whether it carries a piece of an answer. Text that is not for the user (`RunIntermediateContent`) is none.
    pub fn is_content(&self) -> bool {
        self.stem() == "RunContent" && self.data.get("content").is_some_and(|content| !content.is_null())
    }

    /// The text that it adds to the answer.
    pub fn delta(&self) -> Option<&str> {
        if self.is_content() { self.data.get("content").and_then(Value::as_str) } else { None }
    }

    /// The call of a tool that it is about.
    pub fn tool(&self) -> Option<&Map<String, Value>> {
        self.data.get("tool").and_then(Value::as_object)
    }

    /// The run that it is of. Members of a team and steps of a workflow have runs of their own.
    pub fn run_id(&self) -> Option<&str> {
        self.text("run_id")
    }

    /// The run of the team that this member's run is a part of.
    pub fn parent_run_id(&self) -> Option<&str> {
        self.text("parent_run_id")
    }

    /// The run of the workflow, in the events of an agent or a team that executes a step.
    pub fn workflow_run_id(&self) -> Option<&str> {
        self.text("workflow_run_id")
    }

    /// How deep its workflow stands in others.
    pub fn nested_depth(&self) -> u64 {
        self.data.get("nested_depth").and_then(Value::as_u64).unwrap_or_default()
    }

    /// Whether it is of a run within the one that was asked for: of a member, of what executes a step, of a workflow in
    /// a workflow.
    pub fn is_nested(&self) -> bool {
        self.parent_run_id().is_some() || self.workflow_run_id().is_some() || self.nested_depth() > 0
    }

    /// Its number, by which a stream is resumed. Only the streams of background runs, resumed streams and (agno 3.1.10)
    /// those of continued agents and teams have it.
    pub fn event_index(&self) -> Option<i64> {
        self.data.get("event_index").and_then(Value::as_i64)
    }

    /// A field that is a text and not empty.
    pub fn text(&self, field: &str) -> Option<&str> {
        text(&self.data, field)
    }

    /// The event as JSON. `event` holds its name also where the server leaves it out (`WorkflowRunOutput`).
    pub fn into_json(mut self) -> Value {
        if !self.data.contains_key("event") {
            self.data.insert("event".to_owned(), Value::String(self.name));
        }
        Value::Object(self.data)
    }
}

fn text<'a>(data: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    data.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}
