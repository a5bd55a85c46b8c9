//! Runs that are answered in one piece, and what they leave in their session.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Server, keys};

#[test]
fn remembers_within_a_session() {
    let server = Server::start();
    let alice = [("session_id", "s"), ("user_id", "alice")];
    let say = |message| server.run("agents/assistant", &[alice[0], alice[1], ("message", message)]);
    let first = say("My name is alice.");
    assert_eq!(first["content"], "Nice to meet you, Alice!");
    assert_eq!(
        keys(&first),
        [
            "run_id",
            "agent_id",
            "agent_name",
            "session_id",
            "user_id",
            "content",
            "content_type",
            "model",
            "model_provider",
            "session_state",
            "created_at",
            "status",
            "metrics",
            "messages",
            "tools",
            "input"
        ]
    );
    assert_eq!(first["metrics"]["details"]["model"][0]["total_tokens"], 16);
    assert_eq!(first["messages"][0]["content"], "Plain chat agent with history\nBe brief.");
    let second = say("What's my name?");
    assert_eq!(second["content"], "Your name is Alice.");
    assert_eq!(second["metrics"]["input_tokens"], 19);
    assert_eq!(second["messages"][1]["from_history"], true);
    assert_eq!(say("how many messages?")["content"], "You have sent 3 messages.");
    assert_eq!(say("hello")["content"], "You said: hello");
    let alone = server.run("agents/assistant", &[("message", "what is my name")]);
    assert_eq!(alone["content"], "I don't know your name yet.");
    assert_eq!(alone["session_id"].as_str().unwrap().len(), 36);
    // What is stored holds no history.
    let path = format!("/agents/assistant/runs/{}?session_id=s", second["run_id"].as_str().unwrap());
    let stored = server.get(&path).ok();
    assert_eq!((stored["messages"].as_array().unwrap().len(), &stored["events"]), (3, &json!([])));
    assert!(stored.get("tools").is_none());
    server.get("/agents/toolbox/runs/x?session_id=s").refused(404, "Run not found");
    server.get("/agents/toolbox/runs?session_id=s").refused(404, "Session not found");
    server.get("/agents/assistant/runs").invalid("missing", &json!(["query", "session_id"]));
    let list = server.get("/agents/assistant/runs?session_id=s").ok();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["tools"]), (4, &Value::Null));
    assert_eq!(server.get("/agents/assistant/runs?session_id=s&status=completed").ok(), json!([]));
}

#[test]
fn keeps_sessions_to_their_users() {
    let server = Server::start();
    server.run("agents/assistant", &[("message", "hi"), ("session_id", "own"), ("user_id", "alice")]);
    for user in ["bob", ""] {
        let fields = [("message", "hi"), ("stream", "false"), ("session_id", "own"), ("user_id", user)];
        server.form("/agents/assistant/runs", &fields).refused(404, "Session not found");
    }
    server.get("/sessions/own?user_id=bob").refused(404, "Session with id 'own' not found");
    assert_eq!(server.send(server.request("DELETE", "/sessions/own?user_id=bob")).status, 204);
    assert_eq!(server.get("/sessions/own").ok()["user_id"], "alice");
    // A user who runs in a session without an owner takes it over, and begins it anew.
    server.run(
        "agents/contextual",
        &[("message", "hi"), ("session_id", "free"), ("session_state", "{\"counter\": 7}")],
    );
    let taken =
        server.run("agents/contextual", &[("message", "ho"), ("session_id", "free"), ("user_id", "eve")]);
    assert_eq!(taken["session_state"], json!({ "counter": 0 }));
    let session = server.get("/sessions/free").ok();
    assert_eq!((&session["user_id"], session["chat_history"].as_array().unwrap().len()), (&json!("eve"), 4));
}

#[test]
fn merges_state_of_runs_and_replaces_it_on_patch() {
    let server = Server::start();
    let run = |state| {
        let fields = [("message", "hi"), ("session_id", "s"), ("session_state", state)];
        server.run("agents/contextual", &fields)["session_state"].clone()
    };
    assert_eq!(run("{\"a\": {\"b\": 1}}"), json!({ "counter": 0, "a": { "b": 1 } }));
    assert_eq!(
        run("{\"a\": {\"c\": null}, \"n\": 1.0}"),
        json!({ "counter": 0, "a": { "b": 1, "c": null }, "n": 1.0 })
    );
    assert_eq!(run("{broken"), run("null"));
    let patched = server.json("PATCH", "/sessions/s", &json!({ "session_state": { "z": 1 } })).ok();
    assert_eq!(patched["session_state"], json!({ "z": 1 }));
    let shown = server.run("agents/contextual", &[("message", "show context"), ("session_id", "s")]);
    let text = shown["content"].as_str().unwrap();
    assert!(
        text.starts_with("SYSTEM: <session_state>\n{'counter': 0, 'z': 1, 'current_session_id': 's'"),
        "{text}"
    );
}

