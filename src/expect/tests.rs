//! Tests of expectations from YAML to verdict.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::diagnostic::{Severity, Style};
use crate::expr;
use crate::source::{Source, Span};
use crate::yaml;

mod messages;
mod mistakes;
mod predicates;
mod properties;
mod targets;

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
