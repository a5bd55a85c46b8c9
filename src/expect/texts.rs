//! Predicates of texts, and of what lists and objects contain.

use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use super::compare::equal;
use super::judge::{Case, Judgement};
use super::predicate::Containment;
use super::schema::Schema;
use super::{diff, show};

/// The size up to which texts are compared character by character.
const SHORT_TEXT: usize = 2000;
/// The time that a comparison of two long texts may take; what it has found by then is close enough.
const SIMILAR_WITHIN: Duration = Duration::from_secs(1);

/// `contains` and its kin; a list means all (or none, or one) of its members.
pub(super) fn contains(case: &Case, actual: &Value, how: Containment, wanted: &Value) -> Judgement {
    let list = std::slice::from_ref(wanted);
    let list = wanted.as_array().map_or(list, Vec::as_slice);
    let fold = how == Containment::AllIgnoringCase;
    let lowered = fold.then(|| actual.as_str().map(str::to_lowercase)).flatten();
    let mut found = Vec::new();
    let mut lacking = Vec::new();
    for one in list {
        match holds(actual, lowered.as_deref(), one, fold) {
            Ok(true) => found.push(one),
            Ok(false) => lacking.push(one),
            Err(why) => return case.cannot(&format!("{why}: `{}` cannot be asked of it", how.name())),
        }
    }
    let shown =
        |all: &[&Value]| all.iter().map(|one| show::value(one, show::SHORT)).collect::<Vec<_>>().join(", ");
    let holds = match how {
        Containment::All | Containment::AllIgnoringCase => lacking.is_empty(),
        Containment::Any => !found.is_empty(),
        Containment::None => found.is_empty(),
    };
    if holds {
        return Judgement::Holds;
    }
    let it = show::value(actual, show::SHORT);
    let sentence = match how {
        Containment::All => format!("does not contain {}: {it}", shown(&lacking)),
        Containment::AllIgnoringCase => {
            format!("does not contain {}, in upper or lower case: {it}", shown(&lacking))
        }
        Containment::Any => format!("contains none of {}: {it}", shown(&lacking)),
        Containment::None => {
            let place = found.first().and_then(|one| place(actual, one)).unwrap_or_default();
            format!("contains {}, and must not{place}", shown(&found))
        }
    };
    Judgement::Fails(
        case.failure(&sentence).maybe_help(lacking.first().and_then(|one| help(actual, one, fold))),
    )
}

/// Whether `actual` contains `wanted`; the error says what `actual` is.
fn holds(actual: &Value, lowered: Option<&str>, wanted: &Value, fold: bool) -> Result<bool, String> {
    match actual {
        Value::String(text) => {
            let wanted =
                part(wanted).ok_or_else(|| format!("is a text and contains no {}", kind_word(wanted)))?;
            Ok(match lowered {
                Some(lowered) => lowered.contains(&wanted.to_lowercase()),
                None => text.contains(&wanted),
            })
        }
        Value::Array(items) => Ok(items.iter().any(|item| match (item, wanted) {
            (Value::String(item), Value::String(wanted)) if fold => {
                item.to_lowercase() == wanted.to_lowercase()
            }
            _ => equal(item, wanted),
        })),
        Value::Object(map) => match wanted {
            Value::Object(part) => {
                Ok(part.iter().all(|(key, wanted)| map.get(key).is_some_and(|value| equal(value, wanted))))
            }
            Value::String(key) if fold => {
                let key = key.to_lowercase();
                Ok(map.keys().any(|known| known.to_lowercase() == key))
            }
            Value::String(key) => Ok(map.contains_key(key)),
            _ => Err(format!("is an object and contains no {}", kind_word(wanted))),
        },
        _ => Err(format!("is {} ({})", show::kind(actual), show::value(actual, show::SHORT))),
    }
}

