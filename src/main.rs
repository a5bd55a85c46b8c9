//! The `agentos-run` binary.
fn main() {}
