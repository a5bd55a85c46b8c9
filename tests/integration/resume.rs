//! Streams of runs in the background whose connection is cut: they are taken up again, and nothing is lost or doubled.

use agentos_run::agentos::{CallOptions, Client, Error, Opened, Transcript, find};
use futures_util::{StreamExt, future::join_all};
use serde_json::{Value, json};

use crate::common::{
    CuttingProxy, Output, Run, agentos,
    agentos::at_least,
    text::{dedent, unwrapped},
};

const SCENARIO: &str = r#"
    steps:
      - run_agent: { agent_id: slow, message: 12 words delay=0.01, stream: true, background: true }
        resume: 3
        expect:
          content: w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11
          events: { sequence: [RunStarted, "...", RunContent+, "...", RunCompleted], count: { RunContent: 12 } }
"#;

fn run(base_url: &str, scenario: &str) -> Output {
    Run::new().file("a.yaml", dedent(scenario)).args(["--base-url", base_url, "-v", "a.yaml"]).run()
}

/// The lines of a report that tell what became of the stream.
fn notes(output: &Output) -> Vec<String> {
    let lines = output.stdout.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix("note: ").map(str::to_owned)).collect()
}

#[test]
fn a_cut_stream_of_a_real_agentos() {
    if !at_least(2, 6) {
        return;
    }
    let proxy = CuttingProxy::new(agentos().base_url(), [1200, 900]);
    let output = run(&proxy.base_url(), SCENARIO).code_is(0);
    let notes = notes(&output);
    assert_eq!(notes.len(), 2, "{notes:?}");
    for note in notes {
        assert!(
            note.starts_with("the stream broke off after ") && note.contains("taken up again behind"),
            "{note}"
        );
    }
    assert_eq!(proxy.asked().len(), 3);
}

#[test]
fn it_is_given_up_after_so_many_times() {
    if !at_least(2, 6) {
        return;
    }
    let scenario = SCENARIO.replace("resume: 3", "resume: 1").replace("12 words", "40 words");
    let proxy = CuttingProxy::new(agentos().base_url(), [1500; 9]);
    let output = run(&proxy.base_url(), &scenario).code_is(1);
    assert!(unwrapped(&output.stdout).contains("run_agent: the stream broke off after "), "{output:?}");
    let never = scenario.replace("resume: 1", "resume: 0");
    let proxy = CuttingProxy::new(agentos().base_url(), [1500; 9]);
    let output = run(&proxy.base_url(), &never).code_is(1);
    assert!(!output.stdout.contains("taken up again"), "{output:?}");
    // Cut once, and nobody asked for the rest; then the run was cancelled.
    assert_eq!(proxy.asked().iter().filter(|line| line.contains("/resume")).count(), 0);
    assert!(proxy.asked().iter().any(|line| line.contains("/cancel")));
}

/// agno 3.1.10 gives a workflow in the background an id of its own: it is that which must be cancelled.
#[test]
fn a_run_in_the_background_is_cancelled_when_its_time_is_up() {
    if !at_least(3, 0) {
        return;
    }
    for (start, list) in [
        ("run_agent: { agent_id: slow", "list_agent_runs: { agent_id: slow"),
        ("run_workflow: { workflow_id: slow-flow", "list_workflow_runs: { workflow_id: slow-flow"),
    ] {
        let scenario = format!(
            "vars: {{ sid: \"late ${{{{ run.id }}}}\" }}\nsteps:\n  - group:\n      - {start}, message: 40 words delay=0.1, \
             session_id: \"${{{{ sid }}}}\", background: true }}\n    timeout: 2s\n    soft: true\n  - {list}, session_id: \
             \"${{{{ sid }}}}\" }}\n    until: {{ \"$[*].status\": [CANCELLED] }}\n"
        );
        let output = run(agentos().base_url(), &scenario).code_is(1);
        assert!(output.stdout.contains("note: the server was asked to cancel the run "), "{output}");
        // The group alone failed.
        assert!(output.stdout.contains("ok list_"), "{output}");
    }
}

/// The events of a run whose connection is cut after these numbers of bytes, as `(name, index)`.
async fn events(base_url: &str, what: (&str, &str), cuts: &[usize]) -> Result<Vec<(String, i64)>, Error> {
    let (operation, component) = what;
    let proxy = CuttingProxy::new(base_url, cuts);
    let client = Client::builder(proxy.base_url()).build().unwrap();
    let entry = find(operation).unwrap();
    let field = format!("{}_id", operation.trim_start_matches("run_"));
    let fields = json!({
        field: component, "message": "4 words delay=0.01", "stream": true, "background": true,
        "run_id": super::client::live::unique("cut"), "session_id": super::client::live::unique("cut"),
    });
    let Value::Object(fields) = fields else { unreachable!() };
    let operation = entry.parse(fields).unwrap();
    let options = CallOptions { resume: Some(20), ..CallOptions::default() };
    let mut stream = match operation.open(&client, &options).await? {
        Opened::Stream(stream) => stream,
        Opened::Answer(exchange) => panic!("{exchange:?}"),
    };
    let mut transcript = Transcript::new(operation.component().unwrap());
    let mut seen = Vec::new();
    while let Some(event) = stream.next().await {
        let event = event?;
        let index = event.event_index().unwrap();
        // agno 2.6 gives it the number of the event before it, and repeats it for nobody.
        let unnumbered = event.name == "StepOutput"
            && seen.last().is_some_and(|(_, last)| *last == index)
            && !at_least(3, 0);
        if !unnumbered {
            seen.push((event.name.to_string(), index));
        }
        transcript.push(event);
    }
    assert_eq!((transcript.violations(), transcript.incomplete()), (vec![], None));
    assert_eq!(stream.notes().len(), proxy.asked().len() - 1);
    Ok(seen)
}

const COMPONENTS: [(&str, &str); 3] =
    [("run_agent", "slow"), ("run_team", "slow-team"), ("run_workflow", "slow-flow")];

async fn whole_wherever_it_is_cut(base_url: &str, places: &[&[usize]]) {
    for what in COMPONENTS {
        let whole = events(base_url, what, &[]).await.unwrap();
        let indices: Vec<i64> = whole.iter().map(|(_, index)| *index).collect();
        assert_eq!(indices, (0..i64::try_from(whole.len()).unwrap()).collect::<Vec<_>>(), "{whole:?}");
        // All at once: most of it is waiting.
        for (cuts, seen) in
            join_all(places.iter().map(async |cuts| (cuts, events(base_url, what, cuts).await))).await
        {
            let seen = seen.unwrap_or_else(|error| panic!("{what:?} {cuts:?}: {error}"));
            assert_eq!(seen, whole, "{what:?} cut at {cuts:?}");
        }
    }
}

#[tokio::test]
async fn whole_wherever_a_real_agentos_is_cut() {
    if !at_least(2, 6) {
        return;
    }
    let places: [&[usize]; 5] = [&[280], &[400], &[1333, 700], &[900, 300, 310, 2000], &[2500]];
    whole_wherever_it_is_cut(agentos().base_url(), &places).await;
}

#[cfg(feature = "emulator")]
#[tokio::test]
async fn whole_wherever_the_embedded_one_is_cut() {
    use agentos_run::emulator::{Emulator, Options};

    let server = Emulator::start(Options::default()).unwrap();
    let places: Vec<Vec<usize>> = (0..24).map(|n| vec![230 + 131 * n, 300 + 37 * n]).collect();
    let places: Vec<&[usize]> = places.iter().map(Vec::as_slice).collect();
    whole_wherever_it_is_cut(server.base_url(), &places).await;
}
