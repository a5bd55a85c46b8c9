//! How a line differs from the one that took its place: by the words, where most of them are the same, and where they
//! stand in lines too long to be seen at a glance.

use std::time::Duration;

use similar::DiffTag;

use super::super::show;
use super::{WIDTH, align};

/// The time for the comparison of the words of two lines.
const WITHIN: Duration = Duration::from_millis(400);
/// From this length on, two lines are compared word by word, whatever they share.
const LONG: usize = 80;
/// Up to this length.
const LONGEST: usize = 20_000;
/// The words that a shorter line must have to be prose.
const PROSE: usize = 5;
/// The equal words that are shown before and after a difference; blanks and marks count.
const CONTEXT: usize = 16;
/// What is equal between two differences and no longer than this is a part of the difference.
const BRIDGE: usize = 2;

/// A line and the one that took its place.
pub(super) fn pair(old_raw: &str, new_raw: &str) -> (String, String) {
    let (old, new) = (bare(old_raw), bare(new_raw));
    let unseen = |line: &str| line.contains(|c: char| c.is_whitespace() && c != ' ');
    let same_words = || old.split_whitespace().eq(new.split_whitespace());
    if old.trim_end() == new.trim_end() || (unseen(old) || unseen(new)) && same_words() {
        // They differ in what cannot be seen.
        return (format!("{old_raw:?}"), format!("{new_raw:?}"));
    }
    let (shorter, longer) = (old.len().min(new.len()), old.len().max(new.len()));
    if longer <= LONGEST {
        let difference = Difference::new(old, new);
        if shorter > LONG || difference.is_of_prose() {
            return difference.marked();
        }
    }
    let same =
        old.char_indices().zip(new.chars()).find(|((_, a), b)| a != b).map_or(shorter, |((at, _), _)| at);
    (cropped(old, same), cropped(new, same))
}

/// Whether a line may have become the other.
pub(super) fn are_alike(old: &str, new: &str) -> bool {
    let longer = old.len().max(new.len());
    longer <= LONGEST && Difference::new(bare(old), bare(new)).is_of_prose()
}

/// A line without its end.
pub(super) fn bare(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

/// The part of a line around the first difference.
fn cropped(line: &str, at: usize) -> String {
    if line.len() <= WIDTH {
        return line.to_owned();
    }
    let boundary =
        |at: usize| (0..=at.min(line.len())).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
    let start = boundary(at.saturating_sub(WIDTH / 3));
    let end = boundary(start + WIDTH);
    let lead = if start > 0 { "…" } else { "" };
    let trail = if end < line.len() { "…" } else { "" };
    format!("{lead}{}{trail}", &line[start..end])
}

/// Two lines in parts: what both have, and what is another in each.
struct Difference<'a> {
    parts: Vec<Part<'a>>,
    /// The words of the line that has fewer.
    words: usize,
}

struct Part<'a> {
    old: &'a str,
    new: &'a str,
    equal: bool,
}

impl<'a> Difference<'a> {
    fn new(old: &'a str, new: &'a str) -> Self {
        let (old_tokens, new_tokens) = (tokens(old), tokens(new));
        let count = |tokens: &[&str]| tokens.iter().filter(|token| is_word(token)).count();
        let words = count(&old_tokens).min(count(&new_tokens));
        let ops = align(&old_tokens, &new_tokens, WITHIN);
        let length = |tokens: &[&str]| tokens.iter().map(|token| token.len()).sum::<usize>();
        // Where each part ends, in bytes of both lines.
        let mut ends: Vec<(usize, usize, bool)> = Vec::with_capacity(ops.len());
        let (mut old_at, mut new_at) = (0, 0);
        for (index, op) in ops.iter().enumerate() {
            let text = &old_tokens[op.old_range()];
            let bridge = index > 0 && index + 1 < ops.len() && text.concat().trim().len() <= BRIDGE;
            let equal = op.tag() == DiffTag::Equal && !bridge;
            old_at += length(text);
            new_at += length(&new_tokens[op.new_range()]);
            match ends.last_mut() {
                Some(last) if !last.2 && !equal => *last = (old_at, new_at, false),
                _ => ends.push((old_at, new_at, equal)),
            }
        }
        let (mut old_from, mut new_from) = (0, 0);
        let part = |(old_to, new_to, equal): (usize, usize, bool)| {
            let part = Part { old: &old[old_from..old_to], new: &new[new_from..new_to], equal };
            (old_from, new_from) = (old_to, new_to);
            part
        };
        Self { parts: ends.into_iter().map(part).collect(), words }
    }

