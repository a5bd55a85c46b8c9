//! Programs that reports are held against, which are not Rust's: installed by the system's package manager where they are
//! missing and that is possible, so that one command passes all tests.

use std::process::Command;
use std::sync::Mutex;

/// What is installed is installed once, whichever test comes first.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Sees to it that `program` can be started; it is part of `packages`, by Debian's names.
///
/// # Panics
/// Where it is missing and cannot be installed; the message says what to install.
pub(crate) fn need(program: &str, packages: &[&str]) {
    let _one = INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if is_there(program) {
        return;
    }
    if is_there("apt-get") {
        // With a password to ask for, `sudo -n` fails at once.
        let prefix: &[&str] = if is_root() { &[] } else { &["sudo", "-n"] };
        apt_get(prefix, &["update", "-qq"]);
        apt_get(prefix, &[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat());
    }
    assert!(is_there(program), "the tests need `{program}`: apt-get install {}", packages.join(" "));
}

fn is_there(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt_get(prefix: &[&str], arguments: &[&str]) {
    let words: Vec<&str> =
        prefix.iter().copied().chain(["apt-get"]).chain(arguments.iter().copied()).collect();
    // Whether it worked is seen by whether the program is there.
    let _status = Command::new(words[0]).args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive").status();
}
