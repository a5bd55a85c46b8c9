//! Operations against the real AgentOS that all tests share; each test makes sessions of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

use agentos_run::agentos::agents::{GetAgent, GetAgentRun, ListAgentRuns, ListAgents, RunAgent};
use agentos_run::agentos::discovery::{GetConfig, GetInfo, Health};
use agentos_run::agentos::run::failure_of;
use agentos_run::agentos::sessions::{
    ClearSession, ClearStrategy, CreateSession, DeleteSession, DeleteSessions, GetSession, GetSessionRun,
    GetSessionRunPreviews, GetSessionRuns, GetSessions, RenameSession, SessionType, UpdateSession,
};
use agentos_run::agentos::teams::{GetTeam, ListTeams, RunTeam};
use agentos_run::agentos::workflows::{GetWorkflow, ListWorkflows, RunWorkflow};
use agentos_run::agentos::{CallOptions, Client, ErrorKind, Exchange, Operation, find};
use serde_json::{Map, Value, json};

use crate::common::agentos::{Settings, agentos, at_least};

fn client() -> Client {
    Client::builder(agentos().base_url()).build().unwrap()
}

pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    format!("cli-{what}-{now}-{count}")
}

pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        other => panic!("{other}"),
    }
}

async fn raw<O: Operation>(client: &Client, operation: &O) -> Exchange {
    operation.execute(client, &CallOptions::default()).await.unwrap()
}

#[tokio::test]
async fn discovery() {
    let client = client();
    assert_eq!(client.send(&Health::default()).await.unwrap().status, "ok");
    let config = client.send(&GetConfig::default()).await.unwrap();
    assert!(!config.agents.is_empty());
    // Since 2.5.13; the version of agno is in it since 2.6.
    if at_least(2, 6) {
        let info = client.send(&GetInfo::default()).await.unwrap();
        assert!(info.agno_version.is_some());
        // 2.6 does not say whose it is.
        if at_least(3, 0) {
            assert_eq!(info.os_id.as_deref(), Some(config.os_id.as_str()));
        }
    }
    let agents = client.send(&ListAgents::default()).await.unwrap();
    assert_eq!(agents.len(), config.agents.len());
    let agent = client.send(&GetAgent { agent_id: "assistant".into() }).await.unwrap();
    assert_eq!(agent.id.as_deref(), Some("assistant"));
    assert!(!client.send(&ListTeams::default()).await.unwrap().is_empty());
    assert!(client.send(&GetTeam { team_id: "duo".into() }).await.unwrap().members.is_some());
    assert!(!client.send(&ListWorkflows::default()).await.unwrap().is_empty());
    let workflow = GetWorkflow { workflow_id: "pipeline".into(), ..GetWorkflow::default() };
    assert!(client.send(&workflow).await.unwrap().steps.is_some());
    let error = client.send(&GetAgent { agent_id: "nobody".into() }).await.unwrap_err();
    assert_eq!(error.to_string(), "the server refused with 404: Agent not found");
}

