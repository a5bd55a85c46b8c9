//! Running a fragment: with names of its own, and a chain of those who use it that every report of its steps carries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answer::{self, Done};
use super::context::Context;
use super::event::{Caller, Phase, ScenarioReport};
use super::steps::{Flow, Run};
use crate::diagnostic::Problem;
use crate::outcome::Outcome;
use crate::scenario::{Fragment, Step, Use};

impl Run<'_> {
    /// Runs the steps of a fragment; what it returns is the step's answer.
    pub(super) async fn fragment(&mut self, step: &Step, using: &Use, phase: Phase) -> Flow {
        let began = Instant::now();
        let Some(fragment) = using.fragment() else {
            let problem = Problem::error("use::file", "the fragment was not read").label(&step.span, "here");
            return self.finish(step, phase, Duration::ZERO, Done::failed(problem));
        };
        let mut context = match self.enter(using, fragment) {
            Ok(context) => context,
            Err(problems) => {
                let failures = problems.into_iter().map(Into::into).collect();
                return self.finish(step, phase, Duration::ZERO, Done { failures, ..Done::default() });
            }
        };
        let mut callers = self.callers.to_vec();
        callers.push(Caller { title: self.title(step), span: step.span.clone() });
        let callers: Arc<[Caller]> = callers.into();
        let mut report = ScenarioReport::new(self.instance);
        let flow = self
            .timed(step, async |run| {
                let mut inner = run.beside(&mut context, &mut report);
                inner.callers = callers;
                inner.turns.extend(step.id.iter().map(|id| id.name.clone()));
                inner.list(&fragment.steps, phase).await
            })
            .await;
        self.count(report);
        match flow {
            Flow::Go => {}
            Flow::Failed if step.soft => return Flow::Go,
            flow => return flow,
        }
        let done = match returned(fragment, &context) {
            Ok(body) => self.came_back(step, body, began.elapsed()),
            Err(problem) => Done::failed(problem),
        };
        self.finish(step, phase, began.elapsed(), done)
    }

    /// The names of a fragment: what goes in, computed here, and its own variables.
    fn enter(&self, using: &Use, fragment: &Fragment) -> Result<Context, Vec<Problem>> {
        let mut given = Vec::new();
        let mut problems = Vec::new();
        for (key, template) in &using.with {
            let param = fragment.params.iter().find(|param| param.name.name == key.name);
            match template.resolve(&self.context.scope) {
                Err(problem) => problems.push(problem),
                Ok(value) => {
                    if let Some((param, refusal)) =
                        param.and_then(|param| Some((param, param.refuses(&value)?)))
                    {
                        let shown: String = value.to_string().chars().take(60).collect();
                        problems.push(
                            Problem::error("use::type", refusal)
                                .label(template.span(), format!("is {shown} here"))
                                .help(format!("declared at {}", param.name.span.link())),
                        );
                    }
                    given.push((key.name.as_str(), value));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut context = self.context.apart(&fragment.base_dir);
        for param in &fragment.params {
            let name = &param.name.name;
            let value = match (given.iter().find(|(known, _)| known == name), &param.default) {
                (Some((_, value)), _) => Ok(value.clone()),
                (None, Some(default)) => default.resolve(&context.scope),
                (None, None) => Ok(Value::Null),
            };
            context.set(name, &value.map_err(|problem| vec![problem])?);
        }
        for (key, template) in &fragment.vars {
            let value = template.resolve(&context.scope).map_err(|problem| vec![problem])?;
            context.set(&key.name, &value);
        }
        Ok(context)
    }

    /// Holds the step's expectations against what came back, and saves of it.
    fn came_back(&mut self, step: &Step, body: Value, duration: Duration) -> Done {
        let outcome =
            Arc::new(Outcome { text: body.to_string(), body: Some(body), duration, ..Outcome::default() });
        if let Some(id) = &step.id {
            self.context.keep(&id.name, &outcome);
        }
        let mut done = answer::checked(&step.expect.evaluate(Some(&outcome), &self.context.scope));
        answer::save(step, &outcome, self.context, &mut done);
        done
    }
}

fn returned(fragment: &Fragment, context: &Context) -> Result<Value, Problem> {
    let values = fragment.returns.iter();
    let values = values.map(|(key, template)| Ok((key.name.clone(), template.resolve(&context.scope)?)));
    Ok(Value::Object(values.collect::<Result<_, Problem>>()?))
}
