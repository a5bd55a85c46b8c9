//! Steps that run more than once: per item, so many times, until something holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::answer::{self, Done};
use super::bulk::Progress;
use super::bulk::rounds::Source;
use super::context::Context;
use super::event::{Phase, Stage};
use super::snapshots::{turn_name, turn_names};
use super::steps::{Flow, Run};
use crate::diagnostic::Problem;
use crate::expr::{Scope, as_text};
use crate::outcome::Outcome;
use crate::scenario::flow::ITEM;
use crate::scenario::{Loop, Over, Step, Until};

/// The most items of one loop.
const MOST: u64 = 1_000_000;

impl Run<'_> {
    /// Runs a step once per item; the first failure ends the loop, unless the step is soft.
    pub(super) async fn repeated(&mut self, step: &Step, over: &Loop, phase: Phase) -> Flow {
        if self.settings.bulk.dry_run
            && let Some(name) = self.unset(step)
        {
            self.skip(step, phase, format!("`{name}` has no value in a dry run"));
            return Flow::Go;
        }
        // What does not depend on the item is asked once: a list that nobody wants is not read.
        let of_item = |name: &String| {
            let root = name.split('.').next().unwrap_or_default();
            root == over.item || root == "loop"
        };
        if let Some(condition) = &step.condition
            && !condition.names().iter().any(of_item)
            && let Ok(false) = condition.is_true(&self.context.scope)
        {
            self.skip(step, phase, format!("`{}` does not hold", condition.text()));
            return Flow::Go;
        }
        if let Over::Listed(listing) = &over.over {
            return self.bulk(step, over, listing, phase).await;
        }
        let items = match self.items(over) {
            Ok(items) => items,
            Err(problem) => return self.finish(step, phase, Duration::ZERO, Done::failed(problem)),
        };
        let length = items.len();
        if self.settings.bulk.dry_run {
            let source = Source::Memory(items.into_iter());
            return self.rehearse_rounds(step, over, source, (length as u64, None), phase).await;
        }
        if let Err(done) = self.consent(step, over, (length as u64, length as u64), &[]).await {
            return self.finish(step, phase, Duration::ZERO, *done);
        }
        if over.concurrency > 1 || over.batch.is_some() || over.rate.is_some() || !over.stop_on_failure {
            let mut progress = Progress::new(step);
            let source = Source::Memory(items.into_iter());
            let flow = self.many(step, over, source, length, phase, &mut progress).await;
            if let Some(meter) = self.meter.take() {
                meter.end(self.observer, self.instance);
            }
            return flow;
        }
        let names = step.takes_snapshots().then(|| turn_names(&items, &self.settings.run_id));
        let mut meter = self.meter(step, Stage::Working, Some(length as u64));
        let around = std::mem::replace(&mut self.looping, true);
        let mut flow = Flow::Go;
        for (index, item) in items.into_iter().enumerate() {
            set_item(self.context, over, &item, index, length);
            self.turns.push(turn_name(names.as_ref(), index));
            flow = self.once(step, phase).await;
            self.turns.pop();
            if flow != Flow::Go {
                break;
            }
            if let Some(meter) = &mut meter {
                meter.at(self.observer, self.instance, (index as u64 + 1, 0), None);
            }
        }
        self.looping = around;
        if let Some(meter) = meter {
            meter.end(self.observer, self.instance);
        }
        flow
    }

    fn items(&self, over: &Loop) -> Result<Vec<Value>, Problem> {
        let (Over::Times(template) | Over::Items(template)) = &over.over else { return Ok(Vec::new()) };
        let value = template.resolve(&self.context.scope)?;
        let wrong = |wanted: &str| {
            let shown: String = as_text(&value).chars().take(60).collect();
            Problem::error("step::loop", format!("this is not {wanted}"))
                .label(template.span(), format!("is `{shown}` here"))
        };
        let items = match (&over.over, &value) {
            (Over::Times(_), Value::Number(number)) => {
                let times = number
                    .as_u64()
                    .filter(|times| *times <= MOST)
                    .ok_or_else(|| wrong("a number of times"))?;
                (1..=times).map(|index| json!(index)).collect()
            }
            (Over::Items(_), Value::Array(items)) => items.clone(),
            (Over::Times(_), _) => return Err(wrong("a whole number")),
            _ => return Err(wrong("a list")),
        };
        Ok(items)
    }

    /// Sends the request of a step until `until` holds; the expectations count for the last answer alone.
    pub(super) async fn until(&mut self, step: &Step, until: &Until) -> (Done, Option<Arc<Outcome>>) {
        let end = Instant::now() + until.within;
        let mut history = Vec::new();
        let began = Instant::now();
        loop {
            let (mut done, outcome) = self.request(step).await;
            let Some(outcome) = outcome.filter(|_| !done.stopped) else { return (done, None) };
            let verdicts = until.expect.evaluate(Some(&outcome), &self.context.scope);
            // A refused request or a failed run is not what is waited for, whatever its body holds.
            let refused =
                done.failures.iter().map(|failure| &failure.problem).find(|problem| is_refusal(problem));
            let missed = verdicts.iter().find(|verdict| !verdict.passed).map(|verdict| &verdict.message);
            let Some(missed) = missed.or(refused.map(|problem| &problem.message)) else {
                done.checks += verdicts.len();
                return (done, Some(outcome));
            };
            history.push(format!("after {}: {missed}", in_words(began.elapsed())));
            if Instant::now() + until.every >= end {
                // What was waited for is the cause; what else was expected of the last answer is shown with it.
                let mut waited = answer::checked(&verdicts);
                waited.failures.append(&mut done.failures);
                waited.checks += done.checks;
                let tries = history.len();
                done.notes.push(format!(
                    "`until` did not hold in {tries} tries within {}:",
                    in_words(until.within)
                ));
                done.notes.extend(shortened(history));
                return (Done { failures: waited.failures, checks: waited.checks, ..done }, None);
            }
            if let Err(stopped) = self.stop.guard(tokio::time::sleep(until.every)).await {
                let done = Done { stopped: true, ..Done::failed(self.stop.problem(&stopped, step)) };
                return (done, None);
            }
        }
    }
}

