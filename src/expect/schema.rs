//! JSON Schema: `schema` and `format`. The only place that names boon.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use boon::{CompileError, Compiler, ErrorKind, InstanceToken, SchemaIndex, Schemas, ValidationError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::judge::{Case, Judgement};
use super::show;
use crate::diagnostic::{Problem, Problems};
use crate::expr::{Expression, Scope};
use crate::source::{Source, Span};
use crate::template::Template;
use crate::yaml::{self, Kind, Node};

/// The formats of texts: those of JSON Schema, and `json`.
pub(crate) const FORMATS: [&str; 14] = [
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

/// The violations that a message tells.
const TOLD: usize = 5;
/// What a path in a URL keeps as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A compiled schema.
pub(super) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}

/// A violation: the steps to the place, and what is wrong there.
struct Violation {
    place: Vec<PlaceStep>,
    keyword: Option<&'static str>,
    message: String,
}

enum PlaceStep {
    Key(String),
    Index(usize),
}

/// Why a value is no schema.
enum Refusal {
    /// It breaks the rules of schemas at these places.
    Invalid(Vec<Violation>),
    /// Anything else.
    Other(String),
}

impl Schema {
    /// Compiles a schema; `file` is what its references are relative to.
    fn compile(schema: Value, file: &Path) -> Result<Self, Refusal> {
        let mut compiler = Compiler::new();
        compiler.enable_format_assertions();
        let url = url_of(file);
        let mut schemas = Schemas::new();
        let refusal = |error: CompileError| match error {
            CompileError::ValidationError { src, .. } => Refusal::Invalid(violations(&src)),
            error => {
                let text = format!("{error:#}").replace(&url, "the schema");
                Refusal::Other(text.split_whitespace().collect::<Vec<_>>().join(" "))
            }
        };
        compiler.add_resource(&url, schema).map_err(refusal)?;
        let index = compiler.compile(&url, &mut schemas).map_err(refusal)?;
        Ok(Self { schemas, index })
    }

    /// The schema that checks a format; none for `json`, which is no format of JSON Schema.
    pub(super) fn of_format(name: &str) -> Option<Arc<Self>> {
        if name == "json" {
            return None;
        }
        Self::compile(json!({ "format": name }), Path::new("format.json")).ok().map(Arc::new)
    }

    /// What is wrong with a value, where something is.
    pub(super) fn first_error(&self, value: &Value) -> Option<String> {
        let error = self.schemas.validate(value, self.index).err()?;
        violations(&error).into_iter().next().map(|violation| violation.message)
    }

    fn violations(&self, value: &Value) -> Vec<Violation> {
        self.schemas.validate(value, self.index).err().map(|error| violations(&error)).unwrap_or_default()
    }
}

fn url_of(file: &Path) -> String {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let path = path.to_string_lossy().replace('\\', "/");
    let lead = if path.starts_with('/') { "" } else { "/" };
    format!("file://{lead}{}", utf8_percent_encode(&path, KEPT).to_string().replace("%3A", ":"))
}

/// The leaves of the tree of errors: what is above them only says that something below is wrong.
fn violations(error: &ValidationError) -> Vec<Violation> {
    let mut found = Vec::new();
    collect(error, &mut found);
    found
}

fn collect(error: &ValidationError, found: &mut Vec<Violation>) {
    let choice =
        matches!(error.kind, ErrorKind::AnyOf | ErrorKind::OneOf(_) | ErrorKind::Not | ErrorKind::Contains);
    if error.causes.is_empty() || choice {
        let place = error
            .instance_location
            .tokens
            .iter()
            .map(|token| match token {
                InstanceToken::Prop(name) => PlaceStep::Key(name.to_string()),
                InstanceToken::Item(index) => PlaceStep::Index(*index),
            })
            .collect();
        let keyword = error.kind.keyword_path().map(|path| match path.keyword {
            "additionalProperty" => "additionalProperties",
            keyword => keyword,
        });
        let mut message = error.kind.to_string();
        if choice && !error.causes.is_empty() {
            // None of the alternatives: why each of them is none.
            let mut inner = Vec::new();
            error.causes.iter().for_each(|cause| collect(cause, &mut inner));
            let reasons: Vec<String> = inner.into_iter().map(|violation| violation.message).collect();
            let head = match error.kind {
                ErrorKind::AnyOf | ErrorKind::OneOf(None) => "fits none of the alternatives",
                _ => &message,
            };
            message = format!("{head}: {}", reasons.join("; "));
        }
        found.push(Violation { place, keyword, message });
        return;
    }
    error.causes.iter().for_each(|cause| collect(cause, found));
}

/// The argument of `schema`.
#[derive(Debug, Clone)]
pub(super) enum SchemaArg {
    /// Compiled.
    Ready(Arc<Schema>, String),
    /// Known when the step runs: a schema, or a file's name.
    Later(Template),
}

impl SchemaArg {
    /// Compiles a schema that is written out, or in a file beside the scenario.
    pub(super) fn parse(node: &Node, problems: &mut Problems) -> Option<Self> {
        let before = problems.len();
        let template = Template::parse(node, problems);
        if problems.len() > before {
            return None;
        }
        let Some(value) = template.as_literal() else {
            return Some(Self::Later(template));
        };
        let source = Path::new(node.span.source().name());
        let compiled = load(value, source.parent().unwrap_or(Path::new("")), &node.span, Some(node));
        match compiled {
            Ok(schema) => Some(Self::Ready(Arc::new(schema), described(value))),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }

    /// The expressions in it.
    pub(super) fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        if let Self::Later(template) = self {
            template.for_each_expression(visit);
        }
    }

