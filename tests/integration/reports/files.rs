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
                "name: A\nsteps:\n  - http: { path: /x }\n---\nname: B\nsteps:\n  - http: { path: /hang }\nfinally:\n  - http: { path: /hang }\n---\nname: C\nsteps:\n  - http: { path: /x }\n",
            )
            .args(["--base-url", &server.base_url(), "a.yaml", "--report", "json=out.json", "-v", "--step-timeout", "2s"])
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
