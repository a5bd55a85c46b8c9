//! Many scenarios at a time: 2,000 of five requests with `--jobs 32`, beside a load generator on the same address (wrk,
//! where it is installed; otherwise reqwest with 32 requests at a time), and what a finished scenario leaves in memory.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

#[allow(dead_code, reason = "what benchmarks share, of which this one needs a part")]
mod common;
#[path = "common/server.rs"]
mod server;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const SCENARIOS: u32 = 2000;
const STEPS: u32 = 5;
const JOBS: u32 = 32;
const ROUNDS: u32 = 5;
/// The word that says that this process is the floor.
const FLOOR: &str = "--floor";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, url] = arguments.as_slice()
        && word == FLOOR
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(get_all(url));
    }
    if !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "many", SCENARIOS);
    write(folder, "few", SCENARIOS / 4);
    let server = server::Server::start(folder);
    let session = format!("{}/sessions/bench", server.url);
    let jobs = JOBS.to_string();
    let run = |scenarios: &str| {
        let mut run = common::program(folder, &["--base-url", &server.url, "-q", "-j", &jobs]);
        run.arg(scenarios);
        run
    };

    let requests = f64::from(SCENARIOS * STEPS);
    let (mut ours, mut floor, mut reading) = (Duration::ZERO, 0.0, Duration::ZERO);
    common::run(&mut run("many"));
    for _ in 0..ROUNDS {
        floor += wrk(&session).unwrap_or_else(|| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            requests / timed(command.args([FLOOR, &session])).as_secs_f64()
        }) / f64::from(ROUNDS);
        ours += timed(&mut run("many")) / ROUNDS;
        reading += timed(&mut common::program(folder, &["check", "many"])) / ROUNDS;
    }
    let rate = |time: Duration| requests / time.as_secs_f64();
    println!("{:<46} {:>12} {:>12} {:>8}", "requests per second", "value", "floor", "ratio");
    let row = |name: &str, rate: f64| println!("{name:<46} {rate:>12.0} {floor:>12.0} {:>8.2}", rate / floor);
    row("2,000 scenarios, from start to end", rate(ours));
    row("  without reading the files", rate(ours.saturating_sub(reading)));
    let [cpu] = common::cpu(1, 3, [run("many")]);
    common::value("processor time of a request, all in all", common::milliseconds(cpu / (SCENARIOS * STEPS)));

    // What a run adds to its checked files; the difference between many and few is what each scenario leaves.
    let added = |scenarios: &str| {
        let peak = |mut command: Command| i64::try_from(common::peak_memory(&mut command)).unwrap();
        peak(run(scenarios)) - peak(common::program(folder, &["check", scenarios]))
    };
    let left = (added("many") - added("few")) * 1024 / i64::from(SCENARIOS - SCENARIOS / 4);
    common::value("memory that a finished scenario leaves", format!("{left} bytes"));
}

fn write(folder: &Path, name: &str, scenarios: u32) {
    std::fs::create_dir(folder.join(name)).unwrap();
    for file in 0..scenarios / 20 {
        let text = (0..20).fold(String::new(), |mut text, scenario| {
            let _ = write!(text, "---\nname: s{file}-{scenario}\nsteps:\n");
            text.push_str(&"  - get_session: { session_id: bench }\n".repeat(STEPS as usize));
            text
        });
        std::fs::write(folder.join(name).join(format!("{file}.yaml")), text).unwrap();
    }
}

fn timed(command: &mut Command) -> Duration {
    let began = Instant::now();
    common::run(command);
    began.elapsed()
}

/// What wrk reaches in two seconds; none where there is no wrk.
fn wrk(url: &str) -> Option<f64> {
    let output = Command::new("wrk").args(["-t1", &format!("-c{JOBS}"), "-d2s", url]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok())
}

async fn get_all(url: &str) {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let workers = (0..JOBS).map(|_| async {
        for _ in 0..SCENARIOS * STEPS / JOBS {
            let answer = client.get(url).send().await.unwrap();
            assert!(answer.status().is_success() && !answer.bytes().await.unwrap().is_empty());
        }
    });
    futures_util::future::join_all(workers).await;
}
