//! `agentos-run operations [NAME]`: the catalogue.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{Format, OperationsArgs};
use super::context::Context;
use super::exit::Exit;
use crate::agentos::field::FieldKind;
use crate::agentos::operation::{Body, Effect, Entry};
use crate::agentos::{self};
use crate::diagnostic::{self, Problem};

/// Runs the command.
pub(super) fn run(context: &Context, args: &OperationsArgs) -> Exit {
    let output = context.output();
    let Some(name) = &args.name else {
        match args.format {
            Format::Json => {
                let all: Vec<Value> = agentos::catalogue().iter().map(as_json).collect();
                output.print(&format!("{}\n", serde_json::to_string_pretty(&all).unwrap_or_default()));
            }
            Format::Table => output.print(&overview()),
        }
        return Exit::Success;
    };
    let Some(entry) = agentos::find(name) else {
        context.complain(&unknown(name));
        return Exit::Invalid;
    };
    match args.format {
        Format::Json => {
            output.print(&format!("{}\n", serde_json::to_string_pretty(&as_json(entry)).unwrap_or_default()));
        }
        Format::Table => output.print(&page(entry)),
    }
    Exit::Success
}

/// The problem that there is no operation `name`.
pub(super) fn unknown(name: &str) -> Problem {
    let names = agentos::catalogue()
        .iter()
        .flat_map(|entry| std::iter::once(entry.spec.name).chain(entry.spec.aliases.iter().copied()));
    let help = diagnostic::nearest(name, names).map_or_else(
        || "`agentos-run operations` lists them".to_owned(),
        |found| format!("did you mean `{found}`?"),
    );
    Problem::error("operation::unknown", format!("there is no operation `{name}`")).help(help)
}

fn overview() -> String {
    let mut text = String::new();
    let mut resource = None;
    let width = agentos::catalogue().iter().map(|entry| entry.spec.name.len()).max().unwrap_or(0);
    for entry in agentos::catalogue() {
        if resource != Some(entry.spec.resource) {
            if resource.is_some() {
                text.push('\n');
            }
            let _infallible = writeln!(text, "{}", entry.spec.resource);
            resource = Some(entry.spec.resource);
        }
        let _infallible = writeln!(text, "  {:width$}  {}", entry.spec.name, entry.summary());
    }
    text.push_str(
        "\n`agentos-run operations NAME` shows the fields of one; `http:` reaches any other path.\n",
    );
    text
}

/// Everything about one operation.
fn page(entry: &Entry) -> String {
    let spec = entry.spec;
    let mut text = format!("{}: {}\n", spec.name, entry.summary());
    if !entry.details().is_empty() {
        let _infallible = writeln!(text, "\n{}", entry.details());
    }
    let encoding = match spec.body {
        Body::None => "",
        Body::Json => ", JSON body",
        Body::Form => ", form body",
    };
    let _infallible = writeln!(text, "\nRequest: {} {}{encoding}", spec.method, spec.path);
    if spec.effect == Effect::Delete {
        text.push_str("Deletes data.\n");
    }
    if let Some(since) = spec.since {
        let _infallible = writeln!(text, "Since agno {since}.");
    }
    if !spec.aliases.is_empty() {
        let _infallible = writeln!(text, "Also: {}", spec.aliases.join(", "));
    }
    if entry.fields().is_empty() {
        text.push_str("\nNo fields.\n");
    } else {
        text.push_str("\nFields:\n");
        for field in entry.fields() {
            let required = if field.required { ", required" } else { "" };
            let default =
                field.default.as_ref().map(|default| format!(", default {default}")).unwrap_or_default();
            let _infallible = writeln!(text, "  {}  ({}{required}{default})", field.name, field.kind);
            for line in field.documentation.lines() {
                let _infallible = writeln!(text, "      {line}");
            }
            if !field.aliases.is_empty() {
                let _infallible = writeln!(text, "      Also: {}", field.aliases.join(", "));
            }
        }
    }
    let required: Vec<_> = entry.fields().iter().filter(|field| field.required).collect();
    let yaml: Vec<String> =
        required.iter().map(|field| format!("{}: {}", field.name, example(&field.kind))).collect();
    let shell: Vec<String> =
        required.iter().map(|field| format!(" {}={}", field.name, shell_example(&field.kind))).collect();
    let _infallible = writeln!(text, "\nIn a scenario:\n  - {}: {{ {} }}", spec.name, yaml.join(", "));
    let _infallible = writeln!(text, "In the shell:\n  agentos-run call {}{}", spec.name, shell.concat());
    text.replace("{  }", "{}")
}

fn example(kind: &FieldKind) -> &str {
    match kind {
        FieldKind::Enum(words) => words.first().map_or("...", String::as_str),
        FieldKind::Integer | FieldKind::Number => "1",
        FieldKind::Boolean => "true",
        FieldKind::List(_) => "[...]",
        FieldKind::Object => "{ ... }",
        _ => "...",
    }
}

fn shell_example(kind: &FieldKind) -> &str {
    match kind {
        FieldKind::List(_) => "a,b",
        FieldKind::Object => "'{...}'",
        other => example(other),
    }
}

fn as_json(entry: &Entry) -> Value {
    let fields: Vec<Value> = entry
        .fields()
        .iter()
        .map(|field| {
            json!({
                "name": field.name,
                "type": field.kind.to_string(),
                "required": field.required,
                "default": field.default,
                "aliases": field.aliases,
                "description": field.documentation,
            })
        })
        .collect();
    json!({
        "name": entry.spec.name,
        "aliases": entry.spec.aliases,
        "resource": entry.spec.resource.to_string(),
        "summary": entry.summary(),
        "description": entry.details(),
        "method": entry.spec.method.as_str(),
        "path": entry.spec.path,
        "since": entry.spec.since,
        "fields": fields,
    })
}
