//! The answer to a step's request: in the words of the language, held against its expectations, saved.

use std::sync::Arc;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::Target;
use super::context::{Context, answer_field};
use super::event::{Failure, Unanswered};
use super::request::{Received, Request};
use crate::agentos::{self, Exchange, SentRequest, Transcript};
use crate::diagnostic::Problem;
use crate::expect::Verdict;
use crate::expr::Scope;
use crate::outcome::{Outcome, StreamOutcome};
use crate::scenario::{Action, SaveFrom, Step};

/// What a step brought, before it is reported.
#[derive(Default)]
pub(super) struct Done {
    pub(super) failures: Vec<Failure>,
    pub(super) request: Option<SentRequest>,
    pub(super) exchange: Option<Arc<Exchange>>,
    pub(super) transcript: Option<Arc<Transcript>>,
    pub(super) notes: Vec<String>,
    pub(super) unanswered: Option<Unanswered>,
    pub(super) checks: usize,
    pub(super) stopped: bool,
    /// Whether nothing failed but snapshots: what follows does not depend on them.
    pub(super) goes_on: bool,
}

impl Done {
    pub(super) fn failed(problem: Problem) -> Self {
        Self { failures: vec![problem.into()], ..Self::default() }
    }
}

/// The expectations of a step, and those that every step has: the request is not refused, the run does not fail.
pub(super) fn check(step: &Step, outcome: &Outcome, scope: &Scope) -> Done {
    let refused = outcome.status.is_none_or(|status| status >= 300);
    // What is waited for is expected as well: a session that is gone, a run that is cancelled.
    let accepted =
        std::iter::once(&step.expect).chain(step.until.as_ref().map(|until| &until.expect)).any(|expect| {
            let names = |status| expect.names_status() && expect.may_accept_status(status);
            expect.expects_failed_run() || refused && outcome.status.is_some_and(names)
        });
    if let Some(error) = outcome.error.as_deref().filter(|_| !accepted) {
        let name = &step.action_key.name;
        let (code, message) = match outcome.status {
            None => ("request::failed", format!("{name}: {error}")),
            Some(status) if status >= 300 => {
                ("request::refused", format!("{name} was refused with {status}: {error}"))
            }
            Some(_) if outcome.is_unfinished_stream() => ("stream::incomplete", format!("{name}: {error}")),
            Some(_) => ("run::failed", format!("{name}: {error}")),
        };
        // A status that was named says it better, at its own place.
        if !(refused && step.expect.names_status() && outcome.status.is_some()) {
            let mut done = Done::failed(
                Problem::error(code, message)
                    .label(&step.action_key.span, "in this step")
                    .maybe_help(help(code, outcome)),
            );
            // What a failed run answered can still be held against the rest; of a refusal there is nothing to say.
            if !refused {
                let rest = checked(&step.expect.evaluate(Some(outcome), scope));
                done.failures.extend(rest.failures);
                done.checks += rest.checks;
            }
            done.checks += 1;
            return done;
        }
    }
    let mut done = checked(&step.expect.evaluate(Some(outcome), scope));
    if let (true, Some(error)) = (refused && !done.failures.is_empty(), &outcome.error)
        && let Some(first) = done.failures.first_mut()
    {
        first.problem = first.problem.clone().help(format!("the server said: {error}"));
    }
    done
}

/// What a reader can do about a step that failed.
fn help(code: &str, outcome: &Outcome) -> Option<String> {
    if code == "run::failed" {
        return Some("a step that expects a failure names `error:`, or `$.status: ERROR`".to_owned());
    }
    if code == "stream::incomplete" {
        let ends = "RunCompleted, RunPaused, RunCancelled or RunError, with Team or Workflow for Run";
        return Some(format!("the last event of a run is {ends}"));
    }
    let asked = agentos::retry_after(&outcome.headers).filter(|wait| !wait.is_zero());
    let wait = asked.filter(|_| code == "request::refused")?;
    let status = outcome.status?;
    Some(format!(
        "the server asks to wait {} s (Retry-After): `retry: {{ attempts: 3, on: [{status}] }}` waits so long and asks again",
        wait.as_secs()
    ))
}

/// Where a request was refused because it names what is not there, tells what there is.
pub(super) async fn name_what_is_there(
    step: &Step,
    outcome: &Outcome,
    target: &Target,
    scope: &Scope,
    done: &mut Done,
) {
    let (Some(404), Action::Operation(action)) = (outcome.status, &step.action) else { return };
    let Some(failure) = done.failures.first_mut().filter(|failure| failure.problem.help.is_none()) else {
        return;
    };
    for (key, template) in &action.fields {
        let Ok(Value::String(id)) = template.resolve(scope) else { continue };
        if let Some(help) = target.missing(&key.name, &id).await {
            failure.problem.help = Some(help);
            return;
        }
    }
}

