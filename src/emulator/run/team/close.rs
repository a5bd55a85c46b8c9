//! The end of a run of a team: its last events, and the document that it leaves.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Ending, Run};
use crate::emulator::clock;
use crate::emulator::execution::Requirement;
use crate::emulator::message::Usage;
use crate::emulator::run::{Finished, Object, Status, metrics, put, put_model, put_some};

const LEFT: &str = "Operation cancelled by user";

impl Run<'_> {
    pub(super) fn close(mut self, ending: Ending) -> Finished {
        let duration = self.took.unwrap_or_else(|| self.since.elapsed().as_secs_f64());
        let numbers = metrics(self.usage, self.team.model, self.first_token, duration);
        let streams = self.sink.streams();
        let stage = matches!(ending, Ending::Cancelled(_));
        let mut extra = Vec::new();
        let (status, text, numbers) = match ending {
            Ending::Answered(text) => {
                self.sink.send(&self.event("TeamRunContentCompleted"));
                self.sink.send(&self.completed(&text, &numbers, true));
                (Status::Completed, text, numbers)
            }
            Ending::Paused => {
                let text = self.waiting();
                let mut event = self.event("TeamRunPaused");
                put(&mut event, "content", text.as_str());
                put(&mut event, "tools", json!(self.tools));
                put(&mut event, "requirements", self.required());
                self.sink.send(&event);
                if !streams {
                    extra.push(Value::Object(event));
                }
                (Status::Paused, text, numbers)
            }
            Ending::Failed(said, failure) => {
                let mut event = self.event("TeamRunError");
                put(&mut event, "content", failure.message.as_str());
                put(&mut event, "error_type", failure.error_type.as_str());
                self.sink.send(&event);
                if said.is_empty() {
                    extra.push(Value::Object(event));
                    (Status::Error, failure.message.clone(), json!({ "duration": duration }))
                } else {
                    // A stream that fails has met the model: its run keeps the text.
                    (Status::Error, said, numbers)
                }
            }
            Ending::Cancelled(text) => {
                let numbers = match self.first_token {
                    None => json!({ "duration": duration }),
                    Some(first) if streams && self.usage.is_nothing() => {
                        json!({ "time_to_first_token": first, "duration": duration })
                    }
                    Some(_) => numbers,
                };
                let reason = format!("Run {} was cancelled", self.ask.run_id);
                self.sink.send(&self.ended(&text, &reason));
                self.sink.send(&self.completed(&text, &numbers, false));
                (Status::Cancelled, text, numbers)
            }
            Ending::Abandoned(text) => {
                // Nobody listens any more; the store keeps what would have been told.
                self.sink.keep(&self.ended(&text, LEFT));
                self.sink.keep(&self.completed(&text, &numbers, false));
                (Status::Cancelled, text, numbers)
            }
        };
        // The session is charged for everybody, and for all of it again when the run goes on.
        let mut usage = self.usage;
        for member in &self.members {
            let tokens = |name: &str| member["metrics"][name].as_u64().unwrap_or_default();
            usage.add(Usage { input: tokens("input_tokens"), output: tokens("output_tokens") });
        }
        let events = self.events(extra);
        let met_model = self.first_token.is_some();
        let document = self.document(status, stage, &text, numbers, events);
        let requirements = std::mem::take(&mut self.requirements);
        let memory_usage = Usage::default();
        Finished {
            document,
            members: self.members,
            requirements,
            status,
            text,
            met_model,
            usage,
            memory_usage,
            changes: self.changes,
        }
    }

    /// All events to store: those of an earlier part, those that were told, and those that were not.
    fn events(&mut self, extra: Vec<Value>) -> Option<Vec<Value>> {
        let mut told = self.sink.told();
        // What is stored of a call is what came of it, even where its start is told.
        let child = self.tools.last().and_then(|tool| tool.child_run_id.clone());
        for event in told.iter_mut().flatten() {
            if event["event"] == "TeamToolCallStarted" {
                event["tool"]["child_run_id"] = json!(child);
            }
            if self.before.is_some() && event.get("agent_id").is_some() && event.get("tool").is_some() {
                let tools =
                    self.members.iter().filter_map(|member| member.get("tools")?.as_array()).flatten();
                let id = event["tool"]["tool_call_id"].clone();
                if let Some(tool) = tools.into_iter().find(|tool| tool["tool_call_id"] == id) {
                    event["tool"] = tool.clone();
                }
            }
        }
        let streamed = told.is_some();
        let mut events = self.before.take();
        if let Some(told) = told {
            events.get_or_insert_default().extend(told);
        }
        if !streamed && !extra.is_empty() {
            events.get_or_insert_default().extend(extra);
        }
        events
    }

    fn ended(&self, text: &str, reason: &str) -> Object {
        let mut event = self.event("TeamRunCancelled");
        put(&mut event, "content", text);
        put(&mut event, "reason", reason);
        event
    }

    fn completed(&self, text: &str, numbers: &Value, whole: bool) -> Object {
        let mut event = self.event("TeamRunCompleted");
        put(&mut event, "content", text);
        put(&mut event, "content_type", "str");
        // A team that is stopped tells its state in any case.
        let state = if whole { self.reported_state(false) } else { self.reported_state(true) };
        put_some(&mut event, "session_state", state);
        put_some(&mut event, "metadata", self.ask.metadata.clone());
        if !self.members.is_empty() {
            put(&mut event, "member_responses", json!(self.members));
        }
        put(&mut event, "metrics", numbers.clone());
        event
    }

    /// What a team that waits says: to whoever reads it at once, whom it waits for.
    fn waiting(&self) -> String {
        if self.sink.streams() {
            return "I have tools to execute, but I need confirmation.".to_owned();
        }
        let mut text = "Team run paused. The following require input:".to_owned();
        for requirement in &self.requirements {
            let tool = &requirement.execution;
            let need = if tool.external_execution_required == Some(true) {
                "external execution"
            } else if tool.requires_user_input == Some(true) {
                "user input"
            } else {
                "confirmation"
            };
            let member = requirement.member.as_ref().map_or("Team", |[_, name, _]| name);
            let _ = write!(text, "\n- {member}: {} requires {need}", tool.name());
        }
        text
    }

    fn required(&self) -> Vec<Value> {
        self.requirements.iter().map(Requirement::document).collect()
    }

    /// A team tells its state when the request brought some, and when it was stopped or waits.
    fn reported_state(&self, always: bool) -> Option<Value> {
        (always || self.cleared || self.ask.state.is_some()).then(|| Value::Object(self.state_now()))
    }

    fn document(
        &self,
        status: Status,
        stage: bool,
        text: &str,
        numbers: Value,
        events: Option<Vec<Value>>,
    ) -> Object {
        let waits = status == Status::Paused;
        let mut run = Object::new();
        put(&mut run, "run_id", self.ask.run_id.as_str());
        put(&mut run, "team_id", self.team.id);
        put(&mut run, "team_name", self.team.name);
        put(&mut run, "session_id", self.ask.session_id.as_str());
        put_some(&mut run, "user_id", self.ask.user_id.as_deref());
        put(&mut run, "content", text);
        put(&mut run, "content_type", "str");
        put_model(&mut run, self.team.model);
        put_some(&mut run, "session_state", self.reported_state(waits || (stage && self.sink.streams())));
        put(&mut run, "created_at", self.created_at);
        if stage {
            put(&mut run, "cancellation_stage", "EXECUTING");
        }
        run.extend(self.lineage.clone());
        put_some(&mut run, "events", events);
        put(&mut run, "metrics", numbers);
        put(&mut run, "status", status.word());
        if !self.messages.is_empty() {
            put(&mut run, "messages", json!(self.messages));
        }
        put_some(&mut run, "metadata", self.ask.metadata.clone());
        put(&mut run, "member_responses", json!(self.members));
        if waits || self.cleared {
            put(&mut run, "requirements", self.required());
        }
        // As with an agent: in one piece, a run that went well shows that it called none.
        let finished = matches!(status, Status::Completed | Status::Paused);
        if !self.tools.is_empty() || (finished && !self.sink.streams()) {
            put(&mut run, "tools", json!(self.tools));
        }
        put(&mut run, "input", self.ask.media.input(&self.ask.message));
        run
    }

    pub(super) fn event(&self, name: &str) -> Object {
        let mut event = Object::new();
        put(&mut event, "created_at", clock::epoch());
        put(&mut event, "event", name);
        put(&mut event, "team_id", self.team.id);
        put(&mut event, "team_name", self.team.name);
        put(&mut event, "run_id", self.ask.run_id.as_str());
        put(&mut event, "session_id", self.ask.session_id.as_str());
        put(&mut event, "nested_depth", 0);
        event
    }
}
