//! What an expectation looks at.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::judge::Absent;
use super::missing;
use super::predicate::Sort;
use crate::diagnostic::{self, Problem, Problems};
use crate::duration;
use crate::expr::{self, Expression, Scope, Text};
use crate::jsonpath::{Path, PathError};
use crate::outcome::Outcome;
use crate::source::Span;
use crate::yaml::Key;

/// The names of targets.
const NAMES: [&str; 12] = [
    "status",
    "body",
    "text",
    "content",
    "events",
    "tools",
    "tokens",
    "duration",
    "ttft",
    "error",
    "requirements",
    "headers.",
];
/// The counts that AgentOS reports.
const TOKENS: [&str; 9] = [
    "input",
    "output",
    "total",
    "reasoning",
    "cache_read",
    "cache_write",
    "audio_input",
    "audio_output",
    "audio_total",
];

/// A target and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) span: Span,
    /// As it is written.
    pub(super) text: String,
    pub(super) kind: TargetKind,
}

/// The kinds of targets.
#[derive(Debug, Clone)]
pub(super) enum TargetKind {
    Path(Path),
    /// A path with expressions in it.
    PathLater(Text),
    Status,
    Header(String),
    Body,
    Text,
    Content,
    Events,
    Tools,
    Tokens(Option<String>),
    Duration,
    Ttft,
    Error,
    Requirements,
    Expression(Expression),
}

/// What a target stands for.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) value: Option<Cow<'a, Value>>,
    pub(super) exists: bool,
    pub(super) clock: Option<Duration>,
    pub(super) absent: Option<Absent>,
    /// The path whose matches the value is the list of, and the body.
    pub(super) matches: Option<(Cow<'a, Path>, &'a Value)>,
}

impl<'a> Found<'a> {
    fn value(value: Cow<'a, Value>) -> Self {
        Self { value: Some(value), exists: true, clock: None, absent: None, matches: None }
    }

    fn absent(absent: Absent) -> Self {
        Self { value: None, exists: false, clock: None, absent: Some(absent), matches: None }
    }

    fn maybe(value: Option<&'a Value>, absent: impl FnOnce() -> Absent) -> Self {
        value.map_or_else(|| Self::absent(absent()), |value| Self::value(Cow::Borrowed(value)))
    }

    fn clock(clock: Option<Duration>, absent: impl FnOnce() -> Absent) -> Self {
        clock.map_or_else(
            || Self::absent(absent()),
            |clock| {
                let text = Value::String(duration::format(clock));
                Self { clock: Some(clock), ..Self::value(Cow::Owned(text)) }
            },
        )
    }
}

impl Target {
    /// Reads a target.
    pub(super) fn parse(key: &Key, problems: &mut Problems) -> Option<Self> {
        match kind_of(key) {
            Ok(kind) => {
                if let TargetKind::Tokens(Some(name)) = &kind {
                    warn_of_tokens(name, key, problems);
                }
                Some(Self { span: key.span.clone(), text: key.name.clone(), kind })
            }
            Err(problem) => {
                problems.push(*problem);
                None
            }
        }
    }

    /// The arguments that make sense for it.
    pub(super) fn sort(&self) -> Sort {
        match &self.kind {
            TargetKind::Status => Sort::Status,
            TargetKind::Header(_) | TargetKind::Text | TargetKind::Error | TargetKind::Content => Sort::Text,
            TargetKind::Tokens(Some(_)) => Sort::Number,
            TargetKind::Duration | TargetKind::Ttft => Sort::Clock,
            TargetKind::Tools | TargetKind::Events => Sort::Calls,
            _ => Sort::Plain,
        }
    }

    /// Whether it is a header: a text that may hold a number.
    pub(super) fn is_header(&self) -> bool {
        matches!(self.kind, TargetKind::Header(_))
    }

