//! What an operation of AgentOS is. One operation is one type: its fields are the fields in YAML, the parameters of the
//! client, the arguments of the command line and the documentation.

mod catalogue;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use self::catalogue::{Entry, catalogue, find};
use super::error::{Error, ErrorKind};
use super::event::Component;
use super::runs::Beginning;
use super::stream::Opened;
use super::transport::{CallOptions, Client, Exchange};
use super::upload::FilePart;

/// What an operation is called and which request it sends.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The name in YAML, on the command line and (as a method) in AgentOSClient.
    pub name: &'static str,
    /// Names that people will type from other documentation.
    pub aliases: &'static [&'static str],
    /// What it is about.
    pub resource: Resource,
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{field}` where a field's value stands.
    pub path: &'static str,
    /// The fields that are sent in the query.
    pub query: &'static [&'static str],
    /// The fields of the query whose lists are sent as one value with commas; others are repeated.
    pub joined: &'static [&'static str],
    /// How the remaining fields are sent.
    pub body: Body,
    /// What it does to the server's data.
    pub effect: Effect,
    /// Whether it answers one page of a list: `{data: [...], meta: {...}}`.
    pub paged: bool,
    /// The version of agno that has it first, where that is not 2.3.
    pub since: Option<&'static str>,
}

impl Spec {
    /// An operation without aliases, query and body; what it does to the data follows from the method.
    pub const fn new(name: &'static str, resource: Resource, method: Method, path: &'static str) -> Self {
        let effect = match method {
            Method::Get | Method::Head | Method::Options => Effect::Read,
            Method::Post | Method::Patch | Method::Put => Effect::Write,
            Method::Delete => Effect::Delete,
        };
        Self {
            name,
            aliases: &[],
            resource,
            method,
            path,
            query: &[],
            joined: &[],
            body: Body::None,
            effect,
            paged: false,
            since: None,
        }
    }
}

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// What the AgentOS offers.
    Discovery,
    /// Agents and their runs.
    Agents,
    /// Teams and their runs.
    Teams,
    /// Workflows and their runs.
    Workflows,
    /// Stored conversations.
    Sessions,
    /// What is remembered of users.
    Memories,
    /// Documents that agents search.
    Knowledge,
    /// What happened within runs.
    Traces,
    /// Counts per day.
    Metrics,
    /// Evaluations of agents and teams.
    Evals,
    /// Databases.
    Databases,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "Discovery",
            Self::Agents => "Agents",
            Self::Teams => "Teams",
            Self::Workflows => "Workflows",
            Self::Sessions => "Sessions",
            Self::Memories => "Memories",
            Self::Knowledge => "Knowledge",
            Self::Traces => "Traces",
            Self::Metrics => "Metrics",
            Self::Evals => "Evals",
            Self::Databases => "Databases",
        })
    }
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
    Patch,
    Put,
    Delete,
    Head,
    Options,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Get, Self::Post, Self::Patch, Self::Put, Self::Delete, Self::Head, Self::Options];

    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the fields that are neither in the path nor in the query are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There are none.
    None,
    /// As a JSON object.
    Json,
    /// As a form, `application/x-www-form-urlencoded`; lists and mappings as JSON inside it. AgentOS takes runs in no
    /// other way: a JSON body is answered 422.
    Form,
}

/// What an operation does to the server's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Read,
    /// It adds or changes.
    Write,
    /// It takes away.
    Delete,
}

/// A future of the client.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An operation of AgentOS with its arguments.
pub trait Operation: Serialize + DeserializeOwned + JsonSchema + fmt::Debug + Send + Sync + 'static {
    /// Its name and its request.
    const SPEC: Spec;

    /// What the server answers; every field that a server may leave out is optional, and unknown ones are kept.
    type Answer: DeserializeOwned + Send;

    /// The request.
    fn call(&self) -> Result<Call, Error> {
        Call::of(&Self::SPEC, self)
    }

    /// Whether it asks for a stream of events.
    fn streams(&self) -> bool {
        false
    }

    /// The run that it begins or goes on with, if it does.
    fn begins(&self) -> Option<Beginning<'_>> {
        None
    }

    /// Sends it. The answer is returned whatever its status is; an error is a request that could not be sent or an
    /// answer that did not arrive whole. A stream is read to its end, and the answer put together from its events.
    /// Operations that take more than one request override this.
    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Box::pin(async move {
            let component = Component::of(Self::SPEC.resource);
            if let Some(component) = component.filter(|_| self.streams()) {
                return self.open(client, options).await?.collect(component).await;
            }
            let exchange = client.exchange(&self.call()?, options).await?;
            match (component, self.begins()) {
                (Some(component), Some(run)) => run.end(client, options, component, exchange).await,
                _ => Ok(exchange),
            }
        })
    }

    /// Sends it and gives the events of its answer as they come, where it asks for a stream. That of a run in the
    /// background survives a broken connection, see [`CallOptions::resume`].
    fn open<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Opened, Error>> {
        Box::pin(async move {
            if !self.streams() {
                return Ok(Opened::Answer(Box::new(self.execute(client, options).await?)));
            }
            let mut opened = client.open_stream(&self.call()?, options).await?;
            if let (Opened::Stream(stream), Some(component), Some(run)) =
                (&mut opened, Component::of(Self::SPEC.resource), self.begins())
                && run.background
            {
                stream.survive(client, options, component, run);
            }
            Ok(opened)
        })
    }
}

/// A request of the API before it has a server: method, path, query, body.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded, beginning with `/`.
    pub path: String,
    /// The query's pairs, not encoded.
    pub query: Vec<(String, String)>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: Payload,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Nothing.
    Empty,
    /// `application/json`.
    Json(Value),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, String)>),
    /// `multipart/form-data` of texts.
    Multipart(Vec<(String, String)>),
    /// `multipart/form-data` of texts and files.
    Upload {
        /// The texts.
        fields: Vec<(String, String)>,
        /// The files.
        files: Vec<FilePart>,
    },
    /// A text as it is; its type stands in the headers.
    Text(String),
}

impl Call {
    /// A request without query and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), headers: Vec::new(), payload: Payload::Empty }
    }

    /// The request of an operation: fields named in the path go there, those named in the query there, all others into
    /// the body; what is null or left out is not sent.
    pub fn of(spec: &Spec, operation: &impl Serialize) -> Result<Self, Error> {
        Self::of_value(spec, serde_json::to_value(operation))
    }

    fn of_value(spec: &Spec, fields: serde_json::Result<Value>) -> Result<Self, Error> {
        let fields = match fields {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => Map::new(),
            Err(error) => return Err(Error::invalid(format!("the arguments are no JSON: {error}"))),
        };
        let path = path_of(spec.path, |name| fields.get(name).map(plain).unwrap_or_default())?;
        let mut call = Self::new(spec.method, path);
        let in_path = |name: &str| spec.path.contains(&format!("{{{name}}}"));
        let mut body = Map::new();
        for (name, value) in fields {
            if value.is_null() || in_path(&name) {
                continue;
            }
            if spec.query.contains(&name.as_str()) {
                match &value {
                    Value::Array(items) if spec.joined.contains(&name.as_str()) => {
                        let items: Vec<String> = items.iter().map(plain).collect();
                        if let Some(item) = items.iter().find(|item| item.contains(',')) {
                            return Err(Error::invalid(format!(
                                "`{name}`: `{item}` has a comma, which separates entries"
                            )));
                        }
                        call.query.push((name, items.join(",")));
                    }
                    Value::Array(items) => {
                        call.query.extend(items.iter().map(|item| (name.clone(), plain(item))));
                    }
                    other => call.query.push((name, plain(other))),
                }
            } else {
                body.insert(name, value);
            }
        }
        call.payload = match spec.body {
            Body::None => Payload::Empty,
            Body::Json => Payload::Json(Value::Object(body)),
            Body::Form => {
                Payload::Form(body.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
            }
        };
        Ok(call)
    }
}

/// Whether what was deleted is gone: `look` must be answered 404.
pub(super) async fn confirm_gone(
    client: &Client,
    options: &CallOptions,
    look: &Call,
    what: &str,
) -> Result<(), Error> {
    let found = client.exchange(look, options).await?;
    let message = match found.status {
        404 => return Ok(()),
        200 => format!("the server said that it deleted {what}, but it is still there"),
        status => format!(
            "whether {what} is deleted cannot be told: the server answers {status} to the question: {}",
            found.refusal()
        ),
    };
    Err(Error { kind: ErrorKind::Unconfirmed(message), request: Some(Box::new(found.request)) })
}

/// A path out of one with `{field}` in it.
pub(super) fn path_of(template: &str, value: impl Fn(&str) -> String) -> Result<String, Error> {
    let mut path = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        path.push_str(before);
        let value = value(name);
        // `/sessions/` with nothing behind it is the list of all sessions: a `DELETE` there is another operation.
        if value.is_empty() {
            return Err(Error::invalid(format!("`{name}` is empty: it is a part of the path {template}")));
        }
        // Every URL library takes these, also encoded, for steps of the path: `DELETE /sessions/..` would go to `/`.
        if value == "." || value == ".." {
            return Err(Error::invalid(format!(
                "`{name}` is `{value}`, which no path can hold: the server cannot be asked for it"
            )));
        }
        path.extend(utf8_percent_encode(&value, SEGMENT));
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

/// A value as a text of a form or a query: strings as they are, everything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What may stand unencoded in one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An operation whose type is not known at compile time.
pub trait AnyOperation: fmt::Debug + Send + Sync {
    /// Its name and request.
    fn spec(&self) -> &'static Spec;
    /// See [`Operation::call`].
    fn call(&self) -> Result<Call, Error>;
    /// See [`Operation::streams`].
    fn streams(&self) -> bool;
    /// What it runs, if it runs something: whose events are its answer, see
    /// [`Transcript`](crate::agentos::Transcript).
    fn component(&self) -> Option<Component> {
        Component::of(self.spec().resource)
    }
    /// See [`Operation::execute`].
    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>>;
    /// See [`Operation::open`].
    fn open<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Opened, Error>>;
}

impl<O: Operation> AnyOperation for O {
    fn spec(&self) -> &'static Spec {
        &O::SPEC
    }

    fn call(&self) -> Result<Call, Error> {
        Operation::call(self)
    }

    fn execute<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Exchange, Error>> {
        Operation::execute(self, client, options)
    }

    fn streams(&self) -> bool {
        Operation::streams(self)
    }

    fn open<'a>(
        &'a self,
        client: &'a Client,
        options: &'a CallOptions,
    ) -> BoxFuture<'a, Result<Opened, Error>> {
        Operation::open(self, client, options)
    }
}
