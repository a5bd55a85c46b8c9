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

/// Continuing the runs of agents and of teams, which differ in what waits.
macro_rules! continue_operation {
    (
        resource: $resource:ident,
        what: $what:literal at $path:literal by $id:ident,
        since: $since:expr,
        form: $form:ident,
        $(#[$doc:meta])*
        continue: $Continue:ident,
        $(#[$waiting_doc:meta])*
        waiting: $waiting:ident,
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $Continue {
            #[doc = concat!("The ", $what, ".")]
            pub $id: String,
            /// The answer of the paused run, out of which the ids and what waits are taken. Not sent to the server.
            #[serde(default, skip_serializing)]
            pub run: Option<Map<String, Value>>,
            /// The run; without it, that of `run`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub run_id: Option<String>,
            /// Its session; without it, that of `run`. Without one, the server answers 400.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub session_id: Option<String>,
            /// Whose session it is; without it, that of `run`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub user_id: Option<String>,
            /// Whether what asks for a confirmation gets it: true or false for all, or the names of tools. Not sent as such.
            #[serde(default, skip_serializing)]
            pub confirm: Option<Confirm>,
            /// Refuses what asks for a confirmation: a reason for all, or a mapping from names of tools to reasons. The reason is told to
            /// the model. Not sent as such.
            #[serde(default, skip_serializing)]
            pub reject: Option<Reject>,
            /// The results of tools that the server does not execute, by their names. Not sent as such.
            #[serde(default, skip_serializing)]
            pub results: Option<Map<String, Value>>,
            /// A mapping: the fields that a tool asks for. A text: a further message, for a run that is not paused.
            #[serde(default, skip_serializing)]
            pub input: Option<Value>,
            $(#[$waiting_doc])*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $waiting: Option<Vec<Value>>,
            /// From which message on a run that is not paused is continued; the server's default is `end`.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub continue_from: Option<String>,
            /// Whether a run that is not paused is copied; the server's default is false.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub fork: Option<bool>,
            /// Whether the last answer is made anew; the server's default is false.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub regenerate: Option<bool>,
            /// With `regenerate`: whether the new answer takes the place of the old one. Sent empty where it is not given: servers
            /// before agno 3.1.5 may take it for false otherwise, and answer 400.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub replace_original: Option<bool>,
            /// Further instructions for this run.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub additional_instructions: Option<String>,
            /// Whether it goes on in the background; since agno 2.6. It is waited for, unless `wait` is false.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub background: Option<bool>,
            /// Whether a run in the background is waited for; the default is true. Not sent to the server.
            #[serde(default, skip_serializing)]
            #[schemars(extend("default" = true))]
            pub wait: Option<bool>,
            /// How it is waited for. Not sent to the server.
            #[serde(default, skip_serializing)]
            pub poll: Option<Poll>,
            /// Whether the answer comes as a stream of events, from which it is put together; the default is false, and always sent.
            #[serde(default)]
            pub stream: bool,
        }

        impl Operation for $Continue {
            const SPEC: Spec = Spec {
                body: Body::Form,
                since: $since,
                ..Spec::new(
                    concat!("continue_", $what, "_run"),
                    Resource::$resource,
                    Method::Post,
                    concat!($path, "/runs/{run_id}/continue"),
                )
            };
            type Answer = RunOutput;

            fn call(&self) -> Result<Call, Error> {
                let call = self.continuation()?;
                Ok(with_message(call, self.input.as_ref(), self.replace_original))
            }

            fn streams(&self) -> bool {
                self.stream
            }

            fn begins(&self) -> Option<Beginning<'_>> {
                let (run_id, session_id) = (self.run_id.as_ref(), self.session_id.as_ref());
                Some(Beginning::of(&self.$id, run_id, session_id, self.background, self.wait, self.poll.as_ref()))
            }
        }

        impl Continues for $Continue {
            const FORM: Form = Form::$form;

            fn paused(&self) -> Option<&Map<String, Value>> {
                self.run.as_ref()
            }

            fn decisions(&self) -> Result<Decisions<'_>, Error> {
                Ok(Decisions {
                    confirm: self.confirm.as_ref(),
                    reject: self.reject.as_ref(),
                    results: self.results.as_ref(),
                    input: fields_of(self.input.as_ref())?,
                    select: None,
                })
            }

            fn ids(&mut self) -> [&mut Option<String>; 3] {
                [&mut self.run_id, &mut self.session_id, &mut self.user_id]
            }

            fn waiting(&mut self) -> &mut Option<Vec<Value>> {
                &mut self.$waiting
            }
        }
    };
}

pub(super) use continue_operation;
