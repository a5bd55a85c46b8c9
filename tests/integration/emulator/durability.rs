//! `serve --db FILE` is killed in the middle of writes, again and again: what was acknowledged is there afterwards.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::common::http;

/// How often the server is killed, and how many write at the same time.
const ROUNDS: u64 = 6;
const WRITERS: u64 = 4;

/// A server that ends as by a loss of power, as far as it can tell.
struct Victim {
    child: Child,
    url: String,
}

impl Victim {
    fn start(db: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
            .args(["serve", "--port", "0", "--db"])
            .arg(db)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split([' ', ',']).find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("it did not start: {line}")).to_owned();
        Self { child, url }
    }

    fn kill(&mut self) {
        // Already ended is ended, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What was acknowledged: paths, and the text that their answer must hold; nothing for what must be gone.
type Ledger = BTreeMap<String, Option<String>>;

/// One write after the other until the server is gone. What was not answered may have been done or not.
fn write(url: &str, name: &str, ledger: &Mutex<Ledger>, done: &AtomicUsize, over: &AtomicBool) {
    let json = [("Content-Type", "application/json")];
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let forget = |path: &str| ledger.lock().unwrap().remove(path);
    let keep = |path: String, text: Option<String>| {
        ledger.lock().unwrap().insert(path, text);
        done.fetch_add(1, Ordering::SeqCst);
    };
    for number in 0.. {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let id = format!("{name}-{number}");
        let session = format!("/sessions/{id}");
        let body = json!({ "session_id": id, "session_name": format!("name of {id}") }).to_string();
        let Ok(made) = http::request(url, "POST", "/sessions", &json, &body) else { return };
        assert_eq!(made.status, 201, "{}", made.body);
        keep(session.clone(), Some(format!("name of {id}")));

        let body = format!("message=words+of+{id}&stream=false&session_id={id}&run_id=run-{id}");
        let Ok(ran) = http::request(url, "POST", "/agents/assistant/runs", &form, &body) else { return };
        assert_eq!(ran.status, 200, "{}", ran.body);
        keep(format!("{session}/runs/run-{id}"), Some(format!("words of {id}")));

        let body = json!({ "memory": format!("memory of {id}"), "user_id": name }).to_string();
        let path = format!("/memories/memory-{id}");
        let Ok(known) = http::request(url, "PATCH", &path, &json, &body) else { return };
        assert_eq!(known.status, 200, "{}", known.body);
        keep(path, Some(format!("memory of {id}")));

        if number % 3 == 1 {
            // Until it is answered nobody knows whether it was done.
            forget(&session);
            let body = json!({ "session_name": format!("other name of {id}") }).to_string();
            let renamed = http::request(url, "POST", &format!("{session}/rename"), &json, &body);
            let Ok(renamed) = renamed else { return };
            assert_eq!(renamed.status, 200, "{}", renamed.body);
            keep(session, Some(format!("other name of {id}")));
        } else if number % 3 == 2 {
            forget(&session);
            forget(&format!("{session}/runs/run-{id}"));
            let Ok(deleted) = http::request(url, "DELETE", &session, &[], "") else { return };
            assert_eq!(deleted.status, 204, "{}", deleted.body);
            keep(format!("{session}/runs/run-{id}"), None);
            keep(session, None);
        }
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("os.db");
    let ledger = Arc::new(Mutex::new(Ledger::new()));
    let mut seed: u64 = 0x5eed_0004;
    for round in 0..ROUNDS {
        let mut victim = Victim::start(&db);
        let (done, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (url, name) = (victim.url.clone(), format!("w{round}-{writer}"));
                let (ledger, done, over) = (ledger.clone(), done.clone(), over.clone());
                thread::spawn(move || write(&url, &name, &ledger, &done, &over))
            })
            .collect();
        // xorshift: after how many acknowledged writes the server dies.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let moment = 10 + usize::try_from(seed % 120).unwrap();
        while done.load(Ordering::SeqCst) < moment {
            assert!(!writers.iter().all(thread::JoinHandle::is_finished), "the server died by itself");
            thread::sleep(Duration::from_millis(1));
        }
        victim.kill();
        over.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.join().unwrap();
        }

        let sound: String = rusqlite::Connection::open(&db)
            .and_then(|file| file.query_row("PRAGMA integrity_check", [], |row| row.get(0)))
            .unwrap();
        assert_eq!(sound, "ok", "round {round}");
        let survivor = Victim::start(&db);
        let ledger = ledger.lock().unwrap();
        // A second name of a session takes the place of its first one.
        assert!(ledger.len() >= moment / 2, "round {round}: {} of {moment}", ledger.len());
        for (path, text) in &*ledger {
            let answer = http::get(&survivor.url, path);
            match text {
                Some(text) => assert!(
                    answer.status == 200 && answer.body.contains(text.as_str()),
                    "round {round}: {path} was acknowledged, and is {} {}",
                    answer.status,
                    answer.body
                ),
                None => assert_eq!(answer.status, 404, "round {round}: {path} was deleted: {}", answer.body),
            }
        }
    }
}
