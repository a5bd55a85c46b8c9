//! The words of the language, what an editor says of each, and what it holds: a table.

use serde_json::{Value, json};

use super::conversation;
use super::shapes::{
    any_of, anything, boolean, cases, duration, for_each, formats, http, invariants, map, matrix, predicates,
    reference, requires, retries, retry, save, scalar, snapshot, text, texts, timeout, types, whole, write,
};

/// A word of the language, what an editor says of it, and what it holds.
pub(super) type Word = (&'static str, &'static str, fn() -> Value);

pub(super) const TOP: &[Word] = &[
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

pub(super) const MODIFIERS: &[Word] = &[
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

pub(super) const ACTIONS: &[Word] = &[
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

pub(super) const TARGETS: &[(&str, &str)] = &[
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

pub(super) const PREDICATES: &[Word] = &[
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
