//! The shapes in which stored sessions and runs are answered. There are several of each: agno 3.1.10
//! shows one run differently at `/agents/{id}/runs/{run_id}`, in a session's list and in a preview.

use serde_json::{Map, Value, json};

use super::clock;
use super::kind::Kind;
use super::python;
use super::run::{Object, put, put_some};
use super::store::sessions::Session;

/// What a preview keeps of a text, in characters.
const PREVIEW: usize = 280;

/// A stored run as `GET /{component}/{id}/runs/{run_id}` answers it: with `events`, without empty `tools`.
pub(crate) fn run_again(document: &Value) -> Value {
    let Value::Object(stored) = document else { return document.clone() };
    let workflow = stored.contains_key("workflow_id");
    // Agents have their events after the metrics, teams before them, workflows at the end.
    let agent = stored.contains_key("agent_id");
    let lacking = !workflow && !stored.contains_key("events");
    let mut run = Object::new();
    for (name, value) in stored {
        if workflow && name == "step_requirements" && !stored.contains_key("events") {
            put(&mut run, "events", json!([]));
        }
        if lacking && !agent && name == "metrics" {
            put(&mut run, "events", json!([]));
        }
        match (name.as_str(), value) {
            ("tools" | "images" | "videos" | "audio" | "files", Value::Array(items)) if items.is_empty() => {}
            ("member_responses" | "step_executor_runs", Value::Array(runs)) => {
                put(&mut run, name, runs.iter().map(run_again).collect::<Vec<_>>());
            }
            ("events", Value::Array(events)) => {
                put(&mut run, name, events.iter().map(event_again).collect::<Vec<_>>());
            }
            _ => put(&mut run, name, value.clone()),
        }
        if lacking && agent && name == "metrics" {
            put(&mut run, "events", json!([]));
        }
    }
    if !run.contains_key("events") {
        put(&mut run, "events", json!([]));
    }
    Value::Object(run)
}

/// A stored event as its run shows it: the runs within it, too, have `events`.
fn event_again(event: &Value) -> Value {
    let mut event = event.clone();
    let members = event.get_mut("member_responses").and_then(Value::as_array_mut);
    for member in members.into_iter().flatten() {
        *member = run_again(member);
    }
    event
}

/// A stored run without what came from history: earlier runs hold that already.
pub(crate) fn run_to_store(document: &Object) -> Object {
    let mut run = document.clone();
    if let Some(Value::Array(messages)) = run.get_mut("messages") {
        messages.retain(|message| message["from_history"] != json!(true));
    }
    run.retain(|name, value| {
        !matches!(name.as_str(), "images" | "videos" | "audio" | "files") || *value != json!([])
    });
    run
}

/// Whose run a document is.
pub(crate) fn kind_of(document: &Object) -> Kind {
    let has = |name: &str| document.get(name).is_some_and(|value| !value.is_null());
    if has("workflow_id") {
        Kind::Workflow
    } else if has("team_id") {
        Kind::Team
    } else {
        Kind::Agent
    }
}

/// A run as a session of some kind lists it. A session of an agent shows everything as runs of agents;
/// one of a team leaves out what is of neither.
pub(crate) fn listed_run(document: &Value, session: Kind) -> Option<Object> {
    match session {
        Kind::Agent => Some(agent_run(document)),
        Kind::Team if document.get("agent_id").is_some() => Some(agent_run(document)),
        Kind::Team => document.get("team_id").map(|_| team_run(document)),
        Kind::Workflow => Some(session_run(document)),
    }
}

/// A run in the shape of its own kind, every field present, null where there is nothing.
pub(crate) fn session_run(document: &Value) -> Object {
    match document.as_object().map_or(Kind::Agent, kind_of) {
        Kind::Agent => agent_run(document),
        Kind::Team => team_run(document),
        Kind::Workflow => workflow_run(document),
    }
}

fn field(document: &Value, name: &str) -> Value {
    document.get(name).cloned().unwrap_or_default()
}

