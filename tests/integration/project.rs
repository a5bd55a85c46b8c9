//! The project file: targets, what comes before what, and servers that are started, awaited and always stopped.

use crate::common::{
    Answer, FakeServer, Run,
    agentos::free_port,
    nobody_listens,
    text::{dedent, unwrapped},
};
use serde_json::json;
use std::{
    fs,
    net::TcpStream,
    path::Path,
    thread,
    time::{Duration, Instant},
};

const ASK: &str = "steps:\n  - get_sessions: {}\n";

fn fine() -> FakeServer {
    FakeServer::always(Answer::json(200, &json!({"data": [], "meta": {}})))
}

fn project(text: &str) -> Run {
    Run::new().file("agentos-run.yaml", dedent(text)).file("a.yaml", ASK)
}

#[test]
fn the_default_target_and_a_named_one() {
    let (default, staging) = (fine(), fine());
    let project = |arguments: &[&str]| {
        project(&format!(
            "
            targets:
              default: {{ base_url: {} }}
              staging:
                base_url: ${{{{ env.STAGING }}}}
                headers: {{ X-Tenant: acme }}
        ",
            default.base_url()
        ))
        .env("STAGING", staging.base_url())
        .args(["a.yaml"])
        .args(arguments)
        .run()
        .code_is(0)
    };
    let output = project(&[]);
    assert!(output.scrubbed().starts_with("agentos-run [version] against [url] (default)\n"), "{output}");
    assert_eq!((default.requests().len(), staging.requests().len()), (2, 0));
    project(&["--target", "staging"]);
    assert_eq!((default.requests().len(), staging.requests().len()), (2, 2));
    assert_eq!(staging.requests()[1].header("x-tenant"), Some("acme"));
}

#[test]
fn the_command_line_comes_before_the_environment_and_that_before_the_file() {
    let (of_file, of_environment, of_line) = (fine(), fine(), fine());
    let text = format!("targets: {{ default: {{ base_url: {} }} }}\n", of_file.base_url());
    project(&text).env("AGENTOS_URL", of_environment.base_url()).arg("a.yaml").run().code_is(0);
    assert_eq!((of_file.requests().len(), of_environment.requests().len()), (0, 2));
    let run = project(&text).env("AGENTOS_URL", of_environment.base_url()).args(["a.yaml", "--base-url"]);
    run.arg(of_line.base_url()).run().code_is(0);
    assert_eq!((of_environment.requests().len(), of_line.requests().len()), (2, 2));
    // An empty variable is one that is not set.
    project(&text).env("AGENTOS_URL", "").arg("a.yaml").run().code_is(0);
    assert_eq!(of_file.requests().len(), 2);
}

#[test]
fn a_scenario_may_name_its_target() {
    let (default, other) = (fine(), fine());
    let text = format!(
        "targets:\n  default: {{ base_url: {} }}\n  other: {{ base_url: {} }}\n",
        default.base_url(),
        other.base_url()
    );
    project(&text)
        .file("b.yaml", format!("target: other\n{ASK}"))
        .args(["a.yaml", "b.yaml"])
        .run()
        .code_is(0);
    assert_eq!((default.requests().len(), other.requests().len()), (2, 2));
    let output = project(&text).file("b.yaml", format!("target: othr\n{ASK}")).arg("b.yaml").run().code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    target::unknown

      × the project file has no target `othr`
       ╭─[b.yaml:1:9]
     1 │ target: othr
       ·         ──┬─
       ·           ╰── unknown target
     2 │ steps:
       ╰────
      help: did you mean `other`?
    ");
}

#[test]
fn a_target_that_there_is_not() {
    let text = "targets: { local: { base_url: 'http://127.0.0.1:1' }, staging: { base_url: 'http://127.0.0.1:1' } }\n";
    let output = project(text).args(["--target", "stagging", "a.yaml"]).run().code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    target::unknown

      × the project file has no target `stagging`
      help: did you mean `staging`?
    ");
    let output = Run::new().file("a.yaml", ASK).args(["--target", "staging", "a.yaml"]).run().code_is(2);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    target::unknown

      × there is no target `staging`: no project file was found
      help: agentos-run.yaml is looked for from [dir] upward
    ");
}

