//! Which names the templates of a cast can read, where.

use regex::Regex;

use crate::diagnostic::Problems;
use crate::expr::{self, Expression};
use crate::template::Template;

/// What every template of a reply can read.
pub(super) const ALWAYS: [&str; 11] = [
    "message",
    "said",
    "history",
    "media",
    "system",
    "state",
    "user_id",
    "session_id",
    "run_id",
    "dependencies",
    "metadata",
];

/// Names that only some templates can read, and when.
const SOMETIMES: [(&str, &str); 5] = [
    ("match", "`match` is there in a rule with `when`: the text that matched, and its groups"),
    ("recalled", "`recalled` is there in a rule with `recall`"),
    ("results", "`results` is there where tools have answered: in `then`, and in a rule with `after`"),
    ("item", "`item` is there in the `call` of a rule with `for_each`"),
    ("args", "`args` is there in what a tool answers"),
];

/// The names that a regular expression gives its groups.
pub(super) fn groups(regex: &Regex) -> impl Iterator<Item = &str> {
    regex.capture_names().flatten()
}

/// The names that a pattern gives its groups, where it is no regular expression for something else: that is said already,
/// and the names are meant all the same.
pub(super) fn groups_as_written(pattern: &str) -> impl Iterator<Item = &str> {
    let begun = pattern.split("(?P<").skip(1).chain(pattern.split("(?<").skip(1));
    begun
        .filter_map(|rest| rest.split_once('>').map(|(name, _)| name))
        .filter(|name| !name.starts_with(['=', '!']))
}

/// Complains about every name of a template that is not among `known`.
pub(super) fn template(template: &Template, known: &[&str], problems: &mut Problems) {
    template.for_each_expression(&mut |one| expression(one, known, problems));
}

/// Complains about every name of an expression that is not among `known`.
pub(super) fn expression(expression: &Expression, known: &[&str], problems: &mut Problems) {
    let mut seen: Vec<String> = Vec::new();
    for name in expression.names() {
        let root = name.split('.').next().unwrap_or_default().to_owned();
        if known.contains(&root.as_str()) || seen.contains(&root) {
            continue;
        }
        let problem = expr::undefined_name(&root, &expression.span_of(&root), known.to_vec());
        let hint = SOMETIMES.iter().find(|(name, _)| *name == root).map(|(_, hint)| (*hint).to_owned());
        problems.push(problem.maybe_help(hint));
        seen.push(root);
    }
}

/// What a tool answers.
pub(super) fn tool(text: &Template, problems: &mut Problems) {
    template(text, &["args", "state", "user_id", "session_id", "run_id"], problems);
}

/// What a function makes of the step before.
pub(super) fn step(text: &Template, problems: &mut Problems) {
    template(text, &["previous", "message", "state", "user_id", "session_id", "run_id"], problems);
}

/// What is kept of a message.
pub(super) fn memory(text: &Template, when: Option<&Regex>, written: Option<&str>, problems: &mut Problems) {
    let mut known = vec!["message", "user_id"];
    if let Some(when) = when {
        known.push("match");
        known.extend(groups(when));
    } else if let Some(written) = written {
        known.push("match");
        known.extend(groups_as_written(written));
    }
    template(text, &known, problems);
}
