//! What the server keeps of what went on: traces, metrics, evaluations; media; pages of other origins.

use serde_json::json;

use super::Server;

#[test]
fn keeps_a_trace_of_each_run() {
    let server = Server::start();
    server.run("agents/toolbox", &[("message", "add 1 and 2"), ("run_id", "r"), ("user_id", "u")]);
    server.run("agents/broken", &[("message", "go"), ("user_id", "u")]);
    let listed = server.get("/traces?run_id=r").ok();
    assert_eq!(listed["data"][0]["name"], "Toolbox.arun");
    let path = format!("/traces/{}", listed["data"][0]["trace_id"].as_str().unwrap());
    let trace = server.get(&path).ok();
    assert_eq!((&trace["output"], &trace["total_spans"]), (&json!("Tool says: 3"), &json!(2)));
    assert_eq!(trace["tree"][0]["spans"][0]["name"], "add");
    let span = trace["tree"][0]["spans"][0]["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("{path}?span_id={span}")).ok()["type"], "TOOL");
    server.get(&format!("{path}?span_id=x")).refused(404, "Span not found");
    server.get("/traces/none").refused(404, "Trace not found");
    assert_eq!(server.get("/traces?status=ERROR").ok()["meta"]["total_count"], 1);
    assert_eq!(server.get("/traces?start_time=yesterday").status, 500);
    let both = json!({ "filter": { "op": "OR", "conditions": [
        { "op": "EQ", "key": "agent_id", "value": "toolbox" },
        { "op": "CONTAINS", "key": "name", "value": "broken" },
    ] } });
    assert_eq!(server.json("POST", "/traces/search", &both).ok()["meta"]["total_count"], 2);
    server
        .json("POST", "/traces/search", &json!({ "filter": { "op": "NOPE" } }))
        .refused(400, "Invalid filter expression: Unknown filter operator: NOPE");
    assert_eq!(server.get("/trace_session_stats?user_id=u").ok()["meta"]["total_count"], 2);
}

#[test]
fn counts_each_day() {
    let server = Server::start();
    server.run("agents/assistant", &[("message", "hi"), ("user_id", "u")]);
    // Who looks first sees what there is; who looks again soon sees the same, unless it was counted anew.
    assert_eq!(server.get("/metrics").ok()["metrics"][0]["team_runs_count"], 0);
    server.run("teams/duo", &[("message", "hi")]);
    assert_eq!(server.get("/metrics").ok()["metrics"][0]["team_runs_count"], 0);
    assert_eq!(server.get("/metrics/refresh/status").ok()["status"], "idle");
    let days = server.send(server.request("POST", "/metrics/refresh")).ok();
    assert_eq!(days[0]["agent_sessions_count"], 1);
    assert_eq!((&days[0]["team_runs_count"], &days[0]["users_count"]), (&json!(3), &json!(1)));
    assert_eq!(server.get("/metrics").ok()["metrics"], days);
    assert_eq!(server.get("/metrics/refresh/status").ok()["status"], "completed");
    assert_eq!(server.send(server.request("POST", "/metrics/refresh?background=true")).status, 202);
    assert_eq!(server.get("/metrics/refresh/status").ok()["status"], "completed");
    server
        .get("/metrics?starting_date=01/02/2024")
        .invalid("date_from_datetime_parsing", &json!(["query", "starting_date"]));
}

#[test]
fn judges_runs() {
    let server = Server::start();
    let eval = |input: &str| {
        let body = json!({
            "eval_type": "reliability", "agent_id": "toolbox", "input": input, "expected_tool_calls": ["add"],
        });
        server.json("POST", "/eval-runs", &body).ok()
    };
    assert_eq!(eval("add 2 and 3")["eval_data"]["eval_status"], "PASSED");
    let failed = eval("hello");
    assert_eq!(failed["eval_data"]["missing_tool_calls"], json!(["add"]));
    let path = format!("/eval-runs/{}", failed["id"].as_str().unwrap());
    assert_eq!(server.json("PATCH", &path, &json!({ "name": "n" })).ok()["name"], "n");
    assert_eq!(server.get("/eval-runs").ok()["meta"]["total_count"], 2);
    server.get("/eval-runs/nope").refused(404, "Eval run with id 'nope' not found");
    assert_eq!(server.json("DELETE", "/eval-runs", &json!({ "eval_run_ids": ["nope"] })).status, 204);
}

#[test]
fn takes_media() {
    let server = Server::start();
    let images = "[{\"url\": \"http://127.0.0.1:9/x.png\"}]";
    let run = server.run("agents/assistant", &[("message", "look"), ("images", images)]);
    assert_eq!(run["content"], "Received 1 images. You said: look");
    assert_eq!(run["input"]["images"][0]["url"], "http://127.0.0.1:9/x.png");
    let upload = |name: &str, kind: &str, bytes: &str| {
        let part = |head: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
        };
        let file = format!("name=\"files\"; filename=\"{name}\"\r\nContent-Type: {kind}");
        let body =
            [part("name=\"message\"", "look"), part("name=\"stream\"", "false"), part(&file, bytes)].concat();
        server.raw("POST", "/agents/assistant/runs", "multipart/form-data; boundary=b", &(body + "--b--\r\n"))
    };
    let run = upload("a.md", "application/octet-stream", "# md").ok();
    assert_eq!(run["messages"][1]["files"][0]["content"], "# md");
    upload("a.exe", "application/octet-stream", "MZ").refused(400, "Unsupported file type");
    assert_eq!(upload("a.txt", "text/plain", "").ok()["content"], "You said: look");
}

#[test]
fn lets_known_pages_in() {
    let server = Server::start();
    let ask = |origin: &str| {
        let request = server.request("OPTIONS", "/agents").header("origin", origin);
        server.send(request.header("access-control-request-method", "GET"))
    };
    let known = ask("https://os.agno.com");
    assert_eq!((known.status, known.header("access-control-allow-origin")), (200, "https://os.agno.com"));
    assert_eq!(
        (ask("https://evil.example").status, ask("https://evil.example").text.as_str()),
        (400, "Disallowed CORS origin")
    );
    server.json("POST", "/databases/demo-db/migrate", &json!({})).ok();
    server
        .json("POST", "/databases/nope/migrate", &json!({}))
        .refused(404, "No database found with id 'nope'");
    let broken = server.get("/memories?page=0");
    assert_eq!((broken.status, broken.header("connection")), (500, "close"));
}
