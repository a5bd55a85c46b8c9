//! Keys, threads, files, and whatever else is no single endpoint.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use agentos_run::emulator::{Emulator, Error, Options};

use super::Server;

#[test]
fn asks_for_its_key() {
    let server = Server::with(Options { security_key: Some("sekret".to_owned()), ..Options::default() });
    for open in ["/", "/health", "/info", "/openapi.json"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
    assert_eq!(server.get("/info").ok()["auth_mode"], "security_key");
    for closed in ["/agents", "/nope", "/sessions?page=0"] {
        server.get(closed).refused(401, "Authorization header required");
    }
    let with = |value: &str| server.send(server.request("GET", "/agents").header("authorization", value));
    for good in ["Bearer sekret", "bearer sekret", "sekret"] {
        assert_eq!(with(good).status, 200, "{good}");
    }
    for bad in ["Bearer wrong", "Basic c2VrcmV0", "Bearer sekre", "Bearer sekrets"] {
        with(bad).refused(401, "Invalid authentication token");
    }
}

#[test]
fn runs_side_by_side() {
    let server = Server::start();
    let since = Instant::now();
    let url = format!("{}/agents/slow/runs", server.emulator.base_url());
    let answers = server.runtime.block_on(futures_util::future::join_all((0..8).map(|run| {
        let form = format!("message=5+words+delay%3D0.04&stream=false&session_id=s&run_id=r{run}");
        let request = server.client.post(&url).header("content-type", "application/x-www-form-urlencoded");
        async { request.body(form).send().await.unwrap().status().as_u16() }
    })));
    assert_eq!(answers, [200; 8]);
    // Eight runs of a fifth of a second, not one after the other.
    assert!(since.elapsed() < Duration::from_millis(1200), "{:?}", since.elapsed());
    let session = server.get("/sessions/s").ok();
    assert_eq!(session["chat_history"].as_array().unwrap().len(), 16);
    assert_eq!(session["metrics"]["output_tokens"], 40);
}

#[test]
fn keeps_what_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("demo.db");
    let start = || Server::with(Options { db: Some(db.clone()), ..Options::default() });
    let first = start();
    first.run("agents/assistant", &[("message", "My name is Ann"), ("session_id", "s")]);
    // A second server sees it at once; so does one that is started after the first has ended.
    assert_eq!(start().get("/sessions/s").ok()["session_name"], "My name is Ann");
    first.emulator.stop();
    let again = start();
    let run = again.run("agents/assistant", &[("message", "what's my name"), ("session_id", "s")]);
    assert_eq!(run["content"], "Your name is Ann.");
}

#[test]
fn starts_at_once_and_says_why_not() {
    let since = Instant::now();
    let emulator = Emulator::start(Options::default()).unwrap();
    assert!(since.elapsed() < Duration::from_millis(500), "{:?}", since.elapsed());
    let port: u16 = emulator.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let taken = Emulator::start(Options { port, ..Options::default() });
    assert!(matches!(taken, Err(Error::Listen { port: p, .. }) if p == port));
    drop(emulator);
    Emulator::start(Options { port, ..Options::default() }).unwrap().stop();
    // Also from within an event loop, where blocking things must not be dropped.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(Emulator::start(Options::default()).unwrap()) });
    let directory = tempfile::tempdir().unwrap();
    let nowhere =
        Emulator::start(Options { db: Some(directory.path().join("no/such.db")), ..Options::default() });
    let error = nowhere.err().unwrap().to_string();
    assert!(error.starts_with("cannot open the database ") && error.contains("such.db"), "{error}");
    let shown = format!("{:?}", Options { security_key: Some("sekret".to_owned()), ..Options::default() });
    assert!(!shown.contains("sekret"), "{shown}");
}

#[test]
fn survives_any_input() {
    let server = Server::start();
    let address = server.emulator.base_url().trim_start_matches("http://").to_owned();
    let bodies: [&[u8]; 7] = [
        b"",
        b"message=%ff%fe\xc3\xa9%&stream=false&session_id=%00",
        b"%=%&&=&message=x&stream=false&session_state=%5B1%2C2%5D",
        b"message=delay%3D99999999999999999999999999999%201%20words&stream=false",
        b"message=add+99999999999999999999+1+delete+%2C%2C&stream=false",
        b"--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nx",
        b"\xff\xfe{\"a\":\"\\ud800\"}",
    ];
    let medias = [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/json",
        "\u{e9}",
    ];
    let paths =
        ["/agents/toolbox/runs", "/teams/duo/runs", "/sessions", "/sessions/%ff%00%F0%9F%98%80/rename", "/%"];
    for path in paths {
        for media in medias {
            for body in bodies {
                let mut socket = TcpStream::connect(&address).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {media}\r\n\
                     content-length: {}\r\n\r\n",
                    body.len()
                );
                socket.write_all(head.as_bytes()).unwrap();
                socket.write_all(body).unwrap();
                let mut answer = Vec::new();
                socket.read_to_end(&mut answer).unwrap();
                let answer = String::from_utf8_lossy(&answer);
                assert!(answer.starts_with("HTTP/1.1 "), "{path} {media} {body:?}: {answer}");
                // The one thing that agno 3.1.10 stumbles over, too: a state for a team that is no object.
                let stumbles = answer.ends_with("{\"detail\":\"Internal server error (TypeError)\"}")
                    && path.starts_with("/teams/")
                    && body.windows(18).any(|part| part == b"session_state=%5B1");
                assert!(stumbles || !answer.starts_with("HTTP/1.1 5"), "{path} {media} {body:?}: {answer}");
            }
        }
    }
    server.get("/health").ok();
    server.get("/sessions?limit=100000&session_name=%ff%25&sort_by=%00").ok();
}
