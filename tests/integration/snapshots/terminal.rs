//! Looking at what waits on a real terminal: somebody reads, and types an answer.

use super::{Sut, review::three};
use crate::common::pty::{Session, Terminal};
use std::process::Command;

const QUESTION: &str = "[q]uit? ";

/// `review` on a terminal of so many columns, of which it is the only program: Ctrl-C goes to it.
fn review(sut: &Sut, columns: u16) -> Session {
    let mut command = Command::new("setsid");
    command
        .args(["--ctty", env!("CARGO_BIN_EXE_agentos-run"), "review"])
        .current_dir(sut.dir())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TERM", "xterm-256color");
    Terminal::new(columns, 24).start(command)
}

/// What came before the question for the so many-th time.
fn shown(sent: &str, number: usize) -> &str {
    sent.split(QUESTION).nth(number).expect("a question")
}

#[test]
fn the_difference_is_in_colour_and_each_is_asked_for() {
    let sut = three();
    let mut session = review(&sut, 80);
    for (number, keys) in ["x\r", "r\r", "s\r", "a\r"].into_iter().enumerate() {
        session.wait_for(QUESTION, number + 1);
        session.types(keys);
    }
    let (code, sent) = session.finish();
    assert_eq!(code, 1, "one is left: {sent}");
    assert!(
        shown(&sent, 0).contains("\u{1b}[31m-one\u{1b}[0m") && shown(&sent, 0).contains("\u{1b}[32m+uno"),
        "{sent:?}"
    );
    assert!(
        shown(&sent, 1).contains("please say a, r, s, A, R or q") && !shown(&sent, 1).contains("2 of 3"),
        "{sent:?}"
    );
    assert!(
        shown(&sent, 2).contains("rejected snapshots/s__a.snap.new") && shown(&sent, 2).contains("2 of 3"),
        "{sent:?}"
    );
    assert!(
        sent.ends_with("accepted snapshots/s__c.snap (new)\r\n1 accepted, 1 rejected, 1 left\r\n"),
        "{sent:?}"
    );
    assert_eq!(
        sut.files(),
        ["snapshots/s__a.snap", "snapshots/s__b.snap", "snapshots/s__b.snap.new", "snapshots/s__c.snap"]
    );
    assert_eq!(sut.contents("snapshots/s__a.snap"), "one\n");
}

#[test]
fn all_the_rest_at_once() {
    let sut = three();
    let mut session = review(&sut, 80);
    session.wait_for(QUESTION, 1);
    session.types("s\r");
    session.wait_for(QUESTION, 2);
    session.types("A\r");
    let (code, sent) = session.finish();
    assert_eq!(code, 1);
    assert!(sent.ends_with("2 accepted, 1 left\r\n") && !sent.contains("3 of 3"), "{sent:?}");
    let mut session = review(&sut, 80);
    session.wait_for(QUESTION, 1);
    session.types("R\r");
    assert_eq!(session.finish().0, 0);
    assert_eq!(sut.contents("snapshots/s__a.snap"), "one\n");
    assert_eq!(sut.files(), ["snapshots/s__a.snap", "snapshots/s__b.snap", "snapshots/s__c.snap"]);
}

#[test]
fn who_quits_or_interrupts_keeps_what_was_decided() {
    // Ctrl-D is the end of the input.
    for (keys, expected) in [("q\r", 1), ("\x04", 1), ("\x03", -1)] {
        let sut = three();
        let mut session = review(&sut, 80);
        session.wait_for(QUESTION, 1);
        session.types("a\r");
        session.wait_for(QUESTION, 2);
        session.types(keys);
        let (code, sent) = session.finish();
        assert!(code == expected || expected < 0 && code > 128, "{keys:?}: {code} {sent:?}");
        assert!(expected < 0 || sent.ends_with("1 accepted, 2 left\r\n"), "{keys:?}: {sent:?}");
        assert_eq!(sut.contents("snapshots/s__a.snap"), "uno\n");
        assert_eq!(
            sut.files(),
            [
                "snapshots/s__a.snap",
                "snapshots/s__b.snap",
                "snapshots/s__b.snap.new",
                "snapshots/s__c.snap.new"
            ]
        );
    }
}

#[test]
fn a_narrow_window_shows_all_of_it() {
    let sut = three();
    let mut session = review(&sut, 40);
    session.wait_for(QUESTION, 1);
    session.types("q\r");
    let (_, sent) = session.finish();
    for said in
        ["1 of 3", "snapshots/s__a.snap", "(changed)", "s.yaml:4", "-one", "+uno", "[a]ccept", "3 left"]
    {
        assert!(sent.contains(said), "{said}: {sent:?}");
    }
}
