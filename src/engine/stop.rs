//! What ends a step from outside: the time of its scenario or group, and Ctrl-C.

use std::future::Future;
use std::time::{Duration, Instant};

use super::Interrupt;
use crate::diagnostic::Problem;
use crate::scenario::Step;

/// Whose time a deadline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Scenario,
    Group,
    Finally,
}

/// How long what is going on in bulk work may take after Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);

/// What ends a step from outside.
#[derive(Clone, Copy)]
pub(super) struct Stop<'a> {
    pub(super) deadline: Option<Instant>,
    /// The time that the deadline came from, for the message.
    pub(super) timeout: Option<Duration>,
    pub(super) whose: Whose,
    pub(super) interrupt: &'a Interrupt,
    /// How often Ctrl-C must be pressed: `finally` runs on after the first time.
    pub(super) presses: u32,
}

/// Which of them it was.
pub(super) enum Stopped {
    Deadline,
    Interrupted,
}

impl Stop<'_> {
    /// `future`, unless the end comes first.
    pub(super) async fn guard<T>(&self, future: impl Future<Output = T>) -> Result<T, Stopped> {
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            value = future => Ok(value),
            () = self.interrupt.raised(self.presses) => Err(Stopped::Interrupted),
            () = deadline => Err(Stopped::Deadline),
        }
    }

    /// The same, but after Ctrl-C what is going on has a moment to come to its end.
    pub(super) async fn guard_gently<T>(&self, future: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut future = std::pin::pin!(future);
        match self.guard(future.as_mut()).await {
            Err(Stopped::Interrupted) => {
                tokio::time::timeout(GRACE, future).await.map_err(|_| Stopped::Interrupted)
            }
            ended => ended,
        }
    }

    /// Whether the end has come already.
    pub(super) fn now(&self) -> Option<Stopped> {
        if self.presses == 1 && self.interrupt.is_raised() {
            return Some(Stopped::Interrupted);
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(Stopped::Deadline)
    }

    pub(super) fn problem(&self, stopped: &Stopped, step: &Step) -> Problem {
        match stopped {
            Stopped::Interrupted => {
                Problem::error("run::interrupted", "the run was interrupted in this step")
                    .label(&step.action_key.span, "this was running")
            }
            Stopped::Deadline => {
                let time = self.timeout.map(in_words).unwrap_or_default();
                let (whose, help) = match self.whose {
                    Whose::Scenario => {
                        ("the scenario's", "`timeout:` of the scenario, or --timeout, sets it")
                    }
                    Whose::Group => ("the group's", "`timeout:` of the group sets it"),
                    Whose::Finally => (
                        "the `finally` steps'",
                        "after an interruption or a timeout they have a minute, otherwise what is left of the scenario's time",
                    ),
                };
                Problem::error("scenario::timeout", format!("{whose} time of {time} is up"))
                    .label(&step.action_key.span, "this was running")
                    .help(help)
            }
        }
    }
}

fn in_words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
    }
}
