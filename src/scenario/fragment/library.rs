//! All fragments that some scenarios use: each read once, given to every step that uses it, and held against what the
//! step gives it and takes from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Fragment, Use, unknown};
use crate::diagnostic::{self, Problem, Problems};
use crate::expr::Expression;
use crate::scenario::step::Step;
use crate::scenario::{Action, SaveFrom, Scenario, beside};
use crate::source::{Source, Span};
use crate::template::Template;
use crate::yaml::{self, Key};

/// How deep fragments may use others.
const MAX_DEPTH: usize = 64;

/// The fragments that were read, by their files.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Library {
    /// None where a file holds no fragment: what is wrong with it was said once.
    known: BTreeMap<PathBuf, Option<Arc<Fragment>>>,
    /// The files that are being read, each because of the one before: a cycle comes back to one of them.
    reading: Vec<PathBuf>,
    files: usize,
    problems: Problems,
}

impl Library {
    /// Gives the steps of a scenario the fragments that they use.
    pub(in crate::scenario) fn link(&mut self, scenario: &Scenario) {
        let lists = [&scenario.setup, &scenario.steps, &scenario.finally];
        for steps in lists {
            self.link_steps(steps);
        }
        self.taken(&lists, &[]);
    }

    /// Reads a fragment that is checked by itself.
    pub(in crate::scenario) fn add(&mut self, path: &Path, source: &Arc<Source>) {
        let path = canonical(path);
        if !self.known.contains_key(&path) {
            let fragment = self.fragment(&path, source);
            self.known.insert(path, fragment);
        }
    }

    /// How many fragments there are, how many files were read for them, and what was found in all of them.
    pub(in crate::scenario) fn finish(self) -> (usize, usize, Problems) {
        (self.known.values().flatten().count(), self.files, self.problems)
    }

    fn link_steps(&mut self, steps: &[Step]) {
        for step in steps {
            match &step.action {
                Action::Use(using) => {
                    if let Some(fragment) = self.find(using) {
                        self.check(step, using, &fragment);
                        // A step that is linked already stays so.
                        let _linked = using.fragment.set(fragment);
                    }
                }
                action => self.link_steps(action.steps()),
            }
        }
    }

    fn find(&mut self, using: &Use) -> Option<Arc<Fragment>> {
        let path = canonical(&using.path);
        if let Some(at) = self.reading.iter().position(|file| *file == path) {
            self.problems.push(cycle(&self.reading[at..], &using.file.span));
            return None;
        }
        if let Some(known) = self.known.get(&path) {
            return known.clone();
        }
        if self.reading.len() >= MAX_DEPTH {
            self.problems.push(
                Problem::error(
                    "use::depth",
                    format!("fragments use others {MAX_DEPTH} deep, which is the most"),
                )
                .label(&using.file.span, "too deep"),
            );
            return None;
        }
        let source = beside::read(&using.path, &using.file.name, &using.file.span, &mut self.problems);
        let fragment = source.and_then(|source| self.fragment(&path, &source));
        self.known.insert(path, fragment.clone());
        fragment
    }

    fn fragment(&mut self, path: &Path, source: &Arc<Source>) -> Option<Arc<Fragment>> {
        self.files += 1;
        let mut problems = Problems::new();
        let documents = yaml::parse(source, &mut problems);
        let fragment = match documents.as_slice() {
            [document] => Fragment::parse(source, document, &mut problems),
            [_, second, ..] => {
                problems.push(
                    Problem::error(
                        "fragment::one",
                        format!("{} holds more than one fragment", source.name()),
                    )
                    .label(&second.span, "a second document")
                    .help("each fragment has a file of its own"),
                );
                None
            }
            [] => None,
        };
        self.problems.extend(problems);
        let fragment = fragment?;
        self.reading.push(path.to_owned());
        self.link_steps(&fragment.steps);
        self.reading.pop();
        self.taken(&[&fragment.steps], &fragment.returns);
        Some(Arc::new(fragment))
    }

