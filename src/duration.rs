//! Durations as people write them: `500ms`, `5s`, `1m30s`, `2h`, `30d`.

use std::time::Duration;

/// The units, largest first, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// The largest duration that can be meant: a typing error beyond a thousand years is none.
const MAX_MILLIS: f64 = 366.0 * 1000.0 * 86_400_000.0;

/// Reads `5s`, `1.5h`, `1m30s`, `1m 30s`. The units are `ms`, `s`, `m`, `h` and `d`, each at most once, largest first.
/// The error completes a sentence that begins with the text: "`5` is no duration: ...".
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("a duration is a number and a unit: `500ms`, `5s`, `1m30s`".to_owned());
    }
    if rest.starts_with('-') {
        return Err(format!("`{text}` is negative"));
    }
    let mut millis = 0.0_f64;
    let mut allowed = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let Ok(count) = number.parse::<f64>() else {
            return Err(format!("`{text}` is no duration: write `500ms`, `5s`, `1m30s`, `2h` or `30d`"));
        };
        let whole = number.len() == text.trim().len();
        if unit.is_empty() && !whole {
            return Err(format!(
                "`{number}` in `{text}` has no unit: write `500ms`, `5s`, `1m30s`, `2h` or `30d`"
            ));
        }
        if unit.is_empty() {
            return Err(format!(
                "`{text}` has no unit: write `{text}s` for seconds or `{text}ms` for milliseconds"
            ));
        }
        let Some(index) = UNITS.iter().position(|(name, _)| *name == unit) else {
            return Err(format!("`{unit}` is no unit of time: ms, s, m, h and d are"));
        };
        if index < allowed {
            return Err(format!("in `{text}` the units stand in no order: largest first, each once"));
        }
        allowed = index + 1;
        #[expect(clippy::cast_precision_loss, reason = "the factors are exact")]
        let factor = UNITS[index].1 as f64;
        millis += count * factor;
        rest = tail.trim_start();
    }
    if millis > MAX_MILLIS {
        return Err(format!("`{text}` is longer than a thousand years"));
    }
    Ok(Duration::from_secs_f64(millis / 1000.0))
}

/// A duration as [`parse`] reads it, as short as it is still exact enough to compare: `1.234s`, `1m30s`, `56ms`.
pub fn format(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        let micros = duration.subsec_micros();
        return if micros.is_multiple_of(1000) || millis >= 10 {
            format!("{millis}ms")
        } else {
            format!("{}ms", trimmed(f64::from(micros) / 1000.0))
        };
    }
    if millis < 60_000 {
        return format!("{}s", trimmed(duration.as_secs_f64()));
    }
    let mut rest = millis;
    let mut parts = Vec::new();
    for (unit, size) in UNITS {
        let count = rest / u128::from(size);
        rest %= u128::from(size);
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    parts.concat()
}

/// At most three digits after the point, no trailing zeros.
fn trimmed(number: f64) -> String {
    format!("{number:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in [
            ("500ms", 500),
            ("5s", 5000),
            ("1.5s", 1500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("1m30s", 90_000),
            ("1h 30m", 5_400_000),
            (" 30d ", 2_592_000_000),
            ("0s", 0),
            ("1d2h3m4s5ms", 93_784_005),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_why() {
        for (text, why) in [
            ("", "a duration is a number and a unit"),
            ("5", "has no unit: write `5s`"),
            ("-5s", "negative"),
            ("5 s", "has no unit"),
            ("5sec", "`sec` is no unit"),
            ("s", "is no duration"),
            ("1..5s", "is no duration"),
            ("30s1m", "largest first"),
            ("1s1s", "each once"),
            ("99999999999999999999999999d", "thousand years"),
            ("inf", "is no duration"),
            ("5m3", "has no unit"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["0ms", "1ms", "56ms", "1.234s", "5s", "59.9s", "1m", "1m30s", "2h", "30d", "1d2h3m4s5ms"]
        {
            assert_eq!(format(parse(text).unwrap()), text);
        }
        assert_eq!(format(Duration::from_micros(1500)), "1.5ms");
    }
}
