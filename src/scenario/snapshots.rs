//! The snapshots of scenarios seen together: which files they are, and whether two of them would be one.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Action, Scenario, Step};
use crate::diagnostic::{Problem, Problems};
use crate::snapshot::{Folders, Snapshot, duplicate, slug};

/// A snapshot of a scenario.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// What is wanted.
    pub snapshot: &'a Snapshot,
    /// Whether it is taken more than once: in a loop.
    pub repeated: bool,
    /// The ids of the steps that use the fragment which it stands in: they tell its uses apart.
    pub within: Arc<[String]>,
}

impl Scenario {
    /// Its snapshots, in the order of its steps.
    pub fn snapshots(&self) -> Vec<Wanted<'_>> {
        let mut wanted = Vec::new();
        for step in self.setup.iter().chain(&self.steps).chain(&self.finally) {
            step.collect_snapshots(false, &Arc::default(), &mut wanted);
        }
        wanted
    }
}

impl Step {
    fn collect_snapshots<'a>(&'a self, repeated: bool, within: &Arc<[String]>, wanted: &mut Vec<Wanted<'a>>) {
        let repeated = repeated || self.repeated.is_some();
        wanted.extend(self.snapshots.iter().map(|snapshot| Wanted {
            snapshot,
            repeated,
            within: Arc::clone(within),
        }));
        let within = match (&self.action, &self.id) {
            (Action::Use(_), Some(id)) => within.iter().cloned().chain([id.name.clone()]).collect(),
            _ => Arc::clone(within),
        };
        for step in self.action.steps() {
            step.collect_snapshots(repeated, &within, wanted);
        }
    }

    /// Whether it or a step inside it takes a snapshot.
    pub fn takes_snapshots(&self) -> bool {
        !self.snapshots.is_empty() || self.action.steps().iter().any(Self::takes_snapshots)
    }
}

/// Snapshots that would be one file become problems: the second would overwrite the first.
pub fn check_files(scenarios: &[Scenario], folders: &Folders, problems: &mut Problems) {
    let mut files: HashMap<PathBuf, &Snapshot> = HashMap::new();
    for scenario in scenarios {
        let wanted = scenario.snapshots();
        if wanted.is_empty() {
            continue;
        }
        let home = folders.home(scenario.source.name());
        for Wanted { snapshot, within, .. } in &wanted {
            // Some file systems take `A` and `a` for one.
            let file = home.file(&snapshot.name.name, &within.join("."));
            let file = PathBuf::from(file.to_string_lossy().to_lowercase());
            let Some(first) = files.insert(file, snapshot) else { continue };
            if std::ptr::eq(first, *snapshot) {
                problems.push(
                    Problem::error(
                        "snapshot::duplicate",
                        format!(
                            "{} uses the fragment of the snapshot `{}` more than once",
                            scenario.name, snapshot.name.name
                        ),
                    )
                    .label(&snapshot.name.span, "both uses would be one file")
                    .label(&scenario.span, "in this scenario")
                    .help("give each step with `use` an `id`: it becomes a part of the file's name"),
                );
            } else {
                problems.push(duplicate(&snapshot.name, &first.name));
            }
        }
        check_cases(scenario, problems);
    }
}

/// Rows whose names differ in nothing that a file's name can hold.
fn check_cases(scenario: &Scenario, problems: &mut Problems) {
    let Some(cases) = &scenario.cases else { return };
    let mut seen = HashMap::new();
    for index in 0..cases.len() {
        let Some(case) = cases.get(index) else { continue };
        if let Some(first) = seen.insert(slug(case.name).to_lowercase(), case) {
            problems.push(
                Problem::error(
                    "snapshot::duplicate",
                    format!("the snapshots of `{}` and `{}` would be one file", first.name, case.name),
                )
                .label(case.span, "second")
                .label(first.span, "first")
                .help("give the rows a `name` of their own, short and of letters and digits"),
            );
        }
    }
}
