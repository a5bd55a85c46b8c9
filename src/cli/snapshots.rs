//! Where snapshots lie and what a run may write, from the command line, the environment and the project file.

use std::path::PathBuf;

use super::args::RunArgs;
use super::context::Context;
use super::output::Output;
use crate::project::Project;
use crate::report::text;
use crate::secret::Masker;
use crate::snapshot::{Folders, Mode, ProjectFolders, Store};

/// The folder of snapshots, where the project file names none.
const FOLDER: &str = "snapshots";

/// Where snapshots lie.
pub(super) fn folders(context: &Context, project: Option<&Project>) -> Folders {
    let project = project.map(|project| ProjectFolders {
        folder: project.folder.clone(),
        snapshots: project.folder.join(project.snapshots.as_deref().unwrap_or(FOLDER)),
        scenarios: project.scenarios.as_ref().map(|scenarios| project.folder.join(scenarios)),
    });
    Folders { working: context.folder.clone(), project }
}

/// The snapshots of a run.
pub(super) fn store(context: &Context, args: &RunArgs, project: Option<&Project>, masker: &Masker) -> Store {
    let in_ci = context.variable("CI").is_some_and(|value| !matches!(value, "false" | "0"));
    let mode = match (args.update, args.ci || in_ci) {
        (true, _) => Mode::Update,
        (false, true) => Mode::Locked,
        (false, false) => Mode::Compare,
    };
    Store::new(folders(context, project), mode, masker.clone())
}

/// What became of the snapshots of a run, said after its report.
pub(super) fn say(output: &Output, store: &Store, forgotten: &[PathBuf]) {
    let tally = store.tally();
    if !tally.written.is_empty() {
        let count = text::count(tally.written.len(), "snapshot");
        output.warn(&format!("{count} written: {}", names(&tally.written)));
    }
    if !tally.pending.is_empty() {
        let count = text::count(tally.pending.len(), "snapshot");
        output.warn(&format!("{count} to look at: agentos-run review"));
    }
    if !forgotten.is_empty() {
        let count = text::count(forgotten.len(), "snapshot");
        let shown: Vec<String> = forgotten.iter().map(|file| store.folders().shown(file)).collect();
        output.warn(&format!(
            "{count} that no step names any more: {}; deleted by: agentos-run accept --prune",
            names(&shown)
        ));
    }
}

/// Some names of files, the first of many.
pub(super) fn names(files: &[String]) -> String {
    const MOST: usize = 5;
    let more = files.len().saturating_sub(MOST);
    let shown: Vec<&str> = files.iter().take(MOST).map(String::as_str).collect();
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
