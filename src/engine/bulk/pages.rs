//! Reading what an operation lists to its end, also while the list changes: before anything is done with it.
//!
//! Pages are counted from the front, so what disappears in front of a page moves the next one forward, and an item is
//! skipped; what appears in front moves it back, and an item comes twice. Items of equal times come in any order. So
//! items are told apart by their ids, and a list that grew smaller meanwhile, or that had more than came, is read again.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::LazyLock;
use std::time::Duration;

use super::print_of;
use super::rehearse::{SAMPLE, in_short};
use super::spill::Spill;
use crate::agentos::pages::{Page, Pager, Turn};
use crate::agentos::{Effect, Exchange, refusal_message};
use crate::diagnostic::Problem;
use crate::engine::answer::Done;
use crate::engine::context::Context;
use crate::engine::request::Request;
use crate::engine::steps::Run;
use crate::expr::Expression;
use crate::scenario::flow::ITEM;
use crate::scenario::{Listing, Loop, OperationAction, Retry, RetryOn, Step};
use crate::template::Template;
use crate::yaml::Key;
use serde_json::Value;
use serde_json::value::RawValue;

/// How many items a request asks for where the file does not say.
const LIMIT: u64 = 100;
/// How often a list is read at most.
const MOST_WALKS: usize = 4;
/// So many pages in a row without anything new, and the server repeats itself.
const STALE: u64 = 3;

/// Reading may be repeated: a list of many pages does not fail for one of them.
static PATIENT: LazyLock<Retry> = LazyLock::new(|| Retry {
    attempts: 4,
    delay: Duration::from_millis(500),
    backoff: 2.0,
    on: vec![RetryOn::Class(5), RetryOn::Status(429), RetryOn::Timeout, RetryOn::Connect],
});

/// What was found.
pub(super) struct Found {
    /// The items that are meant.
    pub(super) items: Spill,
    /// The first of them in short.
    pub(super) sample: Vec<String>,
    /// How many the list had, those that are not meant included.
    pub(super) listed: u64,
    /// How many requests it took.
    pub(super) requests: u64,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
}

/// What a walk from the first page to the last saw.
struct Walk {
    /// Whether the list grew smaller meanwhile.
    shrank: bool,
    /// How many items the server counted when it began.
    total: Option<u64>,
    /// How many items came that no walk had seen.
    new: u64,
}

/// The ids that were seen, as fingerprints.
#[derive(Default)]
struct Seen(HashSet<u128>);

