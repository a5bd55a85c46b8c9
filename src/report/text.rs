//! Pieces of text that reports share: times, counts, bodies cut to a readable size.

use std::time::Duration;

use serde_json::Value;

use crate::agentos::Exchange;

/// The lines of a body that are shown.
const BODY_LINES: usize = 40;
/// The characters of one line that are shown.
const LINE_CHARACTERS: usize = 300;

/// A time as people read it: `12 ms`, `1.2 s`, `3 m 20 s`.
pub fn time(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else if duration < Duration::from_mins(1) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} m {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

/// `1 step`, `2 steps`.
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Bytes as people read them.
pub fn bytes(number: usize) -> String {
    if number < 1024 {
        count(number, "byte")
    } else if number < 1024 * 1024 {
        format!("{}.{} KiB", number / 1024, number % 1024 * 10 / 1024)
    } else {
        format!("{}.{} MiB", number / (1024 * 1024), number % (1024 * 1024) * 10 / (1024 * 1024))
    }
}

/// The status line of an answer: `200 OK, application/json, 1.2 KiB, 12 ms`.
pub fn answer_line(exchange: &Exchange) -> String {
    answer(exchange.status, exchange.header("content-type"), exchange.body.len(), &time(exchange.duration))
}

/// The same from its parts.
pub fn answer(status: u16, kind: Option<&str>, length: usize, time: &str) -> String {
    let status = match reason(status) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    };
    let kind = kind.map(|kind| format!("{kind}, ")).unwrap_or_default();
    format!("{status}, {kind}{}, {time}", bytes(length))
}

/// The words of the statuses that AgentOS and the proxies before it send.
fn reason(status: u16) -> Option<&'static str> {
    Some(match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return None,
    })
}

/// A body in lines that can be read: JSON indented, long lines and long bodies cut with a word about what is missing.
pub fn body_lines(body: &[u8]) -> Vec<String> {
    if body.is_empty() {
        return Vec::new();
    }
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let total = text.lines().count();
    let mut lines: Vec<String> = text.lines().take(BODY_LINES).map(cut).collect();
    if total > BODY_LINES {
        lines.push(format!("… {} more", count(total - BODY_LINES, "line")));
    }
    lines
}

/// A line of bounded length without control characters.
pub fn cut(line: &str) -> String {
    let mut short: String = line.chars().take(LINE_CHARACTERS).map(harmless).collect();
    let rest = line.chars().count().saturating_sub(LINE_CHARACTERS);
    if rest > 0 {
        short.push_str(&format!("… {rest} more characters"));
    }
    short
}

/// A terminal obeys control characters: what a server sends must not clear the screen of whoever reads it.
fn harmless(c: char) -> char {
    if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }
}

/// `text` without control characters other than line ends.
pub fn harmless_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { harmless(c) }).collect()
}
