//! The examples of the client, run against a real AgentOS.

#![allow(dead_code, unreachable_pub, reason = "programs of their own: `main` is for `cargo run --example`")]

use agentos_run::agentos::Client;

use crate::common::agentos::{RealAgentOs, Settings, at_least};

#[path = "../../examples/agents.rs"]
mod agents;
#[path = "../../examples/evals.rs"]
mod evals;
#[path = "../../examples/knowledge.rs"]
mod knowledge;
#[path = "../../examples/memories.rs"]
mod memories;
#[path = "../../examples/metrics.rs"]
mod metrics;
#[path = "../../examples/sessions.rs"]
mod sessions;
#[path = "../../examples/streams.rs"]
mod streams;
#[path = "../../examples/teams.rs"]
mod teams;
#[path = "../../examples/traces.rs"]
mod traces;
#[path = "../../examples/workflows.rs"]
mod workflows;

#[tokio::test]
async fn they_run() {
    // Written for the newest AgentOS.
    if !at_least(3, 1) {
        return;
    }
    let server: RealAgentOs = Settings::default().tracing().full().start();
    let client = Client::builder(server.base_url()).build().unwrap();
    agents::run(&client).await.unwrap();
    teams::run(&client).await.unwrap();
    workflows::run(&client).await.unwrap();
    sessions::run(&client).await.unwrap();
    memories::run(&client).await.unwrap();
    knowledge::run(&client).await.unwrap();
    traces::run(&client).await.unwrap();
    metrics::run(&client).await.unwrap();
    evals::run(&client).await.unwrap();
    streams::run(&client).await.unwrap();
}

/// An example that nobody runs is not known to work.
#[test]
fn none_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let run = include_str!("examples.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".rs") {
            assert!(run.contains(&format!("    {name}::run(&client)")), "examples/{name}.rs");
        }
    }
}
