//! The modifier `snapshot`: what is taken of an answer and how it is made comparable, read and checked with the file.

use regex::Regex;

use super::name::slug;
use crate::diagnostic::{self, Problem, Problems};
use crate::jsonpath::Path;
use crate::source::Span;
use crate::yaml::fields::{Fields, expected, string};
use crate::yaml::{Key, Kind, Node};

/// What can be taken beside a path.
const WORDS: &[&str] =
    &["body", "content", "error", "events", "requirements", "status", "text", "tokens", "tools"];
/// The keys of a snapshot.
const KEYS: &[&str] = &["name", "of", "redact", "keep", "sort", "like", "shape", "tolerance"];
/// What stands where a rule without a placeholder replaced something.
const REDACTED: &str = "[redacted]";

/// One snapshot of a step.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Where it is written.
    pub span: Span,
    /// Its name.
    pub name: Key,
    /// What it is of.
    pub of: Of,
    /// What is replaced beside what always is.
    pub redact: Vec<Rule>,
    /// What is not replaced although it usually is.
    pub keep: Vec<Keep>,
    /// The lists in it that have no order.
    pub sort: Vec<Sort>,
    /// How similar a text must be.
    pub like: Option<f64>,
    /// Whether it is of types and keys alone.
    pub shape: bool,
    /// How near numbers must be.
    pub tolerance: Vec<Tolerance>,
}

/// How near numbers must be to those of the snapshot.
#[derive(Debug, Clone)]
pub struct Tolerance {
    /// Which; all that no other is for.
    pub pattern: Option<Pattern>,
    /// How near.
    pub amount: Amount,
}

/// A distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// As a number.
    Absolute(f64),
    /// As a part of the number of the snapshot.
    Relative(f64),
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum Of {
    /// The body, or a part of it.
    Path(Path),
    /// A word of the language.
    Word(&'static str),
    /// `headers.NAME`: a header.
    Header(String),
}

/// What stands before the name of a header.
pub(super) const HEADER: &str = "headers.";

impl Of {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Path(path) => path.as_str(),
            Self::Word(word) => word,
            Self::Header(text) => text,
        }
    }
}

/// Something to be replaced and what takes its place.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which.
    pub pattern: Pattern,
    /// What takes its place.
    pub placeholder: String,
}

/// A list without an order.
#[derive(Debug, Clone)]
pub struct Sort {
    /// Where it is.
    pub path: Path,
    /// The key of its members that they are sorted by; all of them otherwise.
    pub by: Option<String>,
}

/// Which values: by place, by key, by what stands in a text.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// What a path finds in what the snapshot is of.
    Path(Path),
    /// The values of a key, wherever it is.
    Key(String),
    /// A part of a text.
    Regex(Regex),
}

/// What a default rule leaves alone.
#[derive(Debug, Clone)]
pub enum Keep {
    /// All of them.
    All,
    /// A kind of rule.
    Kind(Kinds),
    /// Some values.
    Values(Pattern),
}

/// The kinds of default rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Ids of runs, sessions, messages, tool calls, memories.
    Ids,
    /// Points in time.
    Times,
    /// How long something took.
    Durations,
    /// Token counts and what they cost.
    Tokens,
    /// The id of this run of the program, in names made of it.
    Run,
    /// The pieces in which a streamed text came, and the order of what ran at the same time.
    Chunks,
}

