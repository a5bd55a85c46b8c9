//! Reading the rules by which somebody replies.

use std::collections::BTreeMap;

use regex::Regex;

use super::names::{self, ALWAYS};
use super::{After, Delay, Delegate, Fail, Rule, Say, faults, schema};
use crate::diagnostic::{self, Problem, Problems};
use crate::duration;
use crate::emulator::tools::Tool;
use crate::expr::{Expression, Text};
use crate::template::Template;
use crate::yaml::fields::{Fields, expected};
use crate::yaml::{Entry, Kind, Node};

/// Whose rules they are.
pub(super) struct Owner<'a> {
    /// All tools of the cast.
    pub(super) tools: &'a BTreeMap<String, &'static Tool>,
    /// The tools of the agent; none for a team, and for rules that several share.
    pub(super) own: Option<&'a [&'static Tool]>,
    /// The members of the team.
    pub(super) members: Option<&'a [&'static str]>,
    /// Whether several share them: a call of a tool that an agent lacks is then left out.
    pub(super) shared: bool,
}

/// A list of rules.
pub(super) fn all(node: &Node, owner: &Owner<'_>, problems: &mut Problems) -> Vec<Rule> {
    match &node.kind {
        Kind::Sequence(items) => {
            let rules: Vec<Rule> = items.iter().filter_map(|item| rule(item, owner, problems)).collect();
            let always = |rule: &Rule| {
                rule.when.is_none()
                    && rule.recall.is_none()
                    && rule.condition.is_none()
                    && rule.after.is_none()
                    && !rule.go_on
            };
            if let Some(at) = rules.iter().position(always).filter(|_| rules.len() == items.len())
                && let Some(later) =
                    rules.iter().zip(items).skip(at + 1).find(|(rule, _)| rule.after.is_none())
            {
                problems.push(
                    Problem::warning("cast::unreachable", "this rule is never reached")
                        .label(&later.1.span, "comes too late")
                        .label(&items[at].span, "this one always holds")
                        .help("the first rule that holds answers: put the one without a condition last"),
                );
            }
            rules
        }
        Kind::Null => Vec::new(),
        _ => {
            problems.push(
                expected("cast::type", "`replies`", "a list of rules", node)
                    .help("replies:\n  - when: hello\n    say: Hello, how can I help?"),
            );
            Vec::new()
        }
    }
}

fn rule(node: &Node, owner: &Owner<'_>, problems: &mut Problems) -> Option<Rule> {
    // A text is the short form of a rule that always says it.
    if let Kind::String(_) = node.kind {
        let template = Template::parse(node, problems);
        names::template(&template, &ALWAYS, problems);
        return Some(Rule { say: Some(Say::Text(template)), ..empty() });
    }
    let fields = Fields::new(node, "a rule", problems);
    node.as_mapping()?;
    schema::finish(&fields, schema::RULE, "a rule", problems);
    let mut rule = empty();
    let pattern = |name: &str, problems: &mut Problems| {
        fields.get(name).and_then(|entry| regex(&entry.value, problems))
    };
    rule.when = pattern("when", problems);
    rule.recall = pattern("recall", problems);
    rule.find = find(&fields, problems);
    rule.after = after(&fields, owner, problems);
    rule.go_on = fields.boolean("go_on", problems).unwrap_or(false);

    // What templates can read depends on the conditions.
    let when = rule.when.clone();
    let recall = rule.recall.clone();
    let mut known: Vec<&str> = ALWAYS.to_vec();
    for (regex, key, name) in [(&when, "when", "match"), (&recall, "recall", "recalled")] {
        if let Some(regex) = regex {
            known.push(name);
            known.extend(names::groups(regex));
        } else if let Some(entry) = fields.get(key) {
            known.push(name);
            known.extend(entry.value.as_str().into_iter().flat_map(names::groups_as_written));
        }
    }
    let found: Vec<String> = rule.find.iter().map(|(name, _)| name.clone()).collect();
    known.extend(found.iter().map(String::as_str));
    taken(&fields, &known[ALWAYS.len()..], problems);
    if rule.after.is_some() {
        known.push("results");
    }
    let templated = |name: &str, known: &[&str], problems: &mut Problems| {
        fields.get(name).map(|entry| checked(&entry.value, known, problems))
    };
    rule.condition = fields.get("if").and_then(|entry| condition(entry, &known, problems));
    rule.each = templated("for_each", &known, problems);
    let mut said = Vec::new();
    for (name, say) in [("say", Say::Text as fn(Template) -> Say), ("words", Say::Words), ("data", Say::Data)]
    {
        if let Some(template) = templated(name, &known, problems) {
            said.push(name);
            rule.say = Some(say(template));
        }
    }
    if let [first, second, ..] = said.as_slice() {
        problems.push(
            Problem::error("cast::rule", format!("a rule has `{first}` or `{second}`, not both"))
                .label(&node.span, "one answer")
                .help("`data` is for structured answers, `words` for so many words of filling"),
        );
    }
    let mut in_calls = known.clone();
    in_calls.extend(rule.each.is_some().then_some("item"));
    rule.calls = calls(&fields, owner, &in_calls, problems);
    rule.delegate = delegate(&fields, owner, &known, problems);
    let mut in_then = known.clone();
    in_then.push("results");
    rule.then = templated("then", &in_then, problems).map(Say::Text);
    rule.fail = fields.get("fail").and_then(|entry| fail(entry, &known, problems));
    rule.delay = fields.get("delay").and_then(|entry| delay(&entry.value, &known, problems));
    rule.tokens = tokens(&fields, &known, problems);
    if let Some(entry) = fields.get("state") {
        if entry.value.as_mapping().is_none() {
            problems.push(expected("cast::type", "`state`", "a mapping of what changes", &entry.value));
        }
        rule.state = Some(checked(&entry.value, &known, problems));
    }
    rule.fault = fields.get("fault").and_then(|entry| faults::faulty(&entry.value, false, problems));
    check_shape(&rule, &fields, node, problems);
    Some(rule)
}

