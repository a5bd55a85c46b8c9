//! The catalogue beside what the versions of AgentOS say of themselves: `tests/data/openapi.json` holds the operations of
//! the `/openapi.json` of each, with the names of their parameters in the query and of the fields of their bodies.

use std::collections::{BTreeMap, BTreeSet};

use agentos_run::agentos::{Entry, catalogue, find};
use serde_json::Value;

/// What is to be there: AgentOSClient's methods, and what they lack.
const WANTED: &str = "
    get_config get_info health list_agents get_agent list_teams get_team list_workflows get_workflow
    run_agent continue_agent_run cancel_agent_run get_agent_run list_agent_runs resume_agent_run
    run_team continue_team_run cancel_team_run get_team_run list_team_runs resume_team_run
    run_workflow continue_workflow_run cancel_workflow_run get_workflow_run list_workflow_runs resume_workflow_run
    create_memory list_memories get_memory update_memory delete_memory delete_memories get_memory_topics
    get_user_memory_stats optimize_memories
    get_sessions create_session get_session get_session_runs get_session_run rename_session update_session
    delete_session delete_sessions clear_session
    upload_knowledge_content list_knowledge_content get_knowledge_content update_knowledge_content
    delete_knowledge_content delete_all_knowledge_content get_knowledge_content_status search_knowledge
    get_knowledge_config
    get_traces get_trace get_trace_session_stats search_traces get_metrics refresh_metrics
    list_eval_runs get_eval_run run_eval update_eval_run delete_eval_runs migrate_database";

/// What the catalogue leaves out, and why. A path with a `/` before it stands for all that have it in them.
const NOT_OURS: [(&str, &str); 19] = [
    ("GET /", "the server's name and links: get_info and get_config say more"),
    ("GET /models", "what get_config lists as well; gone since agno 3"),
    ("POST /databases/all/migrate", "migrate_database, one by one"),
    ("GET /traces/filter-schema", "what search_traces may filter by, for a user interface"),
    ("POST /knowledge/remote-content", "content of clouds, which needs their credentials"),
    ("POST /knowledge/content/{content_id}/refresh", "reads such content again"),
    ("/knowledge/{knowledge_id}/sources", "what those clouds hold"),
    ("/sessions/{session_id}/media/", "bytes that are no JSON"),
    ("/checkpoints", "no method of AgentOSClient"),
    ("/compact", "no method of AgentOSClient"),
    ("/fork", "no method of AgentOSClient"),
    ("/approvals", "the inbox of the control plane: decisions are given to runs here"),
    ("/components", "building agents by the API"),
    ("/filesystem/", "the files of a sandbox"),
    ("/learnings", "no method of AgentOSClient"),
    ("/queue", "administration of the queue of jobs"),
    ("/registry", "what building agents by the API offers"),
    ("/schedules", "what the server runs by the clock"),
    ("/service-accounts", "accounts of the control plane"),
];

/// What the documents know and is no field, and why.
const NO_FIELDS: [(&str, &str, &str); 2] = [
    ("POST /knowledge/search", "meta", "its parts are the fields `limit` and `page`"),
    ("POST /teams/{team_id}/runs", "monitor", "the server takes it and does nothing with it"),
];

/// The fields that no document knows.
fn undocumented(name: &str) -> &'static [&'static str] {
    match name {
        // The server reads these from the form as it came; the last two are not sent.
        "run_agent" | "run_team" | "run_workflow" => &[
            "run_id",
            "session_state",
            "dependencies",
            "metadata",
            "knowledge_filters",
            "output_schema",
            "use_json_schema",
            "images",
            "audio",
            "videos",
            "wait",
            "poll",
        ],
        // What was decided, out of which the form is made; the last two are not sent.
        "continue_agent_run" | "continue_team_run" => {
            &["run", "confirm", "reject", "results", "wait", "poll"]
        }
        "continue_workflow_run" => {
            &["run", "confirm", "reject", "results", "input", "select", "wait", "poll"]
        }
        // Several requests, of servers that have none for it.
        "clear_session" => &["type", "user_id", "db_id", "strategy"],
        "delete_session" | "delete_sessions" | "delete_memory" | "delete_memories" => &["verify"],
        "upload_knowledge_content" => &["wait", "poll"],
        // The parts of `meta`.
        "search_knowledge" => &["limit", "page"],
        _ => &[],
    }
}

