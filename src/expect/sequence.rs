//! `sequence`: the order of events and of tool calls, as a pattern of names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::argument;
use super::judge::{Case, Judgement};
use super::show;
use super::tools::name_of;
use crate::diagnostic::{Problem, Problems, nearest};
use crate::yaml::{Kind, Node};

/// What stands for anything between two names.
const GAP: &str = "...";

/// An ordered pattern that describes a list from its first member to its last.
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    items: Vec<Item>,
}

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// `Name`: once.
    One(String),
    /// `Name+`: once or more.
    Some(String),
    /// `Name*`: any number of times.
    Any(String),
    /// `Name?`: once or not at all.
    Optional(String),
    /// `"..."`: whatever comes.
    Gap,
}

impl Item {
    fn parse(text: &str) -> Self {
        if text == GAP {
            return Self::Gap;
        }
        match text.char_indices().next_back() {
            Some((at, '+')) => Self::Some(text[..at].to_owned()),
            Some((at, '*')) => Self::Any(text[..at].to_owned()),
            Some((at, '?')) => Self::Optional(text[..at].to_owned()),
            _ => Self::One(text.to_owned()),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::One(name) | Self::Some(name) | Self::Any(name) | Self::Optional(name) => Some(name),
            Self::Gap => None,
        }
    }

    /// Whether it may stand for nothing.
    fn may_be_absent(&self) -> bool {
        matches!(self, Self::Any(_) | Self::Optional(_) | Self::Gap)
    }

    /// Whether it may stand for more than one member.
    fn repeats(&self) -> bool {
        matches!(self, Self::Some(_) | Self::Any(_))
    }
}

impl Sequence {
    /// Reads a list of names.
    pub(super) fn parse(node: &Node, problems: &mut Problems) -> Option<Self> {
        let help = "write `sequence: [RunStarted, \"...\", RunContent+, \"...\", RunCompleted]`";
        let Kind::Sequence(nodes) = &node.kind else {
            problems.push(
                argument::wrong(&node.span, format!("expected a list of names, found {}", node.describe()))
                    .help(help),
            );
            return None;
        };
        if nodes.is_empty() {
            problems.push(
                Problem::error("expect::empty", "the sequence is empty")
                    .label(&node.span, "no name in it")
                    .help("that nothing is there is `empty: true`"),
            );
            return None;
        }
        let before = problems.len();
        let mut items = Vec::new();
        for item in nodes {
            match item.as_str().map(Item::parse) {
                Some(parsed)
                    if parsed.name().is_none_or(|name| !name.is_empty() && !name.contains("${{")) =>
                {
                    items.push(parsed);
                }
                _ => problems.push(
                    argument::wrong(
                        &item.span,
                        "expected a name, with `+`, `*` or `?` behind it, or \"...\"",
                    )
                    .help(help),
                ),
            }
        }
        (problems.len() == before).then_some(Self { items })
    }

    /// It for a message.
    pub(super) fn describe(&self) -> String {
        let texts: Vec<String> = self
            .items
            .iter()
            .map(|item| match item {
                Item::One(name) => name.clone(),
                Item::Some(name) => format!("{name}+"),
                Item::Any(name) => format!("{name}*"),
                Item::Optional(name) => format!("{name}?"),
                Item::Gap => GAP.to_owned(),
            })
            .collect();
        format!("the sequence {}", texts.join(", "))
    }

    /// All places of the pattern that are reached from these without a further member.
    fn closure(&self, places: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut closed = BTreeSet::new();
        for mut place in places {
            while closed.insert(place) && self.items.get(place).is_some_and(Item::may_be_absent) {
                place += 1;
            }
        }
        closed
    }

    /// The places that are reached by one more member.
    fn step(&self, places: &BTreeSet<usize>, name: &str) -> BTreeSet<usize> {
        let mut next = BTreeSet::new();
        for &place in places {
            match self.items.get(place) {
                Some(Item::Gap) => {
                    next.insert(place);
                }
                Some(item) if item.name() == Some(name) => {
                    next.insert(place + 1);
                }
                _ => {}
            }
            let before = place.checked_sub(1).and_then(|before| self.items.get(before));
            if before.is_some_and(|item| item.repeats() && item.name() == Some(name)) {
                next.insert(place);
            }
        }
        self.closure(next)
    }

    /// The names that could come next, and whether it could end here.
    fn expected_at(&self, places: &BTreeSet<usize>) -> String {
        let mut names: Vec<&str> = places.iter().filter_map(|&place| self.items.get(place)?.name()).collect();
        names.dedup();
        if places.contains(&self.items.len()) {
            names.push("the end");
        }
        names.join(" or ")
    }

    /// `sequence`.
    pub(super) fn judge(&self, case: &Case, actual: &Value) -> Judgement {
        let names: Option<Vec<&str>> =
            actual.as_array().and_then(|items| items.iter().map(name_of).collect());
        let Some(names) = names else {
            return case.cannot("is no list of events or tool calls");
        };
        let mut places = self.closure(BTreeSet::from([0]));
        for (index, name) in names.iter().enumerate() {
            let next = self.step(&places, name);
            if next.is_empty() {
                let after = index.checked_sub(1).map_or("at the beginning".to_owned(), |before| {
                    format!("at {index}, after `{}`,", names[before])
                });
                let expected = self.expected_at(&places);
                let sentence =
                    format!("has another order: {after} came `{name}` where {expected} was expected");
                return Judgement::Fails(self.explained(case, &sentence, &names));
            }
            places = next;
        }
        if places.contains(&self.items.len()) {
            return Judgement::Holds;
        }
        let expected = self.expected_at(&places);
        let sentence = match names.last() {
            Some(last) => format!("ends too early: after `{last}` {expected} was expected"),
            None => format!("is empty where {expected} was expected"),
        };
        Judgement::Fails(self.explained(case, &sentence, &names))
    }

    fn explained(&self, case: &Case, sentence: &str, names: &[&str]) -> Box<super::judge::Failure> {
        // A name that never comes at all is probably misspelt.
        let stranger = self.items.iter().filter_map(Item::name).find(|name| !names.contains(name));
        let help = stranger.and_then(|name| {
            nearest(name, names.iter().copied()).map(|found| format!("did you mean `{found}`?"))
        });
        let open = self.items.iter().any(|item| item.name().is_none());
        let help = help.or_else(|| {
            let gap = "`\"...\"` in the sequence stands for whatever comes there, `Name+` for one or more";
            (!open && names.len() > self.items.len()).then(|| gap.to_owned())
        });
        let mut failure = case.failure(sentence).maybe_help(help);
        failure.actual = show::cut(&runs(names), 2 * show::LONG);
        failure
    }
}

/// Names with repetitions counted: `RunStarted, RunContent (12 times), RunCompleted`.
fn runs(names: &[&str]) -> String {
    let mut runs: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match runs.last_mut() {
            Some((last, count)) if last == name => *count += 1,
            _ => runs.push((name, 1)),
        }
    }
    let texts: Vec<String> = runs
        .into_iter()
        .map(|(name, count)| if count > 1 { format!("{name} ({count} times)") } else { name.to_owned() })
        .collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") }
}
