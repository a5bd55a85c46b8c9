//! What chance makes of a list of events taken away: members of a team and parallel steps of a workflow that run at the same
//! time mix their events, and a model cuts its answer into pieces.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// How deep runs lie in runs.
const DEEPEST: usize = 16;

/// The events of each run together, where its first one stands: which run is faster is chance.
pub(super) fn unmix(events: &mut Value) {
    if let Value::Array(events) = events {
        let order = order(events);
        *events = order.into_iter().map(|at| std::mem::take(&mut events[at])).collect();
    }
}

/// The calls of tools, which stand in the order in which they began, in the order that [`unmix`] gives their events.
pub(super) fn unmix_calls(calls: &mut Value, events: &Value) {
    let (Value::Array(calls), Value::Array(events)) = (calls, events) else { return };
    let began = |event: &Value| name(event).is_some_and(|name| name.ends_with("ToolCallStarted"));
    let mut numbers = HashMap::new();
    for (at, _) in events.iter().enumerate().filter(|(_, event)| began(event)) {
        numbers.insert(at, numbers.len());
    }
    if numbers.len() == calls.len() {
        let order: Vec<usize> = order(events).iter().filter_map(|at| numbers.get(at).copied()).collect();
        *calls = order.into_iter().map(|at| std::mem::take(&mut calls[at])).collect();
    }
}

fn order(events: &[Value]) -> Vec<usize> {
    let mut parents = HashMap::new();
    for event in events {
        let parent = field(event, "parent_run_id").or_else(|| field(event, "workflow_run_id"));
        if let (Some(run), Some(parent)) = (field(event, "run_id"), parent) {
            parents.entry(run).or_insert(parent);
        }
    }
    let all: Vec<usize> = (0..events.len()).collect();
    Order { events, parents }.arrange(&all, true, 0)
}

struct Order<'e> {
    events: &'e [Value],
    /// The run in which a run was started.
    parents: HashMap<&'e str, &'e str>,
}

/// What runs for itself within a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Unit<'e> {
    Run(&'e str),
    /// A step of a workflow, and how often it was begun before: loops begin it again.
    Step(&'e str, usize),
}

impl<'e> Order<'e> {
    fn arrange(&self, all: &[usize], steps: bool, depth: usize) -> Vec<usize> {
        let Some(owner) = all.first().and_then(|at| field(&self.events[*at], "run_id")) else {
            return all.to_vec();
        };
        if depth > DEEPEST {
            return all.to_vec();
        }
        let mut begun: HashMap<&str, usize> = HashMap::new();
        let mut places: HashMap<Unit<'e>, usize> = HashMap::new();
        let mut groups: Vec<(Option<Unit<'e>>, Vec<usize>)> = Vec::new();
        for &at in all {
            let event = &self.events[at];
            if steps
                && name(event) == Some("StepStarted")
                && let Some(step) = field(event, "step_id")
            {
                *begun.entry(step).or_default() += 1;
            }
            let unit = self.unit(event, owner, steps.then_some(&begun));
            if let Some(place) = unit.and_then(|unit| places.get(&unit)) {
                groups[*place].1.push(at);
            } else {
                places.extend(unit.map(|unit| (unit, groups.len())));
                groups.push((unit, vec![at]));
            }
        }
        let inside = |(unit, members): (Option<Unit<'_>>, Vec<usize>)| match unit {
            Some(Unit::Run(_)) => self.arrange(&members, true, depth + 1),
            Some(Unit::Step(..)) => self.arrange(&members, false, depth + 1),
            None => members,
        };
        groups.into_iter().flat_map(inside).collect()
    }

    /// What an event belongs to within the run `owner`; none where it is the run's own.
    fn unit(
        &self,
        event: &'e Value,
        owner: &str,
        begun: Option<&HashMap<&'e str, usize>>,
    ) -> Option<Unit<'e>> {
        let run = field(event, "run_id")?;
        let of_a_step = run != owner
            || name(event).is_some_and(|name| name.starts_with("Step") && !name.starts_with("Steps"));
        if let (true, Some(begun), Some(step)) = (of_a_step, begun, field(event, "step_id"))
            && let Some(times) = begun.get(step)
        {
            return Some(Unit::Step(step, *times));
        }
        let mut child = run;
        for _ in 0..DEEPEST {
            match self.parents.get(child) {
                Some(parent) if *parent != owner => child = parent,
                _ => break,
            }
        }
        (run != owner).then_some(Unit::Run(child))
    }
}

fn field<'e>(event: &'e Value, key: &str) -> Option<&'e str> {
    event.get(key)?.as_str()
}

fn name(event: &Value) -> Option<&str> {
    field(event, "event")
}

/// What differs between two pieces of one text.
const OWN: &[&str] = &["content", "created_at", "event_index"];

/// Joins neighbours that are pieces of one text in a list of events.
pub(super) fn join_pieces(value: &mut Value) {
    let Value::Array(events) = value else { return };
    let mut joined: Vec<Value> = Vec::with_capacity(events.len());
    for event in events.drain(..) {
        if let (Some(Value::Object(last)), Value::Object(piece)) = (joined.last_mut(), &event)
            && let Some(text) = continues(last, piece)
            && let Some(Value::String(whole)) = last.get_mut("content")
        {
            whole.push_str(text);
            continue;
        }
        joined.push(event);
    }
    *events = joined;
}

