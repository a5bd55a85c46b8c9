//! What waits for its turn, and what may begin now: the limits of the run, of targets, and of `serial` groups.

use std::collections::{BTreeMap, VecDeque};

use crate::scenario::Serial;

/// What decides whether scenarios can run at the same time. Those that are alike in it wait in one lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lane {
    /// The target, by its place among all.
    pub(super) target: usize,
    pub(super) serial: Option<Serial>,
}

/// Those that wait, lane by lane. Of those that may begin, the one that comes first in the plan is next.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    jobs: usize,
    /// The limit of each target.
    limits: Vec<Option<usize>>,
    waiting: BTreeMap<Lane, VecDeque<(usize, T)>>,
    running: BTreeMap<Lane, usize>,
}

impl<T> Lanes<T> {
    /// Nobody waits yet; at most `jobs` run at the same time.
    pub(super) fn new(jobs: usize, limits: Vec<Option<usize>>) -> Self {
        Self { jobs: jobs.max(1), limits, waiting: BTreeMap::new(), running: BTreeMap::new() }
    }

    /// Lets one wait. Those of a lane come in the order of their places.
    pub(super) fn push(&mut self, lane: Lane, place: usize, what: T) {
        self.waiting.entry(lane).or_default().push_back((place, what));
    }

    /// The next that may begin now. [`Self::finished`] must be told of its end.
    pub(super) fn next(&mut self) -> Option<(Lane, T)> {
        let lane = self
            .waiting
            .iter()
            .filter(|(lane, _)| self.is_free(lane))
            .min_by_key(|(_, queue)| queue.front().map(|(place, _)| *place))
            .map(|(lane, _)| lane.clone())?;
        let queue = self.waiting.get_mut(&lane)?;
        let (_, what) = queue.pop_front()?;
        if queue.is_empty() {
            self.waiting.remove(&lane);
        }
        *self.running.entry(lane.clone()).or_default() += 1;
        Some((lane, what))
    }

    /// One of this lane has ended.
    pub(super) fn finished(&mut self, lane: &Lane) {
        if let Some(count) = self.running.get_mut(lane) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(lane);
            }
        }
    }

    /// Those that still wait, lane by lane.
    pub(super) fn drain(&mut self) -> Vec<T> {
        std::mem::take(&mut self.waiting).into_values().flatten().map(|(_, what)| what).collect()
    }

    fn is_free(&self, lane: &Lane) -> bool {
        let running = |of: &dyn Fn(&Lane) -> bool| -> usize {
            self.running.iter().filter(|(lane, _)| of(lane)).map(|(_, count)| count).sum()
        };
        let all = running(&|_| true);
        if all >= self.jobs || running(&|other| other.serial == Some(Serial::Alone)) > 0 {
            return false;
        }
        if let Some(limit) = self.limits.get(lane.target).copied().flatten()
            && running(&|other| other.target == lane.target) >= limit
        {
            return false;
        }
        match &lane.serial {
            None => true,
            Some(Serial::Alone) => all == 0,
            group => running(&|other| other.serial == *group) == 0,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lane(target: usize, serial: Option<&str>) -> Lane {
        let serial = serial.map(|name| match name {
            "alone" => Serial::Alone,
            name => Serial::Named(name.to_owned()),
        });
        Lane { target, serial }
    }

    fn now(lanes: &mut Lanes<usize>) -> Vec<usize> {
        std::iter::from_fn(|| lanes.next().map(|(_, place)| place)).collect()
    }

    #[test]
    fn one_at_a_time_in_the_order_of_the_plan() {
        let mut lanes = Lanes::new(1, vec![None]);
        for (place, serial) in [None, Some("alone"), Some("db"), None, Some("db")].iter().enumerate() {
            lanes.push(lane(0, *serial), place, place);
        }
        let mut order = Vec::new();
        while let Some((lane, place)) = lanes.next() {
            assert!(lanes.next().is_none());
            order.push(place);
            lanes.finished(&lane);
        }
        assert_eq!(order, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_blocked_does_not_hold_up_the_others() {
        let mut lanes = Lanes::new(4, vec![None, Some(1)]);
        let plan = [(0, Some("db")), (0, Some("db")), (1, None), (1, None), (0, Some("alone")), (0, None)];
        for (place, (target, serial)) in plan.iter().enumerate() {
            lanes.push(lane(*target, *serial), place, place);
        }
        assert_eq!(now(&mut lanes), [0, 2, 5]);
        lanes.finished(&lane(0, Some("db")));
        assert_eq!(now(&mut lanes), [1]);
        lanes.finished(&lane(1, None));
        assert_eq!(now(&mut lanes), [3]);
        for ended in [lane(0, Some("db")), lane(1, None), lane(0, None)] {
            assert!(now(&mut lanes).is_empty());
            lanes.finished(&ended);
        }
        assert_eq!(now(&mut lanes), [4], "alone, when nothing else runs");
    }

    proptest! {
        #[test]
        fn all_run_and_no_limit_is_broken(
            plan in prop::collection::vec((0..3_usize, 0..5_usize), 0..40),
            jobs in 1..6_usize,
            ends in prop::collection::vec(0..6_usize, 0..80),
        ) {
            let serials = [None, None, Some("a"), Some("b"), Some("alone")];
            let limits = vec![None, Some(1), Some(2)];
            let mut lanes = Lanes::new(jobs, limits.clone());
            for (place, (target, serial)) in plan.iter().enumerate() {
                lanes.push(lane(*target, serials[*serial]), place, place);
            }
            let mut ends = ends.into_iter();
            let (mut running, mut ran): (Vec<(Lane, usize)>, Vec<usize>) = (Vec::new(), Vec::new());
            loop {
                while let Some(next) = lanes.next() {
                    running.push(next);
                }
                prop_assert!(running.len() <= jobs);
                for (target, limit) in limits.iter().enumerate() {
                    let here = running.iter().filter(|(lane, _)| lane.target == target).count();
                    prop_assert!(limit.is_none_or(|limit| here <= limit));
                }
                for name in ["a", "b"] {
                    let group = Some(Serial::Named(name.to_owned()));
                    prop_assert!(running.iter().filter(|(lane, _)| lane.serial == group).count() <= 1);
                }
                if running.iter().any(|(lane, _)| lane.serial == Some(Serial::Alone)) {
                    prop_assert_eq!(running.len(), 1);
                }
                if running.is_empty() {
                    break;
                }
                let (lane, place) = running.remove(ends.next().unwrap_or(0) % running.len());
                lanes.finished(&lane);
                ran.push(place);
            }
            prop_assert!(lanes.drain().is_empty());
            ran.sort_unstable();
            prop_assert_eq!(ran, (0..plan.len()).collect::<Vec<_>>());
        }
    }
}
