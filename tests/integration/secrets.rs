//! Secrets: wherever they come from and in whatever form they come back, no output shows them.

use crate::common::{Answer, FakeServer, Output, Run};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

const SECRET: &str = "hunter2 & \"more\"/+";

/// Every form that a reader could turn back into the secret.
fn assert_silent(output: &Output) {
    let whole = STANDARD.encode(SECRET);
    let later = STANDARD.encode(format!("user:{SECRET}"));
    let forms = [
        SECRET,
        "hunter2",
        "hunter2%20%26",
        "hunter2+%26",
        whole.trim_end_matches('=').get(..16).unwrap(),
        // `user:` fills one group of three bytes and two thirds of the next.
        later.trim_end_matches('=').get(8..20).unwrap(),
    ];
    for form in forms {
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(form), "`{form}` is shown: {output}");
        }
    }
}

/// A server that gives back whatever it was sent, in every form.
fn parrot() -> FakeServer {
    FakeServer::new(|request| {
        if request.path == "/config" {
            return Answer::json(200, &json!({}));
        }
        let sent =
            request.header("authorization").unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        let encoded =
            percent_encoding::utf8_percent_encode(&sent, percent_encoding::NON_ALPHANUMERIC).to_string();
        let body = json!({
            "plain": sent,
            "base64": STANDARD.encode(&sent),
            "basic": STANDARD.encode(format!("user:{sent}")),
            "url": format!("https://example.com/?key={encoded}&x=y"),
            "form": format!("key={}", encoded.replace("%20", "+")),
            "nested": json!({"text": sent}).to_string(),
            "detail": format!("the key {sent} is wrong"),
        });
        Answer::json(if request.path == "/refused" { 400 } else { 200 }, &body)
    })
}

const SCENARIO: &str = "
steps:
  - soft: true
    http: { path: /x }
    expect: { $.plain: something else, $.base64: x, $.basic: x, $.url: x, $.nested: x }
    save: { plain: $.plain }
  - soft: true
    http: { path: /refused }
  - log: the key is ${{ plain }}
  - soft: true
    assert: { '${{ plain }}': other }
  - soft: true
    http: { method: POST, path: /y, query: { key: '${{ plain }}' }, form: { key: '${{ plain }}' }, }
    expect: { status: 201 }
  - http: { method: POST, path: '/z/${{ plain | b64encode }}', json: { key: '${{ plain }}' } }
    expect: { status: 201 }
";

#[test]
fn a_token_of_the_command_line() {
    let server = parrot();
    let output = Run::new()
        .file("a.yaml", SCENARIO)
        .args(["--base-url", &server.base_url(), "--token", SECRET, "-vv", "a.yaml"])
        .run()
        .code_is(1);
    assert_silent(&output);
    assert!(output.stdout.contains("***"), "{output}");
    assert_eq!(
        server.requests()[1].header("authorization"),
        Some(&*format!("Bearer {SECRET}")),
        "it was sent"
    );
}

#[test]
fn a_secret_that_a_long_line_is_cut_in() {
    // Lines are cut after 300 characters: each answer puts that into another place of the secret.
    for before in 284..300 {
        let server = FakeServer::new(move |request| {
            if request.path == "/config" {
                return Answer::json(200, &json!({}));
            }
            let sent = request.header("authorization").unwrap_or_default().trim_start_matches("Bearer ");
            Answer::of(500, "text/plain", &format!("{}{sent} and more", "x".repeat(before)))
        });
        let output = Run::new()
            .file("a.yaml", "steps:\n  - http: { path: /x }\n")
            .args(["--base-url", &server.base_url(), "--token", "hunter2-and-so-on", "a.yaml"])
            .run()
            .code_is(1);
        assert!(!output.stdout.contains("xh"), "{output}");
    }
}

#[test]
fn a_token_of_the_environment() {
    let server = parrot();
    let run = Run::new()
        .file("a.yaml", SCENARIO)
        .env("AGENTOS_TOKEN", SECRET)
        .env("AGENTOS_URL", server.base_url());
    let output = run.args(["-vv", "a.yaml"]).run().code_is(1);
    assert_silent(&output);
    assert!(output.stdout.contains("***"), "{output}");
}

