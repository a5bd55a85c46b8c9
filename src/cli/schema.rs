//! `agentos-run schema`: the JSON Schema of scenario files, for editors, or of the JSON report.

use super::args::SchemaOf;
use super::context::Context;
use super::exit::Exit;
use crate::report::record;
use crate::scenario::schema;

/// Runs the command.
pub(super) fn run(context: &Context, of: SchemaOf) -> Exit {
    context.output().print(&match of {
        SchemaOf::Scenario => schema::printed(),
        SchemaOf::Report => record::schema(),
    });
    Exit::Success
}
