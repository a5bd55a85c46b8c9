//! The connections of a client: kept open between requests, given up together when one proves unreliable.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::builder::Base;
use crate::agentos::error::ErrorKind;

/// How long a connection is kept without use: less than the 5 seconds after which uvicorn closes it, so that no request
/// meets the moment of closing.
const KEPT: Duration = Duration::from_secs(4);

/// The connections of a client. The clock for connecting belongs to a pool, so there is one per value of it: for almost
/// every client, one.
pub(super) struct Pools {
    live: Mutex<Vec<Arc<Pool>>>,
    /// The server as messages name it.
    server: String,
    encrypted: bool,
    proxied: bool,
}

/// Connections that are kept open, and how new ones are made.
pub(super) struct Pool {
    http: reqwest::Client,
    connect: Option<Duration>,
    /// Whether an answer has come over one of its connections, which may be kept since.
    warm: AtomicBool,
}

impl Pool {
    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(super) fn is_warm(&self) -> bool {
        self.warm.load(Ordering::Relaxed)
    }

    pub(super) fn set_warm(&self) {
        self.warm.store(true, Ordering::Relaxed);
    }
}

impl Pools {
    pub(super) fn new(base: &Base) -> Self {
        let host = base.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let local = host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let encrypted = base.url.scheme() == "https";
        Self { live: Mutex::default(), server: base.shown.clone(), encrypted, proxied: !local }
    }

    /// The pool whose connections must stand within `connect`.
    pub(super) fn get(&self, connect: Option<Duration>) -> Result<Arc<Pool>, ErrorKind> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = live.iter().find(|pool| pool.connect == connect) {
            return Ok(Arc::clone(pool));
        }
        let http = self.build(connect).map_err(|error| {
            let cause = super::failure::cause(&error);
            if self.encrypted {
                // What else can be wrong with one: the issuers that it is to trust are read when it is made.
                let cause = format!("whom to trust is not known ({cause})");
                return ErrorKind::Untrusted { base_url: self.server.clone(), cause };
            }
            ErrorKind::Invalid(format!("no HTTP client can be made: {cause}"))
        })?;
        let pool = Arc::new(Pool { http, connect, warm: AtomicBool::new(false) });
        live.push(Arc::clone(&pool));
        Ok(pool)
    }

    /// Gives up the connections of `pool`: the next request makes its own. Those in use are closed after use.
    ///
    /// reqwest cannot give up a single connection. agno closes one after an unhandled error without a word, and what
    /// is sent on it meanwhile is lost; a new pool costs a fraction of a millisecond (with TLS some 20: it reads the
    /// system's certificates).
    pub(super) fn retire(&self, pool: &Arc<Pool>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.retain(|other| !Arc::ptr_eq(other, pool));
    }

    fn build(&self, connect: Option<Duration>) -> reqwest::Result<reqwest::Client> {
        // reqwest without a provider of its own panics if the process has none. An error means that it has one already.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            .pool_idle_timeout(KEPT)
            .referer(false);
        if let Some(connect) = connect {
            builder = builder.connect_timeout(connect);
        }
        if !self.proxied {
            builder = builder.no_proxy();
        }
        if !self.encrypted {
            // No certificates of the system: reading them takes longer than all the rest of a short program. A proxy
            // of the environment that is itself reached by https is out of reach for http servers then.
            builder = builder.tls_certs_only([]);
        }
        builder.build()
    }
}
