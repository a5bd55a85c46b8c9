//! What is shown on a terminal while a run goes on: lines that stay below everything else, and are taken away before
//! anything is written.

use std::io::Write as _;
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
    Some(Progress::new(settings.jobs, instances.iter().filter_map(known).collect()))
}

/// Draws it until the end of time.
pub(super) async fn drawing(context: &Context, output: &Output, progress: Option<&Progress>) {
    let Some(progress) = progress else { return std::future::pending().await };
    loop {
        tokio::time::sleep(REDRAWN).await;
        if let Some((width, height)) = context.progress_size() {
            // In the last column, some terminals begin a new line.
            output.below(progress.lines(width.saturating_sub(1), height.saturating_sub(2)));
        }
    }
}

/// How often progress is drawn.
const REDRAWN: Duration = Duration::from_millis(200);

/// What is shown below all other output, on standard error.
#[derive(Debug, Default)]
pub(super) struct Footer {
    lines: Vec<String>,
    /// How many lines stand on the terminal now; the cursor is at the end of the last.
    drawn: usize,
    /// How many questions are open.
    paused: usize,
}

impl Footer {
    /// Shows these lines from now on.
    pub(super) fn set(&mut self, lines: Vec<String>) {
        if self.paused > 0 {
            self.lines = lines;
            return;
        }
        let text = self.taking_away() + &lines.join("\n");
        self.drawn = lines.len();
        self.lines = lines;
        put(&text);
    }

    /// Takes the lines away, so that something can be written in their place.
    pub(super) fn hide(&mut self) {
        put(&self.taking_away());
        self.drawn = 0;
    }

    /// Shows them again, below what was written.
    pub(super) fn show(&mut self) {
        if self.paused > 0 {
            return;
        }
        self.drawn = self.lines.len();
        put(&self.lines.join("\n"));
    }

    /// Shows nothing from now on.
    pub(super) fn pause(&mut self) {
        self.hide();
        self.paused += 1;
    }

    /// Shows the lines again, once for each [`Self::pause`].
    pub(super) fn go_on(&mut self) {
        self.paused = self.paused.saturating_sub(1);
        self.show();
    }

    fn taking_away(&self) -> String {
        match self.drawn {
            0 => String::new(),
            1 => "\r\x1b[J".to_owned(),
            drawn => format!("\r\x1b[{}A\x1b[J", drawn - 1),
        }
    }
}

fn put(text: &str) {
    if !text.is_empty() {
        let mut stderr = std::io::stderr().lock();
        // There is nobody left to show it to where standard error is closed.
        let _closed = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}
