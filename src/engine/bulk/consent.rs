//! Whether a loop may delete: somebody is asked once, with the count, or has said so beforehand.

use std::fmt;
use std::sync::Arc;

use super::journal::Journal;
use crate::agentos::Effect;
use crate::agentos::operation::{BoxFuture, Method};
use crate::diagnostic::Problem;
use crate::engine::answer::Done;
use crate::engine::steps::Run;
use crate::scenario::{Action, Loop, Step};

/// Somebody who can be asked.
pub trait Ask: Send + Sync {
    /// Whether to go on.
    fn ask<'a>(&'a self, question: &'a str) -> BoxFuture<'a, bool>;
}

/// How bulk work is done.
#[derive(Clone, Default)]
pub struct BulkSettings {
    /// Only reads are sent, and what else would be is told.
    pub dry_run: bool,
    /// A step that would delete more stops before the first.
    pub max_deletes: Option<u64>,
    /// Nobody needs to be asked.
    pub yes: bool,
    /// Who is asked; none where nobody watches.
    pub ask: Option<Arc<dyn Ask>>,
    /// The files that `write` steps write.
    pub files: Arc<crate::engine::write::Files>,
    /// What remembers the items that are done.
    pub journal: Option<Arc<Journal>>,
}

impl fmt::Debug for BulkSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkSettings")
            .field("dry_run", &self.dry_run)
            .field("max_deletes", &self.max_deletes)
            .field("yes", &self.yes)
            .finish_non_exhaustive()
    }
}

/// What in a step deletes data: the name of an operation, or `DELETE`.
pub(in crate::engine) fn deletion_in(step: &Step) -> Option<&'static str> {
    match &step.action {
        Action::Operation(action) => {
            let spec = action.operation.spec;
            (spec.effect == Effect::Delete).then_some(spec.name)
        }
        Action::Http(http) => (http.method == Method::Delete).then_some("DELETE"),
        _ => step.action.steps().iter().find_map(deletion_in),
    }
}

impl Run<'_> {
    /// Whether a loop may delete data for so many items; what to say where it may not.
    pub(in crate::engine) async fn consent(
        &self,
        step: &Step,
        over: &Loop,
        (count, listed): (u64, u64),
        sample: &[String],
    ) -> Result<(), Box<Done>> {
        let Some(what) = deletion_in(step).filter(|_| count > 0) else { return Ok(()) };
        let settings = &self.settings.bulk;
        if let Some(limit) = settings.max_deletes {
            return if count > limit { Err(too_many(step, count, limit)) } else { Ok(()) };
        }
        if !over.is_bulk() {
            return Ok(());
        }
        let declared = over.max_deletes.as_ref().map(|limit| limit.resolve(&self.context.scope)).transpose();
        let declared = declared.map_err(|problem| Box::new(Done::failed(problem)))?;
        let declared = match (&declared, &over.max_deletes) {
            (Some(value), Some(template)) => Some(value.as_u64().ok_or_else(|| {
                Box::new(Done::failed(
                    Problem::error("step::loop", "`max_deletes` is not a whole number")
                        .label(template.span(), format!("is `{value}` here")),
                ))
            })?),
            _ => None,
        };
        // What is inside of this program ends with it.
        if settings.yes || self.target.embedded || declared.is_some_and(|limit| count <= limit) {
            return Ok(());
        }
        let of = if listed > count { format!(" of {listed}") } else { String::new() };
        let items = format!("{count}{of} item{}", if count.max(listed) == 1 { "" } else { "s" });
        let beyond = declared.map_or_else(String::new, |limit| format!(", more than `max_deletes: {limit}`"));
        let place = step.action_key.span.link();
        let said = match &settings.ask {
            Some(somebody) => {
                let mut question = format!("{what} for {items} on {} ({place}){beyond}", self.target.name);
                for line in sample {
                    question.push_str("\n  ");
                    question.push_str(line);
                }
                if let Some(more) = count.checked_sub(sample.len() as u64).filter(|more| *more > 0 && !sample.is_empty()) {
                    question.push_str(&format!("\n  ... and {more} more"));
                }
                if self.stop.guard(somebody.ask(&question)).await.unwrap_or(false) {
                    return Ok(());
                }
                Problem::error("bulk::refused", format!("{what} for {items}: nobody agreed, nothing was deleted"))
            }
            None => Problem::error(
                "bulk::consent",
                format!("{what} would be run for {items}{beyond}, and nobody is there to be asked: nothing was deleted"),
            )
            .help(format!(
                "--max-deletes {count} allows so many, --yes any number, `max_deletes: {count}` in the step always; --dry-run shows them"
            )),
        };
        Err(Box::new(Done::failed(said.label(&step.action_key.span, "this deletes data"))))
    }
}

impl Run<'_> {
    /// Whether a request stays below the limit of the command line.
    pub(in crate::engine) fn within_limit(&self, step: &Step, count: u64) -> Result<(), Box<Done>> {
        let Some(limit) = self.settings.bulk.max_deletes else { return Ok(()) };
        match &step.action {
            Action::Operation(action) if action.operation.spec.name == "delete_all_knowledge_content" => {
                Err(Box::new(Done::failed(
                    Problem::error(
                        "bulk::too-many",
                        format!("this would delete all of it, and --max-deletes allows {limit}: nothing was deleted"),
                    )
                    .label(&step.action_key.span, "nobody knows how many"),
                )))
            }
            _ if count > limit && deletion_in(step).is_some() => Err(too_many(step, count, limit)),
            _ => Ok(()),
        }
    }
}

/// The problem that a step would delete too much.
pub(in crate::engine) fn too_many(step: &Step, count: u64, limit: u64) -> Box<Done> {
    Box::new(Done::failed(
        Problem::error(
            "bulk::too-many",
            format!("this would delete {count}, and --max-deletes allows {limit}: nothing was deleted"),
        )
        .label(&step.action_key.span, "stopped before the first")
        .help("--dry-run shows what it would send"),
    ))
}
