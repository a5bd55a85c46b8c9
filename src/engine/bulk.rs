//! Bulk work: a step for each of many items, several at a time, in batches, at a rate; and for each of all that an
//! operation lists, however long that is and whatever changes meanwhile.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use sha2::Digest as _;

use self::journal::{Journal, Known};
use self::meter::Meter;
use self::rounds::{Finished, Source};
use self::tally::BulkReport;
use super::answer::Done;
use super::event::{Event, Phase, Stage, StepReport, Unanswered};
use super::steps::{Flow, Run};
use crate::agentos::Effect;
use crate::agentos::operation::Method;
use crate::diagnostic::Problem;
use crate::scenario::{Action, Listing, Loop, Step};

pub mod consent;
pub mod journal;
pub(super) mod meter;
mod pages;
mod rehearse;
pub(super) mod rounds;
mod search;
mod spill;
pub(super) mod tally;
mod verify;

/// So many items in a row that fail for what has nothing to do with them, and the server is not asked any more.
const HOPELESS: usize = 10;

/// Why the next item will fail as this one did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hopeless {
    /// Nobody answered.
    Unreached,
    /// A gateway answered, and nobody behind it.
    Gateway,
    /// The credentials are not good any more: a token has expired.
    Credentials,
}

impl Hopeless {
    fn of(step: &StepReport) -> Option<Self> {
        if step.unanswered == Some(Unanswered::Unreached) {
            return Some(Self::Unreached);
        }
        match step.exchange.as_ref()?.status {
            401 => Some(Self::Credentials),
            502..=504 => Some(Self::Gateway),
            _ => None,
        }
    }

    /// What a reader should know.
    fn note(self) -> String {
        let why = match self {
            Self::Unreached => "the server could not be reached",
            Self::Gateway => "the server was not there behind its gateway",
            Self::Credentials => "the server refused the credentials",
        };
        format!("{why} {HOPELESS} times in a row: nothing more was begun")
    }
}

/// What becomes of the items of a loop, and where it is written.
pub(super) struct Progress {
    pub(super) tally: BulkReport,
    journal: Option<(Arc<Journal>, String)>,
    /// What is looked for afterwards.
    watched: Option<Watched>,
    /// Whether the step may be done again where nobody knows whether it was done.
    repeatable: bool,
    /// How many items in a row failed for what has nothing to do with them, and for what the last one did.
    hopeless: Option<(Hopeless, usize)>,
}

/// The items that were begun, as fingerprints.
#[derive(Default)]
struct Watched {
    done: HashSet<u128>,
    failed: HashSet<u128>,
}

impl Progress {
    pub(super) fn new(step: &Step) -> Self {
        let tally = BulkReport::new(step.title(), step.span.clone());
        Self { tally, journal: None, watched: None, repeatable: is_repeatable(step), hopeless: None }
    }

    /// Why nothing more is begun, where so many failed that all will.
    fn gives_up(&self) -> Option<Hopeless> {
        self.hopeless.filter(|(_, times)| *times >= HOPELESS).map(|(why, _)| why)
    }

    /// Counts a round that is over, and writes it down.
    fn count(&mut self, over: &Finished) -> std::io::Result<()> {
        let (keys, report) = (&over.round.keys, &over.report);
        let failure = report.failed.iter().find_map(|step| step.failures.first());
        // What was in flight when it gave up may still be answered.
        if self.gives_up().is_none() {
            let times = self.hopeless.map_or(0, |(_, times)| times);
            let hopeless = report.failed.iter().find_map(|step| Hopeless::of(step));
            self.hopeless = hopeless.map(|why| (why, times + 1));
        }
        if over.flow == Flow::Stopped {
            // What became of it nobody knows: it stays in doubt.
            self.tally.in_doubt += keys.len() as u64;
            return Ok(());
        }
        let prints = keys.iter().map(|key| print_of(key));
        if let Some(failure) = failure {
            let why = &failure.problem.message;
            self.tally.fail(keys, why);
            if let Some(watched) = &mut self.watched {
                watched.failed.extend(prints);
            }
            let lost = report.failed.iter().any(|step| step.unanswered == Some(Unanswered::Lost));
            if lost && !self.repeatable {
                // It may have been done: it stays in doubt, so that a job that goes on does not do it twice.
                return Ok(());
            }
            return self.journal.as_ref().map_or(Ok(()), |(journal, place)| journal.failed(place, keys, why));
        }
        if report.steps == 0 {
            self.tally.skipped += keys.len() as u64;
        } else {
            self.tally.done += keys.len() as u64;
            if let Some(watched) = &mut self.watched {
                watched.done.extend(prints);
            }
        }
        self.journal.as_ref().map_or(Ok(()), |(journal, place)| journal.done(place, keys))
    }
}

