//! `cases`: rows, each a mapping of the same names.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{NAME, Table, file, literal};
use crate::diagnostic::{self, Problem, Problems};
use crate::scenario::read::check_name;
use crate::source::Span;
use crate::yaml::fields::expected;
use crate::yaml::{Entry, Kind, Node};

/// Reads `cases:`: rows, or the name of a file of rows in `folder`. None where it cannot be made sense of.
pub(super) fn parse(entry: &Entry, folder: &Path, problems: &mut Problems) -> Option<Table> {
    match &entry.value.kind {
        Kind::String(name) if !name.contains("${{") => file::parse(name, &entry.value.span, folder, problems),
        _ => listed(&entry.value, "cases", None, problems),
    }
}

/// Reads a list of rows. All have the columns of the first, or those that are given.
pub(super) fn listed(
    node: &Node,
    what: &str,
    columns: Option<&[String]>,
    problems: &mut Problems,
) -> Option<Table> {
    if node.as_sequence().is_some_and(<[Node]>::is_empty) || matches!(node.kind, Kind::Null) {
        problems.push(
            Problem::error("cases::none", format!("`{what}` holds no row"))
                .label(&node.span, "nothing to run"),
        );
        return None;
    }
    let before = problems.len();
    let reader = Reader::new(what, columns);
    let table = of_list(node, reader, problems, &|node, problems| literal(node, what, problems));
    (problems.len() == before).then_some(table)
}

/// Adds a list of mappings as rows; `value` reads what stands under a name.
pub(super) fn of_list(
    node: &Node,
    mut reader: Reader<'_>,
    problems: &mut Problems,
    value: &dyn Fn(&Node, &mut Problems) -> Value,
) -> Table {
    let Kind::Sequence(items) = &node.kind else {
        let what = reader.what;
        let file = node.as_mapping().and_then(|entries| match entries {
            [entry] => entry.value.as_str().filter(|name| file::holds_rows(name)),
            _ => None,
        });
        problems.push(
            expected("cases::rows", &format!("`{what}`"), "a list of rows, or a file that holds some", node)
                .help(match file {
                    Some(name) => format!("{what}: {name}"),
                    None => format!("{what}: [{{ city: Paris }}, {{ city: Rome }}]"),
                }),
        );
        return reader.finish();
    };
    for item in items {
        let Some(entries) = item.as_mapping().filter(|entries| !entries.is_empty()) else {
            let shown = item.span.text().lines().next().unwrap_or_default().trim();
            problems.push(
                expected("cases::rows", "a row", "a mapping of names to values", item)
                    .help(format!("- {{ city: {shown} }}")),
            );
            continue;
        };
        let cells = entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.span.clone(), value(&entry.value, problems)));
        let cells = cells.collect();
        reader.add(&item.span, cells, problems);
    }
    reader.finish()
}

/// Rows as they come, from whatever they are written in.
pub(super) struct Reader<'a> {
    what: &'a str,
    /// Where the columns come from the first row: that row.
    first: Option<Span>,
    columns: Option<Arc<[String]>>,
    names: HashMap<String, Span>,
    rows: Vec<(Span, Box<[Arc<Value>]>)>,
}

/// A value under its name.
type Cell = (crate::yaml::Key, Span, Value);

impl<'a> Reader<'a> {
    pub(super) fn new(what: &'a str, columns: Option<&[String]>) -> Self {
        Self { what, first: None, columns: columns.map(Arc::from), names: HashMap::new(), rows: Vec::new() }
    }

    /// Adds a row; what it has too much or too little becomes a problem.
    pub(super) fn add(&mut self, span: &Span, cells: Vec<Cell>, problems: &mut Problems) {
        let columns = if let Some(columns) = &self.columns {
            Arc::clone(columns)
        } else {
            let good = cells.iter().filter(|(key, ..)| key.name == NAME || check_name(key, problems));
            let columns = good.map(|(key, ..)| key.name.clone()).collect();
            self.first = Some(span.clone());
            Arc::clone(self.columns.insert(columns))
        };
        let mut values: Vec<Option<Value>> = vec![None; columns.len()];
        let mut misspelt = Vec::new();
        for (key, place, value) in cells {
            let Some(at) = columns.iter().position(|column| *column == key.name) else {
                misspelt.extend(diagnostic::nearest(&key.name, columns.iter().map(String::as_str)));
                problems.push(unknown_column(&key, self.what, &columns, self.first.as_ref()));
                continue;
            };
            if key.name == NAME {
                self.check_row_name(&value, &place, problems);
            }
            if let Some(slot) = values.get_mut(at) {
                *slot = Some(value);
            }
        }
        let missing: Vec<String> = columns
            .iter()
            .zip(&values)
            .filter(|(column, value)| value.is_none() && !misspelt.contains(&column.as_str()))
            .map(|(column, _)| format!("`{column}`"))
            .collect();
        if !missing.is_empty() {
            let problem =
                Problem::error("cases::columns", format!("the row has no {}", missing.join(" and no ")))
                    .label(span, "missing here");
            let problem = match &self.first {
                Some(first) => problem.label(first, "the first row has it"),
                None => problem,
            };
            problems.push(
                problem.help("all rows have the same names; a value that is not there is written `null`"),
            );
        }
        let values = values.into_iter().map(|value| Arc::new(value.unwrap_or_default())).collect();
        self.rows.push((span.clone(), values));
    }

    /// A row's own name is a short text that no other row has.
    fn check_row_name(&mut self, value: &Value, place: &Span, problems: &mut Problems) {
        let name = match value {
            Value::String(text) if !text.trim().is_empty() => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => {
                problems.push(
                    Problem::error("cases::name", "the name of a row must be a text")
                        .label(place, "no name")
                        .help(
                            "`name` is what reports call the row; call the column otherwise where it is data",
                        ),
                );
                return;
            }
        };
        if let Some(earlier) = self.names.get(&name) {
            problems.push(
                Problem::error("cases::name", format!("two rows have the name `{name}`"))
                    .label(place, "again here")
                    .label(earlier, "first here"),
            );
            return;
        }
        self.names.insert(name, place.clone());
    }

    pub(super) fn finish(self) -> Table {
        let columns = self.columns.map(|columns| columns.to_vec()).unwrap_or_default();
        let telling = match columns.iter().position(|column| column == NAME) {
            Some(name) => vec![name],
            None => (0..columns.len()).collect(),
        };
        Table { columns, telling, rows: self.rows }
    }
}

fn unknown_column(key: &crate::yaml::Key, what: &str, columns: &[String], first: Option<&Span>) -> Problem {
    let whose =
        if first.is_some() { format!("the rows of `{what}` have") } else { "the matrix has".to_owned() };
    let problem = Problem::error("cases::columns", format!("{whose} no `{}`", key.name))
        .label(&key.span, "unknown name");
    let problem = match first {
        Some(first) => problem.label(first, "the first row says what all have"),
        None => problem,
    };
    problem.maybe_help(diagnostic::suggest(&key.name, columns.iter().map(String::as_str)))
}
