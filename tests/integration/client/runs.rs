//! Which answers of 200 are failures.

use agentos_run::agentos::refusal_message;
use agentos_run::agentos::run::failure_of;
use serde_json::{Value, json};

#[test]
fn what_makes_a_run_a_failure() {
    let cases: [(Value, Option<&str>); 16] = [
        (json!({"status": "COMPLETED", "content": "hi"}), None),
        (json!({"status": "PAUSED"}), None),
        (json!({"run_id": "r", "status": "PENDING"}), None),
        (json!([1, 2]), None),
        (json!({"status": "ERROR", "content": "no model"}), Some("the run failed: no model")),
        (json!({"status": "error"}), Some("the run failed")),
        (json!({"status": "CANCELLED", "content": "half"}), Some("the run was cancelled")),
        (
            // agno 2.3
            json!({"run_id": "r", "status": "RUNNING", "events": [
                {"event": "TeamRunStarted", "run_id": "r"}, {"event": "TeamRunError", "run_id": "r", "content": "no model"}
            ]}),
            Some("the run failed: no model"),
        ),
        (
            json!({"run_id": "r", "status": "COMPLETED", "events": [
                {"event": "RunCancelled", "run_id": "r", "reason": "Run r was cancelled"}, {"event": "RunCompleted"}
            ]}),
            Some("the run was cancelled: Run r was cancelled"),
        ),
        (
            // A member's failure is the leader's to judge.
            json!({"run_id": "r", "status": "COMPLETED", "events": [{"event": "RunError", "run_id": "member"}],
                "member_responses": [{"status": "ERROR"}]}),
            None,
        ),
        (
            json!({"status": "COMPLETED", "step_results": [
                {"step_name": "a", "success": true}, {"step_name": "boom", "success": false, "error": "no model"}
            ]}),
            Some("step `boom` failed: no model"),
        ),
        (
            json!({"status": "COMPLETED", "step_results": [
                {"step_name": "loop", "success": true, "steps": [{"step_name": "in", "success": false, "content": "no"}]}
            ]}),
            Some("step `in` failed: no"),
        ),
        (
            json!({"status": "COMPLETED", "step_results": [[{"step_name": "in", "success": false}]]}),
            Some("step `in` failed"),
        ),
        (
            // agno 2.3 to 2.5
            json!({"status": "COMPLETED", "step_results": [{"step_name": "boom", "success": true}],
                "step_executor_runs": [{"agent_name": "Broken", "status": "ERROR", "content": "no model"}]}),
            Some("a step failed: the run of `Broken`: no model"),
        ),
        (
            // A step that was repeated until it worked.
            json!({"status": "COMPLETED", "step_executor_runs": [
                {"workflow_step_id": "1", "status": "ERROR"}, {"workflow_step_id": "1", "status": "COMPLETED"}]}),
            None,
        ),
        (json!({"status": "COMPLETED", "step_results": null, "events": []}), None),
    ];
    for (body, expected) in cases {
        assert_eq!(failure_of(&body, false).as_deref(), expected, "{body}");
    }
    let failed = json!({"status": "COMPLETED", "step_results": [{"success": false}]});
    assert_eq!(failure_of(&failed, true), None);
    assert!(failure_of(&json!({"status": "ERROR"}), true).is_some());
}

#[test]
fn what_a_refusal_says() {
    let cases = [
        (404, "application/json", r#"{"detail":"Agent not found"}"#, "Agent not found"),
        (
            422,
            "application/json",
            r#"{"detail":[{"type":"missing","loc":["body","message"],"msg":"Field required"},{"loc":["query",0],"msg":"bad"}]}"#,
            "body.message: Field required; query.0: bad",
        ),
        (500, "text/plain; charset=utf-8", "Internal Server Error", "Internal Server Error"),
        (500, "application/json", "", "no message"),
        (502, "text/html", "<h1>Bad\n Gateway</h1>", "an HTML page: Bad Gateway"),
        (502, "text/html", "<p>", "an HTML page"),
        (400, "application/json", r#"{"error":{"code":1}}"#, r#"{"code":1}"#),
        (400, "application/json", "[1]", "1"),
        (400, "application/json", r#""no""#, "no"),
    ];
    for (status, kind, body, expected) in cases {
        let headers = [("content-type".to_owned(), kind.to_owned())];
        assert_eq!(refusal_message(status, &headers, body.as_bytes()), expected);
    }
    let headers = [("location".to_owned(), "/login".to_owned())];
    assert_eq!(refusal_message(302, &headers, b""), "redirects to /login");
}
