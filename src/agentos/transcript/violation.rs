//! What must hold of every stream of a run, whatever the run is about.

use std::fmt;

use serde_json::Value;

use super::{ToolState, Transcript};
use crate::agentos::event::{Component, Ending, RunEvent};

/// Something that must hold of every stream, and does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What should have held.
    pub kind: ViolationKind,
    /// What was found instead.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What must hold of every stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViolationKind {
    /// One event ends the run, and it is the last one of the run. (`RunCancelled` is followed by `RunCompleted`.)
    Ending,
    /// The pieces of the answer, joined, are the answer.
    Content,
    /// Every call of a tool that began was completed or failed, if the run completed.
    Tools,
    /// All events of the run have its id.
    RunId,
    /// The numbers of events rise.
    EventIndex,
}

impl ViolationKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ending, Self::Content, Self::Tools, Self::RunId, Self::EventIndex];

    /// The word by which it is switched off.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ending => "ending",
            Self::Content => "content",
            Self::Tools => "tools",
            Self::RunId => "run_id",
            Self::EventIndex => "event_index",
        }
    }
}

/// What is seen of the invariants while events come.
#[derive(Debug, Clone, Default)]
pub(super) struct Invariants {
    /// The events that ended the run.
    endings: Vec<(String, Ending)>,
    /// The first event of the run behind one that ended it.
    after: Option<String>,
    run_id: Option<String>,
    /// Found as they came; one of a kind is enough.
    found: Vec<Violation>,
}

impl Invariants {
    pub(super) fn index(&mut self, last: Option<i64>, index: i64, event: &RunEvent, position: usize) {
        if let Some(last) = last
            && !event.follows(index, last)
        {
            let name = &event.name;
            self.report(
                ViolationKind::EventIndex,
                format!("`event_index` does not rise: event {position}, {name}, has {index} after {last}"),
            );
        }
    }

    pub(super) fn own(&mut self, event: &RunEvent) {
        match (&self.run_id, event.run_id()) {
            (None, Some(run_id)) => self.run_id = Some(run_id.to_owned()),
            (Some(known), Some(other)) if known != other => {
                let message = format!("the stream of run `{known}` has a {} of run `{other}`", event.name);
                self.report(ViolationKind::RunId, message);
            }
            _ => {}
        }
        match event.ending() {
            Some(ending) => self.endings.push((event.name.clone().into_owned(), ending)),
            // What a workflow pauses with is repeated behind it.
            None if event.name == "WorkflowRunOutput" => {}
            None if !self.endings.is_empty() => {
                self.after.get_or_insert_with(|| event.name.clone().into_owned());
            }
            None => {}
        }
    }

    fn report(&mut self, kind: ViolationKind, message: String) {
        if self.found.iter().all(|violation| violation.kind != kind) {
            self.found.push(Violation { kind, message });
        }
    }

    pub(super) fn violations(&self, transcript: &Transcript) -> Vec<Violation> {
        let found = |kind, message: Option<String>| message.map(|message| Violation { kind, message });
        let mut all: Vec<Violation> = [
            found(ViolationKind::Ending, transcript.incomplete().or_else(|| self.wrong_ending())),
            found(ViolationKind::Content, wrong_content(transcript)),
            found(ViolationKind::Tools, open_tools(transcript)),
        ]
        .into_iter()
        .flatten()
        .collect();
        all.extend(self.found.iter().cloned());
        all.sort_by_key(|violation| violation.kind);
        all
    }

    fn wrong_ending(&self) -> Option<String> {
        let legal = match self.endings.as_slice() {
            [] | [_] => true,
            [(_, first), (_, second)] => *first == Ending::Cancelled && *second == Ending::Completed,
            _ => false,
        };
        if !legal {
            let names: Vec<&str> = self.endings.iter().map(|(name, _)| name.as_str()).collect();
            return Some(format!("the run ended more than once: {}", names.join(", ")));
        }
        let (last, _) = self.endings.last()?;
        self.after.as_ref().map(|after| format!("{after} came after {last}, which ended the run"))
    }
}

/// How the pieces of the answer differ from the answer of a run that completed. A stream that begins in the middle of its
/// run (resumed, or continued after a pause) need only have its end.
fn wrong_content(transcript: &Transcript) -> Option<String> {
    let body = &transcript.body;
    if transcript.ending != Some(Ending::Completed) {
        return None;
    }
    let whole = body.content.as_ref().unwrap_or(&Value::Null);
    if let Some(piece) = &body.object {
        return (piece != whole)
            .then(|| format!("the content came as {}, and ended as {}", brief(piece), brief(whole)));
    }
    let joined = body.joined.as_str();
    let Value::String(whole) = whole else {
        // Text that came in pieces and is an object in the end was the text of that object.
        return None;
    };
    let agrees = joined.is_empty() || if body.from_start { whole == joined } else { whole.ends_with(joined) };
    if agrees || transcript.component == Component::Workflow {
        return None;
    }
    let same = whole.chars().zip(joined.chars()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| brief(&Value::from(text.chars().skip(same).collect::<String>()));
    Some(format!(
        "the pieces of the content are not its whole: from character {} on, {} came in pieces, and {} as a whole",
        same + 1,
        from(joined),
        from(whole)
    ))
}

fn open_tools(transcript: &Transcript) -> Option<String> {
    if transcript.ending != Some(Ending::Completed) {
        return None;
    }
    let open = transcript.tools.iter().filter(|call| call.state == ToolState::Started).map(|call| {
        let field = |name: &str| call.tool.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
        format!("{} ({})", field("tool_name"), field("tool_call_id"))
    });
    let open: Vec<String> = open.collect();
    (!open.is_empty()).then(|| format!("calls of tools began and did not end: {}", open.join(", ")))
}

fn brief(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
