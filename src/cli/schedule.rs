//! The options that say when scenarios run: how many at a time, how often, and which of them on this machine.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::context::Context;
use crate::diagnostic::Problem;
use crate::duration;

/// How many scenarios run at the same time unless something else is said.
///
/// They wait for models: eight of them keep one core busy with nothing, stay far below what providers allow in a minute, and
/// are no load for an AgentOS that keeps its sessions in SQLite.
const JOBS: usize = 8;
/// The most scenarios at the same time.
const MOST_JOBS: usize = 1000;
/// Instead of `--jobs`, for the environment of a CI job.
const JOBS_VARIABLE: &str = "AGENTOS_RUN_JOBS";

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "How they run")]
pub(super) struct ScheduleArgs {
    /// How many scenarios run at the same time: 8; with -v on a terminal 1
    #[arg(short, long, value_name = "N")]
    jobs: Option<String>,
    /// Run failed scenarios again, up to N times, when all others are done
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    retries: Option<u32>,
    /// Whether a run with flaky scenarios passes: those that passed only when run again
    #[arg(long, value_enum, value_name = "VERDICT", default_value_t = Flaky::Pass)]
    flaky: Flaky,
    /// Run again what a changed file touches, until Ctrl-C
    #[arg(long)]
    pub(super) watch: bool,
    /// Show no lines of what is running on a terminal
    #[arg(long)]
    pub(super) no_progress: bool,
    /// Say which scenario is still running after this time
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    slow: String,
}

/// What becomes of a run with flaky scenarios.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Flaky {
    #[default]
    Pass,
    Fail,
}

/// What the options say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub(super) jobs: usize,
    pub(super) retries: u32,
    pub(super) flaky_fails: bool,
    pub(super) slow: Duration,
}

impl ScheduleArgs {
    /// Reads the options. `live` is whether somebody watches each step.
    pub(super) fn read(&self, context: &Context, live: bool) -> Result<Schedule, Problem> {
        let slow = duration::parse(&self.slow)
            .map_err(|message| Problem::error("cli::duration", format!("--slow {}: {message}", self.slow)))?;
        Ok(Schedule {
            jobs: self.jobs(context, live)?,
            retries: self.retries.unwrap_or(0),
            flaky_fails: self.flaky == Flaky::Fail,
            slow: slow.max(Duration::from_millis(1)),
        })
    }

    fn jobs(&self, context: &Context, live: bool) -> Result<usize, Problem> {
        let (name, text) = match (&self.jobs, context.variable(JOBS_VARIABLE)) {
            (Some(text), _) => ("--jobs ", text.as_str()),
            (None, Some(text)) => ("AGENTOS_RUN_JOBS=", text),
            // Steps are shown as they run, and two scenarios cannot share a line.
            (None, None) => return Ok(if live { 1 } else { JOBS }),
        };
        text.trim().parse().ok().filter(|jobs| (1..=MOST_JOBS).contains(jobs)).ok_or_else(|| {
            Problem::error("cli::jobs", format!("{name}{text}: this must be a number from 1 to {MOST_JOBS}"))
                .help(
                    "it is the number of scenarios that run at the same time; 1 runs them one after another",
                )
        })
    }
}
