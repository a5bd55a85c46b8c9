//! Reading what goes wrong on purpose, and who is let in.

use std::time::Duration;

use regex::Regex;

use super::{rules, schema};
use crate::diagnostic::{self, Problem, Problems};
use crate::yaml::fields::{Fields, expected};
use crate::yaml::{Kind, Node};

/// One way for a request to go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is closed without an answer.
    Refuse,
    /// Another status, perhaps with `Retry-After`.
    Status { status: u16, retry_after: Option<Duration> },
    /// Nothing for so long, then the answer.
    Slow(Duration),
    /// The connection is lost after so many events.
    Cut { after: u64 },
    /// Nothing for so long after so many events, then the rest.
    Stall { after: u64, wait: Duration },
    /// The event after so many is sent twice.
    Duplicate { after: u64 },
    /// The event after so many is no JSON.
    Malformed { after: u64 },
}

impl Fault {
    /// What it is called in files and in the header of an answer.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Refuse => "refuse".to_owned(),
            Self::Status { status, .. } => status.to_string(),
            Self::Slow(_) => "slow".to_owned(),
            Self::Cut { .. } => "cut".to_owned(),
            Self::Stall { .. } => "stall".to_owned(),
            Self::Duplicate { .. } => "duplicate".to_owned(),
            Self::Malformed { .. } => "malformed".to_owned(),
        }
    }
}

/// A fault and when it happens.
#[derive(Debug, Clone)]
pub(crate) struct Faulty {
    pub(crate) fault: Fault,
    /// A pattern of the path; none for all, or where the component says it.
    pub(crate) path: Option<String>,
    pub(crate) method: Option<String>,
    /// In the message of a run.
    pub(crate) when: Option<Regex>,
    /// Of the requests that fit, these; counted from 1 for each path.
    pub(crate) nth: Option<Vec<u64>>,
    /// Of the requests that fit, this part.
    pub(crate) rate: f64,
}

/// What `--chaos SEED` does.
#[derive(Debug, Clone)]
pub(crate) struct Chaos {
    /// Chaos from the start, without being asked for.
    pub(crate) seed: Option<u64>,
    pub(crate) rate: f64,
    pub(crate) faults: Vec<Fault>,
    /// Where; without it everywhere but where a server says what it is.
    pub(crate) paths: Option<Vec<String>>,
}

impl Default for Chaos {
    fn default() -> Self {
        let retry_after = Some(Duration::from_secs(1));
        Self {
            seed: None,
            rate: 0.2,
            faults: vec![
                Fault::Refuse,
                Fault::Status { status: 429, retry_after },
                Fault::Status { status: 500, retry_after: None },
                Fault::Slow(SLOW),
                Fault::Cut { after: AFTER },
                Fault::Stall { after: AFTER, wait: STALL },
                Fault::Duplicate { after: AFTER },
                Fault::Malformed { after: AFTER },
            ],
            paths: None,
        }
    }
}

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Auth {
    pub(crate) security_key: Option<String>,
    pub(crate) jwt_secret: Option<String>,
    pub(crate) jwt_audience: Option<String>,
    pub(crate) user_isolation: bool,
}

const SLOW: Duration = Duration::from_secs(1);
const STALL: Duration = Duration::from_secs(2);
const AFTER: u64 = 2;

const NAMES: [&str; 6] = ["refuse", "slow", "cut", "stall", "duplicate", "malformed"];

const METHODS: [&str; 5] = ["GET", "POST", "PATCH", "PUT", "DELETE"];

const OF_FAULT: [&str; 4] = ["fault", "after", "for", "retry_after"];

/// A list of faults. Those of a component or of a rule have no path of their own.
pub(super) fn all(node: &Node, own_path: bool, problems: &mut Problems) -> Vec<Faulty> {
    let Some(items) = node.as_sequence() else {
        problems.push(
            expected("cast::type", "`faults`", "a list of faults", node)
                .help("faults:\n  - fault: cut\n    after: 3"),
        );
        return Vec::new();
    };
    items.iter().filter_map(|item| faulty(item, own_path, problems)).collect()
}

