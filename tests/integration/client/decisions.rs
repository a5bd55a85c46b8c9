//! Decisions of paused runs, as they are sent; and paused, background and resumed runs of a real AgentOS.

use std::time::Duration;

use agentos_run::agentos::agents::{CancelAgentRun, ContinueAgentRun, GetAgentRun, ResumeAgentRun, RunAgent};
use agentos_run::agentos::teams::{ContinueTeamRun, RunTeam};
use agentos_run::agentos::workflows::{ContinueWorkflowRun, RunWorkflow};
use agentos_run::agentos::{Call, Client, Error, ErrorKind, Operation, Payload, Poll, RunRef, find};
use serde_json::{Map, Value, json};

use super::live::unique;

fn call(operation: &str, fields: Value) -> Result<Call, Error> {
    let Value::Object(fields) = fields else { panic!("{fields}") };
    find(operation).unwrap().parse(fields)?.call()
}

fn form(call: &Call) -> Map<String, Value> {
    let Payload::Form(pairs) = &call.payload else { panic!("{call:?}") };
    pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// The objects of a field of the form.
fn sent(operation: &str, fields: Value, field: &str) -> Value {
    let call = call(operation, fields).unwrap();
    serde_json::from_str(form(&call)[field].as_str().unwrap()).unwrap()
}

fn recorded(name: &str) -> Value {
    let path = format!("{}/tests/data/streams/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn refused(operation: &str, fields: Value) -> String {
    let error = call(operation, fields).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Invalid(_)), "{error:?}");
    error.to_string()
}

fn tool(name: &str, fields: Value) -> Value {
    let mut tool =
        json!({"tool_call_id": format!("call-{name}"), "tool_name": name, "result": null, "confirmed": null});
    tool.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    tool
}

fn several() -> Value {
    json!({"run_id": "r", "session_id": "s", "user_id": "u", "status": "PAUSED", "tools": [
        tool("done", json!({"result": "x"})),
        tool("delete", json!({"requires_confirmation": true})),
        tool("pay", json!({"requires_confirmation": true})),
        tool("shell", json!({"external_execution_required": true})),
        tool("mail", json!({"requires_user_input": true, "user_input_schema": [
            {"name": "subject", "value": "Hello"}, {"name": "to", "value": null}]})),
    ]})
}

#[test]
fn a_confirmation_sends_the_whole_tool_back() {
    let run = recorded("agent-paused");
    let sent_call =
        call("continue_agent_run", json!({"agent_id": "confirmer", "run": run, "confirm": true})).unwrap();
    assert_eq!(
        sent_call.path,
        format!("/agents/confirmer/runs/{}/continue", run["run_id"].as_str().unwrap())
    );
    let form = form(&sent_call);
    assert_eq!((&form["session_id"], &form["stream"]), (&run["session_id"], &json!("false")));
    assert_eq!(form["replace_original"], "");
    let names: Vec<&String> = form.keys().collect();
    assert_eq!(names, ["session_id", "tools", "stream", "replace_original"]);
    let tools: Value = serde_json::from_str(form["tools"].as_str().unwrap()).unwrap();
    let mut expected = run["tools"].clone();
    expected[0]["confirmed"] = json!(true);
    assert_eq!(tools, expected);
    let rejected = json!({"agent_id": "confirmer", "run": run, "reject": "too risky"});
    let tools = sent("continue_agent_run", rejected, "tools");
    assert_eq!(
        (&tools[0]["confirmed"], &tools[0]["confirmation_note"]),
        (&json!(false), &json!("too risky"))
    );
    let tools = sent("continue_agent_run", json!({"agent_id": "a", "run": run, "confirm": false}), "tools");
    assert_eq!((&tools[0]["confirmed"], &tools[0]["confirmation_note"]), (&json!(false), &json!(null)));
}

#[test]
fn decisions_can_differ_per_tool() {
    let tools = sent(
        "continue_agent_run",
        json!({"agent_id": "a", "run": several(), "confirm": ["delete"], "reject": {"call-pay": "no money"},
            "results": {"shell": {"exit": 0}}, "input": {"to": "bob@example.com"}}),
        "tools",
    );
    assert_eq!(tools[0], several()["tools"][0]);
    assert_eq!((&tools[1]["confirmed"], &tools[2]["confirmed"]), (&json!(true), &json!(false)));
    assert_eq!(tools[2]["confirmation_note"], "no money");
    assert_eq!(tools[3]["result"], "{\"exit\":0}");
    let schema = json!([{"name": "subject", "value": "Hello"}, {"name": "to", "value": "bob@example.com"}]);
    assert_eq!((&tools[4]["user_input_schema"], &tools[4]["answered"]), (&schema, &json!(true)));
    // One of several, and a reason for the others.
    let given = json!({"agent_id": "a", "run": several(), "confirm": ["pay"], "reject": "no",
        "results": {"shell": ""}, "input": {"to": "b", "subject": "c"}});
    let tools = sent("continue_agent_run", given, "tools");
    assert_eq!((&tools[1]["confirmed"], &tools[2]["confirmed"]), (&json!(false), &json!(true)));
}

