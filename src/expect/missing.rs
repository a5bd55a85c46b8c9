//! Why a target is not there, and what is there instead.

use serde_json::{Map, Value};

use super::judge::Absent;
use super::show;
use crate::diagnostic::nearest;
use crate::expr::unquoted;
use crate::jsonpath::Path;
use crate::outcome::Outcome;

impl Absent {
    /// Nothing is there; `message` goes on after the name of the target.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, null_like: false }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `null` and `empty` hold of it.
    fn null_like(mut self) -> Self {
        self.null_like = true;
        self
    }

    /// What a refusal said is the likeliest cause.
    fn because(self, outcome: &Outcome) -> Self {
        let refused = outcome.status.filter(|status| *status >= 400);
        match (refused, &outcome.error) {
            (Some(status), Some(error)) if self.help.is_none() => {
                self.help(format!("the server answered {status}: {}", show::cut(error, show::LONG)))
            }
            (None, Some(error)) if self.help.is_none() => {
                self.help(format!("the run failed: {}", show::cut(error, show::LONG)))
            }
            _ => self,
        }
    }
}

/// No answer at all.
pub(super) fn answer(outcome: &Outcome) -> Absent {
    match &outcome.error {
        Some(error) => Absent::new(format!("is missing: no answer came ({})", show::cut(error, show::LONG))),
        None => Absent::new("is missing: no answer came"),
    }
}

/// No JSON.
pub(super) fn body(outcome: &Outcome) -> Absent {
    let Some(status) = outcome.status else {
        return answer(outcome);
    };
    let text = outcome.text.trim();
    if text.is_empty() {
        return Absent::new(format!("is missing: the answer ({status}) has no body"));
    }
    let declared = outcome.header("content-type").unwrap_or_default();
    let lower = text.get(..15).unwrap_or(text).to_lowercase();
    let what =
        if declared.contains("html") || lower.starts_with("<!doctype html") || lower.starts_with("<html") {
            "HTML".to_owned()
        } else if declared.contains("json") {
            match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Err(error) => format!("broken JSON ({error})"),
                Ok(_) => "not read as JSON".to_owned(),
            }
        } else if declared.is_empty() {
            "no JSON".to_owned()
        } else {
            format!("{declared}, not JSON")
        };
    let shown = show::value(&Value::String(text.to_owned()), show::SHORT);
    Absent::new(format!("is missing: the body ({status}) is {what}: {shown}")).help("`text` is the raw body")
}

/// A singular path without a match: as far as it leads, and what is there.
pub(super) fn path(text: &str, body: &Value, outcome: &Outcome) -> Absent {
    let prefixes = prefixes(text);
    let reached =
        prefixes.iter().enumerate().rev().find_map(|(index, prefix)| {
            Some((index, Path::parse(prefix).ok()?.find(body).first().copied()?))
        });
    let Some((index, value)) = reached else {
        return Absent::new("is not in the body").because(outcome);
    };
    let prefix = prefixes[index];
    let place = if index == 0 { "the body".to_owned() } else { format!("`{prefix}`") };
    let next = prefixes.get(index + 1).map_or("", |longer| &longer[prefix.len()..]);
    let absent = match value {
        Value::Object(map) => {
            let wanted = next.trim_start_matches('.').trim_matches(['[', ']', '\'', '"']);
            let keys = || map.keys().map(String::as_str);
            let there = show::names(keys());
            let absent = Absent::new(format!("is not in the body; {place} has: {there}"));
            match nearest(wanted, keys()) {
                Some(found) => {
                    let rest = &text[prefix.len() + next.len()..];
                    absent.help(format!("did you mean `{prefix}{}{rest}`?", show::key(found)))
                }
                None => absent,
            }
        }
        Value::Array(items) => {
            let absent = Absent::new(format!(
                "is not in the body; {place} is a list of {}",
                show::count(items.len(), "member")
            ));
            if next.starts_with('[') && !next.contains(['\'', '"']) {
                absent
            } else {
                absent.help(format!("a member is `{prefix}[0]{next}`, all of them `{prefix}[*]{next}`"))
            }
        }
        other => Absent::new(format!(
            "is not in the body; {place} is {} ({})",
            show::kind(other),
            show::value(other, show::SHORT)
        )),
    };
    absent.because(outcome)
}

