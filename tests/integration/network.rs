//! Servers and networks that misbehave: each fault is called by its name and ends with the right exit code.

use crate::common::{Answer, FakeServer, Output, Run, Settings, nobody_listens};
use serde_json::json;
use std::time::{Duration, Instant};

const ASK: &str = "steps:\n  - get_sessions: {}\n";

fn run(base_url: &str, scenario: &str) -> Output {
    Run::new().file("a.yaml", scenario).args(["--base-url", base_url, "a.yaml"]).run()
}

/// What a step is said to have failed of, where the server is fine at first and then answers so.
fn fault(answer: Answer) -> String {
    fault_of(answer, ASK)
}

fn fault_of(answer: Answer, scenario: &str) -> String {
    let server = FakeServer::new(move |request| match request.path.as_str() {
        "/config" => Answer::json(200, &json!({})),
        _ => answer.clone(),
    });
    let began = Instant::now();
    let output = run(&server.base_url(), scenario).code_is(1);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}: {output}", began.elapsed());
    // The message, with the lines that it is wrapped to.
    let text = output.scrubbed();
    let lines = text.lines().skip_while(|line| !line.trim_start().starts_with('×'));
    let message = lines.take_while(|line| !line.contains('╭'));
    message.map(|line| line.trim().trim_start_matches(['×', '│']).trim()).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_no_http() {
    insta::assert_snapshot!(fault(Answer::garbage()), @"get_sessions: the answer cannot be read: it is no HTTP (invalid HTTP version parsed)");
}

#[test]
fn a_page_where_json_is_expected() {
    insta::assert_snapshot!(fault(Answer::html(200, "<html><title>Please log in</title></html>")), @"get_sessions: the answer is not JSON (text/html; charset=utf-8); it begins with `<html><title>Please log in</title></html>`");
    insta::assert_snapshot!(fault(Answer::html(502, "<html><head><title>502 Bad Gateway</title></head></html>")), @"get_sessions was refused with 502: an HTML page: 502 Bad Gateway");
    insta::assert_snapshot!(fault(Answer::of(503, "text/plain", "upstream connect error")), @"get_sessions was refused with 503: upstream connect error");
    insta::assert_snapshot!(fault(Answer::of(200, "application/json", "")), @"get_sessions: the answer is empty where JSON was expected");
    insta::assert_snapshot!(fault(Answer::of(200, "application/json", "{\"data\": [")), @r#"
    get_sessions: the answer is not JSON (application/json); it begins with `{"data": [`
    "#);
}

#[test]
fn half_a_body() {
    insta::assert_snapshot!(fault(Answer::cut_short("{\"data\": [", 500)), @"get_sessions: the answer broke off after 10 bytes: the server closed the connection");
    insta::assert_snapshot!(fault(Answer::events().chunk("{\"data\"").and_close()), @"get_sessions: the answer broke off after 7 bytes: the server closed the connection");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let place = format!("{}/elsewhere", server.base_url());
    insta::assert_snapshot!(fault(Answer::redirect(307, &place)), @"get_sessions was refused with 307: redirects to [url]/elsewhere");
    assert!(server.requests().is_empty(), "credentials are for the target alone");
}

#[test]
fn nothing_at_all() {
    insta::assert_snapshot!(fault(Answer::closed()), @"get_sessions: no answer came: the server closed the connection before it answered");
}

#[test]
fn a_head_too_large() {
    insta::assert_snapshot!(fault(Answer::huge_header(2_000_000)), @"get_sessions: the answer cannot be read: its head is larger than any server's should be");
}

#[test]
fn silence_ends_with_the_clock_that_is_set() {
    let clock = |answer: Answer, timeout: &str| {
        fault_of(answer, &format!("steps:\n  - get_sessions: {{}}\n    timeout: {timeout}\n"))
    };
    let begun = || Answer::new().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{").hang();
    insta::assert_snapshot!(clock(Answer::silence(), "100ms"), @"get_sessions: the request took longer than [time]");
    insta::assert_snapshot!(clock(Answer::silence(), "{ first_byte: 100ms, total: 1m }"), @"get_sessions: the first byte of the answer took longer than [time]");
    insta::assert_snapshot!(clock(begun(), "{ idle: 100ms, total: 1m }"), @"get_sessions: a pause within the answer took longer than [time]");
    insta::assert_snapshot!(clock(begun(), "{ first_byte: 100ms, total: 300ms }"), @"get_sessions: the request took longer than [time]");
}

#[test]
fn the_time_of_steps_can_be_set_for_all() {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/config" => Answer::json(200, &json!({})),
        _ => Answer::silence(),
    });
    let run = Run::new().file("a.yaml", ASK).args([
        "--base-url",
        &server.base_url(),
        "--step-timeout",
        "100ms",
        "a.yaml",
    ]);
    let output = run.run().code_is(1);
    assert!(output.stdout.contains("get_sessions: the request took longer than 100 ms"), "{output}");
}

#[test]
fn an_error_that_is_expected_is_a_success() {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/config" => Answer::json(200, &json!({})),
        _ => Answer::silence(),
    });
    let scenario = "steps:\n  - get_sessions: {}\n    timeout: 100ms\n    expect: { error: { contains: longer than } }\n";
    run(&server.base_url(), scenario).code_is(0);
}

