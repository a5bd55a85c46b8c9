//! Casts: who plays in the embedded AgentOS, as people write it.

use crate::common::{Output, Run, http};
use agentos_run::diagnostic::Problems;
use agentos_run::emulator::{Emulator, Options, cast::Cast};
use agentos_run::source::Source;
use std::{fs, path::Path};

/// The files of `examples/cast`.
fn example() -> Run {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cast");
    ["agentos-run.yaml", "shop.yaml", "shipping.md", "scenarios/support.yaml", "scenarios/others.yaml"]
        .into_iter()
        .fold(Run::new(), |run, name| run.file(name, fs::read_to_string(folder.join(name)).unwrap()))
}

/// A scenario that asks an agent of a cast.
fn asking(cast: &str, steps: &str) -> Output {
    Run::new()
        .file("cast.yaml", cast)
        .file("ask.yaml", format!("name: ask\nsteps:\n{steps}"))
        .args(["--cast", "cast.yaml", "ask.yaml"])
        .run()
}

fn findings(cast: &str) -> Output {
    Run::new().file("cast.yaml", cast).args(["check", "cast.yaml"]).run().code_is(2)
}

#[test]
fn the_example_passes() {
    let output = example().run().code_is(0);
    assert!(output.stdout.contains("cast shop.yaml) at http://"), "{output}");
    assert!(output.stdout.contains("5 scenarios: 5 passed"), "{output}");
    let output = example().args(["check", "shop.yaml"]).run().code_is(0);
    assert_eq!(output.stdout, "no problems: 1 cast with 3 agents, 1 team, 1 workflow\n");
}

#[test]
fn the_default_cast_can_be_printed_and_played() {
    let printed = Run::new().args(["serve", "--print-cast"]).run().code_is(0).stdout;
    let scenario = "name: as ever\nsteps:\n  - run_team: { team_id: duo, message: hi }\n    expect: { content: \"Team result: You said: hi + You said: hi\" }\n";
    Run::new()
        .file("cast.yaml", &printed)
        .file("one.yaml", scenario)
        .args(["--cast", "cast.yaml", "one.yaml"])
        .run()
        .code_is(0);
}

