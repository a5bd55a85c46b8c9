//! Runs that are answered as a stream of events: read as they come, with a clock for the pauses and one for all of it.
//!
//! [`Operation::open`](super::Operation::open) opens the stream of a run with `stream: true`. It is a
//! [`Stream`] of [`RunEvent`]s, typed as far as this crate knows them; a [`Transcript`] puts them
//! together.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::agents::RunAgent;
//! # use agentos_run::agentos::{CallOptions, Component, Opened, Operation as _, Transcript};
//! # use futures_util::StreamExt as _;
//! let ask = RunAgent { agent_id: "slow".into(), message: "20 words".into(), stream: true, ..RunAgent::default() };
//! if let Opened::Stream(mut stream) = ask.open(client, &CallOptions::default()).await? {
//!     let mut transcript = Transcript::new(Component::Agent);
//!     while let Some(event) = stream.next().await {
//!         let event = event?;
//!         print!("{}", event.delta().unwrap_or_default());
//!         transcript.push(event);
//!     }
//!     println!("{:?}, first word after {:?}", transcript.ending(), transcript.ttft());
//! }
//! # Ok(())
//! # }
//! ```

mod lasting;

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::Sleep;

use self::lasting::{Admission, Lasting};
use super::error::{Error, ErrorKind, Phase, Progress};
use super::event::{Component, RunEvent};
use super::runs::Beginning;
use super::sse::Decoder;
use super::transcript::Transcript;
use super::transport::{CallOptions, Client, Exchange, Head, Heard, Incoming, SentRequest, Tapped};

/// What came of a request for a stream.
#[derive(Debug)]
pub enum Opened {
    /// The stream, of which nothing has been read yet.
    Stream(Box<RunStream>),
    /// Another answer, whole: a refusal, or something that is no `text/event-stream`, such as the 202 of a run that goes
    /// to the background.
    Answer(Box<Exchange>),
}

impl Opened {
    /// Reads it to its end. The body of the exchange is put together from the events: see
    /// [`Transcript::into_exchange`]. A stream that ends before its run is [`ErrorKind::Incomplete`].
    pub async fn collect(self, component: Component) -> Result<Exchange, Error> {
        let mut stream = match self {
            Self::Answer(exchange) => return Ok(*exchange),
            Self::Stream(stream) => stream,
        };
        let mut transcript = Transcript::new(component).without_events();
        while let Some(event) = stream.next().await {
            transcript.push(event?);
        }
        if let Some(message) = transcript.incomplete() {
            return Err(Error {
                kind: ErrorKind::Incomplete(message),
                request: Some(Box::new(stream.head.request)),
            });
        }
        let mut exchange = transcript.into_exchange(stream.head, stream.timings.duration);
        exchange.notes.append(&mut stream.notes);
        Ok(exchange)
    }
}

/// The events of a run as they come.
///
/// It is to be read to its end, also behind the event that ends the run: agno 3.1.10 stores the run of a workflow only
/// then. To drop it earlier closes the connection, and the server cancels the run unless it is one in the background.
/// After an error there is nothing more.
///
/// The stream of a run in the background is taken up again where its connection breaks, as often as
/// [`CallOptions::resume`] says: no event is lost or comes twice, and what the server says of the stream itself is left out.
pub struct RunStream {
    head: Head,
    body: Incoming,
    decoder: Option<Decoder>,
    ready: VecDeque<Result<RunEvent, ErrorKind>>,
    idle: Option<Idle>,
    total: Option<(Duration, Pin<Box<Sleep>>)>,
    timings: Timings,
    progress: Progress,
    /// Whether it is a workflow's, whose text is that of its steps.
    of_workflow: bool,
    lasting: Option<Box<Lasting>>,
    notes: Vec<String>,
    tapped: Option<Tapped>,
}

/// The clock of silence. It is set anew only when it runs out: pieces come by the hundred thousand.
struct Idle {
    after: Duration,
    heard: Instant,
    clock: Pin<Box<Sleep>>,
}

impl Idle {
    /// None where so long a time never ends.
    fn new(after: Duration) -> Option<Self> {
        let heard = Instant::now();
        let until = heard.checked_add(after)?;
        Some(Self { after, heard, clock: Box::pin(tokio::time::sleep_until(until.into())) })
    }

    /// Ready when nothing was heard for so long.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.clock.as_mut().poll(context).is_ready() {
            match self.heard.checked_add(self.after) {
                Some(until) if until > Instant::now() => self.clock.as_mut().reset(until.into()),
                _ => return Poll::Ready(()),
            }
        }
        Poll::Pending
    }
}

