//! What became of the items of a loop: counts, and why some failed.

use std::time::Duration;

use crate::source::Span;

/// So many reasons are told apart.
const MOST_REASONS: usize = 20;
/// So many failed items are named with each reason.
const NAMED: usize = 5;

/// What became of the items of a loop over an operation.
#[derive(Debug, Clone)]
pub struct BulkReport {
    /// What the step is called.
    pub title: String,
    /// Where it stands.
    pub span: Span,
    /// How many entries the list had.
    pub listed: u64,
    /// How many of them were meant.
    pub found: u64,
    /// How many of those were done before, by a job that the journal remembers.
    pub before: u64,
    /// How many are done now.
    pub done: u64,
    /// How many the step's `if` left out.
    pub skipped: u64,
    /// How many failed.
    pub failed: u64,
    /// How many were begun, and nobody knows what became of them.
    pub in_doubt: u64,
    /// Those that were deleted and are there still, where somebody looked: what should be nothing.
    pub left: Option<u64>,
    /// Why items failed.
    pub reasons: Vec<Reason>,
    /// How long it took.
    pub duration: Duration,
}

/// Why items failed.
#[derive(Debug, Clone)]
pub struct Reason {
    /// In words; the item's own id is left out of it.
    pub text: String,
    /// How many failed for it.
    pub count: u64,
    /// Some of them.
    pub items: Vec<String>,
}

impl BulkReport {
    pub(in crate::engine) fn new(title: String, span: Span) -> Self {
        Self {
            title,
            span,
            listed: 0,
            found: 0,
            before: 0,
            done: 0,
            skipped: 0,
            failed: 0,
            in_doubt: 0,
            left: None,
            reasons: Vec::new(),
            duration: Duration::ZERO,
        }
    }

    /// Counts failed items.
    pub(super) fn fail(&mut self, keys: &[String], why: &str) {
        self.failed += keys.len() as u64;
        let mut text = why.to_owned();
        if let [key] = keys
            && key.len() > 3
        {
            text = text.replace(key.as_str(), "...");
        }
        let known = self.reasons.iter().position(|reason| reason.text == text);
        let index = known.unwrap_or_else(|| {
            if self.reasons.len() == MOST_REASONS {
                self.reasons.push(Reason { text: "other reasons".to_owned(), count: 0, items: Vec::new() });
            } else if self.reasons.len() < MOST_REASONS {
                self.reasons.push(Reason { text, count: 0, items: Vec::new() });
            }
            self.reasons.len() - 1
        });
        let reason = &mut self.reasons[index];
        reason.count += keys.len() as u64;
        let room = NAMED.saturating_sub(reason.items.len());
        reason.items.extend(keys.iter().take(room).cloned());
    }

    /// The counts in one line: `found 240 of 1200, done 238, failed 2, left 2`.
    pub fn counts(&self) -> String {
        let mut parts = vec![if self.listed == self.found {
            format!("found {}", self.found)
        } else {
            format!("found {} of {}", self.found, self.listed)
        }];
        parts.push(match self.before {
            0 => format!("done {}", self.done),
            before => format!("done {} ({before} before)", self.done + before),
        });
        if self.skipped > 0 {
            parts.push(format!("skipped {}", self.skipped));
        }
        parts.push(format!("failed {}", self.failed));
        if self.in_doubt > 0 {
            parts.push(format!("in doubt {}", self.in_doubt));
        }
        let over = self.before + self.done + self.skipped + self.failed + self.in_doubt;
        let rest = self.found.saturating_sub(over);
        if rest > 0 {
            parts.push(format!("not begun {rest}"));
        }
        // Beside what was not begun, `left 0` reads as if nothing were left.
        parts.extend(self.left.filter(|left| *left > 0 || rest == 0).map(|left| format!("left {left}")));
        parts.join(", ")
    }

    /// Why items failed, a line for each reason.
    pub fn lines(&self) -> Vec<String> {
        let line = |reason: &Reason| {
            let mut items = reason.items.join(", ");
            if reason.count > reason.items.len() as u64 {
                items.push_str(&format!(", and {} more", reason.count - reason.items.len() as u64));
            }
            format!("{} failed: {} ({items})", reason.count, reason.text)
        };
        self.reasons.iter().map(line).collect()
    }
}
