//! Agents: asking one, and deciding what it may do.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example agents
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::agents::{ContinueAgentRun, ListAgents, RunAgent};
use agentos_run::agentos::decision::Confirm;
use agentos_run::agentos::{CallOptions, Client, Error, Operation as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Asks an agent, and then one that wants to be allowed to delete a file.
pub async fn run(client: &Client) -> Result<(), Error> {
    for agent in client.send(&ListAgents::default()).await? {
        println!("{}: {}", agent.id.unwrap_or_default(), agent.description.unwrap_or_default());
    }

    // Fields are those of the API; what is left out is the server's to decide.
    let hello =
        RunAgent { agent_id: "assistant".into(), message: "My name is Ada.".into(), ..RunAgent::default() };
    let answer = client.send(&hello).await?;
    println!("{:?}", answer.content);

    // The same session: the agent remembers.
    let again = RunAgent { message: "What's my name?".into(), session_id: answer.session_id, ..hello };
    println!("{:?}", client.send(&again).await?.content);

    // A run that needs a person stops as `PAUSED`. Its answer, as it came, is what it is continued with.
    let ask =
        RunAgent { agent_id: "confirmer".into(), message: "delete notes.txt".into(), ..RunAgent::default() };
    let paused = ask.execute(client, &CallOptions::default()).await?.json().unwrap_or_default();
    println!("{}: {}", paused["status"], paused["tools"][0]["tool_args"]);
    let decision = ContinueAgentRun {
        agent_id: "confirmer".into(),
        run: paused.as_object().cloned(),
        confirm: Some(Confirm::All(true)),
        ..ContinueAgentRun::default()
    };
    println!("{:?}", client.send(&decision).await?.content);
    Ok(())
}
