//! The embedded AgentOS, spoken to over plain HTTP: it must answer as agno 3.1.10 does.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use agentos_run::emulator::{Emulator, Error, Options};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

/// A running server and what it takes to talk to it.
struct Server {
    emulator: Emulator,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

/// What came back.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a 200.
    fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// Asserts a refusal with a text.
    fn refused(&self, status: u16, detail: &str) {
        assert_eq!((self.status, self.json()), (status, json!({ "detail": detail })));
    }

    /// Asserts a 422 with one problem of this type at this place.
    fn invalid(&self, kind: &str, loc: &Value) -> Value {
        assert_eq!(self.status, 422, "{}", self.text);
        let problem = self.json()["detail"][0].clone();
        assert_eq!((problem["type"].as_str(), &problem["loc"]), (Some(kind), loc), "{problem}");
        problem
    }

    /// The events of a stream: names and data.
    fn events(&self) -> Vec<(String, Value)> {
        assert_eq!(self.header("content-type"), "text/event-stream; charset=utf-8");
        let frames = self.text.strip_suffix("\n\n").unwrap().split("\n\n");
        frames
            .map(|frame| {
                let (name, data) = frame.split_once('\n').unwrap();
                let name = name.strip_prefix("event: ").unwrap();
                let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                assert_eq!(data["event"], name);
                (name.to_owned(), data)
            })
            .collect()
    }
}

impl Server {
    fn start() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        // The client is built without a TLS provider of its own.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            emulator: Emulator::start(options).unwrap(),
            client: Client::new(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
        }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.emulator.base_url()))
    }

    fn send(&self, request: RequestBuilder) -> Answer {
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Answer { status, headers, text: response.text().await.unwrap() }
        })
    }

    fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path))
    }

    fn raw(&self, method: &str, path: &str, media: &str, body: &str) -> Answer {
        self.send(self.request(method, path).header("content-type", media).body(body.to_owned()))
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.raw(method, path, "application/json", &body.to_string())
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let escape = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        self.raw("POST", path, "application/x-www-form-urlencoded", &pairs.join("&"))
    }

    /// A run that is answered in one piece.
    fn run(&self, component: &str, fields: &[(&str, &str)]) -> Value {
        let mut all = vec![("stream", "false")];
        all.extend(fields);
        self.form(&format!("/{component}/runs"), &all).ok()
    }

    fn stream(&self, component: &str, fields: &[(&str, &str)]) -> Vec<(String, Value)> {
        self.form(&format!("/{component}/runs"), fields).events()
    }
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|item| item["session_id"].as_str().unwrap()).collect()
}

#[test]
fn tells_what_it_is() {
    let server = Server::start();
    let answer = server.get("/health");
    assert_eq!(answer.ok()["status"], "ok");
    assert_eq!((answer.header("server"), answer.header("content-type")), ("uvicorn", "application/json"));
    let info = server.get("/info").ok();
    assert_eq!((&info["os_id"], &info["name"]), (&json!("demo-os"), &json!("Demo OS")));
    assert_eq!((&info["agno_version"], &info["auth_mode"]), (&json!("3.1.10"), &json!("none")));
    assert_eq!(server.get("/").ok()["name"], "Demo OS");
    let config = server.get("/config").ok();
    assert_eq!(config["session"]["dbs"][0]["db_id"], "demo-db");
    assert!(config.get("name").is_none());
    let agents = server.get("/agents").ok();
    let listed: Vec<_> =
        agents.as_array().unwrap().iter().map(|agent| agent["id"].as_str().unwrap()).collect();
    assert_eq!(
        listed,
        ["assistant", "contextual", "toolbox", "confirmer", "external", "asker", "slow", "broken"]
    );
    let assistant = server.get("/agents/assistant").ok();
    assert_eq!(assistant, agents[0]);
    assert_eq!(
        assistant["model"],
        json!({ "name": "OfflineModel", "model": "offline-1", "provider": "Offline" })
    );
    assert_eq!(assistant["sessions"]["num_history_runs"], 10);
    assert_eq!(server.get("/teams/duo").ok()["members"][1]["id"], "beta");
    assert_eq!(server.get("/workflows/pipeline").ok()["steps"][0]["agent"]["id"], "alpha");
    server.get("/agents/alpha").refused(404, "Agent not found");
    server.get("/teams/nope").refused(404, "Team not found");
    server.get("/workflows/nope").refused(404, "Workflow not found");
}

