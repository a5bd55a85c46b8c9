//! Two answers, held against each other without what no two answers share: ids, times, durations.

use super::target::{Answer, Body};
use regex::Regex;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::LazyLock};

/// One place where two answers differ.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) request: String,
    pub(super) place: String,
    pub(super) real: String,
    pub(super) embedded: String,
}

/// Which id of the embedded server stands for which of the real one: an id that comes back must come back in both.
#[derive(Debug, Default)]
pub(super) struct Ids(BTreeMap<String, String>);

/// Headers that say nothing about an answer, or that follow from its body.
const UNTOLD: [&str; 3] = ["date", "content-length", "transfer-encoding"];

/// Numbers under these names are measured.
const MEASURED: [&str; 26] = [
    "avg_run_time",
    "min_run_time",
    "max_run_time",
    "std_dev_run_time",
    "median_run_time",
    "p95_run_time",
    "avg_memory_usage",
    "min_memory_usage",
    "max_memory_usage",
    "std_dev_memory_usage",
    "median_memory_usage",
    "p95_memory_usage",
    "runtime",
    "memory",
    "duration",
    "time_to_first_token",
    "search_time_ms",
    "time",
    "start_time",
    "end_time",
    "run_times",
    "memory_usages",
    "created_at",
    "updated_at",
    "last_updated",
    "instantiated_at",
];

/// How much of a value is shown.
const SHOWN: usize = 240;

struct Comparison<'a> {
    request: &'a str,
    ids: &'a mut Ids,
    found: Vec<Difference>,
}

/// Where two answers to one request differ.
pub(super) fn answers(request: &str, real: &Answer, embedded: &Answer, ids: &mut Ids) -> Vec<Difference> {
    let mut comparison = Comparison { request, ids, found: Vec::new() };
    if real.status != embedded.status {
        // They are about different things: nothing else can be compared.
        let show = |answer: &Answer| format!("{}: {}", answer.status, answer.body);
        comparison.tell("status", &show(real), &show(embedded));
        return comparison.found;
    }
    comparison.headers(real, embedded);
    match (&real.body, &embedded.body) {
        (Body::Json(real), Body::Json(embedded)) => comparison.values("body", "", real, embedded),
        (Body::Events(real), Body::Events(embedded)) => comparison.events(real, embedded),
        (Body::Text(real), Body::Text(embedded)) => comparison.texts("body", real, embedded),
        (real, embedded) => comparison.tell("body", real, embedded),
    }
    comparison.found
}

/// Where two documents differ.
pub(super) fn documents(request: &str, real: &Value, embedded: &Value, ids: &mut Ids) -> Vec<Difference> {
    let mut comparison = Comparison { request, ids, found: Vec::new() };
    comparison.values("", "", real, embedded);
    comparison.found
}

