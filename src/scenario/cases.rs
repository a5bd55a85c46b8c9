//! The cases of a scenario: rows of values under names, one run for each.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::diagnostic::{Problem, Problems};
use crate::source::Span;
use crate::template::Template;
use crate::yaml::fields::Fields;
use crate::yaml::{Entry, Node};

mod csv;
mod file;
mod matrix;
mod rows;

/// The most runs of one scenario.
const MOST: usize = 100_000;
/// The column that names its row.
const NAME: &str = "name";
/// The characters of a row's own name that are shown, and of one value.
const OWN_NAME_CHARACTERS: usize = 120;
const VALUE_CHARACTERS: usize = 40;
/// The characters after which a name made of values takes no further one.
const NAME_CHARACTERS: usize = 60;

/// All cases of a scenario.
#[derive(Debug)]
pub struct Cases {
    columns: Vec<String>,
    rows: Vec<Row>,
}

/// One row of a table. Rows share their values where a matrix repeats them.
#[derive(Debug, Clone)]
struct Row {
    span: Span,
    name: Box<str>,
    /// One for each column.
    values: Box<[Arc<Value>]>,
}

/// One case of a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Its place among the others, from 0.
    pub index: usize,
    /// What it is called, unique among the cases of its scenario: the row's `name`, or `city=Paris`.
    pub name: &'a str,
    /// The row: in the scenario, or in the file that holds the rows.
    pub span: &'a Span,
    columns: &'a [String],
    values: &'a [Arc<Value>],
}

impl Case<'_> {
    /// The value of a column. `name` is always there.
    pub fn value(&self, column: &str) -> Option<Value> {
        match self.columns.iter().position(|known| known == column) {
            Some(at) => self.values.get(at).map(|value| Value::clone(value)),
            None => (column == NAME).then(|| Value::String(self.name.to_owned())),
        }
    }

    /// The names of all values.
    pub fn columns(&self) -> &[String] {
        self.columns
    }
}

impl Cases {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none: what `check` does not let pass.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The case at a place.
    pub fn get(&self, index: usize) -> Option<Case<'_>> {
        let row = self.rows.get(index)?;
        Some(Case { index, name: &row.name, span: &row.span, columns: &self.columns, values: &row.values })
    }

    /// What `case.` may be followed by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.columns.iter().map(String::as_str);
        own.chain((!self.columns.iter().any(|column| column == NAME)).then_some(NAME))
    }
}

/// Rows under columns, before they have names.
#[derive(Default)]
struct Table {
    columns: Vec<String>,
    /// The columns that tell rows apart for people.
    telling: Vec<usize>,
    rows: Vec<(Span, Box<[Arc<Value>]>)>,
}

/// Reads `cases` and `matrix`; both together are every row in every combination. What is wrong becomes problems, and
/// then there are no rows.
pub(super) fn parse(fields: &Fields<'_>, folder: &Path, problems: &mut Problems) -> Option<Cases> {
    let (cases, matrix) = (fields.get("cases"), fields.get("matrix"));
    let key = cases.or(matrix)?;
    let rows = cases.map(|entry| (rows::parse(entry, folder, problems), entry));
    let combinations = matrix.map(|entry| (matrix::parse(entry, problems), entry));
    let table = match (rows, combinations) {
        (Some((rows, cases)), Some((combinations, matrix))) => rows
            .zip(combinations)
            .and_then(|(rows, combinations)| product(rows, combinations, cases, matrix, problems)),
        (rows, combinations) => rows.or(combinations).and_then(|(table, _)| table),
    };
    let table = table.unwrap_or_default();
    if table.rows.len() > MOST {
        problems.push(too_many(key, table.rows.len()));
    }
    Some(named(table))
}

fn too_many(entry: &Entry, count: usize) -> Problem {
    Problem::error("cases::too-many", format!("these are {count} cases, and {MOST} are the most"))
        .label(&entry.key.span, "too many")
        .help("split them over several scenarios, or go over a list with `for_each`")
}

/// Every row of the one in every combination of the other.
fn product(
    rows: Table,
    combinations: Table,
    cases: &Entry,
    matrix: &Entry,
    problems: &mut Problems,
) -> Option<Table> {
    if let Some(twice) = combinations.columns.iter().find(|column| rows.columns.contains(column)) {
        problems.push(
            Problem::error("cases::columns", format!("`cases` and `matrix` both have `{twice}`"))
                .label(&matrix.key.span, "this matrix")
                .label(&cases.key.span, "these cases")
                .help("each row runs in every combination: give one of the two another name"),
        );
        return None;
    }
    let count = rows.rows.len().saturating_mul(combinations.rows.len());
    if count > MOST {
        problems.push(too_many(cases, count));
        return None;
    }
    let further = combinations.telling.iter().map(|column| rows.columns.len() + column);
    let telling = rows.telling.iter().copied().chain(further).collect();
    let mut all = Vec::with_capacity(count);
    for (span, own) in &rows.rows {
        for (_, further) in &combinations.rows {
            all.push((span.clone(), own.iter().chain(further).cloned().collect()));
        }
    }
    let columns = rows.columns.into_iter().chain(combinations.columns).collect();
    Some(Table { columns, telling, rows: all })
}

/// Gives each row a name of its own.
fn named(table: Table) -> Cases {
    let Table { columns, telling, rows } = table;
    let mut taken: HashMap<Box<str>, usize> = HashMap::with_capacity(rows.len());
    let rows = rows
        .into_iter()
        .map(|(span, values)| {
            let plain: Box<str> = name_of(&columns, &telling, &values).into();
            let mut name = plain.clone();
            // What no value tells apart has a number.
            while taken.contains_key(&name) {
                let number = taken.entry(plain.clone()).or_insert(1);
                *number += 1;
                name = format!("{plain} #{number}").into();
            }
            taken.insert(name.clone(), 1);
            Row { span, name, values }
        })
        .collect();
    Cases { columns, rows }
}

/// `Paris, in spring` where a column names the row, `city=Paris, season=spring` where none does.
fn name_of(columns: &[String], telling: &[usize], values: &[Arc<Value>]) -> String {
    let mut name = String::new();
    for (index, &at) in telling.iter().enumerate() {
        let (Some(column), Some(value)) = (columns.get(at), values.get(at)) else { continue };
        if index > 0 {
            name.push_str(", ");
            if name.chars().count() > NAME_CHARACTERS {
                name.push('…');
                break;
            }
        }
        let own = column == NAME;
        if !own {
            name.push_str(column);
            name.push('=');
        }
        name.push_str(&shown(value, if own { OWN_NAME_CHARACTERS } else { VALUE_CHARACTERS }));
    }
    name
}

/// A value in a name: in one line, and not longer than a name may be.
fn shown(value: &Value, most: usize) -> String {
    let text = crate::expr::as_text(value);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut characters = line.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    let mut short: String = characters.by_ref().take(most).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// A literal value of the scenario file.
fn literal(node: &Node, what: &str, problems: &mut Problems) -> Value {
    let template = Template::parse(node, problems);
    if let Some(value) = template.as_literal() {
        return value.clone();
    }
    problems.push(
        Problem::error("cases::expression", format!("the values of `{what}` are literal"))
            .label(template.span(), "an expression")
            .help("`vars:` computes with them: `user: \"${{ case.user }}-${{ run.id }}\"`"),
    );
    Value::Null
}
