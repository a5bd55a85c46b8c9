//! What people and machines read of a run.

pub mod progress;
pub mod terminal;
pub mod text;
