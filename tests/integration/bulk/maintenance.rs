//! The recipes of `scenarios/maintenance`, on data that is not their own, on a real AgentOS.

use crate::common::{self, Output, Run, agentos::at_least, http};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

fn recipe(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios/maintenance").join(format!("{name}.yaml"))
}

fn url() -> &'static str {
    common::agentos().base_url()
}

/// Runs a recipe in a folder of its own.
fn run(name: &str, arguments: &[&str]) -> Output {
    Run::new().args(["--base-url", url()]).args(arguments).arg(recipe(name)).run()
}

/// A user with sessions of these names.
fn user(test: &str, names: &[&str]) -> String {
    let user = format!("{test}-{}", std::process::id());
    for name in names {
        let body = json!({ "agent_id": "assistant", "user_id": user, "session_name": name });
        let headers = [("Content-Type", "application/json")];
        let answer =
            http::request(url(), "POST", "/sessions?type=agent", &headers, &body.to_string()).unwrap();
        assert_eq!(answer.status, 201);
    }
    user
}

fn names(user: &str) -> Vec<String> {
    let list = http::get(url(), &format!("/sessions?limit=100&user_id={user}")).json();
    let data: Vec<Value> = list["data"].as_array().unwrap().clone();
    let mut names: Vec<String> =
        data.iter().map(|session| session["session_name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn deleting_by_name_takes_the_names_alone_and_wants_consent() {
    let user = user("by-name", &["tmp-1", "tmp-2", "Report"]);
    let who = format!("user={user}");
    let output = run("delete_by_name", &["--var", &who]).code_is(1);
    assert!(output.stdout.contains("nothing was deleted"), "{output}");
    run("delete_by_name", &["--var", &who, "--dry-run"]).code_is(0);
    assert_eq!(names(&user).len(), 3);
    let output = run("delete_by_name", &["--var", &who, "--max-deletes", "2"]).code_is(0);
    assert!(output.stdout.contains("found 2 of 3, done 2, failed 0, left 0"), "{output}");
    assert_eq!(names(&user), ["Report"]);
    run("delete_by_user", &["--var", &who, "--yes"]).code_is(0);
    assert!(names(&user).is_empty());
}

#[test]
fn deleting_by_age_leaves_what_is_younger() {
    let user = user("by-age", &["new"]);
    let who = format!("user={user}");
    let output = run("delete_by_age", &["--var", &who, "--yes"]).code_is(0);
    assert!(output.stdout.contains("found 0 of 1, done 0"), "{output}");
    assert_eq!(names(&user), ["new"]);
    run("delete_by_age", &["--var", &who, "--var", "older_than=0s", "--yes"]).code_is(0);
    assert!(names(&user).is_empty());
}

#[test]
fn an_export_has_a_line_for_each_session_and_is_never_overwritten() {
    let user = user("export", &["one", "two", "three"]);
    let who = format!("user={user}");
    let arguments = ["--var", &who, "--var", "to=out/sessions.jsonl"];
    let output = run("export_sessions", &arguments).code_is(0);
    let text = fs::read_to_string(output.dir().join("out/sessions.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines.iter().all(|line| line["runs"] == json!([])));
    // In older versions, the list does not say whose its sessions are.
    assert!(!at_least(2, 6) || lines.iter().all(|line| line["session"]["user_id"] == user), "{text}");
    let again = output
        .then()
        .args(["--base-url", url()])
        .args(arguments)
        .arg(recipe("export_sessions"))
        .run()
        .code_is(1);
    assert!(again.stdout.contains("it is there already"), "{again}");
    assert_eq!(fs::read_to_string(output.dir().join("out/sessions.jsonl")).unwrap(), text);
    run("delete_by_user", &["--var", &who, "--yes"]).code_is(0);
}

#[test]
fn renaming_takes_groups_of_the_pattern() {
    let user = user("rename", &["draft: a", "draft: b", "Report"]);
    let who = format!("user={user}");
    run("rename_by_pattern", &["--var", &who, "--var", "pattern=^draft. (.*)$", "--var", "new=final $1"])
        .code_is(0);
    assert_eq!(names(&user), ["Report", "final a", "final b"]);
    run("delete_by_user", &["--var", &who, "--yes"]).code_is(0);
}
