//! What an agent tells its model before the user's words, and the user's words as the model gets them.

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
