//! `agentos-run merge`: many reports are one.

use super::any_text;
use crate::common::{Answer, FakeServer, Output, Run, text::unwrapped};
use agentos_run::report::record::{Report, Shard};
use agentos_run::report::write::Format;
use serde_json::{Value, json};

fn files(run: Run) -> Run {
    let scenario = |name: &str, expected: u32| {
        format!(
            "name: {name}\nsteps:\n  - http: {{ path: /x }}\n    expect: {{ $.n: {expected} }}\n  - log: said\n"
        )
    };
    let all = |names: &[(&str, u32)]| -> String {
        names.iter().map(|(name, expected)| scenario(name, *expected)).collect::<Vec<_>>().join("---\n")
    };
    run.file("a.yaml", all(&[("A", 1), ("B", 2), ("C", 1)])).file("b.yaml", all(&[("D", 1), ("E", 1)]))
}

fn server() -> FakeServer {
    FakeServer::always(Answer::json(200, &json!({"n": 1})))
}

/// What cannot be the same on two machines is taken out.
fn comparable(text: &str) -> Value {
    fn scrub(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    if name.ends_with("_ms") || name == "started_at" {
                        *value = json!(0);
                    }
                    scrub(value);
                }
                fields.retain(|name, _| name != "id");
            }
            Value::Array(items) => items.iter_mut().for_each(scrub),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(text).unwrap();
    scrub(&mut value);
    value
}

#[test]
fn the_parts_are_as_the_whole() {
    let server = server();
    let url = server.base_url();
    let run = |run: Run, filter: &str, report: &str| {
        files(run).args(["--base-url", &url, "a.yaml", "b.yaml", "-f", filter, "--report", report]).run()
    };
    let whole = run(Run::new(), ".", "json=whole.json").code_is(1);
    let text = whole.read("whole.json");
    // Two parts of it, as two machines would report them.
    let report: Report = serde_json::from_str(&text).unwrap();
    let part = |index: u32, odd: usize| {
        let mut part = report.clone();
        part.scenarios.retain(|scenario| scenario.index % 2 == odd);
        part.run.shards = vec![Shard { index, total: 2 }];
        serde_json::to_string(&part).unwrap()
    };
    let output = whole
        .then()
        .file("1.json", part(1, 1))
        .file("2.json", part(2, 0))
        .args(["merge", "1.json", "2.json", "--report", "json=merged.json", "--report", "junit=merged.xml"])
        .run()
        .code_is(1);
    let mut merged = comparable(&output.read("merged.json"));
    assert_eq!(merged["run"]["shards"], json!([{"index": 1, "total": 2}, {"index": 2, "total": 2}]));
    merged["run"].as_object_mut().unwrap().remove("shards");
    assert_eq!(merged, comparable(&text));
    assert!(output.stdout.contains("5 scenarios: 4 passed, 1 failed"), "{output}");
    assert!(output.stdout.contains("FAIL B\n  step `http` at a.yaml:9:5"), "{output}");
    assert_eq!(output.read("merged.xml").matches("<testcase").count(), 5);
    // Without one of them, the result is not green.
    let output = whole.then().file("2.json", part(2, 0)).args(["merge", "2.json"]).run().code_is(1);
    assert!(output.stdout.contains("3 scenarios: 3 passed"), "{output}");
    assert!(output.stderr.contains("the reports of these shards are missing: 1/2"), "{output}");
}

