//! `agentos-run [run] PATH...`: the main job.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::args::{RunArgs, TargetArgs};
use super::context::Context;
use super::exit::Exit;
use super::live;
use super::output::OnStandardError;
use super::part::Part;
use super::reports::Reports;
use super::snapshots;
use super::targets::{self, Plan, Refusal, Started};
use super::watch;
use crate::agentos::Timeouts;
use crate::diagnostic::{self, Problem, Problems};
use crate::duration;
use crate::engine::{self, Interrupt, Observer, Observers, Sender, Settings, Targets, Tracing};
use crate::project::{self, Project};
use crate::report::record::{self, Builder, Limits};
use crate::report::recorder::{About, Recorder};
use crate::report::terminal::{Sink, Terminal, Verbosity};
use crate::scenario::load::{self, Loaded};
use crate::scenario::select::{Selection, Tags};
use crate::scenario::snapshots::check_files;
use crate::scenario::unreferenced::unreferenced;
use crate::scenario::{self, Instance, Scenario};
use crate::source::Source;
use crate::yaml;

/// Runs the command.
pub(super) fn run(context: &Context, args: RunArgs) -> Exit {
    if args.schedule.watch { watch::run(context, &args) } else { once(context, &args, None) }
}

/// Runs scenarios once; of all that are asked for, only those of some files where these are named.
pub(super) fn once(context: &Context, args: &RunArgs, only: Option<&BTreeSet<PathBuf>>) -> Exit {
    let Ok(project) = project(context) else { return Exit::Invalid };
    let (masker, warnings) = targets::secrets(context, &args.target, project.as_ref());
    let output = context.output_masked(&masker);
    let prepared = prepare(context, args, &masker);
    let (mut settings, selection) = match prepared {
        Ok(prepared) => prepared,
        Err(problem) => {
            output.problem(&problem);
            return Exit::Invalid;
        }
    };
    let Ok(paths) = paths(context, &args.paths, project.as_ref()) else { return Exit::Invalid };
    let mut loaded = load(&paths);
    let store = Arc::new(snapshots::store(context, args, project.as_ref(), &masker));
    check_files(&loaded.scenarios, store.folders(), &mut loaded.problems);
    settings.snapshots = Arc::clone(&store);
    if !loaded.problems.is_empty() {
        output.problems(&loaded.problems);
    }
    if let Some(problem) = loaded.only_casts() {
        output.problem(&problem);
        return Exit::Invalid;
    }
    if loaded.problems.has_errors() {
        output.warn(&format!(
            "\n{}; nothing was sent",
            crate::report::text::count(loaded.problems.len(), "problem")
        ));
        return Exit::Invalid;
    }
    if let Err(problem) = declared(&settings.variables, &loaded.scenarios) {
        output.problem(&problem);
        return Exit::Invalid;
    }
    match identities(context, project.as_ref(), &loaded.scenarios, &masker) {
        Ok(identities) => settings.identities = Arc::new(identities),
        Err(problem) => {
            output.problem(&problem);
            return Exit::Invalid;
        }
    }
    let fragments = loaded.fragments;
    let forgotten = unreferenced(&loaded.scenarios, store.folders());
    let (mut instances, total) = loaded.plan(&selection);
    if let Some(only) = only {
        instances.retain(|instance| {
            let file = context.folder.join(instance.scenario().source.name());
            watch::plain(&file).is_some_and(|file| only.contains(&file))
        });
        if instances.is_empty() {
            output.warn("it touches none of the scenarios that are asked for");
            return Exit::Success;
        }
    }
    if instances.is_empty() {
        if total == 0 && fragments > 0 {
            output.warn(
                "there are only fragments in the files given: scenarios `use` them, `check` checks them",
            );
            return Exit::NothingMatched;
        }
        output.warn(&format!(
            "no scenario matched: {} in the files given",
            crate::report::text::count(total, "scenario")
        ));
        return Exit::NothingMatched;
    }
    let Some(part) = output.accept(Part::of(instances, context, &args.selection, project.as_ref())) else {
        return Exit::Invalid;
    };
    settings.quarantine = Arc::new(quarantine(project.as_ref(), &part.instances));
    let shadowed = targets::shadowed(context, &args.target, project.as_ref(), &part.instances);
    for warning in warnings.into_iter().chain(shadowed) {
        output.warn(&warning);
    }
    if let Some(word) = part.nothing() {
        output.warn(&word);
        if args.reports.is_empty() {
            return Exit::Success;
        }
    }
    if let Some(timeout) = project.as_ref().and_then(|project| project.timeouts.total)
        && !context.arguments.iter().any(|argument| argument.to_string_lossy().starts_with("--step-timeout"))
    {
        settings.timeouts.total = Some(timeout);
    }
    let Some(mut reports) = output.accept(Reports::of(&args.reports, context)) else { return Exit::Invalid };
    if let Some(folder) = &args.trace
        && let Err(problem) = reports.trace(folder, &masker)
    {
        output.problem(&problem);
        return Exit::Invalid;
    }
    settings.tracing = reports.traces.clone().map(|traces| traces as Arc<dyn Tracing>);
    let Some(runtime) = output.accept(targets::runtime()) else { return Exit::Unreachable };
    let exit = runtime.block_on(execute(context, args, project.as_ref(), part, settings, masker, reports));
    if !args.quiet {
        snapshots::say(&output, &store, &forgotten);
    }
    exit
}