/// What must stand together, and what must not.
fn check_shape(rule: &Rule, fields: &Fields<'_>, node: &Node, problems: &mut Problems) {
    let calls = fields.get("call").is_some() || fields.get("delegate").is_some();
    if !calls && rule.say.is_none() && rule.fail.is_none() && fields.get("fault").is_none() {
        problems.push(
            Problem::error("cast::rule", "this rule answers nothing")
                .label(&node.span, "here")
                .help("a rule has one of `say`, `data`, `words`, `call`, `delegate`, `fail` and `fault`"),
        );
    }
    for (name, why) in [
        ("then", "says what is said once tools have answered"),
        ("for_each", "repeats calls"),
        ("go_on", "adds the calls of later rules"),
    ] {
        if let Some(entry) = fields.get(name).filter(|_| !calls) {
            problems.push(
                Problem::error("cast::rule", format!("`{name}` {why}: this rule calls nothing"))
                    .label(&entry.key.span, "without `call`"),
            );
        }
    }
    if let (Some(entry), None) = (fields.get("task"), fields.get("delegate")) {
        problems.push(
            Problem::error("cast::rule", "`task` goes with `delegate`").label(&entry.key.span, "alone here"),
        );
    }
}

fn empty() -> Rule {
    Rule {
        when: None,
        recall: None,
        after: None,
        condition: None,
        find: Vec::new(),
        each: None,
        say: None,
        calls: Vec::new(),
        delegate: None,
        then: None,
        fail: None,
        delay: None,
        tokens: [None, None],
        state: None,
        go_on: false,
        fault: None,
    }
}

/// A name that a pattern gives must not hide one that is there anyway.
fn taken(fields: &Fields<'_>, given: &[&str], problems: &mut Problems) {
    for name in given {
        if !ALWAYS.contains(name) && !["results", "item"].contains(name) {
            continue;
        }
        let entry = ["when", "recall", "find"].iter().filter_map(|key| fields.get(key)).find(|entry| {
            let group = format!("<{name}>");
            entry.value.as_str().is_some_and(|text| text.contains(&group))
                || entry.value.as_mapping().is_some_and(|all| all.iter().any(|one| one.key.name == **name))
        });
        let problem = Problem::error("cast::name", format!("`{name}` means something else already"));
        let problem = match entry {
            Some(entry) => problem.label(&entry.value.span, "named here"),
            None => problem,
        };
        problems.push(problem.help("give the group another name"));
    }
}

