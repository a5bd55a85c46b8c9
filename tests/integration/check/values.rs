//! What stands inside of values: expectations, paths, patterns, durations, expressions and the names in them.

use super::{findings, in_steps, messages};

#[test]
fn an_expectation_of_nothing() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          expect:
    "), @"
    expect::empty

      × nothing is expected here
       ╭─[a.yaml:3:11]
     2 │   - get_config: {}
     3 │     expect:
       ·           ▲
       ·           ╰── no expectation
     4 │
       ╰────
      help: write `expect: { status: 200, content: { contains: Alice } }`

    1 problem: 1 scenario in 1 file
    ");
    assert_eq!(messages(&in_steps("- get_config: {}\n  expect: {}\n")).len(), 1);
    assert_eq!(messages(&in_steps("- get_config: {}\n  expect: []\n")).len(), 1);
    assert_eq!(messages(&in_steps("- get_config: {}\n  expect: { $.a: {} }\n")).len(), 1);
}

#[test]
fn an_unknown_target() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          expect: { statsu: 200 }
    "), @"
    expect::target

      × there is no target `statsu`
       ╭─[a.yaml:3:15]
     2 │   - get_config: {}
     3 │     expect: { statsu: 200 }
       ·               ───┬──
       ·                  ╰── no such target
     4 │
       ╰────
      help: did you mean `status`?

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn an_unknown_predicate() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          expect:
            $.os_id: { contians: demo }
    "), @"
    expect::predicate

      × there is no predicate `contians`
       ╭─[a.yaml:4:18]
     3 │     expect:
     4 │       $.os_id: { contians: demo }
       ·                  ────┬───
       ·                      ╰── no such predicate
     5 │
       ╰────
      help: did you mean `contains`? (a mapping here holds predicates; a literal mapping is written
            `{ eq: { ... } }`, a partial one `{ like: { ... } }`)

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn an_unknown_predicate_deep_inside() {
    assert_eq!(
        messages(&in_steps(
            "
            - get_config: {}
              expect:
                $.agents: { each: { tpye: string }, any: { not: { one_off: [1] } } }
        "
        )),
        ["there is no predicate `tpye`", "there is no predicate `one_off`"]
    );
}

