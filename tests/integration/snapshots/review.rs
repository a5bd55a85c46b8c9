//! Looking at what waits: `review`, `accept` and `reject`.

use super::Sut;
use serde_json::json;

/// Three snapshots that wait: `a` and `b` are changed, `c` is new.
pub(super) fn three() -> Sut {
    let sut = Sut::new("snapshot: [{ name: a, of: $.a }, { name: b, of: $.b }]");
    sut.run(&json!({ "a": "one", "b": "two" }), &["--update"]).code_is(0);
    let more = "name: S\nsteps:\n  - http: { path: /x }\n    snapshot: [{ name: a, of: $.a }, { name: b, of: $.b }, { name: c, of: $.c }]\n";
    let sut = Sut { scenario: more.to_owned(), ..sut };
    sut.run(&json!({ "a": "uno", "b": "due", "c": "tre" }), &[]).code_is(1);
    sut
}

#[test]
fn each_is_asked_for() {
    let sut = three();
    let output = sut.folder.then().arg("review").stdin("what\na\ns\nr\n").run().code_is(1);
    for said in ["1 of 3  snapshots/s__a.snap  (changed)", "-one", "+uno", "please say", "3 of 3", "(new)"] {
        assert!(output.stdout.contains(said), "{said}: {output}");
    }
    assert!(output.stdout.ends_with("1 accepted, 1 rejected, 1 left\n"), "{output}");
    assert_eq!(sut.files(), ["snapshots/s__a.snap", "snapshots/s__b.snap", "snapshots/s__b.snap.new"]);
    assert_eq!(sut.contents("snapshots/s__a.snap"), "uno\n");
    assert_eq!(sut.contents("snapshots/s__b.snap"), "two\n");
}

#[test]
fn all_the_rest_and_none_of_it() {
    let sut = three();
    let output = sut.folder.then().arg("review").stdin("").run().code_is(1);
    assert!(output.stdout.ends_with("3 left\n"), "{output}");
    assert_eq!(sut.files().len(), 5);
    sut.folder.then().arg("review").stdin("q\n").run().code_is(1);
    sut.folder.then().args(["review", "--list"]).run().code_is(1);
    assert_eq!(sut.files().len(), 5);
    let output = sut.folder.then().arg("review").stdin("s\nA\n").run().code_is(1);
    assert!(output.stdout.ends_with("2 accepted, 1 left\n"), "{output}");
    assert!(sut.then(&["review", "--accept"]).code_is(0).stdout.contains("1 accepted"));
    assert_eq!(sut.then(&["review"]).code_is(0).stdout, "no snapshot waits\n");
}

#[test]
fn some_of_them() {
    let sut = three();
    sut.then(&["accept", "snapshots/s__b.snap"]).code_is(0);
    assert_eq!(sut.contents("snapshots/s__b.snap"), "due\n");
    sut.then(&["reject", "s.yaml"]).code_is(0);
    assert_eq!(sut.files(), ["snapshots/s__a.snap", "snapshots/s__b.snap"]);
    assert_eq!(sut.contents("snapshots/s__a.snap"), "one\n");
    let output = sut.then(&["accept", "nowhere"]).code_is(2);
    assert!(output.stderr.contains("there is no nowhere"), "{output}");
}
