//! Runs that are cancelled, run in the background, and read again.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Server, names};

/// Asks until a run has ended.
fn wait(server: &Server, component: &str, run_id: &str, session_id: &str) -> Value {
    let since = Instant::now();
    loop {
        let run = server.get(&format!("/{component}/runs/{run_id}?session_id={session_id}")).ok();
        if !matches!(run["status"].as_str(), Some("PENDING" | "RUNNING")) {
            return run;
        }
        assert!(since.elapsed() < Duration::from_secs(10), "{run}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_wish_to_cancel_is_kept_until_the_run_begins() {
    let server = Server::start();
    for (component, prefix) in
        [("agents/assistant", "Run"), ("teams/duo", "TeamRun"), ("workflows/pipeline", "Workflow")]
    {
        let cancel = format!("/{component}/runs/early/cancel");
        assert_eq!(server.send(server.request("POST", &cancel)).ok(), json!({}));
        let fields = [("message", "hi"), ("run_id", "early"), ("session_id", "s")];
        let run = server.run(component, &fields);
        assert_eq!(
            (&run["status"], &run["content"]),
            (&json!("CANCELLED"), &json!("Run early was cancelled"))
        );
        assert_eq!(run["cancellation_stage"], "EXECUTING");
        // It was meant for one run only.
        assert_eq!(server.run(component, &fields)["status"], "COMPLETED");
        server.send(server.request("POST", &cancel)).ok();
        let told = server.stream(component, &fields);
        let ending: Vec<&str> = names(&told).into_iter().rev().take(2).collect();
        assert_eq!(ending, [format!("{prefix}Completed"), format!("{prefix}Cancelled")]);
    }
    server.send(server.request("POST", "/agents/nope/runs/x/cancel")).refused(404, "Agent not found");
}

#[test]
fn a_cancelled_stream_keeps_what_it_said() {
    let server = Server::start();
    let fields = [("message", "50 words delay=0.02"), ("run_id", "r"), ("session_id", "s")];
    let events = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(150));
            let client = reqwest::Client::new();
            let url = format!("{}/agents/slow/runs/r/cancel", server.emulator.base_url());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(client.post(url).send()).unwrap();
        });
        server.stream("agents/slow", &fields)
    });
    let [.., cancelled, completed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((cancelled.0.as_str(), completed.0.as_str()), ("RunCancelled", "RunCompleted"));
    assert!(cancelled.1["content"].as_str().unwrap().starts_with("w0 "));
    let run = server.get("/agents/slow/runs/r?session_id=s").ok();
    assert_eq!((&run["status"], &run["content"]), (&json!("CANCELLED"), &cancelled.1["content"]));
}

#[test]
fn runs_in_the_background() {
    let server = Server::start();
    let fields = [("message", "3 words delay=0.02"), ("stream", "false"), ("background", "true")];
    for component in ["agents/slow", "teams/slow-team", "workflows/slow-flow"] {
        let mut fields = fields.to_vec();
        fields.push(("session_id", component));
        let started = server.form(&format!("/{component}/runs"), &fields);
        assert_eq!(started.status, 202);
        let started = started.json();
        assert_eq!(started["status"], "PENDING");
        let run_id = started["run_id"].as_str().unwrap();
        let run = wait(&server, component, run_id, component);
        assert_eq!(run["status"], "COMPLETED", "{run}");
        let note = server.form(&format!("/{component}/runs/{run_id}/resume"), &[("session_id", component)]);
        assert!(note.text.contains("\"total_events\": 0"), "{}", note.text);
    }
}

#[test]
fn background_streams_can_be_read_again() {
    let server = Server::start();
    let path = "/agents/slow/runs";
    let events = server
        .form(
            path,
            &[
                ("message", "4 words delay=0.01"),
                ("background", "true"),
                ("run_id", "r"),
                ("session_id", "s"),
            ],
        )
        .events();
    for (index, (_, event)) in events.iter().enumerate() {
        assert_eq!(event["event_index"], index);
    }
    let again = server.form("/agents/slow/runs/r/resume", &[("last_event_index", "4")]).events();
    assert_eq!(again[0].0, "replay");
    assert_eq!(again[0].1["total_buffered"], events.len());
    assert_eq!(again[1..], events[5..]);
    let lost = server.form("/agents/slow/runs/none/resume", &[("session_id", "s")]).events();
    assert_eq!(lost[0].1["error"], "Run none not found in buffer or database");
    server
        .form("/agents/slow/runs/r/resume", &[("last_event_index", "x")])
        .invalid("int_parsing", &json!(["body", "last_event_index"]));
}
