//! The memory endpoints.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::{self, Fields};
use super::call::{Call, Query};
use super::database::{self, Page};
use super::os::Os;
use super::refusal::{Problem, Refusal};
use super::store::memories::{Filter, Memory};
use super::{clock, reply};

type Answer = Result<Response, Refusal>;

fn check(call: &Call) -> Result<(), Refusal> {
    database::check(call, "agno_memories")
}

/// `GET /memories`.
pub(crate) fn list(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let page = Page::read(&mut query);
    let ascending = query.ascending();
    query.done()?;
    check(call)?;
    let (limit, offset) = page.window()?;
    // Only the first of several is read, and it may hold several: all of them must be there.
    let topics = call.texts("topics").first().copied().unwrap_or_default();
    let (memories, total) = os.store.memories(&Filter {
        user_id: call.user()?,
        agent_id: call.text("agent_id"),
        team_id: call.text("team_id"),
        topics: topics.split(',').map(str::trim).filter(|topic| !topic.is_empty()).collect(),
        content: call.text("search_content"),
        sort_by: call.text("sort_by").or(Some("updated_at")),
        ascending,
        limit,
        offset,
    })?;
    let data: Vec<Value> = memories.iter().map(Memory::document).collect();
    // Beyond the last page nothing is counted.
    Ok(page.answer(&data, if data.is_empty() { 0 } else { total }, 0.0))
}

/// What a body says of a memory.
struct Said {
    text: String,
    user_id: String,
    topics: Vec<String>,
}

fn read(call: &Call) -> Result<Said, Refusal> {
    let mut fields = Fields::required(body::read(call)?, Vec::new());
    let text = fields.bounded_text("memory", 1, 5000);
    let user_id = fields.text("user_id");
    let topics = fields.texts("topics");
    fields.done()?;
    check(call)?;
    let user_id = call.caller.user_of(user_id.as_deref())?;
    let user_id = user_id.ok_or_else(|| Refusal::bad_request("User ID is required"))?;
    Ok(Said { text, user_id, topics: topics.unwrap_or_default() })
}

/// `POST /memories`.
pub(crate) fn create(os: &Os, call: &Call) -> Answer {
    let said = read(call)?;
    store(os, Uuid::new_v4().to_string(), said)
}

/// `PATCH /memories/{memory_id}`: one that does not exist comes to be.
pub(crate) fn update(os: &Os, call: &Call) -> Answer {
    let said = read(call)?;
    let id = call.param("memory_id");
    if let Some(user_id) = call.caller.only()? {
        os.store.memory(id, Some(user_id))?.ok_or_else(|| Refusal::not_found("Memory not found"))?;
    }
    store(os, id.to_owned(), said)
}

fn store(os: &Os, id: String, said: Said) -> Answer {
    let now = clock::epoch();
    let memory = Memory {
        id,
        text: said.text,
        topics: Some(said.topics),
        user_id: Some(said.user_id),
        agent_id: None,
        team_id: None,
        input: None,
        created_at: now,
        updated_at: now,
    };
    os.store.put_memory(&memory)?;
    let stored = os.store.memory(&memory.id, None)?.unwrap_or(memory);
    Ok(reply::ok(&stored.document()))
}

/// `GET /memories/{memory_id}`.
pub(crate) fn get(os: &Os, call: &Call) -> Answer {
    check(call)?;
    let id = call.param("memory_id");
    let memory = os.store.memory(id, call.user()?)?;
    let memory = memory.ok_or_else(|| Refusal::not_found(format!("Memory with ID {id} not found")))?;
    Ok(reply::ok(&memory.document()))
}

/// `DELETE /memories/{memory_id}`: says the same whether or not there was anything to delete.
pub(crate) fn delete(os: &Os, call: &Call) -> Answer {
    check(call)?;
    os.store.delete_memories(&[call.param("memory_id").to_owned()], call.user()?)?;
    Ok(reply::no_content())
}

