//! One YAML document to one scenario. Every finding is collected; nothing stops at the first.

use std::path::Path;
use std::sync::Arc;

use super::defaults::Defaults;
use super::step::{self, Step};
use super::{Requires, Scenario, Serial, Skip, VersionRange, cases, habit, names};
use crate::diagnostic::{self, Problem, Problems};
use crate::expr::Text;
use crate::source::Source;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Kind, Node};

/// The top-level keys of a scenario.
pub(super) const KEYS: &[&str] = &[
    "name",
    "description",
    "tags",
    "skip",
    "requires",
    "cases",
    "matrix",
    "vars",
    "defaults",
    "timeout",
    "retries",
    "serial",
    "target",
    "as",
    "cleanup",
    "setup",
    "steps",
    "finally",
];

/// Keys that the language has and this version does not run yet.
const PLANNED: &[&str] = &["trials", "pass"];

/// Reads the scenario of a document. What is wrong becomes problems; then nothing of it may be run.
pub fn parse(source: &Arc<Source>, document: &Node, problems: &mut Problems) -> Option<Scenario> {
    let Kind::Mapping(_) = document.kind else {
        let problem = if matches!(document.kind, Kind::Null) {
            Problem::error("scenario::empty", format!("{} holds no scenario", source.name()))
                .label(&document.span, "nothing here")
                .help("a scenario is a mapping with at least `steps:`; `agentos-run init` writes a first one")
        } else {
            let problem =
                expected("scenario::not-a-mapping", "a scenario", "a mapping with `steps:`", document);
            match document.kind {
                Kind::Sequence(ref items) if items.iter().any(is_like_a_scenario) => problem
                    .help("each scenario is a document of its own: in one file, `---` stands between them"),
                Kind::Sequence(_) => problem
                    .help("rows or steps that scenarios share stand in a file whose name begins with `_`"),
                _ => problem,
            }
        };
        problems.push(problem);
        return None;
    };
    let base_dir = Path::new(source.name()).parent().unwrap_or_else(|| Path::new("")).to_owned();
    let fields = Fields::new(document, "a scenario", problems);
    let name = fields.text("name", problems);
    let description = fields.text("description", problems);
    let tags = fields.strings("tags", problems);
    let skip = fields.get("skip").and_then(|entry| skip(&entry.value, problems));
    let requires = fields.get("requires").map(|entry| requires(&entry.value, problems)).unwrap_or_default();
    let cases = cases::parse(&fields, &base_dir, problems);
    let vars = fields.get("vars").map(|entry| variables(&entry.value, "vars", problems)).unwrap_or_default();
    let defaults =
        fields.get("defaults").map(|entry| Defaults::parse(&entry.value, problems)).unwrap_or_default();
    let timeout = fields.duration("timeout", problems);
    let retries = fields.get("retries").and_then(|entry| retries(&entry.value, problems));
    let serial = fields.get("serial").and_then(|entry| serial(&entry.value, problems));
    let target = fields.get("target").and_then(|entry| {
        let name = string(&entry.value, "a target's name", problems)?;
        Some(crate::yaml::Key { span: entry.value.span.clone(), name })
    });
    let identity = identity(&fields, "as", problems);
    let cleanup = fields.boolean("cleanup", problems);
    let mut list = |key: &str| -> Vec<Step> {
        fields
            .get(key)
            .map(|entry| step::parse_list(&entry.value, key, &defaults, problems))
            .unwrap_or_default()
    };
    let (setup, steps, finally) = (list("setup"), list("steps"), list("finally"));
    match fields.get("steps") {
        None => problems.push(
            Problem::error("scenario::no-steps", "the scenario has no `steps`")
                .label(&document.span, "a scenario needs `steps:`")
                .help("add `steps:` with a list, such as `- get_config: {}`"),
        ),
        Some(entry)
            if entry.value.as_sequence().is_some_and(<[Node]>::is_empty)
                || matches!(entry.value.kind, Kind::Null) =>
        {
            problems.push(
                Problem::error("scenario::no-steps", "`steps` is empty")
                    .label(&entry.key.span, "nothing to run")
                    .help("add at least one step, such as `- get_config: {}`"),
            );
        }
        Some(_) => {}
    }
    fields.finish_with(KEYS, PLANNED, "a scenario", habit::meant_of_scenario, problems);
    if let Some(entry) =
        fields.get("name").filter(|entry| entry.value.as_str().is_some_and(|name| name.contains("${{")))
    {
        problems.push(
            Problem::warning("scenario::name", "the name of a scenario takes no expressions")
                .label(&entry.value.span, "shown as it stands")
                .help(
                    "each row of `cases` and `matrix` is shown with its values; a row's key `name` names it",
                ),
        );
    }
    let scenario = Scenario {
        source: Arc::clone(source),
        base_dir,
        span: document.span.clone(),
        name: name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| stem(source)),
        description,
        tags,
        skip,
        requires,
        cases,
        vars,
        timeout,
        retries,
        serial,
        target,
        identity,
        cleanup,
        setup,
        steps,
        finally,
    };
    names::check(&scenario, problems);
    Some(scenario)
}

/// A mapping that has steps of its own.
fn is_like_a_scenario(node: &Node) -> bool {
    node.as_mapping().is_some_and(|entries| entries.iter().any(|entry| entry.key.name == "steps"))
}

