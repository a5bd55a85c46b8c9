//! When two values are equal, and which comes first.

use std::cmp::Ordering;
use std::fmt::Write as _;

use jiff::civil;
use jiff::tz::TimeZone;
use serde_json::{Number, Value};

use super::show;

/// Deep equality in which numbers are numbers: 1 is 1.0, and the order of keys does not count.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b) == Some(Ordering::Equal),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

enum Numeric {
    Integer(i128),
    Float(f64),
}

fn numeric(number: &Number) -> Numeric {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
        .map_or_else(|| Numeric::Float(number.as_f64().unwrap_or(f64::NAN)), Numeric::Integer)
}

/// The order of two numbers, exact also where an integer has more digits than a float holds.
pub(super) fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (numeric(a), numeric(b)) {
        (Numeric::Integer(a), Numeric::Integer(b)) => Some(a.cmp(&b)),
        (Numeric::Float(a), Numeric::Float(b)) => a.partial_cmp(&b),
        (Numeric::Integer(a), Numeric::Float(b)) => compare_mixed(a, b),
        (Numeric::Float(a), Numeric::Integer(b)) => compare_mixed(b, a).map(Ordering::reverse),
    }
}

fn compare_mixed(integer: i128, float: f64) -> Option<Ordering> {
    // An integer of JSON has 64 bits: what is beyond 2^100 is beyond each of them.
    const BEYOND: f64 = 1.267_650_600_228_229_4e30;
    if float.is_nan() {
        return None;
    }
    if float.abs() >= BEYOND {
        return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = float.trunc();
    #[expect(clippy::cast_possible_truncation, reason = "without a fraction and within the range")]
    let order = integer.cmp(&(whole as i128));
    match order {
        Ordering::Equal => 0.0.partial_cmp(&(float - whole)),
        order => Some(order),
    }
}

/// The order of two values that have one: numbers, texts, and texts that are both dates. The error completes a
/// sentence that begins with the name of `actual`.
pub(super) fn order(actual: &Value, expected: &Value) -> Result<Ordering, String> {
    match (actual, expected) {
        (Value::Number(a), Value::Number(b)) => {
            compare_numbers(a, b).ok_or_else(|| "is not a number that can be compared".to_owned())
        }
        (Value::String(a), Value::String(b)) => Ok(match (instant(a), instant(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.cmp(b),
        }),
        (Value::Number(_) | Value::String(_), Value::Number(_) | Value::String(_)) => Err(format!(
            "is {} ({}) and cannot be compared with {} ({})",
            show::kind(actual),
            show::value(actual, show::SHORT),
            show::kind(expected),
            show::value(expected, show::SHORT)
        )),
        (Value::Number(_) | Value::String(_), _) => Err(format!(
            "cannot be compared with {}: only numbers, texts and dates can",
            show::kind(expected)
        )),
        (Value::Null, _) => Err("is null and cannot be compared".to_owned()),
        _ => Err(format!(
            "is {} ({}) and cannot be compared: only numbers, texts and dates can",
            show::kind(actual),
            show::value(actual, show::SHORT)
        )),
    }
}

/// The point in time that a text names: an ISO date or date-time; without an offset it is UTC.
fn instant(text: &str) -> Option<jiff::Timestamp> {
    // jiff reads more than that: `20240101` is a number in most answers.
    let shape = text.as_bytes();
    if shape.len() < 10 || shape.len() > 40 || shape[4] != b'-' || shape[7] != b'-' {
        return None;
    }
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp);
    }
    let civil: civil::DateTime = text.parse().ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A text that two values share exactly where they are [`equal`], to find doubles with.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => match numeric(number) {
            Numeric::Integer(integer) => _ = write!(text, "{integer}"),
            // Without an exponent: 1e3 and 1000.0 are 1000.
            Numeric::Float(float) => _ = write!(text, "{}", if float == 0.0 { 0.0 } else { float }),
        },
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (key, item) in entries {
                _ = write!(text, "{}:", Value::String(key.clone()));
                write_canonical(item, text);
                text.push(',');
            }
            text.push('}');
        }
        other => _ = write!(text, "{other}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_exact() {
        for (a, b, expected) in [
            (json!(1), json!(1.0), Ordering::Equal),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992.0), Ordering::Greater),
            (json!(u64::MAX), json!(i64::MAX), Ordering::Greater),
            (json!(-1), json!(-1.5), Ordering::Greater),
            (json!(2), json!(2.5), Ordering::Less),
            (json!(5), json!(1e300), Ordering::Less),
            (json!(5), json!(-1e300), Ordering::Greater),
            (json!(-0.0), json!(0), Ordering::Equal),
        ] {
            assert_eq!(order(&a, &b), Ok(expected), "{a} {b}");
            assert_eq!(order(&b, &a), Ok(expected.reverse()), "{b} {a}");
            assert_eq!(canonical(&a) == canonical(&b), equal(&a, &b), "{a} {b}");
        }
    }

    #[test]
    fn dates_compare_as_times() {
        for (a, b, expected) in [
            ("2024-01-01", "2024-01-02T00:00:00Z", Ordering::Less),
            ("2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z", Ordering::Equal),
            ("2024-01-01T00:00:00.5", "2024-01-01T00:00:00", Ordering::Greater),
            ("2024-01-01", "abc", Ordering::Less),
            ("b", "a", Ordering::Greater),
        ] {
            assert_eq!(order(&json!(a), &json!(b)), Ok(expected), "{a} {b}");
        }
    }
}
