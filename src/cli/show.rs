//! `agentos-run show FILE`: a trace in the terminal.

use std::fs::File;
use std::io::BufReader;

use super::args::ShowArgs;
use super::context::Context;
use super::exit::Exit;
use crate::diagnostic::Problem;
use crate::report::trace::show::{self, Error, Options};
use crate::scenario::load;

/// Runs the command.
pub(super) fn run(context: &Context, args: &ShowArgs) -> Exit {
    let output = context.output();
    let options = Options { color: context.style().color, all: args.verbose };
    let shown = File::open(&args.file)
        .map_err(Error::from)
        .and_then(|file| show::show(BufReader::new(file), options, |text| output.print(text)));
    let Err(error) = shown else { return Exit::Success };
    let cause = match &error {
        Error::Io(error) => load::io_cause(error),
        error => error.to_string(),
    };
    let message = format!("cannot show {}: {cause}", args.file.display());
    output.problem(&Problem::error("trace::unreadable", message));
    Exit::Invalid
}
