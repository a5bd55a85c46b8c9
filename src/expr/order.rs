//! Order: what `<`, `<=`, `>` and `>=` mean, and the ages and moments that people compare most.
//!
//! The engine compares values of different kinds by their kind, without a word: every number is smaller than every text,
//! so `where: updated_at < "2026-01-01"` would take every session of a server that writes times as numbers. So these
//! signs are turned into filters of ours before an expression is compiled. They compare what can be compared, an age with
//! a duration and a number of seconds with a moment too, and refuse the rest.

use std::cmp::Ordering;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Value};

use super::words;

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// A moment as servers write it: ISO 8601, without a zone in UTC, or seconds since 1970.
pub(super) fn moment(value: &Value) -> Result<Timestamp, Error> {
    if value.is_undefined() || value.is_none() {
        return Err(failed("there is no time: it is null"));
    }
    if let Some(text) = value.as_str() {
        return text
            .parse::<Timestamp>()
            .or_else(|_| text.parse::<DateTime>()?.to_zoned(TimeZone::UTC).map(|time| time.timestamp()))
            .map_err(|_| failed(format!("`{text}` is not a time")));
    }
    let seconds = f64::try_from(value.clone())
        .map_err(|_| failed("a time is a text such as 2026-11-21T21:20:25Z, or seconds since 1970"))?;
    let duration =
        jiff::SignedDuration::try_from_secs_f64(seconds).map_err(|error| failed(error.to_string()))?;
    Timestamp::from_duration(duration).map_err(|error| failed(error.to_string()))
}

/// The seconds since a moment.
pub(super) fn age(value: Value) -> Result<f64, Error> {
    Ok(Timestamp::now().duration_since(moment(&value)?).as_secs_f64())
}

