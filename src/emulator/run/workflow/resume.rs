//! A run of a workflow that goes on after a human's word.

use serde_json::{Value, json};
use uuid::Uuid;

use super::close::requirement;
use super::{Pause, Run, Sink};
use crate::emulator::cast::Workflow;
use crate::emulator::message::Usage;
use crate::emulator::os::Os;
use crate::emulator::run::{Ask, Finished, Object, Status, put};
use crate::emulator::shape::run_again;

/// Lets a run go on. The text says why it cannot: then nothing has changed.
pub(crate) async fn resume(
    os: &Os,
    flow: &'static Workflow,
    ask: &Ask,
    state: &Object,
    document: &Value,
    sent: Option<&[Value]>,
    sink: &Sink,
) -> Result<Finished, String> {
    let items = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let requirements: Vec<Value> = match sent {
        Some(sent) => sent.iter().map(requirement).collect(),
        None => items("step_requirements"),
    };
    // Only the last one is asked about.
    let asked = requirements.last().cloned().unwrap_or_default();
    let must = asked["requires_confirmation"] == json!(true);
    if must && asked["confirmed"].is_null() {
        let name = asked["step_name"].as_str().unwrap_or_default();
        return Err(format!("Cannot continue run - unresolved step requirements: ['{name}']"));
    }
    let index = document["paused_step_index"].as_u64().and_then(|index| usize::try_from(index).ok());
    let Some((index, step)) = index.and_then(|index| Some((index, flow.steps.get(index)?))) else {
        return Err("Cannot continue run - no paused step index found".to_owned());
    };
    // A step that is not named is not recognised, and gets a new id.
    let step_id = asked["step_id"].as_str().filter(|_| asked["step_name"].as_str() == Some(step.name));
    let step_id = step_id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let mut run = Run::new(os, flow, ask, state, sink);
    run.created_at = document["created_at"].as_i64().unwrap_or(run.created_at);
    run.results = items("step_results");
    run.executions =
        items("step_executor_runs").iter().filter_map(|run| run_again(run).as_object().cloned()).collect();
    run.charge();
    run.before = Some(items("events"));
    run.requirements = Some(requirements);
    run.pause = Some(Pause { index, name: step.name });
    if let Some(said) = run.results.last().and_then(|result| result["content"].as_str()) {
        run.said = said.to_owned();
    }
    let rejected = must && asked["confirmed"] == json!(false);
    if rejected && !matches!(asked["on_reject"].as_str(), Some("skip" | "else" | "retry")) {
        return Ok(run.refused(step.name));
    }
    run.count_steps();
    if rejected {
        return Ok(run.steps_from(index + 1, None).await);
    }
    if !sink.cancelled(&ask.run_id) {
        let mut event = run.event("StepContinued", Some(&step_id));
        put(&mut event, "step_name", step.name);
        put(&mut event, "step_index", index);
        sink.send(&event);
        if !sink.streams() {
            sink.keep(&event);
        }
    }
    Ok(run.steps_from(index, Some(step_id)).await)
}

impl Run<'_> {
    /// The session is charged for the earlier steps only now.
    fn charge(&mut self) {
        for execution in &self.executions {
            let tokens = |name: &str| execution["metrics"][name].as_u64().unwrap_or_default();
            self.usage.add(Usage { input: tokens("input_tokens"), output: tokens("output_tokens") });
            self.met_model = true;
        }
    }

    /// The numbers of the steps that are done.
    fn count_steps(&mut self) {
        for result in &self.results {
            if let (Some(name), Some("agent")) =
                (result["step_name"].as_str(), result["executor_type"].as_str())
            {
                self.step_metrics.insert(
                    name.to_owned(),
                    json!({ "step_name": name, "executor_type": "agent",
                            "executor_name": result["executor_name"], "metrics": result["metrics"] }),
                );
            }
        }
    }

    /// A rejection that ends the whole run.
    fn refused(self, step: &str) -> Finished {
        let content = format!("Workflow cancelled: Step '{step}' was rejected");
        let mut event = self.event("WorkflowCancelled", None);
        put(&mut event, "reason", content.as_str());
        put(&mut event, "content", content.as_str());
        self.sink.send(&event);
        drop(self.sink.told());
        self.finish(
            Status::Cancelled,
            Some("PAUSED"),
            Some(content),
            json!({ "steps": {}, "duration": null }),
        )
    }
}
