//! The arguments of the program.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::context::Context;
use super::exit::Exit;
use super::schedule::ScheduleArgs;

/// Run YAML scenarios against Agno's AgentOS
#[derive(Debug, Parser)]
#[command(
    version,
    name = "agentos-run",
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  agentos-run --embedded scenarios/\n  agentos-run --base-url http://127.0.0.1:7777 -t smoke scenarios/*.yaml\n  agentos-run check scenarios/\n  agentos-run call get_sessions user_id=alice --format table\n\nAll options of a run: agentos-run run --help"
)]
pub(super) struct Program {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, global = true, value_name = "WHEN")]
    pub(super) color: ColorChoice,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios (the default command)
    Run(Box<RunArgs>),
    /// Check scenarios without sending anything
    Check(CheckArgs),
    /// List the scenarios that would run
    List(ListArgs),
    /// Call one operation of the API
    Call(CallArgs),
    /// Show the operations and their fields
    Operations(OperationsArgs),
    /// Serve the embedded AgentOS in the foreground
    #[cfg(feature = "emulator")]
    Serve(ServeArgs),
    /// Delete what killed runs of scenarios with `cleanup: true` left behind
    Sweep(SweepArgs),
    /// Look at snapshots that differ or are new, and accept or reject them
    Review(ReviewArgs),
    /// Accept the snapshots that wait
    Accept(AcceptArgs),
    /// Reject the snapshots that wait
    Reject(RejectArgs),
    /// Write a starter project
    Init(InitArgs),
    /// Join the JSON reports of shards into one
    Merge(MergeArgs),
    /// Show a trace that `--trace` has kept
    Show(ShowArgs),
    /// Print a JSON Schema: of scenario files or of cast files, for editors; of the JSON report
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
        of: SchemaOf,
    },
    /// Print a completion script
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// Scenario files.
    Scenario,
    /// Cast files of the embedded AgentOS.
    #[cfg(feature = "emulator")]
    Cast,
    /// The JSON report.
    Report,
}

