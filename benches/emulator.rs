//! The embedded AgentOS beside the real one: the same requests to both, by the same connections, taking turns; how soon
//! it is ready; and a database of many sessions.
//!
//! The real one is `tests/agentos/server.py` in the Python environment that the tests made under `target/`, or in that
//! of `AGENTOS_BENCH_PYTHON`. Where there is none, its columns stay empty.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]
#![allow(dead_code, reason = "each benchmark uses its part of what they share")]

mod common;
#[path = "common/seed.rs"]
mod seed;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How many connections ask at the same time.
const CONNECTIONS: usize = 8;
/// How long each of the two is asked at a time, and how often they take turns.
const TURN: Duration = Duration::from_millis(1500);
const TURNS: u32 = 3;

fn main() {
    if !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let memory = Server::embedded(folder.path(), &[]);
    let file = Server::embedded(folder.path(), &["--db", "bench.db"]);
    let real = Server::real();
    println!("requests per second: {:<43} {:>12} {:>12} {:>8}", "", "embedded", "real", "ratio");
    let all: Vec<&Server> = real.iter().chain([&memory, &file]).collect();
    for server in &all {
        for turn in 0..3 {
            server.post(
                "/agents/assistant/runs",
                &format!("message=Hello+{turn}&stream=false&session_id=bench"),
            );
        }
    }
    let number = Arc::new(AtomicUsize::new(0));
    let get = |path: &'static str| move || format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    compare("GET /health", &all, &get("/health"));
    compare("GET /sessions/{id}, three runs", &all, &get("/sessions/bench"));
    compare("GET /sessions/{id}/runs, three runs", &all, &get("/sessions/bench/runs"));
    compare("GET /config", &all, &get("/config"));
    let next = number.clone();
    let run = move || {
        let id = next.fetch_add(1, Ordering::Relaxed);
        form("/agents/assistant/runs", &format!("message=Hello&stream=false&session_id=run-{id}"))
    };
    compare("POST /agents/{id}/runs, a session each", &all, &run);
    let next = number.clone();
    let session = move || {
        let body = format!("{{\"session_id\":\"made-{}\"}}", next.fetch_add(1, Ordering::Relaxed));
        let length = body.len();
        format!(
            "POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    compare("POST /sessions", &all, &session);
    compare("GET /sessions?limit=20", &all, &get("/sessions?limit=20"));
    drop((memory, file, real));
    ready(folder.path());
    many(folder.path());
}

/// Asks each server in turn, and prints how many requests each answered in a second.
fn compare(name: &str, servers: &[&Server], request: &(impl Fn() -> String + Sync)) {
    let mut answered = vec![0; servers.len()];
    for _ in 0..TURNS {
        for (server, answered) in servers.iter().zip(&mut answered) {
            *answered += server.answers(request);
        }
    }
    let rate = |answered: usize| f64::from(u32::try_from(answered).unwrap()) / (TURN * TURNS).as_secs_f64();
    let rates: Vec<f64> = answered.into_iter().map(rate).collect();
    let (real, embedded) = rates.split_at(rates.len() - 2);
    for (place, rate) in ["in memory", "in a file"].into_iter().zip(embedded) {
        let name = format!("{name}, {place}");
        match real.first() {
            Some(real) => println!("{name:<64} {rate:>12.0} {real:>12.0} {:>8.1}", rate / real),
            None => println!("{name:<64} {rate:>12.0}"),
        }
    }
}

/// From the start of the process to the first answer.
fn ready(folder: &Path) {
    for (name, arguments) in [("ready, in memory", &[][..]), ("ready, in a new file", &["--db", "new.db"])] {
        let mut times: Vec<Duration> = (0..10)
            .map(|_| {
                for end in ["", "-wal", "-shm"] {
                    let _ = std::fs::remove_file(folder.join(format!("new.db{end}")));
                }
                let since = Instant::now();
                let server = Server::embedded(folder, arguments);
                server.get("/health");
                since.elapsed()
            })
            .collect();
        times.sort();
        common::value(name, common::milliseconds(times[times.len() / 2]));
    }
}

/// Pages of a list of many sessions, each the median of several.
fn many(folder: &Path) {
    drop(Server::embedded(folder, &["--db", "many.db"]));
    seed::fill(&folder.join("many.db"));
    let server = Server::embedded(folder, &["--db", "many.db"]);
    // Who searches first waits until all sessions are in memory.
    let since = Instant::now();
    server.get("/sessions?limit=20&session_name=first");
    common::value(
        &format!("{} sessions: the first search", seed::SESSIONS),
        common::milliseconds(since.elapsed()),
    );
    println!("{:<64} {:>12} {:>12}", format!("a page of {} sessions:", seed::SESSIONS), "median", "worst");
    for path in [
        "/sessions?limit=20",
        "/sessions?limit=100",
        "/sessions?limit=20&page=2500",
        "/sessions?limit=20&page=5000",
        "/sessions?limit=20&sort_by=updated_at&sort_order=asc",
        "/sessions?limit=20&type=team",
        "/sessions?limit=20&user_id=user-7",
        "/sessions?limit=20&component_id=toolbox&type=agent&page=100",
        "/sessions?limit=20&sort_by=session_id",
        "/sessions?limit=20&session_name=name%20of%2099",
        "/sessions?limit=20&session_name=NAME",
        "/sessions?limit=20&session_name=name%20of%209999_&type=agent",
        "/sessions?limit=20&component_id=assistant&session_name=of%205&page=50",
        "/sessions?limit=20&user_id=user-7&session_name=name",
        "/sessions/s-50000",
    ] {
        let mut times: Vec<Duration> = (0..30)
            .map(|_| {
                let since = Instant::now();
                server.get(path);
                since.elapsed()
            })
            .collect();
        times.sort();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!("{:<64} {:>12} {:>12}", path, common::milliseconds(median), common::milliseconds(worst));
    }
    common::value("memory of that server, at its peak", common::mebibytes(server.peak()));
}

/// A server, real or embedded. It ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn embedded(folder: &Path, arguments: &[&str]) -> Self {
        let all = [&["serve", "--port", "0"], arguments].concat();
        let mut child = common::program(folder, &all).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split([' ', ',']).find_map(|word| word.strip_prefix("http://")).unwrap();
        Self { address: url.to_owned(), child }
    }

    /// The real one, where there is a Python environment for it.
    fn real() -> Option<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let python = std::env::var_os("AGENTOS_BENCH_PYTHON")
            .map_or_else(|| root.join("target/agentos-3.1.10/bin/python"), PathBuf::from);
        if !python.exists() {
            println!("no {}: the tests make it, or AGENTOS_BENCH_PYTHON names another", python.display());
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = std::process::Command::new(python)
            .args(["-B".as_ref(), root.join("tests/agentos/server.py").as_os_str()])
            .arg("--exit-with-stdin")
            .env("PORT", port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { address: format!("127.0.0.1:{port}"), child };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(&server.address).is_err() {
            assert!(Instant::now() < deadline, "the real AgentOS did not start");
            thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn get(&self, path: &str) {
        self.once(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
    }

    fn post(&self, path: &str, body: &str) {
        self.once(&form(path, body));
    }

    fn once(&self, request: &str) {
        Connection::open(&self.address).ask(request);
    }

    /// How many requests it answers in a turn.
    fn answers(&self, request: &(impl Fn() -> String + Sync)) -> usize {
        let answered = AtomicUsize::new(0);
        let until = Instant::now() + TURN;
        thread::scope(|scope| {
            for _ in 0..CONNECTIONS {
                scope.spawn(|| {
                    let mut connection = Connection::open(&self.address);
                    while Instant::now() < until {
                        connection.ask(&request());
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        answered.into_inner()
    }

    /// The most memory that it held, in KiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().split(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it has ended already, there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn form(path: &str, body: &str) -> String {
    let kind = "application/x-www-form-urlencoded";
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// As little of an HTTP client as answers with a known length need: what it costs is not the server's.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 1 << 20] }
    }

    fn ask(&mut self, request: &str) {
        self.stream.write_all(request.as_bytes()).unwrap();
        let (mut held, mut wanted) = (0, None);
        while wanted.is_none_or(|wanted| held < wanted) {
            let count = self.stream.read(&mut self.buffer[held..]).unwrap();
            assert!(
                count > 0,
                "the connection was closed: {}",
                String::from_utf8_lossy(&self.buffer[..held])
            );
            held += count;
            let Some(end) = self.buffer[..held].windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 2"), "{request}: {head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            wanted = Some(end + 4 + length.map_or(0, |length| length.trim().parse::<usize>().unwrap()));
        }
    }
}
