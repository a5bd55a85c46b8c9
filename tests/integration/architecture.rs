//! Which room of the source may know which: read from the paths in the code itself.

use regex::Regex;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// The rooms under `src/`, from the ground up: each may use only those that stand before it.
const ROOMS: [&str; 20] = [
    "source",
    "duration",
    "secret",
    "jsonpath",
    "diagnostic",
    "yaml",
    "expr",
    "template",
    "emulator",
    "agentos",
    "outcome",
    "expect",
    "snapshot",
    "scenario",
    "project",
    "engine",
    "report",
    "cli",
    "lib",
    "main",
];

/// The embedded AgentOS is reached through a socket: only the command line starts it.
const STARTS_THE_EMULATOR: [&str; 1] = ["cli"];

/// A path in the code of one room that leads into another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    from: String,
    to: String,
}

/// The rooms that a file's code leads into. `module` is the path of the file's module.
fn uses(module: &[&str], code: &str) -> BTreeSet<Use> {
    static PATH: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(crate::|(?:super::)+)(?:\{([^;]*?)\}\s*;|([a-z_0-9]+))").unwrap());
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"//[^\n]*").unwrap());
    let code = COMMENT.replace_all(code, "");
    let mut found = BTreeSet::new();
    for path in PATH.captures_iter(&code) {
        let up = path[1].matches("super::").count();
        // Only what reaches the root of the crate can lead into another room.
        if up != 0 && up != module.len() {
            continue;
        }
        let names: Vec<String> = match (path.get(2), path.get(3)) {
            (Some(group), _) => heads(group.as_str()),
            (None, name) => name.into_iter().map(|name| name.as_str().to_owned()).collect(),
        };
        for to in names.into_iter().filter(|to| to != module[0]) {
            found.insert(Use { from: module[0].to_owned(), to });
        }
    }
    found
}

/// The first name of each path in the braces of a `use`: `a::{b, c}, d` has `a` and `d`.
fn heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(String::new()),
            c if depth == 0 => heads.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    let head = |path: &str| path.trim().split("::").next().unwrap_or_default().trim().to_owned();
    heads.iter().map(|path| head(path)).filter(|name| !name.is_empty()).collect()
}

/// What is wrong with a path, if anything.
fn violation(found: &Use) -> Option<String> {
    let Use { from, to } = found;
    let place = |room: &str| ROOMS.iter().position(|known| *known == room);
    let (Some(below), Some(above)) = (place(to), place(from)) else {
        // What is no room is an item of the crate's root, which has none but rooms.
        return Some(format!("`{from}` uses `{to}`: a room that the list in this test does not have"));
    };
    if below >= above {
        return Some(format!("`{from}` must not know `{to}`: it stands below it"));
    }
    if to == "emulator" && !STARTS_THE_EMULATOR.contains(&from.as_str()) {
        return Some(format!("`{from}` must not know `emulator`: it is reached through a socket"));
    }
    None
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_room_knows_the_rooms_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    assert!(all.len() > 100, "{all:?}");
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for file in all {
        let inside = file.strip_prefix(&src).unwrap().with_extension("");
        let module: Vec<&str> = inside.iter().map(|part| part.to_str().unwrap()).collect();
        known.insert(module[0].to_owned());
        for found in uses(&module, &fs::read_to_string(&file).unwrap()) {
            wrong.extend(violation(&found).map(|what| format!("{}: {what}", file.display())));
        }
    }
    let unknown: Vec<&String> = known.iter().filter(|room| !ROOMS.contains(&room.as_str())).collect();
    assert!(unknown.is_empty(), "rooms without a place in the list of this test: {unknown:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_violation_is_seen_in_every_spelling() {
    let to = |module: &[&str], code: &str| -> Vec<String> {
        uses(module, code).into_iter().map(|found| found.to).collect()
    };
    assert_eq!(to(&["yaml"], "use crate::engine::Event;"), ["engine"]);
    assert_eq!(to(&["yaml"], "use super::engine;"), ["engine"]);
    assert_eq!(to(&["yaml", "fields"], "use super::super::engine;\nuse super::node;"), ["engine"]);
    let group = "use crate::{\n  cli::{self, Args},\n  report,\n};";
    assert_eq!(to(&["yaml"], group), ["cli", "report"]);
    assert_eq!(to(&["yaml"], "fn f() -> crate::cli::Exit { crate::yaml::g() }"), ["cli"]);
    assert_eq!(to(&["yaml"], "// crate::cli is above us\n"), [""; 0]);
    let wrong = |from: &str, to: &str| violation(&Use { from: from.to_owned(), to: to.to_owned() }).is_some();
    assert!(wrong("agentos", "scenario") && wrong("engine", "report") && wrong("emulator", "agentos"));
    assert!(wrong("engine", "emulator") && wrong("source", "diagnostic") && wrong("cli", "attic"));
    assert!(!wrong("engine", "agentos") && !wrong("cli", "emulator") && !wrong("emulator", "yaml"));
}
