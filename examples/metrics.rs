//! Metrics: what was done per day.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example metrics
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::metrics::{GetMetrics, RefreshMetrics};
use agentos_run::agentos::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Counts anew, and shows the counts.
pub async fn run(client: &Client) -> Result<(), Error> {
    // The server counts when it is asked to.
    client.send(&RefreshMetrics::default()).await?;
    let metrics = client.send(&GetMetrics::default()).await?;
    for day in metrics["metrics"].as_array().into_iter().flatten() {
        println!("{}: {} runs of agents, {} users", day["date"], day["agent_runs_count"], day["users_count"]);
    }
    Ok(())
}
