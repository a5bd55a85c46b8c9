//! The part of a plan that runs: what failed the last time, and what falls to this machine.

use super::args::SelectionArgs;
use super::context::Context;
use super::history::History;
use super::shard;
use crate::diagnostic::Problem;
use crate::project::Project;
use crate::scenario::shard::{Item, Shard};
use crate::scenario::{Instance, Serial};

/// The part of a plan that runs.
pub(super) struct Part {
    pub(super) instances: Vec<Instance>,
    /// Which part it is, where the plan is split.
    pub(super) shard: Option<Shard>,
    /// How many runs of scenarios the whole plan has.
    pub(super) whole: usize,
    /// What is known of earlier runs.
    pub(super) history: History,
}

impl Part {
    /// Takes what the options want of `instances`. The paths of a run are named from the working folder.
    pub(super) fn of(
        mut instances: Vec<Instance>,
        context: &Context,
        args: &SelectionArgs,
        project: Option<&Project>,
    ) -> Result<Self, Problem> {
        let shard = match &args.shard {
            Some(text) => shard::read(context, text)?,
            None => None,
        };
        let folder = project.map(|project| project.folder.as_path());
        let durations = args.durations.as_deref();
        let history = History::open(&context.folder, folder, durations, args.shard.is_some())?;
        if args.last_failed {
            history.retain_failed(&mut instances)?;
        }
        let whole = instances.len();
        if let Some(shard) = shard {
            // A cache differs from machine to machine, and so would the split: only what was named counts.
            let known = |instance: &Instance| durations.and_then(|_| history.duration(instance));
            let items: Vec<Item<'_>> = instances
                .iter()
                .map(|instance| Item { duration: known(instance), group: group(instance) })
                .collect();
            let mut taken = shard.takes(&items).into_iter();
            instances.retain(|_| taken.next().unwrap_or(false));
        }
        Ok(Self { instances, shard, whole, history })
    }

    /// What to say where there is nothing to run, which is no fault.
    pub(super) fn nothing(&self) -> Option<String> {
        match self.shard {
            _ if !self.instances.is_empty() => None,
            Some(shard) if self.whole > 0 => {
                let whole = crate::report::text::count(self.whole, "scenario");
                Some(format!("nothing to run: shard {shard} of {whole} is empty"))
            }
            _ => Some("nothing to run: no scenario failed the last time".to_owned()),
        }
    }

    /// What the first line of a report says of it.
    pub(super) fn in_words(&self) -> Option<String> {
        let shard = self.shard?;
        let whole = crate::report::text::count(self.whole, "scenario");
        Some(format!("shard {shard}: {} of {whole}", self.instances.len()))
    }
}

/// What must stay on one machine, because it must not overlap.
fn group(instance: &Instance) -> Option<&str> {
    match instance.scenario().serial.as_ref()? {
        Serial::Alone => Some(""),
        Serial::Named(name) => Some(name),
    }
}
