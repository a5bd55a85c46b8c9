//! What snapshot files are called, and snapshots that would be one file.

use super::Sut;
use crate::common::{Answer, Run, text::dedent};
use serde_json::json;

#[test]
fn cases_and_loops_have_files_of_their_own() {
    let sut = Sut::of(
        "
        cases:
          - { city: Paris }
          - { city: Rome }
        steps:
          - for_each: [one, \"two words\"]
            http: { path: /x }
            snapshot: item
          - repeat: 2
            group:
              - for_each: [\"${{ run.id }}\", b]
                concurrency: 2
                http: { path: /x }
                snapshot: nested
    ",
    );
    sut.answered(vec![Answer::json(200, &json!({}))], &["--update"]).code_is(0);
    insta::assert_snapshot!(sut.files().join("\n"), @r"
    snapshots/s__item@city=Paris.one.snap
    snapshots/s__item@city=Paris.two_words.snap
    snapshots/s__item@city=Rome.one.snap
    snapshots/s__item@city=Rome.two_words.snap
    snapshots/s__nested@city=Paris.1.1.snap
    snapshots/s__nested@city=Paris.1.2.snap
    snapshots/s__nested@city=Paris.2.1.snap
    snapshots/s__nested@city=Paris.2.2.snap
    snapshots/s__nested@city=Rome.1.1.snap
    snapshots/s__nested@city=Rome.1.2.snap
    snapshots/s__nested@city=Rome.2.1.snap
    snapshots/s__nested@city=Rome.2.2.snap
    ");
    sut.answered(vec![Answer::json(200, &json!({}))], &["--ci"]).code_is(0);
}

#[test]
fn a_project_has_one_folder_for_all() {
    let sut = Sut::new("snapshot: answer");
    sut.write("agentos-run.yaml", "snapshots: kept\nscenarios: all\n");
    sut.write("all/deep/one.yaml", "steps:\n  - http: { path: /x }\n    snapshot: answer\n");
    sut.answered(vec![Answer::json(200, &json!({}))], &["--update", "all"]).code_is(0);
    assert_eq!(
        sut.files(),
        ["agentos-run.yaml", "all/deep/one.yaml", "kept/deep/one__answer.snap", "kept/s__answer.snap"]
    );
    assert!(sut.read("kept/deep/one__answer.snap").contains("\nsource: all/deep/one.yaml\n"));
}

#[test]
fn two_snapshots_that_would_be_one_file_are_found() {
    let text = dedent(
        "
        steps:
          - get_config: {}
            snapshot: The Answer
        ---
        name: second
        steps:
          - get_config: {}
            snapshot: [{ name: the_answer }]
    ",
    );
    let output = Run::new().file("a.yaml", text).args(["check", "a.yaml"]).run().code_is(2);
    insta::assert_snapshot!(output.stderr, @r"
    snapshot::duplicate

      × two snapshots would be the file of `the_answer`
       ╭─[a.yaml:3:15]
     2 │   - get_config: {}
     3 │     snapshot: The Answer
       ·               ─────┬────
       ·                    ╰── first
     4 │ ---
       ╰────
       ╭─[a.yaml:8:24]
     7 │   - get_config: {}
     8 │     snapshot: [{ name: the_answer }]
       ·                        ─────┬────
       ·                             ╰── second
     9 │
       ╰────
      help: give one of them another name

    1 problem: 2 scenarios in 1 file
    ");
}

#[test]
fn a_name_must_name_a_file() {
    for (modifier, message) in [
        ("snapshot: {}", "the snapshot has no `name`"),
        ("snapshot: [a, a]", "two snapshots would be the file of `a`"),
        ("snapshot: \"..\"", "`..` cannot be the name of a file"),
        ("snapshot: \"x-${{ run.id }}\"", "the name of a snapshot holds no expressions"),
        ("snapshot: { name: a, off: content }", "did you mean `of`?"),
        ("snapshot: { name: a, of: contents }", "did you mean `content`?"),
        ("snapshot: { name: a, of: $.a b }", "no JSONPath"),
        ("snapshot: { name: a, redact: [/(/] }", "this is no regular expression"),
        ("snapshot: { name: a, redact: [/a*/] }", "matches nothing at all, everywhere"),
        ("snapshot: { name: a, redact: { x: 1 } }", "what takes its place must be a text"),
        ("snapshot: { name: a, keep: [a b] }", "`a b` is no key"),
        ("snapshot: { name: a, sort: data }", "`data` is no JSONPath"),
    ] {
        let text = format!("steps:\n  - get_config: {{}}\n    {modifier}\n");
        let output = Run::new().file("a.yaml", text).args(["check", "a.yaml"]).run().code_is(2);
        let all = output.stderr.replace("\n          ", " ");
        assert!(all.contains(message), "{modifier}: {output}");
    }
    let output =
        Run::new().file("a.yaml", "steps:\n  - log: x\n    snapshot: a\n").args(["check", "a.yaml"]).run();
    assert!(output.code_is(2).stderr.contains("`snapshot` needs a step that sends a request"));
}

#[test]
fn each_use_of_a_fragment_has_its_own_in_rows_loops_and_retries() {
    let sut = Sut::of(
        "
        matrix: { lang: [en, de] }
        retries: 1
        steps:
          - id: first
            use: _ask.yaml
          - repeat: 2
            group:
              - id: again
                use: _ask.yaml
    ",
    );
    sut.write(
        "_ask.yaml",
        &dedent(
            "
            steps:
              - for_each: [one, two]
                http: { path: /x }
                retry: 3
                snapshot: turn
        ",
        ),
    );
    sut.run(&json!({}), &["--update"]).code_is(0);
    insta::assert_snapshot!(sut.files().join("\n"), @"
    _ask.yaml
    snapshots/s__turn@lang=de.1.again.one.snap
    snapshots/s__turn@lang=de.1.again.two.snap
    snapshots/s__turn@lang=de.2.again.one.snap
    snapshots/s__turn@lang=de.2.again.two.snap
    snapshots/s__turn@lang=de.first.one.snap
    snapshots/s__turn@lang=de.first.two.snap
    snapshots/s__turn@lang=en.1.again.one.snap
    snapshots/s__turn@lang=en.1.again.two.snap
    snapshots/s__turn@lang=en.2.again.one.snap
    snapshots/s__turn@lang=en.2.again.two.snap
    snapshots/s__turn@lang=en.first.one.snap
    snapshots/s__turn@lang=en.first.two.snap
    ");
    // Requests that are sent again and a scenario that is run again are held against the same.
    let server = |broken: usize| {
        let mut answers = vec![Answer::json(200, &json!({ "changed": true })); broken];
        answers.insert(0, Answer::json(503, &json!({})));
        answers.push(Answer::json(200, &json!({})));
        answers
    };
    sut.answered(server(0), &["--ci"]).code_is(0);
    let output = sut.answered(server(1), &["--ci"]).code_is(0);
    assert!(output.stdout.contains("FLAKY"), "{output}");
    assert_eq!(sut.files().len(), 13);
}

#[test]
fn a_file_that_two_turns_would_share_is_found_while_they_run() {
    // Before it runs, nobody knows which items a loop has.
    let sut = Sut::of(
        "
        steps:
          - for_each: [a.b, a]
            as: outer
            group:
              - for_each: [c, b.c]
                http: { path: /x }
                snapshot: pair
    ",
    );
    let output = sut.run(&json!({}), &["--update"]).code_is(1);
    let said = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("the snapshots of a.b / c and a / b.c would be one file"), "{output}");
    assert_eq!(sut.files().len(), 3);
}