#[test]
fn what_is_wrong_or_left_out_is_said() {
    let waiting = "what waits: `delete` for its confirmation, `pay` for its confirmation, `shell` for its result, `mail` for its input";
    let with = |fields: Value| {
        let mut all = json!({"agent_id": "a", "run": several()});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        refused("continue_agent_run", all)
    };
    assert_eq!(
        with(json!({"results": {"shel": "x"}})),
        format!("`results` names `shel`, which waits for no result: {waiting}")
    );
    assert_eq!(
        with(json!({"confirm": ["shell"]})),
        format!("`confirm` names `shell`, which waits for no confirmation: {waiting}")
    );
    assert_eq!(
        with(json!({"confirm": ["pay"]})),
        "`delete` waits for its confirmation, and nothing is said about it: `confirm: true` or `reject: \"the reason\"` is missing"
    );
    assert!(with(json!({"confirm": true})).contains("`shell` waits for its result"));
    assert!(
        with(json!({"confirm": true, "results": {"shell": "x"}}))
            .contains("`input: { subject: ..., to: ... }` is missing")
    );
    assert!(
        with(json!({"confirm": true, "results": {"shell": "x"}, "input": {"subject": "x"}}))
            .contains("`to` within `input`")
    );
    assert_eq!(with(json!({"input": {"too": "x"}})), "`input` has no field `too`: asked for subject, to");
    assert!(with(json!({"confirm": true, "reject": "no"})).contains("contradict"));
    assert!(with(json!({})).contains("`delete` waits for its confirmation"));
    assert!(with(json!({"input": 5})).contains("`input` must be"));
    let ended = json!({"run_id": "r", "session_id": "s", "tools": []});
    assert_eq!(
        refused("continue_agent_run", json!({"agent_id": "a", "run": ended, "confirm": true})),
        "nothing waits for the confirmation that `confirm` gives: this run waits for nothing"
    );
    assert_eq!(
        refused("continue_agent_run", json!({"agent_id": "a", "confirm": true})),
        "which run is decided of? Give the answer of the paused run as `run`"
    );
    assert!(refused("continue_agent_run", json!({"agent_id": "a"})).starts_with("which run?"));
    assert!(
        refused("continue_team_run", json!({"team_id": "t", "run": {"run_id": "r"}, "confirm": true}))
            .contains("no `requirements`")
    );
    // What is given whole is sent as it is.
    let raw = json!({"agent_id": "a", "run_id": "r", "tools": several()["tools"]});
    assert_eq!(sent("continue_agent_run", raw, "tools"), several()["tools"]);
    // A run that has ended goes on with a message.
    let on = call(
        "continue_agent_run",
        json!({"agent_id": "a", "run": {"run_id": "r", "session_id": "s"}, "input": "go on"}),
    )
    .unwrap();
    assert_eq!(form(&on)["input"], "go on");
}

#[test]
fn requirements_of_teams_and_steps() {
    let run = recorded("team-paused");
    let sent_back = sent(
        "continue_team_run",
        json!({"team_id": "t", "run": run, "confirm": ["delete_file"]}),
        "requirements",
    );
    let mut expected = run["requirements"].clone();
    expected[0]["tool_execution"]["confirmed"] = json!(true);
    expected[0]["confirmation"] = json!(true);
    assert_eq!(sent_back, expected);
    let sent_back =
        sent("continue_team_run", json!({"team_id": "t", "run": run, "reject": "no"}), "requirements");
    assert_eq!(sent_back[0]["tool_execution"]["confirmation_note"], "no");
    let run = recorded("workflow-paused");
    let sent_back = sent(
        "continue_workflow_run",
        json!({"workflow_id": "w", "run": run, "confirm": true}),
        "step_requirements",
    );
    let mut expected = run["step_requirements"].clone();
    expected[0]["confirmed"] = json!(true);
    assert_eq!(sent_back, expected);
    let sent_back = sent(
        "continue_workflow_run",
        json!({"workflow_id": "w", "run": run, "reject": {"publish": "weak"}}),
        "step_requirements",
    );
    assert_eq!(
        (&sent_back[0]["confirmed"], &sent_back[0]["rejection_feedback"]),
        (&json!(false), &json!("weak"))
    );
    let steps = json!({"run_id": "r", "session_id": "s", "step_requirements": [
        {"step_id": "1", "step_name": "ask", "requires_user_input": true, "user_input_schema": [{"name": "topic"}]},
        {"step_id": "2", "step_name": "route", "requires_route_selection": true, "available_choices": ["a", "b"]},
        {"step_id": "3", "step_name": "agent", "requires_executor_input": true, "executor_requirements": [
            {"id": "q", "tool_execution": tool("delete", json!({"requires_confirmation": true}))}]},
    ]});
    let given = json!({"workflow_id": "w", "run": steps, "input": {"topic": "tea"}, "select": ["a"], "confirm": ["delete"]});
    let sent_back = sent("continue_workflow_run", given, "step_requirements");
    assert_eq!(
        (&sent_back[0]["user_input"], &sent_back[1]["selected_choices"]),
        (&json!({"topic": "tea"}), &json!(["a"]))
    );
    assert_eq!(sent_back[2]["executor_requirements"][0]["tool_execution"]["confirmed"], true);
    let call = call(
        "continue_workflow_run",
        json!({"workflow_id": "w", "run": recorded("workflow-paused"), "confirm": true}),
    )
    .unwrap();
    assert!(!form(&call).contains_key("replace_original"));
}

