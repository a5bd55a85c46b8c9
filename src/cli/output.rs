//! Writing to standard output and standard error: masked, and without a fuss when a reader such as `head` goes away.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::footer::Footer;
use crate::diagnostic::{Problem, Problems, Style};
use crate::report::terminal::Sink;
use crate::secret::Masker;

/// The problems that are shown whole: nobody reads more, and the first often cause the others.
const SHOWN: usize = 100;

/// Standard output and standard error.
#[derive(Debug)]
pub(super) struct Output {
    masker: Masker,
    style: Style,
    broken: AtomicBool,
    /// What stopped it was no reader that had seen enough.
    lost: AtomicBool,
    footer: Arc<Mutex<Footer>>,
}

impl Output {
    pub(super) fn new(masker: Masker, style: Style, footer: &Arc<Mutex<Footer>>) -> Self {
        Self {
            masker,
            style,
            broken: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            footer: Arc::clone(footer),
        }
    }

    /// Shows lines below everything that is written from now on; none takes them away. Only for a terminal.
    pub(super) fn below(&self, lines: Vec<String>, width: usize) {
        let lines = lines.iter().map(|line| self.masker.mask(line)).collect();
        self.footer.lock().unwrap_or_else(PoisonError::into_inner).set(lines, width);
    }

    /// Takes the lines away while somebody is asked something: they would be drawn over the question.
    pub(super) fn asking(&self) -> Asking {
        self.footer.lock().unwrap_or_else(PoisonError::into_inner).pause();
        Asking(Arc::clone(&self.footer))
    }

    /// Writes something above the lines that stay below.
    fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        let mut footer = self.footer.lock().unwrap_or_else(PoisonError::into_inner);
        footer.hide();
        let result = write();
        footer.show();
        result
    }

    /// Writes to standard output.
    pub(super) fn print(&self, text: &str) {
        if self.broken.load(Ordering::Relaxed) {
            return;
        }
        let text = self.masker.mask(text);
        let written = self.above(|| {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        });
        if let Err(error) = written {
            self.broken.store(true, Ordering::Relaxed);
            // A reader that has seen enough closes the pipe; a full disk is worth a word.
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                self.lost.store(true, Ordering::Relaxed);
                self.warn(&format!("cannot write to standard output: {error}"));
            }
        }
    }

    /// Writes a line to standard error.
    pub(super) fn warn(&self, text: &str) {
        let text = self.masker.mask(text);
        // There is nobody left to tell where standard error is closed.
        let _closed = self.above(|| writeln!(std::io::stderr().lock(), "{text}"));
    }

    /// Shows a problem on standard error.
    pub(super) fn problem(&self, problem: &Problem) {
        let text = self.masker.mask(&problem.masked(|text| self.masker.mask(text)).render(self.style));
        let _closed = self.above(|| std::io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Shows many.
    pub(super) fn problems(&self, problems: &Problems) {
        for (index, problem) in problems.iter().take(SHOWN).enumerate() {
            if index > 0 {
                let _closed = std::io::stderr().lock().write_all(b"\n");
            }
            self.problem(problem);
        }
        if let Some(rest) = problems.len().checked_sub(SHOWN).filter(|rest| *rest > 0) {
            let files: std::collections::BTreeSet<&str> = problems
                .iter()
                .skip(SHOWN)
                .filter_map(Problem::span)
                .map(|span| span.source().name())
                .collect();
            let files: Vec<&str> = files.into_iter().collect();
            let named = match files.as_slice() {
                [] => String::new(),
                few if few.len() <= 3 => format!(", in {}", few.join(" and ")),
                many => format!(", in {} files", many.len()),
            };
            self.warn(&format!("\n… and {rest} more{named}"));
        }
    }

    /// Whether something that was written to standard output was lost.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

/// A question that is open.
pub(super) struct Asking(Arc<Mutex<Footer>>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).go_on();
    }
}

/// The terminal report where standard output belongs to another one.
pub(super) struct OnStandardError<'a>(pub(super) &'a Output);

impl Sink for OnStandardError<'_> {
    fn write(&self, text: &str) {
        let text = self.0.masker.mask(text);
        let _closed = self.0.above(|| std::io::stderr().lock().write_all(text.as_bytes()));
    }
}

impl Sink for Output {
    fn write(&self, text: &str) {
        self.print(text);
    }
}
