//! Running one scenario: its lists of steps, one after another, and `finally` whatever happens.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::context::{Context, answer_field};
use super::event::{Event, Failure, Observer, Phase, ScenarioReport, Status, StepReport, StepStatus};
use super::request::Request;
use super::{Interrupt, Settings, Target};
use crate::agentos::{self, Error, Exchange, SentRequest};
use crate::diagnostic::Problem;
use crate::expect::Verdict;
use crate::expr::Expression;
use crate::outcome::Outcome;
use crate::scenario::{Action, HttpBody, SaveFrom, Scenario, Skip, Step};
use crate::template::Template;

/// The time that `finally` may take after an interruption or after the scenario's own time.
const FINALLY_TIME: Duration = Duration::from_mins(1);

/// Runs a scenario.
pub(super) async fn run(
    scenario: &Arc<Scenario>,
    target: &Target,
    settings: &Settings,
    interrupt: &Interrupt,
    observer: &dyn Observer,
) -> ScenarioReport {
    let began = Instant::now();
    let mut report = ScenarioReport::new(scenario);
    let mut context = match Context::new(scenario, settings) {
        Ok(context) => context,
        Err(problems) => {
            let mut report = ScenarioReport::new(scenario);
            report.status = Status::Failed;
            report.problems = problems;
            return report;
        }
    };
    match skip_reason(scenario, target, &context).await {
        Ok(None) => {}
        Ok(Some((reason, required))) => {
            if required && settings.strict {
                let problem = Problem::error("scenario::requires", reason)
                    .label(&scenario.span, "this scenario")
                    .help("with --strict, a scenario that cannot run is a failure");
                return ScenarioReport::broken(scenario, problem);
            }
            report.status = Status::Skipped(reason);
            return report;
        }
        Err(problem) => return ScenarioReport::broken(scenario, problem),
    }
    let timeout = scenario.timeout.or(settings.scenario_timeout);
    let mut run = Run {
        scenario,
        target,
        settings,
        observer,
        context: &mut context,
        report: &mut report,
        stop: Stop {
            deadline: timeout.map(|timeout| began + timeout),
            timeout,
            whose: Whose::Scenario,
            interrupt,
            presses: 1,
        },
    };
    let mut flow = run.list(&scenario.setup, Phase::Setup).await;
    if flow == Flow::Go {
        flow = run.list(&scenario.steps, Phase::Steps).await;
    }
    let stopped = flow == Flow::Stopped;
    let left = timeout.map(|timeout| timeout.saturating_sub(began.elapsed()).max(FINALLY_TIME));
    let left = if stopped { Some(FINALLY_TIME) } else { left };
    run.stop = Stop {
        deadline: left.map(|left| Instant::now() + left),
        timeout: left,
        whose: Whose::Finally,
        interrupt,
        presses: 2,
    };
    run.finally(&scenario.finally).await;
    report.duration = began.elapsed();
    let failed =
        report.failed.iter().any(|step| matches!(step.status, StepStatus::Failed | StepStatus::SoftFailed));
    if failed || !report.problems.is_empty() {
        report.status = Status::Failed;
    }
    report
}

/// Why the scenario is not run, and whether that is for what the target lacks.
async fn skip_reason(
    scenario: &Scenario,
    target: &Target,
    context: &Context,
) -> Result<Option<(String, bool)>, Problem> {
    match &scenario.skip {
        Some(Skip::Always(reason)) => return Ok(Some((reason.clone(), false))),
        Some(Skip::When(condition)) => {
            // A text is a reason, anything else a condition.
            match condition.evaluate(&context.scope)?.as_json() {
                Value::String(reason) if !reason.is_empty() => return Ok(Some((reason, false))),
                value if truthy(&value) => return Ok(Some((format!("`{}` holds", condition.text()), false))),
                _ => {}
            }
        }
        None => {}
    }
    let ids = |templates: &[Template]| {
        templates.iter().filter_map(|template| template.resolve_text(&context.scope).ok()).collect::<Vec<_>>()
    };
    Ok(target.lacks(&scenario.requires, ids).await.map(|reason| (reason, true)))
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// Whether the next step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// It does.
    Go,
    /// A step failed.
    Failed,
    /// The time is up or somebody pressed Ctrl-C.
    Stopped,
}

/// Whose time a deadline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Scenario,
    Group,
    Finally,
}

/// What ends a step from outside.
struct Stop<'a> {
    deadline: Option<Instant>,
    timeout: Option<Duration>,
    whose: Whose,
    interrupt: &'a Interrupt,
    presses: u32,
}

/// Which of them it was.
enum Stopped {
    Deadline,
    Interrupted,
}

