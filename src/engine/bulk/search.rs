//! A search for the items of a loop: what it has seen, and what it keeps of it.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use serde_json::Value;
use serde_json::value::RawValue;

use super::print_of;
use super::rehearse::{SAMPLE, in_short};
use super::spill::Spill;
use crate::diagnostic::Problem;
use crate::engine::answer::Done;
use crate::engine::context::Context;
use crate::expr::Expression;
use crate::scenario::flow::ITEM;
use crate::scenario::{Listing, Loop, Step};

/// What was found.
pub(super) struct Found {
    /// The items that are meant.
    pub(super) items: Spill,
    /// The first of them in short.
    pub(super) sample: Vec<String>,
    /// How many the list had, those that are not meant included.
    pub(super) listed: u64,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
}

/// A search for the items of a loop.
pub(super) struct Search<'a> {
    pub(super) step: &'a Step,
    over: &'a Loop,
    pub(super) listing: &'a Listing,
    /// What the filter sees.
    context: Context,
    /// The ids, as fingerprints.
    seen: HashSet<u128>,
    /// Whether an item is still to be done.
    keep: &'a mut dyn FnMut(&str) -> bool,
    pub(super) found: Found,
}

/// What came of a page.
pub(super) struct Taken {
    /// How many of its items had not been seen before.
    pub(super) new: u64,
    /// The fingerprint of all.
    pub(super) print: u64,
}

impl<'a> Search<'a> {
    /// Has seen nothing yet. `keep` says whether an item is still to be done.
    pub(super) fn new(
        step: &'a Step,
        over: &'a Loop,
        listing: &'a Listing,
        context: Context,
        keep: &'a mut dyn FnMut(&str) -> bool,
    ) -> Self {
        let found = Found { items: Spill::new(), sample: Vec::new(), listed: 0, notes: Vec::new() };
        Self { step, over, listing, context, seen: HashSet::new(), keep, found }
    }

    /// How many items were seen.
    pub(super) fn listed(&self) -> u64 {
        self.seen.len() as u64
    }

    /// What was found.
    pub(super) fn end(self) -> Found {
        Found { listed: self.listed(), ..self.found }
    }

    /// Takes what a page has.
    pub(super) fn take(&mut self, items: &[&RawValue], number: u64) -> Result<Taken, Box<Done>> {
        let listing = self.listing;
        let kind = &listing.items;
        let mut print = DefaultHasher::new();
        let mut new = 0;
        for item in items {
            let unread = |error: serde_json::Error| unreadable(listing, item, &error, number);
            let key = kind.key_of_sent(item).map_err(unread)?;
            key.hash(&mut print);
            if !self.seen.insert(print_of(&key)) {
                continue;
            }
            new += 1;
            let mut read = None;
            if let Some(filter) = &self.listing.filter {
                let item = kind.read(item.get()).map_err(unread)?;
                if !is_meant(&mut self.context, self.over, filter, &item, &key)? {
                    continue;
                }
                read = Some(item);
            }
            if !(self.keep)(&key) {
                continue;
            }
            if self.found.sample.len() < SAMPLE {
                let item = read.map_or_else(|| kind.read(item.get()), Ok).map_err(unread)?;
                self.found.sample.push(in_short(kind, &item));
            }
            let pushed = self.found.items.push(item);
            pushed.map_err(|error| failed(spill_problem(&error, self.step)))?;
        }
        Ok(Taken { new, print: print.finish() })
    }
}

fn unreadable(listing: &Listing, item: &RawValue, error: &serde_json::Error, number: u64) -> Box<Done> {
    let name = listing.action.operation.spec.name;
    let message = format!("an entry that {name} answered cannot be read: {error}");
    let start: String = item.get().chars().take(60).collect();
    let problem = Problem::error("bulk::unreadable", message)
        .label(&listing.key.span, format!("page {number}: nothing was done"))
        .help(format!("it begins with {start}"));
    failed(problem)
}

/// Whether the filter takes an item.
fn is_meant(
    context: &mut Context,
    over: &Loop,
    filter: &Expression,
    item: &Value,
    key: &str,
) -> Result<bool, Box<Done>> {
    context.set_local(&over.item, item);
    context.set_local(ITEM, item);
    let failed = |problem: Problem| {
        let place = format!("at the item `{key}`; nothing was done");
        let help = problem.help.clone().map_or_else(|| place.clone(), |help| format!("{help}\n{place}"));
        failed(problem.help(help))
    };
    match filter.evaluate(&context.scope).map_err(failed)?.as_json() {
        Value::Bool(meant) => Ok(meant),
        Value::Null => Ok(false),
        // `where: ${{ item.session_name }}` would take whatever has a name.
        other => Err(failed(
            Problem::error("bulk::where", format!("`where` is neither true nor false: {}", short(&other)))
                .label(filter.span(), "a condition is wanted")
                .help("compare it: `item.a == \"b\"`, `item.a is matches(\"^b\")`; what is there at all is `item.a is not none`"),
        )),
    }
}

/// A value in a message.
fn short(value: &Value) -> String {
    const MOST: usize = 80;
    let text = value.to_string();
    let cut: String = text.chars().take(MOST).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

pub(super) fn failed(problem: Problem) -> Box<Done> {
    Box::new(Done::failed(problem))
}

/// The problem that items cannot be kept on the disk.
pub(super) fn spill_problem(error: &std::io::Error, step: &Step) -> Problem {
    Problem::error("bulk::spill", format!("the items cannot be kept in a temporary file: {error}"))
        .label(&step.action_key.span, "in this loop")
        .help("TMPDIR names another folder for temporary files")
}
