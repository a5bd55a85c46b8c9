//! Which scenarios run: a part of the plan, what failed the last time, what stands at a line.

use crate::common::text::unwrapped;
use crate::common::{Answer, FakeServer, Output, Run};
use serde_json::json;
use std::fmt::Write as _;

/// So many scenarios that pass, named `s0`, `s1` ...; each takes three lines.
fn plan(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "---\nname: s{n}\nsteps: [{{ http: {{ path: /s{n} }} }}]");
        text
    })
}

fn server() -> FakeServer {
    FakeServer::always(Answer::json(200, &json!({})))
}

/// The names of those that ran, in the order of the output.
fn ran(output: &Output) -> Vec<String> {
    let lines = output.stdout.lines();
    let lines = lines.filter_map(|line| line.strip_prefix("PASS ").or_else(|| line.strip_prefix("FAIL ")));
    lines
        .filter(|line| line.contains("  ("))
        .map(|line| line.split("  ").next().unwrap().to_owned())
        .collect()
}

fn sharded(count: usize, shard: &str) -> Run {
    Run::new().file("a.yaml", plan(count)).args(["--embedded", "a.yaml", "--shard", shard])
}

const HEALTHY: &str = "steps: [{ health: {} }]";

#[test]
fn each_scenario_in_one_shard() {
    let server = server();
    let mut all = Vec::new();
    for index in 1..=3 {
        let output = Run::new()
            .file("a.yaml", plan(8))
            .args(["--base-url", &server.base_url(), "a.yaml", "--shard", &format!("{index}/3")])
            .run()
            .code_is(0);
        let names = ran(&output);
        let head = format!("shard {index}/3: {} of 8 scenarios", names.len());
        assert!(output.stdout.lines().next().unwrap().ends_with(&head), "{output}");
        assert!((2..=3).contains(&names.len()), "{names:?}");
        all.extend(names);
    }
    all.sort();
    assert_eq!(all, (0..8).map(|n| format!("s{n}")).collect::<Vec<_>>());
}

#[test]
fn what_would_run_in_a_shard() {
    let list = |shard: &str| {
        let run = Run::new().file("a.yaml", plan(5)).args(["list", "a.yaml", "--shard", shard]);
        run.run().code_is(0).stdout.lines().count()
    };
    assert_eq!((list("1/2"), list("2/2"), list("6/6")), (3, 2, 0));
}

#[test]
fn a_shard_without_a_scenario_is_no_fault() {
    let output = sharded(2, "3/3").run().code_is(0);
    assert_eq!(output.stderr, "nothing to run: shard 3/3 of 2 scenarios is empty\n");
    // But a selection that matches nothing is one.
    sharded(2, "3/3").args(["-f", "nobody"]).run().code_is(4);
}

#[test]
fn shards_that_make_no_sense() {
    for (shard, message) in [
        ("0/3", "shards are counted from 1"),
        ("3/2", "there is no shard 3 where there are 2"),
        ("1/0", "there must be at least one shard"),
        ("2", "a shard is written I/N"),
        ("one", "a shard is written I/N"),
        ("automatic", "a shard is `2/4`, `auto`, or `auto/4`"),
        ("auto/4", "nothing says which of them this machine is"),
        ("1/2/3", "a shard is written I/N"),
    ] {
        let output = sharded(2, shard).run().code_is(2);
        assert!(unwrapped(&output.stderr).contains(&format!("--shard {shard}: {message}")), "{output}");
    }
}

