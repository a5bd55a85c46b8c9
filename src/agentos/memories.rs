//! Memories: what is remembered of users beyond their sessions.
//!
//! A memory is a sentence about a user with topics. Agents write them while they run; here they are written, found,
//! changed and deleted by hand.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::memories::{CreateMemory, ListMemories};
//! let memory = CreateMemory {
//!     memory: "Likes green tea".into(),
//!     user_id: Some("ada".into()),
//!     topics: Some(vec!["drinks".into()]),
//!     ..CreateMemory::default()
//! };
//! let id = client.send(&memory).await?.memory_id;
//! let search =
//!     ListMemories { user_id: Some("ada".into()), search_content: Some("tea".into()), ..ListMemories::default() };
//! assert!(client.send(&search).await?.data.iter().any(|memory| memory.memory_id == id));
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{Page, Timestamp};
use super::error::Error;
use super::operation::{Body, BoxFuture, Method, Operation, Resource, Spec, confirm_gone};
use super::sessions::SortOrder;
use super::transport::{CallOptions, Client, Exchange};

/// Remembers something of a user.
///
/// The same text twice makes two memories.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateMemory {
    /// What to remember; 1 to 5000 characters.
    pub memory: String,
    /// Of whom. The server answers 400 without it, but for a user that a token names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for CreateMemory {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        body: Body::Json,
        ..Spec::new("create_memory", Resource::Memories, Method::Post, "/memories")
    };
    type Answer = Memory;
}

/// Lists memories, page by page.
///
/// A page beyond the last one says `total_count: 0`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListMemories {
    /// Only those of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Only those that this agent made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Only those that this team made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Only those with all of these topics. They are sent as one value with commas: of several values the server
    /// reads the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// Only those that contain this text, in upper or lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_content: Option<String>,
    /// How many memories a page has at most, from 1; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The column to sort by; the server's default is `updated_at`. What is no column is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// The direction; the server's default is `desc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<SortOrder>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for ListMemories {
    const SPEC: Spec = Spec {
        aliases: &["get_memories"],
        query: &[
            "user_id",
            "agent_id",
            "team_id",
            "topics",
            "search_content",
            "limit",
            "page",
            "sort_by",
            "sort_order",
            "db_id",
            "table",
        ],
        joined: &["topics"],
        paged: true,
        ..Spec::new("list_memories", Resource::Memories, Method::Get, "/memories")
    };
    type Answer = Page<Memory>;
}

/// Reads a memory.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetMemory {
    /// The memory. An unknown one is answered 404, and so is that of another user.
    pub memory_id: String,
    /// Of whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetMemory {
    const SPEC: Spec = Spec {
        query: &["user_id", "db_id", "table"],
        ..Spec::new("get_memory", Resource::Memories, Method::Get, "/memories/{memory_id}")
    };
    type Answer = Memory;
}

/// Changes a memory.
///
/// An unknown one is created (agno 3.1.10). Another user may change it, and it stays whose it was.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMemory {
    /// The memory.
    pub memory_id: String,
    /// What to remember instead; 1 to 5000 characters.
    pub memory: String,
    /// Of whom. The server answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What it is about. Left out, it is about nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for UpdateMemory {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        body: Body::Json,
        ..Spec::new("update_memory", Resource::Memories, Method::Patch, "/memories/{memory_id}")
    };
    type Answer = Memory;
}

/// Deletes a memory.
///
/// The server answers 204 in every case: also for one that does not exist, and for another user's, which it leaves
/// where it is. `verify` tells.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteMemory {
    /// The memory.
    pub memory_id: String,
    /// Only if it is of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Whether to look for it afterwards: if it is still there, that is an error. Not sent to the server.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = false))]
    pub verify: bool,
}

impl Operation for DeleteMemory {
    const SPEC: Spec = Spec {
        query: &["user_id", "db_id", "table"],
        ..Spec::new("delete_memory", Resource::Memories, Method::Delete, "/memories/{memory_id}")
    };
    type Answer = ();

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let exchange = client.exchange(&self.call()?, options).await?;
            if self.verify && exchange.is_success() {
                gone(client, options, &self.memory_id, self.db_id.as_deref(), self.table.as_deref()).await?;
            }
            Ok(exchange)
        })
    }
}

/// Deletes several memories.
///
/// The server answers 204 also where some do not exist. An empty list is answered 422.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteMemories {
    /// The memories.
    pub memory_ids: Vec<String>,
    /// Only those of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Whether to look for them afterwards: if one is still there, that is an error. Not sent to the server.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = false))]
    pub verify: bool,
}

impl Operation for DeleteMemories {
    const SPEC: Spec = Spec {
        aliases: &["bulk_delete_memories"],
        query: &["db_id", "table"],
        body: Body::Json,
        ..Spec::new("delete_memories", Resource::Memories, Method::Delete, "/memories")
    };
    type Answer = ();

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let exchange = client.exchange(&self.call()?, options).await?;
            if self.verify && exchange.is_success() {
                for memory_id in &self.memory_ids {
                    gone(client, options, memory_id, self.db_id.as_deref(), self.table.as_deref()).await?;
                }
            }
            Ok(exchange)
        })
    }
}

/// Lists the topics of memories.
///
/// In no order: it differs between two starts of the server.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetMemoryTopics {
    /// Only those of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetMemoryTopics {
    const SPEC: Spec = Spec {
        aliases: &["list_memory_topics"],
        query: &["user_id", "db_id", "table"],
        ..Spec::new("get_memory_topics", Resource::Memories, Method::Get, "/memory_topics")
    };
    type Answer = Vec<String>;
}

/// Lists users with the number of their memories, page by page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetUserMemoryStats {
    /// Only this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// How many users a page has at most, from 1; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetUserMemoryStats {
    const SPEC: Spec = Spec {
        query: &["user_id", "limit", "page", "db_id", "table"],
        paged: true,
        ..Spec::new("get_user_memory_stats", Resource::Memories, Method::Get, "/user_memory_stats")
    };
    type Answer = Page<Value>;
}

/// Lets a model sum up the memories of a user.
///
/// A user without memories is answered 404. It costs tokens.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptimizeMemories {
    /// The user.
    pub user_id: String,
    /// The model, as `provider:id`; without it, the server's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether the sum takes the place of the memories; the server's default is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apply: Option<bool>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for OptimizeMemories {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        body: Body::Json,
        ..Spec::new("optimize_memories", Resource::Memories, Method::Post, "/optimize-memories")
    };
    type Answer = Value;
}

/// A memory.
#[derive(Debug, Clone, Deserialize)]
pub struct Memory {
    /// Its id.
    pub memory_id: String,
    /// What is remembered.
    pub memory: Option<String>,
    /// What it is about.
    pub topics: Option<Vec<String>>,
    /// Of whom.
    pub user_id: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Whether a memory is gone.
async fn gone(
    client: &Client,
    options: &CallOptions,
    memory_id: &str,
    db_id: Option<&str>,
    table: Option<&str>,
) -> Result<(), Error> {
    // Without the user: the memory of another one is just what the server leaves.
    let look = GetMemory {
        memory_id: memory_id.to_owned(),
        db_id: db_id.map(str::to_owned),
        table: table.map(str::to_owned),
        ..GetMemory::default()
    };
    confirm_gone(client, options, &look.call()?, &format!("memory `{memory_id}`")).await
}
