//! What was probably meant by a name that is not defined where it stands.

use std::collections::BTreeMap;

use crate::diagnostic;
use crate::scenario::Action;
use crate::scenario::step::Step;
use crate::source::Span;

/// A name that some step of the file gives a value.
struct Given {
    span: Span,
    /// The item of a loop, which is there inside of the loop alone.
    item: bool,
}

/// Everything that steps of a file give values to, wherever.
#[derive(Default)]
pub(super) struct Elsewhere(BTreeMap<String, Given>);

impl Elsewhere {
    /// Adds what these steps and those inside them define. What stands in a fragment is not this file's.
    pub(super) fn add(&mut self, steps: &[Step]) {
        for step in steps {
            if let Some(over) = &step.repeated {
                self.insert(&over.item, &step.action_key.span, true);
            }
            for save in &step.save {
                self.insert(&save.name.name, &save.name.span, false);
            }
            match &step.action {
                Action::Set(values) => {
                    for (key, _) in values {
                        self.insert(&key.name, &key.span, false);
                    }
                }
                Action::Use(_) => {}
                action => self.add(action.steps()),
            }
        }
    }

    fn insert(&mut self, name: &str, span: &Span, item: bool) {
        self.0.entry(name.to_owned()).or_insert_with(|| Given { span: span.clone(), item });
    }

    /// Where a name is given a value that is not defined here.
    pub(super) fn hint(&self, name: &str) -> Option<String> {
        let given = self.0.get(name)?;
        let place = given.span.link();
        Some(if given.item {
            format!("`{name}` is the item of the loop at {place}, and is there inside of it alone")
        } else {
            format!("it is given a value at {place}: later than this, or beside it")
        })
    }
}

/// What somebody who comes from another tool means by a word.
pub(super) fn habit(name: &str, field: Option<&str>, known: &[&str]) -> Option<String> {
    let upper =
        name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    Some(match (name, field) {
        ("vars" | "var" | "variables" | "inputs" | "params" | "parameters", Some(field)) => {
            let meant = diagnostic::nearest(field, known.iter().copied()).unwrap_or(field);
            format!("variables and parameters are read by their names alone: `{meant}`")
        }
        ("secrets" | "environ", Some(field)) => format!("the environment is read as `env.{field}`"),
        ("item" | "loop" | "index", _) => {
            "only a step with `for_each` or `repeat` has `item` and `loop`".to_owned()
        }
        ("response" | "answer" | "result" | "body" | "status" | "content", _) => {
            "the answer of a step with an `id` is `steps.ID.body`; `save` makes variables of it".to_owned()
        }
        _ if upper => format!("a variable of the environment is read as `env.{name}`"),
        _ => return None,
    })
}
