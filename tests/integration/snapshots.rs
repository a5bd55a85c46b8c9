//! Snapshots: what is compared, what is written, and what is never overwritten.

use crate::common::{Answer, FakeServer, Output, Run, text::dedent};
use serde_json::{Value, json};
use std::{fs, path::Path};

mod agentos;
mod crash;
mod differences;
mod files;
mod names;
mod near;
mod redaction;
mod review;
#[cfg(target_os = "linux")]
mod terminal;
mod unreferenced;

/// A server that answers requests in turn, and a scenario of one request that takes a snapshot of it.
pub(crate) struct Sut {
    folder: Output,
    scenario: String,
}

impl Sut {
    /// With one `http` step that has these modifiers.
    pub(crate) fn new(modifiers: &str) -> Self {
        let scenario = format!("name: S\nsteps:\n  - http: {{ path: /x }}\n    {}\n", modifiers.trim());
        Self::of(&scenario)
    }

    pub(crate) fn of(scenario: &str) -> Self {
        let folder = Run::new().arg("--version").run();
        Self { folder, scenario: dedent(scenario) }
    }

    /// Runs it against a server that answers this.
    pub(crate) fn run(&self, body: &Value, arguments: &[&str]) -> Output {
        self.answered(vec![Answer::json(200, body)], arguments)
    }

    pub(crate) fn answered(&self, answers: Vec<Answer>, arguments: &[&str]) -> Output {
        let server = FakeServer::sequence(answers);
        // Written only where it is not there yet: processes at the same time read one file.
        let there = fs::read_to_string(self.dir().join("s.yaml")).is_ok_and(|text| text == self.scenario);
        let run = self.folder.then();
        let run = if there { run } else { run.file("s.yaml", &self.scenario) };
        let run = run.arg("s.yaml").args(arguments);
        run.args(["--base-url", &server.base_url()]).run()
    }

    /// Another command in the same folder.
    pub(crate) fn then(&self, arguments: &[&str]) -> Output {
        self.folder.then().args(arguments).run()
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.dir()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        self.folder.read(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// All files but the scenario.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.dir().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    found.push(path.strip_prefix(self.dir()).unwrap().display().to_string());
                }
            }
        }
        // What the scheduler remembers is no concern of snapshots.
        found.retain(|name| name != "s.yaml" && !name.starts_with(".agentos-run/"));
        found.sort();
        found
    }

    /// The contents of a snapshot, without its head.
    pub(crate) fn contents(&self, name: &str) -> String {
        self.read(name).splitn(3, "---\n").nth(2).expect("a head").to_owned()
    }
}

