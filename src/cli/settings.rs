//! From arguments, environment and project file to the settings of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::RunArgs;
use super::context::Context;
use super::variables::{declared, variable, variables_of_file};
use crate::agentos::Timeouts;
use crate::diagnostic::Problem;
use crate::duration;
use crate::engine::{self, Sender, Settings};
use crate::project::{self, Project};
use crate::scenario::{self, Instance, Scenario};
use crate::secret::Masker;

/// The settings of a run, as far as the command line says them.
pub(super) fn of_run(context: &Context, args: &RunArgs, masker: &Masker) -> Result<Settings, Problem> {
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
    Ok(Settings {
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
    })
}

/// The settings with which `check --live` computes what scenarios name.
pub(super) fn of_check(
    context: &Context,
    vars: &[String],
    project: Option<&Project>,
    scenarios: &[Scenario],
    masker: &Masker,
) -> Result<Settings, Problem> {
    let args = RunArgs { vars: vars.to_vec(), ..RunArgs::plain() };
    let mut settings = of_run(context, &args, masker)?;
    declared(&settings.variables, scenarios)?;
    settings.identities = Arc::new(identities(context, project, scenarios, masker)?);
    Ok(settings)
}

/// The identities that the scenarios use; what is secret in them is masked from here on.
pub(super) fn identities(
    context: &Context,
    project: Option<&Project>,
    scenarios: &[Scenario],
    masker: &Masker,
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
pub(super) fn quarantine(project: Option<&Project>, instances: &[Instance]) -> BTreeMap<usize, Arc<str>> {
    let Some(project) = project else { return BTreeMap::new() };
    let reason = |instance: &Instance| Some((instance.place(), project.quarantine.reason(instance)?));
    instances.iter().filter_map(reason).collect()
}

/// Twelve characters that no other run has: short enough to be read in a session's name.
fn run_id() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()
}
