//! Taking in what is to be known: it is accepted at once and read a moment later.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::search::Chunk;
use super::{Answer, check_call, document, find_own};
use crate::emulator::call::Call;
use crate::emulator::clock;
use crate::emulator::form::Form;
use crate::emulator::os::Os;
use crate::emulator::python;
use crate::emulator::refusal::{Problem, Refusal};
use crate::emulator::reply;
use crate::emulator::store::knowledge::{Content, Seed};

/// How long it takes to read a content.
const READING: Duration = Duration::from_millis(25);

/// The readers that can be named.
const READERS: [&str; 3] = ["json", "markdown", "text"];

/// No passage is longer, in characters.
const PASSAGE: usize = 5000;

/// `POST /knowledge/content`.
pub(crate) async fn upload(os: Arc<Os>, call: Call) -> Answer {
    let form = Form::read(&call).await?;
    let mut problems = Vec::new();
    if form.filled("file").is_some() {
        form.check_files("file", &mut problems);
        // One file, not a list of them.
        problems = problems.into_iter().take(1).map(Problem::at_field).collect();
    }
    for name in ["chunk_size", "chunk_overlap"] {
        form.integer(name, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    check_call(&call)?;
    let file = form.files("file").next();
    let text = form.filled("text_content");
    let url = form.filled("url");
    if file.is_none() && text.is_none() && url.is_none() {
        return Err(Refusal::bad_request("Provide a file, text_content, or URL to upload."));
    }
    let several = |url: &str| serde_json::from_str::<Value>(url).is_ok_and(|value| !value.is_string());
    if url.is_some_and(several) {
        return Err(Refusal::bad_request(
            "URL must be a single non-empty string; submit each URL separately.",
        ));
    }
    let filename = file.map(|file| file.filename.clone()).filter(|name| !name.is_empty());
    let name = form.filled("name").map(str::to_owned).or_else(|| filename.clone());
    let description = form.filled("description").map(str::to_owned);
    // What is no JSON becomes the value of an object.
    let metadata = form.filled("metadata").map(|sent| match serde_json::from_str::<Value>(sent) {
        Ok(Value::Object(fields)) => Value::Object(fields),
        _ => json!({ "value": sent }),
    });
    let source = url.or(filename.as_deref()).unwrap_or("manual");
    let owner = call.caller.only()?;
    let id = content_id(owner, name.as_deref(), description.as_deref(), metadata.as_ref(), source);
    let body = file.map_or_else(
        || text.unwrap_or_default().to_owned(),
        |file| String::from_utf8_lossy(&file.bytes).into_owned(),
    );
    let kind = match (file, url) {
        (Some(file), _) => file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned()),
        (None, Some(_)) => "url".to_owned(),
        (None, None) => "manual".to_owned(),
    };
    let now = clock::epoch();
    let content = Content {
        id: id.clone(),
        name: name.clone(),
        description: description.clone(),
        kind: Some(kind),
        size: if url.is_some() { 0 } else { body.chars().count() },
        metadata: metadata.clone(),
        status: "processing".to_owned(),
        status_message: String::new(),
        created_at: now,
        updated_at: now,
        user_id: owner.map(str::to_owned),
    };
    os.store.set_content(&content)?;
    let accepted = json!({
        "id": id, "name": name, "description": description, "type": null, "size": null, "linked_to": null,
        "metadata": metadata, "access_count": null, "status": "processing", "status_message": null,
        "created_at": null, "updated_at": null,
    });
    let title = filename.or(name);
    let url = url.map(str::to_owned);
    tokio::spawn(async move {
        tokio::time::sleep(READING).await;
        // A content that cannot be stored stays as it is: whoever polls will see.
        let _ = take_in(&os, content, title, &body, url.as_deref());
    });
    Ok(reply::json(StatusCode::ACCEPTED, &accepted))
}

/// The id tells the same content again: it is made of its owner, name, words and source, not of its text.
pub(super) fn content_id(
    owner: Option<&str>,
    name: Option<&str>,
    description: Option<&str>,
    metadata: Option<&Value>,
    source: &str,
) -> String {
    let metadata = metadata.filter(|metadata| **metadata != json!({})).map(|metadata| {
        let mut fields: Vec<_> = metadata.as_object().into_iter().flatten().collect();
        fields.sort_by_key(|(name, _)| name.as_str());
        python::dumps(&fields.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    });
    let owner = owner.map(|owner| digest(owner)[..16].to_owned());
    let parts = [owner.as_deref(), name, description, metadata.as_deref(), Some(source)];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    Uuid::new_v5(&Uuid::NAMESPACE_DNS, digest(&parts.join(":")).as_bytes()).to_string()
}

fn take_in(
    os: &Os,
    mut content: Content,
    title: Option<String>,
    body: &str,
    url: Option<&str>,
) -> rusqlite::Result<()> {
    content.updated_at = clock::epoch();
    let said = content.metadata.take().unwrap_or_else(|| json!({}));
    let mut metadata = said.clone();
    if let Some(url) = url {
        // There is no way out of here: every address is a dead one.
        metadata["_agno"] = json!({ "source_type": "url", "source_url": url });
        content.metadata = Some(metadata);
        "failed".clone_into(&mut content.status);
        "All connection attempts failed".clone_into(&mut content.status_message);
        return os.store.put_content(&content, &[]);
    }
    metadata["_agno"] = json!({ "vectors_indexed": true });
    "completed".clone_into(&mut content.status);
    content.metadata = Some(metadata);
    if os.store.has_passages(&content.id)? {
        // agno 3.1.10 knows a content by its name and words: it does not read it again, whatever it says now.
        os.store.mark_passages(&content.id, &said)?;
        return os.store.set_content(&content);
    }
    let chunks = chunks(os, &content.id, title.as_deref(), &said, body);
    os.store.put_content(&content, &chunks)
}

/// The passages of a content, each with what was said of the whole.
fn chunks(os: &Os, id: &str, title: Option<&str>, said: &Value, body: &str) -> Vec<Chunk> {
    let chunk = |(index, passage): (usize, String)| {
        let mut shown = json!({ "chunk": index + 1, "chunk_size": passage.chars().count() });
        for (name, value) in said.as_object().into_iter().flatten() {
            shown[name] = value.clone();
        }
        shown["linked_to"] = json!(os.cast.knowledge.name);
        let name = title.map(str::to_owned);
        Chunk { content_id: id.to_owned(), content: passage, name, metadata: shown }
    };
    passages(body).into_iter().enumerate().map(chunk).collect()
}

/// Takes in what a cast knows from the beginning. What a file has of it already stays as it is, gone if somebody
/// deleted it; a text that has changed in the cast is read again.
pub(crate) fn seed(os: &Os) -> rusqlite::Result<()> {
    let os = os.at(os.cast.knowledge.db);
    let seeds = os.cast.knowledge.contents.iter().map(|known| {
        let name = Some(known.name.as_str());
        let source = known.file.as_deref().unwrap_or("manual");
        let id = content_id(None, name, known.description.as_deref(), known.metadata.as_ref(), source);
        let said = known.metadata.clone().unwrap_or_else(|| json!({}));
        let mut metadata = said.clone();
        metadata["_agno"] = json!({ "vectors_indexed": true });
        let now = clock::epoch();
        let chunks = chunks(&os, &id, known.file.as_deref().or(name), &said, &known.text);
        let content = Content {
            id,
            name: Some(known.name.clone()),
            description: known.description.clone(),
            kind: Some(known.file.as_ref().map_or("manual", |_| "text/plain").to_owned()),
            size: known.text.chars().count(),
            metadata: Some(metadata),
            status: "completed".to_owned(),
            status_message: String::new(),
            created_at: now,
            updated_at: now,
            user_id: None,
        };
        Seed { content, chunks, digest: digest(&known.text) }
    });
    os.store.seed(&seeds.collect::<Vec<_>>())
}

/// What tells two texts apart, in hexadecimal digits.
fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text in passages, without its empty lines.
fn passages(text: &str) -> Vec<String> {
    let mut dense = String::new();
    for c in text.chars() {
        if c != '\r' && !(c == '\n' && dense.ends_with('\n')) {
            dense.push(c);
        }
    }
    let chars: Vec<char> = dense.chars().collect();
    chars.chunks(PASSAGE).map(|passage| passage.iter().collect()).collect()
}

/// `PATCH /knowledge/content/{content_id}`: a form, too; JSON says nothing.
pub(crate) async fn update(os: Arc<Os>, call: Call) -> Answer {
    let form = Form::read(&call).await?;
    check_call(&call)?;
    let metadata = form.filled("metadata").filter(|text| !text.trim().is_empty());
    let metadata: Option<Value> = metadata
        .map(serde_json::from_str)
        .transpose()
        .map_err(|_| Refusal::bad_request("Invalid JSON format for metadata"))?;
    if metadata.as_ref().is_some_and(|metadata| !metadata.is_object() && !metadata.is_null()) {
        return Err(Refusal::Unhandled("ValidationError"));
    }
    let mut content = find_own(&os, &call, "modify")?;
    if let Some(reader) = form.filled("reader_id").filter(|id| !READERS.contains(id)) {
        return Err(Refusal::bad_request(format!("Invalid reader_id: {reader}")));
    }
    if let Some(name) = form.filled("name") {
        content.name = Some(name.to_owned());
    }
    if let Some(description) = form.filled("description") {
        content.description = Some(description.to_owned());
    }
    if let Some(mut metadata) = metadata {
        os.store.mark_passages(&content.id, &metadata)?;
        // What agno notes for itself stays.
        let own = content.metadata.take().and_then(|known| known.get("_agno").cloned());
        if let (Some(own), Some(fields)) = (own, metadata.as_object_mut()) {
            fields.insert("_agno".to_owned(), own);
        }
        content.metadata = Some(metadata);
    }
    content.updated_at = clock::epoch();
    os.store.set_content(&content)?;
    let mut shown = document(&content);
    shown["type"] = Value::Null;
    shown["updated_at"] = json!(clock::iso_seconds(content.updated_at).trim_end_matches('Z'));
    Ok(reply::ok(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_agno() {
        let id = |name, description, metadata: Option<Value>, source| {
            content_id(None, name, description, metadata.as_ref(), source)
        };
        let note = id(Some("Note"), Some("A text note"), Some(json!({ "topic": "agno" })), "manual");
        assert_eq!(note, "4925f1a5-bf5d-5c45-9cf8-dc43da35c911");
        assert_eq!(id(Some("readme.md"), None, None, "readme.md"), "226afe87-0cd7-5e94-a9ce-b2316f6198f8");
        let dead = id(Some("Url"), None, None, "http://127.0.0.1:9/none.txt");
        assert_eq!(dead, "62c9dfc0-eb93-516f-a48c-8c41429d7f07");
    }
}
