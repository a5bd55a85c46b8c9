//! The JSON Schema of scenario files, for editors: completion, documentation on hover, and the nearest thing to `check`
//! while typing. It is made from the definitions that `check` itself uses, so that a new operation is in it by itself.
//!
//! It is more lenient than `check` in two ways. A field that an operation requires may come from `defaults`, and a step
//! with two actions would be reported by editors in words that nobody understands: neither is asked for.

use serde_json::{Map, Value, json};

use super::{action, read, step};
use crate::agentos::operation::Entry;
use crate::agentos::{self, Effect};

/// A word of the language, what an editor says of it, and what it holds.
type Word = (&'static str, &'static str, fn() -> Value);

const TOP: &[Word] = &[
    ("name", "What reports call it, and `--filter` finds it by. Without it: the name of the file.", text),
    ("description", "What it is about.", text),
    ("tags", "Words to select it by: `--tag 'smoke and not slow'`.", texts),
    ("skip", "`true`, a reason, or an expression: it is not run then.", || any_of([boolean(), text()])),
    ("requires", "What the target must have; where it has not, the scenario is skipped.", requires),
    (
        "cases",
        "One run for each row, here or in a CSV, JSON, JSON Lines or YAML file; an expression reads a value of the row as `case.NAME`.",
        cases,
    ),
    ("matrix", "One run for each combination of the values under each name, read as `case.NAME`.", matrix),
    (
        "vars",
        "Variables. Later ones may use earlier ones, `env` and `run`; `--var name=value` replaces them.",
        map,
    ),
    ("defaults", "Fields and modifiers that go into every step that takes them.", || reference("defaults")),
    ("timeout", "The time that setup and steps may take together.", duration),
    (
        "retries",
        "How often it is run again, at the end of the run, where it fails. Goes before `--retries`.",
        retries,
    ),
    (
        "serial",
        "`true`: nothing else runs at the same time. A name: scenarios of one name never overlap.",
        || any_of([boolean(), text()]),
    ),
    ("target", "The target of the project file that it runs against.", text),
    ("as", "The identity of the project file that all its requests come from.", text),
    ("cleanup", "What the scenario creates is deleted in the end, whatever became of it.", boolean),
    ("setup", "Steps before `steps`; when one fails, `steps` are not run.", || reference("steps")),
    ("steps", "What is done, one after another, until one fails.", || reference("steps")),
    ("finally", "Steps that always run, whatever became of the others.", || reference("steps")),
];

const MODIFIERS: &[Word] = &[
    ("id", "Later steps read the answer as `${{ steps.ID.body }}`. Letters, digits and _.", text),
    ("name", "What reports call the step.", text),
    ("if", "An expression; where it is false, the step is skipped.", || any_of([boolean(), text()])),
    ("retry", "Send the request again: a number of attempts, or all of it.", retry),
    ("timeout", "How long the request may take: `30s`, or a clock for each phase.", timeout),
    ("headers", "Further headers of the request.", map),
    ("expect", "What must hold of the answer.", || reference("expect")),
    (
        "save",
        "Variables that are taken from the answer: `{ sid: $.session_id }`; a bare name takes the body.",
        save,
    ),
    ("snapshot", "The answer is compared with the one that a file of this name holds.", snapshot),
    ("with", "The values that go into the fragment of `use`, by the names of its `params`.", map),
    ("soft", "A failure is reported, and the scenario goes on.", boolean),
    (
        "allow_failed_steps",
        "A workflow that says COMPLETED passes although one of its steps failed.",
        boolean,
    ),
    (
        "for_each",
        "Runs the step once per member of a list, or once per entry of all that an operation lists; `${{ item }}` is it.",
        for_each,
    ),
    ("as", "The variable that holds the member of `for_each`, instead of `item`.", text),
    ("repeat", "Runs the step so many times; `${{ loop.index }}` counts from 1.", whole),
    ("concurrency", "How many of a loop run at the same time; 1 where it is left out.", whole),
    ("batch", "So many items at a time: `${{ item }}` is a list of them.", whole),
    ("rate", "How fast the rounds of a loop begin: `5/s`, `100/m`, `1000/h`.", text),
    (
        "stop_on_failure",
        "Whether the first failure ends the loop. Without it: yes, but not where it goes over an operation.",
        boolean,
    ),
    ("max_deletes", "How many items the loop may delete without somebody being asked.", whole),
    ("until", "Sends the request again until this holds.", || reference("expect")),
    ("every", "The pause between two tries of `until`; 500ms where it is left out.", duration),
    ("within", "The time that `until` may take; 30s where it is left out.", duration),
    ("invariants", "`false`: what must hold of every stream need not hold here; or which of it.", invariants),
    ("as_user", "The identity of the project file that the request comes from.", text),
    (
        "resume",
        "How often the stream of a run in the background is taken up again where its connection breaks; 3 where it is left out.",
        whole,
    ),
];

const ACTIONS: &[Word] = &[
    ("http", "Any request, for what has no operation.", http),
    ("use", "The steps of a fragment: a file beside this one, such as `_lib/login.yaml`.", text),
    ("set", "Gives variables values.", map),
    (
        "assert",
        "Expectations on expressions; nothing is sent.",
        || json!({ "anyOf": [reference("expect"), text(), { "type": "array" }] }),
    ),
    ("conversation", "Several turns of a user in one session with an agent or a team.", conversation),
    ("group", "Steps that belong together.", || reference("steps")),
    ("parallel", "Steps that run at the same time.", || reference("steps")),
    ("sleep", "Waits.", duration),
    ("log", "Says something in the report.", || json!({})),
    ("write", "Writes a line into a file of the working folder.", write),
];

