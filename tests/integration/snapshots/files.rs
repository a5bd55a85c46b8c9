//! Files that cannot be compared with are left alone, and what insta makes of ours.

use super::Sut;
use crate::common::Output;
use serde_json::{Value, json};
use std::{fmt::Debug, fs, path::Path};

const FILE: &str = "snapshots/s__answer.snap";

#[test]
fn what_is_no_snapshot_is_never_overwritten() {
    let head = "---\nsource: s.yaml\n";
    for (text, cause, remedy) in [
        (
            format!("{head}---\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> theirs\n"),
            "it holds the conflict of a merge, from line 4 on",
            "solve the conflict",
        ),
        (head.to_owned(), "it is broken", "git checkout"),
        ("just a text\n".to_owned(), "it is not a snapshot of agentos-run", "another name"),
        (
            "---\nsource: src/lib.rs\nexpression: x\n---\n1\n".to_owned(),
            "it is not a snapshot of agentos-run: it is one of src/lib.rs",
            "another name",
        ),
        (String::new(), "it is broken: it is empty", "git checkout"),
        ("---\na: [\n---\n".to_owned(), "it is broken: line", "git checkout"),
    ] {
        for arguments in [&[][..], &["--update"], &["--ci"]] {
            let sut = Sut::new("snapshot: answer");
            sut.write(FILE, &text);
            let output = sut.run(&json!({ "a": 1 }), arguments).code_is(1);
            let said: Vec<&str> = output.stdout.split_whitespace().filter(|word| *word != "│").collect();
            let said = said.join(" ");
            assert!(said.contains(cause) && said.contains(remedy), "{output}");
            assert_eq!(sut.read(FILE), text);
            let accepted = sut.then(&["accept"]);
            assert_eq!(sut.read(FILE), text, "{accepted}");
        }
    }
}

