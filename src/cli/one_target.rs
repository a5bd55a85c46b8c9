//! A command that works with one target: it is opened, worked with, and left, also where somebody presses Ctrl-C.

use super::args::TargetArgs;
use super::context::Context;
use super::exit::Exit;
use super::refusal::Refusal;
use super::targets::{self, Started};
use crate::agentos::Timeouts;
use crate::engine::{Interrupt, Target};
use crate::project::Project;
use crate::secret::Masker;

/// Opens the target of the command line and lets `work` have it. Nobody asks whether it is there: the work will see.
pub(super) fn with_target(
    context: &Context,
    args: &TargetArgs,
    project: Option<&Project>,
    timeouts: Timeouts,
    masker: &Masker,
    work: impl AsyncFnOnce(Target) -> Exit,
) -> Result<Exit, Refusal> {
    let plan = targets::plan(context, args, project)?;
    let runtime = targets::runtime().map_err(Refusal::Unreachable)?;
    runtime.block_on(async {
        let interrupt = Interrupt::new();
        targets::watch_signals(&interrupt);
        let mut started = Started::default();
        let work = async {
            let opened =
                targets::open_without_asking(&plan, context, args, project, timeouts, masker, &mut started)
                    .await;
            Ok(work(opened?).await)
        };
        let exit = tokio::select! {
            exit = work => exit,
            () = interrupt.raised(1) => Ok(Exit::Interrupted),
        };
        started.stop().await;
        exit
    })
}