/// Which AgentOS.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "AgentOS")]
pub(super) struct TargetArgs {
    /// The AgentOS to run against
    #[arg(long, value_name = "URL", env = "AGENTOS_URL", hide_env_values = true)]
    pub(super) base_url: Option<String>,
    /// A target of the project file
    #[arg(long, value_name = "NAME")]
    pub(super) target: Option<String>,
    /// Start the embedded AgentOS and run against it
    #[arg(long, conflicts_with = "target")]
    pub(super) embedded: bool,
    /// Who plays in the embedded AgentOS: a cast file
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    pub(super) cast: Option<PathBuf>,
    /// Let the embedded AgentOS fail now and then, the same way for the same seed
    #[arg(long, value_name = "SEED", conflicts_with = "target")]
    pub(super) chaos: Option<u64>,
    /// Send a header with every request; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// Send `Authorization: Bearer TOKEN` with every request
    #[arg(long, value_name = "TOKEN", env = "AGENTOS_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which scenarios")]
pub(super) struct SelectionArgs {
    /// Only scenarios with these tags: `smoke and not slow`
    #[arg(short, long, value_name = "EXPR")]
    pub(super) tag: Option<String>,
    /// Only scenarios whose name or `file:line` matches
    #[arg(short, long, value_name = "REGEX")]
    pub(super) filter: Option<String>,
    /// Only this machine's part of the scenarios: `2/4`, or `auto` for what the CI system says
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<String>,
    /// How long scenarios took: shards are balanced by it; a whole run writes it
    #[arg(long, value_name = "FILE")]
    pub(super) durations: Option<PathBuf>,
    /// Only scenarios that failed the last time that they ran
    #[arg(long)]
    pub(super) last_failed: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub(super) struct RunArgs {
    /// Files, folders, globs, `-` for standard input
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// Set a variable; the value is YAML, so `n=3` is a number; repeatable
    #[arg(help_heading = "Variables", long = "var", value_name = "NAME=VALUE")]
    pub(super) vars: Vec<String>,
    /// Set the variables of a YAML file
    #[arg(help_heading = "Variables", long, value_name = "FILE")]
    pub(super) vars_file: Option<PathBuf>,
    /// The time of each request, where the scenario sets none: `30s`
    #[arg(help_heading = "How they run", long, value_name = "DURATION", default_value = "5m")]
    pub(super) step_timeout: String,
    /// The time of each scenario that sets none itself
    #[arg(help_heading = "How they run", long, value_name = "DURATION")]
    pub(super) timeout: Option<String>,
    #[command(flatten)]
    pub(super) schedule: ScheduleArgs,
    #[command(flatten)]
    pub(super) bulk: BulkArgs,
    /// Begin nothing more after the first failure
    #[arg(help_heading = "How they run", long)]
    pub(super) fail_fast: bool,
    /// Take what is answered for the new snapshots
    #[arg(help_heading = "Snapshots", long)]
    pub(super) update: bool,
    /// Write no snapshots: what is new fails (the default where CI is set)
    #[arg(help_heading = "Snapshots", long, conflicts_with = "update")]
    pub(super) ci: bool,
    /// A scenario whose `requires` is not met fails
    #[arg(help_heading = "Verdicts", long)]
    pub(super) strict: bool,
    /// Keep all requests, answers and events of each failed scenario here; `agentos-run show FILE` reads them
    #[arg(long, value_name = "FOLDER")]
    pub(super) trace: Option<PathBuf>,
    /// Write a report: terminal, junit, json, jsonl, tap, html, github, markdown; repeatable
    #[arg(help_heading = "Output", long = "report", value_name = "FORMAT[=PATH]")]
    pub(super) reports: Vec<String>,
    /// Say more: -v each step, -vv each request and answer
    #[arg(help_heading = "Output", short, long, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Say failures and counts only
    #[arg(help_heading = "Output", short, long, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

impl RunArgs {
    /// Those of a run of which nothing is said.
    pub(super) fn plain() -> Self {
        Program::try_parse_from(["agentos-run"]).map(|program| program.run).unwrap_or_default()
    }
}

/// How bulk work is done.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Bulk work")]
pub(super) struct BulkArgs {
    /// Send only reads, and show what else would be sent
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Let a step delete so many; one that would delete more stops before the first
    #[arg(long, value_name = "N")]
    pub(super) max_deletes: Option<u64>,
    /// Delete in loops without being asked
    #[arg(long)]
    pub(super) yes: bool,
    /// Record what is done in this file, and go on from there
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  agentos-run merge shard-*.json --report junit=junit.xml --report html=report.html"
)]
pub(super) struct MergeArgs {
    /// Reports that `--report json=FILE` or `jsonl=FILE` wrote
    #[arg(value_name = "REPORT", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Write a report: terminal, junit, json, tap, html, github, markdown; repeatable
    #[arg(long = "report", value_name = "FORMAT[=PATH]")]
    pub(super) reports: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A trace
    pub(super) file: PathBuf,
    /// Show headers, whole bodies and the data of events too
    #[arg(short, long)]
    pub(super) verbose: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Files, folders, globs, `-` for standard input
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
    /// Ask the target too whether the agents, teams, workflows, databases and operations named are there
    #[arg(long)]
    pub(super) live: bool,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// With --live: only scenarios with these tags: `smoke and not slow`
    #[arg(short, long, value_name = "EXPR", requires = "live")]
    pub(super) tag: Option<String>,
    /// With --live: only scenarios whose name or `file:line` matches
    #[arg(short, long, value_name = "REGEX", requires = "live")]
    pub(super) filter: Option<String>,
    /// With --live: set a variable, as a run does; repeatable
    #[arg(long = "var", value_name = "NAME=VALUE", requires = "live")]
    pub(super) vars: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Files, folders, globs, `-` for standard input
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Json,
    Table,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  agentos-run call get_sessions user_id=alice limit=5 --format table\n  agentos-run call run_agent agent_id=assistant message=\"Hello\"\n  agentos-run call update_session session_id=s1 session_state='{counter: 3}'\n  agentos-run call delete_sessions session_ids=a,b --dry-run"
)]
pub(super) struct CallArgs {
    /// The operation; `agentos-run operations` lists them
    pub(super) operation: String,
    /// Fields; lists as `a,b`, mappings as YAML, `field=@FILE` reads a file
    #[arg(value_name = "FIELD=VALUE")]
    pub(super) fields: Vec<String>,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(super) format: Format,
    /// Follow the pages of a list to its end
    #[arg(long)]
    pub(super) all: bool,
    /// Print the request as a curl command and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The time that the call may take
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    pub(super) timeout: String,
    /// Print the request and the status too
    #[arg(short, long)]
    pub(super) verbose: bool,
}

#[derive(Debug, Args)]
pub(super) struct OperationsArgs {
    /// One operation, with its fields
    pub(super) name: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Only show it
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Delete it without being asked
    #[arg(long)]
    pub(super) yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    /// Snapshots, folders of them, or scenarios; without any, all of the project
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Show what waits and ask nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Accept all, as `accept` does
    #[arg(long, conflicts_with = "list")]
    pub(super) accept: bool,
    /// Reject all, as `reject` does
    #[arg(long, conflicts_with_all = ["list", "accept"])]
    pub(super) reject: bool,
}

#[derive(Debug, Args)]
pub(super) struct AcceptArgs {
    /// Snapshots, folders of them, or scenarios; without any, all of the project
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Delete the snapshots first that no step names any more; PATHs are scenarios then
    #[arg(long)]
    pub(super) prune: bool,
}

#[derive(Debug, Args)]
pub(super) struct RejectArgs {
    /// Snapshots, folders of them, or scenarios; without any, all of the project
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Where; it is made if it is not there
    #[arg(default_value = ".")]
    pub(super) folder: PathBuf,
    #[command(flatten)]
    pub(super) target: TargetArgs,
}

#[cfg(feature = "emulator")]
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 7777)]
    pub(super) port: u16,
    /// Keep the data in this file
    #[arg(long, value_name = "FILE")]
    pub(super) db: Option<PathBuf>,
    /// Want this key as a bearer token
    #[arg(long, value_name = "KEY", env = "OS_SECURITY_KEY", hide_env_values = true)]
    pub(super) security_key: Option<String>,
    /// Want JSON Web Tokens that this secret has signed (HS256)
    #[arg(long, value_name = "SECRET", env = "AGENTOS_JWT_SECRET", hide_env_values = true)]
    pub(super) jwt_secret: Option<String>,
    /// Want tokens that are meant for this audience
    #[arg(long, value_name = "AUDIENCE", requires = "jwt_secret")]
    pub(super) jwt_audience: Option<String>,
    /// Show users only what is theirs
    #[arg(long, requires = "jwt_secret")]
    pub(super) user_isolation: bool,
    /// Who plays: a cast file
    #[arg(long, value_name = "FILE")]
    pub(super) cast: Option<PathBuf>,
    /// Fail now and then, the same way for the same seed
    #[arg(long, value_name = "SEED")]
    pub(super) chaos: Option<u64>,
    /// Print the default cast, to begin one of your own with
    #[arg(long)]
    pub(super) print_cast: bool,
}

/// The options that `agentos-run --help` shows: what people need every day, so that it fits a screen. All of them stand in
/// `agentos-run run --help`.
const OFTEN: &[&str] = &[
    "base_url", "ci", "color", "dry_run", "embedded", "filter", "headers", "jobs", "paths", "quiet",
    "reports", "retries", "tag", "target", "token", "update", "vars", "verbose", "yes",
];

/// The command line.
pub(super) fn command() -> clap::Command {
    Program::command().mut_args(|arg| {
        let rare = !OFTEN.contains(&arg.get_id().as_str());
        arg.hide(rare).help_heading(None)
    })
}

/// Reads the command line.
pub(super) fn parse(arguments: &[std::ffi::OsString]) -> Result<Program, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    Program::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Prints the completion script of a shell.
pub(super) fn completions(context: &Context, shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Program::command(), "agentos-run", &mut script);
    context.output().print(&String::from_utf8_lossy(&script));
    Exit::Success
}
