//! `--shard` on three machines and `merge`: the reports are those of one machine.

use crate::common::{Answer, FakeServer, Output, Run};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

const FORMATS: [&str; 4] = ["json", "junit", "html", "jsonl"];

/// One request of each flaky scenario fails, as often as it is asked for by a new machine.
fn server() -> FakeServer {
    let asked = AtomicUsize::new(0);
    FakeServer::new(move |request| match request.path.as_str() {
        "/flaky" if asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) => {
            Answer::json(200, &json!({"n": 0}))
        }
        "/broken" => Answer::json(500, &json!({"detail": "]]> <broken> \"quoted\" 🎉"})),
        _ => Answer::json(200, &json!({"n": 1})),
    })
}

/// Ten scenarios in three files: with cases, a group, one that fails, one that is flaky, one that is skipped.
fn plan() -> Run {
    let plain = |name: &str, path: &str, more: &str| {
        format!(
            "name: {name}\n{more}steps:\n  - http: {{ path: {path} }}\n    expect: {{ $.n: 1 }}\n  - log: {name} said\n"
        )
    };
    let mut first = String::new();
    for n in 0..4 {
        let _ = write!(first, "---\n{}", plain(&format!("Plain {n}"), "/x", "tags: [smoke]\n"));
    }
    let second = [
        plain("Broken", "/broken", ""),
        plain("Flaky", "/flaky", ""),
        plain("Of a group", "/x", "serial: db\n"),
        plain("Of the group too", "/x", "serial: db\n"),
    ];
    let third = format!(
        "{}---\n{}",
        plain("Each", "/x", "cases: [{ n: 1 }, { n: 2 }]\n"),
        plain("Not", "/x", "skip: not today\n")
    );
    Run::new().file("a.yaml", first).file("b/b.yaml", second.join("---\n")).file("c.yaml", third)
}

/// How long each took, as an earlier run would have written it: one as long as all others together.
fn durations() -> String {
    let mut durations = serde_json::Map::new();
    for n in 0..4 {
        durations.insert(format!("a.yaml::Plain {n}"), json!(if n == 2 { 900 } else { 100 }));
    }
    for name in ["Broken", "Flaky", "Of a group", "Of the group too"] {
        durations.insert(format!("b/b.yaml::{name}"), json!(100));
    }
    Value::from(durations).to_string()
}

/// Runs the plan, or a part of it, with all reports named `name.FORMAT`.
fn run(run: Run, server: &FakeServer, name: &str, options: &[&str]) -> Output {
    let run = run.args(["--base-url", &server.base_url(), "a.yaml", "b", "c.yaml", "--retries", "1"]);
    let run =
        FORMATS.iter().fold(run, |run, format| run.args(["--report", &format!("{format}={name}.{format}")]));
    run.args(["--durations", "durations.json"]).args(options.iter().copied()).run()
}

/// What cannot be the same on two machines is taken out.
fn scrub(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !["id", "shards", "started_at"].contains(&name.as_str()));
            for (name, value) in fields.iter_mut() {
                match value {
                    Value::Number(_) if name.ends_with("_ms") => *value = json!(0),
                    // The date of an answer.
                    Value::Array(pairs) if name == "headers" => pairs.retain(|pair| pair[0] != "date"),
                    value => scrub(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        _ => {}
    }
}

fn json_of(text: &str) -> Value {
    let mut value: Value = serde_json::from_str(text).unwrap();
    scrub(&mut value);
    value
}

/// The lines of a JUnit report without its times, and without what names the machine.
fn junit_of(output: &Output, name: &str) -> String {
    let times = regex::Regex::new(" (time|timestamp)=\"[^\"]*\"").unwrap();
    let text = times.replace_all(&output.read(name), "").into_owned();
    let lines = text
        .lines()
        .filter(|line| !["name=\"shard\"", "name=\"run.id\""].iter().any(|property| line.contains(property)));
    output.scrub(&lines.collect::<Vec<_>>().join("\n"))
}

/// The data of a page, block by block.
fn html_of(page: &str) -> Vec<(String, Value)> {
    let begin = "<script type=\"application/json\" id=\"";
    let blocks = page.split(begin).skip(1).map(|block| {
        let (id, rest) = block.split_once("\">").unwrap();
        let mut value = json_of(rest.split_once("</script>").unwrap().0);
        if id == "data-rows" {
            for row in value.as_array_mut().unwrap() {
                (row[3], row[7]) = (Value::Null, Value::Null);
            }
        }
        (id.to_owned(), value)
    });
    blocks.collect()
}

#[test]
fn three_machines_report_as_one() {
    let server = server();
    let whole = run(plan().file("durations.json", durations()), &server, "whole", &[]).code_is(1);
    let counts = "11 scenarios: 9 passed (1 flaky), 1 failed, 1 skipped";
    assert!(whole.stdout.contains(counts), "{whole}");

    // Three machines, each with the files, and what it leaves.
    let parts: Vec<Output> = (1..=3)
        .map(|index| {
            let files = plan().file("durations.json", durations());
            run(files, &server, "part", &["--shard", &format!("{index}/3")])
        })
        .collect();
    let codes: Vec<i32> = parts.iter().map(|part| part.code).collect();
    assert_eq!(codes.iter().sum::<i32>(), 1, "one of them has what fails: {codes:?}");
    let names = |part: &Output| -> Vec<String> {
        let report = json_of(&part.read("part.json"));
        let names = report["scenarios"]
            .as_array()
            .unwrap()
            .iter()
            .map(|scenario| scenario["name"].as_str().unwrap().to_owned());
        names.collect()
    };
    let names: Vec<Vec<String>> = parts.iter().map(names).collect();
    assert!(
        names.contains(&vec!["Plain 2".to_owned()]),
        "what takes as long as the rest is alone: {names:?}"
    );
    let group = |names: &Vec<String>| names.iter().filter(|name| name.starts_with("Of ")).count();
    assert!(names.iter().map(group).all(|count| [0, 2].contains(&count)), "{names:?}");

    for format in ["json", "jsonl"] {
        let mut merge = whole.then();
        let mut files = Vec::new();
        // In no order.
        for index in [2, 0, 1] {
            let file = format!("{index}.{format}");
            merge = merge.file(&file, parts[index].read(&format!("part.{format}")));
            files.push(file);
        }
        let merge = merge.arg("merge").args(files);
        let merge = FORMATS[..3]
            .iter()
            .fold(merge, |run, format| run.args(["--report", &format!("{format}=merged.{format}")]));
        let merged = merge.run().code_is(1);
        assert!(merged.stdout.contains(counts), "{merged}");
        assert_eq!(json_of(&merged.read("merged.json")), json_of(&whole.read("whole.json")), "from {format}");
        assert_eq!(junit_of(&merged, "merged.junit"), junit_of(&merged, "whole.junit"), "from {format}");
        let (page, one) = (html_of(&merged.read("merged.html")), html_of(&whole.read("whole.html")));
        assert_eq!(page.len(), 13, "the run, the rows, and each scenario");
        assert_eq!(page, one, "from {format}");
    }
}
