//! From what the engine tells to what is kept of it: masked, and cut to a size that reports can bear.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{
    BodyRecord, CallerRecord, FailureRecord, Phase, Place, RequestRecord, ResponseRecord, StepRecord,
    StepStatus, StreamEvent, StreamRecord,
};
use crate::agentos::operation::Payload;
use crate::agentos::{Exchange, SentRequest, Transcript};
use crate::diagnostic::{Problem, Style};
use crate::engine;
use crate::secret::Masker;
use crate::source::Span;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body in a step that failed.
    pub body_of_failed: usize,
    /// Bytes of a body in a step that passed.
    pub body_of_passed: usize,
    /// Events of a stream, equal ones in a row counted once.
    pub events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_of_failed: 32 << 10, body_of_passed: 2 << 10, events: 200 }
    }
}

/// The bytes of any other text that are kept.
const TEXT: usize = 16 << 10;
/// The bytes of what an event of a stream says.
const EVENT_TEXT: usize = 200;
/// How failures are drawn: for logs.
const PLAIN: Style = Style { color: false, unicode: true, width: 100 };

/// Makes records.
#[derive(Debug, Clone)]
pub struct Builder {
    masker: Masker,
    limits: Limits,
}

impl Builder {
    /// Records without what `masker` knows.
    pub fn new(masker: Masker, limits: Limits) -> Self {
        Self { masker, limits }
    }

    /// `text` without secrets, cut where it is very long.
    pub fn text(&self, text: &str) -> String {
        let (mut shown, cut) = self.masker.mask_start(text, TEXT);
        if cut {
            shown.push('…');
        }
        shown
    }

    /// A step that ended, and began at `start` of its attempt.
    pub fn step(&self, step: &engine::StepReport, start: Duration) -> StepRecord {
        let failed = matches!(step.status, engine::StepStatus::Failed | engine::StepStatus::SoftFailed);
        let body = if failed { self.limits.body_of_failed } else { self.limits.body_of_passed };
        let (status, reason) = match &step.status {
            engine::StepStatus::Passed => (StepStatus::Passed, None),
            engine::StepStatus::Failed => (StepStatus::Failed, None),
            engine::StepStatus::SoftFailed => (StepStatus::SoftFailed, None),
            engine::StepStatus::Skipped(reason) => (StepStatus::Skipped, Some(self.text(reason))),
        };
        StepRecord {
            title: self.text(&step.title),
            action: step.action.clone(),
            phase: match step.phase {
                engine::Phase::Setup => Phase::Setup,
                engine::Phase::Steps => Phase::Steps,
                engine::Phase::Finally => Phase::Finally,
            },
            place: self.place(&step.span),
            callers: step
                .callers
                .iter()
                .map(|caller| CallerRecord {
                    title: self.text(&caller.title),
                    place: self.place(&caller.span),
                })
                .collect(),
            status,
            reason,
            start_ms: milliseconds(start),
            duration_ms: milliseconds(step.duration),
            checks: step.checks,
            failures: step
                .failures
                .iter()
                .map(|failure| self.failure(&failure.problem, failure.diff.as_deref()))
                .collect(),
            notes: step.notes.iter().map(|note| self.text(note)).collect(),
            request: step.request.as_ref().map(|request| self.request(request, body, failed)),
            response: step.exchange.as_ref().map(|exchange| self.response(exchange, body)),
            stream: step.transcript.as_ref().map(|transcript| self.stream(transcript)),
        }
    }

    /// What went wrong.
    pub fn failure(&self, problem: &Problem, diff: Option<&str>) -> FailureRecord {
        FailureRecord {
            code: problem.code.to_owned(),
            message: self.text(&problem.message),
            help: problem.help.as_deref().map(|help| self.text(help)),
            place: problem.span().map(|span| self.place(span)),
            diff: diff.map(|diff| self.text(diff)),
            text: self.text(&problem.masked(|text| self.masker.mask(text)).render(PLAIN)),
        }
    }

    fn place(&self, span: &Span) -> Place {
        let position = span.position();
        Place { file: self.text(span.source().name()), line: position.line, column: position.column }
    }

