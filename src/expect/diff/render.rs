//! Two structures as JSON in one: what both have, what went and what came, member by member. Long equal parts are counted
//! and not written.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::compare::equal;
use super::super::show;
use super::structure::Pair;
use super::{CONTEXT, MOST_LINES, WIDTH, words};

/// The lines of `expected` and `actual`; those that are equal with so many before and after a difference.
pub(super) fn lines(expected: &Value, actual: &Value, context: usize) -> Vec<String> {
    let mut page = Page::default();
    page.both(&Place::default(), expected, actual);
    page.folded(context)
}

/// Where a value stands in its text.
#[derive(Default, Clone)]
struct Place {
    depth: usize,
    /// `"key": ` in an object.
    key: String,
    /// Whether another follows it in the expected and in the found one.
    followed: (bool, bool),
}

impl Place {
    fn line(&self, text: &str, followed: bool) -> String {
        let comma = if followed { "," } else { "" };
        format!("{}{}{text}{comma}", "  ".repeat(self.depth), self.key)
    }

    /// A line that is not the first of the value.
    fn end(&self, text: &str, followed: bool) -> String {
        let comma = if followed { "," } else { "" };
        format!("{}{text}{comma}", "  ".repeat(self.depth))
    }

    fn inside(&self, key: Option<&String>, followed: (bool, bool)) -> Self {
        let key = key.map(|key| format!("{}: ", Value::from(key.as_str()))).unwrap_or_default();
        Self { depth: self.depth + 1, key, followed }
    }
}

/// The most lines of an equal value that are written out.
const MOST_SAME: usize = 3 * CONTEXT;

enum Line {
    Same(String),
    /// So many lines that are the same.
    Count(usize),
    Other(char, String),
}

#[derive(Default)]
struct Page {
    lines: Vec<Line>,
    /// The lines that differ so far.
    others: usize,
}

impl Page {
    fn both(&mut self, at: &Place, expected: &Value, actual: &Value) {
        if equal(expected, actual) {
            return self.same(at, expected);
        }
        match (expected, actual) {
            (Value::Object(wanted), Value::Object(found)) if !wanted.is_empty() && !found.is_empty() => {
                self.lines.push(Line::Same(at.line("{", false)));
                self.entries(at, wanted, found);
                self.lines.push(Line::Same(at.end("}", at.followed.1)));
            }
            (Value::Array(wanted), Value::Array(found)) if !wanted.is_empty() && !found.is_empty() => {
                self.lines.push(Line::Same(at.line("[", false)));
                self.members(at, wanted, found);
                self.lines.push(Line::Same(at.end("]", at.followed.1)));
            }
            _ if self.others > MOST_LINES && is_plain(expected) && is_plain(actual) => {
                // Only counted.
                self.other('-', String::new());
                self.other('+', String::new());
            }
            _ if is_plain(expected) && is_plain(actual) => {
                let (old, new) = (
                    at.line(&expected.to_string(), at.followed.0),
                    at.line(&actual.to_string(), at.followed.1),
                );
                let (old, new) = words::pair(&old, &new);
                self.other('-', old);
                self.other('+', new);
            }
            _ => {
                self.whole('-', at, expected);
                self.whole('+', at, actual);
            }
        }
    }

    fn entries(&mut self, at: &Place, wanted: &Map<String, Value>, found: &Map<String, Value>) {
        let keys = merged(wanted, found);
        let last = |map: &Map<String, Value>| keys.iter().rposition(|key| map.contains_key(*key));
        let (wanted_last, found_last) = (last(wanted), last(found));
        for (index, key) in keys.iter().copied().enumerate() {
            let inside = at.inside(Some(key), (Some(index) != wanted_last, Some(index) != found_last));
            match (wanted.get(key), found.get(key)) {
                (Some(expected), Some(actual)) => self.both(&inside, expected, actual),
                (Some(expected), None) => self.whole('-', &inside, expected),
                (None, Some(actual)) => self.whole('+', &inside, actual),
                (None, None) => {}
            }
        }
    }

