//! What is volatile inside of a text: UUIDs, dates with a time, `completed in 0.02s`, and words that are ids.

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Letters, digits, `-` and `_`: a word that may be an id.
    Word,
    /// `0b1c2d3e-0000-4000-8000-0123456789ab`
    Uuid,
    /// `2026-11-21T23:03:36.908814Z`
    Time,
    /// The `0.0231s` of `completed in 0.0231s`.
    Duration,
}

/// `Sun, 22 Nov 2026 05:10:36 GMT`, as headers have it.
const HTTP_DATE: &[u8] = b"aaa, dd aaa dddd dd:dd:dd aaa";
/// The length of a UUID.
const UUID: usize = 36;

/// Whether it is a UUID and nothing else.
pub(super) fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == UUID
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a UUID stands in it.
pub(super) fn holds_uuid(text: &str) -> bool {
    text.len() >= UUID && text.as_bytes().windows(UUID).any(is_uuid)
}

fn in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// The text with what `placeholder` gives a placeholder for replaced by it; none where nothing was.
pub(super) fn replace(
    text: &str,
    placeholder: &mut dyn FnMut(Found, &str) -> Option<String>,
) -> Option<String> {
    let bytes = text.as_bytes();
    let mut replaced = String::new();
    // What lies before is written already.
    let mut written = 0;
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        // At the first letter or digit of a row of them.
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let mut found = None;
        if before.is_none_or(|before| !in_word(before)) {
            let length = bytes[at..].iter().take_while(|byte| in_word(**byte)).count();
            found = placeholder(Found::Word, &text[at..at + length]).map(|text| (text, length));
        }
        if found.is_none()
            && let Some((kind, length)) = volatile(bytes, at)
        {
            found = placeholder(kind, &text[at..at + length]).map(|text| (text, length));
        }
        if let Some((placeholder, length)) = found {
            replaced.push_str(&text[written..at]);
            replaced.push_str(&placeholder);
            at += length;
            written = at;
        } else {
            at += bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        }
    }
    if written == 0 {
        return None;
    }
    replaced.push_str(&text[written..]);
    Some(replaced)
}

/// What begins at `at`, and its length.
fn volatile(bytes: &[u8], at: usize) -> Option<(Found, usize)> {
    let rest = &bytes[at..];
    let ends = |length: usize| rest.get(length).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    if rest.len() >= UUID && rest[8] == b'-' && is_uuid(&rest[..UUID]) && ends(UUID) {
        return Some((Found::Uuid, UUID));
    }
    if fits(rest, HTTP_DATE) && ends(HTTP_DATE.len()) {
        return Some((Found::Time, HTTP_DATE.len()));
    }
    if !rest[0].is_ascii_digit() {
        return None;
    }
    if let Some(length) = date_time(rest) {
        return Some((Found::Time, length));
    }
    if bytes[..at].ends_with(b"completed in ") {
        let number = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let unit =
            if rest[number..].starts_with(b"ms") { 2 } else { usize::from(rest[number..].starts_with(b"s")) };
        if unit > 0 && ends(number + unit) {
            return Some((Found::Duration, number + unit));
        }
    }
    None
}

/// Whether the bytes begin as the pattern says: `d` is a digit, `a` a letter, `T` what parts date and time.
fn fits(bytes: &[u8], pattern: &[u8]) -> bool {
    bytes.get(..pattern.len()).is_some_and(|part| {
        part.iter().zip(pattern).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            b'T' => matches!(byte, b'T' | b't' | b' '),
            wanted => byte == wanted,
        })
    })
}

/// The length of a date with a time at the beginning: `2026-11-21T23:03`, `2026-11-21 23:03:36.9+00:00`.
fn date_time(bytes: &[u8]) -> Option<usize> {
    let fits = |at: usize, pattern: &[u8]| bytes.get(at..).is_some_and(|rest| fits(rest, pattern));
    if !fits(0, b"dddd-dd-ddTdd:dd") {
        return None;
    }
    let mut length = 16;
    if fits(length, b":dd") {
        length += 3;
        if fits(length, b".d") {
            length += 1 + bytes[length + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        }
    }
    if fits(length, b"Z") || fits(length, b"z") {
        length += 1;
    } else if fits(length, b"+dd:dd") || fits(length, b"-dd:dd") {
        length += 6;
    } else if fits(length, b"+dddd") || fits(length, b"-dddd") {
        length += 5;
    }
    bytes.get(length).is_none_or(|byte| !byte.is_ascii_alphanumeric()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        replace(text, &mut |found, part| match found {
            Found::Word => (part == "demo-session").then(|| "<id>".to_owned()),
            Found::Uuid => Some("<uuid>".to_owned()),
            Found::Time => Some("<time>".to_owned()),
            Found::Duration => Some("<duration>".to_owned()),
        })
        .unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn what_changes_is_found_in_texts() {
        for (text, expected) in [
            ("Run 0b1c2d3e-0000-4000-8000-0123456789ab was cancelled", "Run <uuid> was cancelled"),
            ("alice-0B1C2D3E-0000-4000-8000-0123456789AB.", "alice-<uuid>."),
            ("0b1c2d3e-0000-4000-8000-0123456789abc", "0b1c2d3e-0000-4000-8000-0123456789abc"),
            ("at 2026-11-21T23:03:36.908814Z, é 2026-11-21 23:03!", "at <time>, é <time>!"),
            ("2026-11-21T23:03:36+00:00 2026-11-21T23:03:36.1-0800", "<time> <time>"),
            ("Sun, 22 Nov 2026 05:10:36 GMT", "<time>"),
            ("since Sun, 22 Nov 2026 05:10:36 GMT; Sun, 22 Nov 2026", "since <time>; Sun, 22 Nov 2026"),
            ("born 1990-01-01, 12:30", "born 1990-01-01, 12:30"),
            ("add(a=2, b=3) completed in 0.0231s. ", "add(a=2, b=3) completed in <duration>. "),
            ("completed in 3 steps", "completed in 3 steps"),
            ("completed in 31ms", "completed in <duration>"),
            (
                "in demo-session, not in demo-session-2 or my-demo-session",
                "in <id>, not in demo-session-2 or my-demo-session",
            ),
            ("", ""),
            ("é", "é"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
