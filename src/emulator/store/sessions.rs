//! Sessions in the database.

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::Store;
use super::list::List;
use crate::emulator::kind::Kind;
use crate::emulator::python;
use crate::emulator::run::Object;

/// A session as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) agent_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) workflow_id: Option<String>,
    pub(crate) user_id: Option<String>,
    /// `session_name`, `session_state`, `session_metrics`.
    pub(crate) data: Option<Object>,
    pub(crate) agent_data: Option<Value>,
    pub(crate) team_data: Option<Value>,
    pub(crate) workflow_data: Option<Value>,
    pub(crate) metadata: Option<Value>,
    pub(crate) summary: Option<Value>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

impl Session {
    pub(crate) fn new(id: &str, kind: Kind, now: i64) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            agent_id: None,
            team_id: None,
            workflow_id: None,
            user_id: None,
            data: None,
            agent_data: None,
            team_data: None,
            workflow_data: None,
            metadata: None,
            summary: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// One entry of `session_data`.
    pub(crate) fn datum(&self, name: &str) -> Option<&Value> {
        self.data.as_ref()?.get(name)
    }

    pub(crate) fn set_datum(&mut self, name: &str, value: Value) {
        self.data.get_or_insert_default().insert(name.to_owned(), value);
    }

    /// Its data as they are stored.
    pub(super) fn text(&self) -> Option<String> {
        self.data.clone().map(|data| python::dumps(&Value::Object(data)))
    }

    /// The id of the component that a session of its kind belongs to.
    pub(crate) fn component_id(&self, kind: Kind) -> Option<&str> {
        match kind {
            Kind::Agent => self.agent_id.as_deref(),
            Kind::Team => self.team_id.as_deref(),
            Kind::Workflow => self.workflow_id.as_deref(),
        }
    }
}

/// Which sessions to list, and in which order.
#[derive(Debug, Default)]
pub(crate) struct Filter<'a> {
    pub(crate) kind: Option<Kind>,
    pub(crate) component_id: Option<&'a str>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) name: Option<&'a str>,
    pub(crate) sort_by: Option<&'a str>,
    pub(crate) ascending: bool,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// The columns that agno 3.1.10 sorts sessions by; any other name means no order at all.
const SORTABLE: [&str; 14] = [
    "session_id",
    "session_type",
    "agent_id",
    "team_id",
    "workflow_id",
    "user_id",
    "session_data",
    "agent_data",
    "team_data",
    "workflow_data",
    "metadata",
    "summary",
    "created_at",
    "updated_at",
];

const COLUMNS: &str = "session_id, session_type, agent_id, team_id, workflow_id, user_id, session_data, \
    agent_data, team_data, workflow_data, metadata, summary, created_at, updated_at";

impl Store {
    /// A session, unless it belongs to another user than the one asked for.
    pub(crate) fn session(&self, id: &str, user_id: Option<&str>) -> rusqlite::Result<Option<Session>> {
        self.connection()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM sessions WHERE session_id = ?1 AND (?2 IS NULL OR user_id = ?2)"
            ))?
            .query_row(params![id, user_id], read)
            .optional()
    }

    pub(crate) fn put_session(&self, session: &Session) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let row = put(&transaction, session)?;
        transaction.commit()?;
        self.haystack().put(session, &row);
        Ok(())
    }

    /// Deletes sessions with their runs; ids of others than `user_id` are passed over in silence.
    pub(crate) fn delete_sessions(&self, ids: &[String], user_id: Option<&str>) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut rows: Vec<i64> = Vec::new();
        for id in ids {
            let deleted: Option<i64> = transaction
                .prepare_cached(
                    "DELETE FROM sessions WHERE session_id = ?1 AND (?2 IS NULL OR user_id = ?2) RETURNING rowid",
                )?
                .query_row(params![id, user_id], |row| row.get(0))
                .optional()?;
            if deleted.is_some() {
                transaction.prepare_cached("DELETE FROM runs WHERE session_id = ?1")?.execute([id])?;
            }
            rows.extend(deleted);
        }
        transaction.commit()?;
        self.haystack().remove(&rows);
        Ok(())
    }

    /// One page of sessions, and how many there are in all.
    pub(crate) fn page(&self, filter: &Filter<'_>) -> rusqlite::Result<(Vec<Session>, i64)> {
        let connection = self.connection();
        if let Some((rows, total)) = self.haystack().find(&connection, filter)? {
            return Ok((of_rows(&connection, &rows)?, total));
        }
        let mut list = List::of("sessions");
        list.only_some("user_id = ?", filter.user_id);
        // The plus keeps SQLite from the index of components, where that of users leaves fewer rows.
        let component = if filter.user_id.is_some() { "+component_id = ?" } else { "component_id = ?" };
        list.only_some(component, filter.component_id);
        // agno 3.1.10 looks into the whole JSON text, with the wildcards of SQL.
        list.only_some("session_data LIKE ?", filter.name.map(|name| format!("%{name}%")).as_deref());
        list.only_some("session_type = ?", filter.kind.map(Kind::name));
        list.sort(filter.sort_by, &SORTABLE, filter.ascending, filter.ascending);
        let total = list.count(&connection)?;
        Ok((list.page(&connection, COLUMNS, (filter.limit, filter.offset), total, read)?, total))
    }
}