/// The documents by version: operations as `GET /agents`, each with the names in its `query` and its `body`.
fn documents() -> BTreeMap<String, BTreeMap<String, Value>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn place(entry: &Entry) -> String {
    format!("{} {}", entry.spec.method, entry.spec.path)
}

/// The operations of the catalogue by their places. Some have one in common: a kind of upload is a field of one.
fn by_place() -> BTreeMap<String, Vec<&'static Entry>> {
    let mut all: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
    for entry in catalogue() {
        all.entry(place(entry)).or_default().push(entry);
    }
    all
}

fn names<'a>(operation: &'a Value, part: &str) -> impl Iterator<Item = &'a str> {
    operation[part].as_array().into_iter().flatten().map(|name| name.as_str().unwrap())
}

#[test]
fn what_is_to_be_there_is() {
    let missing: Vec<&str> = WANTED.split_whitespace().filter(|name| find(name).is_none()).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_operation_of_agentos_is_in_the_catalogue_or_left_out_for_a_reason() {
    let ours = by_place();
    let mut reasons: BTreeSet<&str> = NOT_OURS.iter().map(|(path, _)| *path).collect();
    for (version, operations) in documents() {
        assert!(operations.len() > 50);
        for place in operations.keys().filter(|place| !ours.contains_key(*place)) {
            let reason = NOT_OURS
                .iter()
                .find(|(path, _)| path == place || path.starts_with('/') && place.contains(path));
            let (path, _) = reason.unwrap_or_else(|| panic!("agno {version} has {place}, the catalogue not"));
            reasons.remove(path);
        }
    }
    assert_eq!(reasons, BTreeSet::new(), "reasons for what is nowhere");
}

#[test]
fn every_parameter_is_a_field_and_goes_where_it_belongs() {
    let ours = by_place();
    for (version, operations) in documents() {
        for (place, operation) in operations {
            let Some(entries) = ours.get(&place) else { continue };
            for (part, in_query) in [("query", true), ("body", false)] {
                for name in names(&operation, part) {
                    let excused =
                        NO_FIELDS.iter().any(|(where_, what, _)| (*where_, *what) == (&place, name));
                    let holders: Vec<_> = entries
                        .iter()
                        .filter(|entry| entry.fields().iter().any(|field| field.name == name))
                        .collect();
                    assert_eq!(holders.is_empty(), excused, "agno {version}: `{name}` of {place}");
                    for entry in holders {
                        let spec = entry.spec;
                        assert_eq!(spec.query.contains(&name), in_query, "{}: `{name}`", spec.name);
                    }
                }
            }
        }
    }
}

#[test]
fn every_field_is_a_parameter_of_some_version_or_listed() {
    let documents = documents();
    for entry in catalogue() {
        let spec = entry.spec;
        let place = place(entry);
        let operations: Vec<&Value> =
            documents.values().filter_map(|document| document.get(&place)).collect();
        let known: BTreeSet<&str> =
            operations.iter().flat_map(|one| names(one, "query").chain(names(one, "body"))).collect();
        let unknown: Vec<&str> = entry
            .fields()
            .iter()
            .map(|field| field.name.as_str())
            .filter(|name| !known.contains(name) && !spec.path.contains(&format!("{{{name}}}")))
            // In the body of workflows, documents are JSON as other media are.
            .filter(|name| (spec.name, *name) != ("run_workflow", "files"))
            .collect();
        assert_eq!(unknown, undocumented(spec.name), "{}", spec.name);
    }
}

#[test]
fn since_when_an_operation_is_there() {
    let numbers =
        |version: &str| -> Vec<u32> { version.split('.').map(|part| part.parse().unwrap()).collect() };
    for (version, operations) in documents() {
        for entry in catalogue() {
            let spec = entry.spec;
            // No version has it: it is made of others.
            if spec.name == "clear_session" {
                continue;
            }
            let there = spec.since.is_none_or(|since| numbers(&version) >= numbers(since));
            assert_eq!(operations.contains_key(&place(entry)), there, "{} in agno {version}", spec.name);
        }
    }
}
