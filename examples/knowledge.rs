//! Knowledge: adding a document, searching it, taking it away.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example knowledge
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::knowledge::{DeleteKnowledgeContent, SearchKnowledge, UploadKnowledgeContent};
use agentos_run::agentos::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Adds a text, finds it again, and deletes it.
pub async fn run(client: &Client) -> Result<(), Error> {
    let upload = UploadKnowledgeContent {
        name: Some("Freedonia".into()),
        text_content: Some("The capital of Freedonia is Sylvania City.".into()),
        // The server takes it and works on it afterwards; this waits until it can be found. A file is `file`: it is read
        // from disk while it is sent.
        wait: true,
        ..UploadKnowledgeContent::default()
    };
    let content = client.send(&upload).await?;
    println!("{}: {:?}", content.id, content.status);

    let question = SearchKnowledge {
        query: "the capital of Freedonia".into(),
        max_results: Some(3),
        ..SearchKnowledge::default()
    };
    for piece in client.send(&question).await?.data {
        println!("{:?}: {:?}", piece.name, piece.content);
    }

    client
        .send(&DeleteKnowledgeContent { content_id: content.id, ..DeleteKnowledgeContent::default() })
        .await?;
    Ok(())
}
