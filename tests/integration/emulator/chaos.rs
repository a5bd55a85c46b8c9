//! Faults on demand: each does what it says, and chaos repeats.

use agentos_run::diagnostic::Problems;
use agentos_run::emulator::{Options, cast::Cast};
use agentos_run::source::Source;
use serde_json::json;

use super::{Server, names};

/// A server that plays a cast.
fn playing(cast: &str, chaos: Option<u64>) -> Server {
    let mut problems = Problems::new();
    let cast = Cast::read(&Source::new("cast.yaml", cast), "".as_ref(), &mut problems);
    let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:?}");
    Server::with(Options { cast: Some(cast), chaos, ..Options::default() })
}

/// An agent that answers with six words, and something goes wrong.
fn faulty(fault: &str) -> Server {
    playing(
        &format!(
            "agents:\n  a:\n    faults:\n      - {{ fault: {fault}, nth: 1 }}\n    replies: [one two three four five six]\n"
        ),
        None,
    )
}

const WHOLE: [&str; 12] = [
    "RunStarted",
    "ModelRequestStarted",
    "RunContent",
    "RunContent",
    "RunContent",
    "RunContent",
    "RunContent",
    "RunContent",
    "ModelRequestCompleted",
    "RunContentCompleted",
    "RunCompleted",
    "",
];

/// What came of a streamed run, and whether it came to its end.
fn stream(server: &Server) -> (String, bool) {
    let request =
        server.request("POST", "/agents/a/runs").header("content-type", "application/x-www-form-urlencoded");
    server.runtime.block_on(async {
        let mut response = request.body("message=hi").send().await.unwrap();
        let mut text = String::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => text.push_str(&String::from_utf8_lossy(&chunk)),
                Ok(None) => return (text, true),
                Err(_) => return (text, false),
            }
        }
    })
}

#[test]
fn a_request_is_refused_and_the_next_is_answered() {
    let server = faulty("refuse");
    let request = server.request("POST", "/agents/a/runs").body("");
    assert!(server.runtime.block_on(request.send()).is_err());
    assert_eq!(server.run("agents/a", &[("message", "hi")])["content"], "one two three four five six");
}

#[test]
fn a_status_comes_with_its_header() {
    let server = faulty("429, retry_after: 1500ms");
    let answer = server.form("/agents/a/runs", &[("message", "hi")]);
    answer.refused(429, "Too Many Requests");
    assert_eq!((answer.header("retry-after"), answer.header("x-agentos-run-fault")), ("2", "429"));
    let answer = faulty("500").form("/agents/a/runs", &[("message", "hi")]);
    answer.refused(500, "Internal server error (RuntimeError)");
    faulty("503").form("/agents/a/runs", &[("message", "hi")]).refused(503, "Service Unavailable");
}

#[test]
fn a_stream_is_cut_where_it_was_asked_to_be() {
    let (text, whole) = stream(&faulty("cut, after: 4"));
    assert!(!whole);
    assert_eq!((text.matches("event: ").count(), text.ends_with("\n\n")), (4, true), "{text}");
    let (text, _) = stream(&faulty("cut, after: 0"));
    assert_eq!(text, "");
}

#[test]
fn an_event_comes_twice_or_broken() {
    let (text, whole) = stream(&faulty("duplicate, after: 2"));
    let frames: Vec<&str> = text.trim_end().split("\n\n").collect();
    assert!(whole);
    assert_eq!((frames.len(), frames[2]), (WHOLE.len(), frames[3]));
    let (text, whole) = stream(&faulty("malformed, after: 2"));
    let frames: Vec<&str> = text.trim_end().split("\n\n").collect();
    assert!(whole);
    assert_eq!(frames.len(), WHOLE.len() - 1);
    for (index, frame) in frames.iter().enumerate() {
        let data = frame.split_once("data: ").unwrap().1;
        assert_eq!(serde_json::from_str::<serde_json::Value>(data).is_err(), index == 2, "{frame}");
    }
}

#[test]
fn a_stall_and_a_slow_answer_come_to_their_end() {
    for fault in ["stall, after: 3, for: 20ms", "slow, for: 20ms"] {
        let server = faulty(fault);
        let events = server.stream("agents/a", &[("message", "hi")]);
        assert_eq!(names(&events), WHOLE[..11]);
    }
}

