//! Lists that come in pages: what a page is, which one is next, and how one sees that a server repeats itself.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{CallOptions, Client, Error, find};

/// One page of a list.
#[derive(Debug)]
pub struct Page<'a> {
    /// Its entries, as they were sent: of a long list, few are read whole.
    pub items: Vec<&'a RawValue>,
    /// How many pages the server says there are.
    pub pages: Option<u64>,
    /// How many entries the server says there are.
    pub total: Option<u64>,
}

/// A page as it is sent.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    #[serde(default)]
    meta: Value,
}

impl<'a> Page<'a> {
    /// Reads an answer: a list, or a page with `data` and `meta`. None where it is neither.
    pub fn of(body: &'a [u8]) -> Option<Self> {
        if body.trim_ascii_start().starts_with(b"[") {
            let items = serde_json::from_slice(body).ok()?;
            return Some(Self { items, pages: None, total: None });
        }
        let Sent { data, meta } = serde_json::from_slice(body).ok()?;
        let count = |name: &str| meta.get(name)?.as_u64();
        Some(Self { items: data, pages: count("total_pages"), total: count("total_count") })
    }
}

/// Goes from page to page.
#[derive(Debug)]
pub struct Pager {
    number: u64,
    limit: u64,
    patience: u64,
    stale: u64,
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// Another page.
    Next,
    /// Nothing: it was the last.
    End,
    /// More of the same: the server has brought nothing new since this page.
    Repeats(u64),
}

impl Pager {
    /// Begins with the page `first`; each holds up to `limit` entries. With so many pages in a row as `patience` says that
    /// bring nothing new, the server repeats itself.
    pub fn new(first: u64, limit: u64, patience: u64) -> Self {
        Self { number: first, limit, patience, stale: 0 }
    }

    /// The number of the page to ask for.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Turns the page. `length` is how many entries it had, `pages` how many pages there are in all, where the server says
    /// so; `stale` that it brought nothing new.
    pub fn turn(&mut self, length: usize, pages: Option<u64>, stale: bool) -> Turn {
        let last = match pages.filter(|pages| *pages > 0) {
            Some(pages) => self.number >= pages,
            None => (length as u64) < self.limit,
        };
        if length == 0 || last {
            return Turn::End;
        }
        self.stale = if stale { self.stale + 1 } else { 0 };
        if self.stale >= self.patience {
            return Turn::Repeats(self.number - self.patience);
        }
        self.number += 1;
        Turn::Next
    }
}

/// Why a list could not be read to its end.
#[derive(Debug)]
pub enum Unread {
    /// It was refused with this status, for this reason.
    Refused(u16, String),
    /// Something else.
    Failed(String),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(status, cause) => write!(f, "refused with {status}: {cause}"),
            Self::Failed(cause) => write!(f, "{cause}"),
        }
    }
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Failed(error.kind.to_string())
    }
}

/// So many entries a page has where nobody watches.
const LIMIT: u64 = 100;

/// All entries of a short list: not more than `most` pages of it, each of a hundred.
pub async fn all(
    client: &Client,
    name: &str,
    fields: &Map<String, Value>,
    options: &CallOptions,
    most: u64,
) -> Result<Vec<Value>, Unread> {
    let operation = find(name).ok_or_else(|| Error::invalid(format!("there is no operation {name}")))?;
    let mut pager = Pager::new(1, LIMIT, 1);
    let mut all: Vec<Value> = Vec::new();
    loop {
        let mut fields = fields.clone();
        if operation.spec.paged {
            fields.insert("page".to_owned(), pager.number().into());
            fields.insert("limit".to_owned(), LIMIT.into());
        }
        let exchange = operation.parse(fields)?.execute(client, options).await?;
        if exchange.status >= 300 {
            return Err(Unread::Refused(exchange.status, exchange.refusal()));
        }
        let no_list = || Unread::Failed(format!("what {name} answered is no list"));
        let Page { items, pages, .. } = Page::of(&exchange.body).ok_or_else(no_list)?;
        let items = items.into_iter().map(|item| serde_json::from_str(item.get()));
        let items: Vec<Value> = items.collect::<Result<_, _>>().map_err(|_| no_list())?;
        let (length, same) = (items.len(), !items.is_empty() && all.ends_with(&items));
        all.extend(items);
        if !operation.spec.paged {
            return Ok(all);
        }
        match pager.turn(length, pages, same) {
            Turn::Next if pager.number() <= most => {}
            Turn::End => return Ok(all),
            Turn::Next => return Err(Unread::Failed(format!("{name} lists more than {}", most * LIMIT))),
            Turn::Repeats(_) => {
                return Err(Unread::Failed(format!("{name} answers the same page again and again")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_is_known_by_its_number_or_by_what_it_lacks() {
        let mut pager = Pager::new(1, 100, 3);
        assert_eq!(pager.turn(100, Some(2), false), Turn::Next);
        assert_eq!(pager.turn(3, Some(2), false), Turn::End);
        let mut pager = Pager::new(1, 100, 3);
        assert_eq!(pager.turn(100, None, false), Turn::Next);
        assert_eq!(pager.turn(99, None, false), Turn::End);
        assert_eq!(Pager::new(1, 100, 3).turn(0, Some(7), false), Turn::End);
    }

    #[test]
    fn a_page_that_comes_again_and_again_is_noticed() {
        let mut pager = Pager::new(1, 2, 3);
        let turns: Vec<Turn> = [false, true, true, false, true, true, true]
            .into_iter()
            .map(|stale| pager.turn(2, Some(100), stale))
            .collect();
        assert!(turns[..6].iter().all(|turn| *turn == Turn::Next), "{turns:?}");
        assert_eq!(turns[6], Turn::Repeats(4));
    }
}
