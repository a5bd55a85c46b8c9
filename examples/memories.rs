//! Memories: what is remembered of a user.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example memories
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::memories::{CreateMemory, DeleteMemories, ListMemories, UpdateMemory};
use agentos_run::agentos::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Writes memories, finds them by their topics, changes and deletes them.
pub async fn run(client: &Client) -> Result<(), Error> {
    let user = Some("grace".to_owned());
    for (memory, topic) in [("Likes green tea", "drinks"), ("Likes cake", "food")] {
        let memory = CreateMemory {
            memory: memory.into(),
            user_id: user.clone(),
            topics: Some(vec![topic.into()]),
            ..CreateMemory::default()
        };
        client.send(&memory).await?;
    }

    let drinks = ListMemories {
        user_id: user.clone(),
        topics: Some(vec!["drinks".into()]),
        ..ListMemories::default()
    };
    for memory in client.send(&drinks).await?.data {
        println!("{:?} of {:?}", memory.memory, memory.topics);
        let better = UpdateMemory {
            memory_id: memory.memory_id,
            memory: "Likes black tea".into(),
            user_id: user.clone(),
            topics: memory.topics,
            ..UpdateMemory::default()
        };
        client.send(&better).await?;
    }

    let all = client.send(&ListMemories { user_id: user.clone(), ..ListMemories::default() }).await?;
    let delete = DeleteMemories {
        memory_ids: all.data.into_iter().map(|memory| memory.memory_id).collect(),
        user_id: user,
        verify: true,
        ..DeleteMemories::default()
    };
    client.send(&delete).await
}
