//! A server that the project file starts: awaited until it is ready, and always stopped together with its children.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::agentos::operation::{Call, Method};
use crate::agentos::{CallOptions, Client, Timeouts};

/// How many of its last lines are kept for the message of a failure.
const KEPT_LINES: usize = 30;
/// How long it may take to end by itself after it was asked to.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is asked whether it is ready.
const POLL: Duration = Duration::from_millis(50);

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Something answers there already: it would be tested in the place of the one that was to be started.
    #[error("something already answers at {0}; stop it, or leave `serve` out")]
    Taken(String),
    /// The shell could not be started.
    #[error("`{command}` cannot be started: {cause}")]
    Start {
        /// The command.
        command: String,
        /// Why.
        cause: std::io::Error,
    },
    /// It ended instead of serving.
    #[error("`{command}` ended with {status} before it was ready{output}")]
    Ended {
        /// The command.
        command: String,
        /// How it ended.
        status: String,
        /// Its last lines.
        output: String,
    },
    /// It did not become ready.
    #[error("`{command}` was not ready after {within:?}: {cause}{output}")]
    NotReady {
        /// The command.
        command: String,
        /// The time that it had.
        within: Duration,
        /// What was answered last.
        cause: String,
        /// Its last lines.
        output: String,
    },
}

/// A running server. Its processes are killed when it is dropped; [`Server::stop`] is the gentle way.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The process group: kept, because the child forgets its id once it has ended and its children may still run.
    group: Option<u32>,
    lines: Lines,
}

type Lines = Arc<Mutex<VecDeque<String>>>;

impl Server {
    /// Starts `command` and waits until `ready` is answered with a status below 400.
    pub async fn start(
        command: &str,
        env: &[(String, String)],
        folder: &std::path::Path,
        client: &Client,
        ready: &str,
        within: Duration,
    ) -> Result<Self, ServerError> {
        let began = Instant::now();
        let call = Call::new(Method::Get, ready);
        let timeouts = Timeouts { total: Some(Duration::from_secs(2)), ..Timeouts::default() };
        let options = CallOptions { timeouts, ..CallOptions::default() };
        if client.exchange(&call, &options).await.is_ok() {
            return Err(ServerError::Taken(client.base_url().to_owned()));
        }
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(command)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if !folder.as_os_str().is_empty() {
            shell.current_dir(folder);
        }
        // A process group of its own: its children are stopped with it.
        #[cfg(unix)]
        shell.process_group(0);
        let mut child =
            shell.spawn().map_err(|cause| ServerError::Start { command: command.to_owned(), cause })?;
        let lines = Lines::default();
        keep_lines(child.stdout.take(), &lines);
        keep_lines(child.stderr.take(), &lines);
        let mut server = Self { group: child.id(), child, lines };
        let mut cause = "nothing answered".to_owned();
        loop {
            if let Ok(Some(status)) = server.child.try_wait() {
                // Let the readers take in its last words.
                tokio::time::sleep(POLL).await;
                let (command, output) = (command.to_owned(), server.output());
                return Err(ServerError::Ended { command, status: status.to_string(), output });
            }
            match client.exchange(&call, &options).await {
                Ok(exchange) if exchange.status < 400 => return Ok(server),
                Ok(exchange) => cause = format!("GET {ready} was answered {}", exchange.status),
                Err(error) => cause = if began.elapsed() < within { error.to_string() } else { cause },
            }
            if began.elapsed() >= within {
                let output = server.output();
                server.stop().await;
                return Err(ServerError::NotReady { command: command.to_owned(), within, cause, output });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Its last lines, introduced, or nothing.
    fn output(&self) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return "; it printed nothing".to_owned();
        }
        let mut text = "; its last lines:".to_owned();
        for line in lines.iter() {
            text.push_str("\n    ");
            text.push_str(line);
        }
        text
    }

    /// Asks it to end, and kills it where it does not.
    pub async fn stop(mut self) {
        self.signal(false);
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            self.signal(true);
            if let Err(error) = self.child.wait().await {
                // It is gone already; there is nothing left to stop.
                drop(error);
            }
        }
        // Children that outlived their parent.
        self.signal(true);
    }

    #[cfg(unix)]
    fn signal(&self, kill: bool) {
        use rustix::process::{Pid, Signal, kill_process_group};
        // The group outlives its leader as long as a child is in it; its id is the leader's.
        let Some(pid) = self.group.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) else {
            return;
        };
        // An error says that nobody is left.
        let _nobody_left = kill_process_group(pid, if kill { Signal::KILL } else { Signal::TERM });
    }

    #[cfg(not(unix))]
    fn signal(&mut self, _kill: bool) {
        let _gone = self.child.start_kill();
    }
}

#[cfg(unix)]
impl Drop for Server {
    fn drop(&mut self) {
        self.signal(true);
    }
}

fn keep_lines(stream: Option<impl AsyncRead + Unpin + Send + 'static>, lines: &Lines) {
    let Some(stream) = stream else { return };
    let lines = Arc::clone(lines);
    tokio::spawn(async move {
        let mut reader = BufReader::new(stream).lines();
        while let Ok(Some(line)) = reader.next_line().await {
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    });
}
