//! Where reports go: found out before anything runs, whole or not at all, without a secret.

use crate::common::{Answer, FakeServer, Output, Run};
use serde_json::json;
use std::fs;

const ONE: &str = "name: One\nsteps: [{ http: { path: /x } }]\n";

fn server() -> FakeServer {
    FakeServer::always(Answer::json(200, &json!({"n": 1})))
}

/// Runs a scenario that passes.
fn passing(server: &FakeServer, run: Run, options: &[&str]) -> Output {
    let run = run.file("a.yaml", ONE).args(["--base-url", &server.base_url(), "a.yaml"]);
    run.args(options.iter().copied()).run()
}

#[test]
fn what_cannot_be_written_is_found_before_anything_runs() {
    let cases: &[(&[&str], &str)] = &[
        (&["--report", "junit=folder"], "the report junit=folder cannot be written: it is a folder"),
        (&["--report", "junit=new/"], "it is the name of a folder"),
        (&["--report", "junit=a.yaml/out.xml"], "the report junit=a.yaml/out.xml cannot be written"),
        (&["--report", "html=read-only.html"], "it is read-only"),
        (&["--report", "jsonl=folder"], "it is a folder"),
        (&["--report", "junit="], "--report junit= names no file"),
        (&["--report", "junut=x"], "there is no report `junut`"),
        (&["--report", "json", "--report", "tap=-"], "both go to standard output"),
        (&["--report", "json=x", "--report", "tap=x"], "are the same file"),
        (&["--report", "jsonl=x", "--report", "jsonl=y"], "--report jsonl is given twice"),
    ];
    for (options, message) in cases {
        let server = server();
        let run = Run::new().file("folder/x", "").file("read-only.html", "old");
        let file = run.dir().join("read-only.html");
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        let output = passing(&server, run, options).code_is(2);
        assert!(output.stderr.contains(message), "{message}: {output}");
        assert_eq!(server.lines(), Vec::<String>::new(), "nothing was sent: {output}");
    }
    let server = server();
    let output = passing(&server, Run::new(), &["--report", "junut=x"]);
    assert!(output.stderr.contains("did you mean `junit`?"), "{output}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_the_code_says_so() {
    for format in ["junit", "json", "jsonl", "tap", "html", "github", "markdown", "terminal"] {
        let server = server();
        let option = format!("{format}=/dev/full");
        let output = passing(&server, Run::new(), &["--report", &option, "--report", "json=good.json"]);
        // A passing run has nothing to annotate.
        let code = if format == "github" { 0 } else { 5 };
        assert_eq!(output.code, code, "{output}");
        if format != "github" {
            let told = format!("the report {option} was not written: ");
            assert!(output.stderr.contains(&told), "{output}");
            assert!(output.stderr.to_lowercase().contains("no space left"), "{output}");
        }
        assert!(output.stdout.contains("1 scenario: 1 passed"), "{output}");
        assert!(output.read("good.json").contains("\"One\""), "the others are written");
    }
    let server = server();
    let failing = Run::new().file("a.yaml", "steps: [{ http: { path: /x }, expect: { $.n: 2 } }]\n").args([
        "--base-url",
        &server.base_url(),
        "a.yaml",
        "--report",
        "junit=/dev/full",
    ]);
    failing.run().code_is(1);
}

#[test]
fn what_was_there_stays_until_the_new_one_is_whole() {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/hang" => Answer::silence(),
        _ => Answer::json(200, &json!({})),
    });
    let running = Run::new()
        .file(
            "a.yaml",
            "name: A\nsteps:\n  - http: { path: /x }\n---\nname: B\nsteps:\n  - http: { path: /hang }\n",
        )
        .file("out.json", "old")
        .args(["--base-url", &server.base_url(), "a.yaml", "--report", "json=out.json"])
        .start();
    running.wait_for("PASS A");
    let folder = running.dir().to_owned();
    running.kill();
    let output = running.finish().code_is(137);
    assert_eq!(output.read("out.json"), "old");
    let mut left: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["a.yaml", "out.json"], "nothing is left behind");
}