/// The times of a stream, each counted from sending the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// When the head of the answer came.
    pub first_byte: Duration,
    /// When the first event came.
    pub first_event: Option<Duration>,
    /// When the first piece of an answer came, a member's or a step's included.
    pub first_content: Option<Duration>,
    /// When the last event came.
    pub last_event: Option<Duration>,
    /// The longest time without an event, before the first one included.
    pub longest_gap: Duration,
    /// The end of the stream; until then, its latest sign of life.
    pub duration: Duration,
    /// How many events came.
    pub events: usize,
    /// How many bytes of the body came.
    pub bytes: usize,
}

impl RunStream {
    pub(super) fn new(head: Head, body: Incoming, idle: Option<Duration>, total: Option<Duration>) -> Self {
        let started = head.started;
        let clock = |after: Duration, from: Instant| {
            from.checked_add(after).map(|until| (after, Box::pin(tokio::time::sleep_until(until.into()))))
        };
        let timings =
            Timings { first_byte: head.first_byte, duration: head.first_byte, ..Timings::default() };
        Self {
            body,
            decoder: Some(Decoder::new()),
            ready: VecDeque::new(),
            idle: idle.and_then(Idle::new),
            total: total.and_then(|after| clock(after, started)),
            timings,
            head,
            progress: Progress::default(),
            of_workflow: false,
            lasting: None,
            notes: Vec::new(),
            tapped: None,
        }
    }

    /// Lets it outlive its connection: it is that of a run in the background.
    pub(super) fn survive(
        &mut self,
        client: &Client,
        options: &CallOptions,
        component: Component,
        run: Beginning<'_>,
    ) {
        self.lasting = Some(Box::new(Lasting::new(client, options, component, run)));
    }

    /// The request.
    pub fn request(&self) -> &SentRequest {
        &self.head.request
    }

    /// The status, headers and time of the answer's head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The times so far.
    pub fn timings(&self) -> Timings {
        self.timings
    }

    /// How far it came.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// What a reader should know of how it was read: where it broke and was taken up again.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn elapsed(&self) -> Duration {
        self.head.started.elapsed()
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { kind, request: Some(Box::new(self.head.request.clone())) }
    }

    /// Nothing more is read.
    fn stop(&mut self) {
        self.decoder = None;
        self.ready.clear();
        self.lasting = None;
        self.body = Incoming::nothing();
        self.timings.duration = self.elapsed();
    }

    fn take(&mut self, piece: &Bytes) {
        let now = Instant::now();
        let at = now.saturating_duration_since(self.head.started);
        self.timings.duration = at;
        self.timings.bytes += piece.len();
        self.still_alive(now);
        let Some(decoder) = &mut self.decoder else { return };
        let ready = &mut self.ready;
        let fed = decoder.feed(piece, |frame| match RunEvent::read(&frame, at) {
            Ok(Some(event)) => ready.push_back(Ok(event)),
            Ok(None) => {}
            Err(cause) => ready.push_back(Err(ErrorKind::Unreadable(cause))),
        });
        if let Err(error) = fed {
            self.ready.push_back(Err(ErrorKind::Unreadable(error.to_string())));
        }
    }

    /// The end of the body. An event that is whole but for the blank line behind it still counts.
    fn end(&mut self) {
        let at = self.elapsed();
        self.timings.duration = at;
        let Some(unfinished) = self.decoder.take().and_then(Decoder::finish) else { return };
        let frame = super::sse::Event {
            name: unfinished.name.map(Into::into),
            data: unfinished.data.into(),
            id: None,
        };
        self.ready.push_back(match RunEvent::read(&frame, at) {
            Ok(Some(event)) => Ok(event),
            Ok(None) => return,
            Err(_) => Err(self.interrupted("it ended within an event")),
        });
    }

    fn interrupted(&self, cause: impl Into<String>) -> ErrorKind {
        ErrorKind::Interrupted {
            received: self.timings.bytes,
            progress: Some(self.progress.clone()),
            cause: cause.into(),
        }
    }

    /// Tells of its head, and from now on of its events.
    pub(super) fn tap(&mut self, tapped: Tapped) {
        tapped.hear(&Heard::Opened(&self.head));
        self.tapped = Some(tapped);
    }

    fn count(&mut self, event: &RunEvent) {
        if let Some(tapped) = &self.tapped {
            tapped.hear(&Heard::Event(event));
        }
        let timings = &mut self.timings;
        timings.events += 1;
        timings.first_event.get_or_insert(event.at);
        if timings.first_content.is_none() && event.is_content() {
            timings.first_content = Some(event.at);
        }
        let gap = event.at.saturating_sub(timings.last_event.unwrap_or_default());
        timings.longest_gap = timings.longest_gap.max(gap);
        timings.last_event = Some(event.at);
        let progress = &mut self.progress;
        progress.events += 1;
        self.of_workflow |= event.name == "WorkflowStarted";
        if self.of_workflow || !event.is_nested() {
            progress.characters += event.delta().map_or(0, |text| text.chars().count());
        }
        progress.last = Some(event.name.clone());
    }

    /// The next event that the bytes so far hold, and whether it is one to be given.
    fn next_ready(&mut self) -> Option<Result<RunEvent, ErrorKind>> {
        loop {
            let event = match self.ready.pop_front()? {
                Ok(event) => event,
                Err(ErrorKind::Unreadable(why)) => {
                    let came = self.progress.after();
                    return Some(Err(ErrorKind::Unreadable(format!("{why} (the stream was cut {came})"))));
                }
                Err(kind) => return Some(Err(kind)),
            };
            match self.lasting.as_mut().map(|lasting| lasting.admit(&event)) {
                None | Some(Admission::Event) => {
                    self.count(&event);
                    return Some(Ok(event));
                }
                Some(Admission::Skip) => {}
                Some(Admission::Lost(why)) => {
                    let came = self.progress.after();
                    let why = format!("the stream broke off {came} and cannot be taken up again: {why}");
                    return Some(Err(ErrorKind::Incomplete(why)));
                }
            }
        }
    }

    /// The connection is dead. Gives the cause where there will be no other.
    fn replace(&mut self, cause: ErrorKind) -> Result<(), ErrorKind> {
        let Some(lasting) = &mut self.lasting else { return Err(cause) };
        lasting.replace(cause)?;
        self.body = Incoming::nothing();
        self.decoder = Some(Decoder::new());
        Ok(())
    }

    /// What to do where the body is over: nothing, unless it is that of a run that outlives it and has not ended.
    fn ended_early(&mut self) -> Option<Result<(), ErrorKind>> {
        let lasting = self.lasting.as_ref().filter(|lasting| !lasting.ended)?;
        let tried = lasting.tried > 0;
        let message = format!("the stream ended before its run did, {}", self.progress.after());
        let replaced = self.replace(ErrorKind::Incomplete(message));
        (tried || replaced.is_ok()).then_some(replaced)
    }

    /// Looks for the connection that takes the place of a dead one. Ready where there is nothing to look for.
    fn poll_replaced(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ErrorKind>> {
        while let Some(lasting) = &mut self.lasting
            && let Some(opening) = lasting.opening()
        {
            let Poll::Ready(opened) = opening.as_mut().poll(context) else { return Poll::Pending };
            if let Some((stream, note)) = lasting.opened(opened)? {
                self.body = stream.body;
                self.notes.push(note);
                self.still_alive(Instant::now());
            }
        }
        Poll::Ready(Ok(()))
    }

    fn still_alive(&mut self, now: Instant) {
        if let Some(idle) = &mut self.idle {
            idle.heard = now;
        }
    }

    fn fail(&mut self, kind: ErrorKind) -> Poll<Option<Result<RunEvent, Error>>> {
        if let Some(tapped) = &self.tapped {
            tapped.hear(&Heard::Failed(&kind));
        }
        self.stop();
        Poll::Ready(Some(Err(self.error(kind))))
    }
}

