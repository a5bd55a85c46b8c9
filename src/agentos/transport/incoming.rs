//! An answer between its head and its end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;

use super::{Exchange, SentRequest, failure};

/// The head of an answer, with the request that it answers.
#[derive(Debug, Clone)]
pub struct Head {
    /// The request.
    pub request: SentRequest,
    /// The status.
    pub status: u16,
    /// The headers of the answer, names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// From sending to the head of the answer.
    pub first_byte: Duration,
    /// When the request was sent.
    pub started: Instant,
}

impl Head {
    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether events follow: a status below 300 and `text/event-stream`.
    pub(super) fn is_event_stream(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        self.status < 300 && kind.eq_ignore_ascii_case("text/event-stream")
    }

    /// The exchange of this head with a body.
    pub(in crate::agentos) fn into_exchange(self, body: Bytes, duration: Duration) -> Exchange {
        Exchange {
            request: self.request,
            status: self.status,
            headers: self.headers,
            body,
            first_byte: self.first_byte,
            duration,
            notes: Vec::new(),
        }
    }
}

/// The pieces of a body as they come.
pub(in crate::agentos) struct Incoming(Option<Pieces>);

type Pieces = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

impl Incoming {
    pub(super) fn of(response: reqwest::Response) -> Self {
        Self(Some(Box::pin(response.bytes_stream())))
    }

    /// A body that has ended.
    pub(in crate::agentos) fn nothing() -> Self {
        Self(None)
    }

    /// The next piece; the error is why the connection broke.
    pub(in crate::agentos) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, String>>> {
        match &mut self.0 {
            None => Poll::Ready(None),
            Some(pieces) => pieces
                .as_mut()
                .poll_next(context)
                .map(|piece| piece.map(|piece| piece.map_err(|error| failure::break_cause(&error).0))),
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Incoming")
    }
}
