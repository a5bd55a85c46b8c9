//! Snapshots of what AgentOS answers: the same on every day, wrong where something changed.

use super::Sut;
use crate::common::{self, Run, Settings, text::dedent};

/// Runs of all kinds, streams and a conversation.
const SCENARIO: &str = "
    vars: { user: \"snap-${{ run.id }}\", sid: \"snap-${{ run.id }}\" }
    steps:
      - run_agent: { agent_id: toolbox, message: add 2 and 3, user_id: \"${{ user }}\", session_id: \"${{ sid }}\" }
        snapshot: [body, { name: calls, of: tools }, { name: answer, of: content }]
      - run_agent: { agent_id: toolbox, message: add 2 and 3, stream: true }
        snapshot: { name: events, of: events }
      - run_team: { team_id: duo, message: Hello there }
        snapshot: team
      - run_workflow: { workflow_id: pipeline, message: Hello }
        snapshot: workflow
      - get_session_runs: { session_id: \"${{ sid }}\" }
        snapshot: history
      - conversation:
          agent_id: assistant
          turns:
            - user: My name is Alice.
            - user: What's my name?
        snapshot: talk
      - http: { path: /sessions/no-such }
        expect: { status: 404 }
        snapshot: refused
";

#[test]
fn nothing_differs_from_day_to_day() {
    let first = Run::new()
        .file("s.yaml", dedent(SCENARIO))
        .args(["s.yaml", "--update", "--base-url", common::agentos().base_url()])
        .env("TZ", "America/Lima")
        .run()
        .code_is(0);
    // Another server with other ids, in another zone.
    let other = Settings::default().with("TZ", "Asia/Tokyo").start();
    for url in [common::agentos().base_url(), other.base_url()] {
        first.then().args(["s.yaml", "--ci", "--base-url", url]).env("TZ", "Asia/Kolkata").run().code_is(0);
    }
}

#[test]
#[cfg(feature = "emulator")]
fn a_conversation_is_one_snapshot() {
    let sut = Sut::of(
        "
        steps:
          - conversation:
              agent_id: assistant
              turns:
                - user: My name is Alice.
                - user: What's my name?
            snapshot: talk
    ",
    );
    let run = |arguments: &[&str]| {
        sut.folder.then().file("s.yaml", &sut.scenario).args(["s.yaml", "--embedded"]).args(arguments).run()
    };
    run(&["--update"]).code_is(0);
    insta::assert_snapshot!(sut.contents("snapshots/s__talk.snap"), @r#"
    [
      {
        "user": "My name is Alice.",
        "answer": "Nice to meet you, Alice!",
        "status": "COMPLETED",
        "session_id": "[session_id.1]",
        "run_id": "[run_id.1]"
      },
      {
        "user": "What's my name?",
        "answer": "Your name is Alice.",
        "status": "COMPLETED",
        "session_id": "[session_id.1]",
        "run_id": "[run_id.2]"
      }
    ]
    "#);
    run(&["--ci"]).code_is(0);
    let path = sut.dir().join("snapshots/s__talk.snap");
    let text = sut.read("snapshots/s__talk.snap");
    std::fs::write(&path, text.replace("Your name", "His name")).unwrap();
    run(&["--ci"]).code_is(1);
    // Another session in the second turn.
    std::fs::write(&path, text.replacen("[session_id.1]", "[session_id.2]", 1)).unwrap();
    run(&["--ci"]).code_is(1);
}