#[test]
fn what_ci_systems_say() {
    let names = |variables: &[(&str, &str)], shard: &str| {
        let run = variables.iter().fold(sharded(4, shard), |run, (name, value)| run.env(*name, *value));
        let output = run.run();
        (output.code, output.stdout.lines().next().unwrap_or_default().to_owned(), unwrapped(&output.stderr))
    };
    for (index, total, first) in [
        ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),
        ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
        ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
        ("SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", 1),
        ("BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT", 0),
        ("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1),
        ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", 0),
    ] {
        for shard in 1..=4 {
            let (_, head, _) = names(&[(index, &(first + shard - 1).to_string()), (total, "4")], "auto");
            assert!(head.ends_with(&format!("shard {shard}/4: 1 of 4 scenarios")), "{index}: {head}");
        }
        let (code, _, message) = names(&[(index, &(first + 4).to_string()), (total, "4")], "auto");
        assert!(code == 2 && message.contains("where there are 4: so says "), "{index}: {message}");
    }
    // A pod of an indexed job is told its index only.
    for shard in 1..=4 {
        let (_, head, _) = names(&[("JOB_COMPLETION_INDEX", &(shard - 1).to_string())], "auto/4");
        assert!(head.ends_with(&format!("shard {shard}/4: 1 of 4 scenarios")), "{head}");
    }
    let (code, _, message) = names(&[("JOB_COMPLETION_INDEX", "3")], "auto");
    assert!(
        code == 2 && message.contains("Kubernetes tells an index") && message.contains("--shard auto/4"),
        "{message}"
    );
    let (code, _, message) = names(&[("CI_NODE_INDEX", "x"), ("CI_NODE_TOTAL", "4")], "auto");
    assert!(code == 2 && message.contains("CI_NODE_INDEX of GitLab is `x`"), "{message}");
    let (code, _, message) = names(&[("CI_NODE_INDEX", "5"), ("CI_NODE_TOTAL", "4")], "auto");
    assert!(code == 2 && message.contains("no shard 5 where there are 4: so says GitLab"), "{message}");
    // On a machine that is alone, it is all of them.
    let output = sharded(4, "auto").run();
    assert!(output.stdout.contains("4 scenarios: "), "{output}");
    // And nothing is split that nobody wanted split.
    let run = Run::new().file("a.yaml", plan(4)).args(["--embedded", "a.yaml"]);
    let output = run.env("CI_NODE_INDEX", "1").env("CI_NODE_TOTAL", "4").run();
    assert!(output.stdout.contains("4 scenarios: "), "{output}");
}

#[test]
fn balanced_by_earlier_durations() {
    let durations = json!({
        "a.yaml::s0": 100, "a.yaml::s1": 100, "a.yaml::s2": 300, "a.yaml::s3": 100, "a.yaml::s9": 5,
    });
    let run = |shard: &str| {
        let run = sharded(4, shard).file("durations.json", durations.to_string());
        let output = run.args(["--durations", "durations.json"]).run();
        assert_eq!(output.read("durations.json"), durations.to_string(), "a part of a run changes nothing");
        output.stdout.lines().next().unwrap().rsplit(": ").next().unwrap().to_owned()
    };
    assert_eq!((run("1/2"), run("2/2")), ("1 of 4 scenarios".to_owned(), "3 of 4 scenarios".to_owned()));
    // What took no time at all is dealt out like anything else.
    let none = json!({ "a.yaml::s0": 0, "a.yaml::s1": 0, "a.yaml::s2": 0, "a.yaml::s3": 0 }).to_string();
    let run = sharded(4, "1/2").file("durations.json", none).args(["--durations", "durations.json"]).run();
    assert!(run.stdout.lines().next().unwrap().ends_with(": 2 of 4 scenarios"), "{run}");
    let missing = sharded(4, "1/2").args(["--durations", "none.json"]).run().code_is(2);
    assert!(unwrapped(&missing.stderr).contains("--durations none.json: no such file"), "{missing}");
    let broken = sharded(4, "1/2").file("x.json", "[1]").args(["--durations", "x.json"]).run().code_is(2);
    assert!(unwrapped(&broken.stderr).contains("this is not a file of durations"), "{broken}");
}

