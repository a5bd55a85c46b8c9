//! Memories, traces, metrics, evaluations and databases of a real AgentOS.

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::databases::MigrateDatabase;
use agentos_run::agentos::discovery::GetConfig;
use agentos_run::agentos::evals::{
    DeleteEvalRuns, EvalType, GetEvalRun, ListEvalRuns, RunEval, UpdateEvalRun,
};
use agentos_run::agentos::memories::{
    CreateMemory, DeleteMemories, DeleteMemory, GetMemory, GetMemoryTopics, GetUserMemoryStats, ListMemories,
    OptimizeMemories, UpdateMemory,
};
use agentos_run::agentos::metrics::{GetMetrics, GetMetricsRefreshStatus, RefreshMetrics};
use agentos_run::agentos::traces::{GetTrace, GetTraceSessionStats, GetTraces, GroupBy, SearchTraces};
use agentos_run::agentos::{Client, ErrorKind};
use serde_json::{Value, json};

use super::live::{some, unique};

fn client(base: &str) -> Client {
    Client::builder(base).build().unwrap()
}

pub(crate) async fn memories(base: &str) {
    let client = client(base);
    let user = unique("mem");
    let create = |memory: &str, topics: &[&str]| CreateMemory {
        memory: memory.to_owned(),
        user_id: Some(user.clone()),
        topics: Some(topics.iter().map(|topic| (*topic).to_owned()).collect()),
        ..CreateMemory::default()
    };
    let tea = client.send(&create("Likes green tea", &["drinks", "taste"])).await.unwrap();
    let cake = client.send(&create("Likes cake", &["food", "taste"])).await.unwrap();
    let list = |topics: &[&str]| ListMemories {
        user_id: Some(user.clone()),
        topics: Some(topics.iter().map(|topic| (*topic).to_owned()).collect()),
        ..ListMemories::default()
    };
    let found = client.send(&list(&["taste", "drinks"])).await.unwrap();
    assert_eq!(
        found.data.iter().map(|memory| memory.memory_id.as_str()).collect::<Vec<_>>(),
        [tea.memory_id.as_str()]
    );
    assert_eq!(client.send(&list(&["taste"])).await.unwrap().meta.total_count, Some(2));
    let search =
        ListMemories { user_id: Some(user.clone()), search_content: some("CAKE"), ..ListMemories::default() };
    assert_eq!(client.send(&search).await.unwrap().data[0].memory_id, cake.memory_id);
    let update = UpdateMemory {
        memory_id: tea.memory_id.clone(),
        memory: "Likes black tea".into(),
        user_id: Some(user.clone()),
        ..UpdateMemory::default()
    };
    client.send(&update).await.unwrap();
    let get = |id: &str, user: Option<&str>| GetMemory {
        memory_id: id.to_owned(),
        user_id: user.map(str::to_owned),
        ..GetMemory::default()
    };
    let read = client.send(&get(&tea.memory_id, Some(&user))).await.unwrap();
    assert_eq!(read.memory.as_deref(), Some("Likes black tea"));
    assert!(client.send(&get(&tea.memory_id, Some("nobody"))).await.is_err());
    let topics = GetMemoryTopics { user_id: Some(user.clone()), ..GetMemoryTopics::default() };
    assert!(client.send(&topics).await.unwrap().contains(&"food".to_owned()));
    let stats = GetUserMemoryStats { user_id: Some(user.clone()), ..GetUserMemoryStats::default() };
    assert_eq!(client.send(&stats).await.unwrap().data[0]["total_memories"], 2);
    let nobody = OptimizeMemories { user_id: unique("nobody"), ..OptimizeMemories::default() };
    let error = client.send(&nobody).await.unwrap_err();
    assert!(error.to_string().starts_with("the server refused with 404"), "{error}");

    // Another user deletes nothing, and the server says that he did.
    let others = DeleteMemory {
        memory_id: tea.memory_id.clone(),
        user_id: some("nobody"),
        verify: true,
        ..DeleteMemory::default()
    };
    let error = client.send(&others).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unconfirmed(_)), "{error:?}");
    client.send(&DeleteMemory { user_id: Some(user.clone()), ..others }).await.unwrap();
    assert!(client.send(&get(&tea.memory_id, None)).await.is_err());
    let rest = DeleteMemories {
        memory_ids: vec![cake.memory_id.clone()],
        verify: true,
        ..DeleteMemories::default()
    };
    client.send(&rest).await.unwrap();
    assert!(client.send(&get(&cake.memory_id, None)).await.is_err());
}

