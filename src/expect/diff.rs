//! Differences between two values as lines that begin with `-` (expected), `+` (found) or a blank.
//!
//! An answer may hold megabytes: what is compared has a deadline, after which a coarser difference is good enough, and
//! what is written out has a limit.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;
use similar::{DiffOp, DiffTag, TextDiff};

use super::compare::equal;
use super::show;

/// The time for the comparison of lines, and for that of the words of two lines.
const WITHIN: Duration = Duration::from_millis(400);
/// The equal lines that are shown before and after a difference.
const CONTEXT: usize = 3;
/// The lines that a difference shows.
const MOST_LINES: usize = 200;
/// The characters of a line that are shown.
const WIDTH: usize = 240;
/// The paths that are named one by one.
const MOST_PATHS: usize = 12;
/// From this length on, two lines are compared word by word.
const PROSE: usize = 80;
/// Up to this length.
const PROSE_MOST: usize = 20_000;
/// The equal words that are shown before and after a difference; words and blanks count.
const WORDS: usize = 14;

/// How `actual` differs from `expected`: the paths first, then the lines. Empty where they are equal, that is, where
/// they differ in nothing but the order of keys or in how a number is written.
pub fn json_diff(expected: &Value, actual: &Value) -> String {
    if equal(expected, actual) {
        return String::new();
    }
    if let (Value::String(expected), Value::String(actual)) = (expected, actual) {
        return text_diff(expected, actual);
    }
    let mut changes = Changes::default();
    changes.collect(expected, actual, &mut String::from("$"));
    let mut lines = changes.lines();
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    lines.extend(line_diff(&pretty(expected), &pretty(&aligned(expected, actual))));
    finished(lines)
}

/// How `actual` differs from `expected`, line by line; in long lines the words that differ are marked `[-so-]` and
/// `{+so+}`. Empty where they are equal.
pub fn text_diff(expected: &str, actual: &str) -> String {
    if expected == actual {
        return String::new();
    }
    finished(line_diff(expected, actual))
}

fn finished(mut lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.truncate(MOST_LINES);
        lines.push(format!(" … {more} more lines"));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// The paths at which two values differ.
#[derive(Default)]
struct Changes {
    changed: Vec<String>,
    missing: Vec<String>,
    added: Vec<String>,
}

impl Changes {
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
                let same = |(a, b): &(&Value, &Value)| equal(a, b);
                let start = wanted.iter().zip(found).take_while(same).count();
                let most = wanted.len().min(found.len()) - start;
                let end = wanted.iter().rev().zip(found.iter().rev()).take(most).take_while(same).count();
                let (wanted_end, found_end) = (wanted.len() - end, found.len() - end);
                for index in start..wanted_end.max(found_end) {
                    _ = write!(path, "[{index}]");
                    match (wanted[..wanted_end].get(index), found[..found_end].get(index)) {
                        (Some(expected), Some(actual)) => self.collect(expected, actual, path),
                        (Some(_), None) => self.missing.push(path.clone()),
                        (None, _) => self.added.push(path.clone()),
                    }
                    path.truncate(length);
                }
            }
            _ if equal(expected, actual) => {}
            _ => self.changed.push(path.clone()),
        }
    }

    fn lines(&self) -> Vec<String> {
        [("changed", &self.changed), ("missing", &self.missing), ("added", &self.added)]
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
}

/// `actual` with its keys in the order of `expected`, and what is equal written as there.
fn aligned(expected: &Value, actual: &Value) -> Value {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(found)) => {
            let known = wanted.iter().filter_map(|(key, expected)| {
                found.get(key).map(|actual| (key.clone(), aligned(expected, actual)))
            });
            let new = found.iter().filter(|(key, _)| !wanted.contains_key(*key));
            Value::Object(known.chain(new.map(|(key, value)| (key.clone(), value.clone()))).collect())
        }
        (Value::Array(wanted), Value::Array(found)) => {
            // Members that stand elsewhere than their counterparts are aligned from the end.
            let start = wanted.iter().zip(found).take_while(|(a, b)| equal(a, b)).count();
            Value::Array(
                found
                    .iter()
                    .enumerate()
                    .map(|(index, actual)| {
                        let from_end = (index >= start)
                            .then(|| (index + wanted.len()).checked_sub(found.len()))
                            .flatten();
                        let counterpart = from_end
                            .and_then(|index| wanted.get(index))
                            .filter(|wanted| equal(wanted, actual))
                            .or_else(|| wanted.get(index));
                        counterpart.map_or_else(|| actual.clone(), |expected| aligned(expected, actual))
                    })
                    .collect(),
            )
        }
        _ if equal(expected, actual) => expected.clone(),
        _ => actual.clone(),
    }
}

