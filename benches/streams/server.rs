//! A server of event streams: as many bytes as wanted, events at known times, and one that swallows uploads.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How many bytes of events the large stream has.
pub(crate) const LENGTH: usize = 100 << 20;
/// The time between two events of a ticking stream, and how many it has.
pub(crate) const TICK: Duration = Duration::from_millis(20);
pub(crate) const TICKS: usize = 150;

pub(crate) struct Server {
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    // Whoever has heard enough hangs up.
                    let _ = serve(stream);
                });
            }
        });
        Self { url }
    }
}

/// How long ago an event was sent.
pub(crate) fn age(event: &serde_json::Map<String, serde_json::Value>) -> Duration {
    let sent = event.get("sent").and_then(serde_json::Value::as_u64).map(Duration::from_nanos);
    sent.map_or(Duration::ZERO, |sent| now().saturating_sub(sent))
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut close) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let header = header.trim().to_ascii_lowercase();
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            close |= header == "connection: close";
            if header.is_empty() {
                break;
            }
        }
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink())?;
        let asked = Instant::now();
        if !path.contains("/runs") {
            let body = "{}";
            write!(
                stream,
                "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{body}"
            )?;
            continue;
        }
        stream.write_all(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
        )?;
        if path.contains("/big/") {
            big(&mut stream)?;
        } else if path.contains("/ticking/") {
            let began = Instant::now();
            for tick in 1..=TICKS {
                thread::sleep((TICK * u32::try_from(tick).unwrap()).saturating_sub(began.elapsed()));
                let sent = format!(", \"sent\": {}", now().as_nanos());
                let name = if tick == TICKS { "RunCompleted" } else { "RunContent" };
                stream.write_all(chunk(name, &sent).as_bytes())?;
            }
        } else {
            stream.write_all(chunk("RunStarted", "").as_bytes())?;
            thread::sleep(Duration::from_millis(25));
            let waited = format!(", \"waited\": {}", asked.elapsed().as_nanos());
            stream.write_all(chunk("RunContent", &waited).as_bytes())?;
            stream.write_all(chunk("RunCompleted", "").as_bytes())?;
        }
        stream.write_all(b"0\r\n\r\n")?;
        if close {
            return Ok(());
        }
    }
}

/// As AgentOS sends an event: in a chunk of its own.
fn chunk(name: &str, more: &str) -> String {
    let event = format!(
        "event: {name}\ndata: {{\"created_at\": 1795315667, \"event\": \"{name}\", \"agent_id\": \"slow\", \"agent_name\": \"Slow\", \
         \"run_id\": \"0b2fcb2e-6a5a-4c7b-9bd7-4c5a3c1f9a40\", \"session_id\": \"63508eca-ea5c-4053-870c-a7528a725c47\", \
         \"nested_depth\": 0, \"content\": \"word \", \"content_type\": \"str\"{more}}}\n\n"
    );
    format!("{:x}\r\n{event}\r\n", event.len())
}

fn big(stream: &mut TcpStream) -> std::io::Result<()> {
    let one = chunk("RunContent", "");
    let block = one.repeat(256);
    let mut sent = 0;
    while sent < LENGTH {
        stream.write_all(block.as_bytes())?;
        sent += block.len();
    }
    stream.write_all(chunk("RunCompleted", "").as_bytes())
}