    /// Whether the lines are prose of which nearly a half is the same.
    fn is_of_prose(&self) -> bool {
        let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let (mut same, mut all) = (0, 0);
        for part in &self.parts {
            let both = solid(part.old) + solid(part.new);
            all += both;
            same += if part.equal { both } else { 0 };
        }
        self.words >= PROSE && 5 * same >= 2 * all
    }

    /// The lines with `[-what went-]` and `{+what came+}` marked.
    fn marked(&self) -> (String, String) {
        let (mut old, mut new) = (String::new(), String::new());
        let count = self.parts.len();
        for (number, part) in self.parts.iter().enumerate() {
            if part.equal {
                let text = folded(part.old, number > 0, number + 1 < count);
                old.push_str(&text);
                new.push_str(&text);
                continue;
            }
            if !part.old.is_empty() {
                old.push_str(&format!("[-{}-]", show::cut(part.old, WIDTH)));
            }
            if !part.new.is_empty() {
                new.push_str(&format!("{{+{}+}}", show::cut(part.new, WIDTH)));
            }
        }
        (show::cut(&old, 4 * WIDTH), show::cut(&new, 4 * WIDTH))
    }
}

/// What is equal: the words beside a difference.
fn folded(text: &str, before: bool, after: bool) -> String {
    let all = tokens(text);
    let head = if before { CONTEXT } else { 0 };
    let tail = if after { CONTEXT } else { 0 };
    if all.len() <= head + tail + 6 {
        return text.to_owned();
    }
    let (first, last) = (all[..head].concat(), all[all.len() - tail..].concat());
    match (first.trim_end(), last.trim_start()) {
        (first, "") => format!("{first} …"),
        ("", last) => format!("… {last}"),
        (first, last) => format!("{first} … {last}"),
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Words, blanks, and each other sign.
fn tokens(line: &str) -> Vec<&str> {
    let class = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            1
        } else if c.is_whitespace() {
            2
        } else {
            0
        }
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, c) in line.char_indices() {
        let now = class(c);
        if at > 0 && (now == 0 || last != Some(now)) {
            tokens.push(&line[start..at]);
            start = at;
        }
        last = Some(now);
    }
    if start < line.len() {
        tokens.push(&line[start..]);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Without what came, the new line is what is left of the old one without what went.
        #[test]
        fn both_lines_hold_what_is_equal(old in "[ab ,.]{0,24}", new in "[ab ,.]{0,24}") {
            let difference = Difference::new(&old, &new);
            prop_assert_eq!(difference.parts.iter().map(|part| part.old).collect::<String>(), old.as_str());
            prop_assert_eq!(difference.parts.iter().map(|part| part.new).collect::<String>(), new.as_str());
            prop_assert!(difference.parts.iter().all(|part| !part.equal || part.old == part.new));
            prop_assert!(difference.parts.windows(2).all(|pair| pair[0].equal != pair[1].equal));
        }
    }

    #[test]
    fn words_are_marked_where_most_are_the_same() {
        for (old, new, old_shown, new_shown) in [
            (
                "The capital of France is Paris.",
                "The capital of France is Lyon.",
                "The capital of France is [-Paris-].",
                "The capital of France is {+Lyon+}.",
            ),
            (
                "    \"content\": \"It is not so bad.\",",
                "    \"content\": \"It is so bad.\",",
                "    \"content\": \"It is [-not -]so bad.\",",
                "    \"content\": \"It is so bad.\",",
            ),
            ("Hello Bob.", "Hello Alice.", "Hello Bob.", "Hello Alice."),
            ("  \"result\": \"5\",", "  \"result\": \"6\",", "  \"result\": \"5\",", "  \"result\": \"6\","),
            (
                "It is what I said before.",
                "Nobody knows anything about that.",
                "It is what I said before.",
                "Nobody knows anything about that.",
            ),
        ] {
            assert_eq!(pair(old, new), (old_shown.to_owned(), new_shown.to_owned()));
        }
    }
}
