//! A run of a team that goes on: its members after a human's word, then its leader.

use std::fmt::Write as _;
use std::time::Instant;

use serde_json::{Value, json};

use super::{Ending, Finished, Run, Sink};
use crate::emulator::cast::Team;
use crate::emulator::execution::Requirement;
use crate::emulator::os::Os;
use crate::emulator::run::agent::Part;
use crate::emulator::run::agent::resume::{self as agent, Stored};
use crate::emulator::run::{Ask, Object, merge, put, restore};
use crate::emulator::shape::run_again;

/// Lets a run go on. The text says why it cannot: then nothing has changed.
pub(crate) async fn resume(
    os: &Os,
    team: &'static Team,
    ask: &Ask,
    state: &Object,
    document: &Value,
    stored: Stored,
    sink: &Sink,
) -> Result<Finished, String> {
    let mut messages = stored.messages;
    let after_system = messages.iter().take_while(|message| message.role == "system").count();
    messages.splice(after_system..after_system, stored.history);
    let members = document["member_responses"].as_array().cloned().unwrap_or_default();
    let mut run = Run {
        os,
        team,
        ask,
        state,
        sink,
        since: Instant::now(),
        created_at: stored.created_at,
        messages,
        tools: stored.tools,
        members: members.iter().filter_map(|run| run_again(run).as_object().cloned()).collect(),
        requirements: stored.requirements,
        changes: Object::new(),
        usage: stored.usage,
        first_token: stored.first_token,
        took: stored.took,
        lineage: stored.lineage,
        before: stored.events,
        cleared: false,
        continued: false,
    };
    let unresolved = run.requirements.iter().any(|requirement| !resolved(requirement));
    let mut said = String::new();
    if !unresolved {
        said = run.members_go_on().await?;
    }
    let continued = run.event("TeamRunContinued");
    if !sink.streams() {
        run.before.get_or_insert_default().push(Value::Object(continued));
    } else if !unresolved {
        sink.send(&continued);
    }
    if unresolved {
        return Ok(run.close(Ending::Paused));
    }
    run.cleared = document.get("requirements").is_some();
    run.requirements.clear();
    if !said.is_empty() {
        run.tell_leader(&said);
    }
    run.continued = true;
    let ending = run.converse().await;
    if matches!(ending, Ending::Cancelled(_)) && !sink.streams() {
        // What the leader said last is dropped.
        run.messages.pop_if(|message| message.role == "assistant");
    }
    Ok(run.close(ending))
}

/// Whether a human has said what was asked.
fn resolved(requirement: &Requirement) -> bool {
    let tool = &requirement.execution;
    if tool.external_execution_required == Some(true) {
        return tool.result.is_some();
    }
    if tool.requires_user_input == Some(true) && tool.answered != Some(true) {
        let fields = tool.user_input_schema.as_ref().and_then(Value::as_array).into_iter().flatten();
        return fields.into_iter().all(|field| !field["value"].is_null());
    }
    tool.requires_confirmation != Some(true) || tool.confirmed.is_some()
}

impl Run<'_> {
    /// Every member that waited does what was decided. What they say, for the leader.
    async fn members_go_on(&mut self) -> Result<String, String> {
        let mut said = String::new();
        let mut done: Vec<String> = Vec::new();
        for requirement in self.requirements.clone() {
            let Some([id, name, run_id]) = &requirement.member else { continue };
            if done.contains(run_id) {
                continue;
            }
            done.push(run_id.clone());
            let Some(agent) = self.team.members.iter().copied().find(|member| member.id == id) else {
                continue;
            };
            let Some(at) = self.members.iter().position(|run| run["run_id"].as_str() == Some(run_id)) else {
                continue;
            };
            let document = Value::Object(self.members[at].clone());
            let mut stored = restore(&document);
            stored.requirements = self
                .requirements
                .iter()
                .filter(|r| r.member.as_ref().is_some_and(|m| m[2] == *run_id))
                .cloned()
                .collect();
            for requirement in &mut stored.requirements {
                let id = &requirement.execution.tool_call_id;
                requirement.at = stored.tools.iter().position(|tool| tool.tool_call_id == *id);
                if let Some(tool) = requirement.at.and_then(|at| stored.tools.get_mut(at)) {
                    *tool = requirement.execution.clone();
                }
            }
            let message = document["input"]["input_content"].as_str().unwrap_or_default();
            let part = Part {
                os: self.os,
                agent,
                run_id: run_id.clone(),
                session_id: &self.ask.session_id,
                user_id: self.ask.user_id.as_deref(),
                message,
                media: &self.ask.media,
                knowledge_filters: self.ask.knowledge_filters.as_ref(),
                parent_run_id: Some(&self.ask.run_id),
                step: None,
                history: Vec::new(),
                state: document["session_state"].clone(),
                dependencies: self.ask.dependencies.as_ref(),
                metadata: self.ask.metadata.as_ref(),
                schema: None,
            };
            let finished = Box::pin(agent::resume(part, stored, self.sink)).await?;
            let _ = write!(said, "\n[{name}]: {}", finished.text);
            merge(&mut self.changes, &finished.changes);
            self.members[at] = finished.document;
            put(&mut self.members[at], "events", json!([]));
        }
        Ok(said)
    }

    /// Puts what the members said where they had said that they wait.
    fn tell_leader(&mut self, said: &str) {
        let result = format!("Member results after human-in-the-loop resolution:{said}");
        if let Some(message) = self.messages.iter_mut().rfind(|message| message.role == "tool") {
            message.content = Some(result.clone());
        }
        if let Some(tool) = self.tools.last_mut() {
            tool.result = Some(result);
        }
    }
}
