//! `cases` from a file beside the scenario: CSV, JSON, JSON Lines, YAML. What is wrong is shown where it stands there.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Table;
use super::csv::{Field, Records};
use super::rows::{self, Reader};
use crate::diagnostic::{Problem, Problems};
use crate::scenario::beside;
use crate::source::{Source, Span};
use crate::yaml::{self, Key};

/// The endings of the files that hold rows.
const ENDINGS: [&str; 6] = ["csv", "json", "jsonl", "ndjson", "yaml", "yml"];

fn ending_of(name: &str) -> String {
    let ending = Path::new(name).extension();
    ending.map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Whether a file of this name can hold rows.
pub(super) fn holds_rows(name: &str) -> bool {
    ENDINGS.contains(&ending_of(name).as_str())
}

/// Reads the rows of the file `name`, which is named at `place` and relative to `folder`; the source of the file too.
pub(super) fn parse(name: &str, place: &Span, folder: &Path, problems: &mut Problems) -> Option<Table> {
    let ending = ending_of(name);
    if !ENDINGS.contains(&ending.as_str()) {
        problems.push(
            Problem::error("cases::file", format!("`{name}` is no file of rows"))
                .label(place, "expected rows, or a file that holds some")
                .help("rows are in files that end in .csv, .json, .jsonl or .yaml"),
        );
        return None;
    }
    let source = beside::read(&beside::path_of(name, folder), name, place, problems)?;
    let before = problems.len();
    let table = match ending.as_str() {
        "csv" => csv(&source, problems),
        "json" => json(&source, problems),
        "jsonl" | "ndjson" => lines(&source, problems),
        _ => documents(&source, problems),
    };
    if problems.len() > before {
        return None;
    }
    if table.rows.is_empty() {
        problems.push(
            Problem::error("cases::none", format!("{} holds no row", source.name()))
                .label(place, "nothing to run"),
        );
        return None;
    }
    Some(table)
}

fn csv(source: &Arc<Source>, problems: &mut Problems) -> Table {
    let mut reader = Reader::new("cases", None);
    let mut header: Option<(Vec<Key>, Span)> = None;
    for record in Records::new(source.text()) {
        let record = match record {
            Ok(record) => record,
            Err(wrong) => {
                problems.push(
                    Problem::error("cases::csv", format!("this is not CSV: {}", wrong.message))
                        .label(&Span::new(source, wrong.range), "here")
                        .help(wrong.help),
                );
                break;
            }
        };
        let span = record.first().zip(record.last()).map_or_else(
            || Span::new(source, 0..0),
            |(first, last)| Span::new(source, first.range.start..last.range.end),
        );
        let Some((columns, whole)) = &header else {
            let columns = record.iter().map(|field| Key {
                span: Span::new(source, field.range.clone()),
                name: field.text.clone().into_owned(),
            });
            let columns: Vec<Key> = columns.collect();
            if !good_header(&columns, problems) {
                break;
            }
            header = Some((columns, span));
            continue;
        };
        if record.len() != columns.len() {
            problems.push(
                Problem::error(
                    "cases::columns",
                    format!(
                        "the row has {} field{} and the header {}",
                        record.len(),
                        if record.len() == 1 { "" } else { "s" },
                        columns.len()
                    ),
                )
                .label(&span, "this row")
                .label(whole, "the header")
                .help("a field that holds a comma stands in quotes; a value that is not there is left empty"),
            );
            continue;
        }
        let cells = columns
            .iter()
            .zip(&record)
            .map(|(key, field)| (key.clone(), Span::new(source, field.range.clone()), typed(field)));
        reader.add(&span, cells.collect(), problems);
    }
    reader.finish()
}

/// The names in the first line of a CSV file: there, different, and names.
fn good_header(columns: &[Key], problems: &mut Problems) -> bool {
    let before = problems.len();
    for (index, key) in columns.iter().enumerate() {
        if key.name.is_empty() {
            problems.push(
                Problem::error("cases::columns", "a column has no name")
                    .label(&key.span, "the first line names the columns"),
            );
        } else if let Some(earlier) = columns[..index].iter().find(|earlier| earlier.name == key.name) {
            problems.push(
                Problem::error("cases::columns", format!("two columns have the name `{}`", key.name))
                    .label(&key.span, "again here")
                    .label(&earlier.span, "first here"),
            );
        }
    }
    problems.len() == before
}

/// A number, `true`, `false` and `null` are what they look like; in quotes everything is a text.
fn typed(field: &Field<'_>) -> Value {
    let text = &*field.text;
    if field.quoted {
        return Value::String(text.to_owned());
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        _ => {
            let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let number = number.then(|| serde_json::from_str::<serde_json::Number>(text).ok()).flatten();
            // An integer that has no room as a number would lose digits: it is a name.
            let exact = |number: &serde_json::Number| text.contains(['.', 'e', 'E']) || !number.is_f64();
            number.filter(exact).map_or_else(|| Value::String(text.to_owned()), Value::Number)
        }
    }
}

/// A list of objects.
fn json(source: &Arc<Source>, problems: &mut Problems) -> Table {
    let text = source.text();
    let mut reader = Reader::new("cases", None);
    let Some(open) = text.find(|c: char| !c.is_ascii_whitespace()).filter(|at| text[*at..].starts_with('['))
    else {
        problems.push(
            Problem::error("cases::rows", format!("{} must hold a list of objects", source.name()))
                .label(&Span::new(source, 0..text.len()), "no list")
                .help("[{ \"city\": \"Paris\" }, { \"city\": \"Rome\" }]"),
        );
        return reader.finish();
    };
    // Malformed JSON is told as a whole: what follows a fault cannot be told apart.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        problems.push(malformed(source, 0, &error));
        return reader.finish();
    }
    let mut at = open + 1;
    loop {
        at += text[at..].find(|c: char| !(c.is_ascii_whitespace() || c == ',')).unwrap_or(text.len() - at);
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        let Some(Ok(value)) = values.next().filter(|_| !text[at..].starts_with(']')) else { break };
        let end = at + values.byte_offset();
        row(value, &Span::new(source, at..end), &mut reader, problems);
        at = end;
    }
    reader.finish()
}

