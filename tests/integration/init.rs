//! `agentos-run init`: a project that passes, and nothing overwritten.

use crate::common::{self, Answer, FakeServer, Run};
use serde_json::json;
use std::path::Path;

#[test]
fn the_starter_project_passes() {
    let output = Run::new().args(["init", "mine"]).run().code_is(0);
    assert_eq!(
        output.stdout,
        "wrote mine/agentos-run.yaml\nwrote mine/scenarios/first.yaml\nwrote mine/agentos-run.schema.json\n\
         run it with: cd mine && agentos-run\n"
    );
    let scenario = output.read("mine/scenarios/first.yaml");
    assert!(
        scenario.starts_with("# yaml-language-server: $schema=../agentos-run.schema.json\n"),
        "{scenario}"
    );
    serde_json::from_str::<serde_json::Value>(&output.read("mine/agentos-run.schema.json")).unwrap();
    let passed = output.then().args(["--embedded", "mine/scenarios"]).run().code_is(0);
    assert!(passed.stdout.contains("1 scenario: 1 passed"), "{passed}");
}

#[test]
fn the_project_is_found_from_inside() {
    let output = Run::new().arg("init").run().code_is(0);
    assert!(output.stdout.ends_with("run it with: agentos-run\n"), "{output}");
    output.then().run().code_is(0);
}

#[test]
fn what_is_there_is_left_alone() {
    let output = Run::new().file("scenarios/first.yaml", "mine").arg("init").run().code_is(0);
    assert!(output.stdout.contains("left scenarios/first.yaml as it is\n"), "{output}");
    assert_eq!(output.read("scenarios/first.yaml"), "mine");
    let before = output.read("agentos-run.yaml");
    let again = output.then().arg("init").run().code_is(0);
    assert!(!again.stdout.contains("wrote"), "{again}");
    assert_eq!(again.read("agentos-run.yaml"), before);
}

#[test]
fn a_server_that_is_named_is_asked_for_its_agents() {
    let url = common::agentos().base_url();
    let output = Run::new().args(["init", "--base-url", url]).run().code_is(0);
    assert!(output.read("scenarios/first.yaml").contains("  agent: assistant\n"));
    assert!(output.read("agentos-run.yaml").contains(url));
    let passed = output.then().run().code_is(0);
    assert!(passed.stdout.contains(url) && passed.stdout.contains("1 passed"), "{passed}");
}

#[test]
fn without_agents_it_takes_a_team_and_says_which_database() {
    let config = json!({
        "os_id": "os", "databases": ["one", "two"], "agents": [], "workflows": [],
        "teams": [{ "id": "on: call", "db_id": "two" }],
    });
    let server = FakeServer::always(Answer::json(200, &config));
    let output = Run::new().arg("init").env("AGENTOS_URL", server.base_url()).run().code_is(0);
    let scenario = output.read("scenarios/first.yaml");
    for part in
        ["  team: \"on: call\"\n", "    run_team:\n      team_id: ${{ team }}\n", "{ db_id: \"two\" }"]
    {
        assert!(scenario.contains(part), "{part} in\n{scenario}");
    }
    output.then().arg("check").run().code_is(0);
}

#[test]
fn a_server_that_is_down_or_has_nothing_stops_it() {
    let output = Run::new().args(["init", "--base-url", &common::nobody_listens()]).run().code_is(3);
    assert!(!Path::new(output.dir()).join("agentos-run.yaml").exists());
    let empty = FakeServer::always(Answer::json(200, &json!({ "os_id": "os" })));
    let output = Run::new().args(["init", "--base-url", &empty.base_url()]).run().code_is(3);
    assert!(output.stderr.contains("no agents, teams or workflows"), "{output}");
}
