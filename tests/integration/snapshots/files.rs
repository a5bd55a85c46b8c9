//! Files that cannot be compared with are left alone, and what insta makes of ours.

use super::Sut;
use serde_json::{Value, json};
use std::fs;

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
