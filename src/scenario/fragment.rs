//! Fragments: files of steps that scenarios and other fragments share, with `params` and `returns`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::defaults::Defaults;
use super::read::{check_name, stem, variables};
use super::{beside, names, step};
use crate::diagnostic::{self, Problem, Problems};
use crate::source::{Source, Span};
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Entry, Key, Kind, Node};

pub(super) mod library;
mod params;

pub use params::{Param, ParamType};

/// The keys of a fragment.
const KEYS: &[&str] = &["name", "description", "params", "vars", "defaults", "steps", "returns"];

/// A file of steps with values that go in and values that come out.
#[derive(Debug)]
pub struct Fragment {
    /// The file.
    pub source: Arc<Source>,
    /// The folder that files named in it are relative to.
    pub base_dir: PathBuf,
    /// What it is called: its `name`, or the file's.
    pub name: String,
    /// What goes in.
    pub params: Vec<Param>,
    /// Variables of its own, computed from what goes in.
    pub vars: Vec<(Key, Template)>,
    /// What it does.
    pub steps: Vec<step::Step>,
    /// What comes out.
    pub returns: Vec<(Key, Template)>,
}

/// The use of a fragment in a step.
#[derive(Debug)]
pub struct Use {
    /// The file as it is written, and where.
    pub file: Key,
    path: PathBuf,
    /// The values that go in.
    pub with: Vec<(Key, Template)>,
    fragment: OnceLock<Arc<Fragment>>,
}

impl Use {
    /// Reads `use: FILE`; `with` stands beside it.
    pub(super) fn parse(entry: &Entry, problems: &mut Problems) -> Option<Self> {
        let Kind::String(name) = &entry.value.kind else {
            problems.push(
                expected("use::file", "`use`", "the file of a fragment", &entry.value)
                    .help("use: _lib/login.yaml"),
            );
            return None;
        };
        if name.contains("${{") {
            problems.push(
                Problem::error("use::file", "the file of a fragment is literal: `check` reads it")
                    .label(&entry.value.span, "an expression")
                    .help("`if:` chooses between two steps, each with a `use` of its own"),
            );
            return None;
        }
        let file = Key { span: entry.value.span.clone(), name: name.clone() };
        let path = beside::path_of(name, &folder_of(file.span.source()));
        Some(Self { file, path, with: Vec::new(), fragment: OnceLock::new() })
    }

    /// The fragment, which `check` has found.
    pub fn fragment(&self) -> Option<&Arc<Fragment>> {
        self.fragment.get()
    }
}

/// The folder of a file.
pub(super) fn folder_of(source: &Source) -> PathBuf {
    Path::new(source.name()).parent().unwrap_or_else(|| Path::new("")).to_owned()
}

/// Whether a document is a fragment and no scenario.
pub(super) fn is_fragment(document: &Node) -> bool {
    let entries = document.as_mapping().unwrap_or_default();
    entries.iter().any(|entry| matches!(entry.key.name.as_str(), "params" | "returns"))
}

/// Reads `with:`.
pub(super) fn arguments(fields: &Fields<'_>, problems: &mut Problems) -> Vec<(Key, Template)> {
    let Some(entry) = fields.get("with") else { return Vec::new() };
    let inner = Fields::new(&entry.value, "`with`", problems);
    inner.entries().iter().map(|entry| (entry.key.clone(), Template::parse(&entry.value, problems))).collect()
}

