//! `--shard`: the part of the plan that this machine runs, also by what CI systems tell it.

use super::context::Context;
use crate::diagnostic::Problem;
use crate::scenario::shard::Shard;

/// How a CI system numbers the machines of a job.
struct System {
    name: &'static str,
    index: &'static str,
    total: Option<&'static str>,
    /// The number of the first.
    first: usize,
}

const SYSTEMS: &[System] = &[
    System {
        name: "Buildkite",
        index: "BUILDKITE_PARALLEL_JOB",
        total: Some("BUILDKITE_PARALLEL_JOB_COUNT"),
        first: 0,
    },
    System { name: "CircleCI", index: "CIRCLE_NODE_INDEX", total: Some("CIRCLE_NODE_TOTAL"), first: 0 },
    System { name: "Semaphore", index: "SEMAPHORE_JOB_INDEX", total: Some("SEMAPHORE_JOB_COUNT"), first: 1 },
    System {
        name: "Bitbucket",
        index: "BITBUCKET_PARALLEL_STEP",
        total: Some("BITBUCKET_PARALLEL_STEP_COUNT"),
        first: 0,
    },
    System {
        name: "Azure Pipelines",
        index: "SYSTEM_JOBPOSITIONINPHASE",
        total: Some("SYSTEM_TOTALJOBSINPHASE"),
        first: 1,
    },
    System {
        name: "AWS Batch",
        index: "AWS_BATCH_JOB_ARRAY_INDEX",
        total: Some("AWS_BATCH_JOB_ARRAY_SIZE"),
        first: 0,
    },
    // Kubernetes tells a pod of an indexed job its index only.
    System { name: "Kubernetes", index: "JOB_COMPLETION_INDEX", total: None, first: 0 },
    System { name: "GitLab", index: "CI_NODE_INDEX", total: Some("CI_NODE_TOTAL"), first: 1 },
];

/// The shard of `--shard I/N`, `--shard auto` or `--shard auto/N`; none where the whole plan is to be run.
pub(super) fn read(context: &Context, text: &str) -> Result<Option<Shard>, Problem> {
    let problem = |message: String| Problem::error("cli::shard", format!("--shard {text}: {message}"));
    let Some(rest) = text.trim().strip_prefix("auto") else {
        return Shard::parse(text.trim()).map(Some).map_err(problem);
    };
    let wanted = match rest.strip_prefix('/') {
        None if rest.is_empty() => None,
        Some(total) => Some(total.parse::<usize>().map_err(|_| {
            problem("the number of shards is missing".to_owned()).help("`auto/4` is one of four")
        })?),
        None => return Err(problem("a shard is `2/4`, `auto`, or `auto/4`".to_owned())),
    };
    let variable = |name: &str| context.variable(name);
    let Some(system) = SYSTEMS.iter().find(|system| variable(system.index).is_some()) else {
        if wanted.is_none() {
            return Ok(None);
        }
        let known: Vec<&str> = SYSTEMS.iter().map(|system| system.index).collect();
        let known = format!("a CI system tells it by one of {}", known.join(", "));
        return Err(problem("nothing says which of them this machine is".to_owned()).help(known));
    };
    let number = |name: &str| {
        let value = variable(name).unwrap_or_default();
        value
            .trim()
            .parse::<usize>()
            .map_err(|_| problem(format!("{name} of {} is `{value}`, which is no number", system.name)))
    };
    let index = number(system.index)?.checked_sub(system.first).map(|index| index + 1);
    let total = match (wanted, system.total.filter(|name| variable(name).is_some())) {
        (Some(total), _) => total,
        (None, Some(name)) => number(name)?,
        (None, None) => {
            let message = format!("{} tells an index ({}) and not of how many", system.name, system.index);
            return Err(problem(message).help("say it: `--shard auto/4` where there are four"));
        }
    };
    let shard = Shard::new(index.unwrap_or(0), total);
    shard.map(Some).map_err(|message| problem(format!("{message}: so says {}", system.name)))
}
