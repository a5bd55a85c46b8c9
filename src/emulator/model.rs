//! The offline model: what it says is a function of the messages it gets and of the rules of its script, nothing else.

use std::path::Path;
use std::time::Duration;

use regex::{Captures, Regex};
use serde_json::{Value, json};

use super::cast::{After, Delay, Remember, Rule, Say, Script};
use super::execution::ToolExecution;
use super::message::{Message, Usage};
use super::run::Object;
use super::{clock, python, sha1};
use crate::diagnostic::Problem;
use crate::duration;
use crate::expr::{self, Scope};

/// What the model answers to one request.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) calls: Vec<ToolCall>,
    /// Whether it fails. A stream fails after its text, a plain request before.
    pub(crate) failure: Option<Failure>,
    /// How long each word takes.
    pub(crate) delay: Duration,
    pub(crate) usage: Usage,
    /// What changes in the session state.
    pub(crate) state: Option<Object>,
}

/// A tool call that the model asks for.
#[derive(Debug, Clone)]
pub(crate) struct ToolCall {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) arguments: Value,
}

impl ToolCall {
    /// The id is a digest of the call and its turn, so that runs can be compared.
    fn new(name: &'static str, arguments: Value, turn: usize) -> Self {
        let arguments = sorted(arguments);
        let digest = sha1::hex(format!("{name}|{}|{turn}", python::dumps(&arguments)).as_bytes());
        Self { id: format!("call_{}", &digest[..12]), name, arguments }
    }

    /// As it stands in the `tool_calls` of the assistant's message.
    pub(crate) fn message(&self) -> Value {
        json!({
            "id": self.id,
            "type": "function",
            "function": { "name": self.name, "arguments": python::dumps(&self.arguments) },
        })
    }

    pub(crate) fn pending(&self) -> ToolExecution {
        ToolExecution {
            tool_call_id: Some(self.id.clone()),
            tool_name: Some(self.name.to_owned()),
            tool_args: self.arguments.clone(),
            created_at: clock::epoch(),
            ..ToolExecution::default()
        }
    }
}

/// The keys of all objects in alphabetical order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            fields.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// A failure of the model.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) error_type: String,
}

impl From<Problem> for Failure {
    /// A template that cannot be filled in fails the run, and says where it stands.
    fn from(problem: Problem) -> Self {
        Self { message: problem.to_string(), error_type: "CastError".to_owned() }
    }
}

/// Where something is said: what templates know besides the messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) state: &'a Value,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) session_id: &'a str,
    pub(crate) run_id: &'a str,
    pub(crate) dependencies: Option<&'a Value>,
    pub(crate) metadata: Option<&'a Value>,
}

impl Scene<'_> {
    pub(crate) fn scope(&self, folder: &Path) -> Scope {
        let mut scope = Scope::new(folder);
        let mut set = |name: &str, value: &Value| scope.set(name, expr::Value::from_json(value));
        set("state", self.state);
        set("user_id", &json!(self.user_id));
        set("session_id", &json!(self.session_id));
        set("run_id", &json!(self.run_id));
        set("dependencies", self.dependencies.unwrap_or(&Value::Null));
        set("metadata", self.metadata.unwrap_or(&Value::Null));
        scope
    }
}

/// What a request to the model carries.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) script: &'a Script,
    /// The names of the tools that may be called.
    pub(crate) tools: &'a [&'static str],
    /// The ids of the members of a team.
    pub(crate) members: &'a [&'static str],
    pub(crate) messages: &'a [Message],
    pub(crate) schema: Option<&'a Value>,
    pub(crate) scene: Scene<'a>,
}

/// A model that asks for tools this often without an answer goes round in circles.
const ROUNDS: usize = 20;
/// A word never takes longer than this, whatever the message asks for.
const LONGEST: Duration = Duration::from_hours(1);
/// Nor are there more words than this: a message must not eat the memory of the machine.
const MOST_WORDS: usize = 100_000;

