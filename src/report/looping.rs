//! How far a loop is, in words, and how often that is worth a line of a log.

use std::time::{Duration, Instant};

use crate::engine::{LoopProgress, Stage};

/// Before that, an estimate jumps about.
const SETTLED: Duration = Duration::from_secs(2);

/// `1,200 of 40,000, 3 failed, about 2 m 10 s left`
pub(super) fn words(progress: &LoopProgress) -> String {
    let LoopProgress { over, failed, of, elapsed, .. } = progress;
    let lead = match progress.stage {
        Stage::Listing => "read ",
        Stage::Working | Stage::Over => "",
        Stage::Verifying => "looking whether they are gone: ",
    };
    let mut text = format!("{lead}{}", grouped(*over));
    if let Some(of) = of {
        text.push_str(&format!(" of {}", grouped(*of)));
    }
    if *failed > 0 {
        text.push_str(&format!(", {} failed", grouped(*failed)));
    }
    if let Some(left) = of.and_then(|of| of.checked_sub(*over)).filter(|left| *left > 0)
        && *over > 0
        && *elapsed >= SETTLED
    {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let left = elapsed.as_secs_f64() * (left as f64 / *over as f64);
        if let Ok(left) = Duration::try_from_secs_f64(left) {
            text.push_str(&format!(", about {} left", clock(left.max(Duration::from_secs(1)))));
        }
    }
    text
}

/// Whole seconds: parts of them would only flicker.
pub(super) fn clock(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// `40,000`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// When a loop is worth another line of a log: some time after the last one, and only when a tenth more is done, or when
/// it takes very long.
#[derive(Debug)]
pub(super) struct Lines {
    every: Duration,
    last: Instant,
    stage: Stage,
    over: u64,
}

impl Lines {
    /// Nothing was said yet.
    pub(super) fn new(every: Duration, progress: &LoopProgress) -> Self {
        Self { every, last: Instant::now(), stage: progress.stage, over: 0 }
    }

    /// Whether to say something now.
    pub(super) fn is_due(&mut self, progress: &LoopProgress, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.last);
        if waited < self.every {
            return false;
        }
        let more = progress.over.saturating_sub(self.over);
        let tenth = progress.of.is_some_and(|of| more.saturating_mul(10) >= of);
        if !tenth && self.stage == progress.stage && waited < self.every * 10 {
            return false;
        }
        (self.last, self.stage, self.over) = (now, progress.stage, progress.over);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Source, Span};

    fn at(over: u64, failed: u64, of: Option<u64>, seconds: u64) -> LoopProgress {
        LoopProgress {
            title: String::new(),
            span: Span::whole(&Source::new("a.yaml", "")),
            stage: Stage::Working,
            over,
            failed,
            of,
            elapsed: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn numbers_that_can_be_read_and_an_estimate() {
        assert_eq!(words(&at(1_200, 3, Some(40_000), 4)), "1,200 of 40,000, 3 failed, about 2 m 9 s left");
        assert_eq!(words(&at(0, 0, Some(40_000), 9)), "0 of 40,000");
        assert_eq!(words(&at(999, 0, None, 9)), "999");
        assert_eq!(words(&at(1_000_000, 0, Some(1_000_000), 9)), "1,000,000 of 1,000,000");
        assert_eq!(words(&at(10, 0, Some(100_000), 60)), "10 of 100,000, about 166 h 39 m left");
    }

    #[test]
    fn a_line_for_a_tenth_and_none_too_early() {
        let mut lines = Lines::new(Duration::from_secs(30), &at(0, 0, Some(1000), 0));
        let began = lines.last;
        let mut due = |seconds: u64, over: u64| {
            lines.is_due(&at(over, 0, Some(1000), 0), began + Duration::from_secs(seconds))
        };
        assert!(!due(29, 900), "too early");
        assert!(!due(31, 99), "too little");
        assert!(due(32, 100));
        assert!(!due(33, 900), "too soon after the last one");
        assert!(!due(300, 101));
        assert!(due(333, 101), "a sign of life");
    }
}
