//! What sessions say of themselves, in memory, for searches by a part of it: SQLite would read all of them from the
//! file, twice for each page.

use std::collections::HashMap;

use memchr::memmem::Finder;
use rusqlite::Connection;

use super::sessions::{Filter, Kept, Session};
use crate::emulator::kind::Kind;

/// More text than this is left to SQLite.
const MOST: usize = 40 * 1024 * 1024;
/// A longer page is read by SQLite at once.
const LONGEST_PAGE: i64 = 1000;
/// The text of a block, about: what is found is counted within one.
const BLOCK: usize = 64 * 1024;
/// Stands after the text of each session, and in none of them: it is no UTF-8.
const END: u8 = 0xff;

/// What was made ready for searches.
#[derive(Debug, Default)]
pub(super) enum Searched {
    /// Nobody has searched so far.
    #[default]
    Nothing,
    Ready(Haystack),
    /// SQLite searches.
    TooMuch,
}

impl Searched {
    /// The rows of a page of a search, and how many are found in all; nothing where SQLite has to tell.
    pub(super) fn find(
        &mut self,
        connection: &Connection,
        filter: &Filter<'_>,
    ) -> rusqlite::Result<Option<(Vec<i64>, i64)>> {
        if filter.name.is_none() || filter.limit > LONGEST_PAGE {
            return Ok(None);
        }
        let current = match self {
            Self::Nothing => false,
            Self::Ready(haystack) => haystack.holds(connection)?,
            Self::TooMuch => true,
        };
        if !current {
            // What is old is let go before it is read again.
            *self = Self::Nothing;
            *self = Haystack::read(connection)?.map_or(Self::TooMuch, Self::Ready);
        }
        Ok(match self {
            Self::Ready(haystack) => haystack.find(filter),
            _ => None,
        })
    }

    /// Takes in a session that was stored in a row.
    pub(super) fn put(&mut self, session: &Session, kept: &Kept) {
        if let Self::Ready(haystack) = self {
            haystack.put(&Straw {
                row: kept.row,
                text: session.text().as_deref(),
                created_at: kept.created_at,
                updated_at: session.updated_at,
                kind: kept.kind,
                user_id: session.user_id.as_deref(),
                component_id: session
                    .agent_id
                    .as_ref()
                    .or(session.team_id.as_ref())
                    .or(session.workflow_id.as_ref())
                    .map(String::as_str),
            });
        }
    }

    /// Forgets the sessions of rows.
    pub(super) fn remove(&mut self, rows: &[i64]) {
        if let Self::Ready(haystack) = self {
            rows.iter().for_each(|row| haystack.remove(*row));
        }
    }
}

/// The text of all sessions that have any.
#[derive(Debug, Default)]
pub(super) struct Haystack {
    /// What SQLite said of changes by others when this was read.
    version: i64,
    blocks: Vec<Block>,
    /// Where a row is: its block, and its place there.
    places: HashMap<i64, (usize, usize)>,
    /// Users and components by number.
    names: HashMap<String, u32>,
    bytes: usize,
    /// How many of them belong to rows that have changed or gone.
    stale: usize,
}

#[derive(Debug, Default)]
struct Block {
    /// In lower case, as far as SQLite knows it.
    text: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// None once it is stale.
    row: Option<i64>,
    end: usize,
    created_at: i64,
    updated_at: i64,
    kind: Kind,
    user: Option<u32>,
    component: Option<u32>,
}

/// A row of the table of sessions, as far as it matters here.
#[derive(Debug)]
struct Straw<'a> {
    row: i64,
    text: Option<&'a str>,
    created_at: i64,
    updated_at: i64,
    kind: Kind,
    user_id: Option<&'a str>,
    component_id: Option<&'a str>,
}

