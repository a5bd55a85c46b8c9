//! The tools of a cast: what they are said to be, what they need, what they answer.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::cast::Scripted;
use super::clock;
use super::execution::ToolExecution;
use super::model::{Scene, ToolCall};
use crate::diagnostic::{self, Problem, Problems};
use crate::expr;
use crate::yaml::Node;

/// The tool that searches the knowledge base, as agno names it.
pub(crate) const SEARCH: &str = "search_knowledge_base";

/// A tool of some agent.
#[derive(Debug)]
pub(crate) struct Tool {
    name: &'static str,
    pub(crate) description: String,
    /// What the model gives.
    pub(crate) parameters: Vec<Parameter>,
    /// What a person gives.
    pub(crate) input: Vec<Parameter>,
    pub(crate) need: Need,
    does: Does,
}

/// A parameter of a tool.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    /// A type of JSON Schema.
    pub(crate) kind: String,
    pub(crate) description: Option<String>,
}

/// Why a tool does not run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    Confirmation,
    ExternalExecution,
    UserInput,
}

/// What a tool does.
#[derive(Debug)]
pub(crate) enum Does {
    Result(Scripted),
    Fail(Scripted),
    /// It needs the store, and is done where that is at hand.
    Search,
}

impl Parameter {
    pub(crate) const TYPES: [&'static str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

    /// The type as Python has it.
    fn python(&self) -> &'static str {
        match self.kind.as_str() {
            "integer" => "int",
            "number" => "float",
            "boolean" => "bool",
            "array" => "list",
            "object" => "dict",
            _ => "str",
        }
    }

    /// An entry of `user_input_schema`.
    fn field(&self, value: &Value) -> Value {
        json!({ "name": self.name, "field_type": self.python(), "description": self.description, "value": value })
    }
}

impl Tool {
    pub(crate) fn new(name: &'static str, does: Does) -> Self {
        Self {
            name,
            description: String::new(),
            parameters: Vec::new(),
            input: Vec::new(),
            need: Need::Nothing,
            does,
        }
    }

    /// The tool of agents that search the knowledge base.
    pub(crate) fn search() -> Self {
        let query = Parameter {
            name: "query".to_owned(),
            kind: "string".to_owned(),
            description: Some("The query to search for.".to_owned()),
        };
        Self {
            description: "Use this function to search the knowledge base for information about a query."
                .to_owned(),
            parameters: vec![query],
            ..Self::new(SEARCH, Does::Search)
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn need(&self) -> Need {
        self.need
    }

    /// Whether it is the one that searches the knowledge base.
    pub(crate) fn searches(&self) -> bool {
        matches!(self.does, Does::Search)
    }

    /// Complains about arguments that the tool has no parameters for.
    pub(crate) fn check_arguments(&self, node: &Node, problems: &mut Problems) {
        if self.parameters.is_empty() {
            return;
        }
        for entry in node.as_mapping().unwrap_or_default() {
            let name = entry.key.name.as_str();
            if self.parameters.iter().all(|parameter| parameter.name != name) {
                let known = self.parameters.iter().map(|parameter| parameter.name.as_str());
                problems.push(
                    Problem::error("cast::tool", format!("`{}` has no parameter `{name}`", self.name))
                        .label(&entry.key.span, "unknown argument")
                        .maybe_help(diagnostic::suggest(name, known)),
                );
            }
        }
    }

    /// The entry of `tools.tools[]` in the description of an agent.
    pub(crate) fn describe(&self) -> Value {
        let mut properties = Map::new();
        for parameter in &self.parameters {
            let mut property = json!({ "type": parameter.kind });
            if let Some(description) = &parameter.description {
                property["description"] = if self.searches() {
                    json!(description)
                } else {
                    json!(format!("({}) {description}", parameter.python()))
                };
            }
            properties.insert(parameter.name.clone(), property);
        }
        // What the user has to give is no parameter of the model.
        let required: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let mut tool = json!({
            "name": self.name,
            "description": self.description,
            "parameters": { "type": "object", "properties": properties, "required": required },
        });
        match self.need {
            Need::Confirmation => tool["requires_confirmation"] = json!(true),
            Need::ExternalExecution => tool["external_execution"] = json!(true),
            Need::Nothing | Need::UserInput => {}
        }
        tool
    }

    /// The call as it stands before anything has happened to it.
    pub(crate) fn pending(&self, call: &ToolCall) -> ToolExecution {
        let mut execution = call.pending();
        match self.need {
            Need::Nothing => {}
            Need::Confirmation => execution.requires_confirmation = Some(true),
            Need::ExternalExecution => execution.external_execution_required = Some(true),
            Need::UserInput => {
                execution.requires_user_input = Some(true);
                let known = self.parameters.iter().map(|it| it.field(&call.arguments[&it.name]));
                let asked = self.input.iter().map(|it| it.field(&Value::Null));
                execution.user_input_schema = Some(known.chain(asked).collect());
            }
        }
        execution
    }

    /// Does what the tool does.
    pub(crate) fn execute(&self, pending: &ToolExecution, scene: &Scene<'_>) -> ToolExecution {
        let clock = Stopwatch::start();
        let outcome = match self.refusal(&pending.tool_args) {
            Some(refusal) => Err(refusal),
            None => self.outcome(&pending.tool_args, scene),
        };
        let mut done = pending.clone();
        done.tool_call_error = Some(outcome.is_err());
        done.result = Some(outcome.unwrap_or_else(|error| error));
        done.metrics = Some(clock.metrics());
        done
    }

    fn outcome(&self, arguments: &Value, scene: &Scene<'_>) -> Result<String, String> {
        // What a template cannot do the tool cannot.
        let says = |scripted: &Scripted| scripted.says(scene, &[("args", arguments)]);
        match &self.does {
            Does::Result(_) if self.need == Need::ExternalExecution => Ok("never executed here".to_owned()),
            Does::Result(result) => says(result),
            Does::Fail(error) => Err(says(error).unwrap_or_else(|error| error)),
            Does::Search => Ok("No documents found".to_owned()),
        }
    }

    /// What pydantic says to what a person should have given and did not.
    fn refusal(&self, arguments: &Value) -> Option<String> {
        let missing: Vec<&Parameter> = self
            .input
            .iter()
            .filter(|field| field.kind == "string" && !arguments[&field.name].is_string())
            .collect();
        if missing.is_empty() {
            return None;
        }
        let s = if missing.len() == 1 { "" } else { "s" };
        let mut text = format!("{} validation error{s} for {}", missing.len(), self.name);
        for field in missing {
            text.push_str(&format!(
                "\n{}\n  Input should be a valid string [type=string_type, input_value=None, \
                 input_type=NoneType]\n    For further information visit \
                 https://errors.pydantic.dev/2.14/v/string_type",
                field.name
            ));
        }
        Some(text)
    }
}

impl Scripted {
    /// What it says, given names and their values.
    pub(crate) fn says(&self, scene: &Scene<'_>, names: &[(&str, &Value)]) -> Result<String, String> {
        let mut scope = scene.scope(&self.folder);
        for (name, value) in names {
            scope.set(*name, expr::Value::from_json(value));
        }
        self.template.resolve_text(&scope).map_err(|problem| problem.to_string())
    }
}

/// Times a tool call.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    start: f64,
    since: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { start: clock::epoch_fraction(), since: Instant::now() }
    }

    pub(crate) fn metrics(&self) -> Value {
        let duration = self.since.elapsed().as_secs_f64();
        json!({ "start_time": self.start, "end_time": self.start + duration, "duration": duration })
    }
}
