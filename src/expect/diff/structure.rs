//! Where two structures differ: the paths. Members of lists are held against those that they are likest to, so that one
//! that is missing is no change of all that follow.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;
use similar::DiffTag;

use super::super::compare::{canonical, equal};
use super::super::show;
use super::{WIDTH, align};

/// The time for finding out which members of two lists belong together; then it is told coarsely.
const WITHIN: Duration = Duration::from_millis(150);
/// The members of a changed part of a list among which each is looked for.
const MOST_MEMBERS: usize = 100;
/// The paths that are named one by one.
const MOST_PATHS: usize = 12;
/// The keys that tell members of a list apart, the first that both have.
const NAMES: [&str; 7] = ["name", "event", "tool_name", "key", "id", "role", "type"];

/// The paths at which two values differ.
#[derive(Default)]
pub(super) struct Changes {
    changed: Vec<String>,
    missing: Vec<String>,
    added: Vec<String>,
}

impl Changes {
    /// Of two values, in lines: what changed, what is missing, what was added.
    pub(super) fn lines(expected: &Value, actual: &Value) -> Vec<String> {
        let mut changes = Self::default();
        changes.collect(expected, actual, &mut String::from("$"));
        [("changed", &changes.changed), ("missing", &changes.missing), ("added", &changes.added)]
            .into_iter()
            .filter(|(_, paths)| !paths.is_empty())
            .map(|(what, paths)| {
                let more = paths.len().saturating_sub(MOST_PATHS);
                let shown: Vec<String> =
                    paths.iter().take(MOST_PATHS).map(|path| show::cut(path, WIDTH / 2)).collect();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!(" {what}: {}{more}", shown.join(", "))
            })
            .collect()
    }

    /// A missing member is named by its place in the expected list, all others by theirs in the found one.
    fn collect(&mut self, expected: &Value, actual: &Value, path: &mut String) {
        let length = path.len();
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(found)) => {
                for (key, expected) in wanted {
                    path.push_str(&show::key(key));
                    match found.get(key) {
                        Some(actual) => self.collect(expected, actual, path),
                        None => self.missing.push(path.clone()),
                    }
                    path.truncate(length);
                }
                for key in found.keys().filter(|key| !wanted.contains_key(*key)) {
                    self.added.push(format!("{path}{}", show::key(key)));
                }
            }
            (Value::Array(wanted), Value::Array(found)) => {
                for pair in Pair::of(wanted, found) {
                    match pair {
                        Pair::Same(..) => {}
                        Pair::Both(old, new) => {
                            _ = write!(path, "[{new}]");
                            self.collect(&wanted[old], &found[new], path);
                        }
                        Pair::Gone(old) => self.missing.push(format!("{path}[{old}]")),
                        Pair::Come(new) => self.added.push(format!("{path}[{new}]")),
                    }
                    path.truncate(length);
                }
            }
            _ if equal(expected, actual) => {}
            _ => self.changed.push(path.clone()),
        }
    }
}

/// What belongs together in two lists, by place in the expected and in the found one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    Same(usize, usize),
    Both(usize, usize),
    Gone(usize),
    Come(usize),
}

impl Pair {
    /// In the order of the lists.
    pub(super) fn of(wanted: &[Value], found: &[Value]) -> Vec<Self> {
        let same = |(a, b): &(&Value, &Value)| equal(a, b);
        let start = wanted.iter().zip(found).take_while(same).count();
        let most = wanted.len().min(found.len()) - start;
        let end = wanted.iter().rev().zip(found.iter().rev()).take(most).take_while(same).count();
        let (old_end, new_end) = (wanted.len() - end, found.len() - end);
        let mut pairs: Vec<Self> = (0..start).map(|at| Self::Same(at, at)).collect();
        Self::between(wanted, found, start..old_end, start..new_end, &mut pairs);
        pairs.extend((0..end).map(|at| Self::Same(old_end + at, new_end + at)));
        pairs
    }

    fn between(
        wanted: &[Value],
        found: &[Value],
        old: Range<usize>,
        new: Range<usize>,
        pairs: &mut Vec<Self>,
    ) {
        if old.len() < 2 && new.len() < 2 {
            return Self::changed(wanted, found, old, new, pairs);
        }
        let keys = |list: &[Value]| list.iter().map(key).collect::<Vec<String>>();
        let (old_keys, new_keys) = (keys(&wanted[old.clone()]), keys(&found[new.clone()]));
        let known: HashSet<&String> = old_keys.iter().collect();
        if !new_keys.iter().any(|key| known.contains(key)) {
            // None stayed as it was: there is nothing to line the others up with.
            return Self::changed(wanted, found, old, new, pairs);
        }
        for op in align(&old_keys, &new_keys, WITHIN) {
            let shift = |range: Range<usize>, by: usize| range.start + by..range.end + by;
            let (old, new) = (shift(op.old_range(), old.start), shift(op.new_range(), new.start));
            if op.tag() == DiffTag::Equal {
                pairs.extend(old.zip(new).map(|(old, new)| Self::Both(old, new)));
            } else {
                Self::changed(wanted, found, old, new, pairs);
            }
        }
    }

