//! What an agent tells its model before the user's words, and the user's words as the model gets them.

use std::fmt::Write as _;

use serde_json::Value;

use super::agent::Part;
use super::{Object, put, put_some};
use crate::emulator::python;

/// The state as agents see it in their context and as members and steps report it.
pub(crate) fn visible_state(state: &Object, user_id: Option<&str>, session_id: &str, run_id: &str) -> Object {
    let mut visible = state.clone();
    put_some(&mut visible, "current_user_id", user_id);
    put(&mut visible, "current_session_id", session_id);
    put(&mut visible, "current_run_id", run_id);
    visible
}

/// The system message, when there is anything to say in it.
pub(crate) fn system(part: &Part<'_>) -> Option<String> {
    let agent = part.agent;
    let mut lines: Vec<String> = Vec::new();
    lines.extend(agent.description.map(str::to_owned));
    lines.extend(agent.role.map(|role| format!("<your_role>\n{role}\n</your_role>")));
    lines.extend(agent.instructions.map(str::to_owned));
    if agent.knows {
        lines.push(KNOWLEDGE.to_owned());
    }
    if agent.memories.is_some() {
        lines.push(memories(part));
    }
    if let Some(state) = part.state.as_object().filter(|_| agent.shows_context) {
        let shown = visible_state(state, part.user_id, part.session_id, &part.run_id);
        lines.push(format!("<session_state>\n{}\n</session_state>", python::repr(&Value::Object(shown))));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The user's message, with the dependencies for an agent that shows them.
pub(crate) fn question(part: &Part<'_>) -> String {
    match part.dependencies.filter(|_| part.agent.shows_context) {
        Some(dependencies) => {
            let shown = serde_json::to_string_pretty(dependencies).unwrap_or_default();
            format!("{}\n\n<additional context>\n{shown}\n</additional context>", part.message)
        }
        None => part.message.to_owned(),
    }
}

/// What is known of the user, word for word as agno 3.1.10 tells it: its words are its tokens.
fn memories(part: &Part<'_>) -> String {
    let known = part.os.store.memories_of(part.user_id.unwrap_or("default")).unwrap_or_default();
    if known.is_empty() {
        return "You have the capability to retain memories from previous interactions with the user, but have \
                not had any interactions with the user yet."
            .to_owned();
    }
    let mut text =
        "You have access to user info and preferences from previous interactions that you can use \
                    to personalize your response:\n\n<memories_from_previous_interactions>"
            .to_owned();
    for memory in known {
        let _ = write!(text, "\n- {}", memory.text);
    }
    text.push_str(
        "\n</memories_from_previous_interactions>\n\nNote: this information is from previous interactions \
         and may be updated in this conversation. You should always prefer information from this conversation \
         over the past memories.",
    );
    text
}

const KNOWLEDGE: &str = "<knowledge_base>\nYou have a knowledge base you can search using the \
    search_knowledge_base tool. Search before answering questions\u{2014}don't assume you know the answer. For \
    ambiguous questions, search first rather than asking for clarification.\n</knowledge_base>";
