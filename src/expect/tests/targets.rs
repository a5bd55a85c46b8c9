//! What targets stand for, and what is missing.

use super::*;

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
