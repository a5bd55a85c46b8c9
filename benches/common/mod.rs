//! What the benchmarks share: programs and what they cost, and a table.
//!
//! Costs are processor time, user and system, as the kernel counts it for children that have ended: on a machine that
//! does other things too, wall time says little. The kernel tells it in steps of 10 ms, so one measurement is of many
//! runs together. Linux only: it is read from `/proc`.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_agentos-run");

/// Whether this is `cargo bench`. `cargo test --all-targets` runs benchmarks too, unoptimized and to no end.
pub(crate) fn wanted() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// `agentos-run ARGUMENTS` in `folder`, with nothing of our environment.
pub(crate) fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).current_dir(folder).env_clear();
    command
}

/// Runs `command` to its end; its output is thrown away. Panics where it fails.
pub(crate) fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// The processor time of one run of each command, as the mean of `rounds` times `times` runs. The commands take turns,
/// so that what else the machine does meets all of them; a first run, which fills caches, does not count.
pub(crate) fn cpu<const N: usize>(rounds: u32, times: u32, mut commands: [Command; N]) -> [Duration; N] {
    let mut spent = [Duration::ZERO; N];
    commands.iter_mut().for_each(run);
    for _ in 0..rounds {
        for (command, spent) in commands.iter_mut().zip(&mut spent) {
            let before = cpu_of_children();
            for _ in 0..times {
                run(command);
            }
            *spent += cpu_of_children().saturating_sub(before);
        }
    }
    spent.map(|spent| spent / (rounds * times))
}

/// The most memory that one run of `command` holds at a time, in KiB. It is looked at while the program runs, every
/// millisecond: what a short program does last may be missed.
pub(crate) fn peak_memory(command: &mut Command) -> u64 {
    watched(command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).spawn().unwrap()).1
}

/// Waits for a process, and says how it ended and what [`peak_memory`] says.
pub(crate) fn watched(mut child: Child) -> (ExitStatus, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended, peak);
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0);
        peak = peak.max(now);
        thread::sleep(Duration::from_millis(1));
    }
}

/// The processor time of all children that have ended.
pub(crate) fn cpu_of_children() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    // The name, in parentheses, may hold anything; after it come the fields from the third on.
    let (_, fields) = text.rsplit_once(')').unwrap();
    let ticks: u64 =
        fields.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Prints the head of the table that [`row`] continues.
pub(crate) fn head() {
    println!("{:<46} {:>12} {:>12} {:>8}", "name", "value", "floor", "ratio");
}

/// Prints a measurement and what it is held against.
pub(crate) fn row(name: &str, value: Duration, floor: Duration) {
    let ratio = value.as_secs_f64() / floor.as_secs_f64();
    println!("{name:<46} {:>12} {:>12} {ratio:>8.2}", milliseconds(value), milliseconds(floor));
}

/// Prints a measurement that has no floor.
pub(crate) fn value(name: &str, value: impl std::fmt::Display) {
    println!("{name:<46} {value:>12}");
}

/// A time as the table shows it.
pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

/// Memory as the table shows it.
pub(crate) fn mebibytes(kibibytes: u64) -> String {
    format!("{}.{} MiB", kibibytes / 1024, kibibytes % 1024 * 10 / 1024)
}
