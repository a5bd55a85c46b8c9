//! Modifiers that run a step more than once: `repeat`, `for_each` and `until`.

use std::time::Duration;

use super::read::check_name;
use crate::diagnostic::{Problem, Problems};
use crate::expect::Expectations;
use crate::expr::Expression;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Key, Kind};

/// The variable that holds the item of a `for_each` which names none.
const ITEM: &str = "item";

/// A step that runs once per item.
#[derive(Debug)]
pub struct Loop {
    /// What it goes over.
    pub over: Over,
    /// The variable that holds the item.
    pub item: String,
    /// How many run at the same time.
    pub concurrency: usize,
}

/// What a loop goes over.
#[derive(Debug)]
pub enum Over {
    /// So many times.
    Times(Template),
    /// The members of a list.
    Items(Template),
}

impl Over {
    /// The value that says how often.
    pub fn template(&self) -> &Template {
        match self {
            Self::Times(template) | Self::Items(template) => template,
        }
    }
}

/// A step that is repeated until something holds.
#[derive(Debug)]
pub struct Until {
    /// What must hold.
    pub expect: Expectations,
    /// The pause between two tries.
    pub every: Duration,
    /// The time that it may take.
    pub within: Duration,
}

/// Reads `repeat` or `for_each` with `as` and `concurrency`.
pub(super) fn parse_loop(fields: &Fields<'_>, problems: &mut Problems) -> Option<Loop> {
    let (repeat, for_each) = (fields.get("repeat"), fields.get("for_each"));
    if let (Some(repeat), Some(for_each)) = (repeat, for_each) {
        problems.push(
            Problem::error("step::loop", "a step has `repeat` or `for_each`, not both")
                .label(&for_each.key.span, "second loop")
                .label(&repeat.key.span, "first loop")
                .help("put one step into a `group` of the other"),
        );
    }
    for name in ["as", "concurrency"] {
        if let (Some(entry), None, None) = (fields.get(name), repeat, for_each) {
            problems.push(
                Problem::error("step::loop", format!("`{name}` needs `for_each` or `repeat`"))
                    .label(&entry.key.span, "no loop in this step"),
            );
        }
    }
    let over = match (repeat, for_each) {
        (Some(entry), _) => {
            let times = match &entry.value.kind {
                Kind::Number(number) => number.as_u64().is_some(),
                Kind::String(text) => text.contains("${{"),
                _ => false,
            };
            if !times {
                problems.push(expected("step::loop", "`repeat`", "a whole number", &entry.value));
            }
            Over::Times(Template::parse(&entry.value, problems))
        }
        (None, Some(entry)) => {
            match &entry.value.kind {
                Kind::Sequence(_) => {}
                Kind::String(text) if text.contains("${{") => {}
                Kind::Mapping(_) => problems.push(
                    Problem::error(
                        "scenario::planned",
                        "going over the pages of an operation is not supported by this version",
                    )
                    .label(&entry.key.span, "not yet")
                    .help("list first and go over `${{ steps.ID.body.data }}`"),
                ),
                _ => problems.push(expected(
                    "step::loop",
                    "`for_each`",
                    "a list or an expression",
                    &entry.value,
                )),
            }
            Over::Items(Template::parse(&entry.value, problems))
        }
        (None, None) => return None,
    };
    let item = fields.get("as").and_then(|entry| {
        let name = string(&entry.value, "`as`", problems)?;
        let key = Key { span: entry.value.span.clone(), name };
        check_name(&key, problems).then_some(key.name)
    });
    let concurrency = fields.get("concurrency").map_or(Some(1), |entry| match &entry.value.kind {
        Kind::Number(number) => {
            number.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| (1..=1000).contains(n))
        }
        _ => None,
    });
    if let (None, Some(entry)) = (concurrency, fields.get("concurrency")) {
        problems.push(expected("step::loop", "`concurrency`", "a number from 1 to 1000", &entry.value));
    }
    Some(Loop { over, item: item.unwrap_or_else(|| ITEM.to_owned()), concurrency: concurrency.unwrap_or(1) })
}

/// Reads `until` with `every` and `within`.
pub(super) fn parse_until(fields: &Fields<'_>, problems: &mut Problems) -> Option<Until> {
    let entry = fields.get("until");
    for name in ["every", "within"] {
        if let (Some(given), None) = (fields.get(name), entry) {
            problems.push(
                Problem::error("step::until", format!("`{name}` needs `until`"))
                    .label(&given.key.span, "no `until` in this step"),
            );
        }
    }
    let every = fields.duration("every", problems).unwrap_or(Duration::from_millis(500));
    let within = fields.duration("within", problems).unwrap_or(Duration::from_secs(30));
    let entry = entry?;
    Some(Until { expect: Expectations::parse(&entry.value, problems), every, within })
}

impl Until {
    /// The expressions in it.
    pub fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        self.expect.for_each_expression(visit);
    }
}
