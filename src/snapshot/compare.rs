//! What is near enough to a snapshot: numbers within a tolerance, texts that are similar, structures of one shape.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::spec::{Amount, Pattern, Snapshot};
use crate::expect;

/// Puts what the snapshot holds in the place of what is near enough to it: what is left differs.
pub(super) fn settle(old: &Value, new: &mut Value, snapshot: &Snapshot) {
    if snapshot.tolerance.is_empty() && snapshot.like.is_none() {
        return;
    }
    let mut places: HashMap<usize, Amount> = HashMap::new();
    for tolerance in &snapshot.tolerance {
        if let Some(Pattern::Path(path)) = &tolerance.pattern {
            let found = path.find(new).into_iter();
            places.extend(found.map(|found| (std::ptr::from_ref(found).addr(), tolerance.amount)));
        }
    }
    Settling { snapshot, places }.visit("", old, new);
}

struct Settling<'a> {
    snapshot: &'a Snapshot,
    /// The amounts of values that a path found, by address.
    places: HashMap<usize, Amount>,
}

impl Settling<'_> {
    fn visit(&self, key: &str, old: &Value, new: &mut Value) {
        let at = std::ptr::from_ref(new).addr();
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                for (key, new) in new.iter_mut() {
                    if let Some(old) = old.get(key) {
                        self.visit(key, old, new);
                    }
                }
            }
            (Value::Array(old), Value::Array(new)) => {
                old.iter().zip(new).for_each(|(old, new)| self.visit(key, old, new));
            }
            (Value::Number(old), new @ Value::Number(_)) => {
                let near = self.amount(at, key).is_some_and(|amount| {
                    old.as_f64().zip(new.as_f64()).is_some_and(|(old, new)| amount.covers(old, new))
                });
                if near {
                    *new = Value::Number(old.clone());
                }
            }
            (Value::String(old), Value::String(new))
                if self.snapshot.like.is_some_and(|like| expect::similarity(old, new) >= like) =>
            {
                new.clone_from(old);
            }
            _ => {}
        }
    }

    /// The tolerance of a number: of its place, of its key, or of all.
    fn amount(&self, at: usize, key: &str) -> Option<Amount> {
        let of_key = |tolerance: &&super::spec::Tolerance| matches!(&tolerance.pattern, Some(Pattern::Key(name)) if name == key);
        let all = &self.snapshot.tolerance;
        self.places
            .get(&at)
            .copied()
            .or_else(|| all.iter().find(of_key).map(|tolerance| tolerance.amount))
            .or_else(|| {
                all.iter().find(|tolerance| tolerance.pattern.is_none()).map(|tolerance| tolerance.amount)
            })
    }
}

impl Amount {
    fn covers(self, old: f64, new: f64) -> bool {
        // 0.1 + 0.2 is as near to 0.3 as a float can be.
        let rounding = 1e-9 * old.abs().max(new.abs());
        let allowed = match self {
            Self::Absolute(amount) => amount,
            Self::Relative(part) => part * old.abs(),
        };
        (old - new).abs() <= allowed + rounding
    }
}

/// The types of a value and the keys of its objects; of a list, each shape of its members once.
pub(super) fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::from("null"),
        Value::Bool(_) => Value::from("boolean"),
        Value::Number(_) => Value::from("number"),
        Value::String(_) => Value::from("string"),
        Value::Array(items) => {
            let shapes: BTreeMap<String, Value> = items
                .iter()
                .map(|item| {
                    let shape = shape(item);
                    (shape.to_string(), shape)
                })
                .collect();
            Value::Array(shapes.into_values().collect())
        }
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), shape(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shape_of_a_value_is_its_types_and_keys() {
        let value = json!({"a": [1, 2.5, "x", null], "b": {"c": true}, "d": [{"e": 1}, {"e": 2}, {"e": "x"}], "f": []});
        let expected = json!({
            "a": ["null", "number", "string"],
            "b": {"c": "boolean"},
            "d": [{"e": "number"}, {"e": "string"}],
            "f": [],
        });
        assert_eq!(shape(&value), expected);
    }
}
