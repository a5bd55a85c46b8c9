//! Operations as requests: paths, forms, what is not sent, and the same as a line for the shell.

use std::collections::HashSet;
use std::process::Command;

use agentos_run::agentos::field::FieldKind;
use agentos_run::agentos::operation::{Body, Method};
use agentos_run::agentos::sessions::{CreateSession, DeleteSessions, GetSession, SessionType};
use agentos_run::agentos::workflows::RunWorkflow;
use agentos_run::agentos::{Call, CallOptions, Client, Operation, Payload, catalogue, find};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

fn call(name: &str, fields: Value) -> Call {
    find(name).unwrap().parse(object(fields)).unwrap().call().unwrap()
}

#[test]
fn the_catalogue_is_consistent() {
    let mut names = HashSet::new();
    for entry in catalogue() {
        let spec = entry.spec;
        for name in std::iter::once(&spec.name).chain(spec.aliases) {
            assert!(names.insert(*name), "{name} twice");
            assert_eq!(find(name).unwrap().spec.name, spec.name);
        }
        assert!(
            !entry.summary().is_empty() && entry.summary().ends_with('.'),
            "{}: {}",
            spec.name,
            entry.summary()
        );
        for name in spec.query {
            assert!(entry.field(name).is_some(), "{}: {name}", spec.name);
        }
        for part in spec.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            // Of a run that is continued, the answer may be given in place of its id.
            let instead = part == "run_id" && entry.field("run").is_some();
            let field = entry.field(part);
            assert!(field.is_some_and(|field| field.required || instead), "{}: {part}", spec.name);
        }
        for field in entry.fields() {
            assert!(!field.documentation.is_empty(), "{}.{}", spec.name, field.name);
        }
        // Every field that is sent has a place.
        if spec.body == Body::None {
            let mut fields = Map::new();
            for field in entry.fields().iter().filter(|field| field.required) {
                fields.insert(field.name.clone(), json!("x"));
            }
            let call = entry.parse(fields).unwrap().call().unwrap();
            assert_eq!(call.payload, Payload::Empty);
        }
        let error = entry.parse(object(json!({"no_such_field": 1}))).unwrap_err().to_string();
        assert!(error.starts_with(spec.name), "{error}");
    }
    assert_eq!(find("aget_config").unwrap().spec.name, "get_config");
    assert!(find("a").is_none() && find("nothing").is_none());
}

