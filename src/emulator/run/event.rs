//! The events of a run, and where they go: into an SSE stream, onto a tape, or nowhere.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::Object;
use crate::emulator::kind::Kind;
use crate::emulator::live::{Live, Tape, frame};

/// Where events go, and whether anybody still wants the run.
#[derive(Debug)]
pub(crate) struct Sink {
    out: Option<UnboundedSender<Bytes>>,
    tape: Option<Arc<Tape>>,
    /// Whether what is sent carries the index that it has on the tape.
    indexed: bool,
    /// With `stream_events=false` only these are sent.
    only: Option<&'static [&'static str]>,
    kind: Kind,
    stays: bool,
    /// What was told so far: a streamed run is stored with its events.
    told: Mutex<Vec<Value>>,
    live: Arc<Live>,
    /// The run that was asked for; those within it end with it.
    run_id: String,
}

impl Sink {
    /// For a run that is answered in one piece.
    pub(crate) fn silent(kind: Kind, live: &Arc<Live>, run_id: &str) -> Self {
        Self {
            out: None,
            tape: None,
            indexed: false,
            only: None,
            kind,
            stays: false,
            told: Mutex::default(),
            live: live.clone(),
            run_id: run_id.to_owned(),
        }
    }

    /// Sends events, all of them or only those that `stream_events=false` leaves.
    pub(crate) fn sending(mut self, out: UnboundedSender<Bytes>, all: bool) -> Self {
        self.only = match self.kind {
            _ if all => None,
            Kind::Agent => Some(&["RunContent", "RunPaused", "RunError"]),
            Kind::Team => Some(&["TeamRunContent", "TeamRunPaused", "TeamRunError"]),
            Kind::Workflow => Some(&[
                "WorkflowStarted",
                "RunContent",
                "RunError",
                "StepOutput",
                "StepPaused",
                "WorkflowPaused",
                "WorkflowRunOutput",
                "WorkflowCompleted",
            ]),
        };
        self.out = Some(out);
        self
    }

    /// The run does not mind when its client goes away.
    pub(crate) fn staying(mut self) -> Self {
        self.stays = true;
        self
    }

    /// Takes events down under the id of a run, too. Of a workflow that goes on, what is sent has no index.
    pub(crate) fn taped(mut self, run_id: &str) -> Self {
        self.tape = Some(self.live.open_tape(run_id));
        self.indexed = self.kind != Kind::Workflow || self.out.is_none();
        self
    }

    /// Whether the run is streamed: it then differs in more than its events.
    pub(crate) fn streams(&self) -> bool {
        self.out.is_some() || self.tape.is_some()
    }

    /// Whether the run is streamed to whoever comes: it outlives the request.
    pub(crate) fn in_background(&self) -> bool {
        self.out.is_none() && self.tape.is_some()
    }

    /// Whether the client has gone away, which cancels a run in agno 3.1.10.
    pub(crate) fn gone(&self) -> bool {
        !self.stays && self.out.as_ref().is_some_and(UnboundedSender::is_closed)
    }

    /// Whether somebody asked for the end of this run, or of the workflow that it belongs to. The
    /// members of a team finish what they do.
    pub(crate) fn cancelled(&self, run_id: &str) -> bool {
        self.live.is_cancelled(run_id) || (self.kind != Kind::Team && self.live.is_cancelled(&self.run_id))
    }

    /// The run has ended in this way: who asks for its end later means the next of its id.
    pub(crate) fn close(&self, status: &str) {
        self.live.settle(&self.run_id);
        if let Some(tape) = &self.tape {
            tape.finish(status);
        }
    }

    /// The events to store, taken out. Deltas are not kept; of a workflow they are, but no step outputs.
    pub(crate) fn told(&self) -> Option<Vec<Value>> {
        let told = mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        (!told.is_empty()).then_some(told)
    }

    /// The events of one of the runs within, deltas left out.
    pub(crate) fn told_by(&self, run_id: &str) -> Vec<Value> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let own = |event: &&Value| event["run_id"] == run_id && event["event"] != "RunContent";
        told.iter().filter(own).cloned().collect()
    }

    /// Keeps an event for the store without sending it.
    pub(crate) fn keep(&self, event: &Object) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(Value::Object(event.clone()));
    }

    /// Sends an event.
    pub(crate) fn send(&self, event: &Object) {
        if !self.streams() {
            return;
        }
        let name = event.get("event").and_then(Value::as_str).unwrap_or("WorkflowRunOutput");
        // Whatever the leader leaves out, its members tell everything.
        let of_member = event.contains_key("parent_run_id");
        let sent = of_member || self.only.is_none_or(|only| only.contains(&name));
        let mut numbered = None;
        if let Some(tape) = self.tape.as_ref().filter(|_| sent) {
            let mut event = event.clone();
            tape.add(&mut event);
            numbered = Some(event);
        }
        let shown = if self.indexed { numbered.as_ref().unwrap_or(event) } else { event };
        let last = !of_member
            && self.kind != Kind::Workflow
            && matches!(name, "RunCompleted" | "TeamRunCompleted" | "TeamRunPaused");
        let kept = match self.kind {
            Kind::Workflow => sent && !matches!(name, "StepOutput" | "WorkflowPaused" | "WorkflowRunOutput"),
            Kind::Agent | Kind::Team => (sent || last) && !matches!(name, "RunContent" | "TeamRunContent"),
        };
        if kept {
            // A run is stored before its last event gets an index; those of a workflow itself get none.
            let numbered = !last && (self.kind != Kind::Workflow || event.contains_key("agent_id"));
            self.keep(if numbered { shown } else { event });
        }
        if let Some(out) = self.out.as_ref().filter(|_| sent) {
            // A client that has gone away hears nothing.
            let _ = out.send(frame(shown));
        }
    }
}