fn line_diff(expected: &str, actual: &str) -> Vec<String> {
    let mut config = TextDiff::configure();
    config.timeout(WITHIN);
    let diff = config.diff_lines(expected, actual);
    let (old, new): (Vec<&str>, Vec<&str>) =
        (diff.iter_old_slices().collect(), diff.iter_new_slices().collect());
    let mut lines = Vec::new();
    let count = diff.ops().len();
    for (number, op) in diff.ops().iter().enumerate() {
        if lines.len() > 2 * MOST_LINES && number + 1 < count {
            // What follows is not shown: only counted.
            let rest = diff.ops()[number..].iter().filter(|op| op.tag() != DiffTag::Equal).map(size).sum();
            lines.extend(std::iter::repeat_n(String::new(), rest));
            break;
        }
        match op.tag() {
            DiffTag::Equal => equal_lines(&old[op.old_range()], number > 0, number + 1 < count, &mut lines),
            _ => changed_lines(&old[op.old_range()], &new[op.new_range()], &mut lines),
        }
    }
    lines
}

fn size(op: &DiffOp) -> usize {
    op.old_range().len() + op.new_range().len()
}

/// Some of the lines that are equal: those beside a difference.
fn equal_lines(all: &[&str], before: bool, after: bool, lines: &mut Vec<String>) {
    let head = if before { CONTEXT } else { 0 };
    let tail = if after { CONTEXT } else { 0 };
    let shown = |line: &&str| format!(" {}", show::cut(line.trim_end_matches(['\n', '\r']), WIDTH));
    let folded = all.len().saturating_sub(head + tail);
    if folded < 2 {
        lines.extend(all.iter().map(shown));
        return;
    }
    lines.extend(all[..head].iter().map(shown));
    lines.push(format!(" … {folded} equal lines"));
    lines.extend(all[all.len() - tail..].iter().map(shown));
}

fn changed_lines(old: &[&str], new: &[&str], lines: &mut Vec<String>) {
    let bare = |line: &str| line.trim_end_matches(['\n', '\r']).to_owned();
    if old.len() != new.len() {
        // More than is shown is only counted.
        let whole = |sign: char, all: &[&str], lines: &mut Vec<String>| {
            for (index, line) in all.iter().enumerate() {
                lines.push(if index < MOST_LINES {
                    format!("{sign}{}", show::cut(&bare(line), WIDTH))
                } else {
                    String::new()
                });
            }
        };
        whole('-', old, lines);
        whole('+', new, lines);
        return;
    }
    let mut added = Vec::with_capacity(new.len());
    for (index, (old, new)) in old.iter().zip(new).enumerate() {
        if index >= MOST_LINES {
            lines.push(String::new());
            added.push(String::new());
            continue;
        }
        let (old_line, new_line) = pair(&bare(old), &bare(new), old, new);
        lines.push(format!("-{old_line}"));
        added.push(format!("+{new_line}"));
    }
    lines.append(&mut added);
}

/// A line and the one that took its place.
fn pair(old: &str, new: &str, old_raw: &str, new_raw: &str) -> (String, String) {
    if old.trim_end() == new.trim_end() {
        // They differ in what cannot be seen.
        return (format!("{old_raw:?}"), format!("{new_raw:?}"));
    }
    let (shorter, longer) = (old.len().min(new.len()), old.len().max(new.len()));
    if shorter > PROSE && longer <= PROSE_MOST {
        return words(old, new);
    }
    let same =
        old.char_indices().zip(new.chars()).find(|((_, a), b)| a != b).map_or(shorter, |((at, _), _)| at);
    (cropped(old, same), cropped(new, same))
}

/// The part of a line around the first difference.
fn cropped(line: &str, at: usize) -> String {
    if line.len() <= WIDTH {
        return line.to_owned();
    }
    let boundary =
        |at: usize| (0..=at.min(line.len())).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
    let start = boundary(at.saturating_sub(WIDTH / 3));
    let end = boundary(start + WIDTH);
    let lead = if start > 0 { "…" } else { "" };
    let trail = if end < line.len() { "…" } else { "" };
    format!("{lead}{}{trail}", &line[start..end])
}