impl Stop<'_> {
    /// `future`, unless the end comes first.
    async fn guard<T>(&self, future: impl Future<Output = T>) -> Result<T, Stopped> {
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            value = future => Ok(value),
            () = self.interrupt.raised(self.presses) => Err(Stopped::Interrupted),
            () = deadline => Err(Stopped::Deadline),
        }
    }

    /// Whether the end has come already.
    fn now(&self) -> Option<Stopped> {
        if self.presses == 1 && self.interrupt.is_raised() {
            return Some(Stopped::Interrupted);
        }
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline).then_some(Stopped::Deadline)
    }

    fn problem(&self, stopped: &Stopped, step: &Step) -> Problem {
        match stopped {
            Stopped::Interrupted => {
                Problem::error("run::interrupted", "the run was interrupted in this step")
                    .label(&step.action_key.span, "this was running")
            }
            Stopped::Deadline => {
                let time = self.timeout.map(in_words).unwrap_or_default();
                let (whose, help) = match self.whose {
                    Whose::Scenario => {
                        ("the scenario's", "`timeout:` of the scenario, or --timeout, sets it")
                    }
                    Whose::Group => ("the group's", "`timeout:` of the group sets it"),
                    Whose::Finally => (
                        "the `finally` steps'",
                        "after an interruption or a timeout they have a minute; otherwise what is left of the scenario's time",
                    ),
                };
                Problem::error("scenario::timeout", format!("{whose} time of {time} is up"))
                    .label(&step.action_key.span, "this was running")
                    .help(help)
            }
        }
    }
}

fn in_words(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
    }
}

/// A scenario that is running.
struct Run<'a> {
    scenario: &'a Arc<Scenario>,
    target: &'a Target,
    settings: &'a Settings,
    observer: &'a dyn Observer,
    context: &'a mut Context,
    report: &'a mut ScenarioReport,
    stop: Stop<'a>,
}

/// What a step brought, before it is reported.
#[derive(Default)]
struct Done {
    failures: Vec<Failure>,
    request: Option<SentRequest>,
    exchange: Option<Arc<Exchange>>,
    notes: Vec<String>,
    checks: usize,
    stopped: bool,
}

impl Done {
    fn failed(problem: Problem) -> Self {
        Self { failures: vec![problem.into()], ..Self::default() }
    }
}

