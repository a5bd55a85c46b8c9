//! The clock of the embedded AgentOS, and the spellings of time that agno 3.1.10 uses.

use jiff::Timestamp;

/// Seconds since the epoch: runs, events, messages and tools carry these.
pub(crate) fn epoch() -> i64 {
    Timestamp::now().as_second()
}

/// Seconds since the epoch with a fraction: `start_time` and `end_time` of a tool.
pub(crate) fn epoch_fraction() -> f64 {
    let now = Timestamp::now();
    // Microseconds since the epoch fit a double exactly until the year 2255.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit 53 bits")]
    let micros = now.as_microsecond() as f64;
    micros / 1e6
}

/// `2026-11-21T21:20:25Z`: sessions and session runs.
pub(crate) fn iso_seconds(epoch: i64) -> String {
    Timestamp::from_second(epoch).map_or_else(|_| String::new(), |time| time.to_string())
}

/// `2026-11-21T21:53:44.558864Z`: `/health`.
pub(crate) fn iso_micros() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// `2026-11-21T21:54:00.629790+00:00`: requirements of a paused run.
pub(crate) fn iso_offset() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}