    fn members(&mut self, at: &Place, wanted: &[Value], found: &[Value]) {
        let pairs = Pair::of(wanted, found);
        for run in pairs.chunk_by(|a, b| matches!((a, b), (Pair::Same(..), Pair::Same(..)))) {
            // Of many that are the same, those in the middle are beside no difference.
            let middle = CONTEXT..run.len().saturating_sub(CONTEXT).max(CONTEXT);
            for (index, pair) in run.iter().enumerate() {
                let inside =
                    |old: usize, new: usize| at.inside(None, (old + 1 < wanted.len(), new + 1 < found.len()));
                match *pair {
                    Pair::Same(old, _) if middle.contains(&index) => {
                        self.lines.push(Line::Count(height(&wanted[old])));
                    }
                    Pair::Same(old, new) => self.same(&inside(old, new), &wanted[old]),
                    Pair::Both(old, new) => self.both(&inside(old, new), &wanted[old], &found[new]),
                    Pair::Gone(old) => self.whole('-', &inside(old, 0), &wanted[old]),
                    Pair::Come(new) => self.whole('+', &inside(0, new), &found[new]),
                }
            }
        }
    }

    /// A value that both have.
    fn same(&mut self, at: &Place, value: &Value) {
        let lines = height(value);
        if lines <= MOST_SAME {
            self.lines.extend(text(at, value, at.followed.1).map(Line::Same));
            return;
        }
        let (open, close) = if value.is_object() { ("{", "}") } else { ("[", "]") };
        self.lines.push(Line::Same(at.line(open, false)));
        self.lines.push(Line::Count(lines - 2));
        self.lines.push(Line::Same(at.end(close, at.followed.1)));
    }

    /// A value that one of both has.
    fn whole(&mut self, sign: char, at: &Place, value: &Value) {
        if self.others > MOST_LINES {
            // Only counted.
            (0..height(value)).for_each(|_| self.other(sign, String::new()));
            return;
        }
        let followed = if sign == '-' { at.followed.0 } else { at.followed.1 };
        text(at, value, followed).for_each(|line| self.other(sign, show::cut(&line, WIDTH)));
    }

    fn other(&mut self, sign: char, line: String) {
        self.others += 1;
        self.lines.push(Line::Other(sign, line));
    }

    /// The lines with what is equal folded, but for so many beside a difference.
    fn folded(self, context: usize) -> Vec<String> {
        let mut folded = Vec::new();
        let mut equal: Vec<Line> = Vec::new();
        for line in self.lines {
            match line {
                Line::Other(sign, line) => {
                    fold(&mut equal, context, &mut folded, true);
                    folded.push(format!("{sign}{line}"));
                }
                same => equal.push(same),
            }
        }
        fold(&mut equal, context, &mut folded, false);
        folded
    }
}

/// Writes lines that are equal, and forgets them.
fn fold(equal: &mut Vec<Line>, context: usize, folded: &mut Vec<String>, difference_follows: bool) {
    let head = if folded.is_empty() { 0 } else { context };
    let tail = if difference_follows { context } else { 0 };
    let shown = |line: &Line| match line {
        Line::Same(text) => Some(format!(" {}", show::cut(text, WIDTH))),
        _ => None,
    };
    let before: Vec<String> = equal.iter().take(head).map_while(shown).collect();
    let rest = &equal[before.len()..];
    let after: Vec<String> = rest.iter().rev().take(tail).map_while(shown).collect();
    let middle = &rest[..rest.len() - after.len()];
    folded.extend(before);
    if let [one] = middle
        && let Some(line) = shown(one)
    {
        folded.push(line);
    } else if !middle.is_empty() {
        let count: usize =
            middle.iter().map(|line| if let Line::Count(count) = line { *count } else { 1 }).sum();
        folded.push(format!(" … {count} equal lines"));
    }
    folded.extend(after.into_iter().rev());
    equal.clear();
}

