//! Expressions `${{ ... }}`: compiled once, strict about names, typed. The only place that names minijinja.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use minijinja::{Environment, ErrorKind, UndefinedBehavior};

use self::order::Rewritten;
use crate::diagnostic::{self, Problem};
use crate::source::Span;

mod functions;
mod habit;
mod order;
mod text;
mod value;

pub(crate) use habit::function;
pub(crate) use text::unquoted;
pub use text::{Part, Text, as_text};
pub use value::{Fields, Scope, Value, environment};

/// The steps an evaluation may take: enough for any list a person writes, not for an endless one.
const FUEL: u64 = 5_000_000;
/// The name under which functions that read files find the folder of the scenario.
const BASE_DIR: &str = "__base_dir";

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    for (name, value) in [
        ("true", minijinja::Value::from(true)),
        ("false", false.into()),
        ("none", ().into()),
        ("null", ().into()),
    ] {
        environment.add_global(name, value);
    }
    environment.remove_global("debug");
    environment.remove_global("namespace");
    functions::register(&mut environment);
    environment
});

type Compiled = Arc<minijinja::Expression<'static, 'static>>;

/// What has been compiled, by its text: scenarios repeat a few expressions, and each takes 12 KiB.
static COMPILED: Mutex<BTreeMap<Arc<str>, Compiled>> = Mutex::new(BTreeMap::new());

fn compile(text: &str) -> Result<(Arc<str>, Compiled), minijinja::Error> {
    let mut known = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((text, compiled)) = known.get_key_value(text) {
        return Ok((Arc::clone(text), Arc::clone(compiled)));
    }
    let compiled = match Rewritten::of(text) {
        // A mistake is found in what was written, not in what was made of it.
        Some(rewritten) => {
            ENVIRONMENT.compile_expression(text)?;
            ENVIRONMENT.compile_expression_owned(rewritten.text)?
        }
        None => ENVIRONMENT.compile_expression_owned(text.to_owned())?,
    };
    let compiled = Arc::new(compiled);
    let text: Arc<str> = text.into();
    known.insert(Arc::clone(&text), Arc::clone(&compiled));
    Ok((text, compiled))
}

/// A compiled expression and where it stands.
#[derive(Clone)]
pub struct Expression {
    span: Span,
    text: Arc<str>,
    compiled: Compiled,
}

impl Expression {
    /// Compiles `text`, which stands at `span`.
    pub fn parse(text: &str, span: &Span) -> Result<Self, Problem> {
        let trimmed = text.trim();
        let lead = text.len() - text.trim_start().len();
        let span = if span.text() == text { span.slice(lead..lead + trimmed.len()) } else { span.clone() };
        if trimmed.is_empty() {
            return Err(Problem::error("expression::empty", "there is no expression between `${{` and `}}`")
                .label(&span, "here"));
        }
        let (text, compiled) =
            compile(trimmed).map_err(|error| Self::problem_of(&error, trimmed, &span, &[]))?;
        let expression = Self { span, text, compiled };
        expression.check_filters()?;
        Ok(expression)
    }

