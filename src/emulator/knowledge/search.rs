//! Finding passages by their words.

use serde_json::Value;

use crate::emulator::store::Store;

/// A passage of a content.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) content_id: String,
    pub(crate) content: String,
    pub(crate) name: Option<String>,
    pub(crate) metadata: Value,
}

/// Words that say nothing of what is meant.
const STOP: &str = " a an and are for has in is it its of on or the this to was what who with ";

/// The best passages for a query, of those that a user sees, who may be anybody; those that fit the filters, when there are some.
pub(crate) fn find(
    store: &Store,
    query: &str,
    filters: Option<&Value>,
    most: i64,
    user_id: Option<&str>,
) -> rusqlite::Result<Vec<Chunk>> {
    let words: Vec<String> = query
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| !word.is_empty() && !STOP.contains(&format!(" {word} ")))
        .map(|word| format!("\"{word}\""))
        .collect();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = store.passages(&words.join(" OR "), user_id)?;
    if let Some(filters) = filters.and_then(Value::as_object) {
        found.retain(|chunk| filters.iter().all(|(name, value)| chunk.metadata.get(name) == Some(value)));
    }
    found.truncate(usize::try_from(most).unwrap_or(0));
    Ok(found)
}
