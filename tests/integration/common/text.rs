//! Texts of several lines, written where they are used.

/// The words of a report, in one line: whatever is long is wrapped somewhere.
pub(crate) fn unwrapped(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

/// The text without the indentation that all of its lines share, and without the line break that it begins with: a
/// YAML file in a test is indented like the test.
pub(crate) fn dedent(text: &str) -> String {
    let text = text.strip_prefix('\n').unwrap_or(text);
    let indents = text.lines().filter(|line| !line.trim().is_empty()).map(|l| l.len() - l.trim_start().len());
    let margin = indents.min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|line| line.get(margin..).unwrap_or("")).collect();
    format!("{}\n", lines.join("\n").trim_end())
}
