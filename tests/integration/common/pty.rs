//! The compiled binary on a pseudo terminal: what a person sees.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A terminal of so many columns and lines.
pub(crate) struct Terminal {
    master: OwnedFd,
    slave: File,
}

impl Terminal {
    pub(crate) fn new(columns: u16, lines: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        tcsetwinsize(&slave, Winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        Self { master, slave }
    }

    /// Runs a command on it to its end. Its exit code, and all that the terminal was sent.
    pub(crate) fn run(self, command: Command) -> (i32, String) {
        self.start(command).finish()
    }

    /// Starts a command on it, for somebody who types.
    pub(crate) fn start(self, mut command: Command) -> Session {
        let stdio = || Stdio::from(self.slave.try_clone().unwrap());
        let child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().unwrap();
        drop(command);
        let Self { master, slave } = self;
        drop(slave);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keyboard = File::from(master);
        let reader = thread::spawn({
            let (seen, mut master) = (Arc::clone(&seen), keyboard.try_clone().unwrap());
            move || {
                let mut buffer = [0; 8192];
                // The end of the other side is an error here.
                while let Ok(count @ 1..) = master.read(&mut buffer) {
                    seen.lock().unwrap().extend_from_slice(&buffer[..count]);
                }
            }
        });
        Session { child, keyboard, reader, seen }
    }
}

/// A command that runs on a terminal.
pub(crate) struct Session {
    child: Child,
    keyboard: File,
    reader: thread::JoinHandle<()>,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Session {
    /// Waits until the terminal was sent this text so many times.
    pub(crate) fn wait_for(&self, text: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_mins(2);
        let sent = || String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned();
        while sent().matches(text).count() < times {
            assert!(Instant::now() < deadline, "{text:?} never came {times} times: {}", sent());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types keys; `\x03` is Ctrl-C.
    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for its end. Its exit code, -1 where a signal ended it, and all that the terminal was sent.
    pub(crate) fn finish(mut self) -> (i32, String) {
        let status = self.child.wait().unwrap();
        self.reader.join().unwrap();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        (status.code().unwrap_or(-1), String::from_utf8(seen).unwrap())
    }
}

/// What a terminal shows of what it was sent: its lines, and the columns of the widest that ever was. Knows the few
/// signs that the program uses, and panics at any other.
pub(crate) fn screen(sent: &str) -> (Vec<String>, usize) {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut line, mut column, mut widest) = (0, 0, 0);
    let mut signs = sent.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\r' => column = 0,
            '\n' => {
                line += 1;
                column = 0;
            }
            '\u{1b}' => {
                assert_eq!(signs.next(), Some('['), "{sent:?}");
                let private = signs.next_if_eq(&'?').is_some();
                let mut number = String::new();
                while let Some(digit) = signs.next_if(|sign| sign.is_ascii_digit() || *sign == ';') {
                    number.push(digit);
                }
                match signs.next() {
                    Some('A') => line -= number.parse().unwrap_or(1),
                    Some('J') => {
                        lines.truncate(line + 1);
                        lines[line].truncate(column);
                    }
                    Some('K') => lines[line].truncate(column),
                    // Colours.
                    Some('m') => {}
                    // What comes until the end of this is shown at once.
                    Some('h' | 'l') if private && number == "2026" => {}
                    other => panic!("{other:?} in {sent:?}"),
                }
            }
            sign => {
                assert!(!sign.is_control(), "{sign:?} in {sent:?}");
                while lines.len() <= line {
                    lines.push(Vec::new());
                }
                if lines[line].len() <= column {
                    lines[line].resize(column + 1, ' ');
                }
                lines[line][column] = sign;
                column += 1;
                widest = widest.max(column);
            }
        }
        while lines.len() <= line {
            lines.push(Vec::new());
        }
    }
    (lines.into_iter().map(String::from_iter).collect(), widest)
}
