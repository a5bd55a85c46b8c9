//! The gate of a target: where it asks for a pause, all requests to it wait, whoever sends them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Open, or closed until a moment.
#[derive(Debug, Default)]
pub(super) struct Gate {
    until: Mutex<Option<Instant>>,
}

impl Gate {
    /// Closes it for so long, or leaves it closed where it is closed for longer.
    pub(super) fn close_for(&self, pause: Duration) {
        let end = Instant::now() + pause;
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_none_or(|until| until < end) {
            *until = Some(end);
        }
    }

    /// Comes back when it is open.
    pub(super) async fn pass(&self) {
        loop {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until.into()).await,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_pause_counts() {
        let gate = Gate::default();
        gate.pass().await;
        let began = Instant::now();
        gate.close_for(Duration::from_millis(40));
        gate.close_for(Duration::from_millis(5));
        gate.pass().await;
        assert!(began.elapsed() >= Duration::from_millis(40));
    }
}
