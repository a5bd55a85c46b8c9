//! What a person sees on a terminal while scenarios run.

use crate::common::pty::{Terminal, screen};
use crate::common::{Answer, FakeServer, Run};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

/// Everything takes long enough for the lines to be drawn.
fn server() -> FakeServer {
    FakeServer::new(|request| {
        let answer = Answer::json(if request.path == "/broken" { 500 } else { 200 }, &json!({}));
        if request.path == "/config" { answer } else { answer.after(Duration::from_millis(700)) }
    })
}

/// Six scenarios, one of which fails.
fn plan() -> String {
    (0..6).fold(String::new(), |text, n| {
        let (name, path) = if n == 3 { ("broken", "broken") } else { ("a name that is long enough", "work") };
        format!("{text}---\nname: {name} {n}\nsteps: [{{ name: the step {n}, http: {{ path: /{path} }} }}]\n")
    })
}

fn run(columns: u16, lines: u16, set_up: impl FnOnce(&mut Command)) -> (i32, String) {
    let server = server();
    let folder = Run::new().file("a.yaml", plan());
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentos-run"));
    command
        .args(["--base-url", &server.base_url(), "a.yaml", "-j3"])
        .current_dir(folder.dir())
        .env_clear()
        .env("TERM", "xterm-256color");
    set_up(&mut command);
    Terminal::new(columns, lines).run(command)
}

#[test]
fn lines_that_go_away_again() {
    let (code, sent) = run(80, 24, |_| {});
    assert_eq!(code, 1);
    assert!(sent.contains("0 of 6 done, 3 running; 0 s"), "{sent:?}");
    assert!(sent.contains("s  a name that is long enough 0: the step 0"), "{sent:?}");
    assert!(sent.contains("s  broken 3: the step 3"), "{sent:?}");
    assert!(sent.contains("3 of 6 done, 3 running; 0 s, about"), "{sent:?}");
    let (lines, _) = screen(&sent);
    let text = lines.join("\n");
    assert!(text.contains("PASS a name that is long enough 5") && text.contains("6 scenarios: "), "{text}");
    assert!(!text.contains("running") && !text.contains("\n\n\n"), "{text}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    // Lines that are drawn below; those of the report wrap where they must.
    let (_, sent) = run(44, 24, |command| {
        command.env("NO_COLOR", "1");
    });
    for (at, _) in sent.match_indices(" done, 3 running") {
        let drawn = &sent[at..];
        let drawn = &drawn[..drawn.find('\u{1b}').unwrap_or(drawn.len())];
        let (_, widest) = screen(&drawn.replace("\r\n", "\n").replace('\n', "\r\n"));
        assert!(widest < 44, "{widest} in {drawn:?}");
    }
    assert!(sent.contains("a name that is long enough 0: t..."), "{sent:?}");
    let colour = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    assert!(!colour.is_match(&sent), "no colours: {sent:?}");
}

#[test]
fn few_lines_on_a_small_terminal() {
    let (_, sent) = run(80, 5, |_| {});
    assert!(sent.contains("         and 2 more"), "{sent:?}");
}

#[test]
fn nothing_where_it_would_spoil_a_log() {
    type SetUp<'a> = &'a dyn Fn(&mut Command);
    let quiet: [(&str, SetUp<'_>); 5] = [
        ("TERM", &|command| {
            command.env("TERM", "dumb");
        }),
        ("CI", &|command| {
            command.env("CI", "true");
        }),
        ("--no-progress", &|command| {
            command.arg("--no-progress");
        }),
        ("-q", &|command| {
            command.arg("-q");
        }),
        ("-v, one at a time", &|command| {
            command.args(["-v", "-f", "broken"]);
        }),
    ];
    for (what, set_up) in quiet {
        let (_, sent) = run(80, 24, |command| set_up(command));
        assert!(!sent.contains("running") && !sent.contains("\u{1b}[J"), "{what}: {sent:?}");
    }
}

#[test]
fn steps_of_several_at_a_time_stay_together() {
    let (_, sent) = run(80, 24, |command| {
        command.arg("-v");
    });
    let (lines, _) = screen(&sent);
    let text = lines.join("\n");
    for n in [0, 1, 2, 4, 5] {
        let block = format!("a name that is long enough {n}\n  ok the step {n} (http)");
        assert!(text.contains(&block), "{text}");
    }
}
