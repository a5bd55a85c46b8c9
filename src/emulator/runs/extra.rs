//! The fields of a run's form beyond those that FastAPI knows: JSON in texts.

use serde_json::Value;

use crate::emulator::form::Form;
use crate::emulator::python;
use crate::emulator::refusal::Refusal;
use crate::emulator::run::{Object, Schema, put};

/// What those fields say.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) state: Option<Value>,
    pub(crate) dependencies: Option<Value>,
    pub(crate) metadata: Option<Value>,
    pub(crate) schema: Option<Schema>,
    pub(crate) knowledge_filters: Option<Value>,
    /// Whether something was sent that no JSON can say again.
    pub(crate) odd: bool,
}

impl Extra {
    pub(crate) fn read(form: &Form) -> Result<Self, Refusal> {
        // Broken JSON is dropped in silence here.
        let mut odd = false;
        let mut parsed = |name: &str| {
            let (value, strange) = python::loads(form.filled(name)?)?;
            // Dependencies are only read; the others stand in the answer, which cannot hold such a number.
            odd |= strange && matches!(name, "session_state" | "metadata");
            Some(value)
        };
        let mut extra = Self {
            state: parsed("session_state").filter(|state| !state.is_null()),
            dependencies: parsed("dependencies").filter(|value| !value.is_null()),
            knowledge_filters: parsed("knowledge_filters").filter(|filters| !filters.is_null()),
            ..Self::default()
        };
        match parsed("metadata") {
            None | Some(Value::Null) => {}
            Some(Value::Object(fields)) => extra.metadata = Some(Value::Object(fields)),
            Some(_) => {
                return Err(Refusal::bad_request("Invalid metadata parameter: expected a JSON object"));
            }
        }
        extra.odd = odd;
        if form.has("output_schema") {
            extra.schema = Some(schema(form)?);
        }
        Ok(extra)
    }
}

/// What agno 3.1.10 notes in the metadata of runs for itself; nobody else may.
const VERSION: &str = "agno_component_version";
const OWN: [&str; 3] = [VERSION, "agno_dispatch_chain", "agno_dispatch_depth"];

impl Extra {
    /// Notes which version of the component was asked for.
    pub(crate) fn with_version(mut self, version: Option<i128>) -> Self {
        if let Some(Value::Object(fields)) = &mut self.metadata {
            fields.retain(|name, _| !OWN.contains(&name.as_str()));
        }
        if let Some(version) = version.and_then(|version| i64::try_from(version).ok()) {
            let metadata = self.metadata.get_or_insert_with(|| Value::Object(Object::new()));
            metadata[VERSION] = version.into();
        }
        self
    }
}

fn schema(form: &Form) -> Result<Schema, Refusal> {
    let text = form.text("output_schema").unwrap_or_default();
    let Ok(document @ Value::Object(_)) = serde_json::from_str::<Value>(text) else {
        return Err(Refusal::unprocessable("Invalid output_schema: expected a JSON object schema"));
    };
    if form.text("use_json_schema").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Ok(Schema { document, content_type: "dict".to_owned(), model: false });
    }
    let content_type = document["title"].as_str().unwrap_or("DynamicModel").to_owned();
    Ok(Schema { document: titled(document), content_type, model: true })
}

/// A schema that became a pydantic model has a title on every property that is required. The others
/// become a choice between their type and null, which hides it.
fn titled(mut schema: Value) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties.iter_mut() {
            *property = titled(property.take());
            let Some(fields) = property.as_object_mut().filter(|fields| !fields.contains_key("$ref")) else {
                continue;
            };
            if required.iter().any(|required| required == name) {
                put(fields, "title", title_case(name));
            } else {
                fields.remove("title");
            }
        }
    }
    schema
}

/// `name.replace("_", " ").title()`.
fn title_case(name: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in name.chars() {
        let c = if c == '_' { ' ' } else { c };
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}
