//! `agentos-run serve`: the embedded AgentOS in the foreground.

use super::args::ServeArgs;
use super::context::Context;
use super::embedded::Which;
use super::exit::Exit;
use super::targets;
use crate::diagnostic::Problem;
use crate::emulator::{Emulator, Options, cast};
use crate::engine::Interrupt;

/// Runs the command until somebody stops it.
pub(super) fn run(context: &Context, args: ServeArgs) -> Exit {
    let output = context.output();
    if args.print_cast {
        output.print(cast::DEMO);
        return Exit::Success;
    }
    let which = Which { cast: args.cast, chaos: args.chaos };
    let played = match which.cast(&output) {
        Ok(played) => played,
        Err(refusal) => return refusal.show(&output),
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
        cast: played,
        chaos: which.chaos,
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
    let secured = match emulator.auth_mode() {
        "jwt" => ", for tokens only",
        "security_key" => ", with a security key",
        _ => "",
    };
    let playing = which.cast.map(|cast| format!(", cast {}", cast.display())).unwrap_or_default();
    let chaos = emulator.chaos().map(|seed| format!(", with chaos, seed {seed}")).unwrap_or_default();
    output.print(&format!(
        "embedded AgentOS at {}{playing}, data {place}{secured}{chaos}; Ctrl-C stops it\n",
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
