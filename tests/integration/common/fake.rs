//! A server that gives the answers no real one gives: garbage, half a body, silence.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How often a waiting thread looks whether it is still wanted.
const TICK: Duration = Duration::from_millis(20);

/// One answer: what is done on the connection, step by step. After the last step the connection stays open for
/// the next request, unless `and_close` says otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    steps: Vec<Step>,
    close: bool,
}

#[derive(Debug, Clone)]
enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    Hang,
}

impl Answer {
    /// Nothing yet: built up with `send`, `wait`, `hang` and `and_close`.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A whole and well-formed answer.
    pub(crate) fn of(status: u16, content_type: &str, body: &str) -> Self {
        let head = format!("Content-Type: {content_type}\r\nContent-Length: {}\r\n", body.len());
        Self::new().send(format!("HTTP/1.1 {status} Whatever\r\n{head}\r\n{body}"))
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", &body.to_string())
    }

    /// What a proxy or a login page says.
    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self::of(status, "text/html; charset=utf-8", body)
    }

    pub(crate) fn redirect(status: u16, location: &str) -> Self {
        Self::new()
            .send(format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"))
    }

    /// Nothing that is HTTP.
    pub(crate) fn garbage() -> Self {
        Self::new().send(b"\x00\xffSSH-2.0-not-http\r\n\x1b[31m\x07\r\n\r\n").and_close()
    }

    /// The connection is closed without a word.
    pub(crate) fn closed() -> Self {
        Self::new().and_close()
    }

    /// The connection stays open, and nothing ever comes.
    pub(crate) fn silence() -> Self {
        Self::new().hang()
    }

    /// The head says `total` bytes; only the given ones come, then the connection closes.
    pub(crate) fn cut_short(body: &str, total: usize) -> Self {
        Self::new()
            .send(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {total}\r\n\r\n{body}"
            ))
            .and_close()
    }

    /// A good answer with a header of this many bytes.
    pub(crate) fn huge_header(bytes: usize) -> Self {
        let header = "x".repeat(bytes);
        Self::new().send(format!(
            "HTTP/1.1 200 OK\r\nX-Huge: {header}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        ))
    }

    /// The head of an event stream, chunked as a real one is; `chunk` adds to it, `last_chunk` ends it.
    pub(crate) fn events() -> Self {
        Self::new().send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
    }

    /// One chunk of a chunked body.
    pub(crate) fn chunk(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.send(format!("{:x}\r\n", bytes.len())).send(bytes).send("\r\n")
    }

    /// One server-sent event in a chunk of its own.
    pub(crate) fn event(self, name: &str, data: &Value) -> Self {
        self.chunk(format!("event: {name}\ndata: {data}\n\n"))
    }

    /// The end of a chunked body.
    pub(crate) fn last_chunk(self) -> Self {
        self.send("0\r\n\r\n")
    }

    pub(crate) fn send(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.steps.push(Step::Send(bytes.as_ref().to_vec()));
        self
    }

    pub(crate) fn wait(mut self, time: Duration) -> Self {
        self.steps.push(Step::Wait(time));
        self
    }

    /// The same answer, later.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.steps.insert(0, Step::Wait(time));
        self
    }

    /// From here on nothing more comes, and the connection stays open.
    pub(crate) fn hang(mut self) -> Self {
        self.steps.push(Step::Hang);
        self
    }

    /// The connection is closed after the last step, though nothing in the answer says so.
    pub(crate) fn and_close(mut self) -> Self {
        self.close = true;
        self
    }
}

/// A request that the server got.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// 0 for the first connection of the server, 1 for the second ...
    pub(crate) connection: usize,
    /// The client wants no more than one answer on this connection.
    last: bool,
}

