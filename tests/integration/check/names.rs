//! Names that are not defined: what was probably meant, and why it is not there.

use super::{findings, helps, messages};

#[test]
fn the_nearest_name_or_where_the_name_is() {
    let text = findings(
        "
        cases: [{ town: Paris }]
        vars: { user: alice, session_name: x }
        steps:
          - log: ${{ usr }} ${{ SESSION_NAME }}
          - log: ${{ sid }} ${{ count }}
          - log: ${{ made }}
          - id: made
            create_session: { agent_id: a }
            save: { sid: $.session_id }
          - set: { count: 1 }
          - log: ${{ made }} ${{ town }}
          - for_each: [1]
            as: number
            log: ${{ number }}
          - log: ${{ number }} ${{ item }}
          - log: ${{ vars.user }} ${{ secrets.TOKEN }} ${{ HOME }} ${{ response.body }}
        ",
    );
    assert_eq!(
        helps(&text),
        [
            "did you mean `user`?",
            "did you mean `session_name`?",
            "it is given a value at a.yaml:9:13: later than this, or beside it",
            "it is given a value at a.yaml:10:12: later than this, or beside it",
            "known here: env, run, session_name, steps, user",
            "did you mean `steps.made`?",
            "did you mean `case.town`?",
            "`number` is the item of the loop at a.yaml:14:5, and is there inside of it alone",
            "only a step with `for_each` or `repeat` has `item` and `loop`",
            "variables and parameters are read by their names alone: `user`",
            "the environment is read as `env.TOKEN`",
            "a variable of the environment is read as `env.HOME`",
            "the answer of a step with an `id` is `steps.ID.body`; `save` makes variables of it",
        ],
        "{text}"
    );
}

#[test]
fn many_names_are_cut() {
    let names: String = (0..20).map(|n| format!("zz{n}: {n}, ")).collect();
    let text = findings(&format!("vars: {{ {names} }}\nsteps: [{{ log: \"${{{{ qqq }}}}\" }}]\n"));
    assert!(helps(&text)[0].ends_with(" and 15 more"), "{text}");
}

#[test]
fn a_default_is_complained_of_once() {
    let text = findings(
        "
        defaults: { user_id: \"${{ usr }}\" }
        vars: { user: alice }
        steps:
          - get_sessions: {}
          - get_sessions: {}
          - get_memories: {}
        ",
    );
    assert_eq!(messages(&text), ["`usr` is not defined"]);
}

#[test]
fn what_cannot_be_a_default() {
    insta::assert_snapshot!(findings("
        defaults: { expect: { status: 200 }, id: x, user: alice, agent_idd: a, timeout: soon, invariants: { x: false } }
        steps: [{ get_config: {} }]
    "), @"
    scenario::defaults

      × `expect` is for one step, not for all
       ╭─[a.yaml:1:13]
     1 │ defaults: { expect: { status: 200 }, id: x, user: alice, agent_idd: a, timeout: soon, invariants: { x: false } }
       ·             ───┬──
       ·                ╰── no default
     2 │ steps: [{ get_config: {} }]
       ╰────
      help: defaults may be any field of an operation, and timeout, retry, resume, headers, soft,
            allow_failed_steps, invariants, every, within, as_user

    scenario::defaults

      × `id` is for one step, not for all
       ╭─[a.yaml:1:38]
     1 │ defaults: { expect: { status: 200 }, id: x, user: alice, agent_idd: a, timeout: soon, invariants: { x: false } }
       ·                                      ─┬
       ·                                       ╰── no default
     2 │ steps: [{ get_config: {} }]
       ╰────
      help: defaults may be any field of an operation, and timeout, retry, resume, headers, soft,
            allow_failed_steps, invariants, every, within, as_user

    scenario::unknown-key

      × no operation has a field `user`
       ╭─[a.yaml:1:45]
     1 │ defaults: { expect: { status: 200 }, id: x, user: alice, agent_idd: a, timeout: soon, invariants: { x: false } }
       ·                                             ──┬─
       ·                                               ╰── unknown field
     2 │ steps: [{ get_config: {} }]
       ╰────
      help: did you mean `user_id`?

    scenario::unknown-key

      × no operation has a field `agent_idd`
       ╭─[a.yaml:1:58]
     1 │ defaults: { expect: { status: 200 }, id: x, user: alice, agent_idd: a, timeout: soon, invariants: { x: false } }
       ·                                                          ────┬────
       ·                                                              ╰── unknown field
     2 │ steps: [{ get_config: {} }]
       ╰────
      help: did you mean `agent_id`?

    scenario::duration

      × `timeout`: `soon` is no duration: write `500ms`, `5s`, `1m30s`, `2h` or `30d`
       ╭─[a.yaml:1:81]
     1 │ defaults: { expect: { status: 200 }, id: x, user: alice, agent_idd: a, timeout: soon, invariants: { x: false } }
       ·                                                                                 ──┬─
       ·                                                                                   ╰── not a duration
     2 │ steps: [{ get_config: {} }]
       ╰────
      help: durations are written `500ms`, `30s`, `2m`, `1h` or `1m30s`

    scenario::unknown-key

      × `invariants` has no key `x`
       ╭─[a.yaml:1:101]
     1 │ defaults: { expect: { status: 200 }, id: x, user: alice, agent_idd: a, timeout: soon, invariants: { x: false } }
       ·                                                                                                     ┬
       ·                                                                                                     ╰── unknown key
     2 │ steps: [{ get_config: {} }]
       ╰────
      help: known here: ending, content, tools, run_id, event_index

    6 problems: 1 scenario in 1 file
    ");
}

#[test]
fn no_assertion() {
    insta::assert_snapshot!(findings("
        steps:
          - assert: [false]
          - assert: 3
    "), @r#"
    expect::form

      × an assertion is an expression or a mapping, not a boolean
       ╭─[a.yaml:2:14]
     1 │ steps:
     2 │   - assert: [false]
       ·              ──┬──
       ·                ╰── not an assertion
     3 │   - assert: 3
       ╰────
      help: for example `${{ count > 0 }}`, or `"${{ count }}": { gt: 0 }`

    expect::form

      × an assertion is an expression or a mapping, not a number
       ╭─[a.yaml:3:13]
     2 │   - assert: [false]
     3 │   - assert: 3
       ·             ┬
       ·             ╰── not an assertion
     4 │
       ╰────
      help: for example `${{ count > 0 }}`, or `"${{ count }}": { gt: 0 }`

    2 problems: 1 scenario in 1 file
    "#);
}

#[test]
fn thousands_of_findings_are_cut_and_counted() {
    let steps: String = (0..2000).map(|n| format!("  - log: ${{{{ nothing{n} }}}}\n")).collect();
    let text = findings(&format!("steps:\n{steps}"));
    assert_eq!(messages(&text).len(), 100);
    assert!(
        text.ends_with("\n… and 1900 more, in a.yaml\n\n2000 problems: 1 scenario in 1 file\n"),
        "{}",
        &text[text.len() - 200..]
    );
}