/// Two lines with the words marked that differ.
fn words(old: &str, new: &str) -> (String, String) {
    let mut config = TextDiff::configure();
    config.timeout(WITHIN);
    let diff = config.diff_words(old, new);
    let (old_words, new_words): (Vec<&str>, Vec<&str>) =
        (diff.iter_old_slices().collect(), diff.iter_new_slices().collect());
    let (mut old_line, mut new_line) = (String::new(), String::new());
    let count = diff.ops().len();
    for (number, op) in diff.ops().iter().enumerate() {
        if op.tag() == DiffTag::Equal {
            let text = equal_words(&old_words[op.old_range()], number > 0, number + 1 < count);
            old_line.push_str(&text);
            new_line.push_str(&text);
            continue;
        }
        let join = |words: &[&str], range: Range<usize>| words[range].concat();
        let (gone, come) = (join(&old_words, op.old_range()), join(&new_words, op.new_range()));
        if !gone.is_empty() {
            _ = write!(old_line, "[-{}-]", show::cut(&gone, WIDTH));
        }
        if !come.is_empty() {
            _ = write!(new_line, "{{+{}+}}", show::cut(&come, WIDTH));
        }
    }
    (show::cut(&old_line, 4 * WIDTH), show::cut(&new_line, 4 * WIDTH))
}

fn equal_words(all: &[&str], before: bool, after: bool) -> String {
    let head = if before { WORDS } else { 0 };
    let tail = if after { WORDS } else { 0 };
    if all.len() <= head + tail + 4 {
        return all.concat();
    }
    format!("{} … {}", all[..head].concat(), all[all.len() - tail..].concat())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    #[test]
    fn structures_differ_by_paths_and_lines() {
        let expected = json!({"id": 1, "a": {"b": [1, 2, 3]}, "gone": true, "k1": 1, "k2": 1, "k3": 1, "k4": 1, "k5": 1, "last": "x"});
        let actual = json!({"last": "y", "new": null, "id": 1.0, "k1": 1, "k2": 1, "k3": 1, "k4": 1, "k5": 1, "a": {"b": [1, 9, 2, 3]}});
        assert_snapshot!(json_diff(&expected, &actual), @r#"
     changed: $.last
     missing: $.gone
     added: $.a.b[1], $.new
     … 2 equal lines
       "a": {
         "b": [
           1,
    +      9,
           2,
           3
         ]
       },
    -  "gone": true,
       "k1": 1,
       "k2": 1,
       "k3": 1,
       "k4": 1,
       "k5": 1,
    -  "last": "x"
    +  "last": "y",
    +  "new": null
     }
    "#);
    }

    #[test]
    fn prose_differs_by_words() {
        let expected = "The refund window is thirty days, counted from the day on which the parcel was delivered to the buyer, and no reason need be given at all by anybody.";
        let actual = expected.replace("thirty", "fourteen");
        assert_snapshot!(text_diff(expected, &actual), @r#"
    -The refund window is [-thirty-] days, counted from the day on which … 
    +The refund window is {+fourteen+} days, counted from the day on which …
    "#);
        assert_snapshot!(text_diff("one\ntwo\nthree\n", "one\n2\nthree\n"), @r#"
     one
    -two
    +2
     three
    "#);
        assert_snapshot!(text_diff("same\n", "same"), @r#"
    -"same\n"
    +"same"
    "#);
    }

    #[test]
    fn what_is_large_stays_fast_and_short() {
        let lines = |seed: usize| {
            (0..250_000).map(|n| format!("line {}", n * seed % 7919)).collect::<Vec<_>>().join("\n")
        };
        let texts = [
            (lines(3), lines(5)),
            ("a ".repeat(2_500_000), "b ".repeat(2_500_000)),
            ("é".repeat(2_500_000), "é".repeat(2_499_999) + "x"),
        ];
        for (a, b) in &texts {
            let started = Instant::now();
            let diff = text_diff(a, b);
            assert!(diff.len() < 100_000, "{}", diff.len());
            assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        }
        let list = |step: usize| Value::Array((0..200_000).map(|n| json!({"id": n * step})).collect());
        let started = Instant::now();
        assert!(json_diff(&list(1), &list(2)).len() < 100_000);
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    }
}
