//! What holds of which values, predicate by predicate.

use super::*;

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