#[test]
fn lines_are_a_report_too() {
    let server = server();
    let run = files(Run::new()).args(["--base-url", &server.base_url(), "a.yaml", "b.yaml"]);
    let output = run.args(["--report", "jsonl=lines.jsonl", "--report", "json=whole.json"]).run().code_is(1);
    let merged = output.then().args(["merge", "lines.jsonl", "--report", "json=again.json"]).run().code_is(1);
    assert_eq!(comparable(&merged.read("again.json")), comparable(&output.read("whole.json")));
    // Each attempt of a scenario is in them.
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let flaky = FakeServer::new(move |request| {
        let fails = request.path == "/x" && asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3 < 2;
        Answer::json(if fails { 503 } else { 200 }, &json!({ "n": 1 }))
    });
    let run = files(Run::new()).args(["--base-url", &flaky.base_url(), "b.yaml", "--retries", "5"]);
    let run = run.args(["--report", "jsonl=flaky.jsonl", "--report", "json=flaky.json"]);
    let run = run.run().code_is(0);
    let merged = run.then().args(["merge", "flaky.jsonl", "--report", "json=again.json"]).run().code_is(0);
    let whole = comparable(&run.read("flaky.json"));
    assert!(whole["scenarios"][0]["attempts"].as_array().unwrap().len() > 1, "{whole:#}");
    assert_eq!(comparable(&merged.read("again.json")), whole);
    // Of a run that was killed, what came before its end is there.
    let lines = output.read("lines.jsonl");
    let third = lines.match_indices("scenario_finished").nth(2).unwrap().0;
    let killed = output.then().file("killed.jsonl", &lines[..third]).args(["merge", "killed.jsonl"]).run();
    let killed = killed.code_is(1);
    assert!(killed.stdout.contains("3 scenarios: 1 passed, 1 failed, 1 not run"), "{killed}");
}

#[test]
fn what_was_interrupted_stays_so() {
    let server = server();
    let run = files(Run::new()).args(["--base-url", &server.base_url(), "b.yaml"]);
    let output = run.args(["--report", "jsonl=lines.jsonl", "--report", "json=whole.json"]).run().code_is(0);
    // One that was killed before its end, and one that says it of itself; both beside one that is whole.
    let lines = output.read("lines.jsonl");
    let killed = &lines[..lines.find("{\"event\":\"run_finished\"").unwrap()];
    let mut other: Value = serde_json::from_str(&output.read("whole.json")).unwrap();
    other["run"]["interrupted"] = json!(true);
    let whole = output.read("whole.json").replace("b.yaml", "c.yaml");
    for file in ["killed.jsonl", "other.json"] {
        for files in [&[file, "whole.json"][..], &["whole.json", file], &[file]] {
            let run = output.then().file("killed.jsonl", killed).file("other.json", other.to_string());
            let run = run.file("whole.json", &whole).arg("merge").args(files);
            let merged = run.args(["--report", "json=merged.json"]).run().code_is(130);
            let report: Value = serde_json::from_str(&merged.read("merged.json")).unwrap();
            assert_eq!(report["run"]["interrupted"], true, "{files:?}");
        }
    }
    output.then().args(["merge", "whole.json"]).run().code_is(0);
}

#[test]
fn what_was_flaky_stays_flaky() {
    let report = any_text::report("plain");
    let [json] = any_text::written(&report, [Format::Json]);
    let output =
        Run::new().file("r.json", json).args(["merge", "r.json", "--report", "json=-"]).run().code_is(1);
    assert_eq!(serde_json::from_str::<Report>(&output.stdout).unwrap(), report);
    assert!(output.stderr.contains("passed (1 flaky)"), "the terminal's is on standard error: {output}");
}

#[test]
fn what_is_no_report_is_told() {
    let server = server();
    let run = files(Run::new()).args(["--base-url", &server.base_url(), "b.yaml"]);
    let output: Output = run.args(["--report", "json=good.json"]).run().code_is(0);
    let good = output.read("good.json");
    let half = &good[..good.len() / 2];
    let newer = good.replacen("\"format\":1", "\"format\":2", 1);
    let cases: &[(&[&str], &str)] = &[
        (&["missing.json"], "cannot read the report missing.json"),
        (&["b.yaml"], "it is no JSON report"),
        (&["half.json"], "it is no JSON report"),
        (&["other.json"], "it is no report: `--report json=FILE` of a run writes them"),
        (&["newer.json"], "it is of format 2, and this version of agentos-run reads format 1"),
        (&["good.json", "copy.json"], "D (b.yaml:1) is in good.json and in copy.json"),
        (&["good.json", "--report", "jsonl=x"], "merge writes no jsonl"),
        (&["good.json", "--report", "junit=b.yaml/x"], "cannot be written"),
        (&[], "required"),
    ];
    for (arguments, message) in cases {
        let run = output.then().file("half.json", half).file("other.json", "{}").file("newer.json", &newer);
        let output =
            run.file("copy.json", &good).arg("merge").args(arguments.iter().copied()).run().code_is(2);
        assert!(unwrapped(&output.stderr).contains(message), "{message}: {output}");
    }
}
