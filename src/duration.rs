//! Durations as people write them (stub until the room is built).
use std::time::Duration;

/// Reads `500ms`, `5s`, `2m`.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit()).collect();
    let n: u64 = digits.parse().map_err(|_| "not a duration".to_owned())?;
    match &text[digits.len()..] {
        "ms" => Ok(Duration::from_millis(n)),
        "s" => Ok(Duration::from_secs(n)),
        "m" => Ok(Duration::from_secs(n * 60)),
        _ => Err("a duration needs a unit".to_owned()),
    }
}
