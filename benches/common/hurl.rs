//! Hurl, where it is: on the `PATH`, or where `HURL` says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::plan::STEPS;

/// Where it is.
pub(crate) fn find() -> Option<PathBuf> {
    let hurl = std::env::var_os("HURL").map_or_else(|| PathBuf::from("hurl"), PathBuf::from);
    let works = Command::new(&hurl).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    works.is_ok_and(|status| status.success()).then_some(hurl)
}

/// Writes so many files into a folder `name`, each with the requests of a scenario.
pub(crate) fn write(folder: &Path, name: &str, files: u32, url: &str) {
    std::fs::create_dir(folder.join(name)).unwrap();
    let text = format!("GET {url}\nHTTP 200\n").repeat(STEPS as usize);
    for file in 0..files {
        std::fs::write(folder.join(name).join(format!("{file}.hurl")), &text).unwrap();
    }
}

/// Runs all of them, so many at a time.
pub(crate) fn command(hurl: &Path, folder: &Path, name: &str, jobs: u32) -> Command {
    let mut command = Command::new(hurl);
    command.args(["--test", "--parallel", "--jobs", &jobs.to_string()]);
    command.arg("--glob").arg(format!("{name}/*.hurl"));
    command.current_dir(folder).env_clear();
    // It may be found there.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}
