//! What people decide of a paused run, put into the objects that it waits with.
//!
//! agno 3.1.10 takes the objects that it gets for those that it had: what is left out is lost, and a tool without
//! `external_execution_required` is called by the model again. So the whole objects of the paused run go back, edited. A
//! confirmation that nobody decides counts as a rejection there, without a word; here it is an error.

mod waiting;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::waiting::{Waiting, What};
use super::error::Error;

/// Which confirmations are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Confirm {
    /// All or none.
    All(bool),
    /// Those of the tools (or steps) with these names or `tool_call_id`s.
    Named(Vec<String>),
}

/// Which confirmations are refused, and why. The reason is told to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reject {
    /// All that are not confirmed, for one reason.
    All(String),
    /// Those of the tools (or steps) with these names or `tool_call_id`s, each for its reason.
    Named(Map<String, Value>),
}

/// What is decided.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Decisions<'a> {
    pub(super) confirm: Option<&'a Confirm>,
    pub(super) reject: Option<&'a Reject>,
    pub(super) results: Option<&'a Map<String, Value>>,
    pub(super) input: Option<&'a Map<String, Value>>,
    pub(super) select: Option<&'a [String]>,
}

impl Decisions<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.confirm.is_none()
            && self.reject.is_none()
            && self.results.is_none()
            && self.input.is_none()
            && self.select.is_none()
    }
}

/// Whether a requirement of a run, or the requirement of a step, has got what it asked for.
pub fn is_decided(requirement: &Value) -> bool {
    let form = if requirement.get("tool_execution").is_some() { Form::Requirements } else { Form::Steps };
    let known = |name: &str| requirement.get(name).is_some();
    // What is of no shape that is known is taken for something that waits.
    let ours = known("tool_execution") || known("step_id");
    ours && Waiting::of(form, &mut [requirement.clone()]).is_empty()
}

/// The form of what waits: the field of the answer that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `tools` of an agent's run.
    Tools,
    /// `requirements` of a team's run, each with its `tool_execution`.
    Requirements,
    /// `step_requirements` of a workflow's run, some with `executor_requirements`.
    Steps,
}

impl Form {
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Requirements => "requirements",
            Self::Steps => "step_requirements",
        }
    }
}

/// What goes back to the server: the objects given, else those of the paused run, with the decisions put in. None where
/// there is nothing to send.
pub(super) fn decided(
    form: Form,
    given: Option<&Vec<Value>>,
    run: Option<&Map<String, Value>>,
    decisions: Decisions<'_>,
) -> Result<Option<Vec<Value>>, Error> {
    let field = form.field();
    let of_run = || run.and_then(|run| run.get(field)).and_then(Value::as_array);
    let Some(mut objects) = given.or_else(of_run).cloned() else {
        return if decisions.is_empty() {
            Ok(None)
        } else if run.is_some() {
            Err(Error::invalid(format!("the run given as `run` has no `{field}`: it waits for nothing")))
        } else {
            Err(Error::invalid("which run is decided of? Give the answer of the paused run as `run`"))
        };
    };
    // What is given whole and undecided is the caller's own business.
    if given.is_none() || !decisions.is_empty() {
        decide(form, &mut objects, decisions).map_err(Error::invalid)?;
    }
    Ok(Some(objects))
}

fn decide(form: Form, objects: &mut [Value], decisions: Decisions<'_>) -> Result<(), String> {
    let mut waiting = Waiting::of(form, objects);
    check(&waiting, decisions)?;
    for item in &mut waiting {
        match item.what {
            What::Confirmation => match verdict(item, decisions) {
                Verdict::Confirmed => item.confirm(None),
                Verdict::Refused(reason) => item.confirm(Some(&reason)),
                Verdict::Undecided => {
                    return Err(item.undecided("`confirm: true` or `reject: \"the reason\"`"));
                }
            },
            What::Result => match named(decisions.results, item) {
                Some(result) => item.set_result(result),
                None => {
                    return Err(item.undecided(&format!("`results: {{ {}: \"the result\" }}`", item.name)));
                }
            },
            What::Input => {
                let Some(input) = decisions.input else {
                    let fields = item.fields().join(": ..., ");
                    return Err(item.undecided(&format!("`input: {{ {fields}: ... }}`")));
                };
                if let Some(missing) = item.set_input(input) {
                    return Err(item.undecided(&format!("`{missing}` within `input`")));
                }
            }
            What::Route => match decisions.select {
                Some(names) => item.select(names),
                None => return Err(item.undecided("`select: [...]`")),
            },
        }
    }
    Ok(())
}

