//! The floor of everything that sends requests: reqwest alone, which reads the bytes of each answer.
//!
//! It is run as a process of its own, which is this benchmark once more, so that it is measured as the program is.

use std::process::Command;

/// The word that says that the process is the floor.
const WORD: &str = "--floor";

/// A process that gets `url` `times` times over one connection.
pub(crate) fn command(url: &str, times: u32) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([WORD, url, &times.to_string()]).env_clear();
    command
}

/// Whether this process was the floor; then its work is done.
pub(crate) fn was_wanted() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [word, url, times] = arguments.as_slice() else { return false };
    if word != WORD {
        return false;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(get(url, times.parse().unwrap()));
    true
}

async fn get(url: &str, times: u32) {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    // No proxy and no certificates, as the program does it for a server on this machine.
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    for _ in 0..times {
        let answer = client.get(url).send().await.unwrap();
        assert!(answer.status().is_success());
        assert!(!answer.bytes().await.unwrap().is_empty());
    }
}