/// The moment so long ago, in UTC: `ago("30d")`.
pub(super) fn ago(duration: String) -> Result<String, Error> {
    let duration = crate::duration::parse(&duration).map_err(failed)?;
    let moment = Timestamp::now().checked_sub(duration).map_err(|error| failed(error.to_string()))?;
    Ok(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Adds the filters that stand for the signs. Nobody can write them: they are no known filters.
pub(super) fn register(environment: &mut Environment<'static>) {
    environment.add_filter("__lt", |a: Value, b: Value, age: bool| Ok(order(&a, &b, age)?.is_lt()));
    environment.add_filter("__le", |a: Value, b: Value, age: bool| Ok(order(&a, &b, age)?.is_le()));
    environment.add_filter("__gt", |a: Value, b: Value, age: bool| Ok(order(&a, &b, age)?.is_gt()));
    environment.add_filter("__ge", |a: Value, b: Value, age: bool| Ok(order(&a, &b, age)?.is_ge()));
}

/// The order of two values; `age` says that one side is an age, and a text beside it a duration.
fn order(a: &Value, b: &Value, age: bool) -> Result<Ordering, Error> {
    match (a.kind(), b.kind()) {
        (ValueKind::String, ValueKind::String) => order_of_texts(a, b),
        (ValueKind::Number, ValueKind::Number)
        | (ValueKind::Seq, ValueKind::Seq)
        | (ValueKind::Bool, ValueKind::Bool) => Ok(a.cmp(b)),
        (ValueKind::Number, ValueKind::String) => order_with_text(a, b, age),
        (ValueKind::String, ValueKind::Number) => order_with_text(b, a, age).map(Ordering::reverse),
        (kind, other) => Err(failed(format!("{} and {} have no order", named(a, kind), named(b, other)))),
    }
}

/// The order of two texts: that of their letters, of two moments that of time. A moment and a text that is none have no
/// order: `item.updated_at < "yesterday"` would hold of everything.
fn order_of_texts(a: &Value, b: &Value) -> Result<Ordering, Error> {
    let (left, right) = (a.as_str().unwrap_or_default(), b.as_str().unwrap_or_default());
    match (moment(a), moment(b)) {
        (Ok(left), Ok(right)) => Ok(left.cmp(&right)),
        (Ok(_), Err(_)) if is_with_clock(left) && !is_beginning(right) => Err(no_time(left, right)),
        (Err(_), Ok(_)) if is_with_clock(right) && !is_beginning(left) => Err(no_time(right, left)),
        _ => Ok(a.cmp(b)),
    }
}

/// A day and a time of day: what servers write, and nobody means by a name.
fn is_with_clock(text: &str) -> bool {
    text.len() > "2026-11-21".len()
}

/// A year, or a year and a month, which begins a moment.
fn is_beginning(text: &str) -> bool {
    matches!(text.len(), 4 | 7)
        && text.char_indices().all(|(at, c)| if at == 4 { c == '-' } else { c.is_ascii_digit() })
}

fn no_time(moment: &str, text: &str) -> Error {
    failed(format!("the time `{moment}` and the text `{text}` have no order"))
}

/// The order of a number and a text: an age and a duration, or two moments.
fn order_with_text(number: &Value, text: &Value, age: bool) -> Result<Ordering, Error> {
    let written = text.as_str().unwrap_or_default();
    if age {
        let duration = crate::duration::parse(written)
            .map_err(|why| failed(format!("an age is compared with a duration such as \"30d\": {why}")))?;
        return Ok(number.cmp(&Value::from(duration.as_secs_f64())));
    }
    match moment(text) {
        Ok(text) => Ok(moment(number)?.cmp(&text)),
        Err(_) => Err(failed(format!("the number {number} and the text `{written}` have no order"))),
    }
}

fn named(value: &Value, kind: ValueKind) -> String {
    match kind {
        ValueKind::None | ValueKind::Undefined => "null".to_owned(),
        ValueKind::String => format!("the text `{value}`"),
        ValueKind::Number => format!("the number {value}"),
        kind => format!("a {kind}"),
    }
}

/// An expression whose signs of order are filters, and where its parts come from.
#[derive(Default)]
pub(super) struct Rewritten {
    pub(super) text: String,
    /// From where in the new text, from where in the old one, how long.
    parts: Vec<(usize, usize, usize)>,
}

impl Rewritten {
    /// The expression with filters for signs; none where it has no sign.
    pub(super) fn of(text: &str) -> Option<Self> {
        if !text.contains(['<', '>']) {
            return None;
        }
        let mut rewritten = Self::default();
        rewritten.expression(text, 0..text.len());
        (rewritten.text != text).then_some(rewritten)
    }

    /// Where a part of the new text stood in the old one; none where it stood nowhere as a whole.
    pub(super) fn origin(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let place = |at: usize| {
            self.parts
                .iter()
                .find(|(new, _, length)| (*new..=new + length).contains(&at))
                .map(|(new, old, _)| old + at - new)
        };
        let (start, end) = (place(range.start)?, place(range.end)?);
        (start < end).then_some(start..end)
    }

    fn copy(&mut self, text: &str, range: Range<usize>) {
        self.parts.push((self.text.len(), range.start, range.len()));
        self.text.push_str(&text[range]);
    }

    /// Writes an expression, or what stands within brackets.
    fn expression(&mut self, text: &str, range: Range<usize>) {
        let dividers = dividers(text, range.clone());
        let mut from = range.start;
        let mut operands: Vec<Range<usize>> = Vec::new();
        for (divider, _) in &dividers {
            operands.push(from..divider.start);
            from = divider.end;
        }
        operands.push(from..range.end);
        let mut index = 0;
        while let Some(operand) = operands.get(index) {
            // A chain of signs is read from the left.
            let signs = dividers[index..].iter().take_while(|(_, sign)| sign.is_some()).count();
            let whole = trimmed(text, operand);
            self.copy(text, operand.start..whole.start);
            self.text.push_str(&"(".repeat(signs));
            let mut age = mentions_age(&text[whole.clone()]);
            if signs > 0 {
                self.text.push('(');
            }
            self.operand(text, whole.clone());
            if signs > 0 {
                self.text.push(')');
            }
            for step in 0..signs {
                let (_, sign) = &dividers[index + step];
                let other = trimmed(text, &operands[index + step + 1]);
                age |= mentions_age(&text[other.clone()]);
                self.text.push_str(&format!("|{}(", sign.unwrap_or_default()));
                self.operand(text, other.clone());
                self.text.push_str(&format!(",{age}))"));
            }
            index += signs;
            self.copy(text, trimmed(text, &operands[index]).end..operands[index].end);
            if let Some((divider, _)) = dividers.get(index) {
                self.copy(text, divider.clone());
            }
            index += 1;
        }
    }

    /// Writes an operand; what stands within its brackets is an expression again.
    fn operand(&mut self, text: &str, range: Range<usize>) {
        let mut depth = 0_usize;
        let mut from = range.start;
        for (at, c) in outside_of_strings(text, range.clone()) {
            match c {
                '(' | '[' | '{' => {
                    if depth == 0 {
                        self.copy(text, from..at + 1);
                        from = at + 1;
                    }
                    depth += 1;
                }
                ')' | ']' | '}' if depth > 0 => {
                    depth -= 1;
                    if depth == 0 {
                        self.expression(text, from..at);
                        from = at;
                    }
                }
                _ => {}
            }
        }
        self.copy(text, from..range.end);
    }
}

fn mentions_age(text: &str) -> bool {
    words(text).iter().any(|(range, word)| *word == "age" && text[..range.start].trim_end().ends_with('|'))
}

/// A range without the blanks at its ends; of blanks alone, its beginning.
fn trimmed(text: &str, range: &Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + part.len() - part.trim_start().len();
    if part.trim().is_empty() { range.start..range.start } else { start..start + part.trim().len() }
}

/// What divides the operands of an expression, brackets left out, each with its filter where it is a sign of order.
fn dividers(text: &str, range: Range<usize>) -> Vec<(Range<usize>, Option<&'static str>)> {
    let mut found: Vec<(Range<usize>, Option<&'static str>)> = Vec::new();
    let mut depth = 0_usize;
    let mut covered: Vec<(usize, usize)> = Vec::new();
    let mut last = 0;
    for (at, c) in outside_of_strings(text, range.clone()) {
        let equals = text[at + c.len_utf8()..range.end].starts_with('=');
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth > 0 || at < last => {}
            '<' | '>' => {
                let filter = match (c, equals) {
                    ('<', false) => "__lt",
                    ('<', true) => "__le",
                    (_, false) => "__gt",
                    (_, true) => "__ge",
                };
                last = at + 1 + usize::from(equals);
                found.push((at..last, Some(filter)));
            }
            ',' | ':' => found.push((at..at + 1, None)),
            '=' | '!' => {
                last = at + 1 + usize::from(equals);
                found.push((at..last, None));
            }
            _ => {}
        }
        if depth > 0 {
            covered.push((at, at + c.len_utf8()));
        }
    }
    for (word_range, word) in words(&text[range.clone()]) {
        let (start, end) = (word_range.start + range.start, word_range.end + range.start);
        let attribute = text[..start].ends_with('.');
        let inside = covered.binary_search_by(|(from, _)| from.cmp(&start)).is_ok();
        if matches!(word, "and" | "or" | "not" | "if" | "else" | "in") && !attribute && !inside {
            found.push((start..end, None));
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// The characters of an expression that are not inside of its string literals.
fn outside_of_strings(text: &str, range: Range<usize>) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let from = range.start;
    text[range].char_indices().map(move |(at, c)| (at + from, c)).filter(move |&(_, c)| {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == open {
                quote = None;
            }
            return false;
        }
        if c == '"' || c == '\'' {
            quote = Some(c);
            return false;
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_become_filters() {
        for (text, wanted) in [
            ("a < b", Some("((a)|__lt(b,false))")),
            ("item.t | age > older", Some("((item.t | age)|__gt(older,true))")),
            ("older<=item.t|age", Some("((older)|__le(item.t|age,true))")),
            (
                "a < 3 and (t | age) >= '1d' and x == 1",
                Some("((a)|__lt(3,false)) and (((t | age))|__ge('1d',true)) and x == 1"),
            ),
            (
                "f(x, t | age > '1d', k=a > 2)",
                Some("f(x, ((t | age)|__gt('1d',true)), k=((a)|__gt(2,false)))"),
            ),
            ("not (t > d) or b", Some("not (((t)|__gt(d,false))) or b")),
            ("x if a >= b + 1 else y[2:]", Some("x if ((a)|__ge(b + 1,false)) else y[2:]")),
            ("1 < 2 < 3", Some("(((1)|__lt(2,false))|__lt(3,false))")),
            ("[a < b, {'k': c > d}]", Some("[((a)|__lt(b,false)), {'k': ((c)|__gt(d,false))}]")),
            ("'x < 3' == t", None),
            ("t | age", None),
        ] {
            assert_eq!(Rewritten::of(text).map(|new| new.text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn places_in_the_new_text_lead_to_the_old_one() {
        let text = "a and item.t | age > (older)";
        let new = Rewritten::of(text).unwrap();
        for part in ["item.t", "older", "age"] {
            let at = new.text.find(part).unwrap();
            assert_eq!(text.get(new.origin(&(at..at + part.len())).unwrap()), Some(part));
        }
    }
}
