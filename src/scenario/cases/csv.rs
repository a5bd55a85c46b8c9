//! CSV with the places of its fields (RFC 4180): quotes, doubled quotes, line ends inside of quotes, any line ends.
//! Written out here, because what there is for CSV does not say where a field stands.

use std::borrow::Cow;
use std::ops::Range;

/// A field and where it stands, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) range: Range<usize>,
    /// Whether it stands in quotes: then it is a text, whatever it looks like.
    pub(super) quoted: bool,
}

/// What is no CSV, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) message: &'static str,
    pub(super) help: &'static str,
    pub(super) range: Range<usize>,
}

/// The records of a text, one after another; blank lines between them are passed over.
pub(super) struct Records<'a> {
    text: &'a str,
    at: usize,
    separator: u8,
}

impl<'a> Records<'a> {
    /// The records of `text`: with commas between fields, or what the first line has instead, `;` or a tab.
    pub(super) fn new(text: &'a str) -> Self {
        let first = text.lines().next().unwrap_or_default();
        let separator = [b',', b';', b'\t'].into_iter().find(|sign| first.as_bytes().contains(sign));
        Self { text, at: 0, separator: separator.unwrap_or(b',') }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// The field at the place reached; afterwards the place is behind it, at a separator, a line end or the end.
    fn field(&mut self) -> Result<Field<'a>, Malformed> {
        let start = self.at;
        if self.byte(start) == Some(b'"') {
            return self.quoted(start);
        }
        while self.byte(self.at).is_some_and(|b| b != self.separator && b != b'\n' && b != b'\r') {
            if self.byte(self.at) == Some(b'"') {
                return Err(Malformed {
                    message: "a quote stands inside of a field that does not begin with one",
                    help: "put the whole field in quotes, and write each quote in it twice: \"say \"\"hello\"\"\"",
                    range: self.at..self.at + 1,
                });
            }
            self.at += 1;
        }
        let raw = &self.text[start..self.at];
        let text = raw.trim_matches([' ', '\t']);
        let lead = raw.len() - raw.trim_start_matches([' ', '\t']).len();
        Ok(Field { text: Cow::Borrowed(text), range: start + lead..start + lead + text.len(), quoted: false })
    }

    fn quoted(&mut self, start: usize) -> Result<Field<'a>, Malformed> {
        let mut doubled = false;
        self.at += 1;
        loop {
            match self.byte(self.at) {
                Some(b'"') if self.byte(self.at + 1) == Some(b'"') => {
                    doubled = true;
                    self.at += 2;
                }
                Some(b'"') => break,
                Some(_) => self.at += 1,
                None => {
                    return Err(Malformed {
                        message: "a quote is never closed",
                        help: "each field that begins with a quote ends with one; a quote inside of it is written twice",
                        range: start..start + 1,
                    });
                }
            }
        }
        let inner = &self.text[start + 1..self.at];
        self.at += 1;
        if self.byte(self.at).is_some_and(|b| b != self.separator && b != b'\n' && b != b'\r') {
            return Err(Malformed {
                message: "something follows the quote that closes a field",
                help: "a quote inside of a field is written twice: \"say \"\"hello\"\"\"",
                range: self.at..self.at + 1,
            });
        }
        let text = if doubled { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
        Ok(Field { text, range: start..self.at, quoted: true })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Vec<Field<'a>>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.byte(self.at).is_some_and(|b| b == b'\n' || b == b'\r') {
            self.at += 1;
        }
        self.byte(self.at)?;
        let mut fields = Vec::new();
        loop {
            match self.field() {
                Ok(field) => fields.push(field),
                Err(malformed) => {
                    // What follows cannot be told apart any more.
                    self.at = self.text.len();
                    return Some(Err(malformed));
                }
            }
            if self.byte(self.at) == Some(self.separator) {
                self.at += 1;
            } else {
                return Some(Ok(fields));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        let record =
            |record: Vec<Field<'_>>| record.into_iter().map(|field| field.text.into_owned()).collect();
        Records::new(text).map(|found| record(found.unwrap())).collect()
    }

    #[test]
    fn records() {
        assert_eq!(
            all("a,b\r\n1, two \n\n\"x, \"\"y\"\"\",\n"),
            [["a", "b"], ["1", "two"], ["x, \"y\"", ""]]
        );
        assert_eq!(all("a;b\n1,5;2"), [["a", "b"], ["1,5", "2"]]);
        assert_eq!(all("a\n\"two\nlines\"\n"), [["a"], ["two\nlines"]]);
        assert!(all("").is_empty() && all("\n\r\n").is_empty());
    }

    #[test]
    fn what_is_none() {
        let wrong = |text: &str| Records::new(text).find_map(Result::err).unwrap().range;
        assert_eq!(wrong("a,\"b"), 2..3);
        assert_eq!(wrong("a,b\"c"), 3..4);
        assert_eq!(wrong("a,\"b\" c"), 5..6);
    }

    proptest! {
        /// What is written with quotes comes back, and each field stands where it says.
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("[a-z,;\" \n\té€]{0,6}", 2..5), 1..6)) {
            let line = |row: &Vec<String>| {
                let quoted: Vec<String> = row.iter().map(|text| format!("\"{}\"", text.replace('"', "\"\""))).collect();
                quoted.join(",")
            };
            let text = format!("a,b\n{}", rows.iter().map(line).collect::<Vec<_>>().join("\r\n"));
            prop_assert_eq!(&all(&text)[1..], rows.as_slice());
            for record in Records::new(&text).skip(1) {
                for field in record.unwrap() {
                    let raw = &text[field.range];
                    prop_assert_eq!(raw[1..raw.len() - 1].replace("\"\"", "\""), field.text);
                }
            }
        }

        #[test]
        fn nothing_panics(text in "[a,;\"\r\n\t é]{0,40}") {
            let _all: Vec<_> = Records::new(&text).collect();
        }
    }
}