impl Kinds {
    const ALL: [(&'static str, Self); 6] = [
        ("ids", Self::Ids),
        ("times", Self::Times),
        ("durations", Self::Durations),
        ("tokens", Self::Tokens),
        ("run", Self::Run),
        ("chunks", Self::Chunks),
    ];
}

/// Reads `snapshot`: a name, a mapping, or a list of them.
pub fn parse(node: &Node, problems: &mut Problems) -> Vec<Snapshot> {
    let snapshots: Vec<Snapshot> = match &node.kind {
        Kind::Sequence(items) => items.iter().filter_map(|item| one(item, problems)).collect(),
        _ => one(node, problems).into_iter().collect(),
    };
    for (index, snapshot) in snapshots.iter().enumerate() {
        let same = |other: &&Snapshot| slug(&other.name.name) == slug(&snapshot.name.name);
        if let Some(first) = snapshots[..index].iter().find(same) {
            problems.push(duplicate(&snapshot.name, &first.name));
        }
    }
    snapshots
}

/// Two snapshots of one step or of one scenario that would be one file.
pub fn duplicate(second: &Key, first: &Key) -> Problem {
    Problem::error("snapshot::duplicate", format!("two snapshots would be the file of `{}`", second.name))
        .label(&second.span, "second")
        .label(&first.span, "first")
        .help("give one of them another name")
}

fn one(node: &Node, problems: &mut Problems) -> Option<Snapshot> {
    if !matches!(node.kind, Kind::Mapping(_)) {
        let name = name(node, problems)?;
        return Some(Snapshot {
            span: node.span.clone(),
            name,
            of: whole()?,
            redact: Vec::new(),
            keep: Vec::new(),
            sort: Vec::new(),
            like: None,
            shape: false,
            tolerance: Vec::new(),
        });
    }
    let fields = Fields::new(node, "`snapshot`", problems);
    let named = if let Some(entry) = fields.get("name") {
        name(&entry.value, problems)
    } else {
        problems.push(
            Problem::error("snapshot::name", "the snapshot has no `name`")
                .label(&node.span, "what is it called?")
                .help("snapshot: { name: recall, of: content }"),
        );
        None
    };
    let of = match fields.get("of") {
        Some(entry) => of(&entry.value, problems),
        None => whole(),
    };
    let redact = fields.get("redact").map(|entry| rules(&entry.value, problems)).unwrap_or_default();
    let keep = fields.get("keep").map(|entry| keeps(&entry.value, problems)).unwrap_or_default();
    let sort = fields.get("sort").map(|entry| sorts(&entry.value, problems)).unwrap_or_default();
    let like = fields.get("like").and_then(|entry| like(&entry.value, problems));
    let shape = fields.boolean("shape", problems).unwrap_or(false);
    let tolerance =
        fields.get("tolerance").map(|entry| tolerances(&entry.value, problems)).unwrap_or_default();
    for (name, given) in [("like", like.is_some()), ("tolerance", !tolerance.is_empty())] {
        if let (true, true, Some(entry)) = (shape, given, fields.get(name)) {
            problems.push(
                Problem::error(
                    "snapshot::shape",
                    format!("`shape: true` keeps no values for `{name}` to be near to"),
                )
                .label(&entry.key.span, "of no use here"),
            );
        }
    }
    fields.finish(KEYS, &[], "`snapshot`", problems);
    Some(Snapshot {
        span: node.span.clone(),
        name: named?,
        of: of?,
        redact,
        keep,
        sort,
        like,
        shape,
        tolerance,
    })
}

fn whole() -> Option<Of> {
    Path::parse("$").ok().map(Of::Path)
}

fn name(node: &Node, problems: &mut Problems) -> Option<Key> {
    let text = match &node.kind {
        Kind::String(text) => text.clone(),
        Kind::Number(number) => number.to_string(),
        _ => {
            problems.push(
                expected("snapshot::name", "`snapshot`", "a name or a mapping with `name`", node)
                    .help("snapshot: recall, or snapshot: { name: recall, of: content }"),
            );
            return None;
        }
    };
    if text.contains("${{") {
        problems.push(
            Problem::error("snapshot::name", "the name of a snapshot holds no expressions")
                .label(&node.span, "here")
                .help("rows of `cases` and turns of loops get files of their own by themselves"),
        );
        return None;
    }
    if !slug(&text).contains(char::is_alphanumeric) {
        problems.push(
            Problem::error("snapshot::name", format!("`{text}` cannot be the name of a file"))
                .label(&node.span, "it needs a letter or a digit"),
        );
        return None;
    }
    Some(Key { span: node.span.clone(), name: text })
}

fn of(node: &Node, problems: &mut Problems) -> Option<Of> {
    let Some(text) = node.as_str() else {
        problems.push(expected("snapshot::of", "`of`", "a JSONPath or a word such as `content`", node));
        return None;
    };
    if text.starts_with('$') {
        return path(text, node, problems).map(Of::Path);
    }
    if let Some(word) = WORDS.iter().find(|word| **word == text) {
        return Some(Of::Word(word));
    }
    if text.strip_prefix(HEADER).is_some_and(|name| !name.is_empty()) {
        return Some(Of::Header(text.to_owned()));
    }
    problems.push(
        Problem::error("snapshot::of", format!("an answer has no `{text}` to take"))
            .label(&node.span, "no such part")
            .help(diagnostic::nearest(text, WORDS.iter().copied()).map_or_else(
                || {
                    format!(
                        "a field of the body is `$.{text}`; the words are {} and headers.NAME",
                        WORDS.join(", ")
                    )
                },
                |word| format!("did you mean `{word}`? A field of the body is `$.{text}`"),
            )),
    );
    None
}

fn path(text: &str, node: &Node, problems: &mut Problems) -> Option<Path> {
    Path::parse(text)
        .map_err(|error| {
            problems.push(
                Problem::error("snapshot::jsonpath", format!("`{text}` is no JSONPath: {}", error.message))
                    .label(&node.span, "here"),
            );
        })
        .ok()
}

/// A key, a JSONPath or `/a regular expression/`.
fn pattern(text: &str, node: &Node, problems: &mut Problems) -> Option<Pattern> {
    if text.starts_with('$') {
        return path(text, node, problems).map(Pattern::Path);
    }
    if let Some(regex) = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        return match Regex::new(regex) {
            Ok(regex) if !regex.is_match("") => Some(Pattern::Regex(regex)),
            Ok(_) => {
                problems.push(
                    Problem::error(
                        "snapshot::regex",
                        format!("`/{regex}/` matches nothing at all, everywhere"),
                    )
                    .label(&node.span, "matches an empty text"),
                );
                None
            }
            Err(error) => {
                let cause = error.to_string();
                let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                problems.push(
                    Problem::error("snapshot::regex", format!("this is no regular expression: {cause}"))
                        .label(&node.span, "here"),
                );
                None
            }
        };
    }
    if text.is_empty() || text.contains(['*', '[', '/', ' ']) {
        problems.push(
            Problem::error("snapshot::rule", format!("`{text}` is no key"))
                .label(&node.span, "which values?")
                .help("a key (`score`), a JSONPath (`$.tools[*].result`) or a regular expression (`/order \\d+/`)"),
        );
        return None;
    }
    Some(Pattern::Key(text.to_owned()))
}