#[test]
fn a_whole_run_writes_durations() {
    let output = Run::new()
        .file("a.yaml", format!("name: One\n{HEALTHY}\n---\nname: Two\n{HEALTHY}\n"))
        .file("durations.json", r#"{ "a.yaml::One": 77777, "b.yaml::Else": 5 }"#)
        .args(["--embedded", "a.yaml", "--durations", "durations.json"])
        .run()
        .code_is(0);
    let written: serde_json::Value = serde_json::from_str(&output.read("durations.json")).unwrap();
    assert_eq!(written["b.yaml::Else"], 5, "what did not run stays");
    assert!(written["a.yaml::One"].as_u64().unwrap() < 77777 && written["a.yaml::Two"].is_u64(), "{written}");
    assert!(!output.dir().join(".agentos-run").exists(), "nothing is left where there is no project");
}

#[test]
fn a_group_stays_on_one_machine() {
    for serial in ["db", "true"] {
        let text: String = (0..6).fold(String::new(), |mut text, n| {
            let serial = if n % 2 == 0 { format!("serial: {serial}\n") } else { String::new() };
            let _ = write!(text, "---\nname: s{n}\n{serial}{HEALTHY}\n");
            text
        });
        for shard in ["1/3", "2/3", "3/3"] {
            let run = Run::new().file("a.yaml", &text).args(["--embedded", "a.yaml", "--shard", shard]);
            let names = ran(&run.run().code_is(0));
            let of_the_group =
                names.iter().filter(|name| ["s0", "s2", "s4"].contains(&name.as_str())).count();
            assert!([0, 3].contains(&of_the_group), "{serial}: {shard}: {names:?}");
        }
    }
}

#[test]
fn what_one_machine_remembers_does_not_split_the_plan() {
    // A cache of one machine would let it run other scenarios than its part: some twice, some never.
    let durations = json!({ "a.yaml::s0": 100_000, "a.yaml::s1": 1, "a.yaml::s2": 1, "a.yaml::s3": 1 });
    let part = |shard: &str, remembers: bool| {
        let mut run = sharded(4, shard).file("agentos-run.yaml", "");
        if remembers {
            run = run.file(".agentos-run/durations.json", durations.to_string());
        }
        ran(&run.run())
    };
    let mut all = part("1/2", true);
    assert_eq!(all, part("1/2", false));
    all.extend(part("2/2", false));
    all.sort();
    assert_eq!(all, ["s0", "s1", "s2", "s3"]);
}

#[test]
fn what_failed_the_last_time() {
    let project = "targets: { default: { base_url: embedded } }\nscenarios: scenarios\n";
    let bad = "steps: [{ http: { path: /nowhere } }]";
    let first = Run::new()
        .file("agentos-run.yaml", project)
        .file(
            "scenarios/a.yaml",
            format!("name: One\n{HEALTHY}\n---\nname: Two\n{bad}\n---\nname: Three\n{bad}\n"),
        )
        .arg("--last-failed")
        .run()
        .code_is(2);
    assert!(unwrapped(&first.stderr).contains("nothing is known of an earlier run"), "{first}");
    let all = first.then().run().code_is(1);
    assert_eq!(ran(&all), ["One", "Two", "Three"]);
    assert_eq!(all.read(".agentos-run/.gitignore"), "*\n");
    // One of them alone: what did not run is remembered.
    let two = all.then().args(["-f", "Two", "scenarios"]).run().code_is(1);
    assert_eq!(ran(&two), ["Two"]);
    let failed = two.then().arg("--last-failed").run().code_is(1);
    assert_eq!(ran(&failed), ["Two", "Three"]);
    // What was not begun any more has not passed.
    let stopped = failed.then().arg("--fail-fast").arg("--last-failed").run().code_is(1);
    assert!(stopped.stdout.contains("1 failed, 1 not run"), "{stopped}");
    assert_eq!(ran(&failed.then().arg("--last-failed").run().code_is(1)), ["Two", "Three"]);
    let mended = failed.then().file(
        "scenarios/a.yaml",
        format!("name: One\n{HEALTHY}\n---\nname: Two\n{HEALTHY}\n---\nname: Three\n{bad}\n"),
    );
    assert_eq!(ran(&mended.arg("--last-failed").run().code_is(1)), ["Two", "Three"]);
    assert_eq!(ran(&failed.then().arg("--last-failed").run().code_is(1)), ["Three"]);
    failed.then().file("scenarios/a.yaml", format!("name: Three\n{HEALTHY}\n")).run().code_is(0);
    let nothing = failed.then().arg("--last-failed").run().code_is(0);
    assert_eq!(nothing.stderr, "nothing to run: no scenario failed the last time\n");
}

#[test]
fn what_failed_is_remembered_from_whatever_folder_it_was_run() {
    let output = Run::new()
        .file("agentos-run.yaml", "targets: { default: { base_url: embedded } }\nscenarios: scenarios\n")
        .file(
            "scenarios/a.yaml",
            format!("name: One\n{HEALTHY}\n---\nname: Two\nsteps: [{{ http: {{ path: /x }} }}]\n"),
        )
        .arg("--version")
        .run();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .arg("a.yaml")
        .current_dir(output.dir().join("scenarios"))
        .env_clear()
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(ran(&output.then().arg("--last-failed").run().code_is(1)), ["Two"]);
}

#[test]
fn without_a_project_nothing_is_remembered() {
    let run = Run::new().file("a.yaml", HEALTHY).args(["--embedded", "a.yaml", "--last-failed"]);
    let output = run.run().code_is(2);
    assert!(
        unwrapped(&output.stderr).contains("nothing is known of earlier runs without a project file"),
        "{output}"
    );
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_written() {
    let run = Run::new()
        .file("agentos-run.yaml", "targets: { default: { base_url: embedded } }\n")
        // In the place of the folder.
        .file(".agentos-run", "")
        .file("a.yaml", HEALTHY)
        .arg("a.yaml");
    let output = run.run().code_is(0);
    assert!(output.stderr.contains("warning: cannot write"), "{output}");
}

const THREE: &str = "\
# a comment at the top
name: One
steps:
  - health: {}
---
# about the second
name: Two
cases:
  - { n: 1 }
  - { n: 2 }
steps:
  - health: {}

---
name: Three
steps:
  - health: {}
";

#[test]
fn what_stands_at_a_line() {
    let names = |paths: &[&str]| {
        let run = Run::new().file("a.yaml", THREE).file("b.yaml", format!("name: B\n{HEALTHY}\n"));
        let output = run.arg("--embedded").args(paths).run();
        (output.code, ran(&output))
    };
    let is = |paths: &[&str], expected: &[&str]| {
        let (code, names) = names(paths);
        assert_eq!((code, names), (0, expected.iter().map(|&name| name.to_owned()).collect()), "{paths:?}");
    };
    is(&["a.yaml:1"], &["One"]);
    is(&["a.yaml:4"], &["One"]);
    is(&["a.yaml:6"], &["Two [n=1]", "Two [n=2]"]);
    is(&["a.yaml:10"], &["Two [n=2]"]);
    is(&["a.yaml:13"], &["Two [n=1]", "Two [n=2]"]);
    is(&["a.yaml:17"], &["Three"]);
    is(&["a.yaml:3", "b.yaml", "a.yaml:10"], &["One", "Two [n=2]", "B"]);
    is(&["a.yaml", "a.yaml:17"], &["One", "Two [n=1]", "Two [n=2]", "Three"]);
    is(&["a.yaml:17", "./a.yaml"], &["One", "Two [n=1]", "Two [n=2]", "Three"]);
    is(&[".:1"], &["One", "B"]);
}

#[test]
fn a_line_that_is_not_there() {
    for (path, message) in [
        ("a.yaml:99", "a.yaml has no line 99: it ends with line 17"),
        ("a.yaml:0", "a.yaml has no line 0"),
        ("none.yaml:3", "cannot read none.yaml"),
        ("a.yaml:x", "cannot read a.yaml:x"),
    ] {
        let output = Run::new().file("a.yaml", THREE).args(["--embedded", path]).run().code_is(2);
        assert!(unwrapped(&output.stderr).contains(message), "{output}");
    }
    // A file may be named so.
    let output = Run::new().file("a.yaml:3", HEALTHY).args(["--embedded", "a.yaml:3"]).run().code_is(0);
    assert!(output.stdout.contains("1 scenario: 1 passed"), "{output}");
}
