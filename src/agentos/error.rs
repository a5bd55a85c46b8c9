//! Why a request of the client failed.

use std::borrow::Cow;
use std::time::Duration;

use super::transport::{Exchange, SentRequest};

/// A failure of the client, with the request that failed where one was made.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    /// What happened.
    pub kind: ErrorKind,
    /// The request as it was sent or would have been.
    pub request: Option<Box<SentRequest>>,
}

/// What happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The arguments make no request.
    #[error("{0}")]
    Invalid(String),
    /// No connection came about.
    #[error("cannot reach {base_url}: {cause}")]
    Unreachable {
        /// The server that was tried.
        base_url: String,
        /// What the network said.
        cause: String,
    },
    /// The server's certificate does not prove who it is, or there is nobody whose word is trusted for that.
    #[error("cannot trust {base_url}: {cause}")]
    Untrusted {
        /// The server that was tried.
        base_url: String,
        /// What is wrong with its certificate.
        cause: String,
    },
    /// A clock ran out.
    #[error("{}", crate::agentos::error::too_long(*.phase, *.after, progress.as_ref()))]
    Timeout {
        /// Which clock.
        phase: Phase,
        /// What it was set to.
        after: Duration,
        /// How far a stream had come.
        progress: Option<Progress>,
    },
    /// The connection broke before the answer was complete.
    #[error("{}", crate::agentos::error::broken_off(*.received, progress.as_ref(), cause))]
    Interrupted {
        /// How many bytes of the body had come.
        received: usize,
        /// How far a stream had come.
        progress: Option<Progress>,
        /// What the network said.
        cause: String,
    },
    /// A stream ended although its run had not: no event says that it completed, paused, failed or was cancelled.
    #[error("{0}")]
    Incomplete(String),
    /// Something that goes on in the background did not end in time.
    #[error("{0}")]
    Unfinished(String),
    /// What came is no HTTP, or not what the operation answers.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
    /// The server answered with a status of 300 or more: redirects are not followed.
    #[error("the server refused with {}: {message}", exchange.status)]
    Refused {
        /// The server's message.
        message: String,
        /// The whole answer.
        exchange: Box<Exchange>,
    },
    /// The server said that something was done, and a look showed that it was not.
    #[error("{0}")]
    Unconfirmed(String),
    /// A session was deleted in order to be created anew, and that failed.
    #[error("{0}")]
    Recovery(String),
}

/// Which of the clocks of a request ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Until the connection stood.
    Connect,
    /// From the request to the head of the answer.
    FirstByte,
    /// Between two pieces of the answer.
    Idle,
    /// All of it.
    Total,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::FirstByte => "the first byte of the answer",
            Self::Idle => "a pause within the answer",
            Self::Total => "the request",
        })
    }
}

impl Error {
    /// Arguments that make no request.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Invalid(message.into()), request: None }
    }
}

/// How far the answer had come when the connection broke.
fn broken_off(received: usize, progress: Option<&Progress>, cause: &str) -> String {
    if cause.ends_with("before it answered") {
        return format!("no answer came: {cause}");
    }
    if let Some(progress) = progress {
        return format!("the stream broke off {}: {cause}", progress.after());
    }
    let bytes = if received == 1 { "byte" } else { "bytes" };
    format!("the answer broke off after {received} {bytes}: {cause}")
}

/// Which clock ran out, and how far a stream had come.
fn too_long(phase: Phase, after: Duration, progress: Option<&Progress>) -> String {
    let time = seconds(after);
    match (phase, progress) {
        (Phase::Idle, Some(progress)) => {
            format!("the stream went silent {}: nothing came for {time}", progress.after())
        }
        (_, Some(progress)) => {
            format!("{phase} took longer than {time}; the stream was cut {}", progress.after())
        }
        (_, None) => format!("{phase} took longer than {time}"),
    }
}

/// How far a stream came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many events came.
    pub events: usize,
    /// How many characters of the answer came.
    pub characters: usize,
    /// The name of the last event.
    pub last: Option<Cow<'static, str>>,
}

impl Progress {
    /// "after 5 events, ...", or that none came.
    pub(super) fn after(&self) -> String {
        if self.last.is_some() { format!("after {self}") } else { "before its first event".to_owned() }
    }
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(last) = &self.last else { return f.write_str("no event") };
        let s = |count: usize| if count == 1 { "" } else { "s" };
        write!(f, "{} event{}, ", self.events, s(self.events))?;
        write!(f, "{} character{} of content, last event {last}", self.characters, s(self.characters))
    }
}

/// A duration in the words of a message: `250 ms`, `2.5 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", (duration.as_secs_f64() * 1000.0).round() / 1000.0)
    }
}
