//! Metrics: counts per day.
//!
//! The server counts when it is asked to: [`RefreshMetrics`] first, then [`GetMetrics`].
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::metrics::{GetMetrics, RefreshMetrics};
//! client.send(&RefreshMetrics::default()).await?;
//! let since = GetMetrics { starting_date: Some("2026-01-01".into()), ..GetMetrics::default() };
//! for day in client.send(&since).await?["metrics"].as_array().into_iter().flatten() {
//!     println!("{}: {} runs", day["date"], day["agent_runs_count"]);
//! }
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation::{Method, Operation, Resource, Spec};

/// Reads counts of runs, sessions, users and tokens per day.
///
/// They are as fresh as the last `refresh_metrics`. Days in the wrong order give an empty list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetMetrics {
    /// The first day, such as `2026-11-21`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_date: Option<String>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending_date: Option<String>,
    /// Only of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetMetrics {
    const SPEC: Spec = Spec {
        query: &["starting_date", "ending_date", "user_id", "db_id", "table"],
        ..Spec::new("get_metrics", Resource::Metrics, Method::Get, "/metrics")
    };
    type Answer = Value;
}

/// Counts anew, and answers the days that were counted.
///
/// agno 2.3 to 2.6 answers 500 where a session has neither name nor state.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshMetrics {
    /// Whether to answer at once, with 202; `get_metrics_refresh_status` tells how far it is. Since agno 2.8; before,
    /// ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<bool>,
    /// Only of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for RefreshMetrics {
    const SPEC: Spec = Spec {
        query: &["background", "user_id", "db_id", "table"],
        ..Spec::new("refresh_metrics", Resource::Metrics, Method::Post, "/metrics/refresh")
    };
    type Answer = Value;
}

/// Tells how far counting anew in the background is: `idle`, `running`, `completed` or `failed`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetMetricsRefreshStatus {
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetMetricsRefreshStatus {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        since: Some("2.8"),
        ..Spec::new("get_metrics_refresh_status", Resource::Metrics, Method::Get, "/metrics/refresh/status")
    };
    type Answer = Value;
}
