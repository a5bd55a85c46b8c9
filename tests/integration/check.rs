//! `agentos-run check`: every class of fault is found before anything is sent, with its place and what to do.

mod habits;
mod live;
mod many;
mod names;
mod scenario;
mod steps;
mod syntax;
mod values;

use crate::common::{Run, text::dedent};

/// What `check` says about a file with this text, which must not be to its liking.
fn findings(text: &str) -> String {
    let output = Run::new().file("a.yaml", dedent(text)).args(["check", "a.yaml"]).run().code_is(2);
    assert_eq!(output.stdout, "", "findings go to standard error");
    output.scrub(&output.stderr)
}

/// What is found in these steps of a scenario that is sound otherwise.
fn in_steps(steps: &str) -> String {
    let steps: String = dedent(steps).lines().map(|line| format!("  {line}\n")).collect();
    findings(&format!("steps:\n{steps}"))
}

/// The help of each finding.
fn helps(findings: &str) -> Vec<String> {
    let mut helps: Vec<String> = Vec::new();
    for line in findings.lines() {
        if let Some(help) = line.strip_prefix("  help: ") {
            helps.push(help.to_owned());
        } else if let (Some(more), Some(help)) = (line.strip_prefix("        "), helps.last_mut())
            && !more.starts_with([' ', '·'])
        {
            help.push(' ');
            help.push_str(more);
        }
    }
    helps
}

/// The messages alone, one line each: for what differs from a snapshot elsewhere in the message only.
fn messages(findings: &str) -> Vec<&str> {
    findings.lines().filter_map(|line| line.trim_start().strip_prefix("× ")).collect()
}