impl Run<'_> {
    /// Runs steps until one fails.
    fn list<'s>(&'s mut self, steps: &'s [Step], phase: Phase) -> Pin<Box<dyn Future<Output = Flow> + 's>> {
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
    async fn finally(&mut self, steps: &[Step]) {
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
        let began = Instant::now();
        let done = match &step.action {
            Action::Group(steps) => return self.group(step, steps, phase).await,
            Action::Operation(_) | Action::Http(_) => self.request(step).await,
            Action::Set(values) => self.set(values),
            Action::Assert(expectations) => checked(&expectations.evaluate(None, &self.context.scope)),
            Action::Sleep(template) => self.sleep(step, template).await,
            Action::Log(template) => self.log(template),
        };
        self.finish(step, phase, began.elapsed(), done)
    }

    async fn group(&mut self, step: &Step, steps: &[Step], phase: Phase) -> Flow {
        let outer = (self.stop.deadline, self.stop.timeout, self.stop.whose);
        if let Some(total) = step.timeout.total {
            let deadline = Instant::now() + total;
            if self.stop.deadline.is_none_or(|outer| deadline < outer) {
                self.stop.deadline = Some(deadline);
                self.stop.timeout = Some(total);
                self.stop.whose = Whose::Group;
            }
        }
        let flow = self.list(steps, phase).await;
        (self.stop.deadline, self.stop.timeout, self.stop.whose) = outer;
        // Where the group's own time was up and not that of what is around it, that is a failure like any other.
        let flow = if flow == Flow::Stopped && self.stop.now().is_none() { Flow::Failed } else { flow };
        match flow {
            Flow::Failed if step.soft => Flow::Go,
            flow => flow,
        }
    }

    fn skip(&mut self, step: &Step, phase: Phase, reason: String) {
        self.tell(step, phase, Duration::ZERO, StepStatus::Skipped(reason), Done::default());
    }

    /// Reports a step that ran.
    fn finish(&mut self, step: &Step, phase: Phase, duration: Duration, done: Done) -> Flow {
        self.report.steps += 1;
        self.report.checks += done.checks;
        let stopped = done.stopped;
        let status = match (done.failures.is_empty(), step.soft && !stopped) {
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

    fn tell(&mut self, step: &Step, phase: Phase, duration: Duration, status: StepStatus, done: Done) {
        let title = step
            .name
            .as_ref()
            .and_then(|name| name.resolve_text(&self.context.scope).ok())
            .unwrap_or_else(|| step.title());
        let failed = matches!(status, StepStatus::Failed | StepStatus::SoftFailed);
        let step = Arc::new(StepReport {
            phase,
            title,
            action: step.action_key.name.clone(),
            span: step.span.clone(),
            status,
            duration,
            failures: done.failures,
            request: done.request,
            exchange: done.exchange,
            notes: done.notes,
            checks: done.checks,
        });
        self.observer
            .on(&Event::StepFinished { scenario: Arc::clone(self.scenario), step: Arc::clone(&step) });
        if failed {
            self.report.failed.push(step);
        }
    }

    fn set(&mut self, values: &[(crate::yaml::Key, Template)]) -> Done {
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
                self.observer.on(&Event::Log { scenario: Arc::clone(self.scenario), text });
                Done::default()
            }
            Err(problem) => Done::failed(problem),
        }
    }

    /// Sends the request of a step and holds its expectations against the answer.
    async fn request(&mut self, step: &Step) -> Done {
        let request = match &step.action {
            Action::Operation(action) => {
                Request::of_operation(step, action, &self.context.scope, self.settings)
            }
            Action::Http(action) => Request::of_http(step, action, &self.context.scope, self.settings),
            _ => return Done::default(),
        };
        let request = match request {
            Ok(request) => request,
            Err(problems) => {
                return Done {
                    failures: problems.into_iter().map(Failure::from).collect(),
                    ..Done::default()
                };
            }
        };
        let began = Instant::now();
        let sent = request.send(&self.target.client, step.retry.as_ref());
        let (result, mut notes) = match self.stop.guard(sent).await {
            Ok(sent) => sent,
            Err(stopped) => {
                let problem = self.stop.problem(&stopped, step);
                let sent = request.shown(&self.target.client);
                return Done { stopped: true, request: sent, ..Done::failed(problem) };
            }
        };
        let (outcome, exchange, sent) = match result {
            Ok(exchange) => {
                let exchange = Arc::new(exchange);
                notes.extend(exchange.notes.iter().cloned());
                let outcome = outcome_of(&exchange, request.answers_json(), step.allow_failed_steps);
                (outcome, Some(Arc::clone(&exchange)), Some(exchange.request.clone()))
            }
            Err(error) => {
                let Error { kind, request } = error;
                let error = kind.to_string();
                let outcome = Outcome { error: Some(error), duration: began.elapsed(), ..Outcome::default() };
                (outcome, None, request.map(|request| *request))
            }
        };
        let outcome = Arc::new(outcome);
        if let Some(id) = &step.id {
            self.context.keep(&id.name, &outcome);
        }
        let mut done = self.check(step, &outcome);
        self.save(step, &outcome, &mut done);
        Done { request: sent, exchange, notes, ..done }
    }

    /// The expectations of a step, and those that every step has: the request is not refused, the run does not fail.
    fn check(&self, step: &Step, outcome: &Outcome) -> Done {
        let expected_to_fail = step.expect.expects_failure();
        let refused = outcome.status.is_none_or(|status| status >= 300);
        if let Some(error) = outcome.error.as_deref().filter(|_| !expected_to_fail) {
            let name = &step.action_key.name;
            let (code, message) = match outcome.status {
                None => ("request::failed", format!("{name}: {error}")),
                Some(status) if status >= 300 => {
                    ("request::refused", format!("{name} was refused with {status}: {error}"))
                }
                Some(_) => ("run::failed", format!("{name}: {error}")),
            };
            // A status that was named says it better, at its own place.
            if !(refused && step.expect.names_status() && outcome.status.is_some()) {
                let mut done = Done::failed(
                    Problem::error(code, message).label(&step.action_key.span, "in this step").maybe_help(
                        (code == "run::failed").then(|| {
                            "a step that expects a failure names `error:`, or `$.status: ERROR`".to_owned()
                        }),
                    ),
                );
                // What a failed run answered can still be held against the rest; of a refusal there is nothing to say.
                if !refused {
                    let rest = checked(&step.expect.evaluate(Some(outcome), &self.context.scope));
                    done.failures.extend(rest.failures);
                    done.checks += rest.checks;
                }
                done.checks += 1;
                return done;
            }
        }
        let mut done = checked(&step.expect.evaluate(Some(outcome), &self.context.scope));
        if let (true, Some(error)) = (refused && !done.failures.is_empty(), &outcome.error)
            && let Some(first) = done.failures.first_mut()
        {
            first.problem = first.problem.clone().help(format!("the server said: {error}"));
        }
        if expected_to_fail && step.expect.is_empty() {
            done.checks += 1;
        }
        done
    }

    /// Keeps what the step saves. What is there is kept even where an expectation failed: `finally` needs it.
    fn save(&mut self, step: &Step, outcome: &Outcome, done: &mut Done) {
        let failed = !done.failures.is_empty();
        for save in &step.save {
            let value = match &save.from {
                SaveFrom::Body => Ok(outcome.body.clone().unwrap_or_else(|| json!(outcome.text))),
                SaveFrom::Path(path) => {
                    outcome.body.as_ref().and_then(|body| path.select(body)).ok_or_else(|| {
                        Problem::error(
                            "step::save",
                            format!(
                                "`{path}` matches nothing in the answer, so `{}` cannot be saved",
                                save.name.name
                            ),
                        )
                        .label(&save.span, "no match")
                        .maybe_help(keys_of(outcome.body.as_ref()))
                    })
                }
                SaveFrom::Target(name) => answer_field(outcome, name).ok_or_else(|| {
                    Problem::error(
                        "step::save",
                        format!("the answer has no `{name}`, so `{}` cannot be saved", save.name.name),
                    )
                    .label(&save.span, "nothing there")
                }),
                SaveFrom::Expression(template) => template.resolve(&self.context.scope),
            };
            match value {
                Ok(value) => self.context.set(&save.name.name, &value),
                // After a failed expectation it is a consequence, not a second cause.
                Err(_) if failed => {}
                Err(problem) => done.failures.push(problem.into()),
            }
        }
    }

    /// The first name that a step needs and that was never set.
    fn unset(&self, step: &Step) -> Option<String> {
        let mut found = None;
        for_each_expression(step, &mut |expression| {
            if found.is_none() {
                found = self.context.unset(expression);
            }
        });
        // What the step itself brings is not there before it.
        found.filter(|name| step.id.as_ref().is_none_or(|id| *name != format!("steps.{}", id.name)))
    }
}

