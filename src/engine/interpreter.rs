//! Running one scenario: its lists of steps, one after another, and `finally` whatever happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cleanup::Cleanup;
use super::context::Context;
use super::event::{Observer, Phase, ScenarioReport, Status, StepStatus};
use super::steps::{Flow, Run};
use super::stop::{Stop, Whose};
use super::{Interrupt, Settings, Target};
use crate::diagnostic::Problem;
use crate::scenario::{Instance, Scenario, Skip};
use crate::template::Template;

/// The time that `finally` may take after an interruption or after the scenario's own time.
const FINALLY_TIME: Duration = Duration::from_mins(1);

/// Runs a scenario.
pub(super) async fn run(
    instance: &Instance,
    target: &Target,
    settings: &Settings,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> ScenarioReport {
    let began = Instant::now();
    let scenario = &**instance.scenario();
    let mut report = ScenarioReport::new(instance);
    let mut context = match Context::new(instance, settings) {
        Ok(context) => context,
        Err(problems) => {
            return ScenarioReport { status: Status::Failed, problems, ..ScenarioReport::new(instance) };
        }
    };
    match skip_reason(scenario, target, &context).await {
        Ok(None) => {}
        Ok(Some((reason, required))) => {
            if required && settings.strict {
                let problem = Problem::error("scenario::requires", reason)
                    .label(&scenario.span, "this scenario")
                    .help("with --strict, a scenario that cannot run is a failure");
                return ScenarioReport::broken(instance, problem);
            }
            report.status = Status::Skipped(reason);
            return report;
        }
        Err(problem) => return ScenarioReport::broken(instance, problem),
    }
    let timeout = scenario.timeout.or(settings.scenario_timeout);
    let mut run = Run {
        instance,
        target,
        settings,
        observer,
        context: &mut context,
        report: &mut report,
        stop: Stop {
            deadline: timeout.map(|timeout| began + timeout),
            timeout,
            whose: Whose::Scenario,
            interrupt,
            presses: 1,
        },
        cleanup: scenario.cleanup.unwrap_or(settings.cleanup).then(|| {
            // What is inside of this program ends with it.
            Arc::new(Cleanup::new(settings.ledger.clone().filter(|_| !target.embedded)))
        }),
        bulk: false,
        looping: false,
        meter: None,
        round: None,
        transcript: Vec::new(),
        turns: Vec::new(),
        said: None,
        callers: Arc::default(),
        identity: scenario.identity.clone(),
    };
    let mut flow = run.list(&scenario.setup, Phase::Setup).await;
    if flow == Flow::Go {
        flow = run.list(&scenario.steps, Phase::Steps).await;
    }
    let stopped = flow == Flow::Stopped;
    let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()).max(FINALLY_TIME));
    let left = if stopped { Some(FINALLY_TIME) } else { left };
    run.stop = Stop {
        deadline: left.map(|left| Instant::now() + left),
        timeout: left,
        whose: Whose::Finally,
        interrupt,
        presses: 2,
    };
    run.finally(&scenario.finally).await;
    run.clean_up().await;
    report.duration = began.elapsed();
    let failed =
        report.failed.iter().any(|step| matches!(step.status, StepStatus::Failed | StepStatus::SoftFailed));
    if failed || !report.problems.is_empty() {
        report.status = Status::Failed;
    }
    report
}

/// Why the scenario is not run, and whether that is for what the target lacks.
async fn skip_reason(
    scenario: &Scenario,
    target: &Target,
    context: &Context,
) -> Result<Option<(String, bool)>, Problem> {
    match &scenario.skip {
        Some(Skip::Always(reason)) => return Ok(Some((reason.clone(), false))),
        Some(Skip::When(condition)) => {
            // A text is a reason, anything else a condition.
            match condition.evaluate(&context.scope)?.as_json() {
                Value::String(reason) if !reason.is_empty() => return Ok(Some((reason, false))),
                value if truthy(&value) => return Ok(Some((format!("`{}` holds", condition.text()), false))),
                _ => {}
            }
        }
        None => {}
    }
    let ids = |templates: &[Template]| {
        templates.iter().filter_map(|template| template.resolve_text(&context.scope).ok()).collect::<Vec<_>>()
    };
    Ok(target.lacks(&scenario.requires, ids).await.map(|reason| (reason, true)))
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}
