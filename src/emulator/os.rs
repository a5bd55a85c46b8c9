//! What all requests share.

use std::sync::Arc;

use super::auth::Guard;
use super::cast::Cast;
use super::clock;
use super::live::Live;
use super::metrics::Refreshes;
use super::store::Store;

/// The running server's settings, its cast, its database, and what goes on in it.
#[derive(Debug)]
pub(crate) struct Os {
    pub(crate) store: Store,
    pub(crate) cast: Cast,
    pub(crate) live: Arc<Live>,
    pub(crate) refreshes: Refreshes,
    pub(crate) guard: Guard,
    pub(crate) instantiated_at: String,
}

impl Os {
    pub(crate) fn new(store: Store, cast: Cast, guard: Guard) -> Self {
        Self {
            store,
            cast,
            live: Arc::default(),
            refreshes: Refreshes::default(),
            guard,
            instantiated_at: clock::iso_micros(),
        }
    }
}
