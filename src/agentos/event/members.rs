//! Where the members of an event stand in its JSON: found in one pass over it that builds nothing.
//!
//! Of a stream, most is asked for a few texts and numbers. Only the usual is read so: members that are texts, numbers,
//! words or empty lists. What is anything else (the call of a tool, a number with an exponent, half a surrogate) is
//! `serde_json`'s. So nothing is taken here that `serde_json` refuses, and nothing read as something else; a property test
//! holds both to it.

use memchr::{memchr, memchr2};

macro_rules! members {
    ($($member:ident = $name:literal,)*) => {
        /// The members that are asked of event after event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Member {
            $($member),*
        }

        const NAMES: &[&str] = &[$(text($name)),*];
        const COUNT: usize = NAMES.len();

        impl Member {
            /// By its name in the JSON.
            pub(super) fn of(name: &[u8]) -> Option<Self> {
                match name {
                    $($name => Some(Self::$member),)*
                    _ => None,
                }
            }

            /// Its name in the JSON.
            pub(super) fn name(self) -> &'static str {
                NAMES[self as usize]
            }
        }
    };
}

members! {
    Content = b"content",
    Event = b"event",
    RunId = b"run_id",
    AgentId = b"agent_id",
    AgentName = b"agent_name",
    CreatedAt = b"created_at",
    EventIndex = b"event_index",
    NestedDepth = b"nested_depth",
    ParentRunId = b"parent_run_id",
    SessionId = b"session_id",
    TeamId = b"team_id",
    TeamName = b"team_name",
    WorkflowId = b"workflow_id",
    WorkflowName = b"workflow_name",
    WorkflowRunId = b"workflow_run_id",
}

const fn text(name: &'static [u8]) -> &'static str {
    match std::str::from_utf8(name) {
        Ok(name) => name,
        Err(_) => "",
    }
}

/// Where the values of these members begin and end; an empty place is a member that is not there.
#[derive(Debug, Clone)]
pub(super) struct Members([(u32, u32); COUNT]);

impl Members {
    /// Those of a JSON object; none where it has something unusual in it, or is none.
    pub(super) fn find(json: &str) -> Option<Self> {
        let bytes = json.as_bytes();
        // So are all places.
        u32::try_from(bytes.len()).ok()?;
        // In a text they are wrong, and nobody sends them elsewhere.
        if bytes.iter().copied().fold(u8::MAX, u8::min) < b' ' {
            return None;
        }
        let escapes = memchr(b'\\', bytes).is_some();
        let end_of_text = if escapes { unescaped_quote } else { quote };
        let mut found = [(0, 0); COUNT];
        let mut at = bytes.starts_with(b"{\"").then_some(2)?;
        loop {
            let name = &bytes[at..at + quote(&bytes[at..])?];
            at += name.len() + 1;
            let start = match &bytes[at..] {
                [b':', b' ', ..] => at + 2,
                [b':', ..] => at + 1,
                _ => return None,
            };
            let end = match bytes.get(start)? {
                b'"' => start + end_of_text(&bytes[start + 1..])? + 2,
                _ => start + length_of_word(&bytes[start..])?,
            };
            // Of two of one name, the last one counts, as everywhere.
            if let Some(member) = Member::of(name) {
                found[member as usize] = place(start, end);
            } else if escapes && name.contains(&b'\\') {
                // It may be any.
                return None;
            }
            at = match &bytes[end..] {
                [b',', b' ', b'"', ..] => end + 3,
                [b',', b'"', ..] => end + 2,
                b"}" => return Some(Self(found)),
                _ => return None,
            };
        }
    }

    /// The JSON of a member's value.
    pub(super) fn get<'a>(&self, json: &'a str, member: Member) -> Option<&'a str> {
        let (start, end) = self.0[member as usize];
        json.get(start as usize..end as usize).filter(|value| !value.is_empty())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the whole is not longer than that")]
fn place(start: usize, end: usize) -> (u32, u32) {
    (start as u32, end as u32)
}

/// How long what stands at the beginning is, which is no text: a number without an exponent, of so few digits that
/// nobody reads it as another; a word; something empty.
fn length_of_word(bytes: &[u8]) -> Option<usize> {
    const MOST: usize = 18;
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let word = match bytes.first()? {
        b't' => b"true".as_slice(),
        b'f' => b"false",
        b'n' => b"null",
        b'[' => b"[]",
        b'{' => b"{}",
        first => {
            let sign = usize::from(*first == b'-');
            let number = &bytes[sign..];
            let whole = digits(number);
            let zero = number.first() == Some(&b'0');
            if whole == 0 || whole > MOST || whole > 1 && zero {
                return None;
            }
            if number.get(whole) != Some(&b'.') {
                // Minus zero is no whole number.
                return (!zero || sign == 0).then_some(sign + whole);
            }
            let parts = digits(&number[whole + 1..]);
            return (1..=MOST).contains(&parts).then_some(sign + whole + 1 + parts);
        }
    };
    bytes.starts_with(word).then_some(word.len())
}

/// Where the quote is that ends a text with escapes in it; none where they are not right, or one is a half of two.
fn unescaped_quote(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += match bytes.get(at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' => {
                let digits = bytes.get(at + 2..at + 6)?;
                // D800 to DFFF come in pairs.
                let half = matches!(digits, [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
                if half || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                6
            }
            _ => return None,
        };
    }
}

/// Where the first quote is. Texts are short: this is faster here than what looks at 32 bytes at a time.
fn quote(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const QUOTES: u64 = ONES * b'"' as u64;
    let (mut rest, mut at) = (bytes, 0);
    while let Some((eight, more)) = rest.split_first_chunk() {
        let others = u64::from_le_bytes(*eight) ^ QUOTES;
        // The lowest bit of it is that of the first byte which is zero.
        let found = others.wrapping_sub(ONES) & !others & (ONES << 7);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        (rest, at) = (more, at + 8);
    }
    rest.iter().position(|byte| *byte == b'"').map(|found| at + found)
}
