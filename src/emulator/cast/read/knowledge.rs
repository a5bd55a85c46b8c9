//! What is known from the beginning.

use std::path::Path;

use super::Reader;
use crate::diagnostic::{Problem, Problems};
use crate::emulator::cast::{Knowledge, Known, schema};
use crate::yaml::fields::{Fields, expected};
use crate::yaml::{Kind, Node};

impl Reader {
    pub(super) fn knowledge(&self, fields: &Fields<'_>, problems: &mut Problems) -> Knowledge {
        let mut knowledge =
            Knowledge { name: "Knowledge", description: None, db: self.databases[0], contents: Vec::new() };
        let Some(entry) = fields.get("knowledge") else { return knowledge };
        let fields = Fields::new(&entry.value, "`knowledge`", problems);
        if let Some(name) = fields.text("name", problems) {
            knowledge.name = name.leak();
        }
        knowledge.description = fields.text("description", problems).map(|text| &*text.leak());
        knowledge.db = self.db_of(&fields, problems);
        if let Some(entry) = fields.get("contents") {
            match &entry.value.kind {
                Kind::Sequence(items) => {
                    knowledge.contents = items.iter().filter_map(|item| self.known(item, problems)).collect();
                }
                _ => problems.push(expected("cast::type", "`contents`", "a list of contents", &entry.value)),
            }
        }
        schema::finish(&fields, schema::KNOWLEDGE, "`knowledge`", problems);
        knowledge
    }

    fn known(&self, node: &Node, problems: &mut Problems) -> Option<Known> {
        let fields = Fields::new(node, "a content", problems);
        let name = fields.text("name", problems);
        let description = fields.text("description", problems);
        let metadata = fields.get("metadata").and_then(|entry| {
            if entry.value.as_mapping().is_none() {
                problems.push(expected("cast::type", "`metadata`", "a mapping", &entry.value));
                return None;
            }
            Some(entry.value.to_json())
        });
        let (text, file) = (fields.text("text", problems), fields.text("file", problems));
        schema::finish(&fields, schema::CONTENT, "a content", problems);
        let body = match (text, &file) {
            (Some(text), None) => text,
            (None, Some(path)) => match std::fs::read_to_string(self.folder.join(path)) {
                Ok(text) => text,
                Err(error) => {
                    let span = fields.get("file").map_or(&node.span, |entry| &entry.value.span);
                    problems.push(
                        Problem::error("cast::file", format!("cannot read {path}: {error}"))
                            .label(span, "this file")
                            .help("its path is relative to the cast file"),
                    );
                    return None;
                }
            },
            _ => {
                problems.push(
                    Problem::error("cast::content", "a content has either a `text` or a `file`")
                        .label(&node.span, "this one"),
                );
                return None;
            }
        };
        let file = file.map(|path| {
            Path::new(&path).file_name().map_or(path.clone(), |name| name.to_string_lossy().into_owned())
        });
        let Some(name) = name.or_else(|| file.clone()) else {
            problems.push(
                Problem::error("cast::content", "a content without a `file` has a `name`")
                    .label(&node.span, "what is it called?"),
            );
            return None;
        };
        Some(Known { name, description, metadata, text: body, file })
    }
}
