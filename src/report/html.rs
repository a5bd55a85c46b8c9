//! The HTML report: one file that holds everything, works without a network, and shows what is asked for only when it is
//! asked for. The page is in `html/`; the records stand in it as JSON, one block per scenario.

use std::io::{self, Write};

use serde_json::json;

use super::plain;
use super::record::{RunRecord, ScenarioRecord};
use super::write::Writer;

const HEAD: &str = include_str!("html/head.html");
const STYLE: &str = include_str!("html/style.css");
const BODY: &str = include_str!("html/body.html");
const SCRIPT: &str = include_str!("html/script.js");

/// Writes the report.
pub(super) struct Html<W> {
    out: W,
    /// What the list shows: a row per scenario.
    rows: String,
    number: usize,
}

impl<W: Write> Html<W> {
    pub(super) fn new(mut out: W, run: &RunRecord) -> io::Result<Self> {
        write!(out, "{HEAD}<style>\n{STYLE}</style>\n</head>\n<body>\n{BODY}")?;
        block(&mut out, "run", &serde_json::to_vec(run)?)?;
        Ok(Self { out, rows: String::new(), number: 0 })
    }
}

impl<W: Write> Writer for Html<W> {
    fn scenario(&mut self, scenario: &ScenarioRecord, json: &[u8]) -> io::Result<()> {
        let failure = scenario.attempts.iter().rev().find_map(plain::first_message);
        let row = json!([
            scenario.name,
            scenario.link(),
            scenario.status,
            scenario.duration_ms,
            scenario.tags,
            failure.map(|failure| failure.chars().take(300).collect::<String>()),
            u8::from(scenario.flaky) + 2 * u8::from(scenario.quarantine.is_some()),
            scenario.attempts.first().map(|attempt| attempt.start_ms),
        ]);
        if !self.rows.is_empty() {
            self.rows.push(',');
        }
        self.rows.push_str(&row.to_string());
        block(&mut self.out, &self.number.to_string(), json)?;
        self.number += 1;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        block(&mut self.out, "rows", format!("[{}]", self.rows).as_bytes())?;
        write!(self.out, "<script>\n{SCRIPT}</script>\n</body>\n</html>\n")?;
        self.out.flush()
    }
}

/// JSON in a page. No `<` of it may be one of the page: `</script>` would end the block.
fn block(out: &mut impl Write, id: &str, json: &[u8]) -> io::Result<()> {
    write!(out, "<script type=\"application/json\" id=\"data-{id}\">")?;
    let mut from = 0;
    for at in memchr::memchr_iter(b'<', json) {
        out.write_all(&json[from..at])?;
        out.write_all(b"\\u003c")?;
        from = at + 1;
    }
    out.write_all(&json[from..])?;
    out.write_all(b"</script>\n")
}
