//! Streams: the answer of a run as it comes, as typed events.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example streams
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::{CallOptions, Client, Component, Error, Opened, Operation as _, Transcript};
use futures_util::StreamExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Shows an answer word by word, then what the events amount to.
pub async fn run(client: &Client) -> Result<(), Error> {
    let ask = RunAgent {
        agent_id: "slow".into(),
        message: "12 words delay=0.05".into(),
        stream: true,
        // In the background the run does not end with its connection: where that breaks, the stream is taken up again.
        background: Some(true),
        ..RunAgent::default()
    };
    let mut stream = match ask.open(client, &CallOptions::default()).await? {
        // A `futures::Stream` of events.
        Opened::Stream(stream) => stream,
        // A refusal, or another answer that is no stream.
        Opened::Answer(answer) => {
            println!("{}: {}", answer.status, answer.refusal());
            return Ok(());
        }
    };

    // Puts the answer together, and looks whether the stream is as it should be.
    let mut transcript = Transcript::new(Component::Agent);
    while let Some(event) = stream.next().await {
        let event = event?;
        match event.delta() {
            Some(text) => print!("{text}"),
            None => println!("[{} after {:?}]", event.name, event.at),
        }
        transcript.push(event);
    }
    println!("{:?}, first content after {:?}", transcript.ending(), transcript.ttft());
    println!("broken invariants: {:?}", transcript.violations());
    println!("the answer as a plain one: {}", transcript.body());
    Ok(())
}
