//! Sending requests over HTTP and receiving whole answers, with a clock for each phase.

mod builder;
mod curl;
mod failure;
mod incoming;
mod pool;
mod prepare;
mod tap;

use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use serde_json::Value;

pub use self::builder::ClientBuilder;
pub(crate) use self::curl::quote;
use self::failure::Failure;
pub use self::incoming::Head;
pub(super) use self::incoming::Incoming;
use self::pool::{Pool, Pools};
use self::prepare::Prepared;
pub(super) use self::tap::Tapped;
pub use self::tap::{Heard, Listener, Tap};
use super::error::{Error, ErrorKind, Phase};
use super::operation::{Call, Operation, Payload};
use super::refusal::refusal_message;
use super::runs::RunRef;
use super::stream::{Opened, RunStream};

/// The longest body of an answer that is read, in bytes: 256 MiB. A longer one is an error, not a full memory.
pub const MAX_ANSWER: usize = 256 << 20;

/// A client of one AgentOS; cheap to clone, its connections are shared.
///
/// It needs a Tokio runtime with time and I/O. Redirects are not followed and nothing is retried, with one exception:
/// a `GET` that was sent on a kept connection which turns out to be closed is sent once more on a fresh one (and
/// [`Exchange::notes`] says so). agno closes a connection after an unhandled error without announcing it, so
/// connections are also not used again after any answer of 500 or more.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    base: builder::Base,
    headers: Vec<(String, String)>,
    timeouts: Timeouts,
    recovery_dir: std::path::PathBuf,
    pools: Pools,
    /// Whether this server is known to have no `POST /sessions/{id}/clear`.
    no_clear_route: AtomicBool,
}

/// How one call is sent, beyond what the client does for all.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    /// Further headers; they replace those of the client and of the operation that have the same name.
    pub headers: Vec<(String, String)>,
    /// The clocks; what is not set here is as the client has it.
    pub timeouts: Timeouts,
    /// How often the stream of a run in the background is taken up again where its connection breaks, from the event
    /// that was the last: 3 times where nothing is said. Runs in the foreground end with their connection.
    pub resume: Option<u32>,
    /// Who hears of all requests that this call takes, as they are sent and answered.
    pub tap: Option<Tap>,
    /// Where a run in the background is noted as soon as the server has named it, for whoever wants to cancel it while it
    /// is waited for. agno 3.1.10 gives some another id than was asked for.
    pub begun: Option<Arc<Mutex<Option<RunRef>>>>,
}

/// The clocks of a request. What is not set never runs out, but for the operating system's own limits. An operation that
/// takes several requests has them for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Option<Duration>,
    /// From the request to the head of the answer, connecting included.
    pub first_byte: Option<Duration>,
    /// Between two pieces of the answer.
    pub idle: Option<Duration>,
    /// All of it.
    pub total: Option<Duration>,
}

impl Timeouts {
    /// These clocks, and those of `other` where one is not set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            connect: self.connect.or(other.connect),
            first_byte: self.first_byte.or(other.first_byte),
            idle: self.idle.or(other.idle),
            total: self.total.or(other.total),
        }
    }
}

/// A request as it was sent.
#[derive(Clone)]
pub struct SentRequest {
    /// The method.
    pub method: &'static str,
    /// The whole URL, without the user and the password that the base URL may have had.
    pub url: String,
    /// All headers that we set, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: Payload,
}

impl fmt::Debug for SentRequest {
    // Any header may be a secret, so their values stay out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("SentRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("headers", &names)
            .field("payload", &self.payload)
            .finish()
    }
}

/// A request and its whole answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request.
    pub request: SentRequest,
    /// The status.
    pub status: u16,
    /// The headers of the answer, names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// From sending to the head of the answer.
    pub first_byte: Duration,
    /// From sending to the end of the answer.
    pub duration: Duration,
    /// What a reader should know of how it was done: what a fallback could not keep, which request was repeated.
    pub notes: Vec<String>,
}

impl Exchange {
    /// Whether the status is one of 200 to 299. A run that failed is 200 too: see [`crate::agentos::run::failure_of`].
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The server's message, where it refused: see [`refusal_message`].
    pub fn refusal(&self) -> String {
        refusal_message(self.status, &self.headers, &self.body)
    }
}