fn field_or(document: &Value, name: &str, default: Value) -> Value {
    document.get(name).cloned().unwrap_or(default)
}

/// A list, or null for an empty one.
fn filled(document: &Value, name: &str) -> Value {
    match document.get(name) {
        Some(Value::Array(items)) if !items.is_empty() => json!(items),
        _ => Value::Null,
    }
}

fn created(document: &Value) -> Value {
    document["created_at"].as_i64().map_or(Value::Null, |epoch| json!(clock::iso_seconds(epoch)))
}

fn response_format(document: &Value) -> &'static str {
    if document["content_type"].as_str().unwrap_or("str") == "str" { "text" } else { "json" }
}

/// What was asked, as text. Of a workflow only its own shape knows that.
fn run_input(document: &Value) -> &str {
    document["input"]["input_content"].as_str().unwrap_or_default()
}

/// What came with the question. Audio is looked for under another name than the one it is kept under.
fn input_media(document: &Value) -> Value {
    let of = |name: &str| document["input"].get(name).cloned().unwrap_or_else(|| json!([]));
    json!({ "images": of("images"), "videos": of("videos"), "audios": of("audios"), "files": of("files") })
}

fn put_media(run: &mut Object, document: &Value) {
    for name in ["images", "videos", "audio", "files"] {
        put(run, name, field_or(document, name, json!([])));
    }
}

fn put_lineage(run: &mut Object, document: &Value) {
    for name in [
        "forked_from_run_id",
        "forked_from_message_index",
        "forked_from_session_id",
        "regenerated_from",
        "last_checkpoint_at_message_index",
    ] {
        put(run, name, field(document, name));
    }
}

fn agent_run(document: &Value) -> Object {
    let mut run = Object::new();
    put(&mut run, "run_id", field(document, "run_id"));
    put(&mut run, "parent_run_id", field_or(document, "parent_run_id", json!("")));
    put(&mut run, "agent_id", field_or(document, "agent_id", json!("")));
    put(&mut run, "user_id", field_or(document, "user_id", json!("")));
    put(&mut run, "status", field(document, "status"));
    put(&mut run, "cancellation_stage", field(document, "cancellation_stage"));
    put(&mut run, "run_input", run_input(document));
    put(&mut run, "content", field_or(document, "content", json!("")));
    put(&mut run, "run_response_format", response_format(document));
    put(&mut run, "reasoning_content", "");
    put(&mut run, "reasoning_steps", json!([]));
    put(&mut run, "metrics", field_or(document, "metrics", json!({})));
    put(&mut run, "metadata", field(document, "metadata"));
    put(&mut run, "messages", filled(document, "messages"));
    put(&mut run, "tools", filled(document, "tools"));
    put(&mut run, "events", filled(document, "events"));
    put(&mut run, "created_at", created(document));
    put(&mut run, "references", field_or(document, "references", json!([])));
    put(&mut run, "citations", Value::Null);
    put(&mut run, "reasoning_messages", json!([]));
    put(&mut run, "session_state", field(document, "session_state"));
    put_media(&mut run, document);
    put(&mut run, "response_audio", Value::Null);
    put(&mut run, "input_media", input_media(document));
    put(&mut run, "followups", Value::Null);
    put_lineage(&mut run, document);
    run
}

