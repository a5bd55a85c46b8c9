//! Paths to files to scenarios: what `run`, `check` and `list` are given.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fragment::library::Library;
use super::place::{self, Places};
use super::select::Selection;
use super::{Instance, Scenario, fragment, read};
pub(crate) use crate::diagnostic::io_cause;
use crate::diagnostic::{Problem, Problems};
use crate::source::{Source, Span};
use crate::yaml;

/// The name that stands for standard input.
pub const STDIN: &str = "-";

/// The project file, which is no scenario.
pub const PROJECT_FILE: &str = "agentos-run.yaml";

/// What was found under the paths given.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The scenarios, by file in the order of the paths, and in a file as they stand.
    pub scenarios: Vec<Scenario>,
    /// How many fragments were checked: those that are used, and those among the paths.
    pub fragments: usize,
    /// How many files were read.
    pub files: usize,
    /// Cast files of the embedded AgentOS among them: they are no scenarios, and nothing else was done with them.
    pub casts: Vec<Arc<Source>>,
    /// The fragments among them.
    alone: Vec<(PathBuf, Arc<Source>)>,
    /// All findings of all files.
    pub problems: Problems,
    places: Places,
}

/// Reads all scenarios of `paths`: files, folders (searched for `*.yaml` and `*.yml`), globs, `-` for `stdin`. A file
/// or folder whose name begins with `_` or `.` is not run by itself.
pub fn load(paths: &[String], stdin: &mut dyn FnMut() -> std::io::Result<String>) -> Loaded {
    let mut loaded = Loaded::default();
    let mut seen = std::collections::BTreeSet::new();
    for path in paths {
        if path == STDIN {
            match stdin() {
                Ok(text) => loaded.add("<stdin>", text),
                Err(error) => loaded.problems.push(unreadable("standard input", &error)),
            }
            continue;
        }
        let (path, line) = place::split(path);
        let mut files = files_of(path, &mut loaded.problems);
        for file in &files {
            let is_new = !seen.contains(&identity(file));
            match line {
                Some(line) if is_new || loaded.places.names(file) => loaded.places.add(file, line),
                Some(_) => {}
                None => loaded.places.add_all(file),
            }
        }
        // One file named twice is one file.
        files.retain(|file| seen.insert(identity(file)));
        loaded.read_all(&files);
    }
    let mut library = Library::default();
    for scenario in &loaded.scenarios {
        library.link(scenario);
    }
    let alone = std::mem::take(&mut loaded.alone);
    loaded.files -= alone.len();
    for (path, source) in alone {
        library.add(&path, &source);
    }
    let (fragments, files, problems) = library.finish();
    loaded.fragments = fragments;
    loaded.files += files;
    if !problems.is_empty() {
        loaded.problems.extend(problems);
        loaded.problems.sort_by_place();
    }
    loaded.places.retain(&mut loaded.scenarios, &mut loaded.problems);
    loaded
}

/// The scenario files under paths, without reading them.
pub fn files(paths: &[String]) -> Vec<PathBuf> {
    let mut problems = Problems::new();
    let paths = paths.iter().filter(|path| *path != STDIN);
    paths.flat_map(|path| files_of(place::split(path).0, &mut problems)).collect()
}

/// What tells a file from others, however it is named.
fn identity(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| file.to_owned())
}

/// From how many files on they are read by several threads.
const MANY: usize = 32;

impl Loaded {
    /// The runs of the scenarios that are asked for, each with its place in the plan; and how many there were to choose
    /// from.
    pub fn plan(self, selection: &Selection) -> (Vec<Instance>, usize) {
        let (mut all, mut plan) = (0, Vec::new());
        for scenario in self.scenarios.into_iter().map(Arc::new) {
            let wanted = self.places.cases(&scenario);
            let is_wanted = |instance: &Instance| match (&wanted, instance.case()) {
                (Some(wanted), Some(case)) => wanted.contains(&case.index),
                _ => true,
            };
            for instance in Instance::all_of(&scenario) {
                all += 1;
                if is_wanted(&instance) && selection.takes(&instance) {
                    plan.push(instance.at(plan.len()));
                }
            }
        }
        (plan, all)
    }

