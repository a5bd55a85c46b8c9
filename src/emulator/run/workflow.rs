//! One run of a workflow: its steps in order, each given what the one before has said.

use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::agent::{self, Part, StepTag};
use super::event::Sink;
use super::prompt::visible_state;
use super::{Ask, Finished, Object, Status, put, put_some};
use crate::emulator::cast::{Agent, Executor, Step, Workflow};
use crate::emulator::clock;
use crate::emulator::message::Usage;

/// Runs a workflow to its end. `state` is the session's, the request's merged in.
pub(crate) async fn run(flow: &'static Workflow, ask: &Ask, state: &Object, sink: &Sink) -> Finished {
    let mut run = Run {
        flow,
        ask,
        state,
        sink,
        since: Instant::now(),
        created_at: clock::epoch(),
        metadata: ask.metadata.clone().unwrap_or_else(|| json!({})),
        results: Vec::new(),
        executions: Vec::new(),
        step_metrics: Object::new(),
        usage: Usage::default(),
        met_model: false,
        said: ask.message.clone(),
    };
    sink.send(&run.event("WorkflowStarted", None));
    for (index, step) in flow.steps.iter().enumerate() {
        let tag = StepTag {
            workflow_id: flow.id,
            workflow_run_id: &ask.run_id,
            id: Uuid::new_v4().to_string(),
            name: step.name,
            index,
        };
        let mut event = run.event("StepStarted", Some(&tag.id));
        put(&mut event, "step_name", tag.name);
        put(&mut event, "step_index", index);
        sink.send(&event);
        match step.executor {
            Executor::Agent(agent) => run.agent_step(agent, &tag).await,
            Executor::Shout => run.function_step(step, &tag),
        }
        if sink.gone() {
            break;
        }
    }
    run.close()
}

struct Run<'a> {
    flow: &'static Workflow,
    ask: &'a Ask,
    state: &'a Object,
    sink: &'a Sink,
    since: Instant,
    created_at: i64,
    metadata: Value,
    results: Vec<Value>,
    executions: Vec<Object>,
    step_metrics: Object,
    usage: Usage,
    met_model: bool,
    /// What the step before has said.
    said: String,
}

impl Run<'_> {
    async fn agent_step(&mut self, agent: &'static Agent, tag: &StepTag<'_>) {
        let (user_id, session_id) = (self.ask.user_id.as_deref(), self.ask.session_id.as_str());
        let streams = self.sink.streams();
        // Streamed, the step reports the ids that the workflow put into the state for it.
        let state = if streams {
            visible_state(self.state, user_id, session_id, &self.ask.run_id)
        } else {
            self.state.clone()
        };
        let message = self.said.clone();
        let part = Part {
            agent,
            run_id: Uuid::new_v4().to_string(),
            session_id,
            user_id,
            message: &message,
            parent_run_id: Some(&self.ask.run_id),
            step: Some(tag),
            history: Vec::new(),
            state: Value::Object(state),
            dependencies: self.ask.dependencies.as_ref(),
            metadata: Some(&self.metadata),
            schema: None,
        };
        let mut finished = agent::run(part, self.sink).await;
        self.usage.add(finished.usage);
        let failed = finished.status == Status::Error;
        if failed && streams {
            self.skipped_step(tag, &finished.text);
            return;
        }
        self.met_model |= finished.met_model;
        let metrics = finished.document.get("metrics").cloned().unwrap_or_default();
        let result = StepResult {
            content: &finished.text,
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
        self.executions.push(finished.document);
        self.said = finished.text;
    }

    /// Streamed, agno 3.1.10 gives up a step whose agent failed: it leaves no run and tells no completion.
    fn skipped_step(&mut self, tag: &StepTag<'_>, error: &str) {
        let error = format!("Step '{}' executor (agent) failed: {error}", tag.name);
        let content = format!("Step skipped due to error: {error}");
        let result = StepResult {
            content: &content,
            executor: None,
            run_id: None,
            metrics: None,
            error: Some(&error),
        };
        self.results.push(result.document(tag));
        self.said = content;
    }

    fn function_step(&mut self, step: &Step, tag: &StepTag<'_>) {
        let content = self.said.to_uppercase();
        let result = StepResult {
            content: &content,
            executor: Some(("function", step.name)),
            run_id: None,
            metrics: None,
            error: None,
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

    fn close(self) -> Finished {
        let status = if self.sink.gone() { Status::Cancelled } else { Status::Completed };
        let metrics = json!({ "steps": self.step_metrics, "duration": self.since.elapsed().as_secs_f64() });
        let mut event = self.event("WorkflowCompleted", None);
        put(&mut event, "content", self.said.as_str());
        put(&mut event, "content_type", "str");
        put(&mut event, "metadata", self.metadata.clone());
        put(&mut event, "metrics", metrics.clone());
        put(&mut event, "step_results", self.results.clone());
        if !self.executions.is_empty() {
            put(&mut event, "step_executor_runs", json!(self.executions));
        }
        self.sink.send(&event);

        let mut run = Object::new();
        put(&mut run, "input", self.ask.message.as_str());
        put(&mut run, "content", self.said.as_str());
        put(&mut run, "content_type", "str");
        put(&mut run, "workflow_id", self.flow.id);
        put(&mut run, "workflow_name", self.flow.name);
        put(&mut run, "run_id", self.ask.run_id.as_str());
        put(&mut run, "session_id", self.ask.session_id.as_str());
        put_some(&mut run, "user_id", self.ask.user_id.as_deref());
        put(&mut run, "created_at", self.created_at);
        put(&mut run, "status", status.word());
        put(&mut run, "metadata", self.metadata);
        for media in ["images", "videos", "audio", "files"] {
            put(&mut run, media, json!([]));
        }
        put(&mut run, "step_results", self.results);
        let mut executions = self.executions;
        for execution in &mut executions {
            // The ids that were put into the state for the time of the run are gone when it is stored.
            put(execution, "session_state", Value::Object(self.state.clone()));
        }
        if !executions.is_empty() {
            put(&mut run, "step_executor_runs", json!(executions));
        }
        put(&mut run, "metrics", metrics);
        let mut events = self.sink.told();
        for event in events.iter_mut().flatten() {
            if let Some(state) = event.get_mut("session_state") {
                *state = Value::Object(self.state.clone());
            }
            if let Some(told) = event.get_mut("step_executor_runs") {
                *told = json!(executions);
            }
        }
        put_some(&mut run, "events", events);
        Finished {
            document: run,
            members: Vec::new(),
            status,
            text: self.said,
            met_model: self.met_model,
            usage: self.usage,
        }
    }

    fn event(&self, name: &str, step_id: Option<&str>) -> Object {
        let mut event = Object::new();
        put(&mut event, "created_at", clock::epoch());
        put(&mut event, "event", name);
        put(&mut event, "workflow_id", self.flow.id);
        put(&mut event, "workflow_name", self.flow.name);
        put(&mut event, "session_id", self.ask.session_id.as_str());
        put(&mut event, "run_id", self.ask.run_id.as_str());
        put_some(&mut event, "step_id", step_id);
        put(&mut event, "nested_depth", 0);
        event
    }
}

/// What one step came to.
struct StepResult<'a> {
    content: &'a str,
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
