//! The file of a snapshot, in the format of insta: metadata between two lines `---`, then what was answered.
//!
//! What is written here, `cargo insta review` reads, and what it accepts is byte for byte what `accept` writes.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::diagnostic::{self, Problems};
use crate::source::Source;
use crate::yaml::{self, Kind, Node};

/// The most that is read: an answer of that size is no snapshot.
const MOST: u64 = 256 * 1024 * 1024;
/// The line before and after the metadata.
const FENCE: &str = "---";
/// The key of `info` by which files are known to be ours.
const MARK: &str = "scenario";

/// What a snapshot file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// Where it comes from.
    pub metadata: Metadata,
    /// What was answered, as `tidy` leaves it.
    pub contents: String,
}

/// Where a snapshot comes from. It is no part of the comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The scenario file.
    pub source: Option<String>,
    /// The line in it; only in files that wait for somebody.
    pub line: Option<usize>,
    /// What was taken of the answer: `$`, `content`.
    pub expression: Option<String>,
    /// More: scenario, step, operation.
    pub info: Vec<(String, String)>,
}

/// Why a file that is there is no snapshot to compare with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is no text.
    #[error("it is not UTF-8")]
    NotText,
    /// A merge was not finished.
    #[error("it holds the conflict of a merge, from line {line} on")]
    Conflict {
        /// The line of `<<<<<<<`.
        line: usize,
    },
    /// Its head is not what is written here.
    #[error("it is broken: {0}")]
    Broken(String),
    /// It belongs to somebody else.
    #[error("it is not a snapshot of agentos-run: {0}")]
    Foreign(String),
}

impl Unusable {
    /// What to do about it.
    pub fn remedy(&self, path: &str) -> String {
        match self {
            Self::Unreadable(_) => format!("see what is there, and who may read it: ls -l {path}"),
            Self::Conflict { .. } => {
                format!("solve the conflict, or take one side (`git checkout --ours {path}`), then run again")
            }
            Self::NotText | Self::Broken(_) => format!(
                "bring it back (`git checkout {path}`), or delete it and accept the new one; it is not overwritten"
            ),
            Self::Foreign(_) => {
                format!("give the snapshot another name, or move {path} away; it is not overwritten")
            }
        }
    }
}

/// A text as it is compared: line ends as on Unix, nothing blank at the end. Insta does the same.
pub(super) fn tidy(text: &str) -> String {
    let mut tidy = text.trim_end().replace("\r\n", "\n");
    // A line end that several carriage returns stood before has one less of them now, and is one again.
    while tidy.contains("\r\n") {
        tidy = tidy.replace("\r\n", "\n");
    }
    tidy
}

