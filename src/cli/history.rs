//! What earlier runs left behind in the project's folder: which scenarios failed, and how long each took.
//!
//! `.agentos-run/last-run.json` is for `--last-failed`. `.agentos-run/durations.json`, or the file of `--durations`, holds
//! milliseconds by scenario; a copy of it may be committed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Problem;
use crate::engine::{Event, Observer, ScenarioReport, Status};
use crate::scenario::Instance;
use crate::scenario::load::io_cause;

/// The folder beside the project file, which git ignores by itself.
const FOLDER: &str = ".agentos-run";
const LAST_RUN: &str = "last-run.json";
const DURATIONS: &str = "durations.json";

/// Which scenarios failed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct LastRun {
    failed: BTreeSet<String>,
}

/// What is known of earlier runs, and what this one adds.
#[derive(Debug)]
pub(super) struct History {
    /// The folder of the project file; nothing is written without one.
    project: Option<PathBuf>,
    /// The working folder, which the names of files are relative to.
    folder: PathBuf,
    /// The file of `--durations`.
    durations_file: Option<PathBuf>,
    durations: BTreeMap<String, u64>,
    news: Mutex<BTreeMap<String, News>>,
}

/// What became of a scenario in this run.
#[derive(Debug, Clone, Copy)]
struct News {
    passed: bool,
    millis: u64,
}

impl History {
    /// Reads the durations. Those of `--durations` must be readable where a plan is split by them.
    pub(super) fn open(
        folder: &Path,
        project: Option<&Path>,
        durations_file: Option<&Path>,
        must_exist: bool,
    ) -> Result<Self, Problem> {
        let own = project.map(|project| project.join(FOLDER).join(DURATIONS));
        let durations = match (durations_file, own) {
            (Some(file), _) => read_durations(file, must_exist)?,
            // A cache that cannot be read is no cache.
            (None, Some(own)) => read_json(&own).unwrap_or_default(),
            (None, None) => BTreeMap::new(),
        };
        Ok(Self {
            project: project.map(Path::to_owned),
            folder: folder.to_owned(),
            durations_file: durations_file.map(Path::to_owned),
            durations,
            news: Mutex::default(),
        })
    }

    /// How long a scenario took the last time.
    pub(super) fn duration(&self, instance: &Instance) -> Option<Duration> {
        if self.durations.is_empty() {
            return None;
        }
        self.durations.get(&self.key(instance)).copied().map(Duration::from_millis)
    }

    /// Keeps those that failed the last time that they ran.
    pub(super) fn retain_failed(&self, instances: &mut Vec<Instance>) -> Result<(), Problem> {
        let Some(project) = &self.project else {
            return Err(Problem::error(
                "cli::last-failed",
                "nothing is known of earlier runs without a project file",
            )
            .help("an empty `agentos-run.yaml` beside the scenarios is one; `agentos-run init` writes one"));
        };
        let Some(last) = read_json::<LastRun>(&project.join(FOLDER).join(LAST_RUN)) else {
            return Err(Problem::error(
                "cli::last-failed",
                format!("nothing is known of an earlier run: there is no {FOLDER}/{LAST_RUN}"),
            )
            .help("run without --last-failed first; in CI, keep the folder from one job to the next"));
        };
        instances.retain(|instance| last.failed.contains(&self.key(instance)));
        Ok(())
    }

    /// What names a scenario from one run to the next, from whatever folder it is run: `scenarios/a.yaml::Name`.
    fn key(&self, instance: &Instance) -> String {
        let id = instance.id();
        let Some(project) = &self.project else { return id };
        let Some((file, name)) = id.split_once("::") else { return id };
        let file = self.folder.join(file);
        match file.strip_prefix(project) {
            Ok(file) => format!("{}::{name}", file.display()),
            Err(_) => id,
        }
    }

    /// Writes what this run adds. A run of a part only (`whole` is false) leaves the file of `--durations` as it is: all
    /// machines split the plan by it. The error is worth a warning.
    pub(super) fn save(mut self, whole: bool) -> Result<(), String> {
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        if news.is_empty() {
            return Ok(());
        }
        let in_words = |path: &Path, error: &std::io::Error| {
            format!("cannot write {}: {}", path.display(), io_cause(error))
        };
        let ran: Vec<(&String, u64)> = news.iter().map(|(key, news)| (key, news.millis)).collect();
        self.durations.extend(ran.into_iter().map(|(key, millis)| (key.clone(), millis)));
        if let Some(file) = self.durations_file.as_ref().filter(|_| whole) {
            write_json(file, &self.durations).map_err(|error| in_words(file, &error))?;
        }
        let Some(project) = self.project else { return Ok(()) };
        let folder = project.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|error| in_words(&folder, &error))?;
        let ignore = folder.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(&ignore, "*\n").map_err(|error| in_words(&ignore, &error))?;
        }
        if self.durations_file.is_none() {
            let file = folder.join(DURATIONS);
            write_json(&file, &self.durations).map_err(|error| in_words(&file, &error))?;
        }
        let file = folder.join(LAST_RUN);
        let mut last: LastRun = read_json(&file).unwrap_or_default();
        for (key, news) in news {
            if news.passed {
                last.failed.remove(&key);
            } else {
                last.failed.insert(key);
            }
        }
        write_json(&file, &last).map_err(|error| in_words(&file, &error))
    }

    fn note(&self, report: &ScenarioReport) {
        if self.project.is_none() && self.durations_file.is_none() {
            return;
        }
        let passed = match report.status {
            Status::Passed => true,
            Status::Failed => false,
            Status::Skipped(_) | Status::NotRun => return,
        };
        let millis = u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX);
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        news.insert(self.key(&report.instance), News { passed, millis });
    }
}

impl Observer for History {
    fn on(&self, event: &Event) {
        if let Event::ScenarioFinished(report) = event {
            self.note(report);
        }
    }
}

fn read_durations(file: &Path, must_exist: bool) -> Result<BTreeMap<String, u64>, Problem> {
    let problem = |cause: String| {
        Problem::error("cli::durations", format!("--durations {}: {cause}", file.display()))
            .help("a run of all scenarios with this option and without --shard writes it")
    };
    match std::fs::read(file) {
        Ok(text) => serde_json::from_slice(&text)
            .map_err(|error| problem(format!("this is not a file of durations: {error}"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(BTreeMap::new()),
        Err(error) => Err(problem(io_cause(&error))),
    }
}

fn read_json<T: serde::de::DeserializeOwned>(file: &Path) -> Option<T> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Writes a file so that a reader sees all of it or the one before.
fn write_json(file: &Path, value: &impl Serialize) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = builder.tempfile_in(folder)?;
    serde_json::to_writer_pretty(&mut new, value)?;
    new.write_all(b"\n")?;
    new.persist(file)?;
    Ok(())
}
