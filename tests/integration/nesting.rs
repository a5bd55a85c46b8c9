//! Steps inside of steps, as people nest them: loops, branches, groups and fragments in each other; what they set is
//! there afterwards, and a failure says where it was.

use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that answers with the path, and whose `/job` is done the third time that it is asked.
fn server() -> FakeServer {
    let asked = AtomicUsize::new(0);
    FakeServer::new(move |request| {
        let path = request.path.split('?').next().unwrap_or_default().to_owned();
        if path == "/job" {
            let done = asked.fetch_add(1, Ordering::SeqCst) >= 2;
            return Answer::json(200, &json!({ "status": if done { "done" } else { "running" } }));
        }
        Answer::json(200, &json!({ "path": path }))
    })
}

fn run(server: &FakeServer, text: &str) -> Output {
    let fragment = "
        params: [n]
        steps:
          - parallel:
              - for_each: [a, b]
                group:
                  - id: deep
                    http: { path: \"/${{ n }}/${{ item }}\" }
                    save: { found: $.path }
              - http: { path: \"/${{ n }}/beside\" }
                save: { beside: $.path }
        returns: [found, beside]
    ";
    let run = Run::new().file("_f.yaml", dedent(fragment)).file("a.yaml", dedent(text));
    run.args(["--base-url", &server.base_url(), "-v", "a.yaml"]).run()
}

#[test]
fn branches_in_loops_in_groups_in_fragments_in_branches() {
    let server = server();
    let text = |more: &str| {
        format!(
            "
        steps:
          - group:
              - for_each: [1, 2]
                as: outer
                parallel:
                  - use: _f.yaml
                    with: {{ n: \"${{{{ outer }}}}\" }}
                    save: {{ found: $.found }}
                  - repeat: 2
                    group:
                      - http: {{ path: \"/${{{{ outer }}}}/again/${{{{ loop.index }}}}\" }}
                        save: {{ again: $.path }}
              - set: {{ last: \"${{{{ found }}}} ${{{{ again }}}}\" }}
          - assert: [{{ \"${{{{ last }}}}\": /2/b /2/again/2 }}{more}]
        "
        )
    };
    // What a loop runs over is not there behind it: that is found before anything is sent.
    run(&server, &text(", \"${{ outer is undefined }}\"")).code_is(2);
    let output = run(&server, &text(""));
    output.code_is(0);
    let mut lines = server.lines().split_off(1);
    lines.sort();
    let all: Vec<String> = [1, 2]
        .iter()
        .flat_map(|n| ["a", "again/1", "again/2", "b", "beside"].map(|path| format!("GET /{n}/{path}")))
        .collect();
    assert_eq!(lines, all);
}

#[test]
fn a_loop_of_branches_with_several_at_a_time_joins_in_order() {
    let server = server();
    let output = run(
        &server,
        "
        vars: { seen: [] }
        steps:
          - for_each: [1, 2, 3]
            concurrency: 3
            parallel:
              - http: { path: \"/one/${{ item }}\" }
                id: one
                save: { last: $.path }
              - group:
                  - sleep: 5ms
                  - set: { other: \"${{ item }}\" }
          - assert:
              - ${{ last }}: /one/3
              - ${{ other }}: 3
              - ${{ steps.one.body.path }}: /one/3
        ",
    );
    output.code_is(0);
}

#[test]
fn until_in_a_branch_of_a_loop_keeps_its_history() {
    let server = server();
    let output = run(
        &server,
        "
        steps:
          - for_each: [only]
            parallel:
              - http: { path: /job }
                until: { $.status: done }
                every: 10ms
                within: 20s
              - http: { path: /never }
                until: { $.path: /else }
                every: 10ms
                within: 15ms
        ",
    );
    let text = output.code_is(1).scrubbed();
    assert!(text.contains("note: `until` did not hold in "), "{text}");
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /job").count(), 3);
}

#[test]
fn an_if_in_a_group_in_a_loop_decides_for_each_item() {
    let server = server();
    let output = run(
        &server,
        "
        vars: { wanted: [b, c] }
        steps:
          - for_each: [a, b, c]
            if: ${{ item in wanted }}
            group:
              - if: ${{ item != 'c' }}
                use: _f.yaml
                with: { n: \"${{ item }}\" }
              - http: { path: \"/${{ item }}\" }
        ",
    );
    output.code_is(0);
    let mut lines = server.lines().split_off(1);
    lines.sort();
    assert_eq!(lines, ["GET /b", "GET /b/a", "GET /b/b", "GET /b/beside", "GET /c"]);
}

#[test]
fn a_failure_deep_inside_ends_what_is_around_it_and_not_what_runs_beside() {
    let server = server();
    let output = run(
        &server,
        "
        name: Deep
        steps:
          - parallel:
              - group:
                  - for_each: [1, 2]
                    group:
                      - http: { path: \"/x/${{ item }}\" }
                        expect: { $.path: /x/2 }
                  - http: { path: /never }
              - group:
                  - sleep: 20ms
                  - http: { path: /beside }
          - http: { path: /never }
        finally:
          - http: { path: /end }
        ",
    );
    let text = output.code_is(1).scrubbed();
    assert!(text.contains("step `http` at a.yaml:7:17"), "{text}");
    assert_eq!(server.lines().split_off(1), ["GET /x/1", "GET /beside", "GET /end"]);
}

#[test]
fn defaults_go_into_every_step_that_takes_them() {
    let server = server();
    let output = run(
        &server,
        "
        defaults:
          headers: { X-All: yes }
          timeout: 10s
          every: 1ms
          within: 30s
          soft: true
        steps:
          - group:
              - parallel:
                  - http: { path: /job }
                    until: { $.status: done }
              - http: { path: /x }
                expect: { $.path: /y }
              - http: { path: /strict }
                headers: { X-All: own }
                expect: { $.path: /y }
                soft: false
          - http: { path: /never }
        ",
    );
    output.code_is(1);
    let requests: Vec<(String, Option<String>)> = server.requests()[1..]
        .iter()
        .map(|request| (request.path.clone(), request.header("x-all").map(str::to_owned)))
        .collect();
    let with = |path: &str, value: &str| (path.to_owned(), Some(value.to_owned()));
    assert_eq!(
        requests,
        [
            with("/job", "yes"),
            with("/job", "yes"),
            with("/job", "yes"),
            with("/x", "yes"),
            with("/strict", "own")
        ]
    );
}
