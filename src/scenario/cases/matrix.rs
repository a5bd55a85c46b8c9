//! `matrix`: every combination of the values under each name.

use std::sync::Arc;

use serde_json::Value;

use super::{MOST, Table, literal, rows};
use crate::diagnostic::{self, Problem, Problems};
use crate::scenario::read::check_name;
use crate::yaml::fields::expected;
use crate::yaml::{Entry, Kind, Node};

/// Rows that are left out, or run as well.
const EXCLUDE: &str = "exclude";
const INCLUDE: &str = "include";

/// Reads `matrix:`; none where it cannot be made sense of.
pub(super) fn parse(entry: &Entry, problems: &mut Problems) -> Option<Table> {
    let Kind::Mapping(entries) = &entry.value.kind else {
        problems.push(
            expected("cases::matrix", "`matrix`", "a mapping of names to lists of values", &entry.value)
                .help("matrix: { agent: [assistant, toolbox], stream: [true, false] }"),
        );
        return None;
    };
    let before = problems.len();
    let mut columns = Vec::new();
    let mut axes: Vec<Vec<Arc<Value>>> = Vec::new();
    for axis in entries.iter().filter(|axis| axis.key.name != EXCLUDE && axis.key.name != INCLUDE) {
        if check_name(&axis.key, problems) {
            columns.push(axis.key.name.clone());
            axes.push(values(axis, problems));
        }
    }
    if axes.is_empty() {
        problems.push(
            Problem::error("cases::matrix", "the matrix varies nothing")
                .label(&entry.key.span, "no name with a list of values")
                .help("matrix: { agent: [assistant, toolbox], stream: [true, false] }"),
        );
    }
    let given = |name: &str| entries.iter().find(|entry| entry.key.name == name);
    let excluded = given(EXCLUDE).map(|entry| (entry, partial_rows(entry, &columns, problems)));
    let included =
        given(INCLUDE).and_then(|entry| rows::listed(&entry.value, INCLUDE, Some(&columns), problems));
    if problems.len() > before {
        return None;
    }
    let count =
        axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.len())).unwrap_or(usize::MAX);
    if count > MOST {
        problems.push(super::too_many(entry, count));
        return None;
    }
    let mut used = excluded.as_ref().map(|(_, patterns)| vec![false; patterns.len()]).unwrap_or_default();
    let mut rows = Vec::with_capacity(count);
    for number in 0..count {
        let row = combination(&axes, number);
        let mut leave_out = false;
        for (pattern, used) in excluded.iter().flat_map(|(_, patterns)| patterns).zip(&mut used) {
            if pattern.1.iter().all(|(at, value)| row.get(*at).is_some_and(|own| **own == *value)) {
                *used = true;
                leave_out = true;
            }
        }
        if !leave_out {
            rows.push((entry.key.span.clone(), row));
        }
    }
    for ((node, _), _) in
        excluded.iter().flat_map(|(_, patterns)| patterns).zip(&used).filter(|(_, used)| !**used)
    {
        problems.push(
            Problem::error("cases::matrix", "no combination is left out by this")
                .label(&node.span, "nothing in the matrix has these values"),
        );
    }
    for (span, values) in included.into_iter().flat_map(|table| table.rows) {
        if rows.iter().any(|(_, known)| *known == values) {
            problems.push(
                Problem::error("cases::matrix", "this combination is in the matrix already")
                    .label(&span, "again here"),
            );
        }
        rows.push((span, values));
    }
    if rows.is_empty() {
        problems.push(
            Problem::error("cases::none", "`exclude` leaves no combination of the matrix")
                .label(&entry.key.span, "nothing to run"),
        );
    }
    Some(Table { telling: (0..columns.len()).collect(), columns, rows })
}

/// The combination with a number: the last name varies fastest.
fn combination(axes: &[Vec<Arc<Value>>], mut number: usize) -> Box<[Arc<Value>]> {
    let mut row: Vec<Arc<Value>> = Vec::with_capacity(axes.len());
    for axis in axes.iter().rev() {
        let at = number % axis.len().max(1);
        number /= axis.len().max(1);
        row.extend(axis.get(at).cloned());
    }
    row.reverse();
    row.into()
}

fn values(axis: &Entry, problems: &mut Problems) -> Vec<Arc<Value>> {
    let name = &axis.key.name;
    let Kind::Sequence(items) = &axis.value.kind else {
        problems.push(
            expected("cases::matrix", &format!("`{name}`"), "a list of values", &axis.value).help(format!(
                "a value that does not vary stands in `vars`; a list of one is `{name}: [...]`"
            )),
        );
        return Vec::new();
    };
    if items.is_empty() {
        problems.push(
            Problem::error("cases::matrix", format!("`{name}` has no value"))
                .label(&axis.value.span, "nothing to run with"),
        );
    }
    let mut values: Vec<(Arc<Value>, &Node)> = Vec::with_capacity(items.len());
    for item in items {
        let value = literal(item, "matrix", problems);
        if let Some((_, earlier)) = values.iter().find(|(known, _)| **known == value) {
            problems.push(
                Problem::error("cases::matrix", format!("`{name}` has a value twice"))
                    .label(&item.span, "again here")
                    .label(&earlier.span, "first here"),
            );
            continue;
        }
        values.push((Arc::new(value), item));
    }
    values.into_iter().map(|(value, _)| value).collect()
}

/// Rows with some of the columns: what they match is left out.
fn partial_rows<'a>(
    entry: &'a Entry,
    columns: &[String],
    problems: &mut Problems,
) -> Vec<(&'a Node, Vec<(usize, Value)>)> {
    let Kind::Sequence(items) = &entry.value.kind else {
        problems.push(
            expected("cases::matrix", "`exclude`", "a list of combinations", &entry.value)
                .help("exclude: [{ agent: toolbox, stream: true }]"),
        );
        return Vec::new();
    };
    let mut patterns = Vec::new();
    for item in items {
        let Some(entries) = item.as_mapping().filter(|entries| !entries.is_empty()) else {
            problems.push(expected(
                "cases::matrix",
                "what is left out",
                "a mapping of names to values",
                item,
            ));
            continue;
        };
        let mut pattern = Vec::new();
        for entry in entries {
            match columns.iter().position(|column| *column == entry.key.name) {
                Some(at) => pattern.push((at, literal(&entry.value, EXCLUDE, problems))),
                None => problems.push(
                    Problem::error("cases::columns", format!("the matrix has no `{}`", entry.key.name))
                        .label(&entry.key.span, "unknown name")
                        .maybe_help(diagnostic::suggest(&entry.key.name, columns.iter().map(String::as_str))),
                ),
            }
        }
        patterns.push((item, pattern));
    }
    patterns
}
