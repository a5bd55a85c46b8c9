//! What goes on beside the database: runs that somebody wants cancelled, and the events of runs that
//! outlive the request that started them.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::run::{Object, put};

/// How many tapes are kept before finished ones are given up.
const TAPES: usize = 1024;

/// The cancellations that were asked for, and the tapes.
#[derive(Debug, Default)]
pub(crate) struct Live {
    cancelled: Mutex<HashSet<String>>,
    tapes: Mutex<HashMap<String, Arc<Tape>>>,
}

impl Live {
    /// Notes that a run is to end. It need not have begun: the note waits for it.
    pub(crate) fn cancel(&self, run_id: &str) {
        lock(&self.cancelled).insert(run_id.to_owned());
    }

    pub(crate) fn is_cancelled(&self, run_id: &str) -> bool {
        lock(&self.cancelled).contains(run_id)
    }

    /// Forgets the note: the run has ended, or waits for a human.
    pub(crate) fn settle(&self, run_id: &str) {
        lock(&self.cancelled).remove(run_id);
    }

    /// The tape of a run, if its events were taken down.
    pub(crate) fn tape(&self, run_id: &str) -> Option<Arc<Tape>> {
        lock(&self.tapes).get(run_id).cloned()
    }

    /// The tape to take down a run on; one that waited for a human goes on where it stopped.
    pub(crate) fn open_tape(&self, run_id: &str) -> Arc<Tape> {
        let mut tapes = lock(&self.tapes);
        if tapes.len() >= TAPES {
            tapes.retain(|_, tape| tape.status().is_none());
        }
        let tape = tapes.entry(run_id.to_owned()).or_default().clone();
        lock(&tape.reel).status = None;
        tape
    }
}

/// The events of one run, in order, for whoever wants to read them again.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    reel: Mutex<Reel>,
    news: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Reel {
    frames: Vec<Bytes>,
    /// How the run ended; nothing while it goes on.
    status: Option<String>,
}

impl Tape {
    /// Takes an event down and tells its index.
    pub(crate) fn add(&self, event: &mut Object) {
        let mut reel = lock(&self.reel);
        number(event, reel.frames.len());
        reel.frames.push(frame(event));
        drop(reel);
        self.news.send_replace(());
    }

    /// Notes that the run has ended so.
    pub(crate) fn finish(&self, status: &str) {
        lock(&self.reel).status = Some(status.to_owned());
        self.news.send_replace(());
    }

    pub(crate) fn status(&self) -> Option<String> {
        lock(&self.reel).status.clone()
    }

    pub(crate) fn count(&self) -> usize {
        lock(&self.reel).frames.len()
    }

    /// The frames from an index on.
    pub(crate) fn since(&self, index: usize) -> Vec<Bytes> {
        lock(&self.reel).frames.get(index..).unwrap_or_default().to_vec()
    }

    /// Frames from an index on as they come, to the end of the run; a comment after each `silence`.
    pub(crate) fn follow(
        self: Arc<Self>,
        index: usize,
        silence: Duration,
        comment: &'static str,
    ) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let news = self.news.subscribe();
        stream::unfold((self, news, index), move |(tape, mut news, index)| async move {
            loop {
                news.borrow_and_update();
                let (next, ended) = {
                    let reel = lock(&tape.reel);
                    (reel.frames.get(index).cloned(), reel.status.is_some())
                };
                if let Some(frame) = next {
                    return Some((Ok(frame), (tape, news, index + 1)));
                }
                if ended {
                    return None;
                }
                if tokio::time::timeout(silence, news.changed()).await.is_err() {
                    return Some((Ok(Bytes::from_static(comment.as_bytes())), (tape, news, index)));
                }
            }
        })
    }
}

/// One event as it is sent. JSON escapes every line break in its strings: data is one line.
pub(crate) fn frame(event: &Object) -> Bytes {
    let name = event.get("event").and_then(serde_json::Value::as_str).unwrap_or("WorkflowRunOutput");
    let data = serde_json::to_string(event).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// Puts the index where agno 3.1.10 has it: before whatever is no plain value.
fn number(event: &mut Object, index: usize) {
    const LATE: [&str; 7] =
        ["metadata", "metrics", "tool", "tools", "requirements", "member_responses", "memories"];
    let late = |name: &str| LATE.contains(&name);
    // Events of a workflow are written in one go and end with it.
    let workflow = event.contains_key("workflow_name");
    let at = event.keys().position(|name| !workflow && late(name)).unwrap_or(event.len());
    let rest: Vec<_> = event.iter().skip(at).map(|(name, value)| (name.clone(), value.clone())).collect();
    for (name, _) in &rest {
        event.shift_remove(name);
    }
    put(event, "event_index", index);
    event.extend(rest);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while holding it had nothing half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
