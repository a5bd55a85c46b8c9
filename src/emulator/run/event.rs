//! The events of a run, and where they go: into an SSE stream, or nowhere.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::Object;

/// Where events go.
#[derive(Debug)]
pub(crate) struct Sink {
    out: Option<UnboundedSender<Bytes>>,
    /// With `stream_events=false` only these are sent.
    only: Option<&'static [&'static str]>,
}

impl Sink {
    /// For a run that is answered in one piece.
    pub(crate) fn silent() -> Self {
        Self { out: None, only: None }
    }

    pub(crate) fn stream(out: UnboundedSender<Bytes>, only: Option<&'static [&'static str]>) -> Self {
        Self { out: Some(out), only }
    }

    /// Whether the run is streamed: it then differs in more than its events.
    pub(crate) fn streams(&self) -> bool {
        self.out.is_some()
    }

    /// Whether the client has gone away, which cancels a run in agno 3.1.10.
    pub(crate) fn gone(&self) -> bool {
        self.out.as_ref().is_some_and(UnboundedSender::is_closed)
    }

    /// Sends an event.
    pub(crate) fn send(&self, event: &Object) {
        let Some(out) = &self.out else { return };
        let name = event.get("event").and_then(Value::as_str).unwrap_or_default();
        if self.only.is_some_and(|only| !only.contains(&name)) {
            return;
        }
        let mut frame = format!("event: {name}\ndata: ");
        // One line: JSON escapes every line break in its strings.
        let _ = write!(frame, "{}", serde_json::to_string(event).unwrap_or_default());
        frame.push_str("\n\n");
        // A client that has gone away hears nothing.
        let _ = out.send(Bytes::from(frame));
    }
}