    /// Where it stands.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// What is written between the braces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names that it reads and no function has, with what is read of them: `sid`, `steps.ask.body`.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .compiled
            .undeclared_variables(true)
            .into_iter()
            .filter(|name| !is_builtin(name.split('.').next().unwrap_or(name)))
            .collect();
        names.sort();
        names
    }

    /// The place of `name` in the file: where it is read, or the whole expression.
    pub fn span_of(&self, name: &str) -> Span {
        if self.span.text() == &*self.text
            && let Some(at) = find_word(&self.text, name)
        {
            return self.span.slice(at..at + name.len());
        }
        self.span.clone()
    }

    /// Whether it calls `name` as a function.
    pub fn calls(&self, name: &str) -> bool {
        find_word(&self.text, name)
            .is_some_and(|at| self.text[at + name.len()..].trim_start().starts_with('('))
    }

    /// What it reads and the values of that, for a message. The environment is nobody's business.
    pub fn reads(&self, scope: &Scope) -> Vec<(String, serde_json::Value)> {
        let read = self.names().into_iter().filter(|name| !name.starts_with("env.") && name != "env");
        read.filter_map(|name| {
            let mut parts = name.split('.');
            let mut value = scope.get(parts.next()?)?.0.clone();
            for part in parts {
                value = value.get_attr(part).ok().filter(|value| !value.is_undefined())?;
            }
            Some((name, Value(value).as_json()))
        })
        .collect()
    }

    /// Its value. A name that is not defined is an error.
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, Problem> {
        let failed = |error: &minijinja::Error| {
            if error.kind() == ErrorKind::UndefinedError
                && let Some(problem) = self.missing_field(scope)
            {
                return problem;
            }
            Self::problem_of(error, &self.text, &self.span, &scope.names().collect::<Vec<_>>())
        };
        let value = self
            .compiled
            .eval(minijinja::Value::from_dyn_object(Arc::clone(&scope.0)))
            .map_err(|e| failed(&e))?;
        if value.is_undefined() {
            return Err(self.undefined(scope));
        }
        Ok(Value(value))
    }

    /// The first name that it reads whose root is there and whose field is not: `item.sesion_name`.
    fn missing_field(&self, scope: &Scope) -> Option<Problem> {
        self.names().into_iter().find_map(|name| {
            let after = find_word(&self.text, &name).map(|at| self.text[at + name.len()..].trim_start());
            if after.is_some_and(|after| after.starts_with('|') && after[1..].trim_start().starts_with('d')) {
                return None;
            }
            let mut parts = name.split('.');
            let mut value = scope.get(parts.next()?)?.0.clone();
            for part in parts {
                let next = value.get_attr(part).ok()?;
                if next.is_undefined() {
                    let known: Vec<String> =
                        value.try_iter().ok()?.filter_map(|key| key.as_str().map(str::to_owned)).collect();
                    let known = known.iter().map(String::as_str);
                    if name.starts_with("env.") {
                        return None;
                    }
                    return Some(
                        Problem::error("expression::undefined", format!("`{name}` has no value"))
                            .label(&self.span_of(&name), "nothing is there")
                            .help(match diagnostic::suggest_nearest(part, known) {
                                Some(found) if found.starts_with("did you mean") => found,
                                there => format!(
                                    "{}`| default(...)` gives a value for what may be missing",
                                    there.map(|there| there + "; ").unwrap_or_default()
                                ),
                            }),
                    );
                }
                value = next;
            }
            None
        })
    }

    /// Whether it holds, for conditions.
    pub fn is_true(&self, scope: &Scope) -> Result<bool, Problem> {
        Ok(self.evaluate(scope)?.0.is_true())
    }

    fn undefined(&self, scope: &Scope) -> Problem {
        let names: Vec<&str> = scope.names().collect();
        let root = self.text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
        if !root.is_empty() && scope.get(root).is_none() {
            return undefined_name(root, &self.span_of(root), names);
        }
        if let Some(variable) = self.text.strip_prefix("env.") {
            return undefined_environment(variable, &self.span);
        }
        Problem::error("expression::undefined", format!("`{}` has no value", self.text))
            .label(&self.span, "nothing is there")
            .help("`| default(...)` gives a value for what may be missing")
    }

    fn problem_of(error: &minijinja::Error, text: &str, span: &Span, names: &[&str]) -> Problem {
        // What was rewritten before it was compiled has its places elsewhere.
        let range = match (error.range(), Rewritten::of(text)) {
            (Some(range), Some(rewritten)) if error.kind() != ErrorKind::SyntaxError => {
                rewritten.origin(&range)
            }
            (range, _) => range,
        };
        let range = range.filter(|range| range.end <= text.len() && range.start < range.end);
        let place = match &range {
            Some(range) if span.text() == text => span.slice(range.clone()),
            _ => span.clone(),
        };
        let part = range.and_then(|range| text.get(range)).unwrap_or(text);
        let detail = error.detail().unwrap_or_default();
        match error.kind() {
            ErrorKind::UndefinedError => {
                let root = part.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(part);
                if let Some(variable) = part.strip_prefix("env.") {
                    return undefined_environment(variable, &place);
                }
                if names.contains(&root) || root.is_empty() || is_builtin(root) {
                    Problem::error("expression::undefined", format!("`{part}` has no value"))
                        .label(&place, "nothing is there")
                        .help("`| default(...)` gives a value for what may be missing")
                } else {
                    undefined_name(root, &place, names.to_vec())
                }
            }
            ErrorKind::SyntaxError => {
                Problem::error("expression::syntax", format!("this is not an expression: {detail}"))
                    .label(&place, "here")
                    .maybe_help(habit::syntax(text))
            }
            ErrorKind::OutOfFuel => {
                Problem::error("expression::endless", "the expression takes too many steps")
                    .label(&place, "given up after five million steps")
            }
            kind => {
                let message = if detail.is_empty() { kind.to_string() } else { detail.to_owned() };
                let help = match kind {
                    // `string has no method named length`
                    ErrorKind::UnknownMethod => message.rsplit(' ').next().and_then(function),
                    _ => habit::operand(text)
                        .filter(|_| message.contains("order") || message.contains("operator")),
                };
                Problem::error("expression::failed", format!("the expression failed: {message}"))
                    .label(&place, "here")
                    .maybe_help(help)
            }
        }
    }

    /// Unknown filters and tests: the engine finds them at run time only.
    fn check_filters(&self) -> Result<(), Problem> {
        let tokens = words(&self.text);
        for (index, (range, word)) in tokens.iter().enumerate() {
            let before = self.text[..range.start].trim_end();
            let previous = index.checked_sub(1).and_then(|i| tokens.get(i)).map(|(_, word)| *word);
            let (what, known): (&str, Vec<&str>) = if before.ends_with('|') {
                ("filter", functions::FILTERS.to_vec())
            } else if (previous == Some("is") && before.ends_with("is") && *word != "not")
                || (previous == Some("not")
                    && before.ends_with("not")
                    && index >= 2
                    && tokens[index - 2].1 == "is")
            {
                ("test", functions::TESTS.to_vec())
            } else {
                continue;
            };
            if *word == "matches" && what == "test" {
                self.check_pattern(range)?;
            }
            if !known.contains(word) {
                let place = if self.span.text() == &*self.text {
                    self.span.slice(range.clone())
                } else {
                    self.span.clone()
                };
                // Whoever pipes into a test has the right word in the wrong place.
                let hint = if what == "filter" && functions::TESTS.contains(word) {
                    Some(format!("`{word}` is a test: `value is {word}(...)`"))
                } else if what == "test" && *word == "null" {
                    Some("did you mean `none`?".to_owned())
                } else {
                    function(word).or_else(|| diagnostic::suggest(word, known))
                };
                return Err(Problem::error("expression::unknown", format!("there is no {what} `{word}`"))
                    .label(&place, format!("no such {what}"))
                    .maybe_help(hint));
            }
        }
        Ok(())
    }
}

