//! The database: sessions and runs in SQLite, as columns for what is filtered and sorted, JSON for the rest.

pub(crate) mod documents;
mod haystack;
pub(crate) mod knowledge;
mod list;
pub(crate) mod memories;
pub(crate) mod runs;
pub(crate) mod sessions;
pub(crate) mod traces;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use self::haystack::Searched;

/// The open database.
#[derive(Debug)]
pub(crate) struct Store {
    // One thread serves all requests: the lock is never waited for.
    connection: Mutex<Connection>,
    /// Locked after the connection only.
    searched: Mutex<Searched>,
}

/// A session has the id of one component only: `component_id` is that one, for the filter of this name.
/// The indices hold all that counting needs, so that a page of many sessions costs no more than of few.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    session_type TEXT NOT NULL,
    agent_id TEXT,
    team_id TEXT,
    workflow_id TEXT,
    user_id TEXT,
    session_data TEXT,
    agent_data TEXT,
    team_data TEXT,
    workflow_data TEXT,
    metadata TEXT,
    summary TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    component_id TEXT GENERATED ALWAYS AS (coalesce(agent_id, team_id, workflow_id)) VIRTUAL
);
CREATE INDEX IF NOT EXISTS sessions_created ON sessions (created_at);
CREATE INDEX IF NOT EXISTS sessions_updated ON sessions (updated_at);
CREATE INDEX IF NOT EXISTS sessions_type ON sessions (session_type, created_at);
DROP INDEX IF EXISTS sessions_user;
DROP INDEX IF EXISTS sessions_component;
CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (user_id, created_at);
CREATE INDEX IF NOT EXISTS sessions_of_user_by_type ON sessions (user_id, session_type, created_at);
CREATE INDEX IF NOT EXISTS sessions_of_component ON sessions (component_id, created_at);
CREATE INDEX IF NOT EXISTS sessions_of_component_by_type ON sessions (component_id, session_type, created_at);
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    title TEXT,
    document TEXT NOT NULL,
    chat TEXT
);
CREATE INDEX IF NOT EXISTS runs_session ON runs (session_id, position, created_at);
CREATE TABLE IF NOT EXISTS memories (
    memory_id TEXT NOT NULL PRIMARY KEY,
    memory TEXT NOT NULL,
    topics TEXT,
    user_id TEXT,
    agent_id TEXT,
    team_id TEXT,
    input TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS memories_user ON memories (user_id, updated_at);
CREATE TABLE IF NOT EXISTS contents (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT,
    description TEXT,
    type TEXT,
    size INTEGER NOT NULL,
    metadata TEXT,
    status TEXT NOT NULL,
    status_message TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    user_id TEXT
);
CREATE VIRTUAL TABLE IF NOT EXISTS passages USING fts5
    (text, content_id UNINDEXED, name UNINDEXED, metadata UNINDEXED, tokenize = 'unicode61');
CREATE TABLE IF NOT EXISTS seeds (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS traces (
    trace_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    duration_ms REAL NOT NULL,
    start_time TEXT NOT NULL,
    end_time TEXT NOT NULL,
    created_at TEXT NOT NULL,
    run_id TEXT,
    session_id TEXT,
    user_id TEXT,
    agent_id TEXT,
    team_id TEXT,
    workflow_id TEXT,
    document TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS traces_start ON traces (start_time);
CREATE INDEX IF NOT EXISTS traces_run ON traces (run_id);
CREATE INDEX IF NOT EXISTS traces_session ON traces (session_id, created_at);
CREATE TABLE IF NOT EXISTS eval_runs (
    id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS daily_metrics (
    date TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (date, user_id)
);
";

impl Store {
    /// Opens a database file, or one in memory.
    pub(crate) fn open(path: Option<&Path>) -> rusqlite::Result<Self> {
        let connection = match path {
            Some(path) => {
                let connection = Connection::open(path)?;
                // A write that was answered must outlive the process and the power.
                connection.pragma_update(None, "journal_mode", "WAL")?;
                connection.pragma_update(None, "synchronous", "FULL")?;
                connection
            }
            None => Connection::open_in_memory()?,
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(SCHEMA)?;
        // A file of an earlier version lacks what was added since.
        for (table, column) in [("runs", "chat"), ("contents", "user_id")] {
            if connection.prepare(&format!("SELECT {column} FROM {table} LIMIT 0")).is_err() {
                connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column} TEXT"))?;
            }
        }
        Ok(Self { connection: Mutex::new(connection), searched: Mutex::default() })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held left no half-made change: transactions roll back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn haystack(&self) -> MutexGuard<'_, Searched> {
        self.searched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
