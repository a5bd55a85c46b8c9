//! Server-sent events out of bytes, as they come: no I/O, no clock, no JSON.
//!
//! The rules are those of the HTML standard ("Interpreting an event stream"): lines end with LF, CR or CRLF, a blank line
//! ends an event, a line that begins with `:` is a comment, an event without data is none. How the bytes are cut into
//! pieces makes no difference. Time grows with the bytes and memory only with the longest event.

use std::borrow::Cow;
use std::time::Duration;

use memchr::{memchr, memchr2};

/// The longest event that is read, in bytes: 64 MiB.
pub const MAX_EVENT: usize = 64 << 20;

/// A buffer that grew beyond this for one long event is given back after it.
const KEPT: usize = 8 << 20;

/// An event, borrowed from the decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Its name; none where the stream gives none, which browsers call `message`.
    pub name: Option<Cow<'a, str>>,
    /// Its data; several lines are joined with line feeds. What is no UTF-8 is replaced by U+FFFD.
    pub data: Cow<'a, str>,
    /// The last id that the stream gave, with this event or before it.
    pub id: Option<Cow<'a, str>>,
}

/// An event is longer than the limit. Nothing can be read after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than the limit of {} MiB", .limit >> 20)]
pub struct EventTooLong {
    /// The limit in bytes.
    pub limit: usize,
}

/// What stood at the end of a stream without the blank line that ends an event. By the standard it is no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The name it had so far.
    pub name: Option<String>,
    /// The data it had so far.
    pub data: String,
}

/// Turns pieces of a stream into events.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Whether that beginning was `data: ` and went to the data at once: a long line is not copied twice.
    in_data: bool,
    /// Whether the last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
    /// How many bytes of a byte order mark have come; none where the beginning is over.
    mark: Option<usize>,
    event: Pending,
    id: Option<Vec<u8>>,
    retry: Option<Duration>,
}

