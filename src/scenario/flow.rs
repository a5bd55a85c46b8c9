//! Modifiers that run a step more than once: `repeat`, `for_each` and `until`.

use std::time::Duration;

use serde_json::Value;

use super::action::{self, OperationAction};
use super::defaults::Defaults;
use super::read::check_name;
use super::step;
use crate::agentos::{self, items::Items};
use crate::diagnostic::{self, Problem, Problems};
use crate::expect::Expectations;
use crate::expr::Expression;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Key, Kind, Node};

/// The variable that holds the item of a `for_each` which names none.
pub(crate) const ITEM: &str = "item";

/// A step that runs once per item.
#[derive(Debug)]
pub struct Loop {
    /// What it goes over.
    pub over: Over,
    /// The variable that holds the item, or the list of them where there is a `batch`.
    pub item: String,
    /// How many run at the same time.
    pub concurrency: usize,
    /// How many items one round takes.
    pub batch: Option<usize>,
    /// How fast rounds begin.
    pub rate: Option<Rate>,
    /// Whether the first failure ends it. Without a word, a failed item of an operation's list does not stop the others.
    pub stop_on_failure: bool,
    /// How many items it may delete without somebody being asked.
    pub max_deletes: Option<Template>,
}

/// What a loop goes over.
#[derive(Debug)]
pub enum Over {
    /// So many times.
    Times(Template),
    /// The members of a list.
    Items(Template),
    /// What an operation lists, to the last page.
    Listed(Box<Listing>),
}

/// A list operation and which of its entries are meant.
#[derive(Debug)]
pub struct Listing {
    /// The key of the operation: `get_sessions`.
    pub key: Key,
    /// The operation and its fields.
    pub action: OperationAction,
    /// What its entries are.
    pub items: Items,
    /// Only those for which this is true.
    pub filter: Option<Expression>,
}

/// So many in this time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The time between two.
    pub interval: Duration,
}

impl Rate {
    /// Reads `5/s`, `100/m`, `1000/h`.
    fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once('/')?;
        let seconds = match unit.trim() {
            "s" | "sec" | "second" => 1.0,
            "m" | "min" | "minute" => 60.0,
            "h" | "hour" => 3600.0,
            _ => return None,
        };
        let count: f64 = count.trim().parse().ok().filter(|count| (0.001..=1_000_000.0).contains(count))?;
        Some(Self { interval: Duration::from_secs_f64(seconds / count) })
    }
}

impl Loop {
    /// Whether it goes over what an operation lists.
    pub fn is_bulk(&self) -> bool {
        matches!(self.over, Over::Listed(_))
    }
}

impl Over {
    /// The expressions that say what it goes over, but for the filter, which reads the item.
    pub fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        match self {
            Self::Times(template) | Self::Items(template) => template.for_each_expression(visit),
            Self::Listed(listing) => {
                for (_, template) in &listing.action.fields {
                    template.for_each_expression(visit);
                }
            }
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

/// The modifiers that only a loop has.
const OF_LOOPS: [&str; 6] = ["as", "concurrency", "batch", "rate", "stop_on_failure", "max_deletes"];

/// Reads `repeat` or `for_each` with the modifiers of loops.
pub(super) fn parse_loop(fields: &Fields<'_>, defaults: &Defaults, problems: &mut Problems) -> Option<Loop> {
    let (repeat, for_each) = (fields.get("repeat"), fields.get("for_each"));
    if let (Some(repeat), Some(for_each)) = (repeat, for_each) {
        problems.push(
            Problem::error("step::loop", "a step has `repeat` or `for_each`, not both")
                .label(&for_each.key.span, "second loop")
                .label(&repeat.key.span, "first loop")
                .help("put one step into a `group` of the other"),
        );
    }
    for name in OF_LOOPS {
        if let (Some(entry), None, None) = (fields.get(name), repeat, for_each) {
            problems.push(
                Problem::error("step::loop", format!("`{name}` needs `for_each` or `repeat`"))
                    .label(&entry.key.span, "no loop in this step"),
            );
        }
    }
    let looped = repeat.or(for_each)?;
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
            Some(Over::Times(Template::parse(&entry.value, problems)))
        }
        (None, Some(entry)) => match &entry.value.kind {
            Kind::Mapping(_) => {
                listing(&entry.value, defaults, problems).map(|listing| Over::Listed(Box::new(listing)))
            }
            Kind::Sequence(_) => Some(Over::Items(Template::parse(&entry.value, problems))),
            Kind::String(text) if text.contains("${{") => {
                Some(Over::Items(Template::parse(&entry.value, problems)))
            }
            _ => {
                problems.push(
                    expected(
                        "step::loop",
                        "`for_each`",
                        "a list, an expression or an operation that lists",
                        &entry.value,
                    )
                    .help("for_each: { get_sessions: { user_id: alice } }"),
                );
                None
            }
        },
        (None, None) => return None,
    };
    let item = fields.get("as").and_then(|entry| {
        let name = string(&entry.value, "`as`", problems)?;
        let key = Key { span: entry.value.span.clone(), name };
        check_name(&key, problems).then_some(key.name)
    });
    let concurrency = number(fields, "concurrency", 1000, problems);
    let batch = number(fields, "batch", 100_000, problems);
    let rate = fields.get("rate").and_then(|entry| {
        let rate = entry.value.as_str().and_then(Rate::parse);
        if rate.is_none() {
            problems.push(
                expected("step::loop", "`rate`", "so many in a second, a minute or an hour", &entry.value)
                    .help("rate: 5/s, 100/m or 1000/h"),
            );
        }
        rate
    });
    let stop_on_failure = fields.boolean("stop_on_failure", problems);
    let max_deletes = fields.get("max_deletes").map(|entry| {
        let number = match &entry.value.kind {
            Kind::Number(number) => number.as_u64().is_some(),
            Kind::String(text) => text.contains("${{"),
            _ => false,
        };
        if !number {
            problems.push(expected("step::loop", "`max_deletes`", "a whole number", &entry.value));
        }
        Template::parse(&entry.value, problems)
    });
    // A loop over something that cannot be read is a loop: what its steps name is not held against them.
    let over = over.unwrap_or_else(|| Over::Items(Template::literal(Value::Null, &looped.value.span)));
    Some(Loop {
        item: item.unwrap_or_else(|| ITEM.to_owned()),
        concurrency: concurrency.unwrap_or(1),
        batch,
        rate,
        stop_on_failure: stop_on_failure.unwrap_or(!matches!(over, Over::Listed(_))),
        max_deletes,
        over,
    })
}

