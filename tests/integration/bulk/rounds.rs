//! Items take their turn in batches, at a rate, several at a time; failures and pauses are everybody's.

use super::{Store, run, sent};
use crate::common::{Answer, Run, text::dedent};
use serde_json::json;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

#[test]
fn a_batch_is_a_list_of_items_and_the_last_one_is_shorter() {
    let store = Store::of(25);
    let server = store.serve(|_, _| None);
    let output = run(
        &server,
        "
        steps:
          - for_each: { get_sessions: {} }
            batch: 10
            concurrency: 2
            max_deletes: 100
            delete_sessions:
              session_ids: ${{ item | map(attribute=\"session_id\") | list }}
              session_types: ${{ item | map(attribute=\"session_type\") | list }}
        ",
        &[],
    )
    .code_is(0);
    let sizes: Vec<usize> = server
        .requests()
        .iter()
        .filter(|request| request.method == "DELETE")
        .map(|request| request.json()["session_ids"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 25);
    assert_eq!(sizes.len(), 3);
    assert!(output.stdout.contains("found 25, done 25, failed 0"), "{output}");
}

#[test]
fn the_failure_of_one_item_does_not_stop_the_others_unless_that_is_asked() {
    for (stop, done) in [("", 9), ("stop_on_failure: true", 4)] {
        let store = Store::of(10);
        let server = store.serve(|_, request| {
            (request.line() == "DELETE /sessions/s-004")
                .then(|| Answer::json(500, &json!({ "detail": "disk full" })))
        });
        let scenario = format!(
            "
            steps:
              - for_each: {{ get_sessions: {{}} }}
                {stop}
                max_deletes: 100
                delete_session: {{ session_id: \"${{{{ item.session_id }}}}\" }}
              - http: {{ path: /never }}
            "
        );
        let output = run(&server, &scenario, &[]).code_is(1);
        assert_eq!(store.deleted().len(), done, "{output}");
        assert!(output.stdout.contains(&format!("found 10, done {done}, failed 1")), "{output}");
        assert!(output.stdout.contains("disk full (s-004)"), "{output}");
        assert!(!server.lines().contains(&"GET /never".to_owned()), "{output}");
    }
}

#[test]
fn what_is_in_flight_finishes_at_the_first_failure() {
    let store = Store::of(40);
    let server = store.serve(|store, request| {
        if request.line() == "DELETE /sessions/s-001" {
            return Some(Answer::json(500, &json!({ "detail": "no" })));
        }
        (request.method == "DELETE").then(|| {
            store.remove(request.path.strip_prefix("/sessions/").unwrap());
            // Answered later than the failure.
            Answer::new().wait(Duration::from_millis(300)).send("HTTP/1.1 204 No Content\r\n\r\n")
        })
    });
    let output = run(
        &server,
        "
        steps:
          - for_each: { get_sessions: {} }
            concurrency: 4
            stop_on_failure: true
            max_deletes: 100
            delete_session: { session_id: \"${{ item.session_id }}\" }
        ",
        &[],
    )
    .code_is(1);
    // The three beside it were answered and are counted; no other one was begun.
    assert_eq!(sent(&server, "DELETE").len(), 4, "{output}");
    assert!(output.stdout.contains("found 40, done 3, failed 1"), "{output}");
}

#[test]
fn the_list_of_a_scenario_is_stopped_by_its_first_failure_and_what_is_in_flight_finishes() {
    let store = Store::of(0);
    let server = store.serve(|_, request| {
        let slow = Answer::json(200, &json!({})).after(Duration::from_millis(200));
        Some(match request.path.as_str() {
            "/1" => Answer::json(500, &json!({ "detail": "no" })),
            path if path.len() == 2 => slow,
            _ => Answer::json(200, &json!({})),
        })
    });
    let scenario = "
        steps:
          - for_each: [1, 2, 3, 4, 5, 6]
            concurrency: 3
            http: { path: \"/${{ item }}\" }
    ";
    let output = run(&server, scenario, &["-v"]).code_is(1);
    assert_eq!(sent(&server, "GET").len(), 3, "{output}");
    assert_eq!(output.stdout.matches("  ok http").count(), 2, "{output}");
}

#[test]
fn a_pause_that_the_server_asks_of_one_is_kept_by_all() {
    let store = Store::of(12);
    let refused = AtomicUsize::new(0);
    let times: std::sync::Arc<Mutex<Vec<Instant>>> = std::sync::Arc::default();
    let seen = std::sync::Arc::clone(&times);
    let server = store.serve(move |_, request| {
        if request.method != "DELETE" {
            return None;
        }
        seen.lock().unwrap().push(Instant::now());
        (refused.fetch_add(1, Ordering::Relaxed) == 3).then(|| {
            Answer::new().send("HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}")
        })
    });
    run(
        &server,
        "
        steps:
          - for_each: { get_sessions: {} }
            concurrency: 3
            max_deletes: 100
            delete_session: { session_id: \"${{ item.session_id }}\" }
        ",
        &[],
    )
    .code_is(0);
    assert_eq!(store.deleted().len(), 12);
    assert!(store.missed().is_empty());
    // After the refusal those in flight may still arrive; then nothing for a second.
    let times = times.lock().unwrap();
    let early =
        times.iter().filter(|time| time.duration_since(times[3]) < Duration::from_millis(900)).count();
    assert!(early <= 6, "{early} requests did not wait");
    assert_eq!(times.len(), 13);
}

#[test]
fn a_rate_spaces_the_rounds() {
    let store = Store::of(6);
    let server = store.serve(|_, _| None);
    let began = Instant::now();
    run(
        &server,
        "
        steps:
          - for_each: { get_sessions: {} }
            rate: 10/s
            concurrency: 6
            max_deletes: 100
            delete_session: { session_id: \"${{ item.session_id }}\" }
        ",
        &[],
    )
    .code_is(0);
    // Six begin in five gaps of a tenth of a second at the least.
    assert!(began.elapsed() >= Duration::from_millis(500));
}

#[test]
fn loops_in_finally_run() {
    let store = Store::of(3);
    let server = store.serve(|_, _| None);
    run(
        &server,
        "
        steps:
          - health: {}
        finally:
          - for_each: { get_sessions: {} }
            max_deletes: 100
            delete_session: { session_id: \"${{ item.session_id }}\" }
          - for_each: [x, y]
            delete_session: { session_id: \"${{ item }}\" }
        ",
        &[],
    )
    .code_is(0);
    assert_eq!(store.deleted().len(), 3);
    assert_eq!(store.missed(), ["x", "y"]);
}

#[test]
fn ctrl_c_lets_what_is_going_on_come_to_its_end_and_begins_nothing_more() {
    let store = Store::of(30);
    let server = store.serve(|store, request| {
        (request.method == "DELETE").then(|| store.answer(request).after(Duration::from_millis(400)))
    });
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            concurrency: 3
            delete_session: { session_id: \"${{ item.session_id }}\" }
    ";
    let running = Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "--yes", "a.yaml"])
        .start();
    while sent(&server, "DELETE").len() < 6 {
        std::thread::sleep(Duration::from_millis(10));
    }
    running.interrupt();
    let output = running.finish().code_is(130);
    let deleted = store.deleted().len();
    assert!((6..30).contains(&deleted), "{output}");
    let counts = format!("found 30, done {deleted}, failed 0, not begun {}", 30 - deleted);
    assert!(output.stdout.contains(&counts), "{counts}: {output}");
}

#[test]
fn a_server_that_is_gone_is_not_asked_for_every_item() {
    let store = Store::of(100);
    let server = store.serve(|store, request| {
        (request.method == "DELETE")
            .then(|| store.answer(request).after(Duration::from_millis(200)).and_close())
    });
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            concurrency: 2
            delete_session: { session_id: \"${{ item.session_id }}\" }
    ";
    let running = Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "--max-deletes", "100", "a.yaml"])
        .start();
    while sent(&server, "DELETE").len() < 4 {
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(server);
    let output = running.finish().code_is(1);
    assert!(
        output.stdout.contains("could not be reached 10 times in a row: nothing more was begun"),
        "{output}"
    );
    assert!(output.stdout.contains("not begun 8"), "{output}");
}

#[test]
fn steps_and_checks_of_all_rounds_are_counted() {
    let store = Store::of(7);
    let server = store.serve(|_, _| None);
    for (around, rounds) in [
        ("for_each: [1, 2, 3]", 3),
        ("for_each: [1, 2, 3]\n            concurrency: 2", 3),
        ("for_each: [1, 2, 3]\n            batch: 2", 2),
        ("for_each: [1, 2, 3]\n            stop_on_failure: false", 3),
        ("for_each: { get_sessions: {} }", 7),
        ("repeat: 4", 4),
    ] {
        let scenario = format!(
            "
        steps:
          - {around}
            group:
              - http: {{ path: /x }}
                expect: {{ status: 200, $: {{ type: object }} }}
              - log: said
            "
        );
        let output = run(&server, &scenario, &[]).code_is(0);
        let loop_step = u32::from(around.contains("get_sessions"));
        let counts = format!("({} steps, {} checks,", rounds * 2 + loop_step, rounds * 2);
        assert!(output.stdout.contains(&counts), "{around}: {counts}: {output}");
    }
}

#[test]
fn a_token_that_expires_meanwhile_is_not_tried_for_every_item() {
    let refusals = [
        (401, "the server refused the credentials 10 times in a row: nothing more was begun"),
        (502, "the server was not there behind its gateway 10 times in a row: nothing more was begun"),
    ];
    for (status, said) in refusals {
        let store = Store::of(100);
        let deletions = AtomicUsize::new(0);
        let server = store.serve(move |_, request| {
            (request.method == "DELETE" && deletions.fetch_add(1, Ordering::Relaxed) >= 40)
                .then(|| Answer::json(status, &json!({ "detail": "no" })))
        });
        let output = run(
            &server,
            "
            steps:
              - for_each: { get_sessions: {} }
                max_deletes: 100
                delete_session: { session_id: \"${{ item.session_id }}\" }
            ",
            &[],
        )
        .code_is(1);
        assert_eq!(sent(&server, "DELETE").len(), 50, "{output}");
        assert!(output.stdout.contains("done 40, failed 10, not begun 50, left 10"), "{output}");
        assert!(output.stdout.contains(said), "{output}");
    }
}

#[test]
fn failures_that_are_not_in_a_row_end_no_loop() {
    let store = Store::of(60);
    let deletions = AtomicUsize::new(0);
    let server = store.serve(move |_, request| {
        // Five of six fail, thus fifty: never ten one after another.
        (request.method == "DELETE" && !deletions.fetch_add(1, Ordering::Relaxed).is_multiple_of(6))
            .then(|| Answer::json(502, &json!({ "detail": "no" })))
    });
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            max_deletes: 100
            delete_session: { session_id: \"${{ item.session_id }}\" }
    ";
    let output = run(&server, scenario, &[]).code_is(1);
    assert_eq!(sent(&server, "DELETE").len(), 60, "{output}");
    assert!(output.stdout.contains("done 10, failed 50, left 50"), "{output}");
}