#[tokio::test]
async fn runs() {
    let client = client();
    let session = unique("run");
    let run = RunAgent {
        agent_id: "assistant".into(),
        message: "hello & good = day\n".into(),
        session_id: Some(session.clone()),
        user_id: some("cli-u"),
        session_state: map(json!({"n": 1})),
        ..RunAgent::default()
    };
    let answer = client.send(&run).await.unwrap();
    assert_eq!(answer.status.as_deref(), Some("COMPLETED"));
    assert_eq!(answer.session_id.as_deref(), Some(session.as_str()));
    assert_eq!(answer.session_state, Some(json!({"n": 1})));
    let run_id = answer.run_id.unwrap();
    if at_least(2, 5) {
        let get =
            GetAgentRun { agent_id: "assistant".into(), run_id: run_id.clone(), session_id: session.clone() };
        assert_eq!(client.send(&get).await.unwrap().content, answer.content);
        let list = ListAgentRuns { agent_id: "assistant".into(), session_id: session.clone(), status: None };
        assert_eq!(client.send(&list).await.unwrap()[0].run_id, run_id);
    }
    let one =
        GetSessionRun { session_id: session.clone(), run_id: run_id.clone(), ..GetSessionRun::default() };
    let stored = client.send(&one).await.unwrap();
    assert_eq!(stored.run_input.as_deref(), Some(run.message.as_str()));
    // Since 3.1.4, and the filter by status since 3.
    if at_least(3, 1) {
        let previews =
            GetSessionRunPreviews { session_id: session.clone(), ..GetSessionRunPreviews::default() };
        assert_eq!(client.send(&previews).await.unwrap()[0].run_id, run_id);
        let none = GetSessionRuns {
            session_id: session.clone(),
            status: Some(vec!["ERROR".into(), "PAUSED".into()]),
            ..GetSessionRuns::default()
        };
        assert!(client.send(&none).await.unwrap().is_empty());
    }

    let empty = raw(&client, &RunAgent { agent_id: "assistant".into(), ..RunAgent::default() }).await;
    assert_eq!((empty.status, empty.refusal()), (422, "body.message: Field required".to_owned()));

    let broken = RunAgent {
        agent_id: "broken".into(),
        message: "go".into(),
        session_id: Some(unique("go")),
        ..RunAgent::default()
    };
    let body = raw(&client, &broken).await.json().unwrap();
    assert_eq!(failure_of(&body, false).as_deref(), Some("the run failed: offline: model provider failed"));
    let team = RunTeam {
        team_id: "broken-team".into(),
        message: "go".into(),
        session_id: Some(unique("go")),
        ..RunTeam::default()
    };
    let body = raw(&client, &team).await.json().unwrap();
    assert_eq!(failure_of(&body, false).as_deref(), Some("the run failed: offline: model provider failed"));
    let flow = RunWorkflow {
        workflow_id: "broken-flow".into(),
        message: "go".into(),
        session_id: Some(unique("go")),
        ..RunWorkflow::default()
    };
    let body = raw(&client, &flow).await.json().unwrap();
    // Before 2.6, a failed step is called a success, and only the run within it tells.
    let step = if at_least(2, 6) { "step `boom` failed" } else { "a step failed: the run of `Broken`" };
    assert_eq!(failure_of(&body, false), Some(format!("{step}: offline: model provider failed")));
    assert_eq!(failure_of(&body, true), None);
    for (team, flow) in [("duo", "pipeline")] {
        let team = RunTeam {
            team_id: team.into(),
            message: "go".into(),
            session_id: Some(unique("go")),
            ..RunTeam::default()
        };
        assert_eq!(failure_of(&raw(&client, &team).await.json().unwrap(), false), None);
        let flow = RunWorkflow {
            workflow_id: flow.into(),
            message: "go".into(),
            session_id: Some(unique("go")),
            ..RunWorkflow::default()
        };
        assert_eq!(failure_of(&raw(&client, &flow).await.json().unwrap(), false), None);
    }
    // Since 3, page 0 is an unhandled error, after which the server closes the connection without a word.
    if at_least(3, 0) {
        for _ in 0..3 {
            let page = GetSessions { page: Some(0), ..GetSessions::default() };
            assert_eq!(raw(&client, &page).await.status, 500);
            client.send(&run).await.unwrap();
        }
    }
}

