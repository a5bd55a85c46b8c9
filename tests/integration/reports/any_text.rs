//! Whatever a scenario is called and a server answers, every report stays what it is: valid, with one entry per scenario.

use agentos_run::report::record::{
    AttemptRecord, BodyRecord, CallerRecord, FailureRecord, LogRecord, Phase, Place, Report, RequestRecord,
    ResponseRecord, RunRecord, ScenarioRecord, Status, StepRecord, StepStatus, StreamEvent, StreamRecord,
};
use agentos_run::report::records::Records;
use agentos_run::report::write::{self, Format};
use proptest::prelude::*;
use std::io::Write;
use std::sync::{Arc, Mutex};

/// Texts of everything that breaks formats.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "]]>",
        "</script>",
        "<!--",
        "<script>",
        "\"",
        "'",
        "`",
        "```",
        "\\",
        "#",
        " # SKIP ",
        "%",
        "%0A",
        "::error::",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\u{1b}[31m",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{fffe}",
        "\u{ffff}",
        "🎉",
        "é",
        "𝕏",
        "|",
        "*",
        "_",
        "@team",
        "&amp;",
        "<b>",
        "  ---\n",
        "...",
        ":",
        ",",
        "{",
        "}",
        "[x](y)",
        "1",
    ]);
    let any =
        prop_oneof![pieces.prop_map(str::to_owned), any::<char>().prop_map(String::from), "[a-z ]{1,8}"];
    prop_oneof![
        9 => prop::collection::vec(any, 0..12).prop_map(|pieces| pieces.concat()),
        1 => prop::sample::select(vec!["long ".repeat(2048), "`".repeat(10_240), "]]>".repeat(3_500)]),
    ]
}

fn failure(text: &str) -> FailureRecord {
    FailureRecord {
        code: "expect::value".to_owned(),
        message: text.to_owned(),
        help: Some(text.to_owned()),
        place: Some(Place { file: text.to_owned(), line: 3, column: 5 }),
        diff: Some(format!("- {text}\n+ x")),
        text: text.to_owned(),
    }
}

fn attempt(text: &str, status: Status) -> AttemptRecord {
    let body = || Some(BodyRecord { text: text.to_owned(), bytes: text.len(), cut: false });
    let pairs = || vec![("x-name".to_owned(), text.to_owned())];
    let failed = status == Status::Failed;
    let step = StepRecord {
        title: text.to_owned(),
        action: "run_agent".to_owned(),
        phase: Phase::Steps,
        place: Place { file: text.to_owned(), line: 2, column: 1 },
        callers: vec![CallerRecord {
            title: text.to_owned(),
            place: Place { file: text.to_owned(), line: 7, column: 5 },
        }],
        status: if failed { StepStatus::Failed } else { StepStatus::Passed },
        reason: None,
        start_ms: 0.5,
        duration_ms: 1.25,
        checks: 1,
        failures: if failed { vec![failure(text)] } else { Vec::new() },
        notes: vec![text.to_owned()],
        request: Some(RequestRecord {
            method: "POST".to_owned(),
            url: text.to_owned(),
            headers: pairs(),
            body: body(),
            curl: Some(text.to_owned()),
        }),
        response: Some(ResponseRecord {
            status: 200,
            headers: pairs(),
            first_byte_ms: 0.25,
            duration_ms: 1.0,
            body: body(),
        }),
        stream: Some(StreamRecord {
            ttft_ms: Some(0.5),
            count: 1,
            events: vec![StreamEvent {
                at_ms: 0.5,
                name: text.to_owned(),
                times: 1,
                until_ms: None,
                text: Some(text.to_owned()),
            }],
        }),
    };
    AttemptRecord {
        status,
        start_ms: 0.0,
        duration_ms: 2.5,
        steps_run: 1,
        checks: 1,
        steps_left_out: 0,
        failures: Vec::new(),
        log: vec![LogRecord { at_ms: 1.0, text: text.to_owned() }],
        steps: vec![step],
    }
}

