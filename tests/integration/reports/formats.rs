//! What stands in each report of a run.

use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::{Value, json};
use std::process::Command;

/// One that passes, one that fails, one that is skipped, in two files.
fn run(options: &[&str]) -> Output {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/slow" => Answer::json(500, &json!({"detail": "it is <broken>"})),
        _ => Answer::json(200, &json!({"n": 1})),
    });
    let files = Run::new()
        .file(
            "a/first.yaml",
            dedent(
                "
                name: First
                tags: [smoke]
                steps:
                  - http: { path: /x }
                    name: ask
                    expect: { $.n: 1 }
                  - log: it said ${{ 1 + 1 }}
                ---
                name: Second
                steps:
                  - http: { path: /x }
                    expect: { $.n: 2 }
                finally:
                  - http: { path: /slow }
                ",
            ),
        )
        .file("b.yaml", "name: Third\nskip: not today\nsteps: [{ http: { path: /x } }]\n");
    let url = server.base_url();
    files.args(["--base-url", &url, "a", "b.yaml"]).args(options.iter().copied()).run().code_is(1)
}

fn json_of(output: &Output, name: &str) -> Value {
    serde_json::from_str(&output.read(name)).unwrap()
}

#[test]
fn json_has_all_of_it_and_validates() {
    let output = run(&["--report", "json=out/report.json"]);
    let report = json_of(&output, "out/report.json");
    let names: Vec<&str> = report["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scenario| scenario["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["First", "Second", "Third"]);
    assert_eq!(report["run"]["counts"]["passed"], 1);
    assert_eq!(report["run"]["counts"]["failed"], 1);
    assert_eq!(report["run"]["counts"]["skipped"], 1);
    let [first, second, third] = [0, 1, 2].map(|index| &report["scenarios"][index]);
    assert_eq!(
        (&first["file"], &first["line"], &first["tags"]),
        (&json!("a/first.yaml"), &json!(1), &json!(["smoke"]))
    );
    let step = &first["attempts"][0]["steps"][0];
    assert_eq!(step["title"], "ask");
    assert_eq!(step["request"]["method"], "GET");
    assert_eq!(step["response"]["body"]["text"], "{\"n\":1}");
    assert_eq!(first["attempts"][0]["log"][0]["text"], "it said 2");
    let steps = second["attempts"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "the failed one, and that of `finally`");
    assert_eq!(steps[0]["failures"][0]["place"], json!({"file": "a/first.yaml", "line": 12, "column": 20}));
    assert!(steps[0]["request"]["curl"].as_str().unwrap().starts_with("curl http://"));
    assert_eq!(third["reason"], "not today");

    let schema = Run::new().args(["schema", "report"]).run().code_is(0).stdout;
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("report.json", serde_json::from_str(&schema).unwrap()).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("report.json", &mut schemas).unwrap();
    schemas.validate(&report, index).unwrap_or_else(|error| panic!("{error:#}"));
    let mut wrong = report.clone();
    wrong["scenarios"][0]["status"] = json!("perhaps");
    assert!(schemas.validate(&wrong, index).is_err());
}

#[test]
fn the_published_schema_is_that_of_the_program() {
    let published =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json")).unwrap();
    let printed = Run::new().args(["schema", "report"]).run().code_is(0).stdout;
    assert!(published == printed, "cargo run -- schema report > docs/report.schema.json");
}

#[test]
fn junit_is_taken_by_strict_readers() {
    let output = run(&["--report", "junit=junit.xml"]);
    let xml = output.read("junit.xml");
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suites: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    let counts = |index: usize| {
        ["name", "tests", "failures", "skipped"].map(|name| suites[index].attribute(name).unwrap())
    };
    assert_eq!(counts(0), ["a/first.yaml", "2", "1", "0"]);
    assert_eq!(counts(1), ["b.yaml", "1", "0", "1"]);
    let case = document.descendants().find(|node| node.attribute("name") == Some("First")).unwrap();
    assert_eq!(case.attribute("classname"), Some("a.first"));
    assert!(case.descendants().any(|node| node.text().is_some_and(|text| text.contains("log: it said 2"))));
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("`$.n` is 1, expected 2"));
    assert!(failure.text().unwrap().contains("request: curl http://"), "{xml}");
    assert!(failure.text().unwrap().contains("it is <broken>"), "{xml}");
    validates(&output.dir().join("junit.xml"));
}

