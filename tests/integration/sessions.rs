//! Sessions on a real AgentOS: what each operation refuses, and where the server says that it did what it did not.

use crate::common::{
    self, Answer, FakeServer, Output, Run,
    agentos::at_least,
    text::{dedent, unwrapped},
};
use serde_json::{Value, json};
use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Runs a scenario against the real server that all tests share; its sessions have names of their own.
fn run(scenario: &str) -> Output {
    Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", common::agentos().base_url(), "-v", "a.yaml"])
        .run()
}

#[test]
fn an_id_that_nobody_knows() {
    run("
        vars: { sid: 'nobody-${{ run.id }}' }
        defaults: { type: agent }
        steps:
          - get_session: { session_id: '${{ sid }}' }
            expect: { status: 404, error: { contains: not found } }
          - get_session_runs: { session_id: '${{ sid }}' }
            expect: { status: 404, error: { contains: not found } }
          - get_session_run: { session_id: '${{ sid }}', run_id: r1 }
            expect: { status: 404, error: { contains: not found } }
          - rename_session: { session_id: '${{ sid }}', session_name: New }
            expect: { status: 404, error: { contains: not found } }
          - update_session: { session_id: '${{ sid }}', metadata: { a: 1 } }
            expect: { status: 404, error: { contains: not found } }
          - clear_session: { session_id: '${{ sid }}' }
            expect: { status: 404 }
          - clear_session: { session_id: '${{ sid }}', strategy: recreate }
            expect: { status: 404 }
    ")
    .code_is(0);
}

#[test]
fn a_refusal_that_is_not_expected_fails_and_says_what_the_server_said() {
    let output = run("
        steps: [{ get_session: { session_id: 'nobody-${{ run.id }}', type: agent } }]
    ")
    .code_is(1);
    assert!(output.stdout.contains("get_session was refused with 404: "), "{output}");
}

#[test]
fn an_unknown_run_of_a_known_session() {
    run("
        setup:
          - create_session: { session_id: 'runless-${{ run.id }}', agent_id: assistant, session_name: x }
        steps:
          - get_session_run: { session_id: 'runless-${{ run.id }}', run_id: no-such-run, type: agent }
            expect: { status: 404 }
          - get_session_runs: { session_id: 'runless-${{ run.id }}', type: agent }
            expect: { $: [] }
        finally:
          - delete_session: { session_id: 'runless-${{ run.id }}', verify: true }
    ")
    .code_is(0);
}

#[test]
fn an_id_that_exists_is_never_created_again() {
    // Older versions would answer 201 and delete its runs.
    run("
        vars: { sid: 'twice-${{ run.id }}' }
        steps:
          - create_session: { session_id: '${{ sid }}', agent_id: assistant, session_name: First }
          - run_agent: { agent_id: assistant, session_id: '${{ sid }}', message: My name is Tess. }
          - create_session: { session_id: '${{ sid }}', agent_id: assistant, session_name: Second }
            expect: { status: 409, error: { contains: already exists } }
          - get_session: { session_id: '${{ sid }}', type: agent }
            expect: { $.session_name: First }
          - get_session_runs: { session_id: '${{ sid }}', type: agent }
            expect: { $: { length: 1 } }
        finally:
          - delete_session: { session_id: '${{ sid }}', verify: true }
    ")
    .code_is(0);
}

#[test]
fn arguments_that_the_server_does_not_take() {
    // Before 3, agno answers page 0 as if it were page 1.
    let page_0 = if at_least(3, 0) { 500 } else { 200 };
    run(&format!(
        "
        steps:
          - get_sessions: {{ page: 0, type: agent }}
            expect: {{ status: {page_0} }}
          - get_sessions: {{ limit: 0, type: agent }}
            expect: {{ status: 422, error: {{ contains: query.limit }} }}
          - delete_sessions: {{ session_ids: [a, b], session_types: [agent, agent, team] }}
            expect: {{ status: 400 }}
          - delete_sessions: {{ session_ids: [] }}
            expect: {{ status: 422 }}
          - http: {{ path: /sessions, query: {{ type: robot }} }}
            expect: {{ status: 422, error: {{ contains: query.type }} }}
    "
    ))
    .code_is(0);
}

#[test]
fn another_users_session() {
    // Before 2.6, the user is not looked at where one session is read.
    if !at_least(3, 0) {
        return;
    }
    run("
        vars: { sid: 'of-alice-${{ run.id }}' }
        defaults: { type: agent, user_id: eve }
        steps:
          - create_session: { session_id: '${{ sid }}', agent_id: assistant, user_id: alice, session_name: Mine }
          - get_session: { session_id: '${{ sid }}' }
            expect: { status: 404 }
          - get_session_runs: { session_id: '${{ sid }}' }
            expect: { status: 404 }
          - rename_session: { session_id: '${{ sid }}', session_name: Hers }
            expect: { status: 404 }
          - run_agent: { agent_id: assistant, session_id: '${{ sid }}', message: hi }
            expect: { status: 404 }
          - get_session: { session_id: '${{ sid }}', user_id: alice }
            expect: { $.session_name: Mine }
        finally:
          - delete_session: { session_id: '${{ sid }}', user_id: alice, verify: true }
    ")
    .code_is(0);
}

#[test]
fn deleting_nothing_is_called_a_success_by_the_server() {
    run("
        steps:
          - delete_session: { session_id: 'nobody-${{ run.id }}' }
            expect: { status: 204 }
          - delete_sessions: { session_ids: ['nobody-${{ run.id }}'], session_types: [team] }
            expect: { status: 204 }
          # There is nothing left of it, so that is verified too.
          - delete_session: { session_id: 'nobody-${{ run.id }}', verify: true }
    ")
    .code_is(0);
}

#[test]
fn a_deletion_that_did_not_happen_is_found_by_verify() {
    let scenario = "
        vars: { sid: 'kept-${{ run.id }}' }
        setup:
          - create_session: { session_id: '${{ sid }}', agent_id: assistant, user_id: alice, session_name: Mine }
        steps:
          - name: the server says 204
            delete_session: { session_id: '${{ sid }}', user_id: eve }
            expect: { status: 204 }
          - name: and it is still there
            delete_session: { session_id: '${{ sid }}', user_id: eve, verify: true }
          - name: never reached
            get_config: {}
        finally:
          - delete_session: { session_id: '${{ sid }}', user_id: alice, verify: true }
    ";
    if !at_least(2, 5) {
        // Before 2.5, agno deletes the sessions of others too.
        run(scenario).code_is(0);
        return;
    }
    let output = run(scenario).code_is(1);
    let said = "the server said that it deleted session `kept-";
    let report = unwrapped(&output.stdout);
    assert!(report.contains(said) && report.contains("but it is still there"), "{output}");
    assert!(!output.stdout.contains("ok never reached"), "{output}");
    assert!(output.stdout.contains("ok delete_session"), "`finally` has deleted it: {output}");
}

#[test]
fn a_bulk_deletion_does_not_look_at_the_types() {
    run("
        vars: { sid: 'typed-${{ run.id }}' }
        steps:
          - create_session: { session_id: '${{ sid }}', agent_id: assistant, session_name: x }
          - delete_sessions: { session_ids: ['${{ sid }}', 'nobody-${{ run.id }}'], session_types: [workflow, team], verify: true }
          - get_session: { session_id: '${{ sid }}', type: agent }
            expect: { status: 404 }
    ")
    .code_is(0);
}

#[test]
fn clearing_keeps_the_session_and_says_how_it_was_done() {
    let output = run("
        vars: { sid: 'cleared-${{ run.id }}' }
        defaults: { user_id: 'carl-${{ run.id }}' }
        setup:
          - create_session:
              session_id: ${{ sid }}
              agent_id: assistant
              session_name: Kept
              session_state: { step: 2, list: [1, null] }
              metadata: { source: test }
          - run_agent: { agent_id: assistant, session_id: '${{ sid }}', message: My name is Carl. }
        steps:
          - clear_session: { session_id: '${{ sid }}' }
            expect: { $.session_id: '${{ sid }}' }
          - get_session: { session_id: '${{ sid }}', type: agent }
            expect:
              $.session_name: Kept
              $.session_state: { like: { step: 2, list: [1, null] } }
              $.metadata: { like: { source: test } }
              $.agent_id: assistant
          - get_session_runs: { session_id: '${{ sid }}', type: agent }
            expect: { $: { length: 0 } }
          - run_agent: { agent_id: assistant, session_id: '${{ sid }}', message: \"What's my name?\" }
            expect: { content: I don't know your name yet. }
          - clear_session: { session_id: '${{ sid }}', strategy: endpoint }
            expect: { status: 404 }
        finally:
          - delete_session: { session_id: '${{ sid }}', verify: true }
    ")
    .code_is(0);
    assert!(output.stdout.contains("note: ") && output.stdout.contains("created anew"), "{output}");
}

/// A server that dies in the middle of clearing: the session is deleted and cannot be created again.
fn dying() -> FakeServer {
    let session = json!({
        "session_id": "s1", "agent_session_id": "s1", "session_name": "Precious", "agent_id": "assistant",
        "user_id": "alice", "session_state": {"n": 1},
    });
    let deleted = AtomicUsize::new(0);
    FakeServer::new(move |request| {
        let path = request.path.split('?').next().unwrap();
        let gone = deleted.load(Ordering::SeqCst) > 0;
        match (request.method.as_str(), path) {
            ("GET", "/config") => Answer::json(200, &json!({})),
            ("GET", "/sessions/s1/runs") if !gone => Answer::json(200, &json!([{"run_id": "r1"}])),
            ("GET", "/sessions/s1") if !gone => Answer::json(200, &session),
            ("GET", "/sessions") => Answer::json(200, &json!({"data": [session]})),
            ("DELETE", _) => {
                deleted.fetch_add(1, Ordering::SeqCst);
                Answer::new().send("HTTP/1.1 204 No Content\r\n\r\n")
            }
            ("POST", "/sessions") => Answer::closed(),
            ("POST", _) => Answer::json(404, &json!({"detail": "Not Found"})),
            _ => Answer::json(404, &json!({"detail": "Session with id 's1' not found"})),
        }
    })
}

#[test]
fn a_server_that_dies_while_a_session_is_cleared_leaves_a_file_to_restore_it_from() {
    let server = dying();
    let output = Run::new()
        .file("a.yaml", "steps:\n  - clear_session: { session_id: s1 }\n")
        .args(["--base-url", &server.base_url(), "--token", "hunter2-hunter2", "a.yaml"])
        .run()
        .code_is(1);
    let said = unwrapped(&output.stdout);
    for part in ["cannot be created anew", "curl -X POST", "s1"] {
        assert!(said.contains(part), "{part}: {output}");
    }
    assert!(!said.contains("hunter2"), "{output}");
    // The session, its runs and the command are in a file beside the project.
    let mut files = fs::read_dir(output.dir().join(".agentos-run/recovery")).unwrap();
    let saved = files.next().unwrap_or_else(|| panic!("no file: {output}")).unwrap().path();
    assert!(said.contains(&*saved.file_name().unwrap().to_string_lossy()), "the message names it: {output}");
    let text = fs::read_to_string(&saved).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    let saved: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(saved["session"]["session_name"], "Precious");
    assert_eq!(saved["runs"], json!([{"run_id": "r1"}]));
    assert!(saved["restore"].as_str().unwrap().starts_with("curl -X POST"), "{saved:#}");
}

#[test]
fn waiting_until_it_is_gone_or_has_failed() {
    let scenario = "
        vars: { sid: \"gone ${{ run.id }}\" }
        steps:
          - create_session: { session_id: \"${{ sid }}\", agent_id: assistant, type: agent }
          - delete_session: { session_id: \"${{ sid }}\" }
          - get_session: { session_id: \"${{ sid }}\" }
            until: { status: 404 }
          - run_agent: { agent_id: broken, message: x }
            until: { error: { contains: failed } }
          - get_session: { session_id: \"${{ sid }}\" }
            until: { status: 200 }
            every: 10ms
            within: 50ms
    ";
    let output = run(scenario).code_is(1);
    // The last one waits for what does not come.
    assert!(output.stdout.contains("ok run_agent"), "{output}");
    assert!(output.stdout.contains("failed get_session"), "{output}");
    assert!(output.stdout.contains("get_session was refused with 404"), "{output}");
}
