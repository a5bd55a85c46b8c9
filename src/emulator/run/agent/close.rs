//! The end of a run of an agent: its last events, and the document that it leaves.

use serde_json::{Value, json};

use super::{Ending, Run, structured};
use crate::emulator::clock;
use crate::emulator::execution::Requirement;
use crate::emulator::message::Usage;
use crate::emulator::run::{Finished, Object, Status, metrics, put, put_model, put_some};
use crate::emulator::tools::Need;

/// Why a run ends that its client has left.
const LEFT: &str = "Operation cancelled by user";

impl Run<'_> {
    pub(super) fn close(mut self, ending: Ending) -> Finished {
        if matches!(ending, Ending::Answered(_) | Ending::Paused(_)) {
            let event = self.event("RunContentCompleted");
            self.sink.send(&event);
        }
        if matches!(ending, Ending::Answered(_)) {
            self.remember();
        }
        let duration = self.took.unwrap_or_else(|| self.since.elapsed().as_secs_f64());
        let (status, text, numbers) = self.outcome(&ending, duration);
        let content = match (&ending, self.part.schema) {
            (Ending::Answered(text), Some(_)) => Some(structured(text)),
            (Ending::Failed(said, _), _) if !said.is_empty() => Some(json!(said)),
            // An empty answer is none.
            _ => (!text.is_empty()).then(|| json!(text)),
        };
        for requirement in &mut self.requirements {
            if let Some(tool) = requirement.at.and_then(|at| self.tools.get(at)) {
                requirement.execution = tool.clone();
            }
        }
        self.tell_end(&ending, content.as_ref(), &numbers);
        let stage = matches!(ending, Ending::Cancelled(_));
        let document = self.document(status, stage, content.as_ref(), numbers);
        let met_model = self.first_token.is_some();
        // A run that goes on is charged for all that it ever used, once more.
        let mut usage = self.usage;
        usage.add(self.memory_usage);
        Finished {
            document,
            members: Vec::new(),
            requirements: self.requirements,
            status,
            text,
            met_model,
            usage,
            memory_usage: self.memory_usage,
            changes: self.changes,
        }
    }

    /// How it ended, with what text, and in what numbers.
    fn outcome(&self, ending: &Ending, duration: f64) -> (Status, String, Value) {
        let counted = || self.metrics(duration);
        let only_time = || json!({ "duration": duration });
        let streams = self.sink.streams();
        match ending {
            // A stream that fails has met the model: its run keeps the text, and says so in its metrics.
            Ending::Failed(said, failure) if !said.is_empty() => {
                (Status::Error, failure.message.clone(), counted())
            }
            Ending::Failed(_, failure) => (Status::Error, failure.message.clone(), only_time()),
            Ending::Abandoned(text) => (Status::Cancelled, text.clone(), counted()),
            Ending::Cancelled(text) => {
                let numbers = match self.first_token {
                    None => only_time(),
                    Some(first) if streams && self.usage.is_nothing() => {
                        json!({ "time_to_first_token": first, "duration": duration })
                    }
                    Some(_) => counted(),
                };
                (Status::Cancelled, text.clone(), numbers)
            }
            Ending::Answered(text) => (Status::Completed, text.clone(), counted()),
            Ending::Paused(need) => (Status::Paused, waiting(*need).to_owned(), counted()),
        }
    }

    /// The numbers of the run; those of the memory manager's requests stand apart.
    fn metrics(&self, duration: f64) -> Value {
        let mut all = self.usage;
        all.add(self.memory_usage);
        let by = self.part.agent.model;
        let mut numbers = metrics(all, by, self.first_token, duration);
        if self.memory_usage != Usage::default() {
            let memory = self.memory_usage.details(by)["model"].take();
            numbers["details"] = self.usage.details(by);
            numbers["details"]["memory_model"] = memory;
        }
        numbers
    }

    /// The last events.
    fn tell_end(&self, ending: &Ending, content: Option<&Value>, numbers: &Value) {
        match ending {
            Ending::Answered(_) => self.sink.send(&self.completed(content, numbers)),
            Ending::Paused(_) => {
                let mut event = self.event("RunPaused");
                put_some(&mut event, "content", content.cloned());
                put(&mut event, "tools", json!(self.tools));
                put(&mut event, "requirements", self.required());
                self.sink.send(&event);
            }
            Ending::Failed(_, failure) => {
                let mut event = self.event("RunError");
                put(&mut event, "content", failure.message.as_str());
                put(&mut event, "error_type", failure.error_type.as_str());
                self.sink.send(&event);
                if self.before.is_some() && !self.sink.streams() {
                    self.sink.keep(&event);
                }
            }
            Ending::Cancelled(_) => {
                self.sink.send(&self.ended(content, &format!("Run {} was cancelled", self.part.run_id)));
                self.sink.send(&self.completed(content, numbers));
            }
            Ending::Abandoned(_) => {
                // Nobody listens any more; the store keeps what would have been told.
                self.sink.keep(&self.ended(content, LEFT));
                self.sink.keep(&self.completed(content, numbers));
            }
        }
    }

    fn ended(&self, content: Option<&Value>, reason: &str) -> Object {
        let mut event = self.event("RunCancelled");
        put_some(&mut event, "content", content.cloned());
        put(&mut event, "reason", reason);
        event
    }

    fn completed(&self, content: Option<&Value>, numbers: &Value) -> Object {
        let mut event = self.event("RunCompleted");
        self.put_text(&mut event, content, false);
        put(&mut event, "content_type", self.content_type());
        put(&mut event, "session_state", self.part.state.clone());
        put_some(&mut event, "metadata", self.part.metadata.cloned());
        put_some(&mut event, "references", self.references.clone());
        self.put_text(&mut event, content, true);
        put(&mut event, "metrics", numbers.clone());
        event
    }

    fn required(&self) -> Vec<Value> {
        self.requirements.iter().map(Requirement::document).collect()
    }

    fn document(&self, status: Status, stage: bool, content: Option<&Value>, numbers: Value) -> Object {
        let part = &self.part;
        let mut run = Object::new();
        put(&mut run, "run_id", part.run_id.as_str());
        put(&mut run, "agent_id", part.agent.id);
        put(&mut run, "agent_name", part.agent.name);
        put(&mut run, "session_id", part.session_id);
        put_some(&mut run, "parent_run_id", part.parent_run_id);
        put_some(&mut run, "user_id", part.user_id);
        self.put_text(&mut run, content, false);
        put(&mut run, "content_type", if status == Status::Completed { self.content_type() } else { "str" });
        put_model(&mut run, part.agent.model);
        put(&mut run, "session_state", part.state.clone());
        put(&mut run, "created_at", self.created_at);
        put(&mut run, "status", status.word());
        if stage {
            put(&mut run, "cancellation_stage", "EXECUTING");
        }
        run.extend(self.lineage.clone());
        put_some(&mut run, "workflow_step_id", part.step.map(|step| step.id.as_str()));
        put(&mut run, "metrics", numbers);
        // The events belong to the run that was asked for, not to those within it.
        if part.parent_run_id.is_none() {
            let mut events = self.before.clone();
            if let Some(told) = self.sink.told() {
                events.get_or_insert_default().extend(told.into_iter().map(|event| self.settled(event)));
            }
            put_some(&mut run, "events", events);
        } else if let Some(before) = &self.before {
            put(&mut run, "events", before.clone());
        }
        if !self.messages.is_empty() {
            put(&mut run, "messages", json!(self.messages));
        }
        put_some(&mut run, "metadata", part.metadata.cloned());
        put_some(&mut run, "references", self.references.clone());
        self.put_text(&mut run, content, true);
        // A streamed run and a failed one have no `tools` unless some were called.
        let finished = matches!(status, Status::Completed | Status::Paused);
        if !self.tools.is_empty() || (finished && !self.sink.streams()) {
            put(&mut run, "tools", json!(self.tools));
        }
        put_some(&mut run, "requirements", (!self.requirements.is_empty()).then(|| self.required()));
        put(&mut run, "input", part.media.input(part.message));
        run
    }

    /// An event as it is stored: of a call that a human had a say in it shows what came of it.
    fn settled(&self, mut event: Value) -> Value {
        if self.before.is_some()
            && let Some(tool) = event.get_mut("tool")
            && let Some(known) =
                self.tools.iter().find(|known| tool["tool_call_id"] == json!(known.tool_call_id))
        {
            *tool = json!(known);
        }
        event
    }

    /// Adds the content at its place. An object made by a pydantic model comes late.
    pub(super) fn put_text(&self, fields: &mut Object, content: Option<&Value>, late: bool) {
        if self.part.schema.is_some_and(|schema| schema.model) == late {
            put_some(fields, "content", content.cloned());
        }
    }

    pub(super) fn content_type(&self) -> &str {
        self.part.schema.map_or("str", |schema| &schema.content_type)
    }

    pub(super) fn event(&self, name: &str) -> Object {
        let part = &self.part;
        let mut event = Object::new();
        put(&mut event, "created_at", clock::epoch());
        put(&mut event, "event", name);
        put(&mut event, "agent_id", part.agent.id);
        put(&mut event, "agent_name", part.agent.name);
        put(&mut event, "run_id", part.run_id.as_str());
        if part.step.is_none() {
            put_some(&mut event, "parent_run_id", part.parent_run_id);
        }
        put(&mut event, "session_id", part.session_id);
        if let Some(step) = part.step {
            put(&mut event, "workflow_id", step.workflow_id);
            put(&mut event, "workflow_run_id", step.workflow_run_id);
            put(&mut event, "step_id", step.id.as_str());
            put(&mut event, "step_name", step.name);
            put(&mut event, "step_index", step.index);
        }
        put(&mut event, "nested_depth", 0);
        event
    }
}

fn waiting(need: Need) -> &'static str {
    match need {
        Need::Nothing | Need::Confirmation => "I have tools to execute, but I need confirmation.",
        Need::ExternalExecution => "I have tools to execute, but it needs external execution.",
        Need::UserInput => "I have tools to execute, but I need user input.",
    }
}
