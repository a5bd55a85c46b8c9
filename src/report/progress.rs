//! What is going on, for who watches a terminal: counts, an estimate, and the scenarios that run with their steps.
//!
//! This is the text alone; who draws it keeps it below everything else and takes it away again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::looping::{self, clock};
use super::text;
use crate::engine::{Event, LoopProgress, Observer, ScenarioReport, Stage, Status};
use crate::secret::Masker;

/// The scenarios that are named; of more, only their number is told.
const NAMED: usize = 8;

/// The state of a run, as its events tell it.
#[derive(Debug)]
pub struct Progress {
    began: Instant,
    /// How many scenarios run at the same time at most.
    jobs: usize,
    masker: Masker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: usize,
    done: usize,
    failed: usize,
    flaky: usize,
    /// By place.
    running: BTreeMap<usize, Running>,
    /// How long each scenario that has not ended took earlier, where that is known; by place.
    expected: BTreeMap<usize, Duration>,
    /// Of those that ended.
    spent: Duration,
    measured: u32,
}

#[derive(Debug)]
struct Running {
    name: String,
    attempt: u32,
    began: Instant,
    /// The steps that have begun and not ended.
    steps: Vec<String>,
    /// The loops that have not ended.
    loops: Vec<LoopProgress>,
}

impl Running {
    /// A line of at most `width` columns. The name leaves room for the step, both of them for how far a loop is.
    fn line(&self, width: usize) -> String {
        let time = format!("{:>7}  ", clock(self.began.elapsed()));
        let attempt = if self.attempt > 1 { format!(" (attempt {})", self.attempt) } else { String::new() };
        let (step, far) = match (self.loops.first(), self.steps.first()) {
            (Some(progress), _) => {
                (format!(": {}", progress.title), format!(", {}", looping::words(progress)))
            }
            (None, Some(step)) => (format!(": {step}"), String::new()),
            (None, None) => (String::new(), String::new()),
        };
        let room = width.saturating_sub(time.width() + attempt.width() + far.width());
        let name = fit(&self.name, room.saturating_sub(step.width()).max(room * 3 / 5));
        let step = fit(&step, room.saturating_sub(name.width()));
        fit(&format!("{time}{name}{attempt}{step}{far}"), width)
    }
}

impl Progress {
    /// Nothing has happened yet. `expected` says how long scenarios took earlier, by their places.
    pub fn new(jobs: usize, expected: BTreeMap<usize, Duration>, masker: Masker) -> Self {
        let state = State { expected, ..State::default() };
        Self { began: Instant::now(), jobs: jobs.max(1), masker, state: Mutex::new(state) }
    }

    /// A name in one line. It is masked before a narrow terminal cuts it: half a secret would not be known as one.
    fn named(&self, name: &str) -> String {
        text::cut(&self.masker.mask(name).replace('\n', " "))
    }

    /// The lines to show, none of them wider than `width` columns, and not more than `height`.
    pub fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut head = format!("{} of {} done", state.done, state.total);
        for (count, word) in
            [(state.running.len(), "running"), (state.failed, "failed"), (state.flaky, "flaky")]
        {
            if count > 0 {
                head.push_str(&format!(", {count} {word}"));
            }
        }
        head.push_str(&format!("; {}", clock(self.began.elapsed())));
        if let Some(left) = state.left(self.jobs) {
            head.push_str(&format!(", about {} left", clock(left.max(Duration::from_secs(1)))));
        }
        let mut lines = vec![fit(&head, width)];
        let room = height.saturating_sub(1).min(NAMED);
        // One line tells of the others, where not all of them fit.
        let named = if state.running.len() > room { room.saturating_sub(1) } else { room };
        // The longest first: it is what one waits for.
        let mut running: Vec<&Running> = state.running.values().collect();
        running.sort_by_key(|running| running.began);
        for running in running.iter().take(named) {
            lines.push(running.line(width));
        }
        if running.len() > named && room > 0 {
            lines.push(fit(&format!("         and {} more", running.len() - named), width));
        }
        lines
    }

    fn ended(state: &mut State, report: &ScenarioReport) {
        let place = report.instance.place();
        state.done += 1;
        state.running.remove(&place);
        state.expected.remove(&place);
        state.failed += usize::from(report.status == Status::Failed);
        state.flaky += usize::from(report.is_flaky());
        if matches!(report.status, Status::Passed | Status::Failed) {
            state.spent += report.duration;
            state.measured += 1;
        }
    }
}

