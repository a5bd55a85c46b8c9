//! Tools: what they take, what they answer, and what they wait for.

use std::sync::Arc;

use super::{Reader, leak, mapping};
use crate::diagnostic::{self, Problem, Problems};
use crate::emulator::cast::{Scripted, names, schema};
use crate::emulator::tools::{Does, Need, Parameter, Tool};
use crate::source::Span;
use crate::template::Template;
use crate::yaml::fields::Fields;
use crate::yaml::{Key, Kind, Node};

impl Reader {
    pub(super) fn tool(&self, key: &Key, node: &Node, problems: &mut Problems) -> &'static Tool {
        let name: &'static str = key.name.clone().leak();
        let scripted = |template: Template| Scripted { template, folder: Arc::clone(&self.folder) };
        // A text is the short form of what it answers.
        if let Kind::String(_) = node.kind {
            let template = Template::parse(node, problems);
            names::tool(&template, problems);
            return leak(Tool::new(name, Does::Result(scripted(template))));
        }
        let fields = Fields::new(node, "a tool", problems);
        let mut template = |name: &str| {
            let entry = fields.get(name)?;
            let template = Template::parse(&entry.value, problems);
            names::tool(&template, problems);
            Some(template)
        };
        let (result, error) = (template("result"), template("error"));
        if let (Some(_), Some(entry)) = (&result, fields.get("error")) {
            problems.push(
                Problem::error("cast::tool", "a tool has a `result` or an `error`, not both")
                    .label(&entry.key.span, "one of them"),
            );
        }
        let does = match (result, error) {
            (_, Some(error)) => Does::Fail(scripted(error)),
            (Some(result), None) => Does::Result(scripted(result)),
            (None, None) => Does::Result(scripted(Template::literal("done".into(), &key.span))),
        };
        let mut tool = Tool::new(name, does);
        tool.description = fields.text("description", problems).unwrap_or_default();
        tool.parameters = parameters(&fields, "parameters", problems);
        tool.input = parameters(&fields, "input", problems);
        tool.need = need(&fields, problems);
        if tool.need == Need::Nothing && !tool.input.is_empty() {
            tool.need = Need::UserInput;
        }
        if tool.need == Need::UserInput && tool.input.is_empty() {
            problems.push(
                Problem::error("cast::tool", "a tool that needs user input says which")
                    .label(&key.span, "has no `input`")
                    .help("input:\n  to: { type: string, description: the address }"),
            );
        }
        schema::finish(&fields, schema::TOOL, "a tool", problems);
        leak(tool)
    }
}

fn need(fields: &Fields<'_>, problems: &mut Problems) -> Need {
    const NEEDS: [&str; 3] = ["confirmation", "external_execution", "user_input"];
    let (Some(text), Some(entry)) = (fields.text("needs", problems), fields.get("needs")) else {
        return Need::Nothing;
    };
    match text.as_str() {
        "confirmation" => Need::Confirmation,
        "external_execution" => Need::ExternalExecution,
        "user_input" => Need::UserInput,
        other => {
            problems.push(
                Problem::error("cast::tool", format!("a tool cannot need `{other}`"))
                    .label(&entry.value.span, "unknown")
                    .maybe_help(diagnostic::suggest(other, NEEDS)),
            );
            Need::Nothing
        }
    }
}

fn parameters(fields: &Fields<'_>, list: &str, problems: &mut Problems) -> Vec<Parameter> {
    mapping(fields, list, "names to parameters", problems)
        .into_iter()
        .map(|(key, node)| {
            // A text is the short form of its type.
            if let Kind::String(kind) = &node.kind {
                check_type(kind, &node.span, problems);
                return Parameter { name: key.name.clone(), kind: kind.clone(), description: None };
            }
            let fields = Fields::new(node, "a parameter", problems);
            let kind = fields.text("type", problems).unwrap_or_else(|| "string".to_owned());
            if let Some(entry) = fields.get("type") {
                check_type(&kind, &entry.value.span, problems);
            }
            let description = fields.text("description", problems);
            schema::finish(&fields, schema::PARAMETER, "a parameter", problems);
            Parameter { name: key.name.clone(), kind, description }
        })
        .collect()
}

fn check_type(kind: &str, span: &Span, problems: &mut Problems) {
    if !Parameter::TYPES.contains(&kind) {
        problems.push(
            Problem::error("cast::tool", format!("there is no type `{kind}`"))
                .label(span, "unknown type")
                .maybe_help(diagnostic::suggest(kind, Parameter::TYPES)),
        );
    }
}
