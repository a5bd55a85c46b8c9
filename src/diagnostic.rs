//! A problem and many problems: what is wrong, where, and what to do. The only place that names miette.

use std::fmt;
use std::ops::Range;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, SourceCode, SourceSpan, SpanContents,
};

use crate::source::Span;

/// The width up to which a source line is shown whole.
const LINE_WIDTH: usize = 160;

/// How grave a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is run, or the scenario failed.
    Error,
    /// It runs, but is probably not what was meant.
    Warning,
}

/// One finding: at check time about a file, at run time about a step.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// A stable name, `yaml::duplicate-key`, to search for.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The places that it is about; the first is where it is.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

/// A place and what is to be said about it.
#[derive(Debug, Clone)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words under it.
    pub text: String,
}

impl Problem {
    /// An error that says `message`.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), labels: Vec::new(), help: None }
    }

    /// A warning that says `message`.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same with `mask` over all that it says. To be called before it is rendered: lines are wrapped then, and a secret of
    /// which half stands on the next line is not found any more.
    #[must_use]
    pub fn masked(&self, mask: impl Fn(&str) -> String) -> Self {
        let labels = self.labels.iter();
        Self {
            severity: self.severity,
            code: self.code,
            message: mask(&self.message),
            labels: labels.map(|label| Label { span: label.span.clone(), text: mask(&label.text) }).collect(),
            help: self.help.as_deref().map(&mask),
        }
    }

    /// Points at `span` with a few words.
    #[must_use]
    pub fn label(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span: span.first_line(), text: text.into() });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, where something is known.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// The first place, where there is one.
    pub fn span(&self) -> Option<&Span> {
        self.labels.first().map(|label| &label.span)
    }

    /// The problem as people read it, with a final line end.
    pub fn render(&self, style: Style) -> String {
        let mut text = String::new();
        let theme = match (style.unicode, style.color) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, true) => GraphicalTheme::ascii(),
            (false, false) => GraphicalTheme::none(),
        };
        let shown = Shown::new(self);
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(style.width)
            .with_context_lines(1)
            // Paths stay in one piece, and a command that is to be copied stays in one line.
            .with_break_words(false)
            .with_wrap_lines(!self.message.contains("`curl "))
            .with_links(false)
            .with_cause_chain();
        if handler.render_report(&mut text, &shown).is_err() {
            text.clone_from(&self.message);
        }
        let mut tidy = String::with_capacity(text.len());
        for line in text.trim_end().lines() {
            tidy.push_str(line.trim_end());
            tidy.push('\n');
        }
        tidy
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = self.span() {
            write!(f, "{}: ", span.link())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// What was found, in the order in which it was found.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// No problems yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds those of `other`.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Problem>) {
        self.0.extend(other);
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sorts them by place within each file, files in the order of their first problem; what stands nowhere stays first.
    pub fn sort_by_place(&mut self) {
        let mut files: Vec<String> = Vec::new();
        for span in self.0.iter().filter_map(Problem::span) {
            if files.last().is_none_or(|last| last != span.source().name())
                && !files.iter().any(|known| known == span.source().name())
            {
                files.push(span.source().name().to_owned());
            }
        }
        self.0.sort_by_cached_key(|problem| {
            problem.span().map(|span| {
                let file = files.iter().position(|known| known == span.source().name());
                (file.unwrap_or(0), span.range().start)
            })
        });
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// How problems are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// With box-drawing characters.
    pub unicode: bool,
    /// The columns that there are.
    pub width: usize,
}

/// The one of `candidates` that was most likely meant by `word`, where one is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = fold(word);
    candidates
        .into_iter()
        .map(|candidate| {
            let folded = fold(candidate);
            // `user` for `user_id`: what goes on in the same words is nearer than its length says.
            let begins = wanted.len() >= 3 && (folded.starts_with(&wanted) || wanted.starts_with(&folded));
            let bonus = if begins { 0.25 } else { 0.0 };
            (strsim::normalized_damerau_levenshtein(&wanted, &folded) + bonus, candidate)
        })
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// ``did you mean `x`?``, or a list of what there is where that is short enough to help.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(found) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{found}`?"));
    }
    match candidates.len() {
        0 => None,
        1..=40 => Some(format!("known here: {}", candidates.join(", "))),
        _ => None,
    }
}

/// ``did you mean `x`?``, or what there is: where that is much, the nearest first and not all.
pub fn suggest_nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const SHOWN: usize = 8;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(found) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{found}`?"));
    }
    if candidates.is_empty() {
        return None;
    }
    if candidates.len() <= SHOWN {
        return Some(format!("known here: {}", candidates.join(", ")));
    }
    let word = word.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate))
        .collect();
    scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let rest = scored.len().saturating_sub(SHOWN);
    let nearest: Vec<&str> = scored.into_iter().take(SHOWN).map(|(_, candidate)| candidate).collect();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    Some(format!("known here: {}{more}", nearest.join(", ")))
}

/// An I/O error without its number.
pub(crate) fn io_cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// A problem in the form that miette draws.
struct Shown<'a> {
    problem: &'a Problem,
    code: Option<View>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Shown<'a> {
    fn new(problem: &'a Problem) -> Self {
        let Some(first) = problem.span() else {
            return Self { problem, code: None, labels: Vec::new() };
        };
        let here: Vec<&Label> =
            problem.labels.iter().filter(|l| l.span.source().name() == first.source().name()).collect();
        let spans: Vec<Range<usize>> = here.iter().map(|label| label.span.range()).collect();
        let excerpt = first.source().excerpt(&spans, 1, LINE_WIDTH);
        let labels = here
            .iter()
            .zip(&excerpt.spans)
            .enumerate()
            .map(|(index, (label, range))| {
                let text = (!label.text.is_empty()).then(|| harmless(&label.text));
                let span = SourceSpan::from((range.start, range.len()));
                if index == 0 {
                    LabeledSpan::new_primary_with_span(text, span)
                } else {
                    LabeledSpan::new_with_span(text, span)
                }
            })
            .collect();
        // A cropped line begins later than its excerpt says.
        let shown = excerpt.spans.first().map_or(0, |range| {
            let before = &excerpt.text[..range.start];
            before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count()
        });
        let view = View {
            name: harmless(first.source().name()),
            text: harmless(&excerpt.text),
            first_line: excerpt.first_line,
            cropped_columns: (first.position().column - 1).saturating_sub(shown),
        };
        Self { problem, code: Some(view), labels }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.problem, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&harmless(&self.problem.message))
    }
}

/// A terminal obeys control characters, and files and servers may hold them. Each becomes something of the same length
/// in bytes, so that spans stay where they are.
fn harmless(text: &str) -> String {
    let harmless = |c: char| match c {
        '\n' | '\t' => c,
        c if c.is_control() && c.len_utf8() == 1 => '?',
        c if c.is_control() => '\u{b7}',
        c => c,
    };
    text.chars().map(harmless).collect()
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        (!self.problem.code.is_empty()).then(|| Box::new(self.problem.code) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.problem.help.as_ref().map(|help| Box::new(harmless(help)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.code.as_ref().map(|code| code as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// An excerpt that knows the line it begins at.
struct View {
    name: String,
    text: String,
    first_line: usize,
    cropped_columns: usize,
}

impl SourceCode for View {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            contents.line() + self.first_line,
            contents.column() + self.cropped_columns,
            contents.line_count(),
        )))
    }
}
