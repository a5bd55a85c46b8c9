//! Sending the request of a step: prepared, sent within its time, its answer put into the words of the language.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use super::answer::{self, Done};
use super::cleanup::Before;
use super::event::{Event, Failure, Unanswered};
use super::request::{Received, Request};
use super::steps::Run;
use crate::agentos::{self, Error, ErrorKind, Exchange, SentRequest, Tap, Transcript};
use crate::diagnostic::Problem;
use crate::outcome::Outcome;
use crate::scenario::{Action, Retry, RetryOn, Step};

/// A server that has too much to do is asked again: the items of bulk work wait for it.
static PATIENT: LazyLock<Retry> = LazyLock::new(|| Retry {
    attempts: 8,
    delay: Duration::from_secs(1),
    backoff: 2.0,
    on: vec![RetryOn::Status(429)],
});

/// What came of a request: an answer, or why there is none.
pub(super) struct Arrived {
    pub(super) outcome: Outcome,
    pub(super) request: Option<SentRequest>,
    pub(super) exchange: Option<Arc<Exchange>>,
    transcript: Option<Arc<Transcript>>,
    notes: Vec<String>,
    violations: Vec<Failure>,
    unanswered: Option<Unanswered>,
}

impl Run<'_> {
    /// Sends the request of a step and holds its expectations against the answer; no answer where it was not sent.
    pub(super) async fn request(&mut self, step: &Step) -> (Done, Option<Arc<Outcome>>) {
        let arrived = match self.send(step).await {
            Ok(arrived) => arrived,
            Err(done) => return (*done, None),
        };
        let outcome = Arc::new(arrived.outcome);
        self.record_turn(step, &outcome);
        if let Some(id) = &step.id {
            self.context.keep(&id.name, &outcome);
        }
        let mut done = answer::check(step, &outcome, &self.context.scope);
        answer::save(step, &outcome, self.context, &mut done);
        answer::name_what_is_there(step, &outcome, self.target, &self.context.scope, &mut done).await;
        done.failures.extend(arrived.violations);
        let Arrived { request, exchange, transcript, notes, unanswered, .. } = arrived;
        (Done { request, exchange, transcript, notes, unanswered, ..done }, Some(outcome))
    }

    /// Who hears of the requests of this scenario.
    pub(super) fn tap(&self) -> Option<Tap> {
        self.settings.tracing.as_ref()?.tap(self.instance)
    }

    pub(super) async fn send(&self, step: &Step) -> Result<Arrived, Box<Done>> {
        let failed = |problems: Vec<Problem>| {
            let failures = problems.into_iter().map(Failure::from).collect();
            Box::new(Done { failures, ..Done::default() })
        };
        let scope = &self.context.scope;
        let identity = step.identity.as_ref().or(self.identity.as_ref());
        let ours = match &step.action {
            Action::Operation(action) => self.before_creating(step, action).await,
            _ => Ok(Before::default()),
        };
        let ours = ours.map_err(|problem| failed(vec![problem]))?;
        let request = match &step.action {
            Action::Operation(action) => {
                let action = ours.action.as_ref().unwrap_or(action);
                Request::of_operation(step, action, identity, scope, self.settings)
            }
            Action::Http(action) => Request::of_http(step, action, identity, scope, self.settings),
            _ => return Err(Box::default()),
        };
        let request = request.map_err(failed)?.tapped(self.tap());
        if let Action::Operation(action) = &step.action
            && let Some(lack) = self.target.lacks_operation(action.operation.spec).await
        {
            let name = action.operation.spec.name;
            let problem = Problem::error("operation::missing", lack)
                .label(&step.action_key.span, "nothing was sent")
                .help(format!("`requires: {{ operations: [{name}] }}` skips the scenario there"));
            return Err(failed(vec![problem]));
        }
        self.within_limit(step, request.names)?;
        let began = Instant::now();
        let mut told = |piece: &str| {
            self.observer.on(&Event::Answer { instance: self.instance.clone(), piece: piece.to_owned() });
        };
        let mut heard = None;
        let retry = step.retry.as_ref().or_else(|| self.bulk.then_some(&*PATIENT));
        let sent = request.send(self.target, retry, &mut heard, &mut told);
        // One of many items is brought to its end, so that nobody need ask what became of it.
        let sent = if self.bulk { self.stop.guard_gently(sent).await } else { self.stop.guard(sent).await };
        let (result, mut notes) = match sent {
            Ok(sent) => sent,
            Err(stopped) => {
                let notes = request.cancel(&self.target.client).await.into_iter().collect();
                let problem = self.stop.problem(&stopped, step);
                let request = request.shown(&self.target.client).map(|shown| request.repeatable(shown));
                let transcript = heard.map(Arc::new);
                return Err(Box::new(Done {
                    stopped: true,
                    request,
                    transcript,
                    notes,
                    ..Done::failed(problem)
                }));
            }
        };
        if let Err(Error { kind: ErrorKind::Timeout { .. } | ErrorKind::Interrupted { .. }, .. }) = &result {
            notes.extend(request.cancel(&self.target.client).await);
        }
        Ok(match result {
            Ok(received) => {
                notes.extend(received.exchange.notes.iter().cloned());
                let outcome = answer::outcome_of(&received, &request, step);
                let transcript = received.transcript.as_deref().filter(|_| outcome.error.is_none());
                let violations =
                    transcript.map(|transcript| answer::violations(transcript, step)).unwrap_or_default();
                let Received { exchange, transcript } = received;
                if let Action::Operation(action) = &step.action {
                    notes.extend(self.after_creating(step, action, &exchange, &ours));
                }
                let request = Some(request.repeatable(exchange.request.clone()));
                let unanswered = outcome.is_unfinished_stream().then_some(Unanswered::Lost);
                Arrived {
                    unanswered,
                    outcome,
                    request,
                    exchange: Some(Arc::new(exchange)),
                    transcript,
                    notes,
                    violations,
                }
            }
            Err(Error { kind, request: sent }) => {
                let error = Some(kind.to_string());
                let unanswered = match kind {
                    ErrorKind::Unreachable { .. }
                    | ErrorKind::Timeout { phase: agentos::Phase::Connect, .. } => {
                        Some(Unanswered::Unreached)
                    }
                    ErrorKind::Timeout { .. }
                    | ErrorKind::Interrupted { .. }
                    | ErrorKind::Unfinished(_)
                    | ErrorKind::Unreadable(_) => Some(Unanswered::Lost),
                    _ => None,
                };
                let outcome = Outcome { error, duration: began.elapsed(), ..Outcome::default() };
                Arrived {
                    unanswered,
                    outcome,
                    request: sent.map(|sent| request.repeatable(*sent)),
                    exchange: None,
                    transcript: heard.map(Arc::new),
                    notes,
                    violations: Vec::new(),
                }
            }
        })
    }

    /// Adds a turn to the transcript, where a conversation is going on.
    fn record_turn(&mut self, step: &Step, outcome: &Outcome) {
        if self.transcript.is_empty() {
            return;
        }
        let Action::Operation(action) = &step.action else { return };
        let message = action.fields.iter().find(|(key, _)| key.name == "message");
        let message = message.and_then(|(_, message)| message.resolve_text(&self.context.scope).ok());
        self.transcript.push(format!("  user: {}", message.unwrap_or_default()));
        let answer = outcome.content().map(crate::expr::as_text).or_else(|| outcome.error.clone());
        self.transcript.push(format!("  answer: {}", answer.unwrap_or_default()));
    }
}