/// What is decided of a confirmation.
enum Verdict {
    Confirmed,
    /// With the reason, which may be empty.
    Refused(String),
    Undecided,
}

fn verdict(item: &Waiting<'_>, decisions: Decisions<'_>) -> Verdict {
    if let Some(Reject::Named(reasons)) = decisions.reject
        && let Some(value) = named(Some(reasons), item)
    {
        return Verdict::Refused(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    match decisions.confirm {
        Some(Confirm::Named(names)) if names.iter().any(|name| item.is_called(name)) => {
            return Verdict::Confirmed;
        }
        Some(Confirm::All(true)) => return Verdict::Confirmed,
        _ => {}
    }
    match (decisions.reject, decisions.confirm) {
        (Some(Reject::All(reason)), _) => Verdict::Refused(reason.clone()),
        (_, Some(Confirm::All(false))) => Verdict::Refused(String::new()),
        _ => Verdict::Undecided,
    }
}

fn named<'a>(values: Option<&'a Map<String, Value>>, item: &Waiting<'_>) -> Option<&'a Value> {
    values?.iter().find(|(name, _)| item.is_called(name)).map(|(_, value)| value)
}

/// Whether everything that is decided is waited for.
fn check(waiting: &[Waiting<'_>], decisions: Decisions<'_>) -> Result<(), String> {
    if matches!((decisions.confirm, decisions.reject), (Some(Confirm::All(true)), Some(Reject::All(_)))) {
        return Err("`confirm: true` and `reject` contradict each other: name the tools of one".to_owned());
    }
    let all = |what: What| waiting.iter().filter(move |item| item.what == what);
    let unknown = |field: &str, what: What, name: &str| {
        if all(what).any(|item| item.is_called(name)) {
            return Ok(());
        }
        Err(format!("`{field}` names `{name}`, which waits for no {what}: {}", listed(waiting)))
    };
    let nothing = |field: &str, what: What| {
        if all(what).next().is_some() {
            return Ok(());
        }
        Err(format!("nothing waits for the {what} that `{field}` gives: {}", listed(waiting)))
    };
    match decisions.confirm {
        Some(Confirm::All(_)) => nothing("confirm", What::Confirmation)?,
        Some(Confirm::Named(names)) => {
            names.iter().try_for_each(|name| unknown("confirm", What::Confirmation, name))?;
        }
        None => {}
    }
    match decisions.reject {
        Some(Reject::All(_)) => nothing("reject", What::Confirmation)?,
        Some(Reject::Named(reasons)) => {
            reasons.keys().try_for_each(|name| unknown("reject", What::Confirmation, name))?;
        }
        None => {}
    }
    for name in decisions.results.into_iter().flat_map(Map::keys) {
        unknown("results", What::Result, name)?;
    }
    if let Some(input) = decisions.input {
        nothing("input", What::Input)?;
        let known: Vec<String> = all(What::Input).flat_map(Waiting::fields).collect();
        // A step may take whatever it gets.
        if let Some(name) = input.keys().find(|name| !known.is_empty() && !known.contains(name)) {
            return Err(format!("`input` has no field `{name}`: asked for {}", known.join(", ")));
        }
    }
    if decisions.select.is_some() {
        nothing("select", What::Route)?;
    }
    Ok(())
}

/// What waits, in words.
fn listed(waiting: &[Waiting<'_>]) -> String {
    if waiting.is_empty() {
        return "this run waits for nothing".to_owned();
    }
    let items: Vec<String> =
        waiting.iter().map(|item| format!("`{}` for its {}", item.name, item.what)).collect();
    format!("what waits: {}", items.join(", "))
}
