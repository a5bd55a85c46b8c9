//! The project file `agentos-run.yaml`: targets, secrets, folders and defaults of a project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::agentos::Timeouts;
use crate::diagnostic::{self, Problem, Problems};
use crate::expr::{self, Scope};
use crate::source::{Source, Span};
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{self, Key, Kind, Node};

mod identity;
mod quarantine;
pub mod server;

pub use identity::IdentitySettings;
pub use quarantine::Quarantine;

/// The name of the file.
pub const FILE_NAME: &str = "agentos-run.yaml";
/// The word that stands for the embedded AgentOS in `base_url`.
pub const EMBEDDED: &str = "embedded";

/// A project file.
#[derive(Debug)]
pub struct Project {
    /// The folder it stands in; its paths are relative to it.
    pub folder: PathBuf,
    /// The file.
    pub source: Arc<Source>,
    /// The targets by name, in order.
    pub targets: Vec<TargetSettings>,
    /// Those on whose behalf steps may send requests.
    pub identities: Vec<IdentitySettings>,
    /// Whether scenarios delete what they created.
    pub cleanup: bool,
    /// Environment variables whose values are never shown.
    pub secrets: Vec<String>,
    /// Where the scenarios are.
    pub scenarios: Option<String>,
    /// Where snapshots are.
    pub snapshots: Option<String>,
    /// The clocks of every request.
    pub timeouts: Timeouts,
    /// The scenarios whose failures do not fail a run.
    pub quarantine: Quarantine,
}

/// A target of the project file.
#[derive(Debug)]
pub struct TargetSettings {
    /// Its name.
    pub name: Key,
    /// Where it is, or `embedded`.
    pub base_url: Template,
    /// What is sent with every request.
    pub headers: Vec<(Key, Template)>,
    /// The identity of the requests that no scenario and no step gives another.
    pub identity: Option<Key>,
    /// The most scenarios that run against it at the same time.
    pub jobs: Option<usize>,
    /// A server that is started for the run.
    pub serve: Option<Serve>,
    /// Who plays, where it is the embedded AgentOS: a cast file, relative to the project.
    pub cast: Option<String>,
    /// The seed of the faults of the embedded AgentOS.
    pub chaos: Option<u64>,
}

/// A server that is started, awaited and stopped.
#[derive(Debug)]
pub struct Serve {
    /// The command, for `sh -c`.
    pub command: Template,
    /// The path that answers 2xx once it is ready.
    pub ready: Template,
    /// How long that may take.
    pub within: Duration,
    /// Further environment variables.
    pub env: Vec<(Key, Template)>,
    /// Where it is written.
    pub span: Span,
}

impl Project {
    /// The project file of `folder` or of the nearest folder above it.
    pub fn find(folder: &Path) -> Option<PathBuf> {
        folder.ancestors().map(|folder| folder.join(FILE_NAME)).find(|path| path.is_file())
    }

    /// Reads a project file; what is wrong with it becomes problems.
    pub fn read(path: &Path, name: &str, problems: &mut Problems) -> Option<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                problems.push(Problem::error(
                    "file::unreadable",
                    format!("cannot read {name}: {}", crate::scenario::load::io_cause(&error)),
                ));
                return None;
            }
        };
        let source = Source::new(name, text);
        let mut documents = yaml::parse(&source, problems).into_iter();
        let document = match documents.next() {
            Some(document) => document,
            None if problems.has_errors() => return None,
            // A file with nothing in it, or comments alone, is a project that sets nothing.
            None => yaml::parse(&Source::new(name, "{}"), problems).into_iter().next()?,
        };
        if let Some(second) = documents.next() {
            problems.push(
                Problem::error("project::documents", "a project file is one document")
                    .label(&second.span, "a second one"),
            );
        }
        let fields = Fields::new(&document, "a project file", problems);
        let targets = fields.get("targets").map(|entry| targets(&entry.value, problems)).unwrap_or_default();
        let identities = fields.get("identities").map(|entry| identity::parse_all(&entry.value, problems));
        let identities = identities.unwrap_or_default();
        for name in targets.iter().filter_map(|target| target.identity.as_ref()) {
            let mut known = identities.iter().map(|identity| identity.name.name.as_str());
            if known.all(|known| known != name.name) {
                let known = identities.iter().map(|identity| identity.name.name.as_str());
                problems.push(crate::scenario::unknown_identity(name, known));
            }
        }
        let secrets = fields.strings("secrets", problems);
        let scenarios = fields.text("scenarios", problems);
        let snapshots = fields.text("snapshots", problems);
        let cleanup = fields.boolean("cleanup", problems).unwrap_or(false);
        let folder = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let quarantine = fields.get("quarantine");
        let quarantine = quarantine.map(|entry| Quarantine::parse(&entry.value, &folder, problems));
        let mut timeouts = Timeouts::default();
        if let Some(entry) = fields.get("defaults") {
            let defaults = Fields::new(&entry.value, "`defaults`", problems);
            timeouts.total = defaults.duration("timeout", problems);
            defaults.finish(&["timeout"], &[], "`defaults` of the project file", problems);
        }
        fields.finish(
            &[
                "targets",
                "identities",
                "secrets",
                "scenarios",
                "snapshots",
                "defaults",
                "quarantine",
                "cleanup",
            ],
            &[],
            "a project file",
            problems,
        );
        let quarantine = quarantine.unwrap_or_default();
        Some(Self {
            folder,
            source,
            targets,
            identities,
            cleanup,
            secrets,
            scenarios,
            snapshots,
            timeouts,
            quarantine,
        })
    }

    /// The target `name`.
    pub fn target(&self, name: &str) -> Option<&TargetSettings> {
        self.targets.iter().find(|target| target.name.name == name)
    }

    /// The problem that there is no target `name`, which stands at `span` or on the command line.
    pub fn unknown_target(&self, name: &str, span: Option<&Span>) -> Problem {
        let problem = Problem::error("target::unknown", format!("the project file has no target `{name}`"));
        let problem = match span {
            Some(span) => problem.label(span, "unknown target"),
            None => problem,
        };
        problem.maybe_help(diagnostic::suggest(
            name,
            self.targets.iter().map(|target| target.name.name.as_str()),
        ))
    }
}

