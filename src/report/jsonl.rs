//! The JSON Lines report: what happens, as it happens, one JSON object per line. Its pieces are those of the JSON report.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;

use super::record::{FORMAT, LogRecord, RunRecord, ScenarioRecord};

/// How long a line may wait for others, which are written with it.
const TOGETHER: Duration = Duration::from_millis(20);
/// The bytes that may wait: where they are read slowly, the run waits too.
const MOST: usize = 4 << 20;

/// Lines, which a thread of their own writes: a run of many short steps would spend its time with writing each.
pub struct JsonLines {
    queue: Arc<Queue>,
    writer: JoinHandle<io::Result<()>>,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// Something came, or there is room again.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// No more will come, or none can be written.
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as `condition` holds.
    fn wait<'a>(
        &'a self,
        waiting: MutexGuard<'a, Waiting>,
        condition: impl Fn(&Waiting) -> bool,
    ) -> MutexGuard<'a, Waiting> {
        self.changed.wait_while(waiting, |waiting| condition(waiting)).unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, parts: &[&[u8]]) {
        let mut waiting = self.wait(self.lock(), |waiting| waiting.lines.len() > MOST && !waiting.closed);
        // After the first error the rest would be a file with a hole in it.
        if waiting.closed {
            return;
        }
        let was_empty = waiting.lines.is_empty();
        parts.iter().for_each(|part| waiting.lines.extend_from_slice(part));
        if was_empty {
            self.changed.notify_all();
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Writes what comes, until no more will.
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = Vec::new();
        loop {
            let waiting = self.wait(self.lock(), |waiting| waiting.lines.is_empty() && !waiting.closed);
            // A moment for those that come right behind.
            let (mut waiting, _) = self
                .changed
                .wait_timeout_while(waiting, TOGETHER, |waiting| {
                    waiting.lines.len() < MOST && !waiting.closed
                })
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut lines, &mut waiting.lines);
            let closed = waiting.closed;
            drop(waiting);
            self.changed.notify_all();
            out.write_all(&lines)?;
            out.flush()?;
            lines.clear();
            if closed {
                return Ok(());
            }
        }
    }
}

impl JsonLines {
    /// Lines that are written as they come.
    pub fn new(mut out: Box<dyn Write + Send>) -> Self {
        let queue = Arc::new(Queue::default());
        let of_thread = Arc::clone(&queue);
        let writer = thread::spawn(move || {
            let result = of_thread.write_to(&mut *out);
            of_thread.close();
            result
        });
        Self { queue, writer }
    }

    /// Waits until all of them are written; what went wrong with that.
    pub fn finish(self) -> io::Result<()> {
        self.queue.close();
        self.writer.join().unwrap_or_else(|_panic| Err(io::Error::other("the writer of lines broke down")))
    }

    pub(super) fn run_started(&self, run: &RunRecord, scenarios: usize) {
        self.write(&json!({ "event": "run_started", "format": FORMAT, "scenarios": scenarios, "run": run }));
    }

    pub(super) fn scenario_started(&self, scenario: &ScenarioRecord) {
        self.scenario("scenario_started", scenario);
    }

    /// `scenario` has the attempt that is over, without its steps.
    pub(super) fn scenario_finished(&self, scenario: &ScenarioRecord) {
        self.scenario("scenario_finished", scenario);
    }

    /// The same for an attempt that is not the last.
    pub(super) fn attempt_failed(&self, scenario: &ScenarioRecord) {
        self.scenario("attempt_failed", scenario);
    }

    fn scenario(&self, event: &str, scenario: &ScenarioRecord) {
        if let Ok(scenario) = serde_json::to_vec(scenario) {
            self.queue.add(&[b"{\"event\":\"", event.as_bytes(), b"\",\"scenario\":", &scenario, b"}\n"]);
        }
    }

    /// `step` is JSON.
    pub(super) fn step_finished(&self, scenario: usize, step: &[u8]) {
        let index = scenario.to_string();
        self.queue.add(&[
            b"{\"event\":\"step_finished\",\"index\":",
            index.as_bytes(),
            b",\"step\":",
            step,
            b"}\n",
        ]);
    }

    pub(super) fn log(&self, scenario: usize, log: &LogRecord) {
        self.write(&json!({ "event": "log", "index": scenario, "log": log }));
    }

    pub(super) fn run_finished(&self, run: &RunRecord) {
        self.write(&json!({ "event": "run_finished", "run": run }));
    }

    fn write(&self, line: &serde_json::Value) {
        self.queue.add(&[line.to_string().as_bytes(), b"\n"]);
    }
}