/// `DELETE /memories` with a JSON body.
pub(crate) fn delete_many(os: &Os, call: &Call) -> Answer {
    let mut fields = Fields::required(body::read(call)?, Vec::new());
    let ids = fields.list("memory_ids", |at, value| match value {
        Value::String(id) => Ok(id.clone()),
        other => Err(Problem::string(at, other)),
    });
    let user_id = fields.text("user_id");
    fields.done()?;
    check(call)?;
    os.store.delete_memories(&ids, call.caller.or_asked(user_id.as_deref())?)?;
    Ok(reply::no_content())
}

/// `GET /memory_topics`.
pub(crate) fn topics(os: &Os, call: &Call) -> Answer {
    check(call)?;
    Ok(reply::ok(&os.store.memory_topics(call.user()?)?))
}

/// `GET /user_memory_stats`.
pub(crate) fn stats(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let page = Page::read(&mut query);
    query.done()?;
    check(call)?;
    let (limit, offset) = page.window().map_err(|_| {
        Refusal::Detail(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Failed to get user statistics: `page` must be >= 1 (pages are 1-indexed); got 0.".to_owned(),
        )
    })?;
    let (stats, total) = os.store.memory_stats(call.user()?, limit, offset)?;
    let data: Vec<Value> = stats
        .into_iter()
        .map(|(user_id, count, updated_at)| {
            json!({
                "user_id": user_id,
                "total_memories": count,
                "last_memory_updated_at": clock::iso_seconds(updated_at),
            })
        })
        .collect();
    Ok(page.answer(&data, total, 0.0))
}

/// `POST /optimize-memories`: the offline model makes one memory of all that there are.
pub(crate) fn optimize(os: &Os, call: &Call) -> Answer {
    let mut fields = Fields::required(body::read(call)?, Vec::new());
    let user_id = fields.needed_text("user_id");
    let model = fields.text("model");
    let apply = fields.flag("apply", true);
    fields.done()?;
    check(call)?;
    if let Some(model) = model.filter(|model| !model.is_empty())
        && !model.split_once(':').is_some_and(|(provider, id)| !provider.is_empty() && !id.is_empty())
    {
        return Err(Refusal::bad_request(format!(
            "Invalid model string format: '{model}'. Model strings should be in format '<provider>:<model_id>' e.g. \
             'openai:gpt-4o'"
        )));
    }
    let user_id = call.caller.only()?.unwrap_or(&user_id);
    let known = os.store.memories_of(user_id)?;
    if known.is_empty() {
        return Err(Refusal::not_found(format!("No memories found for user {user_id}")));
    }
    // Their first sentences.
    let mut said: Vec<String> = Vec::new();
    let mut topics: Vec<String> = Vec::new();
    for memory in &known {
        let first = memory.text.split(['.', '\n']).next().unwrap_or_default();
        said.push(format!("{first}."));
        topics.extend(memory.topics.clone().unwrap_or_default());
    }
    topics.sort();
    topics.dedup();
    // Four characters are a token, about.
    let tokens = |text: &str| u64::try_from(text.chars().count() / 4).unwrap_or(u64::MAX);
    let before: u64 = known.iter().map(|memory| tokens(&memory.text)).sum();
    let now = clock::epoch();
    let one = Memory {
        id: Uuid::new_v4().to_string(),
        text: said.join(" "),
        topics: Some(topics),
        user_id: Some(user_id.to_owned()),
        agent_id: None,
        team_id: None,
        input: None,
        created_at: now,
        updated_at: now,
    };
    let after = tokens(&one.text);
    if apply {
        let ids: Vec<String> = known.iter().map(|memory| memory.id.clone()).collect();
        os.store.delete_memories(&ids, None)?;
        os.store.put_memory(&one)?;
    }
    let saved = before.saturating_sub(after);
    #[expect(clippy::cast_precision_loss, reason = "words of one user")]
    let percentage = if before == 0 { 0.0 } else { saved as f64 / before as f64 * 100.0 };
    Ok(reply::ok(&json!({
        "memories": [one.document()],
        "memories_before": known.len(),
        "memories_after": 1,
        "tokens_before": before,
        "tokens_after": after,
        "tokens_saved": saved,
        "reduction_percentage": percentage,
    })))
}
