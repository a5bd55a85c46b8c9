//! A journal: a killed job goes on where it broke off, and does nothing twice.

use super::{Store, sent};
use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::json;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const DELETE: &str = "
    name: Delete
    steps:
      - for_each: { get_sessions: { limit: 20 }, where: \"${{ item.session_name is matches('[^3]$') }}\" }
        concurrency: 3
        batch: 2
        delete_sessions:
          session_ids: ${{ item | map(attribute=\"session_id\") | list }}
          session_types: ${{ item | map(attribute=\"session_type\") | list }}
";

fn first(server: &FakeServer, scenario: &str, arguments: &[&str]) -> Output {
    Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "--yes", "--journal", "job.jsonl", "a.yaml"])
        .args(arguments)
        .run()
}

fn again(before: &Output, server: &FakeServer, arguments: &[&str]) -> Output {
    before
        .then()
        .args(["--base-url", &server.base_url(), "--yes", "--journal", "job.jsonl", "a.yaml"])
        .args(arguments)
        .run()
}

#[test]
fn what_failed_is_tried_again_and_what_is_done_is_not() {
    let store = Store::of(20);
    let refusing = Arc::new(AtomicUsize::new(1));
    let refuse = Arc::clone(&refusing);
    let server = store.serve(move |_, request| {
        let wanted = request.method == "POST" && request.path.contains("s-00");
        let refused = wanted && refuse.load(Ordering::Relaxed) == 1 && request.path.contains("s-005");
        refused.then(|| Answer::json(500, &json!({ "detail": "no" })))
    });
    let rename = "
        steps:
          - for_each: { get_sessions: {} }
            rename_session: { session_id: \"${{ item.session_id }}\", session_name: \"New ${{ item.session_name }}\" }
    ";
    let output = first(&server, rename, &[]).code_is(1);
    assert!(output.stdout.contains("found 20, done 19, failed 1"), "{output}");
    refusing.store(0, Ordering::Relaxed);
    let output = again(&output, &server, &[]).code_is(0);
    assert!(output.stdout.contains("found 20, done 20 (19 before), failed 0"), "{output}");
    let posts = sent(&server, "POST");
    assert_eq!(posts.len(), 21, "{posts:?}");
    let output = again(&output, &server, &[]).code_is(0);
    assert!(output.stdout.contains("found 20, done 20 (20 before), failed 0"), "{output}");
    assert_eq!(sent(&server, "POST").len(), 21);
}

#[test]
fn the_journal_of_another_job_is_refused_before_anything_is_sent() {
    let store = Store::of(6);
    let server = store.serve(|_, _| None);
    let output = first(&server, DELETE, &[]).code_is(0);
    let asked = |before: usize| {
        // The question whether the server is there may be sent.
        sent(&server, "DELETE").len() == before
    };
    let deletions = sent(&server, "DELETE").len();
    for (change, cause) in [
        ("limit: 20", "the text of Delete has changed since"),
        ("name: Delete", "it belongs to Delete, and this is Other"),
    ] {
        let text = fs::read_to_string(output.dir().join("a.yaml")).unwrap();
        let new = text.replace(change, if change == "limit: 20" { "limit: 21" } else { "name: Other" });
        let run = output.then().file("a.yaml", new);
        let refused = run
            .args(["--base-url", &server.base_url(), "--yes", "--journal", "job.jsonl", "a.yaml"])
            .run()
            .code_is(2);
        assert!(refused.stderr.contains(cause), "{refused}");
        fs::write(output.dir().join("a.yaml"), text).unwrap();
    }
    let other = Store::of(6).serve(|_, _| None);
    let refused = again(&output, &other, &[]).code_is(2);
    assert!(refused.stderr.contains("it belongs to a job on http"), "{refused}");
    assert!(sent(&other, "DELETE").is_empty());
    fs::write(output.dir().join("job.jsonl"), "shopping list\n").unwrap();
    let refused = again(&output, &server, &[]).code_is(2);
    assert!(refused.stderr.contains("it is no journal at all"), "{refused}");
    assert_eq!(fs::read_to_string(output.dir().join("job.jsonl")).unwrap(), "shopping list\n");
    assert!(asked(deletions));
}

#[test]
fn a_torn_last_line_is_mended_and_a_broken_one_in_the_middle_is_not_trusted() {
    let store = Store::of(8);
    let server = store.serve(|_, _| None);
    let output = first(&server, DELETE, &[]).code_is(0);
    let path = output.dir().join("job.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{{\"loop\": \"Del")).unwrap();
    let output = again(&output, &server, &[]).code_is(0);
    assert!(output.stdout.contains("(7 before)"), "{output}");
    assert!(fs::read_to_string(&path).unwrap().lines().all(|line| line.ends_with('}')));
    fs::write(&path, whole.replacen("\"done\"", "\"do", 1)).unwrap();
    let refused = again(&output, &server, &[]).code_is(2);
    assert!(
        refused.stderr.contains("line 3 of the journal job.jsonl is broken")
            || refused.stderr.contains("is broken"),
        "{refused}"
    );
}

#[test]
fn two_processes_do_not_share_a_journal() {
    let store = Store::of(8);
    let server = store.serve(|_, request| {
        (request.method == "DELETE")
            .then(|| Answer::new().wait(Duration::from_secs(2)).send("HTTP/1.1 204 x\r\n\r\n"))
    });
    let output = Run::new().file("a.yaml", dedent(DELETE)).arg("--version").run();
    let arguments =
        ["--base-url", &server.base_url(), "--yes", "--journal", "job.jsonl", "a.yaml"].map(str::to_owned);
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(&arguments)
        .current_dir(output.dir())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while sent(&server, "DELETE").is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = again(&output, &server, &[]).code_is(2);
    assert!(second.stderr.contains("another process is working with the journal"), "{second}");
    child.wait().unwrap();
}

#[test]
fn what_must_not_be_done_twice_stays_in_doubt() {
    let store = Store::of(3);
    let server = store.serve(|_, _| None);
    let message = "
        steps:
          - for_each: { get_sessions: {} }
            http: { method: POST, path: \"/message/${{ item.session_id }}\", json: {} }
    ";
    let output = first(&server, message, &[]).code_is(0);
    let path = output.dir().join("job.jsonl");
    // As if it had been killed before the last answer came.
    let text = fs::read_to_string(&path).unwrap();
    let cut = text.trim_end().rfind('\n').unwrap() + 1;
    fs::write(&path, &text[..cut]).unwrap();
    let output = again(&output, &server, &[]).code_is(1);
    assert_eq!(sent(&server, "POST").len(), 3, "{output}");
    assert!(output.stdout.contains("found 3, done 2 (2 before), failed 1"), "{output}");
    assert!(output.stdout.contains("its end was never recorded"), "{output}");
}

/// Starts the job and kills it after so many microseconds, or when it is over.
fn killed(folder: &Path, server: &FakeServer, after: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(["--base-url", &server.base_url(), "--yes", "--journal", "job.jsonl", "a.yaml"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = std::time::Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        if begun.elapsed() >= after {
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

#[test]
fn twenty_kills_later_every_session_is_deleted_once_and_the_others_are_untouched() {
    const COUNT: usize = 400;
    let store = Store::of(COUNT);
    // Slow enough to be killed in the middle of everything.
    let server = store.serve(|store, request| {
        (request.method == "DELETE").then(|| {
            let answer = store.answer(request);
            answer.after(Duration::from_millis(3))
        })
    });
    let folder = Run::new().file("a.yaml", dedent(DELETE)).arg("--version").run();
    // A generator of our own, so that the moments are the same each time.
    let mut seed: u64 = 20_261_122;
    let mut kills = 0;
    for _ in 0..20 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = Duration::from_micros(20_000 + (seed >> 33) % 80_000);
        kills += usize::from(!killed(folder.dir(), &server, after));
    }
    assert!(kills >= 5, "the job was too fast to be killed");
    let output = again(&folder, &server, &[]).code_is(0);
    let expected: Vec<String> =
        (0..COUNT).filter(|number| number % 10 != 3).map(|number| format!("s-{number:03}")).collect();
    assert_eq!(store.deleted(), expected, "{output}");
    assert!(store.missed().is_empty(), "deleted twice: {:?}", store.missed());
    assert!(store.ids().iter().all(|id| id.ends_with('3')) && store.ids().len() == COUNT / 10);
    assert!(output.stdout.contains(&format!("found {}", COUNT - COUNT / 10)), "{output}");
}
