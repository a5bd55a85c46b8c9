//! That the scripts leave no operation out: each succeeds in one of them, and is refused in one.

use super::script::{Saved, Script};
use super::target::Target;
use crate::common::http;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// What never refuses: it takes nothing that could be wrong.
const NEVER_REFUSED: [&str; 8] = [
    "GET /health",
    "GET /info",
    "GET /config",
    "GET /traces/filter-schema",
    "GET /agents",
    "GET /teams",
    "GET /workflows",
    "POST /databases/all/migrate",
];

/// What never succeeds without what nobody has here: a queue, and media outside of the database.
fn never_succeeds(operation: &str) -> bool {
    [" /queue", "/media/", "/sources/{source_id}/files", "/refresh"]
        .iter()
        .any(|part| operation.ends_with(part))
        && operation != "POST /metrics/refresh"
        || operation.contains("/media/")
}

/// Whether a path is one of these.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut parts) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) if wanted == part || wanted.starts_with('{') && !part.is_empty() => {}
            _ => return false,
        }
    }
}

#[test]
fn every_operation_succeeds_and_is_refused_in_a_script() {
    let emulator = super::embedded();
    let ours = Target::new(emulator.base_url());
    let document = http::get(emulator.base_url(), "/openapi.json").json();
    let operations: Vec<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let mut seen: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    for entry in fs::read_dir(super::folder()).unwrap() {
        let file = entry.unwrap().path();
        if !file.is_file() || file.ends_with("accepted.yaml") {
            continue;
        }
        for (_, steps) in &Script::read(&file).groups {
            let mut saved = Saved::default();
            for step in steps {
                let answer = ours.perform(step, &mut saved).unwrap();
                let (method, path) = step.send.split_once(' ').unwrap();
                let path = saved.fill(path.split('?').next().unwrap());
                let mut fitting =
                    operations.iter().filter(|(of, template)| of == method && fits(template, &path));
                // A path without placeholders comes first.
                let first =
                    fitting.clone().find(|(_, template)| *template == path).or_else(|| fitting.next());
                if let Some((method, template)) = first {
                    let operation = format!("{method} {template}");
                    seen.entry(operation).or_default().insert(answer.status < 400);
                }
            }
        }
    }
    let mut missing = Vec::new();
    for (method, path) in &operations {
        let operation = format!("{method} {path}");
        let of = seen.get(&operation).cloned().unwrap_or_default();
        if !of.contains(&true) && !never_succeeds(&operation) {
            missing.push(format!("{operation} never succeeds"));
        }
        if !of.contains(&false) && !NEVER_REFUSED.contains(&operation.as_str()) {
            missing.push(format!("{operation} is never refused"));
        }
    }
    assert!(missing.is_empty(), "in tests/data/differential:\n{}", missing.join("\n"));
}
