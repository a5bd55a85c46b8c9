//! Traces: what was done in each run, as a tree, and the endpoints that show it.

mod filter;
mod tree;

use std::time::Instant;

use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) use self::tree::{of, refused};
use super::body::{self, Fields};
use super::call::{Call, Query};
use super::database::{self, Page};
use super::kind::Kind;
use super::os::Os;
use super::refusal::{Problem, Refusal};
use super::reply;
use super::run::{Object, put, put_some};
use super::store::traces::Filter;

type Answer = Result<Response, Refusal>;

fn check(call: &Call) -> Result<(), Refusal> {
    database::check(call, "agno_traces")
}

fn took(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
}

/// A time of a query, as the store spells it.
fn time(call: &Call, name: &str, what: &str) -> Result<Option<String>, Refusal> {
    let Some(text) = call.text(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let parsed = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    });
    match parsed {
        Some(time) => Ok(Some(tree::spell(time))),
        None => Err(Refusal::Detail(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            format!(
                "Error retrieving {what}: 400: Invalid {name} format. Use ISO 8601 format (e.g., \
                 '2025-11-19T10:00:00Z' or '2025-11-19T10:00:00+05:30'): Invalid isoformat string: '{text}'"
            ),
        )),
    }
}

/// A trace without what only its own page shows.
fn summary(document: &Value) -> Value {
    let mut shown = document.clone();
    if let Some(fields) = shown.as_object_mut() {
        fields.shift_remove("output");
        fields.shift_remove("error");
        fields.shift_remove("tree");
    }
    shown
}

/// `GET /traces`.
pub(crate) fn list(os: &Os, call: &Call) -> Answer {
    let since = Instant::now();
    let mut query = Query::new(call);
    let page = Page::read(&mut query);
    query.done()?;
    check(call)?;
    // Page 0 counts as the first, and is shown as it was asked for.
    let (limit, offset) = page.lenient().window()?;
    let (start, end) = (time(call, "start_time", "traces")?, time(call, "end_time", "traces")?);
    let (traces, total) = os.store.traces(&Filter {
        only: [
            ("run_id", call.text("run_id")),
            ("session_id", call.text("session_id")),
            ("user_id", call.user()?),
            ("agent_id", call.text("agent_id")),
            ("team_id", call.text("team_id")),
            ("workflow_id", call.text("workflow_id")),
            ("status", call.text("status")),
        ],
        start: start.as_deref(),
        end: end.as_deref(),
        limit,
        offset,
    })?;
    let data: Vec<Value> = traces.iter().map(summary).collect();
    Ok(page.answer(&data, total, took(since)))
}

/// `GET /traces/{trace_id}`: the whole tree, or one span of it.
pub(crate) fn get(os: &Os, call: &Call) -> Answer {
    check(call)?;
    let trace = os.store.trace(call.param("trace_id"))?;
    let only = call.caller.only()?;
    let mine = |trace: &Value| only.is_none_or(|user| trace["user_id"] == user);
    let trace = trace.filter(mine).ok_or_else(|| Refusal::not_found("Trace not found"))?;
    let Some(id) = call.text("span_id").filter(|id| !id.is_empty()) else {
        return Ok(reply::ok(&trace));
    };
    let root = &trace["tree"][0];
    if root["id"] == id {
        // Alone, the root says what its trace says otherwise.
        let mut span = root.as_object().cloned().unwrap_or_default();
        span.shift_remove("spans");
        let own = span.shift_remove("metadata");
        for name in ["input", "output", "error"] {
            put_some(&mut span, name, trace.get(name).cloned());
        }
        let known = ["run_id", "session_id", "user_id"].into_iter();
        let mut metadata: Object =
            known.filter_map(|name| Some((name.to_owned(), trace.get(name)?.clone()))).collect();
        metadata.extend(
            own.as_ref()
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(k, v)| (k.clone(), v.clone())),
        );
        put(&mut span, "metadata", metadata);
        return Ok(reply::ok(&span));
    }
    let mut span = tree::find(&root["spans"], id).ok_or_else(|| Refusal::not_found("Span not found"))?;
    if let Some(fields) = span.as_object_mut() {
        fields.shift_remove("spans");
    }
    Ok(reply::ok(&span))
}

/// `GET /trace_session_stats`.
pub(crate) fn stats(os: &Os, call: &Call) -> Answer {
    let since = Instant::now();
    let mut query = Query::new(call);
    let limit = query.integer("limit", Some(1)).unwrap_or(20);
    let page = query.integer("page", Some(1)).unwrap_or(1);
    query.done()?;
    check(call)?;
    let page = Page::new(i64::try_from(page).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX));
    let (limit, offset) = page.window()?;
    let (start, end) = (time(call, "start_time", "statistics")?, time(call, "end_time", "statistics")?);
    let filter = Filter {
        only: [
            ("run_id", None),
            ("session_id", None),
            ("user_id", call.user()?),
            ("agent_id", call.text("agent_id")),
            ("team_id", call.text("team_id")),
            ("workflow_id", call.text("workflow_id")),
            ("status", None),
        ],
        start: start.as_deref(),
        end: end.as_deref(),
        limit: i64::MAX,
        offset: 0,
    };
    let (traces, _) = os.store.traces(&filter)?;
    let all = by_session(&traces);
    Ok(page.answer(&window(&all, limit, offset), count(&all), took(since)))
}

