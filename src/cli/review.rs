//! `agentos-run review`, `accept` and `reject`: snapshots that wait for somebody to look at them.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use owo_colors::{OwoColorize as _, Style as Paint};

use super::args::{AcceptArgs, ReviewArgs};
use super::context::Context;
use super::exit::Exit;
use super::output::Output;
use super::refusal::Refusal;
use super::{inputs, snapshots};
use crate::diagnostic::{self, Problem};
use crate::report::{difference, text};
use crate::scenario::unreferenced::unreferenced;
use crate::snapshot::{Accepted, Folders, Pending, PendingError, find_pending, pending_of, shown_difference};

/// Runs `review`.
pub(super) fn review(context: &Context, args: &ReviewArgs) -> Exit {
    if args.accept {
        return accept_all(context, &args.paths);
    }
    if args.reject {
        return reject(context, &args.paths);
    }
    at_desk(context, &args.paths, |desk, all| look(args, desk, all))
}

/// Does something with all snapshots that wait.
fn at_desk(
    context: &Context,
    paths: &[PathBuf],
    work: impl FnOnce(&mut Desk<'_>, Vec<Pending>) -> Exit,
) -> Exit {
    let mut desk = match Desk::open(context, paths) {
        Ok(desk) => desk,
        Err(refusal) => return refusal.show(&context.output()),
    };
    match std::mem::take(&mut desk.waiting) {
        none if none.is_empty() => desk.nothing(),
        all => work(&mut desk, all),
    }
}

/// Shows one after the other, and does what somebody says.
fn look(args: &ReviewArgs, desk: &mut Desk<'_>, all: Vec<Pending>) -> Exit {
    let count = all.len();
    let mut rest = None;
    for (index, pending) in all.iter().enumerate() {
        if rest.is_none() {
            desk.show(pending, index + 1, count);
        }
        let answer = match rest {
            Some(answer) => answer,
            None if args.list => Answer::Skip,
            None => desk.ask(),
        };
        if answer.is_for_all() {
            rest = Some(answer);
        }
        match answer {
            Answer::Accept | Answer::AcceptAll => desk.accept(pending),
            Answer::Reject | Answer::RejectAll => desk.reject(pending),
            Answer::Skip | Answer::Quit => desk.left += 1,
        }
    }
    if args.list { desk.listed(count) } else { desk.close() }
}

/// Runs `accept`.
pub(super) fn accept(context: &Context, args: &AcceptArgs) -> Exit {
    if args.prune
        && let Err(refusal) = prune(context, &args.paths)
    {
        return refusal.show(&context.output());
    }
    accept_all(context, &args.paths)
}

/// Deletes the snapshots that no step of these scenarios names any more.
fn prune(context: &Context, paths: &[PathBuf]) -> Result<(), Refusal> {
    let project = inputs::project(context)?;
    let mut given: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    if given.is_empty() && project.as_ref().is_none_or(|project| project.scenarios.is_none()) {
        given.push(".".to_owned());
    }
    let paths = inputs::paths(context, &given, project.as_ref())?;
    let loaded = inputs::load(&paths);
    let output = context.output();
    if loaded.problems.has_errors() {
        // What a broken scenario names is not known.
        output.problems(&loaded.problems);
        output.warn("\nno snapshot was deleted");
        return Err(Refusal::Told(Exit::Invalid));
    }
    let folders = snapshots::folders(context, project.as_ref());
    let mut failed = false;
    for file in unreferenced(&loaded.scenarios, &folders) {
        let shown = folders.shown(&file);
        match std::fs::remove_file(&file) {
            Ok(()) => output.print(&format!("deleted {shown}\n")),
            Err(error) => {
                failed = true;
                output.problem(&Problem::error(
                    "snapshot::unwritten",
                    format!("cannot delete {shown}: {}", diagnostic::io_cause(&error)),
                ));
            }
        }
    }
    if failed { Err(Refusal::Told(Exit::Invalid)) } else { Ok(()) }
}

fn accept_all(context: &Context, paths: &[PathBuf]) -> Exit {
    at_desk(context, paths, |desk, all| {
        all.iter().for_each(|pending| desk.accept(pending));
        desk.close()
    })
}

/// Runs `reject`.
pub(super) fn reject(context: &Context, paths: &[PathBuf]) -> Exit {
    at_desk(context, paths, |desk, all| {
        all.iter().for_each(|pending| desk.reject(pending));
        desk.close()
    })
}

/// What somebody says to a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Reject,
    Skip,
    AcceptAll,
    RejectAll,
    Quit,
}

