//! Traces in the database.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::Store;
use super::list::List;

/// What was done in a run.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) document: Value,
    pub(crate) milliseconds: f64,
}

/// Which traces to list. The latest come first.
#[derive(Debug)]
pub(crate) struct Filter<'a> {
    /// Columns and what must stand in them.
    pub(crate) only: [(&'static str, Option<&'a str>); 7],
    pub(crate) start: Option<&'a str>,
    pub(crate) end: Option<&'a str>,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

impl Store {
    pub(crate) fn put_trace(&self, trace: &Trace) -> rusqlite::Result<()> {
        put(&self.connection(), trace)
    }

    pub(crate) fn trace(&self, id: &str) -> rusqlite::Result<Option<Value>> {
        let text: Option<String> = self
            .connection()
            .prepare_cached("SELECT document FROM traces WHERE trace_id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// All traces, or those of one user, the latest first.
    pub(crate) fn all_traces(&self, user_id: Option<&str>) -> rusqlite::Result<Vec<Value>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT document FROM traces WHERE ?1 IS NULL OR user_id = ?1 ORDER BY start_time DESC, rowid DESC",
        )?;
        let rows = statement.query_map([user_id], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?).unwrap_or_default())).collect()
    }

    /// One page of traces, and how many there are in all.
    pub(crate) fn traces(&self, filter: &Filter<'_>) -> rusqlite::Result<(Vec<Value>, i64)> {
        let mut list = List::of("traces");
        for (column, value) in filter.only {
            list.only_some(&format!("{column} = ?"), value);
        }
        list.only_some("start_time >= ?", filter.start);
        list.only_some("end_time <= ?", filter.end);
        list.sort(Some("start_time"), &["start_time"], false, false);
        let connection = self.connection();
        let total = list.count(&connection)?;
        let document = |row: &Row<'_>| {
            let text: String = row.get(0)?;
            Ok(serde_json::from_str(&text).unwrap_or_default())
        };
        Ok((list.page(&connection, "document", (filter.limit, filter.offset), total, document)?, total))
    }
}

pub(super) fn put(connection: &Connection, trace: &Trace) -> rusqlite::Result<()> {
    let text = |name: &str| trace.document[name].as_str();
    connection
        .prepare_cached(
            "INSERT INTO traces (trace_id, name, status, duration_ms, start_time, end_time, created_at, \
             run_id, session_id, user_id, agent_id, team_id, workflow_id, document) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            text("trace_id"),
            text("name"),
            text("status"),
            trace.milliseconds,
            text("start_time"),
            text("end_time"),
            text("created_at"),
            text("run_id"),
            text("session_id"),
            text("user_id"),
            text("agent_id"),
            text("team_id"),
            text("workflow_id"),
            trace.document.to_string()
        ])?;
    Ok(())
}
