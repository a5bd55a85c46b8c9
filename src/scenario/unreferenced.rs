//! Snapshot files that no step names any more.
//!
//! A file is looked at only where what it belongs to is known: its scenario file was read, or is not there any more.
//! What a part of the scenarios says of the others is nothing.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Scenario, snapshots::Wanted};
use crate::snapshot::{self, File, Folders, slug};

/// What the scenarios of one file name.
#[derive(Default)]
struct Named {
    /// Names of files, up to `@`, that are of one snapshot.
    single: BTreeSet<String>,
    /// Those with `@` and any name of a turn.
    repeated: BTreeSet<String>,
    /// Those with `@` and the name of a row.
    rows: BTreeSet<String>,
}

/// The files, sorted.
pub fn unreferenced(scenarios: &[Arc<Scenario>], folders: &Folders) -> Vec<PathBuf> {
    let mut named: HashMap<(PathBuf, String), Named> = HashMap::new();
    for scenario in scenarios {
        let home = folders.home(scenario.source.name());
        let named = named.entry((home.folder, home.prefix)).or_default();
        for Wanted { snapshot, repeated } in scenario.snapshots() {
            named.add(&slug(&snapshot.name.name), repeated, scenario);
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
    fn add(&mut self, name: &str, repeated: bool, scenario: &Scenario) {
        let set = if repeated { &mut self.repeated } else { &mut self.single };
        match &scenario.cases {
            None => _ = set.insert(name.to_owned()),
            Some(_) if repeated => _ = set.insert(name.to_owned()),
            Some(cases) => {
                let rows = (0..cases.len()).filter_map(|index| cases.get(index));
                self.rows.extend(rows.map(|case| format!("{name}@{}", slug(case.name))));
            }
        }
    }

    fn names(&self, file: &str) -> bool {
        match file.split_once('@') {
            None => self.single.contains(file),
            Some((name, _)) => self.repeated.contains(name) || self.rows.contains(file),
        }
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
