//! `write`: lines into files of the working folder, never silently over what is there.

use crate::common::{Run, text::dedent};
use std::fs;

fn scenario(extra: &str) -> String {
    dedent(&format!(
        "
        steps:
          - for_each: [{{ a: 1 }}, two, 3]
            write: {{ file: out/lines.jsonl, line: \"${{{{ item }}}}\"{extra} }}
        "
    ))
}

fn run(text: &str, existing: Option<&str>) -> (i32, String, Option<String>) {
    let mut run = Run::new().file("a.yaml", text);
    if let Some(existing) = existing {
        run = run.file("out/lines.jsonl", existing);
    }
    let output = run.args(["--embedded", "a.yaml"]).run();
    let written = fs::read_to_string(output.dir().join("out/lines.jsonl")).ok();
    (output.code, output.stdout, written)
}

#[test]
fn lines_are_written_in_order_and_a_file_that_is_there_is_as_the_step_says() {
    let three = "{\"a\":1}\ntwo\n3\n";
    let (code, said, written) = run(&scenario(""), None);
    assert_eq!((code, written.as_deref()), (0, Some(three)), "{said}");
    let (code, said, written) = run(&scenario(""), Some("mine\n"));
    assert_eq!((code, written.as_deref()), (1, Some("mine\n")), "{said}");
    assert!(said.contains("it is there already") && said.contains("existing: append"), "{said}");
    let (code, _, written) = run(&scenario(", existing: append"), Some("mine\n"));
    assert_eq!((code, written), (0, Some(format!("mine\n{three}"))));
    let (code, _, written) = run(&scenario(", existing: replace"), Some("mine\n"));
    assert_eq!((code, written.as_deref()), (0, Some(three)));
}

#[test]
fn a_file_stays_inside_of_the_working_folder_and_a_line_is_one_line() {
    for (file, line, code) in [
        ("../bulk-write-out", "a", 2),
        ("/tmp/bulk-write-out", "a", 2),
        ("${{ '../bulk-write-out' }}", "a", 1),
        ("x", "${{ 'a\\nb' }}", 1),
    ] {
        let text =
            format!("steps:\n  - write: {{ file: \"{file}\", line: \"{}\" }}\n", line.replace('\\', "\\\\"));
        let output = Run::new().file("a.yaml", text).args(["--embedded", "a.yaml"]).run().code_is(code);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("inside of the working folder") || said.contains("this has several"), "{said}");
        assert!(!output.dir().join("../bulk-write-out").exists() && !output.dir().join("x").exists());
    }
}

#[test]
#[cfg(unix)]
fn a_folder_that_leads_elsewhere_is_not_written_into() {
    let run = Run::new().file("a.yaml", scenario("")).file("inside/x", "");
    let folder = run.dir();
    let other = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(other.path(), folder.join("out")).unwrap();
    let output = run.args(["--embedded", "a.yaml"]).run().code_is(1);
    assert!(output.stdout.contains("its folder is a link out of the working folder"), "{output}");
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
    // One that stays inside is as good as a folder.
    fs::remove_file(folder.join("out")).unwrap();
    std::os::unix::fs::symlink("inside", folder.join("out")).unwrap();
    let output = output.then().args(["--embedded", "a.yaml"]).run().code_is(0);
    assert_eq!(output.read("inside/lines.jsonl"), "{\"a\":1}\ntwo\n3\n");
}

#[test]
fn no_line_holds_a_secret() {
    let text = "steps:\n  - write: { file: out.txt, line: 'key=${{ env.MY_KEY }} ${{ env.MY_KEY | b64encode }}' }\n  - write: { file: out.txt, line: { key: '${{ env.MY_KEY }}' } }\n";
    let output = Run::new()
        .file("agentos-run.yaml", "secrets: [MY_KEY]\n")
        .file("a.yaml", text)
        .env("MY_KEY", "hunter2-\"and\"-more")
        .args(["--embedded", "a.yaml"])
        .run()
        .code_is(0);
    let written = output.read("out.txt");
    assert!(written.starts_with("key=*** ***") && written.ends_with("{\"key\":\"***\"}\n"), "{written}");
}

#[test]
#[cfg(unix)]
fn a_full_disk_leaves_no_half_a_line() {
    let line = "x".repeat(100);
    let text = format!("steps:\n  - repeat: 20\n    write: {{ file: out.txt, line: {line} }}\n");
    let run = Run::new().file("a.yaml", text);
    // No file grows beyond 512 bytes.
    let output = std::process::Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_agentos-run")])
        .args(["--embedded", "a.yaml"])
        .current_dir(run.dir())
        .env_clear()
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("`out.txt` cannot be written: File too large"), "{stdout}");
    assert_eq!(fs::read_to_string(run.dir().join("out.txt")).unwrap(), format!("{line}\n").repeat(5));
}
