//! An order for what has none: lists that a server answers in any order.

use std::collections::HashMap;

use serde_json::Value;

use super::redact::{self, Known};
use super::spec::Snapshot;

/// Sorts the lists that the snapshot names. Ids count by their kind alone: which they are is chance.
pub(super) fn sort(value: &mut Value, snapshot: &Snapshot, known: &Known) {
    if snapshot.sort.is_empty() {
        return;
    }
    let mut lists: HashMap<usize, Option<&str>> = HashMap::new();
    for rule in &snapshot.sort {
        let found = rule.path.find(value).into_iter();
        lists.extend(found.map(|list| (std::ptr::from_ref(list).addr(), rule.by.as_deref())));
    }
    let mut plain = redact::unnumbered(value, snapshot, known);
    visit(value, &mut plain, &lists);
}

/// Lists inside first: what contains them may move them.
fn visit(value: &mut Value, plain: &mut Value, lists: &HashMap<usize, Option<&str>>) {
    let by = lists.get(&std::ptr::from_ref(value).addr());
    match (value, plain) {
        (Value::Object(fields), Value::Object(plain)) => {
            for (value, plain) in fields.values_mut().zip(plain.values_mut()) {
                visit(value, plain, lists);
            }
        }
        (Value::Array(items), Value::Array(plain)) if items.len() == plain.len() => {
            for (value, plain) in items.iter_mut().zip(plain.iter_mut()) {
                visit(value, plain, lists);
            }
            if let Some(by) = by {
                let mut pairs: Vec<(String, Value, Value)> = items
                    .drain(..)
                    .zip(plain.drain(..))
                    .map(|(value, plain)| (rank(&plain, *by), value, plain))
                    .collect();
                pairs.sort_by(|(a, ..), (b, ..)| a.cmp(b));
                for (_, value, flat) in pairs {
                    items.push(value);
                    plain.push(flat);
                }
            }
        }
        _ => {}
    }
}

fn rank(plain: &Value, by: Option<&str>) -> String {
    match by.map(|by| plain.get(by).unwrap_or(&Value::Null)) {
        // What is equal by its key is told apart by the rest.
        Some(field) => format!("{field} {plain}"),
        None => plain.to_string(),
    }
}
