//! What checking costs: 1,000 files of 30 lines, beside reading their bytes.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a benchmark")]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

/// The word that says that this process only reads.
const READ: &str = "--read";

const SCENARIO: &str = r#"# A conversation that remembers, number NUMBER.
name: Conversation NUMBER
description: Two messages in one session, then the history.
tags:
  - generated
timeout: 60s
vars:
  agent: assistant
  session: conversation-NUMBER-${{ run.id }}
defaults:
  user_id: bench-user
setup:
  - create_session: { session_id: "${{ session }}", type: agent, agent_id: "${{ agent }}" }
steps:
  - name: the first message
    id: first
    run_agent: { agent_id: "${{ agent }}", session_id: "${{ session }}", message: "My name is Ada." }
    save: { answer: content, run_id: $.run_id }
    expect:
      $.status: COMPLETED
      content: { empty: false, contains: Ada }
  - name: the second message
    if: ${{ answer | length > 0 }}
    run_agent: { agent_id: "${{ agent }}", session_id: "${{ session }}", message: "What is my name?" }
    expect:
      $.session_id: "${{ session }}"
      $.metrics.total_tokens: { gte: 1, lt: 10000 }
      content: { matches: "(?i)ada" }
finally:
  - delete_session: { session_id: "${{ session }}" }
"#;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, folder] = arguments.as_slice()
        && word == READ
    {
        read(Path::new(folder));
        return;
    }
    if !common::wanted() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("scenarios");
    fs::create_dir(&files).unwrap();
    for number in 0..1000 {
        let text = SCENARIO.replace("NUMBER", &number.to_string());
        fs::write(files.join(format!("conversation-{number:03}.yaml")), text).unwrap();
    }

    let mut reading = Command::new(std::env::current_exe().unwrap());
    reading.arg(READ).arg(&files);
    let checking = || common::program(folder.path(), &["check", "scenarios"]);
    let [read, check] = common::cpu(5, 4, [reading, checking()]);
    let name = format!("check 1,000 files of {} lines; floor: reading", SCENARIO.lines().count());
    common::head();
    common::row(&name, check, read);
    common::value("memory", common::mebibytes(common::peak_memory(&mut checking())));
}

/// Reads all files of a folder, and finds out how many bytes they have.
fn read(folder: &Path) {
    let files = fs::read_dir(folder).unwrap();
    let bytes: usize = files.map(|file| fs::read(file.unwrap().path()).unwrap().len()).sum();
    assert!(bytes > 0);
}
