//! Clearing a session, where things go wrong halfway.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use agentos_run::agentos::sessions::{ClearSession, ClearStrategy};
use agentos_run::agentos::{CallOptions, Client, Error, ErrorKind, Exchange, Operation};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::Server;

const SESSION: &str = r#"{"session_id":"s","agent_session_id":"s","session_name":"N","agent_id":"a","user_id":"u","session_state":{"n":1}}"#;

/// A server with one session; `create` says what the n-th attempt to create it gives.
fn server(create: impl Fn(usize) -> (u16, String) + Send + Sync + 'static) -> Server {
    let gone = AtomicUsize::new(0);
    Server::answering(move |method, path, _| {
        let path = path.split('?').next().unwrap();
        let attempts = gone.load(Ordering::SeqCst);
        match (method, path) {
            ("POST", "/sessions/s/clear") => (404, r#"{"detail":"Not Found"}"#.to_owned()),
            ("GET", "/sessions/s") => (200, SESSION.to_owned()),
            ("GET", "/sessions/s/runs") if attempts == 0 => (200, r#"[{"run_id":"r"}]"#.to_owned()),
            ("GET", "/sessions/s/runs") => (200, "[]".to_owned()),
            ("GET", "/sessions") => (200, format!(r#"{{"data":[{SESSION}]}}"#)),
            ("DELETE", "/sessions/s") => (204, String::new()),
            ("POST", "/sessions") => create(gone.fetch_add(1, Ordering::SeqCst)),
            _ => (404, json!({"detail": "Session with id 'x' not found"}).to_string()),
        }
    })
}

struct Setup {
    client: Client,
    folder: TempDir,
}

impl Setup {
    fn new(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::builder(&server.url)
            .bearer("hunter2")
            .recovery_dir(folder.path().join("deep"))
            .build()
            .unwrap();
        Self { client, folder }
    }

    async fn clear(&self, id: &str, strategy: ClearStrategy) -> Result<Exchange, Error> {
        let clear = ClearSession { session_id: id.to_owned(), strategy, ..ClearSession::default() };
        clear.execute(&self.client, &CallOptions::default()).await
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("deep")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

#[tokio::test]
async fn without_the_route_the_session_is_created_anew() {
    let server = server(|_| (201, SESSION.to_owned()));
    let setup = Setup::new(&server);
    let exchange = setup.clear("s", ClearStrategy::Auto).await.unwrap();
    assert_eq!((exchange.status, exchange.json().unwrap()["session_id"].clone()), (200, json!("s")));
    assert!(exchange.notes[0].contains("deleted with its runs (1) and created anew"), "{:?}", exchange.notes);
    assert!(setup.files().is_empty());
    setup.clear("s", ClearStrategy::Auto).await.unwrap();
    let asked = server.lines().iter().filter(|(_, line)| line.contains("/clear")).count();
    assert_eq!(asked, 1, "the missing route is remembered");
    let log = server.log.lock().unwrap();
    let created = log.iter().find(|(_, request)| request.starts_with("POST /sessions?type=agent ")).unwrap();
    let body: Value = serde_json::from_str(created.1.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(
        body,
        json!({"session_id": "s", "session_name": "N", "user_id": "u", "agent_id": "a", "session_state": {"n": 1}})
    );
}

#[tokio::test]
async fn a_server_that_can_clear_does_it() {
    let server = Server::answering(|_, _, _| (200, SESSION.to_owned()));
    let setup = Setup::new(&server);
    let exchange = setup.clear("s", ClearStrategy::Auto).await.unwrap();
    assert_eq!((exchange.status, exchange.notes.len(), server.lines().len()), (200, 0, 1));
}

#[tokio::test]
async fn only_the_route_means_only_the_route() {
    let server = server(|_| (201, SESSION.to_owned()));
    let setup = Setup::new(&server);
    assert_eq!(setup.clear("s", ClearStrategy::Endpoint).await.unwrap().status, 404);
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_unknown_session_is_404() {
    let server = server(|_| (201, SESSION.to_owned()));
    let setup = Setup::new(&server);
    let exchange = setup.clear("x", ClearStrategy::Recreate).await.unwrap();
    assert_eq!((exchange.status, exchange.refusal()), (404, "Session with id 'x' not found".to_owned()));
    assert!(server.lines().iter().all(|(_, line)| line.starts_with("GET ")));
}

#[tokio::test]
async fn a_session_that_cannot_be_created_again_is_in_the_file() {
    let server = server(|_| (500, json!({"detail": "no space"}).to_string()));
    let setup = Setup::new(&server);
    let error = setup.clear("s", ClearStrategy::Auto).await.unwrap_err();
    let ErrorKind::Recovery(message) = &error.kind else { panic!("{error:?}") };
    let [file] = &setup.files()[..] else { panic!("{message}") };
    assert!(message.contains("cannot be created anew: 500: no space"), "{message}");
    assert!(message.contains(&file.display().to_string()), "{message}");
    assert!(
        message.contains("run `curl -X POST 'http") && message.contains(r#""session_id":"s""#),
        "{message}"
    );
    let text = fs::read_to_string(file).unwrap();
    let saved: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(saved["session"], serde_json::from_str::<Value>(SESSION).unwrap());
    assert_eq!(saved["runs"], json!([{"run_id": "r"}]));
    assert!(saved["restore"].as_str().unwrap().starts_with("curl -X POST"));
    assert!(!text.contains("hunter2") && !message.contains("hunter2"));
}

#[tokio::test]
async fn creating_is_tried_again() {
    let server =
        server(|attempt| if attempt == 0 { (503, String::new()) } else { (201, SESSION.to_owned()) });
    let setup = Setup::new(&server);
    assert_eq!(setup.clear("s", ClearStrategy::Auto).await.unwrap().status, 200);
    assert!(setup.files().is_empty());
}

#[tokio::test]
async fn a_session_that_is_not_as_it_was_is_an_error() {
    let server = Server::answering({
        let created = Arc::new(AtomicUsize::new(0));
        move |method, path, _| match (method, path.split('?').next().unwrap()) {
            ("GET", "/sessions/s") if created.load(Ordering::SeqCst) > 0 => {
                (200, SESSION.replace(r#""n":1"#, r#""n":2"#))
            }
            ("GET", "/sessions/s") => (200, SESSION.to_owned()),
            ("GET", "/sessions") => (200, format!(r#"{{"data":[{SESSION}]}}"#)),
            ("GET", _) => (200, "[]".to_owned()),
            ("POST", _) => {
                created.fetch_add(1, Ordering::SeqCst);
                (201, SESSION.to_owned())
            }
            _ => (204, String::new()),
        }
    });
    let setup = Setup::new(&server);
    let error = setup.clear("s", ClearStrategy::Recreate).await.unwrap_err().to_string();
    assert!(error.contains("session_state is not as it was"), "{error}");
    assert_eq!(setup.files().len(), 1);
}

/// A server whose session has `runs` to the end, and whose id cannot be created.
fn stubborn(runs: &'static str, delete: u16) -> Server {
    let asked = AtomicUsize::new(0);
    Server::answering(move |method, path, _| match (method, path.split('?').next().unwrap()) {
        ("GET", "/sessions/s") => (200, SESSION.to_owned()),
        ("GET", "/sessions") => (200, format!(r#"{{"data":[{SESSION}]}}"#)),
        ("GET", "/sessions/s/runs") if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            (200, r#"[{"run_id":"r"}]"#.to_owned())
        }
        ("GET", "/sessions/s/runs") => (200, runs.to_owned()),
        ("DELETE", _) => (delete, String::new()),
        _ => (409, json!({"detail": "exists"}).to_string()),
    })
}

#[tokio::test]
async fn a_session_that_would_not_go_is_still_whole() {
    let setup = Setup::new(&stubborn(r#"[{"run_id":"r"}]"#, 204));
    let error = setup.clear("s", ClearStrategy::Recreate).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unconfirmed(_)), "{error:?}");
    assert!(setup.files().is_empty());
}

#[tokio::test]
async fn a_session_that_somebody_else_created_meanwhile_is_an_error() {
    let setup = Setup::new(&stubborn(r#"[{"run_id":"another"}]"#, 204));
    let error = setup.clear("s", ClearStrategy::Recreate).await.unwrap_err();
    assert!(error.to_string().contains("it still has runs: something else uses it"), "{error}");
    assert_eq!(setup.files().len(), 1);
}

#[tokio::test]
async fn a_session_that_must_not_be_deleted_is_a_refusal() {
    let setup = Setup::new(&stubborn("[]", 403));
    let exchange = setup.clear("s", ClearStrategy::Recreate).await.unwrap();
    assert_eq!(
        (exchange.status, &*exchange.notes[0]),
        (403, "the session was not cleared: it could not be deleted")
    );
    assert!(setup.files().is_empty());
}

#[tokio::test]
async fn without_a_place_for_the_file_nothing_is_deleted() {
    let server = server(|_| (201, SESSION.to_owned()));
    let setup = Setup::new(&server);
    fs::write(setup.folder.path().join("deep"), "in the way").unwrap();
    let error = setup.clear("s", ClearStrategy::Auto).await.unwrap_err();
    assert!(error.to_string().starts_with("session `s` was not cleared: it cannot be saved to"), "{error}");
    assert!(server.lines().iter().all(|(_, line)| !line.starts_with("DELETE")));
}
