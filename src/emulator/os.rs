//! What all requests share.

use super::clock;
use super::store::Store;

/// The running server's settings and its database.
#[derive(Debug)]
pub(crate) struct Os {
    pub(crate) store: Store,
    security_key: Option<String>,
    pub(crate) instantiated_at: String,
}

impl Os {
    pub(crate) fn new(store: Store, security_key: Option<String>) -> Self {
        // An empty key means none, as in agno 3.1.10.
        let security_key = security_key.filter(|key| !key.is_empty());
        Self { store, security_key, instantiated_at: clock::iso_micros() }
    }

    pub(crate) fn security_key(&self) -> Option<&str> {
        self.security_key.as_deref()
    }
}