fn for_each_expression(step: &Step, visit: &mut dyn FnMut(&Expression)) {
    if let Some(condition) = &step.condition {
        visit(condition);
    }
    for (_, template) in &step.headers {
        template.for_each_expression(visit);
    }
    match &step.action {
        Action::Operation(action) => {
            for (_, template) in &action.fields {
                template.for_each_expression(visit);
            }
        }
        Action::Http(http) => {
            http.path.for_each_expression(visit);
            for (_, template) in &http.query {
                template.for_each_expression(visit);
            }
            match &http.body {
                HttpBody::None => {}
                HttpBody::Json(body) | HttpBody::Text(body) => body.for_each_expression(visit),
                HttpBody::Form(pairs) | HttpBody::Multipart(pairs) => {
                    for (_, template) in pairs {
                        template.for_each_expression(visit);
                    }
                }
            }
        }
        Action::Set(values) => {
            for (_, template) in values {
                template.for_each_expression(visit);
            }
        }
        Action::Assert(expectations) => expectations.for_each_expression(visit),
        // The steps of a group are looked at one by one.
        Action::Group(_) => {}
        Action::Sleep(template) | Action::Log(template) => template.for_each_expression(visit),
    }
}

fn checked(verdicts: &[Verdict]) -> Done {
    let failures = verdicts
        .iter()
        .filter(|verdict| !verdict.passed)
        .map(|verdict| Failure { problem: verdict.to_problem(), diff: verdict.diff.clone() })
        .collect();
    Done { failures, checks: verdicts.len(), ..Done::default() }
}

fn keys_of(body: Option<&Value>) -> Option<String> {
    let keys: Vec<&str> = body?.as_object()?.keys().map(String::as_str).collect();
    (!keys.is_empty()).then(|| format!("the answer has: {}", keys.join(", ")))
}

/// An answer in the words of the language.
fn outcome_of(exchange: &Exchange, answers_json: bool, allow_failed_steps: bool) -> Outcome {
    let body: Option<Value> = serde_json::from_slice(&exchange.body).ok();
    let text = String::from_utf8_lossy(&exchange.body).into_owned();
    // Redirects are not followed: the credentials are meant for the target alone.
    let error = if exchange.status >= 300 {
        Some(agentos::refusal_message(exchange.status, &exchange.headers, &exchange.body))
    } else {
        match &body {
            Some(body) => agentos::run::failure_of(body, allow_failed_steps),
            None => answers_json.then(|| not_json(exchange, &text)).flatten(),
        }
    };
    Outcome {
        status: Some(exchange.status),
        headers: exchange.headers.clone(),
        text,
        body,
        duration: exchange.duration,
        ttft: None,
        error,
    }
}

/// What came where the answer of an operation should be JSON: often the page of a proxy that wants a login.
fn not_json(exchange: &Exchange, text: &str) -> Option<String> {
    if exchange.status == 204 {
        return None;
    }
    let text = text.trim();
    if text.is_empty() {
        return Some("the answer is empty where JSON was expected".to_owned());
    }
    let kind = exchange
        .headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or("", |(_, value)| value.as_str());
    let begin: String = text.chars().take(60).collect::<String>().replace(['\n', '\r'], " ");
    let kind = if kind.is_empty() { "no content-type".to_owned() } else { kind.to_owned() };
    Some(format!("the answer is not JSON ({kind}); it begins with `{begin}`"))
}