fn team_run(document: &Value) -> Object {
    let mut run = Object::new();
    put(&mut run, "run_id", field(document, "run_id"));
    put(&mut run, "parent_run_id", field_or(document, "parent_run_id", json!("")));
    put(&mut run, "team_id", field(document, "team_id"));
    put(&mut run, "user_id", field(document, "user_id"));
    put(&mut run, "status", field(document, "status"));
    put(&mut run, "cancellation_stage", field(document, "cancellation_stage"));
    put(&mut run, "content", field_or(document, "content", json!("")));
    put(&mut run, "reasoning_content", "");
    put(&mut run, "reasoning_steps", json!([]));
    put(&mut run, "run_input", run_input(document));
    put(&mut run, "run_response_format", response_format(document));
    put(&mut run, "metrics", field_or(document, "metrics", json!({})));
    put(&mut run, "tools", filled(document, "tools"));
    put(&mut run, "messages", filled(document, "messages"));
    put(&mut run, "events", filled(document, "events"));
    put(&mut run, "created_at", created(document));
    put(&mut run, "references", field_or(document, "references", json!([])));
    put(&mut run, "citations", Value::Null);
    put(&mut run, "reasoning_messages", json!([]));
    put(&mut run, "session_state", field(document, "session_state"));
    put(&mut run, "input_media", input_media(document));
    put_media(&mut run, document);
    put(&mut run, "response_audio", Value::Null);
    put(&mut run, "followups", Value::Null);
    put_lineage(&mut run, document);
    run
}

fn workflow_run(document: &Value) -> Object {
    let mut run = Object::new();
    put(&mut run, "run_id", field(document, "run_id"));
    put(&mut run, "run_input", document["input"].as_str().unwrap_or_default());
    put(&mut run, "events", field_or(document, "events", json!([])));
    put(&mut run, "workflow_id", field(document, "workflow_id"));
    put(&mut run, "user_id", field_or(document, "user_id", json!("")));
    put(&mut run, "content", field_or(document, "content", json!("")));
    put(&mut run, "content_type", field_or(document, "content_type", json!("")));
    put(&mut run, "status", field(document, "status"));
    put(&mut run, "cancellation_stage", field(document, "cancellation_stage"));
    put(&mut run, "step_results", field_or(document, "step_results", json!([])));
    put(&mut run, "step_executor_runs", field_or(document, "step_executor_runs", json!([])));
    for name in ["step_requirements", "pause_kind", "paused_step_name", "paused_step_index"] {
        put(&mut run, name, field(document, name));
    }
    put(&mut run, "metrics", field_or(document, "metrics", json!({})));
    put(&mut run, "created_at", created(document));
    put(&mut run, "reasoning_content", "");
    put(&mut run, "reasoning_steps", json!([]));
    put(&mut run, "references", json!([]));
    put(&mut run, "citations", Value::Null);
    put(&mut run, "reasoning_messages", json!([]));
    put_media(&mut run, document);
    put(&mut run, "response_audio", Value::Null);
    run
}

/// The light entry of a session's previews.
pub(crate) fn preview(run: &Object) -> Object {
    let cut = |name: &str| match run.get(name) {
        None | Some(Value::Null) => Value::Null,
        Some(Value::String(text)) => json!(text.chars().take(PREVIEW).collect::<String>()),
        Some(other) => json!(python::dumps(other).chars().take(PREVIEW).collect::<String>()),
    };
    let mut entry = Object::new();
    for name in ["run_id", "parent_run_id", "agent_id", "team_id", "workflow_id", "user_id", "status"] {
        put_some(&mut entry, name, run.get(name).cloned());
    }
    put(&mut entry, "run_input", cut("run_input"));
    put(&mut entry, "content_preview", cut("content"));
    put_some(&mut entry, "created_at", run.get("created_at").cloned());
    without_nulls(entry)
}

