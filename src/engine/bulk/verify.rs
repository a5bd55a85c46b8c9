//! Whether what a loop deleted is gone: the list is read again, and what was deleted must not be in it.

use std::collections::HashSet;

use super::tally::BulkReport;
use super::{print_of, search};
use crate::agentos::Effect;
use crate::agentos::operation::{Method, Resource};
use crate::diagnostic::Problem;
use crate::engine::steps::Run;
use crate::scenario::{Action, Listing, Loop, Step};

/// Whether a step deletes the very items that it is given: then they must be gone from their list.
pub(super) fn deletes_items(step: &Step, resource: Resource) -> bool {
    match &step.action {
        Action::Operation(action) => {
            let spec = action.operation.spec;
            // Clearing deletes too, but leaves the session.
            spec.effect == Effect::Delete && spec.method == Method::Delete && spec.resource == resource
        }
        Action::Group(steps) => steps
            .iter()
            .any(|step| step.condition.is_none() && step.repeated.is_none() && deletes_items(step, resource)),
        _ => false,
    }
}

impl Run<'_> {
    /// Looks for the items of a loop in their list: those that are there still are left.
    pub(super) async fn verify(
        &mut self,
        step: &Step,
        over: &Loop,
        listing: &Listing,
        done: &HashSet<u128>,
        failed: &HashSet<u128>,
        tally: &mut BulkReport,
    ) -> Option<Problem> {
        let mut there: Vec<String> = Vec::new();
        let mut left = 0;
        let looked = self
            .find(step, over, listing, &mut |key| {
                let print = print_of(key);
                if done.contains(&print) {
                    left += 1;
                    there.push(key.to_owned());
                } else if failed.contains(&print) {
                    left += 1;
                }
                false
            })
            .await;
        match looked {
            Ok(search::Found { .. }) => {
                tally.left = Some(left);
                if !there.is_empty() {
                    tally.done -= there.len() as u64;
                    tally.fail(&there, "the server said that it deleted them, but they are still there");
                }
                None
            }
            Err(done) => {
                let cause = done.failures.first().map(|failure| failure.problem.message.clone());
                Some(
                    Problem::error(
                        "bulk::unverified",
                        format!(
                            "whether the items are gone could not be seen: {}",
                            cause.unwrap_or_default()
                        ),
                    )
                    .label(&step.action_key.span, "in this loop"),
                )
            }
        }
    }
}
