//! The fields of an operation as its type declares them: names, types, documentation, from one JSON Schema.

use std::fmt;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// A field of an operation.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name: that of the API.
    pub name: String,
    /// Other names that it is understood by.
    pub aliases: Vec<String>,
    /// What it means.
    pub documentation: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it holds.
    pub kind: FieldKind,
    /// Whether it holds files, some of them as paths.
    pub files: bool,
    /// What it is where it is not given.
    pub default: Option<Value>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// One of these words.
    Enum(Vec<String>),
    /// A list.
    List(Box<FieldKind>),
    /// A mapping.
    Object,
    /// Any JSON.
    Any,
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => f.write_str("a text"),
            Self::Integer => f.write_str("a whole number"),
            Self::Number => f.write_str("a number"),
            Self::Boolean => f.write_str("true or false"),
            Self::Enum(words) => write!(f, "one of {}", words.join(", ")),
            Self::List(of) => match **of {
                Self::String => f.write_str("a list of texts"),
                Self::Object => f.write_str("a list of mappings"),
                Self::Integer | Self::Number => f.write_str("a list of numbers"),
                Self::Enum(ref words) => write!(f, "a list of {}", words.join(", ")),
                _ => f.write_str("a list"),
            },
            Self::Object => f.write_str("a mapping"),
            Self::Any => f.write_str("anything"),
        }
    }
}

impl FieldKind {
    /// Whether `value` is of this kind. Null stands for "not given".
    pub fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null) | (Self::Any, _) => true,
            (Self::String, value) => value.is_string(),
            (Self::Integer, value) => value.is_i64() || value.is_u64(),
            (Self::Number, value) => value.is_number(),
            (Self::Boolean, value) => value.is_boolean(),
            (Self::Enum(words), Value::String(text)) => words.contains(text),
            (Self::List(of), Value::Array(items)) => items.iter().all(|item| of.accepts(item)),
            (Self::Object, value) => value.is_object(),
            _ => false,
        }
    }

    /// `value` as this kind where that loses nothing: a number or a boolean as a text, the text of a number as a
    /// number. For values that come from expressions and from the command line, which have no types of their own.
    pub fn coerce(&self, value: Value) -> Value {
        match (self, value) {
            (Self::String, value @ (Value::Number(_) | Value::Bool(_))) => Value::String(value.to_string()),
            (Self::Integer | Self::Number | Self::Boolean, Value::String(text)) => {
                match serde_json::from_str::<Value>(text.trim()) {
                    Ok(parsed) if self.accepts(&parsed) && !parsed.is_null() => parsed,
                    _ => Value::String(text),
                }
            }
            (Self::List(of), Value::Array(items)) => {
                Value::Array(items.into_iter().map(|item| of.coerce(item)).collect())
            }
            (_, value) => value,
        }
    }
}

/// The documentation of a type and its fields, from its schema.
pub(super) fn fields_of(schema: &Schema) -> (String, Vec<Field>) {
    let text =
        |schema: &Value, key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let root = schema.as_value();
    let required: Vec<&str> = root
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = root.get("properties").and_then(Value::as_object);
    let fields = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| Field {
            name: name.clone(),
            aliases: strings(property.get("x-aliases")),
            documentation: text(property, "description"),
            required: required.contains(&name.as_str()),
            kind: kind_of(property),
            files: property.get("x-files") == Some(&Value::Bool(true)),
            default: property.get("default").filter(|default| !default.is_null()).cloned(),
        })
        .collect();
    (text(root, "description"), fields)
}

/// The JSON Schema of an operation's fields.
pub(super) fn schema_of<T: JsonSchema>() -> Schema {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator().into_root_schema_for::<T>()
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn kind_of(schema: &Value) -> FieldKind {
    let words = strings(schema.get("enum"));
    if !words.is_empty() {
        return FieldKind::Enum(words);
    }
    // An enum whose variants are documented is a list of constants.
    for key in ["oneOf", "anyOf"] {
        if let Some(options) = schema.get(key).and_then(Value::as_array) {
            let options: Vec<&Value> = options
                .iter()
                .filter(|option| option.get("type").and_then(Value::as_str) != Some("null"))
                .collect();
            let constants: Vec<String> = options
                .iter()
                .filter_map(|option| option.get("const").and_then(Value::as_str).map(str::to_owned))
                .collect();
            if !constants.is_empty() && constants.len() == options.len() {
                return FieldKind::Enum(constants);
            }
            return match options.as_slice() {
                [only] => kind_of(only),
                _ => FieldKind::Any,
            };
        }
    }
    let types = match schema.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        other => strings(other),
    };
    let mut names = types.iter().map(String::as_str).filter(|name| *name != "null");
    match (names.next(), names.next()) {
        (Some("string"), None) => FieldKind::String,
        (Some("integer"), None) => FieldKind::Integer,
        (Some("number"), None) => FieldKind::Number,
        (Some("boolean"), None) => FieldKind::Boolean,
        (Some("object"), None) => FieldKind::Object,
        (Some("array"), None) => {
            FieldKind::List(Box::new(schema.get("items").map_or(FieldKind::Any, kind_of)))
        }
        _ => FieldKind::Any,
    }
}
