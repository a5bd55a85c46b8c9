//! One run of an agent: alone, as a member of a team, or in a step of a workflow.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::event::Sink;
use super::prompt::{question, system};
use super::telling::{finished_call, message_metrics, pause, put_completed_request};
use super::{Finished, Object, Schema, Status, metrics, put, put_model, put_some};
use crate::emulator::cast::{Agent, MODEL_ID, MODEL_PROVIDER};
use crate::emulator::message::{Message, ToolExecution, Usage};
use crate::emulator::model::{Failure, Reply, Request, ToolCall};
use crate::emulator::tools::{Need, Tool};
use crate::emulator::{clock, python};

/// What an agent is to do.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) agent: &'static Agent,
    pub(crate) run_id: String,
    pub(crate) session_id: &'a str,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) message: &'a str,
    /// The run of the team or workflow that this one belongs to.
    pub(crate) parent_run_id: Option<&'a str>,
    /// The step of a workflow, as its events tell it.
    pub(crate) step: Option<&'a StepTag<'a>>,
    pub(crate) history: Vec<Message>,
    /// The session state as the run reports it.
    pub(crate) state: Value,
    pub(crate) dependencies: Option<&'a Value>,
    pub(crate) metadata: Option<&'a Value>,
    pub(crate) schema: Option<&'a Schema>,
}

/// Where in a workflow an agent runs.
#[derive(Debug)]
pub(crate) struct StepTag<'a> {
    pub(crate) workflow_id: &'a str,
    pub(crate) workflow_run_id: &'a str,
    pub(crate) id: String,
    pub(crate) name: &'a str,
    pub(crate) index: usize,
}

/// Runs an agent to its end.
pub(crate) async fn run(part: Part<'_>, sink: &Sink) -> Finished {
    let mut run = Run::new(part, sink);
    run.open();
    let ending = run.converse().await;
    run.close(ending)
}

/// How the conversation with the model ended.
enum Ending {
    Answered(String),
    Paused(Vec<ToolExecution>, Need),
    /// What was said before the failure, and the failure.
    Failed(String, Failure),
    /// The client went away after this much text.
    Abandoned(String),
}

struct Run<'a> {
    part: Part<'a>,
    sink: &'a Sink,
    since: Instant,
    created_at: i64,
    messages: Vec<Message>,
    tools: Vec<ToolExecution>,
    usage: Usage,
    first_token: Option<f64>,
}

impl<'a> Run<'a> {
    fn new(mut part: Part<'a>, sink: &'a Sink) -> Self {
        let mut messages = Vec::new();
        messages.extend(system(&part).map(|text| Message::new("system", Some(text))));
        messages.append(&mut part.history);
        messages.push(Message::new("user", Some(question(&part))));
        Self {
            part,
            sink,
            since: Instant::now(),
            created_at: clock::epoch(),
            messages,
            tools: Vec::new(),
            usage: Usage::default(),
            first_token: None,
        }
    }

    fn open(&self) {
        let mut event = self.event("RunStarted");
        put_model(&mut event);
        self.sink.send(&event);
    }

