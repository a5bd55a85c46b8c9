//! Scenarios that run for each of many rows: what runs, what it is called, and what is wrong with rows.

use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::{Value, json};

/// The names of what would run.
fn names(text: &str, arguments: &[&str]) -> Vec<String> {
    let run =
        Run::new().file("a.yaml", dedent(text)).args(["list", "a.yaml", "--format", "json"]).args(arguments);
    let all: Vec<Value> = serde_json::from_str(&run.run().code_is(0).stdout).unwrap();
    all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

fn findings(text: &str) -> String {
    let output = Run::new().file("a.yaml", dedent(text)).args(["check", "a.yaml"]).run().code_is(2);
    output.scrub(&output.stderr)
}

/// Runs a scenario against a server that answers everything.
fn run(text: &str) -> (FakeServer, Output) {
    let server = FakeServer::always(Answer::json(200, &json!({ "n": 3 })));
    let run = Run::new().file("a.yaml", dedent(text)).args(["--base-url", &server.base_url(), "a.yaml"]);
    (server, run.run())
}

const TWO_CITIES: &str = "
    name: Weather
    cases:
      - { city: Paris, degrees: 12 }
      - { city: Rome, degrees: 20.5 }
    vars:
      path: /${{ case.city }}
    steps:
      - http: { path: \"${{ path }}\", query: { degrees: \"${{ case.degrees }}\", is: \"${{ case.name }}\" } }
";

#[test]
fn each_row_is_a_run_with_a_name_of_its_own() {
    let (server, output) = run(TWO_CITIES);
    insta::assert_snapshot!(output.code_is(0).scrubbed(), @"
    agentos-run [version] against [url]
    PASS Weather [city=Paris, degrees=12]  a.yaml:1  (1 step, [time])
    PASS Weather [city=Rome, degrees=20.5]  a.yaml:1  (1 step, [time])
    2 scenarios: 2 passed  (2 steps, 0 checks, [time])
    ");
    assert_eq!(
        server.lines().split_off(1),
        [
            "GET /Paris?degrees=12&is=city%3DParis%2C+degrees%3D12",
            "GET /Rome?degrees=20.5&is=city%3DRome%2C+degrees%3D20.5"
        ]
    );
}

#[test]
fn a_failure_names_the_case_and_where_its_row_stands() {
    let (_, output) = run("
        name: Weather
        cases:
          - name: Paris
            n: 3
          - name: Rome
            n: 4
        steps:
          - http: { path: /x }
            expect: { $.n: \"${{ case.n }}\" }
    ");
    let text = output.code_is(1).scrubbed();
    assert!(text.contains("PASS Weather [Paris]"), "{text}");
    assert!(text.contains("FAIL Weather [Rome]\n  the case at a.yaml:5:5\n"), "{text}");
}

#[test]
fn filters_find_cases() {
    assert_eq!(
        names(TWO_CITIES, &[]),
        ["Weather [city=Paris, degrees=12]", "Weather [city=Rome, degrees=20.5]"]
    );
    assert_eq!(names(TWO_CITIES, &["-f", "city=Rome"]), ["Weather [city=Rome, degrees=20.5]"]);
    assert_eq!(names(TWO_CITIES, &["-f", "a.yaml:4"]), ["Weather [city=Rome, degrees=20.5]"]);
    assert_eq!(names(TWO_CITIES, &["-f", "a.yaml:1"]).len(), 2);
}

#[test]
fn names_are_readable_and_unique() {
    let names = names(
        "
        name: N
        cases:
          - { text: \"two\\nlines\", list: [1, {a: b}] }
          - { text: Same, list: [] }
          - { text: Same, list: [] }
          - { text: \"a text that is much longer than forty characters are, by far\", list: null }
        steps: [{ log: x }]
        ",
        &[],
    );
    assert_eq!(
        names,
        [
            "N [text=two lines, list=[1,{\"a\":\"b\"}]]",
            "N [text=Same, list=[]]",
            "N [text=Same, list=[] #2]",
            "N [text=a text that is much longer than forty ch…, list=null]",
        ]
    );
}

#[test]
fn a_matrix_is_every_combination() {
    let text = "
        name: M
        matrix:
          agent: [a, b]
          stream: [true, false]
          exclude:
            - { agent: b, stream: true }
          include:
            - { agent: c, stream: null }
        steps: [{ log: \"${{ case.agent }} ${{ case.stream }}\" }]
    ";
    let (_, output) = run(text);
    insta::assert_snapshot!(output.code_is(0).scrubbed(), @"
    agentos-run [version] against [url]
      log: a true
    PASS M [agent=a, stream=true]  a.yaml:1  (1 step, [time])
      log: a false
    PASS M [agent=a, stream=false]  a.yaml:1  (1 step, [time])
      log: b false
    PASS M [agent=b, stream=false]  a.yaml:1  (1 step, [time])
      log: c null
    PASS M [agent=c, stream=null]  a.yaml:1  (1 step, [time])
    4 scenarios: 4 passed  (4 steps, 0 checks, [time])
    ");
}

#[test]
fn rows_and_a_matrix_are_every_row_in_every_combination() {
    let text = "
        name: B
        cases: [{ name: first, x: 1 }, { name: second, x: 2 }]
        matrix: { y: [a, b] }
        steps: [{ log: \"${{ case.x }} ${{ case.y }}\" }]
    ";
    assert_eq!(names(text, &[]), ["B [first, y=a]", "B [first, y=b]", "B [second, y=a]", "B [second, y=b]"]);
}

#[test]
fn a_case_may_be_skipped() {
    let (_, output) = run("
        name: S
        cases: [{ x: 1 }, { x: 2 }]
        skip: ${{ 'two is not ready' if case.x == 2 else false }}
        steps: [{ log: \"${{ case.x }}\" }]
    ");
    let text = output.code_is(0).scrubbed();
    assert!(text.contains("SKIP S [x=2]  a.yaml:1  (skipped: two is not ready)"), "{text}");
    assert!(text.contains("PASS S [x=1]"), "{text}");
}

#[test]
fn rows_have_the_same_names() {
    insta::assert_snapshot!(findings("
        cases:
          - { city: Paris, temp: 12 }
          - { city: Rome, tmp: 20 }
          - { city: Rome, temp: 20, x: 1 }
          - { city: Rome }
          - Rome
        steps:
          - log: ${{ case.cty }}
    "), @"
    cases::columns

      × the rows of `cases` have no `tmp`
       ╭─[a.yaml:3:19]
     1 │ cases:
     2 │   - { city: Paris, temp: 12 }
       ·     ───────────┬───────────
       ·                ╰── the first row says what all have
     3 │   - { city: Rome, tmp: 20 }
       ·                   ─┬─
       ·                    ╰── unknown name
     4 │   - { city: Rome, temp: 20, x: 1 }
       ╰────
      help: did you mean `temp`?

    cases::columns

      × the rows of `cases` have no `x`
       ╭─[a.yaml:4:29]
     1 │ cases:
     2 │   - { city: Paris, temp: 12 }
       ·     ───────────┬───────────
       ·                ╰── the first row says what all have
     3 │   - { city: Rome, tmp: 20 }
     4 │   - { city: Rome, temp: 20, x: 1 }
       ·                             ┬
       ·                             ╰── unknown name
     5 │   - { city: Rome }
       ╰────
      help: known here: city, temp

    cases::columns

      × the row has no `temp`
       ╭─[a.yaml:5:5]
     1 │ cases:
     2 │   - { city: Paris, temp: 12 }
       ·     ───────────┬───────────
       ·                ╰── the first row has it
     3 │   - { city: Rome, tmp: 20 }
     4 │   - { city: Rome, temp: 20, x: 1 }
     5 │   - { city: Rome }
       ·     ──────┬─────
       ·           ╰── missing here
     6 │   - Rome
       ╰────
      help: all rows have the same names; a value that is not there is written `null`

    cases::rows

      × a row must be a mapping of names to values
       ╭─[a.yaml:6:5]
     5 │   - { city: Rome }
     6 │   - Rome
       ·     ──┬─
       ·       ╰── found a text
     7 │ steps:
       ╰────
      help: - { city: Rome }

    4 problems: 1 scenario in 1 file
    ");
}

#[test]
fn rows_are_literal_and_their_names_differ() {
    insta::assert_snapshot!(findings("
        cases:
          - { name: x, user: \"alice-${{ run.id }}\" }
          - { name: x, user: bob }
          - { name: [], user: bob }
        steps: [{ log: \"${{ case.user }}\" }]
    "), @r#"
    cases::expression

      × the values of `cases` are literal
       ╭─[a.yaml:2:22]
     1 │ cases:
     2 │   - { name: x, user: "alice-${{ run.id }}" }
       ·                      ──────────┬──────────
       ·                                ╰── an expression
     3 │   - { name: x, user: bob }
       ╰────
      help: `vars:` computes with them: `user: "${{ case.user }}-${{ run.id }}"`

    cases::name

      × two rows have the name `x`
       ╭─[a.yaml:3:13]
     1 │ cases:
     2 │   - { name: x, user: "alice-${{ run.id }}" }
       ·             ┬
       ·             ╰── first here
     3 │   - { name: x, user: bob }
       ·             ┬
       ·             ╰── again here
     4 │   - { name: [], user: bob }
       ╰────

    cases::name

      × the name of a row must be a text
       ╭─[a.yaml:4:13]
     3 │   - { name: x, user: bob }
     4 │   - { name: [], user: bob }
       ·             ┬
       ·             ╰── no name
     5 │ steps: [{ log: "${{ case.user }}" }]
       ╰────
      help: `name` is what reports call the row; call the column otherwise where it is data

    3 problems: 1 scenario in 1 file
    "#);
}

#[test]
fn what_is_wrong_with_a_matrix() {
    insta::assert_snapshot!(findings("
        cases: [{ a: 1 }]
        matrix:
          a: [1, 2, 2]
          b: 3
          c: []
          exclude: [{ d: 1 }, 4]
          include: [{ a: 1 }]
        steps: [{ log: x }]
    "), @"
    cases::matrix

      × `a` has a value twice
       ╭─[a.yaml:3:13]
     2 │ matrix:
     3 │   a: [1, 2, 2]
       ·          ┬  ┬
       ·          │  ╰── again here
       ·          ╰── first here
     4 │   b: 3
       ╰────

    cases::matrix

      × `b` must be a list of values
       ╭─[a.yaml:4:6]
     3 │   a: [1, 2, 2]
     4 │   b: 3
       ·      ┬
       ·      ╰── found a number
     5 │   c: []
       ╰────
      help: a value that does not vary stands in `vars`; a list of one is `b: [...]`

    cases::matrix

      × `c` has no value
       ╭─[a.yaml:5:6]
     4 │   b: 3
     5 │   c: []
       ·      ┬
       ·      ╰── nothing to run with
     6 │   exclude: [{ d: 1 }, 4]
       ╰────

    cases::columns

      × the matrix has no `d`
       ╭─[a.yaml:6:15]
     5 │   c: []
     6 │   exclude: [{ d: 1 }, 4]
       ·               ┬
       ·               ╰── unknown name
     7 │   include: [{ a: 1 }]
       ╰────
      help: known here: a, b, c

    cases::matrix

      × what is left out must be a mapping of names to values
       ╭─[a.yaml:6:23]
     5 │   c: []
     6 │   exclude: [{ d: 1 }, 4]
       ·                       ┬
       ·                       ╰── found a number
     7 │   include: [{ a: 1 }]
       ╰────

    cases::columns

      × the row has no `b` and no `c`
       ╭─[a.yaml:7:13]
     6 │   exclude: [{ d: 1 }, 4]
     7 │   include: [{ a: 1 }]
       ·             ───┬──
       ·                ╰── missing here
     8 │ steps: [{ log: x }]
       ╰────
      help: all rows have the same names; a value that is not there is written `null`

    6 problems: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(findings("
        cases: [{ a: 1 }]
        matrix: { a: [1] }
        steps: [{ log: x }]
    "), @"
    cases::columns

      × `cases` and `matrix` both have `a`
       ╭─[a.yaml:2:1]
     1 │ cases: [{ a: 1 }]
       · ──┬──
       ·   ╰── these cases
     2 │ matrix: { a: [1] }
       · ───┬──
       ·    ╰── this matrix
     3 │ steps: [{ log: x }]
       ╰────
      help: each row runs in every combination: give one of the two another name

    1 problem: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(findings("
        matrix: { a: [1], exclude: [{ a: 2 }, { a: 1 }] }
        steps: [{ log: x }]
    "), @"
    cases::none

      × `exclude` leaves no combination of the matrix
       ╭─[a.yaml:1:1]
     1 │ matrix: { a: [1], exclude: [{ a: 2 }, { a: 1 }] }
       · ───┬──
       ·    ╰── nothing to run
     2 │ steps: [{ log: x }]
       ╰────

    cases::matrix

      × no combination is left out by this
       ╭─[a.yaml:1:29]
     1 │ matrix: { a: [1], exclude: [{ a: 2 }, { a: 1 }] }
       ·                             ───┬──
       ·                                ╰── nothing in the matrix has these values
     2 │ steps: [{ log: x }]
       ╰────

    2 problems: 1 scenario in 1 file
    ");
}

#[test]
fn too_many_combinations() {
    let many: Vec<String> = (0..400).map(|n| n.to_string()).collect();
    let many = many.join(", ");
    let text = format!("matrix: {{ a: [{many}], b: [{many}] }}\nsteps: [{{ log: x }}]\n");
    assert!(findings(&text).contains("these are 160000 cases, and 100000 are the most"));
}

#[test]
fn a_case_where_there_are_none() {
    insta::assert_snapshot!(findings("
        steps: [{ log: \"${{ case.a }}\" }]
        ---
        matrix: { a: [1] }
        steps: [{ log: \"${{ matrix.a }}\" }]
    "), @r#"
    expression::undefined

      × `case` is not defined
       ╭─[a.yaml:1:21]
     1 │ steps: [{ log: "${{ case.a }}" }]
       ·                     ──┬─
       ·                       ╰── not defined
     2 │ ---
       ╰────
      help: only a scenario with `cases` or `matrix` has `case`

    expression::undefined

      × `matrix` is not defined
       ╭─[a.yaml:4:21]
     3 │ matrix: { a: [1] }
     4 │ steps: [{ log: "${{ matrix.a }}" }]
       ·                     ───┬──
       ·                        ╰── not defined
     5 │
       ╰────
      help: a value of `matrix` is read by `case.a`, like one of `cases`

    2 problems: 2 scenarios in 1 file
    "#);
}
