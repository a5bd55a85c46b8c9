//! What the endpoints of stored things share: the one database and its tables, and pages.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::call::{Call, Query};
use super::os::Os;
use super::refusal::Refusal;
use super::{python, reply};

/// Where of several databases evaluations are, nobody needs to say.
pub(crate) const EVALS: &str = "agno_eval_runs";

/// Refuses a `db_id` or `table` that does not exist here, and a request that does not say which of several it means.
pub(crate) fn check(call: &Call, known: &str) -> Result<(), Refusal> {
    let databases = call.cast.databases;
    match (call.text("db_id").filter(|id| !id.is_empty()), call.text("table").filter(|t| !t.is_empty())) {
        (None, Some(_)) => {
            Err(Refusal::bad_request("The db_id query parameter is required when passing a table"))
        }
        (None, None) if databases.len() > 1 && known != EVALS => {
            Err(Refusal::bad_request("The db_id query parameter is required when using multiple databases"))
        }
        (Some(id), _) if !databases.contains(&id) => {
            Err(Refusal::not_found(format!("No database found with id '{id}'")))
        }
        (Some(id), Some(table)) if table != known => {
            Err(Refusal::not_found(format!("No database with id '{id}' has table '{table}'")))
        }
        _ => Ok(()),
    }
}

/// The version that a migration is to; none for the latest.
fn target(call: &Call) -> Option<&str> {
    call.text("target_version").filter(|version| !version.is_empty())
}

/// Why there is no such version.
fn no_version(version: &str) -> Option<String> {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let known = version.trim_start_matches('v').split('.').all(number);
    (!known).then(|| format!("Invalid version: {}", python::repr_text(version)))
}

fn migrated(what: &str, version: Option<&str>) -> Response {
    let to = version.map_or_else(|| "latest version".to_owned(), |version| format!("version {version}"));
    reply::ok(&json!({ "message": format!("{what} migrated successfully to {to}") }))
}

/// `POST /databases/all/migrate`: there is nothing to migrate.
pub(crate) fn migrate_all(os: &Os, call: &Call) -> Response {
    let version = target(call);
    let Some((version, error)) = version.and_then(|version| Some((version, no_version(version)?))) else {
        return migrated("All databases", version);
    };
    let databases = os.cast.databases;
    let failed: Value = databases.iter().map(|id| ((*id).to_owned(), json!(error))).collect();
    let message = format!("Migrated 0/{} databases to version {version}", databases.len());
    reply::json(StatusCode::MULTI_STATUS, &json!({ "message": message, "failed": failed }))
}

/// `POST /databases/{db_id}/migrate`.
pub(crate) fn migrate(os: &Os, call: &Call) -> Result<Response, Refusal> {
    let id = call.param("db_id");
    if !os.cast.databases.contains(&id) {
        return Err(Refusal::not_found(format!("No database found with id '{id}'")));
    }
    let version = target(call);
    match version.and_then(no_version) {
        Some(error) => {
            let detail = format!("Failed to migrate database: {error}");
            Err(Refusal::Detail(StatusCode::INTERNAL_SERVER_ERROR, detail))
        }
        None => Ok(migrated("Database", version)),
    }
}

/// One page of a list, as it was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    page: i128,
    limit: i128,
}

impl Page {
    pub(crate) fn read(query: &mut Query<'_>) -> Self {
        let limit = query.integer("limit", Some(1)).unwrap_or(20);
        let page = query.integer("page", Some(0)).unwrap_or(1);
        Self { page, limit }
    }

    pub(crate) fn new(page: i64, limit: i64) -> Self {
        Self { page: page.into(), limit: limit.into() }
    }

    /// Limit and offset. Page 0 passes validation in agno 3.1.10 and fails behind it; so do numbers
    /// that SQLite cannot hold.
    pub(crate) fn window(self) -> Result<(i64, i64), Refusal> {
        if self.page == 0 {
            return Err(Refusal::Unhandled("ValueError"));
        }
        let offset = (self.page - 1).saturating_mul(self.limit);
        match (i64::try_from(self.limit), i64::try_from(offset)) {
            (Ok(limit), Ok(offset)) => Ok((limit, offset)),
            _ => Err(Refusal::Unhandled("OverflowError")),
        }
    }

    /// Where page 0 counts as the first.
    pub(crate) fn lenient(mut self) -> Self {
        self.page = self.page.max(1);
        self
    }

    /// A paged answer, with the time that a search took where that is told.
    pub(crate) fn answer(self, data: &[Value], total: i64, took: f64) -> Response {
        let (limit, total) = (self.limit.max(1), i128::from(total));
        let shown = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        reply::ok(&json!({
            "data": data,
            "meta": {
                "page": shown(self.page),
                "limit": shown(self.limit),
                "total_pages": shown(total / limit + i128::from(total % limit != 0)),
                "total_count": shown(total),
                "search_time_ms": took,
            },
        }))
    }
}
