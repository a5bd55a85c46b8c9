//! `agentos-run check`: all findings of all files, nothing sent; with `--live` the target is asked what it has.

use super::args::{CheckArgs, SelectionArgs};
use super::context::Context;
use super::embedded;
use super::exit::Exit;
use super::output::Output;
use super::refusal::Refusal;
use super::targets::{self, Started};
use super::{inputs, settings, snapshots};
use crate::engine;
use crate::project::Project;
use crate::report::text;
use crate::scenario::load::Loaded;
use crate::scenario::snapshots::check_files;
use crate::secret::Masker;

/// The scenarios that would be skipped and are named.
const SHOWN: usize = 20;

/// Runs the command.
pub(super) fn run(context: &Context, args: &CheckArgs) -> Exit {
    check(context, args).unwrap_or_else(|refusal| refusal.show(&context.output()))
}

fn check(context: &Context, args: &CheckArgs) -> Result<Exit, Refusal> {
    let project = inputs::project(context)?;
    let paths = inputs::paths(context, &args.paths, project.as_ref())?;
    let mut loaded = inputs::load(&paths);
    let folders = snapshots::folders(context, project.as_ref());
    check_files(&loaded.scenarios, &folders, &mut loaded.problems);
    let fragments = match loaded.fragments {
        0 => String::new(),
        some => format!(" and {}", text::count(some, "fragment")),
    };
    let mut counts = format!(
        "{}{fragments} in {}",
        text::count(loaded.scenarios.len(), "scenario"),
        text::count(loaded.files - loaded.casts.len(), "file")
    );
    if !loaded.casts.is_empty() {
        let casts = embedded::check_all(&loaded.casts, &mut loaded.problems);
        counts = if loaded.files == loaded.casts.len() { casts } else { format!("{counts}, {casts}") };
    }
    let output = context.output();
    output.problems(&loaded.problems);
    if loaded.problems.has_errors() {
        output.warn(&format!("\n{}: {counts}", text::count(loaded.problems.len(), "problem")));
        return Ok(Exit::Invalid);
    }
    if args.live {
        let (masker, warnings) = targets::secrets(context, &args.target, project.as_ref());
        let output = context.output_masked(&masker);
        for warning in warnings {
            output.warn(&warning);
        }
        let exit = live(context, args, project.as_ref(), loaded, &counts, &masker, &output);
        return Ok(exit.unwrap_or_else(|refusal| refusal.show(&output)));
    }
    output.print(&format!("no problems: {counts}\n"));
    Ok(Exit::Success)
}

/// Asks the targets of the scenarios what they have.
fn live(
    context: &Context,
    args: &CheckArgs,
    project: Option<&Project>,
    loaded: Loaded,
    counts: &str,
    masker: &Masker,
    output: &Output,
) -> Result<Exit, Refusal> {
    let settings = settings::of_check(context, &args.vars, project, &loaded.scenarios, masker)?;
    let asked =
        SelectionArgs { tag: args.tag.clone(), filter: args.filter.clone(), ..SelectionArgs::default() };
    let (instances, total) = loaded.plan(&inputs::selection(&asked)?);
    if instances.is_empty() && total > 0 {
        output.warn(&format!("no scenario matched: {} in the files given", text::count(total, "scenario")));
        return Ok(Exit::NothingMatched);
    }
    let runtime = targets::runtime().map_err(Refusal::Unreachable)?;
    runtime.block_on(async {
        let mut started = Started::default();
        let opened =
            targets::open_all(context, &args.target, project, &instances, &settings, masker, &mut started)
                .await;
        let targets = match opened {
            Ok(targets) => targets,
            Err(refusal) => {
                started.stop().await;
                return Err(refusal);
            }
        };
        let found = engine::live::check(&instances, &targets, &settings).await;
        let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
        drop(targets);
        started.stop().await;
        output.problems(&found.problems);
        if !found.problems.is_empty() && !found.skipped.is_empty() {
            output.warn("");
        }
        for (name, reason) in found.skipped.iter().take(SHOWN) {
            output.warn(&format!("would be skipped: {name}: {reason}"));
        }
        if let Some(rest) = found.skipped.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
            output.warn(&format!("would be skipped: {rest} more"));
        }
        if found.problems.has_errors() {
            output.warn(&format!("\n{}: {counts}", text::count(found.problems.len(), "problem")));
            return Ok(Exit::Invalid);
        }
        output.print(&format!("no problems: {counts}; all that they name is on {}\n", names.join(" and ")));
        Ok(Exit::Success)
    })
}
