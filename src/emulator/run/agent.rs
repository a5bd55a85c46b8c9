//! One run of an agent: alone, as a member of a team, or in a step of a workflow.

mod close;
mod remember;
pub(crate) mod resume;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::event::Sink;
use super::prompt::{question, system};
use super::telling::{finished_call, message_metrics, pause, put_completed_request};
use super::{Finished, Object, Schema, merge, put, put_model, put_some};
use crate::emulator::cast::Agent;
use crate::emulator::execution::{Requirement, ToolExecution};
use crate::emulator::media::Media;
use crate::emulator::message::{Message, Usage};
use crate::emulator::model::{Failure, Reply, Request, Scene, ToolCall};
use crate::emulator::os::Os;
use crate::emulator::tools::{Need, Tool};
use crate::emulator::{clock, python};

/// What an agent is to do.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) os: &'a Os,
    pub(crate) agent: &'static Agent,
    pub(crate) run_id: String,
    pub(crate) session_id: &'a str,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) message: &'a str,
    pub(crate) media: &'a Media,
    pub(crate) knowledge_filters: Option<&'a Value>,
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

impl Part<'_> {
    /// Where its words are said.
    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene {
            state: &self.state,
            user_id: self.user_id,
            session_id: self.session_id,
            run_id: &self.run_id,
            dependencies: self.dependencies,
            metadata: self.metadata,
        }
    }
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
    let ending = if sink.cancelled(&run.part.run_id) {
        // What is stopped before it begins has said nothing to the model.
        run.messages.clear();
        run.refused()
    } else {
        run.converse().await
    };
    run.close(ending)
}

/// The place of the rule that will answer a run.
pub(crate) fn foresee(part: Part<'_>, sink: &Sink) -> Option<usize> {
    let run = Run::new(part, sink);
    run.request(&run.tool_names()).answering()
}

/// How the conversation with the model ended.
enum Ending {
    Answered(String),
    Paused(Need),
    /// What was said before the failure, and the failure.
    Failed(String, Failure),
    /// Somebody asked for the end: what is left as the content. A stream has said that much.
    Cancelled(String),
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
    requirements: Vec<Requirement>,
    usage: Usage,
    memory_usage: Usage,
    /// What rules changed in the session state.
    changes: Object,
    /// What was found in the knowledge base, by query.
    references: Option<Value>,
    first_token: Option<f64>,
    /// How long the run took before it waited; it is not timed again.
    took: Option<f64>,
    /// Where a continued run comes from: `forked_from_run_id` and its like.
    lineage: Object,
    /// The events of an earlier part of the run.
    before: Option<Vec<Value>>,
}

impl<'a> Run<'a> {
    fn new(mut part: Part<'a>, sink: &'a Sink) -> Self {
        let mut messages = Vec::new();
        messages.extend(system(&part).map(|text| Message::new("system", Some(text))));
        messages.append(&mut part.history);
        let mut asked = Message::new("user", Some(question(&part)));
        asked.media = part.media.clone();
        messages.push(asked);
        Self {
            part,
            sink,
            since: Instant::now(),
            created_at: clock::epoch(),
            messages,
            tools: Vec::new(),
            requirements: Vec::new(),
            usage: Usage::default(),
            memory_usage: Usage::default(),
            changes: Object::new(),
            references: None,
            first_token: None,
            took: None,
            lineage: Object::new(),
            before: None,
        }
    }

    fn open(&self) {
        let mut event = self.event("RunStarted");
        put_model(&mut event, self.part.agent.model);
        self.sink.send(&event);
    }

