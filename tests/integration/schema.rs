//! `agentos-run schema`: what `check` takes validates, what is misspelt does not.

use crate::common::Run;
use agentos_run::{diagnostic::Problems, source::Source, yaml};
use serde_json::Value;
use std::{fs, path::Path};

struct Validator {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let printed = Run::new().arg("schema").run().code_is(0).stdout;
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("scenario.json", serde_json::from_str(&printed).unwrap()).unwrap();
        let mut schemas = boon::Schemas::new();
        let index = compiler.compile("scenario.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// What an editor would complain about in each document of a file.
    fn complaint(&self, text: &str) -> Option<String> {
        let mut problems = Problems::new();
        let documents = yaml::parse(&Source::new("test.yaml", text), &mut problems);
        assert!(problems.is_empty(), "{text}");
        documents.iter().find_map(|document| {
            let document: Value = document.to_json();
            self.schemas.validate(&document, self.index).err().map(|error| format!("{error:#}"))
        })
    }
}

#[test]
fn the_shipped_scenarios_validate() {
    let validator = Validator::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let complaint = validator.complaint(&fs::read_to_string(&path).unwrap());
            assert_eq!(complaint, None, "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn what_is_misspelt_does_not_validate() {
    let validator = Validator::new();
    for text in [
        "stpes: [{ health: {} }]",
        "steps: [{ health: {} }]\ntag: [a]",
        "steps: [{ helth: {} }]",
        "steps: [{ run_agent: { agent: a, message: hi } }]",
        "steps: [{ run_agent: { agent_id: a, message: hi }, expects: { status: 200 } }]",
        "steps: [{ health: {}, expect: { stauts: 200 } }]",
        "steps: [{ health: {}, expect: { text: { contain: a } } }]",
        "steps: [{ health: {}, expect: { $.a: { type: text } } }]",
        "steps: [{ health: {}, expect: { $.a: { not: { contain: a } } } }]",
        "steps: [{ health: {}, timeout: 5 }]",
        "steps: [{ health: {}, timeout: { totl: 5s } }]",
        "steps: [{ health: {}, retry: { times: 5 } }]",
        "steps: [{ health: {}, soft: maybe }]",
        "steps: [{ get_sessions: { limit: many } }]",
        "steps: [{ get_sessions: { type: banana } }]",
        "steps: [{ delete_sessions: { session_ids: [a], session_types: [agnet] } }]",
        "steps: [{ http: { method: FETCH, path: / } }]",
        "steps: [{ http: { method: GET } }]",
        "steps: [{ health: {} }]\ndefaults: { agent: a }",
        "steps: [{ health: {} }]\nrequires: { agent: a }",
        "steps: health",
        "steps: [health]",
    ] {
        assert!(validator.complaint(text).is_some(), "this validates: {text}");
    }
}

#[test]
fn expressions_stand_where_values_do() {
    let validator = Validator::new();
    let text = r#"
steps:
  - get_sessions: { type: "${{ kind }}", limit: "${{ n }}", page: 1 }
    timeout: ${{ patience }}
    soft: ${{ lenient }}
  - delete_sessions: { session_ids: "${{ ids }}", session_types: ["${{ kind }}", agent], verify: "${{ careful }}" }
    if: ${{ ids | length > 0 }}
  - run_agent: { agent_id: a, message: hi, session_state: "${{ state }}", dependencies: { a: "${{ b }}" } }
    expect:
      - "${{ a }}": { gt: 1 }
      - $.a: { any_of: [null, 1, { type: string }] }
"#;
    assert_eq!(validator.complaint(text), None);
}
