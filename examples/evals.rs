//! Evaluations that the AgentOS itself carries out.
//!
//! ```console
//! $ agentos-run serve &
//! $ cargo run --example evals
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it finds")]

use agentos_run::agentos::evals::{DeleteEvalRuns, EvalType, ListEvalRuns, RunEval};
use agentos_run::agentos::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("AGENTOS_URL").unwrap_or_else(|_| "http://127.0.0.1:7777".to_owned());
    run(&Client::builder(url).build()?).await
}

/// Looks whether an agent calls the tool that it should call.
pub async fn run(client: &Client) -> Result<(), Error> {
    let eval = RunEval {
        eval_type: EvalType::Reliability,
        agent_id: Some("toolbox".into()),
        input: "add 2 and 3".into(),
        expected_tool_calls: Some(vec!["add".into()]),
        name: Some("Adds by tool".into()),
        ..RunEval::default()
    };
    let Some(verdict) = client.send(&eval).await? else { return Ok(()) };
    println!("{:?}: {:?}", verdict.name, verdict.eval_data);

    let list = ListEvalRuns { agent_id: Some("toolbox".into()), ..ListEvalRuns::default() };
    println!("{:?} evaluations of this agent", client.send(&list).await?.meta.total_count);
    client.send(&DeleteEvalRuns { eval_run_ids: vec![verdict.id], ..DeleteEvalRuns::default() }).await
}
