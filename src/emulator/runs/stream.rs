//! Event streams as responses.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::emulator::os::Os;

/// After this much silence a background stream says that it lives.
const SILENCE: Duration = Duration::from_secs(15);

/// A stream and where to put its frames.
pub(super) fn open() -> (UnboundedSender<Bytes>, Response) {
    let (sender, receiver) = unbounded_channel::<Bytes>();
    let frames = stream::unfold(receiver, |mut receiver| async move {
        let frame = receiver.recv().await?;
        Some((Ok::<_, Infallible>(frame), receiver))
    });
    (sender, response(frames))
}

/// The events of a run from its first on, to its end. The run does not mind who reads them.
pub(super) fn follow(os: &Os, run_id: &str) -> Response {
    let tape = os.live.open_tape(run_id);
    let from = tape.count();
    response(tape.follow(from, SILENCE, ": keepalive\n\n"))
}

pub(super) fn response(frames: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> Response {
    let mut response = Response::new(Body::from_stream(frames));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    response
}
