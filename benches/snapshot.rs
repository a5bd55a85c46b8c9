//! What it costs to hold an answer of 5 MB against its snapshot: the same with other ids, with one changed word, and with
//! another word in each member. The floor is writing the same answer out as JSON. Wall time, of this process alone.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

#[allow(dead_code, reason = "a toolbox: not every tool is used here")]
mod common;

use std::time::{Duration, Instant};

use agentos_run::diagnostic::Problems;
use agentos_run::outcome::Outcome;
use agentos_run::secret::Masker;
use agentos_run::snapshot::{Folders, Held, Known, Mode, Shot, Snapshot, Store, Subject};
use agentos_run::source::Source;
use agentos_run::yaml;
use serde_json::{Value, json};

/// How often each is measured; the fastest counts.
const TIMES: usize = 5;

fn answer(seed: usize, word: &str, everywhere: bool) -> Value {
    let run = |index: usize| {
        let word = if index == 7000 || everywhere { word } else { "thirty" };
        json!({
            "run_id": format!("{:08x}-0000-4000-8000-{index:012x}", seed * 100_000 + index),
            "created_at": 1_795_314_841 + seed + index,
            "content": format!("The refund window is {word} days. {index} {}", "It is counted from delivery. ".repeat(10)),
            "metrics": { "duration": 0.25 + 0.1 * f64::from(u32::try_from(index).unwrap()), "input_tokens": index },
        })
    };
    json!({ "data": (0..12_000).map(run).collect::<Vec<Value>>() })
}

fn hold(store: &Store, snapshot: &Snapshot, body: &Value) -> Held {
    let outcome = Outcome { status: Some(200), body: Some(body.clone()), ..Outcome::default() };
    store.hold(&Shot {
        snapshot,
        source: "bench.yaml",
        which: &[],
        scenario: "Bench",
        step: "get",
        action: "http",
        subject: Subject::Answer(&outcome),
        known: &Known::default(),
        sound: true,
    })
}

fn fastest(mut what: impl FnMut()) -> Duration {
    let once = |_| {
        let began = Instant::now();
        what();
        began.elapsed()
    };
    (0..TIMES).map(once).min().unwrap()
}

fn main() {
    if !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store =
        |mode| Store::new(Folders { working: folder.path().to_owned(), project: None }, mode, Masker::new());
    let mut problems = Problems::new();
    let document = yaml::parse(&Source::new("bench", "big"), &mut problems);
    let snapshot = agentos_run::snapshot::parse(&document[0], &mut problems).remove(0);
    let (first, same) = (answer(1, "thirty", false), answer(2, "thirty", false));
    let (other, all) = (answer(3, "fourteen", false), answer(4, "fourteen", true));
    let size = first.to_string().len();
    let update = store(Mode::Update);
    assert!(hold(&update, &snapshot, &first).problem.is_none());
    let locked = store(Mode::Locked);
    let floor = fastest(|| assert!(serde_json::to_string_pretty(&same).unwrap().len() > size));
    let equal = fastest(|| assert!(hold(&locked, &snapshot, &same).problem.is_none()));
    let differs = fastest(|| assert!(hold(&locked, &snapshot, &other).diff.is_some()));
    let differs_all = fastest(|| assert!(hold(&locked, &snapshot, &all).diff.is_some()));
    common::head();
    common::row(&format!("{} kB, other ids; floor: writing as JSON", size / 1000), equal, floor);
    common::row("one word is another", differs, floor);
    common::row("a word of each of 12,000 members is another", differs_all, floor);
}
