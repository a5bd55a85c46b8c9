//! Scenarios that fail now and then: run again, counted, kept in quarantine.

use crate::common::text::unwrapped;
use crate::common::{Answer, FakeServer, Run};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `/flaky` fails so many times, `/broken` always, everything else never.
fn server(failures: usize) -> FakeServer {
    let asked = AtomicUsize::new(0);
    FakeServer::new(move |request| {
        let fails = match request.path.split('?').next().unwrap() {
            "/flaky" => asked.fetch_add(1, Ordering::Relaxed) < failures,
            "/broken" => true,
            _ => false,
        };
        Answer::json(if fails { 503 } else { 200 }, &json!({ "why": "because" }))
    })
}

const FLAKY: &str =
    "name: Flaky\nsteps: [{ http: { path: '/flaky?id=${{ run.id }}&attempt=${{ run.attempt }}' } }]\n";
const BROKEN: &str = "name: Broken\nsteps: [{ http: { path: /broken } }]\n";
const GOOD: &str = "name: Good\nsteps: [{ http: { path: /good } }]\n";

fn on(server: &FakeServer, arguments: &[&str], scenarios: &[&str]) -> Run {
    Run::new()
        .file("a.yaml", scenarios.join("---\n"))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .args(arguments)
}

#[test]
fn passed_in_a_later_attempt() {
    let server = server(2);
    let output = on(&server, &["--retries", "3"], &[FLAKY, GOOD]).run().code_is(0);
    let expected = "agentos-run [version] against [url]
RETRY Flaky  a.yaml:1  (attempt 1 of 4 failed, 1 step, [time])
PASS Good  a.yaml:4  (1 step, [time])
RETRY Flaky  a.yaml:1  (attempt 2 of 4 failed, 1 step, [time])
FLAKY Flaky  a.yaml:1  (attempt 3, 1 step, [time])

FLAKY Flaky
  attempt 1 failed:
";
    assert!(output.scrubbed().starts_with(expected), "{output}");
    assert!(output.stdout.contains("  attempt 2 failed:\n"), "{output}");
    assert!(output.stdout.contains("2 scenarios: 2 passed (1 flaky)  (4 steps,"), "{output}");
    // At the end, with names of its own.
    let lines = server.lines();
    assert_eq!(lines[2], "GET /good", "{lines:?}");
    let ids: Vec<&str> =
        [&lines[1], &lines[3], &lines[4]].iter().map(|line| line.split(['=', '&']).nth(1).unwrap()).collect();
    assert!(lines[3].ends_with("attempt=2") && lines[4].ends_with("attempt=3"), "{lines:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
}

#[test]
fn a_run_with_flaky_scenarios_may_fail() {
    let output = on(&server(1), &["--retries", "1", "--flaky", "fail"], &[FLAKY, GOOD]).run().code_is(1);
    assert!(output.stdout.contains("2 scenarios: 2 passed (1 flaky)"), "{output}");
    let why = "failed: a scenario is flaky, and `--flaky fail` was given\n";
    assert!(output.stdout.ends_with(why), "{output}");
    // In a quiet run it is told all the same: it is why the run fails.
    let output =
        on(&server(1), &["--retries", "1", "--flaky", "fail", "-q"], &[FLAKY, GOOD]).run().code_is(1);
    assert!(output.stdout.contains("FLAKY Flaky"), "{output}");
    // And JUnit counts what it lists: some readers go by the counts, others by the elements.
    let server = server(1);
    let run = on(&server, &["--retries", "1", "--flaky", "fail"], &[FLAKY, GOOD]);
    let output = run.args(["--report", "junit=r.xml"]).run().code_is(1);
    let xml = output.read("r.xml");
    assert_eq!(xml.matches("<failure ").count(), 1, "{xml}");
    assert_eq!(xml.matches(" tests=\"2\" failures=\"1\" ").count(), 2, "of the suite and of all: {xml}");
}

#[test]
fn what_runs_again_does_so_in_the_order_of_the_plan() {
    // The first of the plan is the last to fail, so it would be the last to run again.
    let server = FakeServer::new(|request| {
        let slow = request.path.starts_with("/s0") && request.path.ends_with("=1");
        let status = if request.path.ends_with("=1") { 503 } else { 200 };
        let time = std::time::Duration::from_millis(if slow { 300 } else { 0 });
        Answer::json(status, &serde_json::json!({})).after(time)
    });
    let scenario = |n: u32| {
        format!("name: s{n}\nsteps: [{{ http: {{ path: '/s{n}?attempt=${{{{ run.attempt }}}}' }} }}]\n")
    };
    let all: Vec<String> = (0..4).map(scenario).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    on(&server, &["-j2", "--retries", "1"], &all).run().code_is(0);
    let lines = server.lines();
    let second: Vec<&String> = lines.iter().filter(|line| line.ends_with("=2")).collect();
    let place = second.iter().position(|line| line.contains("/s0")).unwrap();
    assert!(place < 2, "one of the first two at a time: {second:?}");
}

#[test]
fn failed_in_every_attempt() {
    let server = server(0);
    let output = on(&server, &["--retries", "2"], &[BROKEN, GOOD]).run().code_is(1);
    assert!(output.stdout.contains("FAIL Broken  a.yaml:1  (attempt 3, 1 step,"), "{output}");
    let cause = "step `http` at a.yaml:2:9: http was refused with 503";
    for attempt in [1, 2] {
        assert!(output.stdout.contains(&format!("  attempt {attempt} failed: {cause}")), "{output}");
    }
    assert!(output.stdout.contains("  attempt 3 failed:\n"), "{output}");
    assert_eq!(output.stdout.matches("  request: curl").count(), 1, "the last attempt, whole; {output}");
    assert!(output.stdout.contains("2 scenarios: 1 passed, 1 failed"), "{output}");
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /broken").count(), 3);
}

#[test]
fn a_scenario_knows_how_often() {
    let server = server(0);
    let never = BROKEN.replace("steps", "retries: 0\nsteps");
    let twice =
        BROKEN.replace("broken", "flaky").replace("steps", "retries: 2\nsteps").replace("Broken", "Other");
    on(&server, &["--retries", "5"], &[&never, &twice]).run().code_is(1);
    assert_eq!(server.lines().iter().filter(|line| *line == "GET /broken").count(), 1);
}

#[test]
fn the_first_failure_is_that_of_the_last_attempt() {
    let server = server(1);
    let arguments = ["--retries", "1", "--fail-fast"];
    let output = on(&server, &arguments, &[FLAKY, GOOD]).run().code_is(0);
    assert!(output.stdout.contains("2 passed (1 flaky)"), "{output}");
    let never = BROKEN.replace("steps", "retries: 0\nsteps");
    let output = on(&server, &arguments, &[BROKEN, &never, GOOD]).run().code_is(1);
    assert!(
        output.stdout.contains("3 scenarios: 2 failed, 1 not run"),
        "what was to be run again has failed: {output}"
    );
}

#[test]
fn in_quarantine() {
    let server = server(0);
    let project = "
targets: { default: { base_url: 'URL' } }
quarantine:
  - { scenario: 'Bro*', reason: 'fails since 3.1, issue 12' }
  - { scenario: a.yaml, reason: 'all of this file' }
";
    let run = |project: &str| {
        Run::new()
            .file("agentos-run.yaml", project.replace("URL", &server.base_url()))
            .file("a.yaml", format!("{BROKEN}---\n{GOOD}"))
            .file("list.yaml", "- { scenario: 'Broken', reason: 'in a file' }\n")
            .args(["a.yaml", "--fail-fast"])
            .run()
    };
    let output = run(project).code_is(0);
    assert!(output.stdout.contains("(in quarantine: fails since 3.1, issue 12; 1 step,"), "{output}");
    assert!(output.stdout.contains("FAIL Broken (in quarantine: fails since 3.1, issue 12)\n"), "{output}");
    assert!(output.stdout.contains("http was refused with 503"), "{output}");
    assert!(output.stdout.contains("2 scenarios: 1 passed, 1 failed in quarantine"), "{output}");
    let output = run("targets: { default: { base_url: 'URL' } }\nquarantine: list.yaml\n").code_is(0);
    assert!(output.stdout.contains("in quarantine: in a file"), "{output}");
    run("targets: { default: { base_url: 'URL' } }\nquarantine: [{ scenario: Brok, reason: x }]\n")
        .code_is(1);
}

#[test]
fn a_quarantine_that_makes_no_sense() {
    for (quarantine, message) in [
        ("3", "`quarantine` must be a list of"),
        ("none.yaml", "cannot read none.yaml"),
        ("[Weather]", "an entry of the quarantine must be"),
        ("[{ scenario: Weather }]", "an entry of the quarantine needs `reason`"),
        ("[{ reason: x }]", "an entry of the quarantine needs `scenario`"),
        ("[{ scenario: W, reason: x, until: y }]", "`until`"),
    ] {
        let output = Run::new()
            .file("agentos-run.yaml", format!("quarantine: {quarantine}\n"))
            .file("a.yaml", GOOD)
            .args(["--embedded", "a.yaml"])
            .run()
            .code_is(2);
        assert!(unwrapped(&output.stderr).contains(message), "{quarantine}: {output}");
    }
}
