//! What a step costs: scenarios of many `get_session` steps, beside reqwest alone getting the same as often.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod common;
#[path = "common/floor.rs"]
mod floor;
#[path = "common/server.rs"]
mod server;

const PLAIN: &str = "  - get_session: { session_id: bench }\n";
const EXPECTING: &str = "  - get_session: { session_id: bench }\n    save: { id: $.session_id }\n    expect: { status: 200, $.session_id: \"${{ id }}\" }\n";

fn main() {
    if floor::was_wanted() || !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |name: &str, step: &str, times: usize| {
        let text = format!("vars: {{ id: bench }}\nsteps:\n{}  - sleep: 50ms\n", step.repeat(times));
        std::fs::write(folder.join(name), text).unwrap();
    };
    for (name, step) in [("plain", PLAIN), ("expecting", EXPECTING)] {
        write(&format!("{name}.yaml"), step, 500);
    }
    write("plain-10.yaml", PLAIN, 5000);
    let server = server::Server::start(folder);
    let session = format!("{}/sessions/bench", server.url);

    let program = |arguments: &[&str]| common::program(folder, arguments);
    let costs = common::cpu(
        5,
        4,
        [
            floor::command(&session, 500),
            program(&["--base-url", &server.url, "plain.yaml"]),
            program(&["check", "plain.yaml"]),
            program(&["--base-url", &server.url, "expecting.yaml"]),
            program(&["check", "expecting.yaml"]),
        ],
    );
    let [floor, plain, read, expecting, read_expecting] = costs.map(|cost| cost / 500);
    common::head();
    common::row("one of 500 steps; floor: reqwest", plain, floor);
    common::value("  of which reading the file", common::milliseconds(read));
    common::row("one of 500 with expectations; floor: reqwest", expecting, floor);
    common::value("  of which reading the file", common::milliseconds(read_expecting));
    for (name, what) in [("plain", "500 steps"), ("plain-10", "5,000 steps")] {
        let file = format!("{name}.yaml");
        let run = common::peak_memory(&mut program(&["--base-url", &server.url, &file]));
        let check = common::peak_memory(&mut program(&["check", &file]));
        common::value(&format!("memory: {what}"), common::mebibytes(run));
        common::value("  the same, only checked", common::mebibytes(check));
    }
}
