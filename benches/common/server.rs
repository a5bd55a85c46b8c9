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
        let mut child = program(folder, &["serve", "--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split([' ', ',']).find(|word| word.starts_with("http://")).unwrap().to_owned();
        let server = Self { child, url };
        let fields = ["run_agent", "agent_id=assistant", "message=Hello!", "session_id=bench"];
        run(program(folder, &["call", "--base-url", &server.url]).args(fields));
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it has ended already, there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