    async fn converse(&mut self) -> Ending {
        // A state that is no object breaks a run of agno 3.1.10 before it reaches the model.
        if !self.part.state.is_object() {
            self.messages.clear();
            let failure = Failure { message: "list index out of range", error_type: "IndexError" };
            return Ending::Failed(String::new(), failure);
        }
        loop {
            let mut started = self.event("ModelRequestStarted");
            put_model(&mut started);
            self.sink.send(&started);
            let asked = Instant::now();
            let request = Request {
                mode: self.part.agent.mode,
                messages: &self.messages,
                tools: self.part.agent.tools,
                schema: self.part.schema.map(|schema| &schema.document),
            };
            let (failure, delay) = (request.failure(), request.delay());
            let reply = request.reply();
            let usage = request.usage(&reply.text);
            let has_text = !reply.text.is_empty();
            if self.sink.streams() {
                if let Err(said) = self.stream(&reply.text, delay).await {
                    return Ending::Abandoned(said);
                }
                if let Some(failure) = failure {
                    self.first_token.get_or_insert(self.since.elapsed().as_secs_f64());
                    return Ending::Failed(reply.text, failure);
                }
            } else {
                if let Some(failure) = failure {
                    return Ending::Failed(String::new(), failure);
                }
                for _ in 0..python::words(&reply.text).max(1) {
                    pause(delay).await;
                }
            }
            self.usage.add(usage);
            self.first_token.get_or_insert(self.since.elapsed().as_secs_f64());
            let first = has_text.then(|| asked.elapsed().as_secs_f64());
            self.answer(&reply, usage, first);
            if reply.calls.is_empty() {
                return Ending::Answered(reply.text);
            }
            let calls: Vec<(Tool, ToolExecution)> = reply
                .calls
                .iter()
                .filter_map(|call| {
                    let tool = self.part.agent.tools.iter().find(|tool| tool.name() == call.name)?;
                    Some((*tool, tool.pending(call)))
                })
                .collect();
            let need = calls.iter().map(|(tool, _)| tool.need()).find(|need| *need != Need::Nothing);
            if let Some(need) = need {
                return Ending::Paused(calls.into_iter().map(|(_, pending)| pending).collect(), need);
            }
            self.execute(calls);
        }
    }

    /// Streams a text word by word. The text so far when the client has gone away.
    async fn stream(&mut self, text: &str, delay: Duration) -> Result<(), String> {
        if self.part.schema.is_some() {
            let event = self.content_event(&structured(text));
            self.sink.send(&event);
            return Ok(());
        }
        let mut said = String::new();
        for piece in python::pieces(text) {
            pause(delay).await;
            if self.sink.gone() {
                return Err(said);
            }
            said.push_str(piece);
            let event = self.content_event(&json!(piece));
            self.sink.send(&event);
        }
        Ok(())
    }

    fn content_event(&self, content: &Value) -> Object {
        let mut event = self.event("RunContent");
        self.put_text(&mut event, Some(content), false);
        put(&mut event, "workflow_agent", false);
        put(&mut event, "content_type", self.content_type());
        put(&mut event, "reasoning_content", "");
        self.put_text(&mut event, Some(content), true);
        event
    }

    /// Takes the model's answer into the conversation.
    fn answer(&mut self, reply: &Reply, usage: Usage, first: Option<f64>) {
        let mut message = Message::new("assistant", (!reply.text.is_empty()).then(|| reply.text.clone()));
        message.tool_calls = reply.calls.iter().map(ToolCall::message).collect();
        message.metrics = Some(message_metrics(usage, first));
        self.messages.push(message);
        let mut event = self.event("ModelRequestCompleted");
        put_completed_request(&mut event, usage, first);
        self.sink.send(&event);
    }

    fn execute(&mut self, calls: Vec<(Tool, ToolExecution)>) {
        for (_, pending) in &calls {
            let mut event = self.event("ToolCallStarted");
            put(&mut event, "tool", json!(pending));
            self.sink.send(&event);
        }
        for (tool, pending) in calls {
            let done = tool.execute(&pending);
            for event in finished_call(&done, |name| self.event(name), "") {
                self.sink.send(&event);
            }
            self.messages.push(Message::tool(&done));
            self.tools.push(done);
        }
    }

