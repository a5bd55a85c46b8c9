//! Scenarios that run for each of many rows: what runs, what it is called, and what is wrong with rows.

use crate::common::{Answer, FakeServer, Output, Request, Run, text::dedent};
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
    let called = names(
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
        called,
        [
            "N [text=two lines, list=[1,{\"a\":\"b\"}]]",
            "N [text=Same, list=[]]",
            "N [text=Same, list=[] #2]",
            "N [text=a text that is much longer than forty ch…, list=null]",
        ]
    );
    // A number may be taken by a value that ends in it.
    let taken =
        "name: N\ncases: [{ a: x }, { a: 'x #2' }, { a: x }, { a: x }, { a: 'x #2' }]\nsteps: [{ log: x }]\n";
    let mut taken = names(taken, &[]);
    taken.sort();
    taken.dedup();
    assert_eq!(taken.len(), 5, "{taken:?}");
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

/// What `check` says of rows in a file that is called so.
fn file_findings(name: &str, rows: &str) -> String {
    let scenario = format!("cases: data/{name}\nsteps: [{{ log: \"${{{{ case.ciy }}}}\" }}]\n");
    let run = Run::new().file("s/a.yaml", scenario).file(&format!("s/data/{name}"), rows);
    let output = run.args(["check", "s/a.yaml"]).run().code_is(2);
    output.scrub(&output.stderr)
}

/// What each case of a file holds.
fn rows_of(name: &str, rows: &str) -> Vec<Value> {
    let scenario =
        format!("cases: data/{name}\nsteps: [{{ http: {{ path: /x, json: \"${{{{ case }}}}\" }} }}]\n");
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let run = Run::new().file("s/a.yaml", scenario).file(&format!("s/data/{name}"), rows);
    run.args(["--base-url", &server.base_url(), "s/a.yaml"]).run().code_is(0);
    let requests = server.requests();
    requests[1..].iter().map(Request::json).collect()
}

#[test]
fn rows_from_files_keep_their_types() {
    let csv = "\u{feff}city,degrees,sunny,code\r\nParis,12.5,true,\"007\"\r\n\r\n\"Sant\"\"Anna, Rome\",-3,null,\r\n";
    let rows = [
        json!({ "city": "Paris", "degrees": 12.5, "sunny": true, "code": "007" }),
        json!({ "city": "Sant\"Anna, Rome", "degrees": -3, "sunny": null, "code": "" }),
    ];
    assert_eq!(rows_of("c.csv", csv), rows);
    assert_eq!(rows_of("c.json", &json!(rows).to_string()), rows);
    assert_eq!(rows_of("c.json", &serde_json::to_string_pretty(&rows).unwrap()), rows);
    assert_eq!(rows_of("c.jsonl", &format!("{}\n\n{}", rows[0], rows[1])), rows);
    assert_eq!(rows_of("_c.yaml", &format!("# rows\n- {}\n- {}\n", rows[0], rows[1])), rows);
    // A file is data: nothing in it is computed.
    assert_eq!(rows_of("c.csv", "a\n${{ env.HOME }}\n"), [json!({ "a": "${{ env.HOME }}" })]);
    assert_eq!(rows_of("_c.yaml", "- a: ${{ env.HOME }}\n"), [json!({ "a": "${{ env.HOME }}" })]);
    // What has no room as a number, or would be another one, stays a text.
    assert_eq!(
        rows_of("c.csv", "a,b\n123456789012345678901234,0123\n"),
        [json!({ "a": "123456789012345678901234", "b": "0123" })]
    );
}

