//! `--watch`: runs again what a changed file touches.
//!
//! Files are looked at a few times a second, which works on every file system, in containers and over networks. What a
//! scenario depends on is told by the names of files in its text, and in the texts of these files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::args::RunArgs;
use super::context::Context;
use super::exit::Exit;
use super::{inputs, run, targets};
use crate::diagnostic::Problem;
use crate::engine::Interrupt;
use crate::project::Project;
use crate::report::text;
use crate::scenario::load;

/// How often files are looked at.
const EVERY: Duration = Duration::from_millis(300);
/// A text that is longer is not searched for the names of files.
const LONGEST: u64 = 4 << 20;
/// The files that one file may name, and the files of all.
const MOST: usize = 10_000;

/// Runs scenarios, and again whenever a file changes, until somebody presses Ctrl-C.
pub(super) fn run(context: &Context, args: &RunArgs) -> Exit {
    if args.paths.iter().any(|path| path == load::STDIN) {
        context.complain(
            &Problem::error("cli::watch", "standard input cannot be watched")
                .help("give the file itself: agentos-run --watch scenario.yaml"),
        );
        return Exit::Invalid;
    }
    let output = context.output();
    let mut names = Names::new();
    let mut files = Files::look(context, args, &mut names);
    let mut only: Option<BTreeSet<PathBuf>> = None;
    loop {
        // What is wrong was shown by the run; it is mended in a file, and that is waited for.
        let exit = run::once(context, args, only.as_ref());
        if exit == Exit::Interrupted {
            return exit;
        }
        // A run that could not begin leaves what it was for to be done.
        let left = if matches!(exit, Exit::Invalid | Exit::Unreachable) {
            only.take()
        } else {
            Some(BTreeSet::new())
        };
        output.warn(&format!("\nwatching {}; Ctrl-C ends", text::count(files.states.len(), "file")));
        let Some((now, changed)) = wait(context, args, &files, &mut names) else { return Exit::Interrupted };
        let names: Vec<String> = changed.iter().map(|file| context.relative(file)).collect();
        output.warn(&format!("changed: {}\n", names.join(", ")));
        only = match (left, now.touched(&files, &changed)) {
            (Some(mut left), Some(touched)) => {
                left.extend(touched);
                Some(left)
            }
            _ => None,
        };
        files = now;
    }
}

/// Waits for a change; none where somebody pressed Ctrl-C.
fn wait(
    context: &Context,
    args: &RunArgs,
    before: &Files,
    names: &mut Names,
) -> Option<(Files, BTreeSet<PathBuf>)> {
    let runtime = targets::runtime().ok()?;
    runtime.block_on(async {
        let interrupt = Interrupt::new();
        targets::watch_signals(&interrupt);
        let changes = async {
            let mut last: Option<Files> = None;
            loop {
                tokio::time::sleep(EVERY).await;
                let now = Files::look(context, args, names);
                // An editor writes a file in several steps: it is over when nothing changes any more.
                if now.states != before.states && last.as_ref().is_some_and(|last| last.states == now.states)
                {
                    let changed = now.changed(before);
                    return (now, changed);
                }
                last = Some(now);
            }
        };
        tokio::select! {
            changes = changes => Some(changes),
            () = interrupt.raised(1) => None,
        }
    })
}

/// What is known of a file without reading it; none where it is not there.
type State = Option<(SystemTime, u64)>;

/// The files that texts name, with the state in which each text was read: what did not change is not read again.
type Names = BTreeMap<PathBuf, (State, BTreeSet<PathBuf>)>;

/// The files that a run depends on.
#[derive(Debug, Default)]
struct Files {
    /// Those that are not there yet too: they may come.
    states: BTreeMap<PathBuf, State>,
    /// The files that each scenario file names, and those that these name, and so on.
    touches: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// What goes for all scenarios: the project file, variables, and what they name.
    general: BTreeSet<PathBuf>,
}

impl Files {
    /// Finds them and looks at them.
    fn look(context: &Context, args: &RunArgs, names: &mut Names) -> Self {
        let mut files = Self::default();
        let project = Project::find(&context.folder);
        for file in project.iter().chain(&args.vars_file) {
            let touches = files.closure(&context.folder.join(file), names);
            files.general.extend(touches);
        }
        for file in inputs::scenario_files(context, &args.paths) {
            let Some(file) = plain(&context.folder.join(file)) else { continue };
            let touches = files.closure(&file, names);
            files.touches.insert(file, touches);
        }
        names.retain(|file, _| files.states.contains_key(file));
        files
    }

    /// A file with all files that it names, directly and through others.
    fn closure(&mut self, file: &Path, names: &mut Names) -> BTreeSet<PathBuf> {
        let mut all = BTreeSet::new();
        let mut left = vec![file.to_owned()];
        while let Some(file) = left.pop() {
            if all.len() >= MOST || !all.insert(file.clone()) {
                continue;
            }
            let now = *self.states.entry(file.clone()).or_insert_with_key(|file| state(file));
            match names.get(&file) {
                Some((then, named)) if *then == now => left.extend(named.iter().cloned()),
                _ => {
                    let named = named_in(&file, now);
                    left.extend(named.iter().cloned());
                    names.insert(file, (now, named));
                }
            }
        }
        all
    }

    fn changed(&self, before: &Self) -> BTreeSet<PathBuf> {
        let all = self.states.keys().chain(before.states.keys());
        all.filter(|file| self.states.get(*file) != before.states.get(*file)).cloned().collect()
    }

    /// The scenario files that a change touches; none where it touches all.
    fn touched(&self, before: &Self, changed: &BTreeSet<PathBuf>) -> Option<BTreeSet<PathBuf>> {
        if changed.iter().any(|file| self.general.contains(file) || before.general.contains(file)) {
            return None;
        }
        let touched = |files: &Self, scenario: &PathBuf| {
            files.touches.get(scenario).is_some_and(|touches| !touches.is_disjoint(changed))
        };
        let scenarios = self.touches.keys();
        Some(
            scenarios
                .filter(|scenario| touched(self, scenario) || touched(before, scenario))
                .cloned()
                .collect(),
        )
    }
}

fn state(file: &Path) -> State {
    let meta = std::fs::metadata(file).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// The files that a text names, relative to its folder: every word in it that is one, or that may become one.
fn named_in(file: &Path, state: State) -> BTreeSet<PathBuf> {
    let is_text = state.is_some_and(|(_, length)| length <= LONGEST);
    let Some(text) = is_text.then(|| std::fs::read_to_string(file).ok()).flatten() else {
        return BTreeSet::new();
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    let is_end = |c: char| c.is_whitespace() || "\"'`,;:()[]{}<>|=".contains(c);
    let words: BTreeSet<&str> = text.split(is_end).collect();
    let files = words.into_iter().filter_map(|word| {
        let (_, kind) = word.rsplit_once('.').filter(|_| word.len() < 256 && !word.starts_with('$'))?;
        let file = folder.join(word);
        if KINDS.contains(&kind) || (kind.len() <= 8 && file.is_file()) { plain(&file) } else { None }
    });
    files.take(MOST).collect()
}

/// How the names of files end that are waited for where they are not there.
const KINDS: &[&str] = &[
    "yaml", "yml", "json", "jsonl", "csv", "txt", "md", "html", "pdf", "png", "jpg", "wav", "mp3", "mp4",
    "py",
];

/// A path without `.` and `..`.
pub(super) fn plain(file: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(file.parent()?).ok().map(|folder| folder.join(file.file_name().unwrap_or_default()))
}