impl File {
    /// Reads a file; none where there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, Unusable> {
        let unreadable = |error: io::Error| Unusable::Unreadable(diagnostic::io_cause(&error));
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // A link that leads nowhere is there all the same.
                return match path.symlink_metadata() {
                    Ok(_) => Err(Unusable::Unreadable("it is a link that leads nowhere".to_owned())),
                    Err(_) => Ok(None),
                };
            }
            Err(error) => return Err(unreadable(error)),
            Ok(meta) if meta.is_dir() => return Err(Unusable::Foreign("it is a folder".to_owned())),
            Ok(meta) if !meta.is_file() => return Err(Unusable::Foreign("it is no file".to_owned())),
            Ok(meta) if meta.len() > MOST => {
                return Err(Unusable::Foreign("it holds more than 256 MiB".to_owned()));
            }
            Ok(_) => {}
        }
        Self::parse(fs::read(path).map_err(unreadable)?).map(Some)
    }

    /// Reads a file that is to be the snapshot of a scenario in `source`. Insta's are files of the same form: those that
    /// name another source, and no scenario, belong to somebody else.
    pub fn read_of(path: &Path, source: Option<&str>) -> Result<Option<Self>, Unusable> {
        let file = Self::read(path)?;
        if let (Some(file), Some(wanted)) = (&file, source)
            && !file.metadata.is_ours()
            && let Some(found) = file.metadata.source.as_deref().filter(|found| *found != wanted)
        {
            return Err(Unusable::Foreign(format!("it is one of {found}")));
        }
        Ok(file)
    }

    /// Reads the bytes of a file.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Unusable> {
        let text = String::from_utf8(bytes).map_err(|_| Unusable::NotText)?;
        if let Some(line) = conflict(&text) {
            return Err(Unusable::Conflict { line });
        }
        let mut rest = text.as_str();
        let mut line = || {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let ended = rest.is_empty();
            rest = after;
            (!ended).then(|| line.trim_end_matches([' ', '\t', '\r']))
        };
        match line() {
            None => return Err(Unusable::Broken("it is empty".to_owned())),
            Some(FENCE) => {}
            Some(_) => return Err(Unusable::Foreign("it does not begin with a line `---`".to_owned())),
        }
        let mut head = String::new();
        loop {
            match line() {
                Some(FENCE) => break,
                Some(line) => {
                    head.push_str(line);
                    head.push('\n');
                }
                None => {
                    return Err(Unusable::Broken("its head has no second line `---`".to_owned()));
                }
            }
        }
        let contents = tidy(rest);
        Ok(Self { metadata: Metadata::parse(head)?, contents })
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.contents.len() + 256);
        text.push_str(FENCE);
        text.push('\n');
        self.metadata.write(&mut text);
        text.push_str(FENCE);
        text.push('\n');
        text.push_str(&self.contents);
        text.push('\n');
        text
    }
}

impl Metadata {
    /// Whether the file was written by this program.
    pub fn is_ours(&self) -> bool {
        self.info.iter().any(|(key, _)| key == MARK)
    }

    fn parse(head: String) -> Result<Self, Unusable> {
        let mut problems = Problems::new();
        let documents = yaml::parse(&Source::new("head", head), &mut problems);
        if let Some(problem) = problems.iter().next() {
            let at = problem.span().map_or(0, |span| span.position().line) + 1;
            return Err(Unusable::Broken(format!("line {at} of its head: {}", problem.message)));
        }
        let Some(entries) = documents.first().and_then(Node::as_mapping) else {
            return Err(Unusable::Broken("its head is no mapping".to_owned()));
        };
        let mut metadata = Self::default();
        for entry in entries {
            let text = || match &entry.value.kind {
                Kind::String(text) => Some(text.clone()),
                Kind::Number(number) => Some(number.to_string()),
                Kind::Bool(value) => Some(value.to_string()),
                _ => None,
            };
            match entry.key.name.as_str() {
                "source" => metadata.source = text(),
                "expression" => metadata.expression = text(),
                "assertion_line" => metadata.line = text().and_then(|text| text.parse().ok()),
                "snapshot_kind" if text().is_some_and(|kind| kind != "text") => {
                    return Err(Unusable::Foreign("it is a binary one of insta".to_owned()));
                }
                "info" => {
                    for entry in entry.value.as_mapping().into_iter().flatten() {
                        let value = match &entry.value.kind {
                            Kind::String(text) => text.clone(),
                            _ => entry.value.to_json().to_string(),
                        };
                        metadata.info.push((entry.key.name.clone(), value));
                    }
                }
                _ => {}
            }
        }
        Ok(metadata)
    }

    fn write(&self, text: &mut String) {
        if let Some(source) = &self.source {
            _ = writeln!(text, "source: {}", scalar(source));
        }
        if let Some(at) = self.line {
            _ = writeln!(text, "assertion_line: {at}");
        }
        if let Some(expression) = &self.expression {
            _ = writeln!(text, "expression: {}", scalar(expression));
        }
        if !self.info.is_empty() {
            text.push_str("info:\n");
            for (key, value) in &self.info {
                _ = writeln!(text, "  {}: {}", scalar(key), scalar(value));
            }
        }
    }
}

