//! Snapshots that no step names any more.

use super::Sut;
use crate::common::Answer;
use serde_json::json;

fn scenario(name: &str) -> String {
    format!("steps:\n  - http: {{ path: /x }}\n    snapshot: {name}\n")
}

#[test]
fn they_are_reported_and_deleted_on_request() {
    let sut = Sut::new("snapshot: [one, two]");
    sut.run(&json!({}), &["--update"]).code_is(0);
    let fewer = Sut { scenario: format!("name: S\n{}", scenario("one")), ..sut };
    let output = fewer.run(&json!({}), &["--ci"]).code_is(0);
    assert!(
        output.stderr.contains("1 snapshot that no step names any more: snapshots/s__two.snap"),
        "{output}"
    );
    let output = fewer.then(&["accept", "--prune"]).code_is(0);
    assert!(output.stdout.contains("deleted snapshots/s__two.snap"), "{output}");
    assert_eq!(fewer.files(), ["snapshots/s__one.snap"]);
}

#[test]
fn what_is_not_in_view_stays() {
    let sut = Sut::new("snapshot: one");
    sut.write("other.yaml", &scenario("two"));
    sut.write("gone.yaml", &scenario("three"));
    let answers = || vec![Answer::json(200, &json!({}))];
    sut.answered(answers(), &["other.yaml", "gone.yaml", "--update"]).code_is(0);
    sut.write("snapshots/rust__test.snap", "---\nsource: src/lib.rs\nexpression: x\n---\n1\n");
    std::fs::remove_file(sut.dir().join("gone.yaml")).unwrap();
    // One scenario says nothing of those that were not read; one that is gone names nothing.
    let output = sut.answered(answers(), &["--ci"]).code_is(0);
    assert!(
        output.stderr.contains("1 snapshot that no step names any more: snapshots/gone__three.snap"),
        "{output}"
    );
    sut.then(&["accept", "--prune", "s.yaml"]);
    assert_eq!(
        sut.files(),
        ["other.yaml", "snapshots/other__two.snap", "snapshots/rust__test.snap", "snapshots/s__one.snap"]
    );
    // What is broken may name anything.
    sut.write("other.yaml", "steps: [{ helth: {} }]\n");
    sut.then(&["accept", "--prune"]).code_is(2);
    assert_eq!(sut.files().len(), 4);
}

#[test]
fn loops_and_cases_keep_theirs() {
    let text = |rows: &str| {
        format!(
            "cases: [{rows}]\nsteps:\n  - http: {{ path: /x }}\n    snapshot: row\n  - repeat: 2\n    http: {{ path: /x }}\n    snapshot: turn\n"
        )
    };
    let sut = Sut::of(&text("{ n: 1 }, { n: 2 }"));
    sut.run(&json!({}), &["--update"]).code_is(0);
    assert_eq!(sut.files().len(), 6);
    sut.then(&["accept", "--prune"]).code_is(0);
    assert_eq!(sut.files().len(), 6);
    let fewer = Sut { scenario: text("{ n: 1 }"), ..sut };
    fewer.run(&json!({}), &["--ci"]).code_is(0);
    let output = fewer.then(&["accept", "--prune"]).code_is(0);
    assert!(output.stdout.contains("deleted snapshots/s__row@n=2.snap"), "{output}");
}
