//! Runs that wait for a human, and go on.

use serde_json::{Value, json};

use super::{Answer, Server, names};

/// A paused run and its session.
fn pause(server: &Server, component: &str, message: &str, run_id: &str) -> Value {
    let run = server.run(component, &[("message", message), ("run_id", run_id), ("session_id", "s")]);
    assert_eq!(run["status"], "PAUSED", "{run}");
    run
}

fn go_on(server: &Server, component: &str, run_id: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("session_id", "s"), ("stream", "false")];
    all.extend(fields);
    server.form(&format!("/{component}/runs/{run_id}/continue"), &all)
}

#[test]
fn a_confirmed_tool_runs_and_a_rejected_one_does_not() {
    let server = Server::start();
    let agent = "agents/confirmer";
    let mut tools = pause(&server, agent, "delete /a,/b", "r")["tools"].take();
    tools[0]["confirmed"] = json!(true);
    tools[1]["confirmed"] = json!(false);
    tools[1]["confirmation_note"] = json!("too dangerous");
    let run = go_on(&server, agent, "r", &[("tools", &tools.to_string())]).ok();
    assert_eq!(
        (&run["status"], &run["content"]),
        (&json!("COMPLETED"), &json!("Done: deleted /a; too dangerous"))
    );
    assert_eq!(run["tools"][0]["result"], "deleted /a");
    assert_eq!(run["run_id"], "r");
    // A finished run does not change: it is copied.
    let copy = go_on(&server, agent, "r", &[]).ok();
    assert_eq!(copy["forked_from_run_id"], "r");
    assert_ne!(copy["run_id"], "r");
}

#[test]
fn a_confirmation_streams() {
    let server = Server::start();
    let agent = "agents/confirmer";
    let mut tools = pause(&server, agent, "delete /a", "r")["tools"].take();
    tools[0]["confirmed"] = json!(true);
    let events = go_on(&server, agent, "r", &[("tools", &tools.to_string()), ("stream", "true")]).events();
    assert_eq!(names(&events)[..3], ["RunContinued", "ToolCallStarted", "ToolCallCompleted"]);
    assert_eq!(events.last().unwrap().1["content"], "Done: deleted /a");
    let unknown = go_on(&server, agent, "none", &[("stream", "true")]).events();
    assert_eq!(unknown[0].0, "RunError");
    assert_eq!(unknown[0].1["content"], "No runs found for run ID none");
}

#[test]
fn results_and_inputs_come_from_outside() {
    let server = Server::start();
    let mut tools = pause(&server, "agents/external", "run ls", "e")["tools"].take();
    go_on(&server, "agents/external", "e", &[("tools", &tools.to_string())])
        .refused(400, "Tool run_shell requires external execution, cannot continue run");
    tools[0]["result"] = json!("file1");
    let run = go_on(&server, "agents/external", "e", &[("tools", &tools.to_string())]).ok();
    assert_eq!(run["content"], "Done: file1");
    let mut tools = pause(&server, "agents/asker", "email", "i")["tools"].take();
    tools[0]["user_input_schema"][1]["value"] = json!("bob@example.com");
    let run = go_on(&server, "agents/asker", "i", &[("tools", &tools.to_string())]).ok();
    assert_eq!(run["content"], "Done: sent 'Hello' to bob@example.com");
}

#[test]
fn says_why_a_run_does_not_go_on() {
    let server = Server::start();
    pause(&server, "agents/confirmer", "delete /a", "r");
    let agent = "agents/confirmer";
    go_on(&server, agent, "none", &[]).refused(404, "No runs found for run ID none");
    go_on(&server, agent, "r", &[("tools", "{")]).refused(400, "Invalid JSON in tools field");
    go_on(&server, agent, "r", &[("tools", "[3]")])
        .refused(400, "Invalid structure or content for tools: 'int' object has no attribute 'get'");
    go_on(&server, agent, "r", &[("replace_original", "true")])
        .refused(400, "`replace_original` only makes sense with `regenerate=True`.");
    server
        .form("/agents/confirmer/runs/r/continue", &[("stream", "false")])
        .refused(400, "session_id is required for this action");
    server.send(server.request("POST", "/agents/confirmer/runs/r/cancel")).ok();
    let run = server.get("/agents/confirmer/runs/r?session_id=s").ok();
    assert_eq!(run["status"], "PAUSED");
    assert_eq!(go_on(&server, agent, "r", &[]).ok()["status"], "CANCELLED");
    go_on(&server, agent, "r", &[]).refused(409, "Cannot continue run r: run is cancelled");
}

#[test]
fn regenerates_an_answer() {
    let server = Server::start();
    let agent = "agents/assistant";
    server.run(agent, &[("message", "My name is Zed."), ("run_id", "r"), ("session_id", "s")]);
    let next = go_on(&server, agent, "r", &[("input", "What's my name?")]).ok();
    assert_eq!(next["content"], "Your name is Zed.");
    let again = go_on(&server, agent, "r", &[("regenerate", "true")]).ok();
    assert_eq!((&again["regenerated_from"], &again["forked_from_message_index"]), (&json!("r"), &json!(2)));
    assert_eq!(server.get("/agents/assistant/runs/r?session_id=s").ok()["status"], "REGENERATED");
}

#[test]
fn a_team_waits_for_its_member() {
    let server = Server::start();
    let team = "teams/hitl-team";
    let mut wanted = pause(&server, team, "delete /x", "r")["requirements"].take();
    assert_eq!(wanted[0]["member_agent_id"], "guarded-member");
    assert_eq!(go_on(&server, team, "r", &[]).ok()["status"], "PAUSED");
    let strange = json!([{ "id": "i", "tool_execution": { "tool_call_id": "c" } }]).to_string();
    assert_eq!(go_on(&server, team, "r", &[("requirements", &strange)]).status, 409);
    wanted[0]["tool_execution"]["confirmed"] = json!(true);
    let run = go_on(&server, team, "r", &[("requirements", &wanted.to_string())]).ok();
    assert_eq!(run["status"], "COMPLETED");
    assert_eq!(
        run["content"],
        "Team result: Member results after human-in-the-loop resolution:\n[GuardedMember]: Done: deleted /x"
    );
    assert_eq!(run["requirements"], json!([]));
}

#[test]
fn a_workflow_waits_before_its_step() {
    let server = Server::start();
    let flow = "workflows/gated";
    let mut wanted = pause(&server, flow, "draft", "r")["step_requirements"].take();
    go_on(&server, flow, "r", &[])
        .refused(400, "Cannot continue run - unresolved step requirements: ['publish']");
    wanted[0]["confirmed"] = json!(true);
    let run = go_on(&server, flow, "r", &[("step_requirements", &wanted.to_string())]).ok();
    assert_eq!((&run["status"], &run["content"]), (&json!("COMPLETED"), &json!("YOU SAID: DRAFT")));
    go_on(&server, flow, "r", &[]).refused(409, "run is already completed");
    let mut wanted = pause(&server, flow, "draft", "q")["step_requirements"].take();
    wanted[0]["confirmed"] = json!(false);
    let run = go_on(&server, flow, "q", &[("step_requirements", &wanted.to_string())]).ok();
    assert_eq!(run["content"], "You said: draft");
    let told = server.stream(flow, &[("message", "x"), ("stream_events", "false"), ("session_id", "s")]);
    assert!(names(&told).contains(&"WorkflowPaused"));
}
