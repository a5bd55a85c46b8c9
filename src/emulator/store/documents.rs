//! Small things that are kept as they are shown: evaluations, and the numbers of a day.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::Store;

impl Store {
    pub(crate) fn put_eval(&self, id: &str, created_at: i64, document: &Value) -> rusqlite::Result<()> {
        self.connection()
            .prepare_cached(
                "INSERT OR REPLACE INTO eval_runs (id, created_at, document) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![id, created_at, document.to_string()])?;
        Ok(())
    }

    pub(crate) fn eval(&self, id: &str) -> rusqlite::Result<Option<Value>> {
        let text: Option<String> = self
            .connection()
            .prepare_cached("SELECT document FROM eval_runs WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// All evaluations, the first one first.
    pub(crate) fn evals(&self) -> rusqlite::Result<Vec<Value>> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT document FROM eval_runs ORDER BY created_at, rowid")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?).unwrap_or_default())).collect()
    }

    pub(crate) fn delete_evals(&self, ids: &[String]) -> rusqlite::Result<()> {
        let connection = self.connection();
        for id in ids {
            connection.prepare_cached("DELETE FROM eval_runs WHERE id = ?1")?.execute([id])?;
        }
        Ok(())
    }

    /// The numbers of a day, of everybody or of one user, take the place of earlier ones; when they were first
    /// counted stays.
    pub(crate) fn put_metrics(
        &self,
        date: &str,
        user_id: &str,
        now: i64,
        document: &Value,
    ) -> rusqlite::Result<()> {
        self.connection()
            .prepare_cached(
                "INSERT INTO daily_metrics (date, user_id, created_at, updated_at, document) \
                 VALUES (?1, ?2, ?3, ?3, ?4) \
                 ON CONFLICT (date, user_id) DO UPDATE SET updated_at = excluded.updated_at, \
                 document = excluded.document",
            )?
            .execute(params![date, user_id, now, document.to_string()])?;
        Ok(())
    }

    /// The counted days within bounds: date, first and last time of counting, numbers.
    pub(crate) fn metrics(
        &self,
        user_id: &str,
        first: Option<&str>,
        last: Option<&str>,
    ) -> rusqlite::Result<Vec<(String, i64, i64, Value)>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT date, created_at, updated_at, document FROM daily_metrics \
             WHERE user_id = ?3 AND (?1 IS NULL OR date >= ?1) AND (?2 IS NULL OR date <= ?2) ORDER BY date",
        )?;
        let rows = statement.query_map([first, last, Some(user_id)], |row| {
            let document: String = row.get(3)?;
            let document = serde_json::from_str(&document).unwrap_or_default();
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, document))
        })?;
        rows.collect()
    }

    /// For each session its day, kind, user, number of runs, and `session_data`.
    pub(crate) fn sessions_in_numbers(&self) -> rusqlite::Result<Vec<SessionNumbers>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT date(created_at, 'unixepoch'), session_type, user_id, session_data, \
             (SELECT count(*) FROM runs WHERE runs.session_id = sessions.session_id) \
             FROM sessions ORDER BY 1",
        )?;
        let rows = statement.query_map([], |row| {
            let data: Option<String> = row.get(3)?;
            Ok(SessionNumbers {
                date: row.get(0)?,
                kind: row.get(1)?,
                user_id: row.get(2)?,
                data: data.and_then(|data| serde_json::from_str(&data).ok()).unwrap_or_default(),
                runs: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
            })
        })?;
        rows.collect()
    }

    /// For each day, user, model and its provider, how many runs of such sessions it answered.
    pub(crate) fn runs_by_model(&self) -> rusqlite::Result<Vec<AnsweredRuns>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT date(sessions.created_at, 'unixepoch'), sessions.user_id, \
             json_extract(document, '$.model') AS model, json_extract(document, '$.model_provider'), count(*) \
             FROM runs JOIN sessions USING (session_id) WHERE runs.kind <> 'workflow' AND model IS NOT NULL \
             GROUP BY 1, 2, 3, 4 ORDER BY min(runs.rowid)",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(AnsweredRuns {
                date: row.get(0)?,
                user_id: row.get(1)?,
                model: row.get(2)?,
                provider: row.get(3)?,
                count: row.get(4)?,
            })
        })?;
        rows.collect()
    }
}

/// How many runs a model answered.
#[derive(Debug)]
pub(crate) struct AnsweredRuns {
    pub(crate) date: String,
    pub(crate) user_id: Option<String>,
    pub(crate) model: String,
    pub(crate) provider: String,
    pub(crate) count: i64,
}

/// What is counted of a session.
#[derive(Debug)]
pub(crate) struct SessionNumbers {
    pub(crate) date: String,
    pub(crate) kind: String,
    pub(crate) user_id: Option<String>,
    pub(crate) data: Value,
    pub(crate) runs: u64,
}
