//! The top level of a scenario: its keys, their types, and what must be there.

use super::{findings, messages};

#[test]
fn nothing_at_all() {
    insta::assert_snapshot!(findings("# nothing but a comment\n"), @"
    scenario::empty

      × a.yaml holds no scenario
      help: a scenario is a mapping with at least `steps:`

    1 problem: 0 scenarios in 1 file
    ");
}

#[test]
fn no_mapping() {
    insta::assert_snapshot!(findings("- get_config: {}\n"), @"
    scenario::not-a-mapping

      × a scenario must be a mapping with `steps:`
       ╭─[a.yaml:1:1]
     1 │ - get_config: {}
       · ───────┬───────
       ·        ╰── found a list
     2 │
       ╰────
      help: rows or steps that scenarios share stand in a file whose name begins with `_`

    1 problem: 0 scenarios in 1 file
    ");
}

#[test]
fn no_steps() {
    insta::assert_snapshot!(findings("name: Nothing to do\n"), @"
    scenario::no-steps

      × the scenario has no `steps`
       ╭─[a.yaml:1:1]
     1 │ name: Nothing to do
       · ─────────┬─────────
       ·          ╰── a scenario needs `steps:`
     2 │
       ╰────
      help: add `steps:` with a list, such as `- get_config: {}`

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(findings("steps: []\n"), @"
    scenario::no-steps

      × `steps` is empty
       ╭─[a.yaml:1:1]
     1 │ steps: []
       · ──┬──
       ·   ╰── nothing to run
     2 │
       ╰────
      help: add at least one step, such as `- get_config: {}`

    1 problem: 1 scenario in 1 file
    ");
    assert_eq!(messages(&findings("steps:\n")), ["`steps` is empty"]);
}

#[test]
fn steps_that_are_no_list() {
    insta::assert_snapshot!(findings("
        steps:
          get_config: {}
    "), @"
    scenario::type

      × `steps` must be a list of steps
       ╭─[a.yaml:2:3]
     1 │ steps:
     2 │   get_config: {}
       ·   ──────┬──────
       ·         ╰── found a mapping
     3 │
       ╰────
      help: each step begins with `- `, such as `- get_config: {}`

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_misspelt_key() {
    insta::assert_snapshot!(findings("
        naem: A scenario
        steps:
          - get_config: {}
    "), @"
    scenario::unknown-key

      × a scenario has no key `naem`
       ╭─[a.yaml:1:1]
     1 │ naem: A scenario
       · ──┬─
       ·   ╰── unknown key
     2 │ steps:
       ╰────
      help: did you mean `name`?

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_key_from_nowhere() {
    insta::assert_snapshot!(findings("
        colour: blue
        steps:
          - get_config: {}
    "), @"
    scenario::unknown-key

      × a scenario has no key `colour`
       ╭─[a.yaml:1:1]
     1 │ colour: blue
       · ───┬──
       ·    ╰── unknown key
     2 │ steps:
       ╰────
      help: known here: name, description, tags, skip, requires, cases, matrix, vars, defaults,
            timeout, retries, serial, target, as, cleanup, setup, steps, finally

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_key_that_is_planned() {
    insta::assert_snapshot!(findings("
        trials: 20
        steps:
          - get_config: {}
    "), @"
    scenario::planned

      × `trials` is not supported by this version of agentos-run
       ╭─[a.yaml:1:1]
     1 │ trials: 20
       · ───┬──
       ·    ╰── not yet
     2 │ steps:
       ╰────

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn wrong_types_of_all_keys_at_once() {
    assert_eq!(
        messages(&findings(
            "
            name: [a]
            tags: { a: b }
            skip: 3
            requires: assistant
            vars: [a]
            defaults: 7
            timeout: soon
            target: [x]
            setup: get_config
            steps: get_config
            finally: 1
        "
        )),
        [
            "`name` must be a text",
            "`tags` must be a list of texts",
            "`skip` must be true, a reason, or an expression",
            "`requires` must be a mapping",
            "`vars` must be a mapping of names to values",
            "`defaults` must be a mapping",
            "`timeout`: `soon` is no duration: write `500ms`, `5s`, `1m30s`, `2h` or `30d`",
            "a target's name must be a text",
            "`setup` must be a list of steps",
            "`steps` must be a list of steps",
            "`finally` must be a list of steps",
        ]
    );
}

#[test]
fn requirements() {
    assert_eq!(
        messages(&findings(
            "
            requires: { agent: assistant, version: new, operations: [get_confg], teams: 3 }
            steps:
              - get_config: {}
        "
        )),
        [
            "`requires` has no key `agent`",
            "`version` must be a range such as `\">=2.6\"` or `\">=2.6, <3.1\"`",
            "there is no operation `get_confg`",
            "`teams` must be a list of ids",
        ]
    );
}

#[test]
fn names_that_no_variable_can_have() {
    insta::assert_snapshot!(findings("
        vars: { session-id: s1, env: x }
        steps:
          - get_config: {}
    "), @"
    scenario::name

      × `session-id` cannot be the name of a variable
       ╭─[a.yaml:1:9]
     1 │ vars: { session-id: s1, env: x }
       ·         ─────┬────
       ·              ╰── letters, digits and _ only
     2 │ steps:
       ╰────
      help: for example `session_id`

    scenario::name

      × `env` is a name of the language
       ╭─[a.yaml:1:25]
     1 │ vars: { session-id: s1, env: x }
       ·                         ─┬─
       ·                          ╰── taken
     2 │ steps:
       ╰────
      help: choose another name

    2 problems: 1 scenario in 1 file
    ");
}

#[test]
fn a_default_that_no_operation_has() {
    insta::assert_snapshot!(findings("
        defaults: { user: alice }
        steps:
          - get_config: {}
    "), @"
    scenario::unknown-key

      × no operation has a field `user`
       ╭─[a.yaml:1:13]
     1 │ defaults: { user: alice }
       ·             ──┬─
       ·               ╰── unknown field
     2 │ steps:
       ╰────
      help: did you mean `user_id`?

    1 problem: 1 scenario in 1 file
    ");
    assert_eq!(
        messages(&findings(
            "
            defaults: { user_id: [a], timeout: 5, retry: many, headers: no, soft: perhaps }
            steps:
              - get_config: {}
        "
        )),
        [
            "`user_id` must be a text",
            "`timeout`: `5` has no unit: write `5s` for seconds or `5ms` for milliseconds",
            "`retry` must be a number of attempts or a mapping",
            "`headers` must be a mapping of names to values",
            "`soft` must be true or false",
        ]
    );
}

#[test]
fn each_document_of_a_file_is_a_scenario() {
    assert_eq!(
        messages(&findings(
            "
            steps:
              - get_confg: {}
            ---
            steps:
              - helth: {}
            ---
            name: no steps here
        "
        )),
        ["there is no operation `get_confg`", "there is no operation `helth`", "the scenario has no `steps`",]
    );
}