/// The sessions in these rows, in this order.
fn of_rows(connection: &Connection, rows: &[i64]) -> rusqlite::Result<Vec<Session>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE rowid = ?1"))?;
    // One that another process has just deleted is not there any more.
    rows.iter().filter_map(|row| statement.query_row([row], read).optional().transpose()).collect()
}

/// What a row keeps of the first session that was stored in it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) row: i64,
    pub(super) kind: Kind,
    pub(super) created_at: i64,
}

/// Stores a session. Within a transaction: what it returns is known before the change is kept.
pub(super) fn put(connection: &Connection, session: &Session) -> rusqlite::Result<Kept> {
    let text = |value: &Option<Value>| value.as_ref().map(Value::to_string);
    let values: [&dyn ToSql; 14] = [
        &session.id,
        &session.kind.name(),
        &session.agent_id,
        &session.team_id,
        &session.workflow_id,
        &session.user_id,
        &session.text(),
        &text(&session.agent_data),
        &text(&session.team_data),
        &text(&session.workflow_data),
        &text(&session.metadata),
        &text(&session.summary),
        &session.created_at,
        &session.updated_at,
    ];
    connection
        .prepare_cached(&format!(
            "INSERT INTO sessions ({COLUMNS}) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14) \
             ON CONFLICT (session_id) DO UPDATE SET agent_id = excluded.agent_id, \
             team_id = excluded.team_id, workflow_id = excluded.workflow_id, user_id = excluded.user_id, \
             session_data = excluded.session_data, agent_data = excluded.agent_data, \
             team_data = excluded.team_data, workflow_data = excluded.workflow_data, \
             metadata = excluded.metadata, summary = excluded.summary, updated_at = excluded.updated_at \
             RETURNING rowid, session_type, created_at"
        ))?
        .query_row(&values[..], |row| {
            let kind = Kind::parse(row.get_ref(1)?.as_str()?).unwrap_or(Kind::Agent);
            Ok(Kept { row: row.get(0)?, kind, created_at: row.get(2)? })
        })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    let json = |index: usize| -> rusqlite::Result<Option<Value>> {
        let text: Option<String> = row.get(index)?;
        // What is no JSON was not written by this server: as good as absent.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    };
    let kind: String = row.get(1)?;
    Ok(Session {
        id: row.get(0)?,
        kind: Kind::parse(&kind).unwrap_or(Kind::Agent),
        agent_id: row.get(2)?,
        team_id: row.get(3)?,
        workflow_id: row.get(4)?,
        user_id: row.get(5)?,
        data: match json(6)? {
            Some(Value::Object(data)) => Some(data),
            _ => None,
        },
        agent_data: json(7)?,
        team_data: json(8)?,
        workflow_data: json(9)?,
        metadata: json(10)?,
        summary: json(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_from_either_end() {
        let store = Store::open(None).unwrap();
        for number in 0..23 {
            store
                .put_session(&Session::new(&number.to_string(), Kind::Agent, i64::from(number / 4)))
                .unwrap();
        }
        for ascending in [true, false] {
            for limit in [1, 4, 5, 23, 30] {
                let page = |offset| {
                    let sort_by = Some("created_at");
                    let filter = Filter { sort_by, ascending, limit, offset, ..Filter::default() };
                    store.page(&filter).unwrap().0.into_iter().map(|session| session.id)
                };
                let all: Vec<String> = (0..=23 / limit + 1).flat_map(|number| page(number * limit)).collect();
                let mut expected: Vec<String> = (0..23).map(|number| number.to_string()).collect();
                if !ascending {
                    expected.reverse();
                }
                assert_eq!(all, expected, "{ascending} {limit}");
            }
        }
    }
}
