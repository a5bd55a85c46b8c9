//! Sessions: made, changed, listed, deleted.

use serde_json::{Value, json};

use super::{Server, ids, keys};

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
