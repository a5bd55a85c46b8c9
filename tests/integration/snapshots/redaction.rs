//! What stands in the place of what is another in each run, and what still shows.

use super::Sut;
use crate::common::Answer;
use serde_json::{Value, json};

const A: &str = "0b1c2d3e-0000-4000-8000-0000000000aa";
const B: &str = "0b1c2d3e-0000-4000-8000-0000000000bb";
const C: &str = "0b1c2d3e-0000-4000-8000-0000000000cc";

/// An answer of a run in the session `session`, with ids `a` and `b`.
fn answer(session: &str, a: &str, b: &str) -> Value {
    json!({
        "run_id": a,
        "session_id": session,
        "created_at": 1_795_314_841,
        "content": format!("Run {a} of {session} was at 2026-11-21T21:20:25Z, add(a=2) completed in 0.0231s."),
        "metrics": { "duration": 0.25, "time_to_first_token": 0.1, "input_tokens": 12, "requests": 3 },
        "tools": [{ "tool_call_id": "call_9f3kd02mXc7a", "child_run_id": b, "result": "5" }],
        "events": [{ "id": b, "parent_run_id": a, "model": "m-1" }],
        "missing_at": null,
        "looked_at": 3,
    })
}

#[test]
fn what_is_volatile_is_replaced_and_relations_stay() {
    let sut = Sut::new("snapshot: run");
    sut.run(&answer("demo-session", A, B), &["--update"]).code_is(0);
    insta::assert_snapshot!(sut.contents("snapshots/s__run.snap"), @r#"
    {
      "content": "Run [run_id.1] of [session_id.1] was at [time], add(a=2) completed in [duration].",
      "created_at": "[epoch]",
      "events": [
        {
          "id": "[run_id.2]",
          "model": "m-1",
          "parent_run_id": "[run_id.1]"
        }
      ],
      "looked_at": 3,
      "metrics": {
        "duration": "[duration]",
        "input_tokens": "[tokens]",
        "requests": 3,
        "time_to_first_token": "[duration]"
      },
      "missing_at": null,
      "run_id": "[run_id.1]",
      "session_id": "[session_id.1]",
      "tools": [
        {
          "child_run_id": "[run_id.2]",
          "result": "5",
          "tool_call_id": "[tool_call_id.1]"
        }
      ]
    }
    "#);
    // Other ids and another session, in the same relation.
    sut.run(&answer("other-session", B, C), &["--ci"]).code_is(0);
    for (path, value) in [
        ("/events/0/parent_run_id", json!(B)),
        ("/tools/0/child_run_id", json!(A)),
        ("/tools/0/result", json!("6")),
        ("/tools", json!([])),
        ("/created_at", json!("2026-11-21T21:20:25Z")),
        ("/metrics/requests", json!(4)),
        ("/missing_at", json!(1_795_314_841)),
    ] {
        let mut other = answer("demo-session", A, B);
        *other.pointer_mut(path).unwrap() = value;
        let output = sut.run(&other, &["--ci"]).code_is(1);
        assert!(output.stdout.contains("the answer differs"), "{path}: {output}");
    }
}

#[test]
fn the_ids_that_were_sent_come_first() {
    let sut = Sut::of(
        "
        steps:
          - get_session: { session_id: asked-for }
            save: { mine: $.session_id }
            snapshot: { name: session, of: $.session_id }
    ",
    );
    let of = |id: &str| vec![Answer::json(200, &json!({})), Answer::json(200, &json!({ "session_id": id }))];
    sut.answered(of("asked-for"), &["--update"]).code_is(0);
    assert_eq!(sut.contents("snapshots/s__session.snap"), "[session_id.1]\n");
    let output = sut.answered(of("another"), &[]).code_is(1);
    assert!(output.stdout.contains("the answer differs"), "{output}");
}

#[test]
fn rules_of_ones_own_add_to_the_default_and_lift_it() {
    let sut = Sut::new(
        "snapshot: { name: run, redact: { $.events: \"[events]\", requests: \"[n]\", '/add\\((\\w)=\\d+\\)/': 'add($1)' }, \
         keep: [$.tools, tokens, /0\\.25/, session_id] }",
    );
    sut.run(&answer("demo-session", A, B), &["--update"]).code_is(0);
    let contents = sut.contents("snapshots/s__run.snap");
    for line in [
        "\"events\": \"[events]\"",
        "\"requests\": \"[n]\"",
        "add(a) completed in [duration].",
        "\"tool_call_id\": \"call_9f3kd02mXc7a\"",
        "\"child_run_id\": \"0b1c2d3e-0000-4000-8000-0000000000bb\"",
        "\"input_tokens\": 12",
        "\"duration\": 0.25",
        "\"time_to_first_token\": \"[duration]\"",
        "\"session_id\": \"demo-session\"",
        "\"run_id\": \"[run_id.1]\"",
    ] {
        assert!(contents.contains(line), "{line}: {contents}");
    }
    let sut = Sut::new("snapshot: { name: run, keep: all }");
    sut.run(&answer("demo-session", A, B), &["--update"]).code_is(0);
    let kept: Value = serde_json::from_str(&sut.contents("snapshots/s__run.snap")).unwrap();
    assert_eq!(kept, answer("demo-session", A, B));
}

#[test]
fn secrets_are_in_no_snapshot() {
    let sut = Sut::new("snapshot: echo");
    let body = json!({ "echo": "the token is s3cr3t-t0ken!" });
    let output = sut.run(&body, &["--update", "--token", "s3cr3t-t0ken"]).code_is(0);
    assert_eq!(
        sut.contents("snapshots/s__echo.snap"),
        "{\n  \"echo\": \"the token is ***!\"\n}\n",
        "{output}"
    );
    sut.run(&body, &["--ci", "--token", "s3cr3t-t0ken"]).code_is(0);
}

#[test]
fn the_pieces_of_a_stream_are_joined() {
    let stream = |pieces: &[&str]| {
        let event = |more: Value| {
            let mut data = json!({ "run_id": A, "session_id": "s", "created_at": 1_795_314_841 });
            data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            data
        };
        let whole = pieces.concat();
        let mut answer = Answer::events().event("RunStarted", &event(json!({ "event": "RunStarted" })));
        for piece in pieces {
            let piece = json!({ "event": "RunContent", "content": piece, "content_type": "str" });
            answer = answer.event("RunContent", &event(piece));
        }
        let end = json!({ "event": "RunCompleted", "content": whole });
        answer.event("RunCompleted", &event(end)).last_chunk()
    };
    let sut = Sut::of(
        "
        steps:
          - run_agent: { agent_id: a, message: hi, stream: true }
            snapshot: { name: events, of: events }
    ",
    );
    let config = || Answer::json(200, &json!({}));
    sut.answered(vec![config(), stream(&["It is ", "five", "."])], &["--update"]).code_is(0);
    sut.answered(vec![config(), stream(&["It", " is five."])], &["--ci"]).code_is(0);
    let output = sut.answered(vec![config(), stream(&["It is six."])], &["--ci"]).code_is(1);
    assert!(output.stdout.contains("[1] RunContent:"), "{output}");
}
