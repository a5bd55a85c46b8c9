//! Discovery: what an AgentOS is and offers.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::discovery::{GetConfig, GetInfo};
//! let config = client.send(&GetConfig::default()).await?;
//! println!("{} with {} agents", config.os_id, config.agents.len());
//! println!("agno {:?}", client.send(&GetInfo::default()).await?.agno_version);
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Timestamp;
use super::operation::{Method, Operation, Resource, Spec};

/// Reads what the AgentOS offers: agents, teams, workflows, databases, models.
///
/// No version of agno sends the `name` of the AgentOS here: `get_info` does. `available_models` are texts before
/// agno 3.0, and `{id, provider}` since.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetConfig {}

impl Operation for GetConfig {
    const SPEC: Spec = Spec::new("get_config", Resource::Discovery, Method::Get, "/config");
    type Answer = Config;
}

/// What an AgentOS offers.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Its id.
    pub os_id: String,
    /// What it is for.
    pub description: Option<String>,
    /// The ids of its databases. With two or more of them, sessions and memories need `db_id`.
    #[serde(default)]
    pub databases: Vec<String>,
    /// Its agents, in short.
    #[serde(default)]
    pub agents: Vec<ComponentSummary>,
    /// Its teams, in short.
    #[serde(default)]
    pub teams: Vec<ComponentSummary>,
    /// Its workflows, in short.
    #[serde(default)]
    pub workflows: Vec<ComponentSummary>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// An agent, a team or a workflow in short.
#[derive(Debug, Clone, Deserialize)]
pub struct ComponentSummary {
    /// Its id, by which it is run.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Asks whether the server is ready.
///
/// It is open without a key. Anything but 200 with `status: ok` means: not yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {}

impl Operation for Health {
    const SPEC: Spec =
        Spec { aliases: &["get_health"], ..Spec::new("health", Resource::Discovery, Method::Get, "/health") };
    type Answer = HealthStatus;
}

/// Whether a server is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct HealthStatus {
    /// `ok`.
    pub status: String,
    /// Since when it runs: two answers that differ here are of two processes.
    pub instantiated_at: Option<Timestamp>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Reads the name and the version of the AgentOS, and how many components it has.
///
/// It is open without a key. `agno_version` is there since agno 2.6; `os_version` is the application's own version,
/// not agno's.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInfo {}

impl Operation for GetInfo {
    const SPEC: Spec =
        Spec { since: Some("2.5.13"), ..Spec::new("get_info", Resource::Discovery, Method::Get, "/info") };
    type Answer = Info;
}

/// What an AgentOS is.
#[derive(Debug, Clone, Deserialize)]
pub struct Info {
    /// Its id.
    pub os_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The version of the application.
    pub os_version: Option<String>,
    /// The version of agno; since 2.6.
    pub agno_version: Option<String>,
    /// How it knows its users: `none`, ...
    pub auth_mode: Option<String>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