#[test]
fn a_header_of_the_command_line() {
    let server = parrot();
    let output = Run::new()
        .file("a.yaml", SCENARIO)
        .args(["--base-url", &server.base_url(), "-vv", "a.yaml", "-H"])
        .arg(format!("Authorization: Bearer {SECRET}"))
        .run()
        .code_is(1);
    assert_silent(&output);
}

#[test]
fn a_secret_that_the_project_file_names() {
    let server = parrot();
    let output = Run::new()
        .file("agentos-run.yaml", format!(
            "secrets: [MY_KEY]\ntargets:\n  default:\n    base_url: {}\n    headers: {{ Authorization: 'Bearer ${{{{ env.MY_KEY }}}}' }}\n",
            server.base_url()
        ))
        .file("a.yaml", SCENARIO)
        .env("MY_KEY", SECRET)
        .args(["-vv", "a.yaml"])
        .run()
        .code_is(1);
    assert_silent(&output);
    assert!(output.stdout.contains("***"), "{output}");
}

#[test]
fn a_secret_that_the_scenario_itself_sends() {
    let server = parrot();
    let output = Run::new()
        .file("agentos-run.yaml", "secrets: [MY_KEY]\n")
        .file("a.yaml", "steps:\n  - http: { path: /x }\n    headers: { Authorization: 'Bearer ${{ env.MY_KEY }}' }\n    expect: { $.plain: x }\n")
        .env("MY_KEY", SECRET)
        .args(["--base-url", &server.base_url(), "-vv", "a.yaml"])
        .run()
        .code_is(1);
    assert_silent(&output);
}

#[test]
fn a_password_in_the_address() {
    let server = parrot();
    let url = server.base_url().replace("http://", "http://me:hunter2@");
    let output =
        Run::new().file("a.yaml", SCENARIO).args(["--base-url", &url, "-vv", "a.yaml"]).run().code_is(1);
    assert!(!output.stdout.contains("hunter2") && !output.stderr.contains("hunter2"), "{output}");
    let output = Run::new()
        .file("a.yaml", SCENARIO)
        .args(["--base-url", "http://me:hunter2@127.0.0.1:1", "a.yaml"])
        .run()
        .code_is(3);
    assert!(!output.stderr.contains("hunter2"), "{output}");
}

#[test]
fn a_secret_too_short_to_be_masked_is_warned_of() {
    let server = parrot();
    let output = Run::new()
        .file("agentos-run.yaml", "secrets: [PIN, UNSET]\n")
        .file("a.yaml", "steps: [{ http: { path: /x } }]\n")
        .env("PIN", "123")
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .run()
        .code_is(0);
    insta::assert_snapshot!(output.stderr, @"warning: the secret PIN is shorter than 4 characters and is not masked");
}

#[test]
fn call_masks_too() {
    let server = parrot();
    for format in ["json", "table"] {
        let output = Run::new()
            .args(["call", "get_session", "session_id=x", "--verbose", "--format", format])
            .args(["--base-url", &server.base_url(), "--token", SECRET])
            .run()
            .code_is(0);
        assert_silent(&output);
        assert!(output.stdout.contains("***"), "{output}");
    }
    let output = Run::new()
        .args(["call", "get_session", "session_id=x", "--dry-run"])
        .args(["--base-url", &server.base_url(), "--token", SECRET])
        .run()
        .code_is(0);
    assert_silent(&output);
}

#[test]
fn a_secret_within_another_leaves_nothing_of_it() {
    let server = parrot();
    let output = Run::new()
        .file("agentos-run.yaml", "secrets: [SHORT, LONG]\n")
        .file(
            "a.yaml",
            "steps:\n  - http: { path: /refused }\n    headers: { Authorization: '${{ env.LONG }}' }\n",
        )
        .env("SHORT", "hunter2")
        .env("LONG", "first-hunter2-last")
        .args(["--base-url", &server.base_url(), "-vv", "a.yaml"])
        .run()
        .code_is(1);
    assert!(!output.stdout.contains("first-") && !output.stdout.contains("-last"), "{output}");
    assert!(output.stdout.contains("the key *** is wrong"), "{output}");
}

