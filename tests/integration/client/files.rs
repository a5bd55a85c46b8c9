//! Files within requests: media of runs, documents of knowledge bases.

use std::path::Path;

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::knowledge::{
    DeleteAllKnowledgeContent, DeleteKnowledgeContent, GetKnowledgeConfig, GetKnowledgeContent,
    GetKnowledgeContentStatus, ListKnowledgeContent, SearchKnowledge, UpdateKnowledgeContent,
    UploadKnowledgeContent,
};
use agentos_run::agentos::upload::FileSource;
use agentos_run::agentos::{Call, CallOptions, Client, Error, ErrorKind, Operation, Payload, find};
use serde_json::{Map, Value, json};

use super::live::{some, unique};

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn call(operation: &str, value: Value) -> Result<Call, Error> {
    find(operation).unwrap().parse(fields(value))?.call()
}

fn refused(operation: &str, value: Value) -> String {
    let error = call(operation, value).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Invalid(_)), "{error:?}");
    error.to_string()
}

/// A folder with a few files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.png"), b"\x89PNG").unwrap();
    std::fs::write(folder.path().join("note.md"), "# Note").unwrap();
    std::fs::write(folder.path().join("empty.txt"), "").unwrap();
    folder
}

#[test]
fn media_of_agents_are_file_parts_and_urls_are_json() {
    let folder = folder();
    let png = folder.path().join("a.png");
    let run = json!({"agent_id": "a", "message": "look",
        "images": [png, "https://example.com/b.jpg", "data:image/gif;base64,R0lG"],
        "audio": [{"base64": "bXAz"}],
        "files": [{"text": "hello", "filename": "h.csv"}, {"text": "plain"}]});
    let sent = call("run_agent", run.clone()).unwrap();
    let Payload::Upload { fields, files } = &sent.payload else { panic!("{sent:?}") };
    let named: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(named, ["message", "stream", "images"]);
    assert_eq!(fields[2].1, r#"[{"url":"https://example.com/b.jpg"}]"#);
    let files: Vec<_> = files
        .iter()
        .map(|file| (file.field.as_str(), file.filename.as_str(), file.content_type.as_str()))
        .collect();
    assert_eq!(
        files,
        [
            ("files", "a.png", "image/png"),
            ("files", "images-3.gif", "image/gif"),
            ("files", "audio-1.mp3", "audio/mpeg"),
            ("files", "h.csv", "text/csv"),
            ("files", "files-2.txt", "text/plain"),
        ]
    );
    // Workflows take JSON only.
    let mut run = fields_of(run);
    run.remove("agent_id");
    run.insert("workflow_id".into(), json!("w"));
    let sent = call("run_workflow", Value::Object(run)).unwrap();
    let Payload::Form(form) = &sent.payload else { panic!("{sent:?}") };
    let json_of = |name: &str| -> Value {
        serde_json::from_str(&form.iter().find(|(known, _)| known == name).unwrap().1).unwrap()
    };
    assert_eq!(json_of("images")[0], json!({"content": "iVBORw==", "mime_type": "image/png"}));
    assert_eq!(
        json_of("input_files")[0],
        json!({"content": "aGVsbG8=", "filename": "h.csv", "mime_type": "text/csv"})
    );
    assert_eq!(
        call("run_agent", json!({"agent_id": "a", "message": "m"})).unwrap().payload,
        Payload::Form(vec![("message".into(), "m".into()), ("stream".into(), "false".into())])
    );
}

fn fields_of(value: Value) -> Map<String, Value> {
    fields(value)
}

#[test]
fn what_is_no_file_is_refused_before_it_is_sent() {
    let folder = folder();
    let with = |field: &str, value: Value| {
        let mut run = json!({"agent_id": "a", "message": "m"});
        run[field] = json!([value]);
        refused("run_agent", run)
    };
    let missing = with("images", json!("/no/such.png"));
    assert_eq!(missing, "`images`: the file `/no/such.png` cannot be read: No such file or directory");
    assert!(with("files", json!(folder.path())).ends_with("is a folder"));
    assert!(
        with("files", json!(folder.path().join("empty.txt")))
            .contains("is empty, and the server would pass over it")
    );
    let other = with("images", json!(folder.path().join("note.md")));
    assert!(
        other.starts_with("`images`: `note.md` is of the type text/markdown, which is not `image/...`"),
        "{other}"
    );
    assert!(with("images", json!({"base64": "!"})).contains("not base64"));
    assert!(with("images", json!({})).contains("one of `path`, `url`, `base64` and `text`"));
    assert!(with("images", json!({"text": "a", "url": "b"})).contains("one of `path`"));
    assert!(with("images", json!("data:nonsense")).contains("`data:` URL"));
    let large = json!({"workflow_id": "w", "message": "m", "files": [{"text": "x".repeat(900_000)}]});
    assert!(refused("run_workflow", large).contains("1171 KiB, and the server takes 1024"));
    assert!(
        refused("upload_knowledge_content", json!({"file": "https://example.com/a.txt"}))
            .contains("give it as `url`")
    );
}

#[test]
fn relative_paths_start_where_one_says() {
    let entry = find("run_agent").unwrap();
    let mut fields = fields(
        json!({"message": "a.png", "images": ["a.png", "/b.png", "https://x/c.png", {"path": "d.png"}]}),
    );
    entry.resolve_files(&mut fields, Path::new("/scenarios"));
    assert_eq!(fields["message"], "a.png");
    assert_eq!(
        fields["images"],
        json!(["/scenarios/a.png", "/b.png", "https://x/c.png", {"path": "/scenarios/d.png"}])
    );
    let mut fields = fields_of(json!({"file": "doc.pdf", "name": "x"}));
    find("upload_knowledge_content").unwrap().resolve_files(&mut fields, Path::new("/scenarios"));
    assert_eq!(fields["file"], "/scenarios/doc.pdf");
}

#[tokio::test]
async fn a_file_is_streamed_and_curl_repeats_it() {
    let folder = folder();
    let path = folder.path().join("note.md");
    let upload = UploadKnowledgeContent {
        file: Some(serde_json::from_value(json!(path)).unwrap()),
        name: some("a \"note\""),
        chunk_size: Some(100),
        ..UploadKnowledgeContent::default()
    };
    let call = upload.call().unwrap();
    let Payload::Upload { files, .. } = &call.payload else { panic!("{call:?}") };
    assert_eq!(files[0].source, FileSource::Path(path.clone()));
    let server =
        super::server::Server::answering(|_, _, _| (202, r#"{"id":"1","status":"processing"}"#.into()));
    let client = Client::builder(&server.url).build().unwrap();
    let exchange = upload.execute(&client, &CallOptions::default()).await.unwrap();
    let request = server.log.lock().unwrap()[0].1.clone();
    assert!(
        request.contains("content-length: ") && request.contains("multipart/form-data; boundary="),
        "{request}"
    );
    assert!(
        request.contains("name=\"file\"; filename=\"note.md\"") && request.contains("\r\n\r\n# Note\r\n"),
        "{request}"
    );
    let curl = exchange.request.curl();
    assert!(
        curl.contains(&format!(r#"-F 'file=@"{}";filename="note.md";type=text/markdown'"#, path.display())),
        "{curl}"
    );
    assert!(curl.contains(r#"-F 'name=a "note"'"#) && !curl.contains("boundary"), "{curl}");
    std::fs::remove_file(&path).unwrap();
    let error = client.exchange(&call, &CallOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("note.md` cannot be read"), "{error}");
}

/// Media of runs of a real AgentOS.
pub(crate) async fn media(base: &str) {
    let client = Client::builder(base).build().unwrap();
    let folder = folder();
    std::fs::write(folder.path().join("large.txt"), "large ".repeat(500_000)).unwrap();
    for (operation, field, id) in [
        ("run_agent", "agent_id", "assistant"),
        ("run_team", "team_id", "duo"),
        ("run_workflow", "workflow_id", "pipeline"),
    ] {
        let mut run = json!({"message": "look", "session_id": unique("media"),
            "images": [folder.path().join("a.png"), "http://127.0.0.1:9/x.png"],
            "files": [{"text": "hello", "filename": "h.txt"}], "audio": [{"base64": "bXAz", "mime_type": "audio/mpeg"}]});
        run[field] = json!(id);
        if operation != "run_workflow" {
            run["files"].as_array_mut().unwrap().push(json!(folder.path().join("large.txt")));
        }
        let entry = find(operation).unwrap().parse(fields(run)).unwrap();
        let exchange = entry.execute(&client, &CallOptions::default()).await.unwrap();
        assert_eq!(exchange.status, 200, "{operation}: {}", exchange.refusal());
        let body = exchange.json().unwrap();
        assert_eq!(body["status"], "COMPLETED", "{operation}: {body}");
        if operation == "run_workflow" {
            continue;
        }
        let input = &body["input"];
        assert_eq!(input["images"].as_array().unwrap().len(), 2, "{operation}: {input}");
        assert_eq!(
            input["audios"].as_array().or(input["audio"].as_array()).unwrap().len(),
            1,
            "{operation}: {input}"
        );
        assert_eq!(input["files"].as_array().unwrap().len(), 2, "{operation}: {input}");
    }
}

/// The knowledge base of a real AgentOS, which is emptied.
pub(crate) async fn knowledge(base: &str) {
    let client = Client::builder(base).build().unwrap();
    let folder = folder();
    let path = folder.path().join("geography.txt");
    std::fs::write(&path, "The capital of Freedonia is Sylvania City. ".repeat(40)).unwrap();
    client.send(&DeleteAllKnowledgeContent::default()).await.unwrap();
    assert!(client.send(&GetKnowledgeConfig::default()).await.unwrap()["readers"].is_object());
    let upload = UploadKnowledgeContent {
        file: Some(serde_json::from_value(json!(path)).unwrap()),
        metadata: json!({"subject": "geography"}).as_object().cloned(),
        wait: true,
        poll: Some(serde_json::from_value(json!({"every": "100ms", "within": "1m"})).unwrap()),
        ..UploadKnowledgeContent::default()
    };
    let document = client.send(&upload).await.unwrap();
    assert_eq!(
        (document.status.as_deref(), document.name.as_deref()),
        (Some("completed"), Some("geography.txt"))
    );
    assert_eq!(document.metadata.as_ref().unwrap()["subject"], "geography");
    let text = UploadKnowledgeContent {
        text_content: some("Tea is brewed at eighty degrees."),
        name: some("Tea"),
        chunk_size: Some(200),
        chunk_overlap: Some(10),
        reader_id: some("text"),
        ..UploadKnowledgeContent::default()
    };
    let accepted = client.send(&text).await.unwrap();
    assert_eq!(accepted.status.as_deref(), Some("processing"));
    let again = client.send(&UploadKnowledgeContent { wait: true, ..text }).await.unwrap();
    assert_eq!((again.id == accepted.id, again.status.as_deref()), (true, Some("completed")));
    let status =
        GetKnowledgeContentStatus { content_id: accepted.id.clone(), ..GetKnowledgeContentStatus::default() };
    assert_eq!(client.send(&status).await.unwrap().status, "completed");
    let dead = UploadKnowledgeContent {
        url: some("http://127.0.0.1:9/none.txt"),
        wait: true,
        ..UploadKnowledgeContent::default()
    };
    let failed = client.send(&dead).await.unwrap();
    assert!(failed.status.as_deref() == Some("failed") && failed.status_message.is_some(), "{failed:?}");

    let search = SearchKnowledge {
        query: "capital of Freedonia".into(),
        max_results: Some(5),
        limit: Some(1),
        ..SearchKnowledge::default()
    };
    let found = client.send(&search).await.unwrap();
    assert_eq!((found.data.len(), found.meta.limit), (1, Some(1)));
    let only = |subject: &str| SearchKnowledge {
        query: "capital".into(),
        filters: json!({"subject": subject}).as_object().cloned(),
        ..SearchKnowledge::default()
    };
    let geography = client.send(&only("geography")).await.unwrap();
    assert!(
        geography.data.iter().all(|piece| piece.content_id.as_deref() == Some(&document.id))
            && !geography.data.is_empty()
    );
    assert!(client.send(&only("history")).await.unwrap().data.is_empty());

    let list = client
        .send(&ListKnowledgeContent { limit: Some(2), ..ListKnowledgeContent::default() })
        .await
        .unwrap();
    assert_eq!((list.data.len(), list.meta.total_count), (2, Some(3)));
    let update = UpdateKnowledgeContent {
        content_id: document.id.clone(),
        name: some("Atlas"),
        description: some("Where things are"),
        metadata: json!({"subject": "maps"}).as_object().cloned(),
        ..UpdateKnowledgeContent::default()
    };
    client.send(&update).await.unwrap();
    let get = GetKnowledgeContent { content_id: document.id.clone(), ..GetKnowledgeContent::default() };
    let read = client.send(&get).await.unwrap();
    assert_eq!(
        (read.name.as_deref(), read.description.as_deref()),
        (Some("Atlas"), Some("Where things are"))
    );
    let delete = DeleteKnowledgeContent { content_id: document.id, ..DeleteKnowledgeContent::default() };
    client.send(&delete).await.unwrap();
    assert!(client.send(&get).await.is_err());
    client.send(&DeleteAllKnowledgeContent::default()).await.unwrap();
    assert!(client.send(&ListKnowledgeContent::default()).await.unwrap().data.is_empty());
    let run = RunAgent {
        agent_id: "librarian".into(),
        message: "hello".into(),
        session_id: Some(unique("kb")),
        ..RunAgent::default()
    };
    assert_eq!(client.send(&run).await.unwrap().status.as_deref(), Some("COMPLETED"));
}
