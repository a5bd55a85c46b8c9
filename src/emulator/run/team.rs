//! One run of a team: the leader delegates to its members and joins what they say.

use std::fmt::Write as _;
use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::agent::{self, Part};
use super::event::Sink;
use super::prompt::visible_state;
use super::telling::{finished_call, message_metrics, pause, put_completed_request};
use super::{Ask, Finished, Object, Status, metrics, put, put_model, put_some};
use crate::emulator::cast::{Agent, Team};
use crate::emulator::message::{Message, ToolExecution, Usage};
use crate::emulator::model::{Failure, Reply, Request, ToolCall};
use crate::emulator::tools::Stopwatch;
use crate::emulator::{clock, python};

/// Runs a team to its end. `state` is the session's, the request's merged in.
pub(crate) async fn run(
    team: &'static Team,
    ask: &Ask,
    state: &Object,
    history: Vec<Message>,
    sink: &Sink,
) -> Finished {
    let mut messages = vec![Message::new("system", Some(prompt(team.members)))];
    messages.extend(history);
    messages.push(Message::new("user", Some(ask.message.clone())));
    let mut run = Run {
        team,
        ask,
        state,
        sink,
        since: Instant::now(),
        created_at: clock::epoch(),
        messages,
        tools: Vec::new(),
        members: Vec::new(),
        usage: Usage::default(),
        member_usage: Usage::default(),
        first_token: None,
    };
    let mut event = run.event("TeamRunStarted");
    put_model(&mut event);
    sink.send(&event);
    let ending = run.converse().await;
    run.close(ending)
}

enum Ending {
    Answered(String),
    /// What was said before the failure, and the failure.
    Failed(String, Failure),
    Abandoned(String),
}

struct Run<'a> {
    team: &'static Team,
    ask: &'a Ask,
    state: &'a Object,
    sink: &'a Sink,
    since: Instant,
    created_at: i64,
    messages: Vec<Message>,
    tools: Vec<ToolExecution>,
    members: Vec<Object>,
    usage: Usage,
    member_usage: Usage,
    first_token: Option<f64>,
}

