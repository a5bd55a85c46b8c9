//! The tree of a trace: built from what a run leaves behind.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::emulator::cast::Component;
use crate::emulator::os::Os;
use crate::emulator::python;
use crate::emulator::run::{Ask, Finished, Object, Status, put, put_some};
use crate::emulator::store::traces::Trace;

/// The trace of a run that has just ended, if it leaves one.
pub(crate) fn of(
    component: Component,
    ask: &Ask,
    finished: &Finished,
    since: Timestamp,
    again: bool,
    streams: bool,
) -> Option<Trace> {
    if again && matches!(component, Component::Workflow(_)) {
        // A workflow that goes on leaves none.
        return None;
    }
    let now = Timestamp::now();
    let run = Value::Object(finished.document.clone());
    let failed = finished.status == Status::Error;
    let view = View { since, again, streams };
    let spans = view.children(&run);
    let errors = usize::from(failed) + spans.iter().map(failures).sum::<usize>();
    let total = 1 + spans.iter().map(size).sum::<usize>();
    let mut trace = Object::new();
    let name = span_name(component, if again { "acontinue_run" } else { "arun" });
    put(&mut trace, "trace_id", Uuid::new_v4().simple().to_string());
    // One that goes on takes the name of whatever in it ended first.
    let shown = spans.first().filter(|_| again).map_or(name.as_str(), |_| ended_first(&spans));
    put(&mut trace, "name", shown);
    put(&mut trace, "status", if failed { "ERROR" } else { "OK" });
    put(&mut trace, "duration", spell_duration(since, now));
    put(&mut trace, "start_time", spell(since));
    put(&mut trace, "end_time", spell(now));
    put(&mut trace, "total_spans", total);
    put(&mut trace, "error_count", errors);
    put(&mut trace, "input", if again { "" } else { ask.message.as_str() });
    if failed {
        put(&mut trace, "error", "run status: error");
    } else {
        put_some(&mut trace, "output", output(&run));
    }
    put(&mut trace, "run_id", ask.run_id.as_str());
    put(&mut trace, "session_id", ask.session_id.as_str());
    put_some(&mut trace, "user_id", ask.user_id.as_deref());
    put(&mut trace, component.kind().id_field(), component.id());
    put(&mut trace, "created_at", spell(now));
    let mut root = span(&name, kind(component), since, now, failed);
    if !spans.is_empty() {
        put(&mut root, "spans", spans);
    }
    if let Component::Workflow(flow) = component {
        let steps: Vec<&str> = flow.steps.iter().map(|step| step.name).collect();
        let mut metadata = Object::new();
        put_some(&mut metadata, "description", flow.description);
        put(&mut metadata, "steps_count", steps.len());
        let types = vec!["Step"; steps.len()];
        put(&mut metadata, "steps", steps);
        put(&mut metadata, "step_types", types);
        put(&mut root, "metadata", metadata);
    }
    put(&mut trace, "tree", json!([root]));
    Some(Trace { document: Value::Object(trace), milliseconds: milliseconds(since, now) })
}

/// Keeps the trace of a run that was to go on and did not.
pub(crate) fn refused(
    os: &Os,
    component: Component,
    session_id: &str,
    user_id: Option<&str>,
    error: &str,
    since: Timestamp,
) {
    let now = Timestamp::now();
    let name = span_name(component, "acontinue_run");
    let mut trace = Object::new();
    put(&mut trace, "trace_id", Uuid::new_v4().simple().to_string());
    put(&mut trace, "name", name.as_str());
    put(&mut trace, "status", "ERROR");
    put(&mut trace, "duration", spell_duration(since, now));
    put(&mut trace, "start_time", spell(since));
    put(&mut trace, "end_time", spell(now));
    put(&mut trace, "total_spans", 1);
    put(&mut trace, "error_count", 1);
    put(&mut trace, "input", "");
    put(&mut trace, "error", error);
    put(&mut trace, "session_id", session_id);
    put_some(&mut trace, "user_id", user_id);
    put(&mut trace, component.kind().id_field(), component.id());
    put(&mut trace, "created_at", spell(now));
    put(&mut trace, "tree", json!([span(&name, kind(component), since, now, true)]));
    let trace = Trace { document: Value::Object(trace), milliseconds: milliseconds(since, now) };
    // A trace that cannot be stored takes nothing from the refusal.
    let _ = os.first().put_trace(&trace);
}

