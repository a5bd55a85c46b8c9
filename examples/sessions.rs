//! Sessions: finding, renaming, clearing and deleting conversations.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example sessions
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::sessions::{
    ClearSession, CreateSession, DeleteSession, GetSessionRuns, GetSessions, RenameSession,
};
use agentos_run::agentos::{Client, Error, ErrorKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// A session from its beginning to its end.
pub async fn run(client: &Client) -> Result<(), Error> {
    let session = CreateSession {
        agent_id: Some("assistant".into()),
        user_id: Some("ada".into()),
        ..CreateSession::default()
    };
    let session_id = client.send(&session).await?.session_id;

    let ask = RunAgent {
        agent_id: "assistant".into(),
        message: "Hello!".into(),
        session_id: Some(session_id.clone()),
        user_id: Some("ada".into()),
        ..RunAgent::default()
    };
    client.send(&ask).await?;
    let name = RenameSession {
        session_id: session_id.clone(),
        session_name: "A greeting".into(),
        ..RenameSession::default()
    };
    client.send(&name).await?;

    let search =
        GetSessions { session_name: Some("greeting".into()), limit: Some(10), ..GetSessions::default() };
    let page = client.send(&search).await?;
    for found in &page.data {
        println!("{} {:?}", found.session_id, found.session_name);
    }

    let runs = GetSessionRuns { session_id: session_id.clone(), ..GetSessionRuns::default() };
    println!("{} run", client.send(&runs).await?.len());
    // Without its runs, the session stays: name, state and metadata.
    client.send(&ClearSession { session_id: session_id.clone(), ..ClearSession::default() }).await?;
    println!("{} runs", client.send(&runs).await?.len());

    // The server says 204 to every deletion; `verify` looks whether the session is gone.
    let delete = DeleteSession { session_id, verify: true, ..DeleteSession::default() };
    client.send(&delete).await?;
    match client.send(&runs).await {
        Err(Error { kind: ErrorKind::Refused { message, .. }, .. }) => println!("{message}"),
        other => println!("{other:?}"),
    }
    Ok(())
}
