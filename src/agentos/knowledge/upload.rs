//! Adding documents to a knowledge base.

use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Content, GetKnowledgeContent, GetKnowledgeContentStatus};
use crate::agentos::error::{Error, ErrorKind, seconds};
use crate::agentos::operation::{Body, BoxFuture, Call, Method, Operation, Payload, Resource, Spec};
use crate::agentos::runs::Poll;
use crate::agentos::transport::{CallOptions, Client, Exchange};
use crate::agentos::upload::{FileInput, FilePart, Origin};

/// Adds a document to the knowledge base: `file`, `url` or `text_content`.
///
/// It is answered 202 and processed afterwards, which `wait` waits for. The id follows from name, description,
/// metadata and the URL or the name of the file, not from the text: another text under the same name takes the place
/// of the first.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadKnowledgeContent {
    /// The file: a path, a `data:` URL, or a mapping with `path`, `base64` or `text`. It is read from disk while it
    /// is sent. (With a URL, use `url`: the server fetches it.)
    #[serde(default, skip_serializing)]
    #[schemars(extend("x-files" = true))]
    pub file: Option<FileInput>,
    /// Where the server finds it. A dead URL shows in `status`: it is `failed` then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A text; at most 1 MiB, the longest field of a form; a longer one goes as `file` with `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_content: Option<String>,
    /// Its name; without it, that of the file or the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Metadata, by which a search can be filtered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// What reads it; see `get_knowledge_config`. The server ignores an unknown one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reader_id: Option<String>,
    /// How it is cut into pieces; see `get_knowledge_config`. The server ignores an unknown one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunker: Option<String>,
    /// How long a piece is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_size: Option<u32>,
    /// How much two pieces share.
    #[serde(alias = "overlap", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["overlap"]))]
    pub chunk_overlap: Option<u32>,
    /// The database of the knowledge base; an AgentOS with several bases needs it or `knowledge_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The knowledge base, of an AgentOS with several. An unknown one is answered 404.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knowledge_id: Option<String>,
    /// Whether to wait until it is `completed` or `failed`; the default is false: it is `processing` then.
    #[serde(default, skip_serializing)]
    #[schemars(extend("default" = false))]
    pub wait: bool,
    /// How it is waited for. Not sent to the server.
    #[serde(default, skip_serializing)]
    pub poll: Option<Poll>,
}

impl Operation for UploadKnowledgeContent {
    const SPEC: Spec = Spec {
        aliases: &["upload_content", "add_knowledge_content"],
        query: &["db_id", "knowledge_id"],
        body: Body::Form,
        ..Spec::new("upload_knowledge_content", Resource::Knowledge, Method::Post, "/knowledge/content")
    };
    type Answer = Content;

    fn call(&self) -> Result<Call, Error> {
        let mut call = Call::of(&Self::SPEC, self)?;
        if let (Some(input), Payload::Form(fields)) = (&self.file, &mut call.payload) {
            let ready = input.ready("file")?;
            let Origin::Content(source) = ready.origin else {
                return Err(Error::invalid("`file` is a URL: give it as `url`, and the server fetches it"));
            };
            let file = FilePart {
                field: "file".to_owned(),
                filename: ready.filename.unwrap_or_else(|| "upload.txt".to_owned()),
                content_type: ready.mime_type.unwrap_or_else(|| "application/octet-stream".to_owned()),
                source,
            };
            call.payload = Payload::Upload { fields: std::mem::take(fields), files: vec![file] };
        }
        Ok(call)
    }

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let accepted = client.exchange(&self.call()?, options).await?;
            if !self.wait || !accepted.is_success() {
                return Ok(accepted);
            }
            let content_id = accepted.json().and_then(|body| body.get("id")?.as_str().map(str::to_owned));
            let Some(content_id) = content_id else { return Ok(accepted) };
            let status = GetKnowledgeContentStatus {
                content_id,
                db_id: self.db_id.clone(),
                knowledge_id: self.knowledge_id.clone(),
            };
            processed(client, options, accepted, &status, self.poll.as_ref()).await
        })
    }
}

/// Asks after a document until it is processed. The answer is that of the upload, with the status of the end; of one that
/// was processed, the document as it is stored.
async fn processed(
    client: &Client,
    options: &CallOptions,
    accepted: Exchange,
    status: &GetKnowledgeContentStatus,
    poll: Option<&Poll>,
) -> Result<Exchange, Error> {
    let (every, within) = poll.cloned().unwrap_or_default().durations()?;
    let call = status.call()?;
    let started = Instant::now();
    loop {
        let asked = client.exchange(&call, options).await?;
        let word = asked.json().and_then(|body| body.get("status")?.as_str().map(str::to_owned));
        if !asked.is_success() || word.as_deref() != Some("processing") {
            let read = GetKnowledgeContent {
                content_id: status.content_id.clone(),
                db_id: status.db_id.clone(),
                knowledge_id: status.knowledge_id.clone(),
            };
            let mut exchange = client.exchange(&read.call()?, options).await?;
            exchange.first_byte = accepted.first_byte;
            exchange.duration = accepted.duration + started.elapsed();
            exchange.request = accepted.request;
            return Ok(exchange);
        }
        if let Some(within) = within.filter(|within| started.elapsed() + every > *within) {
            let message =
                format!("document `{}` is still processing after {}", status.content_id, seconds(within));
            return Err(Error {
                kind: ErrorKind::Unfinished(message),
                request: Some(Box::new(asked.request)),
            });
        }
        tokio::time::sleep(every).await;
    }
}
