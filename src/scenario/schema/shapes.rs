//! What the words of the language hold, as JSON Schema.

use serde_json::{Map, Value, json};

use super::super::read;
use super::with_description;
use crate::agentos;
use crate::expect::{FORMATS, TYPES};

/// Rows, each a mapping of the same names.
pub(super) fn cases() -> Value {
    any_of([
        json!({ "type": "array", "minItems": 1, "items": { "type": "object", "minProperties": 1 } }),
        json!({ "description": "A file of rows.", "type": "string", "pattern": "\\.(csv|json|jsonl|ndjson|ya?ml)$" }),
    ])
}

pub(super) fn matrix() -> Value {
    let rows = json!({ "type": "array", "items": { "type": "object", "minProperties": 1 } });
    json!({
        "type": "object",
        "minProperties": 1,
        "properties": {
            "exclude": with_description("Combinations that do not run; names that are left out stand for any value.", rows.clone()),
            "include": with_description("Combinations that run as well.", rows),
        },
        "additionalProperties": { "type": "array", "minItems": 1 },
    })
}

pub(super) fn http() -> Value {
    let methods = agentos::operation::Method::ALL.map(agentos::operation::Method::as_str);
    let both: Vec<String> =
        methods.iter().flat_map(|name| [(*name).to_owned(), name.to_lowercase()]).collect();
    json!({
        "type": "object",
        "required": ["path"],
        "additionalProperties": false,
        "properties": {
            "method": { "description": "GET where it is left out.", "enum": both },
            "path": { "description": "Relative to the target; it begins with `/`.", "type": "string" },
            "query": map(),
            "json": { "description": "A JSON body." },
            "form": with_description("A form, which is what runs take.", map()),
            "multipart": with_description("A multipart form.", map()),
            "body": { "description": "A text as it is." },
        },
    })
}

pub(super) fn retries() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": read::MOST_RETRIES })
}

pub(super) fn write() -> Value {
    json!({
        "type": "object",
        "required": ["file", "line"],
        "additionalProperties": false,
        "properties": {
            "file": { "description": "Relative to the working folder, and inside of it.", "type": "string" },
            "line": { "description": "A text as it is, anything else as JSON." },
            "existing": {
                "description": "What becomes of a file that is there before the run; `fail` where it is left out.",
                "enum": ["fail", "append", "replace"],
            },
        },
    })
}

pub(super) fn requires() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "agents": with_description("Ids of agents.", texts()),
            "teams": with_description("Ids of teams.", texts()),
            "workflows": with_description("Ids of workflows.", texts()),
            "operations": with_description("Operations by name.", texts()),
            "version": {
                "description": "Versions of agno: `\">=2.6, <3.1\"`.",
                "type": ["string", "number"],
            },
        },
    })
}

pub(super) fn retry() -> Value {
    let on = json!({ "type": ["string", "integer"] });
    json!({
        "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": 100 },
            {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "attempts": { "description": "How often it is sent in all; 3 where it is left out.", "type": "integer" },
                    "delay": with_description("The pause before the second time; 500ms.", duration()),
                    "backoff": { "description": "What each further pause is multiplied by; 2.", "type": "number" },
                    "on": {
                        "description": "A status, `4xx`, `5xx`, `timeout`, `connect`.",
                        "anyOf": [on, { "type": "array", "items": on }],
                    },
                },
            },
        ],
    })
}

pub(super) fn timeout() -> Value {
    json!({
        "anyOf": [
            duration(),
            {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "connect": with_description("Until there is a connection.", duration()),
                    "first_byte": with_description("Until the answer begins.", duration()),
                    "idle": with_description("Between two pieces of the answer.", duration()),
                    "total": with_description("All of it.", duration()),
                },
            },
        ],
    })
}

pub(super) fn invariants() -> Value {
    let kinds = agentos::ViolationKind::ALL
        .map(|kind| (kind.as_str().to_owned(), json!({ "type": "boolean" })))
        .into_iter()
        .collect::<Map<_, _>>();
    any_of([
        json!({ "type": "boolean" }),
        json!({ "type": "object", "additionalProperties": false, "properties": kinds }),
    ])
}

pub(super) fn snapshot() -> Value {
    let rules = || any_of([text(), texts(), map()]);
    let one = any_of([
        text(),
        json!({
            "type": "object",
            "required": ["name"],
            "additionalProperties": false,
            "properties": {
                "name": { "description": "A part of the name of its file.", "type": "string" },
                "of": { "description": "A JSONPath, `content`, `events`, `tools`, `text`, `headers.NAME`, ...; `$` where it is left out.", "type": "string" },
                "redact": with_description("Keys, JSONPaths or /regular expressions/ that are replaced, and by what.", rules()),
                "like": { "description": "How similar a text must be, from 0 to 1.", "type": "number" },
                "shape": { "description": "`true`: types and keys alone are compared.", "type": "boolean" },
                "tolerance": with_description("How near numbers must be: `0.01`, `5%`, or that for keys and JSONPaths.", json!({ "type": ["number", "string", "object"] })),
                "sort": with_description("The lists that have no order: JSONPaths, or the key to sort each by; `true` for all of it.", json!({ "type": ["boolean", "string", "array", "object"] })),
                "keep": with_description("What is not replaced although it usually is: `ids`, `times`, `durations`, `tokens`, `run`, `chunks`, `all`, keys, JSONPaths, /regular expressions/.", any_of([text(), texts()])),
            },
        }),
    ]);
    any_of([one.clone(), json!({ "type": "array", "items": one })])
}

pub(super) fn save() -> Value {
    json!({ "anyOf": [{ "type": "string" }, { "type": "object", "additionalProperties": { "type": "string" } }] })
}

pub(super) fn types() -> Value {
    let one =
        json!({ "enum": TYPES.iter().map(|name| json!(name)).chain([Value::Null]).collect::<Vec<_>>() });
    json!({ "anyOf": [one, { "type": "array", "items": one }] })
}

pub(super) fn formats() -> Value {
    json!({ "enum": FORMATS })
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn texts() -> Value {
    json!({ "type": ["array", "string"], "items": { "type": "string" } })
}

pub(super) fn for_each() -> Value {
    let mut properties = Map::new();
    properties.insert(
        "where".to_owned(),
        json!({ "description": "Only the entries for which this expression is true.", "type": ["string", "boolean"] }),
    );
    for entry in agentos::catalogue() {
        if agentos::items::Items::of(entry.spec).is_some() {
            for name in std::iter::once(&entry.spec.name).chain(entry.spec.aliases) {
                properties
                    .insert((*name).to_owned(), reference(&format!("step/properties/{}", entry.spec.name)));
            }
        }
    }
    any_of([
        json!({ "type": "array" }),
        reference("expression"),
        json!({ "type": "object", "additionalProperties": false, "properties": properties }),
    ])
}

pub(super) fn whole() -> Value {
    any_of([json!({ "type": "integer", "minimum": 0 }), reference("expression")])
}

pub(super) fn boolean() -> Value {
    any_of([json!({ "type": "boolean" }), reference("expression")])
}

pub(super) fn duration() -> Value {
    any_of([reference("duration"), reference("expression")])
}

pub(super) fn map() -> Value {
    json!({ "type": ["object", "null"] })
}

pub(super) fn scalar() -> Value {
    json!({ "type": ["string", "number"] })
}

pub(super) fn anything() -> Value {
    json!({})
}

pub(super) fn predicates() -> Value {
    reference("expectation")
}

pub(super) fn any_of<const N: usize>(schemas: [Value; N]) -> Value {
    json!({ "anyOf": schemas.to_vec() })
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}
