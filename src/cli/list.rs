//! `agentos-run list`: what would run.

use std::fmt::Write as _;

use serde_json::json;

use super::args::{Format, ListArgs};
use super::context::Context;
use super::exit::Exit;
use super::inputs;
use super::part::Part;
use super::refusal::Refusal;
use crate::scenario::Scenario;

/// Runs the command.
pub(super) fn run(context: &Context, args: &ListArgs) -> Exit {
    list(context, args).unwrap_or_else(|refusal| refusal.show(&context.output()))
}

fn list(context: &Context, args: &ListArgs) -> Result<Exit, Refusal> {
    let project = inputs::project(context)?;
    let paths = inputs::paths(context, &args.paths, project.as_ref())?;
    let selection = inputs::selection(&args.selection)?;
    let loaded = inputs::load(&paths);
    let output = context.output();
    if loaded.problems.has_errors() {
        output.problems(&loaded.problems);
        return Ok(Exit::Invalid);
    }
    let (instances, _) = loaded.plan(&selection);
    if instances.is_empty() {
        return Ok(Exit::NothingMatched);
    }
    let part = Part::of(instances, context, &args.selection, project.as_ref())?;
    if let Some(word) = part.nothing() {
        output.warn(&word);
    }
    let instances = part.instances;
    let place = |scenario: &Scenario| (scenario.source.name().to_owned(), scenario.span.position().line);
    match args.format {
        Format::Json => {
            let list: Vec<_> = instances
                .iter()
                .map(|instance| {
                    let scenario = instance.scenario();
                    let (file, line) = place(scenario);
                    json!({ "name": instance.title(), "file": file, "line": line, "tags": scenario.tags, "description": scenario.description })
                })
                .collect();
            output.print(&format!("{}\n", serde_json::to_string_pretty(&list).unwrap_or_default()));
        }
        Format::Table => {
            let mut text = String::new();
            for instance in &instances {
                let scenario = instance.scenario();
                let (file, line) = place(scenario);
                let tags = if scenario.tags.is_empty() {
                    String::new()
                } else {
                    format!("  [{}]", scenario.tags.join(", "))
                };
                let _infallible = writeln!(text, "{file}:{line}  {}{tags}", instance.title());
            }
            output.print(&text);
        }
    }
    Ok(Exit::Success)
}
