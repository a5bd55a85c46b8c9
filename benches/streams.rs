//! What reading streams costs: 100 MB of events beside reading their bytes alone, many streams at once, the time to the
//! first content, and a large upload.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod common;
#[path = "streams/server.rs"]
mod server;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::sse::Decoder;
use agentos_run::agentos::{CallOptions, Client, Component, Opened, Operation as _, RunStream, Transcript};
use futures_util::StreamExt as _;

const WORDS: [&str; 5] = ["--tcp", "--http", "--decode", "--events", "--answer"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, url] = arguments.as_slice()
        && WORDS.contains(&word.as_str())
    {
        return read_all(word, url);
    }
    if !common::wanted() {
        return;
    }
    let server = server::Server::start();
    let mode = |word: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([word, &server.url]).env_clear();
        command
    };
    common::head();
    let costs = common::cpu(5, 1, WORDS.map(&mode));
    let [tcp, http, decode, events, answer] = costs;
    let size = server::LENGTH >> 20;
    common::value(&format!("{size} MiB of events: the bytes, raw TCP"), common::milliseconds(tcp));
    common::row("  the bytes, by HTTP; floor: raw TCP", http, tcp);
    common::row("  decoded; floor: the bytes by HTTP", decode, http);
    common::row("  as typed events; floor: the bytes by HTTP", events, http);
    common::row("  put together to an answer; the same floor", answer, http);
    for (word, what) in [("--http", "the bytes"), ("--events", "typed events"), ("--answer", "an answer")] {
        let peak = common::peak_memory(&mut mode(word));
        common::value(&format!("memory: {what}"), common::mebibytes(peak));
    }

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(side_by_side(&server.url));
    runtime.block_on(first_content(&server.url));

    let folder = tempfile::tempdir().unwrap();
    for (name, megabytes) in [("small", 2_usize), ("large", 200)] {
        let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
        let block = vec![b'x'; 1 << 20];
        (0..megabytes).for_each(|_| file.write_all(&block).unwrap());
        let file = format!("file={name}");
        let arguments = ["call", "--base-url", &server.url, "upload_knowledge_content", &file];
        let peak = common::peak_memory(&mut common::program(folder.path(), &arguments));
        common::value(&format!("memory: upload of {megabytes} MiB"), common::mebibytes(peak));
    }
}

/// One way to read the stream to its end, in a process of its own.
fn read_all(word: &str, url: &str) {
    if word == "--tcp" {
        let mut socket = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let body = "message=x&stream=true";
        write!(socket, "POST /agents/big/runs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut buffer = vec![0; 256 << 10];
        let mut total = 0;
        while let count @ 1.. = socket.read(&mut buffer).unwrap() {
            total += count;
        }
        assert!(total > server::LENGTH);
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match word {
            "--http" => bytes(url, |_| ()).await,
            "--decode" => {
                let (mut decoder, mut events, mut length) = (Decoder::new(), 0_usize, 0_usize);
                bytes(url, |piece| {
                    let count = |event: agentos_run::agentos::sse::Event<'_>| {
                        events += 1;
                        length += event.data.len();
                    };
                    decoder.feed(piece, count).unwrap();
                })
                .await;
                assert!(events > 100_000 && length > server::LENGTH / 2);
            }
            "--events" => {
                let mut stream = open(url, "big").await;
                let (mut text, mut of_runs) = (0, 0);
                while let Some(event) = stream.next().await {
                    let event = event.unwrap();
                    text += event.delta().map_or(0, str::len);
                    of_runs += usize::from(event.run_id().is_some() && !event.is_nested());
                }
                assert!(text > 1 << 20 && of_runs > 100_000);
            }
            _ => {
                let mut transcript = Transcript::new(Component::Agent).without_events();
                let mut stream = open(url, "big").await;
                while let Some(event) = stream.next().await {
                    transcript.push(event.unwrap());
                }
                assert_eq!(transcript.incomplete(), None);
            }
        }
    });
}

/// The body of the stream, by the HTTP client that the crate has, and nothing else.
async fn bytes(url: &str, mut take: impl FnMut(&[u8])) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let answer = client.post(format!("{url}/agents/big/runs")).body("message=x&stream=true").send().await;
    let mut pieces = answer.unwrap().bytes_stream();
    while let Some(piece) = pieces.next().await {
        take(&piece.unwrap());
    }
}

async fn open(url: &str, agent: &str) -> RunStream {
    let client = Client::builder(url).build().unwrap();
    open_by(&client, agent).await
}

async fn open_by(client: &Client, agent: &str) -> RunStream {
    let run = RunAgent { agent_id: agent.into(), message: "x".into(), stream: true, ..RunAgent::default() };
    match run.open(client, &CallOptions::default()).await.unwrap() {
        Opened::Stream(stream) => *stream,
        Opened::Answer(exchange) => panic!("{exchange:?}"),
    }
}

/// Many streams at once, each with an event every so often: how late is the latest of all events?
async fn side_by_side(url: &str) {
    let client = Client::builder(url).build().unwrap();
    let began = Instant::now();
    let streams = (0..200).map(|_| async {
        let mut stream = open_by(&client, "ticking").await;
        let mut late = Vec::new();
        while let Some(event) = stream.next().await {
            late.push(server::age(event.unwrap().data()));
        }
        (late, stream.timings().longest_gap)
    });
    let all = futures_util::future::join_all(streams).await;
    let took = began.elapsed();
    let gap = all.iter().map(|(_, gap)| *gap).max().unwrap();
    let mut late: Vec<Duration> = all.into_iter().flat_map(|(late, _)| late).collect();
    late.sort_unstable();
    assert_eq!(late.len(), 200 * server::TICKS);
    let ideal = server::TICK * u32::try_from(server::TICKS).unwrap();
    common::row("200 streams at once; floor: their own time", took, ideal);
    common::value("  the longest silence", common::milliseconds(gap));
    common::value("  an event is seen after, median", common::milliseconds(late[late.len() / 2]));
    common::value("  99 of 100", common::milliseconds(late[late.len() * 99 / 100]));
    common::value("  the latest", common::milliseconds(late[late.len() - 1]));
}

/// How often the time to the first content is taken.
const RUNS: usize = 300;

/// The time to the first content, beside what the server knows of it.
async fn first_content(url: &str) {
    let client = Client::builder(url).build().unwrap();
    let mut errors = Vec::new();
    for _ in 0..RUNS {
        let mut stream = open_by(&client, "late").await;
        let mut transcript = Transcript::new(Component::Agent);
        let mut waited = Duration::ZERO;
        while let Some(event) = stream.next().await {
            let event = event.unwrap();
            if let Some(nanoseconds) = event.data().get("waited").and_then(serde_json::Value::as_u64) {
                waited = Duration::from_nanos(nanoseconds);
            }
            transcript.push(event);
        }
        errors.push(transcript.ttft().unwrap().abs_diff(waited));
    }
    let connecting = errors[0];
    errors.sort_unstable();
    common::value("ttft beside the server's: median error", common::milliseconds(errors[RUNS / 2]));
    common::value("  99 of 100", common::milliseconds(errors[RUNS * 99 / 100]));
    common::value(&format!("  the largest of {RUNS}"), common::milliseconds(errors[RUNS - 1]));
    common::value("  the first, which connects", common::milliseconds(connecting));
}
