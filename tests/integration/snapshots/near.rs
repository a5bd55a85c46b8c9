//! What is near enough: similar texts, shapes, lists without order, numbers with a tolerance.

use super::Sut;
use serde_json::json;

#[test]
fn a_text_that_is_similar_enough_passes() {
    let sut = Sut::new("snapshot: { name: answer, of: $.content, like: 0.8 }");
    let say = |text: &str| json!({ "content": text });
    sut.run(&say("The capital of France is Paris."), &["--update"]).code_is(0);
    sut.run(&say("The capital of France is Paris!"), &["--ci"]).code_is(0);
    let output = sut.run(&say("I do not know."), &["--ci"]).code_is(1);
    assert!(output.stdout.contains("similar to") && output.stdout.contains("at least 0.8"), "{output}");
}

#[test]
fn a_shape_is_types_and_keys() {
    let sut = Sut::new("snapshot: { name: answer, shape: true }");
    sut.run(&json!({ "a": [1, 2], "b": { "c": "x" } }), &["--update"]).code_is(0);
    sut.run(&json!({ "b": { "c": "other" }, "a": [7] }), &["--ci"]).code_is(0);
    sut.run(&json!({ "b": { "c": 1 }, "a": [7] }), &["--ci"]).code_is(1);
    sut.run(&json!({ "b": { "d": "x" }, "a": [7] }), &["--ci"]).code_is(1);
}

#[test]
fn what_has_no_order_is_sorted() {
    let id = |n: u8| format!("0b1c2d3e-0000-4000-8000-0000000000{n:02}");
    let item = |n: u8, name: &str, topics: [&str; 2]| json!({ "id": id(n), "name": name, "topics": topics });
    let sut = Sut::new("snapshot: { name: list, sort: [$.data, \"$.data[*].topics\"] }");
    let one = json!({ "data": [item(1, "b", ["x", "y"]), item(2, "a", ["z", "w"])] });
    let other = json!({ "data": [item(7, "a", ["w", "z"]), item(3, "b", ["y", "x"])] });
    sut.run(&one, &["--update"]).code_is(0);
    sut.run(&other, &["--ci"]).code_is(0);
    sut.run(&json!({ "data": [item(1, "b", ["x", "y"]), item(2, "c", ["z", "w"])] }), &["--ci"]).code_is(1);
    let by_key = Sut::new("snapshot: { name: list, sort: { $.data: name } }");
    let pair = |first: &str, second: &str| json!({ "data": [{ "name": first }, { "name": second }] });
    by_key.run(&pair("b", "a"), &["--update"]).code_is(0);
    by_key.run(&pair("a", "b"), &["--ci"]).code_is(0);
}

#[test]
fn numbers_may_be_near() {
    let sut = Sut::new("snapshot: { name: scores, tolerance: { $.a: 0.5, b: 10% } }");
    let scores = |a: f64, b: f64, c: f64| json!({ "a": a, "list": [{ "b": b }], "c": c });
    sut.run(&scores(1.0, 100.0, 1.0), &["--update"]).code_is(0);
    sut.run(&scores(1.5, 91.0, 1.0), &["--ci"]).code_is(0);
    for far in [scores(1.6, 100.0, 1.0), scores(1.0, 89.0, 1.0), scores(1.0, 100.0, 1.1)] {
        let output = sut.run(&far, &["--ci"]).code_is(1);
        assert!(output.stdout.contains("changed: $."), "{output}");
    }
}

#[test]
fn what_makes_no_sense_is_found() {
    for (modifier, message) in [
        ("like: 85", "`like` must be a number from 0 to 1"),
        ("tolerance: -1", "a tolerance must be a number"),
        ("tolerance: { /x/: 1 }", "a tolerance is for a key or a JSONPath"),
        ("shape: true, like: 0.5", "`shape: true` keeps no values for `like`"),
    ] {
        let sut = Sut::new(&format!("snapshot: {{ name: a, {modifier} }}"));
        let output = sut.run(&json!({}), &[]).code_is(2);
        assert!(output.stderr.contains(message), "{modifier}: {output}");
    }
}
