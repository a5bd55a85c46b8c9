//! Snapshots of what AgentOS answers: the same on every day, wrong where something changed.

use super::Sut;
use crate::common::{self, Output, Run, Settings, text::dedent};
use std::{collections::BTreeSet, fs};

/// Every kind of target, of agents, teams and workflows, in answers and in streams; conversations, and lists.
const SCENARIO: &str = "
    vars: { user: \"snap-${{ run.id }}\", sid: \"snap-${{ run.id }}\" }
    steps:
      - run_agent: { agent_id: toolbox, message: add 2 and 3, user_id: \"${{ user }}\", session_id: \"${{ sid }}\" }
        snapshot: [agent, { name: agent-tools, of: tools }, { name: agent-content, of: content }, { name: agent-type, of: headers.content-type }]
      - run_agent: { agent_id: toolbox, message: add 2 and 3, stream: true }
        snapshot: [{ name: agent-events, of: events }, { name: agent-stream-tools, of: tools }, { name: agent-stream-content, of: content }]
      - run_agent: { agent_id: confirmer, message: delete a.txt }
        expect: { $.status: PAUSED }
        snapshot: [agent-paused, { name: agent-requirements, of: requirements }]
      - run_team: { team_id: duo, message: Hello there }
        snapshot: [team, { name: team-tools, of: tools }, { name: team-content, of: content }]
      - run_team: { team_id: duo, message: Hello there, stream: true }
        snapshot: [{ name: team-events, of: events }, { name: team-stream-tools, of: tools }]
      - run_workflow: { workflow_id: pipeline, message: Hello }
        snapshot: [workflow, { name: workflow-content, of: content }]
      - run_workflow: { workflow_id: pipeline, message: Hello, stream: true }
        snapshot: { name: workflow-events, of: events }
      - get_session: { session_id: \"${{ sid }}\", type: agent }
        snapshot: session
      - get_session_runs: { session_id: \"${{ sid }}\", type: agent }
        snapshot: session-runs
      - get_sessions: { type: agent, user_id: \"${{ user }}\" }
        snapshot: sessions
      - get_agents: {}
        snapshot: agents
      - get_teams: {}
        snapshot: teams
      - conversation:
          agent_id: toolbox
          turns:
            - user: add 2 and 3
            - user: add 4 and 5
        snapshot: talk
      - conversation:
          team_id: duo
          turns:
            - user: My name is Alice.
            - user: What's my name?
        snapshot: team-talk
      - http: { path: /sessions/no-such }
        expect: { status: 404 }
        snapshot: [refused, { name: refusal, of: error }]
";

/// What is done to a text; none where there is nothing to do it to.
type Change = fn(&str) -> Option<String>;

/// The snapshots of the scenario, taken once.
fn recorded() -> Output {
    Run::new()
        .file("s.yaml", dedent(SCENARIO))
        .args(["s.yaml", "--update", "--base-url", common::agentos().base_url()])
        .env("TZ", "America/Lima")
        .run()
        .code_is(0)
}

fn held(first: &Output, url: &str) -> Output {
    first.then().args(["s.yaml", "--ci", "--base-url", url]).env("TZ", "Asia/Kolkata").run()
}

/// The names of the snapshots that an output says differ.
fn differing(output: &Output) -> BTreeSet<String> {
    let marked = output.stdout.split_whitespace().filter_map(|word| word.strip_prefix("snapshots/s__"));
    marked.filter_map(|word| word.strip_suffix(".snap")).map(str::to_owned).collect()
}

#[test]
fn nothing_differs_from_day_to_day() {
    let first = recorded();
    // Another server with other ids, in another zone, and slower than the first.
    let other = Settings::default().with("TZ", "Asia/Tokyo").pace(0.01).start();
    for url in [common::agentos().base_url(), other.base_url()] {
        let output = held(&first, url);
        assert_eq!(output.code, 0, "{output}");
    }
}

#[test]
fn each_change_is_seen_and_nothing_else() {
    let first = recorded();
    let folder = first.dir().join("snapshots");
    let files: Vec<(String, String)> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            (name.clone(), fs::read_to_string(folder.join(name)).unwrap())
        })
        .collect();
    assert_eq!(files.len(), 26, "{:?}", files.iter().map(|(name, _)| name).collect::<Vec<_>>());
    // As if the answer had been another one when it was recorded: with another word, without a call, with another id.
    let changes: [(&str, Change); 3] = [
        ("one changed word", |text| {
            let other = [
                ("Tool says", "The tool says"),
                ("Team result", "A team result"),
                ("HELLO", "HALLO"),
                ("delete a.txt", "delete b.txt"),
                ("Alpha", "Omega"),
                ("Toolbox", "Box"),
                ("not found", "lost"),
            ];
            other
                .iter()
                .find(|(word, _)| text.contains(word))
                .map(|(word, other)| text.replacen(word, other, 1))
        }),
        ("one missing tool call", without_a_call),
        ("one swapped id", |text| {
            let at = text.rfind("_id.1]")?;
            Some(format!("{}_id.9]{}", &text[..at], &text[at + 6..]))
        }),
    ];
    for (what, change) in changes {
        let mut changed = BTreeSet::new();
        for (file, text) in &files {
            let (head, contents) = text.split_at(text.rfind("\n---\n").unwrap() + 5);
            let other = change(contents);
            changed.extend(
                other.is_some().then(|| file.trim_start_matches("s__").trim_end_matches(".snap").to_owned()),
            );
            fs::write(folder.join(file), format!("{head}{}", other.as_deref().unwrap_or(contents))).unwrap();
        }
        let wanted = if what == "one missing tool call" { 7 } else { 15 };
        assert!(changed.len() >= wanted, "{what}: {changed:?}");
        let output = held(&first, common::agentos().base_url());
        assert_eq!(differing(&output), changed, "{what}: {output}");
    }
}

/// A text of JSON in which the last call of a tool is gone.
fn without_a_call(text: &str) -> Option<String> {
    fn remove(value: &mut serde_json::Value) -> bool {
        match value {
            serde_json::Value::Array(items) => {
                let call = items
                    .iter()
                    .rposition(|item| item.get("tool_name").is_some() || item.get("tool").is_some());
                call.map(|at| items.remove(at)).is_some() || items.iter_mut().any(remove)
            }
            serde_json::Value::Object(fields) => fields.values_mut().any(remove),
            _ => false,
        }
    }
    let mut value = serde_json::from_str(text).ok()?;
    remove(&mut value).then(|| format!("{}\n", serde_json::to_string_pretty(&value).unwrap()))
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
    fs::write(&path, text.replace("Your name", "His name")).unwrap();
    run(&["--ci"]).code_is(1);
    // Another session in the second turn.
    fs::write(&path, text.replacen("[session_id.1]", "[session_id.2]", 1)).unwrap();
    run(&["--ci"]).code_is(1);
}
