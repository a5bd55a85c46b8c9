//! Streams of a real AgentOS (agno 3.1.10), put together into answers, beside the plain answers to the same requests.

use std::path::PathBuf;
use std::time::Duration;

use agentos_run::agentos::sse::Decoder;
use agentos_run::agentos::{Component, Ending, RunEvent, Transcript, ViolationKind};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/streams")
}

/// The names of all recorded streams, and what they say.
pub(crate) fn all() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sse"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    assert!(all.len() > 20);
    all
}

pub(crate) fn events(stream: &str) -> Vec<RunEvent> {
    let mut events = Vec::new();
    Decoder::new()
        .feed(stream.as_bytes(), |frame| {
            let at = Duration::from_millis(10 * (events.len() as u64 + 1));
            events.extend(RunEvent::read(&frame, at).unwrap());
        })
        .unwrap();
    events
}

fn component(name: &str) -> Component {
    match name.split('-').next() {
        Some("team") => Component::Team,
        Some("workflow") => Component::Workflow,
        _ => Component::Agent,
    }
}

fn recorded(name: &str) -> Vec<RunEvent> {
    events(&std::fs::read_to_string(folder().join(format!("{name}.sse"))).unwrap())
}

fn fold(component: Component, events: impl IntoIterator<Item = RunEvent>) -> Transcript {
    let mut transcript = Transcript::new(component);
    events.into_iter().for_each(|event| transcript.push(event));
    transcript
}

fn transcript(name: &str) -> Transcript {
    fold(component(name), recorded(name))
}

fn kinds(transcript: &Transcript) -> Vec<ViolationKind> {
    transcript.violations().into_iter().map(|violation| violation.kind).collect()
}

#[test]
fn recorded_streams_are_as_they_should_be() {
    for (name, _) in all() {
        if name == "replay-of-a-running-run" {
            continue;
        }
        let transcript = transcript(&name);
        // Without its events (`stream_events: false`) a run does not say how it ended.
        if ["agent-cut", "agent-without-events", "team-without-events"].contains(&name.as_str()) {
            assert_eq!(kinds(&transcript), [ViolationKind::Ending], "{name}");
            assert!(transcript.incomplete().is_some() && !transcript.joined().is_empty(), "{name}");
            continue;
        }
        assert_eq!(transcript.violations(), [], "{name}");
        assert_eq!(transcript.incomplete(), None, "{name}");
        let expected = if name.contains("cancelled") {
            Ending::Cancelled
        } else if name.contains("paused") {
            Ending::Paused
        } else if [
            "agent-continued-unknown",
            "agent-error",
            "team-error",
            "workflow-error",
            "background-error",
            "resume-unknown",
        ]
        .contains(&name.as_str())
        {
            Ending::Failed
        } else {
            Ending::Completed
        };
        assert_eq!(transcript.ending(), Some(expected), "{name}");
        assert_eq!(transcript.body()["status"], expected.status(), "{name}");
        assert_eq!(transcript.events().len(), transcript.count(), "{name}");
        assert!(transcript.events().iter().all(|event| event.to_json()["event"].is_string()), "{name}");
    }
}

/// What differs between two runs of the same, and what a stream does not have.
fn comparable(mut value: Value, fields: &[&str]) -> Value {
    fn scrub(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(scrub),
            Value::Object(fields) => {
                for (name, value) in fields {
                    if (name.ends_with("_id")
                        && !["agent_id", "team_id", "workflow_id"].contains(&name.as_str()))
                        || ["id", "created_at", "metrics", "time_to_first_token", "messages"]
                            .contains(&name.as_str())
                    {
                        *value = Value::from("...");
                    } else {
                        scrub(value);
                    }
                }
            }
            _ => {}
        }
    }
    if let Some(map) = value.as_object_mut() {
        map.retain(|name, _| fields.contains(&name.as_str()));
    }
    scrub(&mut value);
    value
}

