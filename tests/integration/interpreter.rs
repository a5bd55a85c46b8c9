//! The interpreter, seen from outside: in which order steps run, what is kept, repeated, skipped and sent.

use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A server that answers every request, also the first question whether it is there, with this.
fn echo() -> FakeServer {
    FakeServer::always(Answer::json(200, &json!({"n": 3, "list": [1, 2.5], "text": "3", "none": null})))
}

/// Runs a scenario against a server, with further arguments.
fn run(server: &FakeServer, scenario: &str, arguments: &[&str]) -> Output {
    Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "-v", "a.yaml"])
        .args(arguments)
        .run()
}

/// The requests that a scenario sent, without the first question whether the server is there.
fn sent(server: &FakeServer) -> Vec<String> {
    server.lines().split_off(1)
}

#[test]
fn setup_then_steps_then_finally_in_the_order_of_the_file() {
    let server = echo();
    let output = run(
        &server,
        "
        name: In order
        finally:
          - http: { path: /finally/1 }
          - http: { path: /finally/2 }
        steps:
          - http: { path: /steps/1 }
          - group:
              - http: { path: /steps/2 }
              - http: { path: /steps/3 }
          - log: three requests so far
        setup:
          - http: { path: /setup/1 }
    ",
        &[],
    )
    .code_is(0);
    assert_eq!(
        sent(&server),
        ["GET /setup/1", "GET /steps/1", "GET /steps/2", "GET /steps/3", "GET /finally/1", "GET /finally/2"]
    );
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    In order
      ok http [time]
      ok http [time]
      ok http [time]
      ok http [time]
      log: three requests so far
      ok log [time]
      ok http [time]
      ok http [time]
    PASS In order  a.yaml:1  (7 steps, [time])
    1 scenario: 1 passed  (7 steps, 0 checks, [time])
    ");
}

#[test]
fn what_is_saved_keeps_its_type() {
    let server = echo();
    run(
        &server,
        "
        steps:
          - id: first
            http: { path: /x }
            save:
              number: $.n
              list: $.list
              text: $.text
              nothing: $.none
              every: $.list[*]
              whole: body
              code: status
              sum: ${{ steps.first.body.n + 1 }}
          - http: { path: /y }
            save: bare
          - http:
              method: POST
              path: /z
              json:
                number: ${{ number }}
                list: ${{ list }}
                text: ${{ text }}
                nothing: ${{ nothing }}
                every: ${{ every }}
                whole: ${{ whole.n }}
                code: ${{ code }}
                sum: ${{ sum }}
                bare: ${{ bare.list[1] }}
                inside: n is ${{ number }}, list is ${{ list }}
                dollar: $${{ not an expression }}
    ",
        &[],
    )
    .code_is(0);
    let expected = json!({
        "number": 3, "list": [1, 2.5], "text": "3", "nothing": null, "every": [1, 2.5], "whole": 3, "code": 200,
        "sum": 4, "bare": 2.5, "inside": "n is 3, list is [1,2.5]", "dollar": "${{ not an expression }}",
    });
    assert_eq!(server.requests().last().unwrap().json(), expected);
}

#[test]
fn set_and_assert_work_without_a_request() {
    let server = echo();
    let output = run(
        &server,
        "
        vars: { count: 2 }
        steps:
          - set: { count: '${{ count + 1 }}', twice: '${{ count * 2 }}' }
          - assert: { '${{ count }}': 3, '${{ twice }}': { gt: 5 } }
          - assert: { '${{ count }}': 4, '${{ twice }}': { lt: 5 } }
    ",
        &[],
    )
    .code_is(1);
    assert!(sent(&server).is_empty());
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    a
      ok set [time]
      ok assert [time]
      failed assert [time]
    FAIL a  a.yaml:1  (3 steps, [time])

    FAIL a
      step `assert` at a.yaml:5:5
      expect::failed

        × `${{ count }}` is 3, expected 4
         ╭─[a.yaml:5:31]
       4 │   - assert: { '${{ count }}': 3, '${{ twice }}': { gt: 5 } }
       5 │   - assert: { '${{ count }}': 4, '${{ twice }}': { lt: 5 } }
         ·                               ┬
         ·                               ╰── expected: 4; found: 3
       6 │
         ╰────
      expect::failed

        × `${{ twice }}` is 6, expected less than 5
         ╭─[a.yaml:5:52]
       4 │   - assert: { '${{ count }}': 3, '${{ twice }}': { gt: 5 } }
       5 │   - assert: { '${{ count }}': 4, '${{ twice }}': { lt: 5 } }
         ·                                                    ──┬──
         ·                                                      ╰── expected: less than 5; found: 6
       6 │
         ╰────

    1 scenario: 1 failed  (3 steps, 4 checks, [time])
    ");
}

