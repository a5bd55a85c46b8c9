//! The compiled binary in a clean room: an empty folder, an empty environment, and a deadline.

use super::scrub;
use std::{
    ffi::OsString,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long one run of the binary may take before the test fails.
const WITHIN: Duration = Duration::from_mins(2);

/// A run of the binary, as it is put together.
///
/// ```ignore
/// let output = Run::new().file("hello.yaml", "...").args(["check", "hello.yaml"]).run();
/// output.code_is(0);
/// ```
#[derive(Debug)]
pub(crate) struct Run {
    folder: Arc<TempDir>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    stdin: Vec<u8>,
    colored: bool,
}

impl Run {
    /// In a new, empty folder.
    pub(crate) fn new() -> Self {
        Self::inside(Arc::new(tempfile::Builder::new().prefix("agentos-run-").tempdir().unwrap()))
    }

    fn inside(folder: Arc<TempDir>) -> Self {
        Self { folder, arguments: Vec::new(), environment: Vec::new(), stdin: Vec::new(), colored: false }
    }

    /// Writes a file into the folder, with the folders on its way.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// What the binary reads on its standard input, which is empty otherwise.
    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Colours are wanted: `NO_COLOR` is not set, and escape sequences in the output are no failure.
    pub(crate) fn colored(mut self) -> Self {
        self.colored = true;
        self
    }

    /// The folder it runs in.
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs it to its end. Panics where it panicked, wrote control characters, or took too long.
    pub(crate) fn run(self) -> Output {
        self.start().finish()
    }

    /// Starts it and comes back at once, for what is done to a run while it runs.
    pub(crate) fn start(self) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_agentos-run"));
        command
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .env_clear()
            // The coverage's file name has to survive, where coverage is measured.
            .envs(
                ["PATH", "LLVM_PROFILE_FILE"]
                    .into_iter()
                    .filter_map(|name| Some((name, std::env::var_os(name)?))),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // What comes first in the output is told by the tests that are about it.
        command.env("AGENTOS_RUN_JOBS", "1");
        if !self.colored {
            command.env("NO_COLOR", "1");
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut child = command.spawn().unwrap();
        let (mut pipe, text) = (child.stdin.take().unwrap(), self.stdin);
        // A binary that does not read its input is no fault: the broken pipe is ignored.
        thread::spawn(move || pipe.write_all(&text));
        Running {
            stdout: Stream::of(child.stdout.take().unwrap()),
            stderr: Stream::of(child.stderr.take().unwrap()),
            child,
            folder: self.folder,
            colored: self.colored,
            command: format!("agentos-run {}", self.arguments.join(" ".as_ref()).to_string_lossy()),
        }
    }
}

/// A run that is under way.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
    folder: Arc<TempDir>,
    colored: bool,
    command: String,
}

impl Running {
    /// The folder it runs in.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until the text is in its standard output or its standard error.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_for_times(text, 1);
    }

    /// Waits until the text is there so many times.
    pub(crate) fn wait_for_times(&self, text: &str, times: usize) {
        let deadline = Instant::now() + WITHIN;
        let count = |stream: &Stream| stream.so_far().matches(text).count();
        while count(&self.stdout) + count(&self.stderr) < times {
            assert!(Instant::now() < deadline, "{text:?} never came: {self:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }

    /// What nothing survives.
    #[cfg(unix)]
    pub(crate) fn kill(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Output {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > WITHIN {
                let _ = self.child.kill();
                panic!("`{}` did not end within {WITHIN:?}: {self:#?}", self.command);
            }
            thread::sleep(Duration::from_millis(5));
        };
        let output = Output {
            code: code_of(status),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            folder: self.folder,
            command: self.command,
        };
        output.is_sound(self.colored);
        output
    }
}

/// What a shell's `$?` would be: a signal is 128 and its number.
fn code_of(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(-1)
}

/// A pipe that a thread of its own reads.
#[derive(Debug)]
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: thread::JoinHandle<()>,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                kept.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }

    fn whole(self) -> String {
        self.reader.join().unwrap();
        String::from_utf8(std::mem::take(&mut self.text.lock().unwrap())).expect("the output is UTF-8")
    }
}

/// What a run of the binary left behind.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit code; 128 and the signal's number where one ended it.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    folder: Arc<TempDir>,
    command: String,
}

impl Output {
    /// Another run in the same folder, with what this one left there.
    pub(crate) fn then(&self) -> Run {
        Run::inside(Arc::clone(&self.folder))
    }

    /// The folder it ran in.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the folder, as text. Panics where there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir().join(name)).unwrap_or_else(|error| panic!("{name}: {error}; {self}"))
    }

    /// Panics, with all that was written, unless this is the exit code.
    #[track_caller]
    pub(crate) fn code_is(self, code: i32) -> Self {
        assert!(self.code == code, "exit code {} instead of {code}; {self}", self.code);
        self
    }

    /// Standard output, with what differs from run to run replaced by placeholders.
    pub(crate) fn scrubbed(&self) -> String {
        self.scrub(&self.stdout)
    }

    /// Any text of this run, in the same way: standard error, a report, a snapshot.
    pub(crate) fn scrub(&self, text: &str) -> String {
        scrub::scrub(text, self.dir())
    }

    /// What holds for every run whatsoever: no panic, and no control characters but line ends and tabs.
    #[track_caller]
    fn is_sound(&self, colored: bool) {
        for sign in ["panicked at", "RUST_BACKTRACE", "internal error: entered unreachable code"] {
            assert!(!self.stderr.contains(sign) && !self.stdout.contains(sign), "it panicked; {self}");
        }
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(
            colored || !self.stdout.contains(control) && !self.stderr.contains(control),
            "control characters in {self:#?}"
        );
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr, command, .. } = self;
        write!(
            f,
            "`{command}` ended with {code}\n--- standard output\n{stdout}\n--- standard error\n{stderr}"
        )
    }
}