#[tokio::test]
async fn sessions() {
    let client = client();
    let id = unique("crud");
    let user = unique("user");
    let create = CreateSession {
        session_id: Some(id.clone()),
        session_name: some("First"),
        user_id: Some(user.clone()),
        team_id: some("duo"),
        session_state: map(json!({"a": {"b": [1, null, "ä"]}})),
        metadata: map(json!({"m": true})),
        ..CreateSession::default()
    };
    let made = client.send(&create).await.unwrap();
    assert_eq!((made.session_id.as_str(), made.team_id.as_deref()), (id.as_str(), Some("duo")));
    let again = raw(&client, &create).await;
    assert_eq!(again.status, 409);
    // What we say in the server's place is what it says itself; before 2.7.4, it overwrites the session instead.
    if at_least(3, 0) {
        let theirs = client.exchange(&create.call().unwrap(), &CallOptions::default()).await.unwrap();
        assert_eq!((theirs.status, theirs.json()), (409, again.json()));
    }

    // Before 2.6, what has no type is an agent's.
    let team = Some(SessionType::Team);
    let read = |id: &str| GetSession { session_id: id.to_owned(), r#type: team, ..GetSession::default() };
    let renamed = RenameSession {
        session_id: id.clone(),
        session_name: "Second".into(),
        r#type: team,
        ..RenameSession::default()
    };
    assert_eq!(client.send(&renamed).await.unwrap().session_name.as_deref(), Some("Second"));
    let updated = UpdateSession {
        session_id: id.clone(),
        r#type: team,
        session_state: map(json!({"x": 1})),
        ..UpdateSession::default()
    };
    client.send(&updated).await.unwrap();
    let session = client.send(&read(&id)).await.unwrap();
    assert_eq!(session.session_state, map(json!({"x": 1})));
    assert_eq!(
        (session.session_name.as_deref(), session.metadata),
        (Some("Second"), map(json!({"m": true})))
    );

    let list = GetSessions {
        user_id: Some(user.clone()),
        r#type: Some(SessionType::Team),
        limit: Some(1),
        ..GetSessions::default()
    };
    let page = client.send(&list).await.unwrap();
    assert_eq!((page.data[0].session_id.as_str(), page.meta.total_count), (id.as_str(), Some(1)));

    let foreign = DeleteSession {
        session_id: id.clone(),
        user_id: some("cli-other"),
        verify: true,
        ..DeleteSession::default()
    };
    // Before 2.5, agno deletes the sessions of others too.
    if at_least(2, 5) {
        let error = client.send(&foreign).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Unconfirmed(_)), "{error}");
    }
    let delete = DeleteSession { session_id: id.clone(), verify: true, ..DeleteSession::default() };
    client.send(&delete).await.unwrap();
    assert_eq!(raw(&client, &read(&id)).await.status, 404);

    let ids = [unique("bulk"), unique("bulk")];
    for id in &ids {
        client
            .send(&CreateSession { session_id: Some(id.clone()), ..CreateSession::default() })
            .await
            .unwrap();
    }
    let bulk = DeleteSessions { session_ids: ids.to_vec(), verify: true, ..DeleteSessions::default() };
    client.send(&bulk).await.unwrap();
    let uneven = DeleteSessions { session_types: Some(vec![SessionType::Agent; 3]), ..bulk };
    assert_eq!(raw(&client, &uneven).await.status, 400);
}

