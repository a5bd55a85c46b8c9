//! Contents in the database, and their passages in an index of words.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::Store;
use super::list::List;
use crate::emulator::knowledge::search::Chunk;

/// Something that was uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) kind: Option<String>,
    /// In characters.
    pub(crate) size: usize,
    pub(crate) metadata: Option<Value>,
    pub(crate) status: String,
    pub(crate) status_message: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    /// Whose it is, where users are kept apart; nobody's is for all.
    pub(crate) user_id: Option<String>,
}

/// A content that is there from the beginning.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) content: Content,
    pub(crate) chunks: Vec<Chunk>,
    /// Of its text.
    pub(crate) digest: String,
}

const COLUMNS: &str = "id, name, description, type, size, metadata, status, status_message, created_at, updated_at, \
    user_id";

const SORTABLE: [&str; 9] =
    ["id", "name", "description", "type", "size", "status", "status_message", "created_at", "updated_at"];

impl Store {
    /// A content that a user sees.
    pub(crate) fn content(&self, id: &str, user_id: Option<&str>) -> rusqlite::Result<Option<Content>> {
        self.connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM contents WHERE id = ?1 AND (?2 IS NULL OR coalesce(user_id, ?2) = ?2)"
            ))?
            .query_row(params![id, user_id], read)
            .optional()
    }

    /// Stores a content; its passages take the place of those that it had.
    pub(crate) fn put_content(&self, content: &Content, chunks: &[Chunk]) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        put(&transaction, content)?;
        put_passages(&transaction, &content.id, chunks)?;
        transaction.commit()
    }

    /// Stores a content whose passages stay.
    pub(crate) fn set_content(&self, content: &Content) -> rusqlite::Result<()> {
        put(&self.connection(), content)
    }

    /// Stores those seeds that were not stored before with the same text.
    pub(crate) fn seed(&self, seeds: &[Seed]) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for Seed { content, chunks, digest } in seeds {
            let news = transaction
                .prepare_cached(
                    "INSERT INTO seeds (id, digest) VALUES (?1, ?2) \
                     ON CONFLICT (id) DO UPDATE SET digest = excluded.digest WHERE digest <> excluded.digest",
                )?
                .execute([&content.id, digest])?;
            if news > 0 {
                put(&transaction, content)?;
                put_passages(&transaction, &content.id, chunks)?;
            }
        }
        transaction.commit()
    }

    /// Whether a content was read before.
    pub(crate) fn has_passages(&self, id: &str) -> rusqlite::Result<bool> {
        self.connection()
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM passages WHERE content_id = ?1)")?
            .query_row([id], |row| row.get(0))
    }

    /// Adds to what the passages of a content say of themselves.
    pub(crate) fn mark_passages(&self, id: &str, metadata: &Value) -> rusqlite::Result<()> {
        self.connection()
            .prepare_cached("UPDATE passages SET metadata = json_patch(metadata, ?2) WHERE content_id = ?1")?
            .execute([id, &metadata.to_string()])?;
        Ok(())
    }

    /// Deletes a content, or all that are a user's, or all.
    pub(crate) fn delete_contents(&self, id: Option<&str>, user_id: Option<&str>) -> rusqlite::Result<()> {
        const THESE: &str = "(?1 IS NULL OR id = ?1) AND (?2 IS NULL OR user_id = ?2)";
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            &format!("DELETE FROM passages WHERE content_id IN (SELECT id FROM contents WHERE {THESE})"),
            [id, user_id],
        )?;
        transaction.execute(&format!("DELETE FROM contents WHERE {THESE}"), [id, user_id])?;
        transaction.commit()
    }

    /// One page of the contents that a user sees, and how many there are in all.
    pub(crate) fn contents(
        &self,
        user_id: Option<&str>,
        sort_by: &str,
        ascending: bool,
        limit: i64,
        offset: i64,
    ) -> rusqlite::Result<(Vec<Content>, i64)> {
        let mut list = List::of("contents");
        list.only_some("(user_id IS NULL OR user_id = ?)", user_id);
        list.sort_by_number(sort_by, &SORTABLE, ascending);
        let connection = self.connection();
        let total = list.count(&connection)?;
        Ok((list.page(&connection, COLUMNS, (limit, offset), total, read)?, total))
    }

    /// The passages that a user sees and that match an expression of FTS5, the best first.
    pub(crate) fn passages(&self, expression: &str, user_id: Option<&str>) -> rusqlite::Result<Vec<Chunk>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT text, content_id, name, metadata FROM passages WHERE passages MATCH ?1 AND (?2 IS NULL \
             OR content_id IN (SELECT id FROM contents WHERE user_id IS NULL OR user_id = ?2)) \
             ORDER BY rank, rowid LIMIT 1000",
        )?;
        let rows = statement.query_map(params![expression, user_id], |row| {
            let metadata: String = row.get(3)?;
            Ok(Chunk {
                content: row.get(0)?,
                content_id: row.get(1)?,
                name: row.get(2)?,
                metadata: serde_json::from_str(&metadata).unwrap_or_default(),
            })
        })?;
        rows.collect()
    }
}

fn put(connection: &Connection, content: &Content) -> rusqlite::Result<()> {
    connection
        .prepare_cached(&format!(
            "INSERT INTO contents ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, \
             type = excluded.type, size = excluded.size, metadata = excluded.metadata, \
             status = excluded.status, status_message = excluded.status_message, \
             created_at = excluded.created_at, updated_at = excluded.updated_at, user_id = excluded.user_id"
        ))?
        .execute(params![
            content.id,
            content.name,
            content.description,
            content.kind,
            i64::try_from(content.size).unwrap_or(i64::MAX),
            content.metadata.as_ref().map(Value::to_string),
            content.status,
            content.status_message,
            content.created_at,
            content.updated_at,
            content.user_id
        ])?;
    Ok(())
}

fn put_passages(connection: &Connection, id: &str, chunks: &[Chunk]) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM passages WHERE content_id = ?1")?.execute([id])?;
    for chunk in chunks {
        connection
            .prepare_cached(
                "INSERT INTO passages (text, content_id, name, metadata) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![chunk.content, chunk.content_id, chunk.name, chunk.metadata.to_string()])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Content> {
    let metadata: Option<String> = row.get(5)?;
    let size: i64 = row.get(4)?;
    Ok(Content {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        kind: row.get(3)?,
        size: usize::try_from(size).unwrap_or(0),
        metadata: metadata.and_then(|metadata| serde_json::from_str(&metadata).ok()),
        status: row.get(6)?,
        status_message: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
        user_id: row.get(10)?,
    })
}
