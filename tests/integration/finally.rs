//! `finally`: it runs whatever happened before, and says what it could not do.

use crate::common::{Answer, FakeServer, Output, Run, Running, text::dedent};
use serde_json::json;
use std::time::{Duration, Instant};

/// A server on which `/slow` never answers, `/broken` refuses, and everything else succeeds.
fn server() -> FakeServer {
    FakeServer::new(|request| match request.path.as_str() {
        "/slow" => Answer::silence(),
        "/broken" => Answer::json(500, &json!({"detail": "broken"})),
        _ => Answer::json(200, &json!({"id": "s1"})),
    })
}

fn start(server: &FakeServer, scenario: &str, arguments: &[&str]) -> Running {
    Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "-v", "a.yaml"])
        .args(arguments)
        .start()
}

fn run(server: &FakeServer, scenario: &str, arguments: &[&str]) -> Output {
    let began = Instant::now();
    let output = start(server, scenario, arguments).finish();
    assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}; {output}", began.elapsed());
    output
}

fn sent(server: &FakeServer) -> Vec<String> {
    server.lines().split_off(1)
}

/// Waits until the server has been asked for this.
fn asked_for(server: &FakeServer, line: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !server.lines().iter().any(|asked| asked == line) {
        assert!(Instant::now() < deadline, "{line} never came: {:?}", server.lines());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn after_a_failure_and_after_a_failure_of_its_own() {
    let server = server();
    let output = run(
        &server,
        "
        name: Two faults
        steps:
          - http: { path: /broken }
          - http: { path: /never }
        finally:
          - http: { path: /cleanup/1 }
            expect: { $.id: s2 }
          - http: { path: /cleanup/2 }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /broken", "GET /cleanup/1", "GET /cleanup/2"]);
    insta::assert_snapshot!(output.scrubbed(), @r#"
    agentos-run [version] against [url]
    Two faults
      failed http [time]
      failed http [time]
      ok http [time]
    FAIL Two faults  a.yaml:1  (3 steps, [time])

    FAIL Two faults
      step `http` at a.yaml:3:5
      request::refused

        × http was refused with 500: broken
         ╭─[a.yaml:3:5]
       2 │ steps:
       3 │   - http: { path: /broken }
         ·     ──┬─
         ·       ╰── in this step
       4 │   - http: { path: /never }
         ╰────
        request: curl [url]/broken
        response: 500 Internal Server Error, application/json, 19 bytes, [time]
          {
            "detail": "broken"
          }

      step `http` of `finally` at a.yaml:6:5, after the failure above
      expect::failed

        × `$.id` is "s1", expected "s2"
         ╭─[a.yaml:7:21]
       6 │   - http: { path: /cleanup/1 }
       7 │     expect: { $.id: s2 }
         ·                     ─┬
         ·                      ╰── expected: "s2"; found: "s1"
       8 │   - http: { path: /cleanup/2 }
         ╰────
        request: curl [url]/cleanup/1
        response: 200 OK, application/json, 11 bytes, [time]
          {
            "id": "s1"
          }

    1 scenario: 1 failed  (3 steps, 2 checks, [time])
    "#);
}

#[test]
fn a_failure_in_finally_alone_fails_the_scenario() {
    let server = server();
    let output = run(
        &server,
        "
        steps: [{ http: { path: /ok } }]
        finally: [{ http: { path: /broken } }]
    ",
        &[],
    )
    .code_is(1);
    assert!(output.stdout.contains("step `http` of `finally` at a.yaml:"), "{output}");
    assert!(!output.stdout.contains("after the failure above"), "there is none above: {output}");
}

#[test]
fn a_step_that_needs_what_was_never_set_is_skipped_and_says_so() {
    let server = server();
    let output = run(
        &server,
        "
        steps:
          - http: { path: /broken }
          - id: made
            http: { path: /made }
            save: { sid: $.id }
        finally:
          - http: { method: DELETE, path: '/sessions/${{ sid }}' }
          - log: ${{ steps.made.body.id }}
          - group:
              - http: { path: '/in/${{ sid }}' }
          - http: { path: /always }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /broken", "GET /always"]);
    insta::assert_snapshot!(output.scrubbed(), @r#"
    agentos-run [version] against [url]
    a
      failed http [time]
      skipped http: `sid` was never set
      skipped log: `steps.made` was never set
      skipped http: `sid` was never set
      ok http [time]
    FAIL a  a.yaml:1  (2 steps, [time])

    FAIL a
      step `http` at a.yaml:2:5
      request::refused

        × http was refused with 500: broken
         ╭─[a.yaml:2:5]
       1 │ steps:
       2 │   - http: { path: /broken }
         ·     ──┬─
         ·       ╰── in this step
       3 │   - id: made
         ╰────
        request: curl [url]/broken
        response: 500 Internal Server Error, application/json, 19 bytes, [time]
          {
            "detail": "broken"
          }

    1 scenario: 1 failed  (2 steps, 1 check, [time])
    "#);
}

#[test]
fn what_was_saved_before_the_failure_is_there() {
    let server = server();
    run(
        &server,
        "
        steps:
          - http: { path: /made }
            save: { sid: $.id }
            expect: { $.id: s2 }
        finally:
          - http: { method: DELETE, path: '/sessions/${{ sid }}' }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /made", "DELETE /sessions/s1"]);
}

#[test]
fn after_the_time_of_a_step() {
    let server = server();
    let output = run(
        &server,
        "
        steps:
          - http: { path: /slow }
            timeout: 200ms
        finally: [{ http: { path: /cleanup } }]
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /slow", "GET /cleanup"]);
    assert!(output.stdout.contains("http: the request took longer than 200 ms"), "{output}");
}

#[test]
fn after_the_time_of_a_group() {
    let server = server();
    let output = run(
        &server,
        "
        steps:
          - timeout: 200ms
            group:
              - http: { path: /in }
              - http: { path: /slow }
        finally: [{ http: { path: /cleanup } }]
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /in", "GET /slow", "GET /cleanup"]);
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    a
      ok http [time]
      failed http [time]
      ok http [time]
    FAIL a  a.yaml:1  (3 steps, [time])

    FAIL a
      step `http` at a.yaml:5:9
      scenario::timeout

        × the group's time of [time] is up
         ╭─[a.yaml:5:9]
       4 │       - http: { path: /in }
       5 │       - http: { path: /slow }
         ·         ──┬─
         ·           ╰── this was running
       6 │ finally: [{ http: { path: /cleanup } }]
         ╰────
        help: `timeout:` of the group sets it
        request: curl [url]/slow

    1 scenario: 1 failed  (3 steps, 0 checks, [time])
    ");
}

#[test]
fn a_soft_group_whose_time_is_up_lets_the_scenario_go_on() {
    let server = server();
    run(
        &server,
        "
        steps:
          - timeout: 200ms
            soft: true
            group: [{ http: { path: /slow } }]
          - http: { path: /next }
    ",
        &[],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /slow", "GET /next"]);
}

#[test]
fn after_the_time_of_the_scenario() {
    let server = server();
    let scenario = "
        timeout: 300ms
        steps:
          - http: { path: /slow }
          - http: { path: /never }
        finally: [{ http: { path: /cleanup } }]
    ";
    let output = run(&server, scenario, &[]).code_is(1);
    assert_eq!(sent(&server), ["GET /slow", "GET /cleanup"]);
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    a
      failed http [time]
      ok http [time]
    FAIL a  a.yaml:1  (2 steps, [time])

    FAIL a
      step `http` at a.yaml:3:5
      scenario::timeout

        × the scenario's time of [time] is up
         ╭─[a.yaml:3:5]
       2 │ steps:
       3 │   - http: { path: /slow }
         ·     ──┬─
         ·       ╰── this was running
       4 │   - http: { path: /never }
         ╰────
        help: `timeout:` of the scenario, or --timeout, sets it
        request: curl [url]/slow

    1 scenario: 1 failed  (2 steps, 0 checks, [time])
    ");
    // The scenario's own time counts, not that of the command line.
    run(&server, scenario, &["--timeout", "1h"]).code_is(1);
}

#[test]
fn a_pause_and_a_repetition_end_with_the_time_too() {
    let server = server();
    run(
        &server,
        "
        steps: [{ sleep: 1h }]
        finally: [{ http: { path: /cleanup/1 } }]
        ---
        steps: [{ http: { path: /broken }, retry: { attempts: 9, delay: 1m } }]
        finally: [{ http: { path: /cleanup/2 } }]
    ",
        &["--timeout", "200ms"],
    )
    .code_is(1);
    assert_eq!(sent(&server), ["GET /cleanup/1", "GET /broken", "GET /cleanup/2"]);
}

#[test]
#[cfg(unix)]
fn after_an_interruption() {
    let server = server();
    let running = start(
        &server,
        "
        name: Interrupted
        steps:
          - http: { path: /slow }
          - http: { path: /never }
        finally: [{ http: { path: /cleanup } }]
        ---
        name: Not begun
        steps: [{ http: { path: /other } }]
    ",
        &[],
    );
    asked_for(&server, "GET /slow");
    running.interrupt();
    let output = running.finish().code_is(130);
    assert_eq!(sent(&server), ["GET /slow", "GET /cleanup"]);
    insta::assert_snapshot!(output.scrubbed(), @"
    agentos-run [version] against [url]
    Interrupted
      failed http [time]
      ok http [time]
    FAIL Interrupted  a.yaml:1  (2 steps, [time])

    FAIL Interrupted
      step `http` at a.yaml:3:5
      run::interrupted

        × the run was interrupted in this step
         ╭─[a.yaml:3:5]
       2 │ steps:
       3 │   - http: { path: /slow }
         ·     ──┬─
         ·       ╰── this was running
       4 │   - http: { path: /never }
         ╰────
        request: curl [url]/slow

    2 scenarios: 1 failed, 1 not run  (2 steps, 0 checks, [time])
    interrupted: `finally` steps ran for what had begun
    ");
}

#[test]
#[cfg(unix)]
fn a_second_interruption_ends_everything_at_once() {
    let server = server();
    let running = start(
        &server,
        "
        steps: [{ sleep: 1h }]
        finally: [{ http: { path: /slow } }, { http: { path: /never } }]
    ",
        &[],
    );
    asked_for(&server, "GET /config");
    // Not before it sleeps: the first line of the report comes after the question whether the server is there.
    running.wait_for("against");
    running.interrupt();
    asked_for(&server, "GET /slow");
    let began = Instant::now();
    running.interrupt();
    let output = running.finish().code_is(130);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(sent(&server), ["GET /slow"]);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"");
    assert!(output.stdout.ends_with("stopped at once: `finally` steps may not have run\n"), "{output}");
    assert!(!output.stdout.contains("steps ran for what had begun"), "{output}");
}

#[test]
fn a_loop_runs_in_the_end_too() {
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let text = "
        steps: [{ http: { path: /x } }]
        finally:
          - for_each: [one, two]
            http: { path: \"/${{ item }}/${{ loop.index }}\" }
          - for_each: [three]
            as: name
            http: { path: \"/${{ name }}/${{ never }}\" }
    ";
    let text = text.replace(
        "steps: [{ http: { path: /x } }]",
        "steps: [{ http: { path: /x }, expect: { status: 500 }, save: { never: $.x } }]",
    );
    let run =
        Run::new().file("a.yaml", dedent(&text)).args(["--base-url", &server.base_url(), "-v", "a.yaml"]);
    let output = run.run().code_is(1);
    assert_eq!(server.lines().split_off(2), ["GET /one/1", "GET /two/2"]);
    assert!(output.stdout.contains("skipped http: `never` was never set"), "{output}");
}

#[test]
fn a_scenario_that_was_nearly_out_of_time_has_enough_for_finally() {
    let server = server();
    let scenario = "
        timeout: 2s
        steps: [{ sleep: 1s }]
        finally: [{ sleep: 1200ms }, { http: { path: /cleaned } }]
    ";
    run(&server, scenario, &[]).code_is(0);
    assert_eq!(sent(&server), ["GET /cleaned"]);
}

#[test]
fn a_group_does_not_outlast_its_scenario() {
    let server = server();
    let scenario = "
        timeout: 300ms
        steps:
          - timeout: 10s
            group: [{ http: { path: /slow } }]
        finally: [{ http: { path: /cleaned } }]
    ";
    let output = run(&server, scenario, &[]).code_is(1);
    assert!(output.stdout.contains("the scenario's time of 300 ms is up"), "{output}");
    assert_eq!(sent(&server), ["GET /slow", "GET /cleaned"]);
}