#[test]
fn a_run_that_is_interrupted_writes_its_reports() {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/hang" => Answer::silence(),
        _ => Answer::json(200, &json!({})),
    });
    for times in [1, 2] {
        let running = Run::new()
            .file(
                "a.yaml",
                "name: A\nsteps:\n  - http: { path: /x }\n---\nname: B\nsteps:\n  - http: { path: /before }\n  - http: { path: /hang }\nfinally:\n  - http: { path: /hang }\n---\nname: C\nsteps:\n  - http: { path: /x }\n",
            )
            .args(["--base-url", &server.base_url(), "a.yaml", "--report", "json=out.json", "-v", "--step-timeout", "2s"])
            .args(["junit=out.xml", "tap=out.tap", "markdown=out.md"].map(|report| format!("--report={report}")))
            .start();
        let seen = || server.lines().iter().filter(|line| line.contains("hang")).count();
        let before = seen();
        let wait = |hangs: usize| {
            while seen() < before + hangs {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        };
        wait(1);
        running.interrupt();
        if times == 2 {
            wait(2);
            running.interrupt();
        }
        let output = running.finish().code_is(130);
        let report: serde_json::Value = serde_json::from_str(&output.read("out.json")).unwrap();
        assert_eq!(report["run"]["interrupted"], true);
        let statuses: Vec<&str> =
            report["scenarios"].as_array().unwrap().iter().map(|s| s["status"].as_str().unwrap()).collect();
        assert!(
            matches!(statuses[..], ["passed", "failed" | "not_run", "not_run"]),
            "{statuses:?}: {output}"
        );
        let steps = &report["scenarios"][1]["attempts"][0]["steps"];
        assert!(steps[0]["request"]["url"].as_str().unwrap().ends_with("/before"), "{report:#}");
        // Green alone would be a lie: who reads another report is told too.
        for (name, word) in [
            ("out.xml", "<property name=\"interrupted\" value=\"true\"/>"),
            ("out.tap", "\nBail out! the run was interrupted\n"),
            ("out.md", "\n**The run was interrupted.**\n"),
        ] {
            assert!(output.read(name).contains(word), "{name}: {}", output.read(name));
        }
    }
}

#[test]
#[cfg(unix)]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let server = server();
    let run = Run::new().file("real/out.json", "old");
    let folder = run.dir();
    symlink("real/out.json", folder.join("link.json")).unwrap();
    fs::set_permissions(folder.join("real/out.json"), fs::Permissions::from_mode(0o640)).unwrap();
    let output =
        passing(&server, run, &["--report", "json=link.json", "--report", "tap=new/deep/out.tap"]).code_is(0);
    assert!(folder.join("link.json").symlink_metadata().unwrap().is_symlink());
    let mode = |name: &str| fs::metadata(output.dir().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("real/out.json"), 0o640);
    assert!(mode("new/deep/out.tap") & 0o044 != 0, "others may read it: {:o}", mode("new/deep/out.tap"));
    assert!(output.read("real/out.json").contains("One"));
}

#[test]
fn no_report_shows_a_secret() {
    let secret = "tok-5e\"cr<et&]]>";
    let server = FakeServer::new(move |request| {
        let sent = request.header("authorization").unwrap_or_default().to_owned();
        let long = format!("{}{sent}", "x".repeat(2040));
        Answer::json(if request.path == "/x" { 500 } else { 200 }, &json!({ "long": long, "detail": sent }))
    });
    let files = ["junit", "json", "jsonl", "tap", "html", "github", "markdown", "terminal"];
    let mut run = Run::new()
        .file(
            "a.yaml",
            "name: One ${{ env.TOKEN }}\nsteps:\n  - http: { path: /y }\n  - log: ${{ env.TOKEN }}\n  - http: { path: /x }\n    name: ask ${{ env.TOKEN }}\n",
        )
        .file("agentos-run.yaml", "secrets: [TOKEN]\n")
        .env("TOKEN", secret)
        .args(["--base-url", &server.base_url(), "a.yaml", "--token", secret]);
    for format in files {
        run = run.args(["--report", &format!("{format}=out/{format}")]);
    }
    let output = run.run().code_is(1);
    for format in files {
        let text = output.read(&format!("out/{format}"));
        assert!(
            !text.contains("tok-5e") && !text.contains("cr<et") && !text.contains("cr&lt;et"),
            "{format}: {text}"
        );
        assert!(text.contains("***"), "{format}: {text}");
    }
}

#[test]
fn no_report_shows_a_secret_beside_an_answer() {
    let secret = "tok-5e\"cr<et&]]>";
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/failing" => Answer::json(500, &json!({})),
        _ => Answer::json(200, &json!({ "said": request.header("authorization") })),
    });
    // In the name of a case, a tag, a description; in what a condition says, a note, a reason, an address.
    let scenarios = r#"
name: Case
description: of tok-5e"cr<et&]]> too
tags: ['tok-5e"cr<et&]]>']
cases: [{ token: 'tok-5e"cr<et&]]>' }]
steps:
  - if: ${{ env.TOKEN == 'not tok-5e"cr<et&]]>' }}
    http: { path: /skipped }
  - until: { $.said: { contains: nothing of it } }
    http: { path: /noted }
    every: 1ms
    within: 5ms
    soft: true
  - http: { path: /failing, query: { token: '${{ env.TOKEN }}' } }