    /// A request of which so many bytes of the body are kept.
    pub fn request(&self, request: &SentRequest, limit: usize, with_curl: bool) -> RequestRecord {
        RequestRecord {
            method: request.method.to_owned(),
            url: self.text(&request.url),
            headers: self.pairs(&request.headers),
            body: payload(&request.payload).map(|text| self.body(text.as_bytes(), limit)),
            curl: with_curl.then(|| self.text(&request.curl())),
        }
    }

    /// An answer of which so many bytes of the body are kept.
    pub fn response(&self, exchange: &Exchange, limit: usize) -> ResponseRecord {
        ResponseRecord {
            status: exchange.status,
            headers: self.pairs(&exchange.headers),
            first_byte_ms: milliseconds(exchange.first_byte),
            duration_ms: milliseconds(exchange.duration),
            body: (!exchange.body.is_empty()).then(|| self.body(&exchange.body, limit)),
        }
    }

    /// Names and values, of headers for example.
    pub fn pairs(&self, pairs: &[(String, String)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (self.text(name), self.text(value))).collect()
    }

    fn body(&self, body: &[u8], limit: usize) -> BodyRecord {
        let bytes = body.len();
        // What lies far behind the limit need not be looked at.
        let start = &body[..bytes.min(limit + self.masker.longest() + 8)];
        // Nearly all of them are UTF-8, which is found out faster than what is not is replaced.
        let text = str::from_utf8(start).map_or_else(|_| String::from_utf8_lossy(start), Cow::Borrowed);
        let (text, cut) = self.masker.mask_start(&text, limit);
        BodyRecord { text, bytes, cut: cut || start.len() < bytes }
    }

    fn stream(&self, transcript: &Transcript) -> StreamRecord {
        let mut events: Vec<StreamEvent> = Vec::new();
        // More than is shown: what the end of it cuts in two would not be known as a secret.
        let most = EVENT_TEXT + self.masker.longest();
        let in_short =
            |text: &str| (!text.is_empty()).then(|| text.chars().take(most + 1).collect::<String>());
        for event in transcript.events() {
            let (name, at) = (event.name.as_ref(), event.at);
            let said = match event.delta() {
                Some(text) => in_short(text),
                None => says(event.data()).and_then(|text| in_short(&text)),
            };
            if let Some(last) = events.last_mut().filter(|last| last.name == name) {
                last.times += 1;
                last.until_ms = Some(milliseconds(at));
                if let (Some(text), Some(said)) = (&mut last.text, said)
                    && text.len() <= most
                {
                    text.push_str(&said);
                }
            } else if events.len() < self.limits.events {
                let at_ms = milliseconds(at);
                events.push(StreamEvent {
                    at_ms,
                    name: name.to_owned(),
                    times: 1,
                    until_ms: None,
                    text: said,
                });
            }
        }
        for event in &mut events {
            event.name = self.text(&event.name);
            if let Some(text) = &mut event.text {
                let (shown, cut) = self.masker.mask_start(text, EVENT_TEXT);
                *text = if cut { format!("{shown}…") } else { shown };
            }
        }
        StreamRecord { ttft_ms: transcript.ttft().map(milliseconds), count: transcript.count(), events }
    }
}

/// Milliseconds, to the microsecond.
pub(in crate::report) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// What an event says.
pub(in crate::report) fn says(event: &Map<String, Value>) -> Option<Cow<'_, str>> {
    let text = |name: &str| {
        let text = event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.map(Cow::Borrowed)
    };
    let tool = || {
        let tool = event.get("tool")?;
        let name = tool.get("tool_name")?.as_str()?;
        let arguments = tool.get("tool_args").filter(|arguments| !arguments.is_null());
        Some(arguments.map_or(Cow::Borrowed(name), |arguments| format!("{name} {arguments}").into()))
    };
    tool().or_else(|| text("error")).or_else(|| text("content")).or_else(|| text("step_name"))
}

/// The body of a request as text.
fn payload(payload: &Payload) -> Option<String> {
    let lines = |pairs: &[(String, String)]| -> String {
        pairs.iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    };
    Some(match payload {
        Payload::Empty => return None,
        Payload::Json(value) => value.to_string(),
        Payload::Text(text) => text.clone(),
        Payload::Form(pairs) | Payload::Multipart(pairs) => lines(pairs),
        Payload::Upload { fields, files } => {
            let mut text = lines(fields);
            for file in files {
                text.push_str(&format!("{}=(file {}, {})\n", file.field, file.filename, file.content_type));
            }
            text
        }
    })
}
