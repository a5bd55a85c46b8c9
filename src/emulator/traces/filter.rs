//! The expressions by which traces are searched.

use std::cmp::Ordering;

use serde_json::Value;

use crate::emulator::python;

/// Something that holds of a trace, or does not.
#[derive(Debug)]
pub(super) enum Expression {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare { op: Op, key: String, value: Value },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Contains,
    StartsWith,
    In,
}

impl Expression {
    pub(super) fn read(sent: &Value) -> Result<Self, String> {
        let Some(op) = sent.get("op") else {
            let got = python::repr(sent);
            return Err(format!("Invalid filter dictionary: must contain 'op' key. Got: {got}"));
        };
        let name = op.as_str().unwrap_or_default();
        let parts = || {
            let parts = sent["conditions"].as_array().into_iter().flatten();
            parts.map(Self::read).collect::<Result<Vec<_>, _>>()
        };
        let op = match name {
            "AND" => return parts().map(Self::And),
            "OR" => return parts().map(Self::Or),
            "NOT" => return Self::read(&sent["condition"]).map(|part| Self::Not(Box::new(part))),
            "EQ" => Op::Eq,
            "NEQ" => Op::Neq,
            "GT" => Op::Gt,
            "GTE" => Op::Gte,
            "LT" => Op::Lt,
            "LTE" => Op::Lte,
            "CONTAINS" => Op::Contains,
            "STARTSWITH" => Op::StartsWith,
            "IN" => Op::In,
            other => return Err(format!("Unknown filter operator: {other}")),
        };
        let key = sent["key"].as_str().unwrap_or_default().to_owned();
        let value = if op == Op::In { sent.get("values").or(sent.get("value")) } else { sent.get("value") };
        Ok(Self::Compare { op, key, value: value.cloned().unwrap_or_default() })
    }

    pub(super) fn holds(&self, trace: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(trace)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(trace)),
            Self::Not(part) => !part.holds(trace),
            Self::Compare { op, key, value } => {
                // A key that is not known never holds.
                trace.get(key).is_some_and(|known| compare(*op, known, value))
            }
        }
    }
}

fn compare(op: Op, known: &Value, value: &Value) -> bool {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
    let order = match (known.as_f64(), value.as_f64()) {
        (Some(known), Some(value)) => known.partial_cmp(&value),
        _ => known.as_str().zip(value.as_str()).map(|(known, value)| known.cmp(value)),
    };
    match op {
        Op::Eq => order.is_some_and(Ordering::is_eq) || known == value,
        Op::Neq => !(order.is_some_and(Ordering::is_eq) || known == value),
        Op::Gt => order.is_some_and(Ordering::is_gt),
        Op::Gte => order.is_some_and(Ordering::is_ge),
        Op::Lt => order.is_some_and(Ordering::is_lt),
        Op::Lte => order.is_some_and(Ordering::is_le),
        Op::Contains => text(known).contains(&text(value)),
        Op::StartsWith => text(known).starts_with(&text(value)),
        Op::In => value.as_array().is_some_and(|values| values.contains(known)),
    }
}
