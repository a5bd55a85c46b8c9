//! A step: one action and its modifiers.

use super::action::{Action, HttpBody};
use super::defaults::Defaults;
use super::flow::{self, Loop, Over, Until};
use super::fragment;
use super::habit;
use super::modifier::{self, Retry, Save, SaveFrom};
use crate::agentos::{Timeouts, ViolationKind};
use crate::diagnostic::{self, Problem, Problems};
use crate::expect::Expectations;
use crate::expr::{Expression, Text};
use crate::snapshot::{self, Snapshot};
use crate::source::Span;
use crate::template::Template;
use crate::yaml::fields::{Fields, expected, string, unknown_key};
use crate::yaml::{Entry, Key, Kind, Node};

/// The modifiers of a step.
pub(super) const MODIFIERS: &[&str] = &[
    "id",
    "name",
    "if",
    "retry",
    "timeout",
    "headers",
    "expect",
    "save",
    "snapshot",
    "with",
    "soft",
    "allow_failed_steps",
    "for_each",
    "as",
    "repeat",
    "concurrency",
    "batch",
    "rate",
    "stop_on_failure",
    "max_deletes",
    "until",
    "every",
    "within",
    "invariants",
    "as_user",
    "resume",
];

/// What it does and how.
#[derive(Debug)]
pub struct Step {
    /// The whole step.
    pub span: Span,
    /// The key of its action: `run_agent`.
    pub action_key: Key,
    /// What `steps.ID` names it by.
    pub id: Option<Key>,
    /// What people call it.
    pub name: Option<Template>,
    /// What it does.
    pub action: Action,
    /// It is skipped where this is false.
    pub condition: Option<Expression>,
    /// What must hold.
    pub expect: Expectations,
    /// What is kept of the answer.
    pub save: Vec<Save>,
    /// Its clocks.
    pub timeout: StepTimeouts,
    /// Whether the request is sent again.
    pub retry: Option<Retry>,
    /// How often the stream of a run in the background is taken up again where its connection breaks.
    pub resume: Option<u32>,
    /// Further headers.
    pub headers: Vec<(Key, Template)>,
    /// Whether the scenario goes on after its failure.
    pub soft: bool,
    /// Whether a workflow that says COMPLETED passes although one of its steps failed.
    pub allow_failed_steps: bool,
    /// The identity of the project file that its request comes from.
    pub identity: Option<Key>,
    /// What need not hold of its stream.
    pub waived: Vec<ViolationKind>,
    /// Whether it runs once per item.
    pub repeated: Option<Loop>,
    /// Whether it is sent until something holds.
    pub until: Option<Until>,
    /// What its answer is compared with.
    pub snapshots: Vec<Snapshot>,
}

/// The clocks of a step: those of the file over those of the project.
pub type StepTimeouts = Timeouts;

/// Reads a list of steps.
pub(super) fn parse_list(node: &Node, what: &str, defaults: &Defaults, problems: &mut Problems) -> Vec<Step> {
    match &node.kind {
        Kind::Sequence(items) => items.iter().filter_map(|item| parse(item, defaults, problems)).collect(),
        Kind::Null => Vec::new(),
        _ => {
            problems.push(
                expected("scenario::type", &format!("`{what}`"), "a list of steps", node)
                    .help("each step begins with `- `, such as `- get_config: {}`"),
            );
            Vec::new()
        }
    }
}

