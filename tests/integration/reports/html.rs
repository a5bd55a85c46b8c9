//! The HTML report in a browser: what a person sees, clicks and looks for.

use super::any_text;
use crate::common::{Answer, FakeServer, Run, browser::Browser, text::dedent};
use agentos_run::report::record::Status;
use agentos_run::report::write::Format;
use serde_json::json;
use std::fs;

const EVIL: &str = "</script><script>document.title='broken'</script><b>bold</b> ]]> 🎉";

/// A report of a run with everything in it, and the browser that shows it.
fn shown() -> (Browser, crate::common::Output) {
    let server = FakeServer::new(|request| match request.path.as_str() {
        "/evil" => Answer::json(200, &json!({ "text": EVIL, "n": [1, true, null] })),
        "/agents/a/runs" => Answer::events()
            .event("RunStarted", &json!({"event": "RunStarted", "run_id": "r", "agent_id": "a"}))
            .event(
                "RunContent",
                &json!({"event": "RunContent", "run_id": "r", "agent_id": "a", "content": "Hel"}),
            )
            .event(
                "RunContent",
                &json!({"event": "RunContent", "run_id": "r", "agent_id": "a", "content": "lo"}),
            )
            .event(
                "RunCompleted",
                &json!({"event": "RunCompleted", "run_id": "r", "agent_id": "a", "content": "Hello"}),
            )
            .last_chunk(),
        _ => Answer::json(200, &json!({ "n": 1 })),
    });
    let scenarios = dedent(
        "
        name: Streams
        tags: [smoke]
        steps:
          - run_agent: { agent_id: a, message: hi, stream: true }
            expect: { content: Hello }
        ---
        name: EVIL
        description: EVIL
        steps:
          - http: { path: /evil }
            name: EVIL
            expect: { $.text: other }
        ---
        name: Third
        skip: not today
        steps: [{ http: { path: /x } }]
        ",
    )
    .replace("EVIL", &json!(EVIL).to_string());
    let output = Run::new()
        .file("a.yaml", scenarios)
        .args(["--base-url", &server.base_url(), "a.yaml", "--report", "html=out/report.html"])
        .run()
        .code_is(1);
    let browser = Browser::start();
    browser.open(&output.dir().join("out/report.html"), "");
    (browser, output)
}