/// `xmllint` finds nothing wrong with it by our schema, which is what Jenkins and Surefire have in common.
#[track_caller]
fn validates(file: &std::path::Path) {
    crate::common::packages::need("xmllint", &["libxml2-utils"]);
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/reports/junit.xsd");
    let output = Command::new("xmllint").args(["--noout", "--schema", schema]).arg(file).output();
    let output = output.expect("`xmllint` starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn junit_of_every_ending_is_taken_by_strict_readers() {
    let folder = tempfile::tempdir().unwrap();
    for (number, text) in
        ["plain", "]]> <&\"'> \u{1b}[0m 🎉 \u{fffe}", &"long ".repeat(2048)].iter().enumerate()
    {
        let report = super::any_text::report(text);
        let [xml] = super::any_text::written(&report, [agentos_run::report::write::Format::Junit]);
        let file = folder.path().join(format!("{number}.xml"));
        std::fs::write(&file, xml).unwrap();
        validates(&file);
    }
}

#[test]
fn json_lines_come_as_it_happens() {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/hang" => Answer::silence(),
        _ => Answer::json(200, &json!({})),
    });
    let running = Run::new()
        .file("a.yaml", "name: A\nsteps:\n  - http: { path: /x }\n  - http: { path: /hang }\n")
        .args(["--base-url", &server.base_url(), "a.yaml", "--report", "jsonl"])
        .start();
    // The second step never ends: what came before it is there already.
    running.wait_for("step_finished");
    running.interrupt();
    let output = running.finish().code_is(130);
    let lines: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(
        events,
        [
            "run_started",
            "scenario_started",
            "step_finished",
            "step_finished",
            "scenario_finished",
            "run_finished"
        ]
    );
    assert_eq!(lines[5]["run"]["interrupted"], true);
    assert!(output.stderr.contains("FAIL A"), "the terminal's report is on standard error: {output}");
}

#[test]
fn tap_on_standard_output_and_nothing_else_there() {
    let output = run(&["--report", "tap"]);
    let points: Vec<&str> = output.stdout.lines().filter(|line| line.contains("ok ")).collect();
    assert_eq!(points, ["ok 1 - First", "not ok 2 - Second", "ok 3 - Third # SKIP not today"]);
    assert!(output.stdout.starts_with("TAP version 14\n1..3\n"), "{output}");
    assert!(output.stdout.contains("    - message: \"`$.n` is 1, expected 2\"\n"), "{output}");
    assert!(output.stderr.contains("FAIL Second"), "{output}");
}

