//! `--watch`: what a changed file touches runs again.

use crate::common::text::unwrapped;
use crate::common::{Run, Running};
use std::fs;

const PROJECT: &str = "targets: { default: { base_url: embedded } }\nscenarios: scenarios\n";

/// Three scenarios; the second reads a file that names another, the third stands alone.
fn start() -> Running {
    let running = Run::new()
        .file("agentos-run.yaml", PROJECT)
        .file("scenarios/one.yaml", "name: One\nsteps: [{ health: {} }]\n")
        .file("scenarios/two.yaml", "name: Two\nvars: { list: \"${{ json_file('../data/list.json') }}\" }\nsteps: [{ log: \"says ${{ file('../data/' ~ list[0]) | trim }}\" }]\n")
        .file("scenarios/three.yaml", "name: Three\nsteps: [{ health: {} }]\n")
        .file("data/list.json", "[\"text.txt\"]")
        .file("data/text.txt", "first\n")
        .arg("--watch")
        .start();
    running.wait_for("watching 6 files; Ctrl-C ends");
    running
}

/// Writes a file and waits for the run that follows, the n-th of all.
fn write(running: &Running, name: &str, text: &str, n: usize) {
    fs::write(running.dir().join(name), text).unwrap();
    running.wait_for_times("; Ctrl-C ends", n);
}

#[test]
fn what_is_touched_runs_again() {
    let running = start();
    write(&running, "data/text.txt", "a second text\n", 2);
    write(&running, "scenarios/one.yaml", "name: One again\nsteps: [{ health: {} }]\n", 3);
    write(&running, "scenarios/four.yaml", "name: Four\nsteps: [{ health: {} }]\n", 4);
    running.interrupt();
    let output = running.finish().code_is(130);
    let runs: Vec<Vec<&str>> = output
        .stdout
        .split("agentos-run 0")
        .skip(1)
        .map(|run| run.lines().filter_map(|line| line.strip_prefix("PASS ")?.split("  ").next()).collect())
        .collect();
    assert_eq!(runs, [vec!["One", "Three", "Two"], vec!["Two"], vec!["One again"], vec!["Four"]], "{output}");
    assert!(
        output.stdout.contains("log: says first") && output.stdout.contains("log: says a second text"),
        "{output}"
    );
    for changed in ["data/text.txt", "scenarios/one.yaml", "scenarios/four.yaml"] {
        assert!(output.stderr.contains(&format!("changed: {changed}\n")), "{output}");
    }
    assert!(output.stderr.contains("watching 7 files"), "{output}");
}

#[test]
fn the_project_file_touches_everything() {
    let running = start();
    write(&running, "agentos-run.yaml", &format!("{PROJECT}secrets: [NOTHING]\n"), 2);
    running.interrupt();
    let output = running.finish().code_is(130);
    assert_eq!(output.stdout.matches("3 scenarios: 3 passed").count(), 2, "{output}");
}

#[test]
fn a_file_of_variables_touches_everything() {
    let scenario =
        |name: &str| format!("name: {name}\nvars: {{ v: x }}\nsteps: [{{ log: \"v is ${{{{ v }}}}\" }}]\n");
    let running = Run::new()
        .file("agentos-run.yaml", PROJECT)
        .file("scenarios/a.yaml", scenario("A"))
        .file("scenarios/b.yaml", scenario("B"))
        .file("vars.yaml", "v: one\n")
        .args(["--watch", "--vars-file", "vars.yaml"])
        .start();
    running.wait_for("watching 4 files; Ctrl-C ends");
    write(&running, "vars.yaml", "v: another\n", 2);
    running.interrupt();
    let output = running.finish().code_is(130);
    assert_eq!(output.stdout.matches("log: v is one\n").count(), 2, "{output}");
    assert_eq!(output.stdout.matches("log: v is another\n").count(), 2, "{output}");
}

#[test]
fn a_broken_file_is_told_and_waited_for() {
    let running = start();
    write(&running, "scenarios/one.yaml", "name: One\nstep: [{ health: {} }]\n", 2);
    write(&running, "scenarios/three.yaml", "name: Three again\nsteps: [{ health: {} }]\n", 3);
    write(&running, "scenarios/one.yaml", "name: One again\nsteps: [{ health: {} }]\n", 4);
    write(&running, "agentos-run.yaml", "targets: 3\n", 5);
    write(&running, "agentos-run.yaml", PROJECT, 6);
    running.interrupt();
    let output = running.finish().code_is(130);
    let errors = unwrapped(&output.stderr);
    assert!(errors.contains("did you mean `steps`?") && errors.contains("nothing was sent"), "{output}");
    assert!(errors.contains("`targets` must be a mapping"), "{output}");
    // Both that were changed run when it can be.
    let runs: Vec<&str> = output.stdout.split("agentos-run 0").skip(2).collect();
    assert!(runs[0].contains("PASS One again") && runs[0].contains("PASS Three again"), "{output}");
    assert!(runs[0].contains("2 scenarios: 2 passed"), "{output}");
    assert!(runs[1].contains("3 scenarios: 3 passed"), "{output}");
}

#[test]
fn a_file_that_comes_later() {
    let running = Run::new()
        .file(
            "a.yaml",
            "vars: { list: \"${{ json_file('list.json') }}\" }\nsteps: [{ log: \"says ${{ list }}\" }]\n",
        )
        .args(["--embedded", "--watch", "a.yaml"])
        .start();
    running.wait_for("watching 2 files");
    write(&running, "list.json", "[1]", 2);
    fs::remove_file(running.dir().join("list.json")).unwrap();
    running.wait_for_times("; Ctrl-C ends", 3);
    running.interrupt();
    let output = running.finish().code_is(130);
    assert_eq!(output.stdout.matches("1 failed").count(), 2, "{output}");
    assert!(output.stdout.contains("log: says [1]"), "{output}");
}

#[test]
fn an_interruption_in_a_run_ends_the_watch_too() {
    let running = Run::new()
        .file("a.yaml", "steps: [{ log: asleep }, { sleep: 60s }]\nfinally: [{ log: tidy }]\n")
        .args(["--embedded", "--watch", "a.yaml"])
        .start();
    running.wait_for("log: asleep");
    running.interrupt();
    let output = running.finish().code_is(130);
    assert!(output.stdout.contains("log: tidy"), "{output}");
}

#[test]
fn standard_input_is_no_file() {
    let output = Run::new().args(["--embedded", "--watch", "-"]).run().code_is(2);
    assert!(unwrapped(&output.stderr).contains("standard input cannot be watched"), "{output}");
}
