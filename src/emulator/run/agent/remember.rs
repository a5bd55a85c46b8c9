//! What an agent does with memories and knowledge.

use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::Run;
use crate::emulator::execution::ToolExecution;
use crate::emulator::message::Usage;
use crate::emulator::run::{Object, put};
use crate::emulator::store::memories::Memory;
use crate::emulator::tools::Stopwatch;
use crate::emulator::{clock, knowledge, model, python};

/// What agno's instructions to the memory manager's model count for, in words; the tags around the memories
/// that there are; what stands before each of them; and what its tool answers.
const INSTRUCTIONS: u64 = 539;
const TAGS: u64 = 2;
const LABELS: u64 = 3;
const ADDED: u64 = 3;

/// Memories of those without a name belong to this user.
const NOBODY: &str = "default";

impl Run<'_> {
    /// Lets the memory manager see what the user said.
    pub(super) fn remember(&mut self) {
        let Some(rules) = &self.part.agent.memories else { return };
        self.sink.send(&self.event("MemoryUpdateStarted"));
        let user_id = self.part.user_id.unwrap_or(NOBODY);
        let store = &self.part.os.store;
        let known = store.memories_of(user_id).unwrap_or_default();
        let tags = if known.is_empty() { 0 } else { TAGS };
        let words: u64 = known.iter().map(|known| LABELS + python::words(&known.text)).sum();
        let found = model::memory(rules, self.part.message, user_id);
        let answered = if found.is_some() { ADDED } else { 0 };
        let input = INSTRUCTIONS + python::words(self.part.message) + tags + words + answered;
        // It says "No memory changes.", or calls a tool and says "Memory updated.".
        self.memory_usage.add(Usage { input, output: if found.is_some() { 2 } else { 3 } });
        if let Some((text, topics)) = found {
            let memory = Memory {
                id: Uuid::new_v4().to_string(),
                text,
                topics: Some(topics),
                user_id: Some(user_id.to_owned()),
                agent_id: Some(self.part.agent.id.to_owned()),
                team_id: None,
                input: Some(self.part.message.to_owned()),
                created_at: clock::epoch(),
                updated_at: clock::epoch(),
            };
            // A memory that cannot be stored is one that was not made.
            let _ = store.put_memory(&memory);
        }
        let memories = store.memories_of(user_id).unwrap_or_default();
        let mut event = self.event("MemoryUpdateCompleted");
        if !memories.is_empty() {
            put(&mut event, "memories", memories.iter().map(Memory::told).collect::<Vec<_>>());
        }
        self.sink.send(&event);
    }

    /// The tool `search_knowledge_base`.
    pub(super) fn search(&mut self, pending: &ToolExecution) -> ToolExecution {
        let (clock, since) = (Stopwatch::start(), Instant::now());
        let query = pending.tool_args["query"].as_str().unwrap_or_default();
        let filters = self.part.knowledge_filters;
        let found = knowledge::search::find(
            &self.part.os.knowledge_store(),
            query,
            filters,
            knowledge::MOST_FOUND,
            self.part.user_id,
        );
        let documents: Vec<Value> = found
            .unwrap_or_default()
            .into_iter()
            .map(|chunk| json!({ "content": chunk.content, "name": chunk.name, "meta_data": chunk.metadata }))
            .collect();
        let mut done = pending.clone();
        done.tool_call_error = Some(false);
        done.metrics = Some(clock.metrics());
        done.result = Some(if documents.is_empty() {
            "No documents found".to_owned()
        } else {
            serde_json::to_string_pretty(&documents).unwrap_or_default()
        });
        if !documents.is_empty() {
            let mut entry = Object::new();
            put(&mut entry, "query", query);
            put(&mut entry, "references", documents);
            let milliseconds = (since.elapsed().as_secs_f64() * 10_000.0).round() / 10_000.0;
            put(&mut entry, "time", milliseconds);
            let references = self.references.get_or_insert_with(|| json!([]));
            references.as_array_mut().into_iter().for_each(|list| list.push(Value::Object(entry.clone())));
        }
        done
    }
}