impl Stream for RunStream {
    type Item = Result<RunEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            match this.next_ready() {
                Some(Ok(event)) => return Poll::Ready(Some(Ok(event))),
                Some(Err(kind @ ErrorKind::Interrupted { .. })) => {
                    if let Err(kind) = this.replace(kind) {
                        return this.fail(kind);
                    }
                }
                Some(Err(kind)) => return this.fail(kind),
                None if this.decoder.is_none() => match this.ended_early() {
                    None => return Poll::Ready(None),
                    Some(Ok(())) => {}
                    Some(Err(kind)) => return this.fail(kind),
                },
                None => {}
            }
            // Before the bytes: a server that never stops sending must not outrun the clock.
            if let Some((after, clock)) = &mut this.total
                && clock.as_mut().poll(context).is_ready()
            {
                let progress = Some(this.progress.clone());
                let kind = ErrorKind::Timeout { phase: Phase::Total, after: *after, progress };
                return this.fail(kind);
            }
            match this.poll_replaced(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(kind)) => return this.fail(kind),
                Poll::Pending => return Poll::Pending,
            }
            match this.body.poll_next(context) {
                Poll::Ready(Some(Ok(piece))) => this.take(&piece),
                Poll::Ready(None) => this.end(),
                Poll::Ready(Some(Err(cause))) => {
                    let kind = this.interrupted(cause);
                    if let Err(kind) = this.replace(kind) {
                        return this.fail(kind);
                    }
                }
                Poll::Pending => {
                    if let Some(idle) = &mut this.idle
                        && idle.poll(context).is_ready()
                    {
                        let progress = Some(this.progress.clone());
                        let kind = ErrorKind::Timeout { phase: Phase::Idle, after: idle.after, progress };
                        return this.fail(kind);
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}

impl fmt::Debug for RunStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStream")
            .field("head", &self.head)
            .field("timings", &self.timings)
            .finish_non_exhaustive()
    }
}
