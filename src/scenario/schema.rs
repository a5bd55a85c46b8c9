//! The JSON Schema of scenario files, for editors: completion, documentation on hover, and the nearest thing to `check`
//! while typing. It is made from the definitions that `check` itself uses, so that a new operation is in it by itself.
//!
//! It is more lenient than `check` in two ways. A field that an operation requires may come from `defaults`, and a step
//! with two actions would be reported by editors in words that nobody understands: neither is asked for.

use serde_json::{Map, Value, json};

mod shapes;
mod words;

use super::{action, read, step};
use crate::agentos::operation::Entry;
use crate::agentos::{self, Effect};
use shapes::{reference, text};
use words::{ACTIONS, MODIFIERS, PREDICATES, TARGETS, TOP, Word};

/// The schema as it is printed and committed.
pub fn printed() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of one scenario.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of agentos-run",
        "type": "object",
        "required": ["steps"],
        "additionalProperties": false,
        "properties": properties(read::KEYS, TOP),
        "$defs": {
            "expression": {
                "description": "`${{ ... }}`",
                "type": "string",
                "pattern": "\\$\\{\\{",
            },
            "duration": {
                "description": "`500ms`, `30s`, `1m30s`, `2h`, `30d`",
                "type": "string",
                "pattern": "^\\s*([0-9.]+(ms|s|m|h|d)\\s*)+$",
            },
            "steps": { "type": ["array", "null"], "items": { "$ref": "#/$defs/step" } },
            "step": step(),
            "defaults": defaults(),
            "expect": expect(),
            "expectation": {
                "anyOf": [
                    { "type": ["string", "number", "boolean", "null", "array"] },
                    { "$ref": "#/$defs/predicates" },
                ],
            },
            "predicates": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": false,
                "properties": described(PREDICATES),
            },
        },
    })
}

/// The properties of these words; one that nobody described holds anything.
fn properties(words: &[&str], table: &[Word]) -> Value {
    let mut known = described(table);
    let fields =
        words.iter().map(|word| ((*word).to_owned(), known.remove(*word).unwrap_or_else(|| json!({}))));
    Value::Object(fields.collect())
}

fn described(table: &[Word]) -> Map<String, Value> {
    table.iter().map(|(name, text, holds)| ((*name).to_owned(), with_description(text, holds()))).collect()
}

/// A schema with a description of its own, also where it is a reference.
fn with_description(text: &str, schema: Value) -> Value {
    let mut described = json!({ "description": text });
    if let (Some(described), Value::Object(schema)) = (described.as_object_mut(), schema) {
        for (key, value) in schema {
            described.entry(key).or_insert(value);
        }
    }
    described
}

fn step() -> Value {
    let mut fields = properties(step::MODIFIERS, MODIFIERS);
    let actions = properties(action::WORDS, ACTIONS);
    if let (Some(fields), Value::Object(actions)) = (fields.as_object_mut(), actions) {
        fields.extend(actions);
        for entry in agentos::catalogue() {
            for name in std::iter::once(&entry.spec.name).chain(entry.spec.aliases) {
                fields.insert((*name).to_owned(), operation(entry));
            }
        }
    }
    json!({ "type": "object", "minProperties": 1, "additionalProperties": false, "properties": fields })
}

/// An operation: its fields as its type declares them.
fn operation(entry: &Entry) -> Value {
    let mut description = entry.summary().to_owned();
    if !entry.details().is_empty() {
        description = format!("{description}\n\n{}", entry.details());
    }
    if entry.spec.effect == Effect::Delete {
        description.push_str("\n\nDeletes data.");
    }
    json!({
        "description": description,
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": fields(entry),
    })
}

fn fields(entry: &Entry) -> Map<String, Value> {
    let schema = (entry.schema)();
    let declared = schema.as_value().get("properties").and_then(Value::as_object);
    let mut fields = Map::new();
    for (name, declared) in declared.into_iter().flatten() {
        let field = entry.field(name);
        let mut property = or_expression(declared.clone());
        if field.is_some_and(|field| field.required)
            && let Some(description) = property.get_mut("description")
            && let Some(text) = description.as_str()
        {
            *description = format!("(required) {text}").into();
        }
        for alias in field.into_iter().flat_map(|field| &field.aliases) {
            fields.insert(alias.clone(), property.clone());
        }
        fields.insert(name.clone(), property);
    }
    fields
}