#[test]
fn no_target_at_all() {
    let output = Run::new().file("a.yaml", ASK).arg("a.yaml").run().code_is(2);
    insta::assert_snapshot!(output.stderr, @"
    target::none

      × there is no AgentOS to run against
      help: name one in one of these four ways:
              --base-url http://127.0.0.1:7777   a running AgentOS
              AGENTOS_URL=http://127.0.0.1:7777  the same, from the environment
              --embedded                         the AgentOS inside this program
              agentos-run.yaml                   a project file with `targets:`, and --target NAME
    ");
}

#[test]
fn the_file_is_found_from_the_working_folder_upward_and_names_the_scenarios() {
    let server = fine();
    let output = Run::new()
        .file(
            "agentos-run.yaml",
            format!("scenarios: tests/\ntargets: {{ default: {{ base_url: {} }} }}\n", server.base_url()),
        )
        .file("tests/one.yaml", ASK)
        .file("tests/deep/two.yaml", ASK)
        .file("other.yaml", "no scenario\n")
        .run()
        .code_is(0);
    assert!(output.stdout.contains("2 scenarios: 2 passed"), "{output}");
}

#[test]
fn everything_that_is_wrong_with_the_file_is_said_at_once() {
    let output = project(
        "
        targts: {}
        targets:
          a: { url: 'http://127.0.0.1:1' }
          b: { base_url: '${{ 1 + }}', serve: { ready: /health, whithin: 5 } }
        secrets: { a: b }
        scenarios: [x]
        defaults: { timeout: 60 }
    ",
    )
    .arg("a.yaml")
    .run()
    .code_is(2);
    let messages: Vec<&str> =
        output.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("× ")).collect();
    assert_eq!(
        messages,
        [
            "a project file has no key `targts`",
            "the target `a` has no `base_url`",
            "a target has no key `url`",
            "this is not an expression: unexpected end of input, expected expression",
            "`serve` has no `command`",
            "`serve` has no key `whithin`",
            "`secrets` must be a list of texts",
            "`scenarios` must be a text",
            "`timeout`: `60` has no unit: write `60s` for seconds or `60ms` for milliseconds",
        ],
        "{output}"
    );
}

/// A project whose server is this shell command; `$PORT` is the port that the target names.
fn serving(command: &str, within: &str, port: u16) -> Run {
    project(&format!(
        "
        targets:
          default:
            base_url: http://127.0.0.1:{port}
            serve:
              command: {command}
              ready: /config
              within: {within}
              env: {{ PORT: '{port}', PROGRAM: '{}' }}
    ",
        env!("CARGO_BIN_EXE_agentos-run")
    ))
    .arg("a.yaml")
}