    /// It for a message.
    pub(super) fn describe(&self, scope: &Scope) -> String {
        match self {
            Self::Ready(_, description) => description.clone(),
            Self::Later(template) => {
                template.resolve(scope).map_or_else(|_| "the schema".to_owned(), |value| described(&value))
            }
        }
    }

    /// `schema`.
    pub(super) fn judge(&self, case: &Case, actual: &Value) -> Result<Judgement, Problem> {
        let loaded;
        let schema = match self {
            Self::Ready(schema, _) => schema.as_ref(),
            Self::Later(template) => {
                loaded = load(&template.resolve(case.scope)?, case.scope.base_dir(), template.span(), None)?;
                &loaded
            }
        };
        let violations = schema.violations(actual);
        let base = case.subject.place.path();
        let mut told = violations.iter().map(|violation| {
            let keyword = violation.keyword.map_or_else(String::new, |keyword| format!(" ({keyword})"));
            format!(
                "`{base}{}`: {}{keyword}",
                path(&violation.place),
                show::cut(&violation.message, show::LONG)
            )
        });
        let Some(first) = told.next() else {
            return Ok(Judgement::Holds);
        };
        let more = violations.len() - 1;
        let mut rest: Vec<String> = told.take(TOLD - 1).collect();
        if more > rest.len() {
            rest.push(format!("and {} more", more - rest.len()));
        }
        let mut failure = case.failure("");
        if let Some(violation) = violations.first() {
            failure.target = format!("{base}{}", path(&violation.place));
            if let Some(found) = at(actual, &violation.place) {
                failure.actual = show::value(found, show::LONG);
            }
        }
        failure.message =
            format!("{} does not fit {}: {first}", case.subject.place.quoted(), self.describe(case.scope));
        failure.help = (!rest.is_empty()).then(|| format!("also: {}", rest.join("; ")));
        Ok(Judgement::Fails(failure))
    }
}

fn described(value: &Value) -> String {
    value.as_str().map_or_else(|| "the schema".to_owned(), |name| format!("the schema {name}"))
}

fn path(place: &[PlaceStep]) -> String {
    place
        .iter()
        .map(|step| match step {
            PlaceStep::Key(name) => show::key(name),
            PlaceStep::Index(index) => format!("[{index}]"),
        })
        .collect()
}

fn at<'a>(value: &'a Value, place: &[PlaceStep]) -> Option<&'a Value> {
    place.iter().try_fold(value, |value, step| match step {
        PlaceStep::Key(name) => value.get(name),
        PlaceStep::Index(index) => value.get(*index),
    })
}

/// A schema from its value, or from the file that the value names; `node` is where it is written out.
fn load(value: &Value, folder: &Path, span: &Span, node: Option<&Node>) -> Result<Schema, Problem> {
    match value {
        Value::Object(_) | Value::Bool(_) => {
            Schema::compile(value.clone(), &folder.join("inline schema.json"))
                .map_err(|refusal| refused(refusal, "this", span, node))
        }
        Value::String(name) => {
            let file = folder.join(name);
            let schema = read(&file, name, span)?;
            Schema::compile(schema, &file)
                .map_err(|refusal| refused(refusal, &format!("`{name}`"), span, None))
        }
        other => Err(Problem::error(
            "expect::schema",
            format!("a schema is a mapping or the name of a file, not {}", show::kind(other)),
        )
        .label(span, "expected a schema")),
    }
}

fn read(file: &Path, name: &str, span: &Span) -> Result<Value, Problem> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        Problem::error("expect::schema", format!("the schema `{name}` cannot be read: {error}"))
            .label(span, "this file")
            .help(format!("looked for {}", file.display()))
    })?;
    let is_yaml = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    if is_yaml {
        let mut problems = Problems::new();
        let documents = yaml::parse(&Source::new(name, text), &mut problems);
        return match (documents.first(), problems.into_iter().next()) {
            (_, Some(problem)) => Err(problem),
            (Some(document), None) => Ok(document.to_json()),
            (None, None) => Ok(Value::Null),
        };
    }
    serde_json::from_str(&text).map_err(|error| {
        Problem::error("expect::schema", format!("the schema `{name}` is no JSON: {error}"))
            .label(span, "this file")
    })
}

fn refused(refusal: Refusal, what: &str, span: &Span, node: Option<&Node>) -> Problem {
    let problem =
        |message: &str| Problem::error("expect::schema", format!("{what} is no JSON Schema: {message}"));
    match refusal {
        Refusal::Other(message) => problem(&message).label(span, "here"),
        Refusal::Invalid(violations) => {
            // The deepest is the most telling: the others say that one of the alternatives above it is not met.
            let Some(violation) = violations.iter().max_by_key(|violation| violation.place.len()) else {
                return problem("it breaks the rules of schemas").label(span, "here");
            };
            let place = node.map_or_else(|| span.clone(), |node| span_at(node, &violation.place));
            problem(&format!(
                "at `{}`: {}",
                path(&violation.place).trim_start_matches('.'),
                violation.message
            ))
            .label(&place, "here")
        }
    }
}

/// Where a part of a schema is written.
fn span_at(node: &Node, place: &[PlaceStep]) -> Span {
    let Some((step, rest)) = place.split_first() else {
        return node.span.clone();
    };
    let inner = match (step, &node.kind) {
        (PlaceStep::Key(name), Kind::Mapping(entries)) => {
            entries.iter().find(|entry| entry.key.name == *name).map(|entry| &entry.value)
        }
        (PlaceStep::Index(index), Kind::Sequence(items)) => items.get(*index),
        _ => None,
    };
    inner.map_or_else(|| node.span.clone(), |inner| span_at(inner, rest))
}
