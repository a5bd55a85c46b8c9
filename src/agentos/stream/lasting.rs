//! Streams of runs in the background outlive their connection: they are taken up again behind the last event that came.

use std::time::Duration;

use super::Opened;
use crate::agentos::error::{Error, ErrorKind};
use crate::agentos::event::{Component, RunEvent};
use crate::agentos::operation::BoxFuture;
use crate::agentos::runs::{Beginning, RunRef};
use crate::agentos::transport::{CallOptions, Client};

/// How often a broken stream is taken up again where nothing is said.
const TIMES: u32 = 3;

/// The pause before the first time; each further one is twice as long.
const DELAY: Duration = Duration::from_millis(100);

/// What is known of a run whose stream can be taken up again.
pub(super) struct Lasting {
    client: Client,
    options: CallOptions,
    component: Component,
    component_id: String,
    run_id: Option<String>,
    session_id: Option<String>,
    /// The number of the last event.
    last_index: Option<i64>,
    /// Whether an event came.
    begun: bool,
    /// Whether the run has ended, so that an end of the stream is none too early.
    pub(super) ended: bool,
    times: u32,
    pub(super) tried: u32,
    /// What the connection died of, while it is being replaced, and whether one has been replaced.
    broken: Option<ErrorKind>,
    resumed: bool,
    opening: Option<BoxFuture<'static, Result<Opened, Error>>>,
}

/// What becomes of an event of a stream that may have been taken up again.
pub(super) enum Admission {
    /// It is new.
    Event,
    /// It has come before, or says something of the stream itself.
    Skip,
    /// It is the first one after others that will never come, or says that there is no such run.
    Lost(String),
}

impl Lasting {
    pub(super) fn new(
        client: &Client,
        options: &CallOptions,
        component: Component,
        run: Beginning<'_>,
    ) -> Self {
        Self {
            client: client.clone(),
            options: options.clone(),
            component,
            component_id: run.component_id.to_owned(),
            run_id: run.run_id.map(str::to_owned),
            session_id: run.session_id.map(str::to_owned),
            last_index: None,
            begun: false,
            ended: false,
            times: options.resume.unwrap_or(TIMES),
            tried: 0,
            broken: None,
            resumed: false,
            opening: None,
        }
    }

    /// Takes note of an event.
    pub(super) fn admit(&mut self, event: &RunEvent) -> Admission {
        if self.resumed && event.is_frame() {
            return match (event.name.as_ref(), event.text("error")) {
                ("error", why) => Admission::Lost(why.unwrap_or("it says no more than `error`").to_owned()),
                _ => Admission::Skip,
            };
        }
        if let Some(index) = event.event_index() {
            match self.last_index {
                Some(last) if self.resumed && !event.follows(index, last) => return Admission::Skip,
                Some(last) if self.resumed && index > last + 1 => {
                    return Admission::Lost(format!("the events {} to {} are lost", last + 1, index - 1));
                }
                _ => self.last_index = Some(index),
            }
        }
        self.begun = true;
        let own = event.component() == Some(self.component) && !event.is_nested();
        if own {
            // The server's word counts: agno 3.1.10 gives some runs in the background another id than was asked for.
            let learn = |known: &mut Option<String>, value: Option<&str>| {
                if let Some(value) = value.filter(|value| known.as_deref() != Some(value)) {
                    *known = Some(value.to_owned());
                }
            };
            learn(&mut self.run_id, event.run_id());
            learn(&mut self.session_id, event.text("session_id"));
            self.ended |= event.is_terminal();
        }
        Admission::Event
    }

    /// Begins to replace a connection that died of `cause`; gives the cause back where that cannot be.
    pub(super) fn replace(&mut self, cause: ErrorKind) -> Result<(), ErrorKind> {
        // Before its first event, all of them are wanted; later, a stream without numbers cannot be continued.
        let resumable = self.last_index.is_some() || !self.begun;
        let Some(run_id) = self.run_id.clone().filter(|_| resumable && !self.ended) else {
            return Err(cause);
        };
        if self.tried >= self.times {
            return Err(cause);
        }
        let delay = DELAY * 2_u32.saturating_pow(self.tried.min(5));
        self.tried += 1;
        self.broken.get_or_insert(cause);
        let run = RunRef {
            component: self.component,
            component_id: self.component_id.clone(),
            run_id,
            session_id: self.session_id.clone(),
        };
        let (client, options, last) = (self.client.clone(), self.options.clone(), self.last_index);
        self.opening = Some(Box::pin(async move {
            tokio::time::sleep(delay).await;
            client.resume_run(&run, last, &options).await
        }));
        Ok(())
    }

    /// The request for a new connection, while one is wanted.
    pub(super) fn opening(&mut self) -> Option<&mut BoxFuture<'static, Result<Opened, Error>>> {
        self.opening.as_mut()
    }

    /// What came of it: the new stream, and what a reader should know; or why there is none.
    pub(super) fn opened(
        &mut self,
        opened: Result<Opened, Error>,
    ) -> Result<Option<(Box<super::RunStream>, String)>, ErrorKind> {
        self.opening = None;
        let why = match opened {
            Ok(Opened::Stream(stream)) => {
                let behind = match self.last_index {
                    Some(index) => format!("behind event {index}"),
                    None => "from its first event".to_owned(),
                };
                let cause = self.broken.take().map(|cause| cause.to_string()).unwrap_or_default();
                self.resumed = true;
                return Ok(Some((stream, format!("{cause}; it was taken up again {behind}"))));
            }
            Ok(Opened::Answer(exchange)) => {
                let why = format!("was refused with {}: {}", exchange.status, exchange.refusal());
                if exchange.status < 500 && exchange.status != 429 {
                    self.tried = self.times;
                }
                why
            }
            Err(error) => format!("failed: {error}"),
        };
        match self.broken.take().map(|cause| self.replace(cause)) {
            Some(Err(cause)) => Err(given_up(cause, &format!("taking it up again {why}"))),
            _ => Ok(None),
        }
    }
}

/// The cause of death, and that nothing could be done.
fn given_up(cause: ErrorKind, why: &str) -> ErrorKind {
    match cause {
        ErrorKind::Interrupted { received, progress, cause } => {
            ErrorKind::Interrupted { received, progress, cause: format!("{cause}; {why}") }
        }
        ErrorKind::Incomplete(message) => ErrorKind::Incomplete(format!("{message}; {why}")),
        other => other,
    }
}