async fn execute(
    context: &Context,
    args: &RunArgs,
    project: Option<&Project>,
    part: Part,
    mut settings: Settings,
    masker: crate::secret::Masker,
    mut reports: Reports,
) -> Exit {
    let about_part = part.in_words();
    let Part { instances, shard, history, .. } = part;
    let interrupt = Interrupt::new();
    targets::watch_signals(&interrupt);
    let mut started = Started::default();
    let opened = tokio::select! {
        opened = open_all(context, &args.target, project, &instances, &settings, &masker, &mut started) => Some(opened),
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
    let terminal = Terminal::new(sink, &masker, style, verbosity, head, context.is_watched())
        .side_by_side(several)
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
        Recorder::new(about, instances.clone(), builder, lines.as_ref()).traced(traces.clone())
    });
    let progress = live::progress(context, args, several, &settings, &instances, &history);
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
        output.below(Vec::new());
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

/// Opens the default target where a scenario needs it, and every target that a scenario names.
pub(super) async fn open_all(
    context: &Context,
    args: &TargetArgs,
    project: Option<&Project>,
    instances: &[Instance],
    settings: &Settings,
    masker: &crate::secret::Masker,
    started: &mut Started,
) -> Result<Targets, Refusal> {
    let scenarios = || instances.iter().map(Instance::scenario);
    // What the command line says goes for all scenarios, whatever they name.
    let pinned = args.embedded
        || args.cast.is_some()
        || args.chaos.is_some()
        || args.target.is_some()
        || args.base_url.as_deref().is_some_and(|url| !url.is_empty());
    let mut targets = Targets::default();
    if instances.is_empty() {
        return Ok(targets);
    }
    if pinned || scenarios().any(|scenario| scenario.target.is_none()) {
        let plan = targets::plan(context, args, project).map_err(Refusal::Invalid)?;
        let target = targets::open(&plan, context, args, project, settings.timeouts, masker, started).await?;
        targets = if pinned { Targets::pinned(target) } else { Targets::with_default(target) };
    }
    if pinned {
        return Ok(targets);
    }
    let mut opened: Vec<&str> = Vec::new();
    for key in scenarios().filter_map(|scenario| scenario.target.as_ref()) {
        if opened.contains(&key.name.as_str()) {
            continue;
        }
        let Some(project) = project else {
            return Err(Refusal::Invalid(
                Problem::error(
                    "target::unknown",
                    format!("there is no target `{}`: no project file was found", key.name),
                )
                .label(&key.span, "unknown target"),
            ));
        };
        let Some(named) = project.target(&key.name) else {
            return Err(Refusal::Invalid(project.unknown_target(&key.name, Some(&key.span))));
        };
        let plan = Plan::Named(named);
        let target =
            targets::open(&plan, context, args, Some(project), settings.timeouts, masker, started).await?;
        targets.insert(&key.name, target);
        opened.push(&key.name);
    }
    Ok(targets)
}

/// The settings with which `check --live` computes what scenarios name.
pub(super) fn settings_of_check(
    context: &Context,
    vars: &[String],
    project: Option<&Project>,
    scenarios: &[Scenario],
    masker: &crate::secret::Masker,
) -> Result<Settings, Problem> {
    let args = RunArgs { vars: vars.to_vec(), ..RunArgs::plain() };
    let (mut settings, _) = prepare(context, &args, masker)?;
    declared(&settings.variables, scenarios)?;
    settings.identities = Arc::new(identities(context, project, scenarios, masker)?);
    Ok(settings)
}

