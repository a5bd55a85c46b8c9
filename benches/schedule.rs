//! Many scenarios at a time: 2,000 of five requests with `--jobs 32`, beside a load generator on the same address (wrk,
//! where it is installed; otherwise reqwest with 32 requests at a time), beside Hurl with the same requests (on the `PATH`,
//! or `HURL=/path/of/hurl`), and what a finished scenario leaves in memory.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

#[allow(dead_code, reason = "what benchmarks share, of which this one needs a part")]
mod common;
#[path = "common/hurl.rs"]
mod hurl;
#[path = "common/plan.rs"]
mod plan;
#[path = "common/server.rs"]
mod server;

use plan::STEPS;
use std::process::Command;
use std::time::{Duration, Instant};

const SCENARIOS: u32 = 2000;
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
    plan::write(folder, "many", SCENARIOS);
    plan::write(folder, "few", SCENARIOS / 4);
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
    match hurl::find() {
        None => {
            let [cpu] = common::cpu(1, 3, [run("many")]);
            let name = "processor time of a request, all in all";
            common::value(name, common::milliseconds(cpu / (SCENARIOS * STEPS)));
            common::value("  Hurl is not here: HURL=/path/of/hurl", "");
        }
        Some(hurl) => {
            hurl::write(folder, "hurl", SCENARIOS, &session);
            let hurl = || hurl::command(&hurl, folder, "hurl", JOBS);
            let [cpu, of_hurl] = common::cpu(ROUNDS, 1, [run("many"), hurl()]);
            let each = |cpu: Duration| cpu / (SCENARIOS * STEPS);
            common::row("processor time of a request; floor: Hurl", each(cpu), each(of_hurl));
            let (ours, theirs) = (timed(&mut run("many")), timed(&mut hurl()));
            common::row("from start to end; floor: Hurl", ours, theirs);
            let [ours, theirs] = [run("many"), hurl()].map(|mut run| common::peak_memory(&mut run));
            let [shown, floor] = [ours, theirs].map(common::mebibytes);
            #[allow(clippy::cast_precision_loss, reason = "a ratio")]
            let ratio = ours as f64 / theirs as f64;
            println!("{:<46} {shown:>12} {floor:>12} {ratio:>8.2}", "memory; floor: Hurl");
        }
    }

    // What a run adds to its checked files; the difference between many and few is what each scenario leaves.
    let added = |scenarios: &str| {
        let peak = |mut command: Command| i64::try_from(common::peak_memory(&mut command)).unwrap();
        peak(run(scenarios)) - peak(common::program(folder, &["check", scenarios]))
    };
    let left = (added("many") - added("few")) * 1024 / i64::from(SCENARIOS - SCENARIOS / 4);
    common::value("memory that a finished scenario leaves", format!("{left} bytes"));
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
