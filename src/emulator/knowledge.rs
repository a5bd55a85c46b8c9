//! The knowledge endpoints: one knowledge base, searched by words.

pub(crate) mod search;
mod upload;

use std::time::Instant;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

pub(crate) use self::upload::{seed, update, upload};
use super::body::{self, Fields};
use super::call::{Call, Query};
use super::clock;
use super::database::Page;
use super::os::Os;
use super::refusal::Refusal;
use super::reply;
use super::store::knowledge::Content;

type Answer = Result<Response, Refusal>;

/// The one knowledge base.
pub(crate) const ID: &str = "5f2b1c1e-6d0a-5f7e-9b1a-0c7f3f6f2a10";
const VECTOR_DB: &str = "8a1f5a0c-2f0e-5c53-8a39-5f2d5b3c9d11";

/// What contents can be sorted by.
const COLUMNS: [&str; 14] = [
    "id",
    "name",
    "description",
    "metadata",
    "type",
    "size",
    "linked_to",
    "access_count",
    "status",
    "status_message",
    "created_at",
    "updated_at",
    "external_id",
    "user_id",
];

/// How many passages a search finds that does not say a number.
pub(crate) const MOST_FOUND: i64 = 5;

/// Refuses a knowledge base that does not exist here.
fn check(call: &Call, knowledge_id: Option<&str>, db_id: Option<&str>) -> Result<(), Refusal> {
    if let Some(id) = knowledge_id.filter(|id| !id.is_empty() && *id != ID) {
        return Err(Refusal::not_found(format!("Knowledge base '{id}' not found")));
    }
    match db_id.filter(|id| !id.is_empty() && *id != call.cast.knowledge.db) {
        Some(id) => Err(Refusal::not_found(format!("Knowledge instance with db_id '{id}' not found"))),
        None => Ok(()),
    }
}

fn check_call(call: &Call) -> Result<(), Refusal> {
    check(call, call.text("knowledge_id"), call.text("db_id"))
}

/// A content as the endpoints show it.
fn document(content: &Content) -> Value {
    json!({
        "id": content.id,
        "name": content.name,
        "description": content.description.as_deref().unwrap_or_default(),
        "type": content.kind,
        "size": content.size.to_string(),
        "linked_to": null,
        "metadata": content.metadata,
        "access_count": null,
        "status": content.status,
        "status_message": content.status_message,
        "created_at": clock::iso_seconds(content.created_at),
        "updated_at": clock::iso_seconds(content.updated_at),
    })
}

fn find(os: &Os, call: &Call) -> Result<Content, Refusal> {
    check_call(call)?;
    let id = call.param("content_id");
    let content = os.store.content(id, call.caller.only()?)?;
    content.ok_or_else(|| Refusal::not_found(format!("Content not found: {id}")))
}

/// One that the caller may change: where users are kept apart, what is for all is nobody's.
fn find_own(os: &Os, call: &Call, to: &str) -> Result<Content, Refusal> {
    let content = find(os, call)?;
    match call.caller.only()? {
        Some(_) if content.user_id.is_none() => {
            Err(Refusal::Detail(StatusCode::FORBIDDEN, format!("Cannot {to} shared content")))
        }
        _ => Ok(content),
    }
}

/// `GET /knowledge/content`.
pub(crate) fn list(os: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    let page = Page::read(&mut query);
    let ascending = query.ascending();
    query.done()?;
    check_call(call)?;
    let (limit, offset) = page.window()?;
    let sort_by = call.text("sort_by").unwrap_or("created_at");
    if !COLUMNS.contains(&sort_by) {
        return Err(Refusal::Unhandled("AttributeError"));
    }
    let (contents, total) = os.store.contents(call.caller.only()?, sort_by, ascending, limit, offset)?;
    let data: Vec<Value> = contents.iter().map(document).collect();
    Ok(page.answer(&data, total, 0.0))
}

/// `GET /knowledge/content/{content_id}`.
pub(crate) fn get(os: &Os, call: &Call) -> Answer {
    let mut shown = document(&find(os, call)?);
    // What was uploaded is not kept beside its passages, and alone agno 3.1.10 measures only that.
    shown["size"] = json!("0");
    Ok(reply::ok(&shown))
}

/// `GET /knowledge/content/{content_id}/status`.
pub(crate) fn status(os: &Os, call: &Call) -> Answer {
    let content = find(os, call)?;
    Ok(reply::ok(&json!({
        "id": content.id, "status": content.status, "status_message": content.status_message,
    })))
}

/// `DELETE /knowledge/content/{content_id}`.
pub(crate) fn delete(os: &Os, call: &Call) -> Answer {
    let content = find_own(os, call, "delete")?;
    os.store.delete_contents(Some(&content.id), None)?;
    Ok(reply::ok(&json!({ "id": content.id })))
}

/// `DELETE /knowledge/content`.
pub(crate) fn delete_all(os: &Os, call: &Call) -> Answer {
    check_call(call)?;
    os.store.delete_contents(None, call.caller.only()?)?;
    Ok(reply::ok("success"))
}

