//! `agentos-run call`: one operation from the shell.

use crate::common::{self, Answer, FakeServer, Output, Run, nobody_listens};
use serde_json::{Value, json};

fn call(base_url: &str, arguments: &[&str]) -> Output {
    Run::new().args(["call"]).args(arguments).args(["--base-url", base_url]).run()
}

/// What is said of a call that is wrong as it stands; nothing is sent.
fn complaint(arguments: &[&str]) -> String {
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let output = call(&server.base_url(), arguments).code_is(2);
    assert!(server.requests().is_empty() && output.stdout.is_empty(), "{output}");
    output.scrub(&output.stderr)
}

/// Three sessions, two on a page.
fn pages() -> FakeServer {
    FakeServer::new(|request| {
        let session = |n: u32| json!({"session_id": format!("s{n}"), "session_name": format!("Näme {n}"), "session_state": {}});
        let data = match request.path.split("page=").nth(1).map(|rest| &rest[..1]) {
            Some("2") => vec![session(3)],
            Some("3") => vec![],
            _ => vec![session(1), session(2)],
        };
        Answer::json(
            200,
            &json!({"data": data, "meta": {"page": 1, "limit": 2, "total_pages": 2, "total_count": 3}}),
        )
    })
}

#[test]
fn json_for_programs_and_a_table_for_people() {
    let server = pages();
    let output = call(&server.base_url(), &["get_sessions", "limit=2"]).code_is(0);
    let body: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(body["data"][1]["session_id"], "s2");
    assert_eq!(server.lines(), ["GET /sessions?limit=2"]);
    let output = call(&server.base_url(), &["get_sessions", "limit=2", "--format", "table"]).code_is(0);
    insta::assert_snapshot!(format!("{}---\n{}", output.stdout, output.stderr), @"
    session_id  session_name
    s1          Näme 1
    s2          Näme 2
    ---
    2 of 3, page 1 of 2
    ");
}

#[test]
fn one_object_as_a_table() {
    let answer = json!({"session_id": "s1", "session_name": null, "total": 3, "state": {"a": [1, "x"]}, "note": "two\nlines"});
    let server = FakeServer::always(Answer::json(200, &answer));
    let output = call(&server.base_url(), &["get_session", "session_id=s1", "--format", "table"]).code_is(0);
    insta::assert_snapshot!(output.stdout, @r#"
    session_id    s1
    total         3
    state         {"a":[1,"x"]}
    note          two lines
    "#);
}

#[test]
fn an_empty_list() {
    let server = FakeServer::always(Answer::json(200, &json!({"data": [], "meta": {"total_count": 0}})));
    let output = call(&server.base_url(), &["get_sessions", "--format", "table"]).code_is(0);
    insta::assert_snapshot!(format!("{}---\n{}", output.stdout, output.stderr), @"
    ---
    (empty)
    ");
}

#[test]
fn all_pages() {
    let server = pages();
    let output = call(&server.base_url(), &["get_sessions", "--all", "limit=2", "type=agent"]).code_is(0);
    let ids: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["session_id"].clone())
        .collect();
    assert_eq!(ids, ["s1", "s2", "s3"]);
    assert_eq!(
        server.lines(),
        ["GET /sessions?type=agent&limit=2&page=1", "GET /sessions?type=agent&limit=2&page=2"]
    );
    let table = call(&server.base_url(), &["get_sessions", "--all", "--format", "table"]).code_is(0);
    insta::assert_snapshot!(table.stdout, @"
    session_id  session_name
    s1          Näme 1
    s2          Näme 2
    s3          Näme 3
    ");
}

#[test]
fn a_server_that_repeats_its_page_is_noticed() {
    let answer = json!({"data": [{"session_id": "s1"}], "meta": {"total_pages": 1_000_000}});
    let server = FakeServer::always(Answer::json(200, &answer));
    let output = call(&server.base_url(), &["get_sessions", "--all"]).code_is(1);
    assert!(output.stderr.contains("the server repeats page 1"), "{output}");
    assert!(server.requests().len() <= 3);
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let dry = |arguments: &[&str]| {
        let output = call(&server.base_url(), arguments).code_is(0);
        assert!(server.requests().is_empty());
        output.scrubbed()
    };
    insta::assert_snapshot!(dry(&["delete_sessions", "session_ids=a,b", "--dry-run"]), @r#"
    curl -X DELETE [url]/sessions --json '{"session_ids":["a","b"],"session_types":["agent","agent"]}'
    "#);
    insta::assert_snapshot!(dry(&["run_agent", "agent_id=a/b", "message=It's me & you", "--dry-run"]), @r"
    curl -X POST [url]/agents/a%2Fb/runs --data-urlencode 'message=It'\''s me & you' --data-urlencode stream=false
    ");
    insta::assert_snapshot!(
        dry(&["update_session", "session_id=s1", "session_state={n: 3, list: [a]}", "type=agent", "--dry-run", "-H", "X-Tenant: acme"]),
        @r#"
    curl -X PATCH '[url]/sessions/s1?type=agent' -H 'x-tenant: acme' --json '{"session_state":{"n":3,"list":["a"]}}'
    "#
    );
}

#[test]
fn fields_from_files() {
    let server = FakeServer::always(Answer::json(200, &json!({"status": "COMPLETED"})));
    Run::new()
        .file("question.txt", "What's up?\nReally.")
        .args(["call", "run_agent", "agent_id=a", "message=@question.txt", "--base-url", &server.base_url()])
        .run()
        .code_is(0);
    let form = server.requests()[0].form();
    assert!(form.contains(&("message".to_owned(), "What's up?\nReally.".to_owned())), "{form:?}");
    insta::assert_snapshot!(complaint(&["run_agent", "agent_id=a", "message=@none.txt"]), @"
    call::fields

      × message: cannot read none.txt: no such file or directory
      help: a value that begins with @ names a file
    ");
}

#[test]
fn what_is_wrong_with_a_call() {
    insta::assert_snapshot!(complaint(&["get_sesions"]), @"
    operation::unknown

      × there is no operation `get_sesions`
      help: did you mean `get_sessions`?
    ");
    insta::assert_snapshot!(complaint(&["get_session", "sesion_id=s1"]), @"
    call::fields

      × get_session has no field `sesion_id`
      help: did you mean `session_id`?
    ");
    insta::assert_snapshot!(complaint(&["get_session"]), @"
    call::fields

      × get_session needs session_id=...
      help: `agentos-run operations get_session` shows its fields
    ");
    insta::assert_snapshot!(complaint(&["get_session", "s1"]), @"
    call::fields

      × `s1` is no field: fields are written name=value
      help: `agentos-run operations get_session` shows them
    ");
    insta::assert_snapshot!(complaint(&["get_sessions", "limit=many"]), @"
    call::fields

      × `limit` must be a whole number
    ");
    insta::assert_snapshot!(complaint(&["get_sessions", "limit=-1"]), @"
    operation::type

      × `limit` cannot be -1
      help: it is a whole number from 0
    ");
    insta::assert_snapshot!(complaint(&["get_sessions", "type=agnet"]), @"
    call::fields

      × `type` must be one of agent, team, workflow
      help: did you mean `agent`?
    ");
    insta::assert_snapshot!(complaint(&["get_sessions", "limit=1", "limit=2"]), @"
    call::fields

      × `limit` is given twice
    ");
    insta::assert_snapshot!(complaint(&["get_config", "--all"]), @"
    call::all

      × get_config answers no pages to follow
    ");
    insta::assert_snapshot!(complaint(&["get_session", "session_id="]), @"
    call::fields

      × `session_id` is empty: it is a part of the path /sessions/{session_id}
    ");
    insta::assert_snapshot!(complaint(&["update_session", "session_id=s1", "metadata={a: ["]), @"
    yaml::syntax

      × this is not valid YAML: unclosed bracket '['
       ╭─[metadata:1:5]
     1 │ {a: [
       ·     ▲
       ·     ╰── here
       ╰────
    ");
}

#[test]
fn refusals_and_failures_have_their_exit_codes() {
    let refused =
        |status: u16, detail: &str| FakeServer::always(Answer::json(status, &json!({"detail": detail})));
    let said = |server: &FakeServer, code: i32| {
        let output = call(&server.base_url(), &["get_session", "session_id=s1"]).code_is(code);
        assert_eq!(output.stdout, "");
        output.scrub(&output.stderr)
    };
    insta::assert_snapshot!(said(&refused(404, "Session not found"), 1), @"
    request::refused

      × get_session was refused with 404: Session not found
    ");
    insta::assert_snapshot!(said(&refused(401, "Authorization header required"), 3), @"
    request::refused

      × get_session was refused with 401: Authorization header required
      help: give a token with --token or AGENTOS_TOKEN, or headers with -H or in the project file
    ");
    insta::assert_snapshot!(said(&FakeServer::always(Answer::cut_short("{", 10)), 1), @"
    target::unreadable

      × [url]: the answer broke off after 1 byte: the server closed the connection
      help: something is there: is it an AgentOS?
    ");
    insta::assert_snapshot!(said(&FakeServer::always(Answer::redirect(302, "https://login.example.com/")), 1), @"
    request::refused

      × get_session was refused with 302: redirects to https://login.example.com/
    ");
    let output = call(&nobody_listens(), &["get_session", "session_id=s1"]).code_is(3);
    assert!(output.stderr.contains("cannot reach"), "{output}");
}

#[test]
fn an_answer_that_is_no_json_or_a_run_that_failed() {
    let page = FakeServer::always(Answer::html(200, "<html>Please log in</html>"));
    let output = call(&page.base_url(), &["get_config"]).code_is(1);
    assert!(output.stderr.contains("the answer is not JSON"), "{output}");
    let failed = FakeServer::always(Answer::json(200, &json!({"status": "ERROR", "content": "no model"})));
    let output = call(&failed.base_url(), &["run_agent", "agent_id=a", "message=b"]).code_is(1);
    assert!(output.stdout.contains("\"ERROR\"") && output.stderr.contains("the run failed"), "{output}");
}

#[test]
fn against_a_real_agentos() {
    let url = common::agentos().base_url();
    let output = call(url, &["run_agent", "agent_id=assistant", "message=My name is Ann."]).code_is(0);
    let body: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(body["content"], "Nice to meet you, Ann!");
    let output = call(url, &["run_agent", "agent_id=broken", "message=x"]).code_is(1);
    assert!(output.stderr.contains("the run failed: offline: model provider failed"), "{output}");
    let output = call(url, &["get_agent", "agent_id=nobody"]).code_is(1);
    insta::assert_snapshot!(output.stderr, @"
    request::refused

      × get_agent was refused with 404: Agent not found
    ");
}
