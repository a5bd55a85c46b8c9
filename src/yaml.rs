//! YAML text to a tree in which every node knows its bytes. The only place that names the YAML crate.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_yaml::{DuplicateKeyPolicy, Location, Spanned};

use crate::diagnostic::{Problem, Problems};
use crate::source::{Source, Span};

pub(crate) mod fields;

/// The largest file that is read, in bytes: a scenario is text that people write.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How deep collections may nest.
const MAX_DEPTH: usize = 96;
/// How many nodes a file may hold, aliases expanded.
const MAX_NODES: usize = 500_000;
/// How many events anchors may record: what an alias can repeat.
const MAX_ANCHORED: usize = 50_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its bytes: of a collection, from the first member to the last.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`; `yes` and `on` are texts.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order in which it is written.
    Mapping(Vec<Entry>),
}

/// One `key: value` of a mapping.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Node,
}

/// A mapping's key: always a text, `200:` is `"200":`.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its bytes.
    pub span: Span,
    /// Its text.
    pub name: String,
}

impl Node {
    /// What it is, in words that complete "expected ..., found ...".
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a text",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, where it is a mapping.
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The members, where it is a list.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The value as JSON; expressions stay as they are written.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::String(text) => Value::String(text.clone()),
            Kind::Sequence(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Kind::Mapping(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.name.clone(), entry.value.to_json())).collect(),
            ),
        }
    }
}

/// The documents of a file. An empty document is a [`Kind::Null`]. Duplicate keys, which YAML forbids, become problems
/// and the first of them counts; a text that is no YAML gives one problem and no documents.
pub fn parse(source: &Arc<Source>, problems: &mut Problems) -> Vec<Node> {
    if source.text().len() > MAX_BYTES {
        problems.push(
            Problem::error("yaml::too-large", format!("{} holds more than 16 MiB", source.name()))
                .help("split it, or keep data in a file beside it and read that with `json_file(\"...\")`"),
        );
        return Vec::new();
    }
    match serde_yaml::from_multiple_with_options::<Raw>(source.text(), options()) {
        Ok(documents) => documents.into_iter().map(|raw| raw.into_node(source, problems)).collect(),
        Err(error) => {
            problems.push(syntax_problem(source, &error));
            Vec::new()
        }
    }
}

fn options() -> serde_yaml::Options {
    let mut options = serde_yaml::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        strict_indentation: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    options.budget = serde_yaml::budget! {
        max_depth: MAX_DEPTH,
        max_nodes: MAX_NODES,
        max_recorded_anchor_events: MAX_ANCHORED,
        max_events: 4 * MAX_NODES,
        max_total_scalar_bytes: 4 * MAX_BYTES,
    };
    options
}

fn syntax_problem(source: &Arc<Source>, error: &serde_yaml::Error) -> Problem {
    let error = error.without_snippet();
    let text = error.render_with_options(plain_rendering());
    // The location is a label; the parser's text repeats it as " at line 3, column 5".
    let message = text.split(" at line ").next().unwrap_or(&text).trim_end_matches(':').to_owned();
    let breach = matches!(error, serde_yaml::Error::Budget { .. })
        || ["limits breached", "recursion limit", "alias"]
            .iter()
            .any(|sign| text.contains(sign) && text.contains("limit"));
    let span = error.location().map(|location| span_of(source, location));
    let (code, message, help) = if breach {
        (
            "yaml::limit",
            "the file nests deeper or repeats more than a scenario may".to_owned(),
            Some(format!(
                "at most {MAX_DEPTH} levels of nesting, {MAX_NODES} values and {MAX_ANCHORED} values repeated by aliases"
            )),
        )
    } else {
        let path = span.as_ref().and_then(path_at);
        let help =
            path.map(|path| format!("inside `{{ }}` a path with brackets stands in quotes: \"{path}\""));
        ("yaml::syntax", format!("this is not valid YAML: {message}"), help.or_else(|| help_for(&message)))
    };
    let problem = Problem::error(code, message).maybe_help(help);
    match span {
        Some(span) => problem.label(&span, "here"),
        None => problem.label(&Span::new(source, 0..0), "in this file"),
    }
}

/// The JSONPath whose bracket the parser stumbles over: to YAML it begins a list.
fn path_at(span: &Span) -> Option<&str> {
    let (text, at) = (span.source().text(), span.range().start);
    let (before, rest) = (text.get(..at)?, text.get(at..)?);
    let start = before.rfind([' ', '\n', '{', ',']).map_or(0, |blank| blank + 1);
    // In the brackets may be anything.
    let bracket = rest.find(']').filter(|_| rest.starts_with('['))?;
    let end = rest.get(bracket..)?.find([' ', '\n', '}', ',']).map_or(text.len(), |end| at + bracket + end);
    let path = text.get(start..end)?.trim_end_matches(':');
    Some(path).filter(|path| path.starts_with('$') && !path.contains('\n'))
}

fn plain_rendering() -> serde_yaml::RenderOptions<'static> {
    static FORMATTER: serde_yaml::UserMessageFormatter = serde_yaml::UserMessageFormatter;
    serde_yaml::RenderOptions::new(&FORMATTER)
}

