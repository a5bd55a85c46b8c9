//! The targets of all scenarios of a run.

use super::{Plan, Started, open, plan};
use crate::cli::args::TargetArgs;
use crate::cli::context::Context;
use crate::cli::refusal::Refusal;
use crate::diagnostic::Problem;
use crate::engine::{Settings, Targets};
use crate::project::Project;
use crate::scenario::Instance;
use crate::secret::Masker;

/// Opens the default target where a scenario needs it, and every target that a scenario names.
pub(in crate::cli) async fn open_all(
    context: &Context,
    args: &TargetArgs,
    project: Option<&Project>,
    instances: &[Instance],
    settings: &Settings,
    masker: &Masker,
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
        let plan = plan(context, args, project)?;
        let target = open(&plan, context, args, project, settings.timeouts, masker, started).await?;
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
        let target = open(&plan, context, args, Some(project), settings.timeouts, masker, started).await?;
        targets.insert(&key.name, target);
        opened.push(&key.name);
    }
    Ok(targets)
}
