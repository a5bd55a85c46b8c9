//! The command line: arguments to library calls, results to text and exit codes.

mod args;
mod bulk;
mod call;
mod check;
mod context;
mod embedded;
mod exit;
mod footer;
mod history;
mod init;
mod inputs;
mod list;
mod live;
mod merge;
mod one_target;
mod operations;
mod output;
mod part;
mod refusal;
mod reports;
mod review;
mod run;
mod schedule;
mod schema;
#[cfg(feature = "emulator")]
mod serve;
mod settings;
mod shard;
mod show;
mod snapshots;
mod sweep;
mod targets;
mod variables;
mod watch;

use args::Command;
use context::Context;
use exit::Exit;

/// Runs the program with the arguments, the environment and the terminal of this process.
pub fn main() -> std::process::ExitCode {
    let context = Context::of_process();
    let program = match args::parse(&context.arguments) {
        Ok(program) => program,
        Err(error) => {
            // Help and version go to standard output with 0, everything else to standard error with 2.
            let _closed = error.print();
            return Exit::from_clap(&error).into();
        }
    };
    let context = context.with_colors(program.color);
    let exit = match program.command {
        None => run::run(&context, program.run),
        Some(Command::Run(run)) => run::run(&context, *run),
        Some(Command::Check(check)) => check::run(&context, &check),
        Some(Command::List(list)) => list::run(&context, &list),
        Some(Command::Call(call)) => call::run(&context, call),
        Some(Command::Operations(operations)) => operations::run(&context, &operations),
        #[cfg(feature = "emulator")]
        Some(Command::Serve(serve)) => serve::run(&context, serve),
        Some(Command::Merge(merge)) => merge::run(&context, &merge),
        Some(Command::Show(show)) => show::run(&context, &show),
        Some(Command::Sweep(sweep)) => sweep::run(&context, &sweep),
        Some(Command::Review(args)) => review::review(&context, &args),
        Some(Command::Accept(args)) => review::accept(&context, &args),
        Some(Command::Reject(args)) => review::reject(&context, &args.paths),
        Some(Command::Init(init)) => init::run(&context, &init),
        Some(Command::Schema { of }) => schema::run(&context, of),
        Some(Command::Completions { shell }) => args::completions(&context, shell),
    };
    exit.into()
}
