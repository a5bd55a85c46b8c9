//! An AgentOS to talk to: the emulator as a server of its own, so that what it costs is not counted.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use super::common::{program, run};

/// The server. It ends with this value.
pub(crate) struct Server {
    child: Child,
    /// Where it answers.
    pub(crate) url: String,
}

impl Server {
    /// Starts it, with one session `bench` in it that holds one run.
    pub(crate) fn start(folder: &Path) -> Self {
        let server = Self::with(folder, &[]);
        let fields = ["run_agent", "agent_id=assistant", "message=Hello!", "session_id=bench"];
        run(program(folder, &["call", "--base-url", &server.url]).args(fields));
        server
    }

    /// Starts it with further arguments of `serve`.
    pub(crate) fn with(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = program(folder, &["serve", "--port", "0"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split([' ', ',']).find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { child, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it has ended already, there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
