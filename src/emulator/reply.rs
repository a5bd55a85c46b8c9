//! Responses: JSON without spaces, as FastAPI sends it.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::run::Object;

/// A JSON answer.
pub(crate) fn json<T: Serialize + ?Sized>(status: StatusCode, body: &T) -> Response {
    // A `Value` or a struct with string keys always serialises; were it not so, an empty body is the honest rest.
    of_bytes(status, serde_json::to_vec(body).unwrap_or_default())
}

fn of_bytes(status: StatusCode, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A JSON object in which one field has a text of JSON for its value.
pub(crate) fn spliced(status: StatusCode, fields: &Object, name: &str, text: &str) -> Response {
    let mut bytes = Vec::with_capacity(text.len() + 512);
    bytes.push(b'{');
    for (index, (key, value)) in fields.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        // Keys and values always serialise, as above.
        let _ = serde_json::to_writer(&mut bytes, key);
        bytes.push(b':');
        if key == name {
            bytes.extend_from_slice(text.as_bytes());
        } else {
            let _ = serde_json::to_writer(&mut bytes, value);
        }
    }
    bytes.push(b'}');
    of_bytes(status, bytes)
}

/// A JSON answer with status 200.
pub(crate) fn ok<T: Serialize + ?Sized>(body: &T) -> Response {
    json(StatusCode::OK, body)
}

/// 204, as deletions answer: with the type of the JSON that is not there.
pub(crate) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
