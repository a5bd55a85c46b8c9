//! The harness itself: that the real server is real, the fake one misbehaves as told, and the clean room is clean.

use crate::common::{
    self, Answer, FakeServer, Run, Settings,
    agentos::{at_least, version},
    http,
};
use serde_json::json;
use std::{io::Read, net::TcpStream, time::Duration};

#[test]
fn the_shared_agentos_is_the_demo_cast() {
    let server = common::agentos();
    assert_eq!(http::get(server.base_url(), "/health").json()["status"], "ok");
    let config = http::get(server.base_url(), "/config").json();
    assert_eq!(config["os_id"], "demo-os");
    let ids = |kind: &str| -> Vec<String> {
        config[kind].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        ids("agents"),
        [
            "assistant",
            "contextual",
            "toolbox",
            "confirmer",
            "external",
            "asker",
            "slow",
            "broken",
            "rememberer",
            "judge",
        ]
    );
    assert_eq!(ids("teams"), ["duo", "hitl-team", "slow-team", "broken-team"]);
    // Where a human has no say in workflows, there is none that waits for one.
    let workflows = ids("workflows");
    let others: Vec<&String> = workflows.iter().filter(|id| *id != "gated").collect();
    assert_eq!(others, ["pipeline", "slow-flow", "broken-flow"]);
    // Below 2.6 nothing tells the version.
    if at_least(2, 6) {
        assert_eq!(http::get(server.base_url(), "/info").json()["agno_version"], version());
    }
}

#[test]
fn the_assistant_remembers_within_a_session() {
    let server = common::agentos();
    let run = |session: &str, message: &str| {
        let fields = [("message", message), ("stream", "false"), ("session_id", session)];
        let body = http::post_form(server.base_url(), "/agents/assistant/runs", &fields).json();
        assert_eq!(body["status"], "COMPLETED", "{body:#}");
        body["content"].as_str().unwrap().to_owned()
    };
    assert_eq!(run("harness-memory", "My name is alice & I'm 100% here."), "Nice to meet you, Alice!");
    assert_eq!(run("harness-memory", "What's my name?"), "Your name is Alice.");
    assert_eq!(run("harness-other", "What's my name?"), "I don't know your name yet.");
}

#[test]
fn a_failure_is_in_the_body_not_in_the_status() {
    let fields = [("message", "hello"), ("stream", "false")];
    let answer = http::post_form(common::agentos().base_url(), "/agents/broken/runs", &fields);
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ERROR")));
    assert_eq!(answer.json()["content"], "offline: model provider failed");
}

#[test]
fn a_server_of_ones_own_can_have_a_security_key_and_ends_with_its_value() {
    let server = Settings::default().security_key("sesame").start();
    let url = server.base_url().to_owned();
    let ask = |headers: &[(&str, &str)]| http::request(&url, "GET", "/config", headers, "").unwrap().status;
    assert_eq!(ask(&[]), 401);
    assert_eq!(ask(&[("Authorization", "Bearer sesame")]), 200);
    drop(server);
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err(), "it still listens");
}

#[test]
fn a_server_of_ones_own_can_want_tokens() {
    let server = Settings::default().jwt("a secret of at least thirty-two bytes").user_isolation().start();
    assert_eq!(http::get(server.base_url(), "/config").status, 401, "{}", server.log());
}

#[test]
fn a_fake_server_records_and_answers_in_sequence() {
    let server =
        FakeServer::sequence([Answer::json(503, &json!({"detail": "later"})), Answer::html(200, "<html>")]);
    let first =
        http::post_form(&server.base_url(), "/agents/a/runs?x=1", &[("message", "a b&c=é"), ("n", "")]);
    assert_eq!((first.status, first.json()["detail"].as_str()), (503, Some("later")));
    assert_eq!(http::get(&server.base_url(), "/two").body, "<html>");
    assert_eq!(http::get(&server.base_url(), "/three").body, "<html>");
    assert_eq!(server.lines(), ["POST /agents/a/runs?x=1", "GET /two", "GET /three"]);
    let form = server.requests()[0].form();
    assert_eq!(form, [("message".into(), "a b&c=é".into()), ("n".into(), String::new())]);
}

#[test]
fn a_fake_server_breaks_off_and_stays_silent() {
    let cut = FakeServer::always(Answer::cut_short("{\"a\":", 100));
    assert_eq!(http::get(&cut.base_url(), "/").body, "{\"a\":");
    assert!(http::request(&FakeServer::always(Answer::closed()).base_url(), "GET", "/", &[], "").is_err());

    let silent = FakeServer::always(Answer::silence());
    let mut stream = TcpStream::connect(silent.base_url().strip_prefix("http://").unwrap()).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(stream.read(&mut [0]).is_err(), "a timeout was expected");

    assert!(http::request(&common::nobody_listens(), "GET", "/", &[], "").is_err());
}

#[test]
fn the_clean_room_runs_the_binary_and_scrubs_what_it_says() {
    let output = Run::new().file("a/b.yaml", "name: x\n").arg("--help").run().code_is(0);
    assert_eq!(output.read("a/b.yaml"), "name: x\n");
    assert_eq!(output.then().dir(), output.dir());
    let text = format!(
        "{}/a.yaml took 1.23 s (12 ms, timeout: 30s) at http://127.0.0.1:41234/x on agno 3.1.10, \
         run 0b1c2d3e-0000-4000-8000-0123456789ab, 2026-11-21T23:03:36.908814Z",
        output.dir().display()
    );
    assert_eq!(
        output.scrub(&text),
        "[dir]/a.yaml took [time] ([time], timeout: 30s) at [url]/x on agno [version], run [uuid], [date]"
    );
}
