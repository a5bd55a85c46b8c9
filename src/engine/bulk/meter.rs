//! How far a loop is, told now and then while it goes on.

use std::time::{Duration, Instant};

use super::super::event::{Event, LoopProgress, Observer, Stage};
use crate::scenario::{Instance, Step};

/// Nobody reads faster.
const RARELY: Duration = Duration::from_millis(200);

/// Tells how far a loop is.
pub(in crate::engine) struct Meter {
    now: LoopProgress,
    began: Instant,
    last: Instant,
    told: bool,
}

impl Meter {
    /// A loop begins.
    pub(in crate::engine) fn new(step: &Step, title: String, stage: Stage, of: Option<u64>) -> Self {
        let (span, elapsed) = (step.span.clone(), Duration::ZERO);
        let now = LoopProgress { title, span, stage, over: 0, failed: 0, of, elapsed };
        Self { now, began: Instant::now(), last: Instant::now(), told: false }
    }

    /// What it does from now on, and for how many items, where that is known.
    pub(in crate::engine) fn enter(&mut self, stage: Stage, of: Option<u64>) {
        self.began = Instant::now();
        (self.now.stage, self.now.of, self.now.over, self.now.failed) = (stage, of, 0, 0);
    }

    /// So many items are over, failed ones among them, of so many, where that is known by now.
    pub(in crate::engine) fn at(
        &mut self,
        observer: &dyn Observer,
        instance: &Instance,
        counts: (u64, u64),
        of: Option<u64>,
    ) {
        (self.now.over, self.now.failed) = counts;
        self.now.of = of.or(self.now.of);
        if self.last.elapsed() >= RARELY {
            self.tell(observer, instance);
        }
    }

    /// The loop is over.
    pub(in crate::engine) fn end(mut self, observer: &dyn Observer, instance: &Instance) {
        if self.told {
            self.now.stage = Stage::Over;
            self.tell(observer, instance);
        }
    }

    fn tell(&mut self, observer: &dyn Observer, instance: &Instance) {
        self.last = Instant::now();
        self.told = true;
        self.now.elapsed = self.began.elapsed();
        observer.on(&Event::Loop { instance: instance.clone(), progress: self.now.clone() });
    }
}