    /// All expressions in it.
    pub(super) fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        match &self.kind {
            TargetKind::Expression(expression) => visit(expression),
            TargetKind::PathLater(text) => text.expressions().for_each(visit),
            _ => {}
        }
    }

    /// What it stands for.
    pub(super) fn find<'a>(
        &'a self,
        outcome: Option<&'a Outcome>,
        scope: &Scope,
    ) -> Result<Found<'a>, Problem> {
        if let TargetKind::Expression(expression) = &self.kind {
            let value = Text::Whole(expression.clone()).resolve(scope)?;
            return Ok(Found::value(Cow::Owned(value)));
        }
        let Some(outcome) = outcome else {
            return Ok(Found::absent(Absent::new("is not there: this step gets no answer")));
        };
        let later;
        let path = match &self.kind {
            TargetKind::Path(path) => Some(Cow::Borrowed(path)),
            TargetKind::PathLater(text) => {
                later = expr::as_text(&text.resolve(scope)?);
                let parsed = Path::parse(&later).map_err(|error| {
                    Problem::error("expect::jsonpath", format!("`{later}` is no JSONPath: {}", error.message))
                        .label(&self.span, "after its expressions were put in")
                })?;
                Some(Cow::Owned(parsed))
            }
            _ => None,
        };
        if let Some(path) = path {
            return Ok(find_path(path, outcome));
        }
        let field = |name: &str| outcome.body.as_ref().and_then(|body| body.get(name));
        Ok(match &self.kind {
            TargetKind::Status => match outcome.status {
                Some(status) => Found::value(Cow::Owned(Value::from(status))),
                None => Found::absent(missing::answer(outcome)),
            },
            TargetKind::Header(name) => {
                let values: Vec<&str> = outcome
                    .headers
                    .iter()
                    .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.as_str())
                    .collect();
                if values.is_empty() {
                    Found::absent(missing::header(name, outcome))
                } else {
                    Found::value(Cow::Owned(Value::String(values.join(", "))))
                }
            }
            TargetKind::Body => Found::maybe(outcome.body.as_ref(), || missing::body(outcome)),
            TargetKind::Text if outcome.status.is_none() => Found::absent(missing::answer(outcome)),
            TargetKind::Text => Found::value(Cow::Owned(Value::String(outcome.text.clone()))),
            TargetKind::Content => Found::maybe(outcome.content(), || missing::content(outcome)),
            TargetKind::Events => Found::maybe(outcome.events(), || missing::events(outcome)),
            TargetKind::Tools => match outcome.tools() {
                Some(tools) => Found::value(tools),
                // A run that called none has no `tools`: `not_called` and `count: 0` hold of it.
                None if field("run_id").is_some() => Found {
                    exists: false,
                    absent: Some(Absent::new("is missing: no tool was called")),
                    ..Found::value(Cow::Owned(Value::Array(Vec::new())))
                },
                None => Found::absent(missing::tools(outcome)),
            },
            TargetKind::Tokens(None) => match outcome.tokens() {
                Some(tokens) => Found::value(Cow::Owned(Value::Object(tokens))),
                None => Found::absent(missing::tokens(outcome)),
            },
            TargetKind::Tokens(Some(name)) => match outcome.tokens() {
                Some(tokens) => match tokens.get(name) {
                    Some(count) => Found::value(Cow::Owned(count.clone())),
                    None => Found::absent(missing::token(name, &tokens)),
                },
                None => Found::absent(missing::tokens(outcome)),
            },
            TargetKind::Duration => Found::clock(Some(outcome.duration), || Absent::new("is missing")),
            TargetKind::Ttft => Found::clock(outcome.ttft, || missing::ttft(outcome)),
            TargetKind::Error => match &outcome.error {
                Some(error) => Found::value(Cow::Owned(Value::String(error.clone()))),
                None => Found::absent(missing::error(outcome)),
            },
            TargetKind::Requirements => match outcome.requirements() {
                Some(waiting) => Found::value(Cow::Owned(waiting)),
                None => Found::absent(missing::requirements(outcome)),
            },
            TargetKind::Path(_) | TargetKind::PathLater(_) | TargetKind::Expression(_) => {
                Found::absent(Absent::new("is missing"))
            }
        })
    }
}

fn find_path<'a>(path: Cow<'a, Path>, outcome: &'a Outcome) -> Found<'a> {
    let Some(body) = &outcome.body else {
        return Found::absent(missing::body(outcome));
    };
    let found = path.find(body);
    if path.is_singular() {
        return Found::maybe(found.first().copied(), || missing::path(path.as_str(), body, outcome));
    }
    let list = Value::Array(found.into_iter().cloned().collect());
    Found { matches: Some((path, body)), ..Found::value(Cow::Owned(list)) }
}