impl State {
    /// How long it may still take; none where nothing is known.
    fn left(&self, jobs: usize) -> Option<Duration> {
        let usual = match self.measured {
            0 if self.expected.is_empty() => return None,
            0 => self.expected.values().sum::<Duration>() / u32::try_from(self.expected.len()).ok()?,
            measured => self.spent / measured,
        };
        let expected = |place: usize| self.expected.get(&place).copied().unwrap_or(usual);
        let remaining =
            |(place, running): (&usize, &Running)| expected(*place).saturating_sub(running.began.elapsed());
        let running: Vec<Duration> = self.running.iter().map(remaining).collect();
        let waiting = self.total.saturating_sub(self.done + self.running.len());
        let known = self.expected.iter().filter(|(place, _)| !self.running.contains_key(place));
        let (count, sum) =
            known.fold((0, Duration::ZERO), |(count, sum), (_, time)| (count + 1, sum + *time));
        let unknown = u32::try_from(waiting.saturating_sub(count)).ok()?;
        let work = sum + usual * unknown + running.iter().sum::<Duration>();
        let lanes = u32::try_from(jobs.min(waiting + running.len()).max(1)).ok()?;
        Some((work / lanes).max(running.into_iter().max().unwrap_or_default()))
    }
}

impl Observer for Progress {
    fn on(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunStarted { scenarios } => state.total = *scenarios,
            Event::ScenarioStarted { instance } => {
                let name = self.named(&instance.title());
                let running = Running {
                    name,
                    attempt: instance.attempt(),
                    began: Instant::now(),
                    steps: Vec::new(),
                    loops: Vec::new(),
                };
                state.running.insert(instance.place(), running);
            }
            Event::StepStarted { instance, title, .. } => {
                if let Some(running) = state.running.get_mut(&instance.place()) {
                    running.steps.push(self.named(title));
                }
            }
            Event::StepFinished { instance, .. } => {
                // Which of several at a time it was does not matter to who watches.
                if let Some(running) = state.running.get_mut(&instance.place()) {
                    running.steps.pop();
                }
            }
            Event::Loop { instance, progress } => {
                if let Some(running) = state.running.get_mut(&instance.place()) {
                    running.loops.retain(|known| known.span.range() != progress.span.range());
                    if progress.stage != Stage::Over {
                        let title = self.named(&progress.title);
                        running.loops.push(LoopProgress { title, ..progress.clone() });
                    }
                }
            }
            Event::AttemptFailed { report, .. } => {
                state.running.remove(&report.instance.place());
            }
            Event::ScenarioFinished(report) => Self::ended(&mut state, report),
            _ => {}
        }
    }
}

/// As much of a line as has room in `width` columns.
fn fit(line: &str, width: usize) -> String {
    if line.width() <= width {
        return line.to_owned();
    }
    let mut room = width.saturating_sub(3);
    let mut short = String::new();
    for c in line.chars() {
        let needs = c.width().unwrap_or(0);
        if needs > room {
            break;
        }
        room -= needs;
        short.push(c);
    }
    short.push_str(&"..."[..width.min(3)]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_estimate_from_what_is_known() {
        let seconds = Duration::from_secs;
        let expected = BTreeMap::from([(0, seconds(10)), (1, seconds(20)), (2, seconds(30))]);
        let mut state = State { total: 4, expected, ..State::default() };
        assert_eq!(state.left(1), Some(seconds(80)), "the fourth takes what is usual");
        assert_eq!(state.left(2), Some(seconds(40)));
        state.expected.remove(&0);
        (state.done, state.measured, state.spent) = (1, 1, seconds(10));
        assert_eq!(state.left(1), Some(seconds(60)));
        assert_eq!(state.left(100), Some(seconds(20)), "three of them, whatever the limit");
        assert_eq!(State { total: 4, ..State::default() }.left(1), None);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide(line in "\\PC{0,60}", width in 0..40_usize) {
            prop_assert!(fit(&line, width).width() <= width);
        }

        #[test]
        fn what_has_room_is_shown(line in "[a-z ]{0,40}") {
            prop_assert_eq!(fit(&line, 40), line);
        }
    }
}