impl Comparison<'_> {
    fn tell(&mut self, place: &str, real: &dyn ToString, embedded: &dyn ToString) {
        let shown = |text: String| match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{} ... ({} characters)", &text[..end], text.chars().count()),
            None => text,
        };
        self.found.push(Difference {
            request: self.request.to_owned(),
            place: place.to_owned(),
            real: shown(real.to_string()),
            embedded: shown(embedded.to_string()),
        });
    }

    fn headers(&mut self, real: &Answer, embedded: &Answer) {
        let all = |answer: &Answer| -> BTreeMap<String, Vec<String>> {
            let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (name, value) in &answer.headers {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                all.entry(name.as_str().to_owned()).or_default().push(value);
            }
            all.retain(|name, _| !UNTOLD.contains(&name.as_str()));
            all
        };
        let (real, embedded) = (all(real), all(embedded));
        let names: std::collections::BTreeSet<&String> = real.keys().chain(embedded.keys()).collect();
        for name in names {
            if real.get(name) != embedded.get(name) {
                let show =
                    |values: Option<&Vec<String>>| values.map_or("(none)".to_owned(), |it| it.join(" | "));
                let (real, embedded) = (show(real.get(name)), show(embedded.get(name)));
                self.tell(&format!("header {name}"), &real, &embedded);
            }
        }
    }

    fn events(&mut self, real: &[(String, Value)], embedded: &[(String, Value)]) {
        let names = |events: &[(String, Value)]| {
            events.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        if names(real) != names(embedded) {
            self.tell("events", &names(real), &names(embedded));
        }
        for (index, (real, embedded)) in real.iter().zip(embedded).enumerate() {
            // From the first that is another one on, nothing can be compared.
            if real.0 != embedded.0 {
                break;
            }
            self.values(&format!("events[{index}]"), "", &real.1, &embedded.1);
        }
    }

    fn values(&mut self, place: &str, key: &str, real: &Value, embedded: &Value) {
        match (real, embedded) {
            (Value::Object(real), Value::Object(embedded)) => self.objects(place, real, embedded),
            (Value::Array(real), Value::Array(embedded)) => {
                if real.len() != embedded.len() {
                    let show =
                        |items: &[Value]| format!("{} items: {}", items.len(), Value::from(items.to_vec()));
                    self.tell(&format!("{place}[]"), &show(real), &show(embedded));
                }
                for (index, (real, embedded)) in real.iter().zip(embedded).enumerate() {
                    self.values(&format!("{place}[{index}]"), key, real, embedded);
                }
            }
            (Value::String(real), Value::String(embedded)) => self.texts(place, real, embedded),
            (Value::Number(a), Value::Number(b)) => {
                let epoch = |number: f64| (1.6e9..5e9).contains(&number);
                let both_epochs = a.as_f64().is_some_and(epoch) && b.as_f64().is_some_and(epoch);
                let measured = MEASURED.contains(&key) || both_epochs;
                // A whole number and one with a fraction are different things to a client with types.
                let same = if measured { a.is_f64() == b.is_f64() } else { a == b };
                if !same {
                    self.tell(place, real, embedded);
                }
            }
            _ if real == embedded => {}
            _ => self.tell(place, real, embedded),
        }
    }

    fn objects(&mut self, place: &str, real: &Map<String, Value>, embedded: &Map<String, Value>) {
        for (name, value) in real {
            let place = format!("{place}.{name}");
            match embedded.get(name) {
                Some(found) => self.values(&place, name, value, found),
                None => self.tell(&place, value, &"(missing)"),
            }
        }
        for (name, value) in embedded {
            if !real.contains_key(name) {
                self.tell(&format!("{place}.{name}"), &"(missing)", value);
            }
        }
        let common = |one: &Map<String, Value>, other: &Map<String, Value>| {
            let names = one.keys().filter(|name| other.contains_key(*name));
            names.map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let (of_real, of_embedded) = (common(real, embedded), common(embedded, real));
        if of_real != of_embedded {
            self.tell(&format!("{place}{{order}}"), &of_real, &of_embedded);
        }
    }

    fn texts(&mut self, place: &str, real: &str, embedded: &str) {
        // Whole documents travel as texts, too.
        let parsed = |text: &str| {
            let text = text.trim_start();
            let document = text.starts_with('{') || text.starts_with('[');
            document.then(|| serde_json::from_str::<Value>(text).ok()).flatten()
        };
        if let (Some(real), Some(embedded)) = (parsed(real), parsed(embedded)) {
            return self.values(&format!("{place}(json)"), "", &real, &embedded);
        }
        let (plain_real, ids_of_real) = plain(real);
        let (plain_embedded, ids_of_embedded) = plain(embedded);
        if plain_real != plain_embedded {
            return self.tell(place, &real, &embedded);
        }
        for (a, b) in ids_of_real.into_iter().zip(ids_of_embedded) {
            let known = self.ids.0.entry(a.to_owned()).or_insert_with(|| b.to_owned());
            if known != b {
                let expected = format!("{a}, which was {known} so far");
                self.tell(place, &expected, &b);
            }
        }
    }
}

static ID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{16})\b",
    )
    .unwrap()
});
static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?").unwrap());
static DURATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b\d+(?:\.\d+)?(?:ms|µs|s)\b|\b\d+\.\d+ seconds").unwrap());
static DIGIT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d").unwrap());

/// A text with its ids, times and durations told apart from no others, and its ids. How a time is spelled stays.
fn plain(text: &str) -> (String, Vec<&str>) {
    let ids: Vec<&str> = ID.find_iter(text).map(|found| found.as_str()).collect();
    let plain = ID.replace_all(text, "<id>");
    let plain = TIME
        .replace_all(&plain, |found: &regex::Captures<'_>| DIGIT.replace_all(&found[0], "0").into_owned());
    (DURATION.replace_all(&plain, "<duration>").into_owned(), ids)
}