#[test]
fn what_is_put_together_is_what_plain_answers_say() {
    let same: &[(&str, &[&str])] = &[
        (
            "agent-schema",
            &[
                "agent_id",
                "agent_name",
                "content",
                "content_type",
                "model",
                "model_provider",
                "session_state",
                "status",
                "created_at",
                "metrics",
                "run_id",
                "session_id",
            ],
        ),
        (
            "agent-tool-error",
            &[
                "agent_id",
                "content",
                "content_type",
                "model",
                "model_provider",
                "session_state",
                "status",
                "run_id",
                "session_id",
                "metrics",
            ],
        ),
        (
            "agent-error",
            &[
                "agent_id",
                "agent_name",
                "content",
                "model",
                "model_provider",
                "status",
                "run_id",
                "session_id",
            ],
        ),
        (
            "agent-memory",
            &["agent_id", "content_type", "model", "status", "session_state", "tools", "run_id"],
        ),
        (
            "agent-continued",
            &["agent_id", "agent_name", "content_type", "session_state", "status", "metrics"],
        ),
        (
            "team",
            &[
                "team_id",
                "team_name",
                "content",
                "content_type",
                "model",
                "model_provider",
                "status",
                "metrics",
                "run_id",
                "session_id",
            ],
        ),
        ("team-error", &["team_id", "content", "model", "status", "run_id", "session_id"]),
        (
            "workflow",
            &[
                "workflow_id",
                "workflow_name",
                "content",
                "content_type",
                "status",
                "metadata",
                "run_id",
                "session_id",
                "metrics",
            ],
        ),
        (
            "workflow-in-a-workflow",
            &["workflow_id", "workflow_name", "content", "content_type", "status", "run_id"],
        ),
        (
            "workflow-paused",
            &[
                "input",
                "content_type",
                "workflow_id",
                "workflow_name",
                "status",
                "paused_step_index",
                "paused_step_name",
                "pause_kind",
                "step_results",
                "metadata",
                "step_requirements",
                "metrics",
            ],
        ),
    ];
    for (name, fields) in same {
        let plain: Value =
            serde_json::from_str(&std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap())
                .unwrap();
        let (streamed, plain) = (comparable(transcript(name).body(), fields), comparable(plain, fields));
        assert_eq!(streamed, plain, "{name}");
        assert!(streamed.as_object().is_some_and(|map| map.len() == fields.len()), "{name}: {streamed}");
    }
}

#[test]
fn tools_and_requirements_are_gathered() {
    let body = transcript("agent-tools").body();
    let tools: Vec<_> =
        body["tools"].as_array().unwrap().iter().map(|tool| (&tool["tool_name"], &tool["result"])).collect();
    assert_eq!(tools, [(&json!("add"), &json!("5")), (&json!("get_weather"), &json!("Sunny in Paris, 21C"))]);
    let failed = transcript("agent-tool-error");
    assert_eq!(failed.tools()[0].state, agentos_run::agentos::transcript::ToolState::Failed);
    assert_eq!(failed.body()["tools"][0]["tool_call_error"], true);

    let paused = transcript("agent-paused").body();
    assert_eq!(paused["tools"][0]["requires_confirmation"], true);
    assert_eq!(paused["requirements"][0]["tool_execution"]["tool_name"], "delete_file");
    assert_eq!(paused["content"], "I have tools to execute, but I need confirmation.");
    let continued = transcript("agent-continued").body();
    assert_eq!(continued["tools"][0]["result"], "deleted /tmp/g");

    let team = transcript("team");
    assert_eq!(team.body()["tools"].as_array().unwrap().len(), 2);
    assert_eq!(team.body()["member_responses"].as_array().unwrap().len(), 2);
    assert_eq!(team.joined(), "Team result: You said: say hi + You said: say hi");
    assert_eq!(team.ttft(), Some(Duration::from_millis(10 * 27)));
    let continued = transcript("team-continued");
    assert!(continued.tools().iter().all(|call| call.nested) && continued.tools().len() == 1);
    assert_eq!(continued.body()["tools"], json!([]));
    assert_eq!(transcript("team-paused").body()["requirements"][0]["member_agent_id"], "guarded-member");

    // A team within the team, and members of both.
    let nested = transcript("team-in-a-team");
    assert_eq!(nested.tools().iter().filter(|call| !call.nested).count(), 1);
    assert_eq!(nested.body()["team_id"], "outer");
    assert_eq!(transcript("team-answers-directly").joined(), "You said: add 2 and 3");

    let workflow = transcript("workflow");
    assert_eq!(workflow.body()["step_results"].as_array().unwrap().len(), 2);
    assert!(workflow.body().get("tools").is_none() && workflow.ttft().is_some());
    assert_eq!(workflow.joined(), "");
    let steps = transcript("workflow-failed-step").body();
    assert!(agentos_run::agentos::run::failure_of(&steps, false).unwrap().starts_with("step `boom` failed"));
    let error = transcript("workflow-error");
    assert_eq!(
        (error.error(), &error.body()["content"]),
        (Some("lab: step exploded"), &json!("lab: step exploded"))
    );
}

#[test]
fn cancelled_is_not_completed() {
    for name in ["agent-cancelled", "team-cancelled", "workflow-cancelled"] {
        let transcript = transcript(name);
        assert!(transcript.error().unwrap().ends_with("was cancelled"), "{name}");
        let failure = agentos_run::agentos::run::failure_of(&transcript.body(), false).unwrap();
        assert!(failure.starts_with("the run was cancelled"), "{name}: {failure}");
    }
    assert_eq!(transcript("agent-cancelled").body()["content"], "w0 w1 w2 w3 w4 w5 w6 ");
}

