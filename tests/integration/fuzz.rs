//! Whatever is typed, nothing panics: texts of every kind against the parsers, secrets of every kind against the masker.

use agentos_run::{
    diagnostic::{Problems, Style},
    duration,
    expr::{Expression, Scope},
    jsonpath::Path,
    scenario,
    secret::{MASK, Masker, SHORTEST},
    source::{Source, Span},
    yaml,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{
    prelude::*,
    sample::select,
    test_runner::{Config, FileFailurePersistence},
};

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: Some(Box::new(FileFailurePersistence::Off)), ..Config::default() }
}

/// Words of the language, punctuation of YAML, and what people leave lying about.
const PIECES: &[&str] = &[
    "steps:",
    "setup:",
    "finally:",
    "name:",
    "vars:",
    "defaults:",
    "timeout:",
    "expect:",
    "save:",
    "retry:",
    "if:",
    "get_config:",
    "get_session:",
    "run_agent:",
    "http:",
    "group:",
    "set:",
    "assert:",
    "sleep:",
    "log:",
    "session_id:",
    "status:",
    "$.a",
    "$..",
    "$[",
    "contains:",
    "like:",
    "each:",
    "matches:",
    "between:",
    "schema:",
    "sequence:",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "\n    ",
    "\n      ",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "${{ ",
    " }}",
    "$${{",
    "a",
    "0",
    "-1",
    "1e999",
    "5s",
    "null",
    "true",
    "~",
    "é",
    "日本",
    "🦀",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "\\",
    "%",
    "@",
    "`",
    "| upper",
    "env.X",
    "run.id",
    "steps.a.body",
];

fn yamlish() -> impl Strategy<Value = String> {
    let pieces =
        prop_oneof![9 => select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

/// Everything that `check` does with a text, the drawing of its problems included.
fn check(text: &str) {
    let source = Source::new("a.yaml", text);
    let mut problems = Problems::new();
    for document in yaml::parse(&source, &mut problems) {
        let _ = scenario::parse(&source, &document, &mut problems);
    }
    for problem in &problems {
        let _ = problem.render(Style { color: false, unicode: true, width: 80 });
        let _ = problem.to_string();
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn a_text_that_looks_like_yaml_is_checked(text in yamlish()) {
        check(&text);
        check(&format!("steps:\n  - get_config: {{}}\n    expect:\n      $.a: {text}\n"));
        check(&format!("steps:\n  - {text}\n"));
    }

    #[test]
    fn any_text_is_checked(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_text_is_a_path_or_none(text in "\\$[.\\[\\]?@*a-c0-9'\"()=<>&|!,:é🦀 -]{0,30}") {
        let value = serde_json::json!({"a": [1, {"b": "é"}, null], "c": {"a": 1}});
        if let Ok(path) = Path::parse(&text) {
            let _ = path.find(&value);
            let _ = path.select(&value);
        }
    }

    #[test]
    fn any_text_is_an_expression_or_none(text in "[a-c0-9'\"()=<>|!,:.é🦀 \\[\\]{}+*/%~-]{0,30}") {
        let source = Source::new("a.yaml", text.as_str());
        let span = Span::new(&source, 0..text.len());
        if let Ok(expression) = Expression::parse(&text, &span) {
            let _ = expression.names();
            let mut scope = Scope::new(std::path::Path::new("."));
            scope.set("a", agentos_run::expr::Value::from_json(&serde_json::json!([1, "x", {"b": 2}])));
            let _ = expression.evaluate(&scope).map(|value| value.as_json());
        }
    }

    #[test]
    fn any_text_is_a_duration_or_none(text in "[0-9.dhms -]{0,20}|\\PC{0,10}") {
        if let Ok(duration) = duration::parse(&text) {
            let shown = duration::format(duration);
            prop_assert!(duration::parse(&shown).is_ok(), "{text} became {shown}");
        }
    }

    #[test]
    fn an_excerpt_of_any_place_of_any_text(
        text in "([a-z é日🦀\t\r\u{301}]{0,300}\n?){0,6}",
        places in prop::collection::vec((0usize..2500, 0usize..2500), 1..4),
        width in 1usize..200,
    ) {
        let source = Source::new("a.yaml", text.as_str());
        let spans: Vec<_> = places
            .iter()
            // Through `Span`, as every caller: it takes any numbers.
            .map(|(a, b)| Span::new(&source, *a.min(b)..*a.max(b)).range())
            .collect();
        let excerpt = source.excerpt(&spans, 1, width);
        prop_assert_eq!(excerpt.spans.len(), spans.len());
        for range in &excerpt.spans {
            prop_assert!(excerpt.text.get(range.clone()).is_some(), "{:?} in {:?}", range, excerpt.text);
        }
    }

    #[test]
    fn a_secret_is_never_shown(
        secret in "[!-~]([ -~é日\n]{3,30})[!-~]",
        before in "[a-z ]{0,5}",
        after in "[a-z ]{0,5}",
    ) {
        let masker = Masker::new();
        prop_assert!(masker.add(&secret));
        let url = percent_encoding::utf8_percent_encode(&secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        let json = serde_json::Value::String(secret.clone()).to_string();
        let form = url.replace("%20", "+");
        for shown in [secret.clone(), json[1..json.len() - 1].to_owned(), url, form, STANDARD.encode(&secret)] {
            let masked = masker.mask(&format!("{before}{shown}{after}"));
            prop_assert!(masked.contains(MASK), "{shown} became {masked}");
            // Of base64 the last characters depend on what follows, and may stay.
            prop_assert!(!masked.contains(&*secret), "{shown} became {masked}");
        }
        for lead in ["", "u", "ab", "user:"] {
            let shown = STANDARD.encode(format!("{lead}{secret}{after}"));
            // What is left of it, decoded, is less than the secret.
            prop_assert!(masker.mask(&shown).contains(MASK) || secret.len() < SHORTEST + 3, "{shown}");
        }
    }
}
