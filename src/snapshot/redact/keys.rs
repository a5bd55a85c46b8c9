//! What the keys of AgentOS's answers say of their values: points in time, durations, token counts.

use serde_json::Number;

use super::super::spec::Kinds;

/// What stands for a date and time as text.
pub(super) const TIME: &str = "[time]";
/// What stands for seconds since 1970.
const EPOCH: &str = "[epoch]";
/// What stands for how long something took.
pub(super) const DURATION: &str = "[duration]";
/// What stands for the number of tokens, and for their price.
const TOKENS: &str = "[tokens]";
/// What stands for the place of an event among the pieces of a text.
const INDEX: &str = "[index]";

/// Seconds from 2001 on, or milliseconds.
const EPOCHS: std::ops::Range<f64> = 1e9..1e14;

/// What stands for the number of a key, where it is volatile.
pub(super) fn number(key: &str, number: &Number) -> Option<(Kinds, &'static str)> {
    if is_point(key) && number.as_f64().is_some_and(|number| EPOCHS.contains(&number)) {
        return Some((Kinds::Times, EPOCH));
    }
    if takes_time(key) {
        return Some((Kinds::Durations, DURATION));
    }
    if key.ends_with("_tokens") || matches!(key, "tokens" | "cost" | "total_cost") {
        return Some((Kinds::Tokens, TOKENS));
    }
    (key == "event_index").then_some((Kinds::Chunks, INDEX))
}

/// Whether the text of a key says how long something took: `0.0231s`.
pub(super) fn is_duration(key: &str, text: &str) -> bool {
    if !takes_time(key) {
        return false;
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').trim_start();
    text.starts_with(|c: char| c.is_ascii_digit())
        && matches!(unit, "" | "ns" | "us" | "µs" | "ms" | "s" | "m" | "min")
}

fn is_point(key: &str) -> bool {
    key.ends_with("_at")
        || key.ends_with("_time")
        || key.ends_with("timestamp")
        || matches!(key, "time" | "date" | "last_used" | "created" | "updated")
}

fn takes_time(key: &str) -> bool {
    matches!(
        key,
        "duration"
            | "time"
            | "elapsed"
            | "latency"
            | "ttft"
            | "time_to_first_token"
            | "response_time"
            | "run_times"
            | "memory_usages"
    ) || key.ends_with("_ms")
        || key.ends_with("_seconds")
        || key.ends_with("_duration")
        || key.ends_with("_run_time")
        || key.ends_with("_memory_usage")
}