/// The names that a project file may read: `env` alone.
pub fn scope(folder: &Path, environment: &Arc<BTreeMap<String, String>>) -> Scope {
    let mut scope = Scope::new(folder);
    scope.set("env", expr::environment(environment));
    scope
}

fn targets(node: &Node, problems: &mut Problems) -> Vec<TargetSettings> {
    let Kind::Mapping(entries) = &node.kind else {
        problems.push(expected("project::targets", "`targets`", "a mapping of names to targets", node));
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| {
            let fields = Fields::new(&entry.value, "a target", problems);
            let base_url = fields.get("base_url").map(|url| Template::parse(&url.value, problems));
            if base_url.is_none() {
                problems.push(
                    Problem::error(
                        "project::targets",
                        format!("the target `{}` has no `base_url`", entry.key.name),
                    )
                    .label(&entry.key.span, "where is it?")
                    .help("base_url: http://127.0.0.1:7777, or base_url: embedded"),
                );
            }
            let headers = fields
                .get("headers")
                .map(|headers| pairs(&headers.value, "headers", problems))
                .unwrap_or_default();
            let serve = fields.get("serve").and_then(|serve| self::serve(&serve.value, problems));
            let identity = fields.get("as").and_then(|entry| {
                let name = string(&entry.value, "the name of an identity", problems)?;
                Some(Key { span: entry.value.span.clone(), name })
            });
            let jobs = fields.get("jobs").and_then(|entry| jobs(&entry.value, problems));
            let cast = fields.text("cast", problems);
            let chaos = fields.get("chaos").and_then(|entry| seed(&entry.value, problems));
            for name in ["cast", "chaos"] {
                let url = base_url.as_ref().and_then(Template::as_literal);
                if let (Some(entry), Some(url)) = (fields.get(name), url)
                    && url != EMBEDDED
                {
                    problems.push(
                        Problem::error("project::cast", format!("`{name}` is for the embedded AgentOS"))
                            .label(&entry.key.span, "this target is another")
                            .help("base_url: embedded"),
                    );
                }
            }
            fields.finish(
                &["base_url", "headers", "as", "jobs", "serve", "cast", "chaos"],
                &[],
                "a target",
                problems,
            );
            let name = entry.key.clone();
            Some(TargetSettings { name, base_url: base_url?, headers, identity, jobs, serve, cast, chaos })
        })
        .collect()
}

/// The seed of faults.
fn seed(node: &Node, problems: &mut Problems) -> Option<u64> {
    let seed = if let Kind::Number(number) = &node.kind { number.as_u64() } else { None };
    if seed.is_none() {
        problems.push(expected("project::chaos", "`chaos`", "a seed: a whole number", node));
    }
    seed
}

fn jobs(node: &Node, problems: &mut Problems) -> Option<usize> {
    let number = match &node.kind {
        Kind::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        _ => None,
    };
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        let wanted = "a whole number above 0: how many scenarios run against this target at the same time";
        problems.push(expected("project::jobs", "`jobs`", wanted, node));
    }
    number
}

fn serve(node: &Node, problems: &mut Problems) -> Option<Serve> {
    if let Kind::String(_) = node.kind {
        let command = Template::parse(node, problems);
        let ready = Template::literal("/health".into(), &node.span);
        return Some(Serve {
            command,
            ready,
            within: Duration::from_secs(30),
            env: Vec::new(),
            span: node.span.clone(),
        });
    }
    let fields = Fields::new(node, "`serve`", problems);
    let command = fields.get("command").map(|entry| {
        string(&entry.value, "`command`", problems);
        Template::parse(&entry.value, problems)
    });
    if command.is_none() {
        problems.push(
            Problem::error("project::serve", "`serve` has no `command`")
                .label(&node.span, "nothing to start")
                .help("serve: { command: python my_os.py, ready: /health, within: 30s }"),
        );
    }
    let ready = match fields.get("ready") {
        Some(entry) => Template::parse(&entry.value, problems),
        None => Template::literal("/health".into(), &node.span),
    };
    let within = fields.duration("within", problems).unwrap_or(Duration::from_secs(30));
    let env = fields.get("env").map(|entry| pairs(&entry.value, "env", problems)).unwrap_or_default();
    fields.finish(&["command", "ready", "within", "env"], &[], "`serve`", problems);
    Some(Serve { command: command?, ready, within, env, span: node.span.clone() })
}

fn pairs(node: &Node, what: &str, problems: &mut Problems) -> Vec<(Key, Template)> {
    match &node.kind {
        Kind::Mapping(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), Template::parse(&entry.value, problems))).collect()
        }
        Kind::Null => Vec::new(),
        _ => {
            problems.push(expected(
                "project::type",
                &format!("`{what}`"),
                "a mapping of names to values",
                node,
            ));
            Vec::new()
        }
    }
}
