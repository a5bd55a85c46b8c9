//! What reports cost: 2,000 scenarios of five requests with all of them, beside the same run without any, and what a
//! finished scenario leaves in memory where each is to be in every report.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

#[allow(dead_code, reason = "what benchmarks share, of which this one needs a part")]
mod common;
#[path = "common/plan.rs"]
mod plan;
#[path = "common/server.rs"]
mod server;

use std::process::Command;

const FORMATS: [&str; 8] = ["terminal", "junit", "json", "jsonl", "tap", "html", "github", "markdown"];
const FEW: u32 = 2_000;
const MANY: u32 = 10_000;

fn main() {
    if !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    plan::write(folder, "few", FEW);
    plan::write(folder, "many", MANY);
    let server = server::Server::start(folder);
    let run = |scenarios: &str, formats: &[&str]| {
        let mut run = common::program(folder, &["--base-url", &server.url, "-q", "-j", "32", scenarios]);
        run.args(formats.iter().flat_map(|format| ["--report".to_owned(), format!("{format}=out/{format}")]));
        run
    };
    let costs = common::cpu(
        10,
        1,
        [
            run("few", &[]),
            run("few", &FORMATS),
            run("few", &["junit"]),
            run("few", &["json"]),
            run("few", &["jsonl"]),
            run("few", &["html"]),
        ],
    );
    let [none, all, junit, json, jsonl, html] = costs;
    common::head();
    common::row("2,000 scenarios, all reports; floor: none", all, none);
    for (name, one) in [("junit", junit), ("json", json), ("jsonl", jsonl), ("html", html)] {
        common::row(&format!("  {name} alone"), one, none);
    }

    // What a run adds to its checked files; the difference between many and few is what each scenario leaves.
    let peak = |mut command: Command| i64::try_from(common::peak_memory(&mut command)).unwrap();
    let added = |scenarios: &str| {
        peak(run(scenarios, &FORMATS)) - peak(common::program(folder, &["check", scenarios]))
    };
    let (few, many) = (added("few"), added("many"));
    common::value("memory that 2,000 scenarios add, all reports", format!("{few} KiB"));
    common::value("memory that 10,000 scenarios add, all reports", format!("{many} KiB"));
    let left = (many - few) * 1024 / i64::from(MANY - FEW);
    println!(
        "{:<46} {:>12} {:>12} {:>8}",
        "  a finished scenario leaves; wanted: 1 KiB",
        format!("{left} bytes"),
        "1024 bytes",
        ""
    );
}