/// Needs a server with tracing.
pub(crate) async fn traces(base: &str) {
    let client = client(base);
    let (session, user) = (unique("traced"), unique("tracy"));
    let run = RunAgent {
        agent_id: "toolbox".into(),
        message: "add 2 and 3".into(),
        session_id: Some(session.clone()),
        user_id: Some(user.clone()),
        ..RunAgent::default()
    };
    let run_id = client.send(&run).await.unwrap().run_id;
    let traces = client.send(&GetTraces { run_id: run_id.clone(), ..GetTraces::default() }).await.unwrap();
    let trace = &traces.data[0];
    assert_eq!((trace.status.as_deref(), trace.session_id.as_deref()), (Some("OK"), Some(session.as_str())));
    let whole = GetTrace { trace_id: trace.trace_id.clone(), ..GetTrace::default() };
    let tree = client.send(&whole).await.unwrap();
    let span_id = tree["tree"][0]["id"].as_str().unwrap().to_owned();
    let span = client.send(&GetTrace { span_id: Some(span_id.clone()), ..whole }).await.unwrap();
    assert_eq!(span["id"], span_id.as_str());
    let stats = GetTraceSessionStats { user_id: Some(user.clone()), ..GetTraceSessionStats::default() };
    assert_eq!(client.send(&stats).await.unwrap().data[0]["session_id"], session.as_str());
    let filter = json!({"op": "EQ", "key": "session_id", "value": session}).as_object().cloned();
    let search = SearchTraces { filter, limit: Some(5), ..SearchTraces::default() };
    assert_eq!(client.send(&search).await.unwrap().data[0]["trace_id"], trace.trace_id.as_str());
    let grouped = client.send(&SearchTraces { group_by: Some(GroupBy::Session), ..search }).await.unwrap();
    assert_eq!(grouped.data[0]["total_traces"], 1);
}

pub(crate) async fn metrics(base: &str) {
    let client = client(base);
    let run = RunAgent {
        agent_id: "assistant".into(),
        message: "count me".into(),
        session_id: Some(unique("metrics")),
        ..RunAgent::default()
    };
    client.send(&run).await.unwrap();
    let days = client.send(&RefreshMetrics::default()).await.unwrap();
    assert!(days.as_array().is_some_and(|days| !days.is_empty()), "{days}");
    let metrics = client.send(&GetMetrics::default()).await.unwrap();
    assert!(metrics["metrics"][0]["agent_runs_count"].as_u64().unwrap() > 0, "{metrics}");
    let past = GetMetrics {
        starting_date: some("2001-01-01"),
        ending_date: some("2001-01-02"),
        ..GetMetrics::default()
    };
    assert_eq!(client.send(&past).await.unwrap()["metrics"], json!([]));
    let background = RefreshMetrics { background: Some(true), ..RefreshMetrics::default() };
    assert_eq!(client.send(&background).await.unwrap()["status"], "started");
    let status = client.send(&GetMetricsRefreshStatus::default()).await.unwrap();
    assert!(status["status"].is_string());
}

