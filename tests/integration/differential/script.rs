//! Requests as they stand in a file.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// One file: groups of requests, each of which begins with nothing saved. The group `who` is none: it has the claims of
/// tokens, by the names that steps say after `as`.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) groups: Vec<(String, Vec<Step>)>,
}

/// One request. In every text, `{name}` stands for what an earlier step of its group has saved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// `METHOD /path?query`.
    pub(super) send: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// Whose token goes along: a name of `who`.
    #[serde(rename = "as")]
    pub(super) by: Option<String>,
    /// The claims of the token that goes along.
    pub(super) token: Option<Value>,
    /// A body of JSON.
    pub(super) json: Option<Value>,
    /// An urlencoded form. A list sends its name once for each item.
    pub(super) form: Option<Map<String, Value>>,
    /// A multipart form. What is no text is a file: `{ filename, type, text }`.
    pub(super) multipart: Option<Map<String, Value>>,
    /// Any other body, whose type is given as a header.
    pub(super) body: Option<String>,
    /// Names, and where in the answer their value is: a JSON pointer, or `{ at, set }` to change it first.
    #[serde(default)]
    pub(super) save: BTreeMap<String, Save>,
    /// Waits so many milliseconds first: times have a resolution of a second.
    #[serde(default)]
    pub(super) wait: u64,
    /// Repeats the request until the answer holds these: JSON pointers and values.
    #[serde(default)]
    pub(super) until: BTreeMap<String, Value>,
}

/// What to keep of an answer.
#[derive(Debug, Clone)]
pub(super) struct Save {
    pub(super) at: String,
    pub(super) set: BTreeMap<String, Value>,
}

impl<'de> Deserialize<'de> for Save {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Changed {
            at: String,
            set: BTreeMap<String, Value>,
        }
        match Value::deserialize(deserializer)? {
            Value::String(at) => Ok(Self { at, set: BTreeMap::new() }),
            other => serde_json::from_value::<Changed>(other)
                .map(|Changed { at, set }| Self { at, set })
                .map_err(serde::de::Error::custom),
        }
    }
}

/// What the steps of a group have saved so far.
#[derive(Debug, Default)]
pub(super) struct Saved(BTreeMap<String, String>);

impl Saved {
    pub(super) fn put(&mut self, name: &str, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.0.insert(name.to_owned(), text);
    }

    /// The text with all that was saved in its place.
    pub(super) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }

    /// The same for every text of a value.
    pub(super) fn fill_all(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.fill_all(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.fill_all(value))).collect()
            }
            other => other.clone(),
        }
    }
}

impl Step {
    /// A request of which only this is said.
    pub(super) fn new(send: String) -> Self {
        serde_json::from_value(json!({ "send": send })).unwrap()
    }
}

impl Script {
    pub(super) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap();
        let broken = |error: &dyn std::fmt::Display| -> ! { panic!("{}: {error}", file.display()) };
        let groups: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| broken(&error));
        let Value::Object(mut groups) = groups else { broken(&"groups of requests are wanted") };
        let who = groups.remove("who").and_then(|who| who.as_object().cloned()).unwrap_or_default();
        let groups = groups
            .into_iter()
            .map(|(group, steps)| match serde_json::from_value::<Vec<Step>>(steps) {
                Ok(mut steps) => {
                    for step in &mut steps {
                        if let Some(by) = &step.by {
                            let claims =
                                who.get(by).unwrap_or_else(|| broken(&format!("{group}: who is {by}?")));
                            step.token = Some(claims.clone());
                        }
                    }
                    (group, steps)
                }
                Err(error) => broken(&format!("{group}: {error}")),
            })
            .collect();
        Self { name: file.file_stem().unwrap().to_string_lossy().into_owned(), groups }
    }
}