#[test]
fn annotations_and_a_summary_for_github() {
    let run = Run::new();
    let summary = run.dir().join("summary.md");
    std::fs::write(&summary, "before\n").unwrap();
    let server = FakeServer::always(Answer::json(200, &json!({"n": 1})));
    let output = run
        .file("a.yaml", "name: 'One, 100%'\nsteps:\n  - http: { path: /x }\n    expect: { $.n: 2 }\n")
        .args(["--base-url", &server.base_url(), "a.yaml", "--report", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .run()
        .code_is(1);
    let annotation = output.stdout.lines().find(|line| line.starts_with("::")).unwrap();
    assert_eq!(
        annotation,
        "::error file=a.yaml,line=4,col=20,title=One%2C 100%25 failed::`$.n` is 1, expected 2"
    );
    assert!(output.stdout.contains("FAIL One, 100%"), "the terminal's report is there too: {output}");
    let text = output.read("summary.md");
    assert!(text.starts_with("before\n## ❌ 1 scenario: 1 failed"), "{text}");
    assert!(text.contains("- ❌ **Failed:** `One, 100%` at `a.yaml:1`"), "{text}");
}

#[test]
fn steps_that_are_left_out_are_counted() {
    let server = FakeServer::always(Answer::json(200, &json!({"n": 1})));
    let output = Run::new()
        .file("a.yaml", "steps:\n  - repeat: 1003\n    set: { n: '${{ loop.index }}' }\n")
        .args(["--base-url", &server.base_url(), "a.yaml", "--report", "json=r.json"])
        .run()
        .code_is(0);
    let attempt = &json_of(&output, "r.json")["scenarios"][0]["attempts"][0];
    assert_eq!(attempt["steps_run"], 1003);
    assert_eq!(attempt["steps"].as_array().unwrap().len(), 1000);
    assert_eq!(attempt["steps_left_out"], 3);
}

#[test]
fn annotations_that_are_left_out_are_counted() {
    let server = FakeServer::always(Answer::json(200, &json!({"n": 1})));
    for (failures, more) in [(50, None), (53, Some("::notice::3 more annotations are left out"))] {
        let scenario =
            |n: usize| format!("name: S{n}\nsteps: [{{ http: {{ path: /x }}, expect: {{ $.n: 2 }} }}]\n");
        let output = Run::new()
            .file("a.yaml", (0..failures).map(scenario).collect::<Vec<_>>().join("---\n"))
            .args(["--base-url", &server.base_url(), "a.yaml", "-q", "--report", "github"])
            .run()
            .code_is(1);
        let lines = || output.stdout.lines();
        assert_eq!(lines().filter(|line| line.starts_with("::error ")).count(), 50, "{output}");
        assert_eq!(lines().find(|line| line.starts_with("::notice")), more, "{output}");
    }
}

#[test]
fn a_loop_has_one_annotation_for_one_place() {
    let server = FakeServer::always(Answer::json(200, &json!({"n": 1})));
    let scenario = "steps:\n  - repeat: 20\n    stop_on_failure: false\n    http: { path: /x }\n    expect: { $.n: 2 }\n";
    let output = Run::new()
        .file("a.yaml", scenario)
        .args(["--base-url", &server.base_url(), "a.yaml", "--report", "github"])
        .run()
        .code_is(1);
    let annotations: Vec<&str> = output.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(
        annotations,
        ["::error file=a.yaml,line=5,col=20,title=a failed::`$.n` is 1, expected 2%0Aand 19 more times here"]
    );
}

#[test]
fn markdown_for_a_comment() {
    let output = run(&["--report", "markdown=comment.md"]);
    let text = output.read("comment.md");
    assert!(text.starts_with("## ❌ 3 scenarios: 1 passed, 1 failed, 1 skipped  ("), "{text}");
    assert!(text.contains("- ⏭️ Skipped: `Third`: `not today`"), "{text}");
    assert!(!text.contains("First"), "what passed is counted: {text}");
    let [begin, end] = ["<details>", "</details>"].map(|tag| text.matches(tag).count());
    assert_eq!((begin, end), (1, 1));
}

#[test]
fn the_terminal_report_in_a_file_too() {
    let output = run(&["--report", "terminal=log.txt", "--report", "terminal"]);
    let (file, shown) = (output.scrub(&output.read("log.txt")), output.scrubbed());
    for line in ["FAIL Second", "SKIP Third", "3 scenarios: 1 passed, 1 failed, 1 skipped"] {
        assert!(file.contains(line) && shown.contains(line), "{line}: {file}\n{shown}");
    }
}

#[test]
fn a_step_of_a_fragment_says_who_used_it() {
    let server = FakeServer::always(Answer::json(200, &json!({"n": 1})));
    let output = Run::new()
        .file("_lib/ask.yaml", "steps:\n  - http: { path: /x }\n    expect: { $.n: 2 }\n")
        .file("a.yaml", "name: First\nsteps:\n  - use: _lib/ask.yaml\n")
        .args([
            "--base-url",
            &server.base_url(),
            "a.yaml",
            "--report",
            "json=r.json",
            "--report",
            "junit=r.xml",
        ])
        .run()
        .code_is(1);
    let step = &json_of(&output, "r.json")["scenarios"][0]["attempts"][0]["steps"][0];
    let caller = json!([{"title": "ask", "place": {"file": "a.yaml", "line": 3, "column": 5}}]);
    assert_eq!((&step["place"]["file"], &step["callers"]), (&json!("_lib/ask.yaml"), &caller));
    assert!(output.read("r.xml").contains("step `http` at _lib/ask.yaml:2:5\n  in `ask` at a.yaml:3:5\n"));
}
