//! Printing answers: JSON as it came, or columns for people.

use std::fmt::Write as _;

use serde_json::Value;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::super::args::Format;
use super::super::output::Output;
use crate::expr::as_text;

/// The widest column.
const WIDEST: usize = 40;
/// The most columns.
const COLUMNS: usize = 7;

/// Prints the answers of one call: a page at a time, so that memory does not grow with the list.
pub(super) struct Printer {
    format: Format,
    /// Whether pages are joined: then the members of the list are printed, one JSON document each.
    joined: bool,
    columns: Option<Vec<(String, usize)>>,
    rows: usize,
}

impl Printer {
    pub(super) fn new(format: Format, joined: bool) -> Self {
        Self { format, joined, columns: None, rows: 0 }
    }

    /// Prints an answer.
    pub(super) fn print(&mut self, body: &Value, output: &Output) {
        match (self.format, body) {
            (_, Value::Null) => {}
            (Format::Json, body) => {
                let members = body.get("data").and_then(Value::as_array).filter(|_| self.joined);
                let mut text = String::new();
                match members {
                    // One line each, as `jq` and every other tool takes them.
                    Some(members) => {
                        for member in members {
                            let _infallible = writeln!(text, "{member}");
                        }
                    }
                    None => {
                        let _infallible =
                            writeln!(text, "{}", serde_json::to_string_pretty(body).unwrap_or_default());
                    }
                }
                output.print(&text);
            }
            (Format::Table, body) => self.table(body, output),
        }
    }

    /// Says what a table alone does not.
    pub(super) fn finish(&self, output: &Output) {
        if self.format == Format::Table && self.columns.is_some() && self.rows == 0 {
            output.warn("(empty)");
        }
    }

    fn table(&mut self, body: &Value, output: &Output) {
        let list = body.get("data").unwrap_or(body);
        let Some(items) = list.as_array() else {
            output.print(&pairs(body));
            return;
        };
        let mut text = String::new();
        if self.columns.is_none() {
            let columns = columns(items);
            if !items.is_empty() {
                text.push_str(&row(columns.iter().map(|(name, width)| (name.clone(), *width))));
            }
            self.columns = Some(columns);
        }
        for item in items {
            let columns = self.columns.as_deref().unwrap_or_default();
            if columns.is_empty() {
                let _infallible = writeln!(text, "{}", fit(&as_text(item), 100));
            } else {
                text.push_str(&row(columns.iter().map(|(name, width)| (cell(item.get(name)), *width))));
            }
        }
        self.rows += items.len();
        output.print(&text);
        if let (false, Some(total)) =
            (self.joined || items.is_empty(), body.pointer("/meta/total_count").and_then(Value::as_u64))
        {
            let page = body.pointer("/meta/page").and_then(Value::as_u64).unwrap_or(1);
            let pages = body.pointer("/meta/total_pages").and_then(Value::as_u64).unwrap_or(1);
            output.warn(&format!("{} of {total}, page {page} of {pages}", items.len()));
        }
    }
}

/// The fields that say most, in the order in which they come: ids and names first, no structures.
fn columns(items: &[Value]) -> Vec<(String, usize)> {
    let mut names: Vec<String> = Vec::new();
    for fields in items.iter().take(50).filter_map(Value::as_object) {
        for (name, value) in fields {
            if !value.is_object() && !value.is_array() && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names.truncate(COLUMNS);
    names
        .into_iter()
        .map(|name| {
            let widest = items.iter().map(|item| cell(item.get(&name)).width()).max().unwrap_or(0);
            let width = widest.max(name.width()).min(WIDEST);
            (name, width)
        })
        .collect()
}

fn cell(value: Option<&Value>) -> String {
    value.filter(|value| !value.is_null()).map(as_text).unwrap_or_default().replace(['\n', '\r', '\t'], " ")
}

fn row(cells: impl Iterator<Item = (String, usize)>) -> String {
    let mut line = String::new();
    for (text, width) in cells {
        let text = fit(&text, width);
        let padding = width.saturating_sub(text.width());
        let _infallible = write!(line, "{text}{}  ", " ".repeat(padding));
    }
    format!("{}\n", line.trim_end())
}

/// A text of at most `width` columns without control characters.
fn fit(text: &str, width: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.width() <= width {
        return text;
    }
    let mut short = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= width {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// An object as lines of `name  value`.
fn pairs(body: &Value) -> String {
    let Some(fields) = body.as_object() else { return format!("{}\n", as_text(body)) };
    let width = fields.keys().map(|name| name.width()).max().unwrap_or(0);
    fields.iter().filter(|(_, value)| !value.is_null()).fold(String::new(), |mut text, (name, value)| {
        let padding = " ".repeat(width.saturating_sub(name.width()));
        let _infallible = writeln!(text, "{name}{padding}  {}", fit(&as_text(value), 160));
        text
    })
}