/// An object on each line.
fn lines(source: &Arc<Source>, problems: &mut Problems) -> Table {
    let mut reader = Reader::new("cases", None);
    let mut at = 0;
    for line in source.text().split_inclusive('\n') {
        let text = line.trim();
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) => row(value, &Span::new(source, start..start + text.len()), &mut reader, problems),
            Err(error) => problems.push(malformed(source, start, &error)),
        }
    }
    reader.finish()
}

fn malformed(source: &Arc<Source>, from: usize, error: &serde_json::Error) -> Problem {
    let lines = source.text()[from..].split_inclusive('\n');
    let before: usize = lines.take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = from + before + error.column().saturating_sub(1);
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    Problem::error("cases::json", format!("this is not JSON: {message}"))
        .label(&Span::new(source, at..at + 1), "here")
}

/// A row of JSON.
fn row(value: Value, span: &Span, reader: &mut Reader<'_>, problems: &mut Problems) {
    let fields: Map<String, Value> = match value {
        Value::Object(fields) if !fields.is_empty() => fields,
        _ => {
            problems.push(
                Problem::error("cases::rows", "a row must be an object")
                    .label(span, "no names in it")
                    .help("{ \"city\": \"Paris\" }"),
            );
            return;
        }
    };
    let cells = fields.into_iter().map(|(name, value)| {
        let quoted = Value::String(name.clone()).to_string();
        let place = span.text().find(&quoted).map(|at| span.slice(at..at + quoted.len()));
        let place = place.unwrap_or_else(|| span.clone());
        (Key { span: place.clone(), name }, place, value)
    });
    reader.add(span, cells.collect(), problems);
}

/// A YAML list of mappings; expressions in it are texts like any other.
fn documents(source: &Arc<Source>, problems: &mut Problems) -> Table {
    let before = problems.len();
    let documents = yaml::parse(source, problems);
    let reader = Reader::new("cases", None);
    match documents.as_slice() {
        _ if problems.len() > before => reader.finish(),
        [document] => rows::of_list(document, reader, problems, &|node, _| node.to_json()),
        [_, second, ..] => {
            problems.push(
                Problem::error("cases::rows", format!("{} must hold one list of rows", source.name()))
                    .label(&second.span, "a second document"),
            );
            reader.finish()
        }
        [] => reader.finish(),
    }
}
