//! Continuing a run that waits: what agents, teams and workflows have in common.

use serde_json::{Map, Value};

use super::decision::{Decisions, Form, decided};
use super::error::Error;
use super::operation::{Call, Operation, Payload};
use super::run::id_of;

/// An operation that continues a run.
pub(super) trait Continues: Operation + Clone {
    /// The form of what waits.
    const FORM: Form;

    /// The answer of the paused run, where it was given.
    fn paused(&self) -> Option<&Map<String, Value>>;

    /// What was decided.
    fn decisions(&self) -> Result<Decisions<'_>, Error>;

    /// The run, its session and its user.
    fn ids(&mut self) -> [&mut Option<String>; 3];

    /// What waits, as it is sent.
    fn waiting(&mut self) -> &mut Option<Vec<Value>>;

    /// The request: the ids and what waits are those of the paused run where they are not given, what waits with the
    /// decisions in it.
    fn continuation(&self) -> Result<Call, Error> {
        let mut filled = self.clone();
        let run = self.paused();
        let given = filled.waiting().take();
        *filled.waiting() = decided(Self::FORM, given.as_ref(), run, self.decisions()?)?;
        for (id, field) in filled.ids().into_iter().zip(["run_id", "session_id", "user_id"]) {
            if id.is_none() {
                *id = id_of(run, field);
            }
        }
        if filled.ids()[0].is_none() {
            return Err(Error::invalid("which run? Give the answer of the paused run as `run`, or `run_id`"));
        }
        Call::of(&Self::SPEC, &filled)
    }
}

/// `input` as the fields that a tool asks for.
pub(super) fn fields_of(input: Option<&Value>) -> Result<Option<&Map<String, Value>>, Error> {
    match input {
        None | Some(Value::Null | Value::String(_)) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(_) => Err(Error::invalid("`input` must be a mapping of fields, or a text")),
    }
}

/// Adds what only agents and teams are sent: `input` as a further message, and `replace_original` also where it is not
/// given.
pub(super) fn with_message(mut call: Call, input: Option<&Value>, replace_original: Option<bool>) -> Call {
    if let Payload::Form(form) = &mut call.payload {
        let message = input.and_then(Value::as_str);
        form.extend(message.map(|message| ("input".to_owned(), message.to_owned())));
        if replace_original.is_none() {
            form.push(("replace_original".to_owned(), String::new()));
        }
    }
    call
}