#[test]
fn calls_tools() {
    let server = Server::start();
    let run = server.run("agents/toolbox", &[("message", "add 2 and 3, weather in Paris")]);
    assert_eq!(run["content"], "Tool says: 5; Sunny in Paris, 21C");
    let tool = &run["tools"][0];
    assert_eq!((&tool["tool_name"], &tool["tool_args"]), (&json!("add"), &json!({ "a": 2, "b": 3 })));
    assert_eq!((&tool["result"], &tool["tool_call_error"]), (&json!("5"), &json!(false)));
    assert_eq!(keys(tool).len(), 21);
    // The id is a digest of the call: the same from every server with this model.
    assert_eq!(tool["tool_call_id"], "call_245cfb25f32d");
    assert_eq!(run["messages"][1]["tool_calls"][0]["function"]["arguments"], "{\"a\": 2, \"b\": 3}");
    let failed = server.run("agents/toolbox", &[("message", "please explode")]);
    assert_eq!(
        (&failed["status"], &failed["content"]),
        (&json!("COMPLETED"), &json!("Tool says: tool exploded: asked"))
    );
    assert_eq!(failed["tools"][0]["tool_call_error"], true);
}

#[test]
fn pauses_for_humans() {
    let server = Server::start();
    for (agent, message, content, need) in [
        ("confirmer", "delete /tmp/a", "I need confirmation.", "requires_confirmation"),
        ("external", "run ls", "it needs external execution.", "external_execution_required"),
        ("asker", "send an email", "I need user input.", "requires_user_input"),
    ] {
        let run = server.run(&format!("agents/{agent}"), &[("message", message), ("session_id", agent)]);
        assert_eq!(run["status"], "PAUSED");
        assert_eq!(run["content"], format!("I have tools to execute, but {content}"));
        assert_eq!(run["tools"][0][need], true);
        assert_eq!(run["requirements"][0]["tool_execution"], run["tools"][0]);
        let stored = server.get(&format!("/sessions/{agent}/runs?status=paused")).ok();
        assert_eq!(stored[0]["tools"], run["tools"]);
    }
    let asked = server.run("agents/asker", &[("message", "email")]);
    assert_eq!(asked["requirements"][0]["user_input_schema"][1]["name"], "to");
}

#[test]
fn fails_with_status_200() {
    let server = Server::start();
    let run = server.run("agents/broken", &[("message", "go"), ("session_id", "s")]);
    assert_eq!(
        (&run["status"], &run["content"]),
        (&json!("ERROR"), &json!("offline: model provider failed"))
    );
    assert!(run.get("tools").is_none());
    assert_eq!(keys(&run["metrics"]), ["duration"]);
    assert_eq!(
        server.run("agents/broken", &[("message", "ValueError")])["content"],
        "offline: plain ValueError"
    );
    let team = server.run("teams/broken-team", &[("message", "go")]);
    assert_eq!((&team["status"], &team["events"][0]["event"]), (&json!("ERROR"), &json!("TeamRunError")));
    let flow = server.run("workflows/broken-flow", &[("message", "go")]);
    assert_eq!((&flow["status"], &flow["step_results"][0]["success"]), (&json!("COMPLETED"), &json!(false)));
    assert_eq!(flow["content"], "OFFLINE: MODEL PROVIDER FAILED");
}

