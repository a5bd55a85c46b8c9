//! Knowledge.

pub(crate) mod search;

/// How many passages an agent gets.
pub(crate) const MOST_FOUND: i64 = 5;
