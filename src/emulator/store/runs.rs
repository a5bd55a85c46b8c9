//! Runs in the database, each under its session.

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::Store;
use super::sessions::{Session, put};
use super::traces::{self, Trace};
use crate::emulator::kind::Kind;
use crate::emulator::run::Object;
use crate::emulator::shape::kind_of;

impl Store {
    /// Stores what a run has left: its session, its documents in order and its trace, all or nothing: a disk is waited
    /// for once.
    ///
    /// A run id is a global key, as in agno 3.1.10: one that is used again overwrites the old run where
    /// it is, even in another session. A run's position is the number of runs that its component saw in
    /// the session: none when it began it `anew`, and workflows see only their own. Among equals, which
    /// agno leaves to chance, the one that was stored first comes first.
    pub(crate) fn put_run(
        &self,
        session: &Session,
        documents: &[Object],
        anew: bool,
        trace: Option<&Trace>,
    ) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let row = put(&transaction, session)?;
        for (index, document) in documents.iter().enumerate() {
            let kind = kind_of(document).name();
            transaction
                .prepare_cached(
                    "INSERT INTO runs (run_id, session_id, kind, position, created_at, title, document, chat) \
                     VALUES (?1, ?2, ?3, CASE WHEN ?4 THEN ?5 ELSE (SELECT count(*) FROM runs \
                     WHERE session_id = ?2 AND (kind = 'workflow') = (?3 = 'workflow')) END, ?6, ?7, ?8, ?9) \
                     ON CONFLICT (run_id) DO UPDATE SET title = excluded.title, document = excluded.document, \
                     chat = excluded.chat",
                )?
                .execute(params![
                    text(document, "run_id"),
                    session.id,
                    kind,
                    anew,
                    i64::try_from(index).unwrap_or(i64::MAX),
                    document.get("created_at").and_then(Value::as_i64),
                    title(document),
                    serde_json::to_string(document).unwrap_or_default(),
                    chat(document),
                ])?;
        }
        trace.map_or(Ok(()), |trace| traces::put(&transaction, trace))?;
        transaction.commit()?;
        self.haystack().put(session, &row);
        Ok(())
    }

    /// Stores a run again whose document has changed.
    pub(crate) fn set_run(&self, document: &Value) -> rusqlite::Result<()> {
        self.connection()
            .prepare_cached("UPDATE runs SET document = ?2 WHERE run_id = ?1")?
            .execute([document["run_id"].as_str().unwrap_or_default(), &document.to_string()])?;
        Ok(())
    }

    /// The runs of a session, in the order in which they were stored.
    pub(crate) fn runs(&self, session_id: &str) -> rusqlite::Result<Vec<Value>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT document FROM runs WHERE session_id = ?1 ORDER BY position, created_at, rowid",
        )?;
        let rows = statement.query_map([session_id], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?).unwrap_or_default())).collect()
    }

    /// What users and models have said in a session, as the text of a list: it is read far more often than a run
    /// is stored, and takes no look into the runs.
    pub(crate) fn chat_history(&self, session_id: &str) -> rusqlite::Result<String> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT chat, CASE WHEN chat IS NULL THEN document END FROM runs WHERE session_id = ?1 \
             ORDER BY position, created_at, rowid",
        )?;
        let mut rows = statement.query([session_id])?;
        let mut history = String::from("[");
        while let Some(row) = rows.next()? {
            // Whoever stored the run may not have known of this column.
            let old = match row.get_ref(0)? {
                ValueRef::Null => chat(&serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default()),
                _ => String::new(),
            };
            let said = row.get_ref(0)?.as_str_or_null()?.unwrap_or(&old);
            if !said.is_empty() && history.len() > 1 {
                history.push(',');
            }
            history.push_str(said);
        }
        history.push(']');
        Ok(history)
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
                "SELECT title FROM runs WHERE session_id = ?1 AND (?2 OR kind <> 'agent') \
                 ORDER BY position, created_at, rowid LIMIT 1",
            )?
            .query_row(params![session.id, members_too], |row| row.get(0))
            .optional()?;
        Ok(title.flatten().unwrap_or_default())
    }
}

fn text<'a>(document: &'a Object, name: &str) -> &'a str {
    document.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What user and model said in a run, as the text of a list without its brackets. What members say is not said to
/// the user.
fn chat(document: &Object) -> String {
    if document.contains_key("parent_run_id") {
        return String::new();
    }
    let messages = document.get("messages").and_then(Value::as_array).into_iter().flatten();
    let said = messages.filter(|message| !matches!(message["role"].as_str(), Some("system" | "tool")));
    said.map(Value::to_string).collect::<Vec<_>>().join(",")
}

/// What a session may be named after: the first words of its user, as the model saw them. Before a run
/// has any, agno 3.1.10 shows its whole input.
fn title(document: &Object) -> Option<String> {
    let messages = document.get("messages").and_then(Value::as_array).into_iter().flatten();
    let user = messages.filter(|message| message["role"] == "user");
    let said = user.filter_map(|message| message["content"].as_str()).find(|text| !text.is_empty());
    said.map(str::to_owned).or_else(|| match document.get("input")? {
        Value::String(input) => Some(input.clone()),
        input => serde_json::to_string_pretty(input).ok(),
    })
}