fn is_plain(value: &Value) -> bool {
    height(value) == 1
}

/// The lines of a value.
fn height(value: &Value) -> usize {
    match value {
        Value::Object(map) if !map.is_empty() => 2 + map.values().map(height).sum::<usize>(),
        Value::Array(list) if !list.is_empty() => 2 + list.iter().map(height).sum::<usize>(),
        _ => 1,
    }
}

/// A value in its lines.
fn text(at: &Place, value: &Value, followed: bool) -> impl Iterator<Item = String> {
    let pretty = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    let last = height(value) - 1;
    let lines: Vec<String> = pretty
        .split('\n')
        .enumerate()
        .map(|(index, line)| {
            let followed = index == last && followed;
            if index == 0 { at.line(line, followed) } else { at.end(line, followed) }
        })
        .collect();
    lines.into_iter()
}

/// The keys of both, in the order of `wanted`; a new one stands before the next of both in `found`.
fn merged<'a>(wanted: &'a Map<String, Value>, found: &'a Map<String, Value>) -> Vec<&'a String> {
    let mut new: HashMap<Option<&String>, Vec<&String>> = HashMap::new();
    let mut last = None;
    for key in found.keys() {
        if wanted.contains_key(key) {
            last = Some(key);
        } else {
            new.entry(last).or_default().push(key);
        }
    }
    let mut keys = Vec::with_capacity(wanted.len());
    // What came stands behind what went.
    let mut waiting = new.remove(&None).unwrap_or_default();
    for key in wanted.keys() {
        if found.contains_key(key) {
            keys.append(&mut waiting);
            waiting = new.remove(&Some(key)).unwrap_or_default();
        }
        keys.push(key);
    }
    keys.append(&mut waiting);
    keys
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn small_json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), (0..3).prop_map(Value::from), "[ab ]{0,3}".prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abcd]", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// What is not marked as gone is the one, what is not marked as come the other.
        #[test]
        fn both_can_be_read_off(expected in small_json(), actual in small_json()) {
            let lines = lines(&expected, &actual, usize::MAX);
            if !lines.iter().any(|line| line.contains('…')) {
                for (other, value) in [('-', &actual), ('+', &expected)] {
                    let read: Vec<&str> = lines.iter().filter(|line| !line.starts_with(other)).map(|line| line[1..].trim_end_matches(',')).collect();
                    let pretty = serde_json::to_string_pretty(value).unwrap();
                    let written: Vec<&str> = pretty.lines().map(|line| line.trim_end_matches(',')).collect();
                    prop_assert_eq!(&read, &written, "{:#?}", lines);
                }
            }
        }
    }

    #[test]
    fn members_and_keys_go_and_come_whole() {
        let long: Value = (0..30).collect::<Vec<i32>>().into();
        let expected =
            json!({ "a": [{ "name": "x", "n": { "m": 1 } }, { "name": "y" }], "long": long, "z": {} });
        let actual =
            json!({ "a": [{ "name": "y" }, { "name": "w" }], "b": [1], "long": long, "z": { "q": null } });
        insta::assert_snapshot!(lines(&expected, &actual, 3).join("\n"), @r#"
         {
           "a": [
        -    {
        -      "name": "x",
        -      "n": {
        -        "m": 1
        -      }
        -    },
             {
               "name": "y"
             },
        +    {
        +      "name": "w"
        +    }
           ],
        +  "b": [
        +    1
        +  ],
           "long": [
         … 30 equal lines
           ],
        -  "z": {}
        +  "z": {
        +    "q": null
        +  }
         }
        "#);
        let list = |from: i32| json!((from..from + 100).collect::<Vec<i32>>());
        insta::assert_snapshot!(lines(&list(0), &list(1), 1).join("\n"), @"
         [
        -  0,
           1,
         … 97 equal lines
           99,
        +  100
         ]
        ");
    }
}
