//! Which scenarios run: by tags and by name.

use std::collections::VecDeque;

use super::Instance;
use crate::source::Span;

/// A condition on tags: `smoke and not (slow or flaky)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// The tag is there.
    Tag(String),
    /// Both hold.
    And(Box<Tags>, Box<Tags>),
    /// At least one holds.
    Or(Box<Tags>, Box<Tags>),
    /// It does not hold.
    Not(Box<Tags>),
}

/// How deep a condition may nest.
const MAX_DEPTH: usize = 64;

impl Tags {
    /// Reads a condition. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let mut words: VecDeque<&str> = spaced.split_whitespace().collect();
        if words.is_empty() {
            return Err("there is no tag in it".to_owned());
        }
        let parsed = Self::any(&mut words, 0)?;
        match words.front() {
            None => Ok(parsed),
            Some(word) => Err(format!("`and` or `or` is missing before `{word}`")),
        }
    }

    fn any(words: &mut VecDeque<&str>, depth: usize) -> Result<Self, String> {
        let mut left = Self::all(words, depth)?;
        while words.front() == Some(&"or") {
            words.pop_front();
            left = Self::Or(Box::new(left), Box::new(Self::all(words, depth)?));
        }
        Ok(left)
    }

    fn all(words: &mut VecDeque<&str>, depth: usize) -> Result<Self, String> {
        let mut left = Self::one(words, depth)?;
        while words.front() == Some(&"and") {
            words.pop_front();
            left = Self::And(Box::new(left), Box::new(Self::one(words, depth)?));
        }
        Ok(left)
    }

    fn one(words: &mut VecDeque<&str>, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err("it nests too deep".to_owned());
        }
        match words.pop_front() {
            None => Err("it ends too early".to_owned()),
            Some("not") => Ok(Self::Not(Box::new(Self::one(words, depth + 1)?))),
            Some("(") => {
                let inner = Self::any(words, depth + 1)?;
                match words.pop_front() {
                    Some(")") => Ok(inner),
                    _ => Err("a `(` is not closed".to_owned()),
                }
            }
            Some(word @ ("and" | "or" | ")")) => Err(format!("a tag is missing before `{word}`")),
            Some(tag) => Ok(Self::Tag(tag.to_owned())),
        }
    }

    /// Whether it holds for a scenario with these tags.
    pub fn hold(&self, tags: &[String]) -> bool {
        match self {
            Self::Tag(tag) => tags.contains(tag),
            Self::And(a, b) => a.hold(tags) && b.hold(tags),
            Self::Or(a, b) => a.hold(tags) || b.hold(tags),
            Self::Not(inner) => !inner.hold(tags),
        }
    }
}

/// What is asked for.
#[derive(Debug, Default)]
pub struct Selection {
    /// A condition on the tags.
    pub tags: Option<Tags>,
    /// A pattern in the name or in `file:line`.
    pub filter: Option<regex::Regex>,
}

impl Selection {
    /// Whether one run of a scenario is asked for: by its name with that of its case, by its place, by that of its row.
    pub fn takes(&self, instance: &Instance) -> bool {
        let scenario = instance.scenario();
        let line = |span: &Span| format!("{}:{}", span.source().name(), span.position().line);
        let row = || instance.case().map(|case| line(case.span));
        self.tags.as_ref().is_none_or(|tags| tags.hold(&scenario.tags))
            && self.filter.as_ref().is_none_or(|filter| {
                filter.is_match(&instance.title())
                    || filter.is_match(&line(&scenario.span))
                    || row().is_some_and(|place| filter.is_match(&place))
            })
    }
}
