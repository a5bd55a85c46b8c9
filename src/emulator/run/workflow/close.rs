//! The end of a run of a workflow, or the point where it waits: its last events, and its document.

use serde_json::{Value, json};

use super::{Pause, Run};
use crate::emulator::message::Usage;
use crate::emulator::run::agent::StepTag;
use crate::emulator::run::{Finished, Object, Status, put, put_some};
use crate::emulator::shape::run_again;

impl Run<'_> {
    /// The steps are done, or the client has gone away.
    pub(super) fn close(mut self) -> Finished {
        let status = if self.sink.gone() { Status::Cancelled } else { Status::Completed };
        // Once it is over nothing tells that it ever waited.
        self.pause = None;
        let metrics = self.metrics();
        let event = self.completed(&self.said, &metrics, true);
        self.sink.send(&event);
        let content = Some(self.said.clone());
        self.finish(status, None, content, metrics)
    }

    /// Somebody asked for the end.
    pub(super) fn cancelled(mut self) -> Finished {
        let reason = format!("Run {} was cancelled", self.ask.run_id);
        let metrics = self.metrics();
        // The last two are told, and kept only of a run that goes on.
        let told = self.sink.told();
        let mut event = self.event("WorkflowCancelled", None);
        put(&mut event, "reason", reason.as_str());
        put(&mut event, "content", reason.as_str());
        self.sink.send(&event);
        let resumed = self.before.is_some();
        let event = self.completed(&reason, &metrics, resumed);
        self.sink.send(&event);
        if let Some(last) = self.sink.told().filter(|_| resumed) {
            self.before.get_or_insert_default().extend(last);
        }
        if let Some(told) = told {
            self.before.get_or_insert_default().extend(told);
        }
        self.finish(Status::Cancelled, Some("EXECUTING"), Some(reason), metrics)
    }

    /// A human is asked before the next step.
    pub(super) fn paused(mut self, tag: &StepTag<'_>, message: &str, pause: Pause) -> Finished {
        self.pause = Some(pause);
        self.requirements = Some(vec![self.requirement(tag, message)]);
        self.settle_states();
        if self.sink.streams() {
            self.show_again();
        }
        // The session is charged when the run has ended.
        self.usage = Usage::default();
        self.met_model = false;
        let mut event = self.event("StepPaused", Some(&tag.id));
        put(&mut event, "step_name", tag.name);
        put(&mut event, "step_index", tag.index);
        put(&mut event, "requires_confirmation", true);
        put(&mut event, "confirmation_message", message);
        put(&mut event, "requires_user_input", false);
        self.sink.send(&event);
        let mut event = self.event("WorkflowPaused", None);
        put(&mut event, "status", Status::Paused.word());
        self.put_pause(&mut event);
        put_some(&mut event, "metadata", self.metadata.clone());
        put(&mut event, "step_results", self.results.clone());
        if !self.executions.is_empty() {
            put(&mut event, "step_executor_runs", json!(self.executions));
        }
        put_some(&mut event, "step_requirements", self.requirements.clone());
        self.sink.send(&event);
        let sink = self.sink;
        let finished = self.finish(Status::Paused, None, None, json!({ "steps": {}, "duration": null }));
        // The whole run is the last thing that is told, under no name of its own.
        sink.send(&finished.document);
        finished
    }

    fn requirement(&self, tag: &StepTag<'_>, message: &str) -> Value {
        let before: Object = self
            .results
            .iter()
            .filter_map(|result| Some((result["step_name"].as_str()?.to_owned(), result.clone())))
            .collect();
        let mut requirement = requirement(&json!({
            "step_id": tag.id,
            "step_name": tag.name,
            "step_index": tag.index,
            "step_type": "Step",
            "requires_confirmation": true,
            "confirmation_message": message,
            "on_reject": "skip",
            "max_retries": 3,
        }));
        requirement["step_input"] = json!({
            "input": self.ask.message,
            "previous_step_outputs": before,
            "previous_step_content": self.said,
            "additional_data": null,
            "images": null, "videos": null, "audio": null, "files": null,
        });
        requirement
    }

    fn metrics(&self) -> Value {
        // The time that a human took is not told.
        let duration = self.before.is_none().then(|| self.since.elapsed().as_secs_f64());
        json!({ "steps": self.step_metrics, "duration": duration })
    }

    fn completed(&self, content: &str, metrics: &Value, whole: bool) -> Object {
        let mut event = self.event("WorkflowCompleted", None);
        put(&mut event, "content", content);
        put(&mut event, "content_type", "str");
        put_some(&mut event, "metadata", self.metadata.clone());
        put(&mut event, "metrics", metrics.clone());
        put(&mut event, "step_results", self.results.clone());
        if whole && !self.executions.is_empty() {
            put(&mut event, "step_executor_runs", json!(self.executions));
        }
        event
    }

    /// The ids that were put into the state for the time of the run are gone when it is stored.
    fn settle_states(&mut self) {
        let state = self.state_now();
        for execution in &mut self.executions {
            put(execution, "session_state", Value::Object(state.clone()));
        }
    }

    /// The runs of the steps as they are shown once they were stored.
    fn show_again(&mut self) {
        for execution in &mut self.executions {
            if let Value::Object(shown) = run_again(&Value::Object(execution.clone())) {
                *execution = shown;
            }
        }
    }

    fn put_pause(&self, fields: &mut Object) {
        if let Some(pause) = self.pause {
            put(fields, "paused_step_index", pause.index);
            put(fields, "paused_step_name", pause.name);
            put(fields, "pause_kind", "step");
        }
    }

    pub(super) fn finish(
        mut self,
        status: Status,
        stage: Option<&str>,
        content: Option<String>,
        metrics: Value,
    ) -> Finished {
        self.settle_states();
        if self.before.is_some() {
            self.show_again();
        }
        let now = Value::Object(self.state_now());
        let mut run = Object::new();
        put(&mut run, "input", self.ask.message.as_str());
        put_some(&mut run, "content", content.clone());
        put(&mut run, "content_type", "str");
        put(&mut run, "workflow_id", self.flow.id);
        put(&mut run, "workflow_name", self.flow.name);
        put(&mut run, "run_id", self.ask.run_id.as_str());
        put(&mut run, "session_id", self.ask.session_id.as_str());
        put_some(&mut run, "user_id", self.ask.user_id.as_deref());
        put(&mut run, "created_at", self.created_at);
        put(&mut run, "status", status.word());
        put_some(&mut run, "cancellation_stage", stage);
        self.put_pause(&mut run);
        put_some(&mut run, "metadata", self.metadata.clone());
        if status == Status::Completed {
            let media = &self.ask.media;
            put(&mut run, "images", json!(media.images));
            put(&mut run, "videos", json!(media.videos));
            put(&mut run, "audio", json!(media.audio));
            // A run that went on has forgotten them.
            if self.before.is_none() {
                put(&mut run, "files", json!(media.files));
            }
        }
        if !self.results.is_empty() {
            put(&mut run, "step_results", self.results);
        }
        let executions = self.executions;
        if !executions.is_empty() {
            put(&mut run, "step_executor_runs", json!(executions));
        }
        put(&mut run, "metrics", metrics);
        let mut events = self.before;
        if let Some(told) = self.sink.told() {
            events.get_or_insert_default().extend(told);
        }
        for event in events.iter_mut().flatten() {
            if let Some(state) = event.get_mut("session_state") {
                state.clone_from(&now);
            }
            if let Some(told) = event.get_mut("step_executor_runs") {
                *told = json!(executions);
            }
        }
        put_some(&mut run, "events", events);
        put_some(&mut run, "step_requirements", self.requirements);
        Finished {
            document: run,
            members: Vec::new(),
            requirements: Vec::new(),
            status,
            text: content.unwrap_or_default(),
            met_model: self.met_model,
            usage: self.usage,
            memory_usage: Usage::default(),
            changes: self.changes,
        }
    }
}

/// A requirement as agno 3.1.10 shows it: what was not said has its default.
pub(super) fn requirement(sent: &Value) -> Value {
    let mut whole = json!({
        "step_id": null, "step_name": null, "step_index": null, "step_type": null,
        "requires_confirmation": false, "confirmation_message": null, "confirmed": null,
        "on_reject": "cancel",
        "requires_user_input": false, "user_input_message": null, "user_input": null,
        "requires_route_selection": false, "available_choices": null, "allow_multiple_selections": false,
        "selected_choices": null,
        "requires_output_review": false, "output_review_message": null, "is_post_execution": false,
        "rejection_feedback": null, "retry_count": 0, "max_retries": null,
        "timeout_at": null, "on_timeout": "cancel",
    });
    for (name, value) in sent.as_object().into_iter().flatten() {
        if whole.get(name).is_some() || name == "step_input" {
            whole[name] = value.clone();
        }
    }
    whole
}