#[test]
fn an_answer_in_one_piece_is_cut_or_broken() {
    let answer = |fault: &str| {
        let server = faulty(fault);
        let request = server.request("POST", "/agents/a/runs");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        server.runtime.block_on(async move {
            request.body("message=hi&stream=false").send().await.unwrap().text().await
        })
    };
    assert!(answer("cut").is_err());
    let text = answer("malformed").unwrap();
    assert!(text.starts_with("{\"run_id\"") && serde_json::from_str::<serde_json::Value>(&text).is_err());
    assert!(serde_json::from_str::<serde_json::Value>(&answer("stall, for: 10ms").unwrap()).is_ok());
}

#[test]
fn faults_are_for_their_path_their_method_and_their_words() {
    let server = playing(
        "agents: { a: {}, b: { replies: [ { when: boom, fault: 502 }, ok ] } }\n\
         faults:\n  - { path: /sessions/*, method: delete, fault: 503 }\n  - { path: /agents/a/**, when: bad, fault: 504 }\n",
        None,
    );
    assert_eq!(server.json("DELETE", "/sessions/x", &json!({})).status, 503);
    assert_eq!(server.get("/sessions/x").status, 404);
    let run = |agent: &str, message: &str| {
        server.form(&format!("/agents/{agent}/runs"), &[("message", message), ("stream", "false")]).status
    };
    assert_eq!([run("a", "good"), run("a", "bad"), run("b", "bad")], [200, 504, 200]);
    assert_eq!([run("b", "boom"), run("b", "else")], [502, 200]);
}

#[test]
fn a_rate_is_kept() {
    let cast = "agents: { a: {} }\nfaults:\n  - { path: /teams, fault: 503, rate: 0.3 }\n";
    let server = playing(cast, None);
    let failed = (0..200).filter(|_| server.get("/teams").status == 503).count();
    assert!((35..=90).contains(&failed), "{failed} of 200");
}

#[test]
fn chaos_repeats_with_its_seed() {
    let statuses = |seed: u64| -> Vec<u16> {
        let server =
            playing("agents: { a: {} }\nchaos: { rate: 0.4, faults: [429, 500, 503] }\n", Some(seed));
        // Other paths have a count of their own; the ids in them do not matter.
        (0..40)
            .map(|number| {
                server.get("/teams");
                server.get(&format!("/sessions/{}-{number}", uuid::Uuid::new_v4())).status
            })
            .collect()
    };
    let first = statuses(7);
    assert_eq!(first, statuses(7));
    assert_ne!(first, statuses(8));
    for status in [404, 429, 500, 503] {
        assert!(first.contains(&status), "{first:?}");
    }
}

#[test]
fn chaos_keeps_away_from_where_a_server_says_what_it_is() {
    let server = playing("agents: { a: {} }\nchaos: { rate: 1.0, faults: [503] }\n", Some(1));
    for path in ["/health", "/info", "/config", "/openapi.json"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(server.get("/agents").status, 503);
    let server =
        playing("agents: { a: {} }\nchaos: { rate: 1.0, faults: [503], paths: [/health] }\n", Some(1));
    assert_eq!([server.get("/health").status, server.get("/agents").status], [503, 200]);
}

#[test]
fn a_rule_has_its_fault_where_it_answers() {
    let cast = "agents:
  a:
    history: true
    state: { calm: false }
    replies:
      - { when: (?i)hello, recall: (?i)i am (?<name>\\w+), say: \"Hello ${{ name }}\", fault: 503 }
      - { when: (?i)hello, if: state.calm, say: Calm, fault: 429 }
      - { when: (?i)hello, say: Who are you? }
      - { when: (?i)i am, say: I see }
teams:
  t:
    members: [a]
    replies:
      - { if: dependencies.broken, say: Broken, fault: 502 }
      - Whole
";
    let server = playing(cast, None);
    let status = |component: &str, fields: &[(&str, &str)]| {
        let mut all = vec![("stream", "false")];
        all.extend(fields);
        server.form(&format!("/{component}/runs"), &all).status
    };
    let hello = ("message", "Hello");
    assert_eq!(status("agents/a", &[hello]), 200);
    assert_eq!(status("agents/a", &[hello, ("session_state", "{\"calm\":true}")]), 429);
    assert_eq!(status("agents/a", &[("message", "I am Ann"), ("session_id", "s")]), 200);
    assert_eq!(status("agents/a", &[hello, ("session_id", "s")]), 503);
    assert_eq!(status("agents/a", &[hello, ("session_id", "other")]), 200);
    assert_eq!(status("teams/t", &[hello, ("dependencies", "{\"broken\":true}")]), 502);
    assert_eq!(status("teams/t", &[hello, ("dependencies", "{\"broken\":false}")]), 200);
}
