//! Differences between two values as lines that begin with `-` (expected), `+` (found) or a blank.
//!
//! An answer may hold megabytes: what is compared has a deadline, after which a coarser difference is good enough, and
//! what is written out has a limit.

mod alignment;
mod render;
mod structure;
mod words;

use std::time::Duration;

use serde_json::Value;
use similar::{DiffOp, DiffTag};

use super::compare::equal;
use super::show;
pub(crate) use alignment::{align, ratio};
use structure::Changes;
use words::bare;

/// The time for the comparison of lines.
const WITHIN: Duration = Duration::from_millis(400);
/// The equal lines that are shown before and after a difference.
const CONTEXT: usize = 3;
/// The lines that a difference shows.
const MOST_LINES: usize = 200;
/// The characters of a line that are shown.
const WIDTH: usize = 240;
/// The lines in one place among which each is held against the one that it is likest to.
const MOST_PAIRS: usize = 32;

/// How `actual` differs from `expected`: the paths first, then the lines. Empty where they are equal, that is, where
/// they differ in nothing but the order of keys or in how a number is written.
pub fn json_diff(expected: &Value, actual: &Value) -> String {
    if equal(expected, actual) {
        return String::new();
    }
    if let (Value::String(expected), Value::String(actual)) = (expected, actual) {
        return text_diff(expected, actual);
    }
    let mut lines = Changes::lines(expected, actual);
    lines.extend(render::lines(expected, actual, CONTEXT));
    finished(lines)
}

/// The same without the lines around what differs, for what is a part of something larger.
pub fn json_changes(expected: &Value, actual: &Value) -> String {
    if equal(expected, actual) {
        return String::new();
    }
    let mut lines = Changes::lines(expected, actual);
    lines.extend(render::lines(expected, actual, 0).into_iter().filter(|line| !line.starts_with(' ')));
    finished(lines)
}

/// How `actual` differs from `expected`, line by line; in prose the words that differ are marked `[-so-]` and `{+so+}`.
/// Empty where they are equal.
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

fn line_diff(expected: &str, actual: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (expected.split_inclusive('\n').collect(), actual.split_inclusive('\n').collect());
    let ops = align(&old, &new, WITHIN);
    let mut lines = Vec::new();
    let count = ops.len();
    for (number, op) in ops.iter().enumerate() {
        if lines.len() > 2 * MOST_LINES && number + 1 < count {
            // What follows is not shown: only counted.
            let rest = ops[number..].iter().filter(|op| op.tag() != DiffTag::Equal).map(size).sum();
            lines.extend(std::iter::repeat_n(String::new(), rest));
            break;
        }
        match op.tag() {
            DiffTag::Equal => {
                let head = if number > 0 { CONTEXT } else { 0 };
                let tail = if number + 1 < count { CONTEXT } else { 0 };
                equal_lines(&old[op.old_range()], head, tail, &mut lines);
            }
            _ => changed_lines(&old[op.old_range()], &new[op.new_range()], &mut lines),
        }
    }
    lines
}

fn size(op: &DiffOp) -> usize {
    op.old_range().len() + op.new_range().len()
}

/// Some of the lines that are equal: those beside a difference.
fn equal_lines(all: &[&str], head: usize, tail: usize, lines: &mut Vec<String>) {
    let shown = |line: &&str| format!(" {}", show::cut(bare(line), WIDTH));
    let folded = all.len().saturating_sub(head + tail);
    if folded < 2 {
        lines.extend(all.iter().map(shown));
        return;
    }
    lines.extend(all[..head].iter().map(shown));
    lines.push(format!(" … {folded} equal lines"));
    lines.extend(all[all.len() - tail..].iter().map(shown));
}

/// Lines that went, then those that came. Two that took each other's place are shown by their words.
fn changed_lines(old: &[&str], new: &[&str], lines: &mut Vec<String>) {
    let mut gone: Vec<Option<String>> = vec![None; old.len()];
    let mut come: Vec<Option<String>> = vec![None; new.len()];
    // More than is shown is only counted.
    for (old_at, new_at) in partners(old, new).into_iter().filter(|(at, _)| *at < MOST_LINES) {
        let (old_line, new_line) = words::pair(old[old_at], new[new_at]);
        (gone[old_at], come[new_at]) = (Some(old_line), Some(new_line));
    }
    for (sign, all, texts) in [('-', old, gone), ('+', new, come)] {
        lines.extend(texts.into_iter().zip(all).enumerate().map(|(index, (text, line))| {
            if index >= MOST_LINES {
                return String::new();
            }
            format!("{sign}{}", text.unwrap_or_else(|| show::cut(bare(line), WIDTH)))
        }));
    }
}

/// The lines that took each other's place: those that are alike, or one after the other where none are.
fn partners(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    if old.len().max(new.len()) <= MOST_PAIRS {
        let mut next = 0;
        for (at, line) in old.iter().enumerate() {
            if let Some(found) = (next..new.len()).find(|&other| words::are_alike(line, new[other])) {
                pairs.push((at, found));
                next = found + 1;
            }
        }
    }
    if pairs.is_empty() && old.len() == new.len() {
        pairs.extend((0..old.len()).map(|at| (at, at)));
    }
    pairs
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