impl Client {
    /// A client of the AgentOS at `base_url`, such as `http://localhost:7777` or `https://example.org/os`.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url.into())
    }

    /// The server, without user, password and trailing slash.
    pub fn base_url(&self) -> &str {
        &self.inner.base.shown
    }

    /// Sends a request and reads its answer, whatever its status.
    pub async fn exchange(&self, call: &Call, options: &CallOptions) -> Result<Exchange, Error> {
        let prepared = self.prepare(call, options)?;
        let timeouts = options.timeouts.or(self.inner.timeouts);
        let tapped = options.tap.as_ref().map(|tap| tap.sent(&prepared.sent));
        let result = in_all(timeouts, self.exchange_prepared(&prepared, timeouts)).await;
        if let Some(tapped) = tapped {
            tapped.hear(&result.as_ref().map_or_else(Heard::Failed, Heard::Answered));
        }
        result.map_err(|kind| Error { kind, request: Some(Box::new(prepared.sent)) })
    }

    /// Sends an operation and reads its answer as its type. A status of 300 or more is
    /// [`ErrorKind::Refused`], an answer of another shape [`ErrorKind::Unreadable`].
    pub async fn send<O: Operation>(&self, operation: &O) -> Result<O::Answer, Error> {
        self.send_with(operation, &CallOptions::default()).await
    }

    /// [`Client::send`] with further headers or other clocks.
    pub async fn send_with<O: Operation>(
        &self,
        operation: &O,
        options: &CallOptions,
    ) -> Result<O::Answer, Error> {
        let exchange = operation.execute(self, options).await?;
        if !exchange.is_success() {
            return Err(Error {
                request: Some(Box::new(exchange.request.clone())),
                kind: ErrorKind::Refused { message: exchange.refusal(), exchange: Box::new(exchange) },
            });
        }
        // 204 has no body: the answer's type is `()`, or a value.
        let body: &[u8] = if exchange.body.is_empty() { b"null" } else { &exchange.body };
        serde_json::from_slice(body).map_err(|error| {
            let what = O::SPEC.name;
            let start = excerpt(&exchange.body);
            Error {
                kind: ErrorKind::Unreadable(format!("it is not what {what} answers: {error}: {start}")),
                request: Some(Box::new(exchange.request)),
            }
        })
    }

    /// Where a session that is being cleared is kept meanwhile.
    pub(super) fn recovery_dir(&self) -> &Path {
        &self.inner.recovery_dir
    }

    /// Whether this server is known to have no `POST /sessions/{id}/clear`.
    pub(super) fn no_clear_route(&self) -> &AtomicBool {
        &self.inner.no_clear_route
    }

    async fn exchange_prepared(
        &self,
        prepared: &Prepared,
        timeouts: Timeouts,
    ) -> Result<Exchange, ErrorKind> {
        let pool = self.inner.pools.get(timeouts.connect)?;
        // Read before sending: whether a connection of an earlier request may be taken for this one.
        let warm = pool.is_warm();
        let started = Instant::now();
        match self.attempt(&pool, prepared, timeouts, started).await {
            Ok(exchange) => Ok(exchange),
            Err(failure) => {
                if failure.is_transport() {
                    self.inner.pools.retire(&pool);
                }
                if !(failure.stale && warm && prepared.is_read()) {
                    return Err(failure.kind);
                }
                let fresh = self.inner.pools.get(timeouts.connect)?;
                let mut exchange = self
                    .attempt(&fresh, prepared, timeouts, started)
                    .await
                    .map_err(|failure| failure.kind)?;
                exchange.notes.push(format!(
                    "the kept connection turned out to be closed ({}): the request was sent once more on a fresh one",
                    failure.cause()
                ));
                Ok(exchange)
            }
        }
    }

    async fn attempt(
        &self,
        pool: &Arc<Pool>,
        prepared: &Prepared,
        timeouts: Timeouts,
        started: Instant,
    ) -> Result<Exchange, Failure> {
        let (head, response) = self.open(pool, prepared, timeouts, started).await?;
        read_whole(head, response, timeouts).await
    }

    /// Sends a request and reads the head of its answer.
    async fn open(
        &self,
        pool: &Arc<Pool>,
        prepared: &Prepared,
        timeouts: Timeouts,
        started: Instant,
    ) -> Result<(Head, reqwest::Response), Failure> {
        let request = prepared.request(pool.http())?;
        let response = within(timeouts.first_byte, Phase::FirstByte, pool.http().execute(request))
            .await?
            .map_err(|error| Failure::of_head(&error, &self.inner.base, timeouts.connect))?;
        let first_byte = started.elapsed();
        pool.set_warm();
        let status = response.status().as_u16();
        if status >= 500 {
            self.inner.pools.retire(pool);
        }
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let head = Head { request: prepared.sent.clone(), status, headers, first_byte, started };
        Ok((head, response))
    }

    /// Sends a request whose answer may be a stream of events. An answer that is none, a refusal above all, is read whole
    /// and given back as it is.
    pub async fn open_stream(&self, call: &Call, options: &CallOptions) -> Result<Opened, Error> {
        let prepared = self.prepare(call, options)?;
        let timeouts = options.timeouts.or(self.inner.timeouts);
        let tapped = options.tap.as_ref().map(|tap| tap.sent(&prepared.sent));
        let mut result = in_all(timeouts, self.open_prepared(&prepared, timeouts)).await;
        if let Some(tapped) = tapped {
            match &mut result {
                Ok(Opened::Answer(exchange)) => tapped.hear(&Heard::Answered(exchange)),
                Ok(Opened::Stream(stream)) => stream.tap(tapped),
                Err(kind) => tapped.hear(&Heard::Failed(kind)),
            }
        }
        result.map_err(|kind| Error { kind, request: Some(Box::new(prepared.sent)) })
    }

    async fn open_prepared(&self, prepared: &Prepared, timeouts: Timeouts) -> Result<Opened, ErrorKind> {
        let pool = self.inner.pools.get(timeouts.connect)?;
        let opened = async {
            let (head, response) = self.open(&pool, prepared, timeouts, Instant::now()).await?;
            if head.is_event_stream() {
                let stream = RunStream::new(head, Incoming::of(response), timeouts.idle, timeouts.total);
                return Ok(Opened::Stream(Box::new(stream)));
            }
            Ok(Opened::Answer(Box::new(read_whole(head, response, timeouts).await?)))
        };
        opened.await.map_err(|failure: Failure| {
            if failure.is_transport() {
                self.inner.pools.retire(&pool);
            }
            failure.kind
        })
    }
}

