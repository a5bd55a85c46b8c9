//! Tests of expectations from YAML to verdict.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::diagnostic::{Severity, Style};
use crate::expr;
use crate::source::{Source, Span};
use crate::yaml;

fn node(text: &str) -> Node {
    let mut problems = Problems::new();
    let mut documents = yaml::parse(&Source::new("test.yaml", text), &mut problems);
    assert!(problems.is_empty(), "{text}: {:?}", problems.iter().map(|p| &p.message).collect::<Vec<_>>());
    // A text that is only `null` is no document.
    documents
        .pop()
        .unwrap_or_else(|| Node { span: Span::whole(&Source::new("test.yaml", text)), kind: Kind::Null })
}

fn try_parse(text: &str) -> (Expectations, Problems) {
    let mut problems = Problems::new();
    let expectations = Expectations::parse(&node(text), &mut problems);
    (expectations, problems)
}

fn parse(text: &str) -> Expectations {
    let (expectations, problems) = try_parse(text);
    assert!(problems.is_empty(), "{text}: {}", told(&problems));
    expectations
}

fn told(problems: &Problems) -> String {
    problems
        .iter()
        .map(|problem| {
            let at = problem.span().map_or("", Span::text);
            let help = problem.help.as_deref().map_or_else(String::new, |help| format!(" | {help}"));
            format!("{} [{at}]{help}\n", problem.message)
        })
        .collect::<Vec<_>>()
        .concat()
}

fn outcome(body: Value) -> Outcome {
    Outcome {
        status: Some(200),
        headers: vec![("content-type".into(), "application/json".into()), ("x-count".into(), "42".into())],
        text: body.to_string(),
        body: Some(body),
        duration: Duration::from_millis(6200),
        ttft: Some(Duration::from_millis(450)),
        stream: None,
        error: None,
    }
}

fn scope() -> Scope {
    let mut scope = Scope::new(Path::new("."));
    scope.set("user", expr::Value::from_json(&json!("alice")));
    scope.set("n", expr::Value::from_json(&json!(3)));
    scope.set("items", expr::Value::from_json(&json!([1, 2])));
    scope
}

/// The verdicts as lines: `ok` or the message.
fn check(text: &str, outcome: &Outcome) -> Vec<String> {
    parse(text)
        .evaluate(Some(outcome), &scope())
        .into_iter()
        .map(|verdict| if verdict.passed { "ok".to_owned() } else { verdict.message })
        .collect()
}

/// Whether `predicates` hold of `value`.
fn holds(predicates: &str, value: &Value) -> bool {
    let verdicts = check(&format!("$.v: {predicates}"), &outcome(json!({ "v": value })));
    assert!(!verdicts.is_empty());
    verdicts.iter().all(|line| line == "ok")
}

fn message(predicates: &str, value: &Value) -> String {
    check(&format!("$.v: {predicates}"), &outcome(json!({ "v": value }))).join("\n")
}

