//! The catalogue: every operation by its name, with its fields, and how it is made from JSON.

use std::fmt;
use std::path::Path;
use std::sync::{LazyLock, OnceLock};

use schemars::Schema;
use serde_json::{Map, Value};

use super::{AnyOperation, Operation, Spec};
use crate::agentos::error::Error;
use crate::agentos::field::{Field, fields_of, schema_of};
use crate::agentos::upload;

/// An operation of the catalogue: its specification, its fields, and how it is made from JSON.
pub struct Entry {
    /// Name and request.
    pub spec: &'static Spec,
    /// The JSON Schema of its fields, for editors.
    pub schema: fn() -> Schema,
    parse: Parse,
    declared: OnceLock<Declared>,
}

/// What the type of an operation says. It is read when somebody asks: a scenario uses a few operations of many.
struct Declared {
    summary: String,
    details: String,
    fields: Vec<Field>,
}

type Parse = fn(Map<String, Value>) -> Result<Box<dyn AnyOperation>, Error>;

impl Entry {
    /// The entry of the operation `O`.
    pub(in crate::agentos) fn of<O: Operation>() -> Self {
        Self {
            spec: &O::SPEC,
            schema: schema_of::<O>,
            parse: |fields| {
                serde_json::from_value::<O>(Value::Object(fields))
                    .map(|operation| Box::new(operation) as Box<dyn AnyOperation>)
                    .map_err(|error| Error::invalid(format!("{}: {error}", O::SPEC.name)))
            },
            declared: OnceLock::new(),
        }
    }

    fn declared(&self) -> &Declared {
        self.declared.get_or_init(|| {
            let (documentation, fields) = fields_of(&(self.schema)());
            let (summary, details) = documentation.split_once("\n\n").unwrap_or((&documentation, ""));
            Declared { summary: summary.replace('\n', " "), details: details.to_owned(), fields }
        })
    }

    /// One sentence: what it does.
    pub fn summary(&self) -> &str {
        &self.declared().summary
    }

    /// The rest of its documentation.
    pub fn details(&self) -> &str {
        &self.declared().details
    }

    /// Its fields, in the order of the type.
    pub fn fields(&self) -> &[Field] {
        &self.declared().fields
    }

    /// The operation with these fields.
    pub fn parse(&self, fields: Map<String, Value>) -> Result<Box<dyn AnyOperation>, Error> {
        (self.parse)(fields)
    }

    /// What is wrong with fields that are each of the right kind and still make no operation, such as page -1: the one
    /// without which the others pass.
    pub(crate) fn out_of_range(&self, fields: &Map<String, Value>, error: &Error) -> OutOfRange {
        let culprit = fields.iter().find(|(name, _)| {
            let mut others = fields.clone();
            others.remove(*name);
            self.parse(others).is_ok()
        });
        let said = error.to_string();
        // What serde calls a whole number without a sign.
        let natural = ["expected u32", "expected u64"].iter().any(|sign| said.ends_with(sign));
        OutOfRange {
            field: culprit.map(|(name, _)| name.clone()),
            message: culprit.map_or(said, |(name, value)| format!("`{name}` cannot be {value}")),
            help: natural.then(|| "it is a whole number from 0".to_owned()),
        }
    }

    /// Puts `folder` before the relative paths of files in these fields: those of a scenario start from its own folder.
    pub fn resolve_files(&self, fields: &mut Map<String, Value>, folder: &Path) {
        for field in self.fields().iter().filter(|field| field.files) {
            for name in std::iter::once(&field.name).chain(&field.aliases) {
                if let Some(value) = fields.get_mut(name) {
                    upload::resolve(value, folder);
                }
            }
        }
    }

    /// The field `name`, also by an alias.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields()
            .iter()
            .find(|field| field.name == name || field.aliases.iter().any(|alias| alias == name))
    }
}

/// Fields that make no operation, see [`Entry::out_of_range`].
pub(crate) struct OutOfRange {
    /// The field that is to blame, where one is.
    pub(crate) field: Option<String>,
    /// One sentence.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("spec", self.spec).finish_non_exhaustive()
    }
}

/// Every operation there is, by resource.
pub fn catalogue() -> &'static [Entry] {
    static CATALOGUE: LazyLock<Vec<Entry>> = LazyLock::new(crate::agentos::entries);
    &CATALOGUE
}

/// The operation `name`, also by an alias, also in the spelling of AgentOSClient's asynchronous twins (`aget_config`).
pub fn find(name: &str) -> Option<&'static Entry> {
    let by_name = |name: &str| {
        catalogue().iter().find(|entry| entry.spec.name == name || entry.spec.aliases.contains(&name))
    };
    by_name(name).or_else(|| name.strip_prefix('a').and_then(by_name))
}
