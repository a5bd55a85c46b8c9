//! The tools of the cast: what they are said to be, what they need, what they do.

use std::time::Instant;

use serde_json::{Value, json};

use super::clock;
use super::execution::ToolExecution;
use super::model::ToolCall;

/// A tool of some agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Add,
    GetWeather,
    Explode,
    DeleteFile,
    RunShell,
    SendEmail,
    SearchKnowledge,
}

/// Why a tool does not run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    Confirmation,
    ExternalExecution,
    UserInput,
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::GetWeather => "get_weather",
            Self::Explode => "explode",
            Self::DeleteFile => "delete_file",
            Self::RunShell => "run_shell",
            Self::SendEmail => "send_email",
            Self::SearchKnowledge => "search_knowledge_base",
        }
    }

    pub(crate) fn need(self) -> Need {
        match self {
            Self::Add | Self::GetWeather | Self::Explode | Self::SearchKnowledge => Need::Nothing,
            Self::DeleteFile => Need::Confirmation,
            Self::RunShell => Need::ExternalExecution,
            Self::SendEmail => Need::UserInput,
        }
    }

    /// The entry of `tools.tools[]` in the description of an agent.
    pub(crate) fn describe(self) -> Value {
        let (description, parameters) = match self {
            Self::Add => (
                "Add two integers.",
                json!({
                    "a": { "type": "integer", "description": "(int) first number" },
                    "b": { "type": "integer", "description": "(int) second number" },
                }),
            ),
            Self::GetWeather => (
                "Get the (canned) weather of a city.",
                json!({ "city": { "type": "string", "description": "(str) city name" } }),
            ),
            Self::Explode => (
                "A tool that always raises.",
                json!({ "reason": { "type": "string", "description": "(str) why" } }),
            ),
            Self::DeleteFile => (
                "Delete a file (pretend). Needs a human's confirmation.",
                json!({ "path": { "type": "string", "description": "(str) file to delete" } }),
            ),
            Self::RunShell => (
                "Run a shell command outside of the agent.",
                json!({ "command": { "type": "string", "description": "(str) the command" } }),
            ),
            // What the user has to give is no parameter of the model.
            Self::SendEmail => (
                "Send an email (pretend); the address comes from the user.",
                json!({ "subject": { "type": "string", "description": "(str) subject line" } }),
            ),
            Self::SearchKnowledge => (
                "Use this function to search the knowledge base for information about a query.",
                json!({ "query": { "type": "string", "description": "(str) The query to search for." } }),
            ),
        };
        let required: Vec<&String> = parameters.as_object().into_iter().flat_map(|p| p.keys()).collect();
        let mut tool = json!({
            "name": self.name(),
            "description": description,
            "parameters": { "type": "object", "properties": parameters, "required": required },
        });
        match self.need() {
            Need::Confirmation => tool["requires_confirmation"] = json!(true),
            Need::ExternalExecution => tool["external_execution"] = json!(true),
            Need::Nothing | Need::UserInput => {}
        }
        tool
    }

    /// The call as it stands before anything has happened to it.
    pub(crate) fn pending(self, call: &ToolCall) -> ToolExecution {
        let mut execution = call.pending();
        match self.need() {
            Need::Nothing => {}
            Need::Confirmation => execution.requires_confirmation = Some(true),
            Need::ExternalExecution => execution.external_execution_required = Some(true),
            Need::UserInput => {
                execution.requires_user_input = Some(true);
                execution.user_input_schema = Some(json!([
                    { "name": "subject", "field_type": "str", "description": "subject line",
                      "value": call.arguments["subject"] },
                    { "name": "to", "field_type": "str", "description": "address", "value": null },
                ]));
            }
        }
        execution
    }

    /// Does what the tool does.
    pub(crate) fn execute(self, pending: &ToolExecution) -> ToolExecution {
        let clock = Stopwatch::start();
        let arguments = &pending.tool_args;
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        let outcome = match self {
            Self::Add => {
                let (a, b) = (arguments["a"].as_i64(), arguments["b"].as_i64());
                Ok((i128::from(a.unwrap_or(0)) + i128::from(b.unwrap_or(0))).to_string())
            }
            Self::GetWeather => Ok(format!("Sunny in {}, 21C", text("city"))),
            Self::Explode => Err(format!("tool exploded: {}", text("reason"))),
            Self::DeleteFile => Ok(format!("deleted {}", text("path"))),
            Self::RunShell => Ok("never executed here".to_owned()),
            Self::SendEmail if !arguments["to"].is_string() => Err(NO_ADDRESS.to_owned()),
            Self::SendEmail => {
                Ok(format!("sent {} to {}", super::python::repr_text(&text("subject")), text("to")))
            }
            // It needs the store, and is done where that is at hand.
            Self::SearchKnowledge => Ok("No documents found".to_owned()),
        };
        let mut done = pending.clone();
        done.tool_call_error = Some(outcome.is_err());
        done.result = Some(outcome.unwrap_or_else(|error| error));
        done.metrics = Some(clock.metrics());
        done
    }
}

/// What pydantic says to an address that nobody gave.
const NO_ADDRESS: &str = "1 validation error for send_email\nto\n  Input should be a valid string \
    [type=string_type, input_value=None, input_type=NoneType]\n    For further information visit \
    https://errors.pydantic.dev/2.14/v/string_type";

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