    /// Reads files in their order; many of them by several threads, each a row of neighbours.
    fn read_all(&mut self, files: &[PathBuf]) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        if files.len() < MANY || threads == 1 {
            for file in files {
                self.read(file);
            }
            return;
        }
        let parts: Vec<Self> = std::thread::scope(|scope| {
            let running: Vec<_> = files
                .chunks(files.len().div_ceil(threads))
                .map(|part| {
                    scope.spawn(move || {
                        let mut loaded = Self::default();
                        part.iter().for_each(|file| loaded.read(file));
                        loaded
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        for part in parts {
            self.scenarios.extend(part.scenarios);
            self.files += part.files;
            self.casts.extend(part.casts);
            self.alone.extend(part.alone);
            self.problems.extend(part.problems);
        }
    }

    /// The problem that there is nothing to run, because what was given is a cast.
    pub fn only_casts(&self) -> Option<Problem> {
        let cast = self.casts.first().filter(|_| self.scenarios.is_empty())?;
        let name = cast.name();
        Some(
            Problem::error("scenario::cast", format!("{name} is a cast, not a scenario"))
                .label(&Span::new(cast, 0..0), "an AgentOS to play, not steps to run")
                .help(format!(
                    "agentos-run --cast {name} SCENARIOS runs scenarios against it, `agentos-run serve --cast {name}` serves it"
                )),
        )
    }

    fn read(&mut self, file: &Path) {
        let too_large = fs::metadata(file).is_ok_and(|meta| meta.len() > yaml::MAX_BYTES as u64);
        if too_large {
            self.problems.push(
                Problem::error("file::too-large", format!("{} holds more than 16 MiB", file.display())).help(
                    "split it, or keep data in a file beside it and read that with `json_file(\"...\")`",
                ),
            );
            return;
        }
        match fs::read(file).map(String::from_utf8) {
            Ok(Ok(text)) => self.add(&shown(file), text),
            Ok(Err(error)) => {
                let at = error.utf8_error().valid_up_to();
                let before = String::from_utf8_lossy(&error.as_bytes()[..at]).matches('\n').count();
                self.problems.push(
                    Problem::error(
                        "file::encoding",
                        format!("{} is not UTF-8: see line {}", file.display(), before + 1),
                    )
                    .help("save the file as UTF-8"),
                );
            }
            Err(error) => self.problems.push(unreadable(&file.display().to_string(), &error)),
        }
    }

    fn add(&mut self, name: &str, text: String) {
        self.files += 1;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let source = Source::new(name, text);
        let mut problems = Problems::new();
        let mut documents = yaml::parse(&source, &mut problems);
        // A `---` at the end, or before the first comment, makes no scenario.
        if documents.len() > 1 {
            documents.retain(|document| !matches!(document.kind, yaml::Kind::Null));
        }
        if documents.is_empty() && problems.is_empty() {
            problems.push(
                Problem::error("scenario::empty", format!("{name} holds no scenario"))
                    .help("a scenario is a mapping with at least `steps:`"),
            );
        }
        if let [document] = documents.as_slice()
            && is_cast(document)
        {
            self.casts.push(source);
            return;
        }
        if let [document] = documents.as_slice()
            && fragment::is_fragment(document)
        {
            let hidden =
                Path::new(name).components().any(|part| part.as_os_str().to_string_lossy().starts_with('_'));
            if !hidden {
                let entries = document.as_mapping().unwrap_or_default();
                let key =
                    entries.iter().find(|entry| matches!(entry.key.name.as_str(), "params" | "returns"));
                let place = key.map_or(&document.span, |entry| &entry.key.span);
                self.problems.push(
                    Problem::error(
                        "fragment::place",
                        format!("{name} is a fragment and stands among scenarios"),
                    )
                    .label(place, "only fragments have this")
                    .help("give the file or its folder a name that begins with `_`: `_lib/`"),
                );
            }
            self.alone.push((PathBuf::from(name), source));
            return;
        }
        let before = self.scenarios.len();
        for document in &documents {
            self.scenarios.extend(read::parse(&source, document, &mut problems));
        }
        self.number_namesakes(before);
        problems.sort_by_place();
        self.problems.extend(problems);
    }

    /// Scenarios of one file that would have one name are told apart by their number.
    fn number_namesakes(&mut self, from: usize) {
        let names: Vec<String> =
            self.scenarios[from..].iter().map(|scenario| scenario.name.clone()).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for name in &names {
            *counts.entry(name).or_default() += 1;
        }
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        for (name, scenario) in names.iter().zip(&mut self.scenarios[from..]) {
            if counts.get(name.as_str()).is_some_and(|count| *count > 1) {
                let number = numbers.entry(name).or_default();
                *number += 1;
                scenario.name = format!("{name} #{number}");
            }
        }
    }
}

/// Whether a document says who plays and not what to do.
fn is_cast(document: &yaml::Node) -> bool {
    const CAST: [&str; 5] = ["os_id", "agents", "members", "teams", "workflows"];
    const SCENARIO: [&str; 5] = ["steps", "setup", "finally", "params", "requires"];
    let entries = document.as_mapping().unwrap_or_default();
    let has = |names: &[&str]| entries.iter().any(|entry| names.contains(&entry.key.name.as_str()));
    has(&CAST) && !has(&SCENARIO)
}

/// A path as it is shown and linked: with forward slashes, without a leading `./`.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}

fn unreadable(what: &str, error: &std::io::Error) -> Problem {
    let problem = Problem::error("file::unreadable", format!("cannot read {what}: {}", io_cause(error)));
    if error.kind() == std::io::ErrorKind::NotFound {
        return problem.help("give a file, a folder, a glob in quotes, or `-` for standard input");
    }
    problem
}

fn files_of(path: &str, problems: &mut Problems) -> Vec<PathBuf> {
    let direct = Path::new(path);
    if direct.is_dir() {
        let mut files = Vec::new();
        walk(direct, &mut files, problems);
        if files.is_empty() {
            problems.push(
                Problem::error("file::none", format!("{path} holds no scenario files")).help(
                    "scenarios are files named *.yaml or *.yml; names that begin with `_` are fragments",
                ),
            );
        }
        return files;
    }
    if direct.exists() || !path.contains(['*', '?', '[']) {
        return vec![direct.to_owned()];
    }
    match glob::glob(path) {
        Ok(found) => {
            let mut files: Vec<PathBuf> = Vec::new();
            for path in found.flatten() {
                if path.is_dir() {
                    walk(&path, &mut files, problems);
                } else if !is_private(&path) {
                    files.push(path);
                }
            }
            if files.is_empty() {
                problems.push(Problem::error("file::none", format!("nothing matches {path}")));
            }
            files
        }
        Err(error) => {
            problems.push(Problem::error("file::glob", format!("{path} is not a glob: {}", error.msg)));
            Vec::new()
        }
    }
}

fn is_private(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['_', '.']))
}

/// The scenario files below a folder, sorted by name so that every machine runs them in one order.
fn walk(folder: &Path, files: &mut Vec<PathBuf>, problems: &mut Problems) {
    let mut entries: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => {
            problems.push(unreadable(&folder.display().to_string(), &error));
            return;
        }
    };
    entries.sort();
    for entry in entries {
        if is_private(&entry) {
            continue;
        }
        // A link to a folder is not followed: it may lead back up.
        let is_dir = entry.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        if is_dir {
            walk(&entry, files, problems);
        } else if entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            && entry.is_file()
            && entry.file_name().is_none_or(|name| name != PROJECT_FILE)
        {
            files.push(entry);
        }
    }
}
