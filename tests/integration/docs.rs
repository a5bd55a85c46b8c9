//! The documentation holds: every scenario in it passes, every fragment is understood, every command prints what is shown.
//!
//! What a fenced block is, its first line says:
//!
//! - ```` ```yaml ```` with `steps:` is a scenario: it is checked and passes on the embedded AgentOS. Without it, it is
//!   a list of steps, or some keys of a scenario: it is checked.
//! - ```` ```yaml fails ```` is a scenario in which `check` finds something.
//! - ```` ```yaml red ```` is a scenario that fails when it runs.
//! - ```` ```yaml fragment ```` is a fragment: it is checked, and other blocks may use it.
//! - ```` ```yaml project ```` is a project file: it is read.
//! - ```` ```yaml cast ```` is a cast of the embedded AgentOS: it is checked. The ```` ```yaml played ```` after it is a scenario that
//!   passes with it.
//! - ```` ```yaml other ```` is YAML for another program.
//! - ```` ```console ```` holds commands and what they print: `...` stands for any number of lines, `$ echo $?` shows the
//!   exit code, which is 0 where none is shown. They run in a folder with the files whose blocks begin with
//!   `# NAME.yaml`; `http://127.0.0.1:7777` is an embedded AgentOS.
//!
//! `docs/expectations.md` is tested beside the code of expectations.

use crate::common::{Output, Run};
use agentos_run::emulator::{Emulator, Options};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, thread};

/// A fenced block of a document.
#[derive(Debug)]
struct Block {
    place: String,
    language: String,
    word: String,
    text: String,
}

impl Block {
    fn all_of(document: &str, text: &str) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut open: Option<Self> = None;
        for (index, line) in text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(info)) => {
                    let (language, word) = info.split_once(' ').unwrap_or((info, ""));
                    open = Some(Self {
                        place: format!("{document}:{}", index + 1),
                        language: language.to_owned(),
                        word: word.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{document}: a fence is never closed");
        blocks
    }

    fn has(&self, key: &str) -> bool {
        self.text.lines().any(|line| line.starts_with(key))
    }

    /// The file that it is, where its first line names one.
    fn file(&self) -> Option<&str> {
        let name = self.text.lines().next()?.strip_prefix("# ")?;
        let is_file = Path::new(name).extension().is_some_and(|kind| kind == "yaml" || kind == "csv")
            && !name.contains(' ');
        is_file.then_some(name)
    }

    /// The scenario that a fragment is a part of.
    fn wrapped(&self) -> String {
        let begin = self.text.lines().find(|line| !line.starts_with('#') && !line.is_empty());
        if begin.is_some_and(|line| line.starts_with("- ")) {
            // The names that fragments use.
            let vars = "vars: { agent: assistant, user: alice, sid: s-1, older: s-2 }\n";
            let steps: String = self.text.lines().map(|line| format!("  {line}\n")).collect();
            return format!("{vars}steps:\n{steps}");
        }
        format!("{}steps:\n  - health: {{}}\n", self.text)
    }
}

/// What is wrong with a document, all of it.
fn findings(document: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let emulator = Emulator::start(Options::default()).unwrap();
    let mut folder: Option<Output> = None;
    let mut cast = String::new();
    for block in Block::all_of(document, text) {
        let mut expect = |output: Output, code: i32| {
            if output.code != code {
                wrong.push(format!("{}: exit code {} and not {code}\n{output}", block.place, output.code));
            }
        };
        if let Some(name) = block.file() {
            let text = match block.language.as_str() {
                // The line that names the file is none of its rows.
                "csv" => block.text.lines().skip(1).map(|line| format!("{line}\n")).collect(),
                _ => block.text.clone(),
            };
            files.insert(name.to_owned(), text);
        }
        let with_files = || files.iter().fold(Run::new(), |run, (name, text)| run.file(name, text));
        let run = |text: &str, arguments: &[&str]| {
            with_files().file("example.yaml", text).args(arguments.iter().copied()).arg("example.yaml").run()
        };
        match (block.language.as_str(), block.word.as_str()) {
            ("yaml", "") if block.has("steps:") => expect(run(&block.text, &["--embedded"]), 0),
            ("yaml", "") => expect(run(&block.wrapped(), &["check"]), 0),
            ("yaml", "cast") => {
                cast.clone_from(&block.text);
                let run = Run::new().file("cast.yaml", &cast).args(["check", "cast.yaml"]);
                expect(run.run(), 0);
            }
            ("yaml", "played") => {
                let run = Run::new().file("cast.yaml", &cast).file("example.yaml", &block.text);
                expect(run.args(["--cast", "cast.yaml", "example.yaml"]).run(), 0);
            }
            ("yaml", "red") => expect(run(&block.text, &["--embedded"]), 1),
            ("yaml", "fails") => expect(run(&block.text, &["check"]), 2),
            ("yaml", "fragment") => {
                let name = block.file().expect("the name of a fragment");
                expect(with_files().args(["check", name]).run(), 0);
            }
            ("yaml", "project") => {
                let one = "steps:\n  - health: {}\n";
                let run = Run::new().file("agentos-run.yaml", &block.text).file("one.yaml", one);
                expect(run.args(["check", "one.yaml"]).run(), 0);
            }
            ("console", "") => {
                for command in Command::all_of(&block.text) {
                    let mut run = folder.as_ref().map_or_else(Run::new, Output::then);
                    for (name, text) in &files {
                        run = run.file(name, text);
                    }
                    let output = command.run(run, emulator.base_url());
                    wrong.extend(
                        command.compare(&output).map(|what| format!("{}: {what}\n{output}", block.place)),
                    );
                    folder = Some(output);
                }
            }
            ("yaml", "other") | ("sh" | "rust" | "toml" | "json" | "text" | "csv", _) => {}
            (language, word) => {
                wrong.push(format!("{}: nobody knows what a block `{language} {word}` is", block.place));
            }
        }
    }
    emulator.stop();
    wrong
}

/// A command of a console and what is shown of its output.
#[derive(Debug, Default)]
struct Command {
    line: String,
    shown: Vec<String>,
    code: i32,
}

impl Command {
    fn all_of(console: &str) -> Vec<Self> {
        let mut commands: Vec<Self> = Vec::new();
        let mut lines = console.lines();
        while let Some(line) = lines.next() {
            if line == "$ echo $?" {
                let code = lines.next().and_then(|code| code.parse().ok());
                commands.last_mut().expect("a command before `echo`").code = code.expect("an exit code");
            } else if let Some(command) = line.strip_prefix("$ ") {
                let mut command = command.to_owned();
                while let Some(begin) = command.strip_suffix('\\') {
                    command = format!("{begin}{}", lines.next().unwrap_or_default().trim_start());
                }
                commands.push(Self { line: command, ..Self::default() });
            } else if line != "..." {
                commands.last_mut().expect("a command first").shown.push(line.to_owned());
            }
        }
        commands
    }

    fn run(&self, mut run: Run, url: &str) -> Output {
        let mut words = words(&self.line.replace("http://127.0.0.1:7777", url)).into_iter().peekable();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            run = run.env(name, value);
            words.next();
        }
        assert_eq!(words.next().as_deref(), Some("agentos-run"), "only this program is run: {}", self.line);
        run.args(words).run()
    }

    /// What is wrong: the exit code, or a line that is shown and never printed.
    fn compare(&self, output: &Output) -> Option<String> {
        if output.code != self.code {
            return Some(format!("`{}`: exit code {} and not {}", self.line, output.code, self.code));
        }
        let printed = output.scrub(&format!("{}\n{}", output.stdout, output.stderr));
        let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let mut missing = String::new();
        for line in &self.shown {
            let line = output.scrub(line);
            if !printed.contains(&line.trim_end()) {
                let _infallible = write!(missing, "\n    {line}");
            }
        }
        (!missing.is_empty()).then(|| format!("`{}` does not print:{missing}", self.line))
    }
}

