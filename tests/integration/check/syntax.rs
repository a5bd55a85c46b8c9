//! What is no YAML, YAML that says one thing twice, and files made to exhaust whoever reads them.

use super::{findings, messages};
use crate::common::Run;
use std::{fmt::Write as _, process::Command};

#[test]
fn a_line_that_is_no_yaml() {
    insta::assert_snapshot!(findings("
        steps:
          - get_config: {}
          oops
    "), @"
    yaml::syntax

      × this is not valid YAML: simple key expected ':'
       ╭─[a.yaml:3:3]
     2 │   - get_config: {}
     3 │   oops
       ·   ▲
       ·   ╰── here
     4 │
       ╰────
      help: a key is followed by `: `, and an item of a list begins with `- `

    1 problem: 0 scenarios in 1 file
    ");
}

#[test]
fn an_expression_in_braces_without_quotes() {
    insta::assert_snapshot!(findings("
        vars: { sid: s1 }
        steps:
          - get_session: { session_id: ${{ sid }} }
    "), @r#"
    yaml::syntax

      × this is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
       ╭─[a.yaml:3:33]
     2 │ steps:
     3 │   - get_session: { session_id: ${{ sid }} }
       ·                                 ▲
       ·                                 ╰── here
     4 │
       ╰────
      help: inside `{ }` an expression stands in quotes: { session_id: "${{ sid }}" }

    1 problem: 0 scenarios in 1 file
    "#);
}

#[test]
fn a_path_with_brackets_in_braces_without_quotes() {
    for (written, help) in [
        ("save: { m: $.data[0].id }", "$.data[0].id"),
        ("save: {a: $, m: $.data[?@.x == 1].y, b: $}", "$.data[?@.x == 1].y"),
        ("expect: { $.data[0].id: x }", "$.data[0].id"),
    ] {
        let found = findings(&format!("steps:\n  - get_sessions: {{}}\n    {written}\n"));
        let help = format!("inside `{{ }}` a path with brackets stands in quotes: \"{help}\"\n");
        assert!(found.contains(&help), "{found}");
    }
}

#[test]
fn a_tab_as_indentation() {
    insta::assert_snapshot!(findings("steps:\n\t- get_config: {}\n"), @"
    yaml::syntax

      × this is not valid YAML: tabs disallowed within this context (block indentation)
       ╭─[a.yaml:2:2]
     1 │ steps:
     2 │     - get_config: {}
       ·     ▲
       ·     ╰── here
     3 │
       ╰────
      help: YAML is indented by spaces, never by tabs

    1 problem: 0 scenarios in 1 file
    ");
}

#[test]
fn a_quote_that_is_not_closed() {
    insta::assert_snapshot!(findings("
        steps:
          - log: \"hello
          - get_config: {}
    "), @r#"
    yaml::syntax

      × this is not valid YAML: invalid indentation in multiline quoted scalar
       ╭─[a.yaml:3:3]
     2 │   - log: "hello
     3 │   - get_config: {}
       ·   ▲
       ·   ╰── here
     4 │
       ╰────
      help: is a quote never closed? An apostrophe inside of '...' is written twice

    1 problem: 0 scenarios in 1 file
    "#);
}

#[test]
fn a_key_that_stands_twice() {
    insta::assert_snapshot!(findings("
        steps:
          - get_sessions:
              limit: 1
              limit: 2
    "), @"
    yaml::duplicate-key

      × the key `limit` stands twice in one mapping
       ╭─[a.yaml:4:7]
     2 │   - get_sessions:
     3 │       limit: 1
       ·       ──┬──
       ·         ╰── first here
     4 │       limit: 2
       ·       ──┬──
       ·         ╰── again here
     5 │
       ╰────
      help: keep one of them; several expectations on one target are written as one mapping of
            predicates, or as a list of mappings

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn one_target_expected_twice() {
    assert_eq!(
        messages(&findings(
            "
            steps:
              - get_config: {}
                expect:
                  $.os_id: { contains: a }
                  $.os_id: { contains: b }
        "
        )),
        ["the key `$.os_id` stands twice in one mapping"]
    );
}

#[test]
fn an_alias_of_nothing() {
    insta::assert_snapshot!(findings("
        steps:
          - log: *greeting
    "), @"
    yaml::syntax

      × this is not valid YAML: reference to unknown value
       ╭─[a.yaml:2:10]
     1 │ steps:
     2 │   - log: *greeting
       ·          ▲
       ·          ╰── here
     3 │
       ╰────
      help: `*name` repeats what `&name` marked; a text that begins with `*` stands in quotes

    1 problem: 0 scenarios in 1 file
    ");
}

#[test]
fn bytes_that_are_no_text() {
    let run =
        Run::new().file("a.yaml", b"name: caf\xe9\nsteps:\n  - get_config: {}\n").args(["check", "a.yaml"]);
    let output = run.run().code_is(2);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    file::encoding

      × a.yaml is not UTF-8: see line 1
      help: save the file as UTF-8

    1 problem: 0 scenarios in 0 files
    ");
}

#[test]
fn zero_bytes_and_other_control_characters() {
    // That none of them reaches the terminal, every run of the harness checks.
    for text in [
        "steps:\n  - log: \"a\0b\"\n",
        "\0",
        "name: \u{1b}[2J\nsteps:\n  - get_config: {}\n",
        "\"na\\x1b[31mme\": x\nsteps:\n  - get_config: {}\n",
        "steps:\n  - get_config: {}\n    \"\u{9b}31m\": 1\n",
    ] {
        let output = Run::new().file("a.yaml", text).args(["check", "a.yaml"]).run();
        assert_eq!(output.code, 2, "{text:?}: {output}");
    }
}

#[test]
fn a_number_that_json_cannot_hold() {
    assert_eq!(
        messages(&findings(
            "
            steps:
              - set: { n: .inf }
        "
        )),
        ["this is not valid YAML: value `.inf` is not a finite number"]
    );
}

/// What `check` says of a file, with 512 MiB of memory and a minute of processor time to do it in.
fn within_limits(text: &str) -> String {
    let run = Run::new().file("a.yaml", text);
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 524288; ulimit -t 60; exec \"$0\" check a.yaml"])
        .arg(env!("CARGO_BIN_EXE_agentos-run"))
        .current_dir(run.dir())
        .env_clear()
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{} {stderr}", output.status);
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(stderr.len() < 20_000, "a message of {} bytes", stderr.len());
    stderr
}

#[test]
fn aliases_that_multiply() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..=9 {
        let list = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{list}]");
    }
    insta::assert_snapshot!(within_limits(&text), @"
    yaml::limit

      × the file nests deeper or repeats more than a scenario may
       ╭─[a.yaml:5:30]
     4 │ a3: &a3 [*a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2, *a2]
     5 │ a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]
       ·                              ─┬─
       ·                               ╰── here
     6 │ a5: &a5 [*a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4, *a4]
       ╰────
      help: at most 96 levels of nesting, 500000 values and 50000 values repeated by aliases

    1 problem: 0 scenarios in 1 file
    ");
}

#[test]
fn nesting_without_end() {
    insta::assert_snapshot!(within_limits(&format!("steps: {}", "[".repeat(100_000))), @"
    yaml::limit

      × the file nests deeper or repeats more than a scenario may
       ╭─[a.yaml:1:265]
     1 │ …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…
       ·                                                       ▲
       ·                                                       ╰── here
       ╰────
      help: at most 96 levels of nesting, 500000 values and 50000 values repeated by aliases

    1 problem: 0 scenarios in 1 file
    ");
    let mappings: String = (0..5000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(
        messages(&within_limits(&mappings)),
        ["the file nests deeper or repeats more than a scenario may"]
    );
}

#[test]
fn an_expression_without_end() {
    let brackets = format!("steps:\n  - log: ${{{{ {}1 }}}}\n", "(".repeat(100_000));
    assert_eq!(messages(&within_limits(&brackets)).len(), 1);
    let path = format!(
        "steps:\n  - get_config: {{}}\n    expect:\n      \"$[?{}@.a{}]\": 1\n",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    assert_eq!(messages(&within_limits(&path)).len(), 1);
}

#[test]
fn more_than_a_scenario_may_hold() {
    let text = format!("steps:\n  - log: \"{}\"\n", "x".repeat(17 * 1024 * 1024));
    insta::assert_snapshot!(within_limits(&text), @r#"
    file::too-large

      × a.yaml holds more than 16 MiB
      help: split it, or keep data in a file beside it and read that with `json_file("...")`

    1 problem: 0 scenarios in 0 files
    "#);
    let many = format!("steps:\n{}", "  - [1, 2, 3, 4, 5, 6, 7, 8, 9]\n".repeat(60_000));
    assert_eq!(
        messages(&within_limits(&many)),
        ["the file nests deeper or repeats more than a scenario may"]
    );
}

#[test]
fn a_thousand_faults_in_one_file() {
    let text = format!("steps:\n{}", "  - get_confg: {}\n".repeat(1000));
    let output = Run::new().file("a.yaml", text).args(["check", "a.yaml"]).run().code_is(2);
    assert!(output.stderr.ends_with("\n1000 problems: 1 scenario in 1 file\n"), "{output}");
}

#[test]
fn very_many_keys_and_scenarios_are_read_within_the_time_of_a_run() {
    let keys: String = (0..50_000).map(|n| format!("  k{n}: 1\n")).collect();
    // In proportion to the square of the number it would take longer than a test waits for the program.
    let run = Run::new().file("a.yaml", format!("vars:\n{keys}steps: [{{ get_config: {{}} }}]\n"));
    run.args(["check", "a.yaml"]).run().code_is(0);
    let many = "steps: [{ get_config: {} }]\n---\n".repeat(1000);
    Run::new().file("a.yaml", many).args(["check", "a.yaml"]).run().code_is(0);
}