/// A schema that takes an expression in the place of a value, and of each member of a list.
fn or_expression(schema: Value) -> Value {
    let Value::Object(mut schema) = schema else { return schema };
    // Of numbers, editors need no more than that they are numbers.
    for key in ["format", "minimum", "maximum", "x-aliases"] {
        schema.remove(key);
    }
    if let Some(items) = schema.get_mut("items") {
        *items = or_expression(items.take());
    }
    let is_text = |value: &Value| value == "string";
    let takes_text = schema.get("type").is_some_and(|types| {
        is_text(types) || types.as_array().is_some_and(|types| types.iter().any(is_text))
    });
    if takes_text && !schema.contains_key("enum") {
        return Value::Object(schema);
    }
    let mut outer = Map::new();
    for key in ["description", "default"] {
        outer.extend(schema.remove(key).map(|value| (key.to_owned(), value)));
    }
    outer.insert("anyOf".to_owned(), json!([schema, reference("expression")]));
    Value::Object(outer)
}

/// Every field of every operation, and the modifiers that a scenario can set for all its steps.
fn defaults() -> Value {
    let mut all = Map::new();
    for entry in agentos::catalogue() {
        for (name, field) in fields(entry) {
            all.entry(name).or_insert(field);
        }
    }
    for (name, text, holds) in MODIFIERS {
        if super::defaults::MODIFIERS.contains(name) {
            all.insert((*name).to_owned(), with_description(text, holds()));
        }
    }
    json!({ "type": ["object", "null"], "additionalProperties": false, "properties": all })
}

fn expect() -> Value {
    let mut targets = Map::new();
    for (name, text) in TARGETS {
        targets.insert((*name).to_owned(), with_description(text, reference("expectation")));
    }
    let expectation = || reference("expectation");
    let map = json!({
        "type": "object",
        "minProperties": 1,
        "additionalProperties": false,
        "properties": targets,
        "patternProperties": {
            "^\\$": expectation(),
            "\\$\\{\\{": expectation(),
            "^(headers|tokens)\\.": expectation(),
        },
    });
    json!({ "anyOf": [map, { "type": "array", "minItems": 1, "items": map }] })
}

fn conversation() -> Value {
    let mut shared = Map::new();
    for name in ["run_agent", "run_team"] {
        shared.extend(agentos::find(name).into_iter().flat_map(fields));
    }
    shared.remove("message");
    let mut turn = shared.clone();
    turn.insert("user".to_owned(), with_description("What the user says.", text()));
    for (name, text, holds) in MODIFIERS {
        turn.insert((*name).to_owned(), with_description(text, holds()));
    }
    let turn = json!({
        "type": "object",
        "required": ["user"],
        "additionalProperties": false,
        "properties": turn,
    });
    shared.insert(
        "turns".to_owned(),
        json!({ "description": "What the user says, turn by turn.", "type": "array", "minItems": 1, "items": turn }),
    );
    json!({ "type": "object", "required": ["turns"], "additionalProperties": false, "properties": shared })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words between the brackets of a constant of `source`.
    fn words_of(source: &str, constant: &str) -> Vec<String> {
        let from = source.find(&format!("const {constant}: ")).unwrap();
        let list = source[from..].split_once("= ").unwrap().1.split_once("];").unwrap().0;
        list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_word_of_the_language_is_described() {
        let names = |table: &[Word]| table.iter().map(|(name, ..)| *name).collect::<Vec<_>>();
        assert_eq!(names(TOP), read::KEYS, "describe it in TOP of {}", file!());
        assert_eq!(names(MODIFIERS), step::MODIFIERS, "describe it in MODIFIERS of {}", file!());
        assert_eq!(names(ACTIONS), action::WORDS, "describe it in ACTIONS of {}", file!());
        let expect = include_str!("../expect/names.rs");
        assert_eq!(
            names(PREDICATES),
            words_of(expect, "PREDICATES"),
            "describe it in PREDICATES of {}",
            file!()
        );
    }

    #[test]
    fn the_committed_copy_is_up_to_date() {
        assert_eq!(
            printed(),
            include_str!("../../docs/scenario.schema.json"),
            "make it anew: cargo run -- schema > docs/scenario.schema.json"
        );
    }

    #[test]
    fn every_field_of_every_operation_is_in_it() {
        let schema = schema();
        for entry in agentos::catalogue() {
            let properties = &schema["$defs"]["step"]["properties"][entry.spec.name]["properties"];
            for field in entry.fields() {
                assert!(properties.get(&field.name).is_some(), "{} {}", entry.spec.name, field.name);
            }
        }
    }
}
