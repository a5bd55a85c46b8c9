//! Every operation of the catalogue has an effect on a real AgentOS, and a step that looks for it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use agentos_run::agentos::catalogue;
use serde_json::Value;

use crate::common::{Run, Settings, agentos::at_least};

fn scenarios() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/every_operation.yaml");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_operation_has_its_effect() {
    // The newest AgentOS has all of them.
    if !at_least(3, 1) {
        return;
    }
    let server = Settings::default().tracing().full().start();
    Run::new()
        .file("every_operation.yaml", scenarios())
        .args(["--base-url", server.base_url(), "every_operation.yaml"])
        .run()
        .code_is(0);
}

#[test]
#[cfg(feature = "emulator")]
fn every_operation_has_its_effect_on_the_embedded_one() {
    let scenarios = Run::new().file("every_operation.yaml", scenarios());
    scenarios.args(["--embedded", "every_operation.yaml"]).run().code_is(0);
}

#[test]
fn no_operation_is_forgotten() {
    let mut looked_at = BTreeSet::new();
    for document in scenarios().split("\n---\n") {
        let document: Value = serde_yaml::from_str(document).unwrap();
        for step in document["steps"].as_array().unwrap() {
            let step = step.as_object().unwrap();
            // A step that expects nothing shows nothing.
            if step.contains_key("expect") {
                looked_at.extend(step.keys().cloned());
            }
        }
    }
    let forgotten: Vec<&str> =
        catalogue().iter().map(|entry| entry.spec.name).filter(|name| !looked_at.contains(*name)).collect();
    assert!(
        forgotten.is_empty(),
        "tests/data/every_operation.yaml has no step with `expect` for {forgotten:?}"
    );
}