const TARGETS: &[(&str, &str)] = &[
    ("status", "The HTTP status."),
    ("body", "The body as JSON, the same as `$`."),
    ("text", "The body as it came."),
    ("content", "The answer's text."),
    ("events", "The events of a run."),
    ("tools", "The tool calls of a run; an empty list where none was called."),
    ("tokens", "The tokens of a run; `tokens.total` is one number."),
    ("duration", "From sending to the end of the answer: `{ lt: 5s }`."),
    ("ttft", "The time to the first content of a stream."),
    ("error", "The message of a refused request, of a failed run, or of a request that got no answer."),
    ("requirements", "What a paused run waits for."),
];

const PREDICATES: &[Word] = &[
    ("eq", "Deep equality.", anything),
    ("ne", "Not equal.", anything),
    ("gt", "Greater: numbers, durations, texts, ISO dates.", scalar),
    ("gte", "Greater or equal.", scalar),
    ("lt", "Less.", scalar),
    ("lte", "Less or equal.", scalar),
    ("between", "`[low, high]`, both included.", anything),
    ("close_to", "`{ value: 3.14, within: 0.01 }`.", anything),
    ("contains", "A substring, a member of a list, keys of an object. A list means all of them.", anything),
    ("not_contains", "None of them.", anything),
    ("icontains", "`contains` in upper or lower case.", anything),
    ("contains_any", "At least one of a list.", anything),
    ("starts_with", "How a text begins.", anything),
    ("ends_with", "How a text ends.", anything),
    ("matches", "A regular expression, found anywhere without ^ and $.", text),
    ("one_of", "One of a list.", anything),
    ("not_one_of", "None of a list.", anything),
    ("type", "The type of JSON, or a list of types.", types),
    ("format", "The format of a text.", formats),
    ("length", "Of a text, a list or an object: a number or predicates.", anything),
    ("empty", "Whether it is `\"\"`, [], {} or null.", boolean),
    ("exists", "Whether it is there.", boolean),
    ("unique", "Whether the members differ: `true`, or `{ by: key }`.", anything),
    ("sorted", "`asc`, `desc`, or `{ by: key, order: desc }`.", anything),
    ("each", "What holds of every member.", predicates),
    ("any", "What holds of at least one member.", predicates),
    ("none", "What holds of no member.", predicates),
    ("like", "A partial structure: what it names must be there, more may be.", anything),
    ("schema", "A JSON Schema, written out or in a file beside the scenario.", anything),
    ("similar", "`{ to: text, at_least: 0.8 }`.", anything),
    ("called", "Tools that were called: a name, names, or `{ name: { argument: value } }`.", anything),
    ("not_called", "Tools that were not called.", anything),
    ("count", "How many: a number, predicates, or `{ name: number }`.", anything),
    ("not", "What must not hold.", predicates),
    ("all_of", "All of these hold.", || json!({ "type": "array", "items": reference("expectation") })),
    (
        "any_of",
        "At least one of these holds.",
        || json!({ "type": "array", "items": reference("expectation") }),
    ),
    ("sequence", "An ordered pattern of events or tool calls.", anything),
];

const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "null", "array", "object"];

const FORMATS: [&str; 14] = [
    "uuid",
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "json-pointer",
    "regex",
    "json",
];

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

/// Rows, each a mapping of the same names.
fn cases() -> Value {
    any_of([
        json!({ "type": "array", "minItems": 1, "items": { "type": "object", "minProperties": 1 } }),
        json!({ "description": "A file of rows.", "type": "string", "pattern": "\\.(csv|json|jsonl|ndjson|ya?ml)$" }),
    ])
}

fn matrix() -> Value {
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

fn http() -> Value {
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

fn retries() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": read::MOST_RETRIES })
}

fn write() -> Value {
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

fn requires() -> Value {
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

fn retry() -> Value {
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

fn timeout() -> Value {
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

fn invariants() -> Value {
    let kinds = agentos::ViolationKind::ALL
        .map(|kind| (kind.as_str().to_owned(), json!({ "type": "boolean" })))
        .into_iter()
        .collect::<Map<_, _>>();
    any_of([
        json!({ "type": "boolean" }),
        json!({ "type": "object", "additionalProperties": false, "properties": kinds }),
    ])
}

fn snapshot() -> Value {
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

fn save() -> Value {
    json!({ "anyOf": [{ "type": "string" }, { "type": "object", "additionalProperties": { "type": "string" } }] })
}

fn types() -> Value {
    let one =
        json!({ "enum": TYPES.iter().map(|name| json!(name)).chain([Value::Null]).collect::<Vec<_>>() });
    json!({ "anyOf": [one, { "type": "array", "items": one }] })
}

fn formats() -> Value {
    json!({ "enum": FORMATS })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn texts() -> Value {
    json!({ "type": ["array", "string"], "items": { "type": "string" } })
}

fn for_each() -> Value {
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

fn whole() -> Value {
    any_of([json!({ "type": "integer", "minimum": 0 }), reference("expression")])
}

fn boolean() -> Value {
    any_of([json!({ "type": "boolean" }), reference("expression")])
}

fn duration() -> Value {
    any_of([reference("duration"), reference("expression")])
}

fn map() -> Value {
    json!({ "type": ["object", "null"] })
}

fn scalar() -> Value {
    json!({ "type": ["string", "number"] })
}

fn anything() -> Value {
    json!({})
}

fn predicates() -> Value {
    reference("expectation")
}

fn any_of<const N: usize>(schemas: [Value; N]) -> Value {
    json!({ "anyOf": schemas.to_vec() })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
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
        assert_eq!(TYPES.to_vec(), words_of(expect, "TYPES"));
        assert_eq!(FORMATS.to_vec(), words_of(include_str!("../expect/schema.rs"), "FORMATS"));
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