/// What usually causes a parser's complaint.
fn help_for(message: &str) -> Option<String> {
    let hint = if message.contains("tab") {
        "YAML is indented by spaces, never by tabs"
    } else if message.contains("simple key expected") {
        "a key is followed by `: `, and an item of a list begins with `- `"
    } else if message.contains("quoted scalar") {
        "is a quote never closed? An apostrophe inside of '...' is written twice"
    } else if message.contains("unknown value") {
        "`*name` repeats what `&name` marked; a text that begins with `*` stands in quotes"
    } else if message.contains("simple key") || message.contains("mapping values") {
        "a text that holds `: ` must stand in quotes; so must one that begins with `{`, `[`, `*`, `&`, `!`, `%` or `@`"
    } else if message.contains("flow") || message.contains("expected ','") {
        "inside `{ }` an expression stands in quotes: { session_id: \"${{ sid }}\" }"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

fn span_of(source: &Arc<Source>, location: Location) -> Span {
    let span = location.span();
    if let Some(start) = span.byte_offset().and_then(|offset| usize::try_from(offset).ok()) {
        let length = span.byte_len().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        return Span::new(source, start..start + length);
    }
    // Errors of the scanner know line and column only.
    let number = |of: u64| usize::try_from(of).unwrap_or(usize::MAX).saturating_sub(1);
    let mut lines = source.text().split_inclusive('\n');
    let line_start: usize = lines.by_ref().take(number(location.line())).map(str::len).sum();
    let line = source.text().get(line_start..).unwrap_or("").lines().next().unwrap_or("");
    let at = line.char_indices().nth(number(location.column())).map_or(line.len(), |(at, _)| at);
    Span::new(source, line_start + at..line_start + at)
}

/// A node as the YAML crate hands it over, before it knows its source.
struct Raw {
    location: Location,
    kind: RawKind,
}

enum RawKind {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Sequence(Vec<Raw>),
    Mapping(Vec<(RawKey, Raw)>),
}

struct RawKey {
    location: Location,
    name: String,
}

impl Raw {
    fn into_node(self, source: &Arc<Source>, problems: &mut Problems) -> Node {
        let mut span = span_of(source, self.location);
        let kind = match self.kind {
            RawKind::Null => Kind::Null,
            RawKind::Bool(value) => Kind::Bool(value),
            RawKind::Number(number) => Kind::Number(number),
            RawKind::String(text) => Kind::String(text),
            RawKind::Sequence(items) => {
                let items: Vec<Node> =
                    items.into_iter().map(|item| item.into_node(source, problems)).collect();
                if let (Some(first), Some(last)) = (items.first(), items.last()) {
                    span = widened(&span, &first.span, &last.span);
                }
                Kind::Sequence(items)
            }
            RawKind::Mapping(pairs) => {
                let mut entries: Vec<Entry> = Vec::with_capacity(pairs.len());
                // A mapping may have very many keys, and then looking at all of them for each takes for ever.
                let mut places: HashMap<String, usize> = HashMap::with_capacity(pairs.len());
                for (key, value) in pairs {
                    let key = Key { span: span_of(source, key.location), name: key.name };
                    let value = value.into_node(source, problems);
                    if let Some(earlier) = places.get(&key.name).and_then(|at| entries.get(*at)) {
                        problems.push(
                            Problem::error("yaml::duplicate-key", format!("the key `{}` stands twice in one mapping", key.name))
                                .label(&key.span, "again here")
                                .label(&earlier.key.span, "first here")
                                .help("keep one of them; several expectations on one target are written as one mapping of predicates, or as a list of mappings"),
                        );
                        continue;
                    }
                    places.insert(key.name.clone(), entries.len());
                    entries.push(Entry { key, value });
                }
                if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
                    span = widened(&span, &first.key.span, &last.value.span);
                }
                Kind::Mapping(entries)
            }
        };
        Node { span, kind }
    }
}

/// A collection's span from its members', which may stand elsewhere where they come from an alias.
fn widened(own: &Span, first: &Span, last: &Span) -> Span {
    if last.range().end >= first.range().start && first.range().start >= own.range().start {
        let start = own.range().start.max(first.range().start.min(own.range().start));
        Span::new(own.source(), start..last.range().end)
    } else {
        own.clone()
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<RawKind>::deserialize(deserializer)?;
        Ok(Self { location: referenced, kind: value })
    }
}

impl<'de> Deserialize<'de> for RawKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<RawKind>::deserialize(deserializer)?;
        let name = match value {
            RawKind::String(text) => text,
            RawKind::Number(number) => number.to_string(),
            RawKind::Bool(value) => value.to_string(),
            RawKind::Null => "null".to_owned(),
            RawKind::Sequence(_) | RawKind::Mapping(_) => {
                return Err(de::Error::custom(
                    "a key must be a text, not a list or a mapping; an expression stands in quotes",
                ));
            }
        };
        Ok(Self { location: referenced, name })
    }
}

impl<'de> Deserialize<'de> for RawKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = RawKind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawKind, E> {
        Ok(RawKind::Null)
    }

    fn visit_none<E>(self) -> Result<RawKind, E> {
        Ok(RawKind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawKind, D::Error> {
        RawKind::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawKind, E> {
        Ok(RawKind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawKind, E> {
        Ok(RawKind::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawKind, E> {
        Ok(RawKind::Number(value.into()))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<RawKind, E> {
        Number::from_i128(value)
            .map(RawKind::Number)
            .ok_or_else(|| E::custom("this number is too large; quote it to keep its digits"))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<RawKind, E> {
        Number::from_u128(value)
            .map(RawKind::Number)
            .ok_or_else(|| E::custom("this number is too large; quote it to keep its digits"))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<RawKind, E> {
        Number::from_f64(value)
            .map(RawKind::Number)
            .ok_or_else(|| E::custom("JSON has no such number; quote it to send its text"))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawKind, E> {
        Ok(RawKind::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<RawKind, E> {
        Ok(RawKind::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawKind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(RawKind::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawKind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key()? {
            entries.push((key, access.next_value()?));
        }
        Ok(RawKind::Mapping(entries))
    }
}