/// The traces of each session in numbers, the latest session first.
fn by_session(traces: &[Value]) -> Vec<Value> {
    let mut sessions: Vec<Value> = Vec::new();
    for trace in traces {
        let Some(id) = trace["session_id"].as_str() else { continue };
        if let Some(known) = sessions.iter_mut().find(|session| session["session_id"] == id) {
            known["total_traces"] = json!(known["total_traces"].as_u64().unwrap_or(0) + 1);
            // They come from the latest to the first.
            known["first_trace_at"] = trace["created_at"].clone();
            // Where several took part, agno 3.1.10 names the last of them by the alphabet.
            for name in ["user_id", "agent_id", "team_id", "workflow_id"] {
                if trace[name].as_str() > known[name].as_str() {
                    known[name] = trace[name].clone();
                }
            }
            continue;
        }
        let mut session = Object::new();
        put(&mut session, "session_id", id);
        for name in ["user_id", "agent_id", "team_id", "workflow_id"] {
            if let Some(value) = trace.get(name) {
                put(&mut session, name, value.clone());
            }
        }
        put(&mut session, "total_traces", 1);
        put(&mut session, "first_trace_at", trace["created_at"].clone());
        put(&mut session, "last_trace_at", trace["created_at"].clone());
        sessions.push(Value::Object(session));
    }
    sessions
}

fn window(all: &[Value], limit: i64, offset: i64) -> Vec<Value> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    all.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(limit).cloned().collect()
}

fn count(all: &[Value]) -> i64 {
    i64::try_from(all.len()).unwrap_or(i64::MAX)
}

/// `POST /traces/search`: traces or sessions by an expression.
pub(crate) fn search(os: &Os, call: &Call) -> Answer {
    let since = Instant::now();
    let mut fields = Fields::required(body::read(call)?, Vec::new());
    let page = fields.integer("page", 1, i64::MAX).unwrap_or(1);
    let limit = fields.integer("limit", 1, 100).unwrap_or(20);
    let wrong = |at: &[Value], value: &Value| Problem::choice(at, value, "'run' or 'session'");
    let group = fields.choice("group_by", &["run", "session"], false, &wrong);
    let by_sessions = group.as_deref() == Some("session");
    let expression = fields.object("filter").map(Value::Object);
    fields.done()?;
    check(call)?;
    let expression = expression
        .as_ref()
        .map(filter::Expression::read)
        .transpose()
        .map_err(|error| Refusal::bad_request(format!("Invalid filter expression: {error}")))?;
    let mut traces = os.store.all_traces(call.caller.only()?)?;
    if let Some(expression) = expression {
        traces.retain(|trace| expression.holds(trace));
    }
    let page = Page::new(page, limit);
    let (limit, offset) = page.window()?;
    let all = if by_sessions { by_session(&traces) } else { traces };
    Ok(page.answer(&window(&all, limit, offset), count(&all), took(since)))
}

/// `GET /traces/filter-schema`.
pub(crate) fn filter_schema(_: &Os) -> Response {
    let text = |key: &str, label: &str, list: bool| {
        let mut operators = vec!["EQ", "NEQ", "CONTAINS", "STARTSWITH"];
        operators.extend(list.then_some("IN"));
        json!({ "key": key, "label": label, "type": "string", "operators": operators, "values": null })
    };
    let time = |key: &str, label: &str| {
        json!({
            "key": key, "label": label, "type": "datetime", "operators": ["GT", "GTE", "LT", "LTE"],
            "values": null,
        })
    };
    let component = |kind: Kind| text(kind.id_field(), &format!("{} ID", kind.title()), true);
    reply::ok(&json!({
        "fields": [
            { "key": "status", "label": "Status", "type": "enum", "operators": ["EQ", "NEQ", "IN"],
              "values": ["OK", "ERROR"] },
            text("user_id", "User ID", true),
            component(Kind::Agent),
            component(Kind::Team),
            component(Kind::Workflow),
            text("session_id", "Session ID", true),
            text("run_id", "Run ID", true),
            text("name", "Trace Name", false),
            text("trace_id", "Trace ID", true),
            { "key": "duration_ms", "label": "Duration (ms)", "type": "number",
              "operators": ["EQ", "NEQ", "GT", "GTE", "LT", "LTE"], "values": null },
            time("start_time", "Start Time"),
            time("end_time", "End Time"),
            time("created_at", "Created At"),
        ],
        "logical_operators": ["AND", "OR"],
    }))
}
