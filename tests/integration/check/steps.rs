//! Steps: one action, known modifiers, the fields of the operation.

use super::{in_steps, messages};

#[test]
fn an_unknown_operation() {
    insta::assert_snapshot!(in_steps("
        - run_agnet: { agent_id: assistant, message: hi }
    "), @"
    operation::unknown

      × there is no operation `run_agnet`
       ╭─[a.yaml:2:5]
     1 │ steps:
     2 │   - run_agnet: { agent_id: assistant, message: hi }
       ·     ────┬────
       ·         ╰── unknown operation
     3 │
       ╰────
      help: did you mean `run_agent`?

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(in_steps("
        - fly_to_the_moon: {}
    "), @"
    operation::unknown

      × there is no operation or modifier `fly_to_the_moon`
       ╭─[a.yaml:2:5]
     1 │ steps:
     2 │   - fly_to_the_moon: {}
       ·     ───────┬───────
       ·            ╰── unknown
     3 │
       ╰────
      help: `agentos-run operations` lists the operations; `http:` reaches any other path

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn words_of_other_tools() {
    insta::assert_snapshot!(in_steps("
        - get: /health
        - get_config: {}
          asserts: { status: 200 }
        - for_each: { list: get_sessions, as: s }
          where: ${{ s.session_name == \"x\" }}
          delete_session: { session_id: \"${{ item.session_id }}\" }
    "), @r#"
    scenario::unknown-key

      × a step has no key `get`
       ╭─[a.yaml:2:5]
     1 │ steps:
     2 │   - get: /health
       ·     ─┬─
       ·      ╰── unknown key
     3 │   - get_config: {}
       ╰────
      help: any request is `http: { get: /path }`; what AgentOS offers has operations: `agentos-run
            operations`

    scenario::unknown-key

      × a step has no key `asserts`
       ╭─[a.yaml:4:5]
     3 │   - get_config: {}
     4 │     asserts: { status: 200 }
       ·     ───┬───
       ·        ╰── unknown key
     5 │   - for_each: { list: get_sessions, as: s }
       ╰────
      help: what must hold stands under `expect:`

    operation::unknown

      × there is no operation `list`
       ╭─[a.yaml:5:17]
     4 │     asserts: { status: 200 }
     5 │   - for_each: { list: get_sessions, as: s }
       ·                 ──┬─
       ·                   ╰── unknown operation
     6 │     where: ${{ s.session_name == "x" }}
       ╰────
      help: the operation is the key, and each of its entries is `item`: for_each: { get_sessions:
            {} }

    operation::unknown

      × there is no operation `as`
       ╭─[a.yaml:5:37]
     4 │     asserts: { status: 200 }
     5 │   - for_each: { list: get_sessions, as: s }
       ·                                     ─┬
       ·                                      ╰── unknown operation
     6 │     where: ${{ s.session_name == "x" }}
       ╰────
      help: the name of an entry stands beside `for_each`, as `as: NAME`

    scenario::unknown-key

      × a step has no key `where`
       ╭─[a.yaml:6:5]
     5 │   - for_each: { list: get_sessions, as: s }
     6 │     where: ${{ s.session_name == "x" }}
       ·     ──┬──
       ·       ╰── unknown key
     7 │     delete_session: { session_id: "${{ item.session_id }}" }
       ╰────
      help: it stands in `for_each`, beside the operation: for_each: { get_sessions: {}, where:
            ${{ item... }} }

    5 problems: 1 scenario in 1 file
    "#);
}

#[test]
fn an_operation_without_its_colon() {
    insta::assert_snapshot!(in_steps("
        - get_config
    "), @"
    step::not-a-mapping

      × a step must be a mapping
       ╭─[a.yaml:2:5]
     1 │ steps:
     2 │   - get_config
       ·     ─────┬────
       ·          ╰── found a text
     3 │
       ╰────
      help: write `- get_config: {}`

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn two_actions() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          health: {}
    "), @"
    step::two-actions

      × the step has two actions: `get_config` and `health`
       ╭─[a.yaml:3:5]
     1 │ steps:
     2 │   - get_config: {}
       ·     ─────┬────
       ·          ╰── first action
     3 │     health: {}
       ·     ───┬──
       ·        ╰── second action
     4 │
       ╰────
      help: begin the second with `- ` to make it a step of its own

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn no_action() {
    insta::assert_snapshot!(in_steps("
        - name: nothing
          expect: { status: 200 }
    "), @"
    step::no-action

      × the step does nothing: it has no action
       ╭─[a.yaml:2:5]
     1 │ steps:
     2 │   - name: nothing
       ·     ──────┬──────
       ·           ╰── no action in this step
     3 │     expect: { status: 200 }
       ╰────
      help: add one operation, such as `run_agent:` or `get_sessions:`; `agentos-run operations` lists
            them

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_misspelt_modifier() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          expcet: { status: 200 }
    "), @"
    scenario::unknown-key

      × a step has no key `expcet`
       ╭─[a.yaml:3:5]
     2 │   - get_config: {}
     3 │     expcet: { status: 200 }
       ·     ───┬──
       ·        ╰── unknown key
     4 │
       ╰────
      help: did you mean `expect`?

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_modifier_among_the_fields() {
    insta::assert_snapshot!(in_steps("
        - get_session:
            session_id: s1
            expect: { status: 200 }
    "), @"
    operation::unknown-field

      × get_session has no field `expect`
       ╭─[a.yaml:4:7]
     3 │       session_id: s1
     4 │       expect: { status: 200 }
       ·       ───┬──
       ·          ╰── unknown field
     5 │
       ╰────
      help: `expect` is a modifier of the step: indent it like `get_session:` itself

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_misspelt_field() {
    insta::assert_snapshot!(in_steps("
        - get_session: { sesion_id: s1 }
    "), @"
    operation::unknown-field

      × get_session has no field `sesion_id`
       ╭─[a.yaml:2:20]
     1 │ steps:
     2 │   - get_session: { sesion_id: s1 }
       ·                    ────┬────
       ·                        ╰── unknown field
     3 │
       ╰────
      help: did you mean `session_id`?

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_field_that_is_missing() {
    insta::assert_snapshot!(in_steps("
        - run_agent: { message: hi }
    "), @"
    operation::missing-field

      × run_agent needs `agent_id`
       ╭─[a.yaml:2:5]
     1 │ steps:
     2 │   - run_agent: { message: hi }
       ·     ────┬────
       ·         ╰── missing here
     3 │
       ╰────
      help: run_agent: { agent_id: ... }

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(in_steps("
        - get_session:
    "), @"
    operation::missing-field

      × get_session needs `session_id`
       ╭─[a.yaml:2:5]
     1 │ steps:
     2 │   - get_session:
       ·     ─────┬─────
       ·          ╰── missing here
     3 │
       ╰────
      help: get_session: { session_id: ... }

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_field_of_the_wrong_type() {
    insta::assert_snapshot!(in_steps("
        - get_sessions: { limit: many }
    "), @"
    operation::type

      × `limit` must be a whole number
       ╭─[a.yaml:2:28]
     1 │ steps:
     2 │   - get_sessions: { limit: many }
       ·                            ──┬─
       ·                              ╰── found a text
     3 │
       ╰────

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(in_steps("
        - get_sessions: { type: agnet }
    "), @"
    operation::type

      × `type` must be one of agent, team, workflow
       ╭─[a.yaml:2:27]
     1 │ steps:
     2 │   - get_sessions: { type: agnet }
       ·                           ──┬──
       ·                             ╰── found a text
     3 │
       ╰────
      help: did you mean `agent`?

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(in_steps("
        - get_session: { session_id: 17 }
    "), @r#"
    operation::type

      × `session_id` must be a text
       ╭─[a.yaml:2:32]
     1 │ steps:
     2 │   - get_session: { session_id: 17 }
       ·                                ─┬
       ·                                 ╰── found a number
     3 │
       ╰────
      help: put it in quotes to send it as a text: "17"

    1 problem: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(in_steps("
        - get_sessions: { page: -1 }
    "), @"
    operation::type

      × `page` cannot be -1
       ╭─[a.yaml:2:27]
     1 │ steps:
     2 │   - get_sessions: { page: -1 }
       ·                           ─┬
       ·                            ╰── out of range
     3 │
       ╰────
      help: it is a whole number from 0

    1 problem: 1 scenario in 1 file
    ");
    assert_eq!(
        messages(&in_steps(
            "
            - delete_sessions: { session_ids: s1 }
            - update_session: { session_id: s1, session_state: [1] }
            - get_sessions: [limit, 1]
            - run_agent: { agent_id: a, message: b, stream: perhaps }
        "
        )),
        [
            "`session_ids` must be a list of texts",
            "`session_state` must be a mapping",
            "`get_sessions` must be a mapping of its fields",
            "`stream` must be true or false",
        ]
    );
}

#[test]
fn modifiers_of_the_wrong_type() {
    assert_eq!(
        messages(&in_steps(
            "
            - get_config: {}
              id: not a word
              if: 5
              retry: { attempts: 0, delay: 5, backoff: x, on: [5yy], every: 1s }
              timeout: { conect: 1s, total: 5 }
              headers: { 'a b': c }
              save: { sid: session_id }
              soft: maybe
              allow_failed_steps: 1
        "
        )),
        [
            "`not a word` cannot be the id of a step",
            "`if` must be an expression",
            "`attempts` must be a number from 1 to 100",
            "`delay`: `5` has no unit: write `5s` for seconds or `5ms` for milliseconds",
            "`backoff` must be a number from 1 to 100",
            "each of `on` must be a status (503), a class (5xx), `timeout` or `connect`",
            "`retry` has no key `every`",
            "`timeout` has no key `conect`",
            "`total`: `5` has no unit: write `5s` for seconds or `5ms` for milliseconds",
            "`a b` is no name of a header",
            "`session_id` is nothing that can be saved",
            "`soft` must be true or false",
            "`allow_failed_steps` must be true or false",
        ]
    );
}

#[test]
fn modifiers_that_make_no_sense() {
    insta::assert_snapshot!(in_steps("
        - sleep: 1s
          expect: { status: 200 }
          save: x
          timeout: 1s
    "), @"
    step::modifier

      × `expect` needs a step that sends a request
       ╭─[a.yaml:3:5]
     2 │   - sleep: 1s
     3 │     expect: { status: 200 }
       ·     ───┬──
       ·        ╰── `sleep` sends none
     4 │     save: x
       ╰────
      help: `assert:` holds expectations on expressions

    step::modifier

      × `save` needs a step that sends a request
       ╭─[a.yaml:4:5]
     3 │     expect: { status: 200 }
     4 │     save: x
       ·     ──┬─
       ·       ╰── `sleep` sends none
     5 │     timeout: 1s
       ╰────
      help: `set:` gives variables values

    step::modifier

      × `timeout` needs a step that sends a request, a group or a fragment
       ╭─[a.yaml:5:5]
     4 │     save: x
     5 │     timeout: 1s
       ·     ───┬───
       ·        ╰── `sleep` takes no time
     6 │
       ╰────

    3 problems: 1 scenario in 1 file
    ");
}

#[test]
fn what_the_words_of_the_language_want() {
    assert_eq!(
        messages(&in_steps(
            "
            - http: { pth: /x }
            - http: { path: x, method: FETCH, json: {}, form: {} }
            - http: { path: /x, headers: { a: b } }
            - set:
            - assert: {}
            - group: []
            - sleep: long
        "
        )),
        [
            "`http` needs a `path`",
            "`http` has no key `pth`",
            "the `path` of a request begins with `/`",
            "`FETCH` is no HTTP method",
            "a request has one body, not `json` and `form`",
            "`headers` is a modifier of the step",
            "`set` must be a mapping of names to values",
            "nothing is expected here",
            "`group` must be a list of steps",
            "`sleep`: `long` is no duration: write `500ms`, `5s`, `1m30s`, `2h` or `30d`",
        ]
    );
}

#[test]
fn two_steps_of_one_id() {
    insta::assert_snapshot!(in_steps("
        - id: a
          get_config: {}
        - id: a
          health: {}
    "), @"
    step::id

      × two steps have the id `a`
       ╭─[a.yaml:4:9]
     3 │     get_config: {}
     4 │   - id: a
       ·         ┬
       ·         ╰── already taken
     5 │     health: {}
       ╰────
      help: ids are unique within a scenario

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn streams_that_cannot_be_taken_up_again() {
    insta::assert_snapshot!(in_steps("
        - run_agent: { agent_id: slow, message: hi, stream: true }
          resume: 3
        - get_config: {}
          resume: often
        - run_agent: { agent_id: slow, message: hi, stream: true, background: true }
          resume: 2
    "), @"
    step::resume

      × `resume` needs a run in the background that is read as a stream
       ╭─[a.yaml:3:5]
     2 │   - run_agent: { agent_id: slow, message: hi, stream: true }
     3 │     resume: 3
       ·     ───┬──
       ·        ╰── `run_agent` is none
     4 │   - get_config: {}
       ╰────
      help: add `background: true` and `stream: true`; a run in the foreground ends with its
            connection

    step::resume

      × `resume` needs a run in the background that is read as a stream
       ╭─[a.yaml:5:5]
     4 │   - get_config: {}
     5 │     resume: often
       ·     ───┬──
       ·        ╰── `get_config` is none
     6 │   - run_agent: { agent_id: slow, message: hi, stream: true, background: true }
       ╰────
      help: add `background: true` and `stream: true`; a run in the foreground ends with its
            connection

    step::resume

      × `resume` must be a number from 0 to 100
       ╭─[a.yaml:5:13]
     4 │   - get_config: {}
     5 │     resume: often
       ·             ──┬──
       ·               ╰── found a text
     6 │   - run_agent: { agent_id: slow, message: hi, stream: true, background: true }
       ╰────

    3 problems: 1 scenario in 1 file
    ");
}