pub(crate) async fn evals(base: &str) {
    let client = client(base);
    let eval = RunEval {
        eval_type: EvalType::Reliability,
        input: "add 2 and 3".into(),
        agent_id: some("toolbox"),
        expected_tool_calls: Some(vec!["add".into()]),
        ..RunEval::default()
    };
    let run = client.send(&eval).await.unwrap().unwrap();
    assert_eq!(run.eval_data.unwrap()["eval_status"], "PASSED");
    let name = unique("eval");
    let rename =
        UpdateEvalRun { eval_run_id: run.id.clone(), name: name.clone(), ..UpdateEvalRun::default() };
    client.send(&rename).await.unwrap();
    let get = GetEvalRun { eval_run_id: run.id.clone(), ..GetEvalRun::default() };
    assert_eq!(client.send(&get).await.unwrap().name, Some(name));
    let list = ListEvalRuns {
        eval_types: Some(vec![EvalType::Reliability, EvalType::Performance]),
        agent_id: some("toolbox"),
        ..ListEvalRuns::default()
    };
    assert!(client.send(&list).await.unwrap().data.iter().any(|eval| eval.id == run.id));
    let others = ListEvalRuns { eval_types: Some(vec![EvalType::Accuracy]), ..ListEvalRuns::default() };
    assert!(client.send(&others).await.unwrap().data.iter().all(|eval| eval.id != run.id));
    client.send(&DeleteEvalRuns { eval_run_ids: vec![run.id], ..DeleteEvalRuns::default() }).await.unwrap();
    assert!(client.send(&get).await.is_err());
}

/// Whether an answer is the one expected is judged by a model: here by that of the agent itself, which agno takes where it
/// is named.
pub(crate) async fn accuracy(base: &str) {
    let client = client(base);
    let mut eval = RunEval {
        eval_type: EvalType::Accuracy,
        input: "my name is Ada".into(),
        expected_output: some("Nice to meet you, Ada!"),
        agent_id: some("assistant"),
        model_id: some("offline-1"),
        model_provider: some("Offline"),
        num_iterations: Some(2),
        additional_guidelines: some("The greeting counts."),
        ..RunEval::default()
    };
    let right = client.send(&eval).await.unwrap().unwrap();
    let data = right.eval_data.unwrap();
    assert_eq!(
        (data["avg_score"].as_f64(), data["results"].as_array().unwrap().len()),
        (Some(10.0), 2),
        "{data:?}"
    );
    assert_eq!(data["results"][0]["reason"], "it is there");
    eval.expected_output = some("Goodbye");
    eval.num_iterations = None;
    let wrong = client.send(&eval).await.unwrap().unwrap();
    assert_eq!(wrong.eval_data.unwrap()["avg_score"].as_f64(), Some(2.0));
    let list = ListEvalRuns { eval_types: Some(vec![EvalType::Accuracy]), ..ListEvalRuns::default() };
    let stored = client.send(&list).await.unwrap().data;
    assert!([&right.id, &wrong.id].iter().all(|id| stored.iter().any(|eval| eval.id == **id)));
    let eval_run_ids = vec![right.id, wrong.id];
    client.send(&DeleteEvalRuns { eval_run_ids, ..DeleteEvalRuns::default() }).await.unwrap();
}

pub(crate) async fn databases(base: &str) {
    let client = client(base);
    let config = client.send(&GetConfig::default()).await.unwrap();
    let db_id = config.databases[0].clone();
    let done = client.send(&MigrateDatabase { db_id, ..MigrateDatabase::default() }).await.unwrap();
    assert!(done["message"].as_str().is_some_and(|text| text.contains("migrated")), "{done}");
    let unknown = MigrateDatabase { db_id: "none".into(), ..MigrateDatabase::default() };
    assert!(client.send(&unknown).await.is_err());
}

#[test]
fn lists_within_one_value_of_the_query() {
    let call = |fields: Value| {
        let operation = agentos_run::agentos::find("list_memories").unwrap();
        operation.parse(fields.as_object().unwrap().clone()).unwrap().call()
    };
    let sent = call(json!({"topics": ["a", "b c"]})).unwrap();
    assert_eq!(sent.query, [("topics".to_owned(), "a,b c".to_owned())]);
    let error = call(json!({"topics": ["a,b"]})).unwrap_err();
    assert_eq!(error.to_string(), "`topics`: `a,b` has a comma, which separates entries");
}