impl Request {
    /// The first header of this name, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON. Panics where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    /// The fields of a form, in the order in which they came.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let text = self.text();
        let fields = text.split('&').filter(|field| !field.is_empty());
        fields
            .map(|field| field.split_once('=').unwrap_or((field, "")))
            .map(|(n, v)| (decode(n), decode(v)))
            .collect()
    }

    /// `METHOD /path?query`, for comparing what was sent with what should have been.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn read(stream: &mut impl BufRead, connection: usize) -> Option<Self> {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let version = words.next().map(str::to_owned);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let last = version.as_deref() == Some("HTTP/1.0");
        let mut request = Self { method, path, headers, body: Vec::new(), connection, last };
        request.last |= request.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
        if request.header("transfer-encoding").is_some_and(|it| it.eq_ignore_ascii_case("chunked")) {
            loop {
                let mut size = String::new();
                stream.read_line(&mut size).ok()?;
                let size = usize::from_str_radix(size.trim(), 16).ok()?;
                let mut chunk = vec![0; size + 2];
                stream.read_exact(&mut chunk).ok()?;
                if size == 0 {
                    break;
                }
                request.body.extend_from_slice(&chunk[..size]);
            }
        } else if let Some(length) = request.header("content-length").and_then(|it| it.parse().ok()) {
            request.body = vec![0; length];
            stream.read_exact(&mut request.body).ok()?;
        }
        Some(request)
    }
}

/// The server: on a free port of 127.0.0.1, until it is dropped.
pub(crate) struct FakeServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl FakeServer {
    /// Answers each request as the function says.
    pub(crate) fn new(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (requests, stop, answer) = (Arc::clone(&requests), Arc::clone(&stop), Arc::new(answer));
            move || {
                for (connection, stream) in listener.incoming().enumerate() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (requests, stop, answer) =
                        (Arc::clone(&requests), Arc::clone(&stop), Arc::clone(&answer));
                    if let Ok(stream) = stream {
                        thread::spawn(move || serve(stream, connection, &requests, &stop, &*answer));
                    }
                }
            }
        });
        Self { address, requests, stop, thread: Some(thread) }
    }

    /// The same answer to every request.
    pub(crate) fn always(answer: Answer) -> Self {
        Self::new(move |_| answer.clone())
    }

    /// One answer after the other, whatever is asked; the last one from then on.
    pub(crate) fn sequence<I: IntoIterator<Item = Answer>>(answers: I) -> Self {
        let mut answers = answers.into_iter().collect::<Vec<_>>();
        assert!(!answers.is_empty(), "a sequence needs an answer");
        answers.reverse();
        let answers = Mutex::new(answers);
        Self::new(move |_| {
            let mut left = answers.lock().unwrap();
            if left.len() > 1 { left.pop().unwrap() } else { left[0].clone() }
        })
    }

    /// `http://127.0.0.1:<port>`, without a slash at its end.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has been asked so far, in the order in which it came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many of them are such.
    pub(crate) fn count(&self, such: impl Fn(&Request) -> bool) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| such(request)).count()
    }

    /// The same as `METHOD /path` lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Request::line).collect()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes `accept`.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    mut stream: TcpStream,
    connection: usize,
    requests: &Mutex<Vec<Request>>,
    stop: &AtomicBool,
    answer: &dyn Fn(&Request) -> Answer,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = Request::read(&mut reader, connection) {
        let answer = {
            // Told and answered under one lock, so that what came first is also answered first.
            let mut all = requests.lock().unwrap();
            all.push(request.clone());
            answer(&request)
        };
        for step in &answer.steps {
            match step {
                Step::Send(bytes) if stream.write_all(bytes).and_then(|()| stream.flush()).is_err() => return,
                Step::Send(_) => {}
                Step::Wait(time) => thread::sleep(*time),
                Step::Hang => {
                    while !stop.load(Ordering::Relaxed) && is_open(&stream) {
                        thread::sleep(TICK);
                    }
                    return;
                }
            }
        }
        if answer.close || request.last {
            return;
        }
    }
}

/// Whether the other side has not gone away.
fn is_open(stream: &TcpStream) -> bool {
    let _ = stream.set_nonblocking(true);
    let open = match stream.peek(&mut [0]) {
        Ok(count) => count > 0,
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    };
    let _ = stream.set_nonblocking(false);
    open
}

/// The base URL of a port that refuses connections.
pub(crate) fn nobody_listens() -> String {
    format!("http://127.0.0.1:{}", super::agentos::free_port())
}