#[test]
fn runs_teams_and_workflows() {
    let server = Server::start();
    let team = server.run("teams/duo", &[("message", "say hi"), ("session_id", "t"), ("user_id", "tina")]);
    assert_eq!(team["content"], "Team result: You said: say hi + You said: say hi");
    assert_eq!(team["metrics"]["input_tokens"], 526);
    let members: Vec<_> =
        team["member_responses"].as_array().unwrap().iter().map(|run| &run["agent_id"]).collect();
    assert_eq!(members, ["alpha", "beta"]);
    assert_eq!(team["member_responses"][0]["session_state"]["current_user_id"], "tina");
    assert_eq!(team["tools"][1]["tool_name"], "delegate_task_to_member");
    // Members are stored before their leader, and not counted as the team's own.
    let runs = server.get("/sessions/t/run-previews").ok();
    assert_eq!(
        (&runs[0]["agent_id"], &runs[1]["agent_id"], &runs[2]["team_id"]),
        (&json!("alpha"), &json!("beta"), &json!("duo"))
    );
    assert_eq!(server.get("/teams/duo/runs?session_id=t").ok().as_array().unwrap().len(), 1);
    let session = server.get("/sessions/t").ok();
    assert_eq!((&session["session_name"], &session["total_tokens"]), (&json!("say hi"), &json!(558)));

    let flow =
        server.run("workflows/pipeline", &[("message", "say hi"), ("session_id", "w"), ("run_id", "w1")]);
    assert_eq!((&flow["run_id"], &flow["content"]), (&json!("w1"), &json!("YOU SAID: SAY HI")));
    assert_eq!(flow["step_results"][1]["executor_type"], "function");
    assert_eq!(flow["step_executor_runs"][0]["parent_run_id"], "w1");
    assert_eq!(flow["metrics"]["steps"]["draft"]["metrics"]["total_tokens"], 10);
    let stored = server.get("/workflows/pipeline/runs/w1?session_id=w").ok();
    assert_eq!((&stored["events"], stored.get("images")), (&json!([]), None));
    let session = server.get("/sessions/w").ok();
    assert_eq!(session["workflow_data"]["steps"][1]["name"], "shout");
    assert!(session.get("chat_history").is_none());
}

#[test]
fn takes_forms_only() {
    let server = Server::start();
    let path = "/agents/assistant/runs";
    let missing = json!(["body", "message"]);
    server.json("POST", path, &json!({ "message": "hi", "stream": false })).invalid("missing", &missing);
    server
        .send(server.request("POST", "/agents/assistant/runs?message=hi&stream=false"))
        .invalid("missing", &missing);
    let problem = server.form(path, &[("message", "")]).invalid("missing", &missing);
    assert_eq!(
        problem,
        json!({ "type": "missing", "loc": ["body", "message"], "msg": "Field required", "input": null })
    );
    server
        .form(path, &[("message", "hi"), ("stream", "maybe")])
        .invalid("bool_parsing", &json!(["body", "stream"]));
    server
        .form(path, &[("message", "hi"), ("version", "x")])
        .invalid("int_parsing", &json!(["body", "version"]));
    server.form("/agents/nope/runs", &[("message", "hi")]).refused(404, "Agent not found");
    server
        .form(path, &[("message", "hi"), ("metadata", "[1]")])
        .refused(400, "Invalid metadata parameter: expected a JSON object");
    server
        .form(path, &[("message", "hi"), ("images", "x")])
        .refused(422, "Invalid images: expected a JSON array of objects");
    let large = "y".repeat(1024 * 1024 + 1);
    server.form(path, &[("message", &large)]).refused(400, "Field exceeded maximum size of 1024KB.");

    let multipart = |fields: &[(&str, &str)]| {
        let mut body = String::new();
        for (name, value) in fields {
            let _ = write!(body, "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        server.raw("POST", path, "multipart/form-data; boundary=b", &(body + "--b--\r\n"))
    };
    assert_eq!(multipart(&[("message", "grüße"), ("stream", "false")]).ok()["content"], "You said: grüße");
    multipart(&[("message", &large)]).refused(400, "Part exceeded maximum size of 1024KB.");
    server.raw("POST", path, "multipart/form-data", "x").refused(400, "Missing boundary in multipart.");
    server
        .form(path, &[("message", "x"), ("files", "text")])
        .invalid("value_error", &json!(["body", "files", 0]));
    server
        .form("/workflows/pipeline/runs", &[("message", "x"), ("files", "text")])
        .refused(500, "Internal server error (AttributeError)");
}

#[test]
fn shapes_answers_after_a_schema() {
    let server = Server::start();
    let schema = json!({
        "title": "City", "type": "object", "required": ["name"],
        "properties": { "name": { "type": "string" }, "size": { "type": "integer" } },
    })
    .to_string();
    let run = server.run("agents/assistant", &[("message", "x"), ("output_schema", &schema)]);
    assert_eq!(
        (&run["content"], &run["content_type"]),
        (&json!({ "name": "Name", "size": 42 }), &json!("City"))
    );
    let fields = [("message", "x"), ("output_schema", &schema), ("use_json_schema", "true")];
    let run = server.run("agents/assistant", &fields);
    assert_eq!((&run["content"]["name"], &run["content_type"]), (&json!("sample"), &json!("dict")));
    let looped = "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#/properties/a\"}}}";
    server.run("agents/assistant", &[("message", "x"), ("output_schema", looped)]);
    server
        .form("/agents/assistant/runs", &[("message", "x"), ("output_schema", "[]")])
        .refused(422, "Invalid output_schema: expected a JSON object schema");
}
