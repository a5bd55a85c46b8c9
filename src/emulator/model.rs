//! The offline model: what it says is a function of the messages it gets, nothing else.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};

use super::cast::Mode;
use super::execution::ToolExecution;
use super::message::{Message, Usage};
use super::tools::Tool;
use super::{clock, python, sha1};

/// What the model answers to one request.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) calls: Vec<ToolCall>,
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
    /// The keys of `arguments` must be in alphabetical order.
    fn new(name: &'static str, arguments: Value, turn: usize) -> Self {
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

/// A failure of the model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failure {
    pub(crate) message: &'static str,
    pub(crate) error_type: &'static str,
}

/// What a request to the model carries.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) mode: Mode,
    pub(crate) messages: &'a [Message],
    pub(crate) tools: &'a [Tool],
    pub(crate) schema: Option<&'a Value>,
}

impl Request<'_> {
    /// The answer.
    pub(crate) fn reply(&self) -> Reply {
        if let (Some(schema), Mode::Chat) = (self.schema, self.mode) {
            return say(python::dumps(&sample(schema, schema, 0)));
        }
        match self.mode {
            Mode::Chat => say(self.chat()),
            Mode::Librarian => self.librarian(),
            Mode::Judge => say(self.verdict()),
            Mode::Tools => self.tools(),
            Mode::Approval => self.approval(),
            Mode::Slow => say(self.many_words()),
            Mode::Broken => say("This text comes before the failure.".to_owned()),
            Mode::Leader(members) => {
                if let Some(results) = self.results() {
                    return say(format!("Team result: {}", results.join(" + ")));
                }
                let (task, turn) = (self.last_user(), self.users().count());
                let call = |id: &str| {
                    ToolCall::new("delegate_task_to_member", json!({ "member_id": id, "task": task }), turn)
                };
                Reply { text: String::new(), calls: members.iter().map(|member| call(member.id)).collect() }
            }
        }
    }

    /// Whether this request fails. A stream fails after its text, a plain request before.
    pub(crate) fn failure(&self) -> Option<Failure> {
        if !matches!(self.mode, Mode::Broken) {
            return None;
        }
        let low = self.last_user().to_lowercase();
        Some(if low.contains("valueerror") {
            Failure { message: "offline: plain ValueError", error_type: "ValueError" }
        } else if low.contains("ratelimit") {
            Failure { message: "offline: rate limited", error_type: "model_provider_error" }
        } else {
            Failure { message: "offline: model provider failed", error_type: "model_provider_error" }
        })
    }

    /// How long each word takes.
    pub(crate) fn delay(&self) -> Duration {
        static DELAY: LazyLock<Regex> = LazyLock::new(|| pattern(r"delay\s*=?\s*([0-9.]+)"));
        if !matches!(self.mode, Mode::Slow) {
            return Duration::ZERO;
        }
        let seconds = DELAY.captures(self.last_user()).and_then(|found| found[1].parse().ok()).unwrap_or(0.1);
        Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST)
    }

    /// Tokens are words: of all messages, and of the answer (at least one).
    pub(crate) fn usage(&self, text: &str) -> Usage {
        let input = self.messages.iter().map(|message| python::words(message.text())).sum();
        Usage { input, output: python::words(text).max(1) }
    }

    fn users(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.messages.iter().filter(|message| message.role == "user").map(Message::text)
    }

    fn last_user(&self) -> &str {
        self.users().next_back().unwrap_or("")
    }

    /// What tools answered since the user spoke last.
    fn results(&self) -> Option<Vec<&str>> {
        let tail = self.messages.iter().rposition(|message| message.role == "user").map_or(0, |at| at + 1);
        let results: Vec<_> = self.messages[tail..]
            .iter()
            .filter(|message| message.role == "tool")
            .map(Message::text)
            .collect();
        (!results.is_empty()).then_some(results)
    }

    fn librarian(&self) -> Reply {
        if let Some(results) = self.results() {
            return say(format!("From the knowledge base: {}", results.join(" | ")));
        }
        let (last, turn) = (self.last_user(), self.users().count());
        let call = ToolCall::new(Tool::SearchKnowledge.name(), json!({ "query": last }), turn);
        Reply { text: String::new(), calls: vec![call] }
    }

    /// Whatever is said to be wrong fails; all else passes.
    fn verdict(&self) -> String {
        let passed = !self.last_user().to_lowercase().contains("wrong");
        let (score, reason) =
            if passed { (9, "nothing is said to be wrong") } else { (2, "something is wrong") };
        python::dumps(&json!({ "passed": passed, "score": score, "reason": reason }))
    }

    fn chat(&self) -> String {
        static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)my name is ([A-Z][a-z]+)"));
        let name = |text: &str| NAME.captures(text).map(|found| capitalize(&found[1]));
        let last = self.last_user();
        let asked = self.messages.iter().rfind(|message| message.role == "user");
        if let Some(media) = asked.and_then(|message| message.media.counted()) {
            return format!("Received {media}. You said: {last}");
        }
        let low = last.to_lowercase();
        if low.contains("what's my name") || low.contains("what is my name") {
            return match self.users().rev().find_map(name) {
                Some(name) => format!("Your name is {name}."),
                None => "I don't know your name yet.".to_owned(),
            };
        }
        if let Some(name) = name(last) {
            return format!("Nice to meet you, {name}!");
        }
        if low.contains("how many messages") {
            return format!("You have sent {} messages.", self.users().count());
        }
        if low.contains("show context") {
            let system = self.messages.iter().find(|message| message.role == "system");
            return format!("SYSTEM: {} USER: {last}", system.map_or("(none)", Message::text));
        }
        format!("You said: {last}")
    }

    fn tools(&self) -> Reply {
        static ADD: LazyLock<Regex> =
            LazyLock::new(|| pattern(r"(?i)add\s+(-?[0-9]+)\s+(?:and\s+)?(-?[0-9]+)"));
        static WEATHER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)weather in ([A-Za-z]+)"));
        if let Some(results) = self.results() {
            return say(format!("Tool says: {}", results.join("; ")));
        }
        let (last, turn) = (self.last_user(), self.users().count());
        let mut calls = Vec::new();
        if let Some(found) = ADD.captures(last)
            && let (Ok(a), Ok(b)) = (found[1].parse::<i64>(), found[2].parse::<i64>())
        {
            calls.push(ToolCall::new("add", json!({ "a": a, "b": b }), turn));
        }
        if let Some(found) = WEATHER.captures(last) {
            calls.push(ToolCall::new("get_weather", json!({ "city": found[1] }), turn));
        }
        if last.to_lowercase().contains("explode") {
            calls.push(ToolCall::new("explode", json!({ "reason": "asked" }), turn));
        }
        if calls.is_empty() {
            return say(format!("No tool needed: {last}"));
        }
        Reply { text: String::new(), calls }
    }

    fn approval(&self) -> Reply {
        static DELETE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)delete (\S+)"));
        static RUN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)run (\S+)"));
        if let Some(results) = self.results() {
            return say(format!("Done: {}", results.join("; ")));
        }
        let (last, turn) = (self.last_user(), self.users().count());
        let has = |tool| self.tools.contains(&tool);
        let mut calls = Vec::new();
        if let Some(found) = DELETE.captures(last).filter(|_| has(Tool::DeleteFile)) {
            let delete = |path| ToolCall::new("delete_file", json!({ "path": path }), turn);
            calls.extend(found[1].split(',').map(delete));
        }
        if let Some(found) = RUN.captures(last).filter(|_| has(Tool::RunShell)) {
            calls.push(ToolCall::new("run_shell", json!({ "command": found[1] }), turn));
        }
        if last.to_lowercase().contains("email") && has(Tool::SendEmail) {
            calls.push(ToolCall::new("send_email", json!({ "subject": "Hello" }), turn));
        }
        if calls.is_empty() {
            return say(format!("Nothing to do: {last}"));
        }
        Reply { text: String::new(), calls }
    }

    fn many_words(&self) -> String {
        static WORDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"([0-9]+)\s*words?"));
        let count =
            WORDS.captures(self.last_user()).map_or(50, |found| found[1].parse().unwrap_or(MOST_WORDS));
        let words: Vec<_> = (0..count.min(MOST_WORDS)).map(|i| format!("w{i}")).collect();
        words.join(" ")
    }
}

/// A word never takes longer than this, whatever the message asks for.
const LONGEST: Duration = Duration::from_hours(1);
/// Nor are there more words than this: a message must not eat the memory of the machine.
const MOST_WORDS: usize = 100_000;

/// What the memory manager makes of a message: something to remember, or nothing.
pub(crate) fn memory(message: &str) -> Option<String> {
    static LIKES: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bI (?:like|love) ([A-Za-z ]+)"));
    LIKES.captures(message).map(|found| format!("User likes {}", found[1].trim()))
}

fn say(text: String) -> Reply {
    Reply { text, calls: Vec::new() }
}

/// `str.capitalize()`.
fn capitalize(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + &chars.as_str().to_lowercase()
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

#[expect(clippy::expect_used, reason = "every pattern is a literal of this file, compiled by its tests")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a literal pattern")
}