impl Expression {
    /// A regular expression that is written out after `is matches` at `test`.
    fn check_pattern(&self, test: &Range<usize>) -> Result<(), Problem> {
        let after = self.text[test.end..].trim_start().trim_start_matches('(').trim_start();
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else { return Ok(()) };
        let Some((pattern, _)) = after[1..].split_once(quote) else { return Ok(()) };
        if pattern.contains('\\') {
            // Escapes are the engine's business; it tells at run time.
            return Ok(());
        }
        regex::Regex::new(pattern).map(drop).map_err(|error| {
            let cause = functions::pattern_cause(&error);
            let from = self.text.len() - after.len();
            let place = if self.span.text() == &*self.text {
                self.span.slice(from..from + pattern.len() + 2)
            } else {
                self.span.clone()
            };
            Problem::error("expression::regex", format!("`{pattern}` is not a regular expression: {cause}"))
                .label(&place, "here")
        })
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${{{{ {} }}}}", self.text)
    }
}

/// The problem that `name` is not defined.
pub fn undefined_name(name: &str, span: &Span, known: Vec<&str>) -> Problem {
    let known = known.into_iter().filter(|name| !name.starts_with('_'));
    Problem::error("expression::undefined", format!("`{name}` is not defined"))
        .label(span, "not defined")
        .maybe_help(diagnostic::suggest_nearest(name, known))
}

fn undefined_environment(variable: &str, span: &Span) -> Problem {
    Problem::error("expression::undefined", format!("the environment variable `{variable}` is not set"))
        .label(span, "not set")
        .help(format!("set it, or write `env.{variable} | default(\"...\")`"))
}

/// Whether a name is one of the language's functions or constants.
pub fn is_builtin(name: &str) -> bool {
    functions::GLOBALS.contains(&name)
        || matches!(name, "true" | "false" | "none" | "null" | "True" | "False" | "None")
}

/// The identifiers of an expression outside of its string literals.
fn words(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut found = Vec::new();
    let mut quote: Option<char> = None;
    let mut start: Option<usize> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ' '))) {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == open {
                quote = None;
            }
            continue;
        }
        if c.is_alphanumeric() || c == '_' {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take() {
            found.push((from..at, &text[from..at]));
        }
        if c == '"' || c == '\'' {
            quote = Some(c);
        }
    }
    found
}

fn find_word(text: &str, name: &str) -> Option<usize> {
    text.match_indices(name).map(|(at, _)| at).find(|&at| {
        let boundary = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
        boundary(text[..at].chars().next_back()) && boundary(text[at + name.len()..].chars().next())
    })
}
