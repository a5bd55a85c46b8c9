//! Workflows: running one in the background, and looking at its steps.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example workflows
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::run::failure_of;
use agentos_run::agentos::workflows::RunWorkflow;
use agentos_run::agentos::{CallOptions, Client, Error, Operation as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Runs a workflow apart from this connection, waits for it, and runs one of which a step fails.
pub async fn run(client: &Client) -> Result<(), Error> {
    let background = RunWorkflow {
        workflow_id: "pipeline".into(),
        message: "a draft".into(),
        // The server answers at once; the client asks until the run has ended. `wait: Some(false)` leaves that out.
        background: Some(true),
        ..RunWorkflow::default()
    };
    let done = client.send(&background).await?;
    println!("{:?}: {:?}", done.status, done.content);
    for step in done.other["step_results"].as_array().into_iter().flatten() {
        println!("  {}: {}", step["step_name"], step["content"]);
    }

    // A failed step is no failure of the workflow to the server, which says COMPLETED. `failure_of` looks closer.
    let broken =
        RunWorkflow { workflow_id: "broken-flow".into(), message: "go".into(), ..RunWorkflow::default() };
    let answer = broken.execute(client, &CallOptions::default()).await?.json().unwrap_or_default();
    println!("{}, but {:?}", answer["status"], failure_of(&answer, false));
    Ok(())
}
