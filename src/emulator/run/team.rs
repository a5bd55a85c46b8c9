//! One run of a team: the leader delegates to its members and joins what they say.

mod close;
mod prompt;
pub(crate) mod resume;

use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use self::prompt::prompt;
use super::agent::{self, Part};
use super::event::Sink;
use super::prompt::visible_state;
use super::telling::{finished_call, message_metrics, pause, put_completed_request};
use super::{Ask, Finished, Object, Status, merge, put, put_model};
use crate::emulator::cast::{Agent, Team};
use crate::emulator::execution::{Requirement, ToolExecution};
use crate::emulator::message::{Message, Usage};
use crate::emulator::model::{Failure, Reply, Request, Scene, ToolCall};
use crate::emulator::os::Os;
use crate::emulator::tools::Stopwatch;
use crate::emulator::{clock, python};

/// Runs a team to its end. `state` is the session's, the request's merged in.
pub(crate) async fn run(
    os: &Os,
    team: &'static Team,
    ask: &Ask,
    state: &Object,
    history: Vec<Message>,
    sink: &Sink,
) -> Finished {
    let mut run = Run::new(os, team, ask, state, history, sink);
    if sink.cancelled(&ask.run_id) {
        // A leader that is stopped before it begins has heard nothing, and says so.
        run.messages.clear();
        let ending = run.refused();
        return run.close(ending);
    }
    let mut event = run.event("TeamRunStarted");
    put_model(&mut event, team.model);
    sink.send(&event);
    let ending = run.converse().await;
    run.close(ending)
}

/// The place of the rule by which the leader will answer a run.
pub(crate) fn foresee(
    os: &Os,
    team: &'static Team,
    ask: &Ask,
    state: &Object,
    history: Vec<Message>,
    sink: &Sink,
) -> Option<usize> {
    let run = Run::new(os, team, ask, state, history, sink);
    run.request(&run.member_ids(), &Value::Object(run.state_now())).answering()
}

enum Ending {
    Answered(String),
    /// What was said before the failure, and the failure.
    Failed(String, Failure),
    /// Some members wait for a human.
    Paused,
    /// Somebody asked for the end: what is left as the content.
    Cancelled(String),
    /// The client went away after this much text.
    Abandoned(String),
}

struct Run<'a> {
    os: &'a Os,
    team: &'static Team,
    ask: &'a Ask,
    state: &'a Object,
    sink: &'a Sink,
    since: Instant,
    created_at: i64,
    messages: Vec<Message>,
    tools: Vec<ToolExecution>,
    members: Vec<Object>,
    requirements: Vec<Requirement>,
    /// What rules and members changed in the session state.
    changes: Object,
    usage: Usage,
    first_token: Option<f64>,
    /// How long the run took before it waited; it is not timed again.
    took: Option<f64>,
    lineage: Object,
    /// The events of an earlier part of the run.
    before: Option<Vec<Value>>,
    /// Whether requirements were met: the run then shows that none are left.
    cleared: bool,
    /// Whether this is the continuation of a run.
    continued: bool,
}

impl<'a> Run<'a> {
    fn new(
        os: &'a Os,
        team: &'static Team,
        ask: &'a Ask,
        state: &'a Object,
        history: Vec<Message>,
        sink: &'a Sink,
    ) -> Self {
        let mut messages = vec![Message::new("system", Some(prompt(&team.members, &ask.media)))];
        messages.extend(history);
        let mut asked = Message::new("user", Some(ask.message.clone()));
        asked.media = ask.media.clone();
        messages.push(asked);
        Self {
            os,
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
            requirements: Vec::new(),
            changes: Object::new(),
            first_token: None,
            took: None,
            lineage: Object::new(),
            before: None,
            cleared: false,
            continued: false,
        }
    }