impl Answer {
    fn read(line: &str) -> Option<Self> {
        Some(match line.trim() {
            "a" | "accept" => Self::Accept,
            "r" | "reject" => Self::Reject,
            "s" | "skip" => Self::Skip,
            "A" | "all" | "accept all" => Self::AcceptAll,
            "R" | "reject all" => Self::RejectAll,
            "q" | "quit" => Self::Quit,
            _ => return None,
        })
    }

    fn is_for_all(self) -> bool {
        matches!(self, Self::AcceptAll | Self::RejectAll | Self::Quit)
    }
}

/// The snapshots that wait and what was done with them.
struct Desk<'a> {
    context: &'a Context,
    output: Output,
    folders: Folders,
    waiting: Vec<Pending>,
    accepted: usize,
    rejected: usize,
    left: usize,
}

impl<'a> Desk<'a> {
    fn open(context: &'a Context, paths: &[PathBuf]) -> Result<Self, Refusal> {
        let project = inputs::project(context)?;
        let folders = snapshots::folders(context, project.as_ref());
        let mut desk = Self {
            context,
            output: context.output(),
            folders,
            waiting: Vec::new(),
            accepted: 0,
            rejected: 0,
            left: 0,
        };
        for file in desk.files(paths)? {
            match Pending::read(&file) {
                Ok(Some(pending)) => desk.waiting.push(pending),
                // Somebody else's: of the tests of a Rust program, for example.
                Ok(None) => {}
                Err(unusable) => {
                    desk.left += 1;
                    let shown = desk.folders.shown(&file);
                    desk.output.problem(
                        &Problem::error("snapshot::unusable", format!("{shown} cannot be taken: {unusable}"))
                            .help(format!("delete {shown} and run the scenario again")),
                    );
                }
            }
        }
        Ok(desk)
    }

