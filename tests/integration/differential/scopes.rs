//! What each operation wants of a token: both servers are asked with none, with one that may nothing, with what the real
//! one then says it wants, and with what is nearly that.

use super::accepted::Accepted;
use super::compare::{self, Ids};
use super::script::{Saved, Step};
use super::target::{Answer, Target};
use crate::common::{agentos::at_least, http};
use serde_json::{Value, json};

/// A request to each operation, with ids of those who play for the components, and of nobody for the rest.
fn requests(base_url: &str) -> Vec<Step> {
    let document = http::get(base_url, "/openapi.json").json();
    let mut steps = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = [("{agent_id}", "assistant"), ("{team_id}", "duo"), ("{workflow_id}", "pipeline")]
            .iter()
            .fold(path.clone(), |path, (name, id)| path.replace(name, id))
            .replace(['{', '}'], "");
        for (method, operation) in methods.as_object().unwrap() {
            let mut step = Step::new(format!("{} {path}", method.to_uppercase()));
            let content = operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
            if content.contains_key("application/json") {
                step.json = Some(json!({}));
            } else if !content.is_empty() {
                step.form = json!({ "message": "hi", "stream": "false" }).as_object().cloned();
            }
            steps.push(step);
        }
    }
    assert!(steps.len() > 70);
    steps
}

/// The scopes that a refusal names.
fn wanted(answer: &Answer) -> Option<String> {
    let text = answer.body.to_string();
    let (_, scopes) = text.split_once("Required scope(s): ")?;
    Some(scopes.split('"').next().unwrap_or(scopes).to_owned())
}

#[test]
fn both_want_the_same_scopes() {
    if !at_least(3, 1) {
        return;
    }
    let (server, emulator) = super::tokens();
    let (real, ours) = (Target::new(server.base_url()), Target::new(emulator.base_url()));
    let (mut found, mut asked) = (Vec::new(), 0);
    for mut step in requests(emulator.base_url()) {
        let mut ids = Ids::default();
        let mut both = |claims: Option<Value>| {
            let what = claims.as_ref().map_or("no token".to_owned(), |claims| claims["scopes"].to_string());
            step.token = claims;
            let expected = real.perform(&step, &mut Saved::default()).unwrap();
            let answer = ours.perform(&step, &mut Saved::default()).unwrap();
            let request = format!("scopes: {what}: 1. {}", step.send);
            found.extend(compare::answers(&request, &expected, &answer, &mut ids));
            asked += 1;
            expected
        };
        let with = |scopes: Value| Some(json!({ "sub": "p-ann", "scopes": scopes }));
        both(None);
        let Some(scope) = wanted(&both(with(json!([])))) else { continue };
        both(with(json!([scope])));
        let (resource, action) = scope.split_once(':').unwrap();
        for near in [
            format!("{resource}:*:{action}"),
            format!("{resource}:assistant:{action}"),
            format!("{resource}:pipeline:{action}"),
            format!("{resource}:nope:{action}"),
            format!("{resource}:{}", if action == "read" { "write" } else { "read" }),
            format!("{resource}:*"),
            "*".to_owned(),
            action.to_owned(),
        ] {
            both(with(json!([near])));
        }
    }
    assert!(asked > 500, "{asked}");
    let verdict =
        super::verdict(&found, &Accepted::read(&super::folder().join("accepted.yaml")), &["scopes"]);
    assert!(verdict.is_empty(), "tokens are not worth the same on both:\n{verdict}");
}
