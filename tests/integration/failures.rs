//! Whole reports of failures, word for word: what a person reads who has nothing but this.

use crate::common::{
    Answer, FakeServer, Run, nobody_listens,
    text::{dedent, unwrapped},
};
use serde_json::{Value, json};

/// The report of a scenario against a server that answers everything so.
fn report(answer: Answer, scenario: &str) -> String {
    let server = FakeServer::new(move |request| match request.path.as_str() {
        "/config" => Answer::json(200, &json!({"os_id": "demo"})),
        _ => answer.clone(),
    });
    let output = Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .run()
        .code_is(1);
    assert_eq!(output.stderr, "", "all of it is in the report");
    output.scrubbed()
}

#[test]
fn a_predicate_that_does_not_hold() {
    let answer = json!({"run_id": "r1", "status": "COMPLETED", "content": "Hello Bob,\nhow are you?"});
    insta::assert_snapshot!(report(Answer::json(200, &answer), "
        name: A greeting
        steps:
          - name: say hello
            run_agent: { agent_id: assistant, message: It's me, session_id: s 1 }
            expect:
              content: { contains: Alice }
    "), @r#"
    agentos-run [version] against [url]
    FAIL A greeting  a.yaml:1  (1 step, [time])

    FAIL A greeting
      step `say hello` (run_agent) at a.yaml:3:5
      expect::failed

        × `content` does not contain "Alice": "Hello Bob,\nhow are you?"
         ╭─[a.yaml:6:18]
       5 │     expect:
       6 │       content: { contains: Alice }
         ·                  ───────┬───────
         ·                         ╰── expected: contains "Alice"; found: "Hello Bob,\nhow are you?"
       7 │
         ╰────
        request: curl -X POST [url]/agents/assistant/runs --data-urlencode 'message=It'\''s me' --data-urlencode 'session_id=s 1' --data-urlencode stream=false
        response: 200 OK, application/json, 73 bytes, [time]
          {
            "run_id": "r1",
            "status": "COMPLETED",
            "content": "Hello Bob,\nhow are you?"
          }

    1 scenario: 1 failed  (1 step, 1 check, [time])
    "#);
}

#[test]
fn texts_that_differ() {
    let answer = json!({"content": "one\ntwo\nthree\nfour", "status": "COMPLETED"});
    insta::assert_snapshot!(report(Answer::json(200, &answer), "
        steps:
          - http: { path: /x }
            expect:
              $.content: |-
                one
                2
                three
                four
    "), @r#"
    agentos-run [version] against [url]
    FAIL a  a.yaml:1  (1 step, [time])

    FAIL a
      step `http` at a.yaml:2:5
      expect::failed

        × `$.content` is "one\ntwo\nthree\nfour", expected "one\n2\nthree\nfour"
         ╭─[a.yaml:5:9]
       4 │       $.content: |-
       5 │         one
         ·         ─┬─
         ·          ╰── expected: "one\n2\nthree\nfour"; found: "one\ntwo\nthree\nfour"
       6 │         2
         ╰────
        difference (- expected, + actual):
           one
          -2
          +two
           three
           four
        request: curl [url]/x
        response: 200 OK, application/json, 56 bytes, [time]
          {
            "content": "one\ntwo\nthree\nfour",
            "status": "COMPLETED"
          }

    1 scenario: 1 failed  (1 step, 1 check, [time])
    "#);
}

#[test]
fn structures_that_differ() {
    let answer = json!({"user": {"name": "Bob", "tags": ["a", "b"], "age": 7}});
    insta::assert_snapshot!(report(Answer::json(200, &answer), "
        steps:
          - http: { path: /x }
            expect:
              $.user: { eq: { name: Alice, tags: [a, c], age: 7 } }
              $.user.email: { format: email }
    "), @r#"
    agentos-run [version] against [url]
    FAIL a  a.yaml:1  (1 step, [time])

    FAIL a
      step `http` at a.yaml:2:5
      expect::failed

        × `$.user` is {"name":"Bob","tags":["a","b"],"age":7}, expected {"name":"Alice","tags":
        │ ["a","c"],"age":7}
         ╭─[a.yaml:4:17]
       3 │     expect:
       4 │       $.user: { eq: { name: Alice, tags: [a, c], age: 7 } }
         ·                 ───────────────────┬───────────────────
         ·                                    ╰── expected: {"name":"Alice","tags":["a","c"],"age":7}; found: {"name":"Bob","tags":["a","b"],"age":7}
       5 │       $.user.email: { format: email }
         ╰────
        difference (- expected, + actual):
           changed: $.name, $.tags[1]
           {
          -  "name": "Alice",
          +  "name": "Bob",
             "tags": [
               "a",
          -    "c"
          +    "b"
             ],
             "age": 7
           }
      expect::failed

        × `$.user.email` is not in the body; `$.user` has: name, tags, age
         ╭─[a.yaml:5:23]
       4 │       $.user: { eq: { name: Alice, tags: [a, c], age: 7 } }
       5 │       $.user.email: { format: email }
         ·                       ──────┬──────
         ·                             ╰── expected: the format email; found: nothing
       6 │
         ╰────
        request: curl [url]/x
        response: 200 OK, application/json, 48 bytes, [time]
          {
            "user": {
              "name": "Bob",
              "tags": [
                "a",
                "b"
              ],
              "age": 7
            }
          }

    1 scenario: 1 failed  (1 step, 2 checks, [time])
    "#);
}

#[test]
fn a_request_that_is_refused() {
    insta::assert_snapshot!(report(Answer::json(404, &json!({"detail": "Session with id 's1' not found"})), "
        name: A session
        steps:
          - get_session: { session_id: s1, user_id: alice }
            expect: { $.session_name: Report }
    "), @r#"
    agentos-run [version] against [url]
    FAIL A session  a.yaml:1  (1 step, [time])

    FAIL A session
      step `get_session` at a.yaml:3:5
      request::refused

        × get_session was refused with 404: Session with id 's1' not found
         ╭─[a.yaml:3:5]
       2 │ steps:
       3 │   - get_session: { session_id: s1, user_id: alice }
         ·     ─────┬─────
         ·          ╰── in this step
       4 │     expect: { $.session_name: Report }
         ╰────
        request: curl '[url]/sessions/s1?user_id=alice'
        response: 404 Not Found, application/json, 43 bytes, [time]
          {
            "detail": "Session with id 's1' not found"
          }

    1 scenario: 1 failed  (1 step, 1 check, [time])
    "#);
}

#[test]
fn a_request_that_names_what_is_not_there_is_told_what_is() {
    for (fields, says) in [
        (
            "run_agent: { agent_id: assistent, message: Hi }",
            "this AgentOS has no agent `assistent`; did you mean `assistant`?",
        ),
        ("get_team: { team_id: blue }", "this AgentOS has no team `blue`; it has: "),
        ("run_workflow: { workflow_id: w, message: Hi }", "this AgentOS has no workflow `w`; it has: "),
    ] {
        let output = Run::new()
            .file("a.yaml", format!("name: A\nsteps:\n  - {fields}\n"))
            .args(["--embedded", "a.yaml"])
            .run()
            .code_is(1);
        let report = unwrapped(&output.stdout);
        assert!(report.contains("was refused with 404"), "{report}");
        assert!(report.contains(says), "{report}");
    }
    // Of what is there, something else is missing.
    for fields in [
        "get_session: { session_id: gone }",
        "get_agent_run: { agent_id: assistant, run_id: r, session_id: s }",
    ] {
        let output = Run::new()
            .file("a.yaml", format!("name: A\nsteps:\n  - {fields}\n"))
            .args(["--embedded", "a.yaml"])
            .run()
            .code_is(1);
        assert!(output.stdout.contains("was refused with 404"), "{}", output.stdout);
        assert!(!output.stdout.contains("this AgentOS has no"), "{}", output.stdout);
    }
}

#[test]
fn a_request_whose_fields_are_refused() {
    let detail = json!({"detail": [
        {"type": "missing", "loc": ["body", "message"], "msg": "Field required", "input": null},
        {"type": "int_parsing", "loc": ["query", "page"], "msg": "Input should be a valid integer", "input": "x"},
    ]});
    let report = report(
        Answer::json(422, &detail),
        "
        steps:
          - run_agent: { agent_id: assistant, message: '' }
    ",
    );
    let said = "run_agent was refused with 422: body.message: Field required; query.page: Input should be a valid integer";
    assert!(unwrapped(&report).contains(said), "{report}");
}

#[test]
fn a_status_that_is_expected_otherwise() {
    insta::assert_snapshot!(report(Answer::json(409, &json!({"detail": "exists already"})), "
        steps:
          - http: { method: POST, path: /sessions, json: { session_id: s1 } }
            expect: { status: 201 }
    "), @r#"
    agentos-run [version] against [url]
    FAIL a  a.yaml:1  (1 step, [time])

    FAIL a
      step `http` at a.yaml:2:5
      expect::failed

        × `status` is 409, expected 201
         ╭─[a.yaml:3:23]
       2 │   - http: { method: POST, path: /sessions, json: { session_id: s1 } }
       3 │     expect: { status: 201 }
         ·                       ─┬─
         ·                        ╰── expected: 201; found: 409
       4 │
         ╰────
        help: the server said: exists already
        request: curl -X POST [url]/sessions --json '{"session_id":"s1"}'
        response: 409 Conflict, application/json, 27 bytes, [time]
          {
            "detail": "exists already"
          }

    1 scenario: 1 failed  (1 step, 1 check, [time])
    "#);
}

#[test]
fn a_success_where_a_refusal_is_expected() {
    insta::assert_snapshot!(report(Answer::json(200, &json!({"session_id": "s1"})), "
        steps:
          - get_session: { session_id: s1 }
            expect: { status: 404, error: { contains: not found } }
    "), @r#"
    agentos-run [version] against [url]
    FAIL a  a.yaml:1  (1 step, [time])

    FAIL a
      step `get_session` at a.yaml:2:5
      expect::failed

        × `status` is 200, expected 404
         ╭─[a.yaml:3:23]
       2 │   - get_session: { session_id: s1 }
       3 │     expect: { status: 404, error: { contains: not found } }
         ·                       ─┬─
         ·                        ╰── expected: 404; found: 200
       4 │
         ╰────
      expect::failed

        × `error` is missing: nothing was refused, and nothing failed (status 200)
         ╭─[a.yaml:3:37]
       2 │   - get_session: { session_id: s1 }
       3 │     expect: { status: 404, error: { contains: not found } }
         ·                                     ─────────┬─────────
         ·                                              ╰── expected: contains "not found"; found: nothing
       4 │
         ╰────
        request: curl [url]/sessions/s1
        response: 200 OK, application/json, 19 bytes, [time]
          {
            "session_id": "s1"
          }

    1 scenario: 1 failed  (1 step, 2 checks, [time])
    "#);
}

#[test]
fn a_run_that_failed_although_the_status_is_200() {
    let answer = json!({"run_id": "r1", "status": "ERROR", "content": "model provider failed"});
    insta::assert_snapshot!(report(Answer::json(200, &answer), "
        name: A run
        steps:
          - run_agent: { agent_id: broken, message: hello }
            expect: { content: { contains: Alice } }
    "), @r#"
    agentos-run [version] against [url]
    FAIL A run  a.yaml:1  (1 step, [time])

    FAIL A run
      step `run_agent` at a.yaml:3:5
      run::failed

        × run_agent: the run failed: model provider failed
         ╭─[a.yaml:3:5]
       2 │ steps:
       3 │   - run_agent: { agent_id: broken, message: hello }
         ·     ────┬────
         ·         ╰── in this step
       4 │     expect: { content: { contains: Alice } }
         ╰────
        help: a step that expects a failure names `error:`, or `$.status: ERROR`
      expect::failed

        × `content` does not contain "Alice": "model provider failed"
         ╭─[a.yaml:4:26]
       3 │   - run_agent: { agent_id: broken, message: hello }
       4 │     expect: { content: { contains: Alice } }
         ·                          ───────┬───────
         ·                                 ╰── expected: contains "Alice"; found: "model provider failed"
       5 │
         ╰────
        request: curl -X POST [url]/agents/broken/runs --data-urlencode message=hello --data-urlencode stream=false
        response: 200 OK, application/json, 66 bytes, [time]
          {
            "run_id": "r1",
            "status": "ERROR",
            "content": "model provider failed"
          }

    1 scenario: 1 failed  (1 step, 2 checks, [time])
    "#);
}

#[test]
fn a_workflow_with_a_failed_step() {
    let answer = json!({
        "run_id": "r1", "status": "COMPLETED", "content": "",
        "step_results": [
            {"step_name": "draft", "success": true, "content": "fine"},
            {"step_name": "publish", "success": false, "error": "no network", "content": "no network"},
        ],
    });
    let failed = report(
        Answer::json(200, &answer),
        "
        steps:
          - run_workflow: { workflow_id: pipeline, message: go }
    ",
    );
    assert!(failed.contains("run_workflow: step `publish` failed: no network"), "{failed}");
}

#[test]
fn a_path_that_leads_nowhere() {
    insta::assert_snapshot!(report(Answer::json(200, &json!({"session_id": "s1", "session_name": "n"})), "
        steps:
          - http: { path: /x }
            expect:
              $.sesion_id: s1
            save: { name: $.title }
    "), @r#"
    agentos-run [version] against [url]
    FAIL a  a.yaml:1  (1 step, [time])

    FAIL a
      step `http` at a.yaml:2:5
      expect::failed

        × `$.sesion_id` is not in the body; the body has: session_id, session_name
         ╭─[a.yaml:4:20]
       3 │     expect:
       4 │       $.sesion_id: s1
         ·                    ─┬
         ·                     ╰── expected: "s1"; found: nothing
       5 │     save: { name: $.title }
         ╰────
        help: did you mean `$.session_id`?
        request: curl [url]/x
        response: 200 OK, application/json, 38 bytes, [time]
          {
            "session_id": "s1",
            "session_name": "n"
          }

    1 scenario: 1 failed  (1 step, 1 check, [time])
    "#);
}

#[test]
fn a_large_answer_is_cut_and_says_so() {
    let items: Vec<Value> = (0..500).map(|n| json!({"id": n, "text": "x".repeat(400)})).collect();
    let report = report(
        Answer::json(200, &json!({"data": items})),
        "
        steps:
          - http: { path: /x }
            expect:
              $.data: { length: 3 }
              $.data[0].text: short
    ",
    );
    assert!(report.len() < 16_000, "{} bytes:\n{report}", report.len());
    assert!(report.contains("lines more") && report.contains("more characters"), "{report}");
}

#[test]
fn control_characters_of_a_server_do_not_reach_the_terminal() {
    // That there are none in the output, every run of the harness checks.
    let report = report(
        Answer::of(500, "text/plain", "\u{1b}[2J\u{7}gone\r\u{9b}31m"),
        "
        steps:
          - name: \"\\e[31mred\"
            http: { path: /x }
    ",
    );
    assert!(report.contains("gone"), "{report}");
}

#[test]
fn nobody_answers_any_more() {
    // There for the first question, gone for the second.
    let server = FakeServer::sequence([Answer::json(200, &json!({})), Answer::closed()]);
    let output = Run::new()
        .file("a.yaml", "name: Gone\nsteps:\n  - http: { method: POST, path: /x, form: { a: b c } }\n")
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .run()
        .code_is(1);
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    FAIL Gone  a.yaml:1  (1 step, [time])

    FAIL Gone
      step `http` at a.yaml:3:5
      request::failed

        × http: no answer came: the server closed the connection before it answered
         ╭─[a.yaml:3:5]
       2 │ steps:
       3 │   - http: { method: POST, path: /x, form: { a: b c } }
         ·     ──┬─
         ·       ╰── in this step
       4 │
         ╰────
        request: curl -X POST [url]/x --data-urlencode 'a=b c'

    1 scenario: 1 failed  (1 step, 1 check, [time])
    ");
}

#[test]
fn nobody_is_there_at_all() {
    let output = Run::new()
        .file("a.yaml", "steps:\n  - get_config: {}\n")
        .args(["--base-url", &nobody_listens(), "a.yaml"])
        .run()
        .code_is(3);
    assert_eq!(output.stdout, "");
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    target::unreachable

      × cannot reach [url]: connection refused
      help: is it running, and is the address right? `--embedded` runs without a server
    ");
}

#[test]
fn quiet_and_verbose() {
    let server = FakeServer::always(Answer::json(200, &json!({"n": 1})));
    let said = |option: &str| {
        Run::new()
            .file("a.yaml", "name: Good\nsteps:\n  - http: { path: /x }\n")
            .args(["--base-url", &server.base_url(), "a.yaml", option])
            .run()
            .code_is(0)
            .scrubbed()
    };
    insta::assert_snapshot!(said("-q"), @"
    agentos-run [version] against [url]
    1 scenario: 1 passed  (1 step, 0 checks, [time])
    ");
    insta::assert_snapshot!(said("-v"), @"
    agentos-run [version] against [url]
    Good
      ok http [time]
    PASS Good  a.yaml:1  (1 step, [time])
    1 scenario: 1 passed  (1 step, 0 checks, [time])
    ");
    insta::assert_snapshot!(said("-vv"), @r#"
    agentos-run [version] against [url]
    Good
      ok http [time]
         request: curl [url]/x
         response: 200 OK, application/json, 7 bytes, [time]
           {
             "n": 1
           }
    PASS Good  a.yaml:1  (1 step, [time])
    1 scenario: 1 passed  (1 step, 0 checks, [time])
    "#);
}

#[test]
fn a_loop_that_fails_often_says_it_a_few_times_whole_and_then_in_lines() {
    let output = Run::new()
        .file(
            "a.yaml",
            dedent(
                "
                steps:
                  - for_each: [a, b, c, d, e, f]
                    stop_on_failure: false
                    run_agent: { agent_id: assistant, message: \"word ${{ item }}\" }
                    expect: { content: { contains: f } }
                ",
            ),
        )
        .args(["--embedded", "a.yaml"])
        .run()
        .code_is(1);
    let said = &output.stdout;
    assert_eq!(said.matches("    request: curl").count(), 3, "{output}");
    assert!(said.contains("    note: round 1 of 6, `item` is \"a\"\n"), "{output}");
    assert!(
        said.contains(
            "  step `run_agent` at a.yaml:2:5 failed 2 more times:\n    round 4 of 6, `item` is \"d\": `content` does not contain \"f\": \"You said: word d\"\n    round 5 of 6"
        ),
        "{output}"
    );
}

#[test]
fn an_assertion_says_what_it_read() {
    let output = Run::new()
        .file(
            "a.yaml",
            dedent(
                "
                vars: { wanted: COMPLETED }
                steps:
                  - id: ask
                    run_agent: { agent_id: assistant, message: hello }
                  - assert: ${{ steps.ask.status == wanted and env.PATH }}
                ",
            ),
        )
        .args(["--embedded", "a.yaml"])
        .run()
        .code_is(1);
    assert!(
        output.stdout.contains("help: `steps.ask.status` is 200, `wanted` is \"COMPLETED\"\n"),
        "{output}"
    );
}

#[test]
fn what_reads_as_a_predicate_and_is_a_text() {
    let output = Run::new()
        .file(
            "a.yaml",
            dedent(
                "
                steps:
                  - run_agent: { agent_id: assistant, message: hello, stream: true }
                    soft: true
                    expect: { content: contains hello }
                  - run_agent: { agent_id: assistant, message: hello, stream: true }
                    expect: { events: { sequence: [RunStarted, RunCompleted] } }
                ",
            ),
        )
        .args(["--embedded", "a.yaml"])
        .run()
        .code_is(1);
    for help in [
        "this is compared as a text; a predicate is a key: `{ contains: hello }`",
        "`\"...\"` in the sequence stands for whatever comes there, `Name+` for one or more",
    ] {
        assert!(output.stdout.contains(help), "{output}");
    }
}
