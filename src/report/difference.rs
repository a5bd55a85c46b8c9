//! The lines of a difference in colour: red what went, green what came, and the words that are marked in bold.

use owo_colors::{OwoColorize as _, Style};

/// One line of a difference. Its first sign says what it is.
pub fn painted(line: &str, color: bool) -> String {
    if !color {
        return line.to_owned();
    }
    let (style, open, close) = match line.as_bytes().first() {
        Some(b'-') => (Style::new().red(), "[-", "-]"),
        Some(b'+') => (Style::new().green(), "{+", "+}"),
        _ => return line.style(Style::new().dimmed()).to_string(),
    };
    let paint = |part: &str, style: Style| part.style(style).to_string();
    let mut text = String::new();
    let mut rest = line;
    while let Some((start, end)) = marked(rest, open, close) {
        text.push_str(&paint(&rest[..start], style));
        text.push_str(&paint(&rest[start..end], style.bold()));
        rest = &rest[end..];
    }
    text.push_str(&paint(rest, style));
    text
}

/// Where the first mark is.
fn marked(line: &str, open: &str, close: &str) -> Option<(usize, usize)> {
    let start = line.find(open)?;
    let inside = start + open.len();
    Some((start, inside + line[inside..].find(close)? + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_differ_are_bold() {
        let line = "-It is [-not-] so [-bad-]";
        assert_eq!(painted(line, false), line);
        let painted = painted(line, true);
        assert_eq!(painted.matches("\u{1b}[31;1m[-").count(), 2, "{painted:?}");
        assert!(painted.starts_with("\u{1b}[31m-It is "), "{painted:?}");
        assert!(super::painted(" same", true).starts_with("\u{1b}[2m same"));
        assert!(super::painted("+{+ open", true).contains("{+ open"));
    }
}
