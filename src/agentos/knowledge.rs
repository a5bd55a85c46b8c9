//! Knowledge: documents that agents search.
//!
//! [`UploadKnowledgeContent`] adds a file, a text or what lies at a URL. The server takes it and works on it afterwards,
//! which `wait` waits for. [`SearchKnowledge`] finds pieces of documents, as agents do.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::knowledge::{SearchKnowledge, UploadKnowledgeContent};
//! let upload = UploadKnowledgeContent {
//!     name: Some("Freedonia".into()),
//!     text_content: Some("The capital of Freedonia is Sylvania City.".into()),
//!     wait: true,
//!     ..UploadKnowledgeContent::default()
//! };
//! println!("{:?}", client.send(&upload).await?.status);
//! let search = SearchKnowledge { query: "capital".into(), max_results: Some(3), ..SearchKnowledge::default() };
//! for piece in client.send(&search).await?.data {
//!     println!("{:?}: {:?}", piece.name, piece.content);
//! }
//! # Ok(())
//! # }
//! ```

mod upload;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::upload::UploadKnowledgeContent;
use super::answer::Page;
use super::error::Error;
use super::operation::{Body, Call, Effect, Method, Operation, Payload, Resource, Spec};
use super::sessions::SortOrder;

/// Lists the documents of a knowledge base, page by page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListKnowledgeContent {
    /// How many documents a page has at most, from 1; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The column to sort by; the server's default is `created_at`. What is no column is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// The direction; the server's default is `desc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<SortOrder>,
    /// Only what came out of this document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for ListKnowledgeContent {
    const SPEC: Spec = Spec {
        aliases: &["get_knowledge_contents"],
        query: &["limit", "page", "sort_by", "sort_order", "parent_id", "db_id", "knowledge_id"],
        paged: true,
        ..Spec::new("list_knowledge_content", Resource::Knowledge, Method::Get, "/knowledge/content")
    };
    type Answer = Page<Content>;
}

/// Reads what is known of a document.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetKnowledgeContent {
    /// The document. An unknown one is answered 404.
    pub content_id: String,
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for GetKnowledgeContent {
    const SPEC: Spec = Spec {
        aliases: &["get_knowledge_content_by_id"],
        query: &["db_id", "knowledge_id"],
        ..Spec::new(
            "get_knowledge_content",
            Resource::Knowledge,
            Method::Get,
            "/knowledge/content/{content_id}",
        )
    };
    type Answer = Content;
}

/// Tells whether a document is processed: `processing`, `completed` or `failed`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetKnowledgeContentStatus {
    /// The document. An unknown one is answered 404.
    pub content_id: String,
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for GetKnowledgeContentStatus {
    const SPEC: Spec = Spec {
        query: &["db_id", "knowledge_id"],
        ..Spec::new(
            "get_knowledge_content_status",
            Resource::Knowledge,
            Method::Get,
            "/knowledge/content/{content_id}/status",
        )
    };
    type Answer = ContentStatus;
}

/// Changes what is known of a document; its pieces stay as they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateKnowledgeContent {
    /// The document. An unknown one is answered 404.
    pub content_id: String,
    /// Its new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its new metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// What reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader_id: Option<String>,
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for UpdateKnowledgeContent {
    const SPEC: Spec = Spec {
        query: &["db_id", "knowledge_id"],
        body: Body::Form,
        ..Spec::new(
            "update_knowledge_content",
            Resource::Knowledge,
            Method::Patch,
            "/knowledge/content/{content_id}",
        )
    };
    type Answer = Content;
}

/// Deletes a document with its pieces.
///
/// Unlike other deletions, an unknown one is answered 404.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteKnowledgeContent {
    /// The document. An unknown one is answered 404.
    pub content_id: String,
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for DeleteKnowledgeContent {
    const SPEC: Spec = Spec {
        aliases: &["delete_knowledge_content_by_id"],
        query: &["db_id", "knowledge_id"],
        ..Spec::new(
            "delete_knowledge_content",
            Resource::Knowledge,
            Method::Delete,
            "/knowledge/content/{content_id}",
        )
    };
    type Answer = Value;
}

/// Deletes all documents of a knowledge base.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAllKnowledgeContent {
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for DeleteAllKnowledgeContent {
    const SPEC: Spec = Spec {
        query: &["db_id", "knowledge_id"],
        ..Spec::new("delete_all_knowledge_content", Resource::Knowledge, Method::Delete, "/knowledge/content")
    };
    type Answer = Value;
}

/// Searches the pieces of documents, page by page.
///
/// An entry has no `score`; `reranking_score` where something ranks.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchKnowledge {
    /// What to search for.
    pub query: String,
    /// How many pieces the search itself finds at most, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_results: Option<u32>,
    /// Only pieces with this metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filters: Option<Map<String, Value>>,
    /// `vector`, `keyword` or `hybrid`, as far as the database can. agno 3.1.10 answers 500 to another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_type: Option<String>,
    /// Which vector databases are searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector_db_ids: Option<Vec<String>>,
    /// How many of the found a page has at most.
    #[serde(default, skip_serializing)]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(default, skip_serializing)]
    pub page: Option<u32>,
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for SearchKnowledge {
    const SPEC: Spec = Spec {
        body: Body::Json,
        effect: Effect::Read,
        paged: true,
        ..Spec::new("search_knowledge", Resource::Knowledge, Method::Post, "/knowledge/search")
    };
    type Answer = Page<Found>;

    fn call(&self) -> Result<Call, Error> {
        let mut call = Call::of(&Self::SPEC, self)?;
        // The server reads them in `meta` only, and without a word passes over those beside it.
        let mut meta = Map::new();
        meta.extend(self.limit.map(|limit| ("limit".to_owned(), Value::from(limit))));
        meta.extend(self.page.map(|page| ("page".to_owned(), Value::from(page))));
        if let Payload::Json(Value::Object(body)) = &mut call.payload
            && !meta.is_empty()
        {
            body.insert("meta".to_owned(), Value::Object(meta));
        }
        Ok(call)
    }
}

/// Reads what can be done with documents: readers, chunkers, filters, vector databases.
///
/// It depends on the packages that are installed beside the AgentOS.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetKnowledgeConfig {
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
}

impl Operation for GetKnowledgeConfig {
    const SPEC: Spec = Spec {
        query: &["db_id", "knowledge_id"],
        ..Spec::new("get_knowledge_config", Resource::Knowledge, Method::Get, "/knowledge/config")
    };
    type Answer = Value;
}

/// A document.
#[derive(Debug, Clone, Deserialize)]
pub struct Content {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// `processing`, `completed` or `failed`.
    pub status: Option<String>,
    /// Why it failed.
    pub status_message: Option<String>,
    /// Its metadata; agno adds its own under `_agno`.
    pub metadata: Option<Map<String, Value>>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Whether a document is processed.
#[derive(Debug, Clone, Deserialize)]
pub struct ContentStatus {
    /// `processing`, `completed` or `failed`.
    pub status: String,
    /// Why it failed.
    pub status_message: Option<String>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A piece of a document that was found.
#[derive(Debug, Clone, Deserialize)]
pub struct Found {
    /// Its id.
    pub id: Option<String>,
    /// Its text.
    pub content: Option<String>,
    /// The name of the document.
    pub name: Option<String>,
    /// The document.
    pub content_id: Option<String>,
    /// The metadata of the document and of the piece.
    pub meta_data: Option<Map<String, Value>>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