#[test]
fn the_schema_describes_the_casts_that_there_are() {
    let schema = Run::new().args(["schema", "cast"]).run().code_is(0).stdout;
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cast.schema.json");
    assert_eq!(
        schema,
        fs::read_to_string(committed).unwrap(),
        "agentos-run schema cast > docs/cast.schema.json"
    );
    // A cast is a value that a scenario can hold against its own schema.
    let printed = Run::new().args(["serve", "--print-cast"]).run().code_is(0).stdout;
    let shop =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/cast/shop.yaml")).unwrap();
    for (cast, code) in [(printed, 0), (shop, 0), ("agents: { a: { histroy: true } }\n".to_owned(), 1)] {
        let held = "name: held\nvars:\n  cast:\n    CAST\nsteps:\n  - assert:\n      - ${{ cast }}: { schema: schema.json }\n";
        // What templates hold stays as it is written.
        let cast = cast.replace("${{", "$${{").replace('\n', "\n    ");
        Run::new()
            .file("schema.json", &schema)
            .file("held.yaml", held.replace("CAST", &cast))
            .args(["--embedded", "held.yaml"])
            .run()
            .code_is(code);
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let cast = "\
os_id: shop
tools:
  refund:
    needs: confirm
    result: refunded ${{ arg.order }}
agents:
  clerk:
    tools: [refnd]
    histroy: true
    replies:
      - when: (unclosed (?<order>\\d+)
        say: hi ${{ order }} ${{ match }}
      - when: x
        say: ${{ mesage }} ${{ results }}
      - go_on: true
teams:
  desk: { members: [clrk], replies: [ { delegate: bob } ] }
workflows:
  flow: { steps: [ { name: a } ] }
faults: [ { path: agents, fault: explode } ]
";
    let output = findings(cast);
    for said in [
        "a tool cannot need `confirm`",
        "did you mean `confirmation`?",
        "`arg` is not defined",
        "did you mean `args`?",
        "there is no tool `refnd`",
        "did you mean `refund`?",
        "an agent has no key `histroy`",
        "this is no regular expression: unclosed group",
        "`mesage` is not defined",
        "`results` is there where tools have answered",
        "this rule answers nothing",
        "there is no agent `clrk`",
        "the team has no member `bob`",
        "a step is done by an `agent`",
        "a path begins with `/`",
        "there is no fault `explode`",
        "[cast.yaml:8:13]",
    ] {
        assert!(output.stderr.contains(said), "{said}: {output}");
    }
    assert!(!output.stderr.contains("`order`"), "the pattern is wrong, not the name of its group: {output}");
}

#[test]
fn what_is_wrong_stops_a_run_before_anything_is_sent() {
    let output = asking("agents: { a: { replys: [hi] } }\n", "  - run_agent: { agent_id: a, message: hi }\n")
        .code_is(2);
    assert!(output.stderr.contains("did you mean `replies`?"), "{output}");
    assert!(output.stderr.contains("1 problem in the cast; nothing was sent"), "{output}");
    let output =
        Run::new().file("a.yaml", "steps: [ { health: {} } ]\n").args(["--cast", "no.yaml", "a.yaml"]).run();
    assert!(output.code_is(2).stderr.contains("cannot read no.yaml"));
}

#[test]
fn a_warning_does_not() {
    let cast = "agents:\n  a:\n    replies:\n      - recall: x (.)\n        say: a\n      - say: b\n      - say: c\n";
    let output =
        asking(cast, "  - run_agent: { agent_id: a, message: hi }\n    expect: { content: b }\n").code_is(0);
    assert!(output.stderr.contains("`a` recalls what it cannot know"), "{output}");
    assert!(output.stderr.contains("this rule is never reached"), "{output}");
}

#[test]
fn rules_chain_tools() {
    let cast = "\
tools:
  find: { parameters: { what: string }, result: \"found ${{ args.what }}\" }
  open: { parameters: { which: string }, result: \"opened ${{ args.which }}\" }
agents:
  a:
    tools: [find, open]
    replies:
      - after: open
        say: \"${{ results | join(', ') }}\"
      - after: find
        call: { open: { which: \"${{ results[0] }}\" } }
      - when: get (?<what>\\w+)
        call: { find: { what: \"${{ what }}\" } }
      - when: loop
        call: { find: { what: it } }
        then: never
";
    let steps = "  - run_agent: { agent_id: a, message: get it }\n    expect: { content: \"found it, opened found it\", tools: { sequence: [find, open] } }\n";
    asking(cast, steps).code_is(0);
    // A model that never comes to an end is stopped.
    let endless = cast
        .replace("after: open", "after: no_such")
        .replace("open: { which: \"${{ results[0] }}\" }", "find: { what: x }");
    let endless =
        endless.replace("      - after: no_such\n        say: \"${{ results | join(', ') }}\"\n", "");
    let steps = "  - run_agent: { agent_id: a, message: get it }\n    expect: { $.status: ERROR, error: { contains: asked for tools 20 times } }\n";
    asking(&endless, steps).code_is(0);
}

#[test]
fn a_template_that_cannot_be_filled_in_says_where_it_stands() {
    let cast = "agents: { a: { replies: [ \"${{ state.nothing.here }}\" ] } }\n";
    let steps = "  - run_agent: { agent_id: a, message: hi }\n    expect: { error: { contains: \"cast.yaml:1:\" } }\n";
    asking(cast, steps).code_is(0);
}

#[test]
fn several_databases_keep_their_own() {
    let cast = "databases: [main, archive]\nagents: { a: {}, b: { db: archive } }\n";
    let steps = "  - run_agent: { agent_id: a, message: hi, session_id: s }
  - run_agent: { agent_id: b, message: hi, session_id: t }
  - get_sessions: { db_id: main }
    expect: { \"$.data[*].session_id\": [s] }
  - get_sessions: { db_id: archive }
    expect: { \"$.data[*].session_id\": [t] }
  - get_session: { session_id: t, db_id: archive }
  - get_sessions: {}
    expect: { status: 400, error: { contains: db_id query parameter is required } }
  - get_config: {}
    expect: { $.databases: [main, archive], \"$.agents[1].db_id\": archive }
";
    asking(cast, steps).code_is(0);
}

#[test]
fn a_file_beside_the_first_holds_the_second_database() {
    let folder = tempfile::tempdir().unwrap();
    let cast = "databases: [main, archive]\nagents: { b: { db: archive } }\n";
    let mut problems = Problems::new();
    let cast = Cast::read(&Source::new("cast.yaml", cast), folder.path(), &mut problems);
    let options = Options { db: Some(folder.path().join("data.db")), cast: Some(cast), ..Options::default() };
    let server = Emulator::start(options).unwrap();
    let fields = [("message", "hi"), ("session_id", "s"), ("stream", "false")];
    assert_eq!(http::post_form(server.base_url(), "/agents/b/runs", &fields).status, 200);
    server.stop();
    assert!(folder.path().join("data.db").exists() && folder.path().join("data.archive.db").exists());
}

#[test]
fn what_was_deleted_of_a_casts_knowledge_stays_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let played = |cast: &str| {
        let mut problems = Problems::new();
        let cast = Cast::read(&Source::new("cast.yaml", cast), folder.path(), &mut problems);
        let db = Some(folder.path().join("data.db"));
        Emulator::start(Options { db, cast: Some(cast), ..Options::default() }).unwrap()
    };
    let known = |server: &Emulator| -> Vec<String> {
        let list = http::get(server.base_url(), "/knowledge/content?sort_by=name&sort_order=asc").json();
        list["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let cast = "knowledge:\n  contents:\n    - { name: A, text: about apples }\n    - { name: B, text: about bread }\nagents: { a: {} }\n";
    let server = played(cast);
    assert_eq!(known(&server), ["A", "B"]);
    let list = http::get(server.base_url(), "/knowledge/content?sort_by=name&sort_order=asc").json();
    let id = list["data"][0]["id"].as_str().unwrap();
    let path = format!("/knowledge/content/{id}");
    assert_eq!(http::request(server.base_url(), "DELETE", &path, &[], "").unwrap().status, 200);
    server.stop();
    // What is deleted stays deleted; what the cast says anew is read anew.
    let server = played(&cast.replace("bread", "butter"));
    assert_eq!(known(&server), ["B"]);
    let found = |query: &str| {
        let body = serde_json::json!({ "query": query });
        http::post_json(server.base_url(), "/knowledge/search", &body).json()["data"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((found("apples"), found("bread"), found("butter")), (0, 0, 1));
    drop(server);
    // One who comes later is new.
    let server = played(&cast.replace("A, text: about apples", "C, text: about cider"));
    assert_eq!(known(&server), ["B", "C"]);
}

#[test]
fn a_cast_can_want_a_key() {
    let cast = "agents: { a: {} }\nauth: { security_key: sesame-open }\n";
    let steps = "  - list_agents: {}\n    expect: { status: 401 }\n";
    asking(cast, steps).code_is(0);
    let run = Run::new().file("cast.yaml", cast).file("a.yaml", "steps:\n  - list_agents: {}\n");
    let output =
        run.args(["--cast", "cast.yaml", "--token", "sesame-open", "-vv", "a.yaml"]).run().code_is(0);
    assert!(!output.stdout.contains("sesame-open"), "{output}");
}

#[test]
fn chaos_is_told_in_the_head_of_the_report() {
    let one = "name: one\nsteps:\n  - health: {}\n";
    let head = |run: Run| run.file("one.yaml", one).run().code_is(0).stdout;
    let said = head(Run::new().args(["--embedded", "--chaos", "7", "one.yaml"]));
    assert!(said.contains("against the embedded AgentOS with chaos, seed 7 (an emulator"), "{said}");
    let project = "targets: { default: { base_url: embedded, chaos: 9 } }\n";
    let said = head(Run::new().file("agentos-run.yaml", project).arg("one.yaml"));
    assert!(said.contains("with chaos, seed 9"), "{said}");
    let cast = "agents: { a: {} }\nchaos: { seed: 11 }\n";
    let said = head(Run::new().file("cast.yaml", cast).args(["--cast", "cast.yaml", "one.yaml"]));
    assert!(said.contains("with chaos, seed 11"), "{said}");
    let wrong = "targets: { default: { base_url: \"http://127.0.0.1:1\", cast: c.yaml } }\n";
    let output =
        Run::new().file("agentos-run.yaml", wrong).file("one.yaml", one).args(["check", "one.yaml"]).run();
    assert!(output.code_is(2).stderr.contains("`cast` is for the embedded AgentOS"));
}

#[test]
fn a_cast_is_no_scenario() {
    let cast = "agents: { a: {} }\n";
    let output = Run::new().file("shop.yaml", cast).args(["--embedded", "shop.yaml"]).run().code_is(2);
    assert!(output.stderr.contains("shop.yaml is a cast, not a scenario"), "{output}");
    assert!(output.stderr.contains("agentos-run --cast shop.yaml"), "{output}");
    // Among scenarios it is left alone.
    let run = Run::new().file("all/shop.yaml", cast).file("all/one.yaml", "steps:\n  - health: {}\n");
    run.args(["--cast", "all/shop.yaml", "all"]).run().code_is(0);
}
