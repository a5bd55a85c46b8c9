//! Predicates of lists, and of how much there is of something.

use std::cmp::Ordering;
use std::collections::HashMap;

use serde_json::Value;

use super::compare;
use super::judge::{self, Case, Failure, Judgement, Subject};
use super::predicate::Matcher;
use super::show::{self, Place, Step};
use crate::diagnostic::Problem;

/// The members whose reasons a message tells.
const TOLD: usize = 3;

/// The number of characters, members or keys.
fn size(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(map) => Some(map.len()),
        _ => None,
    }
}

/// `length`.
pub(super) fn length(case: &Case, actual: &Value, inner: &Matcher) -> Result<Judgement, Problem> {
    let Some(size) = size(actual) else {
        return Ok(case.cannot(&format!("is {} and has no length", show::kind(actual))));
    };
    let size = Value::from(size);
    let place = case.subject.place.then(Step::Measure("the length of"));
    judge::matcher(inner, &Subject::of(&place, &size), case.scope)
}

/// `empty`.
pub(super) fn empty(case: &Case, actual: &Value, wanted: bool) -> Judgement {
    let empty = match (actual, size(actual)) {
        (Value::Null, _) => true,
        (_, Some(size)) => size == 0,
        _ => return case.cannot(&format!("is {} and can be neither empty nor full", show::kind(actual))),
    };
    case.when(empty == wanted, || {
        if wanted {
            format!("is not empty: {}", case.subject.shown(show::SHORT))
        } else {
            "is empty".to_owned()
        }
    })
}

fn items<'a>(case: &Case, actual: &'a Value) -> Result<&'a [Value], Judgement> {
    actual.as_array().map(Vec::as_slice).ok_or_else(|| {
        case.cannot(&format!("is {}, not a list ({})", show::kind(actual), case.subject.shown(show::SHORT)))
    })
}

/// What a list is compared by: the members, or one key of them.
fn keyed<'a>(case: &Case, items: &'a [Value], by: Option<&str>) -> Result<Vec<&'a Value>, Judgement> {
    let Some(by) = by else {
        return Ok(items.iter().collect());
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            item.get(by).ok_or_else(|| {
                let there = item.as_object().map_or_else(
                    || format!("it is {}", show::kind(item)),
                    |map| format!("it has: {}", show::names(map.keys().map(String::as_str))),
                );
                case.cannot(&format!("has a member without `{by}`, at [{index}]; {there}"))
            })
        })
        .collect()
}

/// `unique`.
pub(super) fn unique(case: &Case, actual: &Value, by: Option<&str>) -> Judgement {
    let keys = match items(case, actual).and_then(|items| keyed(case, items, by)) {
        Ok(keys) => keys,
        Err(judgement) => return judgement,
    };
    let mut seen: HashMap<String, usize> = HashMap::with_capacity(keys.len());
    for (index, key) in keys.into_iter().enumerate() {
        if let Some(earlier) = seen.insert(compare::canonical(key), index) {
            let what = by.map_or_else(String::new, |by| format!(" `{by}`"));
            let sentence = format!(
                "holds the same{what} at [{earlier}] and [{index}]: {}",
                show::value(key, show::SHORT)
            );
            return Judgement::Fails(case.failure(&sentence));
        }
    }
    Judgement::Holds
}

/// `sorted`.
pub(super) fn sorted(case: &Case, actual: &Value, by: Option<&str>, descending: bool) -> Judgement {
    let keys = match items(case, actual).and_then(|items| keyed(case, items, by)) {
        Ok(keys) => keys,
        Err(judgement) => return judgement,
    };
    let wrong = if descending { Ordering::Less } else { Ordering::Greater };
    for (index, pair) in keys.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        match compare::order(first, second) {
            Ok(found) if found == wrong => {
                let word = if descending { "descending" } else { "ascending" };
                return Judgement::Fails(case.failure(&format!(
                    "is not in {word} order: [{index}] is {}, [{}] is {}",
                    show::value(first, show::SHORT),
                    index + 1,
                    show::value(second, show::SHORT)
                )));
            }
            Ok(_) => {}
            Err(why) => return case.cannot(&format!("has no order: [{index}] {why}")),
        }
    }
    Judgement::Holds
}

