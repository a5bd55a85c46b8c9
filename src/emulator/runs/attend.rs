//! Ending runs from outside, and reading their events again.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};

use super::{Answer, component, stream as streams};
use crate::emulator::call::Call;
use crate::emulator::form::Form;
use crate::emulator::kind::Kind;
use crate::emulator::live::frame;
use crate::emulator::os::Os;
use crate::emulator::python;
use crate::emulator::refusal::Refusal;
use crate::emulator::reply;

/// After this much silence somebody who reads along is told that the run lives.
const SILENCE: Duration = Duration::from_secs(30);

/// `POST /{kind}s/{id}/runs/{run_id}/cancel`: a wish, which is noted whether or not there is such a run.
pub(crate) fn cancel(os: &Os, kind: Kind, call: &Call) -> Answer {
    component(os, kind, call)?;
    let run_id = call.param("run_id");
    check_run(os, kind, call, call.text("session_id"))?;
    os.live.cancel(run_id);
    Ok(reply::ok(&json!({})))
}

/// Somebody who sees only what is theirs must show that the run is.
pub(super) fn check_run(os: &Os, kind: Kind, call: &Call, session_id: Option<&str>) -> Result<(), Refusal> {
    let Some(user_id) = call.caller.only()? else { return Ok(()) };
    let Some(session_id) = session_id.filter(|id| !id.is_empty()) else {
        return Err(Refusal::bad_request("session_id is required for this action"));
    };
    let missing = || Refusal::not_found("Run not found");
    os.store.session(session_id, Some(user_id))?.ok_or_else(missing)?;
    let run = os.store.run(session_id, call.param("run_id"))?.ok_or_else(missing)?;
    if run[kind.id_field()].as_str() == Some(call.param(kind.id_field())) { Ok(()) } else { Err(missing()) }
}

/// `POST /{kind}s/{id}/runs/{run_id}/resume`: what was missed, then what comes.
pub(crate) async fn resume(os: Arc<Os>, kind: Kind, call: Call) -> Answer {
    let form = Form::read(&call).await?;
    let mut problems = Vec::new();
    let last = form.integer("last_event_index", &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    component(&os, kind, &call)?;
    let session_id = form.filled("session_id");
    check_run(&os, kind, &call, session_id)?;
    let run_id = call.param("run_id");
    let Some(tape) = os.live.tape(run_id) else {
        return Ok(stored(&os, session_id, run_id, last));
    };
    let last = last.map(|last| i64::try_from(last).unwrap_or(i64::MAX));
    let from = last.map_or(0, |last| usize::try_from(last.saturating_add(1)).unwrap_or(0));
    let missed = tape.since(from);
    let count = tape.count();
    let mut frames: Vec<Bytes> = Vec::new();
    if let Some(status) = tape.status() {
        let told = missed.len();
        frames.push(note(&json!({
            "event": "replay",
            "run_id": run_id,
            "status": status,
            "total_events": told,
            "total_buffered": count,
            "last_event_index_requested": last.unwrap_or(-1),
            "message": format!("Run {status}. Replaying {told} missed events (of {count} total)."),
        })));
        frames.extend(missed);
        return Ok(fixed(frames));
    }
    if !missed.is_empty() {
        let told = missed.len();
        frames.push(note(&json!({
            "event": "catch_up",
            "run_id": run_id,
            "status": "running",
            "missed_events": told,
            "current_event_count": count,
            "message": format!("Catching up on {told} missed events."),
        })));
        frames.extend(missed);
    }
    frames.push(note(&json!({
        "event": "subscribed",
        "run_id": run_id,
        "status": "running",
        "current_event_count": count,
        "message": format!("Subscribed to {} run. Receiving live events.", kind.name()),
    })));
    let first = stream::iter(frames.into_iter().map(Ok));
    Ok(streams::response(first.chain(tape.follow(count.max(from), SILENCE, ": heartbeat\n\n"))))
}

/// A run whose events nobody took down: what the store has of them.
fn stored(os: &Os, session_id: Option<&str>, run_id: &str, last: Option<i128>) -> Response {
    let run = session_id.and_then(|session_id| os.store.run(session_id, run_id).ok().flatten());
    let Some(run) = run else {
        let error = format!("Run {run_id} not found in buffer or database");
        return fixed(vec![note(&json!({ "event": "error", "error": error }))]);
    };
    let status = run["status"].as_str().unwrap_or("unknown");
    let events = run["events"].as_array().cloned().unwrap_or_default();
    if events.is_empty() {
        let message = if matches!(status, "PENDING" | "RUNNING") {
            format!(
                "Run is {status} and was submitted without streaming, so it has no event stream to attach \
                 to. Poll the run endpoint for its result."
            )
        } else {
            format!(
                "Run {status} with no stored events: a run submitted without streaming keeps only its final \
                 output."
            )
        };
        let meta = json!({
            "event": "replay", "run_id": run_id, "status": status, "total_events": 0, "message": message,
        });
        return fixed(vec![note(&meta)]);
    }
    let mut frames = Vec::new();
    let mut next = 0;
    for (position, event) in events.into_iter().enumerate() {
        let Value::Object(mut event) = event else { continue };
        let known = event.get("event_index").and_then(Value::as_u64).and_then(|at| usize::try_from(at).ok());
        // Only an index that the stream gave can be one that the reader has seen.
        if let (Some(known), Some(last)) = (known, last)
            && i128::try_from(known).is_ok_and(|known| known <= last)
        {
            continue;
        }
        let index = known.unwrap_or(position.max(next));
        next = index + 1;
        event.insert("event_index".to_owned(), json!(index));
        event.entry("run_id").or_insert_with(|| json!(run_id));
        frames.push(frame(&event));
    }
    let meta = json!({
        "event": "replay",
        "run_id": run_id,
        "status": status,
        "total_events": frames.len(),
        "message": "Run completed. Replaying stored events from database.",
    });
    frames.insert(0, note(&meta));
    fixed(frames)
}

fn fixed(frames: Vec<Bytes>) -> Response {
    streams::response(stream::iter(frames.into_iter().map(Ok)))
}

/// A word about the stream itself, in the spelling of Python.
fn note(fields: &Value) -> Bytes {
    let name = fields["event"].as_str().unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {}\n\n", python::dumps(fields)))
}