fn parse(node: &Node, defaults: &Defaults, problems: &mut Problems) -> Option<Step> {
    let Kind::Mapping(entries) = &node.kind else {
        let problem = match node.as_str() {
            Some(word) if Action::is_known(word) => {
                expected("step::not-a-mapping", "a step", "a mapping", node)
                    .help(format!("write `- {word}: {{}}`"))
            }
            _ => expected(
                "step::not-a-mapping",
                "a step",
                "a mapping with one action, such as `get_config: {}`",
                node,
            ),
        };
        problems.push(problem);
        return None;
    };
    let fields = Fields::new(node, "a step", problems);
    let mut actions = Vec::new();
    for entry in entries {
        let name = entry.key.name.as_str();
        if MODIFIERS.contains(&name) {
            continue;
        }
        if Action::is_known(name) {
            actions.push((entry, true));
        } else {
            actions.push((entry, false));
            problems.push(match shallow_field(entries, &entry.key) {
                Some(problem) => problem,
                None => unknown_step_key(&entry.key),
            });
        }
    }
    let action = match actions.as_slice() {
        [] => {
            problems.push(
                Problem::error("step::no-action", "the step does nothing: it has no action")
                    .label(&node.span, "no action in this step")
                    .help("add one operation, such as `run_agent:` or `get_sessions:`; `agentos-run operations` lists them"),
            );
            None
        }
        [(entry, known)] => known
            .then(|| Action::parse(entry, defaults, problems))
            .flatten()
            .map(|action| (entry.key.clone(), action)),
        [(first, known), rest @ ..] => {
            let mut seen = (first, *known);
            for (second, known) in rest {
                if seen.1 && *known {
                    problems.push(
                        Problem::error(
                            "step::two-actions",
                            format!(
                                "the step has two actions: `{}` and `{}`",
                                seen.0.key.name, second.key.name
                            ),
                        )
                        .label(&second.key.span, "second action")
                        .label(&seen.0.key.span, "first action")
                        .help(match second.key.name.as_str() {
                            "assert" => "what must hold of this step's answer stands under `expect:`: `expect: { content: { contains: hello } }`",
                            _ => "begin the second with `- ` to make it a step of its own",
                        }),
                    );
                }
                if *known {
                    seen = (second, true);
                }
            }
            let (entry, known) = actions.iter().find(|(_, known)| *known).copied().unwrap_or((first, false));
            known
                .then(|| Action::parse(entry, defaults, problems))
                .flatten()
                .map(|action| (entry.key.clone(), action))
        }
    };
    let step = modifiers(&fields, node, defaults, problems);
    let (action_key, action) = action?;
    let mut step = Step { action_key, action, ..step };
    if let Action::Use(using) = &mut step.action {
        using.with = fragment::arguments(&fields, problems);
    }
    let holds_steps = matches!(
        step.action,
        Action::Group(_) | Action::Parallel(_) | Action::Conversation(_) | Action::Use(_)
    );
    // A default is for each step that does something: those around it have what they say themselves.
    if holds_steps && fields.get("timeout").is_none() {
        step.timeout = StepTimeouts::default();
    }
    if holds_steps && fields.get("soft").is_none() {
        step.soft = false;
    }
    step.check(&fields, problems);
    if !matches!(step.action, Action::Operation(_) | Action::Http(_)) {
        step.headers.clear();
    }
    Some(step)
}