impl Seen {
    fn insert(&mut self, key: &str) -> bool {
        self.0.insert(print_of(key))
    }

    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl Run<'_> {
    /// Reads the list of a loop to its end and keeps what is meant. `keep` says whether an item is still to be done.
    pub(super) async fn find(
        &mut self,
        step: &Step,
        over: &Loop,
        listing: &Listing,
        keep: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Found, Box<Done>> {
        let spec = listing.action.operation.spec;
        debug_assert_eq!(spec.effect, Effect::Read);
        if let Some(lack) = self.target.lacks_operation(spec).await {
            return Err(failed(
                Problem::error("operation::missing", lack).label(&listing.key.span, "nothing was sent"),
            ));
        }
        let mut found =
            Found { items: Spill::new(), sample: Vec::new(), listed: 0, requests: 0, notes: Vec::new() };
        let mut seen = Seen::default();
        let mut walks = 0;
        loop {
            let walk = self.walk(step, over, listing, walks, &mut seen, &mut found, keep).await?;
            walks += 1;
            let missing = walk.total.is_some_and(|total| seen.len() < total);
            if !walk.shrank && !missing {
                break;
            }
            if walks > 1 && walk.new == 0 && !walk.shrank {
                found.notes.push(format!(
                    "{} counts {} entries and lists {}",
                    spec.name,
                    walk.total.unwrap_or_default(),
                    seen.len()
                ));
                break;
            }
            if walks == MOST_WALKS {
                found.notes.push(format!(
                    "the list changed while it was read, {walks} times: an entry may have been passed over"
                ));
                break;
            }
        }
        found.listed = seen.len();
        Ok(found)
    }

    /// From the first page to the last.
    #[expect(clippy::too_many_arguments, reason = "the state of the search")]
    async fn walk(
        &mut self,
        step: &Step,
        over: &Loop,
        listing: &Listing,
        earlier: usize,
        seen: &mut Seen,
        found: &mut Found,
        keep: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Walk, Box<Done>> {
        let paged = listing.action.operation.spec.paged;
        let mut walk = Walk { shrank: false, total: None, new: 0 };
        let mut most: Option<u64> = None;
        let mut before = 0;
        let mut pager = Pager::new(1, self.limit_of(listing), STALE);
        let mut context = self.context.branch();
        let mut ahead = None;
        loop {
            let exchange = match ahead.take() {
                Some(answered) => answered,
                None => self.page(step, listing, pager.number(), earlier > 0).await,
            }?;
            let Some(page) = Page::of(&exchange.body) else {
                return Err(no_list(listing, pager.number(), exchange));
            };
            found.requests += 1;
            if pager.number() == 1 {
                walk.total = page.total;
            }
            walk.shrank |= page.total < most && page.total.is_some() && !page.items.is_empty();
            most = most.max(page.total);
            let mut new = 0_u64;
            let mut print = DefaultHasher::new();
            let length = page.items.len();
            // The server looks for the next page while this one is read.
            let is_not_last = length > 0 && page.pages.is_some_and(|pages| pager.number() < pages);
            let next = async {
                if !paged || !is_not_last {
                    return None;
                }
                Some(self.page(step, listing, pager.number() + 1, earlier > 0).await)
            };
            let reading = async {
                tokio::task::yield_now().await;
                let unread = |item: &RawValue, error: serde_json::Error| {
                    let name = listing.action.operation.spec.name;
                    let message = format!("an entry that {name} answered cannot be read: {error}");
                    let label = format!("page {}: nothing was done", pager.number());
                    let start: String = item.get().chars().take(60).collect();
                    let problem = Problem::error("bulk::unreadable", message).label(&listing.key.span, label);
                    failed(problem.help(format!("it begins with {start}")))
                };
                for item in page.items {
                    let key = listing.items.key_of_sent(item).map_err(|error| unread(item, error))?;
                    key.hash(&mut print);
                    if !seen.insert(&key) {
                        continue;
                    }
                    new += 1;
                    let read = || listing.items.read(item.get()).map_err(|error| unread(item, error));
                    let is_meant = match &listing.filter {
                        Some(filter) => is_meant(&mut context, over, filter, &read()?, &key)?,
                        None => true,
                    };
                    if !is_meant || !keep(&key) {
                        continue;
                    }
                    if found.sample.len() < SAMPLE {
                        found.sample.push(in_short(&listing.items, &read()?));
                    }
                    found.items.push(item).map_err(|error| failed(spill_problem(&error, step)))?;
                }
                Ok::<(), Box<Done>>(())
            };
            let (next, read) = tokio::join!(next, reading);
            read?;
            ahead = next;
            walk.new += new;
            self.at((seen.len(), 0), walk.total);
            if !paged {
                return Ok(walk);
            }
            // A later walk sees much again; it repeats itself where a page is the page before it.
            let print = print.finish();
            let stale = new == 0 && (earlier == 0 || print == before);
            before = print;
            match pager.turn(length, page.pages, stale) {
                Turn::Next => {}
                Turn::End => return Ok(walk),
                Turn::Repeats(since) => {
                    let name = listing.action.operation.spec.name;
                    return Err(failed(
                        Problem::error(
                            "bulk::repeats",
                            format!("{name} brings nothing new since page {since}: the server repeats itself"),
                        )
                        .label(&listing.key.span, format!("stopped at page {}, before anything was done", pager.number()))
                        .help("a proxy that leaves out the query, or a server that does not know `page`, answers the first page to every request"),
                    ));
                }
            }
        }
    }

    fn limit_of(&self, listing: &Listing) -> u64 {
        let given = listing.action.fields.iter().find(|(key, _)| key.name == "limit");
        let given = given.and_then(|(_, limit)| limit.resolve(&self.context.scope).ok());
        given.and_then(|limit| limit.as_u64()).unwrap_or(LIMIT)
    }

    /// Asks for a page.
    async fn page(
        &self,
        step: &Step,
        listing: &Listing,
        number: u64,
        by_key: bool,
    ) -> Result<Exchange, Box<Done>> {
        let operation = listing.action.operation;
        let mut fields = listing.action.fields.clone();
        let mut add = |name: &str, value: Value| {
            if operation.field(name).is_some() && !fields.iter().any(|(key, _)| key.name == name) {
                let span = &listing.key.span;
                let key = Key { span: span.clone(), name: name.to_owned() };
                fields.push((key, Template::literal(value, span)));
            }
        };
        if operation.spec.paged {
            add("page", number.into());
            add("limit", LIMIT.into());
        }
        // In the order of their ids no two items change places.
        if by_key && !listing.action.fields.iter().any(|(key, _)| key.name == "sort_by") {
            add("sort_by", listing.items.key.into());
            add("sort_order", "asc".into());
        }
        let action = OperationAction { operation, fields };
        let identity = step.identity.as_ref().or(self.identity.as_ref());
        let request = Request::of_operation(step, &action, identity, &self.context.scope, self.settings)
            .map_err(|problems| {
                Box::new(Done { failures: problems.into_iter().map(Into::into).collect(), ..Done::default() })
            })?;
        let request = request.tapped(self.tap());
        let retry = step.retry.as_ref().unwrap_or(&PATIENT);
        let mut told = |_: &str| {};
        let mut heard = None;
        let sent = request.send(self.target, Some(retry), &mut heard, &mut told);
        let (result, notes) = match self.stop.guard(sent).await {
            Ok(sent) => sent,
            Err(stopped) => {
                let problem = self.stop.problem(&stopped, step);
                return Err(Box::new(Done { stopped: true, ..Done::failed(problem) }));
            }
        };
        let name = operation.spec.name;
        let mut exchange = match result {
            Ok(received) => received.exchange,
            Err(error) => {
                let problem = Problem::error("request::failed", format!("{name}: {}", error.kind))
                    .label(&listing.key.span, "while listing: nothing was done");
                let request = error.request.map(|request| *request);
                return Err(Box::new(Done { request, notes, ..Done::failed(problem) }));
            }
        };
        exchange.notes.extend(notes);
        if exchange.status < 300 {
            return Ok(exchange);
        }
        let message = refusal_message(exchange.status, &exchange.headers, &exchange.body);
        let message = format!("{name} was refused with {}: {message}", exchange.status);
        Err(wrong_page(listing, number, exchange, Problem::error("request::refused", message)))
    }
}

fn no_list(listing: &Listing, number: u64, exchange: Exchange) -> Box<Done> {
    let name = listing.action.operation.spec.name;
    let problem = Problem::error("bulk::no-list", format!("what {name} answered is no list"));
    wrong_page(listing, number, exchange, problem)
}

/// What ends a search at an answer.
fn wrong_page(listing: &Listing, number: u64, exchange: Exchange, problem: Problem) -> Box<Done> {
    let problem = problem.label(
        &listing.key.span,
        if number > 1 { format!("page {number}: nothing was done") } else { "while listing".to_owned() },
    );
    Box::new(Done {
        request: Some(exchange.request.clone()),
        notes: exchange.notes.clone(),
        exchange: Some(exchange.into()),
        ..Done::failed(problem)
    })
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

fn failed(problem: Problem) -> Box<Done> {
    Box::new(Done::failed(problem))
}

/// The problem that items cannot be kept on the disk.
pub(super) fn spill_problem(error: &std::io::Error, step: &Step) -> Problem {
    Problem::error("bulk::spill", format!("the items cannot be kept in a temporary file: {error}"))
        .label(&step.action_key.span, "in this loop")
        .help("TMPDIR names another folder for temporary files")
}
