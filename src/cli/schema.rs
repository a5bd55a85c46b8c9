//! `agentos-run schema`: the JSON Schema of scenario files or of cast files, for editors, or of the JSON report.

use super::args::SchemaOf;
use super::context::Context;
use super::exit::Exit;
use crate::report::record;
use crate::scenario::schema;

/// Runs the command.
pub(super) fn run(context: &Context, of: SchemaOf) -> Exit {
    let text = match of {
        SchemaOf::Scenario => schema::printed(),
        #[cfg(feature = "emulator")]
        SchemaOf::Cast => crate::emulator::cast::schema::printed(),
        SchemaOf::Report => record::schema(),
    };
    context.output().print(&text);
    Exit::Success
}
