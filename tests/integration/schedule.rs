//! Scenarios at the same time: limits, groups, order of what is told, Ctrl-C, what hangs.

use crate::common::text::{dedent, unwrapped};
use crate::common::{Answer, FakeServer, Output, Request, Run};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Remembers what is posted and tells it to who asks: `POST /flags/a`, then `GET /flags/a` is 200.
fn flags() -> FakeServer {
    let flags = Mutex::new(Vec::new());
    FakeServer::new(move |request: &Request| {
        let mut flags = flags.lock().unwrap();
        if request.method == "POST" {
            flags.push(request.path.clone());
        }
        let there = flags.contains(&request.path) || request.path == "/config";
        Answer::json(if there { 200 } else { 404 }, &json!({}))
    })
}

/// A scenario that says when it begins and ends, with something between.
fn scenario(name: &str, more: &str) -> String {
    format!(
        "name: {name}\n{more}\nsteps:\n  - http: {{ path: /begin/{name} }}\n  - http: {{ path: /work }}\n  - http: {{ path: /end/{name} }}\n"
    )
}

/// Those that ran at the same time, in any order: pairs of names.
fn overlaps(server: &FakeServer) -> Vec<(String, String)> {
    let mut running: Vec<String> = Vec::new();
    let mut pairs = Vec::new();
    for request in server.requests() {
        if let Some(name) = request.path.strip_prefix("/begin/") {
            pairs.extend(running.iter().map(|other| (other.clone(), name.to_owned())));
            running.push(name.to_owned());
        } else if let Some(name) = request.path.strip_prefix("/end/") {
            running.retain(|other| other != name);
        }
    }
    pairs
}

fn slow_server() -> FakeServer {
    FakeServer::new(|request| {
        let answer = Answer::json(200, &json!({}));
        if request.path == "/work" { answer.after(Duration::from_millis(60)) } else { answer }
    })
}

fn on(server: &FakeServer) -> Run {
    Run::new().args(["--base-url", &server.base_url()])
}

fn run_all(server: &FakeServer, arguments: &[&str], scenarios: &[String]) -> Output {
    on(server).file("all.yaml", scenarios.join("---\n")).args(arguments).arg("all.yaml").run()
}

const WAITS: &str = "name: Waits\nsteps:\n  - http: { path: /flags/a }\n    until: { status: 200 }\n    every: 10ms\n    within: 60s\n";
const RAISES: &str = "name: Raises\nsteps:\n  - http: { path: /flags/a, method: POST }\n";

#[test]
fn side_by_side() {
    let server = flags();
    let output =
        on(&server).file("a.yaml", format!("{WAITS}---\n{RAISES}")).args(["-j", "2", "a.yaml"]).run();
    let output = output.code_is(0);
    assert!(output.stdout.contains("2 scenarios: 2 passed"), "{output}");
}

#[test]
fn side_by_side_unless_something_is_said() {
    let server = flags();
    let run = on(&server).file("a.yaml", format!("{WAITS}---\n{RAISES}")).arg("a.yaml");
    run.env("AGENTOS_RUN_JOBS", "").run().code_is(0);
}

#[test]
fn one_after_another() {
    let server = flags();
    let waits = WAITS.replace("60s", "100ms");
    let output = on(&server).file("a.yaml", format!("{waits}---\n{RAISES}")).args(["-j1", "a.yaml"]).run();
    let output = output.code_is(1);
    assert!(output.stdout.contains("1 passed, 1 failed"), "{output}");
}

#[test]
fn no_more_than_jobs() {
    let server = slow_server();
    let all: Vec<String> = (0..6).map(|n| scenario(&format!("s{n}"), "")).collect();
    run_all(&server, &["--jobs", "2"], &all).code_is(0);
    let mut most = BTreeMap::<String, usize>::new();
    for (_, begun) in overlaps(&server) {
        *most.entry(begun).or_default() += 1;
    }
    assert_eq!(most.values().max(), Some(&1), "at most one other: {most:?}");
}

#[test]
fn scenarios_of_one_group_never_overlap() {
    let server = slow_server();
    let serial =
        ["serial: db", "", "serial: db", "serial: files", "serial: db", "serial: files", "serial: true"];
    let all: Vec<String> =
        serial.iter().enumerate().map(|(n, serial)| scenario(&format!("s{n}"), serial)).collect();
    run_all(&server, &["--jobs", "7"], &all).code_is(0);
    let group = |name: &str| serial[name[1..].parse::<usize>().unwrap()];
    let overlaps = overlaps(&server);
    assert!(!overlaps.is_empty(), "the groups run beside each other");
    for (one, other) in overlaps {
        let (one, other) = (group(&one), group(&other));
        assert!(one.is_empty() || one != other, "{one} beside {other}");
        assert!(![one, other].contains(&"serial: true"), "{one} beside {other}");
    }
}

