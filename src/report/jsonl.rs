//! The JSON Lines report: what happens, as it happens, one JSON object per line. Its pieces are those of the JSON report.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::record::{FORMAT, LogRecord, RunRecord, ScenarioRecord};

/// Where the lines go, and what went wrong there.
pub struct JsonLines {
    writer: Mutex<Result<Box<dyn Write + Send>, io::Error>>,
}

impl JsonLines {
    /// Lines that are written as they come.
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer: Mutex::new(Ok(writer)) }
    }

    /// What went wrong with writing.
    pub fn finish(self) -> io::Result<()> {
        self.writer.into_inner().unwrap_or_else(PoisonError::into_inner)?.flush()
    }

    fn write(&self, mut line: String) {
        line.push('\n');
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // After the first error the rest would be a file with a hole in it.
        if let Ok(open) = &mut *writer
            && let Err(error) = open.write_all(line.as_bytes()).and_then(|()| open.flush())
        {
            *writer = Err(error);
        }
    }

    pub(super) fn run_started(&self, run: &RunRecord, scenarios: usize) {
        self.write(
            json!({ "event": "run_started", "format": FORMAT, "scenarios": scenarios, "run": run })
                .to_string(),
        );
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
        if let Ok(scenario) = serde_json::to_string(scenario) {
            self.write(format!("{{\"event\":\"{event}\",\"scenario\":{scenario}}}"));
        }
    }

    pub(super) fn step_finished(&self, scenario: usize, step: &str) {
        self.write(format!("{{\"event\":\"step_finished\",\"index\":{scenario},\"step\":{step}}}"));
    }

    pub(super) fn log(&self, scenario: usize, log: &LogRecord) {
        self.write(json!({ "event": "log", "index": scenario, "log": log }).to_string());
    }

    pub(super) fn run_finished(&self, run: &RunRecord) {
        self.write(json!({ "event": "run_finished", "run": run }).to_string());
    }
}
