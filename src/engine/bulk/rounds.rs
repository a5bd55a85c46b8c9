//! The rounds of a loop: so many items at a time, in batches, at a rate; and the end of them all, whatever becomes of one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;

use super::journal::{self, Journal};
use super::spill::Reader;
use super::{Progress, search};
use crate::diagnostic::Problem;
use crate::engine::context::Context;
use crate::engine::event::{Phase, ScenarioReport, Stage};
use crate::engine::loops::set_item;
use crate::engine::snapshots::{turn_name, turn_names};
use crate::engine::steps::{Flow, Run};
use crate::scenario::{Loop, Step};

/// So many failed items are shown whole, with their requests; all are counted.
const SHOWN: usize = 3;

/// Where the items come from.
pub(in crate::engine) enum Source {
    /// A list of the scenario.
    Memory(std::vec::IntoIter<Value>),
    /// What an operation listed.
    Found(Box<Reader>),
}

impl Source {
    pub(super) fn next(&mut self) -> std::io::Result<Option<Value>> {
        match self {
            Self::Memory(items) => Ok(items.next()),
            Self::Found(reader) => reader.next(),
        }
    }
}

/// Items that take their turn together: one, or a batch.
pub(super) struct Round {
    index: usize,
    /// What the items are known by.
    pub(super) keys: Vec<String>,
    /// What the step sees.
    pub(super) item: Value,
}

/// A round that is over.
pub(super) struct Finished {
    pub(super) round: Round,
    context: Context,
    pub(super) report: ScenarioReport,
    pub(super) flow: Flow,
    /// It was not begun, because another one failed or the end came.
    idle: bool,
    /// It was not begun, because the journal cannot be written.
    broken: Option<Problem>,
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
    /// Runs the step for all items of a source: so many at a time, in rounds of a batch, at a rate. At the end, or at a
    /// failure that ends the loop, what is in flight is waited for.
    pub(in crate::engine) async fn many(
        &mut self,
        step: &Step,
        over: &Loop,
        mut source: Source,
        length: usize,
        phase: Phase,
        progress: &mut Progress,
    ) -> Flow {
        let mut pace = Pace { interval: over.rate.map(|rate| rate.interval), next: Instant::now() };
        let (items, length) = (length as u64, length.div_ceil(over.batch.unwrap_or(1)));
        let stopping = AtomicBool::new(false);
        let names = match &source {
            Source::Memory(items) if over.batch.is_none() && step.takes_snapshots() => {
                Some(turn_names(items.as_slice(), &self.settings.run_id))
            }
            _ => None,
        };
        let (mut over_now, failed_before) = (0, progress.tally.failed);
        let mut meter = match self.meter.take() {
            Some(mut meter) => {
                meter.enter(Stage::Working, Some(items));
                Some(meter)
            }
            None => self.meter(step, Stage::Working, Some(items)),
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
        let journal = progress.journal.clone();
        let mut running = FuturesUnordered::new();
        let mut ahead = None;
        loop {
            while !exhausted && !stopping.load(Ordering::Relaxed) && running.len() < over.concurrency {
                let round = match ahead.take().unwrap_or_else(|| round_of(over, &mut source, begun)) {
                    Ok(Some(round)) => round,
                    Ok(None) => {
                        exhausted = true;
                        break;
                    }
                    Err(error) => {
                        broken = Some(search::spill_problem(&error, step));
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
                running.push(shared.round(
                    step,
                    round,
                    turn,
                    context,
                    slot,
                    &stopping,
                    journal.as_ref(),
                    phase,
                ));
            }
            let mut next = running.next().now_or_never();
            if next.is_none() {
                // What was begun goes out, and the next items are read while the server works.
                tokio::task::yield_now().await;
                if ahead.is_none() && !exhausted {
                    ahead = Some(round_of(over, &mut source, begun));
                }
                next = Some(running.next().await);
            }
            let Some(Some(mut finished)) = next else { break };
            let flow = finished.flow;
            over_now += finished.round.keys.len() as u64;
            if !finished.idle
                && let Err(error) = progress.count(&finished)
                && let Some((journal, _)) = &progress.journal
            {
                finished.broken = Some(journal.problem(&error));
            }
            if progress.gives_up().is_some() && over.is_bulk()
                || flow == Flow::Stopped
                || flow == Flow::Failed && over.stop_on_failure
                || finished.broken.is_some()
            {
                stopping.store(true, Ordering::Relaxed);
            }
            if let Some(meter) = &mut meter {
                let failed = progress.tally.failed - failed_before;
                meter.at(shared.observer, shared.instance, (over_now, failed), None);
            }
            worst = worst.max(flow);
            broken = broken.or(finished.broken);
            let Finished { round, context, report, .. } = finished;
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
        self.meter = meter;
        self.take(joined, total);
        if let Some(problem) = broken {
            self.report.problems.push(problem);
            return Flow::Failed;
        }
        worst
    }

    #[expect(clippy::too_many_arguments, reason = "the state of the loop")]
    async fn round(
        &self,
        step: &Step,
        round: Round,
        turn: String,
        mut context: Context,
        slot: Option<Instant>,
        stopping: &AtomicBool,
        journal: Option<&(Arc<Journal>, String)>,
        phase: Phase,
    ) -> Finished {
        let mut report = ScenarioReport::new(self.instance);
        let mut idle = None;
        let mut broken = None;
        if let Some(slot) = slot
            && self.stop.guard(tokio::time::sleep_until(slot.into())).await.is_err()
        {
            idle = Some(Flow::Stopped);
        } else if stopping.load(Ordering::Relaxed) {
            idle = Some(Flow::Go);
        } else if self.stop.now().is_some() {
            idle = Some(Flow::Stopped);
        } else if let Some((journal, place)) = journal
            && let Err(error) = journal.begin(place, &round.keys)
        {
            broken = Some(journal.problem(&error));
            idle = Some(Flow::Failed);
        }
        if let Some(flow) = idle {
            return Finished { round, context, report, flow, idle: true, broken };
        }
        let mut run = self.beside(&mut context, &mut report);
        run.bulk = true;
        run.looping = true;
        if let (Some((_, place)), Some(key)) = (journal, round.keys.first()) {
            run.round = Some(Arc::new(journal::Round { place: place.clone(), key: key.clone() }));
        }
        run.turns.push(turn);
        let flow = run.once(step, phase).await;
        Finished { round, context, report, flow, idle: false, broken }
    }
}

/// The next items.
pub(super) fn round_of(over: &Loop, source: &mut Source, index: usize) -> std::io::Result<Option<Round>> {
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
