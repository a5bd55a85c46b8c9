//! Variables of the command line: `--var name=value` and `--vars-file FILE`.

use std::path::Path;

use serde_json::Value;

use crate::diagnostic::{self, Problem, Problems};
use crate::scenario::{Scenario, load};
use crate::source::Source;
use crate::yaml;

/// A variable that no scenario declares was misspelt: it would change nothing, silently.
pub(super) fn declared(variables: &[(String, Value)], scenarios: &[Scenario]) -> Result<(), Problem> {
    let known: Vec<&str> = scenarios
        .iter()
        .flat_map(|scenario| scenario.vars.iter().map(|(key, _)| key.name.as_str()))
        .collect();
    match variables.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(Problem::error(
            "cli::var",
            format!("no scenario declares the variable `{name}` in its `vars`"),
        )
        .maybe_help(diagnostic::suggest(name, known))),
    }
}

/// A variable as `--var` gives it: its name, and its value as YAML.
pub(super) fn variable(text: &str) -> Result<(String, Value), Problem> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Problem::error("cli::var", format!("--var {text}: a variable is written name=value")));
    };
    let source = Source::new(format!("--var {name}"), value);
    let mut problems = Problems::new();
    let documents = yaml::parse(&source, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.help("quote a value that is a text with special characters: --var 'x=\"a: b\"'"));
    }
    Ok((name.trim().to_owned(), documents.first().map(yaml::Node::to_json).unwrap_or_default()))
}

/// The variables of a file, which is a mapping.
pub(super) fn variables_of_file(path: &Path) -> Result<Vec<(String, Value)>, Problem> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::error("file::unreadable", format!("cannot read {name}: {}", load::io_cause(&error)))
    })?;
    let source = Source::new(name, text);
    let mut problems = Problems::new();
    let documents = yaml::parse(&source, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    match documents.first().map(yaml::Node::to_json) {
        Some(Value::Object(fields)) => Ok(fields.into_iter().collect()),
        Some(Value::Null) | None => Ok(Vec::new()),
        Some(_) => Err(Problem::error(
            "cli::vars-file",
            format!("{} must be a mapping of names to values", source.name()),
        )),
    }
}
