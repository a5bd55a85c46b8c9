//! Listening in on what a client sends and gets, request by request: for traces.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Exchange, Head, SentRequest};
use crate::agentos::error::ErrorKind;
use crate::agentos::event::RunEvent;

/// Whoever listens.
pub trait Listener: Send + Sync {
    /// Something was sent or came, at this moment; `number` tells requests apart.
    fn hear(&self, number: u64, heard: &Heard<'_>);
}

/// What was sent or came.
#[derive(Debug)]
pub enum Heard<'a> {
    /// A request goes out.
    Sent(&'a SentRequest),
    /// Its whole answer is there.
    Answered(&'a Exchange),
    /// Its answer is a stream, of which this is the head.
    Opened(&'a Head),
    /// An event of that stream.
    Event(&'a RunEvent),
    /// There is no answer, or no more of it.
    Failed(&'a ErrorKind),
}

/// A listener that calls carry: see [`super::CallOptions::tap`].
#[derive(Clone)]
pub struct Tap {
    listener: Arc<dyn Listener>,
    numbers: Arc<AtomicU64>,
}

impl Tap {
    /// Requests are counted from 1.
    pub fn new(listener: Arc<dyn Listener>) -> Self {
        Self { listener, numbers: Arc::default() }
    }

    pub(super) fn sent(&self, request: &SentRequest) -> Tapped {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let tapped = Tapped { listener: Arc::clone(&self.listener), number };
        tapped.hear(&Heard::Sent(request));
        tapped
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

/// A request that is listened to.
pub(in crate::agentos) struct Tapped {
    listener: Arc<dyn Listener>,
    number: u64,
}

impl Tapped {
    pub(in crate::agentos) fn hear(&self, heard: &Heard<'_>) {
        self.listener.hear(self.number, heard);
    }
}
