//! What holds of all values and of all expectations.

use proptest::prelude::*;

use super::*;

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
