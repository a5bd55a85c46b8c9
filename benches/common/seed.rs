//! A database of the embedded AgentOS with many sessions in it, written past the server: that takes seconds, not minutes.

use std::path::Path;

/// How many there are.
pub(crate) const SESSIONS: usize = 100_000;

/// What a run leaves in its session.
const METRICS: &str = "{\"input_tokens\": 12, \"output_tokens\": 4, \"total_tokens\": 16, \"details\": {\"model\": \
    [{\"id\": \"offline-1\", \"provider\": \"Offline\", \"input_tokens\": 12, \"output_tokens\": 4, \
    \"total_tokens\": 16}]}}";

/// What kind of session the one with this number is, and whose.
pub(crate) fn kind_of(number: usize) -> (&'static str, &'static str) {
    match number % 10 {
        0 => ("team", "duo"),
        1 => ("workflow", "pipeline"),
        2..=4 => ("agent", "toolbox"),
        _ => ("agent", "assistant"),
    }
}

/// Sessions as the server itself would have made them, each with a run. The server has made the file.
pub(crate) fn fill(file: &Path) {
    let mut connection = rusqlite::Connection::open(file).unwrap();
    let writing = connection.transaction().unwrap();
    let document: String = writing
        .query_row("SELECT document FROM runs LIMIT 1", [], |row| row.get(0))
        .unwrap_or_else(|_| "{\"messages\":[]}".to_owned());
    for number in 0..SESSIONS {
        let (kind, component) = kind_of(number);
        let id = format!("s-{number}");
        let data = format!(
            "{{\"session_name\": \"name of {number}\", \"session_state\": {{\"step\": {number}}}, \
             \"session_metrics\": {METRICS}}}"
        );
        let time = i64::try_from(1_700_000_000 + number / 3).unwrap();
        writing
            .prepare_cached(&format!(
                "INSERT INTO sessions (session_id, session_type, {kind}_id, user_id, session_data, created_at, \
                 updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"
            ))
            .unwrap()
            .execute(rusqlite::params![id, kind, component, format!("user-{}", number % 500), data, time])
            .unwrap();
        writing
            .prepare_cached(
                "INSERT INTO runs (run_id, session_id, kind, position, created_at, title, document) \
                 VALUES (?1, ?2, ?3, 0, ?4, 'Hello', ?5)",
            )
            .unwrap()
            .execute(rusqlite::params![format!("r-{number}"), id, kind, time, document])
            .unwrap();
    }
    writing.commit().unwrap();
}
