//! Differences between two values as lines that begin with `-`, `+` or a blank.

use serde_json::Value;

/// How `actual` differs from `expected`; empty where they are equal.
pub fn json_diff(expected: &Value, actual: &Value) -> String {
    if expected == actual { String::new() } else { format!("-{expected}\n+{actual}\n") }
}

/// How `actual` differs from `expected`; empty where they are equal.
pub fn text_diff(expected: &str, actual: &str) -> String {
    if expected == actual { String::new() } else { format!("-{expected}\n+{actual}\n") }
}
