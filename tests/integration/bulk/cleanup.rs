//! What a scenario created is deleted in its end, and what a killed run left behind is swept.

use super::{Store, sent};
use crate::common::{self, Answer, FakeServer, Run, http, text::dedent};
use serde_json::json;
use std::{
    fs,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

const CREATES: &str = "
    name: Creates
    cleanup: true
    vars: { user: \"cleanup-${{ run.id }}\" }
    steps:
      - create_session: { agent_id: assistant, user_id: \"${{ user }}\", session_name: Made }
        save: { made: $.session_id }
      - run_agent: { agent_id: assistant, user_id: \"${{ user }}\", message: Hello! }
        save: { talk: $.session_id }
      - run_agent: { agent_id: assistant, user_id: \"${{ user }}\", session_id: \"mine-${{ run.id }}\", message: Hello! }
      - create_memory: { memory: Likes tea., user_id: \"${{ user }}\" }
        save: { memory: $.memory_id }
      - log: \"made ${{ made }} ${{ talk }} mine-${{ run.id }} ${{ memory }} of ${{ user }}\"
";

/// The ids that the scenario logged, and the user.
fn logged(stdout: &str) -> (Vec<String>, String) {
    let line = stdout.lines().find_map(|line| line.trim().strip_prefix("log: made ")).expect(stdout);
    let (ids, user) = line.split_once(" of ").unwrap();
    (ids.split(' ').map(str::to_owned).collect(), user.to_owned())
}

fn is_empty(url: &str, user: &str) {
    for list in ["sessions", "memories"] {
        let answer = http::get(url, &format!("/{list}?user_id={user}")).json();
        assert_eq!(answer["data"], json!([]), "{list}: {answer:#}");
    }
}

#[test]
fn what_a_scenario_created_is_gone_whether_it_passes_or_fails() {
    let url = common::agentos().base_url();
    let scenario = CREATES;
    for end in ["", "      - assert: [\"${{ 1 == 2 }}\"]\n"] {
        let code = i32::from(!end.is_empty());
        let output = Run::new()
            .file("a.yaml", dedent(&format!("{scenario}{end}")))
            .args(["--base-url", url, "a.yaml"])
            .run()
            .code_is(code);
        let (_, user) = logged(&output.stdout);
        is_empty(url, &user);
        assert!(!output.dir().join(".agentos-run").join("ledger").exists(), "{output}");
    }
}

#[test]
fn what_agents_remember_of_a_user_of_this_run_goes_and_of_others_stays() {
    let url = common::agentos().base_url();
    let stays = format!("cleanup-stays-{}", std::process::id());
    let scenario = "
        cleanup: true
        vars: { stays: x, user: \"cleanup-${{ run.id }}\" }
        steps:
          - for_each: [\"${{ user }}\", \"${{ stays }}\"]
            run_agent: { agent_id: rememberer, user_id: \"${{ item }}\", message: I like tea. }
          - for_each: [\"${{ user }}\", \"${{ stays }}\"]
            list_memories: { user_id: \"${{ item }}\" }
            expect: { \"$.data[0].memory\": User likes tea }
          - log: made - of ${{ user }}
    ";
    let output = Run::new()
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", url, "--var", &format!("stays={stays}"), "-v", "a.yaml"])
        .run()
        .code_is(0);
    let (_, user) = logged(&output.stdout);
    is_empty(url, &user);
    // A session for each run, and one memory.
    assert!(output.stdout.contains("clean up what was created: 3"), "{output}");
    let memories = http::get(url, &format!("/memories?user_id={stays}")).json();
    assert_eq!(memories["data"][0]["memory"], "User likes tea", "{memories:#}");
    let forget = "
        steps:
          - for_each: { list_memories: { user_id: \"${{ stays }}\" } }
            max_deletes: 1
            delete_memory: { memory_id: \"${{ item.memory_id }}\" }
        vars: { stays: x }
    ";
    let args = ["--base-url", url, "--var", &format!("stays={stays}"), "a.yaml"].map(str::to_owned);
    Run::new().file("a.yaml", dedent(forget)).args(&args).run().code_is(0);
}

#[test]
fn memories_of_somebody_else_that_a_server_answers_stay() {
    // As one does that puts the user of a token in the place of the one that was asked for.
    let server = FakeServer::new(|request| match (request.method.as_str(), request.path.split('?').next()) {
        ("GET", Some("/memories")) => Answer::json(
            200,
            &json!({ "data": [{ "memory_id": "precious", "user_id": "alice", "memory": "Likes tea." }] }),
        ),
        ("GET", Some(path)) if path.starts_with("/sessions") => Answer::json(404, &json!({})),
        _ => Answer::json(200, &json!({ "content": "Hello!", "status": "COMPLETED" })),
    });
    let scenario = "
        cleanup: true
        steps:
          - run_agent: { agent_id: x, user_id: \"bob-${{ run.id }}\", message: Hello!, stream: false }
    ";
    super::run(&server, scenario, &[]).code_is(0);
    let deleted: Vec<String> = sent(&server, "DELETE");
    assert!(deleted.len() == 1 && deleted[0].starts_with("DELETE /sessions/"), "{deleted:?}");
}

#[test]
fn a_document_that_was_there_before_stays() {
    let there = Arc::new(Mutex::new(vec!["old".to_owned()]));
    let documents = Arc::clone(&there);
    let server = FakeServer::new(move |request| {
        let mut documents = documents.lock().unwrap();
        match (request.method.as_str(), request.path.split('?').next().unwrap()) {
            ("GET", "/knowledge/content") => {
                let data: Vec<_> = documents.iter().map(|id| json!({ "id": id })).collect();
                let meta = json!({ "total_pages": 1, "total_count": data.len() });
                Answer::json(200, &json!({ "data": data, "meta": meta }))
            }
            ("POST", "/knowledge/content") => {
                // The id of a document is made of its name.
                let id = if String::from_utf8_lossy(&request.body).contains("old") { "old" } else { "new" };
                documents.retain(|known| known != id);
                documents.push(id.to_owned());
                Answer::json(202, &json!({ "id": id, "status": "processing" }))
            }
            ("DELETE", path) => {
                documents.retain(|id| !path.ends_with(id.as_str()));
                Answer::json(200, &json!({}))
            }
            _ => Answer::json(200, &json!({})),
        }
    });
    let scenario = "
        cleanup: true
        steps:
          - upload_knowledge_content: { name: old, text_content: Other words. }
          - upload_knowledge_content: { name: new, text_content: Words. }
          - upload_knowledge_content: { name: new, text_content: Words once more. }
    ";
    let output = super::run(&server, scenario, &["-v"]).code_is(0);
    assert_eq!(*there.lock().unwrap(), ["old"], "{output}");
    assert!(output.stdout.contains("the document old was there before"), "{output}");
    assert!(output.stdout.contains("clean up what was created: 1"), "{output}");
}

#[test]
fn a_session_that_was_there_before_stays() {
    let url = common::agentos().base_url();
    let id = format!("before-{}", std::process::id());
    let run = |scenario: &str| {
        Run::new()
            .file("a.yaml", dedent(scenario))
            .args(["--base-url", url, "--var", &format!("id={id}"), "a.yaml"])
            .run()
    };
    run("
        vars: { id: x }
        steps:
          - create_session: { session_id: \"${{ id }}\", agent_id: assistant }
    ")
    .code_is(0);
    run("
        vars: { id: x }
        cleanup: true
        steps:
          - run_agent: { agent_id: assistant, session_id: \"${{ id }}\", message: Hello! }
    ")
    .code_is(0);
    assert_eq!(http::get(url, &format!("/sessions/{id}")).status, 200);
    run("
        vars: { id: x }
        steps:
          - delete_session: { session_id: \"${{ id }}\" }
    ")
    .code_is(0);
}

#[test]
fn the_project_file_says_it_for_all_scenarios_and_a_scenario_otherwise() {
    let store = Store::of(0);
    let server = store.serve(|store, request| {
        (request.method == "POST" && request.path.starts_with("/sessions")).then(|| {
            let id = request.json()["session_id"].as_str().unwrap_or("chosen").to_owned();
            store.insert(0, &id);
            Answer::json(201, &json!({ "session_id": id }))
        })
    });
    let one = "
        name: One
        steps:
          - create_session: { agent_id: assistant, session_id: one }
    ";
    let two = "
        name: Two
        cleanup: false
        steps:
          - create_session: { agent_id: assistant, session_id: two }
    ";
    Run::new()
        .file("agentos-run.yaml", "cleanup: true\n")
        .file("one.yaml", dedent(one))
        .file("two.yaml", dedent(two))
        .args(["--base-url", &server.base_url(), "one.yaml", "two.yaml"])
        .run()
        .code_is(0);
    assert_eq!(store.ids(), ["two"]);
}

/// Creates a session and is then kept waiting, until it is killed.
fn left_behind(server: &FakeServer) -> common::Output {
    let scenario = "
        name: Left
        cleanup: true
        steps:
          - create_session: { agent_id: assistant, session_name: x }
          - http: { path: /wait }
    ";
    let output = Run::new().file("a.yaml", dedent(scenario)).arg("--version").run();
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentos-run"))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .current_dir(output.dir())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !server.lines().contains(&"GET /wait".to_owned()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let running = output.then().args(["sweep", "--yes", "--base-url", &server.base_url()]).run().code_is(0);
    assert!(running.stderr.contains("1 run still going on"), "{running}");
    child.kill().unwrap();
    child.wait().unwrap();
    output
}

fn waiting(store: &Store) -> FakeServer {
    store.serve(|store, request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/wait") => Some(Answer::silence()),
        ("POST", path) if path.starts_with("/sessions") => {
            let id = request.json()["session_id"].as_str().unwrap().to_owned();
            store.insert(0, &id);
            Some(Answer::json(201, &json!({ "session_id": id })))
        }
        _ => None,
    })
}

#[test]
fn sweep_deletes_what_a_killed_run_left_behind_and_nothing_else() {
    let store = Store::of(3);
    let server = waiting(&store);
    let folder = left_behind(&server);
    assert_eq!(store.ids().len(), 4);
    let sweep = |arguments: &[&str]| {
        folder.then().args(["sweep", "--base-url", &server.base_url()]).args(arguments).run()
    };
    let shown = sweep(&["--dry-run"]).code_is(0);
    assert!(shown.stdout.contains("by `Left`"), "{shown}");
    let asked = sweep(&[]).code_is(2);
    assert!(asked.stderr.contains("nobody is there to be asked"), "{asked}");
    assert_eq!(store.ids().len(), 4);
    // On another server there is nothing of it.
    let other = Store::of(1);
    let elsewhere = other.serve(|_, _| None);
    let nothing =
        folder.then().args(["sweep", "--yes", "--base-url", &elsewhere.base_url()]).run().code_is(0);
    assert!(nothing.stdout.contains("nothing was left behind on"), "{nothing}");
    assert_eq!(other.ids().len(), 1);
    let swept = sweep(&["--yes"]).code_is(0);
    assert!(swept.stdout.contains("deleted 1, failed 0"), "{swept}");
    assert_eq!(store.ids(), ["s-000", "s-001", "s-002"]);
    assert!(!folder.dir().join(".agentos-run/ledger").exists());
    let nothing = sweep(&["--yes"]).code_is(0);
    assert!(nothing.stdout.contains("nothing was left behind"), "{nothing}");
}

#[test]
fn what_cannot_be_deleted_fails_the_scenario_and_stays_in_the_ledger() {
    let store = Store::of(0);
    let server = store.serve(|store, request| match request.method.as_str() {
        "POST" => {
            let id = request.json()["session_id"].as_str().unwrap().to_owned();
            store.insert(0, &id);
            Some(Answer::json(201, &json!({ "session_id": id })))
        }
        "DELETE" => Some(Answer::json(403, &json!({ "detail": "not allowed" }))),
        _ => None,
    });
    let scenario = "
        name: Left
        cleanup: true
        steps:
          - create_session: { agent_id: assistant }
    ";
    let output = super::run(&server, scenario, &[]).code_is(1);
    assert!(output.stdout.contains("1 of 1 could not be deleted"), "{output}");
    assert!(output.stdout.contains("not allowed"), "{output}");
    assert_eq!(fs::read_dir(output.dir().join(".agentos-run/ledger")).unwrap().count(), 1);
}

/// A server that creates what it is asked for; what it answers otherwise is `before`'s.
fn creating(before: impl Fn(&common::Request) -> Option<Answer> + Send + Sync + 'static) -> FakeServer {
    FakeServer::new(move |request| {
        before(request).unwrap_or_else(|| match request.method.as_str() {
            "POST" if request.path.starts_with("/sessions") => {
                Answer::json(201, &json!({ "session_id": request.json()["session_id"] }))
            }
            "POST" => Answer::json(200, &json!({ "content": "Hello!", "status": "COMPLETED" })),
            "GET" if ["/sessions/", "/memories/"].iter().any(|path| request.path.starts_with(path)) => {
                Answer::json(404, &json!({}))
            }
            _ => Answer::json(200, &json!({})),
        })
    })
}

#[test]
fn a_session_of_which_nobody_knows_whether_it_was_there_stays() {
    let server = creating(|request| {
        let asked = request.method == "GET" && request.path.starts_with("/sessions/");
        asked.then(|| Answer::json(500, &json!({ "detail": "later" })))
    });
    let scenario = "
        cleanup: true
        steps:
          - run_agent: { agent_id: x, session_id: mine, message: Hello!, stream: false }
    ";
    super::run(&server, scenario, &[]).code_is(0);
    assert_eq!(sent(&server, "DELETE"), Vec::<String>::new());
}

#[test]
fn a_document_of_which_nobody_knows_whether_it_was_there_stays() {
    type List = Box<dyn Fn(usize) -> Answer + Send + Sync>;
    let page = |page: usize, of: usize| {
        let data: Vec<_> = (0..100).map(|number| json!({ "id": format!("{page}-{number}") })).collect();
        Answer::json(200, &json!({ "data": data, "meta": { "total_pages": of, "total_count": of * 100 } }))
    };
    let refused = |_: usize| Answer::json(500, &json!({ "detail": "later" }));
    let no_list = |_: usize| Answer::json(200, &json!({ "detail": "nothing" }));
    let lists: [(&str, List); 4] = [
        ("refused", Box::new(refused)),
        ("no list", Box::new(no_list)),
        ("the same page again and again", Box::new(move |_| page(1, 1_000))),
        ("longer than anybody looks", Box::new(move |number| page(number, 1_000))),
    ];
    for (what, list) in lists {
        let server = creating(move |request| {
            let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
            match (request.method.as_str(), path) {
                ("GET", "/knowledge/content") => {
                    let number = query.split('&').find_map(|field| field.strip_prefix("page="));
                    Some(list(number.map_or(1, |number| number.parse().unwrap())))
                }
                ("POST", "/knowledge/content") => {
                    Some(Answer::json(202, &json!({ "id": "d", "status": "processing" })))
                }
                _ => None,
            }
        });
        let scenario = "
            cleanup: true
            steps:
              - upload_knowledge_content: { name: d, text_content: Words. }
        ";
        let output = super::run(&server, scenario, &["-v"]).code_is(0);
        assert_eq!(sent(&server, "DELETE"), Vec::<String>::new(), "{what}");
        assert!(output.stdout.contains("nobody knows whether it was there before"), "{what}: {output}");
    }
}

#[test]
fn a_user_whose_name_only_begins_like_the_run_is_somebody_else() {
    let server = creating(|request| {
        let (path, query) = request.path.split_once('?')?;
        let user = query.split('&').find_map(|pair| pair.strip_prefix("user_id="))?;
        let memory = json!({ "memory_id": format!("of-{user}"), "user_id": user, "memory": "Likes tea." });
        (request.method == "GET" && path == "/memories")
            .then(|| Answer::json(200, &json!({ "data": [memory] })))
    });
    // What another run is called begins with what this one is called: `abc-1` and `abc-10`.
    let scenario = "
        cleanup: true
        steps:
          - run_agent: { agent_id: x, session_id: a, user_id: \"bob-${{ run.id }}0\", message: Hello!, stream: false }
          - run_agent: { agent_id: x, session_id: b, user_id: \"${{ run.id }}-bob\", message: Hello!, stream: false }
    ";
    super::run(&server, scenario, &[]).code_is(0);
    let deleted = sent(&server, "DELETE");
    let memories: Vec<&String> = deleted.iter().filter(|line| line.contains("/memories/")).collect();
    assert!(memories.len() == 1 && memories[0].ends_with("-bob"), "{deleted:?}");
}

#[test]
fn what_was_created_is_deleted_where_it_is_by_whom_it_was_and_the_latest_first() {
    let server = creating(|_| None);
    let project = "
        cleanup: true
        identities:
          alice: { bearer: token-of-alice }
          bob: { bearer: token-of-bob }
    ";
    let scenario = "
        as: alice
        steps:
          - create_session: { agent_id: x, session_id: first, db_id: other }
          - run_agent: { agent_id: x, session_id: second, message: Hello!, stream: false }
            as_user: bob
          - create_session: { agent_id: x, session_id: third, db_id: other }
    ";
    Run::new()
        .file("agentos-run.yaml", dedent(project))
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .run()
        .code_is(0);
    let deleted: Vec<(String, String)> = server
        .requests()
        .iter()
        .filter(|request| request.method == "DELETE")
        .map(|request| (request.path.clone(), request.header("authorization").unwrap_or_default().to_owned()))
        .collect();
    let expected = [
        ("/sessions/third?db_id=other", "Bearer token-of-alice"),
        ("/sessions/second", "Bearer token-of-bob"),
        ("/sessions/first?db_id=other", "Bearer token-of-alice"),
    ];
    assert_eq!(deleted, expected.map(|(path, sender)| (path.to_owned(), sender.to_owned())));
}

#[test]
fn sweep_leaves_what_is_gone_and_says_what_it_could_not_delete() {
    let store = Store::of(0);
    let refusing = Arc::new(Mutex::new(true));
    let refuse = Arc::clone(&refusing);
    let server = store.serve(move |store, request| match request.method.as_str() {
        "POST" => {
            let id = request.json()["session_id"].as_str().unwrap().to_owned();
            store.insert(0, &id);
            Some(Answer::json(201, &json!({ "session_id": id })))
        }
        "DELETE" if *refuse.lock().unwrap() && request.path.contains("kept") => {
            Some(Answer::json(403, &json!({ "detail": "not allowed" })))
        }
        _ => None,
    });
    let scenario = "
        name: Left
        cleanup: true
        steps:
          - create_session: { agent_id: assistant, session_id: gone }
          - create_session: { agent_id: assistant, session_id: kept }
    ";
    let output = super::run(&server, scenario, &[]).code_is(1);
    assert!(output.stdout.contains("1 of 2 could not be deleted"), "{output}");
    // Somebody else has a session of that name by now.
    store.insert(0, "gone");
    let sweep = || output.then().args(["sweep", "--yes", "--base-url", &server.base_url()]).run();
    let refused = sweep().code_is(1);
    assert!(refused.stdout.contains(": 1\n  session kept, by `Left`"), "{refused}");
    assert!(refused.stdout.contains("deleted 0, failed 1"), "{refused}");
    assert!(refused.stderr.contains("session kept: delete_session was refused with 403"), "{refused}");
    *refusing.lock().unwrap() = false;
    let swept = sweep().code_is(0);
    assert!(swept.stdout.contains("deleted 1, failed 0"), "{swept}");
    assert_eq!(store.ids(), ["gone"]);
    assert!(!output.dir().join(".agentos-run/ledger").exists());
}

#[test]
fn sweep_deletes_by_whom_it_was_created() {
    let refuses = Arc::new(Mutex::new(true));
    let refusing = Arc::clone(&refuses);
    let server = creating(move |request| {
        (request.method == "DELETE" && *refusing.lock().unwrap())
            .then(|| Answer::json(403, &json!({ "detail": "not now" })))
    });
    let project = "
        cleanup: true
        identities: { alice: { bearer: token-of-alice } }
    ";
    let scenario = "
        as: alice
        steps:
          - create_session: { agent_id: x, session_id: mine, db_id: other }
    ";
    let left = Run::new()
        .file("agentos-run.yaml", dedent(project))
        .file("a.yaml", dedent(scenario))
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .run()
        .code_is(1);
    *refuses.lock().unwrap() = false;
    let before = server.requests().len();
    let swept = left.then().args(["sweep", "--yes", "--base-url", &server.base_url()]).run().code_is(0);
    assert!(swept.stdout.contains("deleted 1, failed 0"), "{swept}");
    let requests = server.requests();
    let deleted = requests[before..].iter().find(|request| request.method == "DELETE").unwrap();
    assert_eq!(deleted.path, "/sessions/mine?db_id=other");
    assert_eq!(deleted.header("authorization"), Some("Bearer token-of-alice"));
}
