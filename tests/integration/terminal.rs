//! Standard output and standard error: pipes that close, colours, and what goes where.

use crate::common::{Answer, FakeServer, Run};
use serde_json::json;
use std::process::{Command, Stdio};

const TWO: &str = "name: One\nsteps: [{ http: { path: /x } }]\n---\nname: Two\nsteps: [{ http: { path: /x }, expect: { $.n: 2 } }]\n";

fn server() -> FakeServer {
    FakeServer::always(Answer::json(200, &json!({"n": 1})))
}

fn run() -> (FakeServer, Run) {
    let server = server();
    let run = Run::new().file("a.yaml", TWO).args(["--base-url", &server.base_url(), "a.yaml"]);
    (server, run)
}

#[test]
fn colours_only_where_they_are_wanted() {
    let colored = |run: Run| run.colored().run().code_is(1).stdout.contains("\u{1b}[");
    assert!(!colored(run().1), "a pipe");
    assert!(colored(run().1.args(["--color", "always"])));
    assert!(colored(run().1.env("CLICOLOR_FORCE", "1")));
    assert!(!colored(run().1.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
    assert!(!colored(run().1.env("CLICOLOR_FORCE", "1").args(["--color", "never"])));
}

#[test]
fn without_unicode_where_the_locale_has_none() {
    let (_server, run) = run();
    let output = run.env("LC_ALL", "en_US.ISO-8859-1").run().code_is(1);
    let beyond: Vec<char> = output.stdout.chars().filter(|c| !c.is_ascii()).collect();
    assert!(beyond.is_empty(), "{beyond:?} in {output}");
}

#[test]
fn as_wide_as_the_terminal() {
    for width in ["40", "60", "200", "0", "wide"] {
        let (_server, run) = run();
        let output = run.env("COLUMNS", width).run().code_is(1);
        assert!(output.stdout.contains("`$.n` is 1, expected 2"), "{width}: {output}");
    }
}

#[test]
fn a_reader_that_has_seen_enough() {
    let server = server();
    let run = Run::new().file("a.yaml", TWO);
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(["--base-url", &server.base_url(), "-vv", "a.yaml"])
        .current_dir(run.dir())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*stderr), (Some(1), ""), "the scenarios ran, and one failed");
    assert_eq!(server.requests().len(), 3);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_worth_a_word() {
    let server = server();
    let run = Run::new().file("a.yaml", TWO);
    let output = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .current_dir(run.dir())
        .env_clear()
        .stdout(std::fs::File::create("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("cannot write to standard output"), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_is_lost_is_no_success() {
    let server = server();
    let run = Run::new().file("a.yaml", "steps: [{ http: { path: /x } }]\n");
    let status = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .current_dir(run.dir())
        .env_clear()
        .stdout(std::fs::File::create("/dev/full").unwrap())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(5));
}

#[test]
#[cfg(unix)]
fn arguments_that_are_no_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let odd = std::ffi::OsString::from_vec(b"caf\xe9.yaml".to_vec());
    let output = Run::new().arg("--embedded").arg(odd).run();
    assert_eq!(output.code, 2, "{output}");
}