    fn close(mut self, ending: Ending) -> Finished {
        if !matches!(ending, Ending::Failed(..) | Ending::Abandoned(_)) {
            let event = self.event("RunContentCompleted");
            self.sink.send(&event);
        }
        let duration = self.since.elapsed().as_secs_f64();
        let (status, text, numbers) = match &ending {
            // A stream that fails has met the model: its run keeps the text, and says so in its metrics.
            Ending::Failed(said, failure) if !said.is_empty() => {
                let numbers = metrics(self.usage, self.first_token, duration);
                (Status::Error, failure.message.to_owned(), numbers)
            }
            Ending::Failed(_, failure) => {
                (Status::Error, failure.message.to_owned(), json!({ "duration": duration }))
            }
            Ending::Abandoned(text) => (Status::Cancelled, text.clone(), json!({ "duration": duration })),
            Ending::Answered(text) => {
                (Status::Completed, text.clone(), metrics(self.usage, self.first_token, duration))
            }
            Ending::Paused(_, need) => {
                (Status::Paused, waiting(*need).to_owned(), metrics(self.usage, self.first_token, duration))
            }
        };
        let content = match (&ending, self.part.schema) {
            (Ending::Answered(text), Some(_)) => Some(structured(text)),
            (Ending::Failed(said, _), _) if !said.is_empty() => Some(json!(said)),
            // An empty answer is none.
            _ => (!text.is_empty()).then(|| json!(text)),
        };
        let mut requirements = None;
        match ending {
            Ending::Answered(_) => {
                let mut event = self.event("RunCompleted");
                self.put_text(&mut event, content.as_ref(), false);
                put(&mut event, "content_type", self.content_type());
                put(&mut event, "session_state", self.part.state.clone());
                put_some(&mut event, "metadata", self.part.metadata.cloned());
                self.put_text(&mut event, content.as_ref(), true);
                put(&mut event, "metrics", numbers.clone());
                self.sink.send(&event);
            }
            Ending::Paused(tools, _) => {
                let required: Vec<Value> = tools.iter().map(ToolExecution::requirement).collect();
                self.tools.extend(tools);
                let mut event = self.event("RunPaused");
                put_some(&mut event, "content", content.clone());
                put(&mut event, "tools", json!(self.tools));
                put(&mut event, "requirements", required.clone());
                self.sink.send(&event);
                requirements = Some(required);
            }
            Ending::Failed(_, failure) => {
                let mut event = self.event("RunError");
                put(&mut event, "content", failure.message);
                put(&mut event, "error_type", failure.error_type);
                self.sink.send(&event);
            }
            Ending::Abandoned(_) => {}
        }
        let document = self.document(status, content.as_ref(), numbers, requirements);
        let met_model = self.first_token.is_some();
        Finished { document, members: Vec::new(), status, text, met_model, usage: self.usage }
    }

    fn document(
        &self,
        status: Status,
        content: Option<&Value>,
        numbers: Value,
        required: Option<Vec<Value>>,
    ) -> Object {
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
        put(&mut run, "model", MODEL_ID);
        put(&mut run, "model_provider", MODEL_PROVIDER);
        put(&mut run, "session_state", part.state.clone());
        put(&mut run, "created_at", self.created_at);
        put(&mut run, "status", status.word());
        put_some(&mut run, "workflow_step_id", part.step.map(|step| step.id.as_str()));
        put(&mut run, "metrics", numbers);
        // The events belong to the run that was asked for, not to those within it.
        if part.parent_run_id.is_none() {
            put_some(&mut run, "events", self.sink.told());
        }
        if !self.messages.is_empty() {
            put(&mut run, "messages", json!(self.messages));
        }
        put_some(&mut run, "metadata", part.metadata.cloned());
        self.put_text(&mut run, content, true);
        // A streamed run and a failed one have no `tools` unless some were called.
        let finished = matches!(status, Status::Completed | Status::Paused);
        if !self.tools.is_empty() || (finished && !self.sink.streams()) {
            put(&mut run, "tools", json!(self.tools));
        }
        put_some(&mut run, "requirements", required);
        put(&mut run, "input", json!({ "input_content": part.message }));
        run
    }

    /// Adds the content at its place. An object made by a pydantic model comes late.
    fn put_text(&self, fields: &mut Object, content: Option<&Value>, late: bool) {
        if self.part.schema.is_some_and(|schema| schema.model) == late {
            put_some(fields, "content", content.cloned());
        }
    }

    fn content_type(&self) -> &str {
        self.part.schema.map_or("str", |schema| &schema.content_type)
    }

    fn event(&self, name: &str) -> Object {
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

/// The answer to a request with a schema: the object that the text holds.
fn structured(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}