#[test]
fn a_step_whose_condition_does_not_hold_is_skipped_and_says_so() {
    let server = echo();
    let output = run(
        &server,
        "
        vars: { mode: quick }
        steps:
          - if: mode == 'slow'
            http: { path: /slow }
          - if: ${{ mode == 'quick' and not false }}
            http: { path: /quick }
          - if: \"[]\"
            http: { path: /empty }
    ",
        &[],
    )
    .code_is(0);
    assert_eq!(sent(&server), ["GET /quick"]);
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    a
      skipped http: `mode == 'slow'` does not hold
      ok http [time]
      skipped http: `[]` does not hold
    PASS a  a.yaml:1  (1 step, [time])
    1 scenario: 1 passed  (1 step, 0 checks, [time])
    ");
}

#[test]
fn variables_of_the_command_line_come_before_those_of_a_file_and_of_the_scenario() {
    let server = echo();
    Run::new()
        .file("a.yaml", "vars: { a: 1, b: 2, c: 3, d: '${{ c }}' }\nsteps:\n  - http: { method: POST, path: /x, json: ['${{ a }}', '${{ b }}', '${{ c }}', '${{ d }}'] }\n")
        .file("vars.yaml", "b: from the file\nc: from the file\n")
        .args(["--base-url", &server.base_url(), "--vars-file", "vars.yaml", "--var", "c=[1, {x: y}]", "a.yaml"])
        .run()
        .code_is(0);
    let c = json!([1, {"x": "y"}]);
    assert_eq!(server.requests().last().unwrap().json(), json!([1, "from the file", c, c]));
}