/// What is said before anything runs.
fn stopped(base_url: &str, arguments: &[&str]) -> String {
    let output = Run::new()
        .file("a.yaml", ASK)
        .args(["--base-url", base_url, "a.yaml"])
        .args(arguments)
        .run()
        .code_is(3);
    assert_eq!(output.stdout, "", "nothing ran");
    output.scrub(&output.stderr)
}

#[test]
fn a_target_that_is_not_there_stops_the_run() {
    insta::assert_snapshot!(stopped(&nobody_listens(), &[]), @"
    target::unreachable

      × cannot reach [url]: connection refused
      help: is it running, and is the address right? `--embedded` runs without a server
    ");
    insta::assert_snapshot!(stopped("http://no-such-host.invalid", &[]), @"
    target::unreachable

      × cannot reach http://no-such-host.invalid: the host `no-such-host.invalid` is not known (failed
      │ to lookup address information: Name or service not known)
      help: is it running, and is the address right? `--embedded` runs without a server
    ");
    insta::assert_snapshot!(stopped(&FakeServer::always(Answer::garbage()).base_url(), &[]), @"
    target::unreadable

      × [url]: the answer cannot be read: it is no HTTP (invalid HTTP version parsed)
      help: something is there: is it an AgentOS?
    ");
    insta::assert_snapshot!(stopped(&FakeServer::always(Answer::closed()).base_url(), &[]), @"
    target::unreadable

      × [url]: no answer came: the server closed the connection before it answered
      help: something is there: is it an AgentOS?
    ");
    insta::assert_snapshot!(stopped(&FakeServer::always(Answer::silence()).base_url(), &["--step-timeout", "100ms"]), @"
    target::unreachable

      × [url]: the request took longer than [time]
      help: is it running, and is the address right? `--embedded` runs without a server
    ");
}

#[test]
fn a_target_that_refuses_the_credentials_stops_the_run() {
    let refusal = Answer::json(401, &json!({"detail": "Authorization header required"}));
    insta::assert_snapshot!(stopped(&FakeServer::always(refusal).base_url(), &[]), @"
    target::credentials

      × [url] refused the credentials with 401: Authorization header required
      help: give a token with --token or AGENTOS_TOKEN, or headers with -H or in the project file
    ");
}

#[test]
fn addresses_that_are_none() {
    for url in ["ftp://example.com", "127.0.0.1:7777", "http://", "http://127.0.0.1:99999", "not a url"] {
        let output = run(url, ASK);
        assert_eq!((output.code, &*output.stdout), (2, ""), "{url}: {output}");
    }
    let output = run("localhost:7777", ASK).code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    target::invalid

      × the base URL has no scheme, or `localhost` is not one: write `http://` or `https://` before it
    ");
}

#[test]
fn headers_that_are_none() {
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let complaint = |header: &str| {
        let run =
            Run::new().file("a.yaml", ASK).args(["--base-url", &server.base_url(), "-H", header, "a.yaml"]);
        let output = run.run().code_is(2);
        assert!(!output.stderr.contains("s3cret"), "{output}");
        output.scrub(&output.stderr)
    };
    insta::assert_snapshot!(complaint("s3cret-without-a-name"), @"
    cli::header

      × a header is written 'Name: value'
      help: -H 'X-Tenant: acme'; the value is not repeated here, it may be a secret
    ");
    insta::assert_snapshot!(complaint("X Y: s3cret"), @"
    target::invalid

      × `x y` cannot be the name of a header
    ");
    assert!(server.requests().is_empty());
}

#[test]
fn a_real_agentos_with_a_key() {
    let server = Settings::default().security_key("open-sesame-42").start();
    let with = |token: Option<&str>| {
        let run = Run::new()
            .file("a.yaml", "steps:\n  - get_sessions: {}\n    expect: { status: 500 }\n")
            .args(["--base-url", server.base_url(), "-vv", "a.yaml"]);
        match token {
            Some(token) => run.args(["--token", token]).run(),
            None => run.run(),
        }
    };
    insta::assert_snapshot!({ let output = with(None).code_is(3); output.scrub(&output.stderr) }, @"
    target::credentials

      × [url] refused the credentials with 401: Authorization header required
      help: give a token with --token or AGENTOS_TOKEN, or headers with -H or in the project file
    ");
    let wrong = with(Some("not-the-key")).code_is(3);
    assert!(wrong.stderr.contains("refused the credentials with 401"), "{wrong}");
    assert!(!wrong.stderr.contains("not-the-key"), "{wrong}");
    let right = with(Some("open-sesame-42")).code_is(1);
    assert!(
        right.stdout.contains("authorization: Bearer ***"),
        "the curl line shows that there is one: {right}"
    );
    assert!(!right.stdout.contains("sesame") && !right.stderr.contains("sesame"), "{right}");
}

#[test]
fn a_proxy_of_the_environment_is_named_where_nothing_is_reached() {
    let asked = |no_proxy: &str| {
        let output = Run::new()
            .file("a.yaml", "steps: [{ health: {} }]\n")
            .env("HTTP_PROXY", "http://me:hush-hush@127.0.0.1:9")
            .env("NO_PROXY", no_proxy)
            .args(["--base-url", "http://agents.invalid:7777", "a.yaml"])
            .run()
            .code_is(3);
        assert!(!output.stderr.contains("hush"), "{output}");
        output.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let through = asked("other.invalid");
    assert!(
        through.contains("it was tried through the proxy that HTTP_PROXY names: is that one running? `NO_PROXY=agents.invalid` goes without it"),
        "{through}"
    );
    assert!(!asked(".invalid").contains("proxy"), "it is reached without");
}
