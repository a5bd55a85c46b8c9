//! As little HTTP as the harness itself needs, so that it does not lean on the client under test.

use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// What came back: status, head and body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    /// The body as JSON. Panics where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in the body of {self:#?}"))
    }
}

/// Sends one request to `http://host:port` and reads the answer to its end.
pub(crate) fn request(
    base_url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Response> {
    let address = base_url.strip_prefix("http://").expect("the base URL of a server of the tests is http://");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    // HTTP/1.0: the answer is neither chunked nor followed by another.
    let mut text =
        format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status =
        head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Response { status, head: head.to_owned(), body: body.to_owned() })
}

/// `GET path`. Panics where no answer comes.
pub(crate) fn get(base_url: &str, path: &str) -> Response {
    request(base_url, "GET", path, &[], "").unwrap_or_else(|error| panic!("GET {base_url}{path}: {error}"))
}

/// `POST path` with a JSON body.
pub(crate) fn post_json(base_url: &str, path: &str, body: &Value) -> Response {
    let headers = [("Content-Type", "application/json")];
    request(base_url, "POST", path, &headers, &body.to_string())
        .unwrap_or_else(|error| panic!("POST {base_url}{path}: {error}"))
}

/// `POST path` with a form, which is what the run endpoints take.
pub(crate) fn post_form(base_url: &str, path: &str, fields: &[(&str, &str)]) -> Response {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let body = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&");
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    request(base_url, "POST", path, &headers, &body)
        .unwrap_or_else(|error| panic!("POST {base_url}{path}: {error}"))
}
