//! Holding scenarios against a target without running them: whether the agents, teams, workflows, databases and
//! operations that they name are there. What only a run can know (the answer of a step, a saved value) is left out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::context::Context;
use super::target::Inventory;
use super::{Settings, Targets};
use crate::agentos::operation::Spec;
use crate::diagnostic::{self, Problem, Problems};
use crate::expr::{Scope, Value as Computed};
use crate::scenario::{Action, Fragment, Instance, OperationAction, Over, Skip, Step, Use};
use crate::source::Span;
use crate::template::Template;

/// The most items of one loop that are looked at.
const MOST_ITEMS: usize = 1000;

/// What was found out.
#[derive(Debug, Default)]
pub struct Live {
    /// What is not there.
    pub problems: Problems,
    /// What would be skipped, and why.
    pub skipped: Vec<(String, String)>,
}

/// Looks at what `instances` name and sends only questions.
pub async fn check(instances: &[Instance], targets: &Targets, settings: &Settings) -> Live {
    let mut live = Live::default();
    let mut told = BTreeSet::new();
    for instance in instances {
        let scenario = instance.scenario();
        // A scenario without a target, or whose variables have no value, fails before its first step: a run says so.
        let (Some(target), Ok(context)) = (targets.of(scenario), Context::new(instance, settings)) else {
            continue;
        };
        let skipped = match &scenario.skip {
            Some(Skip::Always(reason)) => Some(reason.clone()),
            Some(Skip::When(condition)) if condition.is_true(&context.scope).unwrap_or(false) => {
                Some(format!("`{}` holds", condition.text()))
            }
            _ => None,
        };
        let ids = |templates: &[Template]| {
            templates.iter().filter_map(|id| id.resolve_text(&context.scope).ok()).collect::<Vec<_>>()
        };
        let skipped = match skipped {
            None => target.lacks(&scenario.requires, ids).await,
            some => some,
        };
        if let Some(reason) = skipped {
            live.skipped.push((instance.title().into_owned(), reason));
            continue;
        }
        let inventory = target.inventory().await;
        if let Some(cause) = inventory.unreadable() {
            let message = format!("what {} has could not be read: {cause}", target.name);
            if told.insert((target.name.clone(), 0, message.clone())) {
                live.problems.push(Problem::error("live::unreadable", message));
            }
            continue;
        }
        let mut look = Look { inventory: &inventory, told: &mut told, problems: &mut live.problems };
        let mut scope = context.scope.clone();
        for steps in [&scenario.setup, &scenario.steps, &scenario.finally] {
            look.steps(steps, &mut scope);
        }
    }
    live.problems.sort_by_place();
    live
}

struct Look<'a> {
    inventory: &'a Inventory<'a>,
    /// What was said already: cases and loops come by again and again.
    told: &'a mut BTreeSet<(String, usize, String)>,
    problems: &'a mut Problems,
}

