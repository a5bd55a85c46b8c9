//! The snapshots of a step: its answer goes to the store, and what that says goes into the step's report.

use std::sync::Arc;

use serde_json::Value;

use super::answer::Done;
use super::event::Failure;
use super::steps::Run;
use crate::expr::as_text;
use crate::outcome::Outcome;
use crate::scenario::{Action, Step};
use crate::snapshot::{Known, Shot, Subject, Turn, slug};

/// The longest item that names a turn of a loop.
const LONGEST: usize = 40;

impl Run<'_> {
    /// The ids in the request of a step that takes a snapshot. They are read before it is sent: afterwards, variables may
    /// have other values.
    pub(super) fn ids_sent(&self, step: &Step) -> Vec<(String, String)> {
        let Action::Operation(action) = &step.action else { return Vec::new() };
        if step.snapshots.is_empty() {
            return Vec::new();
        }
        let ids = action.fields.iter().filter(|(key, _)| key.name.ends_with("_id"));
        ids.filter_map(|(key, template)| match template.resolve(&self.context.scope) {
            Ok(Value::String(id)) => Some((key.name.clone(), id)),
            _ => None,
        })
        .collect()
    }

    /// Keeps a turn of a conversation that a snapshot is taken of.
    pub(super) fn say(&mut self, step: &Step, outcome: &Arc<Outcome>) {
        let (Some(said), Action::Operation(action)) = (&mut self.said, &step.action) else { return };
        let message = action.fields.iter().find(|(key, _)| key.name == "message");
        let user = message.and_then(|(_, message)| message.resolve_text(&self.context.scope).ok());
        said.push(Turn { user: user.unwrap_or_default(), outcome: Arc::clone(outcome) });
    }

    /// Holds an answer against the snapshots of its step.
    pub(super) fn snapshots(
        &self,
        step: &Step,
        subject: Subject<'_>,
        sent: Vec<(String, String)>,
        done: &mut Done,
    ) {
        let unanswered = matches!(subject, Subject::Answer(outcome) if outcome.status.is_none());
        if step.snapshots.is_empty() || unanswered {
            return;
        }
        let scenario = self.instance.scenario();
        let known = Known {
            run_id: self.settings.run_id.clone(),
            base_url: self.target.client.base_url().to_owned(),
            sent,
        };
        let case = self.instance.case().map(|case| slug(case.name));
        let which: Vec<&str> = case.iter().chain(&self.turns).map(String::as_str).collect();
        let sound = done.failures.is_empty();
        for snapshot in &step.snapshots {
            let held = self.settings.snapshots.hold(&Shot {
                snapshot,
                source: scenario.source.name(),
                which: &which,
                scenario: &scenario.name,
                step: &step.title(),
                action: &step.action_key.name,
                subject,
                known: &known,
                sound,
            });
            done.checks += 1;
            done.notes.extend(held.note);
            done.goes_on |= sound && held.problem.is_some();
            done.failures.extend(held.problem.map(|problem| Failure { problem, diff: held.diff }));
        }
    }
}

/// What the turns of a loop are called in the names of files: by their items where these are short and differ, else by
/// their numbers. An item that is another in each run of the program names nothing.
pub(super) fn turn_names(items: &[Value], run_id: &str) -> Vec<String> {
    let numbers = || (1..=items.len()).map(|number| number.to_string()).collect();
    let mut names: Vec<String> = Vec::with_capacity(items.len());
    let mut seen = std::collections::HashSet::new();
    for item in items {
        if item.is_array() || item.is_object() {
            return numbers();
        }
        let text = as_text(item);
        let name = slug(&text);
        let stable = !text.contains(run_id) && !crate::snapshot::is_volatile(&text);
        if name.is_empty() || text.len() > LONGEST || !stable || !seen.insert(name.to_lowercase()) {
            return numbers();
        }
        names.push(name);
    }
    names
}

/// The name of the turn `index`: its number where it has no better one.
pub(super) fn turn_name(names: Option<&Vec<String>>, index: usize) -> String {
    names.and_then(|names| names.get(index)).cloned().unwrap_or_else(|| (index + 1).to_string())
}