/// `HITL_Team.arun`: what was called, in one word.
fn span_name(component: Component, method: &str) -> String {
    format!("{}.{method}", component.name().replace(' ', "_"))
}

fn kind(component: Component) -> &'static str {
    match component {
        Component::Agent(_) => "AGENT",
        Component::Team(_) => "TEAM",
        Component::Workflow(_) => "WORKFLOW",
    }
}

/// `2026-11-21T21:54:18.489270Z`.
pub(super) fn spell(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn milliseconds(start: Timestamp, end: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the time of one run")]
    let micros = (end.as_microsecond() - start.as_microsecond()) as f64;
    micros / 1000.0
}

/// `28ms`, `1.54s`.
fn spell_duration(start: Timestamp, end: Timestamp) -> String {
    let milliseconds = milliseconds(start, end);
    if milliseconds < 1000.0 {
        format!("{milliseconds:.0}ms")
    } else {
        format!("{:.2}s", milliseconds / 1000.0)
    }
}

fn span(name: &str, kind: &str, start: Timestamp, end: Timestamp, failed: bool) -> Object {
    let mut span = Object::new();
    put(&mut span, "id", &Uuid::new_v4().simple().to_string()[..16]);
    put(&mut span, "name", name);
    put(&mut span, "type", kind);
    put(&mut span, "duration", spell_duration(start, end));
    put(&mut span, "start_time", spell(start));
    put(&mut span, "end_time", spell(end));
    put(&mut span, "status", if failed { "ERROR" } else { "OK" });
    span
}

/// The name of the span that ended before all others: a tool that called a member outlives it.
fn ended_first(spans: &[Value]) -> &str {
    let of_member = spans.iter().find(|span| span["type"] == "AGENT");
    let Some(span) = of_member.or(spans.first()) else { return "" };
    match span["spans"].as_array() {
        Some(inner) if !inner.is_empty() => ended_first(inner),
        _ => span["name"].as_str().unwrap_or_default(),
    }
}

/// What of a run belongs into its trace.
struct View {
    /// When the run began, or went on.
    since: Timestamp,
    /// Whether it went on: what was done before stands in an earlier trace.
    again: bool,
    streams: bool,
}

impl View {
    /// What a run did: its tools, its members, its steps.
    fn children(&self, run: &Value) -> Vec<Value> {
        let mut spans: Vec<Value> = self.steps(run);
        let list = |name: &str| run[name].as_array().into_iter().flatten();
        let tools: Vec<&Value> = list("tools").filter(|tool| self.is_fresh(tool)).collect();
        for tool in &tools {
            let (start, end) = times(self.since, &tool["metrics"]);
            let name = tool["tool_name"].as_str().unwrap_or_default();
            let failed = tool["tool_call_error"] == json!(true);
            let mut entry = span(name, "TOOL", start, end, failed);
            let arguments = python::dumps(&tool["tool_args"]);
            put(&mut entry, "input", arguments.as_str());
            put_some(&mut entry, if failed { "error" } else { "output" }, tool["result"].as_str());
            put(&mut entry, "metadata", json!({ "tool_name": name, "parameters": arguments }));
            spans.push(Value::Object(entry));
        }
        // Members stand beside the tools that called them.
        let members: Vec<&Value> = list("member_responses").collect();
        if self.again && tools.is_empty() {
            let went_on = members.iter().filter(|member| waited(member));
            spans.extend(went_on.map(|member| self.agent(member, "acontinue_run")));
        } else {
            let earlier = if self.again { members.len().saturating_sub(tools.len()) } else { 0 };
            spans.extend(members.iter().skip(earlier).map(|member| self.agent(member, "arun")));
        }
        spans
    }

    /// Whether a tool was at work: not one that waits for somebody, nor one of an earlier part.
    fn is_fresh(&self, tool: &Value) -> bool {
        let Some(start) = tool["metrics"]["start_time"].as_f64() else {
            // One that somebody has allowed, or filled in, is not timed.
            let allowed = tool["confirmed"] == json!(true) || !tool["user_input_schema"].is_null();
            return self.again && allowed && !tool["result"].is_null();
        };
        #[expect(clippy::cast_precision_loss, reason = "microseconds of this century")]
        let since = self.since.as_microsecond() as f64 / 1e6;
        !self.again || start >= since
    }

    fn steps(&self, run: &Value) -> Vec<Value> {
        let list = |name: &str| run[name].as_array().into_iter().flatten();
        let executions: Vec<&Value> = list("step_executor_runs").collect();
        let mut spans = Vec::new();
        for (index, step) in list("step_results").enumerate() {
            let done = executions
                .iter()
                .find(|done| done["run_id"] == step["step_run_id"])
                .map(|done| self.agent(done, "arun"));
            let (start, end) = times(self.since, &step["metrics"]);
            let method = if self.streams { "aexecute_stream" } else { "aexecute" };
            let name = format!("{}.{method}", step["step_name"].as_str().unwrap_or_default());
            // A step is done even where its agent has failed.
            let mut entry = span(&name, "WORKFLOW", start, end, false);
            let before =
                index.checked_sub(1).and_then(|before| run["step_results"][before]["content"].as_str());
            put_some(&mut entry, "input", before.or(run["input"].as_str()));
            put_some(&mut entry, "output", step["content"].as_str());
            if let Some(done) = done {
                put(&mut entry, "spans", json!([done]));
            }
            put(&mut entry, "step_type", "Step");
            spans.push(Value::Object(entry));
        }
        spans
    }

    /// A run of an agent within another.
    fn agent(&self, run: &Value, method: &str) -> Value {
        let (start, end) = times(self.since, &run["metrics"]);
        let name = format!("{}.{method}", run["agent_name"].as_str().unwrap_or_default());
        let failed = run["status"] == "ERROR";
        let mut entry = span(&name, "AGENT", start, end, failed);
        put_some(&mut entry, "input", run["input"]["input_content"].as_str());
        if failed {
            put(&mut entry, "error", "run status: error");
        } else {
            put_some(&mut entry, "output", output(run));
        }
        let spans = self.children(run);
        if !spans.is_empty() {
            put(&mut entry, "spans", spans);
        }
        let known = ["run_id", "session_id", "user_id"].into_iter();
        let metadata: Object =
            known.filter_map(|name| Some((name.to_owned(), run.get(name)?.clone()))).collect();
        put(&mut entry, "metadata", metadata);
        Value::Object(entry)
    }
}

/// Whether a member's run has waited for somebody, and does no longer.
fn waited(member: &Value) -> bool {
    if member["status"] == Status::Paused.word() {
        return false;
    }
    let mut tools = member["tools"].as_array().into_iter().flatten();
    tools.any(|tool| tool["metrics"].is_null() && !tool["result"].is_null())
}

fn output(run: &Value) -> Option<String> {
    match run.get("content")? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(python::dumps(other)),
    }
}

/// When something began and ended, as far as its metrics tell.
fn times(since: Timestamp, metrics: &Value) -> (Timestamp, Timestamp) {
    #[expect(clippy::cast_possible_truncation, reason = "microseconds of one run, or of this century")]
    let micros = |seconds: f64| (seconds * 1e6) as i64;
    let start = metrics["start_time"].as_f64();
    let start = start.and_then(|start| Timestamp::from_microsecond(micros(start)).ok()).unwrap_or(since);
    let duration = metrics["duration"].as_f64().unwrap_or(0.0).clamp(0.0, 1e6);
    (start, start.checked_add(micros(duration).microseconds()).unwrap_or(start))
}

fn size(span: &Value) -> usize {
    1 + span["spans"].as_array().into_iter().flatten().map(size).sum::<usize>()
}

fn failures(span: &Value) -> usize {
    let own = usize::from(span["status"] == "ERROR");
    own + span["spans"].as_array().into_iter().flatten().map(failures).sum::<usize>()
}

/// A span by its id.
pub(super) fn find(spans: &Value, id: &str) -> Option<Value> {
    let spans = spans.as_array()?;
    spans.iter().find_map(|span| if span["id"] == id { Some(span.clone()) } else { find(&span["spans"], id) })
}