#[test]
fn a_target_has_its_own_limit() {
    let server = slow_server();
    let url = server.base_url();
    let project =
        format!("targets:\n  default: {{ base_url: '{url}' }}\n  small: {{ base_url: '{url}', jobs: 1 }}\n");
    let all: Vec<String> =
        (0..6).map(|n| scenario(&format!("s{n}"), if n % 2 == 0 { "target: small" } else { "" })).collect();
    Run::new()
        .file("agentos-run.yaml", project)
        .file("all.yaml", all.join("---\n"))
        .args(["-j6", "all.yaml"])
        .run()
        .code_is(0);
    let small = |name: &str| name[1..].parse::<usize>().unwrap() % 2 == 0;
    let overlaps = overlaps(&server);
    assert!(overlaps.iter().any(|(one, other)| small(one) != small(other)), "{overlaps:?}");
    assert!(!overlaps.iter().any(|(one, other)| small(one) && small(other)), "{overlaps:?}");
}

#[test]
fn what_is_told_stays_together() {
    // The first scenario begins first and ends last.
    let server = flags();
    let waits = format!("{WAITS}  - log: it is raised\n").replace("steps:\n", "steps:\n  - log: waiting\n");
    let output = on(&server)
        .file("a.yaml", format!("{waits}---\n{RAISES}  - log: raised\n"))
        .args(["-j2", "-v", "a.yaml"])
        .run()
        .code_is(0);
    let lines: Vec<&str> = output.stdout.lines().skip(1).collect();
    let at = |text: &str| {
        lines.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {output}"))
    };
    assert_eq!(at("Raises"), 0, "{output}");
    assert!(at("log: raised") < at("PASS Raises"), "{output}");
    assert_eq!(at("Waits"), at("PASS Raises") + 1, "{output}");
    assert!(at("log: waiting") < at("log: it is raised"), "{output}");
    assert!(at("log: it is raised") < at("PASS Waits"), "{output}");
}

#[test]
fn failures_in_the_order_of_the_plan() {
    // The later, the sooner its answer.
    let server = FakeServer::new(|request| match request.path.strip_prefix("/s") {
        Some(n) => {
            Answer::json(500, &json!({})).after(Duration::from_millis(200 - 40 * n.parse::<u64>().unwrap()))
        }
        None => Answer::json(200, &json!({})),
    });
    let all: Vec<String> =
        (0..5).map(|n| format!("name: s{n}\nsteps: [{{ http: {{ path: /s{n} }} }}]\n")).collect();
    let output = run_all(&server, &["-j5"], &all).code_is(1);
    let (_, told) = output.stdout.split_once("\n\n").unwrap();
    let order: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("FAIL ")).collect();
    assert_eq!(order, ["s0", "s1", "s2", "s3", "s4"], "{output}");
}

#[test]
fn run_id_is_of_one_scenario_alone() {
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let text = "cases: [{ n: 1 }, { n: 2 }]\nsteps: [{ http: { path: '/x/${{ run.id }}' } }]\n";
    let other = "name: Other\nsteps: [{ http: { path: '/x/${{ run.id }}' } }]\n";
    on(&server).file("a.yaml", format!("{text}---\n{other}")).args(["-j3", "a.yaml"]).run().code_is(0);
    let requests = server.requests();
    let mut ids: Vec<&str> = requests.iter().filter_map(|request| request.path.strip_prefix("/x/")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(ids.iter().all(|id| id[..12] == ids[0][..12]), "of one run: {ids:?}");
}

#[test]
fn the_first_failure_is_the_last_to_begin() {
    let server = FakeServer::new(|request| {
        let status = if request.path == "/s1" { 500 } else { 200 };
        Answer::json(status, &json!({})).after(Duration::from_millis(if request.path == "/s0" {
            150
        } else {
            0
        }))
    });
    let all: Vec<String> = (0..6)
        .map(|n| format!("name: s{n}\nsteps: [{{ http: {{ path: /s{n} }} }}]\nfinally: [{{ http: {{ path: /f{n} }} }}]\n"))
        .collect();
    let output = run_all(&server, &["-j2", "--fail-fast"], &all).code_is(1);
    // What was running is brought to its end.
    assert!(output.stdout.contains("6 scenarios: 1 passed, 1 failed, 4 not run"), "{output}");
    assert!(server.lines().contains(&"GET /f0".to_owned()), "{:?}", server.lines());
    assert!(!server.lines().contains(&"GET /s2".to_owned()), "{:?}", server.lines());
}

#[test]
fn a_server_that_asks_for_a_pause_gets_it_from_all() {
    let refused = Mutex::new(None);
    let server = FakeServer::new(move |request| {
        let mut refused = refused.lock().unwrap();
        match (request.path.as_str(), *refused) {
            ("/first", None) => {
                *refused = Some(Instant::now());
                Answer::new().send("HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
            }
            // A second later, or the scenario fails.
            (_, Some(at)) if at.elapsed() < Duration::from_millis(950) => Answer::json(418, &json!({})),
            _ => Answer::json(200, &json!({})),
        }
    });
    let first = "name: First\nsteps: [{ http: { path: /first }, retry: 2 }]\n";
    let others: Vec<String> = (0..3)
        .map(|n| format!("name: s{n}\nsteps: [{{ sleep: 300ms }}, {{ http: {{ path: /s{n} }} }}]\n"))
        .collect();
    let output = run_all(&server, &["-j4"], &[&[first.to_owned()], others.as_slice()].concat()).code_is(0);
    assert!(output.stdout.contains("4 scenarios: 4 passed"), "{output}");
}

#[test]
fn what_hangs_is_named() {
    let server = FakeServer::new(|request| {
        let answer = Answer::json(200, &json!({}));
        if request.path == "/work" { answer.after(Duration::from_millis(900)) } else { answer }
    });
    let text = dedent(
        "
        name: Sleepy
        steps:
          - http: { path: /quick }
          - name: the long one
            http: { path: /work }
        ",
    );
    let run = on(&server).file("a.yaml", text).args(["--slow", "100ms", "a.yaml"]);
    let output = run.run().code_is(0);
    let slow: Vec<&str> = output.stdout.lines().filter(|line| line.starts_with("SLOW")).collect();
    assert!(slow[0].contains("SLOW Sleepy  a.yaml:1  (still running after"), "{output}");
    assert!(slow[0].contains("in step `the long one` at a.yaml:4:5 for"), "{output}");
    assert!(slow.len() < 5, "rarer and rarer: {output}");
}

#[test]
#[cfg(unix)]
fn an_interruption_ends_all_that_run() {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/work" => Answer::silence(),
        _ => Answer::json(200, &json!({})),
    });
    let all: Vec<String> = (0..5)
        .map(|n| {
            let finally = format!("finally: [{{ http: {{ path: /finally/{n} }} }}]\n");
            format!("{}{finally}", scenario(&format!("s{n}"), ""))
        })
        .collect();
    let running =
        on(&server).file("all.yaml", all.join("---\n")).args(["-j3", "--retries", "2", "all.yaml"]).start();
    while server.lines().iter().filter(|line| *line == "GET /work").count() < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.interrupt();
    let output = running.finish().code_is(130);
    assert!(output.stdout.contains("5 scenarios: 3 failed, 2 not run"), "{output}");
    let mut ends: Vec<String> =
        server.lines().into_iter().filter(|line| line.starts_with("GET /finally")).collect();
    ends.sort();
    assert_eq!(
        ends,
        ["GET /finally/0", "GET /finally/1", "GET /finally/2"],
        "nothing is run again; {output}"
    );
}

