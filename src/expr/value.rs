//! Values and the names that expressions read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr};

use super::{BASE_DIR, Expression};
use crate::diagnostic::Problem;

/// A value that expressions compute with; cheap to clone.
#[derive(Clone, Debug)]
pub struct Value(pub(super) minijinja::Value);

impl Value {
    /// A JSON value.
    pub fn from_json(value: &serde_json::Value) -> Self {
        Self(minijinja::Value::from(minijinja::value::Serde(value)))
    }

    /// An object whose fields are made when they are read.
    pub fn from_fields(fields: impl Fields + 'static) -> Self {
        Self(minijinja::Value::from_object(FieldsObject(fields)))
    }

    /// The value as JSON; what JSON has no form for becomes null.
    pub fn as_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }

    pub(super) fn to_json(&self, expression: &Expression) -> Result<serde_json::Value, Problem> {
        serde_json::to_value(&self.0).map_err(|error| {
            Problem::error("expression::failed", format!("the value of the expression is no JSON: {error}"))
                .label(expression.span(), "here")
        })
    }
}

/// An object of the language whose fields are computed on demand: `steps.ID`, `env`.
pub trait Fields: fmt::Debug + Send + Sync {
    /// The field `name`, where there is one.
    fn field(&self, name: &str) -> Option<Value>;
    /// The names of all fields.
    fn names(&self) -> Vec<String>;
}

/// The environment variables as `env`: `env.NAME` is the value of one.
pub fn environment(variables: &Arc<BTreeMap<String, String>>) -> Value {
    Value::from_fields(Variables(Arc::clone(variables)))
}

struct Variables(Arc<BTreeMap<String, String>>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values of the environment are nobody's business.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Fields for Variables {
    fn field(&self, name: &str) -> Option<Value> {
        self.0.get(name).map(|value| Value(minijinja::Value::from(value.as_str())))
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

#[derive(Debug)]
struct FieldsObject<T>(T);

impl<T: Fields + 'static> Object for FieldsObject<T> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.0.field(key.as_str()?).map(|value| value.0)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.names().into_iter().map(minijinja::Value::from).collect())
    }
}

/// The names that an expression can read. Cloning shares; a change to a clone leaves the original as it is.
#[derive(Debug, Clone, Default)]
pub struct Scope(pub(super) Arc<Names>);

#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    base_dir: PathBuf,
    values: BTreeMap<String, Value>,
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        if key == BASE_DIR {
            return Some(minijinja::Value::from(self.base_dir.to_string_lossy().into_owned()));
        }
        self.values.get(key).map(|value| value.0.clone())
    }
}

impl Scope {
    /// A scope without names; `file(...)` reads relative to `base_dir`.
    pub fn new(base_dir: &Path) -> Self {
        Self(Arc::new(Names { base_dir: base_dir.to_owned(), values: BTreeMap::new() }))
    }

    /// Gives `name` a value.
    pub fn set(&mut self, name: impl Into<String>, value: Value) {
        Arc::make_mut(&mut self.0).values.insert(name.into(), value);
    }

    /// Takes a name away.
    pub fn remove(&mut self, name: &str) {
        Arc::make_mut(&mut self.0).values.remove(name);
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.values.get(name)
    }

    /// The names there are.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values.keys().map(String::as_str)
    }

    /// The folder that `file(...)` reads relative to.
    pub fn base_dir(&self) -> &Path {
        &self.0.base_dir
    }
}
