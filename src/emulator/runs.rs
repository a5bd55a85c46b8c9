//! The run endpoints of agents, teams and workflows: one set of handlers for the three.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;

use super::call::{Call, Query};
use super::cast::{self, Component, History};
use super::form::Form;
use super::kind::Kind;
use super::message::{Message, Usage};
use super::os::Os;
use super::refusal::Refusal;
use super::run::agent::{self, Part};
use super::run::event::Sink;
use super::run::{Ask, Finished, Object, Schema, merge, put, team, workflow};
use super::shape;
use super::store::sessions::Session;
use super::{clock, reply};

type Answer = Result<Response, Refusal>;

fn component(kind: Kind, call: &Call) -> Result<Component, Refusal> {
    Component::find(kind, call.param(kind.id_field()))
        .ok_or_else(|| Refusal::not_found(format!("{} not found", kind.title())))
}

/// `POST /{kind}s/{id}/runs`.
pub(crate) async fn create(os: Arc<Os>, kind: Kind, call: Call) -> Answer {
    let form = Form::read(&call).await?;
    let mut problems = Vec::new();
    let message = form.required("message", &mut problems);
    let stream = form.flag("stream", true, &mut problems);
    // The signatures differ in their order, and so do the problems.
    if kind != Kind::Workflow {
        form.check_integer("version", &mut problems);
    }
    let background = form.flag("background", false, &mut problems);
    if kind == Kind::Workflow {
        form.check_integer("version", &mut problems);
    }
    if form.text("files").is_some_and(|text| !text.is_empty()) {
        // A text where files belong: FastAPI expects an uploaded part.
        return Err(Refusal::not_yet("text in the field files"));
    }
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    let extra = Extra::read(&form)?;
    let component = component(kind, &call)?;
    let user_id = form.filled("user_id").map(str::to_owned);
    let session_id = form.filled("session_id").map_or_else(new_id, str::to_owned);
    check_owner(&os, &session_id, user_id.as_deref())?;
    if form.has_file("files") {
        return Err(Refusal::not_yet("files"));
    }
    if background {
        return Err(Refusal::not_yet("background runs"));
    }
    let ask = Ask {
        message,
        run_id: form.filled("run_id").map_or_else(new_id, str::to_owned),
        session_id,
        user_id,
        state: extra.state,
        dependencies: extra.dependencies,
        metadata: extra.metadata,
        schema: extra.schema,
    };
    if !stream {
        let finished = perform(&os, component, ask, &Sink::silent(kind)).await?;
        return Ok(reply::ok(&finished.document));
    }
    let events = form.text("stream_events").is_none_or(|text| !text.eq_ignore_ascii_case("false"));
    let (sender, receiver) = unbounded_channel::<Bytes>();
    // The run goes on by itself; it ends early when nobody reads its events any more.
    tokio::spawn(async move {
        let sink = Sink::stream(kind, sender, events);
        // What could not be stored cannot be told either: the stream just ends.
        let _ = perform(&os, component, ask, &sink).await;
    });
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let frame = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), receiver))
    });
    let mut response = Response::new(Body::from_stream(frames));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    Ok(response)
}

/// `GET /{kind}s/{id}/runs/{run_id}`.
pub(crate) fn get(os: &Os, kind: Kind, call: &Call) -> Answer {
    let (component, session_id) = of_session(kind, call)?;
    let missing = || Refusal::not_found("Run not found");
    let session = os.store.session(session_id, None)?.ok_or_else(missing)?;
    if session.component_id(kind) != Some(component.id()) {
        return Err(missing());
    }
    let run = os.store.run(session_id, call.param("run_id"))?.ok_or_else(missing)?;
    if run[kind.id_field()].as_str() != Some(component.id()) {
        return Err(missing());
    }
    Ok(reply::ok(&shape::run_again(&run)))
}

/// `GET /{kind}s/{id}/runs`.
pub(crate) fn list(os: &Os, kind: Kind, call: &Call) -> Answer {
    let (component, session_id) = of_session(kind, call)?;
    let session = os
        .store
        .session(session_id, None)?
        .filter(|session| session.component_id(kind) == Some(component.id()))
        .ok_or_else(|| Refusal::not_found("Session not found"))?;
    // Here, other than in a session's own list, a status in lower case matches nothing.
    let status = call.text("status").filter(|status| !status.is_empty());
    let mut runs = os.store.runs(&session.id)?;
    runs.retain(|run| {
        run[kind.id_field()].as_str() == Some(component.id())
            && status.is_none_or(|status| run["status"].as_str() == Some(status))
    });
    let runs: Vec<Object> = runs.iter().map(|run| shape::session_run(&shape::run_again(run))).collect();
    Ok(reply::ok(&runs))
}

fn of_session(kind: Kind, call: &Call) -> Result<(Component, &str), Refusal> {
    let mut query = Query::new(call);
    let session_id = query.required("session_id");
    query.done()?;
    Ok((component(kind, call)?, session_id))
}

