//! Events as they are read, held against what `serde_json` says of the same text.

use std::time::Duration;

use agentos_run::agentos::RunEvent;
use agentos_run::agentos::sse::Event;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// The fields that are asked of events, and some that are not.
const FIELDS: [&str; 20] = [
    "agent_id",
    "agent_name",
    "content",
    "created_at",
    "event",
    "event_index",
    "nested_depth",
    "parent_run_id",
    "reasoning_content",
    "run_id",
    "run_id ",
    "session_id",
    "step_name",
    "team_id",
    "team_name",
    "tool",
    "workflow_id",
    "workflow_name",
    "workflow_run_id",
    "",
];

fn read(json: &str) -> Result<RunEvent, String> {
    let frame = Event { name: Some("RunContent".into()), data: json.into(), id: None };
    Ok(RunEvent::read(&frame, Duration::ZERO)?.unwrap())
}

/// What is read of `json` is what `serde_json` reads of it, or nothing where that reads nothing.
fn agrees(json: &str) {
    let event = read(json);
    let Ok(data) = serde_json::from_str::<Map<String, Value>>(json) else {
        assert!(event.is_err(), "read, and no JSON: {json}");
        return;
    };
    let event = event.unwrap_or_else(|error| panic!("{error}: {json}"));
    let text = |field: &str| data.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    for field in FIELDS {
        assert_eq!(event.text(field), text(field), "{field} of {json}");
    }
    let content = data.get("content").filter(|content| !content.is_null());
    assert_eq!(event.is_content(), content.is_some(), "{json}");
    assert_eq!(event.delta(), content.and_then(Value::as_str), "{json}");
    assert_eq!(event.run_id(), text("run_id"), "{json}");
    let nested = text("parent_run_id").or(text("workflow_run_id")).is_some();
    let depth = data.get("nested_depth").and_then(Value::as_i64).unwrap_or_default();
    assert_eq!(event.is_nested(), nested || depth > 0, "{json}");
    assert_eq!(event.event_index(), data.get("event_index").and_then(Value::as_i64), "{json}");
    assert_eq!(event.data(), &data, "{json}");
    assert_eq!(event.raw(), json);
}

#[test]
fn usual_and_unusual_ones() {
    for json in [
        r#"{"event":"RunContent","run_id":"r","content":"Hello"}"#,
        r#" { "content" : "a\nb \"c\" \u00e9 \/ \\" , "event_index" : 12 } "#,
        r#"{"content":"\ud83d\ude00"}"#,
        r#"{"content":"\ud83d"}"#,
        r#"{"content":"\u12g4"}"#,
        r#"{"content":"\x"}"#,
        r#"{"content":"a"#,
        r#"{"content":"seven b\"#,
        r#"{"content":"exactly8"}"#,
        "{\"content\":\"a\tb\"}",
        "{\"content\":\"a\u{7f}b\u{80}\u{10ffff}\"}",
        r#"{"content":null,"run_id":""}"#,
        r#"{"content":{"a":[1,2,{"b":null}]},"run_id":5}"#,
        r#"{"run_id":"first","run_id":"second"}"#,
        r#"{"run_id":"first","run_id":null}"#,
        r#"{"run\u005fid":"r"}"#,
        r#"{"event_index":007}"#,
        r#"{"event_index":-0}"#,
        r#"{"event_index":-3,"nested_depth":1}"#,
        r#"{"event_index":1e3}"#,
        r#"{"event_index":1.0}"#,
        r#"{"event_index":1.}"#,
        r#"{"event_index":.5}"#,
        r#"{"event_index":-}"#,
        r#"{"event_index":9223372036854775807}"#,
        r#"{"event_index":92233720368547758079}"#,
        r#"{"nested_depth":-1}"#,
        r#"{"a":[],"b":{},"c":true,"d":false,"e":nul}"#,
        r#"{"a":[],"b":{},"c":true,"d":false}"#,
        r#"{"a":[ ],"b":{ }}"#,
        r#"{"a":1,}"#,
        r#"{"a":1}}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a" 1}"#,
        r"{}",
        r"{",
        r"[]",
        r#""RunContent""#,
        "",
    ] {
        agrees(json);
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => "[ -~]{0,20}".prop_map(Value::from),
        2 => any::<String>().prop_map(Value::from),
        2 => any::<i64>().prop_map(Value::from),
        1 => (0_i64..40).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(Value::Array(Vec::new())),
        1 => Just(serde_json::json!({"a": ["b", {"c": 1}]})),
    ]
}

/// As Python writes it: all that is no ASCII escaped.
fn ascii(json: &str) -> String {
    let mut text = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            character
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|half| text.push_str(&format!("\\u{half:04x}")));
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn of_any_fields(
        members in prop::collection::vec((select(FIELDS.as_slice()), leaf()), 0..12),
        (escaped, spaced) in any::<(bool, bool)>(),
        change in prop::option::of((any::<prop::sample::Index>(), 0_u8..3, select(br#"{}[],:"\ u0eE.-1n"#.as_slice()))),
    ) {
        let (comma, colon) = if spaced { (", ", " : ") } else { (",", ":") };
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("{}{colon}{value}", Value::from(*name))).collect();
        let mut json = format!("{{{}}}", members.join(comma));
        if escaped {
            json = ascii(&json);
        }
        if let Some((place, what, byte)) = change {
            let mut bytes = json.into_bytes();
            let place = place.index(bytes.len());
            match what {
                0 => bytes.insert(place, byte),
                1 => bytes[place] = byte,
                _ => { bytes.remove(place); }
            }
            json = String::from_utf8_lossy(&bytes).into_owned();
        }
        agrees(&json);
    }
}
