//! `agentos-run [run] PATH...`: the main job.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::args::RunArgs;
use super::context::Context;
use super::exit::Exit;
use super::output::{OnStandardError, Output};
use super::part::Part;
use super::refusal::Refusal;
use super::reports::Reports;
use super::targets::{self, Started};
use super::variables::declared;
use super::{inputs, live, settings, snapshots, watch};
use crate::engine::{self, Interrupt, Observer, Observers, Settings, Tracing};
use crate::project::Project;
use crate::report::record::{self, Builder, Limits};
use crate::report::recorder::{About, Recorder};
use crate::report::terminal::{Sink, Terminal, Verbosity};
use crate::report::text;
use crate::scenario::load::Loaded;
use crate::scenario::select::Selection;
use crate::scenario::snapshots::check_files;
use crate::scenario::unreferenced::unreferenced;
use crate::scenario::{self, Instance};
use crate::secret::Masker;

/// Runs the command.
pub(super) fn run(context: &Context, args: RunArgs) -> Exit {
    if args.schedule.watch { watch::run(context, &args) } else { once(context, &args, None) }
}

/// Runs scenarios once; of all that are asked for, only those of some files where these are named.
pub(super) fn once(context: &Context, args: &RunArgs, only: Option<&BTreeSet<PathBuf>>) -> Exit {
    let Ok(project) = inputs::project(context) else { return Exit::Invalid };
    let project = project.as_ref();
    let (masker, warnings) = targets::secrets(context, &args.target, project);
    let output = context.output_masked(&masker);
    match prepare(context, args, project, only, &masker, warnings, &output) {
        Err(refusal) => refusal.show(&output),
        Ok(prepared) => {
            let (store, forgotten) = (Arc::clone(&prepared.settings.snapshots), prepared.forgotten);
            let exit = prepared.runtime.block_on(execute(
                context,
                args,
                project,
                prepared.part,
                prepared.settings,
                masker,
                prepared.reports,
            ));
            if !args.quiet {
                snapshots::say(&output, &store, &forgotten);
            }
            exit
        }
    }
}

/// A run of which everything is known, and nothing was sent.
struct Prepared {
    settings: Settings,
    part: Part,
    reports: Reports,
    /// The snapshots that no step names any more.
    forgotten: Vec<PathBuf>,
    runtime: tokio::runtime::Runtime,
}

/// Reads and checks everything: what is wrong is told before anything is sent.
fn prepare(
    context: &Context,
    args: &RunArgs,
    project: Option<&Project>,
    only: Option<&BTreeSet<PathBuf>>,
    masker: &Masker,
    warnings: Vec<String>,
    output: &Output,
) -> Result<Prepared, Refusal> {
    let mut settings = settings::of_run(context, args, masker)?;
    let selection = inputs::selection(&args.selection)?;
    let mut loaded = inputs::load(&inputs::paths(context, &args.paths, project)?);
    settings.snapshots = Arc::new(snapshots::store(context, args, project, masker));
    let folders = settings.snapshots.folders();
    check_files(&loaded.scenarios, folders, &mut loaded.problems);
    if !loaded.problems.is_empty() {
        output.problems(&loaded.problems);
    }
    if let Some(problem) = loaded.only_casts() {
        return Err(problem.into());
    }
    if loaded.problems.has_errors() {
        let count = text::count(loaded.problems.len(), "problem");
        output.warn(&format!("\n{count}; nothing was sent"));
        return Err(Refusal::Told(Exit::Invalid));
    }
    declared(&settings.variables, &loaded.scenarios)?;
    settings.identities = Arc::new(settings::identities(context, project, &loaded.scenarios, masker)?);
    let forgotten = unreferenced(&loaded.scenarios, folders);
    let instances = planned(context, loaded, &selection, only, output)?;
    let part = Part::of(instances, context, &args.selection, project)?;
    settings.quarantine = Arc::new(settings::quarantine(project, &part.instances));
    let shadowed = targets::shadowed(context, &args.target, project, &part.instances);
    for warning in warnings.into_iter().chain(shadowed) {
        output.warn(&warning);
    }
    if let Some(word) = part.nothing() {
        output.warn(&word);
        if args.reports.is_empty() {
            return Err(Refusal::Told(Exit::Success));
        }
    }
    if let Some(timeout) = project.and_then(|project| project.timeouts.total)
        && !context.arguments.iter().any(|argument| argument.to_string_lossy().starts_with("--step-timeout"))
    {
        settings.timeouts.total = Some(timeout);
    }
    let mut reports = Reports::of(&args.reports, context)?;
    if let Some(folder) = &args.trace {
        reports.trace(folder, masker)?;
    }
    settings.tracing = reports.traces.clone().map(|traces| traces as Arc<dyn Tracing>);
    let runtime = targets::runtime().map_err(Refusal::Unreachable)?;
    Ok(Prepared { settings, part, reports, forgotten, runtime })
}

