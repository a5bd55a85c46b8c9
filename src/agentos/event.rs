//! The events of a streamed run, and what their names and fields mean.

mod members;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Map, Value};

use self::members::{Member, Members};
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

    fn id_member(self) -> Member {
        match self {
            Self::Agent => Member::AgentId,
            Self::Team => Member::TeamId,
            Self::Workflow => Member::WorkflowId,
        }
    }

    /// The field that holds its name.
    pub fn name_field(self) -> &'static str {
        match self {
            Self::Agent => "agent_name",
            Self::Team => "team_name",
            Self::Workflow => "workflow_name",
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

/// The names of the events that come by the thousand: they are told again without a copy of their own.
const FREQUENT: [&str; 4] =
    ["RunContent", "TeamRunContent", "RunIntermediateContent", "TeamRunIntermediateContent"];

/// An event of a streamed run.
///
/// Names that this crate does not know are kept like all others: AgentOS adds some with every version. The event is kept
/// as it was sent; what it is asked for is found there, and all of it is made JSON only by [`RunEvent::data`].
#[derive(Clone)]
pub struct RunEvent {
    /// What happened: `RunContent`, `TeamToolCallStarted`, `WorkflowCompleted`, ...
    pub name: Cow<'static, str>,
    /// When it arrived, counted from sending the request.
    pub at: Duration,
    raw: Box<str>,
    /// Where its usual members stand; none where `data` has been made at once.
    members: Option<Members>,
    /// The content, where it is a text that has escapes in it.
    unescaped: Option<Box<str>>,
    data: OnceLock<Box<Map<String, Value>>>,
}

impl RunEvent {
    /// An event of these fields.
    pub fn new(name: &str, data: &Map<String, Value>, at: Duration) -> Self {
        let raw = Value::Object(data.clone()).to_string();
        Self {
            name: Cow::Owned(name.to_owned()),
            at,
            raw: raw.into(),
            members: None,
            unescaped: None,
            data: OnceLock::from(Box::new(data.clone())),
        }
    }

    /// An event out of its frame; none for a frame that ends a stream in other protocols (`[DONE]`). The error says why
    /// the data cannot be read.
    pub fn read(frame: &sse::Event<'_>, at: Duration) -> Result<Option<Self>, String> {
        let raw = frame.data.as_ref();
        if raw.len() < 16 && raw.trim() == "[DONE]" {
            return Ok(None);
        }
        let mut event = Self {
            name: Cow::Borrowed("message"),
            at,
            raw: raw.into(),
            members: Members::find(raw),
            unescaped: None,
            data: OnceLock::new(),
        };
        if event.members.is_none() {
            event.data = OnceLock::from(Box::new(serde_json::from_str(raw).map_err(|error| {
                let name = frame.name.as_deref().unwrap_or("without a name");
                let start: String = raw.chars().take(80).collect();
                format!("the event {name} is not a JSON object: {error}: `{start}`")
            })?));
        } else if let Some(content) = event.member(Member::Content)
            && content.contains('\\')
        {
            event.unescaped = serde_json::from_str(content).ok();
        }
        if let Some(name) = frame.name.as_deref().or_else(|| event.known(Member::Event)) {
            let frequent = FREQUENT.into_iter().find(|frequent| *frequent == name);
            event.name = frequent.map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed);
        }
        Ok(Some(event))
    }

    /// The event as it was sent.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// All that it holds.
    pub fn data(&self) -> &Map<String, Value> {
        // What has its members found is JSON.
        self.data.get_or_init(|| serde_json::from_str(&self.raw).unwrap_or_default())
    }

    /// The JSON of a member, where the event has not been made JSON at once.
    fn member(&self, member: Member) -> Option<&str> {
        self.members.as_ref()?.get(&self.raw, member)
    }

    /// A member that is a text and not empty.
    fn known(&self, member: Member) -> Option<&str> {
        match &self.members {
            None => self.text_of_data(member.name()),
            Some(members) => {
                let text = members.get(&self.raw, member)?.strip_prefix('"')?.strip_suffix('"')?;
                if text.contains('\\') { self.text_of_data(member.name()) } else { not_empty(text) }
            }
        }
    }

    fn text_of_data(&self, field: &str) -> Option<&str> {
        self.data().get(field).and_then(Value::as_str).and_then(not_empty)
    }

    /// A member that is a whole number.
    fn number(&self, member: Member) -> Option<i64> {
        match &self.members {
            None => self.data().get(member.name()).and_then(Value::as_i64),
            Some(members) => members.get(&self.raw, member)?.parse().ok(),
        }
    }

    /// What a field holds, unless that is null.
    pub(super) fn value(&self, field: &str) -> Option<Value> {
        let value = match (&self.members, Member::of(field.as_bytes())) {
            (Some(members), Some(member)) => serde_json::from_str(members.get(&self.raw, member)?).ok(),
            _ => self.data().get(field).cloned(),
        };
        value.filter(|value| !value.is_null())
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
                .find(|component| self.known(component.id_member()).is_some())
                .or(Some(Component::Agent))
        }
    }

    /// Whether it is about the stream and not about the run: what a resumed stream says before the events that were
    /// missed, or `error`, which agno 3.1.10 answers with status 200 where there is no such run.
    pub fn is_frame(&self) -> bool {
        matches!(self.name.as_ref(), "replay" | "catch_up" | "subscribed" | "error")
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
        self.stem() == "RunContent"
            && match &self.members {
                None => self.data().get("content").is_some_and(|content| !content.is_null()),
                Some(members) => {
                    members.get(&self.raw, Member::Content).is_some_and(|content| content != "null")
                }
            }
    }

    /// The text that it adds to the answer.
    pub fn delta(&self) -> Option<&str> {
        if !self.is_content() {
            return None;
        }
        match &self.members {
            None => self.data().get("content").and_then(Value::as_str),
            Some(_) if self.unescaped.is_some() => self.unescaped.as_deref(),
            Some(members) => members.get(&self.raw, Member::Content)?.strip_prefix('"')?.strip_suffix('"'),
        }
    }

    /// The call of a tool that it is about.
    pub fn tool(&self) -> Option<&Map<String, Value>> {
        self.data().get("tool").and_then(Value::as_object)
    }

    /// The run that it is of. Members of a team and steps of a workflow have runs of their own.
    pub fn run_id(&self) -> Option<&str> {
        self.known(Member::RunId)
    }

    /// The run of the team that this member's run is a part of.
    pub fn parent_run_id(&self) -> Option<&str> {
        self.known(Member::ParentRunId)
    }

    /// The run of the workflow, in the events of an agent or a team that executes a step.
    pub fn workflow_run_id(&self) -> Option<&str> {
        self.known(Member::WorkflowRunId)
    }

    /// How deep its workflow stands in others.
    pub fn nested_depth(&self) -> u64 {
        self.number(Member::NestedDepth).and_then(|depth| u64::try_from(depth).ok()).unwrap_or_default()
    }

    /// Whether it is of a run within the one that was asked for: of a member, of what executes a step, of a workflow in
    /// a workflow.
    pub fn is_nested(&self) -> bool {
        self.parent_run_id().is_some() || self.workflow_run_id().is_some() || self.nested_depth() > 0
    }

    /// Its number, by which a stream is resumed. Only the streams of background runs, resumed streams and (agno 3.1.10)
    /// those of continued agents and teams have it.
    pub fn event_index(&self) -> Option<i64> {
        self.number(Member::EventIndex)
    }

    /// Whether an event with this number can come behind the one with the number `last`: its own is higher. agno 2.6 gives
    /// `StepOutput` the number of the event before it, and repeats it for nobody.
    pub(super) fn follows(&self, index: i64, last: i64) -> bool {
        index > last || index == last && self.name == "StepOutput"
    }

    /// A field that is a text and not empty.
    pub fn text(&self, field: &str) -> Option<&str> {
        match Member::of(field.as_bytes()) {
            Some(member) => self.known(member),
            None => self.text_of_data(field),
        }
    }

    /// The event as JSON. `event` holds its name also where the server leaves it out (`WorkflowRunOutput`).
    pub fn to_json(&self) -> Value {
        let mut data = self.data().clone();
        if !data.contains_key("event") {
            data.insert("event".to_owned(), Value::String(self.name.clone().into_owned()));
        }
        Value::Object(data)
    }
}

impl PartialEq for RunEvent {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.at == other.at && self.raw == other.raw
    }
}

impl fmt::Debug for RunEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunEvent")
            .field("name", &self.name)
            .field("at", &self.at)
            .field("raw", &self.raw)
            .finish_non_exhaustive()
    }
}

fn not_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