fn prepare(
    context: &Context,
    args: &RunArgs,
    masker: &crate::secret::Masker,
) -> Result<(Settings, Selection), Problem> {
    let time = |option: &str, text: &str| {
        duration::parse(text)
            .map_err(|message| Problem::error("cli::duration", format!("{option} {text}: {message}")))
    };
    let step_timeout = time("--step-timeout", &args.step_timeout)?;
    let scenario_timeout = args.timeout.as_deref().map(|text| time("--timeout", text)).transpose()?;
    let mut variables = Vec::new();
    if let Some(file) = &args.vars_file {
        variables.extend(variables_of_file(file)?);
    }
    for text in &args.vars {
        variables.push(variable(text)?);
    }
    let live = args.verbose > 0 && context.is_watched();
    let schedule = args.schedule.read(context, live)?;
    let settings = Settings {
        jobs: schedule.jobs,
        retries: schedule.retries,
        flaky_fails: schedule.flaky_fails,
        slow: schedule.slow,
        quarantine: Arc::default(),
        timeouts: Timeouts { total: Some(step_timeout), ..Timeouts::default() },
        scenario_timeout,
        fail_fast: args.fail_fast,
        strict: args.strict,
        variables,
        cleanup: false,
        ledger: None,
        bulk: engine::bulk::consent::BulkSettings::default(),
        identities: Arc::default(),
        masker: masker.clone(),
        environment: Arc::clone(&context.environment),
        run_id: run_id(),
        snapshots: Arc::default(),
        started_at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        tracing: None,
    };
    let selection = selection_of(args.selection.tag.as_deref(), args.selection.filter.as_deref())?;
    Ok((settings, selection))
}

/// The identities that the scenarios use; what is secret in them is masked from here on.
fn identities(
    context: &Context,
    project: Option<&Project>,
    scenarios: &[Scenario],
    masker: &crate::secret::Masker,
) -> Result<BTreeMap<String, Sender>, Problem> {
    let settings = project.map(|project| project.identities.as_slice()).unwrap_or_default();
    let mut found = BTreeMap::new();
    for name in scenarios.iter().flat_map(Scenario::identities) {
        if found.contains_key(&name.name) {
            continue;
        }
        let known = || settings.iter().map(|identity| identity.name.name.as_str());
        let Some(identity) = settings.iter().find(|identity| identity.name.name == name.name) else {
            return Err(scenario::unknown_identity(name, known()));
        };
        let folder = project.map_or(context.folder.as_path(), |project| project.folder.as_path());
        let (identity, reuse, secrets) = identity.resolve(&project::scope(folder, &context.environment))?;
        for secret in secrets {
            masker.add(&secret);
        }
        found.insert(name.name.clone(), Sender::new(identity, reuse));
    }
    Ok(found)
}

/// The scenarios in quarantine, by their place in the plan.
fn quarantine(project: Option<&Project>, instances: &[Instance]) -> BTreeMap<usize, Arc<str>> {
    let Some(project) = project else { return BTreeMap::new() };
    let reason = |instance: &Instance| Some((instance.place(), project.quarantine.reason(instance)?));
    instances.iter().filter_map(reason).collect()
}

/// A variable that no scenario declares was misspelt: it would change nothing, silently.
fn declared(variables: &[(String, Value)], scenarios: &[Scenario]) -> Result<(), Problem> {
    let known: Vec<&str> = scenarios
        .iter()
        .flat_map(|scenario| scenario.vars.iter().map(|(key, _)| key.name.as_str()))
        .collect();
    match variables.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(Problem::error(
            "cli::var",
            format!("no scenario declares the variable `{name}` in its `vars`"),
        )
        .maybe_help(diagnostic::suggest(name, known))),
    }
}

/// Twelve characters that no other run has: short enough to be read in a session's name.
fn run_id() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()
}

fn variable(text: &str) -> Result<(String, Value), Problem> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Problem::error("cli::var", format!("--var {text}: a variable is written name=value")));
    };
    let source = Source::new(format!("--var {name}"), value);
    let mut problems = Problems::new();
    let documents = yaml::parse(&source, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.help("quote a value that is a text with special characters: --var 'x=\"a: b\"'"));
    }
    Ok((name.trim().to_owned(), documents.first().map(yaml::Node::to_json).unwrap_or_default()))
}

