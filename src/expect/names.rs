//! The words of expectations: predicates, types, formats, and what is said of a word that is none.

use super::schema;
use crate::diagnostic::{self, Problem, Problems};
use crate::yaml::{Key, Kind, Node};

/// All predicates; the first column is the name.
pub(super) const PREDICATES: [&str; 37] = [
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "close_to",
    "contains",
    "not_contains",
    "icontains",
    "contains_any",
    "starts_with",
    "ends_with",
    "matches",
    "one_of",
    "not_one_of",
    "type",
    "format",
    "length",
    "empty",
    "exists",
    "unique",
    "sorted",
    "each",
    "any",
    "none",
    "like",
    "schema",
    "similar",
    "called",
    "not_called",
    "count",
    "not",
    "all_of",
    "any_of",
    "sequence",
];

/// A known word of a later version.
const JUDGE: &str = "judge";

/// What other tools call them.
const SYNONYMS: [(&str, &str); 52] = [
    ("equals", "eq"),
    ("equal", "eq"),
    ("is", "eq"),
    ("==", "eq"),
    ("=", "eq"),
    ("be", "eq"),
    ("not_equal", "ne"),
    ("not_equals", "ne"),
    ("neq", "ne"),
    ("!=", "ne"),
    ("is_not", "ne"),
    (">", "gt"),
    ("greater_than", "gt"),
    ("more_than", "gt"),
    ("above", "gt"),
    (">=", "gte"),
    ("ge", "gte"),
    ("min", "gte"),
    ("at_least", "gte"),
    ("<", "lt"),
    ("less_than", "lt"),
    ("below", "lt"),
    ("<=", "lte"),
    ("le", "lte"),
    ("max", "lte"),
    ("at_most", "lte"),
    ("approx", "close_to"),
    ("includes", "contains"),
    ("include", "contains"),
    ("has", "contains"),
    ("regex", "matches"),
    ("pattern", "matches"),
    ("in", "one_of"),
    ("enum", "one_of"),
    ("not_in", "not_one_of"),
    ("len", "length"),
    ("size", "length"),
    ("every", "each"),
    ("all", "each"),
    ("some", "any"),
    ("or", "any_of"),
    ("and", "all_of"),
    ("present", "exists"),
    ("match", "matches"),
    ("subset", "like"),
    ("json_schema", "schema"),
    ("contain", "contains"),
    ("greater_than_or_equal", "gte"),
    ("less_than_or_equal", "lte"),
    ("close", "close_to"),
    ("text", "contains"),
    ("truthy", "exists"),
];

/// The predicate of this name.
pub(super) fn known(name: &str) -> Option<&'static str> {
    if name == JUDGE {
        return Some(JUDGE);
    }
    PREDICATES.iter().copied().find(|known| *known == name)
}

/// The predicate of this name that may stand inside of data, in `like`: those for `tools` may not, their names are
/// names of data.
pub(super) fn in_data(name: &str) -> Option<&'static str> {
    known(name).filter(|name| !matches!(*name, "called" | "not_called" | "count" | "sequence" | "judge"))
}

/// The predicate that was probably meant.
pub(super) fn meant(name: &str) -> Option<&'static str> {
    meant_exactly(name).or_else(|| diagnostic::nearest(name, PREDICATES))
}

/// The predicate of this name, or the one that other tools call so: `toBeGreaterThan`, `less-than`.
pub(super) fn meant_exactly(name: &str) -> Option<&'static str> {
    let mut folded = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !folded.is_empty() && !folded.ends_with('_') {
            folded.push('_');
        }
        folded.extend(c.to_lowercase());
    }
    let folded = folded.replace(['-', ' '], "_");
    let of = |word: &str| {
        let synonym = SYNONYMS.iter().find(|(known, _)| *known == word).map(|(_, predicate)| *predicate);
        PREDICATES.into_iter().find(|known| *known == word).or(synonym)
    };
    let bare =
        ["to_be_", "to_have_", "to_", "is_", "should_"].iter().find_map(|lead| folded.strip_prefix(lead));
    of(&folded).or_else(|| of(bare?)).filter(|found| *found != JUDGE)
}

/// The problem that a key is no predicate.
pub(super) fn unknown(key: &Key) -> Problem {
    let meant = meant(&key.name);
    let hint = "a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`";
    let help = match meant {
        Some(name) => format!("did you mean `{name}`? ({hint})"),
        None => hint.to_owned(),
    };
    Problem::error("expect::predicate", format!("there is no predicate `{}`", key.name))
        .label(&key.span, "no such predicate")
        .help(help)
}

/// The types of JSON.
pub(crate) const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "null", "array", "object"];

/// One type or a list of them.
pub(super) fn types(node: &Node, problems: &mut Problems) -> Option<Vec<&'static str>> {
    match node.as_sequence() {
        Some(items) if !items.is_empty() => {
            let found: Vec<&'static str> = items.iter().filter_map(|item| one_type(item, problems)).collect();
            (found.len() == items.len()).then_some(found)
        }
        _ => one_type(node, problems).map(|found| vec![found]),
    }
}

fn one_type(node: &Node, problems: &mut Problems) -> Option<&'static str> {
    let name = match &node.kind {
        // `type: null` is YAML's null; nothing at all is a forgotten word.
        Kind::Null if !node.span.text().is_empty() => "null",
        Kind::String(text) => text.as_str(),
        _ => "",
    };
    if let Some(found) = TYPES.iter().copied().find(|known| *known == name) {
        return Some(found);
    }
    let meant = match name {
        "text" | "str" => Some("string"),
        "int" => Some("integer"),
        "float" | "double" => Some("number"),
        "bool" => Some("boolean"),
        "none" => Some("null"),
        "list" => Some("array"),
        "dict" | "map" | "mapping" => Some("object"),
        other => diagnostic::nearest(other, TYPES),
    };
    let help = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!(
            "the types are {}; where `type` is a key of the data, write `{{ like: {{ type: ... }} }}`",
            TYPES.join(", ")
        ),
    };
    problems.push(
        Problem::error("expect::argument", format!("`{}` is no type", node.span.first_line().text()))
            .label(&node.span, "expected a type")
            .help(help),
    );
    None
}

/// The format that is named.
pub(super) fn format(node: &Node, problems: &mut Problems) -> Option<&'static str> {
    let name = node.as_str().unwrap_or_default();
    let found = schema::FORMATS.iter().copied().find(|known| *known == name);
    if found.is_none() {
        let help = match name {
            "datetime" | "timestamp" | "iso8601" => Some("did you mean `date-time`?".to_owned()),
            "url" => Some("did you mean `uri`?".to_owned()),
            "ip" => Some("`ipv4` or `ipv6`".to_owned()),
            _ => diagnostic::suggest(name, schema::FORMATS),
        };
        problems.push(
            Problem::error("expect::argument", format!("`{}` is no format", node.span.first_line().text()))
                .label(&node.span, "expected a format")
                .maybe_help(help),
        );
    }
    found
}
