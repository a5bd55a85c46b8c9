//! Where the members of an event stand in its JSON: found in one pass over it that builds nothing.
//!
//! Of a stream, most is asked for a few texts and numbers. Only the usual is read so: members that are texts, numbers,
//! words or empty lists. What is anything else (the call of a tool, a number with an exponent, half a surrogate) is
//! `serde_json`'s. So nothing is taken here that `serde_json` refuses, and nothing read as something else; a property test
//! holds both to it.

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
        let length = u32::try_from(json.len()).ok()?;
        let mut found = [(0, 0); COUNT];
        let mut rest = Rest(json.as_bytes());
        // What is left is never longer than the whole.
        let place = |rest: &Rest<'_>| length - u32::try_from(rest.0.len()).unwrap_or(length);
        rest.space();
        rest.take(b'{')?;
        rest.space();
        loop {
            let (name, escaped) = rest.text()?;
            if escaped {
                return None;
            }
            rest.space();
            rest.take(b':')?;
            rest.space();
            let start = place(&rest);
            rest.value()?;
            // Of two of one name, the last one counts, as everywhere.
            if let Some(member) = Member::of(name) {
                found[member as usize] = (start, place(&rest));
            }
            rest.space();
            match rest.next()? {
                b',' => rest.space(),
                b'}' => break,
                _ => return None,
            }
        }
        rest.space();
        rest.0.is_empty().then_some(Self(found))
    }

    /// The JSON of a member's value.
    pub(super) fn get<'a>(&self, json: &'a str, member: Member) -> Option<&'a str> {
        let (start, end) = self.0[member as usize];
        json.get(start as usize..end as usize).filter(|value| !value.is_empty())
    }
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn space(&mut self) {
        while let [b' ' | b'\n' | b'\t' | b'\r', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    fn value(&mut self) -> Option<()> {
        let word = match self.0.first()? {
            b'"' => return self.text().map(|_| ()),
            b'-' | b'0'..=b'9' => return self.number(),
            b't' => b"true".as_slice(),
            b'f' => b"false",
            b'n' => b"null",
            b'[' => b"[]",
            b'{' => b"{}",
            _ => return None,
        };
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// A text: what stands between its quotes, and whether something in it is escaped.
    fn text(&mut self) -> Option<(&'a [u8], bool)> {
        self.take(b'"')?;
        let whole = self.0;
        let mut escaped = false;
        loop {
            self.plain();
            match self.next()? {
                b'"' => return Some((&whole[..whole.len() - self.0.len() - 1], escaped)),
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    /// Goes on to the eight bytes in which a text ends, or has something else that is not just a character.
    fn plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = ONES << 7;
        let is_zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & HIGHS;
        while let Some((eight, rest)) = self.0.split_first_chunk() {
            let bytes = u64::from_le_bytes(*eight);
            let control = bytes.wrapping_sub(ONES * 0x20) & !bytes & HIGHS;
            let found = is_zero(bytes ^ (ONES * u64::from(b'"')))
                | is_zero(bytes ^ (ONES * u64::from(b'\\')))
                | control;
            if found != 0 {
                // The lowest one found is exact.
                self.0 = &self.0[(found.trailing_zeros() / 8) as usize..];
                return;
            }
            self.0 = rest;
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let (digits, rest) = self.0.split_first_chunk::<4>()?;
                // D800 to DFFF come in pairs.
                let paired = matches!(digits, [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
                self.0 = rest;
                (digits.iter().all(u8::is_ascii_hexdigit) && !paired).then_some(())
            }
            _ => None,
        }
    }

    /// A number without an exponent, of so few digits that nobody reads it as another.
    fn number(&mut self) -> Option<()> {
        const MOST: usize = 18;
        let positive = self.0.strip_prefix(b"-").unwrap_or(self.0);
        let negative = positive.len() < self.0.len();
        self.0 = positive;
        let whole = self.digits();
        if whole.is_empty() || whole.len() > MOST || whole.len() > 1 && whole[0] == b'0' {
            return None;
        }
        if let Some(rest) = self.0.strip_prefix(b".") {
            self.0 = rest;
            return (1..=MOST).contains(&self.digits().len()).then_some(());
        }
        // Minus zero is no whole number.
        (!negative || whole != b"0").then_some(())
    }

    fn digits(&mut self) -> &'a [u8] {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits
    }
}