/// Whether it is the request or the run itself that failed, not something expected of its answer.
fn is_refusal(problem: &Problem) -> bool {
    matches!(problem.code, "request::refused" | "request::failed" | "run::failed")
}

pub(super) fn set_item(context: &mut Context, over: &Loop, item: &Value, index: usize, length: usize) {
    context.set_local(&over.item, item);
    let place = json!({ "index": index + 1, "index0": index, "first": index == 0, "last": index + 1 == length, "length": length });
    context.set_local("loop", &place);
}

/// Which round of a loop failed, for the reader of a log.
pub(super) fn round_of(scope: &Scope, step: &Step) -> Option<String> {
    const MOST: usize = 80;
    let place = scope.get("loop")?.as_json();
    let (index, length) = (place["index"].as_u64()?, place["length"].as_u64()?);
    let name = step.repeated.as_ref().map_or(ITEM, |over| over.item.as_str());
    let item = match scope.get(name).map(crate::expr::Value::as_json) {
        Some(item @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) if item != place["index"] => {
            let text = item.to_string();
            let cut: String = text.chars().take(MOST).collect();
            format!(", `{name}` is {cut}{}", if cut.len() < text.len() { "…" } else { "" })
        }
        _ => String::new(),
    };
    Some(format!("round {index} of {length}{item}"))
}

/// The first and the last tries, and the tries between them where something changed.
fn shortened(history: Vec<String>) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut lines: Vec<String> = Vec::new();
    let said = |line: &str| line.split_once(": ").map_or(String::new(), |(_, said)| said.to_owned());
    let last = history.len().saturating_sub(1);
    for (index, line) in history.iter().enumerate() {
        let changed = index == 0 || said(line) != said(&history[index - 1]);
        if (changed && lines.len() < SHOWN) || index == last {
            lines.push(format!("  {line}"));
        }
    }
    lines
}

fn in_words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
