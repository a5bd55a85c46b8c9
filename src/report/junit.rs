//! JUnit XML as Jenkins, Surefire, GitLab and the many others read it: a suite per file, a test case per scenario.
//!
//! Nothing is in it that the strict readers refuse: no attributes or properties of test cases beyond the schemas of
//! Jenkins and Surefire. What they have no word for stands in `system-out`.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::plain;
use super::record::{AttemptRecord, Counts, RunRecord, ScenarioRecord, Status};
use super::write::Writer;
use super::xml::{content, escaped};

/// Writes the report.
pub(super) struct Junit<W> {
    out: W,
    run: RunRecord,
    suite: Option<Suite>,
}

/// The scenarios of one file, which must be counted before they are written.
struct Suite {
    file: String,
    counts: Counts,
    milliseconds: f64,
    cases: String,
}

impl<W: Write> Junit<W> {
    pub(super) fn new(mut out: W, run: &RunRecord) -> io::Result<Self> {
        let counts = &run.counts;
        writeln!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"agentos-run\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{}\">",
            counts.scenarios,
            counts.failing,
            seconds(run.duration_ms)
        )?;
        Ok(Self { out, run: run.clone(), suite: None })
    }

    fn end_suite(&mut self) -> io::Result<()> {
        let Some(suite) = self.suite.take() else { return Ok(()) };
        let Suite { file, counts, milliseconds, cases } = suite;
        let skipped = counts.skipped + counts.not_run + counts.quarantined;
        writeln!(
            self.out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{skipped}\" time=\"{}\" timestamp=\"{}\">",
            escaped(&file),
            counts.scenarios,
            counts.failing,
            seconds(milliseconds),
            escaped(self.run.started_at.trim_end_matches('Z')),
        )?;
        writeln!(self.out, "    <properties>")?;
        let mut property = |name: &str, value: &str| {
            writeln!(self.out, "      <property name=\"{name}\" value=\"{}\"/>", escaped(value))
        };
        property("agentos-run", &self.run.version)?;
        for target in &self.run.targets {
            property("target", target)?;
        }
        if !self.run.id.is_empty() {
            property("run.id", &self.run.id)?;
        }
        if let [shard] = self.run.shards.as_slice() {
            property("shard", &format!("{}/{}", shard.index, shard.total))?;
        }
        if self.run.interrupted {
            property("interrupted", "true")?;
        }
        write!(self.out, "    </properties>\n{cases}  </testsuite>\n")
    }
}

impl<W: Write> Writer for Junit<W> {
    fn scenario(&mut self, scenario: &ScenarioRecord, _json: &[u8]) -> io::Result<()> {
        if self.suite.as_ref().is_none_or(|suite| suite.file != scenario.file) {
            self.end_suite()?;
        }
        let suite = self.suite.get_or_insert_with(|| Suite {
            file: scenario.file.clone(),
            counts: Counts::default(),
            milliseconds: 0.0,
            cases: String::new(),
        });
        suite.counts.add(scenario);
        suite.milliseconds += scenario.duration_ms;
        case(&mut suite.cases, scenario);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        self.end_suite()?;
        writeln!(self.out, "</testsuites>")?;
        self.out.flush()
    }
}

fn case(xml: &mut String, scenario: &ScenarioRecord) {
    let mut inside = String::new();
    let (last, before) = scenario.attempts.split_last().unzip();
    let before: &[AttemptRecord] = before.unwrap_or_default();
    match scenario.status {
        Status::Failed if scenario.quarantine.is_some() => {
            let what = last.and_then(plain::first_message).unwrap_or_default();
            let why = scenario.quarantine.as_deref().unwrap_or_default();
            element(&mut inside, "skipped", &format!("in quarantine ({why}), and failed: {what}"), None, "");
        }
        Status::Failed => {
            failure(&mut inside, "failure", last, false);
            before.iter().for_each(|attempt| failure(&mut inside, "rerunFailure", Some(attempt), true));
        }
        Status::Passed => {
            if scenario.fails_run {
                let message = format!("flaky: it passed in attempt {}", scenario.attempts.len());
                element(&mut inside, "failure", &message, Some("flaky"), "");
            }
            before.iter().for_each(|attempt| failure(&mut inside, "flakyFailure", Some(attempt), true));
        }
        Status::Skipped => {
            element(&mut inside, "skipped", scenario.reason.as_deref().unwrap_or("skipped"), None, "");
        }
        Status::NotRun => {
            let reason = scenario.reason.as_deref().unwrap_or("the run was over before");
            element(&mut inside, "skipped", &format!("not run: {reason}"), None, "");
        }
    }
    let _infallible =
        writeln!(inside, "      <system-out>{}</system-out>", content(&plain::output(scenario)));
    let _infallible = write!(
        xml,
        "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\">\n{inside}    </testcase>\n",
        escaped(&scenario.name),
        escaped(&class_name(&scenario.file)),
        seconds(scenario.duration_ms),
    );
}

fn failure(xml: &mut String, name: &str, attempt: Option<&AttemptRecord>, again: bool) {
    let Some(attempt) = attempt else {
        return element(xml, name, "failed", Some("failed"), "");
    };
    let first = attempt.all_failures().next().map(|(_, failure)| failure);
    let message = first.map_or("failed", |failure| failure.message.as_str());
    let code = first.map_or("failed", |failure| failure.code.as_str());
    let text = content(&plain::attempt(attempt));
    let text = if again { format!("<stackTrace>{text}</stackTrace>") } else { text };
    element(xml, name, message, Some(code), &text);
}

/// An element with a message; `inside` is XML.
fn element(xml: &mut String, name: &str, message: &str, code: Option<&str>, inside: &str) {
    let code = code.map(|code| format!(" type=\"{}\"", escaped(code))).unwrap_or_default();
    let _infallible = writeln!(xml, "      <{name} message=\"{}\"{code}>{inside}</{name}>", escaped(message));
}

/// Readers take what stands before the last dot for a package: `scenarios/weather.yaml` is `scenarios.weather`.
fn class_name(file: &str) -> String {
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
    stem.trim_start_matches("./").trim_start_matches('/').replace(['/', '\\'], ".")
}

fn seconds(milliseconds: f64) -> String {
    format!("{:.3}", milliseconds / 1000.0)
}
