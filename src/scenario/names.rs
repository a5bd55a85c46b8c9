//! Whether every name that an expression reads is defined by then.

use std::collections::BTreeSet;

use super::action::{Action, HttpBody};
use super::flow::{self, Over};
use super::modifier::SaveFrom;
use super::step::Step;
use super::{Cases, Fragment, Scenario, Skip};
use crate::diagnostic::{self, Problem, Problems};
use crate::expr::{self, Expression};
use crate::source::Span;
use crate::template::Template;
use crate::yaml::Key;

mod hint;

use hint::{Elsewhere, habit};

/// Names that the language gives.
pub(super) const RESERVED: &[&str] = &["env", "run", "steps", "loop", "case", "matrix"];

/// Checks a scenario's expressions against what is defined where they stand.
pub(super) fn check(scenario: &Scenario, problems: &mut Problems) {
    let mut walk = Walk::new(scenario.cases.as_ref(), problems);
    for steps in [&scenario.setup, &scenario.steps, &scenario.finally] {
        walk.elsewhere.add(steps);
    }
    for (key, template) in &scenario.vars {
        walk.template(template);
        walk.names.insert(key.name.clone());
    }
    if let Some(Skip::When(expression)) = &scenario.skip {
        walk.expression(expression);
    }
    let requires = &scenario.requires;
    for template in requires.agents.iter().chain(&requires.teams).chain(&requires.workflows) {
        walk.template(template);
    }
    walk.names.insert("steps".to_owned());
    walk.steps_of(&scenario.setup);
    walk.steps_of(&scenario.steps);
    walk.steps_of(&scenario.finally);
}

/// Checks a fragment's: it sees what goes in, and nothing of who uses it.
pub(super) fn check_fragment(fragment: &Fragment, problems: &mut Problems) {
    let mut walk = Walk::new(None, problems);
    walk.elsewhere.add(&fragment.steps);
    for param in &fragment.params {
        if let Some(default) = &param.default {
            walk.template(default);
        }
        walk.names.insert(param.name.name.clone());
    }
    for (key, template) in &fragment.vars {
        walk.template(template);
        walk.names.insert(key.name.clone());
    }
    walk.names.insert("steps".to_owned());
    walk.steps_of(&fragment.steps);
    walk.pairs(&fragment.returns);
}

struct Walk<'a> {
    names: BTreeSet<String>,
    /// All ids so far: they are unique.
    steps: BTreeSet<String>,
    /// The ids that can be read here.
    visible: BTreeSet<String>,
    cases: Option<&'a Cases>,
    /// What is defined in other places of the file.
    elsewhere: Elsewhere,
    /// The names that were complained of, and where: a default is one place in many steps.
    told: BTreeSet<(usize, String)>,
    problems: &'a mut Problems,
}

impl<'a> Walk<'a> {
    fn new(cases: Option<&'a Cases>, problems: &'a mut Problems) -> Self {
        Self {
            names: ["env", "run"].map(str::to_owned).into(),
            steps: BTreeSet::new(),
            visible: BTreeSet::new(),
            cases,
            elsewhere: Elsewhere::default(),
            told: BTreeSet::new(),
            problems,
        }
    }

    fn steps_of(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        let Some(repeated) = &step.repeated else {
            self.once(step);
            return;
        };
        repeated.over.for_each_expression(&mut |expression| self.expression(expression));
        if let Some(limit) = &repeated.max_deletes {
            self.template(limit);
        }
        if let Over::Listed(listing) = &repeated.over
            && let Some(filter) = &listing.filter
        {
            // An entry of the list is `item` there, also where the loop calls it otherwise.
            let own = [repeated.item.as_str(), flow::ITEM];
            let added: Vec<&str> =
                own.into_iter().filter(|name| self.names.insert((*name).to_owned())).collect();
            self.expression(filter);
            for name in added {
                self.names.remove(name);
            }
        }
        let own = [repeated.item.as_str(), "loop"];
        let added: Vec<&str> = own.into_iter().filter(|name| self.names.insert((*name).to_owned())).collect();
        self.once(step);
        for name in added {
            self.names.remove(name);
        }
    }

    fn once(&mut self, step: &Step) {
        if let Some(condition) = &step.condition {
            self.expression(condition);
        }
        for template in step.name.iter().chain(step.headers.iter().map(|(_, value)| value)) {
            self.template(template);
        }
        match &step.action {
            Action::Operation(action) => self.pairs(&action.fields),
            Action::Http(http) => {
                self.template(&http.path);
                self.pairs(&http.query);
                match &http.body {
                    HttpBody::None => {}
                    HttpBody::Json(body) | HttpBody::Text(body) => self.template(body),
                    HttpBody::Form(pairs) | HttpBody::Multipart(pairs) => self.pairs(pairs),
                }
            }
            Action::Use(using) => self.pairs(&using.with),
            Action::Set(values) => {
                for (key, value) in values {
                    self.template(value);
                    self.names.insert(key.name.clone());
                }
            }
            Action::Assert(expectations) => {
                expectations.for_each_expression(&mut |expression| self.expression(expression));
            }
            Action::Group(steps) => self.steps_of(steps),
            Action::Parallel(branches) => self.branches(branches),
            Action::Conversation(turns) => {
                self.names.insert(super::conversation::SESSION.to_owned());
                self.steps_of(turns);
                self.names.remove(super::conversation::SESSION);
            }
            Action::Sleep(template) | Action::Log(template) => self.template(template),
            Action::Write(write) => {
                self.template(&write.file);
                self.template(&write.line);
            }
        }
        // Its own answer is there for its expectations and for what it saves.
        if let Some(id) = &step.id {
            self.define_step(id);
        }
        step.expect.for_each_expression(&mut |expression| self.expression(expression));
        if let Some(until) = &step.until {
            until.for_each_expression(&mut |expression| self.expression(expression));
        }
        for save in &step.save {
            if let SaveFrom::Expression(template) = &save.from {
                self.template(template);
            }
        }
        self.names.extend(step.save.iter().map(|save| save.name.name.clone()));
    }

