//! The events of a run, and where they go: into an SSE stream, or nowhere.

use std::mem;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::Object;
use crate::emulator::kind::Kind;

/// Where events go.
#[derive(Debug)]
pub(crate) struct Sink {
    out: Option<UnboundedSender<Bytes>>,
    /// With `stream_events=false` only these are sent.
    only: Option<&'static [&'static str]>,
    kind: Kind,
    /// What was told so far: a streamed run is stored with its events.
    told: Mutex<Vec<Value>>,
}

impl Sink {
    /// For a run that is answered in one piece.
    pub(crate) fn silent(kind: Kind) -> Self {
        Self { out: None, only: None, kind, told: Mutex::default() }
    }

    /// For a run of a component of this kind whose events are sent.
    pub(crate) fn stream(kind: Kind, out: UnboundedSender<Bytes>, all: bool) -> Self {
        let only: Option<&'static [&'static str]> = match kind {
            _ if all => None,
            Kind::Agent => Some(&["RunContent", "RunPaused", "RunError"]),
            Kind::Team => Some(&["TeamRunContent", "TeamRunPaused", "TeamRunError"]),
            Kind::Workflow => {
                Some(&["WorkflowStarted", "RunContent", "RunError", "StepOutput", "WorkflowCompleted"])
            }
        };
        Self { out: Some(out), only, kind, told: Mutex::default() }
    }

    /// Whether the run is streamed: it then differs in more than its events.
    pub(crate) fn streams(&self) -> bool {
        self.out.is_some()
    }

    /// Whether the client has gone away, which cancels a run in agno 3.1.10.
    pub(crate) fn gone(&self) -> bool {
        self.out.as_ref().is_some_and(UnboundedSender::is_closed)
    }

    /// The events to store, taken out. Deltas are not kept; of a workflow they are, but no step outputs.
    pub(crate) fn told(&self) -> Option<Vec<Value>> {
        let told = mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        (!told.is_empty()).then_some(told)
    }

    /// Sends an event.
    pub(crate) fn send(&self, event: &Object) {
        let Some(out) = &self.out else { return };
        let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
        let kept = match self.kind {
            Kind::Workflow => name != "StepOutput",
            Kind::Agent | Kind::Team => !matches!(name, "RunContent" | "TeamRunContent"),
        };
        if kept {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(Value::Object(event.clone()));
        }
        // Whatever the leader leaves out, its members tell everything.
        let of_member = event.contains_key("parent_run_id");
        if !of_member && self.only.is_some_and(|only| !only.contains(&name)) {
            return;
        }
        // One line: JSON escapes every line break in its strings.
        let data = serde_json::to_string(event).unwrap_or_default();
        // A client that has gone away hears nothing.
        let _ = out.send(Bytes::from(format!("event: {name}\ndata: {data}\n\n")));
    }
}