/// A fault and when it happens.
pub(super) fn faulty(node: &Node, own_path: bool, problems: &mut Problems) -> Option<Faulty> {
    if let Kind::String(_) | Kind::Number(_) = node.kind {
        let nothing = Node { span: node.span.clone(), kind: Kind::Null };
        let fault = named(node, &Fields::new(&nothing, "a fault", problems), problems)?;
        return Some(Faulty { fault, path: None, method: None, when: None, nth: None, rate: 1.0 });
    }
    let fields = Fields::new(node, "a fault", problems);
    let fault = fields.get("fault").and_then(|entry| named(&entry.value, &fields, problems));
    if fields.get("fault").is_none() {
        problems.push(
            Problem::error("cast::fault", "this is no `fault`")
                .label(&node.span, "what goes wrong?")
                .help(format!("a status such as 429, or one of {}", NAMES.join(", "))),
        );
    }
    let path = fields.text("path", problems);
    if let (Some(path), Some(entry)) = (&path, fields.get("path"))
        && !path.starts_with('/')
    {
        problems.push(
            Problem::error("cast::fault", "a path begins with `/`")
                .label(&entry.value.span, "here")
                .help("`*` stands for one part of a path, `**` for any number: /agents/*/runs, /sessions/**"),
        );
    }
    let method = fields.text("method", problems).map(|method| method.to_uppercase());
    if let (Some(method), Some(entry)) = (&method, fields.get("method"))
        && !METHODS.contains(&method.as_str())
    {
        problems.push(
            Problem::error("cast::fault", format!("there is no method `{method}`"))
                .label(&entry.value.span, "unknown")
                .maybe_help(diagnostic::suggest(method, METHODS)),
        );
    }
    let when = fields.get("when").and_then(|entry| rules::regex(&entry.value, problems));
    let nth = nth(&fields, problems);
    let rate = rate(&fields, problems).unwrap_or(1.0);
    let mut known = OF_FAULT.to_vec();
    known.extend(["when", "nth", "rate"]);
    if own_path {
        known.extend(["path", "method"]);
    }
    fields.finish(&known, &[], "a fault", problems);
    Some(Faulty { fault: fault?, path, method, when, nth, rate })
}

fn named(node: &Node, fields: &Fields<'_>, problems: &mut Problems) -> Option<Fault> {
    let after = number(fields, "after", problems).unwrap_or(AFTER);
    let wait = fields.duration("for", problems);
    let retry_after = fields.duration("retry_after", problems);
    let name = match &node.kind {
        Kind::Number(number) => number.to_string(),
        Kind::String(name) => name.clone(),
        _ => {
            problems.push(expected("cast::fault", "`fault`", "a status or a name", node));
            return None;
        }
    };
    let (fault, takes): (Fault, &[&str]) = match name.as_str() {
        "refuse" => (Fault::Refuse, &[]),
        "slow" => (Fault::Slow(wait.unwrap_or(SLOW)), &["for"]),
        "cut" => (Fault::Cut { after }, &["after"]),
        "stall" => (Fault::Stall { after, wait: wait.unwrap_or(STALL) }, &["after", "for"]),
        "duplicate" => (Fault::Duplicate { after }, &["after"]),
        "malformed" => (Fault::Malformed { after }, &["after"]),
        other => match other.parse::<u16>() {
            Ok(status) if (400..600).contains(&status) => {
                let usual = (status == 429).then_some(Duration::from_secs(1));
                (Fault::Status { status, retry_after: retry_after.or(usual) }, &["retry_after"])
            }
            Ok(_) => {
                problems.push(
                    Problem::error("cast::fault", format!("{other} is no status of a failure"))
                        .label(&node.span, "here")
                        .help("a status from 400 to 599"),
                );
                return None;
            }
            Err(_) => {
                problems.push(
                    Problem::error("cast::fault", format!("there is no fault `{other}`"))
                        .label(&node.span, "unknown fault")
                        .maybe_help(diagnostic::suggest(other, NAMES.into_iter().chain(["429", "500"]))),
                );
                return None;
            }
        },
    };
    for name in ["after", "for", "retry_after"] {
        if let Some(entry) = fields.get(name).filter(|_| !takes.contains(&name)) {
            problems.push(
                Problem::error("cast::fault", format!("`{}` takes no `{name}`", fault.name()))
                    .label(&entry.key.span, "means nothing here"),
            );
        }
    }
    Some(fault)
}