pub(super) fn modifiers(
    fields: &Fields<'_>,
    node: &Node,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Step {
    let id = fields.get("id").and_then(|entry| {
        let name = string(&entry.value, "`id`", problems)?;
        let key = Key { span: entry.value.span.clone(), name };
        let word = key.name.chars().all(|c| c.is_alphanumeric() || c == '_') && !key.name.is_empty();
        if !word {
            problems.push(
                Problem::error("step::id", format!("`{}` cannot be the id of a step", key.name))
                    .label(&key.span, "letters, digits and _ only")
                    .help("an id is used in `${{ steps.ID.body }}`; a text for people is `name:`"),
            );
        }
        word.then_some(key)
    });
    let name = fields.get("name").map(|entry| Template::parse(&entry.value, problems));
    let condition = fields.get("if").and_then(|entry| condition(&entry.value, "if", problems));
    let expect =
        fields.get("expect").map(|entry| Expectations::parse(&entry.value, problems)).unwrap_or_default();
    let save = fields.get("save").map(|entry| modifier::saves(&entry.value, problems)).unwrap_or_default();
    let timeout =
        fields.get("timeout").map(|entry| modifier::timeouts(&entry.value, problems)).unwrap_or_default();
    let retry = fields.get("retry").and_then(|entry| modifier::retry(&entry.value, problems));
    let mut headers =
        fields.get("headers").map(|entry| modifier::header_map(&entry.value, problems)).unwrap_or_default();
    for (key, value) in &defaults.headers {
        if !headers.iter().any(|(known, _): &(Key, Template)| known.name.eq_ignore_ascii_case(&key.name)) {
            headers.push((key.clone(), value.clone()));
        }
    }
    let flag = |name: &str, default: Option<bool>, problems: &mut Problems| {
        fields.boolean(name, problems).or(default).unwrap_or(false)
    };
    Step {
        span: node.span.clone(),
        action_key: Key { span: node.span.clone(), name: String::new() },
        id,
        name,
        action: Action::Group(Vec::new()),
        condition,
        expect,
        save,
        timeout: modifier::over(timeout, defaults.timeout),
        retry: retry.or_else(|| defaults.retry.clone()),
        resume: fields
            .get("resume")
            .and_then(|entry| modifier::resume(&entry.value, problems))
            .or(defaults.resume),
        headers,
        soft: flag("soft", defaults.soft, problems),
        allow_failed_steps: flag("allow_failed_steps", defaults.allow_failed_steps, problems),
        identity: super::read::identity(fields, "as_user", problems).or_else(|| defaults.identity.clone()),
        waived: waived(fields, problems).or_else(|| defaults.waived.clone()).unwrap_or_default(),
        repeated: flow::parse_loop(fields, defaults, problems),
        until: flow::parse_until(fields, defaults, problems),
        snapshots: fields
            .get("snapshot")
            .map(|entry| snapshot::parse(&entry.value, problems))
            .unwrap_or_default(),
    }
}

impl Step {
    /// Modifiers that make no sense on this action.
    fn check(&self, fields: &Fields<'_>, problems: &mut Problems) {
        if let (Some(entry), false) = (fields.get("with"), matches!(self.action, Action::Use(_))) {
            problems.push(
                Problem::error("step::modifier", "`with` needs `use`")
                    .label(&entry.key.span, format!("`{}` has fields of its own", self.action_key.name)),
            );
        }
        if let Some(entry) = fields.get("resume") {
            problems.extend(modifier::not_resumable(&entry.key, &self.action, &self.action_key));
        }
        let sends = matches!(self.action, Action::Operation(_) | Action::Http(_));
        if sends {
            return;
        }
        if let Action::Use(_) = self.action {
            for save in &self.save {
                if let SaveFrom::Target(word) = &save.from {
                    problems.push(
                        Problem::error("step::save", format!("a fragment has no `{word}`"))
                            .label(&save.span, "there is no answer")
                            .help(format!("what it returns is read by a path: `$.{word}`")),
                    );
                }
            }
        }
        let uses = matches!(self.action, Action::Use(_));
        let without: &[&str] = if uses {
            &["retry", "headers", "allow_failed_steps", "until", "invariants", "snapshot"]
        } else {
            &["expect", "save", "retry", "headers", "allow_failed_steps", "until", "snapshot"]
        };
        for &name in without {
            // Of a conversation, a snapshot is of all that was said.
            let of_all = name == "snapshot" && matches!(self.action, Action::Conversation(_));
            if let Some(entry) = fields.get(name).filter(|_| !of_all) {
                problems.push(
                    Problem::error("step::modifier", format!("`{name}` needs a step that sends a request"))
                        .label(&entry.key.span, format!("`{}` sends none", self.action_key.name))
                        .maybe_help(match name {
                            "expect" => Some("`assert:` holds expectations on expressions".to_owned()),
                            "save" => Some("`set:` gives variables values".to_owned()),
                            _ => None,
                        }),
                );
            }
        }
        if let (Some(entry), false) =
            (fields.get("timeout"), matches!(self.action, Action::Group(_) | Action::Use(_)))
        {
            problems.push(
                Problem::error(
                    "step::modifier",
                    "`timeout` needs a step that sends a request, a group or a fragment",
                )
                .label(&entry.key.span, format!("`{}` takes no time", self.action_key.name)),
            );
        }
    }

    /// Collects the identities that it and the steps inside it use.
    pub(super) fn identities<'a>(&'a self, found: &mut Vec<&'a Key>) {
        found.extend(&self.identity);
        for step in self.action.steps() {
            step.identities(found);
        }
    }

    /// The expressions that it reads before it sends anything; the steps inside it are looked at one by one.
    pub fn for_each_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        if let Some(condition) = &self.condition {
            visit(condition);
        }
        for (_, template) in &self.headers {
            template.for_each_expression(visit);
        }
        match &self.action {
            Action::Operation(action) => {
                for (_, template) in &action.fields {
                    template.for_each_expression(visit);
                }
            }
            Action::Http(http) => {
                http.path.for_each_expression(visit);
                for (_, template) in &http.query {
                    template.for_each_expression(visit);
                }
                match &http.body {
                    HttpBody::None => {}
                    HttpBody::Json(body) | HttpBody::Text(body) => body.for_each_expression(visit),
                    HttpBody::Form(pairs) | HttpBody::Multipart(pairs) => {
                        for (_, template) in pairs {
                            template.for_each_expression(visit);
                        }
                    }
                }
            }
            Action::Use(using) => {
                for (_, template) in &using.with {
                    template.for_each_expression(visit);
                }
            }
            Action::Set(values) => {
                for (_, template) in values {
                    template.for_each_expression(visit);
                }
            }
            Action::Assert(expectations) => expectations.for_each_expression(visit),
            // The steps of a group are looked at one by one.
            Action::Group(_) | Action::Parallel(_) | Action::Conversation(_) => {}
            Action::Sleep(template) | Action::Log(template) => template.for_each_expression(visit),
            Action::Write(write) => {
                write.file.for_each_expression(visit);
                write.line.for_each_expression(visit);
            }
        }
    }

    /// All expressions of it and of the steps inside it, but for those of fragments, which have names of their own.
    pub fn for_every_expression(&self, visit: &mut dyn FnMut(&Expression)) {
        if let Some(over) = &self.repeated {
            over.over.for_each_expression(visit);
            if let Over::Listed(listing) = &over.over {
                listing.filter.iter().for_each(&mut *visit);
            }
            over.max_deletes.iter().for_each(|limit| limit.for_each_expression(visit));
        }
        self.name.iter().for_each(|name| name.for_each_expression(visit));
        self.for_each_expression(visit);
        if !matches!(self.action, Action::Use(_)) {
            self.action.steps().iter().for_each(|step| step.for_every_expression(visit));
        }
        self.expect.for_each_expression(visit);
        self.until.iter().for_each(|until| until.for_each_expression(visit));
        for save in &self.save {
            if let SaveFrom::Expression(template) = &save.from {
                template.for_each_expression(visit);
            }
        }
    }

    /// Whether somebody reads what is answered: an expectation, a variable, a later step.
    pub fn reads_answer(&self) -> bool {
        self.id.is_some()
            || !self.save.is_empty()
            || !self.expect.is_empty()
            || self.until.is_some()
            || !self.snapshots.is_empty()
    }

    /// What a report calls it: its name, or its action.
    pub fn title(&self) -> String {
        match self.name.as_ref().map(|name| name.as_literal()) {
            Some(Some(serde_json::Value::String(name))) => name.clone(),
            Some(None) => self.name.as_ref().map(|name| name.span().text().to_owned()).unwrap_or_default(),
            _ => match &self.action {
                Action::Use(using) => {
                    using.fragment().map_or(&using.file.name, |fragment| &fragment.name).clone()
                }
                _ => self.action_key.name.clone(),
            },
        }
    }
}

