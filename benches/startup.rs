//! What it costs to start: the version, a check, one request; beside reqwest alone, `curl`, and a script in Python.
//!
//! `AGENTOS_BENCH_PYTHON` names a Python that has agno's client; without it, the last is left out.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod common;
#[path = "common/floor.rs"]
mod floor;
#[path = "common/server.rs"]
mod server;

use std::process::Command;

const SCENARIO: &str = "steps:\n  - health: {}\n";

const SCRIPT: &str = "
import asyncio, sys
from agno.client import AgentOSClient

async def main():
    print(await AgentOSClient(base_url=sys.argv[1]).aget_config())

asyncio.run(main())
";

fn main() {
    if floor::was_wanted() || !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("scenario.yaml"), SCENARIO).unwrap();
    // The same, but it stays a moment, so that its memory can be looked at when all is done.
    std::fs::write(folder.join("stays.yaml"), format!("{SCENARIO}  - sleep: 50ms\n")).unwrap();
    let server = server::Server::start(folder);
    let config = format!("{}/config", server.url);

    let program = |arguments: &[&str]| common::program(folder, arguments);
    // `call` asks for nothing else; a run asks for /config first, which tells a target that is down from a failure.
    let [nothing, version, check, one, call, run] = common::cpu(
        5,
        40,
        [
            Command::new("true"),
            program(&["--version"]),
            program(&["check", "scenario.yaml"]),
            floor::command(&config, 1),
            program(&["call", "get_config", "--base-url", &server.url]),
            program(&["--base-url", &server.url, "scenario.yaml"]),
        ],
    );
    common::head();
    common::row("agentos-run --version; floor: true", version, nothing);
    common::row("agentos-run check, one scenario; floor: true", check, nothing);
    common::row("agentos-run call, one request; floor: reqwest", call, one);
    common::row("agentos-run, one scenario; floor: reqwest", run, one);
    if Command::new("curl").arg("--version").output().is_ok() {
        let mut curl = Command::new("curl");
        curl.args(["-s", &config]);
        let [curl] = common::cpu(5, 40, [curl]);
        common::row("curl, one request; floor: reqwest", curl, one);
    }
    if let Some(python) = std::env::var_os("AGENTOS_BENCH_PYTHON") {
        let script = || {
            let mut command = Command::new(&python);
            command.args(["-c", SCRIPT, &server.url]);
            command
        };
        let [cpu] = common::cpu(1, 5, [script()]);
        common::row("Python with AgentOSClient; floor: reqwest", cpu, one);
        common::value(
            "memory: Python with AgentOSClient",
            common::mebibytes(common::peak_memory(&mut script())),
        );
    }
    let peak = common::peak_memory(&mut program(&["--base-url", &server.url, "stays.yaml"]));
    common::value("memory: agentos-run, one scenario", common::mebibytes(peak));
}
