//! Scenarios: YAML documents as typed steps, checked whole before anything is sent.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::{self, Problem};
use crate::expr::Expression;
use crate::source::{Source, Span};
use crate::template::Template;
use crate::yaml::Key;

mod action;
mod beside;
mod cases;
pub(crate) mod conversation;
mod defaults;
pub(crate) mod flow;
pub(crate) mod fragment;
mod habit;
mod instance;
pub mod load;
mod modifier;
mod names;
mod place;
mod read;
pub mod schema;
pub mod select;
pub mod shard;
pub mod snapshots;
mod step;
pub mod unreferenced;
pub(crate) mod write;

pub use action::{Action, HttpAction, HttpBody, OperationAction};
pub use cases::{Case, Cases};
pub use flow::{Listing, Loop, Over, Rate, Until};
pub use fragment::{Fragment, Param, ParamType, Use};
pub use instance::Instance;
pub use modifier::{Retry, RetryOn, Save, SaveFrom};
pub use read::parse;
pub use step::{Step, StepTimeouts};
pub use write::{Existing, WriteAction};

/// One YAML document: what runs as a whole and passes or fails as a whole.
#[derive(Debug)]
pub struct Scenario {
    /// The file it stands in.
    pub source: Arc<Source>,
    /// The folder that files named in it are relative to.
    pub base_dir: PathBuf,
    /// Where it begins.
    pub span: Span,
    /// Its name: what people filter by and reports show.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Why it is not run.
    pub skip: Option<Skip>,
    /// What the target must have.
    pub requires: Requires,
    /// The rows that it runs for, once each; none where it runs once.
    pub cases: Option<Cases>,
    /// Variables, in order; later ones may use earlier ones.
    pub vars: Vec<(Key, Template)>,
    /// The time that setup and steps may take.
    pub timeout: Option<Duration>,
    /// How often it is run again where it fails; none leaves that to the run.
    pub retries: Option<u32>,
    /// What it must not run at the same time with.
    pub serial: Option<Serial>,
    /// The target of the project file that it runs against.
    pub target: Option<Key>,
    /// The identity of the project file that its requests come from.
    pub identity: Option<Key>,
    /// Whether what it creates is deleted in the end; none where the project decides.
    pub cleanup: Option<bool>,
    /// Steps before; a failure of one skips `steps`.
    pub setup: Vec<Step>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Steps that always run, whatever became of the others.
    pub finally: Vec<Step>,
}

/// What a scenario must not run at the same time with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Serial {
    /// Anything else: `serial: true`.
    Alone,
    /// Others of this name.
    Named(String),
}

/// Why a scenario is not run.
#[derive(Debug)]
pub enum Skip {
    /// Always, for this reason.
    Always(String),
    /// Where the expression is true.
    When(Expression),
}

/// What the target must have; where it has not, the scenario is skipped.
#[derive(Debug, Default)]
pub struct Requires {
    /// Ids of agents.
    pub agents: Vec<Template>,
    /// Ids of teams.
    pub teams: Vec<Template>,
    /// Ids of workflows.
    pub workflows: Vec<Template>,
    /// Operations by name.
    pub operations: Vec<String>,
    /// Versions of agno.
    pub version: Option<VersionRange>,
}

impl Requires {
    /// Whether nothing is required.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
            && self.teams.is_empty()
            && self.workflows.is_empty()
            && self.operations.is_empty()
            && self.version.is_none()
    }
}

/// Conditions on a version, all of which must hold: `>=2.6, <3.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    text: String,
    conditions: Vec<(Comparison, Vec<u64>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    Above,
    AtMost,
    Below,
    Equal,
}

impl VersionRange {
    /// Reads `>=2.6`, `<3`, `==3.1.10`, `2.6` (which is `>=2.6`), joined by commas.
    pub fn parse(text: &str) -> Option<Self> {
        let condition = |part: &str| {
            let part = part.trim();
            let (comparison, rest) = [
                (">=", Comparison::AtLeast),
                ("<=", Comparison::AtMost),
                ("==", Comparison::Equal),
                (">", Comparison::Above),
                ("<", Comparison::Below),
                ("=", Comparison::Equal),
            ]
            .iter()
            .find_map(|(sign, comparison)| part.strip_prefix(sign).map(|rest| (*comparison, rest)))
            .unwrap_or((Comparison::AtLeast, part));
            Some((comparison, numbers(rest.trim())?))
        };
        let conditions = text.split(',').map(condition).collect::<Option<Vec<_>>>()?;
        Some(Self { text: text.trim().to_owned(), conditions })
    }

    /// Whether `version` (such as `3.1.10`) lies in it.
    pub fn contains(&self, version: &str) -> bool {
        let core: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let Some(mut actual) = numbers(core.trim_end_matches('.')) else { return false };
        self.conditions.iter().all(|(comparison, wanted)| {
            let mut wanted = wanted.clone();
            let length = actual.len().max(wanted.len());
            actual.resize(length, 0);
            wanted.resize(length, 0);
            match comparison {
                Comparison::AtLeast => actual >= wanted,
                Comparison::Above => actual > wanted,
                Comparison::AtMost => actual <= wanted,
                Comparison::Below => actual < wanted,
                Comparison::Equal => actual == wanted,
            }
        })
    }
}

impl std::fmt::Display for VersionRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

impl Scenario {
    /// The names of the identities that it uses, where they stand.
    pub fn identities(&self) -> Vec<&Key> {
        let mut found: Vec<&Key> = self.identity.iter().collect();
        for list in [&self.setup, &self.steps, &self.finally] {
            for step in list {
                step.identities(&mut found);
            }
        }
        found
    }

    /// `file:line:column` of its beginning.
    pub fn link(&self) -> String {
        self.span.link()
    }
}

/// The problem that there is no identity `name`.
pub fn unknown_identity<'a>(name: &Key, known: impl IntoIterator<Item = &'a str>) -> Problem {
    let known: Vec<&str> = known.into_iter().collect();
    let help = if known.is_empty() {
        Some("identities stand in agentos-run.yaml: `identities: { alice: { bearer: \"${{ env.ALICE_TOKEN }}\" } }`".to_owned())
    } else {
        diagnostic::suggest(&name.name, known)
    };
    Problem::error("identity::unknown", format!("the project file has no identity `{}`", name.name))
        .label(&name.span, "unknown identity")
        .maybe_help(help)
}
