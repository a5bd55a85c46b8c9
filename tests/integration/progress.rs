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
    assert!(sent.contains("a name that is long...: the step 0"), "the step has room: {sent:?}");
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

/// Forty requests of a twentieth of a second, the tenth of which is refused.
fn a_loop() -> Run {
    let text = "
        name: Sweep
        steps:
          - name: all of them
            for_each: \"${{ range(40) | list }}\"
            stop_on_failure: false
            http: { path: \"/item/${{ item }}\" }
    ";
    Run::new().file("a.yaml", crate::common::text::dedent(text))
}

fn slow_items() -> FakeServer {
    FakeServer::new(|request| match request.path.as_str() {
        "/config" => Answer::json(200, &json!({})),
        path => Answer::json(if path == "/item/9" { 500 } else { 200 }, &json!({}))
            .after(Duration::from_millis(50)),
    })
}

#[test]
fn a_loop_that_takes_long_shows_how_far_it_is() {
    let server = slow_items();
    let folder = a_loop();
    let mut command = Command::new(env!("CARGO_BIN_EXE_agentos-run"));
    command
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .current_dir(folder.dir())
        .env_clear()
        .env("TERM", "xterm-256color");
    let (code, sent) = Terminal::new(80, 24).run(command);
    assert_eq!(code, 1);
    let shown = regex::Regex::new(r"\d s  Sweep: all of them, \d+ of 40").unwrap();
    assert!(shown.is_match(&sent), "{sent:?}");
    assert!(regex::Regex::new(r"all of them, \d+ of 40, 1 failed").unwrap().is_match(&sent), "{sent:?}");
    let (lines, _) = screen(&sent);
    assert!(!lines.join("\n").contains("all of them, "), "{lines:?}");
}

#[test]
fn in_a_log_a_long_loop_says_now_and_then_how_far_it_is() {
    let said = |arguments: &[&str]| {
        let server = slow_items();
        let run = a_loop().args(["--base-url", &server.base_url(), "a.yaml"]).args(arguments);
        run.run().code_is(1).stdout
    };
    let busy = |stdout: &str| stdout.lines().filter(|line| line.starts_with("BUSY ")).count();
    let stdout = said(&["--slow", "400ms"]);
    assert!((1..=10).contains(&busy(&stdout)), "{stdout}");
    let line = regex::Regex::new(r"BUSY Sweep  a.yaml:1  \(all of them: \d+ of 40[^)]*\)\n").unwrap();
    assert!(line.is_match(&stdout), "{stdout}");
    let stdout = said(&[]);
    assert_eq!(busy(&stdout), 0, "not yet: {stdout}");
    let stdout = said(&["--slow", "400ms", "-q"]);
    assert_eq!(busy(&stdout), 0, "{stdout}");
}

#[test]
fn no_line_shows_a_secret_and_not_half_of_one_at_its_end() {
    let server = server();
    let cases: Vec<String> = (0..3).map(|n| format!("{{ t: 'hunter2-and-more-{n}' }}")).collect();
    let text = format!(
        "name: Case\ncases: [{}]\nsteps: [{{ name: '${{{{ case.t }}}}', http: {{ path: /work }} }}]\n",
        cases.join(", ")
    );
    for columns in 24..40 {
        let folder = Run::new().file("a.yaml", &text).file("agentos-run.yaml", "secrets: [A, B, C]\n");
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentos-run"));
        command
            .args(["--base-url", &server.base_url(), "a.yaml", "-j3"])
            .current_dir(folder.dir())
            .env_clear()
            .envs([("A", "hunter2-and-more-0"), ("B", "hunter2-and-more-1"), ("C", "hunter2-and-more-2")])
            .env("TERM", "xterm-256color");
        let (code, sent) = Terminal::new(columns, 24).run(command);
        assert_eq!(code, 0, "{sent:?}");
        assert!(sent.contains("Case [t=*"), "{columns}: {sent:?}");
        assert!(!sent.contains("hunt"), "{columns}: {sent:?}");
    }
}