impl Request<'_> {
    /// The answer.
    pub(crate) fn reply(&self) -> Reply {
        let mut reply = self
            .try_reply()
            .unwrap_or_else(|problem| Reply { failure: Some(Failure::from(problem)), ..Reply::default() });
        if reply.usage.is_nothing() {
            reply.usage = self.counted(&reply.text);
        }
        reply
    }

    fn try_reply(&self) -> Result<Reply, Problem> {
        let rounds = self.tail().iter().filter(|message| !message.tool_calls.is_empty()).count();
        if rounds >= ROUNDS {
            let message = format!("the model asked for tools {ROUNDS} times without an answer");
            let failure = Failure { message, error_type: "CastError".to_owned() };
            return Ok(Reply { failure: Some(failure), ..Reply::default() });
        }
        let scope = self.scope();
        let results = self.results();
        let mut calling: Option<Reply> = None;
        for rule in self.script.rules.iter() {
            let calls = !rule.calls.is_empty() || rule.delegate.is_some();
            if calling.is_some() && !calls {
                continue;
            }
            // Once tools have answered, rules that wait for that speak, and `then` of those that called.
            let then = match (&rule.after, &results) {
                (None, None) => false,
                (None, Some(_)) if rule.then.is_some() => true,
                (Some(After::Any), Some(_)) => false,
                (Some(After::Tool(name)), Some(_)) if self.last_tool() == Some(name) => false,
                _ => continue,
            };
            let Some(scope) = self.fits(rule, &scope)? else { continue };
            if then {
                return self.speak(rule, rule.then.as_ref(), &scope);
            }
            if !calls {
                return self.speak(rule, rule.say.as_ref(), &scope);
            }
            let made = self.calls(rule, &scope)?;
            // Who shares rules with others may not have the tool.
            if made.is_empty() {
                continue;
            }
            if let Some(reply) = &mut calling {
                reply.calls.extend(made);
            } else {
                let mut reply = match &rule.say {
                    Some(say) => self.speak(rule, Some(say), &scope)?,
                    None => self.frame(rule, &scope)?,
                };
                reply.calls = made;
                calling = Some(reply);
            }
            if !rule.go_on {
                break;
            }
        }
        if let Some(reply) = calling {
            return Ok(reply);
        }
        let text = match results {
            Some(results) => results.join("\n"),
            None => match self.wanted() {
                Some(schema) => python::dumps(&sample(schema, schema, 0)),
                None => format!("You said: {}", self.last_user()),
            },
        };
        Ok(Reply { text, ..Reply::default() })
    }

    /// The place of the rule that answers, where one does. A rule that cannot be read answers nothing.
    pub(crate) fn answering(&self) -> Option<usize> {
        let scope = self.scope();
        self.script.rules.iter().position(|rule| {
            let calls = !rule.calls.is_empty() || rule.delegate.is_some();
            let holds = |scope: &Scope| !calls || self.calls(rule, scope).is_ok_and(|made| !made.is_empty());
            rule.after.is_none()
                && self.fits(rule, &scope).is_ok_and(|scope| scope.is_some_and(|it| holds(&it)))
        })
    }

    /// The schema of the answer, if it is heeded.
    fn wanted(&self) -> Option<&Value> {
        self.schema.filter(|_| self.script.structured)
    }

    fn speak(&self, rule: &Rule, say: Option<&Say>, scope: &Scope) -> Result<Reply, Problem> {
        let mut reply = self.frame(rule, scope)?;
        reply.text = match (say, self.wanted()) {
            (Some(Say::Data(data)), _) => python::dumps(&data.resolve(scope)?),
            (_, Some(schema)) => python::dumps(&sample(schema, schema, 0)),
            (Some(Say::Text(text)), None) => text.resolve_text(scope)?,
            (Some(Say::Words(count)), None) => {
                let count = count.resolve_text(scope)?.trim().parse().unwrap_or(MOST_WORDS);
                let words: Vec<_> = (0..count.min(MOST_WORDS)).map(|i| format!("w{i}")).collect();
                words.join(" ")
            }
            (None, None) => String::new(),
        };
        Ok(reply)
    }

    /// What a rule says besides its words.
    fn frame(&self, rule: &Rule, scope: &Scope) -> Result<Reply, Problem> {
        let mut reply = Reply::default();
        if let Some(fail) = &rule.fail {
            let message = fail.message.resolve_text(scope)?;
            reply.failure = Some(Failure { message, error_type: fail.kind.clone() });
        }
        reply.delay = match rule.delay.as_ref().or(self.script.delay.as_ref()) {
            None => Duration::ZERO,
            Some(Delay::Fixed(delay)) => *delay,
            Some(Delay::Computed(template)) => {
                let text = template.resolve_text(scope)?;
                duration::parse(&text).map_err(|message| {
                    Problem::error("cast::delay", message).label(template.span(), "this delay")
                })?
            }
        }
        .min(LONGEST);
        if let [input, output] = &rule.tokens
            && (input.is_some() || output.is_some())
        {
            let count = |template: &Option<crate::template::Template>| {
                let Some(template) = template else { return Ok(0) };
                template.resolve(scope).map(|value| value.as_u64().unwrap_or_default())
            };
            reply.usage = Usage { input: count(input)?, output: count(output)? };
        }
        // Of a rule that calls and then speaks, the state changes once: when it speaks.
        let speaks = rule.then.is_none() || self.results().is_some();
        if let Some(state) = rule.state.as_ref().filter(|_| speaks)
            && let Value::Object(changes) = state.resolve(scope)?
        {
            reply.state = Some(changes);
        }
        Ok(reply)
    }

    fn calls(&self, rule: &Rule, scope: &Scope) -> Result<Vec<ToolCall>, Problem> {
        let turn = self.users().count();
        let mut calls = Vec::new();
        if let Some(delegate) = &rule.delegate {
            let task = match &delegate.task {
                Some(task) => task.resolve_text(scope)?,
                None => self.last_user().to_owned(),
            };
            let members = delegate.members.as_deref().unwrap_or(self.members);
            calls.extend(members.iter().map(|id| {
                ToolCall::new("delegate_task_to_member", json!({ "member_id": id, "task": task }), turn)
            }));
        }
        let mut scopes = Vec::new();
        match &rule.each {
            None => scopes.push(scope.clone()),
            Some(each) => {
                if let Value::Array(items) = each.resolve(scope)? {
                    for item in items {
                        let mut scope = scope.clone();
                        scope.set("item", expr::Value::from_json(&item));
                        scopes.push(scope);
                    }
                }
            }
        }
        for scope in &scopes {
            for (name, arguments) in &rule.calls {
                if self.tools.contains(name) {
                    calls.push(ToolCall::new(name, arguments.resolve(scope)?, turn));
                }
            }
        }
        Ok(calls)
    }

    /// The names that a rule gives its templates, if it holds.
    fn fits(&self, rule: &Rule, scope: &Scope) -> Result<Option<Scope>, Problem> {
        let last = self.last_user();
        let found = rule.when.as_ref().map(|when| (when, when.captures(last)));
        if let Some((_, None)) = found {
            return Ok(None);
        }
        let mut scope = scope.clone();
        if let Some((when, Some(found))) = &found {
            give(&mut scope, "match", when, found);
        }
        if let Some(recall) = &rule.recall {
            let Some(found) = self.users().rev().find_map(|text| recall.captures(text)) else {
                return Ok(None);
            };
            give(&mut scope, "recalled", recall, &found);
        }
        for (name, regex) in &rule.find {
            let found = regex.captures(last).and_then(|found| found.get(1).or(found.get(0)));
            scope.set(name.as_str(), expr::Value::from_json(&json!(found.map(|found| found.as_str()))));
        }
        if let Some(results) = self.results() {
            scope.set("results", expr::Value::from_json(&json!(results)));
        }
        match &rule.condition {
            Some(condition) if !condition.is_true(&scope)? => Ok(None),
            _ => Ok(Some(scope)),
        }
    }

    fn scope(&self) -> Scope {
        let mut scope = self.scene.scope(&self.script.folder);
        let said: Vec<&str> = self.users().collect();
        let history: Vec<Value> = self
            .messages
            .iter()
            .map(|message| json!({ "role": message.role, "content": message.text() }))
            .collect();
        let asked = self.messages.iter().rfind(|message| message.role == "user");
        let system = self.messages.iter().find(|message| message.role == "system").map(Message::text);
        for (name, value) in [
            ("message", json!(self.last_user())),
            ("said", json!(said)),
            ("history", json!(history)),
            ("media", json!(asked.and_then(|message| message.media.counted()).unwrap_or_default())),
            ("system", json!(system)),
        ] {
            scope.set(name, expr::Value::from_json(&value));
        }
        scope
    }

    /// Tokens are words: of all messages, and of the answer (at least one).
    fn counted(&self, text: &str) -> Usage {
        let input = self.messages.iter().map(|message| python::words(message.text())).sum();
        Usage { input, output: python::words(text).max(1) }
    }

    fn users(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.messages.iter().filter(|message| message.role == "user").map(Message::text)
    }

    fn last_user(&self) -> &str {
        self.users().next_back().unwrap_or("")
    }

    /// What came since the user spoke last.
    fn tail(&self) -> &[Message] {
        let at = self.messages.iter().rposition(|message| message.role == "user").map_or(0, |at| at + 1);
        &self.messages[at..]
    }

    /// What tools answered since the user spoke last.
    fn results(&self) -> Option<Vec<&str>> {
        let results: Vec<_> =
            self.tail().iter().filter(|message| message.role == "tool").map(Message::text).collect();
        (!results.is_empty()).then_some(results)
    }

    fn last_tool(&self) -> Option<&String> {
        self.tail().iter().rfind(|message| message.role == "tool")?.tool_name.as_ref()
    }
}