/// The processes whose ids the command wrote into a file, line by line: all of them have ended.
fn all_ended(file: &Path) {
    let ids = fs::read_to_string(file).unwrap();
    assert!(!ids.trim().is_empty(), "the command wrote no id");
    for id in ids.split_whitespace() {
        let deadline = Instant::now() + Duration::from_secs(5);
        // A zombie that nobody waits for has ended too.
        let runs = || fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        while runs() {
            assert!(Instant::now() < deadline, "process {id} still runs");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
#[cfg(all(target_os = "linux", feature = "emulator"))]
fn a_server_is_started_awaited_and_stopped_with_its_children() {
    let port = free_port();
    // A shell with two children: the server, and one that would stay for a minute.
    let command =
        "'sleep 60 & echo $! >> ids; \"$PROGRAM\" serve --port $PORT & echo $! >> ids; echo $$ >> ids; wait'";
    let output = serving(command, "30s", port).run().code_is(0);
    assert!(output.stdout.contains("1 passed"), "{output}");
    all_ended(&output.dir().join("ids"));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "it still listens");
    // A server that fails its scenario is stopped too, and one that nobody can use.
    let output = serving(command, "30s", port)
        .file("a.yaml", "steps: [{ get_session: { session_id: x } }]\n")
        .run()
        .code_is(1);
    all_ended(&output.dir().join("ids"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_that_heeds_no_signal_is_stopped_on_an_interruption() {
    let port = free_port();
    let command = "'trap \"\" TERM; sleep 61 & echo $! >> ids; echo $$ >> ids; while true; do sleep 1; done'";
    let running = serving(command, "1m", port).start();
    let ids = running.dir().join("ids");
    let deadline = Instant::now() + Duration::from_secs(10);
    while fs::read_to_string(&ids).map_or(0, |text| text.lines().count()) < 2 {
        assert!(Instant::now() < deadline, "it was never started: {running:?}");
        thread::sleep(Duration::from_millis(10));
    }
    running.interrupt();
    let output = running.finish().code_is(130);
    all_ended(&output.dir().join("ids"));
}

#[test]
fn a_server_that_ends_instead_of_serving() {
    let output = serving("'echo starting; echo no module named my_os >&2; exit 7'", "10s", free_port())
        .run()
        .code_is(3);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    target::serve

      × `echo starting; echo no module named my_os >&2; exit 7` ended with exit status: 7 before it
      │ was ready; its last lines:
      │     starting
      │     no module named my_os
       ╭─[agentos-run.yaml:5:7]
     4 │     serve:
     5 │       command: 'echo starting; echo no module named my_os >&2; exit 7'
       ·       ────────────────────────────────┬───────────────────────────────
       ·                                       ╰── this server
     6 │       ready: /config
       ╰────
    ");
    let output = serving("no-such-program-here", "10s", free_port()).run().code_is(3);
    assert!(output.stderr.contains("not found"), "{output}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_that_is_never_ready() {
    let output = serving("'echo $$ >> ids; sleep 60'", "300ms", free_port()).run().code_is(3);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    target::serve

      × `echo $$ >> ids; sleep 60` was not ready after 300ms: cannot reach [url]:
      │ connection refused; it printed nothing
       ╭─[agentos-run.yaml:5:7]
     4 │     serve:
     5 │       command: 'echo $$ >> ids; sleep 60'
       ·       ─────────────────┬─────────────────
       ·                        ╰── this server
     6 │       ready: /config
       ╰────
    ");
    all_ended(&output.dir().join("ids"));
}

#[test]
fn a_port_that_somebody_else_has_already() {
    let server = fine();
    let port = server.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let output = serving("'echo started > started'", "10s", port).run().code_is(3);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    target::serve

      × something already answers at [url]; stop it, or leave `serve` out
       ╭─[agentos-run.yaml:5:7]
     4 │     serve:
     5 │       command: 'echo started > started'
       ·       ────────────────┬────────────────
       ·                       ╰── this server
     6 │       ready: /config
       ╰────
    ");
    assert!(!output.dir().join("started").exists(), "it was started all the same");
}

#[test]
fn a_target_that_is_down_is_said_once() {
    let text = format!("targets: {{ default: {{ base_url: {} }} }}\n", nobody_listens());
    let output = project(&text).file("b.yaml", ASK).args(["a.yaml", "b.yaml"]).run().code_is(3);
    assert_eq!(output.stderr.matches("cannot reach").count(), 1, "{output}");
}

#[test]
fn a_url_of_the_environment_takes_something_away() {
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let run = |target: &str, scenario: &str| {
        Run::new()
            .file(
                "agentos-run.yaml",
                format!("targets:\n  default: {{ base_url: 'http://127.0.0.1:1'{target} }}\n"),
            )
            .file("a.yaml", format!("{scenario}\nsteps: [{{ http: {{ path: /x }} }}]\n"))
            .arg("a.yaml")
    };
    let set = |run: Run| run.env("AGENTOS_URL", server.base_url()).run().code_is(0);
    let output = set(run(", headers: { X-Tenant: acme }, jobs: 2", ""));
    let words = unwrapped(&output.stderr);
    assert!(words.contains("warning: AGENTOS_URL is set in the environment"), "{output}");
    assert!(words.contains("`headers`, `jobs` of the target `default` is not used"), "{output}");
    let output = set(run("", "target: default"));
    assert!(unwrapped(&output.stderr).contains("the `target` of scenarios is not used"), "{output}");
    // Where nothing is lost, and where somebody wrote it for this run, nothing is said.
    assert_eq!(set(run("", "")).stderr, "");
    let option = run(", headers: { X-Tenant: acme }", "").args(["--base-url", &server.base_url()]);
    assert_eq!(option.run().code_is(0).stderr, "");
}
