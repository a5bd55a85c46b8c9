//! `agentos-run schema`: the JSON Schema of scenario files, for editors.

use super::context::Context;
use super::exit::Exit;
use crate::scenario::schema;

/// Runs the command.
pub(super) fn run(context: &Context) -> Exit {
    context.output().print(&schema::printed());
    Exit::Success
}
