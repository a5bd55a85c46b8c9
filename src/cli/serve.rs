//! `agentos-run serve`: the embedded AgentOS in the foreground.

use super::args::ServeArgs;
use super::context::Context;
use super::exit::Exit;
use super::targets;
use crate::diagnostic::Problem;
use crate::emulator::{Emulator, Options};
use crate::engine::Interrupt;

/// Runs the command until somebody stops it.
pub(super) fn run(context: &Context, args: ServeArgs) -> Exit {
    let output = context.output();
    let secured = match (&args.jwt_secret, &args.security_key) {
        (Some(_), _) => ", for tokens only",
        (None, Some(_)) => ", with a security key",
        (None, None) => "",
    };
    let place =
        args.db.as_ref().map_or_else(|| "in memory".to_owned(), |path| format!("in {}", path.display()));
    let options = Options {
        port: args.port,
        db: args.db,
        security_key: args.security_key,
        jwt_secret: args.jwt_secret,
        jwt_audience: args.jwt_audience,
        user_isolation: args.user_isolation,
        cast: None,
    };
    let emulator = match Emulator::start(options) {
        Ok(emulator) => emulator,
        Err(error) => {
            output.problem(&Problem::error("serve::start", error.to_string()));
            return Exit::Unreachable;
        }
    };
    let runtime = match targets::runtime() {
        Ok(runtime) => runtime,
        Err(problem) => {
            output.problem(&problem);
            return Exit::Unreachable;
        }
    };
    output.print(&format!(
        "embedded AgentOS at {}, data {place}{secured}; Ctrl-C stops it\n",
        emulator.base_url()
    ));
    runtime.block_on(async {
        let interrupt = Interrupt::new();
        targets::watch_signals(&interrupt);
        interrupt.raised(1).await;
    });
    emulator.stop();
    Exit::Success
}