    /// A part in which no member has its like: those of one name belong together.
    fn changed(
        wanted: &[Value],
        found: &[Value],
        old: Range<usize>,
        new: Range<usize>,
        pairs: &mut Vec<Self>,
    ) {
        let come: Vec<Known<'_>> = found[new.clone()].iter().map(Known::of).collect();
        let mut next = new.start;
        for index in old {
            let gone = Known::of(&wanted[index]);
            let window = &come[next - new.start..];
            let partner = window.iter().take(MOST_MEMBERS).position(|other| gone.is_like(other));
            let Some(partner) = partner.map(|at| next + at) else {
                pairs.push(Self::Gone(index));
                continue;
            };
            pairs.extend((next..partner).map(Self::Come));
            pairs.push(Self::Both(index, partner));
            next = partner + 1;
        }
        pairs.extend((next..new.end).map(Self::Come));
    }
}

/// What a member of a list is known by. The numbers of placeholders count for nothing in a structure: where one is
/// missing, all that follow have another.
fn key(value: &Value) -> String {
    let text = canonical(value);
    if !value.is_object() && !value.is_array() {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('[') {
        let word =
            rest[at + 1..].bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
        let dot = at + 1 + word;
        let digits = rest[dot..].bytes().skip(1).take_while(u8::is_ascii_digit).count();
        if word > 0 && digits > 0 && rest[dot..].starts_with('.') && rest[dot + 1 + digits..].starts_with(']')
        {
            plain.push_str(&rest[..dot]);
            rest = &rest[dot + 1 + digits..];
        } else {
            plain.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
        }
    }
    plain.push_str(rest);
    plain
}

/// What is known of a member of a list: whether it is an object, a list or neither, and its names.
struct Known<'v> {
    kind: u8,
    names: [Option<&'v str>; NAMES.len()],
}

impl<'v> Known<'v> {
    fn of(value: &'v Value) -> Self {
        let kind = if value.is_object() { 2 } else { u8::from(value.is_array()) };
        // A placeholder names nothing.
        let name = |key| value.get(key).and_then(Value::as_str).filter(|name| !name.starts_with('['));
        Self { kind, names: NAMES.map(name) }
    }

    /// Whether one may have become the other: they have one name, or none.
    fn is_like(&self, other: &Self) -> bool {
        let first = self.names.iter().zip(&other.names).find_map(|(a, b)| a.as_ref().zip(b.as_ref()));
        self.kind == other.kind && first.is_none_or(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(expected: &Value, actual: &Value) -> String {
        Changes::lines(expected, actual).join(";")
    }

    #[test]
    fn members_are_held_against_their_likes() {
        let message = |id: usize, role: &str, text: &str| json!({ "id": format!("[id.{id}]"), "role": role, "content": text });
        for (expected, actual, changes) in [
            (json!(["a", "b", "c"]), json!(["x", "a", "b", "d"]), " changed: $[3]; added: $[0]"),
            (json!([1, 2, 3]), json!([2, 3.0]), " missing: $[0]"),
            (json!([{ "n": 1 }, { "n": 2 }]), json!([{ "n": 3 }, { "n": 4 }]), " changed: $[0].n, $[1].n"),
            (
                json!([{ "name": "a", "n": 1 }, { "name": "b", "n": 1 }, { "name": "c", "n": 1 }]),
                json!([{ "name": "b", "n": 2 }, { "name": "c", "n": 1 }, { "name": "d", "n": 1 }]),
                " changed: $[0].n; missing: $[0]; added: $[2]",
            ),
            // Which id it is changes with each that is missing before it.
            (
                json!([
                    message(1, "user", "hi"),
                    message(2, "tool", "5"),
                    message(3, "assistant", "It is 5")
                ]),
                json!([message(1, "user", "hi"), message(2, "assistant", "It is 5")]),
                " changed: $[1].id; missing: $[1]",
            ),
            (json!([["[id.1]"], 1]), json!([["[id.2]"], 2]), " changed: $[0][0], $[1]"),
        ] {
            assert_eq!(
                told(&expected, &actual).replace("; ", ";"),
                changes.replace("; ", ";"),
                "{expected} {actual}"
            );
        }
    }
}
