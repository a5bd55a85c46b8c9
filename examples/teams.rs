//! Teams: a leader that delegates, and what its members said.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example teams
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::teams::{GetTeam, RunTeam};
use agentos_run::agentos::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Asks a team, and shows the answers of its members.
pub async fn run(client: &Client) -> Result<(), Error> {
    let team = client.send(&GetTeam { team_id: "duo".into() }).await?;
    println!("{} members", team.members.unwrap_or_default().len());

    let ask =
        RunTeam { team_id: "duo".into(), message: "Introduce yourselves.".into(), ..RunTeam::default() };
    let answer = client.send(&ask).await?;
    println!("{:?}", answer.content);

    // What this crate has no field for is kept as it came.
    for member in answer.other["member_responses"].as_array().into_iter().flatten() {
        println!("  {}: {}", member["agent_id"], member["content"]);
    }
    Ok(())
}
