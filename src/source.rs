//! A named text and spans of its bytes: what every finding points at.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A text with a name (a file's path as it was given, `<stdin>`, `--var`), shared by everything that points into it.
pub struct Source {
    name: String,
    text: String,
    line_starts: OnceLock<Vec<usize>>,
}

impl Source {
    /// A source named `name` that holds `text`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), line_starts: OnceLock::new() })
    }

    /// The name it is shown by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1)).collect()
        })
    }

    /// The line (from 0) that holds the byte at `offset`.
    fn line_of(&self, offset: usize) -> usize {
        self.line_starts().partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// The bytes of line `line` (from 0) without its line end.
    fn line_range(&self, line: usize) -> Range<usize> {
        let starts = self.line_starts();
        let start = starts.get(line).copied().unwrap_or(self.text.len());
        let end = starts.get(line + 1).copied().unwrap_or(self.text.len());
        let text = &self.text[start..end];
        start..start + text.trim_end_matches(['\n', '\r']).len()
    }

    /// Line and column (both from 1; the column counts characters) of the byte at `offset`.
    pub fn position(&self, offset: usize) -> Position {
        let offset = floor_boundary(&self.text, offset);
        let line = self.line_of(offset);
        let start = self.line_starts().get(line).copied().unwrap_or(0);
        Position { line: line + 1, column: self.text[start..offset].chars().count() + 1 }
    }

    /// The lines around `spans`, long ones cropped to about `width` characters around the span, with the spans moved
    /// to where they now are. What a report shows never grows with the length of a line or of a file.
    pub fn excerpt(&self, spans: &[Range<usize>], context: usize, width: usize) -> Excerpt {
        let first = spans.iter().map(|span| self.line_of(span.start)).min().unwrap_or(0);
        let last = spans.iter().map(|span| self.line_of(span.end.max(span.start))).max().unwrap_or(0);
        let from = first.saturating_sub(context);
        let to = (last + context).min(self.line_starts().len().saturating_sub(1));
        let mut text = String::new();
        let mut moved: Vec<Range<usize>> = spans.iter().map(|_| 0..0).collect();
        for line in from..=to {
            let range = self.line_range(line);
            let window = self.window(range.clone(), spans, width);
            if window.start > range.start {
                text.push('…');
            }
            let base = text.len();
            for (span, moved) in spans.iter().zip(&mut moved) {
                if range.contains(&span.start) || span.start == range.end {
                    moved.start = base + span.start.clamp(window.start, window.end) - window.start;
                    moved.end = moved.start;
                }
                if span.end > range.start && span.end <= range.end.max(range.start + 1) {
                    moved.end = base + span.end.clamp(window.start, window.end) - window.start;
                }
            }
            text.push_str(&self.text[window.clone()]);
            if window.end < range.end {
                text.push('…');
            }
            text.push('\n');
        }
        Excerpt { text, first_line: from, spans: moved }
    }

    /// The part of a line that is shown.
    fn window(&self, line: Range<usize>, spans: &[Range<usize>], width: usize) -> Range<usize> {
        if line.len() <= width {
            return line;
        }
        let anchor = spans
            .iter()
            .filter(|span| span.start <= line.end && span.end >= line.start)
            .map(|span| span.start.max(line.start))
            .min()
            .unwrap_or(line.start);
        let start = anchor.saturating_sub(width / 3).max(line.start);
        let end = (start + width).min(line.end);
        floor_boundary(&self.text, start)..floor_boundary(&self.text, end)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// The largest character boundary of `text` at or below `offset`.
fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Some lines of a source, see [`Source::excerpt`].
#[derive(Debug)]
pub struct Excerpt {
    /// The lines, each ended by `\n`.
    pub text: String,
    /// The number (from 0) of the first of them in the source.
    pub first_line: usize,
    /// The spans asked for, as bytes of `text`.
    pub spans: Vec<Range<usize>>,
}

/// A place in a text as people name it; both numbers begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Some bytes of a [`Source`].
#[derive(Clone)]
pub struct Span {
    source: Arc<Source>,
    start: usize,
    end: usize,
}

impl Span {
    /// The bytes `range` of `source`; what lies outside the text or inside a character is moved to the next
    /// boundary below.
    pub fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        let start = floor_boundary(source.text(), range.start);
        let end = floor_boundary(source.text(), range.end).max(start);
        Self { source: Arc::clone(source), start, end }
    }

    /// The whole of a source.
    pub fn whole(source: &Arc<Source>) -> Self {
        Self::new(source, 0..source.text().len())
    }

    /// The source that it points into.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The bytes as a range.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The text that it covers.
    pub fn text(&self) -> &str {
        &self.source.text()[self.start..self.end]
    }

    /// Where it begins.
    pub fn position(&self) -> Position {
        self.source.position(self.start)
    }

    /// From the beginning of `self` to the end of `other`.
    #[must_use]
    pub fn to(&self, other: &Self) -> Self {
        Self::new(&self.source, self.start..other.end.max(self.start))
    }

    /// The part of it that lies on its first line: labels under one line read better than brackets around twenty.
    #[must_use]
    pub fn first_line(&self) -> Self {
        let length = self.text().find('\n').unwrap_or(self.end - self.start);
        let text = self.text()[..length].trim_end();
        Self { source: Arc::clone(&self.source), start: self.start, end: self.start + text.len() }
    }

    /// The part `inner` (relative to its own beginning) of it.
    #[must_use]
    pub fn slice(&self, inner: Range<usize>) -> Self {
        let clamp = |at: usize| (self.start + at).min(self.end);
        Self::new(&self.source, clamp(inner.start)..clamp(inner.end))
    }

    /// `file:line:column`, as editors and CI systems link it.
    pub fn link(&self) -> String {
        let Position { line, column } = self.position();
        format!("{}:{line}:{column}", self.source.name())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
