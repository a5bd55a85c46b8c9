//! `--report`: what stands in the reports, and that the programs that read them take it.

mod any_text;
mod files;
mod formats;
mod html;
mod merge;
mod shards;
mod traces;
