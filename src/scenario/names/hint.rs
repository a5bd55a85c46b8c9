//! What was probably meant by a name that is not defined where it stands.

use std::collections::BTreeMap;

use crate::diagnostic::{self, Problem};
use crate::expr::Expression;
use crate::outcome::ANSWER_FIELDS;
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

/// What is read of an answer that an answer does not have: `steps.ask.session_id` stands in its body.
pub(super) fn no_field(
    expression: &Expression,
    id: &str,
    field: &str,
    inside: Option<&str>,
) -> Option<Problem> {
    // A method of a mapping is found at run time.
    if ANSWER_FIELDS.contains(&field) || matches!(field, "duration" | "get" | "items" | "keys" | "values") {
        return None;
    }
    let read = format!("steps.{id}.{field}");
    let meant = match (field, inside) {
        // GitHub Actions, other clients
        ("outputs" | "output" | "result" | "response" | "json" | "data" | "answer", Some(inside)) => {
            ANSWER_FIELDS
                .iter()
                .find(|known| **known == inside)
                .map_or_else(|| format!("steps.{id}.body.{inside}"), |known| format!("steps.{id}.{known}"))
        }
        ("outputs" | "output" | "result" | "response" | "json" | "data" | "answer", None) => {
            format!("steps.{id}.body")
        }
        ("status_code" | "statusCode" | "code" | "outcome" | "conclusion", _) => format!("steps.{id}.status"),
        _ => match diagnostic::nearest(field, ANSWER_FIELDS.iter().copied()) {
            Some(known) => format!("steps.{id}.{known}"),
            None => format!("steps.{id}.body.{field}"),
        },
    };
    Some(
        Problem::error("expression::undefined", format!("an answer has no `{field}`"))
            .label(&expression.span_of(&read), "not there")
            .help(format!("did you mean `{meant}`? an answer has: {}", ANSWER_FIELDS.join(", "))),
    )
}