#[test]
fn findings_point_into_the_file_of_rows() {
    insta::assert_snapshot!(file_findings("c.csv", "city,degrees\nParis\nRome,3,4\nBonn,\"1\"2\n"), @r#"
    cases::columns

      × the row has 1 field and the header 2
       ╭─[s/data/c.csv:2:1]
     1 │ city,degrees
       · ──────┬─────
       ·       ╰── the header
     2 │ Paris
       · ──┬──
       ·   ╰── this row
     3 │ Rome,3,4
       ╰────
      help: a field that holds a comma stands in quotes; a value that is not there is left empty

    cases::columns

      × the row has 3 fields and the header 2
       ╭─[s/data/c.csv:3:1]
     1 │ city,degrees
       · ──────┬─────
       ·       ╰── the header
     2 │ Paris
     3 │ Rome,3,4
       · ────┬───
       ·     ╰── this row
     4 │ Bonn,"1"2
       ╰────
      help: a field that holds a comma stands in quotes; a value that is not there is left empty

    cases::csv

      × this is not CSV: something follows the quote that closes a field
       ╭─[s/data/c.csv:4:9]
     3 │ Rome,3,4
     4 │ Bonn,"1"2
       ·         ┬
       ·         ╰── here
     5 │
       ╰────
      help: a quote inside of a field is written twice: "say ""hello"""

    3 problems: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(file_findings("c.csv", "city,,a b,city\nParis,1,2,3\n"), @"
    cases::columns

      × a column has no name
       ╭─[s/data/c.csv:1:6]
     1 │ city,,a b,city
       ·      ▲
       ·      ╰── the first line names the columns
     2 │ Paris,1,2,3
       ╰────

    cases::columns

      × two columns have the name `city`
       ╭─[s/data/c.csv:1:11]
     1 │ city,,a b,city
       · ──┬─      ──┬─
       ·   │         ╰── again here
       ·   ╰── first here
     2 │ Paris,1,2,3
       ╰────

    2 problems: 1 scenario in 1 file
    ");
    insta::assert_snapshot!(file_findings("c.csv", "city\n"), @r#"
    cases::none

      × s/data/c.csv holds no row
       ╭─[s/a.yaml:1:8]
     1 │ cases: data/c.csv
       ·        ─────┬────
       ·             ╰── nothing to run
     2 │ steps: [{ log: "${{ case.ciy }}" }]
       ╰────

    1 problem: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(file_findings("c.csv", "city,x\n\"Paris,1\n"), @r#"
    cases::csv

      × this is not CSV: a quote is never closed
       ╭─[s/data/c.csv:2:1]
     1 │ city,x
     2 │ "Paris,1
       · ┬
       · ╰── here
     3 │
       ╰────
      help: each field that begins with a quote ends with one; a quote inside of it is written twice

    1 problem: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(file_findings("c.json", "[{\"city\": \"Paris\"},\n {\"town\": \"Rome\"}, 4]"), @r#"
    cases::columns

      × the row has no `city`
       ╭─[s/data/c.json:2:2]
     1 │ [{"city": "Paris"},
       ·  ────────┬────────
       ·          ╰── the first row has it
     2 │  {"town": "Rome"}, 4]
       ·  ────────┬───────
       ·          ╰── missing here
       ╰────
      help: all rows have the same names; a value that is not there is written `null`

    cases::columns

      × the rows of `cases` have no `town`
       ╭─[s/data/c.json:2:3]
     1 │ [{"city": "Paris"},
       ·  ────────┬────────
       ·          ╰── the first row says what all have
     2 │  {"town": "Rome"}, 4]
       ·   ───┬──
       ·      ╰── unknown name
       ╰────
      help: known here: city

    cases::rows

      × a row must be an object
       ╭─[s/data/c.json:2:20]
     1 │ [{"city": "Paris"},
     2 │  {"town": "Rome"}, 4]
       ·                    ┬
       ·                    ╰── no names in it
       ╰────
      help: { "city": "Paris" }

    3 problems: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(file_findings("c.json", "{\"city\": \"Paris\"}"), @r#"
    cases::rows

      × s/data/c.json must hold a list of objects
       ╭─[s/data/c.json:1:1]
     1 │ {"city": "Paris"}
       · ────────┬────────
       ·         ╰── no list
       ╰────
      help: [{ "city": "Paris" }, { "city": "Rome" }]

    1 problem: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(file_findings("c.json", "[{\"city\": \"Paris\"},\n {\"city\": Rome}]"), @r#"
    cases::json

      × this is not JSON: expected value
       ╭─[s/data/c.json:2:11]
     1 │ [{"city": "Paris"},
     2 │  {"city": Rome}]
       ·           ┬
       ·           ╰── here
       ╰────

    1 problem: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(file_findings("c.jsonl", "{\"city\": \"Paris\"}\n\n{\"city\": \"Rome\",}\n"), @r#"
    cases::json

      × this is not JSON: trailing comma
       ╭─[s/data/c.jsonl:3:17]
     2 │
     3 │ {"city": "Rome",}
       ·                 ┬
       ·                 ╰── here
     4 │
       ╰────

    1 problem: 1 scenario in 1 file
    "#);
    insta::assert_snapshot!(file_findings("_c.yaml", "city: Paris\n"), @"
    cases::rows

      × `cases` must be a list of rows, or a file that holds some
       ╭─[s/data/_c.yaml:1:1]
     1 │ city: Paris
       · ─────┬─────
       ·      ╰── found a mapping
     2 │
       ╰────
      help: cases: [{ city: Paris }, { city: Rome }]

    1 problem: 1 scenario in 1 file
    ");
    let found = file_findings("_c.yaml", "file: rows.csv\n");
    assert!(found.contains("help: cases: rows.csv\n"), "{found}");
    insta::assert_snapshot!(file_findings("c.jsonl", "{\"city\": \"Paris\"}\n"), @r#"
    expression::undefined

      × the cases have no `ciy`
       ╭─[s/a.yaml:2:21]
     1 │ cases: data/c.jsonl
     2 │ steps: [{ log: "${{ case.ciy }}" }]
       ·                     ────┬───
       ·                         ╰── not defined
     3 │
       ╰────
      help: did you mean `city`?

    1 problem: 1 scenario in 1 file
    "#);
}

#[test]
fn a_file_of_rows_that_is_not_there() {
    let run = Run::new().file("s/data/cities.csv", "city\nParis\n");
    let text = "cases: data/citys.csv\nsteps: [{ log: x }]\n---\ncases: data\nsteps: [{ log: x }]\n";
    let output = run.file("s/a.yaml", text).args(["check", "s/a.yaml"]).run().code_is(2);
    insta::assert_snapshot!(output.scrub(&output.stderr), @"
    file::unreadable

      × there is no file s/data/citys.csv
       ╭─[s/a.yaml:1:8]
     1 │ cases: data/citys.csv
       ·        ───────┬──────
       ·               ╰── not found
     2 │ steps: [{ log: x }]
       ╰────
      help: did you mean `data/cities.csv`?

    cases::file

      × `data` is no file of rows
       ╭─[s/a.yaml:4:8]
     3 │ ---
     4 │ cases: data
       ·        ──┬─
       ·          ╰── expected rows, or a file that holds some
     5 │ steps: [{ log: x }]
       ╰────
      help: rows are in files that end in .csv, .json, .jsonl or .yaml

    2 problems: 2 scenarios in 1 file
    ");
}