/// Keeps what the step saves. What is there is kept even where an expectation failed: `finally` needs it.
pub(super) fn save(step: &Step, outcome: &Outcome, context: &mut Context, done: &mut Done) {
    let failed = !done.failures.is_empty();
    for save in &step.save {
        let value = match &save.from {
            SaveFrom::Body => Ok(outcome.body.clone().unwrap_or_else(|| json!(outcome.text))),
            SaveFrom::Path(path) => {
                outcome.body.as_ref().and_then(|body| path.select(body)).ok_or_else(|| {
                    Problem::error(
                        "step::save",
                        format!(
                            "`{path}` matches nothing in the answer, so `{}` cannot be saved",
                            save.name.name
                        ),
                    )
                    .label(&save.span, "no match")
                    .maybe_help(keys_of(outcome.body.as_ref()))
                })
            }
            SaveFrom::Target(name) => answer_field(outcome, name).ok_or_else(|| {
                Problem::error(
                    "step::save",
                    format!("the answer has no `{name}`, so `{}` cannot be saved", save.name.name),
                )
                .label(&save.span, "nothing there")
            }),
            SaveFrom::Expression(template) => template.resolve(&context.scope),
        };
        match value {
            Ok(value) => context.set(&save.name.name, &value),
            // After a failed expectation it is a consequence, not a second cause.
            Err(_) if failed => {}
            Err(problem) => done.failures.push(problem.into()),
        }
    }
}

pub(super) fn checked(verdicts: &[Verdict]) -> Done {
    let failures = verdicts
        .iter()
        .filter(|verdict| !verdict.passed)
        .map(|verdict| Failure { problem: verdict.to_problem(), diff: verdict.diff.clone() })
        .collect();
    Done { failures, checks: verdicts.len(), ..Done::default() }
}

fn keys_of(body: Option<&Value>) -> Option<String> {
    let keys: Vec<&str> = body?.as_object()?.keys().map(String::as_str).collect();
    (!keys.is_empty()).then(|| format!("the answer has: {}", keys.join(", ")))
}

/// An answer in the words of the language.
///
/// Where nobody reads the body, which is so for most steps of bulk work, it is looked at and not built.
pub(super) fn outcome_of(received: &Received, request: &Request, step: &Step) -> Outcome {
    let exchange = &received.exchange;
    let read = request.starts_run() || step.reads_answer() || exchange.status >= 300;
    if !read && (!request.answers_json() || serde_json::from_slice::<IgnoredAny>(&exchange.body).is_ok()) {
        return Outcome {
            status: Some(exchange.status),
            headers: exchange.headers.clone(),
            duration: exchange.duration,
            ..Outcome::default()
        };
    }
    let body: Option<Value> = serde_json::from_slice(&exchange.body).ok();
    // Checked at once where nothing is to be replaced: `from_utf8_lossy` goes from character to character.
    let text = str::from_utf8(&exchange.body)
        .map_or_else(|_| String::from_utf8_lossy(&exchange.body).into_owned(), str::to_owned);
    let transcript = received.transcript.as_deref();
    // Redirects are not followed: the credentials are meant for the target alone.
    let error = if exchange.status >= 300 {
        Some(agentos::refusal_message(exchange.status, &exchange.headers, &exchange.body))
    } else if let Some(incomplete) = transcript.and_then(Transcript::incomplete) {
        Some(incomplete)
    } else {
        match &body {
            Some(body) => {
                let failed = transcript.and_then(Transcript::error).map(str::to_owned);
                failed.or_else(|| agentos::run::failure_of(body, step.allow_failed_steps))
            }
            None => request.answers_json().then(|| not_json(exchange, &text)).flatten(),
        }
    };
    let stream = received.transcript.clone().map(StreamOutcome::new);
    Outcome {
        status: Some(exchange.status),
        headers: exchange.headers.clone(),
        text,
        body,
        duration: exchange.duration,
        ttft: transcript.and_then(Transcript::ttft),
        stream,
        error,
    }
}

/// What must hold of every stream and does not, without what the step switches off.
pub(super) fn violations(transcript: &Transcript, step: &Step) -> Vec<Failure> {
    transcript
        .violations()
        .into_iter()
        .filter(|violation| !step.waived.contains(&violation.kind))
        .map(|violation| {
            Problem::error("stream::invariant", format!("the stream is not as it should be: {violation}"))
                .label(&step.action_key.span, "in this step")
                .help(format!(
                    "`invariants: {{ {}: false }}` switches this check off",
                    violation.kind.as_str()
                ))
                .into()
        })
        .collect()
}

/// What came where the answer of an operation should be JSON: often the page of a proxy that wants a login.
fn not_json(exchange: &Exchange, text: &str) -> Option<String> {
    if exchange.status == 204 {
        return None;
    }
    let text = text.trim();
    if text.is_empty() {
        return Some("the answer is empty where JSON was expected".to_owned());
    }
    let kind = exchange
        .headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or("", |(_, value)| value.as_str());
    let begin: String = text.chars().take(60).collect::<String>().replace(['\n', '\r'], " ");
    let kind = if kind.is_empty() { "no content-type".to_owned() } else { kind.to_owned() };
    Some(format!("the answer is not JSON ({kind}); it begins with `{begin}`"))
}
