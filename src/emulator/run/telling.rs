//! What agents and teams tell alike: metrics of messages, requests to the model, calls of tools.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Object, put, put_model, put_some};
use crate::emulator::cast::Model;
use crate::emulator::execution::ToolExecution;
use crate::emulator::message::Usage;

/// Metrics of one message: the time to the first token only when there was one.
pub(crate) fn message_metrics(usage: Usage, first: Option<f64>) -> Value {
    let mut fields = usage.fields();
    put_some(&mut fields, "time_to_first_token", first);
    Value::Object(fields)
}

/// Adds what `ModelRequestCompleted` says.
pub(crate) fn put_completed_request(event: &mut Object, usage: Usage, by: &Model, first: Option<f64>) {
    put_model(event, by);
    event.extend(usage.fields());
    put_some(event, "time_to_first_token", first);
    for name in ["reasoning_tokens", "cache_read_tokens", "cache_write_tokens"] {
        put(event, name, 0);
    }
}

/// The events that tell of a finished call. An error is told after the completion.
pub(crate) fn finished_call(
    done: &ToolExecution,
    event: impl Fn(&str) -> Object,
    prefix: &str,
) -> Vec<Object> {
    let seconds = done.metrics.as_ref().and_then(|metrics| metrics["duration"].as_f64()).unwrap_or(0.0);
    let mut completed = event(&format!("{prefix}ToolCallCompleted"));
    put(&mut completed, "content", format!("{} completed in {seconds:.4}s. ", done.signature()));
    put(&mut completed, "tool", json!(done));
    let mut events = vec![completed];
    if done.tool_call_error == Some(true) {
        let mut failed = event(&format!("{prefix}ToolCallError"));
        put_some(&mut failed, "error", done.result.as_deref());
        put(&mut failed, "tool", json!(done));
        events.push(failed);
    }
    events
}

/// Waits between words.
pub(crate) async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}