#[test]
fn knows_its_paths_and_methods() {
    let server = Server::start();
    server.get("/nope").refused(404, "Not Found");
    server.send(server.request("POST", "/sessions/x/clear")).refused(404, "Not Found");
    server.get("/sessions//x").refused(404, "Not Found");
    server.get("/sessions/a%2Fb").refused(404, "Not Found");
    assert_eq!(server.get("/agents/").status, 200);
    let head = server.send(server.request("HEAD", "/health"));
    assert_eq!((head.status, head.header("allow"), head.text.as_str()), (405, "GET", ""));
    let put = server.send(server.request("PUT", "/agents/x/runs"));
    put.refused(405, "Method Not Allowed");
    assert_eq!(put.header("allow"), "POST");
}

#[test]
fn documents_only_what_it_serves() {
    let server = Server::start();
    let document = server.get("/openapi.json").ok();
    assert_eq!(document["info"]["title"], "Demo OS");
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace(['{', '}'], "");
            let answer = server.send(server.request(&method.to_uppercase(), &path));
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(!answer.text.contains("\"Not Found\""), "{method} {path}");
            operations += 1;
        }
    }
    assert_eq!(operations, 28);
    assert!(document["paths"].get("/memories").is_none());
}

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
fn streams_events() {
    let server = Server::start();
    // Left out, `stream` is true; so it is when empty.
    let events = server.stream("agents/assistant", &[("message", "hi there"), ("stream", "")]);
    assert_eq!(
        names(&events),
        [
            "RunStarted",
            "ModelRequestStarted",
            "RunContent",
            "RunContent",
            "RunContent",
            "RunContent",
            "ModelRequestCompleted",
            "RunContentCompleted",
            "RunCompleted"
        ]
    );
    let text: String = events
        .iter()
        .filter(|(name, _)| name == "RunContent")
        .map(|(_, data)| data["content"].as_str().unwrap())
        .collect();
    assert_eq!(text, "You said: hi there");
    assert_eq!(events.last().unwrap().1["content"], "You said: hi there");
    // The stored run can be had as soon as the stream has ended.
    let (run, session) = (&events[0].1["run_id"], &events[0].1["session_id"]);
    let path =
        format!("/agents/assistant/runs/{}?session_id={}", run.as_str().unwrap(), session.as_str().unwrap());
    assert_eq!(server.get(&path).ok()["events"].as_array().unwrap().len(), 5);

    let events = server.stream("agents/toolbox", &[("message", "explode")]);
    let names_of_tools: Vec<_> = names(&events).into_iter().filter(|name| name.starts_with("Tool")).collect();
    assert_eq!(names_of_tools, ["ToolCallStarted", "ToolCallCompleted", "ToolCallError"]);
    let events = server.stream("agents/confirmer", &[("message", "delete x")]);
    assert_eq!(names(&events)[2..], ["ModelRequestCompleted", "RunContentCompleted", "RunPaused"]);
    let events = server.stream("agents/broken", &[("message", "x")]);
    assert_eq!(events.last().unwrap().1["error_type"], "model_provider_error");
    assert_eq!(events.last().unwrap().0, "RunError");
    let only = [("message", "hi"), ("stream_events", "false")];
    assert_eq!(names(&server.stream("agents/assistant", &only)), ["RunContent"; 3]);

    let events = server.stream("teams/duo", &[("message", "hi")]);
    assert_eq!(names(&events).last(), Some(&"TeamRunCompleted"));
    let member = events.iter().find(|(name, _)| name == "RunCompleted").unwrap();
    assert_eq!(member.1["parent_run_id"], events[0].1["run_id"]);
    let events = server.stream("workflows/pipeline", &[("message", "hi")]);
    let steps: Vec<_> = names(&events).into_iter().filter(|name| !name.starts_with("Run")).collect();
    assert_eq!(
        steps,
        [
            "WorkflowStarted",
            "StepStarted",
            "ModelRequestStarted",
            "ModelRequestCompleted",
            "StepCompleted",
            "StepStarted",
            "StepOutput",
            "StepCompleted",
            "WorkflowCompleted"
        ]
    );
}

