//! One run of a workflow: its steps in order, each given what the one before has said.

mod close;
pub(crate) mod resume;

use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::agent::{self, Part, StepTag};
use super::event::Sink;
use super::prompt::visible_state;
use super::{Ask, Finished, Object, Status, merge, put};
use crate::emulator::cast::{Agent, Executor, Scripted, Workflow};
use crate::emulator::clock;
use crate::emulator::message::Usage;
use crate::emulator::model::Scene;
use crate::emulator::os::Os;

/// Runs a workflow to its end. `state` is the session's, the request's merged in.
pub(crate) async fn run(
    os: &Os,
    flow: &'static Workflow,
    ask: &Ask,
    state: &Object,
    sink: &Sink,
) -> Finished {
    let run = Run::new(os, flow, ask, state, sink);
    sink.send(&run.event("WorkflowStarted", None));
    run.steps_from(0, None).await
}

/// Where a workflow waits for a human.
#[derive(Debug, Clone, Copy)]
struct Pause {
    index: usize,
    name: &'static str,
}

struct Run<'a> {
    os: &'a Os,
    flow: &'static Workflow,
    ask: &'a Ask,
    state: &'a Object,
    sink: &'a Sink,
    since: Instant,
    created_at: i64,
    /// None only where agno 3.1.10 forgets it: in a background stream whose request brought none.
    metadata: Option<Value>,
    results: Vec<Value>,
    executions: Vec<Object>,
    step_metrics: Object,
    usage: Usage,
    /// What the agents of its steps changed in the session state.
    changes: Object,
    met_model: bool,
    /// What the step before has said.
    said: String,
    pause: Option<Pause>,
    requirements: Option<Vec<Value>>,
    /// The events of an earlier part; a run that goes on has some, if only none.
    before: Option<Vec<Value>>,
}

impl<'a> Run<'a> {
    fn new(os: &'a Os, flow: &'static Workflow, ask: &'a Ask, state: &'a Object, sink: &'a Sink) -> Self {
        Self {
            os,
            flow,
            ask,
            state,
            sink,
            since: Instant::now(),
            created_at: clock::epoch(),
            metadata: ask.metadata.clone().or_else(|| (!sink.in_background()).then(|| json!({}))),
            results: Vec::new(),
            executions: Vec::new(),
            step_metrics: Object::new(),
            usage: Usage::default(),
            changes: Object::new(),
            met_model: false,
            said: ask.message.clone(),
            pause: None,
            requirements: None,
            before: None,
        }
    }

    /// Does the steps from an index on. The first one may have been allowed already, and have its id.
    async fn steps_from(mut self, start: usize, mut allowed: Option<String>) -> Finished {
        for (index, step) in self.flow.steps.iter().enumerate().skip(start) {
            if self.sink.cancelled(&self.ask.run_id) {
                return self.cancelled();
            }
            let known = allowed.take();
            let tag = StepTag {
                workflow_id: self.flow.id,
                workflow_run_id: &self.ask.run_id,
                id: known.clone().unwrap_or_else(|| Uuid::new_v4().to_string()),
                name: step.name,
                index,
            };
            if let Some(message) = step.confirm.filter(|_| known.is_none()) {
                return self.paused(&tag, message, Pause { index, name: step.name });
            }
            let mut event = self.event("StepStarted", Some(&tag.id));
            put(&mut event, "step_name", tag.name);
            put(&mut event, "step_index", index);
            self.sink.send(&event);
            match &step.executor {
                Executor::Agent(agent) => self.agent_step(agent, &tag).await,
                Executor::Function(name, says) => self.function_step(name, says, &tag),
            }
            if self.sink.gone() {
                break;
            }
            if self.sink.cancelled(&self.ask.run_id) {
                return self.cancelled();
            }
        }
        self.close()
    }
}