/// The words of a command as a shell takes them: blanks divide, quotes join.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut quote: Option<char> = None;
    let mut inside = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                if !std::mem::replace(&mut inside, true) {
                    words.push(String::new());
                }
            }
            (None, ' ') => inside = false,
            _ => {
                if !std::mem::replace(&mut inside, true) {
                    words.push(String::new());
                }
                words.last_mut().unwrap().push(c);
            }
        }
    }
    words
}

#[test]
fn what_the_documentation_shows_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if Path::new(&name).extension().is_some_and(|it| it == "md") && name != "expectations.md" {
            documents.push(format!("docs/{name}"));
        }
    }
    documents.sort();
    let checks: Vec<_> = documents
        .into_iter()
        .map(|name| {
            let text = fs::read_to_string(root.join(&name)).unwrap();
            thread::spawn(move || findings(&name, &text))
        })
        .collect();
    let wrong: Vec<String> = checks.into_iter().flat_map(|check| check.join().unwrap()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_document_that_lies_is_found_out() {
    let wrong = |text: &str| findings("lie.md", text).join("\n");
    assert!(
        wrong("```yaml\nsteps:\n  - health: {}\n    expect: { status: 201 }\n```\n").contains("lie.md:1")
    );
    assert!(wrong("```yaml\n- helth: {}\n```\n").contains("exit code 2 and not 0"));
    assert!(wrong("```yaml fails\nsteps:\n  - health: {}\n```\n").contains("exit code 0 and not 2"));
    assert!(wrong("```yaml project\ntargts: {}\n```\n").contains("exit code 2 and not 0"));
    assert!(
        wrong("```console\n$ agentos-run --version\nagentos-run of old\n```\n").contains("does not print")
    );
    assert!(wrong("```console\n$ agentos-run nope.yaml\n```\n").contains("exit code 2 and not 0"));
    assert!(wrong("```yaml cast\nagents: { a: { nam: x } }\n```\n").contains("exit code 2 and not 0"));
    let played = "```yaml cast\nagents: { a: { replies: [hi] } }\n```\n```yaml played\nsteps:\n  - run_agent: { agent_id: a, message: x }\n    expect: { content: ho }\n```\n";
    assert!(wrong(played).contains("exit code 1 and not 0"));
    assert!(wrong("```jaml\n```\n").contains("nobody knows"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        names.push(format!("docs/{}", entry.unwrap().file_name().into_string().unwrap()));
    }
    let link = regex::Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for name in names.iter().filter(|name| Path::new(name).extension().is_some_and(|it| it == "md")) {
        let text = fs::read_to_string(root.join(name)).unwrap();
        for found in link.captures_iter(&text) {
            let target = &found[1];
            if target.starts_with("http") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path =
                if file.is_empty() { root.join(name) } else { root.join(name).parent().unwrap().join(file) };
            assert!(path.exists(), "{name} links to {target}, which is not there");
            if anchor.is_empty() {
                continue;
            }
            let linked = fs::read_to_string(&path).unwrap();
            let headings = linked.lines().filter_map(|line| line.strip_prefix('#')).map(|heading| {
                let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                heading.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect::<String>()
            });
            assert!(headings.into_iter().any(|it| it == anchor), "{name} links to {target}: no such heading");
        }
    }
}
