//! The embedded AgentOS as commands start it: who plays, and what goes wrong on purpose.

#[cfg(feature = "emulator")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::output::Output;
use super::refusal::Refusal;
use crate::diagnostic::{Problem, Problems};
#[cfg(feature = "emulator")]
use crate::emulator::{Emulator, Options, cast::Cast};
use crate::report::text;
#[cfg(feature = "emulator")]
use crate::scenario::load::io_cause;
use crate::source::Source;

/// Which embedded AgentOS: two targets of the same are one server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Which {
    /// The cast file; the default cast without one.
    pub(super) cast: Option<PathBuf>,
    /// The seed of the faults; none without one.
    pub(super) chaos: Option<u64>,
}

impl Which {
    /// What it is called in the head of a report.
    pub(super) fn name(&self, started: &Address) -> String {
        let cast = self.cast.as_ref().map(|cast| format!(", cast {}", cast.display())).unwrap_or_default();
        let chaos = started.chaos.map(|seed| format!(" with chaos, seed {seed}")).unwrap_or_default();
        format!(
            "the embedded AgentOS{chaos} (an emulator in this program, not a deployment{cast}) at {}",
            started.url
        )
    }
}

/// Checks cast files, and says what was found in them: `1 cast: 3 agents`.
#[cfg(feature = "emulator")]
pub(super) fn check_all(casts: &[Arc<Source>], problems: &mut Problems) -> String {
    let mut played = [0; 3];
    for cast in casts {
        let folder = Path::new(cast.name()).parent().unwrap_or_else(|| Path::new(""));
        let mut found = Problems::new();
        let (agents, teams, workflows) = Cast::read(cast, folder, &mut found).counts();
        for (sum, count) in played.iter_mut().zip([agents, teams, workflows]) {
            *sum += count;
        }
        found.sort_by_place();
        problems.extend(found);
    }
    let who: Vec<String> = played
        .into_iter()
        .zip(["agent", "team", "workflow"])
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| text::count(count, what))
        .collect();
    format!("{} with {}", text::count(casts.len(), "cast"), who.join(", "))
}

/// A build without an emulator cannot judge a cast.
#[cfg(not(feature = "emulator"))]
pub(super) fn check_all(casts: &[Arc<Source>], _problems: &mut Problems) -> String {
    format!("{} not checked: this build plays none", text::count(casts.len(), "cast"))
}

/// Where one runs.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// Its base URL.
    pub(super) url: String,
    /// The seed of its chaos: a cast may have one of its own.
    pub(super) chaos: Option<u64>,
}

/// The embedded servers that were started, each once.
#[derive(Debug, Default)]
pub(super) struct Embedded {
    #[cfg(feature = "emulator")]
    running: Vec<(Which, Emulator)>,
}

#[cfg(feature = "emulator")]
impl Embedded {
    /// The address of one; it is started where it does not run yet.
    pub(super) fn start(&mut self, which: &Which, output: &Output) -> Result<Address, Refusal> {
        let address =
            |running: &Emulator| Address { url: running.base_url().to_owned(), chaos: running.chaos() };
        if let Some((_, running)) = self.running.iter().find(|(known, _)| known == which) {
            return Ok(address(running));
        }
        let options = Options { cast: which.cast(output)?, chaos: which.chaos, ..Options::default() };
        let emulator = Emulator::start(options).map_err(|error| {
            Refusal::Unreachable(Problem::error(
                "target::embedded",
                format!("the embedded AgentOS cannot start: {error}"),
            ))
        })?;
        let address = address(&emulator);
        self.running.push((which.clone(), emulator));
        Ok(address)
    }
}

#[cfg(feature = "emulator")]
impl Which {
    /// The cast of the file. Warnings about it are shown, errors refuse it.
    pub(super) fn cast(&self, output: &Output) -> Result<Option<Cast>, Refusal> {
        let Some(path) = &self.cast else { return Ok(None) };
        let name = path.display().to_string();
        let content = std::fs::read_to_string(path).map_err(|error| {
            let problem =
                Problem::error("file::unreadable", format!("cannot read {name}: {}", io_cause(&error)));
            Refusal::Invalid(problem.help(
                "--cast takes a cast file; `agentos-run serve --print-cast > cast.yaml` writes one to begin with",
            ))
        })?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let mut problems = Problems::new();
        let cast = Cast::read(&Source::new(name, content), &folder, &mut problems);
        problems.sort_by_place();
        if problems.has_errors() {
            return Err(Refusal::Cast(problems));
        }
        output.problems(&problems);
        Ok(Some(cast))
    }
}

#[cfg(not(feature = "emulator"))]
impl Embedded {
    /// This build has none.
    #[expect(clippy::unused_self, reason = "as in a build that has one")]
    pub(super) fn start(&mut self, _which: &Which, _output: &Output) -> Result<Address, Refusal> {
        let problem = Problem::error("target::embedded", "this build of agentos-run has no embedded AgentOS");
        Err(Refusal::Invalid(
            problem.help("build it with the feature `emulator`, or name a server with --base-url"),
        ))
    }
}
