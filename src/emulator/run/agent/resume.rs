//! A run of an agent that goes on: after a human's word, or from a copy of a finished one.

use std::time::Instant;

use serde_json::Value;

use super::{Ending, Finished, Message, Part, Run, Sink, Usage};
use crate::emulator::execution::{Requirement, ToolExecution};
use crate::emulator::run::Object;
use crate::emulator::run::telling::finished_call;
use crate::emulator::tools::Tool;

/// What a stored run brings into its continuation.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) created_at: i64,
    pub(crate) messages: Vec<Message>,
    /// What was said in earlier runs of the session.
    pub(crate) history: Vec<Message>,
    pub(crate) tools: Vec<ToolExecution>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) usage: Usage,
    pub(crate) first_token: Option<f64>,
    pub(crate) took: Option<f64>,
    pub(crate) lineage: Object,
    pub(crate) events: Option<Vec<Value>>,
    pub(crate) content: String,
    pub(crate) references: Option<Value>,
}

/// Lets a run go on. The text says why it cannot: then nothing has changed.
pub(crate) async fn resume(part: Part<'_>, stored: Stored, sink: &Sink) -> Result<Finished, String> {
    let mut messages = stored.messages;
    let after_system = messages.iter().take_while(|message| message.role == "system").count();
    messages.splice(after_system..after_system, stored.history);
    let mut run = Run {
        part,
        sink,
        since: Instant::now(),
        created_at: stored.created_at,
        messages,
        tools: stored.tools,
        requirements: stored.requirements,
        usage: stored.usage,
        memory_usage: Usage::default(),
        changes: Object::new(),
        references: stored.references,
        first_token: stored.first_token,
        took: stored.took,
        lineage: stored.lineage,
        before: stored.events,
    };
    sink.send(&run.event("RunContinued"));
    if sink.streams() && sink.cancelled(&run.part.run_id) {
        run.give_up();
        return Ok(run.close(Ending::Cancelled(stored.content)));
    }
    for at in 0..run.tools.len() {
        run.settle(at)?;
    }
    let known = run.messages.len();
    let ending = match run.converse().await {
        // What the model said is dropped, and what the run said before stays.
        Ending::Cancelled(_) if !sink.streams() => {
            let settled = run.messages[..known].iter().take_while(|message| message.role != "tool").count();
            run.messages.truncate(settled);
            Ending::Cancelled(stored.content)
        }
        ending => ending,
    };
    Ok(run.close(ending))
}

impl Run<'_> {
    /// A stream that is stopped at once has begun with its first call, for the store only.
    fn give_up(&mut self) {
        let Some(tool) = self.tools.first_mut().filter(|tool| tool.confirmed == Some(true)) else { return };
        tool.requires_confirmation = Some(false);
        tool.requires_user_input = Some(false);
        tool.external_execution_required = Some(false);
        let tool = serde_json::json!(tool);
        let mut event = self.event("ToolCallStarted");
        super::put(&mut event, "tool", tool);
        self.sink.keep(&event);
    }

    /// Does with a call what was decided.
    fn settle(&mut self, at: usize) -> Result<(), String> {
        let tool = self.tools[at].clone();
        let known = self.part.agent.tools.iter().copied().find(|known| known.name() == tool.name());
        if tool.requires_confirmation == Some(true) && !self.part.agent.tools.is_empty() {
            let known = known.ok_or("Function call not found")?;
            if tool.confirmed == Some(true) && tool.result.is_none() {
                self.carry_out(at, known);
            } else {
                self.reject(at);
            }
            self.tools[at].requires_confirmation = Some(false);
        } else if tool.external_execution_required == Some(true) {
            if tool.result.is_none() {
                let name = tool.tool_name.as_deref().unwrap_or("None");
                return Err(format!("Tool {name} requires external execution, cannot continue run"));
            }
            if !self.messages.iter().any(|message| message.tool_call_id == tool.tool_call_id) {
                self.messages.push(Message::tool(&tool));
            }
            self.tools[at].external_execution_required = Some(false);
        } else if tool.requires_user_input == Some(true) {
            let known = known.ok_or("Function call not found")?;
            self.fill_in(at);
            self.carry_out(at, known);
            self.tools[at].requires_user_input = Some(false);
            self.tools[at].answered = Some(true);
        }
        Ok(())
    }

    /// Runs a tool that somebody allowed. Its time is not taken.
    fn carry_out(&mut self, at: usize, known: &'static Tool) {
        let mut event = self.event("ToolCallStarted");
        super::put(&mut event, "tool", serde_json::json!(self.tools[at]));
        self.sink.send(&event);
        let done = known.execute(&self.tools[at], &self.part.scene());
        let mut shown = done.clone();
        shown.metrics = None;
        // What is told holds the time of the call, what is kept does not.
        let mut events = finished_call(&done, |name| self.event(name), "");
        for event in &mut events {
            super::put(event, "tool", serde_json::json!(shown));
            self.sink.send(event);
        }
        self.messages.push(Message::tool(&shown));
        self.tools[at] = shown;
    }

    fn reject(&mut self, at: usize) {
        let tool = &mut self.tools[at];
        let mut told = tool.clone();
        told.result = Some(
            tool.confirmation_note
                .clone()
                .unwrap_or_else(|| "Function call was rejected by the user".to_owned()),
        );
        told.tool_call_error = Some(true);
        tool.confirmed = Some(false);
        tool.confirmation_note.get_or_insert_with(|| "Tool call was rejected".to_owned());
        tool.tool_call_error = Some(true);
        self.messages.push(Message::tool(&told));
    }

    /// Copies what the user gave into the arguments.
    fn fill_in(&mut self, at: usize) {
        let tool = &mut self.tools[at];
        if !tool.tool_args.is_object() {
            tool.tool_args = Value::Object(Object::new());
        }
        for field in tool.user_input_schema.as_ref().and_then(Value::as_array).into_iter().flatten() {
            if let Some(name) = field["name"].as_str() {
                tool.tool_args[name] = field["value"].clone();
            }
        }
    }
}
