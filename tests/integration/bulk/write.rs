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
