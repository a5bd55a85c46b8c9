//! What the network's errors mean, in words for people. No message repeats a URL: it may hold a secret.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use rustls::CertificateError;

use super::builder::Base;
use crate::agentos::error::{ErrorKind, Phase};

/// Why an attempt to send a request failed.
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// Whether the connection was closed before anything of an answer came: if it was a kept one, nobody need have
    /// read the request.
    pub(super) stale: bool,
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, stale: false }
    }
}

impl Failure {
    /// What the network said before the head of the answer.
    pub(super) fn of_head(error: &reqwest::Error, base: &Base, connect: Option<Duration>) -> Self {
        if error.is_connect() {
            return match connect {
                Some(after) if error.is_timeout() => {
                    ErrorKind::Timeout { phase: Phase::Connect, after, progress: None }
                }
                _ => {
                    let base_url = base.shown.clone();
                    match distrust(error) {
                        Some(cause) => ErrorKind::Untrusted { base_url, cause },
                        None => ErrorKind::Unreachable { base_url, cause: connect_cause(error, base) },
                    }
                }
            }
            .into();
        }
        match hyper_error(error) {
            Some(hyper) if hyper.is_parse_too_large() => {
                ErrorKind::Unreadable("its head is larger than any server's should be".to_owned()).into()
            }
            Some(hyper) if hyper.is_parse() => {
                ErrorKind::Unreadable(format!("it is no HTTP ({})", cause(error))).into()
            }
            _ => {
                let (cause, closed) = break_cause(error);
                let cause = if closed { format!("{cause} before it answered") } else { cause };
                Self { kind: ErrorKind::Interrupted { received: 0, progress: None, cause }, stale: closed }
            }
        }
    }

    /// What the network said within the body of the answer.
    pub(super) fn of_body(error: &reqwest::Error, received: usize) -> Self {
        ErrorKind::Interrupted { received, progress: None, cause: break_cause(error).0 }.into()
    }

    /// Whether the connection failed, and others of its age may have too.
    pub(super) fn is_transport(&self) -> bool {
        matches!(self.kind, ErrorKind::Interrupted { .. } | ErrorKind::Unreadable(_))
    }

    pub(super) fn cause(&self) -> &str {
        match &self.kind {
            ErrorKind::Interrupted { cause, .. } | ErrorKind::Unreachable { cause, .. } => cause,
            _ => "",
        }
    }
}

/// The innermost cause of an error, without the number of the operating system.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    // The outermost text has the URL in it.
    if error.source().is_none() {
        return "unknown".to_owned();
    }
    let text = inner.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    // A sentence of the operating system's, within ours: "Connection refused".
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

fn connect_cause(error: &reqwest::Error, base: &Base) -> String {
    let cause = cause(error);
    if error.is_dns() {
        let host = base.url.host_str().unwrap_or_default();
        return format!("the host `{host}` is not known ({cause})");
    }
    // What rustls says to a server that answers in plain text.
    if cause.contains("InvalidContentType") {
        return "it does not speak TLS: is it an `http://` server?".to_owned();
    }
    cause
}

/// What is wrong with the certificate of the server, where that ended the connection.
fn distrust(error: &reqwest::Error) -> Option<String> {
    let refused = chain(error).find_map(|source| match unwrapped(source).downcast_ref() {
        Some(rustls::Error::InvalidCertificate(refused)) => Some(refused),
        _ => None,
    })?;
    Some(match refused {
        CertificateError::UnknownIssuer => {
            "its certificate is of an issuer that this system does not trust".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is of another host".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            // Written as `DnsName("localhost")`.
            let names: Vec<&str> =
                presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name)).collect();
            format!("its certificate is of another host: {}", names.join(", "))
        }
        other => format!("its certificate is refused: {other}"),
    })
}

/// Why a connection broke, and whether the other side closed it.
pub(super) fn break_cause(error: &reqwest::Error) -> (String, bool) {
    let closed_by_peer =
        chain(error).filter_map(|source| source.downcast_ref::<io::Error>()).find_map(|error| {
            match error.kind() {
                io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                    Some("the server reset the connection")
                }
                io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => {
                    Some("the server closed the connection")
                }
                _ => None,
            }
        });
    if let Some(cause) = closed_by_peer {
        return (cause.to_owned(), true);
    }
    match hyper_error(error) {
        Some(hyper) if hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed() => {
            ("the server closed the connection".to_owned(), true)
        }
        _ => (cause(error), false),
    }
}

/// What an error of input and output was made of, which is not its source.
fn unwrapped<'e>(error: &'e (dyn std::error::Error + 'static)) -> &'e (dyn std::error::Error + 'static) {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => unwrapped(inner),
        None => error,
    }
}

fn hyper_error(error: &reqwest::Error) -> Option<&hyper::Error> {
    chain(error).find_map(|source| source.downcast_ref())
}

/// The causes of an error, from the outermost inwards.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |inner| (*inner).source())
}