impl Run<'_> {
    async fn converse(&mut self) -> Ending {
        loop {
            let mut event = self.event("TeamModelRequestStarted");
            put_model(&mut event);
            self.sink.send(&event);
            let asked = Instant::now();
            let request =
                Request { mode: self.team.mode, messages: &self.messages, tools: &[], schema: None };
            let (failure, delay) = (request.failure(), request.delay());
            let reply = request.reply();
            let usage = request.usage(&reply.text);
            let mut said = String::new();
            if self.sink.streams() {
                for piece in python::pieces(&reply.text) {
                    pause(delay).await;
                    if self.sink.gone() {
                        return Ending::Abandoned(said);
                    }
                    said.push_str(piece);
                    let mut event = self.event("TeamRunContent");
                    put(&mut event, "content", piece);
                    put(&mut event, "content_type", "str");
                    put(&mut event, "reasoning_content", "");
                    self.sink.send(&event);
                }
            }
            if let Some(failure) = failure {
                if self.sink.streams() {
                    self.first_token.get_or_insert(self.since.elapsed().as_secs_f64());
                }
                return Ending::Failed(said, failure);
            }
            self.usage.add(usage);
            self.first_token.get_or_insert(self.since.elapsed().as_secs_f64());
            let first = (!reply.text.is_empty()).then(|| asked.elapsed().as_secs_f64());
            self.answer(&reply, usage, first);
            if reply.calls.is_empty() {
                return Ending::Answered(reply.text);
            }
            self.delegate(&reply.calls).await;
        }
    }

    fn answer(&mut self, reply: &Reply, usage: Usage, first: Option<f64>) {
        let mut message = Message::new("assistant", (!reply.text.is_empty()).then(|| reply.text.clone()));
        message.tool_calls = reply.calls.iter().map(ToolCall::message).collect();
        message.metrics = Some(message_metrics(usage, first));
        self.messages.push(message);
        let mut event = self.event("TeamModelRequestCompleted");
        put_completed_request(&mut event, usage, first);
        self.sink.send(&event);
    }

    /// Lets every member do its task. They are told as started together, and as completed together.
    async fn delegate(&mut self, calls: &[ToolCall]) {
        let pending: Vec<ToolExecution> = calls.iter().map(ToolCall::pending).collect();
        for tool in &pending {
            let mut event = self.event("TeamToolCallStarted");
            put(&mut event, "tool", json!(tool));
            self.sink.send(&event);
        }
        let mut done = Vec::new();
        for mut tool in pending {
            let clock = Stopwatch::start();
            let id = tool.tool_args["member_id"].as_str().unwrap_or_default();
            let task = tool.tool_args["task"].as_str().unwrap_or_default().to_owned();
            let Some(member) = self.team.members.iter().copied().find(|member| member.id == id) else {
                continue;
            };
            let finished = self.member(member, &task).await;
            tool.tool_call_error = Some(false);
            tool.result = Some(finished.text);
            tool.metrics = Some(clock.metrics());
            self.member_usage.add(finished.usage);
            self.members.push(finished.document);
            done.push(tool);
        }
        // In a stream of agno 3.1.10 every delegation names the run of the member that came last.
        let last = self.members.last().and_then(|member| member["run_id"].as_str()).map(str::to_owned);
        for mut tool in done {
            if self.sink.streams() {
                tool.child_run_id.clone_from(&last);
            }
            for event in finished_call(&tool, |name| self.event(name), "Team") {
                self.sink.send(&event);
            }
            self.messages.push(Message::tool(&tool));
            self.tools.push(tool);
        }
    }

    async fn member(&self, agent: &'static Agent, task: &str) -> Finished {
        let run_id = Uuid::new_v4().to_string();
        let user_id = self.ask.user_id.as_deref();
        // Members report the ids that the leader put into the state for them.
        let state = Value::Object(visible_state(self.state, user_id, &self.ask.session_id, &run_id));
        let part = Part {
            agent,
            run_id,
            session_id: &self.ask.session_id,
            user_id,
            message: task,
            parent_run_id: Some(&self.ask.run_id),
            step: None,
            history: Vec::new(),
            state,
            dependencies: self.ask.dependencies.as_ref(),
            metadata: self.ask.metadata.as_ref(),
            schema: None,
        };
        agent::run(part, self.sink).await
    }

    fn close(self, ending: Ending) -> Finished {
        let duration = self.since.elapsed().as_secs_f64();
        let numbers = metrics(self.usage, self.first_token, duration);
        let mut events = None;
        let (status, text, numbers) = match ending {
            Ending::Answered(text) => {
                self.sink.send(&self.event("TeamRunContentCompleted"));
                let mut event = self.event("TeamRunCompleted");
                put(&mut event, "content", text.as_str());
                put(&mut event, "content_type", "str");
                put_some(&mut event, "session_state", self.reported_state());
                put_some(&mut event, "metadata", self.ask.metadata.clone());
                put(&mut event, "member_responses", json!(self.members));
                put(&mut event, "metrics", numbers.clone());
                self.sink.send(&event);
                (Status::Completed, text, numbers)
            }
            Ending::Failed(said, failure) => {
                let mut event = self.event("TeamRunError");
                put(&mut event, "content", failure.message);
                put(&mut event, "error_type", failure.error_type);
                self.sink.send(&event);
                if said.is_empty() {
                    events = Some(vec![Value::Object(event)]);
                    (Status::Error, failure.message.to_owned(), json!({ "duration": duration }))
                } else {
                    // A stream that fails has met the model: its run keeps the text.
                    (Status::Error, said, numbers)
                }
            }
            Ending::Abandoned(text) => (Status::Cancelled, text, json!({ "duration": duration })),
        };
        let mut usage = self.usage;
        usage.add(self.member_usage);
        let mut told = self.sink.told();
        // What is stored of a call is what came of it, even where its start is told.
        let child = self.tools.last().and_then(|tool| tool.child_run_id.clone());
        for event in told.iter_mut().flatten() {
            if event["event"] == "TeamToolCallStarted" {
                event["tool"]["child_run_id"] = json!(child);
            }
        }
        let events = told.or(events);
        let met_model = self.first_token.is_some();
        let document = self.document(status, &text, numbers, events);
        Finished { document, members: self.members, status, text, met_model, usage }
    }

    /// A team tells its state only when the request brought some.
    fn reported_state(&self) -> Option<Value> {
        self.ask.state.as_ref().map(|_| Value::Object(self.state.clone()))
    }

    fn document(&self, status: Status, text: &str, numbers: Value, events: Option<Vec<Value>>) -> Object {
        let mut run = Object::new();
        put(&mut run, "run_id", self.ask.run_id.as_str());
        put(&mut run, "team_id", self.team.id);
        put(&mut run, "team_name", self.team.name);
        put(&mut run, "session_id", self.ask.session_id.as_str());
        put_some(&mut run, "user_id", self.ask.user_id.as_deref());
        put(&mut run, "content", text);
        put(&mut run, "content_type", "str");
        put_model(&mut run);
        put_some(&mut run, "session_state", self.reported_state());
        put(&mut run, "created_at", self.created_at);
        put_some(&mut run, "events", events);
        put(&mut run, "metrics", numbers);
        put(&mut run, "status", status.word());
        put(&mut run, "messages", json!(self.messages));
        put_some(&mut run, "metadata", self.ask.metadata.clone());
        put(&mut run, "member_responses", json!(self.members));
        if !self.tools.is_empty() {
            put(&mut run, "tools", json!(self.tools));
        }
        put(&mut run, "input", json!({ "input_content": self.ask.message }));
        run
    }

    fn event(&self, name: &str) -> Object {
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

/// The system message of a leader, word for word that of agno 3.1.10: its words are its tokens.
fn prompt(members: &[&Agent]) -> String {
    let mut roster = String::new();
    for member in members {
        let _ = write!(
            roster,
            "<member id=\"{}\" name=\"{}\">\n  Role: {}\n</member>\n",
            member.id,
            member.name,
            member.role.unwrap_or_default()
        );
    }
    PROMPT.replace("{roster}", &roster)
}

const PROMPT: &str = "<team>
You coordinate this team to fulfill the user's request. You have a team of specialists, listed below. \
Delegate to members when their expertise or tools are needed; answer directly — including with your own \
tools — when they are not.

<team_members>
{roster}</team_members>

<delegation>
You work in coordinate mode: you hand sub-tasks to members with `delegate_task_to_member` and write the \
answer yourself.

- Match each sub-task to the member whose role and description fit it best. When sub-tasks do not depend \
on each other, delegate them in the same turn instead of one per turn.
- A member's output is evidence, not your answer. When a member fails, refuses, or returns nothing, say \
so plainly and name what it reported — never supply a cause, source, or finding the member did not state.
- If a response is off-target, re-delegate with clearer instructions or try a better-suited member. If \
it still misses, answer with what you have and say what is missing — do not work through the roster.
- Write one answer. Resolve contradictions, add structure, and fill gaps only where you can state the \
basis for it. Never concatenate member outputs.

Members do not see this conversation. Each one gets only the text you write for it, so carry over every \
name, number and earlier answer it needs, and say what a good result looks like.
Member ids are the ids shown in the roster above, used exactly as written.
</delegation>
</team>";
