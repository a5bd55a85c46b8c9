//! Bulk work: a step for each of many items, several at a time, in batches, at a rate; and for each of all that an
//! operation lists, however long that is and whatever changes meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use self::spill::Reader;
use self::tally::BulkReport;
use super::answer::Done;
use super::context::Context;
use super::event::{Event, Phase, ScenarioReport};
use super::loops::set_item;
use super::snapshots::{turn_name, turn_names};
use super::steps::{Flow, Run};
use crate::diagnostic::Problem;
use crate::scenario::{Listing, Loop, Step};

mod pages;
mod spill;
pub(super) mod tally;

/// So many failed items are shown whole, with their requests; all are counted.
const SHOWN: usize = 3;

/// Where the items come from.
pub(super) enum Source {
    /// A list of the scenario.
    Memory(std::vec::IntoIter<Value>),
    /// What an operation listed.
    Found(Box<Reader>),
}

impl Source {
    fn next(&mut self) -> std::io::Result<Option<Value>> {
        match self {
            Self::Memory(items) => Ok(items.next()),
            Self::Found(reader) => reader.next(),
        }
    }
}

/// Items that take their turn together: one, or a batch.
struct Round {
    index: usize,
    /// What the items are known by.
    keys: Vec<String>,
    /// What the step sees.
    item: Value,
}

/// A round that is over.
struct Over {
    round: Round,
    context: Context,
    report: ScenarioReport,
    flow: Flow,
    /// It was not begun, because another one failed or the end came.
    idle: bool,
}

/// Lets rounds begin at a rate.
struct Pace {
    interval: Option<Duration>,
    next: Instant,
}

impl Pace {
    /// When the next one may begin.
    fn slot(&mut self) -> Option<Instant> {
        let interval = self.interval?;
        let slot = self.next.max(Instant::now());
        self.next = slot + interval;
        Some(slot)
    }
}

