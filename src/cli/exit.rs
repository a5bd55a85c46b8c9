//! The exit codes: part of the interface, documented in `docs/command-line.md`.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Every scenario that ran passed.
    Success,
    /// At least one scenario failed; a call was refused.
    Failed,
    /// The command line, the project file or a scenario is invalid; nothing was sent.
    Invalid,
    /// The target could not be reached, or refused the credentials, before anything ran.
    Unreachable,
    /// No scenario matched.
    NothingMatched,
    /// Every scenario passed, and a report could not be written.
    Unwritten,
    /// Somebody pressed Ctrl-C; `finally` steps ran.
    Interrupted,
}

impl Exit {
    /// The code.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::Unreachable => 3,
            Self::NothingMatched => 4,
            Self::Unwritten => 5,
            Self::Interrupted => 130,
        }
    }

    /// How a complaint of the argument parser ends the program.
    pub(super) fn from_clap(error: &clap::Error) -> Self {
        if error.use_stderr() { Self::Invalid } else { Self::Success }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
