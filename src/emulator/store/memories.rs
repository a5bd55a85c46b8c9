//! Memories in the database.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::Store;
use super::list::List;
use crate::emulator::clock;
use crate::emulator::python;

/// What is known of a user.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) topics: Option<Vec<String>>,
    pub(crate) user_id: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) team_id: Option<String>,
    /// What the user had said.
    pub(crate) input: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl Memory {
    /// As the endpoints of memories show it.
    pub(crate) fn document(&self) -> Value {
        json!({
            "memory_id": self.id,
            "memory": self.text,
            "topics": self.topics.as_deref().unwrap_or_default(),
            "agent_id": self.agent_id,
            "team_id": self.team_id,
            "user_id": self.user_id,
            "updated_at": clock::iso_seconds(self.updated_at),
        })
    }

    /// As `MemoryUpdateCompleted` tells it: with times of no zone.
    pub(crate) fn told(&self) -> Value {
        let naive = |epoch| clock::iso_seconds(epoch).trim_end_matches('Z').to_owned();
        json!({
            "memory_id": self.id,
            "memory": self.text,
            "topics": self.topics,
            "created_at": naive(self.created_at),
            "updated_at": naive(self.updated_at),
            "input": self.input,
            "user_id": self.user_id,
            "agent_id": self.agent_id,
        })
    }
}

/// A user, how many memories there are of them, and when the last one changed.
pub(crate) type Stat = (String, i64, i64);

/// Which memories to list, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) user_id: Option<&'a str>,
    pub(crate) agent_id: Option<&'a str>,
    pub(crate) team_id: Option<&'a str>,
    /// All of them.
    pub(crate) topics: Vec<&'a str>,
    pub(crate) content: Option<&'a str>,
    pub(crate) sort_by: Option<&'a str>,
    pub(crate) ascending: bool,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

const SORTABLE: [&str; 9] =
    ["memory_id", "memory", "topics", "user_id", "agent_id", "team_id", "input", "created_at", "updated_at"];

const COLUMNS: &str = "memory_id, memory, topics, user_id, agent_id, team_id, input, created_at, updated_at";

impl Store {
    pub(crate) fn memory(&self, id: &str, user_id: Option<&str>) -> rusqlite::Result<Option<Memory>> {
        self.connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM memories WHERE memory_id = ?1 AND (?2 IS NULL OR user_id = ?2)"
            ))?
            .query_row(params![id, user_id], read)
            .optional()
    }

    /// All memories of a user, the first one first.
    pub(crate) fn memories_of(&self, user_id: &str) -> rusqlite::Result<Vec<Memory>> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM memories WHERE user_id = ?1 ORDER BY rowid"))?;
        statement.query_map([user_id], read)?.collect()
    }

    /// Stores a memory. One that exists keeps its user.
    pub(crate) fn put_memory(&self, memory: &Memory) -> rusqlite::Result<()> {
        let topics = memory.topics.as_ref().map(|topics| python::dumps(&json!(topics)));
        self.connection()
            .prepare_cached(&format!(
                "INSERT INTO memories ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
                 ON CONFLICT (memory_id) DO UPDATE SET memory = excluded.memory, topics = excluded.topics, \
                 input = excluded.input, updated_at = excluded.updated_at"
            ))?
            .execute(params![
                memory.id,
                memory.text,
                topics,
                memory.user_id,
                memory.agent_id,
                memory.team_id,
                memory.input,
                memory.created_at,
                memory.updated_at
            ])?;
        Ok(())
    }

    /// Deletes memories; ids of others than `user_id` are passed over in silence.
    pub(crate) fn delete_memories(&self, ids: &[String], user_id: Option<&str>) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for id in ids {
            transaction
                .prepare_cached("DELETE FROM memories WHERE memory_id = ?1 AND (?2 IS NULL OR user_id = ?2)")?
                .execute(params![id, user_id])?;
        }
        transaction.commit()
    }

    /// One page of memories, and how many there are in all.
    pub(crate) fn memories(&self, filter: &Filter<'_>) -> rusqlite::Result<(Vec<Memory>, i64)> {
        let mut list = List::of("memories");
        list.only_some("user_id = ?", filter.user_id);
        list.only_some("agent_id = ?", filter.agent_id);
        list.only_some("team_id = ?", filter.team_id);
        for topic in &filter.topics {
            list.only("topics LIKE ?", &format!("%\"{topic}\"%"));
        }
        list.only_some("memory LIKE ?", filter.content.map(|content| format!("%{content}%")).as_deref());
        list.sort(filter.sort_by, &SORTABLE, filter.ascending, true);
        let connection = self.connection();
        let total = list.count(&connection)?;
        Ok((list.page(&connection, COLUMNS, (filter.limit, filter.offset), total, read)?, total))
    }

    /// All topics, sorted: agno 3.1.10 has them in the order of a set, which is none.
    pub(crate) fn memory_topics(&self, user_id: Option<&str>) -> rusqlite::Result<Vec<String>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT topic.value FROM memories, json_each(memories.topics) AS topic \
             WHERE ?1 IS NULL OR user_id = ?1 ORDER BY topic.value",
        )?;
        statement.query_map([user_id], |row| row.get(0))?.collect()
    }

    /// For each user how many memories there are and when the last one changed; and how many users.
    pub(crate) fn memory_stats(
        &self,
        user_id: Option<&str>,
        limit: i64,
        offset: i64,
    ) -> rusqlite::Result<(Vec<Stat>, i64)> {
        const USERS: &str = "FROM memories WHERE CASE WHEN ?1 IS NULL THEN user_id IS NOT NULL \
            ELSE user_id = ?1 END";
        let connection = self.connection();
        let total = connection
            .prepare_cached(&format!("SELECT count(DISTINCT user_id) {USERS}"))?
            .query_row([user_id], |row| row.get(0))?;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT user_id, count(*), max(updated_at) {USERS} GROUP BY user_id \
             ORDER BY max(updated_at) DESC, user_id LIMIT ?2 OFFSET ?3"
        ))?;
        let rows = statement
            .query_map(params![user_id, limit, offset], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok((rows.collect::<rusqlite::Result<_>>()?, total))
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Memory> {
    let topics: Option<String> = row.get(2)?;
    Ok(Memory {
        id: row.get(0)?,
        text: row.get(1)?,
        topics: topics.and_then(|topics| serde_json::from_str(&topics).ok()),
        user_id: row.get(3)?,
        agent_id: row.get(4)?,
        team_id: row.get(5)?,
        input: row.get(6)?,
        created_at: row.get(7)?,
        updated_at: row.get(8)?,
    })
}
