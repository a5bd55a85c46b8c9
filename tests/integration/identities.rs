//! Identities: who asks is what a token says, and no token is shown.

use crate::common::{
    Answer, FakeServer, Output, Run,
    agentos::{Settings, at_least},
};
use serde_json::json;
use std::{fs, path::Path};

const SECRET: &str = "a-secret-of-at-least-32-characters";

/// The files of `examples/identities`.
fn example() -> Run {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/identities");
    ["agentos-run.yaml", "isolation.yaml"]
        .into_iter()
        .fold(Run::new(), |run, name| run.file(name, fs::read_to_string(folder.join(name)).unwrap()))
        .env("AGENTOS_JWT_SECRET", SECRET)
}

#[cfg(feature = "emulator")]
#[test]
fn the_example_runs_by_one_command() {
    let port = crate::common::agentos::free_port().to_string();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/identities/agentos-run.yaml");
    let project = fs::read_to_string(project).unwrap().replace("7797", &port);
    // The project file starts `agentos-run` by its name.
    let folder = Path::new(env!("CARGO_BIN_EXE_agentos-run")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = example().file("agentos-run.yaml", project).env("PATH", path).run().code_is(0);
    assert!(output.stdout.contains("PASS Users are kept apart, and only good tokens count"), "{output}");
    assert_silent(&output);
}

/// Every token with a head in JSON begins like this.
fn assert_silent(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        assert!(!text.contains("eyJ") && !text.contains(SECRET), "{output}");
    }
}

#[test]
fn the_example_passes_where_users_are_kept_apart() {
    if !at_least(3, 0) {
        return;
    }
    let server = Settings::default().jwt(SECRET).user_isolation().start();
    // One that fails, too: its request is shown as a command.
    let fails = "as: bob\nsteps:\n  - list_agents: {}\n    expect: { status: 418 }\n";
    let output = example()
        .file("fails.yaml", fails)
        .env("DEMO_OS_URL", server.base_url())
        // Without a path, the scenarios are those beside the project file.
        .args(["--target", "deployed", "-vv"])
        .run()
        .code_is(1);
    assert!(output.stdout.contains("PASS Users are kept apart, and only good tokens count"), "{output}");
    assert!(output.stdout.contains("1 passed, 1 failed"), "{output}");
    assert!(output.stdout.contains("authorization: Bearer ***"), "{output}");
    assert_silent(&output);
    // The identity of the target serves single calls as well.
    let output = example()
        .env("DEMO_OS_URL", server.base_url())
        .args(["call", "--target", "deployed", "get_agent", "agent_id=assistant", "-v"])
        .run()
        .code_is(0);
    assert_silent(&output);
}

/// A server that says nothing and hears who asks.
fn listener() -> FakeServer {
    FakeServer::always(Answer::json(200, &json!([])))
}

#[test]
fn the_step_comes_before_the_scenario_and_that_before_the_target() {
    let server = listener();
    let project = format!(
        "targets: {{ default: {{ base_url: {}, as: target }} }}\n\
         identities:\n  target: {{ bearer: of-the-target }}\n  scenario: {{ bearer: of-the-scenario }}\n  \
         step: {{ headers: {{ authorization: of-the-step, x-tenant: acme }} }}\n",
        server.base_url()
    );
    let output = Run::new()
        .file("agentos-run.yaml", project)
        .file("a.yaml", "as: scenario\nsteps:\n  - list_agents: {}\n  - as_user: step\n    list_agents: {}\n")
        .file("b.yaml", "steps:\n  - list_agents: {}\n")
        .args(["-vv", "a.yaml", "b.yaml"])
        .run()
        .code_is(0);
    let requests = server.requests();
    let said: Vec<_> = requests.iter().map(|request| request.header("authorization")).collect();
    // The first is the one that asks whether the server is there.
    let target = Some("Bearer of-the-target");
    assert_eq!(said, [target, Some("Bearer of-the-scenario"), Some("of-the-step"), target], "{output}");
    assert_eq!(requests[2].header("x-tenant"), Some("acme"));
    assert!(!output.stdout.contains("of-the-"), "{output}");
}

#[test]
fn a_target_of_an_unknown_identity() {
    let project = "targets:\n  default:\n    base_url: embedded\n    as: alcie\nidentities: { alice: { bearer: token } }\n";
    let output = Run::new()
        .file("agentos-run.yaml", project)
        .file("a.yaml", "steps:\n  - list_agents: {}\n")
        .arg("a.yaml")
        .run()
        .code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    identity::unknown

      × the project file has no identity `alcie`
       ╭─[agentos-run.yaml:4:9]
     3 │     base_url: embedded
     4 │     as: alcie
       ·         ──┬──
       ·           ╰── unknown identity
     5 │ identities: { alice: { bearer: token } }
       ╰────
      help: did you mean `alice`?
    ");
}
