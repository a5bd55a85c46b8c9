//! A journal: a killed job goes on where it broke off, and does nothing twice.

use super::{Store, sent};
use crate::common::{
    Answer, FakeServer, Output, Run,
    text::{dedent, unwrapped},
};
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
    for text in ["shopping list\n", "shopping list"] {
        fs::write(output.dir().join("job.jsonl"), text).unwrap();
        let refused = again(&output, &server, &[]).code_is(2);
        assert!(refused.stderr.contains("it is no journal at all"), "{refused}");
        assert_eq!(fs::read_to_string(output.dir().join("job.jsonl")).unwrap(), text);
    }
    let folder = output.then().args(["--base-url", &server.base_url(), "--journal", "/dev/full", "a.yaml"]);
    let refused = folder.run().code_is(2);
    assert!(refused.stderr.contains("the journal /dev/full is no file"), "{refused}");
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

/// Starts the job and kills it so long after the first request of its loop, which begins so, unless it is over before.
/// Whether it passed.
fn killed(folder: &Path, server: &FakeServer, first: &str, after: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(["--base-url", &server.base_url(), "--yes", "--journal", "job.jsonl", "a.yaml"])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun_by = || server.count(|request| request.line().starts_with(first));
    let before = begun_by();
    let mut begun = None;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        // However long a busy machine takes to start it and to read the list.
        if begun.is_none() && begun_by() > before {
            begun = Some(std::time::Instant::now());
        }
        if begun.is_some_and(|begun: std::time::Instant| begun.elapsed() >= after) {
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// Kills the job at so many moments, the same each time; how many of them it did not outlive.
fn kill_at(times: usize, mut seed: u64, folder: &Path, server: &FakeServer, first: &str) -> usize {
    (0..times)
        .filter(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            !killed(folder, server, first, Duration::from_micros((seed >> 33) % 40_000))
        })
        .count()
}

#[test]
fn twenty_kills_later_every_session_is_deleted_once_and_the_others_are_untouched() {
    // More than twenty runs could do before each is killed, also on a machine that kills late.
    const COUNT: usize = 990;
    let store = Store::of(COUNT);
    // Slow enough to be killed in the middle of everything; and while it is killed, every tenth deletion is lost.
    let losing = Arc::new(AtomicUsize::new(1));
    let (lost, asked) = (Arc::clone(&losing), AtomicUsize::new(0));
    let server = store.serve(move |store, request| {
        (request.method == "DELETE").then(|| {
            if lost.load(Ordering::Relaxed) == 1 && asked.fetch_add(1, Ordering::Relaxed) % 10 == 9 {
                return Answer::silence();
            }
            store.answer(request).after(Duration::from_millis(12))
        })
    });
    let folder = Run::new().file("a.yaml", dedent(DELETE)).arg("--version").run();
    let kills = kill_at(20, 20_261_122, folder.dir(), &server, "DELETE");
    assert!(kills >= 5, "the job was too fast to be killed");
    losing.store(0, Ordering::Relaxed);
    let between = store.deleted().len();
    assert!(0 < between && between < COUNT - COUNT / 10, "{between} were deleted when the kills were over");
    let output = again(&folder, &server, &[]).code_is(0);
    let expected: Vec<String> =
        (0..COUNT).filter(|number| number % 10 != 3).map(|number| format!("s-{number:03}")).collect();
    assert_eq!(store.deleted(), expected, "{output}");
    assert!(store.missed().is_empty(), "deleted twice: {:?}", store.missed());
    assert!(store.ids().iter().all(|id| id.ends_with('3')) && store.ids().len() == COUNT / 10);
    assert!(output.stdout.contains(&format!("found {}", COUNT - COUNT / 10)), "{output}");
}

/// The ids that stand in the paths of the requests with this method.
fn ids(server: &FakeServer, method: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        sent(server, method).iter().filter_map(|line| Some(line.rsplit_once("/s-")?.1.to_owned())).collect();
    ids.sort();
    ids
}

#[test]
fn twenty_kills_later_no_message_was_sent_twice_and_those_in_doubt_are_told() {
    const COUNT: usize = 300;
    let store = Store::of(COUNT);
    let server = store.serve(|_, request| {
        (request.method == "POST").then(|| Answer::json(200, &json!({})).after(Duration::from_millis(4)))
    });
    let message = "
        steps:
          - for_each: { get_sessions: {} }
            concurrency: 3
            http: { method: POST, path: \"/message/${{ item.session_id }}\", json: {} }
    ";
    let folder = Run::new().file("a.yaml", dedent(message)).arg("--version").run();
    let kills = kill_at(20, 7, folder.dir(), &server, "POST");
    assert!(kills >= 5, "the job was too fast to be killed");
    let output = again(&folder, &server, &[]);
    let mut ids = ids(&server, "POST");
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "sent twice: {output}");
    // What was killed between its beginning and its end is told; nothing else is missing.
    let told = output.stdout.split("failed ").nth(1).map_or(0, |rest| {
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<usize>().unwrap()
    });
    assert!(told > 0 && told <= 3 * kills, "{told} in doubt after {kills} kills: {output}");
    assert!(COUNT - all <= told, "{all} were sent, {told} in doubt: {output}");
    assert!(output.stdout.contains("its end was never recorded"), "{output}");
}

#[test]
fn twenty_kills_later_an_export_has_every_line_once() {
    const COUNT: usize = 300;
    let store = Store::of(COUNT);
    let server = store.serve(|store, request| {
        let reads = request.path.starts_with("/sessions/");
        reads.then(|| store.answer(request).after(Duration::from_millis(4)))
    });
    let export = "
        steps:
          - write: { file: out/all.jsonl, line: begin }
          - for_each: { get_sessions: {} }
            concurrency: 3
            group:
              - id: read
                http: { path: \"/sessions/${{ item.session_id }}\" }
              - write: { file: out/all.jsonl, line: \"${{ steps.read.body.session_id }}\" }
              - http: { path: \"/sessions/${{ item.session_id }}\" }
          - write: { file: out/all.jsonl, line: end }
    ";
    let folder = Run::new().file("a.yaml", dedent(export)).arg("--version").run();
    let kills = kill_at(20, 11, folder.dir(), &server, "GET /sessions/");
    assert!(kills >= 5, "the job was too fast to be killed");
    let output = again(&folder, &server, &[]).code_is(0);
    let mut lines: Vec<String> = output.read("out/all.jsonl").lines().map(str::to_owned).collect();
    assert_eq!((lines.remove(0), lines.pop()), ("begin".to_owned(), Some("end".to_owned())));
    lines.sort();
    let expected: Vec<String> = (0..COUNT).map(|number| format!("s-{number:03}")).collect();
    assert_eq!(lines, expected, "{output}");
    // A file that lost something is not gone on with.
    fs::write(output.dir().join("out/all.jsonl"), "begin\n").unwrap();
    let refused = again(&output, &server, &[]).code_is(2);
    assert!(refused.stderr.contains("is shorter than this job left it"), "{refused}");
    fs::remove_file(output.dir().join("out/all.jsonl")).unwrap();
    let refused = again(&output, &server, &[]).code_is(2);
    assert!(refused.stderr.contains("is not there any more"), "{refused}");
}

#[test]
fn a_torn_line_of_an_export_is_mended_and_the_file_of_somebody_else_is_not() {
    let store = Store::of(2);
    let server = store.serve(|_, _| None);
    let export = "
        steps:
          - for_each: { get_sessions: {} }
            write: { file: all.txt, line: \"a line of ${{ item.session_id }}\", existing: append }
    ";
    let run = Run::new().file("a.yaml", dedent(export)).file("all.txt", "mine, without a line end");
    let output =
        run.args(["--base-url", &server.base_url(), "--journal", "job.jsonl", "a.yaml"]).run().code_is(0);
    let whole = "mine, without a line end\na line of s-000\na line of s-001\n";
    assert_eq!(output.read("all.txt"), whole);
    // As if it had been killed while it wrote the last line.
    let journal = output.read("job.jsonl");
    let cut = journal.trim_end().rfind('\n').unwrap() + 1;
    fs::write(output.dir().join("job.jsonl"), &journal[..cut]).unwrap();
    fs::write(output.dir().join("all.txt"), &whole[..whole.len() - 5]).unwrap();
    let output = again(&output, &server, &[]).code_is(0);
    assert_eq!(output.read("all.txt"), whole);
    assert!(output.stdout.contains("found 2, done 2 (1 before)"), "{output}");
}

#[test]
fn what_may_have_been_done_although_no_answer_came_stays_in_doubt() {
    let store = Store::of(3);
    let server = store.serve(|_, request| request.path.ends_with("/s-001").then(Answer::closed));
    let message = "
        steps:
          - for_each: { get_sessions: {} }
            http: { method: POST, path: \"/message/${{ item.session_id }}\", json: {} }
    ";
    let output = first(&server, message, &[]).code_is(1);
    assert!(output.stdout.contains("found 3, done 2, failed 1"), "{output}");
    let posts = ids(&server, "POST");
    let output = again(&output, &server, &[]).code_is(1);
    assert!(output.stdout.contains("its end was never recorded"), "{output}");
    assert_eq!(ids(&server, "POST"), posts, "{output}");
}

#[test]
fn a_journal_whose_first_line_was_torn_begins_anew_and_another_fragment_makes_another_job() {
    let store = Store::of(3);
    let server = store.serve(|_, _| None);
    let scenario =
        "steps: [{ for_each: { get_sessions: {} }, use: _f.yaml, with: { id: \"${{ item.session_id }}\" } }]";
    let fragment = "params: [id]\nsteps: [{ http: { method: POST, path: \"/x/${{ id }}\", json: {} } }]\n";
    let run = Run::new().file("_f.yaml", fragment).file("job.jsonl", "{\"agentos-run\":\"jour");
    let output = run
        .file("a.yaml", scenario)
        .args(["--base-url", &server.base_url(), "--journal", "job.jsonl", "a.yaml"])
        .run()
        .code_is(0);
    assert!(output.stdout.contains("found 3, done 3, failed 0"), "{output}");
    let output = again(&output, &server, &[]).code_is(0);
    assert!(output.stdout.contains("done 3 (3 before)"), "{output}");
    fs::write(output.dir().join("_f.yaml"), fragment.replace("/x/", "/y/")).unwrap();
    let refused = again(&output, &server, &[]).code_is(2);
    assert!(refused.stderr.contains("has changed since"), "{refused}");
    assert_eq!(sent(&server, "POST").len(), 3);
}

#[test]
#[cfg(unix)]
fn nothing_is_done_that_the_journal_cannot_remember() {
    for blocks in 2..5 {
        let store = Store::of(40);
        let server = store.serve(|_, _| None);
        let delete = "
            steps:
              - for_each: { get_sessions: {} }
                delete_session: { session_id: \"${{ item.session_id }}\" }
        ";
        let run = Run::new().file("a.yaml", dedent(delete));
        // No file grows beyond so many blocks of 512 bytes: the disk is full in the middle of the job.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_agentos-run"), "--base-url", &server.base_url()])
            .args(["--yes", "--journal", "job.jsonl", "a.yaml"])
            .current_dir(run.dir())
            .env_clear()
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stdout}");
        let stdout = unwrapped(&stdout);
        assert!(stdout.contains("the journal job.jsonl cannot be written: "), "{stdout}");
        assert!(stdout.contains("nothing more was begun"), "{stdout}");
        let journal = fs::read_to_string(run.dir().join("job.jsonl")).unwrap();
        assert!(journal.ends_with("}\n"), "no half a line: {journal}");
        let deleted = store.deleted();
        assert!(!deleted.is_empty() && deleted.len() < 40, "{deleted:?}");
        for id in deleted {
            assert!(journal.contains(&format!("\"begun\":[\"{id}\"]")), "{id}: {journal}");
        }
    }
}

/// How often each path was asked for with POST.
fn posted(server: &FakeServer) -> std::collections::BTreeMap<String, usize> {
    sent(server, "POST").into_iter().fold(std::collections::BTreeMap::new(), |mut counts, line| {
        *counts.entry(line.trim_start_matches("POST ").to_owned()).or_default() += 1;
        counts
    })
}

/// A server that refuses these POSTs for the first time.
fn refusing_once(store: &Store, refused: &'static [&'static str]) -> FakeServer {
    let told = std::sync::Mutex::new(std::collections::HashSet::new());
    store.serve(move |_, request| {
        let refused = request.method == "POST" && refused.contains(&request.path.as_str());
        (refused && told.lock().unwrap().insert(request.path.clone()))
            .then(|| Answer::json(500, &json!({ "detail": "no" })))
    })
}

#[test]
fn what_was_refused_is_tried_again_though_it_must_not_be_done_twice() {
    let store = Store::of(6);
    let server = refusing_once(&store, &["/of/s-002", "/of/s-004"]);
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            http: { method: POST, path: \"/of/${{ item.session_id }}\" }
    ";
    let output = first(&server, scenario, &[]).code_is(1);
    assert!(output.stdout.contains("found 6, done 4, failed 2"), "{output}");
    let output = again(&output, &server, &[]).code_is(0);
    assert!(output.stdout.contains("found 6, done 6 (4 before), failed 0"), "{output}");
    let counts = posted(&server);
    for (path, count) in &counts {
        assert_eq!(
            *count,
            1 + usize::from(["/of/s-002", "/of/s-004"].contains(&path.as_str())),
            "{counts:?}"
        );
    }
    assert_eq!(counts.len(), 6);
}

#[test]
fn a_loop_that_runs_several_times_goes_on_where_each_of_them_was() {
    let store = Store::of(4);
    let server = refusing_once(&store, &["/b/s-001", "/c/s-003"]);
    let scenario = "
        steps:
          - for_each: [a, b, c]
            as: round
            soft: true
            group:
              - for_each: { get_sessions: {} }
                soft: true
                http: { method: POST, path: \"/${{ round }}/${{ item.session_id }}\" }
    ";
    let output = first(&server, scenario, &[]).code_is(1);
    let output = again(&output, &server, &[]).code_is(0);
    let counts = posted(&server);
    assert_eq!(counts.len(), 12, "{output}");
    for (path, count) in &counts {
        assert_eq!(*count, 1 + usize::from(["/b/s-001", "/c/s-003"].contains(&path.as_str())), "{counts:?}");
    }
}

#[test]
fn a_line_that_stands_counts_once_also_where_others_say_the_same() {
    let store = Store::of(4);
    let asked = AtomicUsize::new(0);
    let server = store.serve(move |_, request| {
        let waits = request.path == "/wait" && asked.fetch_add(1, Ordering::Relaxed) == 1;
        waits.then(Answer::silence)
    });
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            group:
              - write: { file: out.txt, line: the same }
              - http: { path: /wait }
    ";
    let running = Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "--journal", "job.jsonl", "a.yaml"])
        .start();
    while server.count(|request| request.path == "/wait") < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill();
    let output = running.finish().code_is(137);
    assert_eq!(output.read("out.txt"), "the same\n".repeat(2));
    let output = again(&output, &server, &[]).code_is(0);
    assert_eq!(output.read("out.txt"), "the same\n".repeat(4), "{output}");
}

#[test]
fn other_variables_are_another_job() {
    let store = Store::of(2);
    let server = store.serve(|_, _| None);
    let scenario = "
        vars: { to: x }
        steps:
          - for_each: { get_sessions: {} }
            http: { method: POST, path: \"/${{ to }}/${{ item.session_id }}\" }
    ";
    let output = first(&server, scenario, &["--var", "to=a"]).code_is(0);
    let other = again(&output, &server, &["--var", "to=b"]).code_is(2);
    assert!(unwrapped(&other.stderr).contains("the variables of the command line are other ones"), "{other}");
    assert_eq!(sent(&server, "POST"), ["POST /a/s-000", "POST /a/s-001"]);
}

#[test]
fn what_the_end_of_the_time_cut_off_stays_in_doubt() {
    let store = Store::of(4);
    let server = store.serve(|_, request| (request.path == "/of/s-002").then(Answer::silence));
    let scenario = "
        timeout: 1s
        steps:
          - for_each: { get_sessions: {} }
            http: { method: POST, path: \"/of/${{ item.session_id }}\" }
    ";
    let output = first(&server, scenario, &[]).code_is(1);
    assert!(output.stdout.contains("found 4, done 2, failed 0, in doubt 1, not begun 1"), "{output}");
    let output = again(&output, &server, &[]).code_is(1);
    assert!(output.stdout.contains("found 4, done 3 (2 before), failed 1"), "{output}");
    assert!(output.stdout.contains("its end was never recorded: look what became of it (s-002)"), "{output}");
    assert!(posted(&server).values().all(|count| *count == 1), "{:?}", posted(&server));
}
