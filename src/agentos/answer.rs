//! What answers of several resources have in common. All of it is tolerant: servers of different versions leave fields
//! out, add others, and change numbers into texts.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// The entries of this page.
    pub data: Vec<T>,
    /// Where it stands among the others.
    #[serde(default)]
    pub meta: PageMeta,
}

/// Where a page stands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PageMeta {
    /// Its number, from 1.
    pub page: Option<u64>,
    /// How many entries a page has at most.
    pub limit: Option<u64>,
    /// How many pages there are.
    pub total_pages: Option<u64>,
    /// How many entries there are.
    pub total_count: Option<u64>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A moment. agno 3.1 writes ISO 8601 for what is stored and seconds since 1970 for runs and messages; before 2.4, some
/// of the former were seconds too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Timestamp {
    /// Seconds since 1970.
    Seconds(i64),
    /// Seconds since 1970, with a fraction.
    Fractional(f64),
    /// ISO 8601, such as `2026-11-21T21:20:25Z`.
    Iso(String),
}