#[test]
fn a_person_finds_what_went_wrong() {
    let (browser, _output) = shown();
    assert_eq!(browser.text("h1"), "1 of 3 scenarios failed");
    assert_eq!(browser.script("return document.title"), "✗ 1 of 3 scenarios failed – agentos-run");
    assert!(browser.text(".facts").contains("against http://127.0.0.1:"), "{}", browser.text(".facts"));
    assert_eq!(browser.count(".row"), 3);
    // The failure is open from the beginning, and what it holds is text and nothing else.
    assert_eq!(browser.text("#detail h2"), EVIL);
    assert_eq!(browser.count("#detail b b"), 0);
    let failed = browser.text(".step.failed");
    assert!(failed.contains("expected \"other\""), "{failed}");
    assert!(failed.contains("a.yaml:12:"), "the lines of the file: {failed}");
    assert!(failed.contains("curl http://127.0.0.1:"), "{failed}");
    assert!(failed.contains(&format!("\"text\": {}", json!(EVIL))), "{failed}");
    // Another one.
    browser.click(".row[href='#0']");
    assert_eq!(browser.text("#detail h2"), "Streams");
    assert_eq!(browser.count(".step.failed"), 0);
    let inside = browser.count(".inside");
    assert_eq!(inside, 0, "what is folded is not made yet");
    browser.click(".step summary");
    browser.click(".inside details:last-of-type summary");
    let events: Vec<String> =
        browser.text(".inside details:last-of-type table").lines().map(str::to_owned).collect();
    let events: Vec<&str> = events.iter().map(|line| line.split('\t').nth(1).unwrap_or_default()).collect();
    assert_eq!(events, ["RunStarted", "RunContent × 2", "RunCompleted"]);
    assert_eq!(browser.count(".strip i"), 3);
    browser.click(".row[href='#2']");
    assert!(browser.text("#detail").contains("not today"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let fetched = browser.script("return performance.getEntriesByType('resource').map(entry => entry.name)");
    assert_eq!(fetched, json!([]), "nothing is loaded from elsewhere");
}

#[test]
fn the_way_to_a_failure_that_is_far_below() {
    let server = FakeServer::always(Answer::json(200, &json!({ "n": 1 })));
    let mut steps = "  - http: { path: /x }\n".repeat(60);
    steps.push_str("  - http: { path: /y }\n    expect: { $.n: 2 }\n");
    let output = Run::new()
        .file("a.yaml", format!("name: Long\nsteps:\n{steps}"))
        .args(["--base-url", &server.base_url(), "a.yaml", "--report", "html=report.html"])
        .run()
        .code_is(1);
    let browser = Browser::start();
    browser.open(&output.dir().join("report.html"), "");
    assert_eq!(browser.text(".cause span"), "`$.n` is 1, expected 2");
    assert!(browser.text(".axis").starts_with('0'), "the times of the waterfall: {}", browser.text(".axis"));
    let below = "return document.querySelector('.step.failed').getBoundingClientRect().top > innerHeight";
    assert_eq!(browser.script(below), true);
    browser.click(".cause button");
    let come = format!(
        "return new Promise(done => {{ const look = () => {{ if (!(() => {{ {below} }})()) done(true); else setTimeout(look, 20); }}; look(); }})"
    );
    assert_eq!(browser.script(&come), true);
}

#[test]
fn a_person_looks_for_something() {
    let (browser, _output) = shown();
    let rows = || {
        browser.script("return [...document.querySelectorAll('.row')].map(row => row.getAttribute('href'))")
    };
    browser.click("#chips button:nth-child(3)");
    assert_eq!(rows(), json!(["#0"]), "those that passed");
    browser.click("#chips button:nth-child(1)");
    assert_eq!(rows(), json!(["#0", "#1", "#2"]));
    browser.type_into("#search", "SMOKE str");
    assert_eq!(rows(), json!(["#0"]), "a tag and a part of the name");
    browser.type_into("#search", "zzz");
    assert_eq!(rows(), json!([]));
    assert!(browser.text("#list").contains("No scenario matches."));
    browser.script("document.querySelector('#search').value = ''; document.querySelector('#search').dispatchEvent(new Event('input'))");
    browser.script("document.querySelector('#sort').value = 'failed'; document.querySelector('#sort').dispatchEvent(new Event('change'))");
    let first = browser.script("return [...document.querySelectorAll('.row')].sort((a, b) => a.offsetTop - b.offsetTop)[0].getAttribute('href')");
    assert_eq!(first, "#1");
    // j and k go down and up.
    browser.script("location.hash = '#1'");
    browser.script("dispatchEvent(new KeyboardEvent('keydown', { key: 'j' })); document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'j', bubbles: true }))");
    assert_eq!(browser.script("return location.hash"), "#0");
}

#[test]
fn on_a_phone_and_in_the_dark() {
    let (browser, output) = shown();
    browser.phone();
    browser.open(&output.dir().join("out/report.html"), "");
    let wide = browser.script("return document.documentElement.scrollWidth <= innerWidth");
    assert_eq!(wide, true, "nothing is wider than the screen");
    let seen = |selector: &str| {
        browser.script(&format!(
            "const box = document.querySelector('{selector}').getBoundingClientRect();
             const top = document.elementFromPoint(box.left + box.width / 2, box.top + 40);
             return !!top && !!top.closest('{selector}')"
        ))
    };
    assert_eq!((seen("#list"), seen("#detail")), (json!(true), json!(false)));
    browser.click(".row[href='#1']");
    assert_eq!((seen("#list"), seen("#detail")), (json!(false), json!(true)));
    let wide = browser.script("return document.documentElement.scrollWidth <= innerWidth");
    assert_eq!(wide, true, "nothing is wider than the screen");
    browser.click(".back");
    assert_eq!((seen("#list"), seen("#detail")), (json!(true), json!(false)));
    let ground = || {
        let color = browser.script("return getComputedStyle(document.body).backgroundColor");
        let numbers = color.as_str().unwrap().trim_start_matches("rgb(").trim_end_matches(')').to_owned();
        numbers.split(", ").map(|number| number.parse::<u32>().unwrap()).sum::<u32>()
    };
    let prefers = |scheme: &str| {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", &features);
    };
    prefers("light");
    assert!(ground() > 600, "light");
    prefers("dark");
    assert!(ground() < 150, "dark");
    browser.click("#theme");
    assert!(ground() > 600, "light, for this person");
}

#[test]
fn five_thousand_scenarios_are_drawn_as_they_are_seen() {
    let mut report = any_text::report("plain");
    let template = report.scenarios[0].clone();
    report.scenarios = (0..5_000)
        .map(|index| {
            let mut scenario = template.clone();
            scenario.name = format!("Scenario number {index}");
            scenario.index = index;
            if index == 4_321 {
                scenario.status = Status::Failed;
                scenario.fails_run = true;
                scenario.attempts = report.scenarios[1].attempts.clone();
            }
            scenario
        })
        .collect();
    let [html] = any_text::written(&report, [Format::Html]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    fs::write(&file, html).unwrap();
    let browser = Browser::start();
    browser.open(&file, "");
    assert_eq!(browser.text("h1"), "1 of 5,000 scenarios failed");
    assert!(browser.text("#detail h2").contains("4321"), "the failed one is open");
    assert!(browser.count(".row") < 60, "{} rows are drawn", browser.count(".row"));
    assert!(browser.text("#list").contains("Scenario number 4321"), "and the list shows where it is");
    browser.script("document.querySelector('#list').scrollTop = 1e9");
    browser.script("document.querySelector('#list').dispatchEvent(new Event('scroll'))");
    assert!(browser.text("#list").contains("Scenario number 4999"));
    assert!(browser.count(".row") < 60);
    browser.type_into("#search", "number 4777");
    assert_eq!(browser.count(".row"), 1);
    assert!(browser.text("#list").contains("Scenario number 4777"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
