//! From where a run goes on: from its end, from an earlier message, or as a copy of itself.

use serde_json::{Value, json};

use crate::emulator::clock;
use crate::emulator::form::Form;
use crate::emulator::message::{Message, Usage};
use crate::emulator::refusal::{Problem, Refusal};
use crate::emulator::run::Object;
use crate::emulator::run::agent::resume::Stored;

/// Where to go on.
#[derive(Debug)]
pub(super) struct Point {
    text: String,
    place: Place,
    fork: bool,
    regenerate: bool,
    replace_original: Option<bool>,
    input: Option<String>,
    additional_instructions: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    End,
    LastUser,
    Index(i64),
}

impl Point {
    pub(super) fn read(form: &Form, problems: &mut Vec<Problem>) -> Self {
        let fork = form.flag("fork", false, problems);
        let regenerate = form.flag("regenerate", false, problems);
        let replace = form.flag("replace_original", true, problems);
        Self {
            text: form.filled("continue_from").unwrap_or("end").trim().to_owned(),
            place: Place::End,
            fork,
            regenerate,
            replace_original: form.filled("replace_original").map(|_| replace),
            input: form.filled("input").map(str::to_owned),
            additional_instructions: form.filled("additional_instructions").map(str::to_owned),
        }
    }

    pub(super) fn resolve(&mut self) -> Result<(), Refusal> {
        self.place = match self.text.as_str() {
            "end" => Place::End,
            "last_user" => Place::LastUser,
            text => Place::Index(text.parse().map_err(|_| {
                Refusal::bad_request(
                    "Invalid continue_from. Use 'end', 'last_user', or a numeric message index.",
                )
            })?),
        };
        Ok(())
    }

    /// Whether a copy was asked for.
    pub(super) fn copies(&self) -> bool {
        self.fork || self.regenerate
    }

    /// Whether the run that is continued gives way to its copy.
    pub(super) fn replaces(&self) -> bool {
        self.regenerate && self.replace_original != Some(false)
    }

    /// What the user says next.
    pub(super) fn input(&self) -> Option<&str> {
        self.additional_instructions.as_deref().filter(|_| self.regenerate).or(self.input.as_deref())
    }

    /// Cuts and copies a stored run. A finished one is always copied: it does not change any more.
    pub(super) fn apply(&self, document: &Value, stored: &mut Stored) -> Result<(), &'static str> {
        let length = stored.messages.len();
        let mut index = if self.regenerate {
            if matches!(self.place, Place::Index(_)) {
                return Err("`regenerate=True` derives the continuation boundary automatically.");
            }
            before_answer(&stored.messages)?
        } else {
            match self.place {
                Place::End => length,
                Place::LastUser => {
                    let user = stored.messages.iter().rposition(|message| message.role == "user");
                    user.ok_or("Cannot resolve `continue_from='last_user'`: run has no user messages.")? + 1
                }
                Place::Index(index) => usize::try_from(index).unwrap_or(length).min(length),
            }
        };
        if self.additional_instructions.is_some() && self.input.is_some() {
            return Err("Provide either `additional_instructions` or `input`, not both.");
        }
        if self.replace_original.is_some() && !self.regenerate {
            return Err("`replace_original` only makes sense with `regenerate=True`.");
        }
        if self.regenerate && self.fork {
            return Err("`regenerate=True` derives the destructive/preserving choice from \
                        `replace_original`; do not pass `fork=True` directly.");
        }
        let source = document["run_id"].clone();
        let forks = self.fork || self.regenerate || document["status"] == "COMPLETED";
        let cuts = index < length;
        // A call is never cut from its result.
        while cuts && index > 0 && !stored.messages[index - 1].tool_calls.is_empty() {
            index -= 1;
        }
        if forks {
            stored.usage = Usage::default();
            stored.first_token = None;
            stored.took = None;
            stored.created_at = clock::epoch();
            stored.events = None;
        }
        let mut lineage = Object::new();
        if cuts {
            lineage.insert("last_checkpoint_at_message_index".to_owned(), json!(index));
            cut(stored, index);
        }
        if forks {
            lineage.insert("forked_from_run_id".to_owned(), source.clone());
            lineage.insert("forked_from_message_index".to_owned(), json!(index));
        }
        if self.regenerate {
            lineage.insert("regenerated_from".to_owned(), source);
        }
        for (name, value) in lineage {
            stored.lineage.insert(name, value);
        }
        Ok(())
    }
}

/// How many messages stand before the last answer.
fn before_answer(messages: &[Message]) -> Result<usize, &'static str> {
    let answer = |message: &&Message| message.role == "assistant" && message.tool_calls.is_empty();
    match messages.len() - messages.iter().rev().take_while(answer).count() {
        0 => Err("Cannot regenerate: run has no non-assistant messages to regenerate from."),
        kept => Ok(kept),
    }
}

/// Drops messages, and the calls that only they knew.
fn cut(stored: &mut Stored, index: usize) {
    stored.messages.truncate(index);
    let known: Vec<&str> = stored
        .messages
        .iter()
        .flat_map(|message| {
            let calls = message.tool_calls.iter().filter_map(|call| call["id"].as_str());
            calls.chain(message.tool_call_id.as_deref())
        })
        .collect();
    stored.tools.retain(|tool| tool.tool_call_id.as_deref().is_some_and(|id| known.contains(&id)));
    stored.requirements.retain(|requirement| {
        requirement.execution.tool_call_id.as_deref().is_some_and(|id| known.contains(&id))
    });
}
