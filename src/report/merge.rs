//! Joining the reports of shards: the result is that of one machine.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::record::{
    AttemptRecord, Counts, FORMAT, LogRecord, Report, RunRecord, ScenarioRecord, Shard, StepRecord,
};

/// Reads a report: JSON, or the lines of a run, also of one that was killed. The error says what is wrong.
pub fn read(text: &str) -> Result<Report, String> {
    #[derive(Deserialize)]
    struct Begin {
        format: Option<u32>,
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first: Option<Value> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    if first.as_ref().is_some_and(|first| first.get("event").is_some()) {
        return of_lines(text);
    }
    let begin: Begin =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON report: {error}"))?;
    match begin.format {
        Some(FORMAT) => serde_json::from_str(text).map_err(|error| format!("it is no whole report: {error}")),
        Some(other) => Err(other_format(other)),
        None => Err("it is no report: `--report json=FILE` of a run writes them".to_owned()),
    }
}

fn other_format(other: u32) -> String {
    format!("it is of format {other}, and this version of agentos-run reads format {FORMAT}")
}

/// A line of the JSON Lines report.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line {
    RunStarted { format: u32, run: RunRecord },
    ScenarioStarted { scenario: ScenarioRecord },
    StepFinished { index: usize, step: Box<StepRecord> },
    Log { index: usize, log: LogRecord },
    AttemptFailed { scenario: ScenarioRecord },
    ScenarioFinished { scenario: ScenarioRecord },
    RunFinished { run: RunRecord },
}

/// What is known of a scenario so far.
#[derive(Default)]
struct Known {
    scenario: Option<ScenarioRecord>,
    attempts: Vec<AttemptRecord>,
    steps: Vec<StepRecord>,
    log: Vec<LogRecord>,
}

fn of_lines(text: &str) -> Result<Report, String> {
    let mut run: Option<RunRecord> = None;
    let mut ended = false;
    let mut known: BTreeMap<usize, Known> = BTreeMap::new();
    let count = text.lines().count();
    for (number, line) in text.lines().enumerate() {
        let read: Line = match serde_json::from_str(line) {
            Ok(read) => read,
            // The last line of a run that was killed may be half a line.
            Err(_) if number + 1 == count && !text.ends_with('\n') => break,
            Err(error) => return Err(format!("line {} cannot be read: {error}", number + 1)),
        };
        match read {
            Line::RunStarted { format, .. } if format != FORMAT => return Err(other_format(format)),
            Line::RunStarted { run: begun, .. } => run = Some(begun),
            Line::RunFinished { run: whole } => {
                run = Some(whole);
                ended = true;
            }
            Line::ScenarioStarted { scenario } => {
                known.entry(scenario.index).or_default().scenario.get_or_insert(scenario);
            }
            Line::StepFinished { index, step } => known.entry(index).or_default().steps.push(*step),
            Line::Log { index, log } => known.entry(index).or_default().log.push(log),
            Line::AttemptFailed { mut scenario } | Line::ScenarioFinished { mut scenario } => {
                let known = known.entry(scenario.index).or_default();
                let steps = std::mem::take(&mut known.steps);
                let log = std::mem::take(&mut known.log);
                if let Some(attempt) = scenario.attempts.pop() {
                    known.attempts.push(AttemptRecord { log, steps, ..attempt });
                }
                known.scenario = Some(scenario);
            }
        }
    }
    let Some(mut run) = run else { return Err("it does not say of which run it is".to_owned()) };
    run.interrupted |= !ended;
    let scenarios = known
        .into_values()
        .filter_map(|known| Some(ScenarioRecord { attempts: known.attempts, ..known.scenario? }));
    Ok(Report { format: FORMAT, run, scenarios: scenarios.collect() })
}

/// Joins reports. The error says why they do not belong together.
pub fn merge(reports: Vec<(String, Report)>) -> Result<Report, String> {
    let mut run = RunRecord::default();
    let mut scenarios: Vec<ScenarioRecord> = Vec::new();
    let mut places: BTreeMap<(String, String, usize), String> = BTreeMap::new();
    let single = reports.len() == 1;
    for (name, report) in reports {
        let from = report.run;
        if run.version.is_empty() || from.started_at < run.started_at {
            run.started_at = from.started_at;
        }
        if run.version.is_empty() {
            run.version = from.version;
        }
        if single {
            run.id = from.id;
        }
        for target in from.targets {
            if !run.targets.contains(&target) {
                run.targets.push(target);
            }
        }
        // They ran side by side.
        run.duration_ms = run.duration_ms.max(from.duration_ms);
        run.interrupted |= from.interrupted;
        run.failed |= from.failed;
        run.shards.extend(from.shards);
        for scenario in report.scenarios {
            let id = (scenario.file.clone(), scenario.name.clone(), scenario.line);
            if let Some(other) = places.insert(id, name.clone()) {
                let what = format!("{} ({})", scenario.name, scenario.link());
                return Err(format!(
                    "{what} is in {other} and in {name}: each scenario may be in one report only"
                ));
            }
            scenarios.push(scenario);
        }
    }
    let order = |a: &ScenarioRecord, b: &ScenarioRecord| {
        (a.index, &a.file, a.line, &a.name).cmp(&(b.index, &b.file, b.line, &b.name))
    };
    scenarios.sort_by(order);
    run.shards.sort();
    run.shards.dedup();
    let mut counts = Counts::default();
    scenarios.iter().for_each(|scenario| counts.add(scenario));
    run.counts = counts;
    run.failed |= counts.failing > 0;
    Ok(Report { format: FORMAT, run, scenarios })
}

/// The shards that there should be and are not.
pub fn missing(run: &RunRecord) -> Vec<Shard> {
    let Some(total) = run.shards.iter().map(|shard| shard.total).max() else { return Vec::new() };
    (1..=total).map(|index| Shard { index, total }).filter(|shard| !run.shards.contains(shard)).collect()
}