/// A field of the step's operation that stands beside it: `- run_agent:`, and `message:` below it without indentation.
fn shallow_field(entries: &[Entry], key: &Key) -> Option<Problem> {
    let (name, operation) = entries
        .iter()
        .find_map(|entry| Some((entry.key.name.as_str(), crate::agentos::find(&entry.key.name)?)))?;
    operation.field(&key.name)?;
    let field = &key.name;
    Some(
        Problem::error("scenario::unknown-key", format!("a step has no key `{field}`"))
            .label(&key.span, format!("a field of `{name}`"))
            .help(format!("indent it further than `{name}:`, or write `{name}: {{ {field}: ... }}`")),
    )
}

/// A misspelt modifier or a misspelt action: which of them, the nearest word tells.
fn unknown_step_key(key: &Key) -> Problem {
    let operations = crate::agentos::catalogue()
        .iter()
        .flat_map(|entry| std::iter::once(entry.spec.name).chain(entry.spec.aliases.iter().copied()));
    let all = MODIFIERS.iter().copied().chain(super::action::WORDS.iter().copied()).chain(operations);
    if let Some(meant) = habit::meant(&key.name) {
        return Problem::error("scenario::unknown-key", format!("a step has no key `{}`", key.name))
            .label(&key.span, "unknown key")
            .help(meant);
    }
    match diagnostic::nearest(&key.name, all) {
        Some(found) if MODIFIERS.contains(&found) => unknown_key(key, "a step", [found]),
        Some(found) => Problem::error("operation::unknown", format!("there is no operation `{}`", key.name))
            .label(&key.span, "unknown operation")
            .help(format!("did you mean `{found}`?")),
        None => {
            Problem::error("operation::unknown", format!("there is no operation or modifier `{}`", key.name))
                .label(&key.span, "unknown")
                .help("`agentos-run operations` lists the operations; `http:` reaches any other path")
        }
    }
}

