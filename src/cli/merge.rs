//! `agentos-run merge REPORT...`: the reports of shards as one, in any format.

use super::args::MergeArgs;
use super::context::Context;
use super::exit::Exit;
use super::output::Output;
use super::reports::Reports;
use crate::diagnostic::Problem;
use crate::report::merge;
use crate::report::record::Report;
use crate::report::records::Records;
use crate::scenario::load;

/// Runs the command.
pub(super) fn run(context: &Context, args: &MergeArgs) -> Exit {
    let output = context.output();
    match read(args).and_then(|report| Ok((report, Reports::of(&args.reports, context)?))) {
        Ok((_, reports)) if reports.has_lines() => {
            output.problem(&Problem::error("cli::report", "merge writes no jsonl: the runs are over"));
            Exit::Invalid
        }
        Ok((report, reports)) => write(report, reports, &output),
        Err(problem) => {
            output.problem(&problem);
            Exit::Invalid
        }
    }
}

fn read(args: &MergeArgs) -> Result<Report, Problem> {
    let mut reports = Vec::new();
    for file in &args.files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| load::io_cause(&error));
        let report = text.and_then(|text| merge::read(&text)).map_err(|cause| {
            Problem::error("report::unreadable", format!("cannot read the report {name}: {cause}"))
        })?;
        reports.push((name, report));
    }
    merge::merge(reports).map_err(|message| {
        Problem::error("report::merge", message)
            .help("give the reports of one run, each once: those of `--shard 1/N` to `--shard N/N`")
    })
}

fn write(report: Report, mut reports: Reports, output: &Output) -> Exit {
    let missing = merge::missing(&report.run);
    let (failed, interrupted) = (report.run.failed, report.run.interrupted);
    reports.and_terminal();
    let written = reports.write(Records::of(report.run, report.scenarios), None, output);
    if !missing.is_empty() {
        let shards: Vec<String> =
            missing.iter().map(|shard| format!("{}/{}", shard.index, shard.total)).collect();
        let message = format!("the reports of these shards are missing: {}", shards.join(", "));
        let problem = Problem::error("report::missing", message)
            .help("their scenarios are in no report: a machine was stopped, or its report was not handed on");
        output.problem(&problem);
    }
    if failed || !missing.is_empty() {
        Exit::Failed
    } else if interrupted {
        Exit::Interrupted
    } else if !written || output.is_lost() {
        Exit::Unwritten
    } else {
        Exit::Success
    }
}
