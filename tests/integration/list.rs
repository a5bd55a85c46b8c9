//! `agentos-run list` and the choice of scenarios: by tags, by name, by place.

use crate::common::{Output, Run};
use serde_json::Value;

fn list(arguments: &[&str]) -> Output {
    Run::new()
        .file("s/one.yaml", "name: Memory of a session\ntags: [smoke, sessions]\nsteps: [{ get_config: {} }]\n")
        .file("s/two.yaml", "# The name is the file's.\ntags: slow\nsteps: [{ get_config: {} }]\n")
        .file("s/deep/three.yml", "name: A\nsteps: [{ get_config: {} }]\n---\nname: A\ndescription: Again\ntags: [smoke, slow]\nsteps: [{ get_config: {} }]\n")
        .file("s/_shared/login.yaml", "params: {}\n")
        .args(["list", "s"])
        .args(arguments)
        .run()
}

#[test]
fn everything_in_the_order_in_which_it_would_run() {
    insta::assert_snapshot!(list(&[]).code_is(0).stdout, @"
    s/deep/three.yml:1  A #1
    s/deep/three.yml:4  A #2  [smoke, slow]
    s/one.yaml:1  Memory of a session  [smoke, sessions]
    s/two.yaml:2  two  [slow]
    ");
}

#[test]
fn as_json() {
    let output = list(&["--format", "json"]).code_is(0);
    let all: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
    insta::assert_snapshot!(all[1], @r#"
    {"name":"A #2","file":"s/deep/three.yml","line":4,"tags":["smoke","slow"],"description":"Again"}
    "#);
    assert_eq!(all.len(), 4);
}

fn names(arguments: &[&str]) -> Vec<String> {
    let output = list(arguments).code_is(0);
    output.stdout.lines().map(|line| line.split("  ").nth(1).unwrap().to_owned()).collect()
}

#[test]
fn by_tags() {
    assert_eq!(names(&["--tag", "smoke"]), ["A #2", "Memory of a session"]);
    assert_eq!(names(&["-t", "smoke and not slow"]), ["Memory of a session"]);
    assert_eq!(names(&["-t", "not (smoke or slow)"]), ["A #1"]);
    assert_eq!(names(&["-t", "slow", "-f", "two"]), ["two"]);
}

#[test]
fn by_name_or_place() {
    assert_eq!(names(&["--filter", "^Mem.*session$"]), ["Memory of a session"]);
    assert_eq!(names(&["-f", r"three\.yml:4"]), ["A #2"]);
}

#[test]
fn nothing_that_matches() {
    let output = list(&["-t", "nonsense"]).code_is(4);
    assert_eq!(output.stdout, "");
    let run = Run::new().file("a.yaml", "tags: [a]\nsteps: [{ get_config: {} }]\n").args([
        "--embedded",
        "-t",
        "b",
        "a.yaml",
    ]);
    insta::assert_snapshot!(run.run().code_is(4).stderr, @"no scenario matched: 1 scenario in the files given");
}

#[test]
fn selections_that_make_no_sense() {
    let complaint = |arguments: &[&str]| list(arguments).code_is(2).stderr;
    insta::assert_snapshot!(complaint(&["-t", "smoke and"]), @"
    cli::tag

      × --tag smoke and: it ends too early
      help: tags are joined by `and`, `or`, `not` and parentheses: 'smoke and not slow'
    ");
    insta::assert_snapshot!(complaint(&["-t", "smoke slow"]), @"
    cli::tag

      × --tag smoke slow: `and` or `or` is missing before `slow`
      help: tags are joined by `and`, `or`, `not` and parentheses: 'smoke and not slow'
    ");
    insta::assert_snapshot!(complaint(&["-t", "(smoke"]), @"
    cli::tag

      × --tag (smoke: a `(` is not closed
      help: tags are joined by `and`, `or`, `not` and parentheses: 'smoke and not slow'
    ");
    insta::assert_snapshot!(complaint(&["-f", "a("]), @"
    cli::filter

      × --filter a( is not a regular expression: unclosed group
    ");
}
