//! Bulk work: loops over all that an operation lists, on servers whose lists change, repeat and refuse.

use crate::common::{Answer, FakeServer, Output, Request, Run, text::dedent};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

mod cleanup;
mod consent;
mod journal;
mod maintenance;
mod pages;
mod rounds;
mod write;

/// Sessions on a server of our own, and what happens to them.
#[derive(Clone, Default)]
pub(super) struct Store {
    sessions: Arc<Mutex<Vec<Value>>>,
    /// The ids of deletions that found their session.
    deleted: Arc<Mutex<Vec<String>>>,
    /// The ids of deletions that found nothing.
    missed: Arc<Mutex<Vec<String>>>,
}

impl Store {
    /// So many sessions, `s-000` first.
    pub(super) fn of(count: usize) -> Self {
        let store = Self::default();
        let sessions = (0..count).map(|number| {
            json!({ "session_id": format!("s-{number:03}"), "session_type": "agent", "session_name": format!("Name {number}"), "updated_at": "2026-01-01T00:00:00Z" })
        });
        *store.sessions.lock().unwrap() = sessions.collect();
        store
    }

    pub(super) fn ids(&self) -> Vec<String> {
        let id = |session: &Value| session["session_id"].as_str().unwrap().to_owned();
        self.sessions.lock().unwrap().iter().map(id).collect()
    }

    pub(super) fn insert(&self, at: usize, id: &str) {
        self.sessions.lock().unwrap().insert(at, json!({ "session_id": id, "session_type": "agent" }));
    }

    pub(super) fn remove(&self, id: &str) {
        let mut sessions = self.sessions.lock().unwrap();
        let before = sessions.len();
        sessions.retain(|session| session["session_id"] != id);
        let list = if sessions.len() < before { &self.deleted } else { &self.missed };
        list.lock().unwrap().push(id.to_owned());
    }

    pub(super) fn deleted(&self) -> Vec<String> {
        let mut deleted = self.deleted.lock().unwrap().clone();
        deleted.sort();
        deleted
    }

    pub(super) fn missed(&self) -> Vec<String> {
        self.missed.lock().unwrap().clone()
    }

    /// One page, as AgentOS answers it.
    pub(super) fn page(&self, path: &str) -> Answer {
        let parameter = |name: &str| -> Option<String> {
            let (_, query) = path.split_once('?')?;
            let (_, value) =
                query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
            Some(value.to_owned())
        };
        let number =
            |name: &str, otherwise: usize| parameter(name).map_or(otherwise, |value| value.parse().unwrap());
        let (page, limit) = (number("page", 1), number("limit", 20));
        let mut sessions = self.sessions.lock().unwrap().clone();
        if parameter("sort_by").as_deref() == Some("session_id") {
            sessions.sort_by_key(|session| session["session_id"].to_string());
        }
        let data: Vec<Value> = sessions.iter().skip((page - 1) * limit).take(limit).cloned().collect();
        let total = sessions.len();
        let meta = json!({ "page": page, "limit": limit, "total_pages": total.div_ceil(limit), "total_count": total });
        Answer::json(200, &json!({ "data": data, "meta": meta }))
    }

    /// What AgentOS answers.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        let path = request.path.split('?').next().unwrap();
        match (request.method.as_str(), path) {
            ("GET", "/sessions") => self.page(&request.path),
            ("GET", path) if path.starts_with("/sessions/") => {
                let id = path.strip_prefix("/sessions/").unwrap();
                if self.ids().iter().any(|known| known == id) {
                    Answer::json(200, &json!({ "session_id": id }))
                } else {
                    Answer::json(404, &json!({ "detail": "not found" }))
                }
            }
            ("DELETE", "/sessions") => {
                for id in request.json()["session_ids"].as_array().unwrap() {
                    self.remove(id.as_str().unwrap());
                }
                Answer::new().send("HTTP/1.1 204 No Content\r\n\r\n")
            }
            ("DELETE", path) => {
                self.remove(path.strip_prefix("/sessions/").unwrap());
                Answer::new().send("HTTP/1.1 204 No Content\r\n\r\n")
            }
            _ => Answer::json(200, &json!({})),
        }
    }

    /// A server with these sessions; `before` may change them or answer otherwise.
    pub(super) fn serve(
        &self,
        before: impl Fn(&Self, &Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> FakeServer {
        let store = self.clone();
        FakeServer::new(move |request| before(&store, request).unwrap_or_else(|| store.answer(request)))
    }
}

/// Runs a scenario against a server.
pub(super) fn run(server: &FakeServer, scenario: &str, arguments: &[&str]) -> Output {
    Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .args(arguments)
        .run()
}

/// The requests with this method, without the first question whether the server is there.
pub(super) fn sent(server: &FakeServer, method: &str) -> Vec<String> {
    server.lines().into_iter().skip(1).filter(|line| line.starts_with(method)).collect()
}