#[test]
fn a_quote_in_a_secret_does_not_show_it_in_a_command() {
    let server = parrot();
    let output = Run::new()
        .file("agentos-run.yaml", "secrets: [MY_KEY]\n")
        .file(
            "a.yaml",
            "steps:\n  - http: { method: POST, path: /refused, json: { key: '${{ env.MY_KEY }}' } }\n    soft: true\n  - http: { method: POST, path: /refused, form: { key: '${{ env.MY_KEY }}' } }\n",
        )
        .env("MY_KEY", "hunter2's'more")
        .args(["--base-url", &server.base_url(), "a.yaml"])
        .run()
        .code_is(1);
    assert!(!output.stdout.contains("hunter2") && !output.stdout.contains("more"), "{output}");
    assert_eq!(output.stdout.matches("request: curl").count(), 2, "{output}");
}

#[test]
fn headers_are_judged_by_their_names_and_hidden_whole() {
    let server = FakeServer::new(|request| {
        let sent =
            ["cookie", "x-api-key", "x-credential"].map(|name| request.header(name).map(str::to_owned));
        Answer::json(
            if request.path == "/x" { 400 } else { 200 },
            &json!({ "detail": json!(sent).to_string() }),
        )
    });
    let output = Run::new()
        .file(
            "a.yaml",
            "steps:\n  - http: { path: /x }\n    headers: { X-Credential: 'step-one step-two' }\n",
        )
        .args(["--base-url", &server.base_url(), "-vv", "a.yaml"])
        .args(["-H", "Cookie: session=first-of-it; other=second-of-it", "-H", "X-Api-Key: word-one word-two"])
        .run()
        .code_is(1);
    for part in ["first-of-it", "second-of-it", "word-one", "word-two", "step-one", "step-two"] {
        assert!(!output.stdout.contains(part), "`{part}` is shown: {output}");
    }
    let sent = &server.requests()[1];
    assert_eq!(sent.header("cookie"), Some("session=first-of-it; other=second-of-it"), "it was sent");
}

/// A server whose agent says a secret, a piece in each event.
fn in_pieces() -> FakeServer {
    let mut answer = Answer::events().event("RunStarted", &json!({ "event": "RunStarted", "run_id": "r" }));
    for piece in ["The key is hun", "ter", "2-and", "-so-on", ", not hunt", "er", "."] {
        answer =
            answer.event("RunContent", &json!({ "event": "RunContent", "run_id": "r", "content": piece }));
    }
    let done = json!({ "event": "RunCompleted", "run_id": "r", "content": "The key is hunter2-and-so-on, not hunter." });
    let answer = answer.event("RunCompleted", &done).last_chunk();
    FakeServer::new(move |request| match request.path.as_str() {
        "/agents/a/runs" => answer.clone(),
        _ => Answer::json(200, &json!({})),
    })
}