/// Leaves out the fields that say nothing, on the first level only.
pub(crate) fn without_nulls(fields: Object) -> Object {
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// An entry of the list of sessions.
pub(crate) fn session_item(session: &Session, name: String) -> Object {
    let metrics = session.datum("session_metrics").cloned();
    let tokens = metrics.as_ref().and_then(|metrics| metrics.get("total_tokens")).cloned();
    let mut item = Object::new();
    put(&mut item, "session_id", session.id.as_str());
    put(&mut item, "session_name", name);
    put_some(&mut item, "session_state", session.datum("session_state").cloned());
    put(&mut item, "created_at", clock::iso_seconds(session.created_at));
    put(&mut item, "updated_at", clock::iso_seconds(session.updated_at));
    put(&mut item, "session_type", session.kind.name());
    put_some(&mut item, "user_id", session.user_id.as_deref());
    put_some(&mut item, "agent_id", session.agent_id.as_deref());
    put_some(&mut item, "team_id", session.team_id.as_deref());
    put_some(&mut item, "workflow_id", session.workflow_id.as_deref());
    put_some(&mut item, "session_summary", session.summary.clone());
    put_some(&mut item, "metrics", metrics);
    put_some(&mut item, "total_tokens", tokens);
    put_some(&mut item, "metadata", session.metadata.clone());
    without_nulls(item)
}

/// A session in full, every field present. `kind` decides the shape, whatever the session's own is:
/// agno 3.1.10 answers a wrong `type` so instead of refusing it.
/// The place of `chat_history` is kept, and filled by whoever answers.
pub(crate) fn session_detail(session: &Session, kind: Kind, name: &str) -> Object {
    let data = session.data.as_ref().filter(|data| !data.is_empty());
    let metrics = data.map(|data| data.get("session_metrics").cloned().unwrap_or_else(|| json!({})));
    let tokens = metrics.as_ref().and_then(|metrics| metrics.get("total_tokens")).cloned();
    let state = data.and_then(|data| data.get("session_state")).cloned();
    let mut detail = Map::new();
    let put_one = |detail: &mut Object, name: &str, value: Value| put(detail, name, value);
    let optional = |value: &Option<String>| json!(value);
    match kind {
        Kind::Agent => {
            put_one(&mut detail, "user_id", optional(&session.user_id));
            put_one(&mut detail, "agent_session_id", json!(session.id));
            put_one(&mut detail, "session_id", json!(session.id));
            put_one(&mut detail, "session_name", json!(name));
            put_one(&mut detail, "session_summary", json!(session.summary));
            put_one(&mut detail, "session_state", json!(state));
            put_one(&mut detail, "agent_id", optional(&session.agent_id));
            put_one(&mut detail, "total_tokens", json!(tokens));
            put_one(&mut detail, "agent_data", json!(session.agent_data));
            put_one(&mut detail, "metrics", json!(metrics));
            put_one(&mut detail, "metadata", json!(session.metadata));
            put_one(&mut detail, "chat_history", json!([]));
            put_times(&mut detail, session);
        }
        Kind::Team => {
            put_one(&mut detail, "session_id", json!(session.id));
            put_one(&mut detail, "session_name", json!(name));
            put_one(&mut detail, "user_id", optional(&session.user_id));
            put_one(&mut detail, "team_id", optional(&session.team_id));
            put_one(&mut detail, "session_summary", json!(session.summary));
            put_one(&mut detail, "session_state", json!(state));
            put_one(&mut detail, "metrics", json!(metrics));
            put_one(&mut detail, "team_data", json!(session.team_data));
            put_one(&mut detail, "metadata", json!(session.metadata));
            put_one(&mut detail, "chat_history", json!([]));
            put_times(&mut detail, session);
            put_one(&mut detail, "total_tokens", json!(tokens));
        }
        Kind::Workflow => {
            put_one(&mut detail, "user_id", optional(&session.user_id));
            put_one(&mut detail, "workflow_id", optional(&session.workflow_id));
            put_one(&mut detail, "workflow_name", Value::Null);
            put_one(&mut detail, "session_id", json!(session.id));
            put_one(&mut detail, "session_name", json!(name));
            put_one(&mut detail, "session_data", json!(session.data));
            put_one(&mut detail, "session_state", json!(state));
            let or_empty = |value: &Option<Value>| value.clone().unwrap_or_else(|| json!({}));
            put_one(&mut detail, "workflow_data", or_empty(&session.workflow_data));
            put_one(&mut detail, "metadata", or_empty(&session.metadata));
            put_times(&mut detail, session);
        }
    }
    detail
}

fn put_times(detail: &mut Object, session: &Session) {
    put(detail, "created_at", clock::iso_seconds(session.created_at));
    put(detail, "updated_at", clock::iso_seconds(session.updated_at));
}
