//! What is shown on a terminal while a run goes on: lines that stay below everything else, and are taken away before
//! anything is written.

use std::time::Duration;

use super::args::RunArgs;
use super::context::Context;
use super::history::History;
use super::output::Output;
use crate::engine::Settings;
use crate::report::progress::Progress;
use crate::scenario::Instance;

/// What is going on, where somebody watches. With -v on a terminal one scenario shows its steps as they run: that is enough.
pub(super) fn progress(
    context: &Context,
    args: &RunArgs,
    several: bool,
    settings: &Settings,
    instances: &[Instance],
    history: &History,
) -> Option<Progress> {
    let steps = args.verbose > 0 && !several;
    if args.schedule.no_progress || args.quiet || steps || context.progress_size().is_none() {
        return None;
    }
    let known = |instance: &Instance| Some((instance.place(), history.duration(instance)?));
    let expected = instances.iter().filter_map(known).collect();
    Some(Progress::new(settings.jobs, expected, settings.masker.clone()))
}

/// Draws it until the end of time.
pub(super) async fn drawing(context: &Context, output: &Output, progress: Option<&Progress>) {
    let Some(progress) = progress else { return std::future::pending().await };
    loop {
        tokio::time::sleep(REDRAWN).await;
        if let Some((width, height)) = context.progress_size() {
            // In the last column, some terminals begin a new line.
            output.below(progress.lines(width.saturating_sub(1), height.saturating_sub(2)), width);
        }
    }
}

/// How often progress is drawn.
const REDRAWN: Duration = Duration::from_millis(200);