impl Run<'_> {
    /// The session state with what earlier steps changed in it.
    fn state_now(&self) -> Object {
        let mut state = self.state.clone();
        merge(&mut state, &self.changes);
        state
    }

    async fn agent_step(&mut self, agent: &'static Agent, tag: &StepTag<'_>) {
        let (user_id, session_id) = (self.ask.user_id.as_deref(), self.ask.session_id.as_str());
        let streams = self.sink.streams();
        // Streamed, the step reports the ids that the workflow put into the state for it.
        let state = self.state_now();
        let state = if streams && !self.sink.in_background() {
            visible_state(&state, user_id, session_id, &self.ask.run_id)
        } else {
            state
        };
        let message = self.said.clone();
        let part = Part {
            os: self.os,
            agent,
            run_id: Uuid::new_v4().to_string(),
            session_id,
            user_id,
            message: &message,
            media: &self.ask.media,
            knowledge_filters: self.ask.knowledge_filters.as_ref(),
            parent_run_id: Some(&self.ask.run_id),
            step: Some(tag),
            history: Vec::new(),
            state: Value::Object(state),
            dependencies: self.ask.dependencies.as_ref(),
            metadata: self.metadata.as_ref(),
            schema: None,
        };
        let mut finished = agent::run(part, self.sink).await;
        self.usage.add(finished.usage);
        merge(&mut self.changes, &finished.changes);
        let failed = finished.status == Status::Error;
        if failed && streams {
            self.skipped_step(tag, &finished.text);
            return;
        }
        self.met_model |= finished.met_model;
        if finished.status == Status::Cancelled && !self.sink.gone() {
            self.stopped_step(agent, tag, finished);
            return;
        }
        let metrics = finished.document.get("metrics").cloned().unwrap_or_default();
        let result = StepResult {
            content: Some(&finished.text),
            executor: Some(("agent", agent.name)),
            run_id: finished.document.get("run_id").cloned(),
            metrics: Some(metrics.clone()),
            error: failed.then_some(finished.text.as_str()),
        };
        let result = result.document(tag);
        self.step_completed(tag, &finished.text, &result);
        self.step_metrics.insert(
            tag.name.to_owned(),
            json!({ "step_name": tag.name, "executor_type": "agent", "executor_name": agent.name,
                    "metrics": metrics }),
        );
        self.results.push(result);
        if streams {
            // agno 3.1.10 closes the generator of a streamed step after its last event, which marks
            // the finished run as cancelled; it is told and stored so.
            put(&mut finished.document, "status", Status::Cancelled.word());
        }
        if self.sink.in_background() {
            let told = finished.document["run_id"].as_str().map(|run_id| self.sink.told_by(run_id));
            put(&mut finished.document, "events", told.unwrap_or_default());
        }
        self.executions.push(finished.document);
        self.said = finished.text;
    }

    /// A step whose agent was stopped. In one piece it leaves nothing but its run.
    fn stopped_step(&mut self, agent: &'static Agent, tag: &StepTag<'_>, mut finished: Finished) {
        let streams = self.sink.streams();
        let mut metrics = finished.document.get("metrics").cloned().unwrap_or_default();
        if metrics.get("details").is_none() {
            metrics["details"] = Usage::default().details(agent.model);
        }
        let result = StepResult {
            content: streams.then_some(finished.text.as_str()),
            executor: Some(("agent", agent.name)),
            run_id: finished.document.get("run_id").filter(|_| streams).cloned(),
            metrics: streams.then(|| metrics.clone()),
            error: Some("Cancelled during execution"),
        };
        self.results.push(result.document(tag));
        if streams {
            self.step_metrics.insert(
                tag.name.to_owned(),
                json!({ "step_name": tag.name, "executor_type": "agent", "executor_name": agent.name,
                        "metrics": metrics }),
            );
            put(&mut finished.document, "metrics", metrics.clone());
            let told = finished.document["run_id"].as_str().map(|run_id| self.sink.told_by(run_id));
            let mut told = told.unwrap_or_default();
            for event in &mut told {
                if event["event"] == "RunCompleted" {
                    event["metrics"] = metrics.clone();
                    event["session_state"] = Value::Object(self.state_now());
                }
            }
            put(&mut finished.document, "events", told);
        }
        self.executions.push(finished.document);
    }

    /// Streamed, agno 3.1.10 gives up a step whose agent failed: it leaves no run and tells no completion.
    fn skipped_step(&mut self, tag: &StepTag<'_>, error: &str) {
        let error = format!("Step '{}' executor (agent) failed: {error}", tag.name);
        let content = format!("Step skipped due to error: {error}");
        let result = StepResult {
            content: Some(&content),
            executor: None,
            run_id: None,
            metrics: None,
            error: Some(&error),
        };
        self.results.push(result.document(tag));
        self.said = content;
    }

    fn function_step(&mut self, name: &'static str, says: &Scripted, tag: &StepTag<'_>) {
        let state = Value::Object(self.state_now());
        let scene = Scene {
            state: &state,
            user_id: self.ask.user_id.as_deref(),
            session_id: &self.ask.session_id,
            run_id: &self.ask.run_id,
            dependencies: self.ask.dependencies.as_ref(),
            metadata: self.metadata.as_ref(),
        };
        let names = [("previous", &json!(self.said)), ("message", &json!(self.ask.message))];
        // What a template cannot do a function cannot.
        let (content, error) = match says.says(&scene, &names) {
            Ok(content) => (content, None),
            Err(error) => (error.clone(), Some(error)),
        };
        let result = StepResult {
            content: Some(&content),
            executor: Some(("function", name)),
            run_id: None,
            metrics: None,
            error: error.as_deref(),
        };
        let result = result.document(tag);
        let mut event = self.event("StepOutput", None);
        put(&mut event, "step_name", tag.name);
        put(&mut event, "step_index", tag.index);
        put(&mut event, "step_output", result.clone());
        self.sink.send(&event);
        self.step_completed(tag, &content, &result);
        self.results.push(result);
        self.said = content;
    }

    fn step_completed(&self, tag: &StepTag<'_>, content: &str, result: &Value) {
        let mut event = self.event("StepCompleted", Some(&tag.id));
        put(&mut event, "step_name", tag.name);
        put(&mut event, "step_index", tag.index);
        put(&mut event, "content", content);
        put(&mut event, "content_type", "str");
        put(&mut event, "step_response", result.clone());
        self.sink.send(&event);
    }

    fn event(&self, name: &str, step_id: Option<&str>) -> Object {
        let mut event = Object::new();
        put(&mut event, "created_at", clock::epoch());
        put(&mut event, "event", name);
        put(&mut event, "workflow_id", self.flow.id);
        put(&mut event, "workflow_name", self.flow.name);
        put(&mut event, "session_id", self.ask.session_id.as_str());
        put(&mut event, "run_id", self.ask.run_id.as_str());
        super::put_some(&mut event, "step_id", step_id);
        put(&mut event, "nested_depth", 0);
        event
    }
}

/// What one step came to.
struct StepResult<'a> {
    content: Option<&'a str>,
    executor: Option<(&'static str, &'static str)>,
    run_id: Option<Value>,
    metrics: Option<Value>,
    error: Option<&'a str>,
}

impl StepResult<'_> {
    fn document(self, tag: &StepTag<'_>) -> Value {
        json!({
            "content": self.content,
            "step_name": tag.name,
            "step_id": tag.id,
            "step_type": "Step",
            "executor_type": self.executor.map(|(kind, _)| kind),
            "executor_name": self.executor.map(|(_, name)| name),
            "step_run_id": self.run_id,
            "images": null, "videos": null, "audio": null, "files": null,
            "metrics": self.metrics,
            "success": self.error.is_none(),
            "error": self.error,
            "stop": false,
            "is_paused": false,
        })
    }
}
