//! `file:line` on the command line: the scenario that stands there, or the one case of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::{Instance, Scenario};
use crate::diagnostic::{Problem, Problems};
use crate::source::Source;

/// A path without its line, and the line, where that is what it says. What exists is a path.
pub(super) fn split(path: &str) -> (&str, Option<usize>) {
    match path.rsplit_once(':') {
        Some((file, line)) if !file.is_empty() && !Path::new(path).exists() => match line.parse() {
            Ok(line) => (file, Some(line)),
            Err(_) => (path, None),
        },
        _ => (path, None),
    }
}

/// The lines that were asked for, by the name under which a file was read.
#[derive(Debug, Default)]
pub(super) struct Places {
    lines: BTreeMap<String, Vec<usize>>,
}

impl Places {
    /// Only what stands at this line of the file is wanted, and what stands at other lines named for it.
    pub(super) fn add(&mut self, file: &Path, line: usize) {
        self.lines.entry(super::load::shown(file)).or_default().push(line);
    }

    /// Whether lines of the file were asked for.
    pub(super) fn names(&self, file: &Path) -> bool {
        self.lines.contains_key(&super::load::shown(file))
    }

    /// All of the file is wanted.
    pub(super) fn add_all(&mut self, file: &Path) {
        self.lines.remove(&super::load::shown(file));
    }

    /// Keeps the scenarios that are wanted; a line outside of its file is a problem.
    pub(super) fn retain(&self, scenarios: &mut Vec<Scenario>, problems: &mut Problems) {
        if self.lines.is_empty() {
            return;
        }
        for (name, lines) in &self.lines {
            let Some(source) = scenarios.iter().map(|scenario| &scenario.source).find(|it| it.name() == name)
            else {
                continue;
            };
            let last = source.text().lines().count();
            for line in lines.iter().filter(|line| **line == 0 || **line > last) {
                problems.push(Problem::error(
                    "file::line",
                    format!("{name} has no line {line}: it ends with line {last}"),
                ));
            }
        }
        let begins: Vec<(String, usize)> = scenarios
            .iter()
            .map(|scenario| (scenario.source.name().to_owned(), first_line(scenario)))
            .collect();
        let mut at = 0;
        scenarios.retain(|_| {
            let (name, begin) = &begins[at];
            let next = begins.get(at + 1).filter(|(other, _)| other == name).map(|(_, begin)| *begin);
            let is_first = at == 0 || begins[at - 1].0 != *name;
            at += 1;
            self.lines.get(name).is_none_or(|lines| {
                lines.iter().any(|line| (is_first || line >= begin) && next.is_none_or(|next| *line < next))
            })
        });
    }

    /// The cases of a scenario that was kept which are wanted, where not all of them are: a line within the row of a case
    /// means that case.
    pub(super) fn cases(&self, scenario: &Arc<Scenario>) -> Option<BTreeSet<usize>> {
        let lines = self.lines.get(scenario.source.name())?;
        let mut wanted = BTreeSet::new();
        for line in lines {
            let rows = Instance::all_of(scenario);
            let rows = rows
                .filter_map(|row| row.case().filter(|case| covers(case.span, *line)).map(|case| case.index));
            let rows: Vec<usize> = rows.collect();
            // A line of the scenario that is no row means all of it; one that lies elsewhere means nothing here.
            if rows.is_empty() && covers(&scenario.span, *line) {
                return None;
            }
            wanted.extend(rows);
        }
        (!wanted.is_empty()).then_some(wanted)
    }
}

fn covers(span: &crate::source::Span, line: usize) -> bool {
    let first = span.position().line;
    let breaks = span.text().trim_end().matches('\n').count();
    (first..=first + breaks).contains(&line)
}

/// The line of the `---` that a scenario stands below, with the comments between, or its own first line.
fn first_line(scenario: &Scenario) -> usize {
    let line = scenario.span.position().line;
    let source: &Source = &scenario.source;
    let before = source.text().lines().take(line.saturating_sub(1)).enumerate();
    let marker = before.filter(|(_, text)| text.starts_with("---")).last();
    marker.map_or(line, |(index, _)| index + 1)
}
