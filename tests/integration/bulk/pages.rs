//! Lists are read to their end, whatever changes meanwhile.

use super::{Store, run, sent};
use crate::common::{Answer, FakeServer, Run, text::dedent};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

const DELETE_ALL: &str = "
    steps:
      - for_each: { get_sessions: { limit: 10 } }
        max_deletes: 1000
        delete_session: { session_id: \"${{ item.session_id }}\" }
";

#[test]
fn a_list_is_read_to_its_last_page_before_anything_is_deleted() {
    let store = Store::of(35);
    let server = store.serve(|_, _| None);
    let output = run(&server, DELETE_ALL, &[]).code_is(0);
    assert_eq!(store.deleted().len(), 35, "{output}");
    assert!(store.missed().is_empty() && store.ids().is_empty());
    let lines = server.lines();
    let last_page = lines.iter().position(|line| line.contains("page=4")).unwrap();
    let first_deletion = lines.iter().position(|line| line.starts_with("DELETE")).unwrap();
    assert!(last_page < first_deletion, "{lines:?}");
    assert!(output.stdout.contains("delete_session: found 35, done 35, failed 0"), "{output}");
}

#[test]
fn what_disappears_and_appears_while_the_list_is_read_hides_nothing() {
    let store = Store::of(60);
    let asked = AtomicUsize::new(0);
    let server = store.serve(move |store, request| {
        if request.path.starts_with("/sessions?") {
            // In front of the third page five go and two come: three would be passed over.
            if asked.fetch_add(1, Ordering::Relaxed) == 2 {
                for number in 0..5 {
                    store.remove(&format!("s-{number:03}"));
                }
                store.insert(0, "new-1");
                store.insert(0, "new-2");
            }
        }
        None
    });
    run(&server, DELETE_ALL, &[]).code_is(0);
    assert!(store.ids().iter().all(|id| id.starts_with("new-")), "{:?}", store.ids());
    let deleted = store.deleted();
    let old = deleted.iter().filter(|id| id.starts_with("s-")).count();
    assert_eq!(old, 60, "{deleted:?}");
    // Those that went by themselves were seen before they went; nothing was deleted twice.
    let mut once = deleted.clone();
    once.dedup();
    assert_eq!(once, deleted);
}

#[test]
fn pages_that_overlap_are_told_apart_by_ids_and_read_again_in_order() {
    // Items of the same second come in another order for each page, as databases give them.
    let store = Store::of(50);
    let server = store.serve(|store, request| {
        if request.path.starts_with("/sessions?")
            && !request.path.contains("sort_by")
            && request.path.contains("page=2")
        {
            return Some(store.page(&request.path.replace("page=2", "page=1")));
        }
        None
    });
    run(&server, DELETE_ALL, &[]).code_is(0);
    assert_eq!(store.deleted().len(), 50);
    assert!(store.missed().is_empty(), "{:?}", store.missed());
    assert!(sent(&server, "GET").iter().any(|line| line.contains("sort_by=session_id")));
}

#[test]
fn a_server_that_repeats_a_page_for_ever_is_noticed_before_anything_is_deleted() {
    let store = Store::of(30);
    let server = store.serve(|_, request| {
        if !request.path.starts_with("/sessions?") {
            return None;
        }
        let data: Vec<_> = (0..10).map(|number| json!({ "session_id": format!("s-{number}") })).collect();
        Some(Answer::json(200, &json!({ "data": data, "meta": { "total_pages": 1_000_000 } })))
    });
    let output = run(&server, DELETE_ALL, &[]).code_is(1);
    assert!(store.deleted().is_empty());
    insta::assert_snapshot!(output.scrubbed());
}

#[test]
fn an_entry_that_cannot_be_read_is_noticed_before_anything_is_deleted() {
    let server = FakeServer::new(|request| {
        let entries = r#"[{"session_id":"s-1"},{"session_id":"s-2","session_name":"\ud800"}]"#;
        if request.path.starts_with("/sessions?") {
            Answer::of(200, "application/json", entries)
        } else {
            Answer::json(200, &json!({}))
        }
    });
    let output = run(&server, DELETE_ALL, &[]).code_is(1);
    assert!(sent(&server, "DELETE").is_empty());
    insta::assert_snapshot!(output.scrubbed());
}

#[test]
fn lists_without_pages_are_gone_over_too() {
    let agents = json!([{ "id": "a" }, { "id": "b" }]);
    let server = FakeServer::new(move |request| {
        let path = request.path.as_str();
        Answer::json(200, if path == "/agents" { &agents } else { &serde_json::Value::Null })
    });
    run(
        &server,
        "
        steps:
          - for_each: { list_agents: {}, where: \"${{ agent.id != 'a' }}\" }
            as: agent
            http: { path: \"/seen/${{ agent.id }}/${{ agent.name }}\" }
        ",
        &[],
    )
    .code_is(0);
    assert_eq!(sent(&server, "GET"), ["GET /agents", "GET /seen/b/null"]);
}

#[test]
fn where_takes_ages_names_and_patterns() {
    let server = FakeServer::new(|request| {
        if !request.path.starts_with("/sessions?") {
            return Answer::json(200, &json!({}));
        }
        let old = "2020-01-01T00:00:00Z";
        let new = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let data = json!([
            { "session_id": "old-tmp", "session_name": "tmp-1", "updated_at": old },
            { "session_id": "new-tmp", "session_name": "tmp-2", "updated_at": new },
            { "session_id": "old-named", "session_name": "Report", "updated_at": old },
            { "session_id": "old-nameless", "updated_at": old },
        ]);
        Answer::json(200, &json!({ "data": data, "meta": { "total_pages": 1, "total_count": 4 } }))
    });
    let seen = |filter: &str| {
        let before = server.lines().len();
        let scenario = format!(
            "
            vars: {{ older_than: 30d }}
            steps:
              - for_each: {{ get_sessions: {{}}, where: \"${{{{ {filter} }}}}\" }}
                http: {{ path: \"/x/${{{{ item.session_id }}}}\" }}
            "
        );
        run(&server, &scenario, &[]).code_is(0);
        let lines = server.lines().split_off(before);
        lines.iter().filter_map(|line| line.strip_prefix("GET /x/").map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(seen("item.updated_at | age > older_than"), ["old-tmp", "old-named", "old-nameless"]);
    assert_eq!(seen("(item.updated_at | age) <= '1h'"), ["new-tmp"]);
    assert_eq!(seen("item.updated_at < ago('30d') and item.session_name is matches('^tmp-')"), ["old-tmp"]);
    assert_eq!(seen("item.session_name is not matches('^tmp-')"), ["old-named", "old-nameless"]);
    assert_eq!(seen("item.session_name == none"), ["old-nameless"]);
}

#[test]
fn what_is_wrong_with_a_filter_stops_everything_before_it_begins() {
    let store = Store::of(3);
    let server = store.serve(|_, _| None);
    for (filter, said) in [
        ("item.sesion_name == 'x'", "`item.sesion_name` has no value"),
        ("item.sesion_name == 'x'", "did you mean `session_name`?"),
        ("item.owner == 'x'", "known here: "),
        ("item.session_name", "`where` is neither true nor false: \"Name"),
        ("'2026-01-01T00:00:00Z' < 'yesterday'", "the text `yesterday`"),
        ("item.updated_at | age > 'soon'", "an age is compared with a duration"),
        ("item.updated_at | age > item.session_id", "an age is compared with a duration"),
        ("item.session_id | age > '30d'", "`s-000` is not a time"),
    ] {
        let scenario = format!(
            "
            steps:
              - for_each: {{ get_sessions: {{}}, where: \"${{{{ {filter} }}}}\" }}
                max_deletes: 100
                delete_session: {{ session_id: \"${{{{ item.session_id }}}}\" }}
            "
        );
        let output = run(&server, &scenario, &[]).code_is(1);
        assert!(output.stdout.contains(said), "{filter}: {output}");
        assert!(output.stdout.contains("nothing was done"), "{filter}: {output}");
    }
    assert!(store.deleted().is_empty());
}

#[test]
fn check_finds_what_is_wrong_with_a_loop() {
    let output = Run::new()
        .file(
            "a.yaml",
            dedent(
                "
                steps:
                  - for_each: { get_session: { session_id: x } }
                    log: x
                  - for_each: { get_sesions: {}, where: \"${{ itm.x }}\" }
                    log: x
                  - for_each: { get_sessions: { page: 3, user: x }, list_agents: {} }
                    batch: 0
                    rate: fast
                    log: x
                  - for_each: { where: \"${{ item.name is matches('(') }}\" }
                    log: x
                  - log: x
                    batch: 3
                    stop_on_failure: true
                ",
            ),
        )
        .args(["check", "a.yaml"])
        .run()
        .code_is(2);
    insta::assert_snapshot!(output.scrub(&output.stderr));
}

#[test]
fn one_that_goes_and_one_that_comes_hide_nothing_though_the_counts_agree() {
    let store = Store::of(30);
    let asked = AtomicUsize::new(0);
    let server = store.serve(move |store, request| {
        if request.path.starts_with("/sessions?") {
            // The second page begins one further on, and the last one has one more: thirty came, as was said.
            match asked.fetch_add(1, Ordering::Relaxed) {
                1 => store.remove("s-000"),
                2 => store.insert(29, "s-new"),
                _ => {}
            }
        }
        None
    });
    run(&server, DELETE_ALL, &[]).code_is(0);
    assert_eq!(store.ids(), Vec::<String>::new());
    assert_eq!(store.deleted().len(), 31);
}

#[test]
fn a_list_of_many_pages_does_not_fail_for_one_of_them() {
    for (status, head) in [(503, ""), (429, "Retry-After: 0\r\n"), (500, "")] {
        let store = Store::of(25);
        let asked = AtomicUsize::new(0);
        let server = store.serve(move |_, request| {
            let second = request.path.starts_with("/sessions?") && request.path.contains("page=2");
            let refused = second && asked.fetch_add(1, Ordering::Relaxed) == 0;
            let answer = format!("HTTP/1.1 {status} Not now\r\n{head}Content-Length: 0\r\n\r\n");
            refused.then(|| Answer::new().send(answer))
        });
        run(&server, DELETE_ALL, &[]).code_is(0);
        assert_eq!(store.deleted().len(), 25, "{status}");
    }
}

#[test]
fn whether_all_of_it_is_gone_is_said_where_it_cannot_be_seen() {
    let store = Store::of(5);
    let server = store.serve(|store, request| {
        let afterwards = request.path.starts_with("/sessions?") && !store.deleted().is_empty();
        afterwards.then(|| Answer::json(400, &json!({ "detail": "no more" })))
    });
    let output = run(&server, DELETE_ALL, &[]).code_is(1);
    assert_eq!(store.deleted().len(), 5);
    let why = "whether the items are gone could not be seen: get_sessions was refused with 400: no more";
    assert!(crate::common::text::unwrapped(&output.stdout).contains(why), "{output}");
}

#[test]
fn what_the_condition_of_a_step_leaves_out_is_counted_as_skipped() {
    let store = Store::of(5);
    let server = store.serve(|_, _| None);
    let scenario = "
        steps:
          - for_each: { get_sessions: {} }
            if: ${{ item.session_id != 's-003' }}
            http: { method: POST, path: \"/of/${{ item.session_id }}\" }
    ";
    let output = run(&server, scenario, &[]).code_is(0);
    assert!(output.stdout.contains("found 5, done 4, skipped 1, failed 0"), "{output}");
}
