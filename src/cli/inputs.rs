//! What the command line names to work on: the project file, files of scenarios, and a selection among them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::args::{self, SelectionArgs};
use super::context::Context;
use super::exit::Exit;
use super::refusal::Refusal;
use crate::diagnostic::{self, Problem, Problems};
use crate::project::{self, Project};
use crate::scenario::load::{self, Loaded};
use crate::scenario::select::{Selection, Tags};
use crate::yaml;

/// The project file from the working folder upward; what is wrong with it is shown.
pub(super) fn project(context: &Context) -> Result<Option<Project>, Refusal> {
    let Some(path) = Project::find(&context.folder) else { return Ok(None) };
    let name = path.strip_prefix(&context.folder).unwrap_or(&path).display().to_string();
    let mut problems = Problems::new();
    let project = Project::read(&path, &name, &mut problems);
    problems.sort_by_place();
    if problems.has_errors() {
        context.output().problems(&problems);
        return Err(Refusal::Told(Exit::Invalid));
    }
    Ok(project)
}

/// The paths of the command line, or the folder of the project file.
pub(super) fn paths(
    context: &Context,
    given: &[String],
    project: Option<&Project>,
) -> Result<Vec<String>, Problem> {
    if let [only] = given {
        // A misspelt command looks like a path.
        let program = args::command();
        let commands = program.get_subcommands().map(clap::Command::get_name);
        let is_word = only.chars().all(|c| c.is_ascii_alphabetic());
        if let (true, false, Some(command)) =
            (is_word, Path::new(only).exists(), diagnostic::nearest(only, commands))
        {
            let message = format!("there is no file and no command `{only}`");
            return Err(Problem::error("file::unreadable", message)
                .help(format!("did you mean `agentos-run {command}`?")));
        }
    }
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    if let Some((project, scenarios)) =
        project.and_then(|project| Some((project, project.scenarios.as_ref()?)))
    {
        let path = project.folder.join(scenarios);
        let shown = path.strip_prefix(&context.folder).unwrap_or(&path);
        // `scenarios: .` is the folder itself, of which nothing is left.
        let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
        return Ok(vec![shown.display().to_string()]);
    }
    Err(Problem::error("cli::paths", "no scenario was given").help(
        "agentos-run scenarios/   or a file, a glob, `-` for standard input; `agentos-run --help` says more",
    ))
}

/// The files that the paths of the command line, or the project file, name now. What is wrong with them is not told here.
pub(super) fn scenario_files(context: &Context, given: &[String]) -> Vec<PathBuf> {
    if !given.is_empty() {
        return load::files(given);
    }
    let path = Project::find(&context.folder);
    let project = path.and_then(|path| Project::read(&path, project::FILE_NAME, &mut Problems::new()));
    let folder = project.and_then(|project| Some(project.folder.join(project.scenarios?)));
    folder.map(|folder| load::files(&[folder.display().to_string()])).unwrap_or_default()
}

/// Reads all scenarios of `paths`.
pub(super) fn load(paths: &[String]) -> Loaded {
    load::load(paths, &mut || {
        let mut text = String::new();
        std::io::stdin().lock().take(yaml::MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
        Ok(text)
    })
}

/// The selection of the command line.
pub(super) fn selection(args: &SelectionArgs) -> Result<Selection, Problem> {
    let tags = args
        .tag
        .as_deref()
        .map(|text| {
            Tags::parse(text).map_err(|message| {
                Problem::error("cli::tag", format!("--tag {text}: {message}"))
                    .help("tags are joined by `and`, `or`, `not` and parentheses: 'smoke and not slow'")
            })
        })
        .transpose()?;
    let filter = args
        .filter
        .as_deref()
        .map(|text| {
            regex::Regex::new(text).map_err(|error| {
                let cause = error.to_string();
                let cause = cause.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Problem::error("cli::filter", format!("--filter {text} is not a regular expression: {cause}"))
            })
        })
        .transpose()?;
    Ok(Selection { tags, filter })
}
