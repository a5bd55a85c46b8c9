//! What a real AgentOS (agno 3.1.10) answered to requests that are no streams, byte for byte: `tests/data/answers.jsonl`
//! holds one of each kind. All of it is read as the type of its operation, and refusals as their message.

use std::collections::{BTreeMap, BTreeSet};

use agentos_run::agentos::{Operation, catalogue, refusal_message};
use agentos_run::agentos::{
    agents, databases, discovery, evals, knowledge, memories, metrics, sessions, teams, traces, workflows,
};
use serde_json::Value;

type Read = fn(&str) -> Result<(), String>;

fn reader<O: Operation>() -> (String, &'static str, Read) {
    let read = |body: &str| {
        let body = if body.is_empty() { "null" } else { body };
        serde_json::from_str::<O::Answer>(body).map(|_| ()).map_err(|error| error.to_string())
    };
    (format!("{} {}", O::SPEC.method, O::SPEC.path), O::SPEC.name, read)
}

macro_rules! readers {
    ($($operation:path,)*) => { vec![$(reader::<$operation>()),*] };
}

/// How the answers of every operation are read.
fn readers() -> Vec<(String, &'static str, Read)> {
    readers![
        discovery::GetConfig,
        discovery::GetInfo,
        discovery::Health,
        agents::ListAgents,
        agents::GetAgent,
        agents::RunAgent,
        agents::ListAgentRuns,
        agents::GetAgentRun,
        agents::ContinueAgentRun,
        agents::CancelAgentRun,
        agents::ResumeAgentRun,
        teams::ListTeams,
        teams::GetTeam,
        teams::RunTeam,
        teams::ListTeamRuns,
        teams::GetTeamRun,
        teams::ContinueTeamRun,
        teams::CancelTeamRun,
        teams::ResumeTeamRun,
        workflows::ListWorkflows,
        workflows::GetWorkflow,
        workflows::RunWorkflow,
        workflows::ListWorkflowRuns,
        workflows::GetWorkflowRun,
        workflows::ContinueWorkflowRun,
        workflows::CancelWorkflowRun,
        workflows::ResumeWorkflowRun,
        sessions::GetSessions,
        sessions::CreateSession,
        sessions::GetSession,
        sessions::GetSessionRuns,
        sessions::GetSessionRun,
        sessions::GetSessionRunPreviews,
        sessions::UpdateSession,
        sessions::RenameSession,
        sessions::ClearSession,
        sessions::DeleteSession,
        sessions::DeleteSessions,
        memories::CreateMemory,
        memories::ListMemories,
        memories::GetMemory,
        memories::UpdateMemory,
        memories::DeleteMemory,
        memories::DeleteMemories,
        memories::GetMemoryTopics,
        memories::GetUserMemoryStats,
        memories::OptimizeMemories,
        knowledge::UploadKnowledgeContent,
        knowledge::ListKnowledgeContent,
        knowledge::GetKnowledgeContent,
        knowledge::GetKnowledgeContentStatus,
        knowledge::UpdateKnowledgeContent,
        knowledge::DeleteKnowledgeContent,
        knowledge::DeleteAllKnowledgeContent,
        knowledge::SearchKnowledge,
        knowledge::GetKnowledgeConfig,
        traces::GetTraces,
        traces::GetTrace,
        traces::GetTraceSessionStats,
        traces::SearchTraces,
        metrics::GetMetrics,
        metrics::RefreshMetrics,
        metrics::GetMetricsRefreshStatus,
        evals::ListEvalRuns,
        evals::GetEvalRun,
        evals::RunEval,
        evals::UpdateEvalRun,
        evals::DeleteEvalRuns,
        databases::MigrateDatabase,
    ]
}

struct Recorded {
    name: String,
    request: String,
    status: u16,
    body: String,
}

fn recorded() -> Vec<Recorded> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/answers.jsonl");
    let all: Vec<Recorded> = std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            let status = line["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap();
            Recorded { name: text("name"), request: text("request"), status, body: text("body") }
        })
        .collect();
    assert!(all.len() > 300);
    all
}

#[test]
fn every_answer_is_read_as_its_type() {
    let mut by_request: BTreeMap<String, Vec<Read>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (request, name, read) in readers() {
        by_request.entry(request).or_default().push(read);
        names.insert(name);
    }
    assert_eq!(names, catalogue().iter().map(|entry| entry.spec.name).collect(), "all of them are here");
    let mut wrong = Vec::new();
    for answer in recorded().iter().filter(|answer| answer.status < 300) {
        for read in &by_request[&answer.request] {
            if let Err(error) = read(&answer.body) {
                wrong.push(format!("{} ({}): {error}", answer.name, answer.request));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn an_answer_that_is_cut_is_none() {
    let readers: BTreeMap<String, Read> =
        readers().into_iter().map(|(request, _, read)| (request, read)).collect();
    for answer in recorded().iter().filter(|answer| answer.status < 300) {
        let body = answer.body.trim_end();
        if !body.starts_with(['{', '[']) {
            continue;
        }
        for part in 1..=8 {
            let mut end = body.len() * part / 9;
            while !body.is_char_boundary(end) {
                end -= 1;
            }
            assert!(readers[&answer.request](&body[..end.max(1)]).is_err(), "{} cut at {end}", answer.name);
        }
    }
}

#[test]
fn every_refusal_has_a_message() {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    for answer in recorded().iter().filter(|answer| answer.status >= 300) {
        let message = refusal_message(answer.status, &headers, answer.body.as_bytes());
        assert!(!message.is_empty() && message != answer.body, "{}: {message}", answer.name);
        let detail: Value = serde_json::from_str(&answer.body).unwrap();
        match &detail["detail"] {
            Value::String(text) => assert!(message.contains(text.as_str()), "{}: {message}", answer.name),
            // What the validation of fields says names each of them.
            Value::Array(problems) => {
                for problem in problems {
                    let said = problem["msg"].as_str().unwrap();
                    assert!(message.contains(said), "{}: {message}", answer.name);
                }
            }
            other => panic!("{}: {other}", answer.name),
        }
    }
}