/// `$`, `$.a`, `$.a[0]`, ...: the beginnings of a singular path.
fn prefixes(text: &str) -> Vec<&str> {
    let mut ends = Vec::new();
    let mut bracket = false;
    for (at, c) in unquoted(text) {
        match c {
            ']' => bracket = false,
            '[' => {
                ends.push(at);
                bracket = true;
            }
            '.' if !bracket => ends.push(at),
            _ => {}
        }
    }
    ends.push(text.len());
    ends.into_iter().map(|end| &text[..end]).collect()
}

/// A header.
pub(super) fn header(name: &str, outcome: &Outcome) -> Absent {
    if outcome.status.is_none() {
        return answer(outcome);
    }
    let mut names: Vec<&str> = outcome.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    let absent = Absent::new(format!("is not among the headers: {}", show::names(names.iter().copied())));
    match nearest(name, names) {
        Some(found) => absent.help(format!("did you mean `headers.{found}`?")),
        None => absent,
    }
}

fn keys(outcome: &Outcome) -> String {
    match outcome.body.as_ref() {
        Some(Value::Object(map)) => format!("the body has: {}", show::names(map.keys().map(String::as_str))),
        Some(other) => format!("the body is {}", show::kind(other)),
        None => "there is no body".to_owned(),
    }
}

fn of_body(outcome: &Outcome, message: &str) -> Absent {
    if outcome.body.is_none() {
        return body(outcome);
    }
    Absent::new(message).because(outcome)
}

/// The answer's text.
pub(super) fn content(outcome: &Outcome) -> Absent {
    let null = outcome.body.as_ref().and_then(|body| body.get("content")).is_some();
    let message = if null {
        "is null: there is no answer".to_owned()
    } else {
        format!("is missing; {}", keys(outcome))
    };
    of_body(outcome, &message).null_like()
}

/// Events.
pub(super) fn events(outcome: &Outcome) -> Absent {
    let absent = of_body(outcome, &format!("is missing; {}", keys(outcome)));
    if absent.help.is_some() {
        absent
    } else {
        absent.help("a run has events with `stream: true`, or where the server stores them")
    }
}

/// Tool calls.
pub(super) fn tools(outcome: &Outcome) -> Absent {
    of_body(outcome, &format!("is missing; {}", keys(outcome)))
}

/// Token counts.
pub(super) fn tokens(outcome: &Outcome) -> Absent {
    of_body(outcome, "is missing: the answer has no metrics with token counts")
}

/// One token count.
pub(super) fn token(name: &str, tokens: &Map<String, Value>) -> Absent {
    let names = || tokens.keys().map(String::as_str);
    let absent = Absent::new(format!("is not counted; there are: {}", show::names(names())));
    match nearest(name, names()) {
        Some(found) => absent.help(format!("did you mean `tokens.{found}`?")),
        None => absent,
    }
}

/// The time to the first content.
pub(super) fn ttft(outcome: &Outcome) -> Absent {
    if outcome.status.is_none() {
        return answer(outcome);
    }
    if outcome.stream.is_some() {
        return Absent::new("is missing: no event of the stream brought content").because(outcome);
    }
    Absent::new("is missing: no content came in a stream")
        .because(outcome)
        .help("`stream: true` streams a run")
}

/// An error.
pub(super) fn error(outcome: &Outcome) -> Absent {
    let status = outcome.status.map_or_else(String::new, |status| format!(" (status {status})"));
    Absent::new(format!("is missing: nothing was refused, and nothing failed{status}")).null_like()
}

/// What a paused run waits for.
pub(super) fn requirements(outcome: &Outcome) -> Absent {
    let status = outcome.body.as_ref().and_then(|body| body.get("status")).and_then(Value::as_str);
    let message = match status {
        Some(status) => format!("is missing: the run waits for nothing, it is {status}"),
        None => format!("is missing; {}", keys(outcome)),
    };
    of_body(outcome, &message).null_like()
}