#[test]
fn every_predicate_holds_and_fails() {
    // The predicate, what it holds of, what it fails of (the wrong types among them).
    let table: &[(&str, &[Value], &[Value])] = &[
        ("5", &[json!(5), json!(5.0)], &[json!(6), json!("5"), json!(null)]),
        ("null", &[json!(null)], &[json!(0), json!("")]),
        ("[1, {a: 2}]", &[json!([1, {"a": 2.0}])], &[json!([1]), json!([{"a": 2}, 1])]),
        ("${{ n }}", &[json!(3)], &[json!("3")]),
        ("'${{ user }}!'", &[json!("alice!")], &[json!("alice")]),
        (
            "{ eq: {a: 1, b: 2} }",
            &[json!({"b": 2, "a": 1})],
            &[json!({"a": 1}), json!({"a": 1, "b": 2, "c": 3})],
        ),
        ("{ ne: 5 }", &[json!(6), json!("5")], &[json!(5), json!(5.0)]),
        ("{ gt: 5 }", &[json!(5.1)], &[json!(5), json!("6"), json!(null), json!([6])]),
        ("{ gte: 5 }", &[json!(5)], &[json!(4.9)]),
        ("{ lt: 5 }", &[json!(-1)], &[json!(5)]),
        (
            "{ lte: 9007199254740993 }",
            &[json!(9_007_199_254_740_993_i64)],
            &[json!(9_007_199_254_740_994_i64)],
        ),
        (
            "{ gt: '2024-01-31' }",
            &[json!("2024-02-01T00:00:00Z")],
            &[json!("2024-01-01"), json!(1_706_745_600)],
        ),
        ("{ lt: b }", &[json!("a")], &[json!("c"), json!(1)]),
        ("{ between: [1, 3] }", &[json!(1), json!(3)], &[json!(0), json!(4), json!("2")]),
        (
            "{ close_to: {value: 3.14, within: 0.01} }",
            &[json!(3.15), json!(3.13)],
            &[json!(3.16), json!("3.14")],
        ),
        (
            "{ contains: bc }",
            &[json!("abcd"), json!(["bc"]), json!({"bc": 1})],
            &[json!("bd"), json!(["abcd"]), json!(5), json!(null)],
        ),
        ("{ contains: 42 }", &[json!("the answer is 42"), json!([42.0])], &[json!("41"), json!({"42": 1})]),
        ("{ contains: [a, b] }", &[json!("ab"), json!(["b", "a"])], &[json!("a"), json!(["a"])]),
        (
            "{ contains: {a: 1} }",
            &[json!({"a": 1, "b": 2}), json!([{"a": 1}])],
            &[json!({"a": 2}), json!([{"a": 1, "b": 2}]), json!("a")],
        ),
        ("{ not_contains: [a, b] }", &[json!("xyz"), json!([])], &[json!("xbz"), json!(["a"]), json!(7)]),
        ("{ icontains: ÄB }", &[json!("xäby"), json!(["äb"])], &[json!("ab")]),
        ("{ contains_any: [a, b] }", &[json!("xb"), json!(["a"])], &[json!("xy"), json!([])]),
        ("{ starts_with: ab }", &[json!("abc")], &[json!("cab"), json!(5)]),
        ("{ ends_with: 1 }", &[json!("a1")], &[json!("1a"), json!(1)]),
        ("{ matches: '^a.c$' }", &[json!("abc")], &[json!("xabc"), json!(5)]),
        ("{ matches: '^${{ user }}$' }", &[json!("alice")], &[json!("bob")]),
        ("{ one_of: [1, a] }", &[json!(1.0), json!("a")], &[json!(2), json!(null)]),
        ("{ one_of: '${{ items }}' }", &[json!(1)], &[json!(3)]),
        ("{ not_one_of: [1, a] }", &[json!(2)], &[json!(1), json!("a")]),
        ("{ type: integer }", &[json!(1), json!(1.0)], &[json!(1.5), json!("1")]),
        ("{ type: [string, null] }", &[json!(""), json!(null)], &[json!(1)]),
        ("{ type: object }", &[json!({})], &[json!([])]),
        ("{ format: uuid }", &[json!("123e4567-e89b-12d3-a456-426614174000")], &[json!("123"), json!(5)]),
        ("{ format: date-time }", &[json!("2024-01-01T00:00:00Z")], &[json!("2024-01-01")]),
        ("{ format: date }", &[json!("2024-02-29")], &[json!("2023-02-29")]),
        ("{ format: time }", &[json!("10:00:00Z")], &[json!("25:00:00Z")]),
        ("{ format: email }", &[json!("a@b.example")], &[json!("a.b")]),
        ("{ format: uri }", &[json!("https://a.example/x?y#z")], &[json!("/x")]),
        ("{ format: ipv4 }", &[json!("10.0.0.1")], &[json!("10.0.0.256")]),
        ("{ format: ipv6 }", &[json!("::1")], &[json!("10.0.0.1")]),
        ("{ format: json }", &[json!("{\"a\": 1}")], &[json!("{a}"), json!({})]),
        (
            "{ length: 2 }",
            &[json!("äö"), json!([1, 2]), json!({"a": 1, "b": 2})],
            &[json!("a"), json!(2), json!(null)],
        ),
        ("{ length: {gt: 1, lt: 3} }", &[json!("ab")], &[json!("abc")]),
        (
            "{ empty: true }",
            &[json!(""), json!([]), json!({}), json!(null)],
            &[json!("a"), json!([0]), json!(0)],
        ),
        ("{ empty: false }", &[json!("a")], &[json!([]), json!(true)]),
        ("{ exists: true }", &[json!(null), json!(0)], &[]),
        ("{ exists: false }", &[], &[json!(null)]),
        (
            "{ unique: true }",
            &[json!([1, 2, "1"]), json!([])],
            &[json!([1, 2, 1.0]), json!([{"a": 1, "b": 2}, {"b": 2, "a": 1}]), json!("ab")],
        ),
        (
            "{ unique: {by: id} }",
            &[json!([{"id": 1}, {"id": 2}])],
            &[json!([{"id": 1}, {"id": 1}]), json!([{"id": 1}, {}]), json!([1])],
        ),
        (
            "{ sorted: true }",
            &[json!([1, 1.5, 2]), json!(["2024-01-01", "2024-01-01T01:00:00Z"]), json!([])],
            &[json!([2, 1]), json!([1, "a"]), json!([null, 1])],
        ),
        ("{ sorted: desc }", &[json!([2, 1, 1])], &[json!([1, 2])]),
        (
            "{ sorted: {by: t, order: desc} }",
            &[json!([{"t": 2}, {"t": 1}])],
            &[json!([{"t": 1}, {"t": 2}]), json!([{"t": 1}, {}])],
        ),
        ("{ each: {gt: 0} }", &[json!([1, 2]), json!([])], &[json!([1, 0]), json!(["a"]), json!({})]),
        ("{ each: a }", &[json!(["a", "a"])], &[json!(["a", "b"])]),
        ("{ any: {gt: 5} }", &[json!(["a", 6])], &[json!([1]), json!([])]),
        ("{ none: {contains: s} }", &[json!(["a", null, 5])], &[json!(["a", "xs"]), json!("a")]),
        (
            "{ like: {a: 1, b: {c: {gt: 1}}, z: {exists: false}} }",
            &[json!({"a": 1.0, "b": {"c": 2, "d": 0}, "e": 5})],
            &[
                json!({"a": 1, "b": {"c": 1}}),
                json!({"a": 1}),
                json!({"a": 1, "b": {"c": 2}, "z": 0}),
                json!([]),
            ],
        ),
        (
            "{ like: [{a: 1}, {gt: 1}] }",
            &[json!([{"a": 1, "b": 2}, 2])],
            &[json!([{"a": 1}]), json!([{"a": 1}, 1])],
        ),
        (
            "{ like: {x: {like: {type: agent}}, count: 2} }",
            &[json!({"x": {"type": "agent", "y": 1}, "count": 2})],
            &[json!({"x": {"type": "team"}, "count": 2})],
        ),
        (
            "{ like: {x: {count: 2}, u: '${{ user }}'} }",
            &[json!({"x": {"count": 2, "y": 1}, "u": "alice"})],
            &[json!({"x": {"count": 3}, "u": "alice"})],
        ),
        (
            "{ schema: {type: object, required: [a], properties: {a: {type: integer}}} }",
            &[json!({"a": 1})],
            &[json!({}), json!({"a": "1"}), json!(1)],
        ),
        (
            "{ similar: {to: The capital is Paris, at_least: 0.9} }",
            &[json!("The capital is Paris."), json!("The capital is Paris")],
            &[json!("Lyon"), json!(5)],
        ),
        (
            "{ called: get_weather }",
            &[json!([{"tool_name": "get_weather"}])],
            &[json!([]), json!([{"tool_name": "search"}]), json!("x")],
        ),
        (
            "{ called: {get_weather: {city: {icontains: PARIS}}} }",
            &[
                json!([{"tool_name": "get_weather", "tool_args": {"city": "Paris", "unit": "c"}}]),
                json!([{"tool_name": "get_weather", "tool_args": "{\"city\": \"paris\"}"}]),
            ],
            &[
                json!([{"tool_name": "get_weather", "tool_args": {"city": "Rome"}}]),
                json!([{"tool_name": "get_weather", "tool_args": null}]),
            ],
        ),
        (
            "{ called: {search: [{q: a}, {q: b}]} }",
            &[
                json!([{"tool_name": "search", "tool_args": {"q": "b"}}, {"tool_name": "search", "tool_args": {"q": "a"}}]),
            ],
            &[json!([{"tool_name": "search", "tool_args": {"q": "a"}}])],
        ),
        (
            "{ not_called: [a, {b: {x: 1}}] }",
            &[json!([{"tool_name": "b", "tool_args": {"x": 2}}]), json!([])],
            &[json!([{"tool_name": "a"}]), json!([{"tool_name": "b", "tool_args": {"x": 1}}])],
        ),
        ("{ count: 2 }", &[json!([1, 2])], &[json!([]), json!("ab")]),
        (
            "{ count: {a: 1, b: {gte: 1}} }",
            &[json!([{"tool_name": "a"}, {"tool_name": "b"}, {"tool_name": "b"}])],
            &[json!([{"tool_name": "a"}])],
        ),
        ("{ not: {contains: a} }", &[json!("b")], &[json!("a"), json!(5), json!(null)]),
        ("{ not: 5 }", &[json!(6)], &[json!(5)]),
        ("{ not: {gt: 1, lt: 3} }", &[json!(3), json!(1)], &[json!(2), json!("x")]),
        ("{ all_of: [{contains: a}, {contains: b}] }", &[json!("ab")], &[json!("a")]),
        ("{ any_of: [null, {gt: 5}, a] }", &[json!(null), json!(6), json!("a")], &[json!(5), json!("b")]),
    ];
    for (predicates, good, bad) in table {
        for value in *good {
            assert!(holds(predicates, value), "{predicates} of {value}: {}", message(predicates, value));
        }
        for value in *bad {
            assert!(!holds(predicates, value), "{predicates} holds of {value}");
            // What it fails of is told in one sentence about the place.
            let text = message(predicates, value);
            assert!(text.contains("$.v") || text.contains("called"), "{predicates} of {value}: {text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
}

#[test]
fn failures_say_what_was_found() {
    let cases = [
        ("COMPLETED", json!("ERROR")),
        ("5", json!("5")),
        ("'5'", json!(5)),
        ("{ ne: 5 }", json!(5)),
        ("{ gt: 5 }", json!("abc")),
        ("{ lt: 5s }", json!(3.2)),
        ("{ between: [1, 3] }", json!(7)),
        ("{ contains: Alice }", json!("I do not know your name.")),
        ("{ contains: [Alice, Bob] }", json!("Alice")),
        ("{ contains: {id: 1} }", json!([{"id": 1, "x": 2}])),
        (
            "{ not_contains: secret }",
            json!(format!("{}the secret is 42{}", "a ".repeat(100), " b".repeat(100))),
        ),
        ("{ matches: '^a+$' }", json!("bbb")),
        ("{ starts_with: The }", json!("A capital")),
        ("{ one_of: [a, b] }", json!("c")),
        ("{ type: [string, null] }", json!(5)),
        ("{ format: uuid }", json!("abc")),
        ("{ format: json }", json!("{a")),
        ("{ length: {gte: 2} }", json!([1])),
        ("{ empty: true }", json!([1, 2])),
        ("{ unique: {by: id} }", json!([{"id": 7}, {"id": 8}, {"id": 7}])),
        ("{ sorted: true }", json!([1, 3, 2])),
        ("{ each: {gt: 1} }", json!([2, 1, 0])),
        ("{ any: {contains: x} }", json!(["a", "b", 3, "d"])),
        ("{ none: {contains: x} }", json!(["a", "x"])),
        ("{ like: {a: {b: {gt: 1}}, c: 2, d: 3} }", json!({"a": {"b": 0}, "c": 3, "dd": 3})),
        ("{ each: {like: {name: {type: string}}} }", json!([{"name": "a"}, {"name": 5}])),
        ("{ schema: {properties: {a: {type: integer}, b: {minLength: 2}}} }", json!({"a": "x", "b": "y"})),
        ("{ similar: {to: Paris, at_least: 0.8} }", json!("London")),
        (
            "{ called: {get_weather: {city: Paris}} }",
            json!([{"tool_name": "get_weather", "tool_args": {"city": "Rome"}}]),
        ),
        ("{ called: get_wether }", json!([{"tool_name": "get_weather"}, {"tool_name": "get_weather"}])),
        ("{ not_called: get_weather }", json!([{"tool_name": "get_weather", "tool_args": {"city": "Rome"}}])),
        ("{ count: {search: 2} }", json!([{"tool_name": "search"}])),
        ("{ not: {contains: a} }", json!("abc")),
        ("{ any_of: [{gt: 5}, a] }", json!(3)),
        ("{ exists: false }", json!(3)),
    ];
    let told: Vec<String> = cases.iter().map(|(predicates, value)| message(predicates, value)).collect();
    assert_snapshot!(told.join("\n"), @r#"
    `$.v` is "ERROR", expected "COMPLETED"
    `$.v` is a text ("5"), expected a number (5)
    `$.v` is a number (5), expected a text ("5")
    `$.v` is 5, and must not be
    `$.v` is a text ("abc") and cannot be compared with a number (5)
    `$.v` is a number (3.2) and cannot be compared with a text ("5s")
    `$.v` is 7, expected from 1 to 3
    `$.v` does not contain "Alice": "I do not know your name."
    `$.v` does not contain "Bob": "Alice"
    `$.v` does not contain {"id":1}: [{"id":1,"x":2}]
    `$.v` contains "secret", and must not: "…a a a a a a a a a a a a a a a a a a the secret is 42 b b b b b b b b b b b b b b b b b…"
    `$.v` does not match /^a+$/: "bbb"
    `$.v` does not start with "The", but "A capital"
    `$.v` is "c", expected one of "a", "b"
    `$.v` is a number (5), expected a string or null
    `$.v` is "abc", which is no uuid: element 1 must be 8 characters long
    `$.v` is "{a", which is no json: key must be a string at line 1 column 2
    the length of `$.v` is 1, expected at least 2
    `$.v` is not empty: [1,2]
    `$.v` holds the same `id` at [0] and [2]: 7
    `$.v` is not in ascending order: [1] is 3, [2] is 2
    `$.v[1]` is 1, expected greater than 1 (2 of 3 members fail: [1], [2])
    `$.v` has no member that is as expected, of 4 members: `$.v[0]` does not contain "x": "a"; `$.v[1]` does not contain "x": "b"; `$.v[2]` is a number (3): `contains` cannot be asked of it; ...
    `$.v[1]` is "x", expected of no member: contains "x"
    `$.v.a.b` is 0, expected greater than 1; also different: `$.v.c`, `$.v.d`
    `$.v[1].name` is a number (5), expected a string
    `$.v` does not fit the schema: `$.v.a`: want integer, but got string (type)
    `$.v` is only 0.00 similar, expected at least 0.8
    `get_weather` was called once, but not as expected: `$.v[0].tool_args.city` is "Rome", expected "Paris" (called: get_weather)
    `get_wether` was not called (called: get_weather (2 times))
    `get_weather` was called, and must not be ($.v[0] with {"city":"Rome"})
    the number of `search` in `$.v` is 1, expected 2
    `$.v` is "abc", not expected: contains "a"
    `$.v` is none of these: `$.v` is 3, expected greater than 5; `$.v` is a number (3), expected a text ("a")
    `$.v` is there, and must not be: 3
    "#);
}

#[test]
fn what_is_missing_says_what_is_there() {
    let body = json!({"run_id": "r", "status": "COMPLETED", "data": [{"id": 1}], "content": null, "metrics": {"total_tokens": 5}});
    let run = outcome(body);
    let html = Outcome {
        body: None,
        text: "<!doctype html><title>502 Bad Gateway</title>".into(),
        headers: vec![("content-type".into(), "text/html".into())],
        status: Some(502),
        error: Some("Bad Gateway".into()),
        ttft: None,
        ..outcome(json!(null))
    };
    let empty = Outcome { body: None, text: String::new(), status: Some(204), ..outcome(json!(null)) };
    let none = Outcome { error: Some("connection refused".into()), ..Outcome::default() };
    let refused = Outcome {
        status: Some(404),
        error: Some("Agent not found".into()),
        ..outcome(json!({"detail": "Agent not found"}))
    };
    let mut told = String::new();
    for (outcome, target) in [
        (&run, "$.stauts"),
        (&run, "$.data[0].name"),
        (&run, "$.data[3].id"),
        (&run, "$.data.id"),
        (&run, "$.status.x"),
        (&run, "headers.content-typ"),
        (&run, "tokens.totl"),
        (&run, "content"),
        (&run, "events"),
        (&run, "error"),
        (&run, "requirements"),
        (&html, "$.status"),
        (&html, "body"),
        (&html, "ttft"),
        (&empty, "$.x"),
        (&none, "status"),
        (&none, "$.x"),
        (&refused, "$.run_id"),
    ] {
        let (expectations, _) = try_parse(&format!("{target}: {{ exists: true }}"));
        let verdict = &expectations.evaluate(Some(outcome), &scope())[0];
        assert!(!verdict.passed, "{target}");
        let help = verdict.help.as_deref().map_or_else(String::new, |help| format!(" | {help}"));
        told += &verdict.message;
        told += &help;
        told.push('\n');
    }
    assert_snapshot!(told, @r#"
    `$.stauts` is not in the body; the body has: run_id, status, data, content, metrics | did you mean `$.status`?
    `$.data[0].name` is not in the body; `$.data[0]` has: id
    `$.data[3].id` is not in the body; `$.data` is a list of 1 member
    `$.data.id` is not in the body; `$.data` is a list of 1 member | a member is `$.data[0].id`, all of them `$.data[*].id`
    `$.status.x` is not in the body; `$.status` is a text ("COMPLETED")
    `headers.content-typ` is not among the headers: content-type, x-count | did you mean `headers.content-type`?
    `tokens.totl` is not counted; there are: total | did you mean `tokens.total`?
    `content` is null: there is no answer
    `events` is missing; the body has: run_id, status, data, content, metrics | a run has events with `stream: true`, or where the server stores them
    `error` is missing: nothing was refused, and nothing failed (status 200)
    `requirements` is missing: the run waits for nothing, it is COMPLETED
    `$.status` is missing: the body (502) is HTML: "<!doctype html><title>502 Bad Gateway</title>" | `text` is the raw body
    `body` is missing: the body (502) is HTML: "<!doctype html><title>502 Bad Gateway</title>" | `text` is the raw body
    `ttft` is missing: no content came in a stream | `stream: true` streams a run
    `$.x` is missing: the answer (204) has no body
    `status` is missing: no answer came (connection refused)
    `$.x` is missing: no answer came (connection refused)
    `$.run_id` is not in the body; the body has: detail | the server answered 404: Agent not found
    "#);
}

#[test]
fn missing_is_a_failure_unless_it_is_expected() {
    let run = outcome(json!({"run_id": "r", "null": null}));
    for (text, passes) in [
        ("$.x: { exists: false }", true),
        ("$.x: { not: { exists: true } }", true),
        ("$.x: { any_of: [{ exists: false }, { eq: 3 }] }", true),
        ("$.x: { not: { eq: 3 } }", false),
        ("$.x: { ne: 3 }", false),
        ("$.x: null", false),
        ("$.x: { empty: true }", false),
        ("$.x: { not_contains: a }", false),
        ("$.x: { any_of: [{ eq: 1 }, { eq: 2 }] }", false),
        ("$.null: { exists: true }", true),
        ("$.x[*]: []", true),
        ("$..x: { length: 0, each: { type: string } }", true),
        ("error: null", true),
        ("error: { empty: true }", true),
        ("error: { exists: false }", true),
        ("error: { ne: x }", false),
        ("content: null", true),
        ("content: { contains: a }", false),
        ("requirements: { empty: true }", true),
        ("tools: { not_called: x, count: 0, empty: true, exists: false }", true),
        ("tools: []", true),
        ("tools: { called: x }", false),
    ] {
        let passed = check(text, &run).iter().all(|line| line == "ok");
        assert_eq!(passed, passes, "{text}: {:?}", check(text, &run));
    }
    // It is said once.
    assert_eq!(check("$.x: { type: string, length: 3, matches: a }", &run).len(), 1);
}

#[test]
fn targets_find_what_they_name() {
    let run = outcome(json!({
        "run_id": "r", "status": "COMPLETED", "content": "My name is Alice", "data": [{"id": 1}, {"id": 2}, {}],
        "tools": [{"tool_name": "a"}], "events": [{"event": "RunStarted"}, {"event": "RunContent"}, {"event": "RunContent"}],
        "metrics": {"input_tokens": 3, "total_tokens": 9},
    }));
    let text = r#"
status: 200
headers.Content-Type: { starts_with: application/json }
headers.x-count: 42
body: { like: { status: COMPLETED } }
text: { contains: '"run_id"' }
content: { contains: Alice }
events: { length: 3, count: { RunContent: 2 } }
tools: { called: a }
tokens: { eq: { input: 3, total: 9 } }
tokens.total: { lte: 500 }
tokens.input_tokens: 3
duration: { gt: 6.1s, lt: 1m }
ttft: { between: [100ms, 1s], not: { gt: 2s }, close_to: { value: 400ms, within: 50ms } }
"$.data[*].id": [1, 2]
"$.data[${{ n - 2 }}].id": 2
"$.data[?@.id == ${{ n - 1 }}].id": [2]
"${{ user | upper }}": ALICE
error: { exists: false }
"#;
    let lines = check(text, &run);
    assert!(lines.iter().all(|line| line == "ok"), "{lines:#?}");
    let list =
        check("- status: 404\n- { status: 200, headers.x-count: { gt: 50 }, duration: { lt: 5s } }", &run);
    assert_snapshot!(list.join("\n"), @r#"
    `status` is 200, expected 404
    ok
    `headers.x-count` is "42", expected greater than 50
    `duration` is 6.2s, expected less than 5s
    "#);
}

#[test]
fn matches_are_named_by_their_place() {
    let run = outcome(json!({"data": [{"a b": {"n": 1}}, {}, {"a b": {"n": "x"}}]}));
    let verdicts = parse("$.data[*]['a b'].n: { each: { type: integer } }").evaluate(Some(&run), &scope());
    assert_eq!(verdicts[0].target, "$.data[2]['a b'].n");
    let verdicts = parse("$.data[0]: { like: { 'a b': { n: 2 } } }").evaluate(Some(&run), &scope());
    assert_eq!(verdicts[0].target, "$.data[0]['a b'].n");
    assert_eq!(verdicts[0].span.text(), "2");
    assert_eq!(verdicts[0].check.text(), "like: { 'a b': { n: 2");
}

#[test]
fn everything_wrong_is_found() {
    let mut told_all = String::new();
    for text in [
        "stauts: 200",
        "body.data: 1",
        "events[0].event: RunStarted",
        "headers: 1",
        "data: 1",
        "$.a b: 1",
        "$.a[: 1",
        "content: { contians: a }",
        "content: { name: Alice }",
        "content: { regex: a }",
        "content: {}",
        "$.x:",
        "$.x: { matches: '(' }",
        "$.x: { matches: '(?=a)' }",
        "$.x: { between: [3, 1] }",
        "$.x: { between: 3 }",
        "$.x: { one_of: a }",
        "$.x: { one_of: [] }",
        "$.x: { type: text }",
        "$.x: { like: { session: { type: agent } } }",
        "$.x: { format: url }",
        "$.x: { length: three }",
        "$.x: { exists: 'yes' }",
        "$.x: { unique: false }",
        "$.x: { sorted: up }",
        "$.x: { sorted: { by: a, order: up } }",
        "$.x: { close_to: 3 }",
        "$.x: { close_to: { value: 3, within: -1 } }",
        "$.x: { similar: { to: a, at_least: 80 } }",
        "$.x: { schema: { type: strin } }",
        "$.x: { schema: no-such.json }",
        "$.x: { schema: { properties: { a: { minimum: x } } } }",
        "$.x: { like: {} }",
        "$.x: { like: 5 }",
        "$.x: { contains: [] }",
        "$.x: { contains: '' }",
        "$.x: { any_of: [] }",
        "$.x: { each: {} }",
        "$.x: [{ gt: 1 }]",
        "$.x: ${{ user",
        "$.x: ${{ }}",
        "\"${{ user }}x\": 1",
        "status: '200'",
        "status: 2xx",
        "status: { gte: many }",
        "duration: 5s",
        "duration: { lt: 5 }",
        "duration: { lt: 5sec }",
        "duration: { contains: 5s }",
        "ttft: { between: [5s, 1s] }",
        "tokens.totl: 5",
        "content: { called: x }",
        "tools: { called: {} }",
        "tools: { called: { a: 2 } }",
        "events: { sequence: RunStarted }",
        "tools: { sequence: [] }",
        "content: { judge: { agent_id: a } }",
        "[]",
        "{}",
        "null",
        "5",
        "stauts: { contians: a, matches: '(' }",
    ] {
        let (_, problems) = try_parse(text);
        assert!(!problems.is_empty(), "{text}");
        assert!(problems.iter().all(|problem| problem.span().is_some()), "{text}");
        told_all.push_str(&told(&problems));
    }
    assert_snapshot!(told_all, @r#"
    there is no target `stauts` [stauts] | did you mean `status`?
    there is no target `body.data` [body.data] | a part of the body is `$.data`
    there is no target `events[0].event` [events[0].event] | a part of it is `$.events[0].event`
    there is no target `headers` [headers] | one header is `headers.content-type`
    there is no target `data` [data] | the whole body is `body` or `$`, a key of it `$.data`
    `$.a b` is no JSONPath: the name `a b` holds a blank: write ['a b'] [a]
    `$.a[` is no JSONPath: the JSONPath ends too early [$.a[]
    there is no predicate `contians` [contians] | did you mean `contains`? (a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`)
    there is no predicate `name` [name] | a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`
    there is no predicate `regex` [regex] | did you mean `matches`? (a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`)
    an empty mapping expects nothing [{] | an empty object is expected by `{ eq: {} }`, any empty value by `{ empty: true }`
    nothing is expected of `$.x` [$.x] | write `null` to expect that; `{ exists: true }` expects that it is there
    `(` is no regular expression: unclosed group ['(']
    `(?=a)` is no regular expression: look-around, including look-ahead and look-behind, is not supported ['(?=a)'] | look-ahead and look-behind are not supported; combine predicates, e.g. `not_contains`
    nothing is between 3 and 1: the first is the greater [[3, 1] | write [1, 3]
    expected a list of two, the least and the most, found a number (3) [3] | write between: [1, 10]
    expected a list, found a text ("a") [a] | write ["a"]
    the list is empty: nothing can be one of it [[]
    `text` is no type [text] | did you mean `string`?
    `agent` is no type [agent] | the types are string, number, integer, boolean, null, array, object; where `type` is a key of the data, write `{ like: { type: ... } }`
    `url` is no format [url] | did you mean `uri`?
    expected a number, found a text ("three") [three]
    expected true or false, found a text ("yes") ['yes']
    `unique` takes `true`, or the key by which members differ [false] | write `unique: true` or `unique: { by: id }`; the opposite is `not: { unique: true }`
    `sorted` takes `true`, `asc`, `desc`, or a key and an order [up] | write `sorted: desc` or `sorted: { by: created_at, order: desc }`
    `sorted` takes `true`, `asc`, `desc`, or a key and an order [up] | write `sorted: desc` or `sorted: { by: created_at, order: desc }`
    `close_to` takes a mapping with value and within [3] | write `close_to: { value: 3.14, within: 0.01 }`
    expected a number that is not negative, found a number (-1) [-1]
    expected a number from 0 to 1, found a number (80) [80] | 80 percent is written 0.8
    this is no JSON Schema: at `type`: fits none of the alternatives: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'; want array, but got string [strin]
    the schema `no-such.json` cannot be read: No such file or directory (os error 2) [no-such.json] | looked for no-such.json
    this is no JSON Schema: at `properties.a.minimum`: want number, but got string [x]
    an empty structure is like every object [{] | `{ type: object }` expects an object, `{ eq: {} }` an empty one
    `like` takes a mapping or a list, not a number [5] | equality is `eq`
    the list is empty: everything contains all of nothing [[]
    the text is empty: every text contains it ['']
    `any_of` takes a list of expectations [[] | write `any_of: [{ contains: a }, { contains: b }]`
    an empty mapping expects nothing [{] | an empty object is expected by `{ eq: {} }`, any empty value by `{ empty: true }`
    this list is compared as it stands: the mapping in it is no mapping of predicates [{ gt: 1] | predicates on the members: `{ like: [...] }` one by one, `{ each: {...} }` or `{ any: {...} }` on all
    `${{` is never closed by `}}` [${{] | a literal `${{` is written `$${{`
    there is no expression between `${{` and `}}` []
    a target is one whole expression, with no text around it ["${{ user }}x"]
    expected a number, found a text ("200") ['200'] | without quotes it is one: 200
    expected a number, found a text ("2xx") [2xx] | write { between: [200, 299] }
    expected a number, found a text ("many") [many]
    no answer takes exactly a given time [5s] | write `{ lt: 5s }`
    a duration needs a unit, `5` has none [5] | write `5s` for seconds or `5ms` for milliseconds
    `sec` is no unit of time: ms, s, m, h and d are [5sec]
    `contains` cannot be asked of this target [contains] | a duration is compared: gt, gte, lt, lte, between or close_to, e.g. `{ lt: 5s }`
    nothing is between "5s" and "1s": the first is the greater [[5s, 1s] | write ["1s", "5s"]
    AgentOS counts no `totl` tokens, as far as is known [tokens.totl] | did you mean `total`?
    `called` cannot be asked of this target [called] | it is for `tools` and `events`
    no tool is named here [{] | write `called: get_weather` or `called: { get_weather: { city: Paris } }`; no tool at all is `empty: true`
    the arguments of a call are a mapping [2] | write `{ a: { city: Paris } }`; how often is `count`
    expected a list of names, found a text [RunStarted] | write `sequence: [RunStarted, "...", RunContent+, "...", RunCompleted]`
    the sequence is empty [[] | that nothing is there is `empty: true`
    `judge` is not supported yet by this version [judge]
    nothing is expected here [[] | write `expect: { status: 200, content: { contains: Alice } }`
    nothing is expected here [{] | write `expect: { status: 200, content: { contains: Alice } }`
    nothing is expected here [null] | write `expect: { status: 200, content: { contains: Alice } }`
    expectations are a mapping from targets to what must hold, not a number [5] | write `expect: { status: 200, content: { contains: Alice } }`
    there is no target `stauts` [stauts] | did you mean `status`?
    there is no predicate `contians` [contians] | did you mean `contains`? (a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`)
    `(` is no regular expression: unclosed group ['(']
    "#);
}

#[test]
fn a_warning_is_no_error() {
    let (_, problems) = try_parse("tokens.totl: 5");
    assert!(problems.iter().all(|problem| problem.severity == Severity::Warning));
}

#[test]
fn a_failure_points_at_its_predicate() {
    let run = outcome(json!({"content": "My name is Bob."}));
    let verdicts = parse("status: 200\ncontent: { not_contains: Carol, contains: Alice }")
        .evaluate(Some(&run), &scope());
    assert_eq!(verdicts.iter().map(|verdict| verdict.passed).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(verdicts[2].span.text(), "contains: Alice");
    let shown = verdicts[2].to_problem().render(Style { color: false, unicode: true, width: 100 });
    assert_snapshot!(shown, @r#"
    expect::failed

      × `content` does not contain "Alice": "My name is Bob."
       ╭─[test.yaml:2:33]
     1 │ status: 200
     2 │ content: { not_contains: Carol, contains: Alice }
       ·                                 ───────┬───────
       ·                                        ╰── expected: contains "Alice"; found: "My name is Bob."
       ╰────
    "#);
}

#[test]
fn an_expression_that_fails_is_a_verdict() {
    let run = outcome(json!({"v": 1}));
    for text in [
        "$.v: ${{ nothing }}",
        "$.v: { gt: '${{ nothing }}' }",
        "'${{ nothing }}': 1",
        "$.v: { matches: '${{ \"(\" }}' }",
    ] {
        let verdicts = parse(text).evaluate(Some(&run), &scope());
        assert_eq!(verdicts.len(), 1, "{text}");
        assert!(!verdicts[0].passed && verdicts[0].problem.is_some(), "{text}: {verdicts:?}");
    }
}

#[test]
fn expressions_are_visited_once() {
    let expectations = parse(
        "'${{ a }}': { gt: '${{ b }}', any_of: ['${{ c }}', { like: { x: '${{ d }}' } }] }\n$.x['${{ e }}']: { called: { t: { y: '${{ f }}' } } }\n$.y: { schema: '${{ g }}', length: { lt: '${{ h }}' } }",
    );
    let mut seen = Vec::new();
    expectations.for_each_expression(&mut |expression| seen.push(expression.text().to_owned()));
    seen.sort();
    assert_eq!(seen, ["a", "b", "c", "d", "e", "f", "g", "h"]);
}

#[test]
fn assertions_take_expressions_only() {
    let assertions = |text: &str| {
        let mut problems = Problems::new();
        let expectations = Expectations::parse_assertions(&node(text), &mut problems);
        (expectations, problems)
    };
    for (text, passes) in [
        ("${{ n > 2 }}", true),
        ("${{ n > 3 }}", false),
        ("[\"${{ n > 2 }}\", { \"${{ user }}\": { starts_with: al } }]", true),
        ("{ \"${{ items | length }}\": 2, \"${{ items }}\": [1, 3] }", false),
    ] {
        let (expectations, problems) = assertions(text);
        assert!(problems.is_empty(), "{}", told(&problems));
        let verdicts = expectations.evaluate(None, &scope());
        assert_eq!(verdicts.iter().all(|verdict| verdict.passed), passes, "{text}: {verdicts:?}");
    }
    let (_, problems) = assertions("status: 200");
    assert_snapshot!(told(&problems), @"`assert` gets no answer: `status` is nothing here [status] | an earlier step's answer is `${{ steps.ID.body }}`, `.status`, `.content`, ...");
    let verdicts = assertions("${{ n > 3 }}").0.evaluate(None, &scope());
    assert_snapshot!(verdicts[0].message, @"`${{ n > 3 }}` is false, expected true");
}

#[test]
fn an_expected_failure_is_known() {
    for (text, expects) in [
        ("status: 404", true),
        ("status: { gte: 400 }", true),
        ("status: { one_of: [200, 404] }", true),
        ("status: { between: [200, 299] }", false),
        ("status: { between: [200, 499] }", true),
        ("status: { gte: 400, lt: 400 }", false),
        ("status: { not: 500 }", true),
        ("status: { any_of: [200, { gt: 500 }] }", true),
        ("status: 200", false),
        ("status: { exists: true, type: integer }", false),
        ("status: ${{ code }}", true),
        ("[{ status: 200 }, { $.x: 1 }]", false),
        ("error: { contains: not found }", true),
        ("error: ${{ text }}", true),
        ("error: { exists: true }", true),
        ("error: { exists: false }", false),
        ("error: { empty: true }", false),
        ("error: null", false),
        ("$.status: ERROR", true),
        ("$['status']: { one_of: [COMPLETED, CANCELLED] }", true),
        ("$.status: COMPLETED", false),
        ("$.status: { ne: RUNNING }", false),
        ("$.status: { type: string }", false),
        ("$: { like: { status: ERROR } }", true),
        ("body: { like: { status: COMPLETED } }", false),
        ("content: { contains: a }", false),
    ] {
        assert_eq!(parse(text).expects_failure(), expects, "{text}");
    }
    assert!(parse("status: 404").names_status());
    assert!(!parse("status: 404").expects_failed_run());
    assert!(parse("status: { one_of: [404, 409] }").may_accept_status(409));
    assert!(!parse("status: { one_of: [404, 409] }").may_accept_status(500));
}

#[test]
fn long_values_are_cut() {
    let long = format!("{}needle{}", "a".repeat(3_000_000), "b".repeat(3_000_000));
    let run = outcome(json!({"content": long}));
    let verdicts = parse(
        "content: { contains: x, not_contains: needle, eq: short, similar: { to: short, at_least: 0.5 } }",
    )
    .evaluate(Some(&run), &scope());
    for verdict in &verdicts {
        assert!(!verdict.passed);
        let size = verdict.message.len() + verdict.actual.len() + verdict.diff.as_deref().map_or(0, str::len);
        assert!(size < 5000, "{size}");
    }
    assert!(verdicts[1].message.contains("aaaneedlebbb"), "{}", verdicts[1].message);
}

#[test]
fn many_members_stay_fast() {
    let run = outcome(json!({"data": vec!["a"; 30_000]}));
    let started = std::time::Instant::now();
    let lines = check(
        "$.data[*]: { each: b, any: b, none: b, unique: true, sorted: true }\n$.data: { like: [a], contains: b }",
        &run,
    );
    assert_eq!(lines.iter().filter(|line| *line == "ok").count(), 2, "{lines:?}");
    assert!(lines[0].ends_with("[11] and 29988 more)"), "{}", lines[0]);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_schema_may_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a b#.json"), r#"{"$ref": "other.json#/$defs/id"}"#).unwrap();
    std::fs::write(folder.path().join("other.json"), r#"{"$defs": {"id": {"type": "integer"}}}"#).unwrap();
    std::fs::write(folder.path().join("y.yaml"), "type: integer\n").unwrap();
    let name = folder.path().join("scenario.yaml");
    for schema in ["'a b#.json'", "y.yaml", "{ $ref: 'other.json#/$defs/id' }", "'${{ \"y\" ~ \".yaml\" }}'"]
    {
        let source = Source::new(name.to_string_lossy(), format!("$.v: {{ schema: {schema} }}"));
        let mut problems = Problems::new();
        let document = yaml::parse(&source, &mut problems).remove(0);
        let expectations = Expectations::parse(&document, &mut problems);
        assert!(problems.is_empty(), "{schema}: {}", told(&problems));
        let scope = Scope::new(folder.path());
        for (value, passes) in [(json!(1), true), (json!("x"), false)] {
            let verdicts = expectations.evaluate(Some(&outcome(json!({ "v": value }))), &scope);
            assert_eq!(verdicts[0].passed, passes, "{schema}: {:?}", verdicts[0].message);
        }
    }
}

#[test]
fn expectations_can_be_shared() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Expectations>();
    shared::<Verdict>();
}

/// What the documentation shows is valid.
#[test]
fn the_documentation_is_right() {
    let text = include_str!("../../docs/expectations.md");
    let mut count = 0;
    for block in text.split("```yaml\n").skip(1) {
        parse(block.split("```").next().unwrap());
        count += 1;
    }
    assert!(count > 10);
    for predicate in names::PREDICATES {
        assert!(
            text.contains(&format!("{predicate}:")) || text.contains(&format!("`{predicate}`")),
            "{predicate}"
        );
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z${}. ]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z$.]{1,6}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Mappings whose keys are often words of the language.
fn any_expectation() -> impl Strategy<Value = Value> {
    let names = || {
        prop_oneof![
            4 => prop::sample::select(names::PREDICATES.to_vec()).prop_map(str::to_owned),
            1 => prop::sample::select(vec!["to", "by", "order", "value", "within", "at_least", "x", "${{ n }}", "$.a[*]"]).prop_map(str::to_owned),
        ]
    };
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(3)),
        Just(json!(0.5)),
        Just(json!("5s")),
        Just(json!("${{ n }}")),
        Just(json!("string")),
        Just(json!("uuid")),
        Just(json!("(")),
        Just(json!([1, 2])),
    ];
    let value = leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(names(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let target = prop::sample::select(vec![
        "$.v",
        "$..v",
        "status",
        "content",
        "tools",
        "duration",
        "tokens.total",
        "${{ n }}",
        "error",
    ]);
    prop::collection::btree_map(target, value, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(value in prop_oneof![any_json(), any_expectation()], actual in any_json()) {
        let mut problems = Problems::new();
        let expectations = Expectations::parse(&node(&value.to_string()), &mut problems);
        _ = (expectations.expects_failure(), expectations.names_status());
        for verdict in expectations.evaluate(Some(&outcome(json!({"v": actual, "tools": actual}))), &scope()) {
            let shown = verdict.to_problem().render(Style { color: false, unicode: false, width: 80 });
            prop_assert!(!shown.is_empty());
        }
    }

    #[test]
    fn equality_is_reflexive(value in any_json()) {
        prop_assert!(compare::equal(&value, &value));
        prop_assert!(diff::json_diff(&value, &value).is_empty());
        if !value.to_string().contains("${{") {
            let text = format!("$.v: {{ eq: {value}, like: [{value}] }}");
            let (expectations, problems) = try_parse(&text);
            // Inside of `like`, what looks like predicates is.
            if problems.is_empty() {
                let verdicts = expectations.evaluate(Some(&outcome(json!({"v": value}))), &scope());
                prop_assert!(verdicts[0].passed, "{:?}", verdicts[0]);
            }
        }
    }

    #[test]
    fn values_that_differ_have_a_difference(a in any_json(), b in any_json()) {
        prop_assert_eq!(compare::equal(&a, &b), diff::json_diff(&a, &b).is_empty());
        prop_assert_eq!(compare::equal(&a, &b), compare::canonical(&a) == compare::canonical(&b));
        let lines = diff::json_diff(&a, &b);
        prop_assert!(lines.lines().all(|line| line.starts_with(['-', '+', ' '])), "{}", lines);
    }

    #[test]
    fn not_of_not_is_the_same(value in any_expectation(), actual in any_json()) {
        let predicates = value.as_object().and_then(|map| map.values().next()).cloned().unwrap_or(json!(1));
        let (once, problems) = try_parse(&format!("$.v: {{ all_of: [{predicates}] }}"));
        if !problems.has_errors() {
            let (twice, _) = try_parse(&format!("$.v: {{ not: {{ not: {predicates} }} }}"));
            let run = outcome(json!({"v": actual}));
            let passed = |of: &Expectations| of.evaluate(Some(&run), &scope()).iter().all(|verdict| verdict.passed);
            prop_assert_eq!(passed(&once), passed(&twice));
        }
    }
}

#[test]
fn requirements_are_what_still_waits() {
    let asks = |name: &str, confirmed: Value| json!({"tool_execution": {"tool_name": name, "requires_confirmation": true, "confirmed": confirmed}});
    let both = json!([asks("a", json!(true)), asks("b", Value::Null)]);
    let paused = outcome(json!({"status": "PAUSED", "requirements": both}));
    let completed = outcome(json!({"status": "COMPLETED", "requirements": both}));
    let steps = outcome(json!({"status": "PAUSED", "step_requirements": [
        {"step_id": "1", "requires_confirmation": true, "confirmed": null},
        {"step_id": "2", "requires_confirmation": true, "confirmed": false},
        {"of_a_shape": "that is not known"}]}));
    for (outcome, text) in [
        (&paused, "requirements: { length: 1 }"),
        (&paused, "$.requirements: { length: 2 }"),
        (&completed, "requirements: { empty: true }"),
        (&completed, "$.requirements: { length: 2 }"),
        (&steps, "requirements: { length: 2 }"),
    ] {
        let (expectations, _) = try_parse(text);
        let verdict = &expectations.evaluate(Some(outcome), &scope())[0];
        assert!(verdict.passed, "{text}: {}", verdict.message);
    }
}
