//! Reading streams of events from servers that misbehave, and from a real AgentOS.

use std::time::Duration;

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::{
    CallOptions, Client, Component, Error, ErrorKind, Opened, Operation, Phase, RunEvent, RunStream,
    Timeouts, Transcript,
};
use futures_util::StreamExt;
use serde_json::json;

use super::server::{Act, Server, reply};

fn run() -> RunAgent {
    RunAgent { agent_id: "a".into(), message: "hi".into(), stream: true, ..RunAgent::default() }
}

fn head() -> Act {
    Act::Send(b"HTTP/1.1 200 OK\r\ncontent-type: Text/Event-Stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n".to_vec())
}

fn chunk(text: &str) -> Act {
    Act::Send(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

fn event(name: &str, content: &str) -> Act {
    let data = json!({"event": name, "run_id": "r", "agent_id": "a", "content": content});
    chunk(&format!("event: {name}\ndata: {data}\n\n"))
}

fn last() -> Act {
    Act::Send(b"0\r\n\r\n".to_vec())
}

async fn open(server: &Server, timeouts: Timeouts) -> Result<RunStream, Error> {
    let client = Client::builder(&server.url).build().unwrap();
    match run().open(&client, &CallOptions { timeouts, ..CallOptions::default() }).await? {
        Opened::Stream(stream) => Ok(*stream),
        Opened::Answer(exchange) => panic!("{exchange:?}"),
    }
}

async fn read(mut stream: RunStream) -> (Vec<RunEvent>, Option<Error>, RunStream) {
    let (mut events, mut error) = (Vec::new(), None);
    while let Some(next) = stream.next().await {
        assert!(error.is_none(), "nothing comes after an error");
        match next {
            Ok(event) => events.push(event),
            Err(caught) => error = Some(caught),
        }
    }
    (events, error, stream)
}

#[tokio::test]
async fn events_are_given_as_they_come() {
    let wait = Duration::from_millis(150);
    let server = Server::scripted(vec![vec![
        Act::Read,
        head(),
        event("RunStarted", ""),
        Act::Wait(wait),
        event("RunContent", "Hi"),
        event("RunCompleted", "Hi"),
        last(),
    ]]);
    let (events, error, stream) = read(open(&server, Timeouts::default()).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    let names: Vec<&str> = events.iter().map(|event| event.name.as_ref()).collect();
    assert_eq!(names, ["RunStarted", "RunContent", "RunCompleted"]);
    let timings = stream.timings();
    assert!(timings.first_event.unwrap() < wait && timings.first_content.unwrap() >= wait, "{timings:?}");
    assert!(
        timings.longest_gap >= wait / 2 && timings.duration >= timings.last_event.unwrap(),
        "{timings:?}"
    );
    assert_eq!((timings.events, timings.bytes > 100), (3, true));
    assert_eq!(stream.head().status, 200);
    assert!(server.log.lock().unwrap()[0].1.contains("stream=true"));
}

#[tokio::test]
async fn what_is_no_stream_is_an_answer() {
    let client = |server: &Server| Client::builder(&server.url).build().unwrap();
    let refusal = reply(404, "application/json", r#"{"detail":"Agent not found"}"#);
    let server = Server::scripted(vec![vec![Act::Read, Act::Send(refusal)]]);
    let opened = run().open(&client(&server), &CallOptions::default()).await.unwrap();
    let Opened::Answer(exchange) = opened else { panic!("{opened:?}") };
    assert_eq!((exchange.status, exchange.refusal().as_str()), (404, "Agent not found"));
    let failed = reply(500, "text/event-stream", "data: {}\n\n");
    let server = Server::scripted(vec![vec![Act::Read, Act::Send(failed)]]);
    let exchange = run().execute(&client(&server), &CallOptions::default()).await.unwrap();
    assert_eq!(exchange.status, 500);
    let plain = reply(200, "application/json", r#"{"status":"COMPLETED"}"#);
    let server = Server::scripted(vec![vec![Act::Read, Act::Send(plain)]]);
    let answer = client(&server).send(&run()).await.unwrap();
    assert_eq!(answer.status.as_deref(), Some("COMPLETED"));
}

#[tokio::test]
async fn a_broken_stream_says_what_had_come() {
    let server =
        Server::scripted(vec![vec![Act::Read, head(), event("RunContent", "Hi"), event("RunContent", "!")]]);
    let (events, error, _) = read(open(&server, Timeouts::default()).await.unwrap()).await;
    assert_eq!(events.len(), 2);
    let error = error.unwrap();
    assert!(matches!(error.kind, ErrorKind::Interrupted { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the stream broke off after 2 events, 3 characters of content, last event RunContent: the server closed the \
         connection"
    );
}

#[tokio::test]
async fn a_stream_that_ends_within_an_event() {
    let cut = |text: &str| {
        Server::scripted(vec![vec![Act::Read, head(), event("RunStarted", ""), chunk(text), last()]])
    };
    let (_, error, _) =
        read(open(&cut("event: RunContent\ndata: {\"con"), Timeouts::default()).await.unwrap()).await;
    assert_eq!(
        error.unwrap().to_string(),
        "the stream broke off after 1 event, 0 characters of content, last event RunStarted: it ended within an event"
    );
    // Whole but for the blank line.
    let (events, error, _) =
        read(open(&cut("event: RunCompleted\ndata: {\"run_id\":\"r\"}"), Timeouts::default()).await.unwrap())
            .await;
    assert!(error.is_none() && events[1].name == "RunCompleted", "{error:?}");
    let (_, error, _) =
        read(open(&cut("event: RunContent\ndata: <html>\n\n"), Timeouts::default()).await.unwrap()).await;
    assert!(error.unwrap().to_string().contains("the event RunContent is not a JSON object"));
}

#[tokio::test]
async fn an_incomplete_stream_is_an_error_of_the_whole() {
    let server = Server::scripted(vec![vec![Act::Read, head(), event("RunContent", "Hi"), last()]]);
    let client = Client::builder(&server.url).build().unwrap();
    let error = client.send(&run()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Incomplete(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the stream ended before its run did, after 1 event, 2 characters of content, last event RunContent"
    );
}

#[tokio::test]
async fn clocks_run_within_streams() {
    let (short, long) = (Duration::from_millis(120), Duration::from_millis(700));
    let silent =
        || Server::scripted(vec![vec![Act::Read, head(), event("RunContent", "Hi"), Act::Wait(long)]]);
    let idle = Timeouts { idle: Some(short), ..Timeouts::default() };
    let (events, error, _) = read(open(&silent(), idle).await.unwrap()).await;
    assert_eq!(events.len(), 1);
    assert!(matches!(error.unwrap().kind, ErrorKind::Timeout { phase: Phase::Idle, .. }));
    let total = Timeouts { total: Some(short), ..Timeouts::default() };
    let (_, error, _) = read(open(&silent(), total).await.unwrap()).await;
    assert!(matches!(error.unwrap().kind, ErrorKind::Timeout { phase: Phase::Total, .. }));
    // Comments are signs of life, and not of an end.
    let mut acts = vec![Act::Read, head()];
    for _ in 0..8 {
        acts.extend([chunk(": keepalive\n\n"), Act::Wait(short / 3)]);
    }
    acts.extend([event("RunCompleted", ""), last()]);
    let server = Server::scripted(vec![acts.clone()]);
    let (events, error, _) = read(open(&server, idle).await.unwrap()).await;
    assert!(error.is_none() && events.len() == 1, "{error:?}");
    let server = Server::scripted(vec![acts]);
    let (events, error, _) =
        read(open(&server, Timeouts { total: Some(short), ..idle }).await.unwrap()).await;
    assert!(
        matches!(error.unwrap().kind, ErrorKind::Timeout { phase: Phase::Total, .. }) && events.is_empty()
    );
}

#[tokio::test]
async fn a_stream_is_put_together() {
    let server = Server::scripted(vec![vec![
        Act::Read,
        head(),
        event("RunStarted", ""),
        event("RunContent", "Hi "),
        event("RunContent", "ü"),
        event("RunCompleted", "Hi ü"),
        last(),
    ]]);
    let client = Client::builder(&server.url).build().unwrap();
    let exchange = run().execute(&client, &CallOptions::default()).await.unwrap();
    let body = exchange.json().unwrap();
    assert_eq!((&body["content"], &body["status"]), (&json!("Hi ü"), &json!("COMPLETED")));
    assert_eq!(body["input"], json!({"input_content": "hi"}));
    assert_eq!(
        (exchange.status, exchange.header("content-type")),
        (200, Some("Text/Event-Stream; charset=utf-8"))
    );
}

/// Streams of a real AgentOS.
#[tokio::test]
async fn streams_of_a_real_agentos() {
    let client = Client::builder(crate::common::agentos().base_url()).build().unwrap();
    let unique = super::live::unique;
    let open = |agent: &str, message: &str| {
        let run = RunAgent {
            agent_id: agent.into(),
            message: message.into(),
            session_id: Some(unique("stream")),
            stream: true,
            ..RunAgent::default()
        };
        let client = client.clone();
        async move {
            match run.open(&client, &CallOptions::default()).await.unwrap() {
                Opened::Stream(stream) => *stream,
                Opened::Answer(exchange) => panic!("{exchange:?}"),
            }
        }
    };
    let (events, error, _) = read(open("assistant", "hello there").await).await;
    assert!(error.is_none());
    let mut transcript = Transcript::new(Component::Agent);
    events.into_iter().for_each(|event| transcript.push(event));
    assert_eq!((transcript.violations(), transcript.ttft().is_some()), (vec![], true));
    assert_eq!(transcript.body()["status"], "COMPLETED");
    let run =
        RunAgent { agent_id: "broken".into(), message: "go".into(), stream: true, ..RunAgent::default() };
    let failed = client.send(&run).await.unwrap();
    assert_eq!(failed.status.as_deref(), Some("ERROR"));
    let missing =
        RunAgent { agent_id: "nobody".into(), message: "go".into(), stream: true, ..RunAgent::default() };
    assert!(matches!(client.send(&missing).await.unwrap_err().kind, ErrorKind::Refused { .. }));
}