/// A report of scenarios of this name that became everything that a scenario can become.
pub(super) fn report(text: &str) -> Report {
    let attempts = |statuses: &[Status]| statuses.iter().map(|status| attempt(text, *status)).collect();
    let became = [
        (Status::Passed, vec![Status::Passed], false),
        (Status::Failed, vec![Status::Failed], false),
        (Status::Passed, vec![Status::Failed, Status::Passed], false),
        (Status::Failed, vec![Status::Failed, Status::Failed], false),
        (Status::Failed, vec![Status::Failed], true),
        (Status::Skipped, vec![], false),
        (Status::NotRun, vec![], false),
    ];
    let mut run = RunRecord {
        version: "1.0.0".to_owned(),
        id: "0123456789ab".to_owned(),
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        duration_ms: 12.5,
        targets: vec![text.to_owned()],
        ..RunRecord::default()
    };
    let scenarios: Vec<ScenarioRecord> = became
        .into_iter()
        .enumerate()
        .map(|(index, (status, ran, quarantined))| ScenarioRecord {
            name: format!("{index}{text}"),
            file: format!("{}{text}", index / 4),
            line: 1,
            index,
            case: None,
            tags: vec![text.to_owned()],
            description: Some(text.to_owned()),
            status,
            flaky: status == Status::Passed && ran.len() > 1,
            quarantine: quarantined.then(|| text.to_owned()),
            fails_run: status == Status::Failed && !quarantined,
            reason: ran.is_empty().then(|| text.to_owned()),
            duration_ms: 2.5,
            trace: None,
            attempts: attempts(&ran),
        })
        .collect();
    scenarios.iter().for_each(|scenario| run.counts.add(scenario));
    run.failed = true;
    Report { format: 1, run, scenarios }
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The report in each format, in the order asked for.
pub(super) fn written<const N: usize>(report: &Report, formats: [Format; N]) -> [String; N] {
    let files: [Shared; N] = std::array::from_fn(|_| Shared::default());
    let records = Records::of(report.run.clone(), report.scenarios.clone()).unwrap();
    let outputs = formats.iter().zip(&files);
    let outputs = outputs
        .map(|(format, file)| write::Output { format: *format, out: Box::new(file.clone()) })
        .collect();
    for result in write::write(records, outputs) {
        result.unwrap();
    }
    files.map(|file| String::from_utf8(std::mem::take(&mut *file.0.lock().unwrap())).unwrap())
}

/// What XML 1.0 can hold of a text.
fn in_xml(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => c,
            _ => '\u{fffd}',
        })
        .collect()
}

fn junit_holds(xml: &str, report: &Report) {
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases.len(), report.scenarios.len());
    for (case, scenario) in cases.iter().zip(&report.scenarios) {
        assert_eq!(case.attribute("name").unwrap(), in_xml(&scenario.name));
        let has = |name: &str| case.children().filter(|child| child.has_tag_name(name)).count();
        assert_eq!(has("failure"), usize::from(scenario.fails_run));
        assert_eq!(has("flakyFailure"), usize::from(scenario.flaky));
        let again = scenario.fails_run && scenario.attempts.len() > 1;
        assert_eq!(has("rerunFailure"), usize::from(again));
        let ran = matches!(scenario.status, Status::Passed) || scenario.fails_run;
        assert_eq!(has("skipped"), usize::from(!ran));
        if let Some(failure) = case.children().find(|child| child.has_tag_name("failure")) {
            let said = scenario.attempts[0].steps[0].failures[0].message.clone();
            assert_eq!(failure.attribute("message").unwrap(), in_xml(&said));
        }
    }
}

fn tap_holds(tap: &str, report: &Report) {
    let mut lines = tap.lines().peekable();
    assert_eq!(lines.next(), Some("TAP version 14"));
    assert_eq!(lines.next(), Some(&*format!("1..{}", report.scenarios.len())));
    let mut number = 0;
    while let Some(line) = lines.next() {
        if line.starts_with("# ") {
            continue;
        }
        let scenario = &report.scenarios[number];
        number += 1;
        let word = if scenario.status == Status::Failed { "not ok" } else { "ok" };
        assert!(line.starts_with(&format!("{word} {number} - ")), "{line}");
        // The first `#` that is not escaped begins the directive.
        let unescaped = line.replace("\\\\", "").replace("\\#", "");
        let directive = unescaped.split_once('#').map(|(_, directive)| directive.trim());
        let wanted = match scenario.status {
            Status::Skipped | Status::NotRun => Some("SKIP"),
            Status::Failed if scenario.quarantine.is_some() => Some("TODO"),
            _ => None,
        };
        assert_eq!(directive.and_then(|text| text.split(' ').next()), wanted, "{line}");
        if lines.peek() == Some(&"  ---") {
            lines.next();
            let yaml: Vec<&str> = lines.by_ref().take_while(|line| *line != "  ...").collect();
            let source = agentos_run::source::Source::new("tap", yaml.join("\n"));
            let mut problems = agentos_run::diagnostic::Problems::new();
            let documents = agentos_run::yaml::parse(&source, &mut problems);
            assert!(problems.is_empty(), "{problems:?} in {yaml:#?}");
            let facts = documents[0].to_json();
            let failed = scenario.attempts.iter().rev().find(|attempt| attempt.status == Status::Failed);
            let said = &failed.unwrap().steps[0].failures[0].message;
            assert_eq!(facts["failures"][0]["message"].as_str(), Some(said.as_str()), "{yaml:#?}");
        }
    }
    assert_eq!(number, report.scenarios.len());
}

