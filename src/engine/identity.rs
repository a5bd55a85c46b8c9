//! Who a step's request comes from: an identity of the project file, with a token that is used for some time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::agentos::{Error, Identity};

/// An identity that requests can be sent from.
#[derive(Debug)]
pub struct Sender {
    identity: Identity,
    /// How long the headers of one request serve for the next ones. A token for every request would be a secret for
    /// every request: each is masked in all that is shown.
    reuse: Duration,
    latest: Mutex<Option<(Instant, Headers)>>,
}

type Headers = Vec<(String, String)>;

impl Sender {
    /// Sends from `identity`; its headers are made anew after `reuse`.
    pub fn new(identity: Identity, reuse: Duration) -> Self {
        Self { identity, reuse, latest: Mutex::default() }
    }

    /// The headers of a request that is sent now.
    pub fn headers(&self) -> Result<Headers, Error> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, headers)) = &*latest
            && made.elapsed() < self.reuse
        {
            return Ok(headers.clone());
        }
        let headers = self.identity.headers()?;
        *latest = Some((Instant::now(), headers.clone()));
        Ok(headers)
    }
}
