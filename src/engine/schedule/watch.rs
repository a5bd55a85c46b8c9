//! What a scenario is doing, for who asks because it takes long.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::event::{Event, Observer, SlowStep};
use crate::scenario::Instance;
use crate::source::Span;

/// Passes events on and remembers the steps that have begun and not ended.
pub(super) struct Watch<'a> {
    observer: &'a dyn Observer,
    steps: Mutex<Vec<Begun>>,
}

struct Begun {
    title: String,
    span: Span,
    at: Instant,
}

impl<'a> Watch<'a> {
    pub(super) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, steps: Mutex::new(Vec::new()) }
    }

    /// The notice that a scenario has been running for `time`, and in which step it is.
    pub(super) fn slow(&self, instance: &Instance, time: Duration) -> Event {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        // Of branches that run side by side, the one that began first.
        let step = steps.first().map(|step| SlowStep {
            title: step.title.clone(),
            span: step.span.clone(),
            time: step.at.elapsed(),
        });
        Event::Slow { instance: instance.clone(), time, step }
    }
}

fn same(one: &Span, other: &Span) -> bool {
    one.range() == other.range() && Arc::ptr_eq(one.source(), other.source())
}

impl Observer for Watch<'_> {
    fn on(&self, event: &Event) {
        match event {
            Event::StepStarted { title, span, .. } => {
                let begun = Begun { title: title.clone(), span: span.clone(), at: Instant::now() };
                self.steps.lock().unwrap_or_else(PoisonError::into_inner).push(begun);
            }
            Event::StepFinished { step, .. } => {
                let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(at) = steps.iter().position(|begun| same(&begun.span, &step.span)) {
                    steps.remove(at);
                }
            }
            _ => {}
        }
        self.observer.on(event);
    }
}
