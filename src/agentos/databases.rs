//! Databases of the AgentOS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::operation::{Method, Operation, Resource, Spec};

/// Brings the tables of a database to a version of agno's schema.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrateDatabase {
    /// The database. An unknown one is answered 404.
    pub db_id: String,
    /// The version; without it, the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_version: Option<String>,
}

impl Operation for MigrateDatabase {
    const SPEC: Spec = Spec {
        query: &["target_version"],
        ..Spec::new("migrate_database", Resource::Databases, Method::Post, "/databases/{db_id}/migrate")
    };
    type Answer = Value;
}
