//! `/openapi.json`: what is really served, no more.

use axum::response::Response;
use serde_json::{Value, json};

use super::cast::Identity;
use super::os::Os;
use super::reply;
use super::routes::{ROUTES, Route};
use super::run::{Object, put};

/// `GET /openapi.json`.
pub(crate) fn get(os: &Os) -> Response {
    reply::ok(&document(os.cast.os))
}

fn document(os: &Identity) -> Value {
    let mut paths = Object::new();
    for route in ROUTES {
        if let Some(operation) = route.operation {
            let methods = paths.entry(route.path).or_insert_with(|| json!({}));
            methods[route.method.to_lowercase()] = describe(route, operation);
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

fn describe(route: &Route, operation: &str) -> Value {
    let mut entry = Object::new();
    put(&mut entry, "tags", json!([route.tag]));
    put(&mut entry, "summary", route.summary);
    put(&mut entry, "operationId", operation);
    if !matches!(route.path, "/health" | "/info") {
        put(&mut entry, "security", json!([{ "HTTPBearer": [] }]));
    }
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter("path", name, true, &json!({ "type": "string" })))
        .collect();
    parameters.extend(query(operation));
    if !parameters.is_empty() {
        put(&mut entry, "parameters", parameters);
    }
    if let Some(body) = body(operation) {
        put(&mut entry, "requestBody", body);
    }
    let mut responses = Object::new();
    put(&mut responses, success(operation), json!({ "description": "Successful Response" }));
    put(&mut entry, "responses", responses);
    Value::Object(entry)
}

fn success(operation: &str) -> &'static str {
    match operation {
        "create_session" => "201",
        "delete_session" | "delete_sessions" | "delete_memory" | "delete_memories" | "delete_eval_runs" => {
            "204"
        }
        "upload_content" => "202",
        _ => "200",
    }
}

fn parameter(place: &str, name: &str, required: bool, schema: &Value) -> Value {
    json!({ "name": name, "in": place, "required": required, "schema": schema })
}

/// The query parameters that an operation reads.
fn query(operation: &str) -> Vec<Value> {
    let text = || json!({ "type": "string" });
    let integer = || json!({ "type": "integer" });
    let kind = || json!({ "type": "string", "enum": ["agent", "team", "workflow"] });
    let optional = |name: &str, schema: Value| parameter("query", name, false, &schema);
    let of_database = || [optional("db_id", text()), optional("table", text())];
    let of_session = || {
        let mut parameters = vec![optional("type", kind()), optional("user_id", text())];
        parameters.extend(of_database());
        parameters
    };
    match operation {
        "get_agent_run" | "get_team_run" | "get_workflow_run" => {
            vec![parameter("query", "session_id", true, &text())]
        }
        "list_agent_runs" | "list_team_runs" | "list_workflow_runs" => {
            vec![parameter("query", "session_id", true, &text()), optional("status", text())]
        }
        "get_sessions" => {
            let mut parameters = of_session();
            parameters.extend([
                optional("component_id", text()),
                optional("session_name", text()),
                optional("limit", json!({ "type": "integer", "minimum": 1, "default": 20 })),
                optional("page", json!({ "type": "integer", "minimum": 0, "default": 1 })),
                optional("sort_by", json!({ "type": "string", "default": "created_at" })),
                optional(
                    "sort_order",
                    json!({ "type": "string", "enum": ["asc", "desc"], "default": "desc" }),
                ),
            ]);
            parameters
        }
        "create_session" => vec![optional("type", kind()), optional("db_id", text())],
        "get_session_by_id" | "get_session_run" | "rename_session" | "update_session" => of_session(),
        "get_session_runs" | "get_session_run_previews" => {
            let mut parameters = of_session();
            parameters.extend([
                optional("created_after", integer()),
                optional("created_before", integer()),
                optional("status", json!({ "type": "array", "items": { "type": "string" } })),
            ]);
            parameters
        }
        "delete_session" | "delete_sessions" => {
            let mut parameters = vec![optional("user_id", text())];
            parameters.extend(of_database());
            parameters.push(optional("delete_media", json!({ "type": "boolean", "default": false })));
            parameters
        }
        _ => Vec::new(),
    }
}

/// The body that an operation reads.
fn body(operation: &str) -> Option<Value> {
    let text = || json!({ "type": "string" });
    let object = || json!({ "type": "object" });
    let json_body = |properties: Value, required: Value| {
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        json!({ "content": { "application/json": { "schema": schema } } })
    };
    Some(match operation {
        "create_agent_run" | "create_team_run" | "create_workflow_run" => {
            let schema = json!({
                "type": "object",
                "properties": {
                    "message": text(),
                    "stream": { "type": "boolean", "default": true },
                    "session_id": text(),
                    "user_id": text(),
                    "version": { "type": "integer" },
                },
                "required": ["message"],
            });
            json!({
                "required": true,
                "content": {
                    "multipart/form-data": { "schema": schema },
                    "application/x-www-form-urlencoded": { "schema": schema },
                },
            })
        }
        "create_session" => json_body(
            json!({
                "session_id": text(), "session_name": text(), "session_state": object(),
                "metadata": object(), "user_id": text(), "agent_id": text(), "team_id": text(),
                "workflow_id": text(),
            }),
            json!([]),
        ),
        "update_session" => json_body(
            json!({ "session_name": text(), "session_state": object(), "metadata": object(),
                    "summary": object() }),
            json!([]),
        ),
        "rename_session" => json_body(json!({ "session_name": text() }), json!(["session_name"])),
        "delete_sessions" => {
            let texts = json!({ "type": "array", "items": text(), "minItems": 1 });
            json_body(
                json!({ "session_ids": texts, "session_types": texts }),
                json!(["session_ids", "session_types"]),
            )
        }
        _ => return None,
    })
}