#[test]
fn a_stream_that_ends_early_says_how_far_it_came() {
    let mut events = recorded("agent");
    events.truncate(4);
    let early = fold(Component::Agent, events);
    let far = "the stream ended before its run did, after 4 events, 10 characters of content, last event RunContent";
    assert_eq!(early.incomplete().as_deref(), Some(far));
    assert_eq!(early.violations()[0].message, far);
    assert_eq!(kinds(&early), [ViolationKind::Ending]);
    let body = early.body();
    assert_eq!((&body["content"], body.get("status")), (&json!("Your name "), None));
    assert_eq!(
        Transcript::new(Component::Agent).incomplete().as_deref(),
        Some("the stream ended without an event")
    );
    // A run in the background that is no stream, and has not ended.
    assert!(transcript("replay-of-a-running-run").incomplete().is_some());
    // The members are done, the team is not.
    let mut events = recorded("team");
    events.truncate(20);
    assert_eq!(fold(Component::Team, events).ending(), None);
    for (name, _) in all() {
        let mut events = recorded(&name);
        let ends = events.iter().filter(|event| event.is_terminal() && !event.is_nested()).count();
        if ends == 1 && events.last().unwrap().is_terminal() {
            events.pop();
            assert!(fold(component(&name), events).incomplete().is_some(), "{name}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_stream() {
    let with = |change: &dyn Fn(&mut Vec<RunEvent>)| {
        let mut events = recorded("agent-tools");
        change(&mut events);
        fold(Component::Agent, events)
    };
    let twice = with(&|events| events.push(events.last().unwrap().clone()));
    assert_eq!(twice.violations()[0].message, "the run ended more than once: RunCompleted, RunCompleted");
    let after = with(&|events| events.push(events[6].clone()));
    assert_eq!(
        after.violations()[0].message,
        "ToolCallCompleted came after RunCompleted, which ended the run"
    );
    let lost = with(&|events| {
        let at = events.iter().rposition(RunEvent::is_content).unwrap();
        events.remove(at);
    });
    assert_eq!(
        lost.violations()[0].message,
        "the pieces of the content are not its whole: from character 31 on, \"\" came in pieces, and \"21C\" as a whole"
    );
    let open = with(&|events| events.retain(|event| event.name != "ToolCallCompleted"));
    assert_eq!(kinds(&open), [ViolationKind::Tools]);
    assert!(open.violations()[0].message.starts_with("calls of tools began and did not end: add (call_"));
    let other = with(&|events| {
        let mut data = events[3].data().clone();
        data.insert("run_id".to_owned(), json!("other"));
        events[3] = RunEvent::new(&events[3].name, &data, events[3].at);
    });
    assert!(kinds(&other).contains(&ViolationKind::RunId));
    let mut events = recorded("background-replayed");
    events.swap(2, 3);
    let falls = fold(Component::Agent, events);
    assert!(kinds(&falls).contains(&ViolationKind::EventIndex));
}

#[test]
fn a_resumed_stream_goes_on_where_the_first_one_broke() {
    let mut transcript = Transcript::new(Component::Team);
    let events = recorded("team-continued");
    events[..15].iter().cloned().for_each(|event| transcript.push(event));
    assert_eq!(transcript.last_event_index(), Some(14));
    transcript.resume();
    // The server may repeat what has come.
    events[10..].iter().cloned().for_each(|event| transcript.push(event));
    let whole = fold(Component::Team, events);
    assert_eq!((transcript.body(), transcript.violations()), (whole.body(), vec![]));
    assert_eq!(transcript.events(), whole.events());
}

#[test]
fn events_without_names_of_ours_are_kept() {
    let frame = agentos_run::agentos::sse::Event {
        name: None,
        data: "{\"event\":\"New\",\"run_id\":\"r\"}".into(),
        id: None,
    };
    let event = RunEvent::read(&frame, Duration::ZERO).unwrap().unwrap();
    assert_eq!((event.name.as_ref(), event.run_id(), event.ending()), ("New", Some("r"), None));
    let done = agentos_run::agentos::sse::Event { name: None, data: "[DONE]".into(), id: None };
    assert_eq!(RunEvent::read(&done, Duration::ZERO), Ok(None));
    let broken =
        agentos_run::agentos::sse::Event { name: Some("RunContent".into()), data: "{\"a".into(), id: None };
    assert!(
        RunEvent::read(&broken, Duration::ZERO)
            .unwrap_err()
            .starts_with("the event RunContent is not a JSON object")
    );
}
