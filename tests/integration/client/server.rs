//! Servers for tests: one that follows a script per connection, one that answers by a function.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A step of a script.
#[derive(Clone)]
pub(crate) enum Act {
    /// Read one whole request.
    Read,
    /// Send these bytes.
    Send(Vec<u8>),
    /// Do nothing.
    Wait(Duration),
}

/// What has come: the number of the connection, from 0, and the request.
pub(crate) type Log = Arc<Mutex<Vec<(usize, String)>>>;

/// A server that is there for as long as the test runs.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) log: Log,
}

impl Server {
    /// Connection `n` follows script `n` and is closed at its end. There are no more connections than scripts.
    pub(crate) fn scripted(scripts: Vec<Vec<Act>>) -> Self {
        Self::start(move |index, stream, log| {
            for act in scripts.get(index).into_iter().flatten() {
                match act {
                    Act::Read => match read_request(stream) {
                        Some(request) => log.lock().unwrap().push((index, request)),
                        None => return,
                    },
                    Act::Send(bytes) => {
                        let _ = stream.write_all(bytes);
                    }
                    Act::Wait(time) => thread::sleep(*time),
                }
            }
        })
    }

    /// Every request is answered by `answer`: from its method, path and body to status and JSON.
    pub(crate) fn answering(
        answer: impl Fn(&str, &str, &str) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |index, stream, log| {
            while let Some(request) = read_request(stream) {
                log.lock().unwrap().push((index, request.clone()));
                let (head, body) = request.split_once("\r\n\r\n").unwrap();
                let mut words = head.split(' ');
                let (status, json) = answer(words.next().unwrap(), words.next().unwrap(), body);
                let _ = stream.write_all(&reply(status, "application/json", &json));
            }
        })
    }

    fn start(serve: impl Fn(usize, &mut TcpStream, &Log) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Log::default();
        let (serve, shared) = (Arc::new(serve), Arc::clone(&log));
        thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let (serve, log) = (Arc::clone(&serve), Arc::clone(&shared));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    // What is sent in pieces comes in pieces, and at once.
                    let _ = stream.set_nodelay(true);
                    serve(index, &mut stream, &log);
                });
            }
        });
        Self { url, log }
    }

    /// The first lines of the requests, with the numbers of their connections.
    pub(crate) fn lines(&self) -> Vec<(usize, String)> {
        let log = self.log.lock().unwrap();
        log.iter().map(|(index, request)| (*index, request.lines().next().unwrap().to_owned())).collect()
    }
}

/// A whole answer that keeps the connection open.
pub(crate) fn reply(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}
