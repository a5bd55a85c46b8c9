//! The embedded AgentOS beside a real one: the same requests to both, and what they answer compared field by field.
//!
//! The requests stand in `tests/data/differential/*.yaml`, one file per subject; those of its folders go to servers that
//! ask who is there. What may differ stands in
//! `tests/data/differential/accepted.yaml`, each with its reason; an entry that no longer comes true fails the test
//! like a difference that nobody accepted.

mod accepted;
mod client;
mod compare;
mod coverage;
mod openapi;
mod parameters;
mod scopes;
mod script;
mod target;

use self::accepted::Accepted;
use self::compare::{Difference, Ids};
use self::script::{Saved, Script};
use self::target::{SECRET, Target};
use crate::common::{RealAgentOs, Settings, agentos::at_least};
use agentos_run::emulator::{Emulator, Options};
use std::{fmt::Write as _, fs, path::PathBuf};

/// Some answers of agno hold what it takes out of a set of names, in an order that each process of Python chooses
/// anew. With this seed it is the order of the embedded AgentOS.
const HASH_SEED: &str = "100";

/// The folder of the requests.
fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/differential")
}

/// Sends a script to both servers and tells where they differ.
fn differences(script: &Script, real: &Target, embedded: &Target) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (group, steps) in &script.groups {
        let mut ids = Ids::default();
        let (mut of_real, mut of_embedded) = (Saved::default(), Saved::default());
        for (number, step) in steps.iter().enumerate() {
            let request = format!("{}: {group}: {}. {}", script.name, number + 1, step.send);
            let expected =
                real.perform(step, &mut of_real).unwrap_or_else(|why| panic!("{request}: real: {why}"));
            let found = embedded
                .perform(step, &mut of_embedded)
                .unwrap_or_else(|why| panic!("{request}: embedded: {why}; the real one said {expected:?}"));
            differences.extend(compare::answers(&request, &expected, &found, &mut ids));
        }
    }
    differences
}

/// What nobody accepted, one line each, and what was accepted in vain.
fn verdict(differences: &[Difference], accepted: &Accepted, scripts: &[&str]) -> String {
    let mut text = String::new();
    let mut used = vec![false; accepted.entries.len()];
    let mut last = "";
    for difference in differences {
        let entries: Vec<usize> = accepted.of(difference).collect();
        for entry in &entries {
            used[*entry] = true;
        }
        if !entries.is_empty() {
            continue;
        }
        if last != difference.request {
            let _ = writeln!(text, "\n{}", difference.request);
            last = &difference.request;
        }
        let _ = writeln!(
            text,
            "  {}\n      real:     {}\n      embedded: {}",
            difference.place, difference.real, difference.embedded
        );
    }
    for (entry, used) in accepted.entries.iter().zip(used) {
        if !used && !entry.sometimes && entry.concerns(scripts) {
            let _ = writeln!(
                text,
                "\naccepted.yaml: {} {} does not differ any more: take the entry away",
                entry.request, entry.place
            );
        }
    }
    text
}

/// A real AgentOS that has all that the embedded one has.
fn settings() -> Settings {
    Settings::default().tracing().full().with("PYTHONHASHSEED", HASH_SEED)
}

fn real() -> RealAgentOs {
    settings().start()
}

fn embedded() -> Emulator {
    Emulator::start(Options::default()).unwrap()
}

/// Sends all scripts of a folder to both servers, and fails where they differ.
fn compare_all(folder_of: &str, real: &RealAgentOs, embedded: &Emulator) {
    let accepted = Accepted::read(&folder().join("accepted.yaml"));
    let mut files: Vec<PathBuf> = fs::read_dir(folder().join(folder_of))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.is_file() && file.file_name().is_some_and(|name| name != "accepted.yaml"))
        .collect();
    files.sort();
    // To look at some only: DIFFERENTIAL=sessions,runs
    let wanted = std::env::var("DIFFERENTIAL").unwrap_or_default();
    let mut scripts: Vec<Script> = files.iter().map(|file| Script::read(file)).collect();
    assert!(!scripts.is_empty(), "no requests in {}", folder().display());
    scripts.retain(|script| wanted.is_empty() || wanted.split(',').any(|name| name == script.name));
    let (real, ours) = (Target::new(real.base_url()), Target::new(embedded.base_url()));
    let mut found = Vec::new();
    for script in &scripts {
        found.extend(differences(script, &real, &ours));
    }
    let names: Vec<&str> = scripts.iter().map(|script| script.name.as_str()).collect();
    let verdict = verdict(&found, &accepted, &names);
    assert!(verdict.is_empty(), "the embedded AgentOS is not as the real one:\n{verdict}");
}

/// Both with tokens, which anybody may use; users are not kept apart.
fn tokens() -> (RealAgentOs, Emulator) {
    let options = Options { jwt_secret: Some(SECRET.to_owned()), ..Options::default() };
    (settings().jwt(SECRET).start(), Emulator::start(options).unwrap())
}

#[test]
fn the_embedded_agentos_answers_as_the_real_one() {
    // It behaves as agno 3.1 does; what older versions do is another story.
    if at_least(3, 1) {
        compare_all("", &real(), &embedded());
    }
}

#[test]
fn it_does_so_behind_a_security_key() {
    if at_least(3, 1) {
        const KEY: &str = "sesame-of-the-tests";
        let options = Options { security_key: Some(KEY.to_owned()), ..Options::default() };
        compare_all(
            "security_key",
            &settings().security_key(KEY).start(),
            &Emulator::start(options).unwrap(),
        );
    }
}

#[test]
fn it_does_so_behind_tokens() {
    if at_least(3, 1) {
        let (real, embedded) = tokens();
        compare_all("tokens", &real, &embedded);
    }
}

#[test]
fn it_does_so_where_users_are_kept_apart() {
    if at_least(3, 1) {
        let options = Options {
            jwt_secret: Some(SECRET.to_owned()),
            jwt_audience: Some("lab".to_owned()),
            user_isolation: true,
            ..Options::default()
        };
        let real = settings().jwt(SECRET).with("AGENTOS_JWT_AUDIENCE", "lab").user_isolation().start();
        compare_all("isolation", &real, &Emulator::start(options).unwrap());
    }
}