/// A whole number from 1.
fn number(fields: &Fields<'_>, name: &str, most: usize, problems: &mut Problems) -> Option<usize> {
    let entry = fields.get(name)?;
    let number = match &entry.value.kind {
        Kind::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
        _ => None,
    };
    let number = number.filter(|n| (1..=most).contains(n));
    if number.is_none() {
        let wanted = format!("a number from 1 to {most}");
        problems.push(expected("step::loop", &format!("`{name}`"), &wanted, &entry.value));
    }
    number
}

/// `{ get_sessions: {...}, where: ${{ ... }} }`
fn listing(node: &Node, defaults: &Defaults, problems: &mut Problems) -> Option<Listing> {
    let fields = Fields::new(node, "`for_each`", problems);
    let filter = fields.get("where").and_then(|entry| step::condition(&entry.value, "where", problems));
    let mut found: Option<Listing> = None;
    for entry in fields.entries().iter().filter(|entry| entry.key.name != "where") {
        if let Some(first) = &found {
            problems.push(
                Problem::error("step::loop", "`for_each` goes over one operation")
                    .label(&entry.key.span, "a second one")
                    .label(&first.key.span, "the first"),
            );
            continue;
        }
        let name = entry.key.name.as_str();
        let Some(operation) = agentos::find(name) else {
            let known = Items::operations().chain(["where"]);
            let hint = match name {
                "as" | "var" => Some("the name of an entry stands beside `for_each`, as `as: NAME`".to_owned()),
                "list" | "in" | "items" | "over" | "of" | "from" | "operation" => Some(
                    "the operation is the key, and each of its entries is `item`: for_each: { get_sessions: {} }"
                        .to_owned(),
                ),
                "range" | "times" | "count" | "to" | "until" => {
                    Some("numbers are a list: for_each: ${{ range(1, 31) }}".to_owned())
                }
                _ => diagnostic::suggest(name, known),
            };
            problems.push(
                Problem::error("operation::unknown", format!("there is no operation `{name}`"))
                    .label(&entry.key.span, "unknown operation")
                    .maybe_help(hint),
            );
            continue;
        };
        let Some(items) = Items::of(operation.spec) else {
            problems.push(
                Problem::error("step::loop", format!("{} answers no list to go over", operation.spec.name))
                    .label(&entry.key.span, "no list")
                    .help("`for_each` takes get_sessions, list_memories, list_knowledge_content, get_traces, list_eval_runs, get_session_runs, list_agents, ..."),
            );
            continue;
        };
        let mut values = action::fields(operation, entry, defaults, problems);
        if let (true, Some((key, _))) =
            (operation.spec.paged, values.iter().find(|(key, _)| key.name == "page"))
        {
            problems.push(
                Problem::error("step::loop", "`for_each` goes over all pages: `page` has no meaning in it")
                    .label(&key.span, "of all of them")
                    .help("`limit` says how many items one request asks for"),
            );
        }
        values.retain(|(key, _)| key.name != "page");
        let action = OperationAction { operation, fields: values };
        found = Some(Listing { key: entry.key.clone(), action, items, filter: None });
    }
    if found.is_none() && fields.entries().iter().all(|entry| entry.key.name == "where") {
        problems.push(
            Problem::error("step::loop", "`for_each` names no operation to go over")
                .label(&node.span, "nothing to list")
                .help("for_each: { get_sessions: { user_id: alice }, where: \"${{ item.updated_at | age > '30d' }}\" }"),
        );
    }
    found.map(|listing| Listing { filter, ..listing })
}

/// Reads `until` with `every` and `within`.
pub(super) fn parse_until(
    fields: &Fields<'_>,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Option<Until> {
    let entry = fields.get("until");
    for name in ["every", "within"] {
        if let (Some(given), None) = (fields.get(name), entry) {
            problems.push(
                Problem::error("step::until", format!("`{name}` needs `until`"))
                    .label(&given.key.span, "no `until` in this step"),
            );
        }
    }
    let every = fields.duration("every", problems).or(defaults.every).unwrap_or(Duration::from_millis(500));
    let within = fields.duration("within", problems).or(defaults.within).unwrap_or(Duration::from_secs(30));
    let entry = entry?;
    Some(Until { expect: Expectations::parse(&entry.value, problems), every, within })
}

impl Until {
    /// The expressions in it.
    pub fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        self.expect.for_each_expression(visit);
    }
}