fn rules(node: &Node, problems: &mut Problems) -> Vec<Rule> {
    match &node.kind {
        Kind::Mapping(entries) => entries
            .iter()
            .filter_map(|entry| {
                let key = Node { span: entry.key.span.clone(), kind: Kind::Null };
                let pattern = pattern(&entry.key.name, &key, problems)?;
                let Some(placeholder) = entry.value.as_str() else {
                    problems.push(expected(
                        "snapshot::redact",
                        "what takes its place",
                        "a text such as \"[score]\"",
                        &entry.value,
                    ));
                    return None;
                };
                Some(Rule { pattern, placeholder: placeholder.to_owned() })
            })
            .collect(),
        _ => texts(node, "redact", problems)
            .into_iter()
            .filter_map(|(text, node)| {
                let pattern = pattern(text, node, problems)?;
                Some(Rule { pattern, placeholder: REDACTED.to_owned() })
            })
            .collect(),
    }
}

fn keeps(node: &Node, problems: &mut Problems) -> Vec<Keep> {
    texts(node, "keep", problems)
        .into_iter()
        .filter_map(|(text, node)| {
            if text == "all" {
                return Some(Keep::All);
            }
            if let Some((_, kind)) = Kinds::ALL.iter().find(|(name, _)| *name == text) {
                return Some(Keep::Kind(*kind));
            }
            pattern(text, node, problems).map(Keep::Values)
        })
        .collect()
}

