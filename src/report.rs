//! What people and machines read of a run.

pub mod terminal;
pub mod text;
