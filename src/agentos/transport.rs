//! Sending requests over HTTP and receiving whole answers, with a clock for each phase.

use std::time::Duration;

use super::error::Error;
use super::operation::{Call, Operation};

/// A client of one AgentOS; cheap to clone, its connections are shared.
#[derive(Clone)]
pub struct Client {}

/// How one call is sent, beyond what the client does for all.
#[derive(Debug, Clone, Default)]
pub struct CallOptions {
    /// Further headers; they replace those of the client.
    pub headers: Vec<(String, String)>,
    /// The clocks.
    pub timeouts: Timeouts,
}

/// The clocks of a request. What is not set never runs out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Option<Duration>,
    /// From the request to the head of the answer.
    pub first_byte: Option<Duration>,
    /// Between two pieces of the answer.
    pub idle: Option<Duration>,
    /// All of it.
    pub total: Option<Duration>,
}

/// A request as it was sent.
#[derive(Debug, Clone)]
pub struct SentRequest {
    /// The method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// All headers that we set, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub payload: super::operation::Payload,
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
    pub body: bytes::Bytes,
    /// From sending to the head of the answer.
    pub first_byte: Duration,
    /// From sending to the end of the answer.
    pub duration: Duration,
    /// What a reader should know of how it was done: what a fallback could not keep, which request was repeated.
    pub notes: Vec<String>,
}

impl Client {
    /// Sends a request and reads its answer, whatever its status.
    pub async fn exchange(&self, _call: &Call, _options: &CallOptions) -> Result<Exchange, Error> {
        Err(Error::invalid("not there yet"))
    }

    /// Sends an operation and reads its answer as its type; a status of 400 or more is an error.
    pub async fn send<O: Operation>(&self, _operation: &O) -> Result<O::Answer, Error> {
        Err(Error::invalid("not there yet"))
    }
}