/// What is wrong and what to do, in one line.
fn said(output: &Output) -> String {
    output.stdout.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// Something stands in the place of the snapshot. What `still_there` sees of it is the same after each command.
fn stands_in_the_way<T: PartialEq + Debug>(
    place: impl Fn(&Path),
    expected: &[&str],
    still_there: impl Fn(&Path) -> T,
) {
    for arguments in [&[][..], &["--update"], &["--ci"]] {
        let sut = Sut::new("snapshot: answer");
        let path = sut.dir().join(FILE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        place(&path);
        let before = still_there(&path);
        let output = sut.run(&json!({ "a": 1 }), arguments).code_is(1);
        for part in expected {
            assert!(said(&output).contains(part), "{part}: {output}");
        }
        sut.then(&["accept"]);
        assert_eq!(still_there(&path), before, "{arguments:?}");
    }
}

#[test]
fn a_folder_a_link_and_what_is_no_text_stay_as_they_are() {
    stands_in_the_way(
        |path| fs::create_dir(path).unwrap(),
        &["it is a folder", "give the snapshot another name, or move"],
        Path::is_dir,
    );
    stands_in_the_way(
        |path| fs::write(path, b"---\nsource: s.yaml\n---\n\xff\xfe\n").unwrap(),
        &["it is not UTF-8", "git checkout", "it is not overwritten"],
        |path| fs::read(path).unwrap(),
    );
    #[cfg(unix)]
    stands_in_the_way(
        |path| std::os::unix::fs::symlink("nowhere", path).unwrap(),
        &["it is a link that leads nowhere", "ls -l snapshots/s__answer.snap"],
        |path| fs::read_link(path).unwrap(),
    );
}

#[test]
#[cfg(unix)]
fn a_link_stays_one_and_what_it_leads_to_is_replaced() {
    let sut = Sut::new("snapshot: answer");
    sut.run(&json!({ "a": 1 }), &["--update"]).code_is(0);
    let (link, real) = (sut.dir().join(FILE), sut.dir().join("real.snap"));
    fs::rename(&link, &real).unwrap();
    std::os::unix::fs::symlink("../real.snap", &link).unwrap();
    sut.run(&json!({ "a": 1 }), &["--ci"]).code_is(0);
    sut.run(&json!({ "a": 2 }), &[]).code_is(1);
    sut.then(&["accept"]).code_is(0);
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("../real.snap"));
    assert!(sut.read("real.snap").contains("\"a\": 2"));
    assert_eq!(sut.files(), ["real.snap", FILE]);
}

#[test]
fn where_nothing_can_be_written_it_says_so() {
    let sut = Sut::new("snapshot: answer");
    fs::create_dir_all(sut.dir().join(format!("{FILE}.new"))).unwrap();
    let output = sut.run(&json!({}), &[]).code_is(1);
    assert!(
        said(&output).contains("could not be written to snapshots/s__answer.snap.new: is a directory"),
        "{output}"
    );
    let sut = Sut::new("snapshot: answer");
    sut.write("snapshots", "a file");
    let output = sut.run(&json!({}), &["--update"]).code_is(1);
    assert!(said(&output).contains("snapshots/s__answer.snap cannot be compared with"), "{output}");
    assert_eq!(sut.read("snapshots"), "a file");
}

#[test]
fn what_git_checks_out_on_windows_is_the_same() {
    let sut = Sut::new("snapshot: [{ name: json }, { name: text, of: $.text }]");
    let body = json!({ "text": "one\ntwo", "n": 1 });
    sut.run(&body, &["--update"]).code_is(0);
    for name in ["snapshots/s__json.snap", "snapshots/s__text.snap"] {
        sut.write(name, &sut.read(name).replace('\n', "\r\n"));
    }
    sut.run(&body, &["--ci"]).code_is(0);
    let changed = sut.read("snapshots/s__text.snap").replace("two", "three");
    sut.write("snapshots/s__text.snap", &changed);
    let output = sut.run(&body, &["--ci"]).code_is(1);
    assert!(output.stdout.contains("-three") && output.stdout.contains("+two"), "{output}");
}

#[test]
fn what_was_edited_by_hand_to_no_json_is_told() {
    let sut = Sut::new("snapshot: answer");
    let edited = "---\nsource: s.yaml\ninfo:\n  scenario: S\n---\n{ \"a\": 1,, }\n";
    sut.write(FILE, edited);
    let output = sut.run(&json!({ "a": 1 }), &[]).code_is(1);
    assert!(output.stdout.contains("its file holds no JSON any more"), "{output}");
    assert_eq!(sut.read(FILE), edited);
}

#[test]
fn what_is_very_large_is_compared_and_shown_in_part() {
    let sut = Sut::new("snapshot: answer");
    let large = format!("---\nsource: s.yaml\ninfo:\n  scenario: S\n---\n{}\n", "word ".repeat(10_000_000));
    sut.write(FILE, &large);
    let output = sut.run(&json!({ "a": 1 }), &[]).code_is(1);
    assert!(
        output.stdout.contains("the answer differs") && output.stdout.len() < 20_000,
        "{}",
        output.stdout.len()
    );
    assert_eq!(sut.read(FILE).len(), large.len());
}

#[test]
fn what_is_read_only_stays_as_it_is() {
    let sut = Sut::new("snapshot: answer");
    sut.run(&json!({ "a": 1 }), &["--update"]).code_is(0);
    let before = sut.read(FILE);
    let path = sut.dir().join(FILE);
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let output = sut.run(&json!({ "a": 2 }), &["--update"]).code_is(1);
    assert!(output.stdout.contains("was not written: it is read-only"), "{output}");
    assert!(output.stdout.contains("chmod u+w"), "{output}");
    sut.run(&json!({ "a": 2 }), &[]).code_is(1);
    let output = sut.then(&["accept"]).code_is(1);
    assert!(output.stderr.contains("it is read-only"), "{output}");
    assert_eq!(sut.read(FILE), before);
    assert_eq!(sut.files().len(), 2, "what waited still waits");
}

#[test]
fn what_was_written_in_another_way_is_the_same() {
    let sut = Sut::new("snapshot: answer");
    sut.write(FILE, "---\nsource: s.yaml\n---\n{ \"b\": [1, 2.0],\r\n\"a\": null }\r\n\n");
    sut.run(&json!({ "a": null, "b": [1, 2] }), &["--ci"]).code_is(0);
    sut.run(&json!({ "a": null, "b": [1, 3] }), &["--ci"]).code_is(1);
}

#[test]
fn insta_reads_what_waits_and_accepts_it_to_the_same_bytes() {
    let sut = Sut::new("snapshot: { name: answer, of: \"$['a b']\" }");
    sut.run(&json!({ "a b": { "text": "line\none: #x" } }), &[]).code_is(1);
    let read = insta::Snapshot::from_file(&sut.dir().join(format!("{FILE}.new"))).unwrap();
    assert_eq!(read.metadata().source(), Some("s.yaml"));
    assert_eq!(read.metadata().assertion_line(), Some(4));
    let by_insta = sut.dir().join("by-insta.snap");
    read.save(&by_insta).unwrap();
    sut.then(&["accept"]).code_is(0);
    assert_eq!(fs::read_to_string(by_insta).unwrap(), sut.read(FILE));
}

#[test]
fn the_pending_snapshots_of_others_are_left_alone() {
    let sut = Sut::new("snapshot: answer");
    let foreign = "---\nsource: src/lib.rs\nexpression: x\n---\n1\n";
    sut.write("src/snapshots/t__x.snap.new", foreign);
    assert_eq!(sut.then(&["accept"]).code_is(0).stdout, "no snapshot waits\n");
    assert_eq!(sut.read("src/snapshots/t__x.snap.new"), foreign);
}

#[test]
fn processes_at_the_same_time_leave_one_whole_file() {
    let sut = Sut::new("snapshot: answer");
    sut.write("s.yaml", &sut.scenario);
    let long = |letter: &str| json!({ "text": letter.repeat(200_000) });
    std::thread::scope(|scope| {
        for letter in ["a", "b", "c", "d"] {
            let sut = &sut;
            scope.spawn(move || sut.run(&long(letter), &["--update"]).code_is(0));
        }
    });
    assert_eq!(sut.files(), [FILE], "nothing is left of the writing");
    let kept: Value = serde_json::from_str(&sut.contents(FILE)).unwrap();
    assert!(["a", "b", "c", "d"].iter().any(|letter| kept == long(letter)), "one of them, whole");
}