fn kind_of(key: &Key) -> Result<TargetKind, Box<Problem>> {
    let name = key.name.trim();
    if name.starts_with("${{") {
        return match Text::parse(name, &key.span)? {
            Text::Whole(expression) => Ok(TargetKind::Expression(expression)),
            _ => Err(Box::new(
                Problem::error("expect::target", "a target is one whole expression, with no text around it")
                    .label(&key.span, "here"),
            )),
        };
    }
    if name.starts_with('$') {
        if name.contains("${{") {
            return Ok(match Text::parse(name, &key.span)? {
                Text::Literal(text) => TargetKind::Path(parse_path(&text, key)?),
                text => TargetKind::PathLater(text),
            });
        }
        return Ok(TargetKind::Path(parse_path(name, key)?));
    }
    Ok(match name {
        "status" => TargetKind::Status,
        "body" => TargetKind::Body,
        "text" => TargetKind::Text,
        "content" => TargetKind::Content,
        "events" => TargetKind::Events,
        "tools" => TargetKind::Tools,
        "tokens" => TargetKind::Tokens(None),
        "duration" => TargetKind::Duration,
        "ttft" => TargetKind::Ttft,
        "error" => TargetKind::Error,
        "requirements" => TargetKind::Requirements,
        _ => match name.split_once('.') {
            Some(("headers", header)) if !header.is_empty() => TargetKind::Header(header.to_owned()),
            Some(("tokens", count)) if !count.is_empty() => {
                TargetKind::Tokens(Some(count.strip_suffix("_tokens").unwrap_or(count).to_owned()))
            }
            _ => return Err(Box::new(unknown(name, key))),
        },
    })
}

fn parse_path(text: &str, key: &Key) -> Result<Path, Box<Problem>> {
    Path::parse(text).map_err(|PathError { message, offset }| {
        // The place inside of the key, past a quote; a key with escapes in it is pointed at as a whole.
        let place = key.span.text().find(text).map(|at| at + offset);
        let span = match place {
            Some(at) if offset < text.len() => {
                key.span.slice(at..at + text[offset..].chars().next().map_or(1, char::len_utf8))
            }
            _ => key.span.clone(),
        };
        Box::new(
            Problem::error("expect::jsonpath", format!("`{text}` is no JSONPath: {message}"))
                .label(&span, "here"),
        )
    })
}

fn unknown(name: &str, key: &Key) -> Problem {
    let problem = Problem::error("expect::target", format!("there is no target `{name}`"))
        .label(&key.span, "no such target");
    let root = name.split(['.', '[']).next().unwrap_or(name);
    let rest = &name[root.len()..];
    let help = match root {
        "body" | "json" | "response" if !rest.is_empty() => Some(format!("a part of the body is `${rest}`")),
        "content" | "events" | "tools" | "requirements" if !rest.is_empty() => {
            Some(format!("a part of it is `$.{root}{rest}`"))
        }
        "header" | "headers" => {
            let header = rest.trim_start_matches('.');
            Some(format!(
                "one header is `headers.{}`",
                if header.is_empty() { "content-type" } else { header }
            ))
        }
        "token" => Some(format!("did you mean `tokens{rest}`?")),
        "status_code" | "code" => Some("did you mean `status`?".to_owned()),
        "json" | "response" | "data" | "result" if rest.is_empty() => {
            Some(format!("the whole body is `body` or `$`, a key of it `$.{root}`"))
        }
        "snapshot" | "toMatchSnapshot" | "matches_snapshot" => {
            Some("an answer is compared with a file by `snapshot: NAME`, beside `expect`".to_owned())
        }
        "assert" | "asserts" => {
            Some("an expression that must hold is a step: `- assert: ${{ ... }}`".to_owned())
        }
        "toContain" | "contains" | "equals" | "regex" | "matches" => Some(format!(
            "a predicate stands under what it is asked of: `content: {{ {}: ... }}`",
            super::names::meant(name).unwrap_or("contains")
        )),
        "tool_calls" => Some("did you mean `tools`?".to_owned()),
        "latency" | "time" | "elapsed" | "response_time" => Some("did you mean `duration`?".to_owned()),
        _ => None,
    };
    let help = help
        .or_else(|| diagnostic::nearest(name, NAMES).map(|found| format!("did you mean `{found}`?")))
        .unwrap_or_else(|| {
            format!("a key of the body is `$.{name}`; the other targets are {}NAME, tokens.NAME and `${{{{ expression }}}}`", NAMES.join(", "))
        });
    problem.help(help)
}

/// The counts are the server's: a new one is possible, a typing error likelier.
fn warn_of_tokens(name: &str, key: &Key, problems: &mut Problems) {
    if !TOKENS.contains(&name) {
        problems.push(
            Problem::warning(
                "expect::tokens",
                format!("AgentOS counts no `{name}` tokens, as far as is known"),
            )
            .label(&key.span, "perhaps never there")
            .maybe_help(diagnostic::suggest(name, TOKENS)),
        );
    }
}