/// The runs of scenarios that are asked for; a plan of nothing is told.
fn planned(
    context: &Context,
    loaded: Loaded,
    selection: &Selection,
    only: Option<&BTreeSet<PathBuf>>,
    output: &Output,
) -> Result<Vec<Instance>, Refusal> {
    let fragments = loaded.fragments;
    let (mut instances, total) = loaded.plan(selection);
    if instances.is_empty() {
        if total == 0 && fragments > 0 {
            output.warn(
                "there are only fragments in the files given: scenarios `use` them, `check` checks them",
            );
        } else {
            let count = text::count(total, "scenario");
            output.warn(&format!("no scenario matched: {count} in the files given"));
        }
        return Err(Refusal::Told(Exit::NothingMatched));
    }
    if let Some(only) = only {
        instances.retain(|instance| {
            let file = context.folder.join(instance.scenario().source.name());
            watch::plain(&file).is_some_and(|file| only.contains(&file))
        });
        if instances.is_empty() {
            output.warn("it touches none of the scenarios that are asked for");
            return Err(Refusal::Told(Exit::Success));
        }
    }
    Ok(instances)
}

async fn execute(
    context: &Context,
    args: &RunArgs,
    project: Option<&Project>,
    part: Part,
    mut settings: Settings,
    masker: Masker,
    mut reports: Reports,
) -> Exit {
    let about_part = part.in_words();
    let Part { instances, shard, history, .. } = part;
    let interrupt = Interrupt::new();
    targets::watch_signals(&interrupt);
    let mut started = Started::default();
    let opened = tokio::select! {
        opened = targets::open_all(context, &args.target, project, &instances, &settings, &masker, &mut started) => Some(opened),
        () = interrupt.raised(1) => None,
    };
    let output = context.output_masked(&masker);
    let targets = match opened {
        Some(Ok(targets)) => targets,
        Some(Err(refusal)) => {
            started.stop().await;
            return refusal.show(&output);
        }
        None => {
            started.stop().await;
            return Exit::Interrupted;
        }
    };
    settings.cleanup = project.is_some_and(|project| project.cleanup);
    let ledger = targets::state_folder(context, project).join("ledger");
    settings.ledger = Some(Arc::new(engine::ledger::Ledger::new(&ledger, &settings.run_id)));
    settings.bulk = match super::bulk::settings(context, &args.bulk, &settings, &instances, &targets, &masker)
    {
        Ok(bulk) => bulk,
        Err(problem) => {
            started.stop().await;
            output.problem(&problem);
            return Exit::Invalid;
        }
    };
    let verbosity = match (args.quiet, args.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, 0) => Verbosity::Normal,
        (false, 1) => Verbosity::Steps,
        (false, _) => Verbosity::Requests,
    };
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    let mut head = format!("agentos-run {} against {}", env!("CARGO_PKG_VERSION"), names.join(" and "));
    if let Some(part) = about_part {
        head.push_str(&format!(", {part}"));
    }
    if args.bulk.dry_run {
        head.push_str(" (dry run: only reads are sent)");
    }
    let traces = reports.traces.clone();
    let on_error = OnStandardError(&output);
    let (sink, style): (&dyn Sink, _) =
        if reports.stdout_is_taken { (&on_error, context.error_style()) } else { (&output, context.style()) };
    let several = settings.jobs > 1 && instances.len() > 1;
    let progress = live::progress(context, args, several, &settings, &instances, &history);
    let terminal = Terminal::new(sink, &masker, style, verbosity, head, context.is_watched())
        .side_by_side(several)
        .telling_of_loops(progress.is_none().then_some(settings.slow / 2))
        .traced(traces.clone());
    let lines = reports.lines();
    let about = About {
        id: settings.run_id.clone(),
        started_at: settings.started_at.clone(),
        targets: names.iter().map(|name| (*name).to_owned()).collect(),
        shard: shard.map(record_of),
    };
    let mut observers = Observers(Vec::new());
    if let Some(traces) = &traces {
        // First: the others name the files that it writes.
        traces.about(about.clone());
        observers.0.push(&**traces);
    }
    let recorder = (!reports.is_empty()).then(|| {
        let builder = Builder::new(masker.clone(), Limits::default());
        Recorder::new(about, instances.clone(), builder, lines.as_ref())
            .traced(traces.clone())
            .keeping_all_steps(reports.have_all_steps())
    });
    observers.0.extend([&history as &dyn Observer, &terminal]);
    if let Some(progress) = &progress {
        observers.0.push(progress);
    }
    if let Some(recorder) = &recorder {
        observers.0.push(recorder);
    }
    let running = engine::run(instances, &targets, &settings, &interrupt, &observers);
    let summary = tokio::select! {
        biased;
        summary = running => Some(summary),
        () = interrupt.raised(2) => None,
        () = live::drawing(context, &output, progress.as_ref()) => None,
    };
    if progress.is_some() {
        output.below(Vec::new(), 0);
    }
    drop((targets, observers));
    started.stop().await;
    if summary.is_none() {
        output.warn("stopped at once: `finally` steps may not have run");
    }
    if let Err(warning) = history.save(shard.is_none()) {
        output.warn(&format!("warning: {warning}"));
    }
    let traced = reports.finish_traces(&output);
    let records = recorder.map(Recorder::finish);
    let written = records.is_none_or(|records| reports.write(records, lines, &output)) && traced;
    match summary {
        None => Exit::Interrupted,
        Some(summary) if summary.interrupted => Exit::Interrupted,
        Some(summary) if summary.is_failure => Exit::Failed,
        Some(_) if !written || output.is_lost() => Exit::Unwritten,
        Some(_) => Exit::Success,
    }
}

/// A part of the plan as reports have it.
fn record_of(shard: scenario::shard::Shard) -> record::Shard {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    record::Shard { index: number(shard.index), total: number(shard.total) }
}
