//! `agentos-run check`: all findings of all files, nothing sent; with `--live` the target is asked what it has.

use super::args::CheckArgs;
use super::context::Context;
use super::embedded;
use super::exit::Exit;
use super::targets::{self, Started};
use super::{inputs, settings, snapshots};
use crate::engine;
use crate::project::Project;
use crate::report::text;
use crate::scenario::load::Loaded;
use crate::scenario::select::Selection;
use crate::scenario::snapshots::check_files;

/// The scenarios that would be skipped and are named.
const SHOWN: usize = 20;

/// Runs the command.
pub(super) fn run(context: &Context, args: &CheckArgs) -> Exit {
    let Ok(project) = inputs::project(context) else { return Exit::Invalid };
    let paths = match inputs::paths(context, &args.paths, project.as_ref()) {
        Ok(paths) => paths,
        Err(problem) => {
            context.complain(&problem);
            return Exit::Invalid;
        }
    };
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
        return Exit::Invalid;
    }
    if args.live {
        return live(context, args, project.as_ref(), loaded, &counts);
    }
    output.print(&format!("no problems: {counts}\n"));
    Exit::Success
}

/// Asks the targets of the scenarios what they have.
fn live(
    context: &Context,
    args: &CheckArgs,
    project: Option<&Project>,
    loaded: Loaded,
    counts: &str,
) -> Exit {
    let (masker, warnings) = targets::secrets(context, &args.target, project);
    let output = context.output_masked(&masker);
    for warning in warnings {
        output.warn(&warning);
    }
    let settings = match settings::of_check(context, &args.vars, project, &loaded.scenarios, &masker) {
        Ok(settings) => settings,
        Err(problem) => {
            output.problem(&problem);
            return Exit::Invalid;
        }
    };
    let runtime = match targets::runtime() {
        Ok(runtime) => runtime,
        Err(problem) => {
            output.problem(&problem);
            return Exit::Unreachable;
        }
    };
    let (instances, _) = loaded.plan(&Selection::default());
    runtime.block_on(async {
        let mut started = Started::default();
        let opened =
            targets::open_all(context, &args.target, project, &instances, &settings, &masker, &mut started)
                .await;
        let targets = match opened {
            Ok(targets) => targets,
            Err(refusal) => {
                started.stop().await;
                return refusal.show(&output);
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
            return Exit::Invalid;
        }
        output.print(&format!("no problems: {counts}; all that they name is on {}\n", names.join(" and ")));
        Exit::Success
    })
}
