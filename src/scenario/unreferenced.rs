//! Snapshot files that no step names any more.
//!
//! A file is looked at only where what it belongs to is known: its scenario file was read, or is not there any more.
//! What a part of the scenarios says of the others is nothing.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::{Scenario, snapshots::Wanted};
use crate::snapshot::{self, File, Folders, slug};

/// What the scenarios of one file name.
#[derive(Default)]
struct Named {
    /// Whole names: of one snapshot, of a row, of the use of a fragment.
    single: BTreeSet<String>,
    /// Names up to `@`: what loops add is not known before they run.
    repeated: BTreeSet<String>,
}

/// The files, sorted.
pub fn unreferenced(scenarios: &[Scenario], folders: &Folders) -> Vec<PathBuf> {
    let mut named: HashMap<(PathBuf, String), Named> = HashMap::new();
    for scenario in scenarios {
        let home = folders.home(scenario.source.name());
        let named = named.entry((home.folder, home.prefix)).or_default();
        for Wanted { snapshot, repeated, within } in scenario.snapshots() {
            named.add(&slug(&snapshot.name.name), repeated, &within, scenario);
        }
    }
    let searched: BTreeSet<PathBuf> = match folders.all() {
        Some(folder) => BTreeSet::from([folder]),
        None => named.keys().map(|(folder, _)| folder.clone()).collect(),
    };
    let mut files: Vec<PathBuf> =
        searched.iter().flat_map(|folder| snapshot::find(folder, folders.all().is_some())).collect();
    files.retain(|file| is_unreferenced(file, &named, folders));
    files.sort();
    files
}

impl Named {
    fn add(&mut self, name: &str, repeated: bool, within: &[String], scenario: &Scenario) {
        if repeated {
            self.repeated.insert(name.to_owned());
            return;
        }
        let mut whole = |row: Option<String>| {
            let which: Vec<String> = row.into_iter().chain(within.iter().cloned()).collect();
            let at = if which.is_empty() { "" } else { "@" };
            self.single.insert(format!("{name}{at}{}", which.join(".")));
        };
        match &scenario.cases {
            None => whole(None),
            Some(cases) => {
                let rows = (0..cases.len()).filter_map(|index| cases.get(index));
                rows.for_each(|case| whole(Some(slug(case.name))));
            }
        }
    }

    fn names(&self, file: &str) -> bool {
        let of_a_turn = file.split_once('@').is_some_and(|(name, _)| self.repeated.contains(name));
        of_a_turn || self.single.contains(file)
    }
}

fn is_unreferenced(file: &Path, named: &HashMap<(PathBuf, String), Named>, folders: &Folders) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".new").trim_end_matches(".snap");
    let Some((prefix, rest)) = name.split_once("__") else { return false };
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    // What somebody else wrote, or what is broken, is nothing to throw away.
    let ours = || File::read(file).ok().flatten().filter(|file| file.metadata.is_ours());
    match named.get(&(folder.clone(), prefix.to_owned())) {
        Some(named) => !named.names(rest) && ours().is_some(),
        None => ours().and_then(|file| file.metadata.source).is_some_and(|source| {
            let base = match &folders.project {
                Some(project) => project.folder.clone(),
                None => folder.parent().unwrap_or(Path::new("")).to_owned(),
            };
            source != "stdin" && !base.join(source).exists()
        }),
    }
}