---
name: Skipped
skip: ${{ env.TOKEN }}
steps: [{ http: { path: /x } }]
"#;
    let files = ["junit", "json", "jsonl", "tap", "html", "github", "markdown", "terminal"];
    let mut run = Run::new()
        .file("a.yaml", scenarios)
        .file("agentos-run.yaml", "secrets: [TOKEN]\n")
        .env("TOKEN", secret)
        .args(["--base-url", &server.base_url(), "a.yaml", "-v", "--token", secret]);
    for format in files {
        run = run.args(["--report", &format!("{format}=out/{format}")]);
    }
    let output = run.run().code_is(1);
    let shown = |text: &str| text.contains("tok-5e") || text.contains("cr<et") || text.contains("cr&lt;et");
    assert!(!shown(&output.stdout) && !shown(&output.stderr), "{output}");
    for format in files {
        let text = output.read(&format!("out/{format}"));
        assert!(!shown(&text), "{format}: {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&output.read("out/json")).unwrap();
    let case = &json["scenarios"][0];
    assert_eq!(case["name"], "Case [token=***]");
    let steps = case["attempts"][0]["steps"].as_array().unwrap();
    assert!(steps[0]["reason"].as_str().unwrap().contains("not ***"), "{case}");
    assert!(steps[1]["notes"].to_string().contains("***"), "{case}");
    assert!(steps[2]["request"]["url"].as_str().unwrap().ends_with("/failing?token=***"), "{case}");
    assert_eq!(json["scenarios"][1]["reason"], "***");
}

#[test]
fn what_a_report_says_of_a_stream_does_not_end_in_half_a_secret() {
    // Of a stream, reports tell what its events say in short: the secret lies across the end of that, in pieces and whole.
    let long = "hunter2-".repeat(80);
    for secret in ["hunter2-and-so-on-for-ever", &long] {
        let text = format!("{}{secret} and more", "x".repeat(185));
        let mut pieces =
            Answer::events().event("RunStarted", &json!({ "event": "RunStarted", "run_id": "r" }));
        for at in (0..text.len()).step_by(7) {
            let piece = &text[at..text.len().min(at + 7)];
            pieces = pieces
                .event("RunContent", &json!({ "event": "RunContent", "run_id": "r", "content": piece }));
        }
        let done = json!({ "event": "RunCompleted", "run_id": "r", "content": text });
        let whole = Answer::events()
            .event("RunStarted", &json!({ "event": "RunStarted", "run_id": "r" }))
            .event("RunContent", &json!({ "event": "RunContent", "run_id": "r", "content": text }))
            .event("RunCompleted", &done)
            .last_chunk();
        for answer in [pieces.event("RunCompleted", &done).last_chunk(), whole] {
            let server = FakeServer::new(move |request| match request.path.as_str() {
                "/agents/a/runs" => answer.clone(),
                _ => Answer::json(200, &json!({})),
            });
            let output = Run::new()
                .file("a.yaml", "steps: [{ run_agent: { agent_id: a, message: hi, stream: true } }]\n")
                .args(["--base-url", &server.base_url(), "a.yaml", "--token", secret])
                .args(["--report", "json=r.json", "--report", "jsonl=r.jsonl", "--report", "html=r.html"])
                .run()
                .code_is(0);
            for name in ["r.json", "r.jsonl", "r.html"] {
                assert!(!output.read(name).contains("xh"), "{name}: {}", output.read(name));
            }
        }
    }
}

#[test]
#[cfg(unix)]
fn what_was_running_when_it_was_stopped_at_once_is_told_as_far_as_it_came() {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/wait" | "/slow" => Answer::silence(),
        _ => Answer::json(200, &json!({})),
    });
    let target = server.base_url();
    let running = Run::new()
        .file(
            "a.yaml",
            "steps: [{ http: { path: /first } }, { http: { path: /wait } }]\nfinally: [{ http: { path: /slow } }]\n",
        )
        .args(["--base-url", &target, "--report", "json=report.json", "a.yaml"])
        .start();
    let arrived = |path: &str| {
        while !server.lines().iter().any(|line| line.ends_with(path)) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    };
    arrived("/wait");
    running.interrupt();
    arrived("/slow");
    running.interrupt();
    let output = running.finish().code_is(130);
    let report: serde_json::Value = serde_json::from_str(&output.read("report.json")).unwrap();
    let scenario = &report["scenarios"][0];
    assert_eq!((&scenario["status"], &report["run"]["interrupted"]), (&json!("failed"), &json!(true)));
    let steps = scenario["attempts"][0]["steps"].as_array().unwrap();
    let urls: Vec<&str> = steps.iter().filter_map(|step| step["request"]["url"].as_str()).collect();
    assert_eq!(urls, ["/first", "/wait", "/slow"].map(|path| format!("{target}{path}")), "{scenario:#}");
    let statuses: Vec<&str> = steps.iter().filter_map(|step| step["status"].as_str()).collect();
    assert_eq!(statuses, ["passed", "failed", "failed"], "{scenario:#}");
}
