//! The modifiers of a step that have a form of their own: `save`, `retry`, `timeout`, `headers`, `resume`.

use std::time::Duration;

use super::action::Action;
use super::read::check_name;
use crate::agentos::Timeouts;
use crate::diagnostic::{self, Problem, Problems};
use crate::jsonpath::Path;
use crate::source::Span;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, read_duration};
use crate::yaml::{Key, Kind, Node};

/// One variable that is taken from the answer.
#[derive(Debug)]
pub struct Save {
    /// The variable.
    pub name: Key,
    /// What it becomes.
    pub from: SaveFrom,
    /// Where that is written.
    pub span: Span,
}

/// What a variable becomes.
#[derive(Debug)]
pub enum SaveFrom {
    /// The whole body.
    Body,
    /// What a path finds in the body.
    Path(Path),
    /// A word of the language: `content`, `status`, `text`, `error`, `headers.NAME`.
    Target(String),
    /// An expression.
    Expression(Template),
}

/// When and how often a request is sent again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How often it is sent in all.
    pub attempts: u32,
    /// The pause before the second time.
    pub delay: Duration,
    /// What each further pause is multiplied by.
    pub backoff: f64,
    /// What it is sent again for.
    pub on: Vec<RetryOn>,
}

/// What a request is sent again for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// This status.
    Status(u16),
    /// Any status of this hundred: 5 is 500 to 599.
    Class(u16),
    /// A clock that ran out.
    Timeout,
    /// No connection, or one that broke.
    Connect,
}

pub(super) fn saves(node: &Node, problems: &mut Problems) -> Vec<Save> {
    match &node.kind {
        Kind::String(name) => {
            let key = Key { span: node.span.clone(), name: name.clone() };
            let good = check_name(&key, problems);
            good.then(|| Save { name: key, from: SaveFrom::Body, span: node.span.clone() })
                .into_iter()
                .collect()
        }
        Kind::Mapping(entries) => entries
            .iter()
            .filter_map(|entry| {
                let good = check_name(&entry.key, problems);
                let from = save_from(&entry.value, problems)?;
                good.then(|| Save { name: entry.key.clone(), from, span: entry.value.span.clone() })
            })
            .collect(),
        _ => {
            problems.push(
                expected("step::save", "`save`", "a name, or a mapping of names to paths", node)
                    .help("save: { sid: $.session_id }"),
            );
            Vec::new()
        }
    }
}

pub(super) fn save_from(node: &Node, problems: &mut Problems) -> Option<SaveFrom> {
    const WORDS: &[&str] = &["body", "content", "duration", "error", "status", "text", "tokens", "tools"];
    let Kind::String(text) = &node.kind else {
        problems.push(expected("step::save", "what is saved", "a JSONPath or an expression", node));
        return None;
    };
    if text.starts_with('$') && !text.contains("${{") {
        return match Path::parse(text) {
            Ok(path) => Some(SaveFrom::Path(path)),
            Err(error) => {
                problems.push(path_problem(&error, node));
                None
            }
        };
    }
    if text.contains("${{") {
        return Some(SaveFrom::Expression(Template::parse(node, problems)));
    }
    if text == "body" {
        return Some(SaveFrom::Body);
    }
    if WORDS.contains(&text.as_str()) || text.starts_with("headers.") {
        return Some(SaveFrom::Target(text.clone()));
    }
    problems.push(
        Problem::error("step::save", format!("`{text}` is nothing that can be saved"))
            .label(&node.span, "expected a JSONPath, a word or an expression")
            .help(diagnostic::nearest(text, WORDS.iter().copied()).map_or_else(
                || format!("a field of the body is `$.{text}`; a value is `\"${{{{ ... }}}}\"`"),
                |word| format!("did you mean `{word}`? A field of the body is `$.{text}`"),
            )),
    );
    None
}

/// A bad JSONPath, pointed at.
pub(super) fn path_problem(error: &crate::jsonpath::PathError, node: &Node) -> Problem {
    let raw = node.span.text();
    let lead = usize::from(raw.starts_with(['"', '\'']));
    let at = lead + error.offset;
    let length = raw.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Problem::error("jsonpath::syntax", format!("this is not a JSONPath: {}", error.message))
        .label(&node.span.slice(at..at + length), "here")
}

/// `30s`, or a clock for each phase.
pub(super) fn timeouts(node: &Node, problems: &mut Problems) -> Timeouts {
    if matches!(node.kind, Kind::Mapping(_)) {
        let fields = Fields::new(node, "`timeout`", problems);
        let timeouts = Timeouts {
            connect: fields.duration("connect", problems),
            first_byte: fields.duration("first_byte", problems),
            idle: fields.duration("idle", problems),
            total: fields.duration("total", problems),
        };
        fields.finish(&["connect", "first_byte", "idle", "total"], &[], "`timeout`", problems);
        return timeouts;
    }
    Timeouts { total: read_duration(node, "`timeout`", problems), ..Timeouts::default() }
}

