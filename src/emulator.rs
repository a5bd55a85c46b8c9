//! The embedded AgentOS: a server inside this program that behaves as agno 3.1.10 does, over a real TCP
//! socket, on SQLite, without Python and without a model. What it says is a function of what it is asked.
//!
//! It is there to try scenarios offline and to test this program itself. It knows nothing of the rest.

mod auth;
mod body;
mod call;
pub mod cast;
mod chaos;
mod clock;
mod cors;
mod database;
mod discovery;
mod evals;
mod execution;
mod form;
mod json_error;
mod kind;
mod knowledge;
mod live;
mod media;
mod memories;
mod message;
mod metrics;
mod model;
mod openapi;
mod os;
mod python;
mod refusal;
mod reply;
mod router;
mod routes;
mod run;
mod runs;
mod sessions;
mod sha1;
mod shape;
mod store;
mod tools;
mod traces;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use axum::serve::ListenerExt as _;
use tokio::sync::oneshot;

use self::auth::Guard;
use self::cast::Cast;
use self::chaos::Chaos;
use self::os::Os;

/// How the embedded AgentOS is started.
#[derive(Clone, Default)]
pub struct Options {
    /// The TCP port on 127.0.0.1; 0 means any that is free.
    pub port: u16,
    /// The database file, made when it is not there. Without one everything is kept in memory.
    pub db: Option<PathBuf>,
    /// When set, requests must carry it as `Authorization: Bearer <key>`.
    pub security_key: Option<String>,
    /// When set, requests must carry JSON Web Tokens that were signed with it (HS256), and may do what
    /// their scopes say.
    pub jwt_secret: Option<String>,
    /// Whom the tokens must be meant for; anybody when unset.
    pub jwt_audience: Option<String>,
    /// Whether users see only what is theirs. Only tokens tell who asks.
    pub user_isolation: bool,
    /// Who plays; the default cast when unset.
    pub cast: Option<Cast>,
    /// The seed of what goes wrong on purpose; nothing does when unset, but what the cast says.
    pub chaos: Option<u64>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The keys are secrets: it is told that there are some, not which.
        f.debug_struct("Options")
            .field("port", &self.port)
            .field("db", &self.db)
            .field("security_key", &self.security_key.as_ref().map(|_| "***"))
            .field("jwt_secret", &self.jwt_secret.as_ref().map(|_| "***"))
            .field("jwt_audience", &self.jwt_audience)
            .field("user_isolation", &self.user_isolation)
            .field("cast", &self.cast.map(|cast| cast.os.id))
            .field("chaos", &self.chaos)
            .finish()
    }
}

/// Why the embedded AgentOS did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken, or may not be used.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("cannot open the database {}", path.as_ref().map_or_else(|| "in memory".into(), |path| path.display().to_string()))]
    Database {
        /// The file, or none for a database in memory.
        path: Option<PathBuf>,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The system gave no thread or no event loop.
    #[error("cannot start the server's thread")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
}

/// A running embedded AgentOS; it stops when dropped.
#[derive(Debug)]
pub struct Emulator {
    base_url: String,
    auth_mode: &'static str,
    chaos: Option<u64>,
    // Both are there until the server is stopped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts the server and returns when it listens.
    pub fn start(options: Options) -> Result<Self, Error> {
        let Options { port, db, security_key, jwt_secret, jwt_audience, user_isolation, cast, chaos } =
            options;
        let cast = cast.unwrap_or_default();
        let auth = cast.auth;
        // An empty key means none, as in agno 3.1.10.
        let some = |text: Option<String>, other: &Option<String>| {
            text.or_else(|| other.clone()).filter(|text| !text.is_empty())
        };
        let guard = Guard {
            key: some(security_key, &auth.security_key),
            secret: some(jwt_secret, &auth.jwt_secret),
            audience: some(jwt_audience, &auth.jwt_audience),
            isolation: user_isolation || auth.user_isolation,
        };
        let auth_mode = guard.mode();
        let chaos = Chaos::new(cast, chaos);
        let seed = chaos.seed();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|source| Error::Listen { port, source })?;
        let address = listener.local_addr().map_err(|source| Error::Listen { port, source })?;
        let os = Os::open(db.as_deref(), cast, guard, chaos)
            .and_then(|os| knowledge::seed(&os).map(|()| os))
            .map_err(|source| Error::Database { path: db, source })?;
        let app = router::app(Arc::new(os));
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, listens) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("embedded-agentos".to_owned())
            .spawn(move || serve(listener, app, stopped, &ready))
            .map_err(|source| Error::Thread { source })?;
        // A thread that ends without a word has panicked; its message is on standard error.
        let lost = || Err(io::Error::other("the thread ended before it served"));
        listens.recv().unwrap_or_else(|_| lost()).map_err(|source| Error::Thread { source })?;
        Ok(Self {
            base_url: format!("http://{address}"),
            auth_mode,
            chaos: seed,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens, `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What it wants to see of who asks: `none`, `security_key` or `jwt`.
    pub fn auth_mode(&self) -> &'static str {
        self.auth_mode
    }

    /// The seed of its chaos, where there is some.
    pub fn chaos(&self) -> Option<u64> {
        self.chaos
    }

    /// Stops the server and waits until its thread has ended.
    pub fn stop(self) {
        // Dropping does both.
    }
}

/// Serves until it is told to stop. The event loop lives and dies on this thread: an asynchronous
/// caller may start and drop the server where it could not drop a loop.
fn serve(
    listener: TcpListener,
    app: axum::Router,
    stopped: oneshot::Receiver<()>,
    ready: &mpsc::Sender<io::Result<()>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Who does not wait any more does not need to know.
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async move {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        // Events are small, and must not wait for one another.
        let listener = listener.tap_io(|stream| {
            // Without it answers are only slower.
            let _ = stream.set_nodelay(true);
        });
        let _ = ready.send(Ok(()));
        // Open connections end with the runtime: what was answered is stored already.
        tokio::select! {
            _ = axum::serve(listener, app) => {}
            _ = stopped => {}
        }
    });
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // When the receiver is gone the server has ended by itself.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there was reported by its own thread.
            let _ = thread.join();
        }
    }
}
