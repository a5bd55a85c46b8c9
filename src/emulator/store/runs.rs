//! Runs in the database, each under its session.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::Store;
use super::sessions::{Session, put};
use crate::emulator::kind::Kind;
use crate::emulator::run::Object;

impl Store {
    /// Stores what a run has left: its session, and its documents in order, all or nothing.
    ///
    /// A run id is a global key, as in agno 3.1.10: one that is used again takes the old run's place,
    /// and in another session it takes the run away from the first.
    pub(crate) fn put_run(&self, session: &Session, documents: &[Object]) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        put(&transaction, session)?;
        for document in documents {
            transaction
                .prepare_cached(
                    "INSERT INTO runs (run_id, session_id, position, of_agent, title, document) \
                     VALUES (?1, ?2, (SELECT coalesce(max(position), 0) + 1 FROM runs), ?3, ?4, ?5) \
                     ON CONFLICT (run_id) DO UPDATE SET \
                     position = CASE session_id WHEN excluded.session_id THEN position \
                                ELSE excluded.position END, \
                     session_id = excluded.session_id, of_agent = excluded.of_agent, \
                     title = excluded.title, document = excluded.document",
                )?
                .execute(params![
                    text(document, "run_id"),
                    session.id,
                    document.contains_key("agent_id"),
                    title(document),
                    serde_json::to_string(document).unwrap_or_default(),
                ])?;
        }
        transaction.commit()
    }

    /// The runs of a session, in the order in which they were stored.
    pub(crate) fn runs(&self, session_id: &str) -> rusqlite::Result<Vec<Value>> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT document FROM runs WHERE session_id = ?1 ORDER BY position")?;
        let rows = statement.query_map([session_id], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?).unwrap_or_default())).collect()
    }

    /// One run of a session.
    pub(crate) fn run(&self, session_id: &str, run_id: &str) -> rusqlite::Result<Option<Value>> {
        let text: Option<String> = self
            .connection()
            .prepare_cached("SELECT document FROM runs WHERE run_id = ?2 AND session_id = ?1")?
            .query_row([session_id, run_id], |row| row.get(0))
            .optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// The name of a session: the given one, else what was first asked in it.
    pub(crate) fn session_name(&self, session: &Session) -> rusqlite::Result<String> {
        if let Some(name) = session.datum("session_name").and_then(Value::as_str) {
            return Ok(name.to_owned());
        }
        // A team's name comes from its own runs, not from its members'.
        let members_too = session.kind != Kind::Team;
        let title: Option<Option<String>> = self
            .connection()
            .prepare_cached(
                "SELECT title FROM runs WHERE session_id = ?1 AND (?2 OR NOT of_agent) \
                 ORDER BY position LIMIT 1",
            )?
            .query_row(params![session.id, members_too], |row| row.get(0))
            .optional()?;
        Ok(title.flatten().unwrap_or_default())
    }
}

fn text<'a>(document: &'a Object, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What a session may be named after: the first words of its user.
fn title(document: &Object) -> Option<&str> {
    match document.get("input")? {
        Value::String(input) => Some(input),
        input => input.get("input_content")?.as_str(),
    }
}
