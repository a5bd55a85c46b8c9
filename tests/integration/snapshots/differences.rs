//! How the difference between an answer and its snapshot is shown: by words, by paths, by events.

use super::Sut;
use crate::common::Answer;
use serde_json::{Value, json};

/// What is shown of the difference between two answers.
fn shown(first: Answer, second: Answer, of: &str) -> String {
    let sut = Sut::new(&format!("snapshot: {{ name: a, of: {of} }}"));
    sut.answered(vec![first], &["--update"]).code_is(0);
    let output = sut.answered(vec![second], &["--ci"]).code_is(1);
    difference(&output.stdout).join("\n")
}

fn difference(stdout: &str) -> Vec<&str> {
    let lines =
        stdout.lines().skip_while(|line| !line.contains("difference (- expected, + actual):")).skip(1);
    lines.take_while(|line| line.starts_with("      ")).map(|line| &line[6..]).collect()
}

fn texts(first: &str, second: &str) -> String {
    shown(Answer::html(200, first), Answer::html(200, second), "text")
}

fn bodies(first: &Value, second: &Value) -> String {
    shown(Answer::json(200, first), Answer::json(200, second), "$")
}

#[test]
fn prose_differs_by_its_words() {
    insta::assert_snapshot!(texts("The capital of France is Paris.", "The capital of France is Lyon."), @"
    -The capital of France is [-Paris-].
    +The capital of France is {+Lyon+}.
    ");
    // Nothing is to be seen in what has little in common.
    insta::assert_snapshot!(texts("Hello Bob.", "I am sorry, Alice, I cannot do that."), @"
    -Hello Bob.
    +I am sorry, Alice, I cannot do that.
    ");
    let page = |second: &str| {
        format!(
            "# Refunds\n\nThe refund window is {second} days, counted from the day of delivery, and no reason need be given.\n\n- keep the box\n- keep the bill\n"
        )
    };
    insta::assert_snapshot!(texts(&page("thirty"), &(page("fourteen") + "- write to us\n")), @"
     # Refunds
     
    -The refund window is [-thirty-] days, counted from the day of delivery, …
    +The refund window is {+fourteen+} days, counted from the day of delivery, …
     
     - keep the box
    -- keep the bill
    +- keep the bill
    +- write to us
    ");
    insta::assert_snapshot!(texts("one line\nIt was a very nice day.\nthe end", "one line\nBut listen.\nIt was a very bad day.\nthe end"), @"
     one line
    -It was a very [-nice-] day.
    +But listen.
    +It was a very {+bad+} day.
     the end
    ");
    let long = |word: &str| {
        format!(
            "It begins with {}the word {word} and goes on with {}the end.",
            "this and that and ".repeat(20),
            "more and more and ".repeat(20)
        )
    };
    insta::assert_snapshot!(texts(&long("yes"), &long("no")), @"
    -… that and this and that and the word [-yes-] and goes on with more and more and …
    +… that and this and that and the word {+no+} and goes on with more and more and …
    ");
    insta::assert_snapshot!(texts("a b", "a\u{a0}b"), @r#"
    -"a b"
    +"a\u{a0}b"
    "#);
}

#[test]
fn structures_differ_by_paths_and_members() {
    let agent = |name: &str, tools: &[&str]| json!({ "description": format!("I am {name}, and I am here to help."), "name": name, "tools": tools });
    let first = json!({ "data": [agent("a", &["x"]), agent("b", &["x", "y"]), agent("c", &[]), agent("d", &["z"])], "total": 4 });
    let second = json!({ "data": [agent("a", &["x"]), agent("c", &["w"]), agent("d", &["z"])], "meta": { "page": 1 }, "total": 3 });
    insta::assert_snapshot!(bodies(&first, &second), @r#"
     changed: $.total
     missing: $.data[1]
     added: $.data[1].tools[0], $.meta
     … 6 equal lines
             "x"
           ]
         },
    -    {
    -      "description": "I am b, and I am here to help.",
    -      "name": "b",
    -      "tools": [
    -        "x",
    -        "y"
    -      ]
    -    },
         {
           "description": "I am c, and I am here to help.",
           "name": "c",
    -      "tools": []
    +      "tools": [
    +        "w"
    +      ]
         },
         {
           "description": "I am d, and I am here to help.",
     … 3 equal lines
           ]
         }
       ],
    +  "meta": {
    +    "page": 1
    +  },
    -  "total": 4
    +  "total": 3
     }
    "#);
    let run = |text: &str, n: i32| json!({ "content": text, "messages": (0..n).map(|n| json!({ "role": "user", "n": n })).collect::<Vec<_>>() });
    insta::assert_snapshot!(bodies(&run("You said that it is five.", 12), &run("You said that it is six.", 12)), @r#"
     changed: $.content
     {
    -  "content": "You said that it is [-five-].",
    +  "content": "You said that it is {+six+}.",
       "messages": [
     … 50 equal lines
    "#);
    // A message less: what follows it is the same.
    insta::assert_snapshot!(bodies(&run("x", 12), &json!({ "content": "x", "messages": run("x", 12)["messages"].as_array().unwrap()[1..] })), @r#"
     missing: $.messages[0]
     {
       "content": "x",
       "messages": [
    -    {
    -      "n": 0,
    -      "role": "user"
    -    },
         {
           "n": 1,
           "role": "user"
     … 43 equal lines
    "#);
    insta::assert_snapshot!(bodies(&json!({ "a": [] }), &json!([null])), @r#"
     changed: $
    -{
    -  "a": []
    -}
    +[
    +  null
    +]
    "#);
}

#[test]
fn streams_differ_by_events() {
    let stream = |tool: bool, answer: &str| {
        let mut events = vec![json!({ "event": "RunStarted" }), json!({ "event": "ModelRequestStarted" })];
        let call = json!({ "tool_call_id": "call_1", "tool_name": "add", "tool_args": { "a": 2 } });
        let call =
            ["ToolCallStarted", "ToolCallCompleted"].map(|event| json!({ "event": event, "tool": call }));
        events.extend(call.into_iter().filter(|_| tool));
        events.extend((0..5).map(|n| json!({ "event": "ReasoningStep", "n": n })));
        events.push(json!({ "event": "RunCompleted", "content": answer, "model": "m", "run_id": "r" }));
        events
            .iter()
            .fold(Answer::events(), |stream, event| stream.event(event["event"].as_str().unwrap(), event))
            .last_chunk()
    };
    let sut = Sut::of(
        "
        steps:
          - run_agent: { agent_id: a, message: hi, stream: true }
            snapshot: { name: events, of: events }
    ",
    );
    let config = || Answer::json(200, &json!({}));
    sut.answered(vec![config(), stream(true, "It is five, I am sure.")], &["--update"]).code_is(0);
    let output = sut.answered(vec![config(), stream(false, "It is six, I am sure.")], &["--ci"]).code_is(1);
    insta::assert_snapshot!(difference(&output.stdout).join("\n"), @r#"
     [0] RunStarted
     [1] ModelRequestStarted
    -[2] ToolCallStarted add{"a":2}
    -[3] ToolCallCompleted add{"a":2}
     [2] ReasoningStep
     [3] ReasoningStep
     [4] ReasoningStep
     [5] ReasoningStep
     [6] ReasoningStep
     [7] RunCompleted:
         changed: $.content
    -      "content": "It is [-five-], I am sure.",
    +      "content": "It is {+six+}, I am sure.",
    "#);
}

#[test]
fn on_a_terminal_it_is_in_colour() {
    let sut = Sut::new("snapshot: { name: a, of: text }");
    sut.answered(vec![Answer::html(200, "The capital of France is Paris.\nIndeed.")], &["--update"])
        .code_is(0);
    let server =
        crate::common::FakeServer::always(Answer::html(200, "The capital of France is Lyon.\nIndeed."));
    let arguments = ["s.yaml", "--ci", "--color", "always", "--base-url", &server.base_url()];
    let output = sut.folder.then().args(arguments).colored().run().code_is(1);
    insta::assert_snapshot!(difference(&output.stdout).join("\n").replace('\u{1b}', "ESC"), @"
    ESC[31m-The capital of France is ESC[0mESC[31;1m[-Paris-]ESC[0mESC[31m.ESC[0m
    ESC[32m+The capital of France is ESC[0mESC[32;1m{+Lyon+}ESC[0mESC[32m.ESC[0m
    ESC[2m Indeed.ESC[0m
    ");
}

#[test]
fn a_header_is_a_snapshot_too() {
    let sut =
        Sut::new("snapshot: [{ name: type, of: headers.Content-Type }, { name: date, of: headers.date }]");
    let answer = |kind: &str, second: u8| {
        let head = format!(
            "Content-Type: {kind}\r\nDate: Sun, 22 Nov 2026 05:10:0{second} GMT\r\nContent-Length: 2\r\n"
        );
        vec![Answer::new().send(format!("HTTP/1.1 200 OK\r\n{head}\r\n{{}}"))]
    };
    sut.answered(answer("application/json", 1), &["--update"]).code_is(0);
    assert_eq!(sut.contents("snapshots/s__type.snap"), "application/json\n");
    assert_eq!(sut.contents("snapshots/s__date.snap"), "[time]\n");
    sut.answered(answer("application/json", 2), &["--ci"]).code_is(0);
    sut.answered(answer("application/json; charset=utf-8", 3), &["--ci"]).code_is(1);
    let sut = Sut::new("snapshot: { name: a, of: headers.x-none }");
    let output = sut.run(&json!({}), &[]).code_is(1);
    assert!(output.stdout.contains("the answer has no `headers.x-none` to take a snapshot of"), "{output}");
}