    fn tool_names(&self) -> Vec<&'static str> {
        self.part.agent.tools.iter().map(|tool| tool.name()).collect()
    }

    /// What the model is asked next.
    fn request<'r>(&'r self, tools: &'r [&'static str]) -> Request<'r> {
        Request {
            script: &self.part.agent.script,
            messages: &self.messages,
            tools,
            members: &[],
            schema: self.part.schema.map(|schema| &schema.document),
            scene: self.part.scene(),
        }
    }

    async fn converse(&mut self) -> Ending {
        // A state that is no object breaks a run of agno 3.1.10 before it reaches the model.
        if !self.part.state.is_object() {
            self.messages.clear();
            // It stumbles earlier where there is a state to begin with.
            let (message, error_type) = if self.part.agent.state.is_empty() {
                ("list indices must be integers or slices, not str", "TypeError")
            } else {
                ("list index out of range", "IndexError")
            };
            let failure = Failure { message: message.to_owned(), error_type: error_type.to_owned() };
            return Ending::Failed(String::new(), failure);
        }
        loop {
            let mut started = self.event("ModelRequestStarted");
            put_model(&mut started, self.part.agent.model);
            self.sink.send(&started);
            let asked = Instant::now();
            let mut reply = self.request(&self.tool_names()).reply();
            let (failure, delay, usage) = (reply.failure.take(), reply.delay, reply.usage);
            if let Some(changes) = reply.state.take() {
                self.change(&changes);
            }
            let has_text = !reply.text.is_empty();
            if self.sink.streams() {
                if let Err(ending) = self.stream(&reply.text, delay).await {
                    return ending;
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
                // A run in one piece is only asked between its requests to the model.
                if !self.sink.streams() && self.sink.cancelled(&self.part.run_id) {
                    return self.refused();
                }
                return Ending::Answered(reply.text);
            }
            let calls: Vec<(&'static Tool, ToolExecution)> = reply
                .calls
                .iter()
                .filter_map(|call| {
                    let tool = self.part.agent.tools.iter().copied().find(|tool| tool.name() == call.name)?;
                    Some((tool, tool.pending(call)))
                })
                .collect();
            let need = calls.iter().map(|(tool, _)| tool.need()).find(|need| *need != Need::Nothing);
            if let Some(need) = need {
                self.wait_for(calls);
                return Ending::Paused(need);
            }
            self.execute(calls);
        }
    }

    /// Changes the session state, in what the run reports and in what stays of it.
    fn change(&mut self, changes: &Object) {
        if let Value::Object(state) = &mut self.part.state {
            merge(state, changes);
        }
        merge(&mut self.changes, changes);
    }

    /// The end of a run that was cancelled while nothing of it was streamed.
    fn refused(&self) -> Ending {
        Ending::Cancelled(format!("Run {} was cancelled", self.part.run_id))
    }

    /// Adds calls that a human has a say in. One of the same id takes the place of the earlier one.
    fn wait_for(&mut self, calls: Vec<(&'static Tool, ToolExecution)>) {
        for (_, pending) in calls {
            self.requirements.push(Requirement::new(pending.clone()));
            let known = self.tools.iter().position(|tool| tool.tool_call_id == pending.tool_call_id);
            let at = known.unwrap_or(self.tools.len());
            if known.is_some() {
                for requirement in &mut self.requirements {
                    requirement.at.take_if(|old| *old == at);
                }
                self.tools[at] = pending;
            } else {
                self.tools.push(pending);
            }
            if let Some(requirement) = self.requirements.last_mut() {
                requirement.at = Some(at);
            }
        }
    }

    /// Streams a text word by word, unless somebody ends it.
    async fn stream(&mut self, text: &str, delay: Duration) -> Result<(), Ending> {
        if self.part.schema.is_some() {
            let event = self.content_event(&structured(text));
            self.sink.send(&event);
            return Ok(());
        }
        let mut said = String::new();
        for piece in python::pieces(text) {
            pause(delay).await;
            self.first_token.get_or_insert(self.since.elapsed().as_secs_f64());
            if self.sink.gone() {
                self.interrupt(&said);
                return Err(Ending::Abandoned(said));
            }
            said.push_str(piece);
            if self.sink.cancelled(&self.part.run_id) {
                self.interrupt(&said);
                return Err(Ending::Cancelled(said));
            }
            let event = self.content_event(&json!(piece));
            self.sink.send(&event);
        }
        Ok(())
    }

    /// What was said of an answer that is never finished.
    fn interrupt(&mut self, said: &str) {
        self.messages.push(Message::new("assistant", Some(said.to_owned())));
    }

    fn content_event(&self, content: &Value) -> Object {
        let mut event = self.event("RunContent");
        self.put_text(&mut event, Some(content), false);
        put(&mut event, "workflow_agent", false);
        put(&mut event, "content_type", self.content_type());
        put(&mut event, "reasoning_content", "");
        put_some(&mut event, "references", self.references.clone());
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
        put_completed_request(&mut event, usage, self.part.agent.model, first);
        self.sink.send(&event);
    }

    fn execute(&mut self, calls: Vec<(&'static Tool, ToolExecution)>) {
        for (_, pending) in &calls {
            let mut event = self.event("ToolCallStarted");
            put(&mut event, "tool", json!(pending));
            self.sink.send(&event);
        }
        for (tool, pending) in calls {
            let done = if tool.searches() {
                self.search(&pending)
            } else {
                tool.execute(&pending, &self.part.scene())
            };
            for event in finished_call(&done, |name| self.event(name), "") {
                self.sink.send(&event);
            }
            self.messages.push(Message::tool(&done));
            self.tools.push(done);
        }
    }
}

/// The answer to a request with a schema: the object that the text holds.
fn structured(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}
