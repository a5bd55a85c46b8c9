//! The differences that are accepted, each with its reason.

use super::compare::Difference;
use serde::Deserialize;
use std::{fs, path::Path};

/// One of them. Both patterns may hold `*` for anything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Which request: `file: group: number. METHOD /path`.
    pub(super) request: String,
    /// What in its answer: `status`, `header date`, `body.data[0].name`, `events[3].content`.
    pub(super) place: String,
    reason: String,
    /// Whether it is a matter of chance, so that it may also not occur.
    #[serde(default)]
    pub(super) sometimes: bool,
}

impl Entry {
    /// Whether it is about requests of one of these files.
    pub(super) fn concerns(&self, scripts: &[&str]) -> bool {
        let file = self.request.split(':').next().unwrap_or_default();
        // What concerns any of them need not come true among a few.
        if file.contains('*') { scripts.len() > 3 } else { scripts.contains(&file) }
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) entries: Vec<Entry>,
}

impl Accepted {
    pub(super) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let entries: Vec<Entry> =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for entry in &entries {
            assert!(entry.reason.len() > 20, "{}: `{}` needs a reason", file.display(), entry.place);
        }
        Self { entries }
    }

    /// Which entries accept a difference.
    pub(super) fn of<'a>(&'a self, difference: &'a Difference) -> impl Iterator<Item = usize> + 'a {
        self.entries.iter().enumerate().filter_map(|(index, entry)| {
            let fits = fits(&entry.request, &difference.request) && fits(&entry.place, &difference.place);
            fits.then_some(index)
        })
    }
}

/// Whether a text is what a pattern says, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn patterns_fit_what_they_say() {
    for (pattern, text, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "ab", true),
        ("*b", "ab", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abde", false),
        ("a*a", "a", false),
        ("*", "", true),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
}