impl Look<'_> {
    fn steps(&mut self, steps: &[Step], scope: &mut Scope) {
        for step in steps {
            self.step(step, scope);
        }
    }

    fn step(&mut self, step: &Step, scope: &mut Scope) {
        let Some(over) = &step.repeated else {
            self.once(step, scope);
            return;
        };
        let items = match &over.over {
            Over::Items(template) => match template.resolve(scope) {
                Ok(Value::Array(items)) if items.len() <= MOST_ITEMS => items,
                _ => Vec::new(),
            },
            Over::Times(_) => Vec::new(),
            Over::Listed(listing) => {
                self.operation(&listing.action, &listing.key.span, scope);
                Vec::new()
            }
        };
        let mut inner = scope.clone();
        inner.remove(&over.item);
        inner.remove("loop");
        if items.is_empty() || over.batch.is_some() {
            self.once(step, &mut inner);
        }
        for item in items.iter().filter(|_| over.batch.is_none()) {
            inner.set(&over.item, Computed::from_json(item));
            self.once(step, &mut inner);
        }
        forget(step, scope);
    }

    fn once(&mut self, step: &Step, scope: &mut Scope) {
        if step.condition.as_ref().is_some_and(|condition| matches!(condition.is_true(scope), Ok(false))) {
            return;
        }
        match &step.action {
            Action::Operation(action)
                if !step.expect.expects_failure()
                    && !step.until.as_ref().is_some_and(|until| until.expect.expects_failure()) =>
            {
                self.operation(action, &step.action_key.span, scope);
            }
            Action::Use(using) => {
                if let Some(fragment) = using.fragment() {
                    self.steps(&fragment.steps, &mut inside(using, fragment, scope));
                }
            }
            action => self.steps(action.steps(), scope),
        }
        forget(step, scope);
    }

    fn operation(&mut self, action: &OperationAction, place: &Span, scope: &Scope) {
        let spec = action.operation.spec;
        if self.inventory.lacks_operation(spec) {
            let since = spec.since.map_or(String::new(), |since| format!(" (since agno {since})"));
            self.tell(
                place,
                Problem::error("live::operation", format!("this AgentOS has no {}{since}", spec.name))
                    .label(place, "not there")
                    .help(format!("`requires: {{ operations: [{}] }}` skips the scenario there", spec.name)),
            );
        }
        for (key, template) in &action.fields {
            let Some((what, known)) = self.inventory.named_by(&key.name).filter(|_| is_name(spec, &key.name))
            else {
                continue;
            };
            let Ok(Value::String(id)) = template.resolve(scope) else { continue };
            if known.contains(&id) {
                continue;
            }
            let help = if known.is_empty() {
                Some(format!("it has no {what}s at all"))
            } else {
                diagnostic::suggest_nearest(&id, known.iter().map(String::as_str))
            };
            let problem = Problem::error("live::missing", format!("this AgentOS has no {what} `{id}`"))
                .label(template.span(), "not there")
                .maybe_help(help);
            self.tell(template.span(), problem);
        }
    }

    fn tell(&mut self, place: &Span, problem: Problem) {
        let key = (place.source().name().to_owned(), place.range().start, problem.message.clone());
        if self.told.insert(key) {
            self.problems.push(problem);
        }
    }
}

/// Whether a field names what an operation is about. Filters of lists may name what is gone: its data may still be there.
fn is_name(spec: &Spec, field: &str) -> bool {
    field == "db_id" || spec.name == "create_session" || spec.path.contains(&format!("{{{field}}}"))
}

/// The names inside of a fragment, as far as they are known.
fn inside(using: &Use, fragment: &Fragment, scope: &Scope) -> Scope {
    let mut inner = Scope::new(&fragment.base_dir);
    for name in ["env", "run"] {
        if let Some(value) = scope.get(name) {
            inner.set(name, value.clone());
        }
    }
    for param in &fragment.params {
        let given = using.with.iter().find(|(key, _)| key.name == param.name.name);
        let value = match (given, &param.default) {
            (Some((_, template)), _) => template.resolve(scope).ok(),
            (None, Some(default)) => default.resolve(&inner).ok(),
            (None, None) => None,
        };
        if let Some(value) = value {
            inner.set(&param.name.name, Computed::from_json(&value));
        }
    }
    for (key, template) in &fragment.vars {
        if let Ok(value) = template.resolve(&inner) {
            inner.set(&key.name, Computed::from_json(&value));
        }
    }
    inner
}

/// What a step sets is not known any more.
fn forget(step: &Step, scope: &mut Scope) {
    for save in &step.save {
        scope.remove(&save.name.name);
    }
    match &step.action {
        Action::Set(values) => values.iter().for_each(|(key, _)| scope.remove(&key.name)),
        // A fragment keeps what it sets.
        Action::Use(_) => {}
        action => action.steps().iter().for_each(|step| forget(step, scope)),
    }
}
