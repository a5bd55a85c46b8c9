//! Runs that were begun: asking how they are, waiting for them, cancelling them, reading their streams again.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{Error, ErrorKind};
use super::event::{Component, Ending};
use super::operation::{Call, Method, Payload, path_of};
use super::stream::Opened;
use super::transport::{CallOptions, Client, Exchange};
use crate::duration;

/// A run that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRef {
    /// What runs.
    pub component: Component,
    /// The agent, team or workflow.
    pub component_id: String,
    /// The run.
    pub run_id: String,
    /// Its session; agno needs it to find the run.
    pub session_id: Option<String>,
}

/// How a run in the background is waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// The time between two questions, such as `500ms`, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// When to give up, such as `10m`. Without it, only when the step's or the program's time is up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

impl Poll {
    /// The time between two questions, and that for all of them.
    pub fn durations(&self) -> Result<(Duration, Option<Duration>), Error> {
        let read = |field: &str, text: &Option<String>| {
            let text = text.as_deref().map(duration::parse).transpose();
            text.map_err(|why| Error::invalid(format!("`{field}` of `poll`: {why}")))
        };
        let every = read("every", &self.every)?.unwrap_or(Duration::from_millis(500));
        Ok((every.max(Duration::from_millis(10)), read("within", &self.within)?))
    }
}

impl RunRef {
    fn call(&self, method: Method, action: &str) -> Result<Call, Error> {
        let (plural, field) = match self.component {
            Component::Agent => ("agents", "agent_id"),
            Component::Team => ("teams", "team_id"),
            Component::Workflow => ("workflows", "workflow_id"),
        };
        let template = format!("/{plural}/{{{field}}}/runs/{{run_id}}{action}");
        let value = |name: &str| {
            if name == "run_id" { self.run_id.clone() } else { self.component_id.clone() }
        };
        Ok(Call::new(method, path_of(&template, value)?))
    }

    /// The question how it is: `GET .../runs/{run_id}`.
    pub fn get(&self) -> Result<Call, Error> {
        let mut call = self.call(Method::Get, "")?;
        call.query.extend(self.session_id.clone().map(|id| ("session_id".to_owned(), id)));
        Ok(call)
    }

    /// The order to stop. The server answers 200 also where there is no such run, or it has ended.
    pub fn cancel(&self) -> Result<Call, Error> {
        let mut call = self.call(Method::Post, "/cancel")?;
        call.query.extend(self.session_id.clone().map(|id| ("session_id".to_owned(), id)));
        Ok(call)
    }

    /// Its stream from the event behind this one; without one, from its beginning.
    pub fn resume(&self, last_event_index: Option<i64>) -> Result<Call, Error> {
        let mut call = self.call(Method::Post, "/resume")?;
        let mut form = Vec::new();
        form.extend(last_event_index.map(|index| ("last_event_index".to_owned(), index.to_string())));
        form.extend(self.session_id.clone().map(|id| ("session_id".to_owned(), id)));
        call.payload = Payload::Form(form);
        Ok(call)
    }
}

impl Client {
    /// Asks the server to cancel a run. It is an intention: a run that is no stream stops when its model has answered.
    pub async fn cancel_run(&self, run: &RunRef, options: &CallOptions) -> Result<Exchange, Error> {
        self.exchange(&run.cancel()?, options).await
    }

    /// Opens the stream of a run in the background again. Runs in the foreground are cancelled when their stream breaks.
    pub async fn resume_run(
        &self,
        run: &RunRef,
        last_event_index: Option<i64>,
        options: &CallOptions,
    ) -> Result<Opened, Error> {
        self.open_stream(&run.resume(last_event_index)?, options).await
    }

    /// Asks after a run until it has ended or waits for a decision. The exchange is the last one; a refusal is given back as
    /// it is.
    pub async fn wait_for_run(
        &self,
        run: &RunRef,
        poll: &Poll,
        options: &CallOptions,
    ) -> Result<Exchange, Error> {
        let (every, within) = poll.durations()?;
        let call = run.get()?;
        let started = Instant::now();
        let mut seen = false;
        loop {
            let mut exchange = self.exchange(&call, options).await?;
            // The run is stored a moment after it was accepted.
            let early = exchange.status == 404 && !seen && started.elapsed() < STORED_WITHIN;
            if !early && (!exchange.is_success() || is_over(&exchange)) {
                exchange.duration = started.elapsed();
                return Ok(exchange);
            }
            seen |= exchange.is_success();
            if let Some(within) = within.filter(|within| started.elapsed() + every > *within) {
                let status = exchange.json().as_ref().and_then(status).unwrap_or_default().to_owned();
                let message =
                    format!("run `{}` is still {status} after {}", run.run_id, super::error::seconds(within));
                return Err(Error {
                    kind: ErrorKind::Unfinished(message),
                    request: Some(Box::new(exchange.request)),
                });
            }
            tokio::time::sleep(every).await;
        }
    }
}

/// How long a run in the background may be unknown.
const STORED_WITHIN: Duration = Duration::from_secs(5);

fn status(body: &Value) -> Option<&str> {
    body.get("status").and_then(Value::as_str)
}

fn is_over(exchange: &Exchange) -> bool {
    let body = exchange.json();
    let status = body.as_ref().and_then(status).unwrap_or_default();
    Ending::of_status(status).is_some() || status.eq_ignore_ascii_case("REGENERATED")
}

/// The run that an operation begins or goes on with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beginning<'a> {
    /// The agent, team or workflow.
    pub component_id: &'a str,
    /// The id that the run will have, where the operation says it.
    pub run_id: Option<&'a str>,
    /// Its session, where the operation says it.
    pub session_id: Option<&'a str>,
    /// Whether it runs in the background, apart from the connection.
    pub background: bool,
    /// Whether it is waited for there.
    pub wait: bool,
    /// How.
    pub poll: Option<&'a Poll>,
}

impl<'a> Beginning<'a> {
    /// The run of an operation with these fields.
    pub(super) fn of(
        component_id: &'a str,
        run_id: Option<&'a String>,
        session_id: Option<&'a String>,
        background: Option<bool>,
        wait: Option<bool>,
        poll: Option<&'a Poll>,
    ) -> Self {
        Self {
            component_id,
            run_id: run_id.map(String::as_str),
            session_id: session_id.map(String::as_str),
            background: background == Some(true),
            wait: wait != Some(false),
            poll,
        }
    }

    /// The end of a run in the background whose beginning was answered 202; any other answer is given back.
    pub(super) async fn end(
        self,
        client: &Client,
        options: &CallOptions,
        component: Component,
        accepted: Exchange,
    ) -> Result<Exchange, Error> {
        let body = accepted.json().unwrap_or_default();
        let text = |field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
        let (true, 202, Some(run_id)) = (self.background && self.wait, accepted.status, text("run_id"))
        else {
            return Ok(accepted);
        };
        let run = RunRef {
            component,
            component_id: self.component_id.to_owned(),
            run_id,
            session_id: text("session_id"),
        };
        if let Some(begun) = &options.begun {
            *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
        }
        let poll = self.poll.cloned().unwrap_or_default();
        let mut exchange = client.wait_for_run(&run, &poll, options).await?;
        exchange.notes.push(format!("ran in the background as `{}`", run.run_id));
        exchange.first_byte = accepted.first_byte;
        exchange.duration += accepted.duration;
        exchange.request = accepted.request;
        Ok(exchange)
    }
}
