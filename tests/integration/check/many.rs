//! Many files: everything that is wrong with all of them is said at once, and nothing is run.

use super::messages;
use crate::common::{Answer, FakeServer, Run};

fn three_files() -> Run {
    Run::new()
        .file(
            "s/a.yaml",
            "naem: A\nsteps:\n  - get_confg: {}\n  - get_session: { session_id: \"${{ sid }}\" }\n",
        )
        .file("s/b/c.yml", "steps:\n  - get_config: {}\n    timeout: 5\n")
        .file("s/good.yaml", "steps:\n  - get_config: {}\n")
        .file("s/_fragment.yaml", "this is: [no scenario\n")
        .file("s/notes.txt", "neither is this")
}

#[test]
fn all_findings_of_all_files() {
    let output = three_files().args(["check", "s"]).run().code_is(2);
    assert_eq!(
        messages(&output.stderr),
        [
            "a scenario has no key `naem`",
            "there is no operation `get_confg`",
            "`sid` is not defined",
            "`timeout`: `5` has no unit: write `5s` for seconds or `5ms` for milliseconds",
        ]
    );
    let places: Vec<&str> = output.stderr.lines().filter(|line| line.contains("─[")).map(str::trim).collect();
    assert_eq!(places, ["╭─[s/a.yaml:1:1]", "╭─[s/a.yaml:3:5]", "╭─[s/a.yaml:4:37]", "╭─[s/b/c.yml:3:14]"]);
    assert!(output.stderr.ends_with("\n4 problems: 3 scenarios in 3 files\n"), "{output}");
}

#[test]
fn run_says_the_same_and_sends_nothing() {
    let server = FakeServer::always(Answer::json(200, &serde_json::json!({})));
    let checked = three_files().args(["check", "s"]).run();
    let output = three_files().args(["--base-url", &server.base_url(), "s"]).run().code_is(2);
    assert_eq!(messages(&output.stderr), messages(&checked.stderr));
    assert!(output.stderr.ends_with("\n4 problems; nothing was sent\n"), "{output}");
    assert!(server.requests().is_empty());
}

#[test]
fn sound_files() {
    let output = three_files().args(["check", "s/good.yaml", "s/good.yaml"]).run().code_is(0);
    assert_eq!((&*output.stdout, &*output.stderr), ("no problems: 1 scenario in 1 file\n", ""));
}

#[test]
fn paths_that_lead_nowhere() {
    let output = three_files()
        .file("empty/x.txt", "")
        .args(["check", "nowhere.yaml", "empty", "s/*.json", "s/[.yaml", "s/good.yaml"])
        .run()
        .code_is(2);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    file::unreadable

      × cannot read nowhere.yaml: no such file or directory
      help: give a file, a folder, a glob in quotes, or `-` for standard input

    file::none

      × empty holds no scenario files
      help: scenarios are files named *.yaml or *.yml; names that begin with `_` are fragments

    file::none

      × nothing matches s/*.json

    file::glob

      × s/[.yaml is not a glob: invalid range pattern

    4 problems: 1 scenario in 1 file
    ");
}

#[test]
fn no_path() {
    let output = Run::new().args(["check"]).run().code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    cli::paths

      × no scenario was given
      help: agentos-run scenarios/   or a file, a glob, `-` for standard input; `agentos-run --help`
            says more
    ");
}

#[test]
fn standard_input() {
    let output = Run::new().args(["check", "-"]).stdin("steps:\n  - helth: {}\n").run().code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    operation::unknown

      × there is no operation `helth`
       ╭─[<stdin>:2:5]
     1 │ steps:
     2 │   - helth: {}
       ·     ──┬──
       ·       ╰── unknown operation
     3 │
       ╰────
      help: did you mean `health`?

    1 problem: 1 scenario in 1 file
    ");
}
