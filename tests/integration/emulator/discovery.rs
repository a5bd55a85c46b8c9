//! What the server says of itself.

use serde_json::json;

use super::Server;

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
        [
            "assistant",
            "contextual",
            "toolbox",
            "confirmer",
            "external",
            "asker",
            "slow",
            "broken",
            "rememberer",
            "judge",
            "librarian",
        ]
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
    assert_eq!(operations, 79);
    assert!(document["paths"].get("/learnings").is_none());
}
