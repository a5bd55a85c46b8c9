//! `--trace` and `show`: everything that a failed scenario sent and got.

use crate::common::{
    Answer, FakeServer, Output, Run,
    text::{dedent, unwrapped},
};
use serde_json::{Value, json};
use std::fs;

const SECRET: &str = "s3cret-token-of-alice";

fn server() -> FakeServer {
    let flaky = std::sync::atomic::AtomicU32::new(0);
    FakeServer::new(move |request| match request.path.as_str() {
        "/agents/a/runs" => Answer::events()
            .event("RunStarted", &json!({"event": "RunStarted", "run_id": "r", "agent_id": "a"}))
            .event(
                "RunContent",
                &json!({"event": "RunContent", "run_id": "r", "agent_id": "a", "content": "Hello"}),
            )
            .event(
                "RunCompleted",
                &json!({"event": "RunCompleted", "run_id": "r", "agent_id": "a", "content": "Hello"}),
            )
            .last_chunk(),
        "/flaky" if flaky.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(2) => {
            Answer::json(503, &json!({"detail": "busy"}))
        }
        "/closed" => Answer::closed(),
        "/hang" => Answer::silence(),
        "/big" => Answer::json(200, &json!({"big": "x".repeat(600 << 10)})),
        path => {
            let sent = request.header("authorization").unwrap_or_default();
            Answer::json(200, &json!({"path": path, "sent": sent}))
        }
    })
}

fn traced(scenarios: &str, options: &[&str]) -> (FakeServer, Output) {
    let server = server();
    let run = Run::new().file("a.yaml", dedent(scenarios)).args(["--base-url", &server.base_url(), "a.yaml"]);
    let output = run.args(["--token", SECRET, "--trace", "traces"]).args(options.iter().copied()).run();
    (server, output)
}

