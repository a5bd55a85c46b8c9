//! `/openapi.json`: what is really served, no more.
//!
//! What each operation reads stands in `openapi/operations.json`, as agno 3.1.10 documents it: parameters, bodies, and
//! the status of success. A test holds it against the document of a real one.

use axum::response::Response;
use serde_json::{Value, json};

use super::cast::Identity;
use super::os::Os;
use super::reply;
use super::routes::{ROUTES, Route};
use super::run::{Object, put, put_some};

/// By the id of the operation.
const OPERATIONS: &str = include_str!("openapi/operations.json");

/// `GET /openapi.json`.
pub(crate) fn get(os: &Os) -> Response {
    reply::ok(&document(os.cast.os))
}

fn document(os: &Identity) -> Value {
    // A test of this file reads it: it is well-formed.
    let mut operations: Object = serde_json::from_str(OPERATIONS).unwrap_or_default();
    let mut paths = Object::new();
    for route in ROUTES {
        if let Some(operation) = route.operation {
            let methods = paths.entry(route.path).or_insert_with(|| json!({}));
            let details = operations.remove(operation).unwrap_or_default();
            methods[route.method.to_lowercase()] = describe(route, operation, details);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": os.name,
            "description": os.description,
            "version": os.version,
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "HTTPBearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn describe(route: &Route, operation: &str, mut details: Value) -> Value {
    let mut entry = Object::new();
    put(&mut entry, "tags", json!([route.tag]));
    put(&mut entry, "summary", route.summary);
    put(&mut entry, "operationId", operation);
    if !matches!(route.path, "/health" | "/info") {
        put(&mut entry, "security", json!([{ "HTTPBearer": [] }]));
    }
    let mut take = |name: &str| details.get_mut(name).map(Value::take);
    put_some(&mut entry, "parameters", take("parameters"));
    put_some(&mut entry, "requestBody", take("requestBody"));
    let success = take("success");
    let success = success.as_ref().and_then(Value::as_str).unwrap_or("200");
    put(&mut entry, "responses", json!({ success: { "description": "Successful Response" } }));
    Value::Object(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_described_and_no_other() {
        let described: Object = serde_json::from_str(OPERATIONS).unwrap();
        let served: Vec<&str> = ROUTES.iter().filter_map(|route| route.operation).collect();
        let missing: Vec<_> = served.iter().filter(|name| !described.contains_key(**name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let gone: Vec<_> = described.keys().filter(|name| !served.contains(&name.as_str())).collect();
        assert!(gone.is_empty(), "{gone:?}");
    }
}