/// The event that is being read.
#[derive(Debug, Default)]
struct Pending {
    name: Vec<u8>,
    /// The lines of data, each with a line feed.
    data: Vec<u8>,
    has_data: bool,
}

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::with_limit(MAX_EVENT)
    }

    /// A decoder whose events have at most `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            in_data: false,
            after_cr: false,
            mark: Some(0),
            event: Pending::default(),
            id: None,
            retry: None,
        }
    }

    /// Takes the next bytes and gives the events that they complete to `take`, in order.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(Event<'_>)) -> Result<(), EventTooLong> {
        let mut rest = self.skip_mark(bytes);
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        loop {
            if let Some(after) = self.whole(rest, &mut take)? {
                rest = after;
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', rest) else { break };
            if self.in_data {
                self.keep(&rest[..end])?;
                self.event.data.push(b'\n');
                self.in_data = false;
            } else if self.line.is_empty() {
                self.line(&rest[..end], &mut take)?;
            } else {
                self.keep(&rest[..end])?;
                let line = std::mem::take(&mut self.line);
                self.line(&line, &mut take)?;
                self.line = emptied(line);
            }
            let cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if cr {
                match rest.split_first() {
                    Some((b'\n', after)) => rest = after,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
        }
        self.keep(rest)
    }

    /// The end of the stream: what had begun and was not ended by a blank line.
    pub fn finish(mut self) -> Option<Unfinished> {
        // The stream was shorter than a byte order mark, and began like one.
        if let Some(count @ 1..) = self.mark {
            self.line.extend_from_slice(&BYTE_ORDER_MARK[..count]);
        }
        if self.in_data {
            self.event.data.push(b'\n');
        }
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            // Too long or not: nothing comes after it.
            let _ = self.field(&line);
        }
        let Pending { name, mut data, has_data } = self.event;
        if !has_data && name.is_empty() {
            return None;
        }
        data.pop();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Some(Unfinished { name: (!name.is_empty()).then(|| text(name)), data: text(data) })
    }

    /// How long a client should wait before it connects again, where the stream said so.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// The bytes behind the byte order mark, if one stands at the beginning.
    fn skip_mark<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(had) = self.mark else { return bytes };
        if bytes.is_empty() {
            return bytes;
        }
        let wanted = &BYTE_ORDER_MARK[had..];
        let same = wanted.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        if same == wanted.len() {
            self.mark = None;
            &bytes[same..]
        } else if same == bytes.len() {
            self.mark = Some(had + same);
            &[]
        } else {
            // It only began like one.
            self.mark = None;
            self.line.extend_from_slice(&BYTE_ORDER_MARK[..had]);
            bytes
        }
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), EventTooLong> {
        self.check(self.line.len() + part.len())?;
        if self.in_data {
            self.event.data.extend_from_slice(part);
        } else if let Some(value) = part.strip_prefix(b"data: ").filter(|_| self.line.is_empty()) {
            self.event.data.extend_from_slice(value);
            self.event.has_data = true;
            self.in_data = true;
        } else {
            self.line.extend_from_slice(part);
        }
        Ok(())
    }

    /// The usual event, `event: NAME`, `data: ...` and a blank line, or without the name: given without a copy. Returns
    /// what comes after it; nothing where this is not the beginning of an event, or one of another kind.
    fn whole<'a>(
        &self,
        rest: &'a [u8],
        take: &mut impl FnMut(Event<'_>),
    ) -> Result<Option<&'a [u8]>, EventTooLong> {
        let begun =
            self.in_data || self.event.has_data || !self.line.is_empty() || !self.event.name.is_empty();
        let Some((name, data, after)) = usual(rest).filter(|_| !begun) else { return Ok(None) };
        self.check(name.len().max(data.len()))?;
        take(Event {
            name: (!name.is_empty()).then(|| text(name)),
            data: text(data),
            id: self.id.as_deref().map(text),
        });
        Ok(Some(after))
    }

    fn check(&self, more: usize) -> Result<(), EventTooLong> {
        if self.event.data.len() + more > self.limit {
            return Err(EventTooLong { limit: self.limit });
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], take: &mut impl FnMut(Event<'_>)) -> Result<(), EventTooLong> {
        if line.is_empty() {
            self.dispatch(take);
            Ok(())
        } else {
            self.field(line)
        }
    }

    fn field(&mut self, line: &[u8]) -> Result<(), EventTooLong> {
        let (name, value) = match memchr(b':', line) {
            Some(0) => return Ok(()),
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &line[line.len()..]),
        };
        match name {
            b"data" => {
                self.check(value.len())?;
                self.event.data.extend_from_slice(value);
                self.event.data.push(b'\n');
                self.event.has_data = true;
            }
            b"event" => {
                self.check(value.len())?;
                self.event.name.clear();
                self.event.name.extend_from_slice(value);
            }
            b"id" if memchr(0, value).is_none() => {
                self.check(value.len())?;
                self.id = Some(value.to_vec());
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let number = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                self.retry = number.map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, take: &mut impl FnMut(Event<'_>)) {
        let Pending { name, data, has_data } = &mut self.event;
        if *has_data {
            data.pop();
            take(Event {
                name: (!name.is_empty()).then(|| text(name)),
                data: text(data),
                id: self.id.as_deref().map(text),
            });
        }
        self.event = Pending {
            name: emptied(std::mem::take(name)),
            data: emptied(std::mem::take(data)),
            has_data: false,
        };
    }
}

/// The name and the data of an event of the usual form, and what comes behind its blank line.
fn usual(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let line = |bytes| memchr2(b'\n', b'\r', bytes).map(|end| bytes.split_at(end));
    let (name, lines) = match bytes.strip_prefix(b"event: ") {
        None => (&bytes[..0], bytes),
        Some(rest) => {
            let (name, rest) = line(rest)?;
            (name, rest.strip_prefix(b"\n")?)
        }
    };
    let (data, rest) = line(lines.strip_prefix(b"data: ")?)?;
    Some((name, data, rest.strip_prefix(b"\n\n")?))
}

/// Bytes as a text. For good ones, that is several times as fast as the standard library's lossy way alone.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// The same buffer without its content, or a new one where it has become large.
fn emptied(mut buffer: Vec<u8>) -> Vec<u8> {
    if buffer.capacity() > KEPT {
        return Vec::new();
    }
    buffer.clear();
    buffer
}
