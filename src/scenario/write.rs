//! `write`: a line into a file, for exports.

use crate::diagnostic::{self, Problem, Problems};
use crate::template::Template;
use crate::yaml::fields::Fields;
use crate::yaml::{Entry, Kind};

/// A line that is written into a file.
#[derive(Debug)]
pub struct WriteAction {
    /// The file, relative to the working folder.
    pub file: Template,
    /// The line: a text as it is, anything else as JSON.
    pub line: Template,
    /// What becomes of a file that is there before the run.
    pub existing: Existing,
}

/// What becomes of a file that is there before the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the step fails.
    Fail,
    /// The lines are added to it.
    Append,
    /// It is emptied first.
    Replace,
}

/// Reads `write: { file:, line:, existing: }`.
pub(super) fn parse(entry: &Entry, problems: &mut Problems) -> Option<WriteAction> {
    let fields = Fields::new(&entry.value, "`write`", problems);
    let mut need = |name: &str| {
        let found = fields.get(name).map(|entry| Template::parse(&entry.value, problems));
        if found.is_none() {
            problems.push(
                Problem::error("step::write", format!("`write` needs `{name}`"))
                    .label(&entry.key.span, "missing here")
                    .help("write: { file: sessions.jsonl, line: \"${{ item }}\" }"),
            );
        }
        found
    };
    let (file, line) = (need("file"), need("line"));
    let existing = match fields.get("existing").map(|entry| (entry, &entry.value.kind)) {
        None => Existing::Fail,
        Some((entry, kind)) => {
            let word = if let Kind::String(word) = kind { word.as_str() } else { "" };
            match word {
                "fail" => Existing::Fail,
                "append" => Existing::Append,
                "replace" => Existing::Replace,
                _ => {
                    problems.push(
                        Problem::error("step::write", "`existing` must be `fail`, `append` or `replace`")
                            .label(&entry.value.span, "what becomes of a file that is there")
                            .maybe_help(diagnostic::suggest(word, ["fail", "append", "replace"])),
                    );
                    Existing::Fail
                }
            }
        }
    };
    fields.finish(&["file", "line", "existing"], &[], "`write`", problems);
    if let Some(Some(serde_json::Value::String(path))) = file.as_ref().map(Template::as_literal)
        && let Err(cause) = within_folder(path)
    {
        problems.push(Problem::error("step::write", cause).label(
            file.as_ref().map_or(&entry.key.span, Template::span),
            "relative to the working folder, and inside of it",
        ));
    }
    Some(WriteAction { file: file?, line: line?, existing })
}

/// Whether a path stays inside of the folder that it is relative to.
pub(crate) fn within_folder(path: &str) -> Result<(), String> {
    use std::path::{Component, Path};
    if path.trim().is_empty() {
        return Err("the name of the file is empty".to_owned());
    }
    let inside =
        Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside && !path.ends_with('/') {
        Ok(())
    } else {
        Err(format!("`{path}` is no file inside of the working folder"))
    }
}
