//! Ctrl-C: the first time the running steps stop and `finally` runs, the second time everything stops.

use std::sync::Arc;

use tokio::sync::watch;

/// How often somebody asked for the end.
#[derive(Debug, Clone)]
pub struct Interrupt {
    count: Arc<watch::Sender<u32>>,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self { count: Arc::new(watch::Sender::new(0)) }
    }
}

impl Interrupt {
    /// Nobody asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end.
    pub fn raise(&self) {
        self.count.send_modify(|count| *count = count.saturating_add(1));
    }

    /// Whether somebody asked.
    pub fn is_raised(&self) -> bool {
        *self.count.borrow() > 0
    }

    /// Whether somebody asked again: nothing was waited for then.
    pub fn is_raised_twice(&self) -> bool {
        *self.count.borrow() > 1
    }

    /// Comes back when it was asked for the end at least `times` times.
    pub async fn raised(&self, times: u32) {
        let mut receiver = self.count.subscribe();
        // The sender lives as long as `self`; were it gone, nobody could ask any more.
        if receiver.wait_for(|count| *count >= times).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
