//! The decoder of server-sent events.

use std::time::Duration;

use agentos_run::agentos::agents::RunAgent;
use agentos_run::agentos::sse::{Decoder, Event, EventTooLong, Unfinished};
use agentos_run::agentos::{CallOptions, Client, Opened, Operation as _, RunEvent};
use futures_util::StreamExt as _;
use proptest::prelude::*;

type Seen = (Option<String>, String, Option<String>);

fn owned(event: Event<'_>) -> Seen {
    let text = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
    (text(event.name), event.data.into_owned(), text(event.id))
}

/// The events of these pieces, and what is left at their end.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Seen>, Option<Unfinished>) {
    let mut decoder = Decoder::new();
    let mut seen = Vec::new();
    for piece in pieces {
        decoder.feed(piece, |event| seen.push(owned(event))).unwrap();
    }
    (seen, decoder.finish())
}

fn data(bytes: &[u8]) -> Vec<String> {
    decode([bytes]).0.into_iter().map(|(_, data, _)| data).collect()
}

#[test]
fn the_rules_of_the_standard() {
    let cases: [(&[u8], &[&str]); 17] = [
        (b"data: a\n\n", &["a"]),
        (b"data:a\n\ndata:  b\n\n", &["a", " b"]),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\r\n", &["a", "b", "c"]),
        (b"data: a\r\r\n", &["a"]),
        (b"data: one\ndata: two\ndata\ndata: three\n\n", &["one\ntwo\n\nthree"]),
        (b"data\n\n", &[""]),
        (b"data:\n\ndata:\ndata:\n\n", &["", "\n"]),
        (b": keepalive\n\n:\ndata: a\n: within\ndata: b\n\n", &["a\nb"]),
        (b"event: x\n\nid: 7\n\n", &[]),
        (b"\n\n\n\r\ndata: a\n\n\n\n", &["a"]),
        (b"\xEF\xBB\xBFdata: a\n\n", &["a"]),
        (b"\xEF\xBBdata: a\n\ndata: b\n\n", &["b"]),
        (b"data: \xEF\xBB\xBF\n\n", &["\u{feff}"]),
        (b"data: a\xFFb\n\n", &["a\u{fffd}b"]),
        (b"Data: a\n data: b\ndata : c\ndata: d\n\n", &["d"]),
        (b"data: a: b: c\n\n", &["a: b: c"]),
        ("data: {\"text\":\"ä\u{2028}\u{85}🎉\"}\n\n".as_bytes(), &["{\"text\":\"ä\u{2028}\u{85}🎉\"}"]),
    ];
    for (bytes, expected) in cases {
        assert_eq!(data(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn names_and_ids() {
    let (seen, _) = decode([
        &b"event: a\nid: 1\ndata: x\n\ndata: y\n\nid: \x00\nevent:b\nevent: c\ndata: z\n\nid\ndata: w\n\n"[..],
    ]);
    let name = |name: &str| Some(name.to_owned());
    let expected = [
        (name("a"), "x", name("1")),
        (None, "y", name("1")),
        (name("c"), "z", name("1")),
        (None, "w", name("")),
    ];
    assert_eq!(seen, expected.map(|(name, data, id)| (name, data.to_owned(), id)));
    let mut decoder = Decoder::new();
    decoder.feed(b"retry: 2500\nretry: soon\nretry:\n", |_| {}).unwrap();
    assert_eq!(decoder.retry(), Some(Duration::from_millis(2500)));
}

#[test]
fn what_is_not_ended_is_told_apart() {
    let rest = |bytes: &[u8]| decode([bytes]).1.map(|rest| (rest.name, rest.data));
    assert_eq!(rest(b"data: a\n\n"), None);
    assert_eq!(rest(b"data: a\r"), Some((None, "a".to_owned())));
    assert_eq!(rest(b"data: a\n"), Some((None, "a".to_owned())));
    assert_eq!(rest(b"data: x\n\nevent: E\ndata: a\ndata: {\"b"), Some((Some("E".into()), "a\n{\"b".into())));
    assert_eq!(rest(b"event: E"), Some((Some("E".to_owned()), String::new())));
    assert_eq!(rest(b"data: a\n\n: keepali"), None);
    assert_eq!(rest(b"\xEF\xBB"), None);
    assert_eq!(rest(b""), None);
}

#[test]
fn an_event_has_a_longest_length() {
    let long = [b"event: E\ndata: ".to_vec(), vec![b'x'; 3 << 20], b"\n\ndata: y\n\n".to_vec()].concat();
    let (seen, _) = decode(long.chunks(7001));
    assert_eq!(seen.iter().map(|(_, data, _)| data.len()).collect::<Vec<_>>(), [3 << 20, 1]);
    for line in ["data: 0123456789\n", "data: 0123\ndata: 4567\n", "data: 0123456789", ": 0123456789"] {
        let mut decoder = Decoder::with_limit(8);
        let fed = line.as_bytes().chunks(3).try_for_each(|piece| decoder.feed(piece, |_| {}));
        assert_eq!(fed, Err(EventTooLong { limit: 8 }), "{line}");
    }
    let mut decoder = Decoder::with_limit(16);
    for _ in 0..100 {
        decoder.feed(b": comment\ndata: 01234567\n\n", |_| {}).unwrap();
    }
    assert_eq!(EventTooLong { limit: 64 << 20 }.to_string(), "an event is longer than the limit of 64 MiB");
}

/// A piece of a stream: everything that has a meaning, and some that has none.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => prop::sample::select(vec!["\n", "\r", "\r\n", "\n\n", "\r\n\r\n"]).prop_map(|text| text.as_bytes().to_vec()),
        3 => prop::sample::select(vec!["data: ", "data:", "event: ", "id: ", "retry: 1", ": ", "data", "dat", ":"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => Just(b"\xEF\xBB\xBF".to_vec()),
        1 => Just(b"\xEF\xBB".to_vec()),
        2 => "[ -~äé🎉]{0,12}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ]
}

/// The rules once more, written to be read: on the whole text, line by line.
fn plainly(bytes: &[u8]) -> Vec<Seen> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut lines = vec![Vec::new()];
    let mut rest = bytes.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte == b'\r' || *byte == b'\n' {
            if *byte == b'\r' && rest.peek() == Some(&&b'\n') {
                rest.next();
            }
            lines.push(Vec::new());
        } else {
            lines.last_mut().unwrap().push(*byte);
        }
    }
    lines.pop();
    let (mut seen, mut name, mut data, mut id) = (Vec::new(), Vec::new(), None::<Vec<u8>>, None);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for line in lines {
        if line.is_empty() {
            if let Some(mut data) = data.take() {
                data.pop();
                let name = (!name.is_empty()).then(|| text(&name));
                seen.push((name, text(&data), id.as_deref().map(text)));
            }
            name.clear();
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
        match &line[..colon] {
            b"event" => name = value,
            b"id" if !value.contains(&0) => id = Some(value),
            b"data" => {
                let data = data.get_or_insert_with(Vec::new);
                data.extend(value);
                data.push(b'\n');
            }
            _ => {}
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn cutting_makes_no_difference(
        fragments in prop::collection::vec(fragment(), 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = fragments.concat();
        let whole = decode([&bytes[..]]);
        prop_assert_eq!(&whole.0, &plainly(&bytes));
        prop_assert_eq!(&decode(bytes.chunks(1)), &whole);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        prop_assert_eq!(&decode(cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]])), &whole);
    }
}

#[test]
fn recorded_streams_can_be_cut_at_every_position() {
    for (name, stream) in super::recordings::all() {
        let bytes = stream.as_bytes();
        let whole = decode([bytes]);
        assert!(!whole.0.is_empty() && whole.1.is_none(), "{name}");
        assert_eq!(whole.0, plainly(bytes), "{name}");
        // What comes before the event that is cut, and after the one behind it, is not decoded for every cut: between
        // two events a decoder remembers nothing of them.
        let ends: Vec<usize> = (2..=bytes.len()).filter(|end| bytes[..*end].ends_with(b"\n\n")).collect();
        assert_eq!(ends.len(), whole.0.len(), "{name}: an event per blank line");
        for (index, end) in ends.iter().enumerate() {
            let begin = index.checked_sub(1).map_or(0, |before| ends[before]);
            let until = ends.get(index + 1).copied().unwrap_or(bytes.len());
            let wanted = &whole.0[index..(index + 2).min(whole.0.len())];
            for cut in begin..=*end {
                let (events, unfinished) = decode([&bytes[begin..cut], &bytes[cut..until]]);
                assert_eq!((events.as_slice(), unfinished), (wanted, None), "{name} at {cut}");
            }
        }
    }
}

/// The same through HTTP: a stream that comes in two packets, wherever it is cut.
#[tokio::test]
async fn a_recorded_stream_comes_in_two_packets() {
    let (_, stream) = super::recordings::all().into_iter().find(|(name, _)| name == "agent-schema").unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let answer = format!("{head}{stream}").into_bytes();
    let connections = (1..answer.len())
        .map(|cut| {
            let (first, second) = answer.split_at(cut);
            vec![
                super::server::Act::Read,
                super::server::Act::Send(first.to_vec()),
                super::server::Act::Wait(Duration::from_millis(1)),
                super::server::Act::Send(second.to_vec()),
            ]
        })
        .collect();
    let server = super::server::Server::scripted(connections);
    let client = Client::builder(&server.url).build().unwrap();
    let run = RunAgent { agent_id: "a".into(), message: "m".into(), stream: true, ..RunAgent::default() };
    let whole = super::recordings::events(&stream);
    for cut in 1..answer.len() {
        let opened = run.open(&client, &CallOptions::default()).await.unwrap();
        let Opened::Stream(stream) = opened else { panic!("{opened:?}") };
        let events: Vec<_> = stream.map(|event| event.unwrap()).collect().await;
        let data = |event: &RunEvent| (event.name.clone(), event.data().clone());
        assert!(events.iter().map(data).eq(whole.iter().map(data)), "cut at {cut}: {events:?}");
    }
}
