//! What a scenario created is deleted in its end, and what a killed run left behind is swept.

use super::Store;
use crate::common::{self, Answer, FakeServer, Run, http, text::dedent};
use serde_json::json;
use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

const CREATES: &str = "
    name: Creates
    cleanup: true
    vars: { user: \"cleanup-${{ run.id }}\" }
    steps:
      - create_session: { agent_id: assistant, user_id: \"${{ user }}\", session_name: Made }
        save: { made: $.session_id }
      - run_agent: { agent_id: assistant, user_id: \"${{ user }}\", message: Hello! }
        save: { talk: $.session_id }
      - run_agent: { agent_id: assistant, user_id: \"${{ user }}\", session_id: \"mine-${{ run.id }}\", message: Hello! }
      - create_memory: { memory: Likes tea., user_id: \"${{ user }}\" }
        save: { memory: $.memory_id }
      - log: \"made ${{ made }} ${{ talk }} mine-${{ run.id }} ${{ memory }} of ${{ user }}\"
";

/// The ids that the scenario logged, and the user.
fn logged(stdout: &str) -> (Vec<String>, String) {
    let line = stdout.lines().find_map(|line| line.trim().strip_prefix("log: made ")).expect(stdout);
    let (ids, user) = line.split_once(" of ").unwrap();
    (ids.split(' ').map(str::to_owned).collect(), user.to_owned())
}

fn is_empty(url: &str, user: &str) {
    for list in ["sessions", "memories"] {
        let answer = http::get(url, &format!("/{list}?user_id={user}")).json();
        assert_eq!(answer["data"], json!([]), "{list}: {answer:#}");
    }
}

#[test]
fn what_a_scenario_created_is_gone_whether_it_passes_or_fails() {
    let url = common::agentos().base_url();
    let scenario = CREATES;
    for end in ["", "      - assert: [\"${{ 1 == 2 }}\"]\n"] {
        let code = i32::from(!end.is_empty());
        let output = Run::new()
            .file("a.yaml", dedent(&format!("{scenario}{end}")))
            .args(["--base-url", url, "a.yaml"])
            .run()
            .code_is(code);
        let (_, user) = logged(&output.stdout);
        is_empty(url, &user);
        assert!(!output.dir().join(".agentos-run").join("ledger").exists(), "{output}");
    }
}

#[test]
fn a_session_that_was_there_before_stays() {
    let url = common::agentos().base_url();
    let id = format!("before-{}", std::process::id());
    let run = |scenario: &str| {
        Run::new()
            .file("a.yaml", dedent(scenario))
            .args(["--base-url", url, "--var", &format!("id={id}"), "a.yaml"])
            .run()
    };
    run("
        vars: { id: x }
        steps:
          - create_session: { session_id: \"${{ id }}\", agent_id: assistant }
    ")
    .code_is(0);
    run("
        vars: { id: x }
        cleanup: true
        steps:
          - run_agent: { agent_id: assistant, session_id: \"${{ id }}\", message: Hello! }
    ")
    .code_is(0);
    assert_eq!(http::get(url, &format!("/sessions/{id}")).status, 200);
    run("
        vars: { id: x }
        steps:
          - delete_session: { session_id: \"${{ id }}\" }
    ")
    .code_is(0);
}

#[test]
fn the_project_file_says_it_for_all_scenarios_and_a_scenario_otherwise() {
    let store = Store::of(0);
    let server = store.serve(|store, request| {
        (request.method == "POST" && request.path.starts_with("/sessions")).then(|| {
            let id = request.json()["session_id"].as_str().unwrap_or("chosen").to_owned();
            store.insert(0, &id);
            Answer::json(201, &json!({ "session_id": id }))
        })
    });
    let one = "
        name: One
        steps:
          - create_session: { agent_id: assistant, session_id: one }
    ";
    let two = "
        name: Two
        cleanup: false
        steps:
          - create_session: { agent_id: assistant, session_id: two }
    ";
    Run::new()
        .file("agentos-run.yaml", "cleanup: true\n")
        .file("one.yaml", dedent(one))
        .file("two.yaml", dedent(two))
        .args(["--base-url", &server.base_url(), "one.yaml", "two.yaml"])
        .run()
        .code_is(0);
    assert_eq!(store.ids(), ["two"]);
}

/// Creates a session and is then kept waiting, until it is killed.
fn left_behind(server: &FakeServer) -> common::Output {
    let scenario = "
        name: Left
        cleanup: true
        steps:
          - create_session: { agent_id: assistant, session_name: x }
          - http: { path: /wait }
    ";
    let output = Run::new().file("a.yaml", dedent(scenario)).arg("--version").run();
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .current_dir(output.dir())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !server.lines().contains(&"GET /wait".to_owned()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let running = output.then().args(["sweep", "--yes", "--base-url", &server.base_url()]).run().code_is(0);
    assert!(running.stderr.contains("1 run still going on"), "{running}");
    child.kill().unwrap();
    child.wait().unwrap();
    output
}

fn waiting(store: &Store) -> FakeServer {
    store.serve(|store, request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/wait") => Some(Answer::silence()),
        ("POST", path) if path.starts_with("/sessions") => {
            let id = request.json()["session_id"].as_str().unwrap().to_owned();
            store.insert(0, &id);
            Some(Answer::json(201, &json!({ "session_id": id })))
        }
        _ => None,
    })
}

#[test]
fn sweep_deletes_what_a_killed_run_left_behind_and_nothing_else() {
    let store = Store::of(3);
    let server = waiting(&store);
    let folder = left_behind(&server);
    assert_eq!(store.ids().len(), 4);
    let sweep = |arguments: &[&str]| {
        folder.then().args(["sweep", "--base-url", &server.base_url()]).args(arguments).run()
    };
    let shown = sweep(&["--dry-run"]).code_is(0);
    assert!(shown.stdout.contains("by `Left`"), "{shown}");
    let asked = sweep(&[]).code_is(2);
    assert!(asked.stderr.contains("nobody is there to be asked"), "{asked}");
    assert_eq!(store.ids().len(), 4);
    // On another server there is nothing of it.
    let other = Store::of(1);
    let elsewhere = other.serve(|_, _| None);
    let nothing =
        folder.then().args(["sweep", "--yes", "--base-url", &elsewhere.base_url()]).run().code_is(0);
    assert!(nothing.stdout.contains("nothing was left behind on"), "{nothing}");
    assert_eq!(other.ids().len(), 1);
    let swept = sweep(&["--yes"]).code_is(0);
    assert!(swept.stdout.contains("deleted 1, failed 0"), "{swept}");
    assert_eq!(store.ids(), ["s-000", "s-001", "s-002"]);
    assert!(!folder.dir().join(".agentos-run/ledger").exists());
    let nothing = sweep(&["--yes"]).code_is(0);
    assert!(nothing.stdout.contains("nothing was left behind"), "{nothing}");
}

#[test]
fn what_cannot_be_deleted_fails_the_scenario_and_stays_in_the_ledger() {
    let store = Store::of(0);
    let server = store.serve(|store, request| match request.method.as_str() {
        "POST" => {
            let id = request.json()["session_id"].as_str().unwrap().to_owned();
            store.insert(0, &id);
            Some(Answer::json(201, &json!({ "session_id": id })))
        }
        "DELETE" => Some(Answer::json(403, &json!({ "detail": "not allowed" }))),
        _ => None,
    });
    let scenario = "
        name: Left
        cleanup: true
        steps:
          - create_session: { agent_id: assistant }
    ";
    let output = super::run(&server, scenario, &[]).code_is(1);
    assert!(output.stdout.contains("1 of 1 could not be deleted"), "{output}");
    assert!(output.stdout.contains("not allowed"), "{output}");
    assert_eq!(fs::read_dir(output.dir().join(".agentos-run/ledger")).unwrap().count(), 1);
}
