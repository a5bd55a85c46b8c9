//! What a step does: an operation of the API, any request, or something of the language itself.

use serde_json::Value;

use super::conversation;
use super::defaults::Defaults;
use super::fragment::Use;
use super::read::variables;
use super::step::{self, Step};
use super::write::{self, WriteAction};
use crate::agentos;
use crate::agentos::field::FieldKind;
use crate::agentos::operation::{Entry as Operation, Method};
use crate::diagnostic::{self, Problem, Problems};
use crate::expect::Expectations;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, planned_key, read_duration, string, unknown_key};
use crate::yaml::{Entry, Key, Kind, Node};

/// The actions that are no operations.
pub(super) const WORDS: &[&str] =
    &["http", "use", "set", "assert", "conversation", "group", "parallel", "sleep", "log", "write"];

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// An operation of the API.
    Operation(OperationAction),
    /// Any request.
    Http(Box<HttpAction>),
    /// The steps of a fragment.
    Use(Box<Use>),
    /// Gives variables values.
    Set(Vec<(Key, Template)>),
    /// Holds expectations on expressions.
    Assert(Expectations),
    /// Steps that belong together.
    Group(Vec<Step>),
    /// Steps that run at the same time.
    Parallel(Vec<Step>),
    /// Several turns of a user in one session; each is a run.
    Conversation(Vec<Step>),
    /// Waits.
    Sleep(Template),
    /// Says something in the report.
    Log(Template),
    /// Writes a line into a file.
    Write(Box<WriteAction>),
}

/// An operation and its fields.
#[derive(Debug)]
pub struct OperationAction {
    /// Which.
    pub operation: &'static Operation,
    /// The fields as written, then those of the scenario's defaults; each key has the field's own name.
    pub fields: Vec<(Key, Template)>,
}

/// A request of any kind.
#[derive(Debug)]
pub struct HttpAction {
    /// The method.
    pub method: Method,
    /// The path, relative to the target.
    pub path: Template,
    /// The query.
    pub query: Vec<(Key, Template)>,
    /// The body.
    pub body: HttpBody,
}

/// The body of a request of any kind.
#[derive(Debug)]
pub enum HttpBody {
    /// None.
    None,
    /// JSON.
    Json(Template),
    /// A form.
    Form(Vec<(Key, Template)>),
    /// A multipart form.
    Multipart(Vec<(Key, Template)>),
    /// A text.
    Text(Template),
}

impl Action {
    /// The steps inside it, those of a fragment too.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Group(steps) | Self::Parallel(steps) | Self::Conversation(steps) => steps,
            Self::Use(using) => using.fragment().map_or(&[], |fragment| &fragment.steps),
            _ => &[],
        }
    }

    /// Whether a word names an action.
    pub(super) fn is_known(name: &str) -> bool {
        WORDS.contains(&name) || agentos::find(name).is_some()
    }

    /// Reads the action of the key `entry`.
    pub(super) fn parse(entry: &Entry, defaults: &Defaults, problems: &mut Problems) -> Option<Self> {
        let node = &entry.value;
        Some(match entry.key.name.as_str() {
            "http" => Self::Http(Box::new(http(entry, problems)?)),
            "use" => Self::Use(Box::new(Use::parse(entry, problems)?)),
            "set" => {
                let values = variables(node, "set", problems);
                if matches!(&node.kind, Kind::Null) || node.as_mapping().is_some_and(<[Entry]>::is_empty) {
                    problems.push(expected("step::set", "`set`", "a mapping of names to values", node));
                }
                Self::Set(values)
            }
            "assert" => Self::Assert(Expectations::parse_assertions(node, problems)),
            "group" | "parallel" => {
                let name = entry.key.name.as_str();
                let steps = step::parse_list(node, name, defaults, problems);
                if matches!(node.kind, Kind::Null) || node.as_sequence().is_some_and(<[Node]>::is_empty) {
                    problems.push(expected("step::group", &format!("`{name}`"), "a list of steps", node));
                }
                if name == "group" { Self::Group(steps) } else { Self::Parallel(steps) }
            }
            "conversation" => Self::Conversation(conversation::parse(entry, defaults, problems)),
            "sleep" => {
                let template = Template::parse(node, problems);
                if template.as_literal().is_some() {
                    read_duration(node, "`sleep`", problems);
                }
                Self::Sleep(template)
            }
            "log" => Self::Log(Template::parse(node, problems)),
            "write" => Self::Write(Box::new(write::parse(entry, problems)?)),
            name => {
                let operation = agentos::find(name)?;
                Self::Operation(OperationAction {
                    operation,
                    fields: fields(operation, entry, defaults, problems),
                })
            }
        })
    }
}

