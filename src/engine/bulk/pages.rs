//! Reading what an operation lists to its end, also while the list changes: before anything is done with it.
//!
//! Pages are counted from the front, so what disappears in front of a page moves the next one forward, and an item is
//! skipped; what appears in front moves it back, and an item comes twice. Items of equal times come in any order. So
//! items are told apart by their ids, and a list that grew smaller meanwhile, or that had more than came, is read again.

use std::sync::LazyLock;
use std::time::Duration;

use super::search::{Found, Search, Taken, failed};
use crate::agentos::pages::{Page, Pager, Turn};
use crate::agentos::{Effect, Exchange, refusal_message};
use crate::diagnostic::Problem;
use crate::engine::answer::Done;
use crate::engine::request::Request;
use crate::engine::steps::Run;
use crate::scenario::{Listing, Loop, OperationAction, Retry, RetryOn, Step};
use crate::template::Template;
use crate::yaml::Key;
use serde_json::Value;

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

/// What a walk from the first page to the last saw.
struct Walk {
    /// Whether the list grew smaller meanwhile.
    shrank: bool,
    /// How many items the server counted when it began.
    total: Option<u64>,
    /// How many items came that no walk had seen.
    new: u64,
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
        let mut search = Search::new(step, over, listing, self.context.branch(), keep);
        let mut walks = 0;
        loop {
            let walk = self.walk(&mut search, walks).await?;
            walks += 1;
            let listed = search.listed();
            let missing = walk.total.is_some_and(|total| listed < total);
            if !walk.shrank && !missing {
                break;
            }
            let notes = &mut search.found.notes;
            if walks > 1 && walk.new == 0 && !walk.shrank {
                notes.push(format!(
                    "{} counts {} entries and lists {listed}",
                    spec.name,
                    walk.total.unwrap_or_default(),
                ));
                break;
            }
            if walks == MOST_WALKS {
                notes.push(format!(
                    "the list changed while it was read, {walks} times: an entry may have been passed over"
                ));
                break;
            }
        }
        Ok(search.end())
    }

    /// From the first page to the last.
    async fn walk(&mut self, search: &mut Search<'_>, earlier: usize) -> Result<Walk, Box<Done>> {
        let (step, listing) = (search.step, search.listing);
        let spec = listing.action.operation.spec;
        let mut walk = Walk { shrank: false, total: None, new: 0 };
        let mut most: Option<u64> = None;
        let mut before = 0;
        let mut pager = Pager::new(1, self.limit_of(listing), STALE);
        let mut ahead = None;
        loop {
            let number = pager.number();
            let exchange = match ahead.take() {
                Some(answered) => answered,
                None => self.page(step, listing, number, earlier > 0).await,
            }?;
            let Some(page) = Page::of(&exchange.body) else {
                let message = format!("what {} answered is no list", spec.name);
                return Err(wrong_page(listing, number, exchange, Problem::error("bulk::no-list", message)));
            };
            if number == 1 {
                walk.total = page.total;
            }
            walk.shrank |= page.total < most && page.total.is_some() && !page.items.is_empty();
            most = most.max(page.total);
            let length = page.items.len();
            let has_next = spec.paged && length > 0 && page.pages.is_some_and(|pages| number < pages);
            // The server looks for the next page while this one is read.
            let next = async {
                if !has_next {
                    return None;
                }
                Some(self.page(step, listing, number + 1, earlier > 0).await)
            };
            let taking = async {
                tokio::task::yield_now().await;
                search.take(&page.items, number)
            };
            let (next, taken) = tokio::join!(next, taking);
            ahead = next;
            let Taken { new, print } = taken?;
            walk.new += new;
            self.at((search.listed(), 0), walk.total);
            if !spec.paged {
                return Ok(walk);
            }
            // A later walk sees much again; it repeats itself where a page is the page before it.
            let stale = new == 0 && (earlier == 0 || print == before);
            before = print;
            match pager.turn(length, page.pages, stale) {
                Turn::Next => {}
                Turn::End => return Ok(walk),
                Turn::Repeats(since) => {
                    let name = spec.name;
                    return Err(failed(
                        Problem::error(
                            "bulk::repeats",
                            format!("{name} brings nothing new since page {since}: the server repeats itself"),
                        )
                        .label(&listing.key.span, format!("stopped at page {number}, before anything was done"))
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
