//! What the command line says of bulk work: dry runs, limits, the journal, and the question on a terminal.

use std::io::BufRead as _;
use std::sync::Arc;

use super::args::BulkArgs;
use super::context::Context;
use super::output::Output;
use crate::agentos::operation::BoxFuture;
use crate::diagnostic::Problem;
use crate::engine::bulk::consent::{Ask, BulkSettings};
use crate::engine::bulk::journal::{self, Job, Journal};
use crate::engine::{Settings, Targets};
use crate::scenario::{Action, Instance, Step};
use crate::secret::Masker;

/// Asks on the terminal, one question at a time.
struct Prompt {
    output: Output,
    turn: tokio::sync::Mutex<()>,
}

impl Ask for Prompt {
    fn ask<'a>(&'a self, question: &'a str) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let _turn = self.turn.lock().await;
            let _asking = self.output.asking();
            self.output.warn(&format!("\n{question}\nGo on? [y/N]"));
            let (answer, answered) = tokio::sync::oneshot::channel();
            // A thread of its own: it waits for a line that may never come, and nobody waits for it.
            std::thread::spawn(move || {
                let mut line = String::new();
                let read = std::io::stdin().lock().read_line(&mut line);
                let _gone = answer
                    .send(read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"));
            });
            answered.await.unwrap_or(false)
        })
    }
}

/// Who can be asked; none where nobody watches.
pub(super) fn prompt(context: &Context, masker: &Masker) -> Option<Arc<dyn Ask>> {
    let prompt = || Prompt { output: context.output_masked(masker), turn: tokio::sync::Mutex::new(()) };
    context.can_ask().then(|| Arc::new(prompt()) as Arc<dyn Ask>)
}

/// How bulk work is done.
pub(super) fn settings(
    context: &Context,
    args: &BulkArgs,
    settings: &Settings,
    instances: &[Instance],
    targets: &Targets,
    masker: &Masker,
) -> Result<BulkSettings, Problem> {
    let journal = match &args.journal {
        Some(path) if !args.dry_run => {
            let job = job(settings, instances, targets);
            Some(Arc::new(Journal::open(path, &job)?))
        }
        _ => None,
    };
    Ok(BulkSettings {
        dry_run: args.dry_run,
        max_deletes: args.max_deletes,
        yes: args.yes,
        files: Arc::default(),
        ask: prompt(context, masker),
        journal,
    })
}

/// Adds the texts of the fragments that steps use.
fn add_fragments(steps: &[Step], text: &mut String) {
    for step in steps {
        if let Action::Use(using) = &step.action
            && let Some(fragment) = using.fragment()
        {
            text.push_str(fragment.source.text());
        }
        add_fragments(step.action.steps(), text);
    }
}

/// What a journal is bound to.
fn job(settings: &Settings, instances: &[Instance], targets: &Targets) -> Job {
    let mut scenarios: Vec<(String, String)> = Vec::new();
    for instance in instances {
        let scenario = instance.scenario();
        let mut text = scenario.span.text().to_owned();
        for steps in [&scenario.setup, &scenario.steps, &scenario.finally] {
            add_fragments(steps, &mut text);
        }
        let known = (scenario.name.clone(), journal::fingerprint(&text));
        if !scenarios.contains(&known) {
            scenarios.push(known);
        }
    }
    // One inside of this program has another port each time.
    let address = |target: &crate::engine::Target| {
        if target.embedded { "embedded".to_owned() } else { target.client.base_url().to_owned() }
    };
    let variables: Vec<String> =
        settings.variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Job {
        targets: targets.iter().map(address).collect(),
        scenarios,
        variables: journal::fingerprint(&variables.join("\n")),
    }
}