#[test]
fn what_is_new_fails_waits_and_passes_once_it_is_accepted() {
    let sut = Sut::new("snapshot: answer");
    let body = json!({ "b": 1, "a": "x" });
    let output = sut.run(&body, &[]).code_is(1);
    assert!(output.stdout.contains("there is no snapshot snapshots/s__answer.snap yet"), "{output}");
    assert!(output.stderr.contains("1 snapshot to look at: agentos-run review"), "{output}");
    assert_eq!(sut.files(), ["snapshots/s__answer.snap.new"]);
    insta::assert_snapshot!(sut.read("snapshots/s__answer.snap.new"), @r#"
    ---
    source: s.yaml
    assertion_line: 4
    expression: $
    info:
      scenario: S
      operation: http
    ---
    {
      "a": "x",
      "b": 1
    }
    "#);
    sut.then(&["accept"]).code_is(0);
    assert_eq!(sut.files(), ["snapshots/s__answer.snap"]);
    assert!(!sut.read("snapshots/s__answer.snap").contains("assertion_line"));
    sut.run(&body, &[]).code_is(0);
    sut.run(&body, &["--ci"]).code_is(0);
    assert_eq!(sut.files(), ["snapshots/s__answer.snap"]);
}

#[test]
fn what_differs_fails_with_the_difference_and_what_passes_again_waits_no_more() {
    let sut = Sut::new("snapshot: answer");
    sut.run(&json!({ "a": [1, 2], "b": "x" }), &["--update"]).code_is(0);
    let before = sut.read("snapshots/s__answer.snap");
    let output = sut.run(&json!({ "a": [1, 3], "b": "x" }), &[]).code_is(1);
    insta::assert_snapshot!(output.scrubbed().split("request:").next().unwrap().trim(), @r#"
    agentos-run [version] against [url]
    FAIL S  s.yaml:1  (1 step, [time])

    FAIL S
      step `http` at s.yaml:3:5 (soft: the scenario went on)
      snapshot::differs

        × the answer differs from snapshots/s__answer.snap
         ╭─[s.yaml:4:15]
       3 │   - http: { path: /x }
       4 │     snapshot: answer
         ·               ───┬──
         ·                  ╰── this snapshot
       5 │
         ╰────
        help: `agentos-run review` shows it and takes it; `agentos-run accept` takes all that wait;
              `--update` takes what comes
        difference (- expected, + actual):
           changed: $.a[1]
           {
             "a": [
               1,
          -    2
          +    3
             ],
             "b": "x"
           }
    "#);
    assert_eq!(sut.read("snapshots/s__answer.snap"), before);
    assert_eq!(sut.files().len(), 2);
    sut.run(&json!({ "b": "x", "a": [1, 2.0] }), &[]).code_is(0);
    assert_eq!(sut.files(), ["snapshots/s__answer.snap"]);
}

#[test]
fn in_ci_nothing_is_written() {
    let sut = Sut::new("snapshot: answer");
    let output = sut.run(&json!({}), &["--ci"]).code_is(1);
    assert!(output.stdout.contains("there is no snapshot snapshots/s__answer.snap yet"), "{output}");
    assert!(output.stdout.contains("in CI nothing is written"), "{output}");
    assert_eq!(sut.files(), Vec::<String>::new());
    let server = FakeServer::always(Answer::json(200, &json!({})));
    let arguments = ["s.yaml".to_owned(), "--base-url".to_owned(), server.base_url()];
    for (ci, files) in [("true", 0), ("1", 0), ("false", 1)] {
        sut.folder.then().args(&arguments).env("CI", ci).run().code_is(1);
        assert_eq!(sut.files().len(), files, "{ci}");
    }
    // Who asks for it gets it, there too.
    sut.folder.then().args(&arguments).args(["--update"]).env("CI", "true").run().code_is(0);
    assert_eq!(sut.files(), ["snapshots/s__answer.snap"]);
    let both = sut.folder.then().args(&arguments).args(["--update", "--ci"]).run().code_is(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
}

#[test]
fn a_step_that_fails_for_its_snapshot_alone_does_not_stop_the_scenario() {
    let sut = Sut::of(
        "
        steps:
          - http: { path: /1 }
            snapshot: one
          - http: { path: /2 }
            expect: { $.a: 2 }
            snapshot: two
          - http: { path: /3 }
            snapshot: three
    ",
    );
    let output = sut.answered(vec![Answer::json(200, &json!({ "a": 1 }))], &[]).code_is(1);
    // The second is wrong, so that nothing of it is recorded and nothing comes after it.
    assert_eq!(sut.files(), ["snapshots/s__one.snap.new"]);
    assert!(output.stdout.contains("nothing was recorded"), "{output}");
    sut.answered(vec![Answer::json(200, &json!({ "a": 1 }))], &["--update"]).code_is(1);
    assert_eq!(sut.files(), ["snapshots/s__one.snap"]);
    sut.answered(vec![Answer::json(200, &json!({ "a": 2 }))], &["--update"]).code_is(0);
    assert_eq!(sut.files().len(), 3);
}

#[test]
fn texts_are_stored_as_they_are() {
    let sut = Sut::new("snapshot: page");
    let page = "one\r\ntwo  \n\n---\nthree\n\n";
    sut.answered(vec![Answer::html(200, page)], &["--update"]).code_is(0);
    assert_eq!(sut.contents("snapshots/s__page.snap"), "one\ntwo  \n\n---\nthree\n");
    sut.answered(vec![Answer::html(200, page)], &[]).code_is(0);
    let output = sut.answered(vec![Answer::html(200, "one\nzwei  \n\n---\nthree")], &[]).code_is(1);
    assert!(output.stdout.contains("-two") && output.stdout.contains("+zwei"), "{output}");
}