/// The name of a file without its ending.
pub(super) fn stem(source: &Source) -> String {
    let name = source.name();
    Path::new(name).file_stem().map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// The name of an identity of the project file.
pub(super) fn identity(fields: &Fields<'_>, key: &str, problems: &mut Problems) -> Option<crate::yaml::Key> {
    let entry = fields.get(key)?;
    let name = string(&entry.value, "the name of an identity", problems)?;
    Some(crate::yaml::Key { span: entry.value.span.clone(), name })
}

/// The most retries of a scenario.
pub(super) const MOST_RETRIES: u32 = 100;

fn retries(node: &Node, problems: &mut Problems) -> Option<u32> {
    let number = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    let number = number.filter(|number| *number <= MOST_RETRIES);
    if number.is_none() {
        let wanted = format!("a whole number from 0 to {MOST_RETRIES}");
        problems.push(expected("scenario::retries", "`retries`", &wanted, node));
    }
    number
}

fn serial(node: &Node, problems: &mut Problems) -> Option<Serial> {
    match &node.kind {
        Kind::Bool(true) => Some(Serial::Alone),
        Kind::Bool(false) | Kind::Null => None,
        Kind::String(name) if !name.trim().is_empty() && !name.contains("${{") => {
            Some(Serial::Named(name.trim().to_owned()))
        }
        _ => {
            let wanted = "true, or the name of a group whose scenarios never overlap";
            problems.push(expected("scenario::serial", "`serial`", wanted, node));
            None
        }
    }
}

fn skip(node: &Node, problems: &mut Problems) -> Option<Skip> {
    match &node.kind {
        Kind::Bool(true) => Some(Skip::Always("skip: true".to_owned())),
        Kind::Bool(false) | Kind::Null => None,
        Kind::String(text) => match Text::parse(text, &node.span) {
            Ok(Text::Whole(expression)) => Some(Skip::When(expression)),
            Ok(Text::Literal(reason)) => Some(Skip::Always(reason)),
            Ok(Text::Mixed(_)) => {
                problems.push(expected(
                    "scenario::skip",
                    "`skip`",
                    "true, a reason, or one `${{ expression }}`",
                    node,
                ));
                None
            }
            Err(problem) => {
                problems.push(problem);
                None
            }
        },
        _ => {
            problems.push(expected("scenario::skip", "`skip`", "true, a reason, or an expression", node));
            None
        }
    }
}

fn requires(node: &Node, problems: &mut Problems) -> Requires {
    let fields = Fields::new(node, "`requires`", problems);
    let mut ids = |key: &str| -> Vec<Template> {
        let Some(entry) = fields.get(key) else { return Vec::new() };
        match &entry.value.kind {
            Kind::Sequence(items) => items.iter().map(|item| Template::parse(item, problems)).collect(),
            Kind::String(_) => vec![Template::parse(&entry.value, problems)],
            _ => {
                problems.push(expected(
                    "scenario::requires",
                    &format!("`{key}`"),
                    "a list of ids",
                    &entry.value,
                ));
                Vec::new()
            }
        }
    };
    let (agents, teams, workflows) = (ids("agents"), ids("teams"), ids("workflows"));
    let operations = fields.strings("operations", problems);
    if let Some(entry) = fields.get("operations") {
        for node in entry.value.as_sequence().unwrap_or(std::slice::from_ref(&entry.value)) {
            if let Some(name) = node.as_str().filter(|name| crate::agentos::find(name).is_none()) {
                let known = crate::agentos::catalogue().iter().map(|entry| entry.spec.name);
                problems.push(
                    Problem::error("operation::unknown", format!("there is no operation `{name}`"))
                        .label(&node.span, "unknown operation")
                        .maybe_help(
                            diagnostic::nearest(name, known).map(|found| format!("did you mean `{found}`?")),
                        ),
                );
            }
        }
    }
    let version = fields.get("version").and_then(|entry| {
        let text = match &entry.value.kind {
            Kind::Number(number) => number.to_string(),
            Kind::String(text) => text.clone(),
            _ => String::new(),
        };
        let range = VersionRange::parse(&text);
        if range.is_none() {
            problems.push(expected(
                "scenario::requires",
                "`version`",
                "a range such as `\">=2.6\"` or `\">=2.6, <3.1\"`",
                &entry.value,
            ));
        }
        range
    });
    fields.finish(&["agents", "teams", "workflows", "operations", "version"], &[], "`requires`", problems);
    Requires { agents, teams, workflows, operations, version }
}

/// A mapping of names to values with expressions.
pub(super) fn variables(
    node: &Node,
    what: &str,
    problems: &mut Problems,
) -> Vec<(crate::yaml::Key, Template)> {
    let Kind::Mapping(entries) = &node.kind else {
        if !matches!(node.kind, Kind::Null) {
            problems.push(
                expected("scenario::type", &format!("`{what}`"), "a mapping of names to values", node)
                    .help(format!("{what}: {{ name: value }}")),
            );
        }
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| {
            if !check_name(&entry.key, problems) {
                return None;
            }
            Some((entry.key.clone(), Template::parse(&entry.value, problems)))
        })
        .collect()
}

/// Whether a key can be the name of a variable.
pub(super) fn check_name(key: &crate::yaml::Key, problems: &mut Problems) -> bool {
    let name = &key.name;
    let word = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !word {
        problems.push(
            Problem::error("scenario::name", format!("`{name}` cannot be the name of a variable"))
                .label(&key.span, "letters, digits and _ only")
                .help(format!(
                    "for example `{}`",
                    name.replace(|c: char| !c.is_alphanumeric(), "_").trim_matches('_')
                )),
        );
        return false;
    }
    if names::RESERVED.contains(&name.as_str()) || crate::expr::is_builtin(name) {
        problems.push(
            Problem::error("scenario::name", format!("`{name}` is a name of the language"))
                .label(&key.span, "taken")
                .help("choose another name"),
        );
        return false;
    }
    true
}