#[test]
fn a_client_that_leaves_cancels_its_stream() {
    let server = Server::start();
    let address = server.emulator.base_url().trim_start_matches("http://").to_owned();
    let mut socket = TcpStream::connect(&address).unwrap();
    let body = "message=40+words+delay%3D0.02&session_id=left&run_id=left-1";
    write!(
        socket,
        "POST /agents/slow/runs HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut seen = [0; 2048];
    let _ = socket.read(&mut seen).unwrap();
    drop(socket);
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let run = server.get("/agents/slow/runs/left-1?session_id=left");
        if run.status == 200 {
            assert_eq!(run.json()["status"], "CANCELLED");
            break;
        }
        assert!(Instant::now() < until, "the run never ended");
        std::thread::sleep(Duration::from_millis(20));
    }
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
    // What is not there yet is said to be missing, not done wrongly.
    assert_eq!(server.form(path, &[("message", "x"), ("background", "true")]).status, 501);
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

#[test]
fn creates_and_changes_sessions() {
    let server = Server::start();
    let fields = json!({ "session_id": "s", "agent_id": "any", "user_id": "u", "session_name": "Name",
                         "session_state": { "a": null }, "metadata": { "k": 1 } });
    let created = server.json("POST", "/sessions?type=agent", &fields);
    assert_eq!((created.status, &created.json()["session_state"]), (201, &json!({ "a": null })));
    assert_eq!(
        keys(&created.json()),
        [
            "user_id",
            "agent_session_id",
            "session_id",
            "session_name",
            "session_state",
            "agent_id",
            "metrics",
            "metadata",
            "chat_history",
            "created_at",
            "updated_at"
        ]
    );
    server
        .json("POST", "/sessions?type=team", &fields)
        .refused(409, "Session with id 's' already exists. Use PATCH /sessions/s to update it.");
    assert_eq!(server.send(server.request("POST", "/sessions")).status, 201);
    assert_eq!(server.get("/sessions/s").ok(), created.json());
    // A wrong type shows the wrong shape; an unknown one is refused.
    assert!(server.get("/sessions/s?type=team").ok().get("agent_session_id").is_none());
    server.get("/sessions/s?type=robot").invalid("enum", &json!(["query", "type"]));
    server.get("/sessions/nope").refused(404, "Session with id 'nope' not found");
    server.get("/sessions/nope?type=agent").refused(404, "Agent Session with id 'nope' not found");

    let renamed = server.json("POST", "/sessions/s/rename", &json!({ "session_name": "" })).ok();
    assert_eq!((&renamed["session_name"], &renamed["session_summary"]), (&json!(""), &Value::Null));
    server
        .json("POST", "/sessions/s/rename", &json!({}))
        .invalid("missing", &json!(["body", "session_name"]));
    let summary = json!({ "summary": { "summary": "A chat.", "topics": ["t"] } });
    assert_eq!(
        server.json("PATCH", "/sessions/s", &summary).ok()["session_summary"],
        json!({ "summary": "A chat.", "topics": ["t"] })
    );
    assert_eq!(server.json("PATCH", "/sessions/s", &json!({})).ok()["metadata"], json!({ "k": 1 }));
    server
        .json("PATCH", "/sessions/s", &json!({ "session_state": [1] }))
        .invalid("dict_type", &json!(["body", "session_state"]));
    server.send(server.request("PATCH", "/sessions/s")).invalid("missing", &json!(["body"]));
    let broken = server.raw("POST", "/sessions", "application/json", "{nope");
    assert_eq!(
        broken.invalid("json_invalid", &json!(["body", 1]))["ctx"]["error"],
        "Expecting property name enclosed in double quotes"
    );
    server.json("PATCH", "/sessions/nope", &json!({})).refused(404, "Session with id 'nope' not found");
    let flow = server.json("POST", "/sessions?type=workflow", &json!({ "workflow_id": "pipeline" })).json();
    assert_eq!((&flow["workflow_data"], &flow["metadata"]), (&json!({}), &json!({})));
    // The metadata of a session goes into its runs.
    let run = server.run("agents/assistant", &[("message", "x"), ("session_id", "s"), ("user_id", "u")]);
    assert_eq!(run["metadata"], json!({ "k": 1 }));
}

#[test]
fn lists_sessions() {
    let server = Server::start();
    for (id, kind, component, user) in [
        ("a", "agent", "assistant", "u"),
        ("b", "agent", "toolbox", "u"),
        ("c", "team", "duo", "u"),
        ("d", "workflow", "pipeline", "v"),
    ] {
        let body = json!({ "session_id": id, format!("{kind}_id"): component, "user_id": user,
                           "session_name": format!("Item {id}") });
        assert_eq!(server.json("POST", &format!("/sessions?type={kind}"), &body).status, 201);
    }
    let list = |query: &str| server.get(&format!("/sessions?{query}")).ok();
    assert_eq!(ids(&list("")), ["d", "c", "b", "a"]);
    assert_eq!(ids(&list("sort_order=asc")), ["a", "b", "c", "d"]);
    assert_eq!(ids(&list("sort_by=session_id")), ["d", "c", "b", "a"]);
    assert_eq!(ids(&list("sort_by=no_such_column")), ["a", "b", "c", "d"]);
    assert_eq!(ids(&list("user_id=u&type=agent")), ["b", "a"]);
    assert_eq!(ids(&list("component_id=duo")), ["c"]);
    assert_eq!(ids(&list("component_id=duo&type=agent")), [""; 0]);
    assert_eq!(ids(&list("session_type=team&user_id=v")), ["d"]);
    assert_eq!(ids(&list("session_name=ITEM+b")), ["b"]);
    assert_eq!(ids(&list("session_name=I%25m+_%22")), ["d", "c", "b", "a"]);
    assert_eq!(ids(&list("user_id=")), [""; 0]);
    let page = list("limit=3&page=2");
    assert_eq!(ids(&page), ["a"]);
    assert_eq!(
        page["meta"],
        json!({ "page": 2, "limit": 3, "total_pages": 2, "total_count": 4, "search_time_ms": 0.0 })
    );
    assert_eq!(list("page=99")["meta"]["total_count"], 4);
    assert_eq!(list("limit=9223372036854775807")["meta"]["total_pages"], 1);
    assert_eq!(keys(&page["data"][0])[4..], ["session_type", "user_id", "agent_id"]);

    let get = |query: &str| server.get(&format!("/sessions?{query}"));
    get("page=0").refused(500, "Internal server error (ValueError)");
    get("limit=99999999999999999999").refused(500, "Internal server error (OverflowError)");
    get("limit=0").invalid("greater_than_equal", &json!(["query", "limit"]));
    get("page=-1").invalid("greater_than_equal", &json!(["query", "page"]));
    get("limit=abc").invalid("int_parsing", &json!(["query", "limit"]));
    get("sort_order=ASC").invalid("enum", &json!(["query", "sort_order"]));
    get("type=").invalid("enum", &json!(["query", "type"]));
    get("db_id=nope").refused(404, "No database found with id 'nope'");
    get("table=x").refused(400, "The db_id query parameter is required when passing a table");
    assert_eq!(get("type=robot&limit=0").json()["detail"].as_array().unwrap().len(), 2);

    // A name that was derived is shown, and not found.
    server.run("agents/assistant", &[("message", "Derived title"), ("session_id", "e"), ("user_id", "w")]);
    let derived = list("user_id=w");
    assert_eq!(
        (&derived["data"][0]["session_name"], &derived["data"][0]["total_tokens"]),
        (&json!("Derived title"), &json!(13))
    );
    assert_eq!(ids(&list("user_id=w&session_name=Derived")), [""; 0]);
}

#[test]
fn deletes_sessions() {
    let server = Server::start();
    for id in ["a", "b", "c"] {
        server.run("agents/assistant", &[("message", "hi"), ("session_id", id)]);
    }
    let delete = |path: &str| server.send(server.request("DELETE", path)).status;
    assert_eq!((delete("/sessions/a"), delete("/sessions/a"), delete("/sessions/never")), (204, 204, 204));
    server.get("/sessions/a/runs").refused(404, "Session with ID a not found");
    // Made again, it remembers nothing.
    server.json("POST", "/sessions", &json!({ "session_id": "a" }));
    assert_eq!(server.get("/sessions/a/runs").ok(), json!([]));
    assert_eq!(delete("/sessions/b?delete_media=true"), 503);
    let many = |body: Value| server.json("DELETE", "/sessions", &body);
    many(json!({ "session_ids": ["b", "c"], "session_types": ["agent"] }))
        .refused(400, "Session IDs and session types must have the same length");
    many(json!({ "session_ids": [], "session_types": [] }))
        .invalid("too_short", &json!(["body", "session_ids"]));
    many(json!({ "session_ids": ["b"] })).invalid("missing", &json!(["body", "session_types"]));
    many(json!({ "session_ids": ["b"], "session_types": ["robot"] }))
        .invalid("enum", &json!(["body", "session_types", 0]));
    server.send(server.request("DELETE", "/sessions")).invalid("missing", &json!(["body"]));
    assert_eq!(many(json!({ "session_ids": ["b", "zz"], "session_types": ["team", "agent"] })).status, 204);
    assert_eq!((server.get("/sessions/b").status, server.get("/sessions/c").status), (404, 200));
}

#[test]
fn shows_the_runs_of_a_session() {
    let server = Server::start();
    server.run("agents/assistant", &[("message", "one"), ("session_id", "s"), ("run_id", "r1")]);
    server.run("agents/broken", &[("message", "two"), ("session_id", "s"), ("run_id", "r2")]);
    let runs = server.get("/sessions/s/runs").ok();
    assert_eq!((&runs[0]["run_input"], &runs[0]["parent_run_id"]), (&json!("one"), &json!("")));
    assert!(runs[0].get("metadata").is_none());
    assert!(runs[0]["created_at"].as_str().unwrap().ends_with('Z'));
    let run = server.get("/sessions/s/runs/r1").ok();
    assert_eq!((&run["metadata"], keys(&run).len()), (&Value::Null, 33));
    let previews = server.get("/sessions/s/run-previews?status=error").ok();
    assert_eq!(previews.as_array().unwrap().len(), 1);
    assert_eq!(
        keys(&previews[0]),
        [
            "run_id",
            "parent_run_id",
            "agent_id",
            "user_id",
            "status",
            "run_input",
            "content_preview",
            "created_at"
        ]
    );
    assert_eq!(server.get("/sessions/s/runs?created_before=5").ok(), json!([]));
    assert_eq!(
        server.get("/sessions/s/runs?status=error&status=completed").ok().as_array().unwrap().len(),
        2
    );
    server.get("/sessions/s/runs?status=x&status=a").refused(
        400,
        "Invalid status value(s) ['A', 'X']; expected one of ['CANCELLED', 'COMPLETED', 'ERROR', 'PAUSED', \
         'PENDING', 'REGENERATED', 'RUNNING']",
    );
    server.get("/sessions/s/runs?created_after=x").invalid("int_parsing", &json!(["query", "created_after"]));
    server.get("/sessions/s/runs/nope").refused(404, "Run with ID nope not found in session s");
    server.json("POST", "/sessions", &json!({ "session_id": "empty" }));
    server.get("/sessions/empty/runs/x").refused(404, "Session with ID empty has no runs");
    server.get("/sessions/nope/runs/x").refused(404, "Session with ID nope not found");
    // A run id that is used again overwrites the old run, where it is.
    server.run("agents/assistant", &[("message", "again"), ("session_id", "other"), ("run_id", "r1")]);
    assert_eq!(server.get("/sessions/other/runs").ok(), json!([]));
    assert_eq!(server.get("/sessions/s/runs").ok()[0]["run_input"], "again");
}

#[test]
fn asks_for_its_key() {
    let server = Server::with(Options { security_key: Some("sekret".to_owned()), ..Options::default() });
    for open in ["/", "/health", "/info", "/openapi.json"] {
        assert_eq!(server.get(open).status, 200, "{open}");
    }
    assert_eq!(server.get("/info").ok()["auth_mode"], "security_key");
    for closed in ["/agents", "/nope", "/sessions?page=0"] {
        server.get(closed).refused(401, "Authorization header required");
    }
    let with = |value: &str| server.send(server.request("GET", "/agents").header("authorization", value));
    for good in ["Bearer sekret", "bearer sekret", "sekret"] {
        assert_eq!(with(good).status, 200, "{good}");
    }
    for bad in ["Bearer wrong", "Basic c2VrcmV0", "Bearer sekre", "Bearer sekrets"] {
        with(bad).refused(401, "Invalid authentication token");
    }
}

#[test]
fn runs_side_by_side() {
    let server = Server::start();
    let since = Instant::now();
    let url = format!("{}/agents/slow/runs", server.emulator.base_url());
    let answers = server.runtime.block_on(futures_util::future::join_all((0..8).map(|run| {
        let form = format!("message=5+words+delay%3D0.04&stream=false&session_id=s&run_id=r{run}");
        let request = server.client.post(&url).header("content-type", "application/x-www-form-urlencoded");
        async { request.body(form).send().await.unwrap().status().as_u16() }
    })));
    assert_eq!(answers, [200; 8]);
    // Eight runs of a fifth of a second, not one after the other.
    assert!(since.elapsed() < Duration::from_millis(1200), "{:?}", since.elapsed());
    let session = server.get("/sessions/s").ok();
    assert_eq!(session["chat_history"].as_array().unwrap().len(), 16);
    assert_eq!(session["metrics"]["output_tokens"], 40);
}

#[test]
fn keeps_what_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let db = directory.path().join("demo.db");
    let start = || Server::with(Options { db: Some(db.clone()), ..Options::default() });
    let first = start();
    first.run("agents/assistant", &[("message", "My name is Ann"), ("session_id", "s")]);
    // A second server sees it at once; so does one that is started after the first has ended.
    assert_eq!(start().get("/sessions/s").ok()["session_name"], "My name is Ann");
    first.emulator.stop();
    let again = start();
    let run = again.run("agents/assistant", &[("message", "what's my name"), ("session_id", "s")]);
    assert_eq!(run["content"], "Your name is Ann.");
}