/// A run must not enter a session of somebody else; nor one without a user any owned session.
fn check_owner(os: &Os, session_id: &str, user_id: Option<&str>) -> Result<(), Refusal> {
    let owner = os.store.session(session_id, None)?.and_then(|session| session.user_id);
    match owner {
        Some(owner) if Some(owner.as_str()) != user_id => Err(Refusal::not_found("Session not found")),
        _ => Ok(()),
    }
}

/// Runs a component in its session, and stores both.
async fn perform(os: &Os, component: Component, mut ask: Ask, sink: &Sink) -> Result<Finished, Refusal> {
    let now = clock::epoch();
    let stored = visible(os, &ask)?;
    let mut state = initial_state(component);
    if let Some(Value::Object(stored)) = stored.as_ref().and_then(|session| session.datum("session_state")) {
        merge(&mut state, stored);
    }
    // A state that is no object is reported as it came, and breaks the run of an agent.
    let odd = ask.state.take_if(|state| !state.is_object());
    if let Some(Value::Object(sent)) = &ask.state {
        merge(&mut state, sent);
    }
    if let Some(session_metadata) = stored.as_ref().and_then(|session| session.metadata.as_ref()) {
        join_metadata(&mut ask, session_metadata);
    }
    let finished = match component {
        Component::Agent(agent) => {
            let part = Part {
                agent,
                run_id: ask.run_id.clone(),
                session_id: &ask.session_id,
                user_id: ask.user_id.as_deref(),
                message: &ask.message,
                parent_run_id: None,
                step: None,
                history: history(os, &ask, agent.history)?,
                state: odd.unwrap_or_else(|| Value::Object(state.clone())),
                dependencies: ask.dependencies.as_ref(),
                metadata: ask.metadata.as_ref(),
                schema: ask.schema.as_ref(),
            };
            agent::run(part, sink).await
        }
        Component::Team(members) => {
            let history = history(os, &ask, members.history)?;
            team::run(members, &ask, &state, history, sink).await
        }
        Component::Workflow(flow) => workflow::run(flow, &ask, &state, sink).await,
    };
    // Others may have run in the session meanwhile: their names and tokens stay.
    let stored = visible(os, &ask)?;
    let anew = stored.is_none();
    let session = session_after(stored, component, &ask, state, &finished, now);
    let mut documents: Vec<Object> = finished.members.iter().map(shape::run_to_store).collect();
    documents.push(shape::run_to_store(&finished.document));
    os.store.put_run(&session, &documents, anew)?;
    Ok(finished)
}

/// The session as the run sees it. A run with a user does not see one without an owner: in agno 3.1.10
/// it begins the session anew and takes it over, and only the earlier runs stay.
fn visible(os: &Os, ask: &Ask) -> Result<Option<Session>, Refusal> {
    Ok(os.store.session(&ask.session_id, ask.user_id.as_deref())?)
}

fn initial_state(component: Component) -> Object {
    match component {
        Component::Agent(agent) => {
            agent.state.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
        }
        Component::Team(_) | Component::Workflow(_) => Object::new(),
    }
}

/// The metadata of a session goes into each of its runs and wins over what the request says.
fn join_metadata(ask: &mut Ask, session: &Value) {
    if let Some(session) = session.as_object().filter(|session| !session.is_empty()) {
        let mut joined = session.clone();
        for (name, value) in ask.metadata.as_ref().and_then(Value::as_object).into_iter().flatten() {
            joined.entry(name).or_insert_with(|| value.clone());
        }
        ask.metadata = Some(Value::Object(joined));
    }
}

/// The session as the run leaves it.
fn session_after(
    stored: Option<Session>,
    component: Component,
    ask: &Ask,
    state: Object,
    finished: &Finished,
    now: i64,
) -> Session {
    let mut session = stored.unwrap_or_else(|| new_session(component, ask, now));
    if component.kind() == Kind::Workflow {
        session.metadata.get_or_insert_with(|| json!({}));
    }
    session.set_datum("session_state", Value::Object(state));
    let mut total = finished.usage;
    let count = |name: &str| {
        session.datum("session_metrics").and_then(|metrics| metrics[name].as_u64()).unwrap_or_default()
    };
    total.add(Usage { input: count("input_tokens"), output: count("output_tokens") });
    let known = session.datum("session_metrics").is_some_and(|metrics| metrics.get("details").is_some());
    let mut metrics = Object::new();
    if total.input + total.output > 0 {
        metrics = total.fields();
    }
    if total.input + total.output > 0 || known || finished.met_model {
        put(&mut metrics, "details", total.details());
    }
    session.set_datum("session_metrics", Value::Object(metrics));
    session.updated_at = clock::epoch();
    session
}

