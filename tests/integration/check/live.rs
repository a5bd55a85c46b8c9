//! `check --live`: what scenarios name is there, or it is said what is not, before anything runs.

use super::messages;
use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::json;

/// A server that has one of each, and two operations.
fn server() -> FakeServer {
    FakeServer::new(|request| match request.path.as_str() {
        "/config" => Answer::json(
            200,
            &json!({
                "agents": [{ "id": "assistant" }, { "id": "toolbox" }],
                "teams": [],
                "workflows": [{ "id": "flow" }],
                "databases": ["main-db"],
            }),
        ),
        "/openapi.json" => Answer::json(
            200,
            &json!({ "paths": {
                "/agents/{agent_id}/runs": { "post": {} },
                "/teams/{team_id}/runs": { "post": {} },
                "/workflows/{id}/runs": { "post": {} },
                "/sessions": { "get": {}, "post": {} },
            } }),
        ),
        "/health" => Answer::json(200, &json!({ "status": "ok" })),
        _ => Answer::json(404, &json!({ "detail": "Not Found" })),
    })
}

fn check(server: &FakeServer, text: &str) -> Output {
    let fragment = "params: [team]\nsteps: [{ run_team: { team_id: \"${{ team }}\", message: x } }]\n";
    let run = Run::new().file("_f.yaml", fragment).file("a.yaml", dedent(text));
    run.args(["check", "--live", "--base-url", &server.base_url(), "a.yaml"]).run()
}

#[test]
fn what_is_not_there_is_found_with_what_was_meant() {
    let server = server();
    let output = check(
        &server,
        "
        vars: { agent: assitant }
        steps:
          - run_agent: { agent_id: \"${{ agent }}\", message: x }
          - for_each: [assistant, toolbx]
            run_agent: { agent_id: \"${{ item }}\", message: x }
          - { use: _f.yaml, with: { team: crew } }
          - conversation: { agent_id: nobody, turns: [{ user: x }, { user: y }] }
          - run_workflow: { workflow_id: flow, message: x }
          - get_sessions: { db_id: other-db }
          - get_metrics: {}
        ",
    );
    let text = output.code_is(2).stderr;
    assert_eq!(
        messages(&text),
        [
            "this AgentOS has no agent `assitant`",
            "this AgentOS has no agent `toolbx`",
            "this AgentOS has no agent `nobody`",
            "this AgentOS has no database `other-db`",
            "this AgentOS has no get_metrics",
            "this AgentOS has no team `crew`",
        ],
        "{text}"
    );
    for help in
        ["did you mean `assistant`?", "did you mean `toolbox`?", "it has no teams at all", "[_f.yaml:2:"]
    {
        assert!(text.contains(help), "{help}: {text}");
    }
    assert!(server.lines().iter().all(|line| line.starts_with("GET ")), "only questions are sent");
}

#[test]
fn what_a_run_alone_can_know_and_what_is_expected_to_be_missing_is_no_finding() {
    let server = server();
    let output = check(
        &server,
        "
        vars: { agent: toolbox }
        steps:
          - run_agent: { agent_id: nobody, message: x }
            expect: { status: 404 }
          - if: ${{ agent == 'other' }}
            run_agent: { agent_id: nobody, message: x }
          - get_sessions: { component_id: gone }
            save: { agent: $.data }
          - run_agent: { agent_id: \"${{ agent }}\", message: x }
          - set: { agent: nobody }
          - run_agent: { agent_id: \"${{ agent }}\", message: x }
        ---
        name: Elsewhere
        requires: { agents: [nobody] }
        steps:
          - run_agent: { agent_id: nobody, message: x }
        ",
    );
    let output = output.code_is(0);
    assert!(
        output.stdout.starts_with("no problems: 2 scenarios in 1 file; all that they name is on "),
        "{output}"
    );
    assert!(
        output.stderr.contains("would be skipped: Elsewhere: this AgentOS has no agent `nobody`"),
        "{output}"
    );
}

#[test]
fn each_case_is_looked_at() {
    let server = server();
    let output = check(
        &server,
        "
        cases: [{ agent: assistant }, { agent: nobody }, { agent: nobody }]
        steps:
          - run_agent: { agent_id: \"${{ case.agent }}\", message: x }
        ",
    );
    assert_eq!(messages(&output.code_is(2).stderr), ["this AgentOS has no agent `nobody`"]);
}

#[test]
fn a_server_that_is_not_there() {
    let run = Run::new().file("a.yaml", "steps: [{ get_config: {} }]\n");
    let output =
        run.args(["check", "--live", "--base-url", &crate::common::nobody_listens(), "a.yaml"]).run();
    assert!(output.code_is(3).stderr.contains("target::unreachable"));
}

#[test]
fn only_what_is_asked_for_is_held_against_the_target() {
    let server = server();
    let text = "
        name: One
        tags: [smoke]
        steps: [{ run_agent: { agent_id: assistant, message: x } }]
        ---
        name: Two
        steps: [{ run_agent: { agent_id: nobody, message: x } }]
    ";
    let run = |arguments: &[&str]| {
        let run = Run::new().file("a.yaml", dedent(text));
        run.args(["check", "--base-url", &server.base_url(), "a.yaml"]).args(arguments).run()
    };
    run(&["--live"]).code_is(2);
    for selection in [["--tag", "smoke"], ["--filter", "One"]] {
        run(&[&["--live"][..], &selection].concat()).code_is(0);
        // Without the target, all of the files is checked.
        let refused = run(&selection).code_is(2);
        assert!(refused.stderr.contains("--live"), "{refused}");
    }
    let nothing = run(&["--live", "--filter", "Three"]).code_is(4);
    assert!(nothing.stderr.contains("no scenario matched: 2 scenarios"), "{nothing}");
}