fn kind_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// What a text may contain: `contains: 42` means the digits.
fn part(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Where in a text it is, for a message.
fn place(actual: &Value, wanted: &Value) -> Option<String> {
    let (text, wanted) = (actual.as_str()?, part(wanted)?);
    let at = text.find(&wanted)?;
    Some(format!(": {}", show::around(text, at, wanted.len())))
}

fn help(actual: &Value, wanted: &Value, fold: bool) -> Option<String> {
    match (actual, wanted) {
        (Value::String(text), _) => {
            let wanted = part(wanted)?;
            let folded = |text: &str| text.to_lowercase();
            if !fold && folded(text).contains(&folded(&wanted)) {
                return Some("it is there in other upper and lower case: `icontains` takes both".to_owned());
            }
            let blanks = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            blanks(text).contains(&blanks(&wanted)).then(|| {
                "it is there with other blanks or line breaks: `matches` can allow for them".to_owned()
            })
        }
        (Value::Array(items), Value::Object(part)) => {
            let partly = |item: &Value| {
                item.as_object().is_some_and(|map| {
                    part.iter().all(|(key, wanted)| map.get(key).is_some_and(|value| equal(value, wanted)))
                })
            };
            items.iter().any(partly).then(|| {
                "a member holds it beside other keys: `{ any: { like: {...} } }` expects a part".to_owned()
            })
        }
        (Value::Array(items), Value::String(text)) => items
            .iter()
            .any(|item| item.as_str().is_some_and(|item| item.contains(text.as_str())))
            .then(|| {
                "a member holds it as a part: `{ any: { contains: ... } }` looks into the members".to_owned()
            }),
        _ => None,
    }
}

/// `starts_with` and `ends_with`.
pub(super) fn affix(case: &Case, actual: &Value, wanted: &str, start: bool) -> Judgement {
    let Some(text) = actual.as_str() else {
        return not_a_text(case, actual);
    };
    let holds = if start { text.starts_with(wanted) } else { text.ends_with(wanted) };
    let (how, begin) =
        if start { ("start with", 0) } else { ("end with", text.len().saturating_sub(wanted.len())) };
    case.when(holds, || {
        let begin = (0..=begin).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let wanted_shown = show::value(&Value::String(wanted.to_owned()), show::SHORT);
        format!(
            "does not {how} {wanted_shown}, but {}",
            show::around(text, begin, if start { wanted.len() } else { text.len() - begin })
        )
    })
}

/// `matches`.
pub(super) fn matches(case: &Case, actual: &Value, pattern: &Regex) -> Judgement {
    let Some(text) = actual.as_str() else {
        return not_a_text(case, actual);
    };
    case.when(pattern.is_match(text), || {
        format!(
            "does not match /{}/: {}",
            show::cut(pattern.as_str(), show::SHORT),
            show::value(actual, show::SHORT)
        )
    })
}

/// `format`.
pub(super) fn format(case: &Case, actual: &Value, name: &str, schema: Option<&Schema>) -> Judgement {
    let Some(text) = actual.as_str() else {
        return not_a_text(case, actual);
    };
    let wrong = match schema {
        Some(schema) => schema.first_error(actual),
        None => serde_json::from_str::<serde::de::IgnoredAny>(text).err().map(|error| error.to_string()),
    };
    case.when(wrong.is_none(), || {
        let why = wrong.unwrap_or_default();
        // The library repeats the value, which is shown already.
        let why = why.split(&format!("is not valid {name}: ")).last().unwrap_or_default().to_owned();
        format!("is {}, which is no {name}: {why}", show::value(actual, show::SHORT))
    })
}

/// `similar`.
pub(super) fn similar(case: &Case, actual: &Value, to: &str, at_least: f64) -> Judgement {
    let Some(text) = actual.as_str() else {
        return not_a_text(case, actual);
    };
    let ratio = ratio(to, text);
    if ratio >= at_least {
        return Judgement::Holds;
    }
    let mut failure = case.failure(&format!("is only {ratio:.2} similar, expected at least {at_least}"));
    failure.actual = format!("{ratio:.2}: {}", failure.actual);
    failure.diff = Some(diff::text_diff(to, text));
    Judgement::Fails(failure)
}

/// How similar two texts are, from 0 to 1: by characters, or by words where they are long.
pub(crate) fn ratio(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let found = if a.len().max(b.len()) <= SHORT_TEXT {
        let characters = |text: &str| text.chars().collect::<Vec<char>>();
        diff::ratio(&characters(a), &characters(b), SIMILAR_WITHIN)
    } else {
        let words = |text| str::split_whitespace(text).collect::<Vec<&str>>();
        diff::ratio(&words(a), &words(b), SIMILAR_WITHIN)
    };
    // Three digits are what a person wrote; 0.8 as a float of half the width is 0.800000011.
    (f64::from(found) * 1e6).round() / 1e6
}

fn not_a_text(case: &Case, actual: &Value) -> Judgement {
    case.cannot(&format!("is {}, not a text ({})", show::kind(actual), show::value(actual, show::SHORT)))
}
