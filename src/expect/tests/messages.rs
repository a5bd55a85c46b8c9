//! What a failure says, and where it points.

use super::*;

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
