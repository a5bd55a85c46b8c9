//! Running steps: one after another, side by side, and whatever each of them does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::answer::{self, Done};
use super::bulk::journal::Round;
use super::bulk::meter::Meter;
use super::cleanup::Cleanup;
use super::context::Context;
use super::event::{Caller, Event, Observer, Phase, ScenarioReport, StepReport, StepStatus};
use super::stop::{Stop, Whose};
use super::{Settings, Target, loops};
use crate::diagnostic::Problem;
use crate::expr::Expression;
use crate::scenario::{Action, Instance, Step, conversation};
use crate::snapshot::{Subject, Turn};
use crate::template::Template;
use crate::yaml::Key;

/// Whether the next step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flow {
    /// It does.
    Go,
    /// A step failed.
    Failed,
    /// The time is up or somebody pressed Ctrl-C.
    Stopped,
}

/// A scenario that is running.
pub(super) struct Run<'a> {
    pub(super) instance: &'a Instance,
    pub(super) target: &'a Target,
    pub(super) settings: &'a Settings,
    pub(super) observer: &'a dyn Observer,
    pub(super) context: &'a mut Context,
    pub(super) report: &'a mut ScenarioReport,
    pub(super) stop: Stop<'a>,
    /// What was created so far, where it is to be deleted in the end.
    pub(super) cleanup: Option<Arc<Cleanup>>,
    /// Whether it is one of many items: it waits where the server asks for patience.
    pub(super) bulk: bool,
    /// The round of the loop with a journal that it belongs to.
    pub(super) round: Option<Arc<Round>>,
    /// Whether it is within a loop, which tells how far it is.
    pub(super) looping: bool,
    /// What tells how far the loop is that is going on.
    pub(super) meter: Option<Meter>,
    /// What was said so far in the conversation that is going on: a failure shows it.
    pub(super) transcript: Vec<String>,
    /// The turns of the loops around: what tells snapshots apart.
    pub(super) turns: Vec<String>,
    /// What was said in the conversation that is going on, where a snapshot is taken of it.
    pub(super) said: Option<Vec<Turn>>,
    /// The steps that use the fragment that is running, the outermost first.
    pub(super) callers: Arc<[Caller]>,
    /// Whose requests these are where a step does not say: the scenario's, or that of a group around the step.
    pub(super) identity: Option<Key>,
}

