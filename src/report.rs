//! What people and machines read of a run.

pub mod destination;
pub mod difference;
mod github;
mod html;
mod json;
pub mod jsonl;
mod junit;
mod looping;
mod markdown;
pub mod merge;
mod plain;
pub mod progress;
pub mod record;
pub mod recorder;
pub mod records;
mod spool;
mod tap;
pub mod terminal;
pub mod text;
mod text_report;
pub mod trace;
pub mod write;
mod xml;
