//! `agentos-run operations`, and the command line as a whole: help, completions, misspelt words.

use crate::common::Run;
use serde_json::Value;

fn said(arguments: &[&str]) -> String {
    let output = Run::new().args(arguments).run().code_is(0);
    assert_eq!(output.stderr, "");
    output.scrubbed()
}

#[test]
fn all_of_them_by_resource() {
    let text = said(&["operations"]);
    for line in ["Sessions", "Agents", "  get_sessions ", "  run_agent ", "  delete_sessions "] {
        assert!(text.lines().any(|found| found == line || found.starts_with(line)), "{line}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 160), "{text}");
}

#[test]
fn one_of_them() {
    insta::assert_snapshot!(said(&["operations", "rename_session"]), @"
    rename_session: Gives a session a name.

    An empty name is allowed; the session shows its first message then.

    Request: POST /sessions/{session_id}/rename, JSON body

    Fields:
      session_id  (a text, required)
          The session.
      session_name  (a text, required)
          The new name.
      type  (one of agent, team, workflow)
          The kind of session; before agno 2.6, leaving it out means `agent`.
          Also: session_type
      user_id  (a text)
          Only if it belongs to this user: another user's session is 404.
      db_id  (a text)
          The database; an AgentOS with more than one answers 400 without it.
      table  (a text)
          The table; only together with `db_id`.

    In a scenario:
      - rename_session: { session_id: ..., session_name: ... }
    In the shell:
      agentos-run call rename_session session_id=... session_name=...
    ");
    assert_eq!(said(&["operations", "bulk_delete_sessions"]), said(&["operations", "delete_sessions"]));
    assert_eq!(said(&["operations", "aget_config"]), said(&["operations", "get_config"]));
}

#[test]
fn as_json() {
    let all: Vec<Value> = serde_json::from_str(&said(&["operations", "--format", "json"])).unwrap();
    let table = said(&["operations"]);
    assert_eq!(all.len(), table.lines().filter(|line| line.starts_with("  ")).count());
    let one: Value = serde_json::from_str(&said(&["operations", "get_session", "--format", "json"])).unwrap();
    assert!(all.contains(&one));
    assert_eq!((&one["method"], &one["path"]), (&"GET".into(), &"/sessions/{session_id}".into()));
    let id = one["fields"].as_array().unwrap().iter().find(|field| field["name"] == "session_id").unwrap();
    assert_eq!(id["required"], true);
}

#[test]
fn every_operation_of_the_catalogue_can_be_written_and_described() {
    let all: Vec<Value> = serde_json::from_str(&said(&["operations", "--format", "json"])).unwrap();
    for operation in all {
        let name = operation["name"].as_str().unwrap();
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name} has no summary");
        for field in operation["fields"].as_array().unwrap() {
            let documented = field["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(documented, "{name}.{} is not described", field["name"]);
        }
        // What its page says to write is a scenario without problems.
        let page = said(&["operations", name]);
        let example = page.lines().skip_while(|line| *line != "In a scenario:").nth(1).unwrap();
        let example = example.replace("[...]", "[x]").replace("{ ... }", "{ a: 1 }").replace("...", "x");
        let output =
            Run::new().file("a.yaml", format!("steps:\n{example}\n")).args(["check", "a.yaml"]).run();
        assert_eq!(output.code, 0, "{example}: {output}");
    }
}

#[test]
fn one_that_there_is_not() {
    let output = Run::new().args(["operations", "get_sesions"]).run().code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    operation::unknown

      × there is no operation `get_sesions`
      help: did you mean `get_sessions`?
    ");
}

#[test]
fn help_fits_a_screen_and_shows_an_example() {
    let help = said(&["--help"]);
    assert!(help.lines().count() <= 60, "{} lines", help.lines().count());
    assert!(help.contains("agentos-run --embedded scenarios/"), "{help}");
    for command in ["run", "check", "list", "call", "operations", "serve", "completions"] {
        assert!(said(&[command, "--help"]).contains("Usage: agentos-run"), "{command}");
    }
}

#[test]
fn completions_for_shells() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            said(&["completions", shell]).contains("get_") || said(&["completions", shell]).contains("check")
        );
    }
}

#[test]
fn misspelt_words() {
    let complaint = |arguments: &[&str]| Run::new().args(arguments).run().code_is(2).stderr;
    insta::assert_snapshot!(complaint(&["chekc"]), @"
    file::unreadable

      × there is no file and no command `chekc`
      help: did you mean `agentos-run check`?
    ");
    insta::assert_snapshot!(complaint(&["--embeded", "a.yaml"]), @"
    error: unexpected argument '--embeded' found

      tip: a similar argument exists: '--embedded'

    Usage: agentos-run --embedded [PATH]...

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(complaint(&["--timeout", "5", "--embedded", "a.yaml"]), @"
    cli::duration

      × --timeout 5: `5` has no unit: write `5s` for seconds or `5ms` for milliseconds
    ");
    insta::assert_snapshot!(complaint(&["--step-timeout", "soon", "--embedded", "a.yaml"]), @"
    cli::duration

      × --step-timeout soon: `soon` is no duration: write `500ms`, `5s`, `1m30s`, `2h` or `30d`
    ");
    assert!(complaint(&["completions", "cmd"]).contains("possible values"));
    assert!(complaint(&["-q", "-v", "a.yaml"]).contains("cannot be used with"));
    assert!(complaint(&["--embedded", "--target", "x", "a.yaml"]).contains("cannot be used with"));
}