/// The fields of an operation: known, given where required, and of the right kind where they are literal.
pub(super) fn fields(
    operation: &'static Operation,
    entry: &Entry,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Vec<(Key, Template)> {
    let name = operation.spec.name;
    let entries: &[Entry] = match &entry.value.kind {
        Kind::Mapping(entries) => entries,
        Kind::Null => &[],
        _ => {
            problems.push(
                expected(
                    "operation::fields",
                    &format!("`{}`", entry.key.name),
                    "a mapping of its fields",
                    &entry.value,
                )
                .help(format!("fields of {name}: {}", field_names(operation).join(", "))),
            );
            return Vec::new();
        }
    };
    let mut found: Vec<(Key, Template)> = Vec::new();
    // A misspelt field is not a missing one too.
    let mut meant: Vec<&str> = Vec::new();
    let before = problems.len();
    for given in entries {
        let Some(field) = operation.field(&given.key.name) else {
            let names = operation.fields().iter().map(|field| field.name.as_str());
            meant.extend(diagnostic::nearest(&given.key.name, names));
            problems.push(unknown_field(operation, &given.key));
            // Its expressions are looked at all the same: every finding at once.
            found.push((given.key.clone(), Template::parse(&given.value, problems)));
            continue;
        };
        if let Some((earlier, _)) = found.iter().find(|(key, _)| key.name == field.name) {
            problems.push(
                Problem::error("operation::fields", format!("`{}` is given twice", field.name))
                    .label(&given.key.span, "again here")
                    .label(&earlier.span, "first here"),
            );
            continue;
        }
        let template = Template::parse(&given.value, problems);
        check_literal(&field.name, &field.kind, &template, &given.value, problems);
        if field.required && matches!(given.value.kind, Kind::Null) {
            problems.push(
                Problem::error("operation::missing-field", format!("`{}` of {name} is empty", field.name))
                    .label(&given.key.span, "nothing given"),
            );
        }
        found.push((Key { span: given.key.span.clone(), name: field.name.clone() }, template));
    }
    // A run that was given knows its session: a default for other steps is not meant to name another one.
    let of_run: &[&str] =
        if found.iter().any(|(key, _)| key.name == "run") { &["session_id", "run_id"] } else { &[] };
    for (key, template) in &defaults.fields {
        if of_run.contains(&key.name.as_str()) {
            continue;
        }
        if operation.field(&key.name).is_some() && !found.iter().any(|(known, _)| known.name == key.name) {
            found.push((key.clone(), template.clone()));
        }
    }
    let missing: Vec<&str> = operation
        .fields()
        .iter()
        .filter(|field| field.required && !found.iter().any(|(key, _)| key.name == field.name))
        .map(|field| field.name.as_str())
        .filter(|name| !meant.contains(name))
        .collect();
    if missing.is_empty() && problems.len() == before {
        out_of_range(operation, entry, &found, problems);
    } else if !missing.is_empty() {
        let list = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let example = missing.iter().map(|name| format!("{name}: ...")).collect::<Vec<_>>().join(", ");
        problems.push(
            Problem::error("operation::missing-field", format!("{name} needs {list}"))
                .label(&entry.key.span, "missing here")
                .help(format!("{name}: {{ {example} }}")),
        );
    }
    found
}

/// What is of the right kind and still no value of its field, such as page -1: found now where all is literal.
fn out_of_range(
    operation: &'static Operation,
    entry: &Entry,
    found: &[(Key, Template)],
    problems: &mut Problems,
) {
    let literals: Option<serde_json::Map<String, Value>> = found
        .iter()
        .map(|(key, template)| Some((key.name.clone(), template.as_literal()?.clone())))
        .collect();
    let Some(mut literals) = literals else { return };
    literals.retain(|_, value| !value.is_null());
    if let Err(error) = operation.parse(literals.clone()) {
        let wrong = operation.out_of_range(&literals, &error);
        let culprit = found.iter().find(|(key, _)| wrong.field.as_ref() == Some(&key.name));
        let span = culprit.map_or(&entry.key.span, |(_, template)| template.span());
        problems.push(
            Problem::error("operation::type", wrong.message)
                .label(span, "out of range")
                .maybe_help(wrong.help),
        );
    }
}

fn field_names(operation: &Operation) -> Vec<&str> {
    operation.fields().iter().map(|field| field.name.as_str()).collect()
}

fn unknown_field(operation: &Operation, key: &Key) -> Problem {
    let name = operation.spec.name;
    let names = operation.fields().iter().flat_map(|field| {
        std::iter::once(field.name.as_str()).chain(field.aliases.iter().map(String::as_str))
    });
    let problem = Problem::error("operation::unknown-field", format!("{name} has no field `{}`", key.name))
        .label(&key.span, "unknown field");
    if step::MODIFIERS.contains(&key.name.as_str()) {
        return problem
            .help(format!("`{}` is a modifier of the step: indent it like `{name}:` itself", key.name));
    }
    if operation.fields().is_empty() {
        return problem.help(format!("{name} takes no fields"));
    }
    // What other tools call the message of a run.
    let message = matches!(key.name.as_str(), "prompt" | "input" | "text" | "query" | "question" | "content");
    if message && operation.field("message").is_some() && operation.field(&key.name).is_none() {
        return problem.help("did you mean `message`?");
    }
    problem.maybe_help(diagnostic::suggest(&key.name, names))
}

/// A literal of the wrong kind.
pub(super) fn check_literal(
    name: &str,
    kind: &FieldKind,
    template: &Template,
    node: &Node,
    problems: &mut Problems,
) {
    let Some(value) = template.as_literal() else { return };
    if kind.accepts(value) {
        return;
    }
    let problem = Problem::error("operation::type", format!("`{name}` must be {kind}"))
        .label(template.span(), format!("found {}", node.describe()));
    problems.push(match (kind, value) {
        (FieldKind::String, Value::Number(_) | Value::Bool(_)) => {
            problem.help(format!("put it in quotes to send it as a text: \"{}\"", node.span.text().trim()))
        }
        (FieldKind::Enum(words), Value::String(text)) => {
            problem.maybe_help(diagnostic::suggest(text, words.iter().map(String::as_str)))
        }
        (FieldKind::List(_), _) => problem.help(format!("a list of one is [{}]", node.span.text().trim())),
        _ => problem,
    });
}

fn http(entry: &Entry, problems: &mut Problems) -> Option<HttpAction> {
    const KEYS: &[&str] = &["method", "path", "query", "json", "form", "body", "multipart"];
    let node = &entry.value;
    let fields = Fields::new(node, "`http`", problems);
    let method = match fields.get("method") {
        None => Some(Method::Get),
        Some(entry) => {
            let name = string(&entry.value, "`method`", problems)?;
            let found = Method::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(&name));
            if found.is_none() {
                problems.push(
                    Problem::error("http::method", format!("`{name}` is no HTTP method"))
                        .label(&entry.value.span, "unknown method")
                        .maybe_help(diagnostic::suggest(&name, Method::ALL.map(Method::as_str))),
                );
            }
            found
        }
    };
    let path = fields.get("path").map(|entry| (Template::parse(&entry.value, problems), entry));
    match &path {
        None => problems.push(
            Problem::error("http::path", "`http` needs a `path`")
                .label(&entry.key.span, "missing here")
                .help("http: { path: /health }"),
        ),
        Some((template, entry)) => {
            // A path that begins with an expression is known at run time only.
            let written = entry.value.as_str().unwrap_or_default();
            if !written.starts_with('/') && !written.starts_with("${{") {
                problems.push(
                    Problem::error("http::path", "the `path` of a request begins with `/`")
                        .label(template.span(), "relative to the target")
                        .help("the server is that of the target; a request cannot leave it"),
                );
            }
        }
    }
    let query = fields.get("query").map(|entry| pairs(&entry.value, "query", problems)).unwrap_or_default();
    let mut bodies: Vec<&Entry> = Vec::new();
    for key in ["json", "form", "body", "multipart"] {
        bodies.extend(fields.get(key));
    }
    if let [first, second, ..] = bodies.as_slice() {
        problems.push(
            Problem::error(
                "http::body",
                format!("a request has one body, not `{}` and `{}`", first.key.name, second.key.name),
            )
            .label(&second.key.span, "second body")
            .label(&first.key.span, "first body"),
        );
    }
    let body = match bodies.first() {
        None => HttpBody::None,
        Some(entry) => match entry.key.name.as_str() {
            "json" => HttpBody::Json(Template::parse(&entry.value, problems)),
            "form" => HttpBody::Form(pairs(&entry.value, "form", problems)),
            "multipart" => HttpBody::Multipart(pairs(&entry.value, "multipart", problems)),
            _ => HttpBody::Text(Template::parse(&entry.value, problems)),
        },
    };
    for entry in fields.entries() {
        let key = &entry.key;
        if key.name == "headers" {
            problems.push(
                Problem::error("http::headers", "`headers` is a modifier of the step")
                    .label(&key.span, "one level too deep")
                    .help("indent it like `http:` itself"),
            );
        } else if key.name == "stream" {
            problems.push(planned_key(key));
        } else if !KEYS.contains(&key.name.as_str()) {
            let problem = unknown_key(key, "`http`", KEYS.iter().copied());
            problems.push(match key.name.as_str() {
                "url" | "uri" => problem.help("the address is that of the target: `path: /health`"),
                "data" => problem.help("the body is one of `json`, `form`, `multipart` and `body`"),
                _ => problem,
            });
        }
    }
    Some(HttpAction { method: method?, path: path?.0, query, body })
}

fn pairs(node: &Node, what: &str, problems: &mut Problems) -> Vec<(Key, Template)> {
    let Kind::Mapping(entries) = &node.kind else {
        problems.push(expected("http::body", &format!("`{what}`"), "a mapping of names to values", node));
        return Vec::new();
    };
    entries.iter().map(|entry| (entry.key.clone(), Template::parse(&entry.value, problems))).collect()
}
