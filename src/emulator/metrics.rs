//! The metrics endpoints: numbers of each day, as of the last refresh.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::call::{Call, Query};
use super::clock;
use super::database;
use super::os::Os;
use super::refusal::{Problem, Refusal};
use super::reply;
use super::store::documents::SessionNumbers;

type Answer = Result<Response, Refusal>;

/// How often the numbers are counted anew when somebody only looks.
const FRESH: Duration = Duration::from_mins(1);

/// How the last refresh that was asked for went, and when each database was counted last.
#[derive(Debug, Default)]
pub(crate) struct Refreshes {
    last: Mutex<Option<(String, String)>>,
    counted: Mutex<HashMap<usize, Instant>>,
}

/// Under this name stand the numbers of all users together; nobody's id holds such a character.
const EVERYBODY: &str = "\0";

const TOKENS: [&str; 9] = [
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "audio_total_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
];

fn check(call: &Call) -> Result<(), Refusal> {
    database::check(call, "agno_metrics")
}

/// The numbers of one day.
#[derive(Debug, Default)]
struct Day {
    sessions: BTreeMap<String, u64>,
    runs: BTreeMap<String, u64>,
    users: BTreeSet<String>,
    tokens: BTreeMap<&'static str, u64>,
    /// The runs of each model and its provider.
    models: BTreeMap<(String, String), i64>,
}

impl Day {
    fn add(&mut self, session: &SessionNumbers) {
        *self.sessions.entry(session.kind.clone()).or_default() += 1;
        *self.runs.entry(session.kind.clone()).or_default() += session.runs;
        self.users.extend(session.user_id.clone());
        for name in TOKENS {
            let tokens = session.data["session_metrics"][name].as_u64().unwrap_or_default();
            *self.tokens.entry(name).or_default() += tokens;
        }
    }
}

impl Refreshes {
    /// Whether a database was counted lately.
    fn fresh(&self, os: &Os) -> bool {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.get(&Arc::as_ptr(&os.store).addr()).is_some_and(|since| since.elapsed() < FRESH)
    }
}

fn count(os: &Os) -> Result<(), Refusal> {
    let mut counted = os.refreshes.counted.lock().unwrap_or_else(PoisonError::into_inner);
    counted.insert(Arc::as_ptr(&os.store).addr(), Instant::now());
    drop(counted);
    let mut days: BTreeMap<(String, String), Day> = BTreeMap::new();
    for session in os.store.sessions_in_numbers()? {
        let users = [Some(EVERYBODY), session.user_id.as_deref()];
        for user in users.into_iter().flatten() {
            days.entry((session.date.clone(), user.to_owned())).or_default().add(&session);
        }
    }
    for answered in os.store.runs_by_model()? {
        let users = [Some(EVERYBODY), answered.user_id.as_deref()];
        for user in users.into_iter().flatten() {
            let day = days.entry((answered.date.clone(), user.to_owned())).or_default();
            *day.models.entry((answered.model.clone(), answered.provider.clone())).or_default() +=
                answered.count;
        }
    }
    let now = clock::epoch();
    for ((date, user), day) in days {
        let sessions = |kind: &str| day.sessions.get(kind).copied().unwrap_or_default();
        let runs = |kind: &str| day.runs.get(kind).copied().unwrap_or_default();
        let tokens: Value =
            TOKENS.iter().map(|name| ((*name).to_owned(), json!(day.tokens.get(name)))).collect();
        let models: Vec<Value> = day
            .models
            .iter()
            .map(|((id, provider), count)| {
                json!({ "model_id": id, "model_provider": provider, "count": count })
            })
            .collect();
        let owner = if user == EVERYBODY { String::new() } else { format!("{user}_") };
        let document = json!({
            "id": format!("{date}_{owner}daily"),
            "agent_runs_count": runs("agent"),
            "agent_sessions_count": sessions("agent"),
            "team_runs_count": runs("team"),
            "team_sessions_count": sessions("team"),
            "workflow_runs_count": runs("workflow"),
            "workflow_sessions_count": sessions("workflow"),
            "users_count": day.users.len(),
            "token_metrics": tokens,
            "model_metrics": models,
        });
        os.store.put_metrics(&date, &user, now, &document)?;
    }
    Ok(())
}

/// The counted days, and when the last of them was counted.
fn days(
    os: &Os,
    user: &str,
    first: Option<&str>,
    last: Option<&str>,
) -> Result<(Vec<Value>, Option<i64>), Refusal> {
    let mut shown = Vec::new();
    let mut latest = None;
    for (date, created_at, updated_at, mut document) in os.store.metrics(user, first, last)? {
        document["date"] = json!(format!("{date}T00:00:00Z"));
        document["created_at"] = json!(clock::iso_seconds(created_at));
        document["updated_at"] = json!(clock::iso_seconds(updated_at));
        latest = latest.max(Some(updated_at));
        shown.push(document);
    }
    Ok((shown, latest))
}

/// `GET /metrics`.
pub(crate) fn get(os: &Os, call: &Call) -> Answer {
    let mut problems = Vec::new();
    let mut date = |name: &str| {
        let text = call.text(name)?;
        if text.parse::<Date>().is_err() {
            problems.push(Problem::date(&[json!("query"), json!(name)], text));
        }
        Some(text)
    };
    let (first, last) = (date("starting_date"), date("ending_date"));
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    check(call)?;
    if !os.refreshes.fresh(os) {
        count(os)?;
    }
    let (metrics, updated_at) = days(os, call.user()?.unwrap_or(EVERYBODY), first, last)?;
    Ok(reply::ok(&json!({ "metrics": metrics, "updated_at": updated_at.map(clock::iso_seconds) })))
}

/// `POST /metrics/refresh`.
pub(crate) fn refresh(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let background = query.flag("background");
    query.done()?;
    check(call)?;
    let started = clock::iso_micros();
    call.user()?;
    count(os)?;
    let ended = clock::iso_micros();
    *os.refreshes.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((started, ended));
    if background {
        // It takes no time here: by the time anybody asks it is done.
        return Ok(reply::json(
            StatusCode::ACCEPTED,
            &json!({ "status": "started", "message": "Metrics refresh started in background" }),
        ));
    }
    Ok(reply::ok(&days(os, EVERYBODY, None, None)?.0))
}

/// `GET /metrics/refresh/status`.
pub(crate) fn status(os: &Os, call: &Call) -> Answer {
    check(call)?;
    let last = os.refreshes.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(reply::ok(&match last {
        None => json!({ "status": "idle", "started_at": null, "finished_at": null, "error": null }),
        Some((started, ended)) => {
            json!({ "status": "completed", "started_at": started, "finished_at": ended, "error": null })
        }
    }))
}
