//! `agentos-run sweep`: deletes what killed runs left behind, and nothing else.

use std::collections::BTreeMap;

use super::args::SweepArgs;
use super::context::Context;
use super::exit::Exit;
use super::inputs;
use super::one_target::with_target;
use super::output::Output;
use super::refusal::Refusal;
use super::targets;
use crate::agentos::{CallOptions, Timeouts};
use crate::diagnostic::Problem;
use crate::engine::ledger::{Made, Remains};
use crate::engine::{Sender, Target};
use crate::project::Project;
use crate::report::text;
use crate::secret::Masker;

/// How long one deletion may take.
const TIME: std::time::Duration = std::time::Duration::from_mins(1);
/// So many are named.
const SHOWN: usize = 20;

/// Runs the command.
pub(super) fn run(context: &Context, args: &SweepArgs) -> Exit {
    let Ok(project) = inputs::project(context) else { return Exit::Invalid };
    let (masker, _) = targets::secrets(context, &args.target, project.as_ref());
    let output = context.output_masked(&masker);
    let folder = targets::state_folder(context, project.as_ref()).join("ledger");
    let (remains, running) = match Remains::all_in(&folder) {
        Ok(found) => found,
        Err(error) => {
            output.problem(&Problem::error(
                "sweep::ledger",
                format!("what runs left behind cannot be read in {}: {error}", folder.display()),
            ));
            return Exit::Failed;
        }
    };
    if running > 0 {
        output
            .warn(&format!("{} still going on: what it created is not touched", text::count(running, "run")));
    }
    if remains.iter().all(|remains| remains.made.is_empty()) {
        output.print("nothing was left behind\n");
        for remains in remains {
            let _gone = remains.close();
        }
        return Exit::Success;
    }
    let timeouts = Timeouts { total: Some(TIME), ..Timeouts::default() };
    let exit = with_target(context, &args.target, project.as_ref(), timeouts, &masker, async |target| {
        sweep(context, args, project.as_ref(), &target, remains, &masker, &output)
            .await
            .unwrap_or_else(|problem| Refusal::from(problem).show(&output))
    });
    exit.unwrap_or_else(|refusal| refusal.show(&output))
}

async fn sweep(
    context: &Context,
    args: &SweepArgs,
    project: Option<&Project>,
    target: &Target,
    remains: Vec<Remains>,
    masker: &Masker,
    output: &Output,
) -> Result<Exit, Problem> {
    let here = target.client.base_url();
    let is_here = |made: &Made| made.target == here;
    let ours: Vec<&Made> =
        remains.iter().flat_map(|remains| &remains.made).filter(|made| is_here(made)).collect();
    let elsewhere = remains.iter().flat_map(|remains| &remains.made).find(|made| !is_here(made));
    if let Some(other) = elsewhere {
        output.warn(&format!(
            "there is more on other targets, such as {}: name them with --target or --base-url",
            other.target
        ));
    }
    if ours.is_empty() {
        output.print(&format!("nothing was left behind on {}\n", target.name));
        return Ok(Exit::Success);
    }
    output.print(&format!("left behind on {}: {}\n", target.name, ours.len()));
    for made in ours.iter().take(SHOWN) {
        output.print(&format!("  {made}, by `{}`\n", made.scenario));
    }
    if ours.len() > SHOWN {
        output.print(&format!("  ... and {} more\n", ours.len() - SHOWN));
    }
    if args.dry_run {
        return Ok(Exit::Success);
    }
    if !args.yes {
        let Some(prompt) = super::bulk::prompt(context, masker) else {
            return Err(Problem::error("sweep::consent", "nobody is there to be asked: nothing was deleted")
                .help("--yes deletes it without a question, --dry-run only shows it"));
        };
        let agreed = prompt.ask(&format!("all of it will be deleted from {}", target.name)).await;
        if !agreed {
            output.warn("nothing was deleted");
            return Ok(Exit::Failed);
        }
    }
    let senders = senders(context, project, &ours, masker)?;
    let (mut done, mut failed) = (0_usize, 0_usize);
    for mut remains in remains.into_iter().rev() {
        let made: Vec<Made> = remains.made.iter().filter(|made| is_here(made)).rev().cloned().collect();
        for made in made {
            let sender = made.identity.as_ref().and_then(|name| senders.get(name));
            let headers = sender.and_then(|sender| sender.headers().ok()).unwrap_or_default();
            let timeouts = Timeouts { total: Some(TIME), ..Timeouts::default() };
            let options = CallOptions { headers, timeouts, ..CallOptions::default() };
            let outcome = crate::engine::cleanup::delete(&target.client, &made, &options).await;
            let outcome = outcome
                .and_then(|count| remains.gone(&made).map(|()| count).map_err(|error| error.to_string()));
            match outcome {
                Ok(count) => done += count,
                Err(cause) => {
                    failed += 1;
                    output.warn(&format!("{made}: {cause}"));
                }
            }
        }
        if let Err(error) = remains.close() {
            output.warn(&format!("the ledger cannot be removed: {error}"));
        }
    }
    output.print(&format!("deleted {done}, failed {failed}\n"));
    Ok(if failed == 0 { Exit::Success } else { Exit::Failed })
}

/// The identities that created what is deleted.
fn senders(
    context: &Context,
    project: Option<&Project>,
    made: &[&Made],
    masker: &Masker,
) -> Result<BTreeMap<String, Sender>, Problem> {
    let mut found = BTreeMap::new();
    for name in made.iter().filter_map(|made| made.identity.as_deref()) {
        if found.contains_key(name) {
            continue;
        }
        let settings = project.and_then(|project| {
            project.identities.iter().find(|identity| identity.name.name == name).map(|it| (project, it))
        });
        let Some((project, identity)) = settings else {
            return Err(Problem::error(
                "identity::unknown",
                format!("the project file has no identity `{name}`, which created some of it"),
            ));
        };
        let scope = crate::project::scope(&project.folder, &context.environment);
        let (identity, reuse, secrets) = identity.resolve(&scope)?;
        for secret in secrets {
            masker.add(&secret);
        }
        found.insert(name.to_owned(), Sender::new(identity, reuse));
    }
    Ok(found)
}
