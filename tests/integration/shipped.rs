//! The scenarios that ship with the program pass as they stand, on a real AgentOS and on the embedded one.

use crate::common::{self, Run, agentos::at_least};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The files of `scenarios/`, by the name of the scenario in each.
fn shipped() -> BTreeMap<String, PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let named: BTreeMap<String, PathBuf> = files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).unwrap();
            let name = text.lines().find_map(|line| line.strip_prefix("name: ")).expect("a name");
            (name.to_owned(), file.clone())
        })
        .collect();
    assert_eq!(named.len(), files.len(), "one scenario in each file, and no two of one name");
    named
}

/// Runs all of them against the target that `arguments` name.
fn all_pass(arguments: &[&str], may_skip: bool) {
    let scenarios = shipped();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let output = Run::new().args(arguments).arg(folder).run().code_is(0);
    let verdicts: BTreeMap<&str, &str> = output
        .stdout
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(verdict, _)| ["PASS", "FAIL", "SKIP"].contains(verdict))
        .map(|(verdict, rest)| (rest.split("  ").next().unwrap(), verdict))
        .collect();
    for name in scenarios.keys() {
        let verdict = verdicts.get(name.as_str()).copied();
        assert!(
            verdict == Some("PASS") || may_skip && verdict == Some("SKIP"),
            "{name}: {verdict:?}; {output}"
        );
    }
    let count = scenarios.len();
    assert_eq!(verdicts.len(), count, "{output}");
    let total = format!("\n{count} scenarios: ");
    assert!(output.stdout.contains(&total), "{output}");
    if !may_skip {
        assert!(output.stdout.contains(&format!("{total}{count} passed  (")), "{output}");
    }
}

#[test]
fn on_a_real_agentos() {
    // On older versions a scenario skips itself where it `requires` what they do not have.
    all_pass(&["--base-url", common::agentos().base_url()], !at_least(3, 1));
}

#[test]
#[cfg(feature = "emulator")]
fn on_the_embedded_one() {
    all_pass(&["--embedded"], false);
}
