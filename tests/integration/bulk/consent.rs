//! Nobody deletes 40,000 sessions by mistake: dry runs, limits, a question.

use super::{Store, run, sent};
use crate::common::{Run, text::dedent};
use std::process::{Command, Stdio};

const STALE: &str = "
    name: Delete what is temporary
    steps:
      - create_session: { session_id: own, agent_id: assistant }
      - for_each: { get_sessions: {}, where: \"${{ item.session_name is matches('Name [0-9]*[02468]$') }}\" }
        batch: 10
        delete_sessions:
          session_ids: ${{ item | map(attribute=\"session_id\") | list }}
          session_types: ${{ item | map(attribute=\"session_type\") | list }}
      - for_each: [x, y]
        delete_session: { session_id: \"${{ item }}\" }
";

#[test]
fn a_dry_run_sends_only_reads_and_shows_the_plan() {
    let store = Store::of(50);
    let server = store.serve(|_, _| None);
    let output = run(&server, STALE, &["--dry-run", "--max-deletes", "20"]).code_is(0);
    assert!(server.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", server.lines());
    assert!(store.deleted().is_empty());
    insta::assert_snapshot!(output.scrubbed());
}

#[test]
fn where_nobody_can_be_asked_a_loop_that_deletes_needs_a_word() {
    let store = Store::of(50);
    let server = store.serve(|_, _| None);
    let output = run(&server, STALE, &[]).code_is(1);
    assert!(sent(&server, "DELETE").is_empty());
    insta::assert_snapshot!(output.scrubbed());
    let output = run(&server, STALE, &["--max-deletes", "24"]).code_is(1);
    assert!(sent(&server, "DELETE").is_empty());
    assert!(
        output.stdout.contains("this would delete 25, and --max-deletes allows 24: nothing was deleted"),
        "{output}"
    );
    run(&server, STALE, &["--max-deletes", "25"]).code_is(0);
    assert_eq!(store.deleted().len(), 25);
}

#[test]
fn yes_is_a_word_too_and_so_is_a_limit_in_the_step() {
    let store = Store::of(50);
    let server = store.serve(|_, _| None);
    run(&server, STALE, &["--yes"]).code_is(0);
    assert_eq!(store.deleted().len(), 25);
    let limited = STALE.replace("batch: 10", "max_deletes: 24\n        batch: 10");
    let store = Store::of(50);
    let server = store.serve(|_, _| None);
    let output = run(&server, &limited, &[]).code_is(1);
    assert!(output.stdout.contains("more than `max_deletes: 24`"), "{output}");
    run(&server, &limited.replace("24", "25"), &[]).code_is(0);
    assert_eq!(store.deleted().len(), 25);
}

#[test]
fn a_limit_of_the_command_line_goes_for_steps_without_a_loop_too() {
    let store = Store::of(10);
    let server = store.serve(|_, _| None);
    let two = "
        steps:
          - delete_sessions: { session_ids: [s-001, s-002], session_types: agent }
    ";
    let output = run(&server, &two.replace("types: agent", "types: [agent, agent]"), &["--max-deletes", "1"])
        .code_is(1);
    assert!(output.stdout.contains("this would delete 2, and --max-deletes allows 1"), "{output}");
    let all = "
        steps:
          - delete_all_knowledge_content: {}
    ";
    let output = run(&server, all, &["--max-deletes", "1"]).code_is(1);
    assert!(output.stdout.contains("all of it"), "{output}");
    assert!(sent(&server, "DELETE").is_empty());
}

#[test]
fn what_clears_or_deletes_by_http_is_asked_about_too() {
    let store = Store::of(3);
    let server = store.serve(|_, _| None);
    for action in [
        "clear_session: { session_id: \"${{ item.session_id }}\" }",
        "http: { method: DELETE, path: \"/sessions/${{ item.session_id }}\" }",
        "group: [{ get_session: { session_id: x } }, { delete_session: { session_id: \"${{ item.session_id }}\" } }]",
    ] {
        let scenario = format!(
            "
            steps:
              - for_each: {{ get_sessions: {{}} }}
                {action}
        "
        );
        let output = run(&server, &scenario, &[]).code_is(1);
        assert!(output.stdout.contains("nobody is there to be asked"), "{output}");
    }
    assert!(server.lines().iter().all(|line| line.starts_with("GET ")), "{:?}", server.lines());
}

/// Runs on a terminal that `script` makes, and types.
fn on_a_terminal(server: &str, typed: &str) -> (String, bool) {
    let output = Run::new().file("a.yaml", dedent(STALE)).arg("--version").run();
    let command = format!("{} --base-url {server} --color never a.yaml", env!("CARGO_BIN_EXE_agentos-run"));
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(output.dir())
        .env_remove("CI")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8_lossy(&output.stdout).replace('\r', ""), output.status.success())
}

#[test]
fn on_a_terminal_somebody_is_asked_once_with_the_count() {
    let store = Store::of(50);
    let server = store.serve(|_, _| None);
    let (said, passed) = on_a_terminal(&server.base_url(), "n\n");
    assert!(!passed && said.contains("delete_sessions for 25 of 50 items on http"), "{said}");
    assert!(said.contains("\n  s-000  Name 0  2026-01-01"), "a sample: {said}");
    assert!(said.contains("\n  ... and 20 more\n"), "{said}");
    assert!(said.contains("Go on? [y/N]") && said.contains("nobody agreed, nothing was deleted"), "{said}");
    assert!(store.deleted().is_empty());
    // Who only presses Enter, or says something else, has not agreed.
    for typed in ["\n", "yeah?\n", "\u{4}"] {
        let (said, passed) = on_a_terminal(&server.base_url(), typed);
        assert!(!passed && said.contains("nobody agreed"), "{typed:?}: {said}");
        assert!(store.deleted().is_empty(), "{typed:?}");
    }
    let (said, passed) = on_a_terminal(&server.base_url(), "y\n");
    assert!(passed, "{said}");
    assert_eq!(said.matches("Go on?").count(), 1, "{said}");
    assert_eq!(store.deleted().len(), 25);
}

#[test]
fn what_the_server_keeps_though_it_said_otherwise_is_left_and_a_failure() {
    let store = Store::of(30);
    let server = store.serve(|store, request| {
        // It answers 204 for two of another user and leaves them.
        (request.method == "DELETE").then(|| {
            for id in request.json()["session_ids"].as_array().unwrap() {
                if !["s-004", "s-020"].contains(&id.as_str().unwrap()) {
                    store.remove(id.as_str().unwrap());
                }
            }
            crate::common::Answer::new().send("HTTP/1.1 204 No Content\r\n\r\n")
        })
    });
    let output = run(&server, STALE.split("      - for_each: [x").next().unwrap(), &["--yes"]).code_is(1);
    assert!(output.stdout.contains("found 15 of 30, done 13, failed 2, left 2"), "{output}");
    assert!(output.stdout.contains("they are still there (s-004, s-020)"), "{output}");
}

#[test]
fn a_dry_run_changes_nothing_by_whatever_means() {
    let steps = "
          - http: { method: POST, path: /a }
          - http: { method: PUT, path: /a }
          - http: { method: PATCH, path: /a }
          - http: { method: DELETE, path: /a }
          - update_session: { session_id: s-001, session_name: n }
          - update_memory: { memory_id: m, memory: words, user_id: u }
          - rename_session: { session_id: s-001, session_name: n }
          - clear_session: { session_id: s-001, session_type: agent }
          - delete_session: { session_id: s-001 }
          - run_agent: { agent_id: a, message: hi, stream: true }
          - cancel_agent_run: { agent_id: a, run_id: r }
          - write: { file: out.txt, line: words, existing: replace }
          - group: [{ http: { method: POST, path: /a } }, { write: { file: out.txt, line: words, existing: append } }]
          - parallel: [{ http: { method: POST, path: /a } }, { create_session: { agent_id: a } }]
          - conversation: { agent_id: a, turns: [{ user: hi }] }
          - http: { method: POST, path: /a }
            until: { status: 200 }
            within: 1s
          - repeat: 2
            http: { method: POST, path: /a }
          - for_each: { get_sessions: {} }
            batch: 2
            group: [{ http: { method: PUT, path: /a } }, { delete_session: { session_id: \"${{ item[0].session_id }}\" } }]
          - for_each: [1, 2]
            concurrency: 2
            use: part.yaml
    ";
    let part = "params: []\nsteps:\n  - http: { method: POST, path: /a }\n  - delete_session: { session_id: s-001 }\nreturns: { x: 1 }\n";
    let scenario = |place: &str| {
        let rest = if place == "steps" { "" } else { "\n        steps: [{ http: { path: /read } }]" };
        dedent(&format!("\n        cleanup: true\n        {place}:{steps}{rest}"))
    };
    for place in ["setup", "steps", "finally"] {
        let store = Store::of(5);
        let server = store.serve(|_, _| None);
        let output = Run::new()
            .file("a.yaml", scenario(place))
            .file("part.yaml", part)
            .file("out.txt", "mine\n")
            .args([
                "--base-url",
                &server.base_url(),
                "a.yaml",
                "--dry-run",
                "--yes",
                "--journal",
                "job.jsonl",
            ])
            .run()
            .code_is(0);
        let lines = server.lines();
        assert!(lines.iter().all(|line| line.starts_with("GET ")), "{lines:?}");
        assert_eq!(output.read("out.txt"), "mine\n");
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(output.stdout.contains(&format!("-X {method} ")), "{method}: {output}");
        }
        assert!(output.stdout.contains("would write to out.txt: words"), "{output}");
        assert!(!output.dir().join(".agentos-run/ledger").exists(), "{output}");
        assert!(!output.dir().join("job.jsonl").exists(), "{output}");
    }
}

#[test]
fn what_could_not_be_deleted_is_left_too() {
    let store = Store::of(5);
    let server = store.serve(|_, request| {
        let refused = request.method == "DELETE" && request.path.contains("s-003");
        refused.then(|| crate::common::Answer::json(403, &serde_json::json!({ "detail": "not yours" })))
    });
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            delete_session: { session_id: \"${{ item.session_id }}\" }
    ";
    let output = run(&server, scenario, &["--yes"]).code_is(1);
    assert!(output.stdout.contains("found 5, done 4, failed 1, left 1"), "{output}");
}

#[test]
fn what_a_condition_left_out_of_a_round_is_not_left_behind() {
    let store = Store::of(5);
    let server = store.serve(|_, _| None);
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            group:
              - log: looked at
              - if: ${{ item.session_id != 's-003' }}
                delete_session: { session_id: \"${{ item.session_id }}\" }
    ";
    let output = run(&server, scenario, &["--yes"]).code_is(0);
    assert_eq!(store.ids(), ["s-003"], "{output}");
    assert!(output.stdout.contains("found 5, done 5, failed 0"), "{output}");
}