#[test]
fn numbers_that_make_no_sense() {
    for (arguments, message) in [
        (["--jobs", "0"], "--jobs 0: this must be a number from 1 to 1000"),
        (["-j", "many"], "--jobs many: this must be a number from 1 to 1000"),
        (["--slow", "soon"], "--slow soon:"),
    ] {
        let run = Run::new().file("a.yaml", RAISES).args(["--embedded", "a.yaml"]).args(arguments);
        let output = run.run().code_is(2);
        assert!(unwrapped(&output.stderr).contains(message), "{output}");
    }
    let run = Run::new().file("a.yaml", RAISES).args(["--embedded", "a.yaml"]);
    let output = run.env("AGENTOS_RUN_JOBS", "0").run().code_is(2);
    assert!(unwrapped(&output.stderr).contains("AGENTOS_RUN_JOBS=0: this must be"), "{output}");
    for (key, message) in [
        ("serial: 3", "`serial` must be true, or the name of a group"),
        ("serial: ''", "`serial` must be true, or the name of a group"),
        ("retries: -1", "`retries` must be a whole number from 0 to 100"),
        ("retries: 1.5", "`retries` must be a whole number from 0 to 100"),
    ] {
        let output = Run::new().file("a.yaml", format!("{key}\n{RAISES}")).args(["check", "a.yaml"]).run();
        let output = output.code_is(2);
        assert!(unwrapped(&output.stderr).contains(message), "{output}");
    }
}

#[test]
fn a_pause_is_kept_however_the_server_asks_for_it() {
    // A server that is overloaded says 503; and a pause may be a number of seconds or the end of it.
    for (status, in_seconds) in [(503, true), (503, false), (429, false)] {
        let refused = Mutex::new(None);
        let server = FakeServer::new(move |request| {
            let mut refused = refused.lock().unwrap();
            match (request.path.as_str(), *refused) {
                ("/x", None) => {
                    *refused = Some(Instant::now());
                    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
                    let end = end.strftime("%a, %d %b %Y %H:%M:%S GMT");
                    let pause = if in_seconds { "1".to_owned() } else { end.to_string() };
                    Answer::new().send(format!(
                        "HTTP/1.1 {status} Slow down\r\nRetry-After: {pause}\r\nContent-Length: 0\r\n\r\n"
                    ))
                }
                // A second later, or the scenario fails.
                ("/x", Some(at)) if at.elapsed() < Duration::from_millis(950) => {
                    Answer::json(418, &json!({}))
                }
                _ => Answer::json(200, &json!({})),
            }
        });
        let scenario = format!(
            "name: S\nsteps: [{{ http: {{ path: /x }}, retry: {{ attempts: 2, delay: 1ms, on: [{status}] }} }}]\n"
        );
        run_all(&server, &[], &[scenario]).code_is(0);
    }
}
