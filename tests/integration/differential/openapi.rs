//! What the embedded AgentOS says of itself in `/openapi.json` is what a real one says of the same operations.

use crate::common::{agentos, agentos::at_least, http};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Every operation of a document, by method and path: its id, its parameters, its body, its status of success.
fn operations(base_url: &str) -> BTreeMap<String, Value> {
    let document = http::get(base_url, "/openapi.json").json();
    let mut found = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let parameters: BTreeMap<String, Value> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|parameter| {
                    (
                        parameter["name"].as_str().unwrap().to_owned(),
                        json!([parameter["in"], parameter["required"]]),
                    )
                })
                .collect();
            let content = operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
            let body: Map<String, Value> = content
                .iter()
                .map(|(kind, body)| {
                    (
                        kind.clone(),
                        json!([fields(&document, &body["schema"]), required(&document, &body["schema"])]),
                    )
                })
                .collect();
            let success =
                operation["responses"].as_object().unwrap().keys().find(|status| status.starts_with('2'));
            found.insert(
                format!("{} {path}", method.to_uppercase()),
                json!({
                    "id": operation["operationId"],
                    "parameters": parameters,
                    "body": body,
                    "success": success,
                }),
            );
        }
    }
    found
}

/// A schema, or what it refers to; of one that may be null, the other one.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    let mut other = choices.filter(|choice| choice["type"] != "null");
    match (other.next(), other.next()) {
        (Some(choice), None) => resolve(document, choice),
        _ => schema,
    }
}

fn fields(document: &Value, schema: &Value) -> Vec<String> {
    let properties = resolve(document, schema)["properties"].as_object();
    let mut names: Vec<String> = properties.into_iter().flatten().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

fn required(document: &Value, schema: &Value) -> Value {
    resolve(document, schema)["required"].clone()
}

#[test]
fn the_embedded_agentos_documents_what_it_serves_as_the_real_one_does() {
    if !at_least(3, 1) {
        return;
    }
    let emulator = super::embedded();
    let (real, embedded) = (operations(agentos().base_url()), operations(emulator.base_url()));
    assert!(embedded.len() > 70, "{}", embedded.len());
    for (name, operation) in &embedded {
        let known = real.get(name).unwrap_or_else(|| panic!("{name} is nothing that a real AgentOS has"));
        assert_eq!(operation, known, "{name}");
    }
}

/// What the embedded one says to a request, without its parameters.
fn answered(base_url: &str, operation: &str) -> (u16, String) {
    let (method, path) = operation.split_once(' ').unwrap();
    let answer = http::request(base_url, method, &path.replace(['{', '}'], ""), &[], "").unwrap();
    (answer.status, answer.body)
}

#[test]
fn it_serves_what_it_documents_and_nothing_else_of_what_a_real_one_has() {
    if !at_least(3, 1) {
        return;
    }
    let emulator = super::embedded();
    let url = emulator.base_url();
    let (real, embedded) = (operations(agentos().base_url()), operations(url));
    for operation in real.keys().chain(embedded.keys()) {
        let (status, body) = answered(url, operation);
        let served = status != 405 && !body.contains("\"Not Found\"");
        assert_eq!(served, embedded.contains_key(operation), "{operation}: {status} {body}");
    }
    // What neither documents is there all the same.
    for operation in ["GET /", "GET /openapi.json"] {
        assert_eq!(answered(url, operation).0, 200, "{operation}");
        assert!(!real.contains_key(operation) && !embedded.contains_key(operation), "{operation}");
    }
}