/// The fingerprint of an item's key: two of a million million are equal by chance once in 10^14.
fn print_of(key: &str) -> u128 {
    let digest = sha2::Sha256::digest(key.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    u128::from_le_bytes(bytes)
}

impl Run<'_> {
    /// A step for each of what an operation lists.
    pub(super) async fn bulk(&mut self, step: &Step, over: &Loop, listing: &Listing, phase: Phase) -> Flow {
        let began = Instant::now();
        let mut progress = Progress::new(step);
        progress.tally.title = self.title(step);
        self.meter = self.meter(step, Stage::Listing, None);
        let flow = self.over_list(step, over, listing, phase, began, progress).await;
        if let Some(meter) = self.meter.take() {
            meter.end(self.observer, self.instance);
        }
        flow
    }

    /// What tells how far a loop is; none within another loop, which tells it.
    pub(super) fn meter(&self, step: &Step, stage: Stage, of: Option<u64>) -> Option<Meter> {
        (!self.looping && !self.settings.bulk.dry_run).then(|| Meter::new(step, self.title(step), stage, of))
    }

    /// Tells how far the loop is.
    pub(super) fn at(&mut self, counts: (u64, u64), of: Option<u64>) {
        if let Some(meter) = &mut self.meter {
            meter.at(self.observer, self.instance, counts, of);
        }
    }

    async fn over_list(
        &mut self,
        step: &Step,
        over: &Loop,
        listing: &Listing,
        phase: Phase,
        began: Instant,
        mut progress: Progress,
    ) -> Flow {
        let deletes = verify::deletes_items(step, listing.action.operation.spec.resource);
        let known = self.enter_journal(step, listing, &mut progress);
        let repeatable = progress.repeatable;
        let mut before = 0;
        let mut doubtful: Vec<String> = Vec::new();
        let found = self
            .find(step, over, listing, &mut |key| {
                let print = print_of(key);
                if known.done.contains(&print) {
                    before += 1;
                    return false;
                }
                if known.doubtful.contains(&print) {
                    doubtful.push(key.to_owned());
                    return repeatable;
                }
                true
            })
            .await;
        let found = match found {
            Ok(found) => found,
            Err(done) => return self.finish(step, phase, began.elapsed(), *done),
        };
        let mut notes = found.notes;
        let sample = found.sample;
        if deletes {
            // What was deleted is not listed any more. That is also what became of those in doubt.
            before = (known.done.len() + known.doubtful.len() - doubtful.len()) as u64;
        }
        let count = found.items.count();
        let tally = &mut progress.tally;
        tally.before = before;
        tally.found = count + before;
        tally.listed = found.listed.max(tally.found);
        if !repeatable && !doubtful.is_empty() {
            tally.found += doubtful.len() as u64;
            tally.fail(
                &doubtful,
                "it was begun before and its end was never recorded: look what became of it",
            );
            notes.push(
                "what is in doubt is not done a second time; without its line `begun` in the journal it would be"
                    .to_owned(),
            );
        }
        let reader = match found.items.read(listing.items) {
            Ok(reader) => reader,
            Err(error) => {
                let done = Done::failed(search::spill_problem(&error, step));
                return self.finish(step, phase, began.elapsed(), done);
            }
        };
        let source = Source::Found(Box::new(reader));
        if self.settings.bulk.dry_run {
            return self.rehearse_rounds(step, over, source, (count, Some(found.listed)), phase).await;
        }
        if let Err(done) = self.consent(step, over, (count, found.listed), &sample).await {
            return self.finish(step, phase, began.elapsed(), *done);
        }
        if deletes {
            progress.watched = Some(Watched::default());
        }
        let length = usize::try_from(count).unwrap_or(usize::MAX);
        let flow = self.many(step, over, source, length, phase, &mut progress).await;
        let mut unverified = None;
        if let Some(watched) = progress.watched.take()
            && flow != Flow::Stopped
            && count > 0
        {
            if let Some(meter) = &mut self.meter {
                meter.enter(Stage::Verifying, None);
            }
            unverified =
                self.verify(step, over, listing, &watched.done, &watched.failed, &mut progress.tally).await;
        }
        notes.extend(progress.gives_up().map(Hopeless::note));
        if let Some((journal, _)) = &progress.journal
            && (flow == Flow::Stopped || progress.tally.failed > 0)
        {
            notes.push(format!("the same command goes on from here: {} knows what is done", journal.name()));
        }
        progress.tally.duration = began.elapsed();
        self.conclude(step, phase, progress.tally, flow, notes, unverified)
    }

    /// What the journal knows of a loop. Loops within a round of another are a part of that round.
    fn enter_journal(&self, step: &Step, listing: &Listing, progress: &mut Progress) -> Known {
        let Some(journal) =
            self.settings.bulk.journal.as_ref().filter(|_| !self.bulk && !self.settings.bulk.dry_run)
        else {
            return Known::default();
        };
        // The same loop may run several times with other fields: within another loop, for each case.
        let fields = listing.action.fields.iter();
        let fields: serde_json::Map<String, Value> = fields
            .filter_map(|(key, template)| {
                Some((key.name.clone(), template.resolve(&self.context.scope).ok()?))
            })
            .collect();
        // Scenarios of several files may be called the same; and the same file has several paths.
        let print = journal::fingerprint(&format!("{}{}", Value::Object(fields), step.span.source().text()));
        let place = step.span.position();
        let place = format!("{} {}:{} {print}", self.instance.title(), place.line, place.column);
        let (name, known) = journal.enter(&place);
        progress.journal = Some((Arc::clone(journal), name));
        known
    }

    /// Says what became of the items; failed ones fail the step.
    fn conclude(
        &mut self,
        step: &Step,
        phase: Phase,
        tally: BulkReport,
        flow: Flow,
        mut notes: Vec<String>,
        unverified: Option<Problem>,
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
        done.failures.extend(unverified.map(Into::into));
        notes.extend(tally.lines());
        done.notes = notes;
        let duration = tally.duration;
        self.observer.on(&Event::Bulk { instance: self.instance.clone(), report: tally });
        self.finish(step, phase, duration, done)
    }
}

/// Whether a step may be done a second time where nobody knows whether it was done a first time.
fn is_repeatable(step: &Step) -> bool {
    match &step.action {
        Action::Operation(action) => {
            let spec = action.operation.spec;
            spec.effect != Effect::Write
                || matches!(spec.method, Method::Patch | Method::Put)
                || spec.name == "rename_session"
        }
        Action::Http(http) => !matches!(http.method, Method::Post | Method::Patch),
        _ => step.action.steps().iter().all(is_repeatable),
    }
}
