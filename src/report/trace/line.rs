//! The lines of a trace: one JSON object each, in the order in which things happened.

use serde::{Deserialize, Serialize};

use crate::report::record::{FailureRecord, RequestRecord, ResponseRecord, Status, StepRecord};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// A line with its time.
#[derive(Debug, Serialize, Deserialize)]
pub struct Timed<T> {
    /// From the beginning of the scenario.
    pub at_ms: f64,
    /// What happened.
    pub line: T,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// The first line: what this is the trace of.
    #[expect(missing_docs, reason = "the names say it")]
    Trace {
        format: u32,
        name: String,
        file: String,
        line: usize,
        version: String,
        run: String,
        started_at: String,
        targets: Vec<String>,
    },
    /// Another attempt begins.
    Attempt {
        /// Which, from 1.
        number: u32,
    },
    /// A request goes out.
    Request {
        /// What tells it from the others.
        number: u64,
        /// The request.
        request: Box<RequestRecord>,
    },
    /// Its whole answer is there.
    Response {
        /// The request's number.
        number: u64,
        /// The answer.
        response: Box<ResponseRecord>,
    },
    /// Its answer is a stream.
    Opened {
        /// The request's number.
        number: u64,
        /// The status.
        status: u16,
        /// The headers.
        headers: Vec<(String, String)>,
        /// From sending the request.
        first_byte_ms: f64,
    },
    /// An event of that stream.
    Event {
        /// The request's number.
        number: u64,
        /// The event's name.
        name: String,
        /// From sending the request.
        after_ms: f64,
        /// Its data: JSON.
        data: String,
    },
    /// There is no answer, or no more of it.
    Failed {
        /// The request's number.
        number: u64,
        /// Why.
        error: String,
    },
    /// A step is over. Its requests stand before it.
    Step {
        /// The step.
        step: Box<StepRecord>,
    },
    /// A `log` step says something.
    Log {
        /// What.
        text: String,
    },
    /// The attempt is over.
    End {
        /// What became of it.
        status: Status,
        /// How long it took.
        duration_ms: f64,
        /// What went wrong outside of steps.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        failures: Vec<FailureRecord>,
        /// Lines that are not here, because the trace became too long.
        #[serde(default)]
        left_out: usize,
    },
}
