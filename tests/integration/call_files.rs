//! `agentos-run call`: what is deleted is what was named.

use crate::common::{Answer, FakeServer, Run};
use serde_json::json;

fn sent(run: Run) -> String {
    run.arg("--dry-run").env("AGENTOS_URL", "http://127.0.0.1:7777").run().code_is(0).stdout
}

#[test]
fn a_list_is_divided_by_commas_and_a_file_by_lines() {
    let call = |value: &str| Run::new().args(["call", "delete_sessions"]).arg(format!("session_ids={value}"));
    assert!(sent(call("a, b,")).contains(r#""session_ids":["a","b"]"#));
    assert!(sent(call("[a, b]")).contains(r#""session_ids":["a","b"]"#));
    let file = call("@ids.txt").file("ids.txt", "one\r\ntwo, and more\n\n");
    assert!(sent(file).contains(r#""session_ids":["one","two, and more"]"#));
    let list = call("@ids.json").file("ids.json", r#"["one", "two"]"#);
    assert!(sent(list).contains(r#""session_ids":["one","two"]"#));
}

#[test]
fn a_session_that_is_still_there_is_an_error_and_no_unreachable_server() {
    let server = FakeServer::sequence([
        Answer::json(204, &json!(null)),
        Answer::json(200, &json!({ "session_id": "s" })),
    ]);
    let output = Run::new()
        .args(["call", "delete_session", "session_id=s", "verify=true", "--base-url", &server.base_url()])
        .run()
        .code_is(1);
    assert!(output.stderr.starts_with("request::failed\n"), "{output}");
    assert!(output.stderr.contains("but it is still there"), "{output}");
}

#[test]
fn a_failed_run_is_said_once() {
    let server = FakeServer::always(Answer::json(200, &json!({ "status": "ERROR", "content": "no model" })));
    let output = Run::new()
        .args(["call", "run_agent", "agent_id=a", "message=hi", "--base-url", &server.base_url()])
        .run()
        .code_is(1);
    assert_eq!(output.stderr, "the run failed: no model\n");
}
