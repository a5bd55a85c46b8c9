//! One of the two servers, and what it answers.

use super::script::{Saved, Step};
use crate::common::jwt::token;
use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use serde_json::{Map, Value};
use std::fmt;
use std::time::{Duration, Instant};

/// How long a thing that is waited for may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What signs the tokens of both servers.
pub(super) const SECRET: &str = "a secret of the differential tests";

/// A server to talk to. No connection is used twice: after an error a server closes it.
pub(super) struct Target {
    base_url: String,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Json(Value),
    /// The name and the data of each event; a comment has no data.
    Events(Vec<(String, Value)>),
    Text(String),
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(value) => write!(f, "{value}"),
            Self::Events(events) => events.iter().try_for_each(|(name, data)| writeln!(f, "{name} {data}")),
            Self::Text(text) => write!(f, "{text}"),
        }
    }
}

impl Target {
    pub(super) fn new(base_url: &str) -> Self {
        // The client is built without a TLS provider of its own.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            base_url: base_url.to_owned(),
            client: reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    /// Sends a request, saves what is to be saved of its answer, and tells it.
    pub(super) fn perform(&self, step: &Step, saved: &mut Saved) -> Result<Answer, String> {
        std::thread::sleep(Duration::from_millis(step.wait));
        let since = Instant::now();
        let answer = loop {
            let answer =
                self.runtime.block_on(self.send(step, saved)).map_err(|error| format!("{error:?}"))?;
            let Body::Json(body) = &answer.body else { break answer };
            let arrived = step.until.iter().all(|(at, value)| body.pointer(at) == Some(value));
            if arrived {
                break answer;
            }
            if since.elapsed() > PATIENCE {
                return Err(format!("never {:?}; at last: {body}", step.until));
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        for (name, save) in &step.save {
            let events;
            let body = match &answer.body {
                Body::Json(body) => body,
                Body::Events(all) => {
                    events = all.iter().map(|(_, data)| data.clone()).collect();
                    &events
                }
                Body::Text(text) => return Err(format!("no JSON to save `{name}` of: {text}")),
            };
            let at = if let Some(rest) = save.at.strip_prefix("/-1") {
                format!("/{}{rest}", body.as_array().map_or(0, Vec::len).saturating_sub(1))
            } else {
                save.at.clone()
            };
            let mut value = body.pointer(&at).cloned().ok_or_else(|| format!("nothing at {at} of {body}"))?;
            for (at, new) in &save.set {
                set(&mut value, at, new).ok_or_else(|| format!("nothing at {at} of {value}"))?;
            }
            saved.put(name, &value);
        }
        Ok(answer)
    }

    async fn send(&self, step: &Step, saved: &Saved) -> reqwest::Result<Answer> {
        let (method, path) =
            step.send.split_once(' ').unwrap_or_else(|| panic!("`{}`: METHOD /path", step.send));
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{}", self.base_url, saved.fill(path)));
        for (name, value) in &step.headers {
            request = request.header(name, saved.fill(value));
        }
        if let Some(claims) = &step.token {
            request = request.bearer_auth(token(SECRET, claims));
        }
        if let Some(json) = &step.json {
            let body = saved.fill_all(json).to_string();
            request = request.header("content-type", "application/json").body(body);
        }
        if let Some(form) = &step.form {
            let body = pairs(form, saved)
                .map(|(name, value)| format!("{}={}", escape(&name), escape(&value)))
                .collect::<Vec<_>>()
                .join("&");
            request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        }
        if let Some(form) = &step.multipart {
            request = request.multipart(multipart(form, saved));
        }
        if let Some(body) = &step.body {
            request = request.body(saved.fill(body));
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let streamed =
            headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let body = if streamed {
            Body::Events(events(&text))
        } else {
            serde_json::from_str(&text).map_or_else(|_| Body::Text(text), Body::Json)
        };
        Ok(Answer { status, headers, body })
    }
}

/// Puts a value where a pointer says, also where there is nothing in an object yet.
fn set(value: &mut Value, at: &str, new: &Value) -> Option<()> {
    let (parent, name) = at.rsplit_once('/')?;
    match value.pointer_mut(parent)? {
        Value::Object(fields) => {
            fields.insert(name.to_owned(), new.clone());
        }
        Value::Array(items) => *items.get_mut(name.parse::<usize>().ok()?)? = new.clone(),
        _ => return None,
    }
    Some(())
}

/// The fields of a form as texts, lists item by item.
fn pairs<'a>(form: &'a Map<String, Value>, saved: &'a Saved) -> impl Iterator<Item = (String, String)> + 'a {
    form.iter().flat_map(|(name, value)| {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        values.into_iter().map(|value| (name.clone(), text(&saved.fill_all(&value))))
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn multipart(form: &Map<String, Value>, saved: &Saved) -> Form {
    let mut parts = Form::new();
    for (name, value) in form {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        for value in values {
            let value = saved.fill_all(&value);
            let part = match value.as_object() {
                Some(file) => {
                    let of = |name: &str| file.get(name).and_then(Value::as_str);
                    let part = Part::text(of("text").unwrap_or_default().to_owned());
                    let part = part.file_name(of("filename").unwrap_or_default().to_owned());
                    of("type").into_iter().fold(part, |part, kind| part.mime_str(kind).unwrap())
                }
                None => Part::text(text(&value)),
            };
            parts = parts.part(name.clone(), part);
        }
    }
    parts
}

fn escape(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The frames of a stream. They are read by the letter: what is no frame of the expected form stands as it is.
fn events(text: &str) -> Vec<(String, Value)> {
    let frames = text.split("\n\n").filter(|frame| !frame.is_empty());
    frames
        .map(|frame| {
            let parsed = frame.strip_prefix("event: ").and_then(|rest| rest.split_once("\ndata: "));
            let parsed = parsed.and_then(|(name, data)| Some((name, serde_json::from_str(data).ok()?)));
            parsed.map_or_else(|| (frame.to_owned(), Value::Null), |(name, data)| (name.to_owned(), data))
        })
        .collect()
}
