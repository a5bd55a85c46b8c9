//! What goes into a fragment: names with types, defaults and what they are for.

use std::fmt;

use serde_json::Value;

use super::twice;
use crate::diagnostic::{self, Problem, Problems};
use crate::scenario::read::check_name;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Entry, Key, Kind, Node};

/// A value that goes into a fragment.
#[derive(Debug)]
pub struct Param {
    /// What it is called.
    pub name: Key,
    /// What it may be; any value where nothing is said.
    pub types: Vec<ParamType>,
    /// What it is where nothing is given; it must be given where there is none.
    pub default: Option<Template>,
}

/// A type of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// A text.
    String,
    /// Any number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// `null`.
    Null,
    /// A list.
    Array,
    /// A mapping.
    Object,
}

impl ParamType {
    const ALL: [(&'static str, Self); 7] = [
        ("string", Self::String),
        ("number", Self::Number),
        ("integer", Self::Integer),
        ("boolean", Self::Boolean),
        ("null", Self::Null),
        ("array", Self::Array),
        ("object", Self::Object),
    ];

    fn accepts(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            Self::Boolean => value.is_boolean(),
            Self::Null => value.is_null(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    /// The type of a value that is written as a default: others must have it too.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(_) => Some(Self::Number),
            Value::String(_) => Some(Self::String),
            Value::Array(_) => Some(Self::Array),
            Value::Object(_) => Some(Self::Object),
        }
    }
}

impl fmt::Display for ParamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(_, known)| known == self).map_or("", |(name, _)| name))
    }
}

impl Param {
    /// Why a value cannot go in; none where it can.
    pub fn refuses(&self, value: &Value) -> Option<String> {
        if self.types.is_empty() || self.types.iter().any(|wanted| wanted.accepts(value)) {
            return None;
        }
        let wanted: Vec<String> = self.types.iter().map(ToString::to_string).collect();
        Some(format!("`{}` must be {}", self.name.name, article(&wanted.join(" or "))))
    }

    /// What it is written like where it must be given.
    pub(super) fn example(&self) -> String {
        format!("{}: ...", self.name.name)
    }
}

fn article(word: &str) -> String {
    let vowel = word.starts_with(['a', 'i', 'o']);
    format!("{} {word}", if vowel { "an" } else { "a" })
}

/// Reads `params`: names that must be given, or a mapping of names to defaults or to all that can be said.
pub(super) fn parse(entry: &Entry, problems: &mut Problems) -> Vec<Param> {
    let params: Vec<Param> = match &entry.value.kind {
        Kind::Null => Vec::new(),
        Kind::Sequence(items) => items.iter().filter_map(|item| named(item, problems)).collect(),
        Kind::Mapping(entries) => entries.iter().filter_map(|entry| param(entry, problems)).collect(),
        _ => {
            problems.push(
                expected("fragment::params", "`params`", "a list of names, or a mapping", &entry.value)
                    .help("params: { user: { type: string }, attempts: 3 }"),
            );
            Vec::new()
        }
    };
    twice(params.iter().map(|param| &param.name), "params", problems);
    params
}

fn named(item: &Node, problems: &mut Problems) -> Option<Param> {
    let name = string(item, "each of `params`", problems)?;
    let name = Key { span: item.span.clone(), name };
    check_name(&name, problems).then(|| Param { name, types: Vec::new(), default: None })
}

fn param(entry: &Entry, problems: &mut Problems) -> Option<Param> {
    if !check_name(&entry.key, problems) {
        return None;
    }
    let name = entry.key.clone();
    match &entry.value.kind {
        Kind::Null => Some(Param { name, types: Vec::new(), default: None }),
        Kind::Mapping(_) => Some(described(name, &entry.value, problems)),
        _ => {
            let default = Template::parse(&entry.value, problems);
            let types = default.as_literal().and_then(ParamType::of).into_iter().collect();
            Some(Param { name, types, default: Some(default) })
        }
    }
}

/// `{ type: string, default: alice, required: false, description: ... }`
fn described(name: Key, node: &Node, problems: &mut Problems) -> Param {
    const KEYS: &[&str] = &["type", "default", "required", "description"];
    let fields = Fields::new(node, "a parameter", problems);
    let _for_people = fields.text("description", problems);
    let default = fields.get("default").map(|entry| Template::parse(&entry.value, problems));
    let mut types: Vec<ParamType> = Vec::new();
    if let Some(entry) = fields.get("type") {
        for item in entry.value.as_sequence().unwrap_or(std::slice::from_ref(&entry.value)) {
            types.extend(param_type(item, problems));
        }
    } else {
        types.extend(default.as_ref().and_then(Template::as_literal).and_then(ParamType::of));
    }
    let required = fields.boolean("required", problems);
    if let (Some(true), Some(entry)) = (required, fields.get("default")) {
        problems.push(
            Problem::error("fragment::params", format!("`{}` is required and has a default", name.name))
                .label(&entry.key.span, "never used")
                .help("take one of the two away"),
        );
    }
    // `required: false` without a default: nothing is null.
    let default =
        default.or_else(|| (required == Some(false)).then(|| Template::literal(Value::Null, &name.span)));
    for entry in fields.entries().iter().filter(|entry| !KEYS.contains(&entry.key.name.as_str())) {
        let problem = crate::yaml::fields::unknown_key(&entry.key, "a parameter", KEYS.iter().copied());
        problems.push(if diagnostic::nearest(&entry.key.name, KEYS.iter().copied()).is_none() {
            problem.help("a default that is a mapping is written `{ default: { ... } }`")
        } else {
            problem
        });
    }
    let param = Param { name, types, default };
    let literal = param.default.as_ref().and_then(|default| Some((default, default.as_literal()?)));
    if let Some((default, value)) = literal.filter(|(_, value)| required != Some(false) || !value.is_null())
        && let Some(refusal) = param.refuses(value)
    {
        problems
            .push(Problem::error("fragment::params", refusal).label(default.span(), "the default is none"));
    }
    param
}

fn param_type(node: &Node, problems: &mut Problems) -> Option<ParamType> {
    let text = match &node.kind {
        Kind::Null => "null",
        _ => node.as_str().unwrap_or_default(),
    };
    let found = ParamType::ALL.iter().find(|(name, _)| *name == text);
    if found.is_none() {
        let names = ParamType::ALL.map(|(name, _)| name);
        let other = match text {
            "list" => Some("array"),
            "map" | "mapping" | "dict" => Some("object"),
            "text" | "str" => Some("string"),
            "bool" => Some("boolean"),
            "int" => Some("integer"),
            "float" => Some("number"),
            text => diagnostic::nearest(text, names),
        };
        problems.push(
            Problem::error("fragment::params", format!("there is no type `{text}`"))
                .label(&node.span, "unknown type")
                .help(other.map_or_else(
                    || format!("types: {}; any value where `type` is left out", names.join(", ")),
                    |other| format!("did you mean `{other}`?"),
                )),
        );
    }
    found.map(|(_, found)| *found)
}