#[test]
fn variables_that_are_wrong() {
    let complaint = |arguments: &[&str]| {
        let server = echo();
        let output = Run::new()
            .file("a.yaml", "vars: { user: bob }\nsteps:\n  - log: ${{ user }}\n")
            .file("list.yaml", "- a\n")
            .args(["--base-url", &server.base_url(), "a.yaml"])
            .args(arguments)
            .run()
            .code_is(2);
        assert!(server.requests().is_empty(), "{output}");
        output.scrub(&output.stderr)
    };
    insta::assert_snapshot!(complaint(&["--var", "usr=alice"]), @"
    cli::var

      × no scenario declares the variable `usr` in its `vars`
      help: did you mean `user`?
    ");
    insta::assert_snapshot!(complaint(&["--var", "user"]), @"
    cli::var

      × --var user: a variable is written name=value
    ");
    insta::assert_snapshot!(complaint(&["--var", "user={a: [}"]), @r#"
    yaml::syntax

      × this is not valid YAML: mismatched bracket '[' closed by '}'
       ╭─[--var user:1:5]
     1 │ {a: [}
       ·     ▲
       ·     ╰── here
       ╰────
      help: quote a value that is a text with special characters: --var 'x="a: b"'
    "#);
    insta::assert_snapshot!(complaint(&["--vars-file", "none.yaml"]), @"
    file::unreadable

      × cannot read none.yaml: no such file or directory
    ");
    insta::assert_snapshot!(complaint(&["--vars-file", "list.yaml"]), @"
    cli::vars-file

      × list.yaml must be a mapping of names to values
    ");
}

#[test]
fn headers_of_steps_of_defaults_and_of_the_command_line() {
    let server = echo();
    run(
        &server,
        "
        defaults: { headers: { X-Tenant: acme, X-Both: default } }
        steps:
          - http: { path: /a }
            headers: { x-both: step, X-Id: '${{ 1 + 1 }}' }
          - get_config: {}
    ",
        &["-H", "X-All: yes", "--token", "t0ken-of-mine"],
    )
    .code_is(0);
    let requests = server.requests();
    let header = |index: usize, name: &str| requests[index].header(name).unwrap_or("-").to_owned();
    for index in 0..3 {
        assert_eq!(header(index, "x-all"), "yes");
        assert_eq!(header(index, "authorization"), "Bearer t0ken-of-mine");
    }
    assert_eq!([header(1, "x-tenant"), header(1, "x-both"), header(1, "x-id")], ["acme", "step", "2"]);
    assert_eq!([header(2, "x-tenant"), header(2, "x-both"), header(2, "x-id")], ["acme", "default", "-"]);
}

#[test]
fn a_default_session_is_not_that_of_a_run_that_is_given() {
    let scenario = dedent(
        "
        name: A run knows its session
        defaults: { agent_id: confirmer, session_id: \"other-${{ run.id }}\" }
        steps:
          - id: asked
            run_agent: { message: Delete the file report.txt, session_id: \"asked-${{ run.id }}\" }
          - continue_agent_run: { run: \"${{ steps.asked.body }}\", confirm: true }
            expect: { $.status: COMPLETED, $.session_id: \"asked-${{ run.id }}\" }
          - continue_agent_run: { run: \"${{ steps.asked.body }}\", session_id: \"own-${{ run.id }}\", confirm: true }
            expect: { status: 404 }
        ",
    );
    Run::new().file("a.yaml", scenario).args(["--embedded", "a.yaml"]).run().code_is(0);
}

#[test]
fn defaults_go_to_the_operations_that_have_the_field() {
    let server = echo();
    run(
        &server,
        "
        vars: { who: alice }
        defaults: { user_id: '${{ who }}', type: agent }
        steps:
          - get_sessions: {}
          - get_session: { session_id: a/b, user_id: bob }
          - get_config: {}
    ",
        &[],
    )
    .code_is(0);
    assert_eq!(
        sent(&server),
        [
            "GET /sessions?type=agent&user_id=alice",
            "GET /sessions/a%2Fb?type=agent&user_id=bob",
            "GET /config"
        ]
    );
}

#[test]
fn a_request_is_repeated_as_often_as_retry_says() {
    let busy = || Answer::json(503, &json!({"detail": "busy"}));
    let fine = Answer::json(200, &json!({}));
    let server = FakeServer::sequence([fine.clone(), busy(), busy(), fine]);
    let output = run(
        &server,
        "
        steps:
          - http: { path: /x }
            retry: { attempts: 4, delay: 10ms, backoff: 2, on: [503] }
    ",
        &[],
    )
    .code_is(0);
    assert_eq!(sent(&server), ["GET /x"; 3]);
    assert!(output.stdout.contains("note: attempt 2 of 4 was answered 503; again after 20 ms"), "{output}");

    let server = FakeServer::sequence([Answer::json(200, &json!({})), busy()]);
    let output = run(
        &server,
        "
        steps:
          - http: { path: /x }
            retry: { attempts: 2, delay: 1ms }
          - http: { path: /never }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /x"; 2]);
    assert!(output.stdout.contains("was refused with 503: busy"), "{output}");
}

#[test]
fn a_refusal_is_repeated_only_where_it_is_named() {
    let server =
        FakeServer::sequence([Answer::json(200, &json!({})), Answer::json(404, &json!({"detail": "no"}))]);
    run(
        &server,
        "
        steps:
          - http: { path: /x }
            retry: { attempts: 5, delay: 1ms }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server).len(), 1);
}

#[test]
fn retry_after_is_heeded() {
    let asks = Answer::new().send("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    let fine = Answer::json(200, &json!({}));
    let server = FakeServer::sequence([fine.clone(), asks, fine]);
    let began = Instant::now();
    let output = run(
        &server,
        "
        steps:
          - http: { path: /x }
            retry: { attempts: 2, delay: 1ms }
    ",
        &[],
    )
    .code_is(0);
    assert!(began.elapsed() >= Duration::from_secs(1), "{output}");
    assert!(output.stdout.contains("was answered 429; again after 1.0 s"), "{output}");
}

#[test]
fn a_connection_that_breaks_is_repeated_where_retry_says_connect() {
    let fine = Answer::json(200, &json!({}));
    let server = FakeServer::sequence([fine.clone(), Answer::cut_short("{", 9), fine]);
    run(
        &server,
        "
        steps:
          - http: { method: POST, path: /x }
            retry: { attempts: 2, delay: 1ms, on: [connect] }
    ",
        &[],
    )
    .code_is(0);
    assert_eq!(sent(&server), ["POST /x"; 2]);
}

#[test]
fn soft_failures_let_the_scenario_go_on_and_fail_it_in_the_end() {
    let server = echo();
    let output = run(
        &server,
        "
        name: Soft
        steps:
          - http: { path: /1 }
            soft: true
            expect: { $.n: 4 }
          - http: { path: /2 }
            soft: true
            expect: { $.n: 5 }
          - http: { path: /3 }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /1", "GET /2", "GET /3"]);
    for shown in ["`$.n` is 3, expected 4", "`$.n` is 3, expected 5", "(soft: the scenario went on)"] {
        assert!(output.stdout.contains(shown), "{shown}: {output}");
    }
}

#[test]
fn all_faults_of_one_answer_are_shown() {
    let server = echo();
    let output = run(
        &server,
        "
        steps:
          - http: { path: /1 }
            expect:
              status: 201
              $.n: 4
              $.text: { starts_with: x }
              $.list: { length: 3 }
            save: { sid: $.session_id }
    ",
        &[],
    )
    .code_is(1);
    insta::assert_snapshot!(output.scrubbed(), @r#"
    agentos-run [version] against [url]
    a
      failed http [time]
    FAIL a  a.yaml:1  (1 step, [time])

    FAIL a
      step `http` at a.yaml:2:5
      expect::failed

        × `status` is 200, expected 201
         ╭─[a.yaml:4:15]
       3 │     expect:
       4 │       status: 201
         ·               ─┬─
         ·                ╰── expected: 201; found: 200
       5 │       $.n: 4
         ╰────
      expect::failed

        × `$.n` is 3, expected 4
         ╭─[a.yaml:5:12]
       4 │       status: 201
       5 │       $.n: 4
         ·            ┬
         ·            ╰── expected: 4; found: 3
       6 │       $.text: { starts_with: x }
         ╰────
      expect::failed

        × `$.text` does not start with "x", but "3"
         ╭─[a.yaml:6:17]
       5 │       $.n: 4
       6 │       $.text: { starts_with: x }
         ·                 ───────┬──────
         ·                        ╰── expected: starts with "x"; found: "3"
       7 │       $.list: { length: 3 }
         ╰────
      expect::failed

        × the length of `$.list` is 2, expected 3
         ╭─[a.yaml:7:25]
       6 │       $.text: { starts_with: x }
       7 │       $.list: { length: 3 }
         ·                         ┬
         ·                         ╰── expected: 3; found: 2
       8 │     save: { sid: $.session_id }
         ╰────
        request: curl [url]/1
        response: 200 OK, application/json, 45 bytes, [time]
          {
            "n": 3,
            "list": [
              1,
              2.5
            ],
            "text": "3",
            "none": null
          }

    1 scenario: 1 failed  (1 step, 4 checks, [time])
    "#);
}

#[test]
fn nothing_runs_after_a_failure() {
    let server = echo();
    run(
        &server,
        "
        setup:
          - http: { path: /setup }
            expect: { $.n: 4 }
          - http: { path: /not-this }
        steps:
          - http: { path: /nor-this }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /setup"]);
}

#[test]
fn a_scenario_whose_variables_fail_does_not_begin() {
    let server = echo();
    let output = run(
        &server,
        "
        vars: { key: '${{ env.NO_SUCH_KEY }}', n: '${{ 1 / 0 }}' }
        steps:
          - http: { path: /x }
    ",
        &[],
    )
    .code_is(1);
    assert!(sent(&server).is_empty());
    insta::assert_snapshot!(output.scrubbed(), @r#"
    agentos-run [version] against [url]
    a
    FAIL a  a.yaml:1  (0 steps, [time])

    FAIL a
      expression::undefined

        × the environment variable `NO_SUCH_KEY` is not set
         ╭─[a.yaml:1:19]
       1 │ vars: { key: '${{ env.NO_SUCH_KEY }}', n: '${{ 1 / 0 }}' }
         ·                   ───────┬───────
         ·                          ╰── not set
       2 │ steps:
         ╰────
        help: set it, or write `env.NO_SUCH_KEY | default("...")`
      expression::failed

        × the expression failed: unable to calculate 1 / 0
         ╭─[a.yaml:1:48]
       1 │ vars: { key: '${{ env.NO_SUCH_KEY }}', n: '${{ 1 / 0 }}' }
         ·                                                ──┬──
         ·                                                  ╰── here
       2 │ steps:
         ╰────
    1 scenario: 1 failed  (0 steps, 0 checks, [time])
    "#);
}

#[test]
fn fields_whose_values_are_wrong_at_run_time_are_never_sent() {
    let server = echo();
    let output = run(
        &server,
        "
        vars: { limit: many, ids: 5, body: { a: 1 } }
        steps:
          - soft: true
            get_sessions: { limit: '${{ limit }}' }
          - soft: true
            get_session: { session_id: '${{ body.b | default(none) }}' }
          - soft: true
            http: { path: '${{ limit }}' }
          - soft: true
            sleep: ${{ limit }}
    ",
        &[],
    )
    .code_is(1);
    assert!(sent(&server).is_empty());
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    a
      failed get_sessions [time]
      failed get_session [time]
      failed http [time]
      failed sleep [time]
    FAIL a  a.yaml:1  (4 steps, [time])

    FAIL a
      step `get_sessions` at a.yaml:3:5 (soft: the scenario went on)
      operation::type

        × `limit` must be a whole number
         ╭─[a.yaml:4:28]
       3 │   - soft: true
       4 │     get_sessions: { limit: '${{ limit }}' }
         ·                            ───────┬──────
         ·                                   ╰── is `many` here
       5 │   - soft: true
         ╰────

      step `get_session` at a.yaml:5:5 (soft: the scenario went on)
      operation::type

        × `session_id` must be a text
         ╭─[a.yaml:6:32]
       5 │   - soft: true
       6 │     get_session: { session_id: '${{ body.b | default(none) }}' }
         ·                                ───────────────┬───────────────
         ·                                               ╰── is `null` here
       7 │   - soft: true
         ╰────

      step `http` at a.yaml:7:5 (soft: the scenario went on)
      http::path

        × the path of a request begins with `/`, not `many`
         ╭─[a.yaml:8:19]
       7 │   - soft: true
       8 │     http: { path: '${{ limit }}' }
         ·                   ───────┬──────
         ·                          ╰── this path
       9 │   - soft: true
         ╰────

      step `sleep` at a.yaml:9:5 (soft: the scenario went on)
      scenario::duration

        × `sleep`: `many` is no duration: write `500ms`, `5s`, `1m30s`, `2h` or `30d`
          ╭─[a.yaml:10:12]
        9 │   - soft: true
       10 │     sleep: ${{ limit }}
          ·            ──────┬─────
          ·                  ╰── is `many` here
       11 │
          ╰────

    1 scenario: 1 failed  (4 steps, 0 checks, [time])
    ");
}

#[test]
fn scenarios_are_skipped_with_their_reason() {
    let server = FakeServer::new(|request| {
        let body: Value = match request.path.as_str() {
            "/config" => json!({"agents": [{"id": "assistant"}], "teams": [], "workflows": []}),
            _ => json!({"agno_version": "2.6.22"}),
        };
        Answer::json(200, &body)
    });
    let scenario = "
        name: One
        skip: broken since Monday
        steps: [{ http: { path: /x } }]
        ---
        name: Two
        skip: ${{ env.NOT_SET | default('') == '' }}
        steps: [{ http: { path: /x } }]
        ---
        name: Three
        requires: { agents: [assistent] }
        steps: [{ http: { path: /x } }]
        ---
        name: Four
        requires: { version: '>=3' }
        steps: [{ http: { path: /x } }]
        ---
        name: Five
        requires: { agents: assistant, version: '>=2.6, <3' }
        steps: [{ http: { path: /x } }]
    ";
    let output = run(&server, scenario, &[]).code_is(0);
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    One
    SKIP One  a.yaml:1  (skipped: broken since Monday)
    Two
    SKIP Two  a.yaml:5  (skipped: `env.NOT_SET | default('') == ''` holds)
    Three
    SKIP Three  a.yaml:9  (skipped: this AgentOS has no agent `assistent` (it has assistant))
    Four
    SKIP Four  a.yaml:13  (skipped: needs agno >=3, and this AgentOS runs 2.6.22)
    Five
      ok http [time]
    PASS Five  a.yaml:17  (1 step, [time])
    5 scenarios: 1 passed, 4 skipped  (1 step, 0 checks, [time])
    ");
    let output = run(&server, scenario, &["--strict"]).code_is(1);
    assert!(output.stdout.contains("5 scenarios: 1 passed, 2 failed, 2 skipped"), "{output}");
}

#[test]
fn fail_fast_stops_at_the_first_failure() {
    let server = echo();
    let output = run(
        &server,
        "
        steps: [{ http: { path: /1 }, expect: { $.n: 4 } }]
        ---
        steps: [{ http: { path: /2 } }]
    ",
        &["--fail-fast"],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /1"]);
    assert!(output.stdout.contains("2 scenarios: 1 failed, 1 not run"), "{output}");
}

#[test]
fn a_refused_request_is_not_what_is_waited_for() {
    let server = FakeServer::sequence([
        Answer::json(200, &json!({})),
        Answer::json(503, &json!({ "state": "done" })),
        Answer::json(200, &json!({ "state": "going on" })),
        Answer::json(200, &json!({ "state": "done" })),
    ]);
    let scenario = "
        steps:
          - http: { path: /job }
            until: { $.state: done }
            every: 1ms
            within: 30s
    ";
    run(&server, scenario, &[]).code_is(0);
    assert_eq!(sent(&server), ["GET /job"; 3]);
}
