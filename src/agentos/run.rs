//! What the answer of a run says, and whether it is a failure: AgentOS answers 200 to runs that failed.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::answer::Timestamp;

/// What running an agent, a team or a workflow answers.
#[derive(Debug, Clone, Deserialize)]
pub struct RunOutput {
    /// Its id.
    pub run_id: Option<String>,
    /// The session that it belongs to.
    pub session_id: Option<String>,
    /// Whose it is.
    pub user_id: Option<String>,
    /// `COMPLETED`, `PAUSED`, `ERROR`, `CANCELLED`; `PENDING` and `RUNNING` in the background.
    pub status: Option<String>,
    /// What it answered: a text, or an object where there is an `output_schema`. Of a failed run, the error.
    pub content: Option<Value>,
    /// `str`, `dict`, or the name of the schema.
    pub content_type: Option<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// The calls of tools; those that wait for an answer are among them.
    pub tools: Option<Vec<Value>>,
    /// The messages to and from the model.
    pub messages: Option<Vec<Value>>,
    /// Tokens and times.
    pub metrics: Option<Map<String, Value>>,
    /// The state of the session after it.
    pub session_state: Option<Value>,
    /// What else the server said: `member_responses` of teams, `step_results` of workflows, ...
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Why the run with this answer failed, if it did: the words of the server.
///
/// An answer of 200 is no success (agno 3.1.10): a failed run says `status: ERROR` and the error in `content`, a cancelled
/// one `CANCELLED`. Teams of agno 2.3 and 2.4 say `RUNNING` and have a `TeamRunError` in `events`. A workflow whose step
/// failed says `COMPLETED`: only `step_results` (since 2.6) and `step_executor_runs` show it, and
/// `allow_failed_steps` lets that pass. A team whose member failed has not failed: its leader knows.
pub fn failure_of(body: &Value, allow_failed_steps: bool) -> Option<String> {
    let status = text(body, "status").unwrap_or_default();
    if status.eq_ignore_ascii_case("ERROR") {
        return Some(with("the run failed", error_text(body).or_else(|| event_failure(body))));
    }
    if status.eq_ignore_ascii_case("CANCELLED") {
        return Some(with("the run was cancelled", text(body, "cancellation_reason")));
    }
    if let Some(failure) = event_failure(body) {
        return Some(failure);
    }
    if allow_failed_steps {
        return None;
    }
    failed_step(body.get("step_results")).or_else(|| failed_executor(body))
}

/// The failure of this run among its events. Those of other runs, of members and steps, may stand there too.
fn event_failure(body: &Value) -> Option<String> {
    let own = |event: &&Value| {
        let (this, run) = (event.get("run_id"), body.get("run_id"));
        this.is_none() || run.is_none() || this == run
    };
    let events = body.get("events")?.as_array()?;
    events.iter().filter(own).find_map(|event| match event.get("event")?.as_str()? {
        "RunError" | "TeamRunError" | "WorkflowError" => Some(with("the run failed", error_text(event))),
        "RunCancelled" | "TeamRunCancelled" | "WorkflowCancelled" => {
            Some(with("the run was cancelled", text(event, "reason")))
        }
        _ => None,
    })
}

/// The first failed step. Steps that hold steps (loops, parallel ones) have them in `steps`, or are lists.
fn failed_step(steps: Option<&Value>) -> Option<String> {
    steps?.as_array()?.iter().find_map(|step| {
        if step.is_array() {
            return failed_step(Some(step));
        }
        if let Some(inner) = failed_step(step.get("steps")) {
            return Some(inner);
        }
        let failed = step.get("success") == Some(&Value::Bool(false));
        failed.then(|| {
            let name = text(step, "step_name").unwrap_or_else(|| "without a name".to_owned());
            with(&format!("step `{name}` failed"), error_text(step))
        })
    })
}

/// The first run of a step that failed and was not repeated with success: agno 2.3 to 2.5 say `success: true` of it.
fn failed_executor(body: &Value) -> Option<String> {
    let runs = body.get("step_executor_runs")?.as_array()?;
    let failed = |run: &Value| text(run, "status").is_some_and(|status| status.eq_ignore_ascii_case("ERROR"));
    let step = |run: &Value| text(run, "workflow_step_id");
    runs.iter().enumerate().find_map(|(index, run)| {
        let repeated = || {
            let mut later = runs[index + 1..].iter();
            step(run).is_some() && later.any(|other| step(other) == step(run) && !failed(other))
        };
        if !failed(run) || repeated() {
            return None;
        }
        let names = ["agent_name", "team_name", "agent_id", "team_id"];
        let name = names.iter().find_map(|name| text(run, name)).unwrap_or_else(|| "a step".to_owned());
        Some(with(&format!("a step failed: the run of `{name}`"), error_text(run)))
    })
}

fn error_text(value: &Value) -> Option<String> {
    ["error", "content", "detail"].iter().find_map(|field| match value.get(*field)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Object(_) | Value::Array(_) => value.get(*field).map(Value::to_string),
        _ => None,
    })
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn with(what: &str, cause: Option<String>) -> String {
    match cause {
        Some(cause) => format!("{what}: {cause}"),
        None => what.to_owned(),
    }
}

/// An id out of the answer of a run.
pub(super) fn id_of(run: Option<&Map<String, Value>>, field: &str) -> Option<String> {
    run?.get(field)?.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}
