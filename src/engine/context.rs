//! The names of a scenario while it runs: `env`, `run`, its variables, `steps`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::Settings;
use crate::diagnostic::Problem;
use crate::expr::{self, Expression, Fields, Scope, Value};
use crate::outcome::{ANSWER_FIELDS, Outcome};
use crate::scenario::Instance;

/// The variables and answers that expressions read.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) scope: Scope,
    /// Shared with `steps` of the scope.
    answers: Arc<BTreeMap<String, Arc<Outcome>>>,
    /// What was set since the beginning or since the branch: what a branch brings back.
    changed: BTreeSet<String>,
}

impl Context {
    /// The names at the beginning of a scenario: those of the command line replace its own.
    pub(super) fn new(instance: &Instance, settings: &Settings) -> Result<Self, Vec<Problem>> {
        let scenario = instance.scenario();
        let mut scope = Scope::new(&scenario.base_dir);
        scope.set("env", expr::environment(&settings.environment));
        scope.set(
            "run",
            Value::from_json(&json!({
                "id": run_id(instance, settings),
                "attempt": instance.attempt(),
                "started_at": settings.started_at,
            })),
        );
        if instance.case().is_some() {
            scope.set("case", Value::from_fields(Row(instance.clone())));
        }
        let mut context = Self { scope, answers: Arc::default(), changed: BTreeSet::new() };
        context.answered([]);
        let given = |name: &str| settings.variables.iter().rev().find(|(known, _)| known == name);
        for (name, value) in &settings.variables {
            context.scope.set(name, Value::from_json(value));
        }
        let mut problems = Vec::new();
        let mut failed: Vec<&str> = Vec::new();
        for (key, template) in &scenario.vars {
            if given(&key.name).is_some() {
                continue;
            }
            // What needs a variable that has no value is no second fault.
            let mut consequence = false;
            template.for_each_expression(&mut |expression| {
                consequence |= expression
                    .names()
                    .iter()
                    .any(|name| name.split('.').next().is_some_and(|root| failed.contains(&root)));
            });
            match template.resolve(&context.scope) {
                Ok(value) => context.scope.set(&key.name, Value::from_json(&value)),
                Err(problem) => {
                    failed.push(&key.name);
                    if !consequence {
                        problems.push(problem);
                    }
                }
            }
        }
        if problems.is_empty() { Ok(context) } else { Err(problems) }
    }

    /// The names of a fragment that begins: the language's own, and files beside it.
    pub(super) fn apart(&self, base_dir: &std::path::Path) -> Self {
        let mut scope = Scope::new(base_dir);
        for name in ["env", "run"] {
            if let Some(value) = self.scope.get(name) {
                scope.set(name, value.clone());
            }
        }
        let mut context = Self { scope, answers: Arc::default(), changed: BTreeSet::new() };
        context.answered([]);
        context
    }

    /// Gives a variable a value.
    pub(super) fn set(&mut self, name: &str, value: &serde_json::Value) {
        self.scope.set(name, Value::from_json(value));
        self.changed.insert(name.to_owned());
    }

    /// Gives a variable a value that a branch does not bring back: the item of a loop.
    pub(super) fn set_local(&mut self, name: &str, value: &serde_json::Value) {
        self.scope.set(name, Value::from_json(value));
    }

    /// The names of a branch that runs beside others: it sees what is there and shares nothing that it sets.
    pub(super) fn branch(&self) -> Self {
        Self { scope: self.scope.clone(), answers: Arc::clone(&self.answers), changed: BTreeSet::new() }
    }

    /// Takes over what a branch has set.
    pub(super) fn join(&mut self, branch: Self) {
        for name in branch.changed {
            if let Some(value) = branch.scope.get(&name) {
                self.scope.set(&name, value.clone());
                self.changed.insert(name);
            }
        }
        self.answered(branch.answers.iter().map(|(id, outcome)| (id.clone(), Arc::clone(outcome))));
    }

    /// Keeps the answer of the step `id`.
    pub(super) fn keep(&mut self, id: &str, outcome: &Arc<Outcome>) {
        self.answered([(id.to_owned(), Arc::clone(outcome))]);
    }

    fn answered(&mut self, answers: impl IntoIterator<Item = (String, Arc<Outcome>)>) {
        // Nobody else has the map then, and it is added to; otherwise each answer would copy all before it.
        self.scope.remove("steps");
        Arc::make_mut(&mut self.answers).extend(answers);
        self.scope.set("steps", Value::from_fields(Answers(Arc::clone(&self.answers))));
    }

    /// The first name of an expression that was never set, because the step that sets it did not run; `own` are those
    /// that the step itself brings.
    pub(super) fn unset(&self, expression: &Expression, own: &dyn Fn(&str) -> bool) -> Option<String> {
        let missing = expression.names().into_iter().filter_map(|name| {
            let mut parts = name.split('.');
            let root = parts.next()?;
            if root == "steps" {
                let id = parts.next()?;
                return (!self.answers.contains_key(id)).then(|| format!("steps.{id}"));
            }
            self.scope.get(root).is_none().then(|| root.to_owned())
        });
        missing.into_iter().find(|name| !own(name))
    }
}

/// What no other scenario has, nor another case of this one, nor another attempt: they run at the same time. All ids of a
/// run begin alike.
/// What `run.id` is: no other run of a scenario has it.
pub(super) fn run_id(instance: &Instance, settings: &Settings) -> String {
    let place = instance.place() + 1;
    match instance.attempt() {
        1 => format!("{}-{place}", settings.run_id),
        attempt => format!("{}-{place}-{attempt}", settings.run_id),
    }
}

/// The values of the case that runs.
#[derive(Debug)]
struct Row(Instance);

impl Fields for Row {
    fn field(&self, name: &str) -> Option<Value> {
        self.0.case()?.value(name).map(|value| Value::from_json(&value))
    }

    fn names(&self) -> Vec<String> {
        self.0.case().map(|case| case.columns().to_vec()).unwrap_or_default()
    }
}

#[derive(Debug)]
struct Answers(Arc<BTreeMap<String, Arc<Outcome>>>);

impl Fields for Answers {
    fn field(&self, name: &str) -> Option<Value> {
        self.0.get(name).map(|outcome| Value::from_fields(Answer(Arc::clone(outcome))))
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[derive(Debug)]
struct Answer(Arc<Outcome>);

impl Fields for Answer {
    fn field(&self, name: &str) -> Option<Value> {
        answer_field(&self.0, name).map(|value| Value::from_json(&value))
    }

    fn names(&self) -> Vec<String> {
        ANSWER_FIELDS.iter().map(|&name| name.to_owned()).collect()
    }
}

/// A word of the language as JSON: also what `save` takes.
pub(super) fn answer_field(outcome: &Outcome, name: &str) -> Option<serde_json::Value> {
    if let Some(header) = name.strip_prefix("headers.") {
        return outcome.header(header).map(|value| json!(value));
    }
    match name {
        "body" => outcome.body.clone(),
        "content" => outcome.content().cloned(),
        "duration" | "duration_ms" => {
            Some(json!(u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX)))
        }
        "error" => outcome.error.as_ref().map(|error| json!(error)),
        "events" => outcome.events().cloned(),
        "headers" => Some(outcome.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect()),
        "requirements" => outcome.requirements(),
        "status" => outcome.status.map(|status| json!(status)),
        "text" => Some(json!(outcome.text)),
        "tokens" => outcome.tokens().map(serde_json::Value::Object),
        "tools" => outcome.tools().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}
