//! The embedded AgentOS, spoken to over plain HTTP: it must answer as agno 3.1.10 does.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod background;
mod chaos;
mod discovery;
mod durability;
mod human;
mod identity;
mod memories;
mod observed;
mod runs;
mod server;
mod sessions;
mod streams;

use agentos_run::emulator::{Emulator, Options};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// A running server and what it takes to talk to it.
struct Server {
    emulator: Emulator,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

/// What came back.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a 200.
    fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// Asserts a refusal with a text.
    fn refused(&self, status: u16, detail: &str) {
        assert_eq!((self.status, self.json()), (status, json!({ "detail": detail })));
    }

    /// Asserts a 422 with one problem of this type at this place.
    fn invalid(&self, kind: &str, loc: &Value) -> Value {
        assert_eq!(self.status, 422, "{}", self.text);
        let problem = self.json()["detail"][0].clone();
        assert_eq!((problem["type"].as_str(), &problem["loc"]), (Some(kind), loc), "{problem}");
        problem
    }

    /// The events of a stream: names and data.
    fn events(&self) -> Vec<(String, Value)> {
        assert_eq!(self.header("content-type"), "text/event-stream; charset=utf-8");
        let frames = self.text.strip_suffix("\n\n").unwrap().split("\n\n");
        frames
            .map(|frame| {
                let (name, data) = frame.split_once('\n').unwrap();
                let name = name.strip_prefix("event: ").unwrap();
                let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                // A workflow that waits tells its whole run under no name of its own.
                assert!(data["event"] == name || name == "WorkflowRunOutput", "{name}: {data}");
                (name.to_owned(), data)
            })
            .collect()
    }
}

impl Server {
    fn start() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        // The client is built without a TLS provider of its own.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            emulator: Emulator::start(options).unwrap(),
            client: Client::new(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.emulator.base_url()))
    }

    fn send(&self, request: RequestBuilder) -> Answer {
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Answer { status, headers, text: response.text().await.unwrap() }
        })
    }

    fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path))
    }

    fn raw(&self, method: &str, path: &str, media: &str, body: &str) -> Answer {
        self.send(self.request(method, path).header("content-type", media).body(body.to_owned()))
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.raw(method, path, "application/json", &body.to_string())
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let escape = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        self.raw("POST", path, "application/x-www-form-urlencoded", &pairs.join("&"))
    }

    /// A run that is answered in one piece.
    fn run(&self, component: &str, fields: &[(&str, &str)]) -> Value {
        let mut all = vec![("stream", "false")];
        all.extend(fields);
        self.form(&format!("/{component}/runs"), &all).ok()
    }

    fn stream(&self, component: &str, fields: &[(&str, &str)]) -> Vec<(String, Value)> {
        self.form(&format!("/{component}/runs"), fields).events()
    }
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|item| item["session_id"].as_str().unwrap()).collect()
}
