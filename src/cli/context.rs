//! What the program knows of its surroundings: the only reader of the environment, the terminal and the clock.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::args::ColorChoice;
use super::footer::Footer;
use super::output::Output;
use crate::diagnostic::{Problem, Style};
use crate::secret::Masker;

/// The surroundings of a run of the program.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// The arguments, the program's own name first.
    pub(super) arguments: Vec<OsString>,
    /// The environment; what is no Unicode is left out.
    pub(super) environment: Arc<BTreeMap<String, String>>,
    /// The working folder.
    pub(super) folder: PathBuf,
    stdin_is_terminal: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    width: usize,
    colors: ColorChoice,
    /// What stays below all output, whoever writes it.
    footer: Arc<Mutex<Footer>>,
}

/// The width where there is no terminal: a CI log.
const LOG_WIDTH: usize = 100;

impl Context {
    /// Those of this process.
    pub(super) fn of_process() -> Self {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let columns = environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
        let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        Self {
            arguments: std::env::args_os().collect(),
            folder: std::env::current_dir().unwrap_or_default(),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            width: terminal.or(columns).unwrap_or(LOG_WIDTH).clamp(40, 200),
            colors: ColorChoice::Auto,
            environment: Arc::new(environment),
            footer: Arc::default(),
        }
    }

    /// With the colours that the command line asks for.
    pub(super) fn with_colors(mut self, colors: ColorChoice) -> Self {
        self.colors = colors;
        self
    }

    /// A path as it is shown: relative to the working folder where it lies below it.
    pub(super) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }

    /// A variable of the environment that is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn color(&self, is_terminal: bool) -> bool {
        match self.colors {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if self.variable("NO_COLOR").is_some() => false,
            ColorChoice::Auto if self.variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => is_terminal && self.variable("TERM") != Some("dumb"),
        }
    }

    /// How problems on standard output are drawn.
    pub(super) fn style(&self) -> Style {
        Style { color: self.color(self.stdout_is_terminal), unicode: self.unicode(), width: self.width }
    }

    /// Whether somebody watches standard output.
    pub(super) fn is_watched(&self) -> bool {
        self.stdout_is_terminal && self.variable("TERM") != Some("dumb")
    }

    /// Whether somebody is there who can be asked.
    pub(super) fn can_ask(&self) -> bool {
        self.stdin_is_terminal && self.stderr_is_terminal && self.variable("CI").is_none()
    }

    /// The columns and lines of the terminal on which progress is shown; none where nobody watches standard error, where
    /// the terminal cannot take lines away again, and in CI, whose logs would fill with them.
    pub(super) fn progress_size(&self) -> Option<(usize, usize)> {
        let is_ci = self.variable("CI").is_some_and(|value| !matches!(value, "0" | "false"));
        if !self.stderr_is_terminal || is_ci || self.variable("TERM") == Some("dumb") {
            return None;
        }
        let (width, height) = terminal_size::terminal_size_of(std::io::stderr())?;
        Some((usize::from(width.0), usize::from(height.0)))
    }

    /// How problems on standard error are drawn.
    pub(super) fn error_style(&self) -> Style {
        Style { color: self.color(self.stderr_is_terminal), ..self.style() }
    }

    /// Whether the locale can show more than ASCII. Where nothing is said, as in most containers, it can.
    fn unicode(&self) -> bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| self.variable(name));
        locale.is_none_or(|locale| {
            let locale = locale.to_lowercase();
            locale.contains("utf-8") || locale.contains("utf8") || locale == "c" || locale == "posix"
        })
    }

    /// Standard output and standard error without a secret to hide yet.
    pub(super) fn output(&self) -> Output {
        Output::new(Masker::new(), self.error_style(), &self.footer)
    }

    /// Standard output and standard error, with secrets masked.
    pub(super) fn output_masked(&self, masker: &Masker) -> Output {
        Output::new(masker.clone(), self.error_style(), &self.footer)
    }

    /// A problem of the command line itself.
    pub(super) fn complain(&self, problem: &Problem) {
        self.output().problem(problem);
    }
}
