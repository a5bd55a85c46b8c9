//! Texts in XML 1.0, which cannot hold every character, not even as a reference.

use std::fmt::Write as _;

/// `text` between tags or in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            // Everywhere, so that `]]>` never stands in a text.
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            // A parser makes blanks of them in an attribute, and a line feed of a carriage return anywhere.
            '\t' | '\n' | '\r' => {
                let _infallible = write!(xml, "&#{};", u32::from(c));
            }
            '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}' => xml.push(c),
            _ => xml.push(char::REPLACEMENT_CHARACTER),
        }
    }
    xml
}

/// `text` between tags, where lines may stay lines.
pub(super) fn content(text: &str) -> String {
    escaped(text).replace("&#10;", "\n").replace("&#9;", "\t").replace("&quot;", "\"").replace("&apos;", "'")
}