    fn files(&self, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
        if paths.is_empty() {
            let folder = self.folders.all().unwrap_or_else(|| self.context.folder.clone());
            return Ok(find_pending(&folder));
        }
        let mut files = Vec::new();
        for given in paths {
            let path = self.context.folder.join(given);
            let is = |kind: &str| path.extension().is_some_and(|extension| extension == kind);
            if path.is_dir() {
                files.extend(find_pending(&path));
            } else if is("new") && path.is_file() {
                files.push(path);
            } else if is("snap") && pending_of(&path).is_file() {
                files.push(pending_of(&path));
            } else if (is("yaml") || is("yml")) && path.is_file() {
                let home = self.folders.home(&given.to_string_lossy());
                let begin = format!("{}__", home.prefix);
                let of_scenario = |file: &PathBuf| {
                    file.parent() == Some(&home.folder)
                        && file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&begin))
                };
                files.extend(find_pending(&home.folder).into_iter().filter(of_scenario));
            } else if is("snap") && path.is_file() {
                // Nothing waits there.
            } else {
                return Err(Problem::error("snapshot::path", format!("there is no {}", given.display()))
                    .help("give a snapshot (*.snap), a folder of them, or a scenario; without a path it is all of them"));
            }
        }
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// A snapshot and how it differs.
    fn show(&self, pending: &Pending, number: usize, count: usize) {
        let color = self.context.style().color;
        let paint = |text: &str, paint: Paint| {
            if color { text.style(paint).to_string() } else { text.to_owned() }
        };
        let kind = match &pending.old {
            Ok(None) => "new",
            Ok(Some(_)) => "changed",
            Err(_) => "in the place of what is no snapshot",
        };
        let title = format!("{number} of {count}  {}  ({kind})", self.folders.shown(&pending.snapshot));
        self.output.print(&format!("\n{}\n", paint(&text::harmless_lines(&title), Paint::new().bold())));
        let metadata = &pending.new.metadata;
        let line = metadata.line.map(|line| format!(":{line}")).unwrap_or_default();
        let mut about = vec![format!("{}{line}", metadata.source.as_deref().unwrap_or("?"))];
        about.extend(metadata.info.iter().map(|(_, value)| value.clone()));
        about.extend(metadata.expression.clone());
        self.output.print(&format!(
            "{}\n\n",
            paint(&text::harmless_lines(&about.join("  ")), Paint::new().dimmed())
        ));
        if let Err(unusable) = &pending.old {
            self.output.print(&format!("the snapshot that is there: {unusable}\n"));
        }
        let old = pending.old.as_ref().ok().and_then(Option::as_ref).map(|file| file.contents.as_str());
        let difference = shown_difference(old.unwrap_or_default(), &pending.new.contents);
        for line in text::harmless_lines(&difference).lines() {
            self.output.print(&format!("  {}\n", difference::painted(line, color)));
        }
    }

    /// What somebody says; at the end of the input nobody is there.
    fn ask(&self) -> Answer {
        let mut line = String::new();
        loop {
            self.output.print("\n[a]ccept, [r]eject, [s]kip, accept [A]ll, reject [R]est, [q]uit? ");
            line.clear();
            if !matches!(std::io::stdin().lock().read_line(&mut line), Ok(1..)) {
                self.output.print("\n");
                return Answer::Quit;
            }
            if let Some(answer) = Answer::read(&line) {
                return answer;
            }
            self.output.print("please say a, r, s, A, R or q");
        }
    }

    fn accept(&mut self, pending: &Pending) {
        let shown = self.folders.shown(&pending.snapshot);
        match pending.accept() {
            Ok(accepted) => {
                self.accepted += 1;
                let word = match accepted {
                    Accepted::New => "new",
                    Accepted::Changed => "changed",
                };
                self.output.print(&format!("accepted {shown} ({word})\n"));
            }
            Err(error) => self.stays(&shown, &pending.snapshot, &error),
        }
    }

    fn reject(&mut self, pending: &Pending) {
        let shown = self.folders.shown(&pending.path);
        match pending.reject() {
            Ok(()) => {
                self.rejected += 1;
                self.output.print(&format!("rejected {shown}\n"));
            }
            Err(error) => self.stays(&shown, &pending.path, &error),
        }
    }

    fn stays(&mut self, shown: &str, path: &Path, error: &PendingError) {
        self.left += 1;
        let help = match error {
            PendingError::Unusable(unusable) => unusable.remedy(&self.folders.shown(path)),
            PendingError::Write(_) => format!("make {shown} and its folder writable: chmod u+w"),
            PendingError::Changed => "agentos-run review".to_owned(),
        };
        self.output.problem(
            &Problem::error("snapshot::unwritten", format!("{shown} stays as it is: {error}")).help(help),
        );
    }

    fn nothing(&self) -> Exit {
        if self.left == 0 {
            self.output.print("no snapshot waits\n");
        }
        if self.left > 0 { Exit::Failed } else { Exit::Success }
    }

    fn listed(&self, count: usize) -> Exit {
        let verb = if count == 1 { "waits" } else { "wait" };
        self.output.print(&format!("\n{} {verb}\n", text::count(count, "snapshot")));
        Exit::Failed
    }

    fn close(&self) -> Exit {
        let mut parts = Vec::new();
        for (number, what) in [(self.accepted, "accepted"), (self.rejected, "rejected"), (self.left, "left")]
        {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        self.output.print(&format!("{}\n", parts.join(", ")));
        if self.left > 0 { Exit::Failed } else { Exit::Success }
    }
}
