//! What snapshot files are called and where they lie: `snapshots/<file>__<name>.snap`, with `@<which>` for cases and
//! loops.

use std::path::{Component, Path, PathBuf};

/// The ending of a snapshot.
const ENDING: &str = ".snap";
/// The bytes that one part of a name may have: file systems allow 255 for all of it.
const LONGEST: usize = 80;

/// Where snapshots lie.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// The working folder: names of scenario files are relative to it.
    pub working: PathBuf,
    /// The folder of the project file, its `snapshots` and its `scenarios`; without a project file, snapshots lie
    /// beside their scenarios.
    pub project: Option<ProjectFolders>,
}

/// The folders that a project file names.
#[derive(Debug, Clone)]
pub struct ProjectFolders {
    /// The folder it lies in.
    pub folder: PathBuf,
    /// Where snapshots lie.
    pub snapshots: PathBuf,
    /// Where scenarios lie.
    pub scenarios: Option<PathBuf>,
}

/// Where the snapshots of one scenario file lie and how their names begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The folder.
    pub folder: PathBuf,
    /// What comes before `__`.
    pub prefix: String,
    /// The scenario file as the snapshot names it: the same from whatever folder the program is started.
    pub source: String,
}

impl Home {
    /// The file of the snapshot `name`; `which` tells rows and turns of loops apart.
    pub fn file(&self, name: &str, which: &str) -> PathBuf {
        let which = if which.is_empty() { String::new() } else { format!("@{which}") };
        self.folder.join(format!("{}__{}{which}{ENDING}", self.prefix, slug(name)))
    }
}

impl Folders {
    /// Where the snapshots of a scenario file lie.
    pub fn home(&self, source: &str) -> Home {
        let file = normal(&self.working.join(if source == "<stdin>" { "stdin" } else { source }));
        let stem = file.file_stem().map(|stem| slug(&stem.to_string_lossy())).unwrap_or_default();
        let parent = file.parent().unwrap_or(Path::new("")).to_owned();
        let (folder, base) = match &self.project {
            None => (parent.join("snapshots"), parent),
            Some(project) => {
                // Files of one name in several folders of scenarios keep apart.
                let inside = project
                    .scenarios
                    .as_deref()
                    .and_then(|scenarios| parent.strip_prefix(normal(scenarios)).ok())
                    .unwrap_or(Path::new(""));
                (normal(&project.snapshots).join(inside), normal(&project.folder))
            }
        };
        Home { folder, prefix: stem, source: relative(&file, &base) }
    }

    /// A path as people see it: from the working folder, with forward slashes.
    pub fn shown(&self, path: &Path) -> String {
        relative(path, &self.working)
    }

    /// The folder in which all snapshots lie, where there is one.
    pub fn all(&self) -> Option<PathBuf> {
        self.project.as_ref().map(|project| normal(&project.snapshots))
    }
}

fn relative(path: &Path, base: &Path) -> String {
    path.strip_prefix(base).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// A path without `.` and `..`, as far as its text tells.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => _ = normal.pop(),
            part => normal.push(part),
        }
    }
    normal
}

/// A text as a part of a file's name: letters, digits, `-`, `.`, `=` and single `_`.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        let c = if c.is_alphanumeric() || matches!(c, '-' | '.' | '=') { c } else { '_' };
        if c == '_' && slug.ends_with('_') {
            continue;
        }
        if slug.len() + c.len_utf8() > LONGEST {
            break;
        }
        slug.push(c);
    }
    slug.trim_matches(['_', '.']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_file_names() {
        for (text, expected) in [
            ("recall", "recall"),
            ("What's my name?", "What_s_my_name"),
            ("a__b", "a_b"),
            ("../../etc/passwd", "etc_passwd"),
            ("..", ""),
            ("é-1.2", "é-1.2"),
            ("@x", "x"),
        ] {
            assert_eq!(slug(text), expected, "{text}");
        }
        assert!(slug(&"long ".repeat(100)).len() <= LONGEST);
    }

    #[test]
    fn snapshots_lie_beside_their_scenario_or_in_the_folder_of_the_project() {
        let alone = Folders { working: "/w".into(), project: None };
        let home = alone.home("a/../b/one.two.yaml");
        assert_eq!(home.file("x y", ""), Path::new("/w/b/snapshots/one.two__x_y.snap"));
        assert_eq!(home.source, "one.two.yaml");
        let project = Folders {
            working: "/w/sub".into(),
            project: Some(ProjectFolders {
                folder: "/w".into(),
                snapshots: "/w/snapshots/".into(),
                scenarios: Some("/w/scenarios/".into()),
            }),
        };
        let home = project.home("../scenarios/deep/one.yaml");
        assert_eq!(home.file("x", "paris.2"), Path::new("/w/snapshots/deep/one__x@paris.2.snap"));
        assert_eq!(home.source, "scenarios/deep/one.yaml");
        assert_eq!(project.home("two.yaml").folder, Path::new("/w/snapshots"));
    }
}
