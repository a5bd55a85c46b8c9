//! `agentos-run check`: all findings of all files, nothing sent.

use super::args::CheckArgs;
use super::context::Context;
use super::embedded;
use super::exit::Exit;
use super::{run, snapshots};
use crate::report::text;
use crate::scenario::snapshots::check_files;

/// Runs the command.
pub(super) fn run(context: &Context, args: &CheckArgs) -> Exit {
    let Ok(project) = run::project(context) else { return Exit::Invalid };
    let Ok(paths) = run::paths(context, &args.paths, project.as_ref()) else { return Exit::Invalid };
    let mut loaded = run::load(&paths);
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
    output.print(&format!("no problems: {counts}\n"));
    Exit::Success
}