/// `invariants: false`, or which of them.
pub(super) fn waived(fields: &Fields<'_>, problems: &mut Problems) -> Option<Vec<ViolationKind>> {
    let entry = fields.get("invariants")?;
    match entry.value.kind {
        Kind::Bool(false) => return Some(ViolationKind::ALL.to_vec()),
        Kind::Bool(true) => return Some(Vec::new()),
        _ => {}
    }
    let inner = Fields::new(&entry.value, &format!("`{}`", entry.key.name), problems);
    let names: Vec<&str> = ViolationKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let waived = ViolationKind::ALL
        .into_iter()
        .filter(|kind| inner.boolean(kind.as_str(), problems) == Some(false))
        .collect();
    inner.finish(&names, &[], "`invariants`", problems);
    Some(waived)
}

/// A condition: one expression, with or without `${{ }}` around it.
pub(super) fn condition(node: &Node, word: &str, problems: &mut Problems) -> Option<Expression> {
    let example = match word {
        "where" => "where: \"${{ item.updated_at | age > '30d' }}\"",
        _ => "if: ${{ count > 2 }}",
    };
    let wrong = |wanted| expected("step::if", &format!("`{word}`"), wanted, node).help(example);
    let parsed = match &node.kind {
        Kind::Bool(value) => Expression::parse(if *value { "true" } else { "false" }, &node.span),
        Kind::String(text) if text.contains("${{") => match Text::parse(text, &node.span) {
            Ok(Text::Whole(expression)) => Ok(expression),
            Ok(_) => Err(wrong("one expression and nothing around it")),
            Err(problem) => Err(problem),
        },
        Kind::String(text) => Expression::parse(text, &node.span),
        _ => Err(wrong("an expression")),
    };
    parsed.map_err(|problem| problems.push(problem)).ok()
}
