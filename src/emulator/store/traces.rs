//! Traces in the database.

use rusqlite::types::Value as Sql;
use rusqlite::{OptionalExtension, params, params_from_iter};
use serde_json::Value;

use super::Store;

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
    pub(crate) fn put_trace(&self, trace: &Value, milliseconds: f64) -> rusqlite::Result<()> {
        let text = |name: &str| trace[name].as_str();
        self.connection()
            .prepare_cached(
                "INSERT INTO traces (trace_id, name, status, duration_ms, start_time, end_time, created_at, \
                 run_id, session_id, user_id, agent_id, team_id, workflow_id, document) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                text("trace_id"),
                text("name"),
                text("status"),
                milliseconds,
                text("start_time"),
                text("end_time"),
                text("created_at"),
                text("run_id"),
                text("session_id"),
                text("user_id"),
                text("agent_id"),
                text("team_id"),
                text("workflow_id"),
                trace.to_string()
            ])?;
        Ok(())
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
        let mut clauses: Vec<String> = Vec::new();
        let mut values: Vec<Sql> = Vec::new();
        let mut only = |clause: String, value: &str| {
            values.push(Sql::Text(value.to_owned()));
            clauses.push(format!("{clause} ?{}", values.len()));
        };
        for (column, value) in filter.only {
            if let Some(value) = value {
                only(format!("{column} ="), value);
            }
        }
        if let Some(start) = filter.start {
            only("start_time >=".to_owned(), start);
        }
        if let Some(end) = filter.end {
            only("end_time <=".to_owned(), end);
        }
        let filtered =
            if clauses.is_empty() { String::new() } else { format!(" WHERE {}", clauses.join(" AND ")) };
        let connection = self.connection();
        let total = connection
            .prepare_cached(&format!("SELECT count(*) FROM traces{filtered}"))?
            .query_row(params_from_iter(&values), |row| row.get(0))?;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT document FROM traces{filtered} ORDER BY start_time DESC, rowid DESC LIMIT {} OFFSET {}",
            filter.limit, filter.offset
        ))?;
        let rows = statement.query_map(params_from_iter(&values), |row| row.get::<_, String>(0))?;
        let documents = rows.map(|text| Ok(serde_json::from_str(&text?).unwrap_or_default()));
        Ok((documents.collect::<rusqlite::Result<_>>()?, total))
    }
}