    fn member_ids(&self) -> Vec<&'static str> {
        self.team.members.iter().map(|member| member.id).collect()
    }

    /// What the leader's model is asked next.
    fn request<'r>(&'r self, members: &'r [&'static str], state: &'r Value) -> Request<'r> {
        Request {
            script: &self.team.script,
            messages: &self.messages,
            tools: &[],
            members,
            schema: None,
            scene: Scene {
                state,
                user_id: self.ask.user_id.as_deref(),
                session_id: &self.ask.session_id,
                run_id: &self.ask.run_id,
                dependencies: self.ask.dependencies.as_ref(),
                metadata: self.ask.metadata.as_ref(),
            },
        }
    }

    async fn converse(&mut self) -> Ending {
        loop {
            let mut event = self.event("TeamModelRequestStarted");
            put_model(&mut event, self.team.model);
            self.sink.send(&event);
            let asked = Instant::now();
            let state = Value::Object(self.state_now());
            let mut reply = self.request(&self.member_ids(), &state).reply();
            let (failure, delay, usage) = (reply.failure.take(), reply.delay, reply.usage);
            if let Some(changes) = reply.state.take() {
                merge(&mut self.changes, &changes);
            }
            let mut said = String::new();
            if self.sink.streams() {
                for piece in python::pieces(&reply.text) {
                    pause(delay).await;
                    self.first_token.get_or_insert(self.since.elapsed().as_secs_f64());
                    if self.sink.gone() {
                        self.interrupt(&said);
                        return Ending::Abandoned(said);
                    }
                    said.push_str(piece);
                    if self.sink.cancelled(&self.ask.run_id) {
                        self.interrupt(&said);
                        return Ending::Cancelled(said);
                    }
                    let mut event = self.event("TeamRunContent");
                    put(&mut event, "content", piece);
                    put(&mut event, "content_type", "str");
                    put(&mut event, "reasoning_content", "");
                    self.sink.send(&event);
                }
            }
            if !self.sink.streams() && failure.is_none() {
                for _ in 0..python::words(&reply.text).max(1) {
                    pause(delay).await;
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
                if !self.sink.streams() && self.sink.cancelled(&self.ask.run_id) {
                    return self.refused();
                }
                return Ending::Answered(reply.text);
            }
            self.delegate(&reply.calls).await;
            if self.sink.cancelled(&self.ask.run_id) {
                return self.refused();
            }
            if !self.requirements.is_empty() {
                return Ending::Paused;
            }
        }
    }

    /// The session state with what was changed in it.
    fn state_now(&self) -> Object {
        let mut state = self.state.clone();
        merge(&mut state, &self.changes);
        state
    }

    fn refused(&self) -> Ending {
        Ending::Cancelled(format!("Run {} was cancelled", self.ask.run_id))
    }

    fn interrupt(&mut self, said: &str) {
        self.messages.push(Message::new("assistant", Some(said.to_owned())));
    }

    fn answer(&mut self, reply: &Reply, usage: Usage, first: Option<f64>) {
        let mut message = Message::new("assistant", (!reply.text.is_empty()).then(|| reply.text.clone()));
        message.tool_calls = reply.calls.iter().map(ToolCall::message).collect();
        message.metrics = Some(message_metrics(usage, first));
        self.messages.push(message);
        let mut event = self.event("TeamModelRequestCompleted");
        put_completed_request(&mut event, usage, self.team.model, first);
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
            tool.result = Some(if finished.status == Status::Paused {
                let run_id = finished.document["run_id"].as_str().unwrap_or_default().to_owned();
                for mut requirement in finished.requirements {
                    requirement.member = Some([member.id.to_owned(), member.name.to_owned(), run_id.clone()]);
                    self.requirements.push(requirement);
                }
                format!("Member '{}' requires human input before continuing.", member.name)
            } else {
                finished.text
            });
            tool.metrics = Some(clock.metrics());
            merge(&mut self.changes, &finished.changes);
            self.members.push(finished.document);
            done.push(tool);
        }
        // In a stream of agno 3.1.10 every delegation names the run of the member that came last.
        let last = self.members.last().and_then(|member| member["run_id"].as_str()).map(str::to_owned);
        if self.continued && !self.sink.streams() {
            // In one piece it is the earlier ones of the same run that do.
            for tool in &mut self.tools {
                tool.child_run_id.clone_from(&last);
            }
        }
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
        let state = Value::Object(visible_state(&self.state_now(), user_id, &self.ask.session_id, &run_id));
        let part = Part {
            os: self.os,
            agent,
            run_id,
            session_id: &self.ask.session_id,
            user_id,
            message: task,
            media: &self.ask.media,
            knowledge_filters: self.ask.knowledge_filters.as_ref(),
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
}