#[test]
fn starts_at_once_and_says_why_not() {
    let since = Instant::now();
    let emulator = Emulator::start(Options::default()).unwrap();
    assert!(since.elapsed() < Duration::from_millis(500), "{:?}", since.elapsed());
    let port: u16 = emulator.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let taken = Emulator::start(Options { port, ..Options::default() });
    assert!(matches!(taken, Err(Error::Listen { port: p, .. }) if p == port));
    drop(emulator);
    Emulator::start(Options { port, ..Options::default() }).unwrap().stop();
    // Also from within an event loop, where blocking things must not be dropped.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { drop(Emulator::start(Options::default()).unwrap()) });
    let directory = tempfile::tempdir().unwrap();
    let nowhere =
        Emulator::start(Options { db: Some(directory.path().join("no/such.db")), ..Options::default() });
    let error = nowhere.err().unwrap().to_string();
    assert!(error.starts_with("cannot open the database ") && error.contains("such.db"), "{error}");
    let shown = format!("{:?}", Options { security_key: Some("sekret".to_owned()), ..Options::default() });
    assert!(!shown.contains("sekret"), "{shown}");
}

#[test]
fn survives_any_input() {
    let server = Server::start();
    let address = server.emulator.base_url().trim_start_matches("http://").to_owned();
    let bodies: [&[u8]; 7] = [
        b"",
        b"message=%ff%fe\xc3\xa9%&stream=false&session_id=%00",
        b"%=%&&=&message=x&stream=false&session_state=%5B1%2C2%5D",
        b"message=delay%3D99999999999999999999999999999%201%20words&stream=false",
        b"message=add+99999999999999999999+1+delete+%2C%2C&stream=false",
        b"--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nx",
        b"\xff\xfe{\"a\":\"\\ud800\"}",
    ];
    let medias = [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "application/json",
        "\u{e9}",
    ];
    let paths =
        ["/agents/toolbox/runs", "/teams/duo/runs", "/sessions", "/sessions/%ff%00%F0%9F%98%80/rename", "/%"];
    for path in paths {
        for media in medias {
            for body in bodies {
                let mut socket = TcpStream::connect(&address).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let head = format!(
                    "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {media}\r\n\
                     content-length: {}\r\n\r\n",
                    body.len()
                );
                socket.write_all(head.as_bytes()).unwrap();
                socket.write_all(body).unwrap();
                let mut answer = Vec::new();
                socket.read_to_end(&mut answer).unwrap();
                let answer = String::from_utf8_lossy(&answer);
                assert!(answer.starts_with("HTTP/1.1 "), "{path} {media} {body:?}: {answer}");
                assert!(!answer.starts_with("HTTP/1.1 5"), "{path} {media} {body:?}: {answer}");
            }
        }
    }
    server.get("/health").ok();
    server.get("/sessions?limit=100000&session_name=%ff%25&sort_by=%00").ok();
}
