//! The scenarios that ship with the program pass as they stand, on a real AgentOS and on the embedded one.

use crate::common::{self, Run, agentos::at_least};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// What `scenarios/` has to run, by name; a scenario with cases is several.
fn shipped() -> BTreeSet<String> {
    let output = Run::new().args(["list", "--format", "json"]).arg(folder()).run().code_is(0);
    let all: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
    let names: BTreeSet<String> = all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), all.len(), "no two of one name");
    assert!(names.len() > 30, "{names:?}");
    names
}

/// Runs all of them, several at a time, against the target that `arguments` name.
fn all_pass(arguments: &[&str], may_skip: bool) {
    let scenarios = shipped();
    // Nothing is written: their snapshots hold on every target.
    let run = Run::new().args(arguments).arg("--ci").arg(folder()).env("AGENTOS_RUN_JOBS", "");
    let output = run.run().code_is(0);
    let verdicts: BTreeMap<&str, &str> = output
        .stdout
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(verdict, _)| ["PASS", "FAIL", "SKIP"].contains(verdict))
        .map(|(verdict, rest)| (rest.split("  ").next().unwrap(), verdict))
        .collect();
    for name in &scenarios {
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
fn all_that_they_name_is_there() {
    let url = common::agentos().base_url();
    let output = Run::new().args(["check", "--live", "--base-url", url]).arg(folder()).run().code_is(0);
    assert!(output.stdout.contains("all that they name is on"), "{output}");
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
