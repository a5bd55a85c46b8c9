//! A headless Chromium, driven as `WebDriver` says, for pages that the program writes.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A browser with one window, until it is dropped.
pub(crate) struct Browser {
    driver: Child,
    url: String,
    session: String,
    _profile: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// What is to be done where there is none.
const MISSING: &str = "the HTML report is tested in Chromium: apt-get install chromium chromium-driver";

impl Browser {
    /// Panics where there is no Chromium: a test of a page that looks at no page would be none.
    pub(crate) fn start() -> Self {
        // One at a time: each is several processes, and all of them want all of the machine.
        static ONE: Mutex<()> = Mutex::new(());
        let turn = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        super::packages::need("chromium", &["chromium"]);
        super::packages::need("chromedriver", &["chromium-driver"]);
        // A port that was free may be taken when it is used.
        let (driver, url) = (0..5).find_map(|_| start_driver()).unwrap_or_else(|| {
            panic!("`chromedriver` does not say its port; {MISSING}");
        });
        let profile = tempfile::tempdir().unwrap();
        let mut arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ]
        .map(str::to_owned)
        .to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let answer = command(&url, "POST", "/session", &wanted);
        let session = answer["value"]["sessionId"].as_str();
        let session = session.unwrap_or_else(|| panic!("no Chromium: {answer}; {MISSING}")).to_owned();
        Self { driver, url, session, _profile: profile, _turn: turn }
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = command(&self.url, "POST", &format!("/session/{}{path}", self.session), body);
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].take()
    }

    /// Opens a file, with the fragment behind `#`.
    pub(crate) fn open(&self, file: &Path, fragment: &str) {
        let url = format!("file://{}{fragment}", file.canonicalize().unwrap().display());
        self.post("/url", &json!({ "url": url }));
    }

    /// What a piece of JavaScript returns.
    #[track_caller]
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What is seen of the first element that a selector matches.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({}).innerText", json!(selector));
        self.script(&script).as_str().unwrap_or_default().to_owned()
    }

    /// How many elements a selector matches.
    #[track_caller]
    pub(crate) fn count(&self, selector: &str) -> usize {
        let script = format!("return document.querySelectorAll({}).length", json!(selector));
        usize::try_from(self.script(&script).as_u64().unwrap()).unwrap()
    }

    /// Clicks as a person does: what is hidden or covered cannot be clicked.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str).unwrap();
        self.post(&format!("/element/{id}/click"), &json!({}));
        // What a new fragment of the address does, it does a moment later.
        self.script(
            "return new Promise(done => setTimeout(() => requestAnimationFrame(() => setTimeout(done))))",
        );
    }

    /// Types into an element.
    #[track_caller]
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str).unwrap();
        self.post(&format!("/element/{id}/value"), &json!({ "text": text }));
    }

    /// A command of the Chrome `DevTools` Protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// The screen of a phone.
    pub(crate) fn phone(&self) {
        let screen = json!({ "width": 390, "height": 800, "deviceScaleFactor": 2, "mobile": true });
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
    }

    /// What the page complained about.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _closed = command(&self.url, "DELETE", &format!("/session/{}", self.session), &json!({}));
        let _gone = self.driver.kill();
        let _waited = self.driver.wait();
    }
}

/// `ChromeDriver` on a port of its own choice; none where it ended before it said so.
fn start_driver() -> Option<(Child, String)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start `chromedriver`: {error}; {MISSING}"));
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.split_once("successfully on port ").map(|(_, port)| port.to_owned()));
    let Some(port) = port else {
        let _ended = driver.wait();
        return None;
    };
    // What it says later must find somebody who listens.
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, format!("http://127.0.0.1:{}", port.trim_end_matches('.'))))
}

/// A command of `WebDriver` and its answer. (`ChromeDriver` wants HTTP/1.1, and keeps the connection.)
fn command(url: &str, method: &str, path: &str, body: &Value) -> Value {
    let address = url.trim_start_matches("http://");
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n");
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().unwrap(),
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).unwrap();
    serde_json::from_slice(&answer).unwrap_or_default()
}