/// Judges each member. The first `told` that are not as expected are told with their place; to find the place of each
/// of a hundred thousand would take longer than all the rest.
fn members(
    case: &Case,
    items: &[Value],
    inner: &Matcher,
    told: usize,
    mut visit: impl FnMut(usize, Judgement) -> bool,
) -> Result<(), Problem> {
    let nowhere = Place::root(Step::Root(""));
    let mut failed = 0;
    for (index, item) in items.iter().enumerate() {
        let parent = if failed < told { case.subject.place } else { &nowhere };
        let place = parent.then(Step::Index(index));
        let judgement = judge::matcher(inner, &Subject::of(&place, item), case.scope)?;
        failed += usize::from(!matches!(judgement, Judgement::Holds));
        if !visit(index, judgement) {
            break;
        }
    }
    Ok(())
}

/// `each`. All of an empty list hold, as everywhere; `length` says that there must be some.
pub(super) fn each(case: &Case, actual: &Value, inner: &Matcher) -> Result<Judgement, Problem> {
    let items = match items(case, actual) {
        Ok(items) => items,
        Err(judgement) => return Ok(judgement),
    };
    let mut failed = Vec::new();
    let mut first: Option<Box<Failure>> = None;
    members(case, items, inner, 1, |index, judgement| {
        if let Judgement::Fails(failure) | Judgement::Cannot(failure) = judgement {
            failed.push(format!("[{index}]"));
            first.get_or_insert(failure);
        }
        true
    })?;
    Ok(match first {
        None => Judgement::Holds,
        Some(mut failure) => {
            if failed.len() > 1 {
                failure.message = format!(
                    "{} ({} of {} members fail: {})",
                    failure.message,
                    failed.len(),
                    items.len(),
                    show::names(failed.iter().map(String::as_str))
                );
            }
            Judgement::Fails(failure)
        }
    })
}

/// `any`.
pub(super) fn any(case: &Case, actual: &Value, inner: &Matcher) -> Result<Judgement, Problem> {
    let items = match items(case, actual) {
        Ok(items) => items,
        Err(judgement) => return Ok(judgement),
    };
    if items.is_empty() {
        return Ok(Judgement::Fails(case.failure("is empty: no member can be what is expected")));
    }
    let mut found = false;
    let mut reasons = Vec::new();
    members(case, items, inner, TOLD, |_, judgement| match judgement {
        Judgement::Holds => {
            found = true;
            false
        }
        Judgement::Fails(failure) | Judgement::Cannot(failure) => {
            if reasons.len() < TOLD {
                reasons.push(show::cut(&failure.message, show::LONG));
            }
            true
        }
    })?;
    Ok(case.when(found, || {
        let more = if items.len() > reasons.len() { "; ..." } else { "" };
        let count = show::count(items.len(), "member");
        format!("has no member that is as expected, of {count}: {}{more}", reasons.join("; "))
    }))
}

/// `none`. A member of which the predicates cannot be asked is none that they hold of.
pub(super) fn none(case: &Case, actual: &Value, inner: &Matcher) -> Result<Judgement, Problem> {
    let items = match items(case, actual) {
        Ok(items) => items,
        Err(judgement) => return Ok(judgement),
    };
    let mut found = Vec::new();
    members(case, items, inner, 0, |index, judgement| {
        if matches!(judgement, Judgement::Holds) {
            found.push(index);
        }
        true
    })?;
    let Some(&first) = found.first() else {
        return Ok(Judgement::Holds);
    };
    let place = case.subject.place.then(Step::Index(first));
    let subject = Subject::of(&place, &items[first]);
    let more = if found.len() > 1 {
        let names: Vec<String> = found.iter().map(|index| format!("[{index}]")).collect();
        format!(
            " ({} of {} members: {})",
            found.len(),
            items.len(),
            show::names(names.iter().map(String::as_str))
        )
    } else {
        String::new()
    };
    let sentence = format!(
        "is {}, expected of no member: {}{more}",
        subject.shown(show::SHORT),
        super::phrase::matcher(inner, case.scope)
    );
    Ok(Judgement::Fails(subject.failure(case.predicate, case.scope, &sentence)))
}
