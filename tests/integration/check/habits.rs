//! Words of other tools and other languages: each finding says how it is written here.

use super::{findings, helps, in_steps, messages};

#[test]
fn keys_of_a_scenario() {
    let text = findings(
        "
        env: { AGENT: assistant }
        strategy: { matrix: { agent: [a] } }
        needs: [other]
        headers: { X: y }
        before_each: []
        teardown: []
        retry: 3
        steps:
          - run_agent: { agent_id: \"${{ matrix.agent }}\", message: hi }
        ",
    );
    assert_eq!(
        helps(&text),
        [
            "variables stand in `vars:`; the environment is read as `${{ env.NAME }}`",
            "one run for each row is `cases: [{ city: Paris }, { city: Rome }]`, for each combination `matrix: { city: [Paris, Rome] }`; a value is read as `${{ case.city }}`",
            "scenarios do not wait for each other: what one needs stands in its `setup:`, and what several need in a fragment",
            "where requests go, and with which headers, stands in `targets:` of the project file, or on the command line: `--base-url`, `--header`, `--token`",
            "what is done before stands in `setup:`",
            "what is done in any case stands in `finally:`; `cleanup: true` deletes what was created",
            "a scenario is run again by `retries: 3`; one request by `retry: 3` in its step",
            "one run for each combination: `matrix: { agent: [a, b] }` beside `steps:`; a value is read by `case.agent`",
        ],
        "{text}"
    );
}

#[test]
fn keys_of_a_step() {
    let text = in_steps(
        "
        - uses: greet.yaml
        - run_agent: { agent_id: assistant, message: hi }
          stream: true
          continue-on-error: true
        - action: run_agent
        - get_config: {}
          assert: [{ type: contains }]
        - get_session: { session_id: a }
          expect_error: 404
        ",
    );
    assert_eq!(
        helps(&text),
        [
            "the steps of another file run by `use: FILE`",
            "indent it further than `run_agent:`, or write `run_agent: { stream: ... }`",
            "a step whose failure does not end the scenario has `soft: true`",
            "the operation is the key, and its fields stand in it: `run_agent: { agent_id: assistant, message: Hello }`; values for a fragment are `with:`",
            "what must hold of this step's answer stands under `expect:`: `expect: { content: { contains: hello } }`",
            "a failure that is meant is expected: `expect: { status: 404 }`, or `expect: { error: { contains: not found } }`",
        ],
        "{text}"
    );
}

#[test]
fn expectations() {
    let text = in_steps(
        "
        - run_agent: { agent_id: assistant, message: hi, stream: true }
          expect:
            events:
              - RunStarted
              - RunCompleted
            content: { toContain: a, toBeGreaterThan: 1 }
            toContain: hello
            snapshot: first
        - assert: { steps.ask.content: hello }
        ",
    );
    let hint = "(a mapping here holds predicates; a literal mapping is written `{ eq: { ... } }`, a partial one `{ like: { ... } }`)";
    assert_eq!(
        helps(&text),
        [
            "all of them, in this order: `{ sequence: [RunStarted, RunCompleted] }`, where `\"...\"` stands for whatever comes; of tools also `{ called: [RunStarted, RunCompleted] }`",
            &format!("did you mean `contains`? {hint}"),
            &format!("did you mean `gt`? {hint}"),
            "a predicate stands under what it is asked of: `content: { contains: ... }`",
            "an answer is compared with a file by `snapshot: NAME`, beside `expect`",
            "write `\"${{ steps.ask.content }}\"`",
        ],
        "{text}"
    );
}

#[test]
fn what_an_answer_does_not_have() {
    let text = in_steps(
        "
        - id: ask
          run_agent: { agent_id: assistant, message: hi }
        - log: ${{ steps.ask.outputs.session_id }} ${{ steps.ask.outputs.content }}
        - log: ${{ steps.ask.session_id }} ${{ steps.ask.contnt }} ${{ steps.ask.status_code }}
        - log: ${{ steps.ask.body.session_id }} ${{ steps.ask.duration }} ${{ steps.ask[\"body\"] }}
        ",
    );
    let has = "an answer has: body, content, duration_ms, error, events, headers, requirements, status, text, tokens, tools";
    let meant = ["body.session_id", "content", "content", "status", "body.session_id"];
    let mut told = helps(&text);
    told.sort();
    let mut expected: Vec<String> =
        meant.iter().map(|meant| format!("did you mean `steps.ask.{meant}`? {has}")).collect();
    expected.sort();
    assert_eq!(told, expected, "{text}");
}

#[test]
fn expressions() {
    let cases = [
        ("a && b", "`and` joins conditions: `a and b`"),
        ("a || b", "`or` joins conditions: `a or b`"),
        ("!a", "what does not hold is `not`: `not a`"),
        ("a === b", "what is equal is compared by `==`"),
        ("a = 'x'", "what is equal is compared by `==`"),
        ("a ? 1 : 2", "one of two is `x if condition else y`"),
        ("a matches '^x'", "a pattern is a test: `text is matches(\"^a\")`"),
        ("a IN [1]", "operators are written small: `in`"),
        ("a is null", "did you mean `none`?"),
        ("contains(a, 'x')", "a part is found by `in`: `\"part\" in text`"),
        ("a | contains('x')", "a part is found by `in`: `\"part\" in text`"),
        ("len(a)", "the length is a filter: `list | length`"),
        ("always()", "steps that run whatever happened stand under `finally:`"),
        ("a == undefined", "what may be missing is asked for by `a.b is defined`"),
        (
            "now() - 30d > a",
            "a duration is a text: an age is compared by `item.updated_at | age > \"30d\"`, the time so long ago is `ago(\"30d\")`",
        ),
    ];
    for (expression, help) in cases {
        let text = findings(&format!(
            "
            vars: {{ a: x, b: true }}
            steps:
              - if: {expression:?}
                health: {{}}
            "
        ));
        assert_eq!(helps(&text), [help], "{text}");
    }
}

#[test]
fn a_condition_that_is_none_is_called_by_its_name() {
    let text = in_steps(
        "
        - for_each: { get_sessions: {}, where: { age: 30d } }
          log: x
        - if: ${{ env.CI }} == true
          health: {}
        ",
    );
    assert_eq!(
        messages(&text),
        ["`where` must be an expression", "`if` must be one expression and nothing around it"]
    );
    assert_eq!(
        helps(&text),
        ["where: \"${{ item.updated_at | age > '30d' }}\"", "if: ${{ count > 2 }}"],
        "{text}"
    );
}

#[test]
fn fields_that_are_not_indented_or_have_other_names() {
    let text = in_steps(
        "
        - run_agent:
          agent_id: assistant
          message: hi
        - run_agent: { agent_id: assistant, prompt: hi }
        - http: { url: \"http://x/health\", path: /health }
        - set: x = 3
        ",
    );
    assert_eq!(
        helps(&text),
        [
            "run_agent: { agent_id: ..., message: ... }",
            "indent it further than `run_agent:`, or write `run_agent: { agent_id: ... }`",
            "indent it further than `run_agent:`, or write `run_agent: { message: ... }`",
            "run_agent: { message: ... }",
            "did you mean `message`?",
            "the address is that of the target: `path: /health`",
            "set: { name: value }",
        ],
        "{text}"
    );
}

#[test]
fn a_range_is_a_list() {
    let text = in_steps(
        "
        - for_each: { range: 30 }
          log: x
        ",
    );
    assert_eq!(helps(&text), ["numbers are a list: for_each: ${{ range(1, 31) }}"], "{text}");
}
