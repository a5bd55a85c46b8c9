//! Memories, and what is to be known.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Server, names};

#[test]
fn keeps_memories() {
    let server = Server::start();
    let made = server
        .json("POST", "/memories", &json!({ "memory": "likes tea", "user_id": "u", "topics": ["a", "b"] }))
        .ok();
    let path = format!("/memories/{}", made["memory_id"].as_str().unwrap());
    assert_eq!(server.get(&path).ok(), made);
    server.json("POST", "/memories", &json!({ "memory": "x" })).refused(400, "User ID is required");
    server
        .json("POST", "/memories", &json!({ "memory": "", "user_id": "u" }))
        .invalid("string_too_short", &json!(["body", "memory"]));
    let count = |query: &str| server.get(&format!("/memories?{query}")).ok()["meta"]["total_count"].clone();
    assert_eq!(
        (count("topics=a,b"), count("topics=a,c"), count("search_content=TEA")),
        (json!(1), json!(0), json!(1))
    );
    server.get("/memories?page=0").refused(500, "Internal server error (ValueError)");
    let changed = server.json("PATCH", &path, &json!({ "memory": "likes coffee", "user_id": "v" })).ok();
    assert_eq!((&changed["user_id"], &changed["topics"]), (&json!("u"), &json!([])));
    server.json("POST", "/memories", &json!({ "memory": "lives in Rome", "user_id": "u", "topics": ["c"] }));
    assert_eq!(server.get("/memory_topics").ok(), json!(["c"]));
    assert_eq!(server.get("/user_memory_stats").ok()["data"][0]["total_memories"], 2);
    let one = server.json("POST", "/optimize-memories", &json!({ "user_id": "u" })).ok();
    assert_eq!(one["memories"][0]["memory"], "likes coffee. lives in Rome.");
    assert_eq!(server.send(server.request("DELETE", &path)).status, 204);
    server
        .get(&path)
        .refused(404, &format!("Memory with ID {} not found", made["memory_id"].as_str().unwrap()));
}

#[test]
fn remembers_what_its_users_like() {
    let server = Server::start();
    server.run("agents/rememberer", &[("message", "I like green tea"), ("user_id", "u")]);
    let told = server.stream("agents/rememberer", &[("message", "I love chess"), ("user_id", "u")]);
    let at = names(&told).iter().position(|name| *name == "MemoryUpdateStarted").unwrap();
    assert_eq!(names(&told)[at + 1..], ["MemoryUpdateCompleted", "RunCompleted"]);
    assert_eq!(told[at + 1].1["memories"][1]["memory"], "User likes chess");
    assert_eq!(server.get("/memories?user_id=u").ok()["meta"]["total_count"], 2);
}

fn settled(server: &Server, id: &str) -> Value {
    for _ in 0..500 {
        let status = server.get(&format!("/knowledge/content/{id}/status")).ok();
        if status["status"] != "processing" {
            return status;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{id} is never read")
}

#[test]
fn learns_and_searches() {
    let server = Server::start();
    let fields = [
        ("name", "Note"),
        ("description", "A text note"),
        ("text_content", "Agno is a framework for building agents."),
        ("metadata", "{\"topic\": \"agno\"}"),
    ];
    let accepted = server.form("/knowledge/content", &fields);
    assert_eq!((accepted.status, &accepted.json()["status"]), (202, &json!("processing")));
    // The same words in agno 3.1.10 make the same id.
    let id = "4925f1a5-bf5d-5c45-9cf8-dc43da35c911";
    assert_eq!(accepted.json()["id"], id);
    assert_eq!(settled(&server, id)["status"], "completed");
    let found = server.json("POST", "/knowledge/search", &json!({ "query": "What is Agno?" })).ok();
    assert_eq!(found["data"][0]["content_id"], id);
    let others = json!({ "query": "agno", "filters": { "topic": "other" } });
    assert_eq!(server.json("POST", "/knowledge/search", &others).ok()["data"], json!([]));
    let run = server.run("agents/librarian", &[("message", "What is Agno?")]);
    assert!(run["content"].as_str().unwrap().contains("framework"), "{run}");
    assert_eq!(run["references"][0]["query"], "What is Agno?");
    let dead = server.form("/knowledge/content", &[("name", "Url"), ("url", "http://127.0.0.1:9/x")]).json();
    assert_eq!(settled(&server, dead["id"].as_str().unwrap())["status"], "failed");
    server
        .form("/knowledge/content", &[("name", "x")])
        .refused(400, "Provide a file, text_content, or URL to upload.");
    server.get("/knowledge/content/nope").refused(404, "Content not found: nope");
    assert_eq!(server.send(server.request("DELETE", &format!("/knowledge/content/{id}"))).ok()["id"], id);
    assert_eq!(server.send(server.request("DELETE", "/knowledge/content")).ok(), "success");
    assert_eq!(server.get("/knowledge/content").ok()["data"], json!([]));
}
