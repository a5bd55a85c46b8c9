//! What it costs to hold an answer of 5 MB against its snapshot: the same with other ids, and with one changed word. The
//! floor is writing the same answer out as JSON.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

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

fn answer(seed: usize, word: &str) -> Value {
    let run = |index: usize| {
        let word = if index == 7000 { word } else { "thirty" };
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
    let folder = tempfile::tempdir().unwrap();
    let store =
        |mode| Store::new(Folders { working: folder.path().to_owned(), project: None }, mode, Masker::new());
    let mut problems = Problems::new();
    let document = yaml::parse(&Source::new("bench", "big"), &mut problems);
    let snapshot = agentos_run::snapshot::parse(&document[0], &mut problems).remove(0);
    let (first, same, other) = (answer(1, "thirty"), answer(2, "thirty"), answer(3, "fourteen"));
    let size = first.to_string().len();
    let update = store(Mode::Update);
    assert!(hold(&update, &snapshot, &first).problem.is_none());
    let locked = store(Mode::Locked);
    let floor = fastest(|| assert!(serde_json::to_string_pretty(&same).unwrap().len() > size));
    let equal = fastest(|| assert!(hold(&locked, &snapshot, &same).problem.is_none()));
    let differs = fastest(|| assert!(hold(&locked, &snapshot, &other).diff.is_some()));
    let ratio = |time: Duration| time.as_secs_f64() / floor.as_secs_f64();
    println!("an answer of {} kB; written as JSON in {floor:.1?}", size / 1000);
    println!("the same but for its ids: {equal:.1?}, {:.1} times the floor", ratio(equal));
    println!("one word is another:      {differs:.1?}, {:.1} times the floor", ratio(differs));
}
