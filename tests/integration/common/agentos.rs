//! A real AgentOS: agno's own server with an offline model (`tests/agentos/server.py`), started on a free port.
//!
//! Which agno it is, `AGENTOS_TEST_VERSION` says: `AGENTOS_TEST_VERSION=2.6.22 cargo test`.

use super::{http, venv};
use std::{
    env,
    io::Read,
    net::TcpListener,
    panic,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The version of agno that is tested against where `AGENTOS_TEST_VERSION` says nothing.
const DEFAULT_VERSION: &str = "3.1.10";
/// A cold start takes 3 seconds on an idle machine, and many more where every core is compiling.
const START_WITHIN: Duration = Duration::from_mins(2);

/// The version of agno that the real servers of this test run have.
pub(crate) fn version() -> String {
    env::var("AGENTOS_TEST_VERSION").unwrap_or_else(|_| DEFAULT_VERSION.to_owned())
}

/// Whether the real servers have at least this version of agno: `at_least(3, 0)`.
pub(crate) fn at_least(major: u32, minor: u32) -> bool {
    let version = version();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}

/// The Python interpreter in the environment of that version.
pub(crate) fn python() -> PathBuf {
    venv::python(&version())
}

/// The folder of the server's program and of its requirements.
pub(crate) fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/agentos")
}

/// The plain server that all tests share. Others use it at the same time: name your own sessions and users, and
/// count nothing but them.
pub(crate) fn agentos() -> &'static RealAgentOs {
    static SHARED: OnceLock<Option<RealAgentOs>> = OnceLock::new();
    // Where it cannot be started, one test says why, and the others do not try again.
    let shared = SHARED.get_or_init(|| panic::catch_unwind(|| Settings::default().start()).ok());
    shared.as_ref().expect("the shared AgentOS could not be started: see the first message about it")
}

/// How a server is to be started; each test that needs another than the plain one starts its own.
#[derive(Debug, Default, Clone)]
pub(crate) struct Settings {
    environment: Vec<(&'static str, String)>,
}

impl Settings {
    /// `Authorization: Bearer <key>` is required.
    pub(crate) fn security_key(self, key: &str) -> Self {
        self.with("OS_SECURITY_KEY", key)
    }

    /// JWT (HS256) authorization with this secret.
    pub(crate) fn jwt(self, secret: &str) -> Self {
        self.with("AGENTOS_JWT_SECRET", secret)
    }

    /// With JWT: a user sees only what is theirs.
    pub(crate) fn user_isolation(self) -> Self {
        self.with("AGENTOS_USER_ISOLATION", "1")
    }

    /// Runs are traced, which makes them slower.
    pub(crate) fn tracing(self) -> Self {
        self.with("AGENTOS_TRACING", "1")
    }

    /// It has a knowledge base, and whatever else the embedded AgentOS has.
    pub(crate) fn full(self) -> Self {
        self.with("AGENTOS_FULL", "1")
    }

    /// The model takes so many seconds for each word.
    pub(crate) fn pace(self, seconds: f64) -> Self {
        self.with("AGENTOS_PACE", &seconds.to_string())
    }

    /// The database is this file, and stays when the server has gone. Without it, it is a temporary one.
    pub(crate) fn database(self, file: &str) -> Self {
        self.with("AGENTOS_DB", file)
    }

    /// Any other variable of the server's environment.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Starts the server and waits until it answers. Panics, with what it said, where it does not.
    pub(crate) fn start(&self) -> RealAgentOs {
        let version = version();
        let python = venv::python(&version);
        // Between finding a free port and binding it, somebody else may take it: then once more, with another.
        let mut said = String::new();
        for _ in 0..3 {
            match self.attempt(&python, &version) {
                Ok(server) => return server,
                Err(log) => said = log,
            }
        }
        panic!("the real AgentOS (agno {version}) did not start; it said:\n{said}");
    }

    fn attempt(&self, python: &Path, version: &str) -> Result<RealAgentOs, String> {
        let port = free_port();
        let mut child = Command::new(python)
            .arg(sources().join("server.py"))
            .arg("--exit-with-stdin")
            .env_clear()
            .envs(["PATH", "HOME", "TMPDIR"].into_iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("PORT", port.to_string())
            // Its sources are read, never written to.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", python.display()));
        let log = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().unwrap(), &log);
        collect(child.stderr.take().unwrap(), &log);
        let mut server = RealAgentOs {
            base_url: format!("http://127.0.0.1:{port}"),
            version: version.to_owned(),
            child,
            log,
        };
        let deadline = Instant::now() + START_WITHIN;
        loop {
            let healthy = http::request(&server.base_url, "GET", "/health", &[], "")
                .is_ok_and(|it| it.status == 200 && it.body.contains("\"ok\""));
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(format!("it ended with {status}\n{}", server.log()));
            }
            if healthy {
                return Ok(server);
            }
            if Instant::now() > deadline {
                return Err(format!("no answer to GET /health within {START_WITHIN:?}\n{}", server.log()));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A server that runs. It ends when this is dropped, and, however the test process ends, with the process.
#[derive(Debug)]
pub(crate) struct RealAgentOs {
    base_url: String,
    version: String,
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
}

impl RealAgentOs {
    /// `http://127.0.0.1:<port>`, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The version of agno that it runs.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// What the server has written to its standard output and error so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }

    /// Ends the server at once, as a crash would: its connections break.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for RealAgentOs {
    fn drop(&mut self) {
        // The end of its standard input is what it goes by; that is also what it sees when this process is killed.
        drop(self.child.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

/// A port of 127.0.0.1 that nobody listens on, and that nobody is given who asks the system for any: it lies below those
/// (from 32768 on, by default). Otherwise a server of another test could take it between this moment and its use.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        // Test processes that run at the same time begin at different places.
        let place =
            std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed).into());
        let port = 12_000 + u16::try_from(place % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Appends everything that comes from the pipe to the log, in a thread of its own.
fn collect(mut pipe: impl Read + Send + 'static, log: &Arc<Mutex<Vec<u8>>>) {
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            log.lock().unwrap().extend_from_slice(&buffer[..count]);
        }
    });
}
