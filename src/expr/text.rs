//! Texts that may hold expressions.

use super::{Expression, Scope};
use crate::diagnostic::Problem;
use crate::source::Span;

/// A text that may hold expressions.
#[derive(Debug, Clone)]
pub enum Text {
    /// No expression in it; `$${{` is a literal `${{` here.
    Literal(String),
    /// One expression and nothing else: its value keeps its type.
    Whole(Expression),
    /// Text and expressions.
    Mixed(Vec<Part>),
}

/// A part of a mixed text.
#[derive(Debug, Clone)]
pub enum Part {
    /// As written.
    Literal(String),
    /// Rendered as text.
    Expression(Expression),
}

impl Text {
    /// Finds the expressions of `text`, which is the value of the node at `span` (quotes and escapes of YAML undone).
    pub fn parse(text: &str, span: &Span) -> Result<Self, Problem> {
        if !text.contains("${{") {
            return Ok(Self::Literal(text.to_owned()));
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        let mut searched = 0;
        while let Some(at) = rest.find("${{") {
            if rest[..at].ends_with('$') {
                literal.push_str(&rest[..at - 1]);
                literal.push_str("${{");
                rest = &rest[at + 3..];
                continue;
            }
            literal.push_str(&rest[..at]);
            let inner = &rest[at + 3..];
            let Some(length) = closing(inner) else {
                let open = span.text().rfind("${{").map_or_else(|| span.clone(), |at| span.slice(at..at + 3));
                return Err(Problem::error("expression::unclosed", "`${{` is never closed by `}}`")
                    .label(&open, "opened here")
                    .help("a literal `${{` is written `$${{`"));
            };
            let expression = &inner[..length];
            // Where nothing was escaped, the expression stands in the file as it is: point into it.
            let place = span
                .text()
                .get(searched..)
                .and_then(|raw| raw.find(expression))
                .map(|found| searched + found);
            let expression_span =
                place.map_or_else(|| span.clone(), |at| span.slice(at..at + expression.len()));
            searched = place.map_or(searched, |at| at + expression.len());
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Expression(Expression::parse(expression, &expression_span)?));
            rest = &inner[length + 2..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(match parts.as_slice() {
            [] => Self::Literal(String::new()),
            [Part::Expression(whole)] => Self::Whole(whole.clone()),
            [Part::Literal(text)] => Self::Literal(text.clone()),
            _ => Self::Mixed(parts),
        })
    }

    /// The expressions in it.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (whole, parts): (Option<&Expression>, &[Part]) = match self {
            Self::Literal(_) => (None, &[]),
            Self::Whole(expression) => (Some(expression), &[]),
            Self::Mixed(parts) => (None, parts),
        };
        whole.into_iter().chain(parts.iter().filter_map(|part| match part {
            Part::Expression(expression) => Some(expression),
            Part::Literal(_) => None,
        }))
    }

    /// Its value: typed where it is one whole expression, a text otherwise.
    pub fn resolve(&self, scope: &Scope) -> Result<serde_json::Value, Problem> {
        match self {
            Self::Literal(text) => Ok(serde_json::Value::String(text.clone())),
            Self::Whole(expression) => expression.evaluate(scope)?.to_json(expression),
            Self::Mixed(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.push_str(literal),
                        Part::Expression(expression) => {
                            text.push_str(&as_text(&expression.evaluate(scope)?.to_json(expression)?));
                        }
                    }
                }
                Ok(serde_json::Value::String(text))
            }
        }
    }
}

/// A JSON value inside a text: a string as it is, anything else as JSON.
pub fn as_text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The length of an expression up to the `}}` that closes it, past strings and braces of its own.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in unquoted(text) {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' if text[at..].starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    None
}

/// The characters outside of quotes, and where they stand; in quotes a backslash takes the next one with it.
pub(crate) fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    text.char_indices().filter(move |(_, c)| {
        let Some(open) = quote else {
            quote = Some(*c).filter(|c| matches!(c, '"' | '\''));
            return quote.is_none();
        };
        if escaped {
            escaped = false;
        } else if *c == '\\' {
            escaped = true;
        } else if *c == open {
            quote = None;
        }
        false
    })
}
