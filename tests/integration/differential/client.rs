//! A client that the embedded AgentOS has never met: agno's own, in Python, every method of it. What it makes of the
//! answers, down to the classes of its objects, is what it makes of those of a real AgentOS.

use super::accepted::Accepted;
use super::compare::{self, Difference, Ids};
use crate::common::agentos::{at_least, python, sources};
use serde_json::Value;
use std::process::{Command, Stdio};

/// The name of these calls among the accepted differences.
const NAME: &str = "client";

/// What the client says of a server, one value for each call.
fn calls(base_url: &str) -> Vec<Value> {
    let output = Command::new(python())
        .arg(sources().join("client.py"))
        .arg(base_url)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let calls: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(output.status.success(), "after {} calls to {base_url}: {errors}", calls.len());
    calls
}

#[test]
fn agnos_own_client_understands_both_alike() {
    if !at_least(3, 1) {
        return;
    }
    let (server, emulator) = (super::real(), super::embedded());
    let (real, embedded) = (calls(server.base_url()), calls(emulator.base_url()));
    let names =
        |calls: &[Value]| -> Vec<String> { calls.iter().map(|call| call["call"].to_string()).collect() };
    assert_eq!(names(&real), names(&embedded));
    let last = real.last().unwrap();
    assert_eq!(
        (last["call"].as_str(), last["returned"].to_string()),
        (Some("(not called)"), "[]".to_owned())
    );
    let mut ids = Ids::default();
    let mut found: Vec<Difference> = Vec::new();
    for (number, (real, embedded)) in real.iter().zip(&embedded).enumerate() {
        let request = format!("{NAME}: {}. {}", number + 1, real["call"].as_str().unwrap());
        found.extend(compare::documents(&request, real, embedded, &mut ids));
    }
    let verdict = super::verdict(&found, &Accepted::read(&super::folder().join("accepted.yaml")), &[NAME]);
    assert!(verdict.is_empty(), "agno's client takes the embedded AgentOS for another one:\n{verdict}");
}
