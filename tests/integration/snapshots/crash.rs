//! Processes that are killed while they write, and processes that write at the same time: each file is whole, and nothing
//! that somebody should look at is lost.

use super::Sut;
use crate::common::{Answer, FakeServer, Run};
use std::{collections::BTreeSet, fs, thread, time::Duration};

/// How many snapshots a run takes, and the bytes of each.
const COUNT: usize = 24;
const SIZE: usize = 1_000_000;

/// A scenario that takes many large snapshots, one after the other.
fn sut() -> Sut {
    let sut = Sut::of(&format!(
        "steps:\n  - repeat: {COUNT}\n    http: {{ path: /x }}\n    snapshot: {{ name: big, of: text }}\n"
    ));
    sut.write("s.yaml", &sut.scenario);
    sut
}

/// A server whose answers are one letter again and again.
fn server(letter: char) -> FakeServer {
    let text = letter.to_string().repeat(SIZE);
    FakeServer::new(move |_| Answer::html(200, &text))
}

fn run(sut: &Sut, server: &FakeServer, arguments: &[&str]) -> Run {
    sut.folder.then().arg("s.yaml").args(arguments).args(["--base-url", &server.base_url()])
}

/// The letter that a file is full of. Panics where it is not whole; none where there is no such file.
fn letter(sut: &Sut, name: &str) -> Option<char> {
    let text = fs::read_to_string(sut.dir().join(name)).ok()?;
    let contents = text.splitn(3, "---\n").nth(2).unwrap_or_else(|| panic!("{name} has half a head"));
    let letter = contents.chars().next().unwrap_or_else(|| panic!("{name} is empty"));
    let whole = contents.len() == SIZE + 1 && contents.ends_with('\n');
    assert!(
        whole && contents.trim_end().bytes().all(|byte| char::from(byte) == letter),
        "{name} is not whole"
    );
    Some(letter)
}

fn file(number: usize) -> String {
    format!("snapshots/s__big@{number}.snap")
}

/// What one file and the one that waits beside it hold.
fn letters(sut: &Sut) -> Vec<(Option<char>, Option<char>)> {
    (1..=COUNT)
        .map(|number| (letter(sut, &file(number)), letter(sut, &format!("{}.new", file(number)))))
        .collect()
}

/// Numbers that look random, and are the same in each run of the tests.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
#[cfg(unix)]
fn who_is_killed_while_writing_leaves_whole_files() {
    let sut = sut();
    run(&sut, &server('a'), &["--update"]).run().code_is(0);
    let mut seed = 5;
    let mut midway = 0;
    for new in 'b'..='k' {
        let before: Vec<_> = letters(&sut).into_iter().map(|(kept, _)| kept).collect();
        let server = server(new);
        let running = run(&sut, &server, &["--update"]).start();
        let wanted = 1 + usize::try_from(next(&mut seed)).unwrap() % COUNT;
        while server.requests().iter().filter(|request| request.path == "/x").count() < wanted {
            thread::sleep(Duration::from_micros(200));
        }
        thread::sleep(Duration::from_micros(next(&mut seed) % 8_000));
        running.kill();
        assert_eq!(running.finish().code, 128 + 9);
        let after: Vec<_> = letters(&sut).into_iter().map(|(kept, _)| kept).collect();
        for (number, (before, after)) in before.iter().zip(&after).enumerate() {
            assert!(after == before || *after == Some(new), "{number}: {before:?} {after:?}");
        }
        midway += usize::from(after.contains(&Some(new)) && after.iter().any(|letter| *letter != Some(new)));
    }
    assert!(midway > 3, "only {midway} were killed while they wrote");
    // The next one that writes is not disturbed by what lies there.
    run(&sut, &server('z'), &["--update"]).run().code_is(0);
    assert!(letters(&sut).iter().all(|letters| *letters == (Some('z'), None)));
}

#[test]
#[cfg(unix)]
fn who_is_killed_while_accepting_loses_nothing() {
    let sut = sut();
    run(&sut, &server('a'), &["--update"]).run().code_is(0);
    let mut seed = 7;
    let mut states = BTreeSet::new();
    for new in 'b'..='g' {
        run(&sut, &server(new), &[]).run();
        let before = letters(&sut);
        let running = sut.folder.then().arg("accept").start();
        running.wait_for_times("accepted ", 1 + usize::try_from(next(&mut seed)).unwrap() % (COUNT / 2));
        thread::sleep(Duration::from_micros(next(&mut seed) % 3_000));
        running.kill();
        running.finish();
        for (before, after) in before.into_iter().zip(letters(&sut)) {
            let accepted = after == (Some(new), None) || after == (Some(new), Some(new));
            assert!(after == before || accepted, "{before:?} {after:?}");
            states.insert(accepted);
        }
    }
    assert_eq!(states.len(), 2, "none was killed in the middle");
}

#[test]
fn what_a_killed_process_left_is_cleared_away_in_time() {
    let sut = Sut::new("snapshot: answer");
    let old = sut.dir().join("snapshots/.snapshot-abc.tmp");
    let young = sut.dir().join("snapshots/.snapshot-def.tmp");
    let foreign = sut.dir().join("snapshots/.other.tmp");
    for path in [&old, &young, &foreign] {
        sut.write(path.strip_prefix(sut.dir()).unwrap().to_str().unwrap(), "half");
    }
    let hour_ago = std::time::SystemTime::now() - Duration::from_hours(1);
    for path in [&old, &foreign] {
        fs::File::options().write(true).open(path).unwrap().set_modified(hour_ago).unwrap();
    }
    sut.run(&serde_json::json!({}), &[]).code_is(1);
    assert!(!old.exists() && young.exists() && foreign.exists(), "{:?}", sut.files());
}

#[test]
fn two_processes_accept_at_once() {
    let sut = sut();
    run(&sut, &server('a'), &["--update"]).run().code_is(0);
    for new in ['b', 'c', 'd'] {
        run(&sut, &server(new), &[]).run().code_is(1);
        let both = [(); 2].map(|()| sut.folder.then().arg("accept").start());
        for output in both.map(crate::common::Running::finish) {
            // Who came later may say that somebody was faster.
            let said = output.stderr.matches("it changed while it was looked at").count();
            assert_eq!(output.stderr.matches("stays as it is").count(), said, "{output}");
            assert_eq!(output.code, i32::from(said > 0), "{output}");
        }
        assert!(letters(&sut).iter().all(|letters| *letters == (Some(new), None)), "{:?}", letters(&sut));
        assert_eq!(sut.files().len(), COUNT, "nothing is left of the writing: {:?}", sut.files());
    }
}

#[test]
fn what_comes_while_somebody_accepts_waits_for_them() {
    let sut = sut();
    run(&sut, &server('a'), &["--update"]).run().code_is(0);
    run(&sut, &server('b'), &[]).run().code_is(1);
    let server = server('c');
    let running = run(&sut, &server, &[]).start();
    for _ in 0..8 {
        let output = sut.folder.then().arg("accept").run();
        assert!(output.code <= 1, "{output}");
        letters(&sut);
    }
    running.finish().code_is(1);
    for letters in letters(&sut) {
        // The newest is the snapshot, or somebody has still to look at it.
        assert!(matches!(letters, (Some('a' | 'b'), Some('c')) | (Some('c'), None)), "{letters:?}");
    }
}
