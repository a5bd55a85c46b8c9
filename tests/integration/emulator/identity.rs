//! Tokens: who asks, and what they may.

use agentos_run::emulator::Options;
use serde_json::{Value, json};

use super::{Answer, Server};
use crate::common::jwt;

const SECRET: &str = "a secret of the tests";

/// A token with these claims.
fn token(claims: &Value) -> String {
    jwt::token(SECRET, claims)
}

fn server(isolation: bool) -> Server {
    Server::with(Options {
        jwt_secret: Some(SECRET.to_owned()),
        user_isolation: isolation,
        ..Options::default()
    })
}

fn send(server: &Server, method: &str, path: &str, form: &str, claims: &Value) -> Answer {
    let request = server.request(method, path).bearer_auth(token(claims));
    let media = "application/x-www-form-urlencoded";
    server.send(request.header("content-type", media).body(form.to_owned()))
}

#[test]
fn lets_tokens_in_and_nothing_else() {
    let server = server(false);
    server.get("/health").ok();
    server.get("/agents").refused(401, "Authorization header missing");
    server
        .send(server.request("GET", "/agents").bearer_auth("abc"))
        .refused(401, "Invalid token: Not enough segments");
    let get = |claims: Value| send(&server, "GET", "/agents", "", &claims);
    get(json!({ "sub": "a", "scopes": ["agents:read"], "exp": 1 })).refused(401, "Token has expired");
    get(json!({ "sub": "a", "scopes": [] }))
        .refused(403, "Insufficient permissions. Required scope(s): agents:read");
    assert_eq!(get(json!({ "scopes": ["agents:assistant:read"] })).ok().as_array().unwrap().len(), 1);
    assert!(get(json!({ "scopes": ["agent_os:admin"] })).ok().as_array().unwrap().len() > 1);
    let run = |agent: &str| {
        let claims = json!({ "sub": "alice", "scopes": ["agents:assistant:run"] });
        send(
            &server,
            "POST",
            &format!("/agents/{agent}/runs"),
            "message=hi&stream=false&user_id=bob",
            &claims,
        )
    };
    assert_eq!(run("assistant").ok()["user_id"], "alice");
    run("toolbox").refused(403, "Insufficient permissions. Required scope(s): agents:run");
}

#[test]
fn keeps_users_apart() {
    let server = server(true);
    let scopes = json!(["agents:run", "agents:read", "sessions:read"]);
    let (alice, bob) =
        (json!({ "sub": "alice", "scopes": scopes }), json!({ "sub": "bob", "scopes": scopes }));
    let form = "message=hi&stream=false&session_id=s&run_id=r";
    send(&server, "POST", "/agents/assistant/runs", form, &alice).ok();
    send(&server, "POST", "/agents/assistant/runs", form, &bob).refused(404, "Session not found");
    assert_eq!(send(&server, "GET", "/sessions/s", "", &bob).status, 404);
    assert_eq!(send(&server, "GET", "/sessions?user_id=alice", "", &bob).ok()["data"], json!([]));
    assert_eq!(send(&server, "GET", "/sessions", "", &alice).ok()["meta"]["total_count"], 1);
    let cancel = "/agents/assistant/runs/r/cancel";
    send(&server, "POST", cancel, "", &bob).refused(400, "session_id is required for this action");
    send(&server, "POST", &format!("{cancel}?session_id=s"), "", &bob).refused(404, "Run not found");
    send(&server, "POST", &format!("{cancel}?session_id=s"), "", &alice).ok();
}

#[test]
fn tokens_are_for_their_audience() {
    let options = Options {
        jwt_secret: Some(SECRET.to_owned()),
        jwt_audience: Some("demo-os".to_owned()),
        ..Options::default()
    };
    let server = Server::with(options);
    let get = |audience: &str| {
        send(&server, "GET", "/agents", "", &json!({ "aud": audience, "scopes": ["agents:read"] }))
    };
    get("demo-os").ok();
    get("other").refused(401, "Invalid token audience - token not valid for this AgentOS instance");
}

#[test]
fn a_run_is_seen_by_those_who_may_run() {
    let server = server(false);
    let may = |scopes: Value, method: &str, path: &str| {
        send(&server, method, path, "", &json!({ "sub": "a", "scopes": scopes }))
    };
    for (method, path) in [
        ("GET", "/agents/assistant/runs?session_id=s"),
        ("GET", "/agents/assistant/runs/r?session_id=s"),
        ("POST", "/agents/assistant/runs/r/resume"),
    ] {
        may(json!(["agents:read"]), method, path).refused(403, "Access denied to run this agent");
        let let_in = may(json!(["agents:read", "agents:assistant:run"]), method, path);
        assert_ne!(let_in.status, 403, "{path}");
    }
    let eval = json!({ "agent_id": "assistant", "eval_type": "performance", "input": "hi" });
    let request = server.request("POST", "/eval-runs").header("content-type", "application/json");
    let request = request.bearer_auth(token(&json!({ "sub": "a", "scopes": ["evals:write"] })));
    server.send(request.body(eval.to_string())).refused(403, "Access denied to run this agent");
}

#[test]
fn what_is_wrong_with_a_token_is_said_in_the_words_of_pyjwt() {
    let server = server(false);
    let get = |claims: Value| send(&server, "GET", "/agents", "", &claims);
    let admin = json!(["agent_os:admin"]);
    for (claims, reason) in [
        (json!({ "sub": 5, "scopes": admin }), "Subject must be a string"),
        (json!({ "exp": "soon", "scopes": admin }), "Expiration Time claim (exp) must be an integer."),
        (json!({ "nbf": 99_999_999_999_i64, "scopes": admin }), "The token is not yet valid (nbf)"),
        (json!(["no", "object"]), "Invalid payload string: must be a json object"),
    ] {
        get(claims).refused(401, &format!("Invalid token: {reason}"));
    }
    // Scopes are a list; a text is one of them, whatever words it has.
    get(json!({ "scopes": "agents:read" })).ok();
    get(json!({ "scopes": "teams:read agents:read" }))
        .refused(403, "Insufficient permissions. Required scope(s): agents:read");
    // Without a scheme it is a token, too.
    let bare = token(&json!({ "scopes": admin }));
    server.send(server.request("GET", "/agents").header("authorization", bare)).ok();
    server
        .send(server.request("GET", "/agents").header("authorization", "Basic abc"))
        .refused(401, "Invalid token: Not enough segments");
    assert_eq!(server.send(server.request("OPTIONS", "/agents")).status, 405);
}
