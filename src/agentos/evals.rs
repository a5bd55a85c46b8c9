//! Evaluations of agents and teams that the AgentOS itself carries out.
//!
//! [`RunEval`] runs an agent and judges the run: by the tools that it called, by its time, or by a model.
//!
//! ```no_run
//! # use agentos_run::agentos::{Client, Error};
//! # async fn example(client: &Client) -> Result<(), Error> {
//! # use agentos_run::agentos::evals::{EvalType, RunEval};
//! let eval = RunEval {
//!     eval_type: EvalType::Reliability,
//!     agent_id: Some("toolbox".into()),
//!     input: "add 2 and 3".into(),
//!     expected_tool_calls: Some(vec!["add".into()]),
//!     ..RunEval::default()
//! };
//! if let Some(verdict) = client.send(&eval).await? {
//!     println!("{:?}", verdict.eval_data);
//! }
//! # Ok(())
//! # }
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Page;
use super::operation::{Body, Method, Operation, Resource, Spec};
use super::sessions::{SessionType, SortOrder};

/// Lists evaluations, page by page.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvalRuns {
    /// Only those of this agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Only those of this team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Only those of this workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<String>,
    /// Only those with this model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// Only those of this kind of component.
    #[serde(alias = "filter_type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-aliases" = ["filter_type"]))]
    pub r#type: Option<SessionType>,
    /// Only evaluations of these kinds. They are sent as one value with commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_types: Option<Vec<EvalType>>,
    /// How many evaluations a page has at most, from 1; the server's default is 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Which page, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The column to sort by; the server's default is `created_at`. What is no column is ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// The direction; the server's default is `desc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<SortOrder>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for ListEvalRuns {
    const SPEC: Spec = Spec {
        aliases: &["get_eval_runs"],
        query: &[
            "agent_id",
            "team_id",
            "workflow_id",
            "model_id",
            "type",
            "eval_types",
            "limit",
            "page",
            "sort_by",
            "sort_order",
            "db_id",
            "table",
        ],
        joined: &["eval_types"],
        paged: true,
        ..Spec::new("list_eval_runs", Resource::Evals, Method::Get, "/eval-runs")
    };
    type Answer = Page<EvalRun>;
}

/// Reads an evaluation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetEvalRun {
    /// The evaluation. An unknown one is answered 404.
    pub eval_run_id: String,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for GetEvalRun {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        ..Spec::new("get_eval_run", Resource::Evals, Method::Get, "/eval-runs/{eval_run_id}")
    };
    type Answer = EvalRun;
}

/// Evaluates an agent or a team: runs it, and judges the run.
///
/// Of `accuracy`, a model judges whether the answer is the expected one; of `reliability`, the calls of tools are
/// compared; of `performance`, it is run several times and measured. The verdict is in `eval_data`; its `results` are
/// empty where the judge failed.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunEval {
    /// What is evaluated.
    pub eval_type: EvalType,
    /// What to say to it.
    #[serde(alias = "input_text")]
    #[schemars(extend("x-aliases" = ["input_text"]))]
    pub input: String,
    /// The agent; or give `team_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<String>,
    /// Another model than its own. Of `accuracy` it is the one that judges too; without it, agno asks `o4-mini`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// The provider of that model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_provider: Option<String>,
    /// A name for the evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For `accuracy`: the answer expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_output: Option<String>,
    /// For `reliability`: the tools expected to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_tool_calls: Option<Vec<String>>,
    /// For `reliability`: whether others may be called too; the server's default is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_additional_tool_calls: Option<bool>,
    /// For `reliability`: the arguments expected, by tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_tool_call_arguments: Option<Map<String, Value>>,
    /// For `agent_as_judge`: what to judge by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<String>,
    /// For `agent_as_judge`: `binary` (the server's default) or `numeric`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring_strategy: Option<String>,
    /// For `agent_as_judge`: the least number that passes; the server's default is 7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
    /// Further rules for the judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_guidelines: Option<String>,
    /// What the judge should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_context: Option<String>,
    /// How often it runs; the server's default is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_iterations: Option<u32>,
    /// For `performance`: how often it runs before; the server's default is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_runs: Option<u32>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for RunEval {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        body: Body::Json,
        ..Spec::new("run_eval", Resource::Evals, Method::Post, "/eval-runs")
    };
    type Answer = Option<EvalRun>;
}

/// Renames an evaluation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateEvalRun {
    /// The evaluation.
    pub eval_run_id: String,
    /// Its new name.
    pub name: String,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for UpdateEvalRun {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        body: Body::Json,
        ..Spec::new("update_eval_run", Resource::Evals, Method::Patch, "/eval-runs/{eval_run_id}")
    };
    type Answer = EvalRun;
}

/// Deletes evaluations.
///
/// The server answers 204 also where some do not exist.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteEvalRuns {
    /// The evaluations.
    pub eval_run_ids: Vec<String>,
    /// The database; an AgentOS with more than one answers 400 without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
    /// The table; only together with `db_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

impl Operation for DeleteEvalRuns {
    const SPEC: Spec = Spec {
        query: &["db_id", "table"],
        body: Body::Json,
        ..Spec::new("delete_eval_runs", Resource::Evals, Method::Delete, "/eval-runs")
    };
    type Answer = ();
}

/// What is evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum EvalType {
    #[default]
    Accuracy,
    AgentAsJudge,
    Performance,
    Reliability,
}

/// An evaluation.
#[derive(Debug, Clone, Deserialize)]
pub struct EvalRun {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// What was evaluated.
    pub eval_type: Option<String>,
    /// The verdict.
    pub eval_data: Option<Value>,
    /// What else the server said.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