/// Reads an answer to its end.
async fn read_whole(
    head: Head,
    mut response: reqwest::Response,
    timeouts: Timeouts,
) -> Result<Exchange, Failure> {
    let too_long = || {
        let limit = MAX_ANSWER >> 20;
        Failure::from(ErrorKind::Unreadable(format!("it is larger than the limit of {limit} MiB")))
    };
    if response.content_length().is_some_and(|length| length > MAX_ANSWER as u64) {
        return Err(too_long());
    }
    let mut body = BytesMut::new();
    while let Some(piece) = within(timeouts.idle, Phase::Idle, response.chunk())
        .await?
        .map_err(|error| Failure::of_body(&error, body.len()))?
    {
        if body.len() + piece.len() > MAX_ANSWER {
            return Err(too_long());
        }
        body.extend_from_slice(&piece);
    }
    let duration = head.started.elapsed();
    Ok(head.into_exchange(body.freeze(), duration))
}

impl fmt::Debug for Client {
    // Headers hold secrets: they stay out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

/// What a request gives, unless the clock for all of it runs out first.
async fn in_all<T>(
    timeouts: Timeouts,
    request: impl Future<Output = Result<T, ErrorKind>>,
) -> Result<T, ErrorKind> {
    // In a box: what waits for it is moved more than once.
    within(timeouts.total, Phase::Total, Box::pin(request)).await.map_err(|failure| failure.kind)?
}

/// What `future` gives, unless the clock of its phase runs out first.
async fn within<T>(
    clock: Option<Duration>,
    phase: Phase,
    future: impl Future<Output = T>,
) -> Result<T, Failure> {
    match clock {
        None => Ok(future.await),
        Some(after) => tokio::time::timeout(after, future)
            .await
            .map_err(|_| ErrorKind::Timeout { phase, after, progress: None }.into()),
    }
}

/// The beginning of a body, for a message.
pub(super) fn excerpt(body: &[u8]) -> String {
    const LONGEST: usize = 120;
    if body.is_empty() {
        return "the body is empty".to_owned();
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * LONGEST)]);
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(LONGEST) {
        words.truncate(end);
        words.push_str("...");
    }
    format!("`{words}`")
}