impl Run<'_> {
    /// A step for each of what an operation lists.
    pub(super) async fn bulk(&mut self, step: &Step, over: &Loop, listing: &Listing, phase: Phase) -> Flow {
        let began = Instant::now();
        let found = match self.find(step, over, listing, &mut |_| true).await {
            Ok(found) => found,
            Err(done) => return self.finish(step, phase, began.elapsed(), *done),
        };
        let title = step
            .name
            .as_ref()
            .and_then(|name| name.resolve_text(&self.context.scope).ok())
            .unwrap_or_else(|| step.title());
        let mut tally = BulkReport::new(title, step.span.clone());
        (tally.listed, tally.found) = (found.listed, found.items.count());
        let reader = match found.items.read() {
            Ok(reader) => reader,
            Err(error) => {
                let done = Done::failed(pages::spill_problem(&error, step));
                return self.finish(step, phase, began.elapsed(), done);
            }
        };
        let length = usize::try_from(tally.found).unwrap_or(usize::MAX);
        let flow = self.many(step, over, Source::Found(Box::new(reader)), length, phase, &mut tally).await;
        tally.duration = began.elapsed();
        self.conclude(step, phase, tally, flow, found.notes)
    }

    /// Says what became of the items; failed ones fail the step.
    fn conclude(
        &mut self,
        step: &Step,
        phase: Phase,
        tally: BulkReport,
        flow: Flow,
        mut notes: Vec<String>,
    ) -> Flow {
        let mut done = Done::default();
        let counts = tally.counts();
        if flow == Flow::Stopped {
            let problem = self.stop.now().map(|stopped| self.stop.problem(&stopped, step));
            done = Done { stopped: true, ..Done::default() };
            done.failures.extend(problem.map(|problem| problem.help(counts.clone()).into()));
        } else if tally.failed > 0 {
            done = Done::failed(
                Problem::error(
                    "bulk::failed",
                    format!("{} of {} items failed: {counts}", tally.failed, tally.found),
                )
                .label(&step.action_key.span, "in this loop"),
            );
        }
        if done.failures.is_empty() {
            notes.insert(0, counts);
        }
        notes.extend(tally.lines());
        done.notes = notes;
        let duration = tally.duration;
        self.observer.on(&Event::Bulk { instance: self.instance.clone(), report: tally });
        self.finish(step, phase, duration, done)
    }

    /// Runs the step for all items of a source: so many at a time, in rounds of a batch, at a rate. At the end, or at a
    /// failure that ends the loop, what is in flight is waited for.
    pub(super) async fn many(
        &mut self,
        step: &Step,
        over: &Loop,
        mut source: Source,
        length: usize,
        phase: Phase,
        tally: &mut BulkReport,
    ) -> Flow {
        let mut pace = Pace { interval: over.rate.map(|rate| rate.interval), next: Instant::now() };
        let length = length.div_ceil(over.batch.unwrap_or(1));
        let stopping = AtomicBool::new(false);
        let names = match &source {
            Source::Memory(items) if over.batch.is_none() && step.takes_snapshots() => {
                Some(turn_names(items.as_slice(), &self.settings.run_id))
            }
            _ => None,
        };
        let shared = &*self;
        // What one item sets, the next one sees; but not where several run at the same time.
        let mut joined = shared.context.branch();
        let mut total = ScenarioReport::new(shared.instance);
        let mut waiting: BTreeMap<usize, Context> = BTreeMap::new();
        let mut worst = Flow::Go;
        let mut begun = 0;
        let mut next_joined = 0;
        let mut broken: Option<Problem> = None;
        let mut exhausted = false;
        let mut running = FuturesUnordered::new();
        loop {
            while !exhausted && !stopping.load(Ordering::Relaxed) && running.len() < over.concurrency {
                let round = match round_of(over, &mut source, begun) {
                    Ok(Some(round)) => round,
                    Ok(None) => {
                        exhausted = true;
                        break;
                    }
                    Err(error) => {
                        broken = Some(pages::spill_problem(&error, step));
                        exhausted = true;
                        break;
                    }
                };
                begun += 1;
                let mut context =
                    if over.concurrency == 1 { joined.branch() } else { shared.context.branch() };
                set_item(&mut context, over, &round.item, round.index, length);
                let slot = pace.slot();
                let turn = turn_name(names.as_ref(), round.index);
                running.push(shared.round(step, round, turn, context, slot, &stopping, phase));
            }
            let Some(over_now) = running.next().await else { break };
            let Over { round, context, report, flow, idle } = over_now;
            if flow == Flow::Stopped || flow == Flow::Failed && over.stop_on_failure {
                stopping.store(true, Ordering::Relaxed);
            }
            worst = worst.max(flow);
            if !idle {
                count(tally, &round, &report, flow);
            }
            total.steps += report.steps;
            total.checks += report.checks;
            let room = if over.is_bulk() { SHOWN.saturating_sub(total.failed.len()) } else { usize::MAX };
            total.failed.extend(report.failed.into_iter().take(room));
            waiting.insert(round.index, context);
            while let Some(context) = waiting.remove(&next_joined) {
                joined.join(context);
                next_joined += 1;
            }
        }
        drop(running);
        self.take(joined, total);
        if let Some(problem) = broken {
            self.report.problems.push(problem);
            return Flow::Failed;
        }
        worst
    }

    async fn round(
        &self,
        step: &Step,
        round: Round,
        turn: String,
        mut context: Context,
        slot: Option<Instant>,
        stopping: &AtomicBool,
        phase: Phase,
    ) -> Over {
        let mut report = ScenarioReport::new(self.instance);
        if let Some(slot) = slot
            && self.stop.guard(tokio::time::sleep_until(slot.into())).await.is_err()
        {
            return Over { round, context, report, flow: Flow::Stopped, idle: true };
        }
        if stopping.load(Ordering::Relaxed) {
            return Over { round, context, report, flow: Flow::Go, idle: true };
        }
        if self.stop.now().is_some() {
            return Over { round, context, report, flow: Flow::Stopped, idle: true };
        }
        let mut run = self.beside(&mut context, &mut report);
        run.bulk = true;
        run.turns.push(turn);
        let flow = run.once(step, phase).await;
        Over { round, context, report, flow, idle: false }
    }
}

/// The next items.
fn round_of(over: &Loop, source: &mut Source, index: usize) -> std::io::Result<Option<Round>> {
    let key_of = |item: &Value| match &over.over {
        crate::scenario::Over::Listed(listing) => listing.items.key_of(item),
        _ => crate::expr::as_text(item),
    };
    let Some(batch) = over.batch else {
        return Ok(source.next()?.map(|item| Round { index, keys: vec![key_of(&item)], item }));
    };
    let mut items = Vec::new();
    while items.len() < batch
        && let Some(item) = source.next()?
    {
        items.push(item);
    }
    Ok((!items.is_empty()).then(|| Round {
        index,
        keys: items.iter().map(key_of).collect(),
        item: Value::Array(items),
    }))
}

fn count(tally: &mut BulkReport, round: &Round, report: &ScenarioReport, flow: Flow) {
    match report.failed.iter().find_map(|step| step.failures.first()) {
        Some(failure) => tally.fail(&round.keys, &failure.problem.message),
        None if flow == Flow::Stopped => {}
        None if report.steps == 0 => tally.skipped += round.keys.len() as u64,
        None => tally.done += round.keys.len() as u64,
    }
}