impl Run<'_> {
    /// Runs steps until one fails.
    pub(super) fn list<'s>(
        &'s mut self,
        steps: &'s [Step],
        phase: Phase,
    ) -> Pin<Box<dyn Future<Output = Flow> + 's>> {
        Box::pin(async move {
            for step in steps {
                let flow = self.step(step, phase).await;
                if flow != Flow::Go {
                    return flow;
                }
            }
            Flow::Go
        })
    }

    /// Runs all steps, whatever becomes of each.
    pub(super) async fn finally(&mut self, steps: &[Step]) {
        for step in steps {
            if self.step(step, Phase::Finally).await == Flow::Stopped {
                return;
            }
        }
    }

    async fn step(&mut self, step: &Step, phase: Phase) -> Flow {
        if let Some(stopped) = self.stop.now() {
            let problem = self.stop.problem(&stopped, step);
            self.finish(step, phase, Duration::ZERO, Done { stopped: true, ..Done::failed(problem) });
            return Flow::Stopped;
        }
        if phase == Phase::Finally
            && let Some(name) = self.unset(step)
        {
            self.skip(step, phase, format!("`{name}` was never set"));
            return Flow::Go;
        }
        match &step.repeated {
            Some(over) => self.repeated(step, over, phase).await,
            None => self.once(step, phase).await,
        }
    }

    /// Runs a step for one item, or the one time that it runs.
    pub(super) async fn once(&mut self, step: &Step, phase: Phase) -> Flow {
        if self.settings.bulk.dry_run
            && let Some(flow) = self.rehearse(step, phase).await
        {
            return flow;
        }
        match step.condition.as_ref().map(|condition| condition.is_true(&self.context.scope)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => {
                let text =
                    step.condition.as_ref().map(|condition| condition.text().to_owned()).unwrap_or_default();
                self.skip(step, phase, format!("`{text}` does not hold"));
                return Flow::Go;
            }
            Some(Err(problem)) => return self.finish(step, phase, Duration::ZERO, Done::failed(problem)),
        }
        if !step.action.steps().is_empty() {
            return self.inside(step, phase).await;
        }
        let began = Instant::now();
        if !matches!(step.action, Action::Group(_) | Action::Parallel(_) | Action::Conversation(_)) {
            let (instance, title) = (self.instance.clone(), step.title());
            self.observer.on(&Event::StepStarted { instance, title, span: step.span.clone() });
        }
        let done = match &step.action {
            // Without steps there is nothing to do.
            Action::Group(_) | Action::Parallel(_) | Action::Conversation(_) | Action::Use(_) => {
                Done::default()
            }
            Action::Operation(_) | Action::Http(_) => {
                let sent = self.ids_sent(step);
                let (mut done, outcome) = match &step.until {
                    Some(until) => self.until(step, until).await,
                    None => self.request(step).await,
                };
                if let Some(outcome) = outcome {
                    self.say(step, &outcome);
                    self.snapshots(step, Subject::Answer(&outcome), sent, &mut done);
                }
                done
            }
            Action::Set(values) => self.set(values),
            Action::Assert(expectations) => {
                answer::checked(&expectations.evaluate(None, &self.context.scope))
            }
            Action::Sleep(template) => self.sleep(step, template).await,
            Action::Log(template) => self.log(template),
            Action::Write(write) => self.write(step, write),
        };
        self.finish(step, phase, began.elapsed(), done)
    }

    /// Runs the steps inside a step.
    async fn inside(&mut self, step: &Step, phase: Phase) -> Flow {
        let around = self.identity.clone();
        if step.identity.is_some() {
            self.identity.clone_from(&step.identity);
        }
        let flow = match &step.action {
            Action::Use(using) => self.fragment(step, using, phase).await,
            Action::Parallel(branches) => self.parallel(branches, phase).await,
            Action::Conversation(turns) => self.conversation(step, turns, phase).await,
            action => self.timed(step, async |run| run.list(action.steps(), phase).await).await,
        };
        self.identity = around;
        match flow {
            Flow::Failed if step.soft => Flow::Go,
            flow => flow,
        }
    }

    /// Runs what a step holds within the step's own time.
    pub(super) async fn timed(&mut self, step: &Step, inner: impl AsyncFnOnce(&mut Self) -> Flow) -> Flow {
        let outer = self.stop;
        if let Some(total) = step.timeout.total {
            let deadline = Instant::now() + total;
            if self.stop.deadline.is_none_or(|outer| deadline < outer) {
                self.stop.deadline = Some(deadline);
                self.stop.timeout = Some(total);
                self.stop.whose = Whose::Group;
            }
        }
        let flow = inner(self).await;
        self.stop = outer;
        // Where the group's own time was up and not that of what is around it, that is a failure like any other.
        if flow == Flow::Stopped && self.stop.now().is_none() { Flow::Failed } else { flow }
    }

    /// Runs the branches at the same time, each with variables of its own, and joins what they bring: in the order in
    /// which the branches stand, whichever was first.
    async fn parallel(&mut self, branches: &[Step], phase: Phase) -> Flow {
        let shared = &*self;
        let running = branches.iter().map(|branch| async move {
            let mut context = shared.context.branch();
            let mut report = ScenarioReport::new(shared.instance);
            let flow =
                shared.beside(&mut context, &mut report).list(std::slice::from_ref(branch), phase).await;
            (context, report, flow)
        });
        let mut worst = Flow::Go;
        for (context, report, flow) in join_all(running).await {
            self.take(context, report);
            worst = worst.max(flow);
        }
        worst
    }

    /// A run of the same scenario beside this one.
    pub(super) fn beside<'b>(&'b self, context: &'b mut Context, report: &'b mut ScenarioReport) -> Run<'b> {
        Run {
            instance: self.instance,
            target: self.target,
            settings: self.settings,
            observer: self.observer,
            context,
            report,
            stop: self.stop,
            cleanup: self.cleanup.clone(),
            bulk: self.bulk,
            looping: self.looping || self.meter.is_some(),
            meter: None,
            round: self.round.clone(),
            transcript: Vec::new(),
            turns: self.turns.clone(),
            said: None,
            callers: Arc::clone(&self.callers),
            identity: self.identity.clone(),
        }
    }

    /// Takes over what a run beside this one brought.
    pub(super) fn take(&mut self, context: Context, report: ScenarioReport) {
        self.context.join(context);
        self.count(report);
    }

    /// Takes over what a run of a fragment did, without its variables.
    pub(super) fn count(&mut self, report: ScenarioReport) {
        self.report.steps += report.steps;
        self.report.checks += report.checks;
        self.report.failed.extend(report.failed);
    }

    async fn conversation(&mut self, step: &Step, turns: &[Step], phase: Phase) -> Flow {
        self.context.set(conversation::SESSION, &serde_json::json!(uuid::Uuid::new_v4().to_string()));
        self.transcript = vec!["the conversation:".to_owned()];
        self.said = (!step.snapshots.is_empty()).then(Vec::new);
        let began = Instant::now();
        let flow = self.list(turns, phase).await;
        self.transcript.clear();
        if let (Some(said), Flow::Go) = (self.said.take(), flow) {
            let mut done = Done::default();
            self.snapshots(step, Subject::Conversation(&said), Vec::new(), &mut done);
            return self.finish(step, phase, began.elapsed(), done);
        }
        flow
    }

    pub(super) fn skip(&mut self, step: &Step, phase: Phase, reason: String) {
        self.tell(step, phase, Duration::ZERO, StepStatus::Skipped(reason), Done::default());
    }

    /// Reports a step that ran.
    pub(super) fn finish(&mut self, step: &Step, phase: Phase, duration: Duration, done: Done) -> Flow {
        self.report.steps += 1;
        self.report.checks += done.checks;
        let stopped = done.stopped;
        let status = match (done.failures.is_empty(), (step.soft || done.goes_on) && !stopped) {
            (true, _) => StepStatus::Passed,
            (false, true) => StepStatus::SoftFailed,
            (false, false) => StepStatus::Failed,
        };
        let flow = match status {
            StepStatus::Failed if stopped => Flow::Stopped,
            StepStatus::Failed => Flow::Failed,
            _ => Flow::Go,
        };
        self.tell(step, phase, duration, status, done);
        flow
    }

    /// What a step is called, here and now.
    pub(super) fn title(&self, step: &Step) -> String {
        let name = step.name.as_ref().and_then(|name| name.resolve_text(&self.context.scope).ok());
        name.unwrap_or_else(|| step.title())
    }

    fn tell(&mut self, step: &Step, phase: Phase, duration: Duration, status: StepStatus, done: Done) {
        let title = self.title(step);
        let failed = matches!(status, StepStatus::Failed | StepStatus::SoftFailed);
        let mut notes = done.notes;
        if failed {
            notes.extend(self.transcript.iter().cloned());
            notes.extend(loops::round_of(&self.context.scope, step));
        }
        let step = Arc::new(StepReport {
            callers: Arc::clone(&self.callers),
            phase,
            title,
            action: step.action_key.name.clone(),
            span: step.span.clone(),
            status,
            duration,
            failures: done.failures,
            request: done.request,
            exchange: done.exchange,
            unanswered: done.unanswered,
            transcript: done.transcript,
            notes,
            checks: done.checks,
        });
        self.observer.on(&Event::StepFinished { instance: self.instance.clone(), step: Arc::clone(&step) });
        if failed {
            self.report.failed.push(step);
        }
    }

    fn set(&mut self, values: &[(Key, Template)]) -> Done {
        let mut done = Done::default();
        for (key, template) in values {
            match template.resolve(&self.context.scope) {
                Ok(value) => self.context.set(&key.name, &value),
                Err(problem) => done.failures.push(problem.into()),
            }
        }
        done
    }

    async fn sleep(&mut self, step: &Step, template: &Template) -> Done {
        let text = match template.resolve_text(&self.context.scope) {
            Ok(text) => text,
            Err(problem) => return Done::failed(problem),
        };
        let duration = match crate::duration::parse(&text) {
            Ok(duration) => duration,
            Err(message) => {
                return Done::failed(
                    Problem::error("scenario::duration", format!("`sleep`: {message}"))
                        .label(template.span(), format!("is `{text}` here")),
                );
            }
        };
        match self.stop.guard(tokio::time::sleep(duration)).await {
            Ok(()) => Done::default(),
            Err(stopped) => Done { stopped: true, ..Done::failed(self.stop.problem(&stopped, step)) },
        }
    }

    fn log(&mut self, template: &Template) -> Done {
        match template.resolve_text(&self.context.scope) {
            Ok(text) => {
                self.observer.on(&Event::Log { instance: self.instance.clone(), text });
                Done::default()
            }
            Err(problem) => Done::failed(problem),
        }
    }

    /// The first name that a step needs and that was never set.
    pub(super) fn unset(&self, step: &Step) -> Option<String> {
        // What the step itself brings is not there before it: its answer, the item of its loop.
        let answer = step.id.as_ref().map(|id| format!("steps.{}", id.name));
        let own = |name: &str| {
            answer.as_deref() == Some(name)
                || step.repeated.as_ref().is_some_and(|over| over.item == name || name == "loop")
        };
        let mut found = None;
        let mut look = |expression: &Expression| {
            if found.is_none() {
                found = self.context.unset(expression, &own);
            }
        };
        if let Some(over) = &step.repeated {
            over.over.for_each_expression(&mut look);
        }
        step.for_each_expression(&mut look);
        found
    }
}
