//! Every parameter that a real AgentOS documents is read as the real one reads it: each is sent alone, as what no reader
//! takes it for, and what both say to it is compared.

use super::accepted::Accepted;
use super::compare::{self, Ids};
use super::script::{Saved, Step};
use super::target::Target;
use crate::common::{agentos::at_least, http};
use serde_json::{Map, Value, json};

/// What is sent in the place of a parameter.
const ODD: [&str; 3] = ["~", "", "-1"];

/// A document's schema, or what it refers to; of several, the first that is not null.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let mut choices = schema["anyOf"].as_array().into_iter().flatten();
    choices.find(|choice| choice["type"] != "null").map_or(schema, |choice| resolve(document, choice))
}

/// The names of the fields of a body, and which of them must be there.
fn fields(document: &Value, body: &Value) -> (Vec<String>, Vec<String>) {
    let schema = resolve(document, &body["schema"]);
    let names =
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let needed = schema["required"].as_array().into_iter().flatten();
    (names, needed.map(|name| name.as_str().unwrap().to_owned()).collect())
}

/// One request for each parameter and odd value.
fn requests(document: &Value, path: &str, method: &str, operation: &Value) -> Vec<Step> {
    let played = [("{agent_id}", "assistant"), ("{team_id}", "duo"), ("{workflow_id}", "pipeline")]
        .iter()
        .fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
        .replace(['{', '}'], "");
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let queries: Vec<&Value> = parameters.iter().filter(|parameter| parameter["in"] == "query").collect();
    let content = operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
    let json = content.get("application/json").map(|body| fields(document, body));
    let form = content.iter().find(|(kind, _)| kind.contains("form")).map(|(_, body)| fields(document, body));
    let base = |odd: Option<&str>, value: &str| {
        let query: Vec<String> = queries
            .iter()
            .filter(|parameter| {
                parameter["required"] == true && Some(parameter["name"].as_str().unwrap()) != odd
            })
            .map(|parameter| format!("{}=x", parameter["name"].as_str().unwrap()))
            .chain(odd.map(|name| format!("{name}={value}")))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let mut step = Step::new(format!("{} {played}{mark}{}", method.to_uppercase(), query.join("&")));
        let filled = |needed: &[String]| -> Map<String, Value> {
            needed.iter().map(|name| (name.clone(), json!("hi"))).collect()
        };
        step.json = json.as_ref().map(|(_, needed)| Value::Object(filled(needed)));
        step.form = form.as_ref().map(|(_, needed)| {
            let mut form = filled(needed);
            form.insert("stream".to_owned(), json!("false"));
            form
        });
        step
    };
    let mut steps = vec![base(None, "")];
    for parameter in &queries {
        steps.extend(ODD.iter().map(|value| base(parameter["name"].as_str(), value)));
    }
    for name in json.iter().flat_map(|(names, _)| names) {
        for value in [json!(null), json!(5), json!("~"), json!([5]), json!({ "a": 1 })] {
            let mut step = base(None, "");
            if let Some(body) = &mut step.json {
                body[name] = value;
            }
            steps.push(step);
        }
    }
    for name in form.iter().flat_map(|(names, _)| names) {
        for value in ODD {
            let mut step = base(None, "");
            if let Some(form) = &mut step.form {
                form.insert(name.clone(), json!(value));
            }
            steps.push(step);
        }
    }
    steps
}

#[test]
fn every_parameter_is_read_as_the_real_one_reads_it() {
    if !at_least(3, 1) {
        return;
    }
    let (server, emulator) = (super::real(), super::embedded());
    let (real, ours) = (Target::new(server.base_url()), Target::new(emulator.base_url()));
    let document = http::get(server.base_url(), "/openapi.json").json();
    let served = http::get(emulator.base_url(), "/openapi.json").json();
    let (mut found, mut asked) = (Vec::new(), 0);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if served["paths"][path].get(method).is_none() {
                continue;
            }
            for step in requests(&document, path, method, operation) {
                let body = step
                    .json
                    .as_ref()
                    .map(Value::to_string)
                    .or(step.form.as_ref().map(|form| json!(form).to_string()));
                let request = format!("parameters: {}: 1. {}", body.unwrap_or_default(), step.send);
                let expected = real.perform(&step, &mut Saved::default()).unwrap();
                let answer = ours.perform(&step, &mut Saved::default()).unwrap();
                asked += 1;
                // What a success says, the scripts compare; here it is whether it is one.
                if expected.status >= 400 || answer.status != expected.status {
                    found.extend(compare::answers(&request, &expected, &answer, &mut Ids::default()));
                }
            }
        }
    }
    assert!(asked > 700, "{asked}");
    let accepted = Accepted::read(&super::folder().join("accepted.yaml"));
    let verdict = super::verdict(&found, &accepted, &["parameters"]);
    assert!(verdict.is_empty(), "parameters are not read alike:\n{verdict}");
}
