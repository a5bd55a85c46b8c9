//! A command that works with one target: it is opened, worked with, and left, also where somebody presses Ctrl-C.

use super::args::TargetArgs;
use super::context::Context;
use super::exit::Exit;
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
) -> Exit {
    let output = context.output_masked(masker);
    let Some(plan) = output.accept(targets::plan(context, args, project)) else { return Exit::Invalid };
    let Some(runtime) = output.accept(targets::runtime()) else { return Exit::Unreachable };
    runtime.block_on(async {
        let interrupt = Interrupt::new();
        targets::watch_signals(&interrupt);
        let mut started = Started::default();
        let work = async {
            let opened =
                targets::open_without_asking(&plan, context, args, project, timeouts, masker, &mut started)
                    .await;
            match opened {
                Ok(target) => work(target).await,
                Err(refusal) => refusal.show(&context.output_masked(masker)),
            }
        };
        let exit = tokio::select! {
            exit = work => exit,
            () = interrupt.raised(1) => Exit::Interrupted,
        };
        started.stop().await;
        exit
    })
}
