//! A dry run: reads are sent, and what else would be is told instead.

use std::time::{Duration, Instant};

use super::consent::deletion_in;
use super::rounds::{Source, round_of};
use crate::agentos::Effect;
use crate::agentos::items::Items;
use crate::agentos::operation::Method;
use crate::engine::answer::{self, Done};
use crate::engine::event::{Event, Phase};
use crate::engine::loops::set_item;
use crate::engine::request::Request;
use crate::engine::steps::{Flow, Run};
use crate::scenario::{Action, Loop, Over, Step};

/// So many items are shown.
pub(super) const SAMPLE: usize = 5;

impl Run<'_> {
    fn plan(&self, text: String) {
        self.observer.on(&Event::Plan { instance: self.instance.clone(), text });
    }

    /// What a step does in a dry run; none where it does what it always does, which changes nothing.
    pub(in crate::engine) async fn rehearse(&mut self, step: &Step, phase: Phase) -> Option<Flow> {
        if let Some(name) = self.unset(step) {
            self.skip(step, phase, format!("`{name}` has no value in a dry run"));
            return Some(Flow::Go);
        }
        let identity = step.identity.as_ref().or(self.identity.as_ref());
        let scope = &self.context.scope;
        let (reads, request) = match &step.action {
            Action::Operation(action) => (
                action.operation.spec.effect == Effect::Read,
                Request::of_operation(step, action, identity, scope, self.settings),
            ),
            Action::Http(http) => (
                matches!(http.method, Method::Get | Method::Head | Method::Options),
                Request::of_http(step, http, identity, scope, self.settings),
            ),
            Action::Assert(_) => {
                self.skip(step, phase, "nothing is expected of a dry run".to_owned());
                return Some(Flow::Go);
            }
            Action::Write(write) => match self.line_of(write) {
                Ok((path, line)) => {
                    let cut: String = line.chars().take(100).collect();
                    let dots = if cut.len() < line.len() { "..." } else { "" };
                    self.plan(format!("would write to {path}: {cut}{dots}"));
                    self.skip(step, phase, "not written in a dry run".to_owned());
                    return Some(Flow::Go);
                }
                Err(problem) => {
                    return Some(self.finish(step, phase, Duration::ZERO, Done::failed(problem)));
                }
            },
            Action::Sleep(_) => {
                self.skip(step, phase, "a dry run waits for nothing".to_owned());
                return Some(Flow::Go);
            }
            _ => return None,
        };
        let request = match request {
            Ok(request) => request,
            Err(problems) => {
                let failures = problems.into_iter().map(Into::into).collect();
                let done = Done { failures, ..Done::default() };
                return Some(self.finish(step, phase, Duration::ZERO, done));
            }
        };
        if !reads {
            let curl = request.shown(&self.target.client).map(|request| request.curl()).unwrap_or_default();
            self.plan(format!("would send: {curl}"));
            self.skip(step, phase, "not sent in a dry run".to_owned());
            return Some(Flow::Go);
        }
        let began = Instant::now();
        let mut done = match self.send(step).await {
            Ok(arrived) => {
                let outcome = std::sync::Arc::new(arrived.outcome);
                if let Some(id) = &step.id {
                    self.context.keep(&id.name, &outcome);
                }
                let mut done =
                    Done { request: arrived.request, exchange: arrived.exchange, ..Done::default() };
                answer::save(step, &outcome, self.context, &mut done);
                // What an earlier step would have made is not there to be found.
                done.failures.clear();
                if let Some(error) = &outcome.error {
                    done.notes.push(format!("answered: {error}"));
                }
                done
            }
            Err(done) => *done,
        };
        done.checks = 0;
        Some(self.finish(step, phase, began.elapsed(), done))
    }

    /// What a loop over an operation would do: how many items, which, and the first of its rounds.
    pub(in crate::engine) async fn rehearse_rounds(
        &mut self,
        step: &Step,
        over: &Loop,
        mut source: Source,
        counts: (u64, Option<u64>),
        phase: Phase,
    ) -> Flow {
        let (count, listed) = counts;
        let title = self.title(step);
        let of =
            listed.filter(|listed| *listed != count).map_or_else(String::new, |all| format!(" of {all}"));
        let each = over.batch.map_or(1, |batch| batch as u64);
        let rounds = count.div_ceil(each);
        let batches = if each > 1 { format!(" in {rounds} rounds of up to {each}") } else { String::new() };
        self.plan(format!("{title}: {count}{of} items{batches}"));
        let Ok(Some(first)) = round_of(over, &mut source, 0) else { return Flow::Go };
        if over.is_bulk() {
            let mut sample = match (&first.item, over.batch) {
                (serde_json::Value::Array(items), Some(_)) => items.clone(),
                (item, _) => vec![item.clone()],
            };
            while sample.len() < SAMPLE
                && let Ok(Some(item)) = source.next()
            {
                sample.push(item);
            }
            if let Over::Listed(listing) = &over.over {
                for item in sample.iter().take(SAMPLE) {
                    self.plan(format!("  {}", in_short(&listing.items, item)));
                }
            }
            let more = count.saturating_sub(sample.len().min(SAMPLE) as u64);
            if more > 0 {
                self.plan(format!("  ... and {more} more"));
            }
        }
        let limit = self.settings.bulk.max_deletes;
        if deletion_in(step).is_some()
            && let Some(limit) = limit.filter(|limit| count > *limit)
        {
            self.plan(format!("would stop before the first: --max-deletes {limit}"));
        }
        if rounds > 1 {
            self.plan(format!("the first of {rounds}:"));
        }
        let mut context = self.context.branch();
        set_item(&mut context, over, &first.item, 0, usize::try_from(rounds).unwrap_or(usize::MAX));
        let mut report = crate::engine::event::ScenarioReport::new(self.instance);
        let flow = self.beside(&mut context, &mut report).once(step, phase).await;
        self.take(context, report);
        flow
    }
}

/// What an item is known by, and what people call it: a line of a terminal.
pub(super) fn in_short(items: &Items, item: &serde_json::Value) -> String {
    let mut text = items.key_of(item);
    let mut add = |name: &str, label: &str| {
        let Some(value) = item.get(name).filter(|value| !value.is_null()) else { return false };
        let value = crate::expr::as_text(value).replace('\n', " ");
        let cut: String = value.chars().take(LONGEST).collect();
        let dots = if cut.len() < value.len() { "..." } else { "" };
        let more = format!("  {label}{cut}{dots}");
        if text.chars().count() + more.chars().count() <= WIDTH || !text.contains("  ") {
            text.push_str(&more);
        }
        true
    };
    // The first of these that there is speaks for itself; the time, too.
    let _name = ["session_name", "name", "memory", "run_input"].into_iter().any(|name| add(name, ""));
    let _time = ["updated_at", "created_at"].into_iter().any(|name| add(name, ""));
    add("user_id", "user_id: ");
    add("status", "status: ");
    text
}

/// So much of a value is shown.
const LONGEST: usize = 40;
/// The columns of a terminal without a margin.
const WIDTH: usize = 76;
