//! From a call of the API to a request over HTTP.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Url, multipart};

use super::failure::Failure;
use super::{CallOptions, Client, SentRequest};
use crate::agentos::error::{Error, ErrorKind};
use crate::agentos::operation::{Call, Payload};
use crate::agentos::upload::{FilePart, FileSource};

/// A request that can be sent, also twice.
pub(super) struct Prepared {
    /// What is told of it.
    pub(super) sent: SentRequest,
    method: reqwest::Method,
    url: Url,
    headers: HeaderMap,
}

impl Client {
    /// The request that [`Client::exchange`] would send, without sending it.
    pub fn dry_run(&self, call: &Call, options: &CallOptions) -> Result<SentRequest, Error> {
        Ok(self.prepare(call, options)?.sent)
    }

    pub(super) fn prepare(&self, call: &Call, options: &CallOptions) -> Result<Prepared, Error> {
        let mut url = self.inner.base.join(&call.path)?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut headers = self.inner.headers.clone();
        if let Some(kind) = content_type(&call.payload) {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        for more in [&call.headers, &options.headers] {
            let more: Vec<_> =
                more.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
            replace(&mut headers, more);
        }
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in &headers {
            let (name, value) = check_header(name, value)?;
            map.append(name, value);
        }
        let method = reqwest::Method::from_bytes(call.method.as_str().as_bytes())
            .map_err(|error| Error::invalid(error.to_string()))?;
        let sent = SentRequest {
            method: call.method.as_str(),
            url: url.to_string(),
            headers,
            payload: call.payload.clone(),
        };
        Ok(Prepared { sent, method, url, headers: map })
    }
}

impl Prepared {
    /// Whether it may be sent twice without doing anything twice.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.sent.method, "GET" | "HEAD" | "OPTIONS")
    }

    pub(super) fn request(&self, http: &reqwest::Client) -> Result<reqwest::Request, Failure> {
        let mut builder = http.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        builder = match &self.sent.payload {
            Payload::Empty => builder,
            Payload::Json(value) => builder.body(value.to_string()),
            Payload::Form(pairs) => builder.body(encode_form(pairs)),
            Payload::Text(text) => builder.body(Bytes::copy_from_slice(text.as_bytes())),
            Payload::Multipart(parts) => {
                let form = parts.iter().fold(multipart::Form::new(), |form, (name, value)| {
                    form.text(name.clone(), value.clone())
                });
                // Its own type, which names the boundary, takes the place of ours.
                builder.multipart(form)
            }
            Payload::Upload { fields, files } => builder.multipart(upload(fields, files)?),
        };
        let mut request = builder
            .build()
            .map_err(|error| ErrorKind::Invalid(format!("no request: {}", super::failure::cause(&error))))?;
        if let Payload::Multipart(_) | Payload::Upload { .. } = self.sent.payload
            && let Some(kind) = request.headers().get_all(CONTENT_TYPE).iter().next_back().cloned()
        {
            request.headers_mut().insert(CONTENT_TYPE, kind);
        }
        Ok(request)
    }
}

/// A form with files. Those on disk are read while they are sent: none is ever in memory as a whole.
fn upload(fields: &[(String, String)], files: &[FilePart]) -> Result<multipart::Form, ErrorKind> {
    let mut form = multipart::Form::new();
    for (name, value) in fields {
        form = form.text(name.clone(), value.clone());
    }
    for file in files {
        let part = match &file.source {
            FileSource::Bytes(bytes) => {
                multipart::Part::stream_with_length(bytes.clone(), bytes.len() as u64)
            }
            FileSource::Path(path) => {
                let unreadable = |error: std::io::Error| {
                    ErrorKind::Invalid(format!("the file `{}` cannot be read: {error}", path.display()))
                };
                let opened = std::fs::File::open(path).map_err(unreadable)?;
                let length = opened.metadata().map_err(unreadable)?.len();
                multipart::Part::stream_with_length(tokio::fs::File::from_std(opened), length)
            }
        };
        let part = part
            .file_name(file.filename.clone())
            .mime_str(&file.content_type)
            .map_err(|_| ErrorKind::Invalid(format!("`{}` is no type of a file", file.content_type)))?;
        form = form.part(file.field.clone(), part);
    }
    Ok(form)
}

fn content_type(payload: &Payload) -> Option<&'static str> {
    match payload {
        Payload::Empty => None,
        Payload::Json(_) => Some("application/json"),
        Payload::Form(_) => Some("application/x-www-form-urlencoded"),
        Payload::Multipart(_) | Payload::Upload { .. } => Some("multipart/form-data"),
        Payload::Text(_) => Some("text/plain; charset=utf-8"),
    }
}

/// What may stand unencoded in a form. A space becomes `%20`, which every server understands as it does `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// The body of a form.
pub(super) fn encode_form(pairs: &[(String, String)]) -> String {
    let mut body = String::new();
    for (name, value) in pairs {
        if !body.is_empty() {
            body.push('&');
        }
        body.extend(utf8_percent_encode(name, FORM));
        body.push('=');
        body.extend(utf8_percent_encode(value, FORM));
    }
    body
}

/// Puts `more` in place of what `headers` has under the same names (in lower case).
pub(super) fn replace(headers: &mut Vec<(String, String)>, more: Vec<(String, String)>) {
    headers.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    headers.extend(more);
}

/// A header as HTTP has it. The message does not repeat the value: it may be a secret.
pub(super) fn check_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Error::invalid(format!("`{name}` cannot be the name of a header")))?;
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Error::invalid(format!("the value of the header `{name}` has characters that HTTP cannot carry"))
    })?;
    value.set_sensitive(name == "authorization");
    Ok((name, value))
}