fn agent(id: &str, message: &str) -> RunAgent {
    RunAgent {
        agent_id: id.into(),
        message: message.into(),
        session_id: Some(unique("hitl")),
        ..RunAgent::default()
    }
}

fn map(value: &agentos_run::agentos::Exchange) -> Option<Map<String, Value>> {
    value.json().and_then(|body| body.as_object().cloned())
}

async fn body<O: Operation>(client: &Client, operation: &O) -> Value {
    let exchange = operation.execute(client, &agentos_run::agentos::CallOptions::default()).await.unwrap();
    assert!(exchange.is_success(), "{exchange:?}");
    exchange.json().unwrap()
}

/// Paused runs of a real AgentOS.
pub(crate) async fn pauses(base: &str) {
    let client = Client::builder(base).build().unwrap();
    let options = agentos_run::agentos::CallOptions::default();
    let confirm = Some(serde_json::from_value(json!(true)).unwrap());
    let reject = Some(serde_json::from_value(json!("too risky")).unwrap());
    for stream in [false, true] {
        let paused = RunAgent { stream, ..agent("confirmer", "delete /tmp/a") }
            .execute(&client, &options)
            .await
            .unwrap();
        let run = map(&paused);
        assert_eq!(paused.json().unwrap()["status"], "PAUSED");
        let go = ContinueAgentRun {
            agent_id: "confirmer".into(),
            run: run.clone(),
            confirm: confirm.clone(),
            stream,
            ..ContinueAgentRun::default()
        };
        let done = body(&client, &go).await;
        assert_eq!(
            (&done["status"], &done["content"]),
            (&json!("COMPLETED"), &json!("Done: deleted /tmp/a"))
        );
        assert_eq!(done["tools"][0]["result"], "deleted /tmp/a");
        let paused = agent("confirmer", "delete /tmp/b").execute(&client, &options).await.unwrap();
        let go = ContinueAgentRun {
            agent_id: "confirmer".into(),
            run: map(&paused),
            reject: reject.clone(),
            stream,
            ..ContinueAgentRun::default()
        };
        let done = body(&client, &go).await;
        assert_eq!(done["status"], "COMPLETED");
        assert!(done.to_string().contains("too risky"), "{done}");

        let paused = agent("external", "run ls").execute(&client, &options).await.unwrap();
        let results = json!({"run_shell": "a.txt"}).as_object().cloned();
        let go = ContinueAgentRun {
            agent_id: "external".into(),
            run: map(&paused),
            results,
            stream,
            ..ContinueAgentRun::default()
        };
        assert_eq!(body(&client, &go).await["content"], "Done: a.txt");
        let paused = agent("asker", "send an email").execute(&client, &options).await.unwrap();
        let input = Some(json!({"to": "bob@example.com"}));
        let go = ContinueAgentRun {
            agent_id: "asker".into(),
            run: map(&paused),
            input,
            stream,
            ..ContinueAgentRun::default()
        };
        let done = body(&client, &go).await;
        assert!(done["content"].as_str().unwrap().contains("bob@example.com"), "{done}");

        let team = RunTeam {
            team_id: "hitl-team".into(),
            message: "delete /tmp/x".into(),
            session_id: Some(unique("hitl")),
            stream,
            ..RunTeam::default()
        };
        let paused = team.execute(&client, &options).await.unwrap();
        let go = ContinueTeamRun {
            team_id: "hitl-team".into(),
            run: map(&paused),
            confirm: confirm.clone(),
            stream,
            ..ContinueTeamRun::default()
        };
        let done = body(&client, &go).await;
        assert_eq!(done["status"], "COMPLETED", "{done}");
        assert!(done["content"].as_str().unwrap().contains("deleted /tmp/x"), "{done}");

        let flow = RunWorkflow {
            workflow_id: "gated".into(),
            message: "draft me".into(),
            session_id: Some(unique("hitl")),
            stream,
            ..RunWorkflow::default()
        };
        let paused = flow.execute(&client, &options).await.unwrap();
        assert_eq!(paused.json().unwrap()["status"], "PAUSED");
        let go = ContinueWorkflowRun {
            workflow_id: "gated".into(),
            run: map(&paused),
            confirm: confirm.clone(),
            stream,
            ..ContinueWorkflowRun::default()
        };
        let done = body(&client, &go).await;
        assert_eq!((&done["status"], &done["content"]), (&json!("COMPLETED"), &json!("YOU SAID: DRAFT ME")));
    }
}