    /// Holds what a step gives and takes against what the fragment declares.
    fn check(&mut self, step: &Step, using: &Use, fragment: &Fragment) {
        let name = &using.file.name;
        let mut meant: Vec<&str> = Vec::new();
        let known: Vec<&str> = fragment.params.iter().map(|param| param.name.name.as_str()).collect();
        for (key, template) in &using.with {
            let Some(param) = fragment.params.iter().find(|param| param.name.name == key.name) else {
                meant.extend(diagnostic::nearest(&key.name, known.iter().copied()));
                let message = format!("{name} has no parameter `{}`", key.name);
                let problem = unknown("use::unknown-param", message, &key.span, &key.name, &known);
                self.problems.push(if known.is_empty() {
                    problem.help("it has no `params`")
                } else {
                    problem
                });
                continue;
            };
            if let Some(refusal) = template.as_literal().and_then(|value| param.refuses(value)) {
                self.problems.push(
                    Problem::error("use::type", refusal)
                        .label(template.span(), "another type")
                        .help(format!("declared at {}", param.name.span.link())),
                );
            }
        }
        let missing: Vec<_> = fragment
            .params
            .iter()
            .filter(|param| param.default.is_none())
            .filter(|param| !meant.contains(&param.name.name.as_str()))
            .filter(|param| using.with.iter().all(|(key, _)| key.name != param.name.name))
            .collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|param| format!("`{}`", param.name.name)).collect();
            let examples: Vec<String> = missing.iter().map(|param| param.example()).collect();
            self.problems.push(
                Problem::error("use::missing-param", format!("{name} needs {}", names.join(" and ")))
                    .label(&using.file.span, "missing here")
                    .help(format!("with: {{ {} }}", examples.join(", "))),
            );
        }
        self.returns(step, name, fragment);
    }

    /// What a step saves of a fragment must be among what it returns.
    fn returns(&mut self, step: &Step, name: &str, fragment: &Fragment) {
        for save in &step.save {
            let SaveFrom::Path(path) = &save.from else { continue };
            let known = |wanted: &&str| fragment.return_names().any(|known| known == *wanted);
            if let Some(wanted) = path.first_name().filter(|wanted| !known(wanted)) {
                self.problems.push(not_returned(name, wanted, &save.span, fragment));
            }
        }
    }

    /// What expressions read of fragments as `steps.ID.body.NAME` must be among what they return.
    fn taken(&mut self, lists: &[&Vec<Step>], values: &[(Key, Template)]) {
        let mut uses = BTreeMap::new();
        lists.iter().for_each(|steps| uses_in(steps, &mut uses));
        if uses.is_empty() {
            return;
        }
        let mut told = BTreeSet::new();
        let mut look = |expression: &Expression| {
            for name in expression.names() {
                let mut parts = name.splitn(5, '.');
                let mut next = || parts.next().unwrap_or_default();
                let ("steps", id, "body", wanted) = (next(), next(), next(), next()) else { continue };
                let Some(using) = uses.get(id) else { continue };
                let Some(fragment) = using.fragment() else { continue };
                let span = expression.span_of(&format!("steps.{id}.body.{wanted}"));
                if wanted.is_empty()
                    || fragment.return_names().any(|known| known == wanted)
                    || !told.insert((span.range().start, wanted.to_owned()))
                {
                    continue;
                }
                self.problems.push(not_returned(&using.file.name, wanted, &span, fragment));
            }
        };
        lists.iter().copied().flatten().for_each(|step| step.for_every_expression(&mut look));
        values.iter().for_each(|(_, template)| template.for_each_expression(&mut look));
    }
}

/// The steps with an `id` that use fragments, by it.
fn uses_in<'a>(steps: &'a [Step], found: &mut BTreeMap<&'a str, &'a Use>) {
    for step in steps {
        match (&step.action, &step.id) {
            (Action::Use(using), Some(id)) => {
                found.insert(&id.name, using);
            }
            (Action::Use(_), None) => {}
            (action, _) => uses_in(action.steps(), found),
        }
    }
}

fn not_returned(file: &str, wanted: &str, place: &Span, fragment: &Fragment) -> Problem {
    let returned: Vec<&str> = fragment.return_names().collect();
    let message = format!("{file} returns no `{wanted}`");
    let problem = unknown("use::unknown-return", message, place, wanted, &returned);
    if returned.is_empty() { problem.help("it has no `returns`") } else { problem }
}

fn cycle(files: &[PathBuf], place: &Span) -> Problem {
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut chain: Vec<String> = files.iter().map(name).collect();
    chain.extend(files.first().map(name));
    Problem::error("use::cycle", "a fragment uses itself")
        .label(place, "leads back to where it came from")
        .help(chain.join(" uses "))
}

fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