fn github_holds(text: &str, report: &Report) {
    let lines: Vec<&str> = text.lines().collect();
    // Two that gate, one that is flaky and one in quarantine.
    assert_eq!(lines.len(), 4, "{text}");
    let failed =
        report.scenarios.iter().filter(|scenario| scenario.status == Status::Failed || scenario.flaky);
    for (line, scenario) in lines.iter().zip(failed) {
        let level = if scenario.fails_run { "::error " } else { "::warning " };
        let (properties, message) = line.strip_prefix(level).unwrap().split_once("::").unwrap();
        let names: Vec<&str> = properties.split(',').map(|pair| pair.split_once('=').unwrap().0).collect();
        assert_eq!(names, ["file", "line", "col", "title"], "{line}");
        assert!(!message.contains(['\r', '\n']));
    }
}

fn markdown_holds(text: &str, report: &Report) {
    use pulldown_cmark::{Event, Parser, Tag, TagEnd};
    assert!(text.chars().count() <= 65_536);
    let mut items = 0;
    let mut codes: Vec<String> = Vec::new();
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Item) => items += 1,
            Event::Code(code) => codes.push(code.into_string()),
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => panic!("a link in {text}"),
            Event::Html(html) | Event::InlineHtml(html) => {
                let known = ["<details>", "<summary>", "<code>", "</code>", "</summary>", "</details>"];
                let left = known.iter().fold(html.to_string(), |left, tag| left.replace(tag, ""));
                assert!(!left.contains('<'), "{left}");
            }
            Event::End(TagEnd::HtmlBlock) => {}
            _ => {}
        }
    }
    let left_out = text.contains("that are not listed here");
    let listed = report.scenarios.iter().filter(|s| s.status != Status::Passed || s.flaky).count();
    assert!(items == listed || left_out, "{items} items of {listed} in {text}");
    if !left_out {
        for scenario in report.scenarios.iter().filter(|s| s.status == Status::Failed) {
            let begin: String = scenario.name.chars().take_while(|c| !c.is_control()).take(50).collect();
            assert!(codes.iter().any(|code| code.contains(begin.trim())), "{begin:?} in {text}");
        }
    }
}

fn html_holds(html: &str, report: &Report) {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find("<script type=\"application/json\" id=\"") {
        rest = &rest[at..];
        let begin = rest.find('>').unwrap() + 1;
        let end = rest.find("</script>").unwrap();
        let block = &rest[begin..end];
        assert!(!block.contains('<'), "nothing in a block may begin a tag: {block}");
        found.push(serde_json::from_str::<serde_json::Value>(block).unwrap());
        rest = &rest[end..];
    }
    // The run, the scenarios, and the rows of the list.
    assert_eq!(found.len(), report.scenarios.len() + 2);
    for (block, scenario) in found[1..].iter().zip(&report.scenarios) {
        assert_eq!(&serde_json::from_value::<ScenarioRecord>(block.clone()).unwrap(), scenario);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_it_is_called(text in texts()) {
        let report = report(&text);
        let [json, junit, tap, github, markdown, html, terminal] = written(&report, [
            Format::Json, Format::Junit, Format::Tap, Format::Github, Format::Markdown, Format::Html, Format::Text,
        ]);
        let read: Report = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &report);
        junit_holds(&junit, &report);
        tap_holds(&tap, &report);
        github_holds(&github, &report);
        markdown_holds(&markdown, &report);
        html_holds(&html, &report);
        prop_assert!(!terminal.contains(|c: char| c.is_control() && c != '\n'));
    }
}