/// Runs in the background of a real AgentOS, cancelled and resumed.
pub(crate) async fn background(base: &str) {
    let client = Client::builder(base).build().unwrap();
    let options = agentos_run::agentos::CallOptions::default();
    let every = Poll { every: Some("50ms".into()), within: Some("20s".into()) };
    let run =
        RunAgent { background: Some(true), poll: Some(every.clone()), ..agent("slow", "5 words delay=0.1") };
    let done = body(&client, &run).await;
    assert_eq!((&done["status"], &done["content"]), (&json!("COMPLETED"), &json!("w0 w1 w2 w3 w4")));
    let failed = RunAgent { background: Some(true), poll: Some(every.clone()), ..agent("broken", "go") };
    assert_eq!(body(&client, &failed).await["status"], "ERROR");
    let impatient = Poll { every: Some("50ms".into()), within: Some("200ms".into()) };
    let long =
        RunAgent { background: Some(true), poll: Some(impatient), ..agent("slow", "20 words delay=0.1") };
    let error = long.execute(&client, &options).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unfinished(_)), "{error:?}");
    let submitted = body(&client, &RunAgent { wait: Some(false), ..long }).await;
    assert_eq!(submitted["status"], "PENDING");

    // A stream in the background outlives its connection.
    let run = RunAgent { background: Some(true), stream: true, ..agent("slow", "12 words delay=0.1") };
    let agentos_run::agentos::Opened::Stream(mut stream) = run.open(&client, &options).await.unwrap() else {
        panic!()
    };
    let mut transcript = agentos_run::agentos::Transcript::new(agentos_run::agentos::Component::Agent);
    while transcript.count() < 5 {
        transcript.push(futures_util::StreamExt::next(&mut stream).await.unwrap().unwrap());
    }
    drop(stream);
    let run = RunRef {
        component: agentos_run::agentos::Component::Agent,
        component_id: "slow".into(),
        run_id: transcript.run_id().unwrap().to_owned(),
        session_id: transcript.session_id().map(str::to_owned),
    };
    transcript.resume();
    let opened = client.resume_run(&run, transcript.last_event_index(), &options).await.unwrap();
    let agentos_run::agentos::Opened::Stream(mut stream) = opened else { panic!() };
    while let Some(event) = futures_util::StreamExt::next(&mut stream).await {
        transcript.push(event.unwrap());
    }
    assert_eq!(transcript.violations(), []);
    assert_eq!(transcript.body()["content"], transcript.joined());
    assert!(transcript.joined().starts_with("w0 w1 ") && transcript.joined().ends_with("w11"));
    let replay = ResumeAgentRun {
        agent_id: "slow".into(),
        run_id: run.run_id.clone(),
        session_id: run.session_id.clone(),
        last_event_index: None,
    };
    assert_eq!(body(&client, &replay).await["content"], transcript.joined());
    let unknown = ResumeAgentRun {
        agent_id: "slow".into(),
        run_id: "none".into(),
        session_id: run.session_id.clone(),
        last_event_index: None,
    };
    assert_eq!(body(&client, &unknown).await["status"], "ERROR");

    // Cancelled.
    let run_id = unique("cancelled");
    let run = RunAgent {
        run_id: Some(run_id.clone()),
        background: Some(true),
        wait: Some(false),
        ..agent("slow", "60 words delay=0.1")
    };
    let session_id = run.session_id.clone().unwrap();
    body(&client, &run).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let cancel = CancelAgentRun {
        agent_id: "slow".into(),
        run_id: run_id.clone(),
        session_id: Some(session_id.clone()),
    };
    assert_eq!(client.send(&cancel).await.unwrap(), json!({}));
    let run = RunRef {
        component: agentos_run::agentos::Component::Agent,
        component_id: "slow".into(),
        run_id: run_id.clone(),
        session_id: Some(session_id.clone()),
    };
    let ended = client.wait_for_run(&run, &every, &options).await.unwrap();
    assert_eq!(ended.json().unwrap()["status"], "CANCELLED");
    let get = GetAgentRun { agent_id: "slow".into(), run_id, session_id };
    assert_eq!(client.send(&get).await.unwrap().status.as_deref(), Some("CANCELLED"));
}
