//! What bulk work costs: 100,000 sessions of the embedded AgentOS listed and deleted in chunks of 100, beside reqwest alone
//! sending the same requests, and beside a script on agno's AgentOSClient.
//!
//! `AGENTOS_BENCH_PYTHON` names a Python that has it; without it, that is left out.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]
#![allow(dead_code, reason = "each benchmark uses its part of what they share")]

mod common;
#[path = "common/seed.rs"]
mod seed;
#[path = "common/server.rs"]
mod server;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

const CHUNK: usize = 100;
const ROUNDS: usize = 3;
/// The word that says that this process is the floor.
const FLOOR: &str = "--floor";

const SCENARIO: &str = "
steps:
  - for_each:
      get_sessions: { limit: 100 }
    batch: 100
    delete_sessions:
      session_ids: ${{ item | map(attribute='session_id') | list }}
      session_types: ${{ item | map(attribute='session_type') | list }}
";

const SCRIPT: &str = "
import asyncio, sys
from agno.client import AgentOSClient
from agno.db.base import SessionType

async def main():
    client = AgentOSClient(base_url=sys.argv[1])
    found, page = [], 1
    while True:
        answer = await client.get_sessions(limit=100, page=page)
        found += [(session.session_id, session.session_type) for session in answer.data]
        if page >= answer.meta.total_pages:
            break
        page += 1
    for at in range(0, len(found), 100):
        chunk = found[at:at + 100]
        await client.delete_sessions(
            session_ids=[id for id, _ in chunk], session_types=[SessionType(kind) for _, kind in chunk]
        )
    assert not (await client.get_sessions(limit=100)).data

asyncio.run(main())
";

/// What a job took: by the clock, of the processor, and of memory at its peak, in KiB.
struct Cost {
    wall: Duration,
    cpu: Duration,
    peak: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, url] = arguments.as_slice()
        && word == FLOOR
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(same_requests(url));
    }
    if !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("bulk.yaml"), SCENARIO).unwrap();
    drop(server::Server::with(folder, &["--db", "many.db"]));
    seed::fill(&folder.join("many.db"));

    let ours = |more: &'static [&str]| {
        move |url: &str| {
            let _ = fs::remove_file(folder.join("journal.jsonl"));
            let mut command = common::program(folder, &["--base-url", url, "--yes"]);
            command.args(more).arg("bulk.yaml");
            command
        }
    };
    let bare = |url: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([FLOOR, url]).env_clear();
        command
    };
    let (mut plain, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(job(folder, &bare));
        plain.push(job(folder, &ours(&[])));
    }
    let (plain, floor) = (median(plain), median(floor));
    let row = |name: &str, cost: &Cost| {
        common::row(&format!("{name}: time"), cost.wall, floor.wall);
        common::row("  of which of the processor", cost.cpu, floor.cpu);
        let floor = common::mebibytes(floor.peak);
        println!("{:<46} {:>12} {floor:>12}", "  memory at its peak", common::mebibytes(cost.peak));
    };
    println!(
        "{} sessions listed and deleted, {CHUNK} a request; floor: reqwest, the same requests",
        seed::SESSIONS
    );
    common::head();
    row("agentos-run", &plain);
    row("agentos-run --journal", &job(folder, &ours(&["--journal", "journal.jsonl"])));
    match std::env::var_os("AGENTOS_BENCH_PYTHON") {
        None => println!("no Python: AGENTOS_BENCH_PYTHON names one that has agno's client"),
        Some(python) => {
            let script = |url: &str| {
                let mut command = Command::new(&python);
                command.args(["-c", SCRIPT, url]);
                command
            };
            row("Python with AgentOSClient", &job(folder, &script));
        }
    }
}

/// One job on a server of its own, which has all sessions before it and none after it.
fn job(folder: &Path, command: &dyn Fn(&str) -> Command) -> Cost {
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.join(format!("job.db{end}")));
    }
    fs::copy(folder.join("many.db"), folder.join("job.db")).unwrap();
    let server = server::Server::with(folder, &["--db", "job.db"]);
    let mut command = command(&server.url);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let (began, cpu) = (Instant::now(), common::cpu_of_children());
    let (status, peak) = common::watched(command.spawn().unwrap());
    let (wall, cpu) = (began.elapsed(), common::cpu_of_children().saturating_sub(cpu));
    assert!(status.success(), "{command:?}: {status}");
    let left: i64 = rusqlite::Connection::open(folder.join("job.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0, "{command:?}");
    Cost { wall, cpu, peak }
}

/// The median of each.
fn median(costs: Vec<Cost>) -> Cost {
    let middle = costs.len() / 2;
    let (mut wall, mut cpu, mut peak): (Vec<_>, Vec<_>, Vec<_>) = Default::default();
    for cost in costs {
        wall.push(cost.wall);
        cpu.push(cost.cpu);
        peak.push(cost.peak);
    }
    wall.sort();
    cpu.sort();
    peak.sort_unstable();
    Cost { wall: wall[middle], cpu: cpu[middle], peak: peak[middle] }
}

/// The requests of the scenario: the configuration, all pages, all deletions, and a look whether anything is left. The
/// floor knows what it will find, so it only reads the bytes.
async fn same_requests(url: &str) {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    // No proxy and no certificates, as the program does it for a server on this machine.
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let get = async |path: &str| {
        let answer = client.get(format!("{url}{path}")).send().await.unwrap();
        assert!(answer.status().is_success());
        assert!(!answer.bytes().await.unwrap().is_empty());
    };
    get("/config").await;
    for page in 1..=seed::SESSIONS / CHUNK {
        get(&format!("/sessions?limit={CHUNK}&page={page}")).await;
    }
    for chunk in (0..seed::SESSIONS / CHUNK).rev() {
        let numbers = (chunk * CHUNK..(chunk + 1) * CHUNK).rev();
        let ids: Vec<String> = numbers.clone().map(|number| format!("s-{number}")).collect();
        let types: Vec<&str> = numbers.map(|number| seed::kind_of(number).0).collect();
        let body = json!({ "session_ids": ids, "session_types": types }).to_string();
        let request = client.delete(format!("{url}/sessions")).header("content-type", "application/json");
        assert!(request.body(body).send().await.unwrap().status().is_success());
    }
    get(&format!("/sessions?limit={CHUNK}&page=1")).await;
}