impl Haystack {
    /// Reads all sessions; nothing where they are too many.
    fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let mut all = Self { version: version(connection)?, ..Self::default() };
        let mut statement = connection.prepare(
            "SELECT rowid, session_data, created_at, updated_at, session_type, user_id, component_id \
             FROM sessions ORDER BY rowid",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            all.put(&Straw {
                row: row.get(0)?,
                text: row.get_ref(1)?.as_str_or_null()?,
                created_at: row.get(2)?,
                updated_at: row.get(3)?,
                kind: Kind::parse(row.get_ref(4)?.as_str()?).unwrap_or(Kind::Agent),
                user_id: row.get_ref(5)?.as_str_or_null()?,
                component_id: row.get_ref(6)?.as_str_or_null()?,
            });
            if all.bytes > MOST {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    /// Whether it still says what the database says, and is worth its memory.
    fn holds(&self, connection: &Connection) -> rusqlite::Result<bool> {
        Ok(self.bytes <= MOST
            && self.stale <= BLOCK.max(self.bytes / 2)
            && version(connection)? == self.version)
    }

    /// Takes in a row that is new or has changed.
    fn put(&mut self, straw: &Straw<'_>) {
        self.remove(straw.row);
        let Some(text) = straw.text else { return };
        let (user, component) = (self.number(straw.user_id), self.number(straw.component_id));
        if self.blocks.last().is_none_or(|block| block.text.len() >= BLOCK) {
            self.blocks.push(Block { text: Vec::with_capacity(BLOCK), entries: Vec::new() });
        }
        let place = self.blocks.len() - 1;
        let block = &mut self.blocks[place];
        block.text.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
        block.text.push(END);
        self.bytes += text.len() + 1;
        self.places.insert(straw.row, (place, block.entries.len()));
        block.entries.push(Entry {
            row: Some(straw.row),
            end: block.text.len(),
            created_at: straw.created_at,
            updated_at: straw.updated_at,
            kind: straw.kind,
            user,
            component,
        });
    }

    /// Forgets a row.
    fn remove(&mut self, row: i64) {
        let Some((block, place)) = self.places.remove(&row) else { return };
        let entries = &mut self.blocks[block].entries;
        let begin = place.checked_sub(1).map_or(0, |before| entries[before].end);
        entries[place].row = None;
        self.stale += entries[place].end - begin;
    }

    fn number(&mut self, name: Option<&str>) -> Option<u32> {
        let name = name?;
        if let Some(known) = self.names.get(name) {
            return Some(*known);
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(name.to_owned(), number);
        Some(number)
    }

    /// The rows of a page, and how many are found in all; nothing where this cannot tell.
    fn find(&self, filter: &Filter<'_>) -> Option<(Vec<i64>, i64)> {
        let pattern = Pattern::new(filter.name?)?;
        let created = match filter.sort_by {
            Some("created_at") => true,
            Some("updated_at") => false,
            _ => return None,
        };
        let known = |name: Option<&str>| name.map(|name| self.names.get(name).copied().ok_or(()));
        let (user, component) = (known(filter.user_id), known(filter.component_id));
        let fits = |wanted: Option<Result<u32, ()>>, number: Option<u32>| match wanted {
            None => true,
            Some(wanted) => wanted.ok().is_some_and(|wanted| number == Some(wanted)),
        };
        let mut found: Vec<(i64, i64)> = Vec::new();
        for block in &self.blocks {
            pattern.within(block, |entry| {
                let Some(row) = entry.row else { return };
                if fits(user, entry.user)
                    && fits(component, entry.component)
                    && filter.kind.is_none_or(|kind| kind == entry.kind)
                {
                    found.push((if created { entry.created_at } else { entry.updated_at }, row));
                }
            });
        }
        found.sort_unstable();
        if !filter.ascending {
            found.reverse();
        }
        let size = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let page = found.iter().skip(size(filter.offset)).take(size(filter.limit)).map(|(_, row)| *row);
        Some((page.collect(), i64::try_from(found.len()).unwrap_or(i64::MAX)))
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// What `LIKE '%...%'` looks for: `%` is anything, `_` one character, letters of ASCII in either case.
struct Pattern<'a> {
    parts: Vec<Vec<u8>>,
    /// The longest run of it that has no wildcard.
    longest: Finder<'a>,
}

impl Pattern<'_> {
    /// Nothing where SQLite has an opinion of its own: it ends at NUL, and has a limit.
    fn new(text: &str) -> Option<Self> {
        if text.contains('\0') || text.len() > 10_000 {
            return None;
        }
        let text = text.to_ascii_lowercase();
        let longest = text.split(['%', '_']).max_by_key(|run| run.len()).unwrap_or_default();
        Some(Self {
            parts: text.split('%').map(|part| part.as_bytes().to_vec()).collect(),
            longest: Finder::new(longest).into_owned(),
        })
    }

    /// Tells each entry of a block in which it stands.
    fn within<'b>(&self, block: &'b Block, mut tell: impl FnMut(&'b Entry)) {
        let simple = matches!(self.parts.as_slice(), [only] if *only == self.longest.needle());
        let mut from = 0;
        while let Some(at) = block.text.get(from..).and_then(|rest| self.longest.find(rest)) {
            let place = block.entries.partition_point(|entry| entry.end <= from + at);
            let Some(entry) = block.entries.get(place) else { return };
            let begin = place.checked_sub(1).map_or(0, |before| block.entries[before].end);
            if simple || self.stands_in(&block.text[begin..entry.end - 1]) {
                tell(entry);
            }
            from = entry.end;
        }
    }

    fn stands_in(&self, text: &[u8]) -> bool {
        let mut rest = text;
        self.parts.iter().all(|part| match first(rest, part) {
            Some(end) => {
                rest = &rest[end..];
                true
            }
            None => false,
        })
    }
}

/// Where the first place ends at which a text has a part, in which `_` is one character.
fn first(text: &[u8], part: &[u8]) -> Option<usize> {
    let starts = |byte: u8| !matches!(byte, 0x80..=0xbf);
    (0..=text.len()).filter(|at| text.get(*at).is_none_or(|byte| starts(*byte))).find_map(|at| {
        let mut rest = &text[at..];
        for wanted in part {
            let (byte, after) = rest.split_first()?;
            rest = after;
            if *wanted == b'_' {
                rest = &rest[rest.iter().take_while(|byte| !starts(**byte)).count()..];
            } else if byte != wanted {
                return None;
            }
        }
        Some(text.len() - rest.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::store::Store;
    use proptest::prelude::*;

    fn filter(name: &str, ascending: bool) -> Filter<'_> {
        Filter {
            name: Some(name),
            sort_by: Some("created_at"),
            ascending,
            limit: 3,
            offset: 1,
            ..Filter::default()
        }
    }

    /// What SQLite says to the same question.
    fn asked(store: &Store, filter: &Filter<'_>) -> (Vec<String>, i64) {
        *store.haystack() = Searched::TooMuch;
        let answer = found(store, filter);
        *store.haystack() = Searched::Nothing;
        answer
    }

    fn found(store: &Store, filter: &Filter<'_>) -> (Vec<String>, i64) {
        let (sessions, total) = store.page(filter).unwrap();
        (sessions.into_iter().map(|session| session.id).collect(), total)
    }

    fn session(id: usize, name: &str) -> Session {
        let mut session = Session::new(&id.to_string(), Kind::Agent, i64::try_from(id / 3).unwrap());
        session.set_datum("session_name", name.into());
        session.user_id = (id.is_multiple_of(2)).then(|| "ann".to_owned());
        session.agent_id = (id.is_multiple_of(3)).then(|| "a".to_owned());
        session
    }

    proptest! {
        #[test]
        fn it_finds_what_sqlite_finds(
            names in prop::collection::vec("[aAbB%_é\"\\\\ ]{0,6}", 0..12),
            patterns in prop::collection::vec("[aAbB%_é\"\\\\ ]{0,4}", 1..6),
            user in prop::option::of("ann|bob"),
            changes in prop::collection::vec((0_usize..14, "[ab]{0,3}"), 0..6),
        ) {
            let store = Store::open(None).unwrap();
            for (id, name) in names.iter().enumerate() {
                store.put_session(&session(id, name)).unwrap();
            }
            for (at, pattern) in patterns.iter().enumerate() {
                let mut filter = filter(pattern, at.is_multiple_of(2));
                filter.user_id = user.as_deref();
                filter.component_id = (at.is_multiple_of(3)).then_some("a");
                prop_assert_eq!(found(&store, &filter), asked(&store, &filter), "{:?}", filter);
                // What changes while it is in memory is found changed.
                found(&store, &filter);
                if let Some((id, name)) = changes.get(at) {
                    if name.is_empty() {
                        store.delete_sessions(&[id.to_string()], None).unwrap();
                    } else {
                        store.put_session(&session(*id, name)).unwrap();
                    }
                    prop_assert!(matches!(*store.haystack(), Searched::Ready(_)));
                    prop_assert_eq!(found(&store, &filter), asked(&store, &filter), "{:?}", filter);
                }
            }
        }
    }

    #[test]
    fn what_another_process_changes_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("os.db");
        let (one, other) = (Store::open(Some(&file)).unwrap(), Store::open(Some(&file)).unwrap());
        one.put_session(&session(0, "first")).unwrap();
        assert_eq!(one.page(&Filter { offset: 0, ..filter("f", true) }).unwrap().1, 1);
        other.put_session(&session(1, "further")).unwrap();
        assert_eq!(one.page(&Filter { offset: 0, ..filter("f", true) }).unwrap().1, 2);
    }
}