fn checked(node: &Node, known: &[&str], problems: &mut Problems) -> Template {
    let template = Template::parse(node, problems);
    names::template(&template, known, problems);
    template
}

/// A regular expression.
pub(super) fn regex(node: &Node, problems: &mut Problems) -> Option<Regex> {
    let text = match &node.kind {
        Kind::String(text) => text.clone(),
        Kind::Number(number) => number.to_string(),
        _ => {
            problems.push(expected("cast::regex", "a pattern", "a regular expression", node));
            return None;
        }
    };
    match Regex::new(&text) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let cause = error.to_string();
            let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            problems.push(
                Problem::error("cast::regex", format!("this is no regular expression: {cause}"))
                    .label(&node.span, "here")
                    .help("`(?i)` ignores case, `(?<name>...)` names a group; look-around is not there"),
            );
            None
        }
    }
}

fn find(fields: &Fields<'_>, problems: &mut Problems) -> Vec<(String, Regex)> {
    let Some(entry) = fields.get("find") else { return Vec::new() };
    let Some(entries) = entry.value.as_mapping() else {
        problems.push(expected("cast::type", "`find`", "a mapping of names to patterns", &entry.value));
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| Some((entry.key.name.clone(), regex(&entry.value, problems)?)))
        .collect()
}

fn after(fields: &Fields<'_>, owner: &Owner<'_>, problems: &mut Problems) -> Option<After> {
    let entry = fields.get("after")?;
    let name = fields.text("after", problems)?;
    if name == "any" {
        return Some(After::Any);
    }
    if !owner.tools.contains_key(&name) {
        let known = owner.tools.keys().map(String::as_str).chain(["any"]);
        problems.push(
            Problem::error("cast::unknown", format!("there is no tool `{name}`"))
                .label(&entry.value.span, "not among `tools`")
                .maybe_help(diagnostic::suggest(&name, known)),
        );
    }
    Some(After::Tool(name))
}

