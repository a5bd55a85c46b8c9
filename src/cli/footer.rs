//! Lines that stay below everything else that is written, on standard error.
//!
//! They are drawn over one another, line by line: nothing is empty for a moment, so nothing flickers. Own code, and no crate:
//! what is written above them goes through the same masks, and thirty lines of it are left when that is done.

use std::io::Write as _;

use unicode_width::UnicodeWidthStr as _;

/// The lines, and what of them stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Footer {
    lines: Vec<String>,
    /// The columns of the terminal.
    width: usize,
    /// Whether they stand there now; the cursor is at the end of the last then.
    drawn: bool,
    /// How many questions are open.
    paused: usize,
}

/// Terminals that know these show what comes between them at once; others ignore them.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

impl Footer {
    /// Shows these lines from now on, on a terminal of so many columns.
    pub(super) fn set(&mut self, lines: Vec<String>, width: usize) {
        if self.paused > 0 {
            (self.lines, self.width) = (lines, width);
        } else {
            put(&self.over(lines, width));
        }
    }

    /// What draws `lines` in the place of those that stand there.
    fn over(&mut self, lines: Vec<String>, width: usize) -> String {
        if self.drawn && lines == self.lines && width == self.width {
            return String::new();
        }
        // A terminal that became narrower has broken what stood there into more lines.
        self.width = if lines.is_empty() { self.width } else { width };
        let mut text = self.up();
        if lines.is_empty() {
            text.push_str(if self.drawn { "\x1b[J" } else { "" });
        } else {
            // From the end of each line, what stood there goes away; from the last, all below it.
            let begin = if self.drawn { BEGIN } else { "" };
            let end = if self.drawn { "\x1b[J\x1b[?2026l" } else { "" };
            let between = if self.drawn { "\x1b[K\n" } else { "\n" };
            text = format!("{begin}{text}{}{end}", lines.join(between));
        }
        self.drawn = !lines.is_empty();
        self.lines = lines;
        text
    }

    /// Takes the lines away, so that something can be written in their place, until [`Self::show`].
    pub(super) fn hide(&mut self) {
        if self.drawn {
            put(&format!("{BEGIN}{}\x1b[J", self.up()));
        }
    }

    /// Shows them again, below what was written.
    pub(super) fn show(&mut self) {
        if self.paused == 0 && !self.lines.is_empty() {
            put(&(self.lines.join("\n") + if self.drawn { END } else { "" }));
            self.drawn = true;
        }
    }

    /// Shows nothing from now on.
    pub(super) fn pause(&mut self) {
        if self.drawn {
            put(&format!("{}\x1b[J", self.up()));
            self.drawn = false;
        }
        self.paused += 1;
    }

    /// Shows the lines again, once for each [`Self::pause`].
    pub(super) fn go_on(&mut self) {
        self.paused = self.paused.saturating_sub(1);
        self.show();
    }

    /// To the beginning of the first line, where the lines stand on the terminal.
    fn up(&self) -> String {
        if !self.drawn {
            return String::new();
        }
        let rows: usize = self.lines.iter().map(|line| line.width().div_ceil(self.width.max(1)).max(1)).sum();
        match rows {
            0 | 1 => "\r".to_owned(),
            rows => format!("\r\x1b[{}A", rows - 1),
        }
    }
}

fn put(text: &str) {
    if !text.is_empty() {
        let mut stderr = std::io::stderr().lock();
        // There is nobody left to show it to where standard error is closed.
        let _closed = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn line_over_line() {
        let mut footer = Footer::default();
        assert_eq!(footer.over(lines(&["one", "two"]), 80), "one\ntwo");
        assert_eq!(footer.over(lines(&["one", "two"]), 80), "", "nothing changed");
        let second = footer.over(lines(&["1", "2", "3"]), 80);
        assert_eq!(second, "\x1b[?2026h\r\x1b[1A1\x1b[K\n2\x1b[K\n3\x1b[J\x1b[?2026l");
        assert_eq!(footer.over(Vec::new(), 0), "\r\x1b[2A\x1b[J");
        assert_eq!(footer.over(Vec::new(), 0), "");
    }

    #[test]
    fn a_narrower_terminal_has_broken_the_lines() {
        let mut footer = Footer::default();
        footer.over(lines(&["twelve signs", "予報予報"]), 40);
        let text = footer.over(lines(&["x"]), 5);
        assert_eq!(text, "\x1b[?2026h\r\x1b[4Ax\x1b[J\x1b[?2026l", "three lines and two");
    }
}
