//! Traces: what happened within a run. The server needs tracing.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example traces
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::traces::{GetTrace, GetTraces};
use agentos_run::agentos::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Runs an agent that uses a tool, and shows the spans of its trace.
pub async fn run(client: &Client) -> Result<(), Error> {
    let ask = RunAgent { agent_id: "toolbox".into(), message: "add 2 and 3".into(), ..RunAgent::default() };
    let run_id = client.send(&ask).await?.run_id;

    for trace in client.send(&GetTraces { run_id, ..GetTraces::default() }).await?.data {
        println!("{:?} took {:?}", trace.name, trace.duration);
        let whole = client.send(&GetTrace { trace_id: trace.trace_id, ..GetTrace::default() }).await?;
        for span in whole["tree"].as_array().into_iter().flatten() {
            println!("  {} {}", span["type"], span["name"]);
            for inner in span["spans"].as_array().into_iter().flatten() {
                println!("    {} {}", inner["type"], inner["name"]);
            }
        }
    }
    Ok(())
}
