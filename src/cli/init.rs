//! `agentos-run init [FOLDER]`: a starter project. What is there already is left as it is.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::args::InitArgs;
use super::context::Context;
use super::exit::Exit;
use super::inputs;
use super::output::Output;
use super::refusal::Refusal;
use super::targets::{self, Started};
use crate::agentos::discovery::{ComponentSummary, Config, GetConfig};
use crate::agentos::{Client, Timeouts};
use crate::diagnostic::Problem;
use crate::project::{EMBEDDED, FILE_NAME};
use crate::scenario::schema;

/// The schema of the scenarios, beside the project file.
const SCHEMA: &str = "agentos-run.schema.json";
/// The first scenario.
const SCENARIO: &str = "scenarios/first.yaml";

/// Runs the command.
pub(super) fn run(context: &Context, args: &InitArgs) -> Exit {
    let (masker, _) = targets::secrets(context, &args.target, None);
    let output = context.output_masked(&masker);
    let found = match look(context, args) {
        Ok(found) => found,
        Err(refusal) => return refusal.show(&output),
    };
    let files = [
        (FILE_NAME, project(found.url.as_deref())),
        (SCENARIO, scenario(&found)),
        (SCHEMA, schema::printed()),
    ];
    let mut written = false;
    for (name, text) in files {
        match write(&context.folder.join(&args.folder), name, &text) {
            Ok(true) => {
                written = true;
                output.print(&format!("wrote {}\n", shown(&args.folder, name)));
            }
            Ok(false) => {
                output.print(&format!("left {} as it is\n", shown(&args.folder, name)));
            }
            Err(error) => {
                output.problem(&Problem::error(
                    "init::write",
                    format!("cannot write {}: {error}", shown(&args.folder, name)),
                ));
                return Exit::Failed;
            }
        }
    }
    if written {
        next(&output, &args.folder);
    }
    Exit::Success
}

fn next(output: &Output, folder: &Path) {
    let there = if folder == Path::new(".") { String::new() } else { format!("cd {} && ", folder.display()) };
    output.print(&format!("run it with: {there}agentos-run\n"));
}

fn shown(folder: &Path, name: &str) -> String {
    if folder == Path::new(".") { name.to_owned() } else { folder.join(name).display().to_string() }
}

/// Writes a file; false where there is one.
fn write(folder: &Path, name: &str, text: &str) -> std::io::Result<bool> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// What the scenario is about.
struct Found {
    /// The server, where one was named.
    url: Option<String>,
    operation: &'static str,
    field: &'static str,
    id: String,
    /// The database, where the server has several and wants to be told.
    db_id: Option<String>,
}

impl Found {
    fn embedded() -> Self {
        Self { url: None, operation: "run_agent", field: "agent_id", id: "assistant".to_owned(), db_id: None }
    }

    /// The first agent of a server, or its first team or workflow.
    fn of(config: Config, url: String) -> Option<Self> {
        let kinds = [
            ("run_agent", "agent_id", config.agents),
            ("run_team", "team_id", config.teams),
            ("run_workflow", "workflow_id", config.workflows),
        ];
        let several = config.databases.len() > 1;
        kinds.into_iter().find_map(|(operation, field, components)| {
            let (id, component) =
                components.into_iter().find_map(|it: ComponentSummary| Some((it.id.clone()?, it)))?;
            let db_id = component.other.get("db_id").and_then(|id| id.as_str()).map(str::to_owned);
            let db_id = db_id.filter(|_| several);
            Some(Self { url: Some(url.clone()), operation, field, id, db_id })
        })
    }
}

/// Asks the server that was named for its agents; without one, the scenario is for the embedded AgentOS.
fn look(context: &Context, args: &InitArgs) -> Result<Found, Refusal> {
    let named = args.target.base_url.as_deref().filter(|url| !url.is_empty() && *url != EMBEDDED);
    if args.target.embedded || (named.is_none() && args.target.target.is_none()) {
        return Ok(Found::embedded());
    }
    let project = inputs::project(context).ok().flatten();
    let (masker, _) = targets::secrets(context, &args.target, project.as_ref());
    let plan = targets::plan(context, &args.target, project.as_ref())?;
    let timeouts = Timeouts { total: Some(std::time::Duration::from_secs(30)), ..Timeouts::default() };
    let runtime = targets::runtime()?;
    runtime.block_on(async {
        let mut started = Started::default();
        let target =
            targets::open(&plan, context, &args.target, project.as_ref(), timeouts, &masker, &mut started)
                .await;
        let found = match target {
            Ok(target) => ask(&target.client).await,
            Err(refusal) => Err(refusal),
        };
        started.stop().await;
        found
    })
}

async fn ask(client: &Client) -> Result<Found, Refusal> {
    let config = client
        .send(&GetConfig {})
        .await
        .map_err(|error| Refusal::Unreachable(Problem::error("init::config", error.to_string())))?;
    Found::of(config, client.base_url().to_owned()).ok_or_else(|| {
        Refusal::Unreachable(Problem::error(
            "init::config",
            format!("{} has no agents, teams or workflows to write a scenario for", client.base_url()),
        ))
    })
}

/// A text as YAML and as a literal of an expression: JSON is both.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn project(url: Option<&str>) -> String {
    let (place, comment) = match url {
        Some(url) => (url, "this server"),
        None => (EMBEDDED, "the AgentOS inside agentos-run"),
    };
    format!(
        "\
# What the scenarios run against: {comment}, or what AGENTOS_URL names.
targets:
  default:
    base_url: ${{{{ env.AGENTOS_URL | default({}) }}}}
  # staging:
  #   base_url: https://staging.example.com
  #   headers: {{ Authorization: \"Bearer ${{{{ env.STAGING_TOKEN }}}}\" }}
# Environment variables whose values are never shown.
secrets: []
scenarios: scenarios/
",
        quoted(place)
    )
}

fn scenario(found: &Found) -> String {
    let Found { operation, field, id, db_id, .. } = found;
    let id = quoted(id);
    let id = id.strip_prefix('"').and_then(|id| id.strip_suffix('"')).filter(|id| plain(id)).unwrap_or(&id);
    let kind = field.trim_end_matches("_id");
    let db = db_id.as_ref().map_or_else(String::new, |db| format!(" db_id: {} ", quoted(db)));
    format!(
        "\
# yaml-language-server: $schema=../{SCHEMA}
name: The {kind} answers
tags: [smoke]
vars:
  {kind}: {id}
defaults:
  session_id: first-${{{{ run.id }}}}      # new in every run, so that runs never meet
steps:
  - name: a question
    {operation}:
      {field}: ${{{{ {kind} }}}}
      message: Hello!
    expect:
      $.status: COMPLETED
      content: {{ empty: false }}
      duration: {{ lt: 1m }}
finally:
  - delete_session: {{{db}}}
"
    )
}

/// Whether a text means itself in YAML without quotes.
fn plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str())
}