    /// A branch sees what was there before and nothing of its siblings; what all define is there afterwards.
    fn branches(&mut self, branches: &[Step]) {
        let before = self.names.clone();
        let mut after = before.clone();
        let steps_before = self.visible.clone();
        let mut steps_after = steps_before.clone();
        for branch in branches {
            self.names.clone_from(&before);
            self.visible.clone_from(&steps_before);
            self.step(branch);
            after.append(&mut self.names);
            steps_after.append(&mut self.visible);
        }
        self.names = after;
        self.visible = steps_after;
    }

    fn define_step(&mut self, id: &Key) {
        self.visible.insert(id.name.clone());
        if !self.steps.insert(id.name.clone()) {
            self.problems.push(
                Problem::error("step::id", format!("two steps have the id `{}`", id.name))
                    .label(&id.span, "already taken")
                    .help("ids are unique within a scenario"),
            );
        }
    }

    /// A value of the case that runs: all rows have the same names.
    fn case(&mut self, expression: &Expression, root: &str, field: Option<&str>) {
        let Some(cases) = self.cases.filter(|_| root == "case") else {
            let problem = Problem::error("expression::undefined", format!("`{root}` is not defined"))
                .label(&expression.span_of(root), "not defined");
            self.problems.push(match (self.cases, field) {
                (None, _) if root == "matrix" => problem.help(
                    "one run for each combination: `matrix: { agent: [a, b] }` beside `steps:`; a value is read by `case.agent`",
                ),
                (Some(_), Some(field)) => problem
                    .help(format!("a value of `matrix` is read by `case.{field}`, like one of `cases`")),
                _ => problem.help("only a scenario with `cases` or `matrix` has `case`"),
            });
            return;
        };
        // What is wrong with the rows themselves is said already.
        if cases.is_empty() {
            return;
        }
        let Some(field) = field.filter(|field| cases.names().all(|known| known != *field)) else { return };
        let span = expression.span_of(&format!("case.{field}"));
        self.problems.push(
            Problem::error("expression::undefined", format!("the cases have no `{field}`"))
                .label(&span, "not defined")
                .maybe_help(diagnostic::suggest(field, cases.names())),
        );
    }

    fn undefined(&self, name: &str, field: Option<&str>, span: &Span, called: bool) -> Problem {
        let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let exact = self
            .elsewhere
            .hint(name)
            .or_else(|| self.visible.contains(name).then(|| format!("did you mean `steps.{name}`?")))
            .or_else(|| {
                let column = self.cases.is_some_and(|cases| cases.names().any(|known| known == name));
                column.then(|| format!("did you mean `case.{name}`?"))
            })
            .or_else(|| expr::function(name).filter(|_| called || name == "undefined"));
        let near = || diagnostic::nearest(name, known.iter().copied()).is_some();
        let hint = exact.or_else(|| if near() { None } else { habit(name, field, &known) });
        expr::undefined_name(name, span, known.clone()).maybe_help(hint)
    }

    fn pairs(&mut self, pairs: &[(Key, Template)]) {
        for (_, template) in pairs {
            self.template(template);
        }
    }

    fn template(&mut self, template: &Template) {
        template.for_each_expression(&mut |expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &Expression) {
        // `steps` stands for itself where an expression goes over it as a whole.
        let mut seen = BTreeSet::new();
        for name in expression.names() {
            let mut parts = name.split('.');
            let root = parts.next().unwrap_or_default().to_owned();
            if root == "steps" && self.names.contains("steps") {
                if let Some(id) = parts.next().filter(|id| !self.visible.contains(*id)) {
                    let span = expression.span_of(&format!("steps.{id}"));
                    self.problems.push(
                        Problem::error(
                            "expression::undefined",
                            format!("no step before this one has the id `{id}`"),
                        )
                        .label(&span, "not defined here")
                        .maybe_help(diagnostic::suggest(id, self.visible.iter().map(String::as_str))),
                    );
                } else if let (Some(id), Some(field)) = (name.split('.').nth(1), name.split('.').nth(2)) {
                    self.problems.extend(hint::no_field(expression, id, field, name.split('.').nth(3)));
                }
                continue;
            }
            if root == "case" || root == "matrix" {
                self.case(expression, &root, parts.next());
                continue;
            }
            if !seen.insert(root.clone()) || self.names.contains(&root) {
                continue;
            }
            let span = expression.span_of(&root);
            if self.told.insert((span.range().start, root.clone())) {
                let problem = self.undefined(&root, parts.next(), &span, expression.calls(&root));
                self.problems.push(problem);
            }
        }
    }
}
