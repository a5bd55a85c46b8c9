//! The few habits of Python that show through the API of AgentOS: `json.dumps`, `repr`, `str.split`.

use std::fmt::Write as _;

use serde_json::Value;

/// `json.dumps(value)`: a space after `,` and `:`, everything beyond ASCII escaped.
/// The arguments of tool calls and the stored `session_data` look so.
pub(crate) fn dumps(value: &Value) -> String {
    let mut out = String::new();
    write_json(&mut out, value);
    out
}

fn write_json(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => write_json_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_json(out, item);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, item)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_json_string(out, name);
                out.push_str(": ");
                write_json(out, item);
            }
            out.push('}');
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

fn write_json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                let mut units = [0_u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// `repr(value)`: the session state stands so in the system message of an agent that shows it.
pub(crate) fn repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => repr_text(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, item)| format!("{}: {}", repr_text(name), repr(item))).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// `repr` of a string: single quotes unless that costs more escapes.
pub(crate) fn repr_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() && u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `json.loads(text)`, which also takes `NaN`, `Infinity` and `-Infinity`: they become null here, and the
/// second part tells that there were some.
pub(crate) fn loads(text: &str) -> Option<(Value, bool)> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some((value, false));
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some(c) = rest.chars().next() {
        let word = if quoted {
            None
        } else {
            ["NaN", "-Infinity", "Infinity"].into_iter().find(|w| rest.starts_with(w))
        };
        if let Some(word) = word {
            plain.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        let taken =
            if quoted && c == '\\' { rest.chars().take(2).map(char::len_utf8).sum() } else { c.len_utf8() };
        quoted ^= c == '"';
        plain.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    serde_json::from_str(&plain).ok().map(|value| (value, true))
}

/// `str(value)` of a text or of nothing.
pub(crate) fn or_none(text: Option<&str>) -> &str {
    text.unwrap_or("None")
}

/// `len(text.split())`: what the offline model counts as tokens.
pub(crate) fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

/// `re.findall(r"\S+\s*", text)`: the pieces in which the offline model streams.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let end = rest[word..].find(|c: char| !c.is_whitespace()).map_or(rest.len(), |gap| word + gap);
        pieces.push(&rest[..end]);
        rest = &rest[end..];
    }
    pieces
}

/// An integer as pydantic reads it from text: `" 5 "`, `+5`, `1_000` and `5.0` are integers.
/// Values beyond `i128` saturate: nothing here tells them apart.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = match digits.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => digits,
    };
    let bytes = digits.as_bytes();
    if !bytes.first()?.is_ascii_digit() || !bytes.last()?.is_ascii_digit() || digits.contains("__") {
        return None;
    }
    let mut value: i128 = 0;
    for byte in bytes.iter().filter(|b| **b != b'_') {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(i128::from(byte - b'0'));
    }
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn dumps_is_pythons() {
        assert_eq!(dumps(&json!({"a": 2, "b": [1, null, "é\n"]})), r#"{"a": 2, "b": [1, null, "\u00e9\n"]}"#);
        assert_eq!(dumps(&json!("😀")), r#""\ud83d\ude00""#);
    }

    #[test]
    fn loads_takes_what_is_no_number() {
        let odd = r#"{"a": NaN, "b": [-Infinity, "NaN \" Infinity"]}"#;
        assert_eq!(loads(odd), Some((json!({"a": null, "b": [null, "NaN \" Infinity"]}), true)));
        assert_eq!(loads("[1]"), Some((json!([1]), false)));
        assert_eq!(loads("{NaN"), None);
    }

    #[test]
    fn repr_is_pythons() {
        assert_eq!(repr(&json!({"a": null, "n": 1.0, "t": true})), "{'a': None, 'n': 1.0, 't': True}");
        assert_eq!(repr_text("it's"), "\"it's\"");
        assert_eq!(repr_text("'\""), "'\\'\"'");
    }

    #[test]
    fn pieces_keep_their_spaces() {
        assert_eq!(pieces("  You said: hi\n"), ["You ", "said: ", "hi\n"]);
        assert!(pieces(" \n").is_empty());
    }

    #[test]
    fn integers_are_pydantics() {
        assert_eq!(integer(" +5 "), Some(5));
        assert_eq!(integer("1_000"), Some(1000));
        assert_eq!(integer("5.0"), Some(5));
        assert_eq!(integer("-7"), Some(-7));
        for bad in [
            "",
            "-",
            "5.5",
            "_5",
            "5_",
            "1__0",
            "a",
            "é",
            "- 5",
            "99999999999999999999999999999999999999999x",
        ] {
            assert_eq!(integer(bad), None, "{bad:?}");
        }
        assert_eq!(integer(&"9".repeat(60)), Some(i128::MAX));
    }
}