#[test]
fn a_trace_hides_a_secret_in_pieces() {
    let server = in_pieces();
    let run = Run::new().file(
        "a.yaml",
        "
        steps:
          - run_agent: { agent_id: a, message: hi, stream: true }
            expect: { content: other }
        ",
    );
    let target = server.base_url();
    let secret = ["--base-url", &target, "--token", "hunter2-and-so-on"];
    let output = run.args(secret).args(["--trace", "traces", "a.yaml"]).run().code_is(1);
    let trace = output.read("traces/0001-a.jsonl");
    let texts: Vec<String> = trace
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter_map(|line| line["line"]["event"]["data"].as_str().map(str::to_owned))
        .filter_map(|data| {
            serde_json::from_str::<serde_json::Value>(&data).unwrap()["content"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(texts.len(), 8, "{trace}");
    assert!(!texts.concat().contains("hunter2-and-so-on"), "{texts:?}");
    assert!(!trace.contains("2-and") && !trace.contains("so-on"), "{trace}");
}

#[test]
#[cfg(unix)]
fn an_answer_that_is_shown_as_it_comes_hides_a_secret_in_pieces() {
    use crate::common::pty::Terminal;
    let server = in_pieces();
    let run =
        Run::new().file("a.yaml", "steps: [{ run_agent: { agent_id: a, message: hi, stream: true } }]\n");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_agentos-run"));
    command.args(["--base-url", &server.base_url(), "--token", "hunter2-and-so-on", "--color", "never"]);
    command.args(["-v", "a.yaml"]).current_dir(run.dir()).env_clear();
    let (code, sent) = Terminal::new(80, 24).run(command);
    assert_eq!(code, 0, "{sent}");
    assert!(sent.contains("The key is ***, not hunter."), "{sent}");
    assert!(!sent.contains("hunter2") && !sent.contains("so-on"), "{sent}");
}

#[test]
fn a_password_in_the_url_is_hidden_as_it_stands_as_it_is_meant_and_as_it_is_sent() {
    let server = FakeServer::new(|request| {
        let sent = request.header("authorization").map(str::to_owned);
        Answer::json(400, &json!({ "detail": json!({ "sent": sent, "meant": "s@cret/pass1" }).to_string() }))
    });
    let target = server.base_url().replace("http://", "http://alice:s%40cret%2Fpass1@");
    let output = Run::new()
        .file("a.yaml", "steps: [{ http: { path: /x } }, { log: \"${{ 's%40cret%2Fpass1' }}\" }]\n")
        .args(["--base-url", &target, "-vv", "--report", "json=report.json", "--trace", "traces", "a.yaml"])
        .run()
        .code_is(1);
    let sent = "YWxpY2U6c0BjcmV0L3Bhc3Mx";
    assert_eq!(server.requests()[0].header("authorization"), Some(format!("Basic {sent}").as_str()));
    let all = [output.stdout.clone(), output.read("report.json"), output.read("traces/0001-a.jsonl")];
    for secret in [sent, "s@cret", "s%40cret", "pass1"] {
        assert!(all.iter().all(|text| !text.contains(secret)), "`{secret}` is shown: {output}");
    }
}

#[test]
fn where_a_text_is_cut_in_a_long_secret_no_half_of_it_is_left() {
    let token: String =
        (0..240_u8).map(|n| char::from(b'a' + n.wrapping_mul(n).wrapping_add(n / 7) % 26)).collect();
    let server = parrot();
    let scenario = format!(
        "
cases: [{{ key: {token}, n: 1 }}]
steps:
  - http: {{ method: POST, path: /refused, json: {{ key: {token} }} }}
    soft: true
  - http: {{ method: POST, path: /ok, json: {{ key: \"{token} and more\" }} }}
    expect: {{ $: x, text: {{ contains: nothing }} }}
    soft: true
  - for_each: [{token}]
    http: {{ method: POST, path: /ok, json: {{ key: \"${{{{ item }}}}\" }} }}
    expect: {{ text: {{ equals: \"so much {token}\" }}, error: {{ contains: {token} }} }}
"
    );
    let output = Run::new()
        .file("a.yaml", scenario.replace("equals", "eq"))
        .args(["--base-url", &server.base_url(), "--token", &token, "-vv", "a.yaml"])
        .args(["--report", "json=report.json", "--report", "junit=junit.xml", "--trace", "traces"])
        .run()
        .code_is(1);
    let trace = std::fs::read_dir(output.dir().join("traces")).unwrap().next().unwrap().unwrap();
    let trace = std::fs::read_to_string(trace.path()).unwrap();
    let all = [output.stdout.clone(), output.read("report.json"), output.read("junit.xml"), trace];
    for start in 0..token.len() - 8 {
        let part = &token[start..start + 8];
        assert!(all.iter().all(|text| !text.contains(part)), "`{part}` at {start} is shown: {output}");
    }
}