/// A text as insta writes it: plain where it can be nothing but a text, in double quotes elsewhere.
fn scalar(text: &str) -> String {
    let words = [
        "yes", "Yes", "YES", "no", "No", "NO", "True", "TRUE", "true", "False", "FALSE", "false", "on", "On",
        "ON", "off", "Off", "OFF", "null", "Null", "NULL", "~",
    ];
    let plain = !text.is_empty()
        && !text.starts_with([' ', '&', '*', '?', '|', '-', '<', '>', '=', '!', '%', '@', '.'])
        && !text.ends_with(' ')
        && !text.starts_with("0x")
        && !text.contains([':', '{', '}', '[', ']', ',', '#', '`', '"', '\'', '\\'])
        && !text.contains(|c: char| c.is_ascii_control())
        && !words.contains(&text)
        && text.parse::<f64>().is_err();
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            c if c.is_ascii_control() => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The line of the first `<<<<<<<` that a `=======` and a `>>>>>>>` follow.
fn conflict(text: &str) -> Option<usize> {
    let mut begin = None;
    let mut middle = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("<<<<<<< ") {
            (begin, middle) = (Some(index + 1), false);
        } else if begin.is_some() && line == "=======" {
            middle = true;
        } else if middle && line.starts_with(">>>>>>> ") {
            return begin;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(info: &str, contents: &str) -> File {
        File {
            metadata: Metadata {
                source: Some("scenarios/a.yaml".to_owned()),
                line: Some(12),
                expression: Some(info.to_owned()),
                info: vec![(MARK.to_owned(), info.to_owned()), ("step".to_owned(), "recall".to_owned())],
            },
            contents: tidy(contents),
        }
    }

    proptest! {
        /// What insta reads of our file and writes again is what we write.
        #[test]
        fn insta_reads_and_writes_the_same(info in "\\PC{0,12}|[-:~.0-9a-f \"'\\\\#]{0,8}", contents in "([ -~éπ\n]{0,60}\r?\n?){0,4}") {
            let file = sample(&info, &contents);
            let folder = tempfile::tempdir().unwrap();
            let pending = folder.path().join("a__b.snap.new");
            fs::write(&pending, file.to_text()).unwrap();
            let read = insta::Snapshot::from_file(&pending).unwrap();
            let accepted = folder.path().join("a__b.snap");
            read.save(&accepted).unwrap();
            let ours = File { metadata: Metadata { line: None, ..file.metadata.clone() }, ..file.clone() };
            prop_assert_eq!(fs::read_to_string(&accepted).unwrap(), ours.to_text());
            prop_assert_eq!(File::read(&accepted).unwrap().unwrap(), ours);
            prop_assert_eq!(File::read(&pending).unwrap().unwrap(), file);
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200), fenced: bool) {
            let mut all = if fenced { b"---\n".to_vec() } else { Vec::new() };
            all.extend(bytes);
            let _any = File::parse(all);
        }
    }

    #[test]
    fn carriage_returns_are_part_of_a_line_end_however_many() {
        assert_eq!(tidy("\r\r\r\na\r\n"), "\na");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let head = "---\nsource: a.yaml\n";
        for (text, expected) in [
            (String::new(), "it is broken: it is empty"),
            (
                "hello\n".to_owned(),
                "it is not a snapshot of agentos-run: it does not begin with a line `---`",
            ),
            (head.to_owned(), "it is broken: its head has no second line `---`"),
            ("---\na: [\n---\nx\n".to_owned(), "it is broken: line"),
            ("---\n- a\n---\nx\n".to_owned(), "it is broken: its head is no mapping"),
            (
                format!("{head}---\none\n<<<<<<< HEAD\ntwo\n=======\nthree\n>>>>>>> branch\n"),
                "it holds the conflict of a merge, from line 5 on",
            ),
            (
                "---\nsource: a\nextension: bin\nsnapshot_kind: binary\n---\n".to_owned(),
                "it is not a snapshot of agentos-run: it is a binary one of insta",
            ),
        ] {
            let error = File::parse(text.clone().into_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
        assert_eq!(File::parse(b"---\n\xff".to_vec()), Err(Unusable::NotText));
        // A text may hold what looks like a part of one.
        assert!(File::parse(format!("{head}---\nTitle\n=======\n<<<<<<< a\n").into_bytes()).is_ok());
    }
}