/// `POST /knowledge/content/{content_id}/refresh`: no reader has built anything here from an address.
pub(crate) fn refresh(os: &Os, call: &Call) -> Answer {
    let content = find_own(os, call, "refresh")?;
    let mut said = content.metadata.clone().unwrap_or_default();
    let own = said.as_object_mut().and_then(|fields| fields.shift_remove("_agno"));
    let Some(url) = own.as_ref().and_then(|own| own["source_url"].as_str()) else {
        return Err(Refusal::bad_request("Content has no source URL to refresh from"));
    };
    let matched = [None, content.name.as_deref()].into_iter().any(|name| {
        let description = content.description.as_deref();
        upload::content_id(content.user_id.as_deref(), name, description, Some(&said), url) == content.id
    });
    Err(Refusal::bad_request(if matched {
        "Content row does not record which reader built it; re-ingest the URL instead"
    } else {
        "Content row cannot be matched back to its source; re-ingest the URL instead"
    }))
}

/// `GET /knowledge/{knowledge_id}/sources`: there are none.
pub(crate) fn sources(_: &Os, call: &Call) -> Answer {
    check(call, Some(call.param("knowledge_id")), call.text("db_id"))?;
    Ok(reply::ok(&json!([])))
}

/// `GET /knowledge/{knowledge_id}/sources/{source_id}/files`.
pub(crate) fn source_files(_: &Os, call: &Call) -> Answer {
    let mut query = Query::new(call);
    query.integer("limit", Some(1));
    query.integer("page", Some(1));
    query.done()?;
    check(call, Some(call.param("knowledge_id")), call.text("db_id"))?;
    Err(Refusal::not_found(format!("Content source not found: {}", call.param("source_id"))))
}

/// `POST /knowledge/search`.
pub(crate) fn search(os: &Os, call: &Call) -> Answer {
    let mut fields = Fields::required(body::read(call)?, Vec::new());
    let query = fields.needed_text("query");
    fields.texts("vector_db_ids");
    let most = fields.integer_or_null("max_results", 1, 1000).unwrap_or(MOST_FOUND);
    let filters = fields.object("filters").map(Value::Object);
    let kind = fields.text("search_type");
    let knowledge_id = fields.text("knowledge_id");
    let db_id = fields.text("db_id");
    let mut number = |name: &str, default: i64| fields.positive_within("meta", name).unwrap_or(default);
    let (limit, page) = (number("limit", 20), number("page", 1));
    fields.done()?;
    check(call, knowledge_id.as_deref(), db_id.as_deref())?;
    if kind.is_some_and(|kind| !matches!(kind.as_str(), "vector" | "keyword" | "hybrid")) {
        return Err(Refusal::Unhandled("ValueError"));
    }
    let since = Instant::now();
    let found = search::find(&os.store, &query, filters.as_ref(), most, call.caller.only()?)?;
    let took = since.elapsed().as_secs_f64() * 1000.0;
    let page = Page::new(page, limit);
    let (limit, offset) = page.window()?;
    let shown: Vec<Value> = found
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0))
        .map(|chunk| {
            json!({
                "id": null,
                "content": chunk.content,
                "name": chunk.name,
                "meta_data": chunk.metadata,
                "usage": null,
                "reranking_score": null,
                "content_id": chunk.content_id,
                "content_origin": null,
                "size": null,
            })
        })
        .collect();
    Ok(page.answer(&shown, i64::try_from(found.len()).unwrap_or(i64::MAX), took))
}

/// `GET /knowledge/config`: the readers that need no package.
pub(crate) fn config(os: &Os, call: &Call) -> Answer {
    check_call(call)?;
    let (contents, _) = os.store.contents(call.caller.only()?, "created_at", true, -1, 0)?;
    let mut filters: Vec<String> = Vec::new();
    for name in
        contents.iter().filter_map(|content| content.metadata.as_ref()?.as_object()).flat_map(|it| it.keys())
    {
        if !filters.contains(name) {
            filters.push(name.clone());
        }
    }
    let reader = |id: &str, name: &str, description: &str, end: &str| {
        json!({
            "id": id, "name": name, "description": description,
            "chunkers": ["FixedSizeChunker", "AgenticChunker", "DocumentChunker", "RecursiveChunker"],
            "content_types": [end], "unavailable_content_types": null,
        })
    };
    let chunker = |name: &str, description: &str| {
        json!({
            "key": name, "name": name, "description": description,
            "metadata": { "chunk_size": 5000, "chunk_overlap": 0 },
        })
    };
    Ok(reply::ok(&json!({
        "readers": {
            "json": reader("json", "JsonReader", "Processes JSON data structures and API responses with \
                nested object handling", ".json"),
            "markdown": reader("markdown", "MarkdownReader", "Processes Markdown documentation with \
                header-aware chunking and formatting preservation", ".md"),
            "text": reader("text", "TextReader", "Handles plain text files with customizable chunking \
                strategies and encoding detection", ".txt"),
        },
        "readersForType": { ".json": ["json"], ".md": ["markdown"], ".txt": ["text"] },
        "chunkers": {
            "DocumentChunker": chunker("DocumentChunker", "A chunking strategy that splits text based on \
                document structure like paragraphs and sections"),
            "RecursiveChunker": chunker("RecursiveChunker", "Chunking strategy that recursively splits text \
                into chunks by finding natural break points"),
            "FixedSizeChunker": chunker("FixedSizeChunker", "Chunking strategy that splits text into \
                fixed-size chunks with optional overlap"),
        },
        "filters": filters,
        "vector_dbs": [{
            "id": VECTOR_DB, "name": "EmbeddedDb", "description": null,
            "search_types": ["vector", "keyword", "hybrid"],
        }],
        "remote_content_sources": null,
        "unavailable_readers": {},
        "unavailable_chunkers": {},
    })))
}