fn traces(output: &Output) -> Vec<String> {
    let entries = fs::read_dir(output.dir().join("traces")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn lines(output: &Output, name: &str) -> Vec<Value> {
    output.read(&format!("traces/{name}")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What kind of lines there are, in order.
fn kinds(lines: &[Value]) -> Vec<String> {
    lines.iter().map(|line| line["line"].as_object().unwrap().keys().next().unwrap().clone()).collect()
}

const FAILING: &str = "
    name: 'Passes / well'
    steps: [{ http: { path: /x } }]
    ---
    name: 'Fails: badly, \"very\"!'
    steps:
      - http: { path: /flaky }
        retry: { attempts: 2, delay: 1ms }
      - run_agent: { agent_id: a, message: hi, stream: true }
      - log: nearly there
      - http: { path: /y }
        name: the last one
        expect: { $.path: /z }
    ";

#[test]
fn of_what_failed_everything_is_kept() {
    let (_server, output) = traced(FAILING, &["--report", "json=r.json"]);
    assert_eq!(output.code, 1, "{output}");
    assert_eq!(traces(&output), ["0002-fails-badly-very.jsonl"], "what passed leaves nothing");
    let lines = lines(&output, "0002-fails-badly-very.jsonl");
    assert_eq!(
        kinds(&lines),
        [
            "trace", "request", "response", "request", "response", "step", "request", "opened", "event",
            "event", "event", "step", "log", "step", "request", "response", "step", "end"
        ]
    );
    let statuses: Vec<&Value> = lines
        .iter()
        .map(|line| &line["line"]["response"]["response"]["status"])
        .filter(|s| !s.is_null())
        .collect();
    assert_eq!(statuses, [503, 200, 200], "each attempt of a step is there");
    let times: Vec<f64> = lines.iter().map(|line| line["at_ms"].as_f64().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let text = output.read("traces/0002-fails-badly-very.jsonl");
    assert!(!text.contains(SECRET) && text.contains("Bearer ***"), "{text}");
    // The failure says how to read it, and so does the report.
    assert!(output.stdout.contains("trace: agentos-run show traces/0002-fails-badly-very.jsonl"), "{output}");
    let report: Value = serde_json::from_str(&output.read("r.json")).unwrap();
    assert_eq!(report["scenarios"][1]["trace"], "traces/0002-fails-badly-very.jsonl");
    assert_eq!(report["scenarios"][0]["trace"], Value::Null);

    let shown = output.then().args(["show", "traces/0002-fails-badly-very.jsonl"]).run().code_is(0);
    // Times are aligned to the right: the blanks before them are as many as they are short.
    let lines: Vec<String> =
        shown
            .scrubbed()
            .lines()
            .map(|line| {
                if line.trim_start().starts_with('+') {
                    line.trim_start().to_owned()
                } else {
                    line.to_owned()
                }
            })
            .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let shown = output.then().args(["show", "-v", "traces/0002-fails-badly-very.jsonl"]).run().code_is(0);
    assert!(shown.stdout.contains("authorization: Bearer ***"), "{shown}");
    assert!(shown.stdout.contains("\"agent_id\":\"a\""), "{shown}");
}

#[test]
fn what_never_came_is_told() {
    let (_server, output) = traced(
        "
        name: Closed
        steps: [{ http: { path: /closed } }]
        ---
        name: Hangs
        timeout: 300ms
        steps: [{ http: { path: /hang } }]
        ",
        &[],
    );
    let closed = lines(&output, "0001-closed.jsonl");
    assert_eq!(kinds(&closed), ["trace", "request", "failed", "step", "end"]);
    let hangs = lines(&output, "0002-hangs.jsonl");
    assert_eq!(kinds(&hangs), ["trace", "request", "step", "end"]);
    let shown = output.then().args(["show", "traces/0002-hangs.jsonl"]).run().code_is(0);
    assert!(shown.stdout.contains("the scenario's time of 300 ms is up"), "{shown}");
}

#[test]
fn a_trace_that_cannot_be_written_is_no_success() {
    let server = server();
    // It is the trace of a scenario that passed in its second attempt; in its place stands a folder.
    let run = Run::new().file("a.yaml", "name: Flaky\nsteps: [{ http: { path: /flaky } }]\n");
    let run = run.file("traces/0001-flaky.jsonl/x", "").args(["--base-url", &server.base_url(), "a.yaml"]);
    let output = run.args(["--retries", "1", "--trace", "traces"]).run().code_is(5);
    assert!(output.stdout.contains("1 scenario: 1 passed (1 flaky)"), "{output}");
    assert!(output.stderr.contains("a trace was not written: it is a folder"), "{output}");
}

#[test]
fn no_trace_shows_a_secret() {
    let server = FakeServer::new(|request| {
        let sent = request.header("authorization").unwrap_or_default().to_owned();
        match request.path.split('?').next().unwrap() {
            "/agents/a/runs" => Answer::new()
                .send(format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Sent: {sent}\r\nTransfer-Encoding: chunked\r\n\r\n"
                ))
                .event("RunStarted", &json!({ "event": "RunStarted", "run_id": "r", "agent_id": "a" }))
                .event("RunContent", &json!({ "event": "RunContent", "run_id": "r", "content": sent }))
                .event(&sent, &json!({ "event": "RunCompleted", "run_id": "r", "content": sent }))
                .last_chunk(),
            "/agents/broken/runs" => Answer::events().chunk(format!("event: x\ndata: {sent}\n\n")).last_chunk(),
            "/closed" => Answer::closed(),
            "/moved" => Answer::redirect(302, &format!("/x?token={sent}")),
            _ => Answer::json(200, &json!({ "sent": sent })),
        }
    });
    let scenario = "
        name: Fails
        steps:
          - run_agent: { agent_id: a, message: 's3cret-token-of-alice', stream: true }
            soft: true
          - run_agent: { agent_id: broken, message: hi, stream: true }
            soft: true
          - http: { path: /closed, query: { key: 's3cret-token-of-alice' } }
            soft: true
          - http: { path: /moved }
            soft: true
          - log: it is s3cret-token-of-alice
          - http: { method: POST, path: /y, json: { key: 's3cret-token-of-alice' } }
            name: s3cret-token-of-alice
            expect: { $.sent: other }
    ";
    let run = Run::new().file("a.yaml", dedent(scenario)).args(["--base-url", &server.base_url(), "a.yaml"]);
    let output = run.args(["--token", SECRET, "--trace", "traces"]).run().code_is(1);
    let text = output.read("traces/0001-fails.jsonl");
    assert!(!text.contains("s3cret"), "{text}");
    let kinds = kinds(&lines(&output, "0001-fails.jsonl"));
    for kind in ["request", "opened", "event", "failed", "response", "log", "step", "end"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind}: {kinds:?}");
    }
    let shown = output.then().args(["show", "traces/0001-fails.jsonl"]).run().code_is(0);
    assert!(!shown.stdout.contains("s3cret") && shown.stdout.contains("***"), "{shown}");
}

#[test]
fn attempts_are_in_one_trace() {
    let (_server, output) = traced(
        "
        name: Flaky
        steps: [{ http: { path: /flaky } }]
        ",
        &["--retries", "1"],
    );
    assert_eq!(output.code, 0, "{output}");
    let lines = lines(&output, "0001-flaky.jsonl");
    assert_eq!(
        kinds(&lines),
        ["trace", "request", "response", "step", "end", "attempt", "request", "response", "step", "end"]
    );
    assert!(output.stdout.contains("trace: agentos-run show traces/0001-flaky.jsonl"), "{output}");
}

#[test]
fn a_trace_has_a_bounded_size() {
    let (_server, output) = traced(
        "
        name: Big
        steps:
          - repeat: 36
            http: { path: /big }
          - http: { path: /y }
            expect: { $.path: /z }
        ",
        &[],
    );
    assert_eq!(output.code, 1, "{output}");
    let size = fs::metadata(output.dir().join("traces/0001-big.jsonl")).unwrap().len();
    assert!((15 << 20..18 << 20).contains(&size), "{size}");
    let lines = lines(&output, "0001-big.jsonl");
    assert_eq!(lines.last().unwrap()["line"]["end"]["status"], "failed");
    let left_out = lines.last().unwrap()["line"]["end"]["left_out"].as_u64().unwrap();
    assert!(left_out >= 5, "{left_out}");
    let shown = output.then().args(["show", "traces/0001-big.jsonl"]).run().code_is(0);
    assert!(shown.stdout.contains("are not here: the trace became too long"), "{}", shown.stdout.len());
}

#[test]
fn what_cannot_be_written_or_shown_is_told() {
    let server = server();
    let run = Run::new().file("a.yaml", "steps: [{ http: { path: /x } }]\n").file("file", "");
    let output = run.args(["--base-url", &server.base_url(), "a.yaml", "--trace", "file/x"]).run().code_is(2);
    assert!(output.stderr.contains("the traces cannot be written to file/x"), "{output}");
    assert_eq!(server.lines(), Vec::<String>::new());
    let cases = [
        ("missing.jsonl", "cannot show missing.jsonl"),
        ("a.yaml", "it is no trace: --trace FOLDER of a run writes them"),
        ("report.json", "it is a report and no trace: `agentos-run merge FILE` shows a report"),
        ("newer.jsonl", "it is a trace of format 2, and this version reads format 1"),
        ("broken.jsonl", "line 2 of the trace cannot be read"),
        ("binary", "cannot show binary"),
    ];
    let head = r#"{"at_ms":0,"line":{"trace":{"format":1,"name":"A","file":"a","line":1,"version":"1","run":"r","started_at":"","targets":[]}}}"#;
    for (name, message) in cases {
        let run = output
            .then()
            .file("report.json", "{\"format\":1,\"run\":{}}")
            .file("newer.jsonl", head.replacen("\"format\":1", "\"format\":2", 1))
            .file("broken.jsonl", format!("{head}\nno JSON\n"))
            .file("binary", b"\xff\xfe\x00");
        let output = run.args(["show", name]).run().code_is(2);
        assert!(unwrapped(&output.stderr).contains(message), "{message}: {output}");
    }
}
