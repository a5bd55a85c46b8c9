//! Runs that are streamed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{Server, names};

#[test]
fn streams_events() {
    let server = Server::start();
    // Left out, `stream` is true; so it is when empty.
    let events = server.stream("agents/assistant", &[("message", "hi there"), ("stream", "")]);
    assert_eq!(
        names(&events),
        [
            "RunStarted",
            "ModelRequestStarted",
            "RunContent",
            "RunContent",
            "RunContent",
            "RunContent",
            "ModelRequestCompleted",
            "RunContentCompleted",
            "RunCompleted"
        ]
    );
    let text: String = events
        .iter()
        .filter(|(name, _)| name == "RunContent")
        .map(|(_, data)| data["content"].as_str().unwrap())
        .collect();
    assert_eq!(text, "You said: hi there");
    assert_eq!(events.last().unwrap().1["content"], "You said: hi there");
    // The stored run can be had as soon as the stream has ended.
    let (run, session) = (&events[0].1["run_id"], &events[0].1["session_id"]);
    let path =
        format!("/agents/assistant/runs/{}?session_id={}", run.as_str().unwrap(), session.as_str().unwrap());
    assert_eq!(server.get(&path).ok()["events"].as_array().unwrap().len(), 5);

    let events = server.stream("agents/toolbox", &[("message", "explode")]);
    let names_of_tools: Vec<_> = names(&events).into_iter().filter(|name| name.starts_with("Tool")).collect();
    assert_eq!(names_of_tools, ["ToolCallStarted", "ToolCallCompleted", "ToolCallError"]);
    let events = server.stream("agents/confirmer", &[("message", "delete x")]);
    assert_eq!(names(&events)[2..], ["ModelRequestCompleted", "RunContentCompleted", "RunPaused"]);
    let events = server.stream("agents/broken", &[("message", "x")]);
    assert_eq!(events.last().unwrap().1["error_type"], "model_provider_error");
    assert_eq!(events.last().unwrap().0, "RunError");
    let only = [("message", "hi"), ("stream_events", "false")];
    assert_eq!(names(&server.stream("agents/assistant", &only)), ["RunContent"; 3]);

    let events = server.stream("teams/duo", &[("message", "hi")]);
    assert_eq!(names(&events).last(), Some(&"TeamRunCompleted"));
    let member = events.iter().find(|(name, _)| name == "RunCompleted").unwrap();
    assert_eq!(member.1["parent_run_id"], events[0].1["run_id"]);
    let events = server.stream("workflows/pipeline", &[("message", "hi")]);
    let steps: Vec<_> = names(&events).into_iter().filter(|name| !name.starts_with("Run")).collect();
    assert_eq!(
        steps,
        [
            "WorkflowStarted",
            "StepStarted",
            "ModelRequestStarted",
            "ModelRequestCompleted",
            "StepCompleted",
            "StepStarted",
            "StepOutput",
            "StepCompleted",
            "WorkflowCompleted"
        ]
    );
}

#[test]
fn a_client_that_leaves_cancels_its_stream() {
    let server = Server::start();
    let address = server.emulator.base_url().trim_start_matches("http://").to_owned();
    let mut socket = TcpStream::connect(&address).unwrap();
    let body = "message=40+words+delay%3D0.02&session_id=left&run_id=left-1";
    write!(
        socket,
        "POST /agents/slow/runs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut seen = [0; 2048];
    let _ = socket.read(&mut seen).unwrap();
    drop(socket);
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let run = server.get("/agents/slow/runs/left-1?session_id=left");
        if run.status == 200 {
            assert_eq!(run.json()["status"], "CANCELLED");
            break;
        }
        assert!(Instant::now() < until, "the run never ended");
        std::thread::sleep(Duration::from_millis(20));
    }
}