#[test]
fn a_path_that_is_none() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          expect:
            $.agents[0: 1
    "), @"
    expect::jsonpath

      × `$.agents[0` is no JSONPath: a JSONPath cannot go on with `0` here
       ╭─[a.yaml:4:16]
     3 │     expect:
     4 │       $.agents[0: 1
       ·                ┬
       ·                ╰── here
     5 │
       ╰────

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          save: { first: \"$.agents[?(@.id = 'a')]\" }
    "), @r#"
    jsonpath::syntax

      × this is not a JSONPath: a JSONPath cannot go on with `=` here
       ╭─[a.yaml:3:37]
     2 │   - get_config: {}
     3 │     save: { first: "$.agents[?(@.id = 'a')]" }
       ·                                     ┬
       ·                                     ╰── here
     4 │
       ╰────

    1 problem: 1 scenario in 1 file
    "#);
}

#[test]
fn a_pattern_that_is_none() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          expect:
            text: { matches: 'run-(\\d+' }
    "), @r"
    expect::regex

      × `run-(\d+` is no regular expression: unclosed group
       ╭─[a.yaml:4:24]
     3 │     expect:
     4 │       text: { matches: 'run-(\d+' }
       ·                        ─────┬────
       ·                             ╰── here
     5 │
       ╰────

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn predicates_with_the_wrong_arguments() {
    assert_eq!(
        messages(&in_steps(
            "
            - get_config: {}
              expect:
                $.a: { between: 3, type: text, format: phone, length: long, one_of: x, exists: perhaps }
                duration: { lt: 5 }
                status: twohundred
        "
        )),
        [
            "expected a list of two, the least and the most, found a number (3)",
            "`text` is no type",
            "`phone` is no format",
            "expected a number, found a text (\"long\")",
            "expected a list, found a text (\"x\")",
            "expected true or false, found a text (\"perhaps\")",
            "a duration needs a unit, `5` has none",
            "expected a number, found a text (\"twohundred\")",
        ]
    );
}

#[test]
fn a_duration_without_its_unit() {
    insta::assert_snapshot!(in_steps("
        - get_config: {}
          timeout: 30
    "), @"
    scenario::duration

      × `timeout`: `30` has no unit: write `30s` for seconds or `30ms` for milliseconds
       ╭─[a.yaml:3:14]
     2 │   - get_config: {}
     3 │     timeout: 30
       ·              ─┬
       ·               ╰── not a duration
     4 │
       ╰────
      help: durations are written `500ms`, `30s`, `2m`, `1h` or `1m30s`

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn an_expression_that_is_none() {
    insta::assert_snapshot!(in_steps("
        - log: the sum is ${{ 1 + }}
    "), @"
    expression::syntax

      × this is not an expression: unexpected end of input, expected expression
       ╭─[a.yaml:2:27]
     1 │ steps:
     2 │   - log: the sum is ${{ 1 + }}
       ·                           ┬
       ·                           ╰── here
     3 │
       ╰────

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(in_steps("
        - log: ${{ run.id
    "), @"
    expression::unclosed

      × `${{` is never closed by `}}`
       ╭─[a.yaml:2:10]
     1 │ steps:
     2 │   - log: ${{ run.id
       ·          ─┬─
       ·           ╰── opened here
     3 │
       ╰────
      help: a literal `${{` is written `$${{`

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn an_unknown_filter() {
    insta::assert_snapshot!(in_steps("
        - log: ${{ run.id | uper }}
    "), @"
    expression::unknown

      × there is no filter `uper`
       ╭─[a.yaml:2:23]
     1 │ steps:
     2 │   - log: ${{ run.id | uper }}
       ·                       ──┬─
       ·                         ╰── no such filter
     3 │
       ╰────
      help: did you mean `upper`?

    1 problem: 1 scenario in 1 file
    ");
}

#[test]
fn a_test_in_the_place_of_a_filter() {
    insta::assert_snapshot!(in_steps("
        - if: ${{ run.id | matches(\"^a\") }}
          log: hello
    "), @r#"
    expression::unknown

      × there is no filter `matches`
       ╭─[a.yaml:2:22]
     1 │ steps:
     2 │   - if: ${{ run.id | matches("^a") }}
       ·                      ───┬───
       ·                         ╰── no such filter
     3 │     log: hello
       ╰────
      help: `matches` is a test: `value is matches(...)`

    1 problem: 1 scenario in 1 file
    "#);
}

#[test]
fn a_name_that_is_never_defined() {
    insta::assert_snapshot!(findings("
        vars: { session: s1 }
        steps:
          - get_session: { session_id: \"${{ sesion }}\" }
    "), @r#"
    expression::undefined

      × `sesion` is not defined
       ╭─[a.yaml:3:37]
     2 │ steps:
     3 │   - get_session: { session_id: "${{ sesion }}" }
       ·                                     ───┬──
       ·                                        ╰── not defined
     4 │
       ╰────
      help: did you mean `session`?

    1 problem: 1 scenario in 1 file
    "#);
}

#[test]
fn a_name_that_is_defined_too_late() {
    assert_eq!(
        messages(&findings(
            "
            vars: { a: '${{ b }}', b: 1 }
            setup:
              - log: ${{ sid }} ${{ steps.made.body }}
            steps:
              - id: made
                create_session: {}
                save: { sid: $.session_id }
              - log: ${{ sid }} ${{ steps.made.body }}
        "
        )),
        ["`b` is not defined", "`sid` is not defined", "no step before this one has the id `made`"]
    );
}

#[test]
fn names_in_every_place_that_takes_an_expression() {
    let found = findings(
        "
        skip: ${{ a1 }}
        requires: { agents: ['${{ a2 }}'] }
        defaults: { user_id: '${{ a3 }}', headers: { x: '${{ a4 }}' } }
        steps:
          - get_sessions: {}
            name: ${{ a5 }}
            if: a6 == 1
            headers: { y: '${{ a7 }}' }
            expect: { $.data: '${{ a8 }}', '${{ a9 }}': 1 }
            save: { v: '${{ a10 }}' }
          - http: { path: '/${{ a11 }}', query: { q: '${{ a12 }}' }, json: { k: ['${{ a13 }}'] } }
          - set: { w: '${{ a14 }}' }
          - assert: { '${{ a15 }}': { gt: '${{ a16 }}' } }
          - group:
              - sleep: ${{ a17 }}
          - log: ${{ a18 }}
    ",
    );
    let mut missing: Vec<String> = (1..=18).map(|n| format!("`a{n}` is not defined")).collect();
    missing.retain(|message| !messages(&found).contains(&message.as_str()));
    assert!(missing.is_empty(), "not found: {missing:?} in\n{found}");
}
