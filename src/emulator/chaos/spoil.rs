//! Answers that go wrong.

use std::convert::Infallible;
use std::io;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use serde_json::json;

use super::LONGEST;
use crate::emulator::cast::faults::Fault;
use crate::emulator::refusal::Refusal;
use crate::emulator::reply;

/// The header that says which fault an answer suffered.
const HEADER: &str = "x-agentos-run-fault";

/// What is answered in the place of doing what was asked; nothing where that is done first.
pub(crate) async fn before(fault: &Fault) -> Option<Response> {
    match fault {
        Fault::Refuse => {
            let lost = stream::once(async { Err::<Bytes, _>(lost()) });
            Some(Response::new(Body::from_stream(lost)))
        }
        Fault::Status { status: 500, .. } => {
            Some(marked(Refusal::Unhandled("RuntimeError").into_response(), fault))
        }
        Fault::Status { status, retry_after } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let detail = status.canonical_reason().unwrap_or("Error");
            let mut response = reply::json(status, &json!({ "detail": detail }));
            if let Some(wait) = retry_after {
                // Whole seconds, and never too few.
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            Some(marked(response, fault))
        }
        Fault::Slow(wait) => {
            tokio::time::sleep((*wait).min(LONGEST)).await;
            None
        }
        Fault::Cut { .. } | Fault::Stall { .. } | Fault::Duplicate { .. } | Fault::Malformed { .. } => None,
    }
}

/// An answer that goes wrong on its way.
pub(crate) async fn spoil(fault: &Fault, response: Response) -> Response {
    let response = marked(response, fault);
    if matches!(fault, Fault::Slow(_)) {
        return response;
    }
    let is_stream = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let (mut head, body) = response.into_parts();
    if is_stream {
        return Response::from_parts(head, Body::from_stream(events(body, fault.clone())));
    }
    let Ok(whole) = to_bytes(body, usize::MAX).await else {
        return Response::from_parts(head, Body::empty());
    };
    let (first, second) = (whole.slice(..whole.len() / 2), whole.slice(whole.len() / 2..));
    match fault {
        Fault::Cut { .. } => {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
            let parts = stream::iter([Ok(first)]).chain(stream::once(async {
                flushed().await;
                Err(lost())
            }));
            Response::from_parts(head, Body::from_stream(parts))
        }
        Fault::Stall { wait, .. } => {
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
            let wait = (*wait).min(LONGEST);
            let parts = stream::iter([Ok::<_, Infallible>(first)]).chain(stream::once(async move {
                tokio::time::sleep(wait).await;
                Ok(second)
            }));
            Response::from_parts(head, Body::from_stream(parts))
        }
        // An answer in one piece cannot come twice.
        Fault::Malformed { .. } | Fault::Duplicate { .. } => Response::from_parts(head, Body::from(first)),
        Fault::Refuse | Fault::Status { .. } | Fault::Slow(_) => {
            Response::from_parts(head, Body::from(whole))
        }
    }
}

fn marked(mut response: Response, fault: &Fault) -> Response {
    if let Ok(name) = HeaderValue::from_str(&fault.name()) {
        response.headers_mut().insert(HEADER, name);
    }
    response
}

fn lost() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the connection is lost on purpose")
}

/// Lets the server send what it has, so that a lost connection takes nothing back.
async fn flushed() {
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
}

/// The events of a stream until something happens to one of them.
fn events(body: Body, fault: Fault) -> impl Stream<Item = Result<Bytes, io::Error>> {
    let frames = body.into_data_stream();
    stream::unfold((frames, fault, 0_u64, None, false), |state| async move {
        let (mut frames, fault, mut count, mut again, ended) = state;
        if ended {
            return None;
        }
        if let Some(frame) = again.take() {
            return Some((Ok(frame), (frames, fault, count, None, false)));
        }
        if let Fault::Cut { after } = fault
            && count >= after
        {
            flushed().await;
            return Some((Err(lost()), (frames, fault, count, None, true)));
        }
        let frame = match frames.next().await? {
            Ok(frame) => frame,
            Err(error) => return Some((Err(io::Error::other(error)), (frames, fault, count, None, true))),
        };
        // Comments keep a connection alive, and are no events.
        if !frame.starts_with(b"event:") {
            return Some((Ok(frame), (frames, fault, count, None, false)));
        }
        count += 1;
        let mut shown = frame;
        match &fault {
            Fault::Stall { after, wait } if count == after + 1 => {
                tokio::time::sleep((*wait).min(LONGEST)).await;
            }
            Fault::Duplicate { after } if count == after + 1 => again = Some(shown.clone()),
            Fault::Malformed { after } if count == after + 1 => shown = broken(&shown),
            _ => {}
        }
        Some((Ok(shown), (frames, fault, count, again, false)))
    })
}

/// An event whose data stops in the middle.
fn broken(frame: &Bytes) -> Bytes {
    let text = String::from_utf8_lossy(frame);
    let data = text.find("data: ").map_or(0, |at| at + 6);
    let mut end = data + (text.len() - data) / 2;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Bytes::from(format!("{}\n\n", text[..end].trim_end()))
}
