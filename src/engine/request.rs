//! A step's request: its fields resolved and checked, sent, and sent again where that is asked for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Settings, Target};
use futures_util::StreamExt as _;

use super::identity::Sender;
use crate::agentos::operation::{Method, Spec};
use crate::agentos::runs::RunRef;
use crate::agentos::{self, event::Component};
use crate::agentos::{
    AnyOperation, Call, CallOptions, Client, Error, ErrorKind, Exchange, Opened, Payload, Phase, SentRequest,
    Tap, Timeouts, Transcript,
};
use crate::diagnostic::{self, Problem};
use crate::expr::{Scope, as_text};
use crate::scenario::{HttpAction, HttpBody, OperationAction, Retry, RetryOn, Step};
use crate::template::Template;
use crate::yaml::Key;

/// A request that is ready to be sent.
pub(super) struct Request {
    /// The run that it starts, and whether its id is one that the file does not name.
    run: Option<(RunRef, bool)>,
    what: What,
    /// How many things it names: those of its longest list.
    pub(super) names: u64,
    options: CallOptions,
}

enum What {
    Operation(Box<dyn AnyOperation>),
    Call(Call),
}

impl Request {
    /// The request of an operation.
    pub(super) fn of_operation(
        step: &Step,
        action: &OperationAction,
        identity: Option<&Key>,
        scope: &Scope,
        settings: &Settings,
    ) -> Result<Self, Vec<Problem>> {
        let mut fields = Map::new();
        let mut problems = Vec::new();
        for (key, template) in &action.fields {
            match template.resolve(scope) {
                Ok(value) => match typed(action, key, template, value) {
                    Ok(value) => {
                        fields.insert(key.name.clone(), value);
                    }
                    Err(problem) => problems.push(problem),
                },
                Err(problem) => problems.push(problem),
            }
        }
        let options = options(step, identity, scope, settings, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        // Null stands for "not given".
        fields.retain(|_, value| !value.is_null());
        // Files beside the scenario are named relative to it.
        action.operation.resolve_files(&mut fields, scope.base_dir());
        let lists = fields.values().filter_map(|value| Some(value.as_array()?.len() as u64));
        let names = lists.max().unwrap_or(1);
        let run = started_run(action.operation.spec, &mut fields);
        let operation = action.operation.parse(fields.clone()).map_err(|error| {
            let wrong = action.operation.out_of_range(&fields, &error);
            let culprit = action.fields.iter().find(|(key, _)| wrong.field.as_ref() == Some(&key.name));
            let span = culprit.map_or(&step.action_key.span, |(_, template)| template.span());
            let problem = Problem::error("operation::type", wrong.message).maybe_help(wrong.help);
            vec![problem.label(span, "out of range")]
        })?;
        Ok(Self { run, what: What::Operation(operation), names, options })
    }

    /// The request of an `http` step.
    pub(super) fn of_http(
        step: &Step,
        action: &HttpAction,
        identity: Option<&Key>,
        scope: &Scope,
        settings: &Settings,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut text = |template: &Template| {
            template.resolve_text(scope).map_err(|problem| problems.push(problem)).unwrap_or_default()
        };
        let mut pairs = |pairs: &[(Key, Template)]| -> Vec<(String, String)> {
            pairs.iter().map(|(key, value)| (key.name.clone(), text(value))).collect()
        };
        let query = pairs(&action.query);
        let payload = match &action.body {
            HttpBody::None => Payload::Empty,
            HttpBody::Form(form) => Payload::Form(pairs(form)),
            HttpBody::Multipart(parts) => Payload::Multipart(pairs(parts)),
            HttpBody::Text(body) => Payload::Text(text(body)),
            HttpBody::Json(body) => match body.resolve(scope) {
                Ok(value) => Payload::Json(value),
                Err(problem) => {
                    problems.push(problem);
                    Payload::Empty
                }
            },
        };
        let path =
            action.path.resolve_text(scope).map_err(|problem| problems.push(problem)).unwrap_or_default();
        if problems.is_empty() && !path.starts_with('/') {
            problems.push(
                Problem::error("http::path", format!("the path of a request begins with `/`, not `{path}`"))
                    .label(action.path.span(), "this path"),
            );
        }
        let options = options(step, identity, scope, settings, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let call = Call { method: action.method, path, query, headers: Vec::new(), payload };
        Ok(Self { run: None, what: What::Call(call), names: 1, options })
    }

    /// Lets somebody hear of all that it takes.
    pub(super) fn tapped(mut self, tap: Option<Tap>) -> Self {
        self.options.tap = tap;
        self
    }

    /// Asks the server to cancel the run that it started, where nobody waits for its answer any more. What a reader
    /// should know of that.
    pub(super) async fn cancel(&self, client: &Client) -> Option<String> {
        let begun = self.options.begun.as_ref().and_then(|begun| begun.lock().ok()?.clone());
        let run = begun.as_ref().or(self.run.as_ref().map(|(run, _)| run))?;
        let timeouts = Timeouts { total: Some(CANCEL_TIME), ..Timeouts::default() };
        let options = CallOptions { timeouts, ..self.options.clone() };
        Some(match client.cancel_run(run, &options).await {
            Ok(exchange) if exchange.status < 300 => {
                format!("the server was asked to cancel the run {}", run.run_id)
            }
            Ok(exchange) => format!("the run {} could not be cancelled: {}", run.run_id, exchange.refusal()),
            Err(error) => format!("the run {} could not be cancelled: {error}", run.run_id),
        })
    }

    /// A request as it is shown: whoever repeats it starts a run of its own.
    pub(super) fn repeatable(&self, mut request: SentRequest) -> SentRequest {
        if let (Some((_, true)), Payload::Form(pairs)) = (&self.run, &mut request.payload) {
            pairs.retain(|(name, _)| name != "run_id");
        }
        request
    }

    /// Whether the answer is that of a run, which can have failed with status 200.
    pub(super) fn starts_run(&self) -> bool {
        match &self.what {
            What::Operation(operation) => operation.component().is_some(),
            What::Call(_) => true,
        }
    }

    /// Whether the answer is JSON unless something is wrong: that of an operation is.
    pub(super) fn answers_json(&self) -> bool {
        matches!(self.what, What::Operation(_))
    }

    /// Sends it once. Of a stream, `heard` holds what came of it, also where its end never comes.
    async fn once(
        &self,
        client: &Client,
        heard: &mut Option<Transcript>,
        told: &mut dyn FnMut(&str),
    ) -> Result<Received, Error> {
        *heard = None;
        let What::Operation(operation) = &self.what else {
            let What::Call(call) = &self.what else { return Err(Error::invalid("nothing to send")) };
            return client.exchange(call, &self.options).await.map(Received::whole);
        };
        let component = operation.component().filter(|_| operation.streams());
        let Some(component) = component else {
            return operation.execute(client, &self.options).await.map(Received::whole);
        };
        let mut stream = match operation.open(client, &self.options).await? {
            Opened::Answer(exchange) => return Ok(Received::whole(*exchange)),
            Opened::Stream(stream) => stream,
        };
        let transcript = heard.insert(Transcript::new(component).of_request(stream.request()));
        let mut told_characters = 0;
        while let Some(event) = stream.next().await {
            transcript.push(event?);
            let joined = transcript.joined();
            if let Some(new) = joined.get(told_characters..).filter(|new| !new.is_empty()) {
                told(new);
                told_characters = joined.len();
            }
        }
        let timings = stream.timings();
        let mut exchange = transcript.exchange(stream.head().clone(), timings.duration);
        exchange.notes.extend_from_slice(stream.notes());
        Ok(Received { exchange, transcript: heard.take().map(Arc::new) })
    }

    /// The request as it is sent, for a report of one whose answer nobody waited for.
    pub(super) fn shown(&self, client: &Client) -> Option<SentRequest> {
        let call = match &self.what {
            What::Operation(operation) => operation.call().ok()?,
            What::Call(call) => call.clone(),
        };
        client.dry_run(&call, &self.options).ok()
    }

    /// Sends it, as often as `retry` says. Pieces of a streamed answer are `told` as they come.
    pub(super) async fn send(
        &self,
        target: &Target,
        retry: Option<&Retry>,
        heard: &mut Option<Transcript>,
        told: &mut dyn FnMut(&str),
    ) -> (Result<Received, Error>, Vec<String>) {
        let mut notes = Vec::new();
        let mut delay = retry.map(|retry| retry.delay).unwrap_or_default();
        let attempts = retry.map_or(1, |retry| retry.attempts);
        let mut attempt = 1;
        loop {
            target.gate.pass().await;
            let result = self.once(&target.client, heard, told).await;
            let asked = result.as_ref().ok().and_then(|received| retry_after(&received.exchange));
            if let Some(pause) = asked {
                // What one is told, all who ask this server do.
                target.gate.close_for(pause.min(LONGEST_PAUSE));
            }
            let Some(retry) = retry.filter(|retry| attempt < attempts && wants(retry, &result)) else {
                return (result, notes);
            };
            let pause = asked.unwrap_or(delay).min(LONGEST_PAUSE);
            let why = match &result {
                Ok(received) => format!("was answered {}", received.exchange.status),
                Err(error) => format!("failed: {error}"),
            };
            notes.push(format!("attempt {attempt} of {attempts} {why}; again after {}", in_words(pause)));
            tokio::time::sleep(pause).await;
            delay = delay.mul_f64(retry.backoff).min(LONGEST_PAUSE);
            attempt += 1;
        }
    }
}

/// An answer: whole, or put together from a stream.
pub(super) struct Received {
    pub(super) exchange: Exchange,
    pub(super) transcript: Option<Arc<Transcript>>,
}

impl Received {
    fn whole(exchange: Exchange) -> Self {
        Self { exchange, transcript: None }
    }
}

/// The time that cancelling a run may take.
const CANCEL_TIME: Duration = Duration::from_secs(5);

/// The run that an operation starts. One that is not named is given an id here: only who knows the id can cancel it
/// before it has answered. (agno takes the id of a run from the form, 2.3 to 3.1.)
fn started_run(spec: &Spec, fields: &mut Map<String, Value>) -> Option<(RunRef, bool)> {
    let component = Component::of(spec.resource)?;
    if spec.method != Method::Post || !spec.path.ends_with("/runs") {
        return None;
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let component_id = text(component.id_field())?;
    let session_id = text("session_id");
    let named = text("run_id");
    let chosen = named.is_none();
    let run_id = named.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    if chosen {
        fields.insert("run_id".to_owned(), Value::String(run_id.clone()));
    }
    Some((RunRef { component, component_id, run_id, session_id }, chosen))
}

/// No pause between two attempts is longer, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

fn in_words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

fn wants(retry: &Retry, result: &Result<Received, Error>) -> bool {
    retry.on.iter().any(|on| match (on, result) {
        (RetryOn::Status(status), Ok(received)) => received.exchange.status == *status,
        (RetryOn::Class(class), Ok(received)) => received.exchange.status / 100 == *class,
        (RetryOn::Timeout, Err(error)) => matches!(error.kind, ErrorKind::Timeout { .. }),
        (RetryOn::Connect, Err(error)) => {
            matches!(
                error.kind,
                ErrorKind::Unreachable { .. }
                    | ErrorKind::Interrupted { .. }
                    | ErrorKind::Timeout { phase: Phase::Connect, .. }
            )
        }
        _ => false,
    })
}

/// The time that a server asks to wait, where it refuses because it has too much to do.
fn retry_after(exchange: &Exchange) -> Option<Duration> {
    matches!(exchange.status, 429 | 503).then(|| agentos::retry_after(&exchange.headers)).flatten()
}

/// A resolved value as its field wants it, or the problem that it is of another kind.
fn typed(action: &OperationAction, key: &Key, template: &Template, value: Value) -> Result<Value, Problem> {
    let Some(field) = action.operation.field(&key.name) else { return Ok(value) };
    let value = if template.as_literal().is_some() { value } else { field.kind.coerce(value) };
    if field.kind.accepts(&value) && !(field.required && value.is_null()) {
        return Ok(value);
    }
    let shown: String = as_text(&value).chars().take(80).collect();
    let problem = Problem::error("operation::type", format!("`{}` must be {}", field.name, field.kind))
        .label(template.span(), format!("is `{shown}` here"));
    Err(match (&field.kind, &value) {
        (agentos::field::FieldKind::Enum(words), Value::String(text)) => {
            problem.maybe_help(diagnostic::suggest(text, words.iter().map(String::as_str)))
        }
        _ => problem,
    })
}

fn options(
    step: &Step,
    identity: Option<&Key>,
    scope: &Scope,
    settings: &Settings,
    problems: &mut Vec<Problem>,
) -> CallOptions {
    let mut headers = Vec::new();
    if let Some(name) = identity {
        match settings.identities.get(&name.name).map(Sender::headers) {
            Some(Ok(identity)) => headers.extend(identity),
            Some(Err(error)) => {
                problems.push(
                    Problem::error("identity::token", error.to_string()).label(&name.span, "this identity"),
                );
            }
            None => problems.push(crate::scenario::unknown_identity(
                name,
                settings.identities.keys().map(String::as_str),
            )),
        }
    }
    for (key, template) in &step.headers {
        match template.resolve_text(scope) {
            Ok(value) if value.chars().any(char::is_control) => problems.push(
                Problem::error(
                    "step::headers",
                    format!(
                        "the value of the header `{}` holds a line break or a control character",
                        key.name
                    ),
                )
                .label(template.span(), "here")
                .help("a value read from a file often ends with a line break: use `| trim`"),
            ),
            Ok(value) => {
                // What the step itself says goes before its identity.
                let name = key.name.to_ascii_lowercase();
                headers.retain(|(known, _)| *known != name);
                headers.push((name, value));
            }
            Err(problem) => problems.push(problem),
        }
    }
    for (name, value) in &headers {
        settings.masker.add_header(name, value);
    }
    let (own, general) = (step.timeout, settings.timeouts);
    let timeouts = Timeouts {
        connect: own.connect.or(general.connect),
        first_byte: own.first_byte.or(general.first_byte),
        idle: own.idle.or(general.idle),
        total: own.total.or(general.total),
    };
    CallOptions { headers, timeouts, resume: step.resume, begun: Some(Arc::default()), tap: None }
}