impl Fragment {
    /// Reads the fragment of a document. What is wrong becomes problems.
    fn parse(source: &Arc<Source>, document: &Node, problems: &mut Problems) -> Option<Self> {
        if document.as_mapping().is_none() {
            problems.push(
                expected("fragment::not-a-mapping", "a fragment", "a mapping with `steps:`", document)
                    .help("params: [user]\nsteps: [...]\nreturns: { token: \"${{ token }}\" }"),
            );
            return None;
        }
        let fields = Fields::new(document, "a fragment", problems);
        let name = fields.text("name", problems).filter(|name| !name.trim().is_empty());
        let _for_people = fields.text("description", problems);
        let params = fields.get("params").map(|entry| params::parse(entry, problems)).unwrap_or_default();
        let vars =
            fields.get("vars").map(|entry| variables(&entry.value, "vars", problems)).unwrap_or_default();
        let defaults =
            fields.get("defaults").map(|entry| Defaults::parse(&entry.value, problems)).unwrap_or_default();
        let steps = fields
            .get("steps")
            .map(|entry| step::parse_list(&entry.value, "steps", &defaults, problems))
            .unwrap_or_default();
        let none = fields.get("steps").is_none_or(|entry| {
            matches!(entry.value.kind, Kind::Null)
                || entry.value.as_sequence().is_some_and(<[Node]>::is_empty)
        });
        if none {
            let place = fields.get("steps").map_or(&document.span, |entry| &entry.key.span);
            problems.push(
                Problem::error("scenario::no-steps", "the fragment has no `steps`")
                    .label(place, "nothing to do"),
            );
        }
        let returns = fields.get("returns").map(|entry| returns(&entry.value, problems)).unwrap_or_default();
        for key in fields.entries().iter().map(|entry| &entry.key) {
            if KEYS.contains(&key.name.as_str()) {
                continue;
            }
            let problem = crate::yaml::fields::unknown_key(key, "a fragment", KEYS.iter().copied());
            problems.push(if key.name == "setup" {
                problem.help("its steps are the first of `steps`: a fragment that fails ends there")
            } else if key.name == "finally" {
                problem.help(
                    "who uses it says when it is over: `cleanup: true` in the scenario, or a second fragment in its `finally`",
                )
            } else if let Some(meant) = super::habit::meant_of_fragment(&key.name) {
                problem.help(meant)
            } else if super::read::KEYS.contains(&key.name.as_str()) {
                problem.help(format!("`{}` is for scenarios; {} is a fragment", key.name, source.name()))
            } else {
                problem
            });
        }
        let fragment = Self {
            source: Arc::clone(source),
            base_dir: folder_of(source),
            name: name.unwrap_or_else(|| stem(source)),
            params,
            vars,
            steps,
            returns,
        };
        names::check_fragment(&fragment, problems);
        Some(fragment)
    }

    /// The names of what comes out.
    pub fn return_names(&self) -> impl Iterator<Item = &str> {
        self.returns.iter().map(|(key, _)| key.name.as_str())
    }
}

/// `returns: { token: "${{ token }}" }`, or a list of the variables that come out under their own names.
fn returns(node: &Node, problems: &mut Problems) -> Vec<(Key, Template)> {
    let Kind::Sequence(items) = &node.kind else { return variables(node, "returns", problems) };
    let mut found = Vec::new();
    for item in items {
        let Some(name) = string(item, "each of `returns`", problems) else { continue };
        let key = Key { span: item.span.clone(), name };
        if check_name(&key, problems) {
            let variable =
                Node { span: item.span.clone(), kind: Kind::String(format!("${{{{ {} }}}}", key.name)) };
            found.push((key, Template::parse(&variable, problems)));
        }
    }
    found
}

/// A name that stands twice in a list.
fn twice<'a>(keys: impl IntoIterator<Item = &'a Key>, what: &str, problems: &mut Problems) {
    let mut seen: Vec<&Key> = Vec::new();
    for key in keys {
        if let Some(earlier) = seen.iter().find(|known| known.name == key.name) {
            problems.push(
                Problem::error("fragment::twice", format!("`{}` stands twice in `{what}`", key.name))
                    .label(&key.span, "again here")
                    .label(&earlier.span, "first here"),
            );
        }
        seen.push(key);
    }
}

/// The problem of a name that a fragment does not have.
fn unknown(code: &'static str, message: String, place: &Span, name: &str, known: &[&str]) -> Problem {
    Problem::error(code, message)
        .label(place, "unknown name")
        .maybe_help(diagnostic::suggest(name, known.iter().copied()))
}