/// `true` for what the snapshot is of, paths, or paths with the key to sort by.
fn sorts(node: &Node, problems: &mut Problems) -> Vec<Sort> {
    match &node.kind {
        Kind::Bool(true) => Path::parse("$").ok().map(|path| Sort { path, by: None }).into_iter().collect(),
        Kind::Bool(false) => Vec::new(),
        Kind::Mapping(entries) => entries
            .iter()
            .filter_map(|entry| {
                let key = Node { span: entry.key.span.clone(), kind: Kind::Null };
                let path = sort_path(&entry.key.name, &key, problems)?;
                let by = string(&entry.value, "the key to sort by", problems)?;
                Some(Sort { path, by: Some(by) })
            })
            .collect(),
        _ => texts(node, "sort", problems)
            .into_iter()
            .filter_map(|(text, node)| Some(Sort { path: sort_path(text, node, problems)?, by: None }))
            .collect(),
    }
}

fn sort_path(text: &str, node: &Node, problems: &mut Problems) -> Option<Path> {
    if !text.starts_with('$') {
        problems.push(
            Problem::error("snapshot::sort", format!("`{text}` is no JSONPath"))
                .label(&node.span, "which list?")
                .help("sort: $.data, sort: { $.data: session_name }, or `sort: true` for what the snapshot is of"),
        );
        return None;
    }
    path(text, node, problems)
}

fn like(node: &Node, problems: &mut Problems) -> Option<f64> {
    let like = match &node.kind {
        Kind::Number(number) => number.as_f64().filter(|like| (0.0..=1.0).contains(like)),
        _ => None,
    };
    if like.is_none() {
        problems.push(
            expected("snapshot::like", "`like`", "a number from 0 to 1", node)
                .help("like: 0.85 takes a text of which 85 of 100 words are the same"),
        );
    }
    like
}

fn tolerances(node: &Node, problems: &mut Problems) -> Vec<Tolerance> {
    let Kind::Mapping(entries) = &node.kind else {
        let amount = amount(node, problems);
        return amount.map(|amount| Tolerance { pattern: None, amount }).into_iter().collect();
    };
    entries
        .iter()
        .filter_map(|entry| {
            let key = Node { span: entry.key.span.clone(), kind: Kind::Null };
            let pattern = pattern(&entry.key.name, &key, problems)?;
            if matches!(pattern, Pattern::Regex(_)) {
                problems.push(
                    Problem::error("snapshot::tolerance", "a tolerance is for a key or a JSONPath")
                        .label(&entry.key.span, "a regular expression matches texts"),
                );
                return None;
            }
            Some(Tolerance { pattern: Some(pattern), amount: amount(&entry.value, problems)? })
        })
        .collect()
}

/// `0.01`, or `5%`.
fn amount(node: &Node, problems: &mut Problems) -> Option<Amount> {
    let amount = match &node.kind {
        Kind::Number(number) => number.as_f64().map(Amount::Absolute),
        Kind::String(text) => text
            .strip_suffix('%')
            .and_then(|part| part.trim().parse::<f64>().ok())
            .map(|part| Amount::Relative(part / 100.0)),
        _ => None,
    };
    let amount = amount.filter(|amount| {
        let (Amount::Absolute(size) | Amount::Relative(size)) = amount;
        size.is_finite() && *size >= 0.0
    });
    if amount.is_none() {
        problems.push(expected(
            "snapshot::tolerance",
            "a tolerance",
            "a number such as 0.01 or a part such as `5%`",
            node,
        ));
    }
    amount
}

/// A list of texts, or one.
fn texts<'n>(node: &'n Node, key: &str, problems: &mut Problems) -> Vec<(&'n str, &'n Node)> {
    let wrong = |node: &Node| {
        expected(
            "snapshot::rule",
            &format!("`{key}`"),
            "a list of keys, JSONPaths and /regular expressions/",
            node,
        )
    };
    let nodes = node.as_sequence().unwrap_or(std::slice::from_ref(node));
    nodes
        .iter()
        .filter_map(|item| {
            let text = item.as_str();
            if text.is_none() {
                problems.push(wrong(item));
            }
            Some((text?, item))
        })
        .collect()
}