fn new_session(component: Component, ask: &Ask, now: i64) -> Session {
    let mut session = Session::new(&ask.session_id, component.kind(), now);
    session.user_id.clone_from(&ask.user_id);
    let id = Some(component.id().to_owned());
    let model = json!({ "name": cast::MODEL_NAME, "provider": cast::MODEL_PROVIDER, "id": cast::MODEL_ID });
    match component {
        Component::Agent(agent) => {
            session.agent_data = Some(json!({ "name": agent.name, "agent_id": agent.id, "model": model }));
            session.agent_id = id;
        }
        Component::Team(team) => {
            session.team_data = Some(json!({ "name": team.name, "team_id": team.id, "model": model }));
            session.team_id = id;
        }
        Component::Workflow(flow) => {
            let step = |name| json!({ "name": name, "description": null, "type": "Step" });
            let steps: Vec<Value> = flow.steps.iter().map(|s| step(s.name)).collect();
            session.workflow_data =
                Some(json!({ "workflow_id": flow.id, "name": flow.name, "steps": steps }));
            session.metadata = Some(json!({}));
            session.workflow_id = id;
        }
    }
    session
}

/// The messages of the last runs of a session that went well, whoever ran them.
fn history(os: &Os, ask: &Ask, history: History) -> Result<Vec<Message>, Refusal> {
    let count = history.runs();
    if count == 0 || visible(os, ask)?.is_none() {
        return Ok(Vec::new());
    }
    let mut runs = os.store.runs(&ask.session_id)?;
    runs.retain(|run| {
        run.get("parent_run_id").is_none()
            && !matches!(run["status"].as_str(), Some("PAUSED" | "CANCELLED" | "ERROR" | "REGENERATED"))
    });
    let skip = runs.len().saturating_sub(count);
    let messages = runs.into_iter().skip(skip).filter_map(|mut run| match run["messages"].take() {
        Value::Array(messages) => Some(messages),
        _ => None,
    });
    let mut history: Vec<Message> =
        messages.flatten().filter_map(|message| serde_json::from_value(message).ok()).collect();
    history.retain(|message| message.role != "system");
    for message in &mut history {
        message.from_history = true;
    }
    Ok(history)
}

/// The fields beyond those that FastAPI knows: JSON in texts.
#[derive(Debug, Default)]
struct Extra {
    state: Option<Value>,
    dependencies: Option<Value>,
    metadata: Option<Value>,
    schema: Option<Schema>,
}

impl Extra {
    fn read(form: &Form) -> Result<Self, Refusal> {
        // Broken JSON is dropped in silence here.
        let parsed = |name: &str| form.filled(name).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let mut extra = Self {
            state: parsed("session_state").filter(|state| !state.is_null()),
            dependencies: parsed("dependencies").filter(|value| !value.is_null()),
            ..Self::default()
        };
        match parsed("metadata") {
            None | Some(Value::Null) => {}
            Some(Value::Object(fields)) => extra.metadata = Some(Value::Object(fields)),
            Some(_) => {
                return Err(Refusal::bad_request("Invalid metadata parameter: expected a JSON object"));
            }
        }
        for name in ["images", "audio", "videos", "input_files"] {
            if !form.has(name) {
                continue;
            }
            let items = form.text(name).and_then(|text| serde_json::from_str::<Vec<Object>>(text).ok());
            match items {
                None => {
                    let detail = format!("Invalid {name}: expected a JSON array of objects");
                    return Err(Refusal::unprocessable(detail));
                }
                Some(items) if items.is_empty() => {}
                Some(_) => return Err(Refusal::not_yet("media")),
            }
        }
        if form.has("output_schema") {
            extra.schema = Some(schema(form)?);
        }
        Ok(extra)
    }
}

fn schema(form: &Form) -> Result<Schema, Refusal> {
    let text = form.text("output_schema").unwrap_or_default();
    let Ok(document @ Value::Object(_)) = serde_json::from_str::<Value>(text) else {
        return Err(Refusal::unprocessable("Invalid output_schema: expected a JSON object schema"));
    };
    if form.text("use_json_schema").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Ok(Schema { document, content_type: "dict".to_owned(), model: false });
    }
    let content_type = document["title"].as_str().unwrap_or("DynamicModel").to_owned();
    Ok(Schema { document: titled(document), content_type, model: true })
}

/// A schema that became a pydantic model has a title on every property that is required. The others
/// become a choice between their type and null, which hides it.
fn titled(mut schema: Value) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties.iter_mut() {
            *property = titled(property.take());
            let Some(fields) = property.as_object_mut().filter(|fields| !fields.contains_key("$ref")) else {
                continue;
            };
            if required.iter().any(|required| required == name) {
                put(fields, "title", title_case(name));
            } else {
                fields.remove("title");
            }
        }
    }
    schema
}

/// `name.replace("_", " ").title()`.
fn title_case(name: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in name.chars() {
        let c = if c == '_' { ' ' } else { c };
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}