#[test]
fn runs_are_forms_that_always_say_whether_they_stream() {
    let sent = call(
        "run_agent",
        json!({"agent_id": "a/b", "message": "hi", "session_state": {"n": 1.0}, "version": 2, "use_json_schema": true}),
    );
    assert_eq!(sent.path, "/agents/a%2Fb/runs");
    let Payload::Form(pairs) = sent.payload else { panic!("a form") };
    let expected = [
        ("message", "hi"),
        ("session_state", r#"{"n":1.0}"#),
        ("use_json_schema", "true"),
        ("version", "2"),
        ("stream", "false"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn what_is_ours_is_not_sent() {
    let sent = call("run_workflow", json!({"workflow_id": "w", "message": "m"}));
    assert_eq!(
        sent.payload,
        Payload::Form(vec![("message".into(), "m".into()), ("stream".into(), "false".into())])
    );
    let sent = call("delete_session", json!({"session_id": "s", "verify": true}));
    assert_eq!((sent.query.len(), sent.payload), (0, Payload::Empty));
    let sent = call("clear_session", json!({"session_id": "s", "strategy": "recreate"}));
    assert_eq!((sent.query.len(), sent.payload), (0, Payload::Empty));
    for (operation, field) in [("delete_session", "verify"), ("run_agent", "stream")] {
        let field = find(operation).unwrap().field(field).unwrap();
        assert!(!field.required, "{operation}");
        assert_eq!(field.default, Some(json!(false)), "{operation}");
    }
    assert_eq!(find("clear_session").unwrap().field("strategy").unwrap().default, Some(json!("auto")));
    assert!(!RunWorkflow::default().stream);
}

#[test]
fn fields_have_the_kinds_of_their_types() {
    let kind = |operation: &str, field: &str| find(operation).unwrap().field(field).unwrap().kind.clone();
    let types = FieldKind::Enum(["agent", "team", "workflow"].map(str::to_owned).to_vec());
    assert_eq!(kind("get_session", "session_type"), types);
    assert_eq!(kind("delete_sessions", "session_types"), FieldKind::List(Box::new(types)));
    assert_eq!(kind("delete_sessions", "session_ids"), FieldKind::List(Box::new(FieldKind::String)));
    let strategies = ["auto", "endpoint", "recreate"].map(str::to_owned).to_vec();
    assert_eq!(kind("clear_session", "strategy"), FieldKind::Enum(strategies));
    assert_eq!(kind("run_team", "session_state"), FieldKind::Object);
    assert_eq!(kind("run_agent", "version"), FieldKind::Integer);
    assert_eq!(kind("run_agent", "use_json_schema"), FieldKind::Boolean);
    assert_eq!(kind("get_sessions", "page"), FieldKind::Integer);
}

#[test]
fn created_sessions_have_a_type() {
    let kind = |create: CreateSession| Operation::call(&create).unwrap().query;
    let with = |name: &str| vec![("type".to_owned(), name.to_owned())];
    assert_eq!(kind(CreateSession::default()), with("agent"));
    assert_eq!(kind(CreateSession { team_id: Some("t".into()), ..CreateSession::default() }), with("team"));
    assert_eq!(
        kind(CreateSession { workflow_id: Some("w".into()), ..CreateSession::default() }),
        with("workflow")
    );
    let given = CreateSession {
        team_id: Some("t".into()),
        r#type: Some(SessionType::Agent),
        ..CreateSession::default()
    };
    assert_eq!(kind(given), with("agent"));
}

#[test]
fn deleted_sessions_have_types() {
    let types = |given: Option<Vec<SessionType>>| {
        let ids = vec!["a".to_owned(), "b".to_owned()];
        let delete = DeleteSessions { session_ids: ids, session_types: given, ..DeleteSessions::default() };
        let Payload::Json(body) = Operation::call(&delete).unwrap().payload else { panic!("JSON") };
        assert!(body.get("verify").is_none());
        body["session_types"].clone()
    };
    assert_eq!(types(None), json!(["agent", "agent"]));
    assert_eq!(types(Some(vec![SessionType::Team])), json!(["team", "team"]));
    // The server says what is wrong with these.
    assert_eq!(types(Some(vec![SessionType::Team; 3])), json!(["team", "team", "team"]));
}

#[test]
fn lists_in_the_query_are_repeated_and_aliases_work() {
    let sent = call(
        "get_session_runs",
        json!({"session_id": "s", "session_type": "team", "status": ["ERROR", "PAUSED"], "created_after": 5}),
    );
    let pairs: Vec<_> = sent.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(pairs, ["type=team", "created_after=5", "status=ERROR", "status=PAUSED"]);
}

#[test]
fn ids_that_no_path_can_hold_are_refused() {
    for id in ["", ".", ".."] {
        let get = GetSession { session_id: id.to_owned(), ..GetSession::default() };
        let error = Operation::call(&get).unwrap_err().to_string();
        assert!(error.starts_with("`session_id` is "), "{error}");
    }
}

/// The words of a line, as a POSIX shell hands them to the program.
fn words(line: &str) -> Vec<String> {
    let script = format!("curl() {{ for word in \"$@\"; do printf '%s\\0' \"$word\"; done; }}\n{line}");
    let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn curl(call: &Call) -> String {
    let client = Client::builder("http://localhost:7777/os").bearer("it's").build().unwrap();
    client.dry_run(call, &CallOptions::default()).unwrap().curl()
}

#[test]
fn lines_for_the_shell() {
    let plain = call("health", json!({}));
    assert_eq!(curl(&plain), r"curl http://localhost:7777/os/health -H 'authorization: Bearer it'\''s'");
    let rename = call("rename_session", json!({"session_id": "a b", "session_name": "x"}));
    let url = "http://localhost:7777/os/sessions/a%20b/rename";
    let auth = "authorization: Bearer it's";
    assert_eq!(words(&curl(&rename)), ["-X", "POST", url, "-H", auth, "--json", r#"{"session_name":"x"}"#]);
    let run = call("run_agent", json!({"agent_id": "a", "message": "a=b&c\n@d"}));
    let url = "http://localhost:7777/os/agents/a/runs";
    let form = ["--data-urlencode", "message=a=b&c\n@d", "--data-urlencode", "stream=false"];
    assert_eq!(words(&curl(&run)), [&["-X", "POST", url, "-H", auth][..], &form].concat());
    let mut raw = Call::new(Method::Get, "/x?a=[1]");
    raw.payload = Payload::Multipart(vec![("a".into(), "@file".into()), ("b".into(), "1".into())]);
    let url = "http://localhost:7777/os/x?a=[1]";
    let parts = ["-H", auth, "--form-string", "a=@file", "-F", "b=1"];
    assert_eq!(words(&curl(&raw)), [&["-g", "-X", "GET", url][..], &parts].concat());
    let mut head = Call::new(Method::Head, "/");
    head.headers = vec![("x-empty".into(), String::new())];
    assert_eq!(words(&curl(&head)), ["--head", "http://localhost:7777/os/", "-H", auth, "-H", "x-empty;"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_id_is_one_segment_of_the_path(id in "\\PC{1,20}|[./%?#\\\\ a]{1,6}") {
        prop_assume!(id != "." && id != "..");
        let get = GetSession { session_id: id.clone(), ..GetSession::default() };
        let call = Operation::call(&get).unwrap();
        let client = Client::builder("http://localhost:7777/os").build().unwrap();
        let url = client.dry_run(&call, &CallOptions::default()).unwrap().url;
        let segment = url.strip_prefix("http://localhost:7777/os/sessions/").unwrap();
        prop_assert!(!segment.contains(['/', '?', '#']));
        prop_assert_eq!(percent_encoding::percent_decode_str(segment).decode_utf8().unwrap(), id);
    }

    #[test]
    fn the_shell_sees_every_value_as_it_is(text in "[^\\x00]{0,30}|['\"$`\\\\ !*@\n;|&<>(){}]{0,12}") {
        let mut call = Call::new(Method::Put, "/x");
        call.payload = Payload::Text(text.clone());
        let line = curl(&call);
        let words = words(&line);
        prop_assert_eq!(&words[words.len() - 2..], ["--data-raw".to_owned(), text]);
    }
}