fn number(fields: &Fields<'_>, name: &str, problems: &mut Problems) -> Option<u64> {
    let entry = fields.get(name)?;
    let number = if let Kind::Number(number) = &entry.value.kind { number.as_u64() } else { None };
    if number.is_none() {
        problems.push(expected("cast::type", &format!("`{name}`"), "a whole number", &entry.value));
    }
    number
}

fn nth(fields: &Fields<'_>, problems: &mut Problems) -> Option<Vec<u64>> {
    let entry = fields.get("nth")?;
    let items = entry.value.as_sequence().unwrap_or_else(|| std::slice::from_ref(&entry.value));
    let numbers: Vec<u64> = items
        .iter()
        .filter_map(|item| if let Kind::Number(number) = &item.kind { number.as_u64() } else { None })
        .filter(|number| *number > 0)
        .collect();
    if numbers.len() != items.len() || numbers.is_empty() {
        problems.push(expected("cast::type", "`nth`", "a number from 1, or a list of them", &entry.value));
    }
    Some(numbers)
}

fn rate(fields: &Fields<'_>, problems: &mut Problems) -> Option<f64> {
    let entry = fields.get("rate")?;
    let rate = if let Kind::Number(number) = &entry.value.kind { number.as_f64() } else { None };
    let rate = rate.filter(|rate| (0.0..=1.0).contains(rate));
    if rate.is_none() {
        problems.push(expected("cast::type", "`rate`", "a part of the requests, from 0 to 1", &entry.value));
    }
    rate
}

/// What `--chaos` does, as `chaos:` says it.
pub(super) fn chaos(node: &Node, problems: &mut Problems) -> Chaos {
    let fields = Fields::new(node, "`chaos`", problems);
    let mut chaos = Chaos { seed: number(&fields, "seed", problems), ..Chaos::default() };
    chaos.rate = rate(&fields, problems).unwrap_or(chaos.rate);
    if let Some(entry) = fields.get("faults") {
        match entry.value.as_sequence() {
            Some(items) => {
                chaos.faults = items
                    .iter()
                    .filter_map(|item| match &item.kind {
                        Kind::Mapping(_) => {
                            let fields = Fields::new(item, "a fault", problems);
                            fields.finish(&OF_FAULT, &[], "a fault of `chaos`", problems);
                            named(&fields.get("fault")?.value, &fields, problems)
                        }
                        _ => faulty(item, false, problems).map(|faulty| faulty.fault),
                    })
                    .collect();
            }
            None => problems.push(expected("cast::type", "`faults`", "a list of faults", &entry.value)),
        }
    }
    if fields.get("paths").is_some() {
        chaos.paths = Some(fields.strings("paths", problems));
    }
    schema::finish(&fields, schema::CHAOS, "`chaos`", problems);
    chaos
}

/// Who is let in.
pub(super) fn auth(node: &Node, problems: &mut Problems) -> Auth {
    let fields = Fields::new(node, "`auth`", problems);
    let auth = Auth {
        security_key: fields.text("security_key", problems),
        jwt_secret: fields.text("jwt_secret", problems),
        jwt_audience: fields.text("jwt_audience", problems),
        user_isolation: fields.boolean("user_isolation", problems).unwrap_or(false),
    };
    for name in ["jwt_audience", "user_isolation"] {
        if let (Some(entry), None) = (fields.get(name), &auth.jwt_secret) {
            problems.push(
                Problem::error("cast::auth", format!("`{name}` needs a `jwt_secret`"))
                    .label(&entry.key.span, "only tokens tell who asks"),
            );
        }
    }
    schema::finish(&fields, schema::AUTH, "`auth`", problems);
    auth
}