/// `first` where it is set, `second` elsewhere.
pub(super) fn over(first: Timeouts, second: Timeouts) -> Timeouts {
    Timeouts {
        connect: first.connect.or(second.connect),
        first_byte: first.first_byte.or(second.first_byte),
        idle: first.idle.or(second.idle),
        total: first.total.or(second.total),
    }
}

/// `retry: 3`, or the whole of it.
pub(super) fn retry(node: &Node, problems: &mut Problems) -> Option<Retry> {
    let default_on = || vec![RetryOn::Class(5), RetryOn::Status(429), RetryOn::Timeout, RetryOn::Connect];
    let attempts = |node: &Node, problems: &mut Problems| {
        if let Kind::Number(number) = &node.kind {
            if let Some(n) =
                number.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=100).contains(n))
            {
                Some(n)
            } else {
                problems.push(expected("step::retry", "`attempts`", "a number from 1 to 100", node));
                None
            }
        } else {
            problems.push(expected("step::retry", "`attempts`", "a number from 1 to 100", node));
            None
        }
    };
    if matches!(node.kind, Kind::Number(_)) {
        let attempts = attempts(node, problems)?;
        return Some(Retry { attempts, delay: Duration::from_millis(500), backoff: 2.0, on: default_on() });
    }
    if !matches!(node.kind, Kind::Mapping(_)) {
        problems.push(
            expected("step::retry", "`retry`", "a number of attempts or a mapping", node)
                .help("retry: { attempts: 3, delay: 500ms, backoff: 2, on: [5xx, timeout, connect] }"),
        );
        return None;
    }
    let fields = Fields::new(node, "`retry`", problems);
    let count = match fields.get("attempts") {
        // One fault does not hide the others.
        Some(entry) => attempts(&entry.value, problems).unwrap_or(1),
        None => 3,
    };
    let delay = fields.duration("delay", problems).unwrap_or(Duration::from_millis(500));
    let backoff = match fields.get("backoff").map(|entry| (&entry.value.kind, entry)) {
        None => 2.0,
        Some((Kind::Number(number), _)) if number.as_f64().is_some_and(|n| (1.0..=100.0).contains(&n)) => {
            number.as_f64().unwrap_or(2.0)
        }
        Some((_, entry)) => {
            problems.push(expected("step::retry", "`backoff`", "a number from 1 to 100", &entry.value));
            2.0
        }
    };
    let mut on = Vec::new();
    if let Some(entry) = fields.get("on") {
        for item in entry.value.as_sequence().unwrap_or(std::slice::from_ref(&entry.value)) {
            match retry_on(item) {
                Some(cause) => on.push(cause),
                None => problems.push(expected(
                    "step::retry",
                    "each of `on`",
                    "a status (503), a class (5xx), `timeout` or `connect`",
                    item,
                )),
            }
        }
    } else {
        on = default_on();
    }
    fields.finish(&["attempts", "delay", "backoff", "on"], &[], "`retry`", problems);
    Some(Retry { attempts: count, delay, backoff, on })
}

/// `resume: 3`
pub(super) fn resume(node: &Node, problems: &mut Problems) -> Option<u32> {
    let number = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= 100),
        _ => None,
    };
    if number.is_none() {
        problems.push(expected("step::resume", "`resume`", "a number from 0 to 100", node));
    }
    number
}

/// Why the stream of this action cannot be taken up again.
pub(super) fn not_resumable(key: &Key, action: &Action, name: &Key) -> Option<Problem> {
    let given = |field: &str| match action {
        Action::Operation(action) => action.fields.iter().any(|(key, _)| key.name == field),
        _ => false,
    };
    (!given("background") || !given("stream")).then(|| {
        Problem::error("step::resume", "`resume` needs a run in the background that is read as a stream")
            .label(&key.span, format!("`{}` is none", name.name))
            .help(
                "add `background: true` and `stream: true`; a run in the foreground ends with its connection",
            )
    })
}

pub(super) fn retry_on(node: &Node) -> Option<RetryOn> {
    match &node.kind {
        Kind::Number(number) => {
            let status = number.as_u64().and_then(|n| u16::try_from(n).ok())?;
            (100..600).contains(&status).then_some(RetryOn::Status(status))
        }
        Kind::String(text) => match text.as_str() {
            "timeout" => Some(RetryOn::Timeout),
            "connect" => Some(RetryOn::Connect),
            "4xx" => Some(RetryOn::Class(4)),
            "5xx" => Some(RetryOn::Class(5)),
            _ => None,
        },
        _ => None,
    }
}

/// Header names and values.
pub(super) fn header_map(node: &Node, problems: &mut Problems) -> Vec<(Key, Template)> {
    let Kind::Mapping(entries) = &node.kind else {
        problems.push(expected("step::headers", "`headers`", "a mapping of names to values", node));
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| {
            let name = &entry.key.name;
            let token = !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
            if !token {
                problems.push(
                    Problem::error("step::headers", format!("`{name}` is no name of a header"))
                        .label(&entry.key.span, "letters, digits and - only"),
                );
                return None;
            }
            Some((entry.key.clone(), Template::parse(&entry.value, problems)))
        })
        .collect()
}