fn condition(entry: &Entry, known: &[&str], problems: &mut Problems) -> Option<Expression> {
    let node = &entry.value;
    let parsed = match &node.kind {
        Kind::Bool(value) => Expression::parse(if *value { "true" } else { "false" }, &node.span),
        Kind::String(text) if text.contains("${{") => match Text::parse(text, &node.span) {
            Ok(Text::Whole(expression)) => Ok(expression),
            Ok(_) => Err(expected("cast::if", "`if`", "one expression and nothing around it", node)),
            Err(problem) => Err(problem),
        },
        Kind::String(text) => Expression::parse(text, &node.span),
        _ => Err(expected("cast::if", "`if`", "an expression", node)),
    };
    match parsed {
        Ok(expression) => {
            names::expression(&expression, known, problems);
            Some(expression)
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

fn calls(
    fields: &Fields<'_>,
    owner: &Owner<'_>,
    known: &[&str],
    problems: &mut Problems,
) -> Vec<(&'static str, Template)> {
    let Some(entry) = fields.get("call") else { return Vec::new() };
    // The name of a tool alone calls it without arguments.
    let pairs: Vec<(&str, &crate::source::Span, Option<&Node>)> = match &entry.value.kind {
        Kind::String(name) => vec![(name, &entry.value.span, None)],
        Kind::Mapping(entries) => {
            entries.iter().map(|it| (it.key.name.as_str(), &it.key.span, Some(&it.value))).collect()
        }
        _ => {
            problems.push(
                expected("cast::type", "`call`", "a mapping of tools to their arguments", &entry.value)
                    .help("call: { get_weather: { city: Paris } }"),
            );
            return Vec::new();
        }
    };
    let mut calls = Vec::new();
    for (name, span, arguments) in pairs {
        let Some(tool) = owner.tools.get(name) else {
            let known = owner.tools.keys().map(String::as_str);
            problems.push(
                Problem::error("cast::unknown", format!("there is no tool `{name}`"))
                    .label(span, "not among `tools`")
                    .maybe_help(diagnostic::suggest(name, known)),
            );
            continue;
        };
        let has = owner.own.is_some_and(|own| own.iter().any(|own| own.name() == name));
        if !owner.shared && !has {
            let help = if owner.members.is_some() {
                "a team calls no tools here: it delegates to its members".to_owned()
            } else if tool.searches() {
                "`knowledge: true` gives it this tool".to_owned()
            } else {
                format!("tools: [..., {name}]")
            };
            problems.push(
                Problem::error("cast::tool", format!("this one has no tool `{name}`"))
                    .label(span, "called here")
                    .help(help),
            );
        }
        let template = match arguments {
            Some(node) if !matches!(node.kind, Kind::Null | Kind::Mapping(_)) => {
                problems.push(expected("cast::type", "the arguments of a call", "a mapping", node));
                continue;
            }
            Some(node) => {
                tool.check_arguments(node, problems);
                checked(node, known, problems)
            }
            None => Template::literal(serde_json::json!({}), span),
        };
        calls.push((tool.name(), template));
    }
    calls
}

fn delegate(
    fields: &Fields<'_>,
    owner: &Owner<'_>,
    known: &[&str],
    problems: &mut Problems,
) -> Option<Delegate> {
    let entry = fields.get("delegate")?;
    if owner.members.is_none() && !owner.shared {
        problems.push(
            Problem::error("cast::rule", "only a team delegates")
                .label(&entry.key.span, "in the rules of an agent"),
        );
        return None;
    }
    let names = fields.strings("delegate", problems);
    let mut members = Vec::new();
    for name in names.iter().filter(|name| *name != "all") {
        match owner.members.and_then(|all| all.iter().copied().find(|member| member == name)) {
            Some(member) => members.push(member),
            None if owner.shared => problems.push(
                Problem::error("cast::rule", "rules that several share delegate to `all`")
                    .label(&entry.value.span, "who this is differs from team to team"),
            ),
            None => problems.push(
                Problem::error("cast::unknown", format!("the team has no member `{name}`"))
                    .label(&entry.value.span, "not a member")
                    .maybe_help(diagnostic::suggest(
                        name,
                        owner.members.unwrap_or_default().iter().copied().chain(["all"]),
                    )),
            ),
        }
    }
    let task = fields.get("task").map(|entry| checked(&entry.value, known, problems));
    let all = names.iter().any(|name| name == "all");
    Some(Delegate { members: (!all).then_some(members), task })
}

fn fail(entry: &Entry, known: &[&str], problems: &mut Problems) -> Option<Fail> {
    const USUAL: &str = "model_provider_error";
    if let Kind::String(_) = entry.value.kind {
        return Some(Fail { message: checked(&entry.value, known, problems), kind: USUAL.to_owned() });
    }
    let fields = Fields::new(&entry.value, "`fail`", problems);
    let kind = fields.text("type", problems).unwrap_or_else(|| USUAL.to_owned());
    let message = fields.get("message").map(|entry| checked(&entry.value, known, problems));
    schema::finish(&fields, schema::FAIL, "`fail`", problems);
    if message.is_none() {
        problems.push(
            Problem::error("cast::rule", "`fail` has no `message`")
                .label(&entry.key.span, "with which words?")
                .help("fail: the model is overloaded"),
        );
    }
    Some(Fail { message: message?, kind })
}

/// The time of each word: a duration, or an expression that gives one.
pub(super) fn delay(node: &Node, known: &[&str], problems: &mut Problems) -> Option<Delay> {
    let template = checked(node, known, problems);
    let Some(literal) = template.as_literal() else { return Some(Delay::Computed(template)) };
    match duration::parse(&crate::expr::as_text(literal)) {
        Ok(duration) => Some(Delay::Fixed(duration)),
        Err(message) => {
            problems.push(
                Problem::error("cast::delay", format!("`delay`: {message}"))
                    .label(&node.span, "the time of each word")
                    .help("delay: 50ms"),
            );
            None
        }
    }
}

fn tokens(fields: &Fields<'_>, known: &[&str], problems: &mut Problems) -> [Option<Template>; 2] {
    let Some(entry) = fields.get("tokens") else { return [None, None] };
    let fields = Fields::new(&entry.value, "`tokens`", problems);
    schema::finish(&fields, schema::TOKENS, "`tokens`", problems);
    ["input", "output"].map(|name| {
        let entry = fields.get(name)?;
        let template = checked(&entry.value, known, problems);
        if template.as_literal().is_some_and(|value| value.as_u64().is_none()) {
            problems.push(expected("cast::tokens", &format!("`{name}`"), "a number of tokens", &entry.value));
        }
        Some(template)
    })
}
