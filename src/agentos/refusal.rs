//! What a server says when it refuses, out of the forms in which servers say it.

use std::time::Duration;

use serde_json::Value;

/// The message of an answer with a status of 300 or more.
///
/// AgentOS says `{"detail": "text"}`, and for invalid arguments `{"detail": [{"loc", "msg"}, ...]}`, which becomes
/// `body.message: Field required; query.page: ...`. A `text/plain` body stands for itself; of HTML (a proxy's page) the
/// title is given; a redirect says where to.
pub fn refusal_message(status: u16, headers: &[(String, String)], body: &[u8]) -> String {
    let header =
        |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if (300..400).contains(&status)
        && let Some(location) = header("location")
    {
        return format!("redirects to {location}");
    }
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        return of_json(&json);
    }
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return "no message".to_owned();
    }
    let html = header("content-type").is_some_and(|kind| kind.contains("html")) || text.starts_with('<');
    if html {
        return match title(text) {
            Some(title) => format!("an HTML page: {title}"),
            None => "an HTML page".to_owned(),
        };
    }
    shorten(text)
}

/// How long the server asks to wait before the next request: its `Retry-After`, seconds or a date.
pub fn retry_after(headers: &[(String, String)]) -> Option<Duration> {
    let (_, value) = headers.iter().find(|(name, _)| name == "retry-after")?;
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    // A date that has passed asks for nothing.
    Some(Duration::try_from(until.duration_since(jiff::Timestamp::now())).unwrap_or_default())
}

fn of_json(json: &Value) -> String {
    // `detail` is FastAPI's; the others are of proxies and gateways before it.
    let said = ["detail", "message", "error"].iter().find_map(|key| json.get(key)).unwrap_or(json);
    match said {
        Value::String(text) if text.is_empty() => "no message".to_owned(),
        Value::String(text) => shorten(text),
        Value::Array(items) if !items.is_empty() => {
            shorten(&items.iter().map(of_item).collect::<Vec<_>>().join("; "))
        }
        other => shorten(&other.to_string()),
    }
}

/// One finding of FastAPI's validation.
fn of_item(item: &Value) -> String {
    let Some(message) = item.get("msg").and_then(Value::as_str) else {
        return item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    };
    let place: Vec<String> = item
        .get("loc")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
        .collect();
    if place.is_empty() { message.to_owned() } else { format!("{}: {message}", place.join(".")) }
}

fn title(html: &str) -> Option<String> {
    let lower = html.to_ascii_lowercase();
    let (open, close) = ["title", "h1"].iter().find_map(|tag| {
        let open = lower.find(&format!("<{tag}"))?;
        let open = open + lower[open..].find('>')? + 1;
        Some((open, open + lower[open..].find(&format!("</{tag}"))?))
    })?;
    let text = html[open..close].split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then(|| shorten(&text))
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 2000;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