/// The text of `piece`, where it goes on with that of `last`.
fn continues<'p>(last: &Map<String, Value>, piece: &'p Map<String, Value>) -> Option<&'p str> {
    let name = piece.get("event")?.as_str()?;
    if !name.ends_with("Content") && !name.ends_with("ContentDelta") {
        return None;
    }
    let text = piece.get("content")?.as_str()?;
    last.get("content")?.as_str()?;
    let shared =
        |fields: &Map<String, Value>| fields.keys().filter(|key| !OWN.contains(&key.as_str())).count();
    let same = shared(last) == shared(piece)
        && piece.iter().all(|(key, value)| OWN.contains(&key.as_str()) || last.get(key) == Some(value));
    same.then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_of_one_text_are_one() {
        let piece = |run: &str, text: &str, at: u64| json!({"event": "RunContent", "run_id": run, "content": text, "created_at": at});
        let mut events = json!([
            {"event": "RunStarted", "run_id": "a"},
            piece("a", "Nice ", 1),
            piece("a", "to meet you", 2),
            piece("b", "!", 2),
            {"event": "RunContent", "run_id": "b", "content": {"a": 1}},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
        ]);
        join_pieces(&mut events);
        let expected = json!([
            {"event": "RunStarted", "run_id": "a"},
            piece("a", "Nice to meet you", 1),
            piece("b", "!", 2),
            {"event": "RunContent", "run_id": "b", "content": {"a": 1}},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
            {"event": "RunCompleted", "run_id": "a", "content": "Nice to meet you"},
        ]);
        assert_eq!(events, expected);
    }

    /// Events in short: `name run parent step`.
    fn events(texts: &[&str]) -> Value {
        let event = |text: &&str| {
            let mut words = text.split(' ');
            let mut event = json!({ "event": words.next(), "run_id": words.next() });
            for key in ["parent_run_id", "step_id"] {
                if let Some(word) = words.next().filter(|word| *word != "-") {
                    event[key] = json!(word);
                }
            }
            event
        };
        texts.iter().map(event).collect()
    }

    #[test]
    fn runs_at_the_same_time_are_told_one_after_the_other() {
        for (mixed, wanted) in [
            (
                // Two members of a team, and a member of one of them.
                &[
                    "TeamRunStarted 0",
                    "RunStarted 1 0",
                    "RunStarted 2 0",
                    "RunStarted 3 1",
                    "RunContent 2 0",
                    "RunContent 1 0",
                    "RunCompleted 3 1",
                    "RunCompleted 2 0",
                    "RunCompleted 1 0",
                    "TeamRunCompleted 0",
                ][..],
                &[
                    "TeamRunStarted 0",
                    "RunStarted 1 0",
                    "RunStarted 3 1",
                    "RunCompleted 3 1",
                    "RunContent 1 0",
                    "RunCompleted 1 0",
                    "RunStarted 2 0",
                    "RunContent 2 0",
                    "RunCompleted 2 0",
                    "TeamRunCompleted 0",
                ][..],
            ),
            (
                // Two steps of a workflow, each with an agent.
                &[
                    "WorkflowStarted 0",
                    "ParallelExecutionStarted 0 - p",
                    "StepStarted 0 - a",
                    "RunStarted 1 0 a",
                    "StepStarted 0 - b",
                    "RunStarted 2 0 b",
                    "RunCompleted 2 0 b",
                    "StepCompleted 0 - b",
                    "RunCompleted 1 0 a",
                    "StepCompleted 0 - a",
                    "ParallelExecutionCompleted 0 - p",
                ],
                &[
                    "WorkflowStarted 0",
                    "ParallelExecutionStarted 0 - p",
                    "StepStarted 0 - a",
                    "RunStarted 1 0 a",
                    "RunCompleted 1 0 a",
                    "StepCompleted 0 - a",
                    "StepStarted 0 - b",
                    "RunStarted 2 0 b",
                    "RunCompleted 2 0 b",
                    "StepCompleted 0 - b",
                    "ParallelExecutionCompleted 0 - p",
                ],
            ),
            (
                // A step that a loop begins again stays where it was.
                &[
                    "StepStarted 0 - a",
                    "StepCompleted 0 - a",
                    "StepStarted 0 - b",
                    "StepCompleted 0 - b",
                    "StepStarted 0 - a",
                    "RunStarted 1 0 a",
                    "StepCompleted 0 - a",
                ],
                &[
                    "StepStarted 0 - a",
                    "StepCompleted 0 - a",
                    "StepStarted 0 - b",
                    "StepCompleted 0 - b",
                    "StepStarted 0 - a",
                    "RunStarted 1 0 a",
                    "StepCompleted 0 - a",
                ],
            ),
        ] {
            let mut mixed = events(mixed);
            unmix(&mut mixed);
            assert_eq!(mixed, events(wanted));
        }
        let mut odd = json!([{ "event": "x" }, 1, { "run_id": "a", "parent_run_id": "a" }, { "run_id": "b", "parent_run_id": "a" }]);
        let before = odd.clone();
        unmix(&mut odd);
        assert_eq!(odd, before);
    }

    #[test]
    fn calls_of_tools_go_with_their_runs() {
        let stream = events(&[
            "TeamRunStarted 0",
            "ToolCallStarted 1 0",
            "ToolCallStarted 2 0",
            "ToolCallStarted 1 0",
        ]);
        let mut calls = json!(["first of 1", "of 2", "second of 1"]);
        unmix_calls(&mut calls, &stream);
        assert_eq!(calls, json!(["first of 1", "second of 1", "of 2"]));
        let mut fewer = json!(["a", "b"]);
        unmix_calls(&mut fewer, &stream);
        assert_eq!(fewer, json!(["a", "b"]), "nothing is known of them");
    }
}
