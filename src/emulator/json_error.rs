//! Where and why a text is no JSON, in the words of Python's decoder, which FastAPI passes on.

/// The first fault of a text: where it is, in characters, and what it is called.
pub(crate) fn explain(text: &str) -> (usize, &'static str) {
    let mut scanner = Scanner { chars: text.chars().collect(), at: 0, depth: 0 };
    scanner.space();
    if let Err(fault) = scanner.value() {
        return fault;
    }
    scanner.space();
    // Python takes NaN and half surrogate pairs; here they are no values.
    let reason = if scanner.peek().is_some() { "Extra data" } else { "Expecting value" };
    (scanner.at, reason)
}

type Fault = (usize, &'static str);

/// Python stops at its recursion limit; so deep a text is broken for everybody.
const DEEPEST: usize = 500;

struct Scanner {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((start, "Expecting value"));
        }
        let result = match self.peek() {
            Some('{') => self.object(),
            Some('[') => self.array(),
            Some('"') => self.string(),
            Some('-' | '0'..='9') => self.number(),
            _ => self.word(),
        };
        self.depth -= 1;
        result
    }

    fn word(&mut self) -> Result<(), Fault> {
        for word in ["null", "true", "false", "NaN", "Infinity"] {
            if word.chars().eq(self.chars[self.at..].iter().copied().take(word.len())) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err((self.at, "Expecting value"))
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        match self.peek() {
            Some('0') => self.at += 1,
            Some('1'..='9') => self.digits(),
            _ => return Err((start, "Expecting value")),
        }
        let whole = self.at;
        if self.peek() == Some('.') {
            self.at += 1;
            self.need_digits(whole);
        }
        let mantissa = self.at;
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            self.need_digits(mantissa);
        }
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
    }

    /// Reads digits, or goes back: the number then ended before.
    fn need_digits(&mut self, back: usize) {
        let start = self.at;
        self.digits();
        if self.at == start {
            self.at = back;
        }
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err((start, "Unterminated string starting at")),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => self.escape(start)?,
                Some(c) if c < ' ' => return Err((self.at, "Invalid control character at")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), Fault> {
        let backslash = self.at;
        self.at += 1;
        match self.peek() {
            None => Err((start, "Unterminated string starting at")),
            Some('u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
                        return Err((backslash + 1, "Invalid \\uXXXX escape"));
                    }
                    self.at += 1;
                }
                Ok(())
            }
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err((backslash, "Invalid \\escape")),
        }
    }

    fn array(&mut self) -> Result<(), Fault> {
        self.at += 1;
        self.space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value()?;
            self.space();
            match self.peek() {
                Some(']') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',') => self.at += 1,
                _ => return Err((self.at, "Expecting ',' delimiter")),
            }
            let comma = self.at - 1;
            self.space();
            if self.peek() == Some(']') {
                return Err((comma, "Illegal trailing comma before end of array"));
            }
        }
    }

    fn object(&mut self) -> Result<(), Fault> {
        self.at += 1;
        self.space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return Err((self.at, "Expecting property name enclosed in double quotes"));
            }
            self.string()?;
            self.space();
            if self.peek() != Some(':') {
                return Err((self.at, "Expecting ':' delimiter"));
            }
            self.at += 1;
            self.space();
            self.value()?;
            self.space();
            match self.peek() {
                Some('}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(',') => self.at += 1,
                _ => return Err((self.at, "Expecting ',' delimiter")),
            }
            self.space();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn faults_are_pythons() {
        let name = "Expecting property name enclosed in double quotes";
        for (text, at, reason) in [
            ("{nope", 1, name),
            ("{\"a\":1,}", 7, name),
            ("{\"a\":1} x", 8, "Extra data"),
            ("{\"a\":}", 5, "Expecting value"),
            ("[1,", 3, "Expecting value"),
            ("\"x", 0, "Unterminated string starting at"),
            ("{\"a\" 1}", 5, "Expecting ':' delimiter"),
            ("{\"a\":1 \"b\"}", 7, "Expecting ',' delimiter"),
            ("tru", 0, "Expecting value"),
            ("{\"a\":\"\n\"}", 6, "Invalid control character at"),
            ("   ", 3, "Expecting value"),
            ("\"\\x\"", 1, "Invalid \\escape"),
            ("[\"é\", nul]", 6, "Expecting value"),
        ] {
            assert_eq!(explain(text), (at, reason), "{text:?}");
        }
        assert_eq!(explain(&"[".repeat(100_000)).1, "Expecting value");
    }
}