#[tokio::test]
async fn clearing() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::builder(agentos().base_url()).recovery_dir(folder.path()).build().unwrap();
    for (kind, component) in
        [(SessionType::Agent, "assistant"), (SessionType::Team, "duo"), (SessionType::Workflow, "pipeline")]
    {
        for (name, user) in [(None, None), (some("100% _named_"), some("cli-u"))] {
            let id = unique("clear");
            let component = |wanted: SessionType| (kind == wanted).then(|| component.to_owned());
            let create = CreateSession {
                session_id: Some(id.clone()),
                session_name: name.clone(),
                user_id: user.clone(),
                agent_id: component(SessionType::Agent),
                team_id: component(SessionType::Team),
                workflow_id: component(SessionType::Workflow),
                session_state: map(json!({"kept": [1, 2.0, null]})),
                metadata: map(json!({"also": {"kept": true}})),
                ..CreateSession::default()
            };
            client.send(&create).await.unwrap();
            let operation = format!("run_{}", kind.as_str());
            let mut fields = map(json!({"message": "the first", "session_id": id})).unwrap();
            fields.insert(kind.component_field().to_owned(), json!(component(kind)));
            fields.extend(user.clone().map(|user| ("user_id".to_owned(), json!(user))));
            let run = find(&operation).unwrap().parse(fields).unwrap();
            assert_eq!(run.execute(&client, &CallOptions::default()).await.unwrap().status, 200);
            let read = GetSession { session_id: id.clone(), r#type: Some(kind), ..GetSession::default() };
            let before = client.send(&read).await.unwrap();

            let clear = ClearSession { session_id: id.clone(), ..ClearSession::default() };
            let exchange = raw(&client, &clear).await;
            assert_eq!(exchange.status, 200, "{}", exchange.refusal());
            assert_eq!(exchange.notes.len(), if name.is_some() { 1 } else { 2 }, "{:?}", exchange.notes);
            let after = client.send(&read).await.unwrap();
            assert_eq!(after.session_name.unwrap_or_default(), name.clone().unwrap_or_default());
            assert_eq!(after.session_state, before.session_state);
            assert_eq!(after.metadata, before.metadata);
            assert_eq!((after.user_id, after.agent_id), (before.user_id, before.agent_id));
            assert_eq!((after.team_id, after.workflow_id), (before.team_id, before.workflow_id));
            let runs =
                GetSessionRuns { session_id: id.clone(), r#type: Some(kind), ..GetSessionRuns::default() };
            assert!(client.send(&runs).await.unwrap().is_empty());
            let delete = DeleteSession { session_id: id, verify: true, ..DeleteSession::default() };
            client.send(&delete).await.unwrap();
        }
    }
    let unknown = ClearSession { session_id: unique("nowhere"), ..ClearSession::default() };
    assert_eq!(raw(&client, &unknown).await.status, 404);
    let endpoint = ClearSession { strategy: ClearStrategy::Endpoint, ..unknown };
    assert_eq!(raw(&client, &endpoint).await.refusal(), "Not Found");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn pauses() {
    // Teams and workflows are continued since 2.6; what waits in a team of 2.3 is not told.
    if !at_least(2, 6) {
        return;
    }
    super::decisions::pauses(agentos().base_url()).await;
}

#[tokio::test]
async fn background() {
    // 2.3 does not know `background`: it answers as if it were not there.
    if !at_least(2, 5) {
        return;
    }
    super::decisions::background(agentos().base_url()).await;
}

#[tokio::test]
async fn memories() {
    // The topics of memories that were made by hand are not listed on 2.3.
    if !at_least(2, 6) {
        return;
    }
    super::records::memories(agentos().base_url()).await;
}

#[tokio::test]
async fn traces() {
    // On 2.3.26 the traces of a run are not found by its id.
    if !at_least(2, 6) {
        return;
    }
    let server = Settings::default().tracing().start();
    super::records::traces(server.base_url()).await;
}

#[tokio::test]
async fn metrics() {
    // Metrics are refreshed in the background since 2.8.6.
    if !at_least(2, 9) {
        return;
    }
    super::records::metrics(agentos().base_url()).await;
}

#[tokio::test]
async fn evals() {
    super::records::evals(agentos().base_url()).await;
    super::records::accuracy(agentos().base_url()).await;
}

#[tokio::test]
async fn databases() {
    super::records::databases(agentos().base_url()).await;
}

#[tokio::test]
async fn media() {
    // 2.6 answers 500: the media of the form meet those of the files as one argument twice.
    if !at_least(3, 0) {
        return;
    }
    super::files::media(agentos().base_url()).await;
}

#[tokio::test]
async fn knowledge() {
    // Before 3, a search has other fields, and what is uploaded other ids.
    if !at_least(3, 0) {
        return;
    }
    super::files::knowledge(Settings::default().full().start().base_url()).await;
}
