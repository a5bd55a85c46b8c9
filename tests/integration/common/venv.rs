//! One Python environment per version of agno, under `target/`, made once and used by every later run of the tests.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The Python interpreter of this version's environment, which is made if it is not there yet.
///
/// Panics, with what `pip` said, where it cannot be made.
pub(super) fn python(version: &str) -> PathBuf {
    let requirements = super::agentos::sources().join(format!("requirements-{version}.txt"));
    let wanted = fs::read_to_string(&requirements).unwrap_or_else(|_| {
        panic!(
            "no {}: AGENTOS_TEST_VERSION names a version that the tests have no requirements for",
            requirements.display()
        )
    });

    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join(format!("agentos-{version}"));
    let python = folder.join("bin/python");
    let stamp = folder.join("installed.txt");

    // Two test processes may want it at the same time. The lock goes with the file, also where a process is killed.
    let lock = fs::File::create(target.join(format!("agentos-{version}.lock"))).unwrap();
    lock.lock().unwrap();
    // The stamp, a copy of the requirements, is written last: what was left half made is made anew.
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return python;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    must(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    must(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "-r"])
            .arg(&requirements),
    );
    fs::write(&stamp, wanted).unwrap();
    python
}

/// Runs a command to its end; panics with everything that it said unless it succeeds.
fn must(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("cannot start {command:?}: {error}\nA real AgentOS needs `python3` (3.11 or newer, with venv) on PATH.")
    });
    assert!(
        output.status.success(),
        "cannot set up a real AgentOS: {command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}