fn variables_of_file(path: &Path) -> Result<Vec<(String, Value)>, Problem> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::error("file::unreadable", format!("cannot read {name}: {}", load::io_cause(&error)))
    })?;
    let source = Source::new(name, text);
    let mut problems = Problems::new();
    let documents = yaml::parse(&source, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    match documents.first().map(yaml::Node::to_json) {
        Some(Value::Object(fields)) => Ok(fields.into_iter().collect()),
        Some(Value::Null) | None => Ok(Vec::new()),
        Some(_) => Err(Problem::error(
            "cli::vars-file",
            format!("{} must be a mapping of names to values", source.name()),
        )),
    }
}

/// The selection of the command line.
pub(super) fn selection_of(tag: Option<&str>, filter: Option<&str>) -> Result<Selection, Problem> {
    let tags = tag
        .map(|text| {
            Tags::parse(text).map_err(|message| {
                Problem::error("cli::tag", format!("--tag {text}: {message}"))
                    .help("tags are joined by `and`, `or`, `not` and parentheses: 'smoke and not slow'")
            })
        })
        .transpose()?;
    let filter = filter
        .map(|text| {
            regex::Regex::new(text).map_err(|error| {
                let cause = error.to_string();
                let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Problem::error("cli::filter", format!("--filter {text} is not a regular expression: {cause}"))
            })
        })
        .transpose()?;
    Ok(Selection { tags, filter })
}

/// The project file from the working folder upward; what is wrong with it is shown.
pub(super) fn project(context: &Context) -> Result<Option<Project>, ()> {
    let Some(path) = Project::find(&context.folder) else { return Ok(None) };
    let name = path.strip_prefix(&context.folder).unwrap_or(&path).display().to_string();
    let mut problems = Problems::new();
    let project = Project::read(&path, &name, &mut problems);
    problems.sort_by_place();
    if problems.has_errors() {
        context.output().problems(&problems);
        return Err(());
    }
    Ok(project)
}

/// The paths of the command line, or the folder of the project file.
pub(super) fn paths(
    context: &Context,
    given: &[String],
    project: Option<&Project>,
) -> Result<Vec<String>, ()> {
    if let [only] = given {
        // A misspelt command looks like a path.
        let commands = [
            "run",
            "check",
            "list",
            "call",
            "operations",
            "serve",
            "sweep",
            "init",
            "merge",
            "show",
            "schema",
            "completions",
            "review",
            "accept",
            "reject",
        ];
        let is_word = only.chars().all(|c| c.is_ascii_alphabetic());
        if let (true, false, Some(command)) =
            (is_word, Path::new(only).exists(), diagnostic::nearest(only, commands))
        {
            context.complain(
                &Problem::error("file::unreadable", format!("there is no file and no command `{only}`"))
                    .help(format!("did you mean `agentos-run {command}`?")),
            );
            return Err(());
        }
    }
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    if let Some((project, scenarios)) =
        project.and_then(|project| Some((project, project.scenarios.as_ref()?)))
    {
        let path = project.folder.join(scenarios);
        let shown = path.strip_prefix(&context.folder).unwrap_or(&path);
        // `scenarios: .` is the folder itself, of which nothing is left.
        let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
        return Ok(vec![shown.display().to_string()]);
    }
    context.complain(&Problem::error("cli::paths", "no scenario was given").help(
        "agentos-run scenarios/   or a file, a glob, `-` for standard input; `agentos-run --help` says more",
    ));
    Err(())
}

/// The files that the paths of the command line, or the project file, name now. What is wrong with them is not told here.
pub(super) fn scenario_files(context: &Context, given: &[String]) -> Vec<PathBuf> {
    if !given.is_empty() {
        return load::files(given);
    }
    let path = Project::find(&context.folder);
    let project = path.and_then(|path| Project::read(&path, project::FILE_NAME, &mut Problems::new()));
    let folder = project.and_then(|project| Some(project.folder.join(project.scenarios?)));
    folder.map(|folder| load::files(&[folder.display().to_string()])).unwrap_or_default()
}

/// Reads all scenarios of `paths`.
pub(super) fn load(paths: &[String]) -> Loaded {
    load::load(paths, &mut || {
        let mut text = String::new();
        std::io::stdin().lock().take(yaml::MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
        Ok(text)
    })
}
