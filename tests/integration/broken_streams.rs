//! Streams that fail, seen from outside: each failure has its own message, which says how far the stream came.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{Answer, CuttingProxy, FakeServer, Run, Settings, text::unwrapped};

const ASK: &str = "steps:\n  - run_agent: { agent_id: assistant, message: hi, stream: true }\n";

/// The fault that the report names, in one line.
fn fault_of(base_url: &str, scenario: &str) -> String {
    let output =
        Run::new().file("a.yaml", scenario).args(["--base-url", base_url, "a.yaml"]).run().code_is(1);
    let text = unwrapped(&output.scrub(&output.stdout));
    let from = text.find('×').unwrap_or_else(|| panic!("{output}"));
    let fault = &text[from + '×'.len_utf8()..];
    let message = fault[..fault.find('╭').unwrap()].trim();
    // What to do about it stands behind the excerpt.
    match fault.split_once("help: ") {
        Some((_, help)) => format!("{message} | {}", help.split("request:").next().unwrap_or(help).trim()),
        None => message.to_owned(),
    }
}

fn fault(answer: Answer, scenario: &str) -> String {
    let server = FakeServer::new(move |request| match request.path.as_str() {
        "/config" => Answer::json(200, &json!({"os_id": "demo"})),
        path if path.contains("/cancel") => Answer::json(200, &json!({})),
        _ => answer.clone(),
    });
    fault_of(&server.base_url(), scenario)
}

fn event(content: &str) -> Value {
    json!({"event": "RunContent", "run_id": "r", "agent_id": "assistant", "content": content})
}

/// A stream that has begun: two events, five characters.
fn begun() -> Answer {
    Answer::events().event("RunContent", &event("Hel")).event("RunContent", &event("lo"))
}

#[test]
fn the_connection_breaks() {
    insta::assert_snapshot!(fault(begun().and_close(), ASK), @"run_agent: the stream broke off after 2 events, 5 characters of content, last event RunContent: the server closed the connection");
    insta::assert_snapshot!(fault(Answer::events().and_close(), ASK), @"run_agent: the stream broke off before its first event: the server closed the connection");
}

#[test]
fn it_goes_silent() {
    let scenario = format!("{ASK}    timeout: {{ idle: 150ms }}\n");
    insta::assert_snapshot!(fault(begun().hang(), &scenario), @"run_agent: the stream went silent after 2 events, 5 characters of content, last event RunContent: nothing came for [time]");
    insta::assert_snapshot!(fault(Answer::events().hang(), &scenario), @"run_agent: the stream went silent before its first event: nothing came for [time]");
    // Comments are no silence; the time of the whole ends it.
    let mut chatty = begun();
    for _ in 0..200 {
        chatty = chatty.chunk(": keepalive\n\n").wait(Duration::from_millis(20));
    }
    let scenario = format!("{ASK}    timeout: {{ idle: 1s, total: 2s }}\n");
    insta::assert_snapshot!(fault(chatty, &scenario), @"run_agent: the request took longer than [time]; the stream was cut after 2 events, 5 characters of content, last event RunContent");
}

#[test]
fn it_ends_within_an_event() {
    let half = begun().chunk("event: RunContent\ndata: {\"event\": \"RunCon").last_chunk();
    insta::assert_snapshot!(fault(half, ASK), @"run_agent: the stream broke off after 2 events, 5 characters of content, last event RunContent: it ended within an event");
}

#[test]
fn nothing_ends_the_run() {
    insta::assert_snapshot!(fault(begun().last_chunk(), ASK), @"run_agent: the stream ended before its run did, after 2 events, 5 characters of content, last event RunContent | the last event of a run is RunCompleted, RunPaused, RunCancelled or RunError, with Team or Workflow for Run");
    insta::assert_snapshot!(fault(Answer::events().last_chunk(), ASK), @"run_agent: the stream ended without an event | the last event of a run is RunCompleted, RunPaused, RunCancelled or RunError, with Team or Workflow for Run");
}

#[test]
fn an_event_that_cannot_be_read() {
    let broken = begun().chunk("event: RunContent\ndata: {\"event\": oops}\n\n").last_chunk();
    insta::assert_snapshot!(fault(broken, ASK), @r#"run_agent: the answer cannot be read: the event RunContent is not a JSON object: expected value at line 1 column 11: `{"event": oops}` (the stream was cut after 2 events, 5 characters of content, last event RunContent)"#);
}

#[test]
fn it_is_refused() {
    let failed = Answer::json(500, &json!({"detail": "Internal server error (ValueError)"}));
    insta::assert_snapshot!(fault(failed, ASK), @"run_agent was refused with 500: Internal server error (ValueError)");
    let busy = |after: &str| {
        let body = r#"{"detail": "slow down"}"#;
        let head = format!(
            "Content-Type: application/json\r\nRetry-After: {after}\r\nContent-Length: {}\r\n",
            body.len()
        );
        Answer::new().send(format!("HTTP/1.1 429 Too Many Requests\r\n{head}\r\n{body}"))
    };
    insta::assert_snapshot!(fault(busy("7"), ASK), @"run_agent was refused with 429: slow down | the server asks to wait [time] (Retry-After): `retry: { attempts: 3, on: [429] }` waits so long and asks again");
    insta::assert_snapshot!(fault(busy("Sun, 06 Nov 1994 08:49:37 GMT"), ASK), @"run_agent was refused with 429: slow down");
}

#[test]
fn a_server_that_asks_to_wait_is_heeded() {
    let wait = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
    let whole = begun()
        .event(
            "RunCompleted",
            &json!({"event": "RunCompleted", "run_id": "r", "agent_id": "a", "content": "Hello"}),
        )
        .last_chunk();
    let server = FakeServer::sequence([Answer::json(200, &json!({})), Answer::new().send(wait), whole]);
    let scenario =
        format!("{ASK}    retry: {{ attempts: 2, delay: 1h }}\n    expect: {{ content: Hello }}\n");
    let args = ["--base-url", &server.base_url(), "-v", "a.yaml"];
    let output = Run::new().file("a.yaml", scenario).args(args).run().code_is(0);
    assert!(output.stdout.contains("note: attempt 1 of 2 was answered 429; again after 0 ms"), "{output}");
}

#[test]
fn a_real_agentos_is_killed() {
    let mut server = Settings::default().start();
    let scenario = "steps:\n  - run_agent: { agent_id: slow, message: 500 words delay=0.05, stream: true }\n";
    let proxy = CuttingProxy::new(server.base_url(), []);
    let args = ["--base-url", &proxy.base_url(), "a.yaml"];
    let running = Run::new().file("a.yaml", scenario).args(args).start();
    // Several events are on their way by then.
    while proxy.passed() < 4000 {
        std::thread::sleep(Duration::from_millis(20));
    }
    server.kill();
    let output = running.finish().code_is(1);
    let text = unwrapped(&output.stdout);
    assert!(text.contains("run_agent: the stream broke off after "), "{output}");
    assert!(
        text.contains("characters of content, last event RunContent: the server closed the connection"),
        "{output}"
    );
}