/// Gives a name to a match, and its own to each named group.
fn give(scope: &mut Scope, name: &str, regex: &Regex, found: &Captures<'_>) {
    let texts: Vec<Option<&str>> = found.iter().map(|group| group.map(|group| group.as_str())).collect();
    for (name, text) in regex.capture_names().zip(&texts) {
        if let Some(name) = name {
            scope.set(name, expr::Value::from_json(&json!(text)));
        }
    }
    scope.set(name, expr::Value::from_json(&json!(texts)));
}

/// What a memory manager makes of a message: something to remember and its topics, or nothing.
pub(crate) fn memory(rules: &[Remember], message: &str, user_id: &str) -> Option<(String, Vec<String>)> {
    rules.iter().find_map(|rule| {
        let mut scope = Scope::new(Path::new(""));
        scope.set("message", expr::Value::from_json(&json!(message)));
        scope.set("user_id", expr::Value::from_json(&json!(user_id)));
        if let Some(when) = &rule.when {
            give(&mut scope, "match", when, &when.captures(message)?);
        }
        Some((rule.text.resolve_text(&scope).ok()?, rule.topics.clone()))
    })
}

/// A deterministic instance of a JSON schema.
fn sample(schema: &Value, root: &Value, depth: usize) -> Value {
    // A schema may refer to itself.
    if depth > 64 {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return sample(
            root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
            root,
            depth + 1,
        );
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema[key].get(0) {
            return sample(first, root, depth + 1);
        }
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    let kind = schema["type"].get(0).unwrap_or(&schema["type"]).as_str().unwrap_or("object");
    match kind {
        "object" => {
            let properties = schema["properties"].as_object();
            let fields = properties.into_iter().flatten();
            fields.map(|(name, part)| (name.clone(), sample(part, root, depth + 1))).collect()
        }
        "array" => match schema.get("items") {
            Some(items) => json!([sample(items, root, depth + 1)]),
            None => json!(["sample"]),
        },
        "string" => json!(schema["title"].as_str().unwrap_or("sample")),
        "integer" => json!(42),
        "number" => json!(4.5),
        "boolean" => json!(true),
        _ => Value::Null,
    }
}
