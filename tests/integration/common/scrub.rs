//! Placeholders for what differs from run to run, so that output can be compared word for word.

use regex::Regex;
use std::{path::Path, sync::LazyLock};

/// In this order: what is longer and more particular comes first.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[uuid]"),
        (r"http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+", "[url]"),
        (r"\b(?:127\.0\.0\.1|localhost):\d+", "[host]"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?", "[date]"),
        (r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "[date]"),
        (r"\bagno \d+\.\d+\.\d+", "agno [version]"),
        (r"\bagentos-run \d+\.\d+\.\d+", "agentos-run [version]"),
        // Only what a program measured: `1.23 s`, `12 ms`, `1.2s`, `2 min 3 s`. A `30s` is somebody's own words.
        (r"\b\d+ (?:min|m) \d+(?:\.\d+)? s\b", "[time]"),
        (r"\b\d+(?:\.\d+)? (?:ns|µs|ms|s|min)\b", "[time]"),
        (r"\b\d+\.\d+(?:ns|µs|ms|s)\b", "[time]"),
    ]
    .into_iter()
    .map(|(pattern, placeholder)| (Regex::new(pattern).unwrap(), placeholder))
    .collect()
});

/// The text without what is particular to this run, which ran in this folder.
pub(super) fn scrub(text: &str, folder: &Path) -> String {
    // A temporary folder may be behind a link, and is then seen under either name.
    let mut text = text.to_owned();
    for name in [folder.canonicalize().ok(), Some(folder.to_owned())].into_iter().flatten() {
        text = text.replace(&*name.to_string_lossy(), "[dir]");
    }
    for (pattern, placeholder) in &*RULES {
        text = pattern.replace_all(&text, *placeholder).into_owned();
    }
    text
}
